//! Packets that come in from beyond this host.

use std::net::Ipv4Addr;

use model::{LinkId, Mac};

use crate::skb::{Arp, End, Next, Skb, Stop};
use crate::walker::Walker;
use crate::{Action, ArpAnswer, Cause, Disposition, Packet, Payload, Reason, Sink, Stage};

impl<S: Sink> Walker<'_, '_, S> {
    /// A packet comes in by a border link. To whom its frame is addressed, its sender (or the
    /// router before us) found out by ARP, which is asked first.
    pub(crate) fn enter(&mut self, link: LinkId, mut packet: Packet) -> End {
        let skb = Skb::new(link.ns, packet.clone());
        self.tell(&skb, Stage::Receive, || Action::Entered { link });
        let (target, mac) = match packet.dst_mac {
            Some(mac) => (packet.dst, Some(mac)),
            None => self.asked_from_outside(link, &packet),
        };
        packet.dst_mac = mac;
        let skb = Skb::new(link.ns, packet);
        if mac.is_some() {
            return self.run(skb, Next::Receive(link));
        }
        let reason = Reason::NoNeighbour { ip: target, entry: None, because: None };
        let stop = Stop::lost(Stage::Neighbour, link.ns, Some(link), reason);
        self.tell_end(&skb, &stop);
        End { disposition: stop.disposition, skb }
    }

    /// Who on the segment takes frames for this destination: its owner, else the host whose
    /// border this is, as router.
    fn asked_from_outside(&mut self, link: LinkId, packet: &Packet) -> (Ipv4Addr, Option<Mac>) {
        for target in [Some(packet.dst), self.router(link)].into_iter().flatten() {
            let mac = self.ask_from_outside(link, packet, target);
            if mac.is_some() {
                return (target, mac);
            }
        }
        (packet.dst, None)
    }

    /// The host's own first address on the segment behind this link.
    fn router(&self, link: LinkId) -> Option<Ipv4Addr> {
        let place = self.net.place(link.ns)?;
        let l = self.net.link(link)?;
        let index = l.master.filter(|_| l.port.is_some()).unwrap_or(link.index);
        place.ns.addresses_of(index).find_map(|a| match a.ip() {
            std::net::IpAddr::V4(ip) => Some(ip),
            std::net::IpAddr::V6(_) => None,
        })
    }

    fn ask_from_outside(&mut self, link: LinkId, packet: &Packet, target: Ipv4Addr) -> Option<Mac> {
        let request = Packet {
            dst_mac: Some(Mac::BROADCAST),
            // Who asks is not known: a probe from no address is answered all the same.
            src: Ipv4Addr::UNSPECIFIED,
            dst: target,
            ttl: 0,
            tos: 0,
            df: false,
            len: 28,
            payload: Payload::Other(0),
            ..packet.clone()
        };
        let mut skb = Skb::new(link.ns, request.clone());
        skb.arp = Some(Arp::Request);
        self.answers.clear();
        let (end, way) = self.aside(skb, Next::Receive(link));
        let answers = std::mem::take(&mut self.answers);
        self.heard.clear();
        let best = answers.iter().find(|a| a.owner)?.clone();
        let told = Skb::new(link.ns, packet.clone());
        self.tell(&told, Stage::Neighbour, || Action::ArpAsked {
            ip: target,
            link,
            answer: ArpAnswer::Link { link: best.link, mac: best.mac },
        });
        self.sink.child(Cause::ArpRequest, &request, way, &end.disposition);
        matches!(end.disposition, Disposition::Delivered(_)).then_some(best.mac)
    }
}
