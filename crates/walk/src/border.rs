//! Packets that come in from beyond this host.

use std::net::IpAddr;

use model::{LinkId, LinkKind, Mac};

use crate::arp::{Asker, probe};
use crate::skb::{End, Next, Skb, Stop};
use crate::tunnel::{Carried, Label};
use crate::walker::Walker;
use crate::{Action, ArpAnswer, Packet, Payload, Reason, Sink, Stage};

impl<S: Sink> Walker<'_, '_, S> {
    /// A packet comes in by a border link. To whom its frame is addressed, its sender (or the
    /// router before us) found out by ARP, which is asked first.
    pub(crate) fn enter(&mut self, link: LinkId, packet: Packet) -> End {
        let mut skb = Skb::new(link.ns, packet).at(self.overlay.begins);
        self.tell(&skb, Stage::Receive, || Action::Entered { link });
        if skb.packet.dst_mac.is_none() {
            match self.asked_from_outside(link, &skb) {
                Ok((mac, moment)) => (skb.packet.dst_mac, skb.moment) = (Some(mac), moment),
                Err(stop) => {
                    self.tell_end(&skb, stop.stage, &stop.disposition);
                    return stop.end(skb);
                }
            }
        }
        self.come_in(skb, link)
    }

    /// An answer comes in by a border link, for a packet that left there. Whoever sends it knows
    /// the packet's Ethernet source; but only an address of that segment is known to be answered
    /// to.
    pub(crate) fn answered(&mut self, link: LinkId, gone: &Skb, answer: Packet) -> End {
        let mut skb = Skb { ns: link.ns, ..reversed(gone, answer) };
        match self.answerable(link, &skb) {
            Ok(moment) => skb.moment = moment,
            Err(stop) => {
                self.tell_end(&skb, stop.stage, &stop.disposition);
                return stop.end(skb);
            }
        }
        self.tell(&skb, Stage::Receive, || Action::Entered { link });
        self.come_in(skb, link)
    }

    fn come_in(&mut self, mut skb: Skb, link: LinkId) -> End {
        let disposition = match self.in_by(link) {
            Ok(next) => self.follow(&mut skb, next),
            Err(stop) => self.stopped(&mut skb, stop),
        };
        End { disposition, skb }
    }

    /// When the sender outside knows whom to send an answer to.
    fn answerable(&mut self, link: LinkId, skb: &Skb) -> Result<u32, Stop> {
        let ip = skb.packet.dst;
        let l = self.spot(link, Stage::Receive)?;
        if matches!(&l.kind, LinkKind::Tap(tap) if tap.layer3) {
            return Ok(skb.moment);
        }
        let probe = Skb { tags: skb.tags.clone(), ..probe(link.ns, ip).at(skb.moment) };
        let asked = self.exchange(probe, Next::Receive(l), Asker::Outside(link));
        let came = asked.came();
        match (asked.answer, asked.doubt) {
            (ArpAnswer::Nobody, Some(unknown)) => Err(Stop::unknown(Stage::Receive, unknown)),
            (ArpAnswer::Nobody, None) => {
                let reason = Reason::NoWayBack { src: ip };
                Err(Stop::lost(Stage::Receive, link.ns, Some(link), reason))
            }
            _ => Ok(came.map_or(skb.moment, |(_, moment)| moment)),
        }
    }

    /// Who on the segment takes frames for this destination: its owner, else the host whose
    /// border this is, as router.
    fn asked_from_outside(&mut self, link: LinkId, skb: &Skb) -> Result<(Mac, u32), Stop> {
        let by = self.spot(link, Stage::Receive)?;
        let mut stop = None;
        for target in
            [Some(skb.packet.dst), self.router(link, skb.packet.dst)].into_iter().flatten()
        {
            let probe = probe(link.ns, target).at(skb.moment);
            let asked = self.exchange(probe, Next::Receive(by), Asker::Outside(link));
            let told = answer(&asked.answer).map(|mac| (mac, skb.moment));
            let (came, doubt) = (asked.came().or(told), asked.doubt.clone());
            let several = match &asked.answer {
                ArpAnswer::Several(owners) => Some(owners.clone()),
                _ => None,
            };
            self.tell_asked(skb, link, target, asked);
            if let Some(owners) = several {
                let reason = Reason::DuplicateAddress { ip: target, owners };
                return Err(Stop::lost(Stage::Neighbour, link.ns, Some(link), reason));
            }
            if let Some(came) = came {
                return Ok(came);
            }
            let reason = Reason::NoNeighbour { ip: target, entry: None, because: None };
            stop.get_or_insert_with(|| match doubt {
                Some(unknown) => Stop::unknown(Stage::Neighbour, unknown),
                None => Stop::lost(Stage::Neighbour, link.ns, Some(link), reason),
            });
        }
        let ip = skb.packet.dst;
        let nobody = Reason::NoNeighbour { ip, entry: None, because: None };
        Err(stop.unwrap_or_else(|| Stop::lost(Stage::Neighbour, link.ns, Some(link), nobody)))
    }

    /// The host's own first address on the segment behind this link.
    fn router(&self, link: LinkId, to: IpAddr) -> Option<IpAddr> {
        let place = self.known_place(link.ns)?;
        let l = self.known_link(link)?;
        let index = l.master.filter(|_| l.port.is_some()).unwrap_or(link.index);
        place.ns.addresses_of(index).map(|a| a.ip()).find(|ip| ip.is_ipv4() == to.is_ipv4())
    }
}

/// Who asked has no address that is known, so that the reply cannot be followed back to it.
fn answer(answer: &ArpAnswer) -> Option<Mac> {
    match answer {
        ArpAnswer::Link { mac, .. } => Some(*mac),
        _ => None,
    }
}

/// What comes back for a packet that has gone: by a tunnel, if that went by one.
fn reversed(gone: &Skb, answer: Packet) -> Skb {
    let macs = (gone.packet.dst_mac, gone.packet.src_mac);
    let Some(carried) = &gone.carried else {
        let (src_mac, dst_mac) = macs;
        let packet = Packet { src_mac, dst_mac, ..answer };
        return Skb { tags: gone.tags.clone(), ..Skb::new(gone.ns, packet).at(gone.moment) };
    };
    let headers = gone.packet.len.saturating_sub(carried.skb.wire_len());
    let label = match carried.label {
        Label::Sealed(seal) => Label::Sealed(seal.reversed()),
        same @ Label::Vni(_) => same,
    };
    let len = match label {
        Label::Sealed(seal) => seal.len(gone.packet.is_ipv6()),
        Label::Vni(_) => None,
    };
    let len = len.unwrap_or(headers + answer.len);
    let payload = match gone.packet.payload {
        // Each end has a port of its own.
        Payload::Udp { sport, dport } if matches!(label, Label::Sealed(_)) => {
            Payload::Udp { sport: dport, dport: sport }
        }
        same => same,
    };
    let packet = Packet {
        src_mac: macs.0,
        dst_mac: macs.1,
        src: gone.packet.dst,
        dst: gone.packet.src,
        ttl: answer.ttl,
        len,
        payload,
        ..gone.packet.clone()
    };
    let within = Carried { skb: reversed(&carried.skb, answer), label };
    let tags = gone.tags.clone();
    Skb { carried: Some(Box::new(within)), tags, ..Skb::new(gone.ns, packet).at(gone.moment) }
}
