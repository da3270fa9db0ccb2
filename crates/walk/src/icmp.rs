//! ICMP errors: a refused packet's sender is told, by a packet of its own.

use std::net::Ipv4Addr;

use model::RouteKind;

use crate::skb::{Next, Skb, Stop};
use crate::walker::Walker;
use crate::{Cause, Disposition, IcmpKind, Packet, Payload, Reason, RejectWith, Sink, Stage};

/// IP and ICMP header of an error; the refused packet follows.
const HEADERS: u32 = 28;
/// An error is never longer than this.
const MAX: u32 = 576;

impl<S: Sink> Walker<'_, '_, S> {
    /// The ICMP error about a packet that was refused just now goes its own way, as child of the
    /// last step told.
    pub(crate) fn refuse(&mut self, skb: &Skb, stop: &Stop) {
        let Some(kind) = self.error(skb, stop) else { return };
        let packet = Packet {
            src_mac: None,
            dst_mac: None,
            src: Ipv4Addr::UNSPECIFIED,
            dst: skb.packet.src,
            ttl: 64,
            tos: 0xc0,
            df: false,
            len: (skb.packet.len + HEADERS).min(MAX),
            payload: Payload::Icmp { kind, id: 0 },
        };
        let mut error = Skb::new(skb.ns, packet.clone());
        error.about = Some(Box::new(skb.packet.clone()));
        let (end, way) = self.aside(error, Next::Socket);
        self.sink.child(Cause::IcmpError, &packet, way, &end.disposition);
    }

    /// Which error is due, if one is.
    fn error(&self, skb: &Skb, stop: &Stop) -> Option<IcmpKind> {
        let Disposition::Lost(loss) = &*stop.disposition else { return None };
        let known = !skb.packet.src.is_unspecified() && !skb.packet.src.is_loopback();
        // A process of this host is told by its own call, not by a packet.
        let came = skb.iif.is_some();
        let echo = match skb.packet.payload {
            Payload::Icmp { kind, .. } => kind.is_echo(),
            _ => true,
        };
        if skb.arp.is_some() || skb.about.is_some() || !known || !came || !echo || skb.spare {
            return None;
        }
        match &loss.reason {
            Reason::NoRoute(_) if self.forwards(skb) => Some(IcmpKind::Unreachable(0)),
            Reason::RouteRefuses(route) => match route.kind {
                RouteKind::Unreachable => Some(IcmpKind::Unreachable(1)),
                RouteKind::Prohibit => Some(IcmpKind::Unreachable(13)),
                _ => None,
            },
            Reason::NoNeighbour { .. } if stop.stage == Stage::Neighbour => {
                Some(IcmpKind::Unreachable(1))
            }
            Reason::TooBig { told: true, .. } => Some(IcmpKind::Unreachable(4)),
            Reason::TtlExpired => Some(IcmpKind::TimeExceeded),
            Reason::RuleReject(_, RejectWith::Icmp(code)) => Some(IcmpKind::Unreachable(*code)),
            _ => None,
        }
    }

    fn forwards(&self, skb: &Skb) -> bool {
        let place = self.net.place(skb.ns);
        place.zip(skb.iif).is_some_and(|(place, iif)| place.conf(iif).forwarding)
    }
}
