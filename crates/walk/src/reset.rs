//! A TCP reset in the name of whom a refused segment was for (`nf_send_reset`, `nf_send_reset6`).

use model::Family;

use crate::overlay::Membership;
use crate::packet::tcp::{ACK, RST};
use crate::route::Flow;
use crate::skb::{Next, Skb, Stop};
use crate::walker::Walker;
use crate::{Cause, Disposition, Packet, Payload, Reason, RejectWith, Sink};

impl<S: Sink> Walker<'_, '_, S> {
    /// What a rule resets goes its own way back, as part of the connection that it ends.
    pub(crate) fn reset(&mut self, skb: &Skb, stop: &Stop) {
        let Some(family) = resetting(stop) else { return };
        let Some(packet) = self.reset_of(skb) else { return };
        let mut answer = Skb::new(skb.ns, packet.clone()).at(skb.moment);
        answer.ct = skb.ct.map(Membership::of_consequence);
        answer.untracked = skb.untracked;
        answer.mark = self.reply_mark(skb);
        let port = match family {
            Family::Bridge => skb.came_by,
            Family::Netdev => skb.iif.or(skb.came_by),
            _ => skb.physin,
        };
        if skb.physin.is_some() && !self.is_routed(&packet, skb) {
            return;
        }
        let first = match port.map(|port| self.known_spot(skb.link(port))) {
            // Out of the port that the segment came in by, whatever bridge or route says.
            Some(Some(port)) => {
                answer.packet.src_mac = skb.packet.dst_mac;
                answer.packet.dst_mac = skb.packet.src_mac;
                Next::Transmit(port)
            }
            Some(None) => return,
            None => Next::Socket,
        };
        let (end, way) = self.aside(answer, first);
        self.sink.child(Cause::Answer, &packet, way, &end.disposition);
    }

    /// Even where it goes by no route it has to have one (`ip_route_me_harder`).
    fn is_routed(&self, packet: &Packet, skb: &Skb) -> bool {
        let Some(place) = self.known_place(skb.ns) else { return false };
        let flow = Flow::of(packet, self.reply_mark(skb), None);
        place.way(&flow).is_ok()
    }

    fn reset_of(&self, skb: &Skb) -> Option<Packet> {
        let p = &skb.packet;
        let Payload::Tcp { sport, dport, flags } = p.payload else { return None };
        let many = skb.is_to_many() || p.dst.is_multicast();
        if flags & RST != 0 || many || self.is_to_subnet(skb) {
            return None;
        }
        let flags = if flags & ACK != 0 { RST } else { RST | ACK };
        let mut packet = Packet {
            src_mac: None,
            dst_mac: None,
            src: p.dst,
            dst: p.src,
            ttl: 0,
            tos: 0,
            df: !p.is_ipv6(),
            len: p.header_len() + 20,
            payload: Payload::Tcp { sport: dport, dport: sport, flags },
            mss: None,
        };
        let by = Flow::of(&packet, self.reply_mark(skb), None);
        packet.ttl = self.hop_limit(skb.ns, &by);
        Some(packet)
    }
}

/// The family of the rule that asks for a reset, if one does.
fn resetting(stop: &Stop) -> Option<Family> {
    match &stop.disposition {
        Disposition::Lost(loss) => match &loss.reason {
            Reason::RuleReject(rule, RejectWith::TcpReset) => Some(rule.chain.family),
            _ => None,
        },
        _ => None,
    }
}
