//! The next hop's Ethernet address: from the neighbour table, or by ARP.

use std::net::{IpAddr, Ipv4Addr};

use model::{
    Family, Link, LinkFlags, LinkId, LinkKind, Mac, Neighbour, NeighbourState, RouteKind, Scope,
};

use crate::route::Flow;
use crate::skb::{Arp, End, Next, Skb, Stop};
use crate::walker::{Answer, Walker};
use crate::{
    Action, ArpAnswer, Cause, Disposition, Loss, Packet, Payload, Reason, Sink, Stage, Unknown,
};

/// Bytes of an ARP message for IPv4 over Ethernet.
const ARP_LEN: u32 = 28;

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `neigh_resolve_output`: writes the frame's addresses.
    pub(crate) fn resolve(&mut self, skb: &mut Skb, out: LinkId, ip: Ipv4Addr) -> Result<(), Stop> {
        let link = self.link(out, Stage::Neighbour)?;
        skb.packet.src_mac = link.mac;
        if link.kind == LinkKind::Loopback {
            skb.packet.dst_mac = link.mac;
            return Ok(());
        }
        if link.flags.contains(LinkFlags::NOARP)
            || matches!(&link.kind, LinkKind::Tap(t) if t.layer3)
        {
            skb.packet.dst_mac = link.mac;
            return Ok(());
        }
        let known = self.known(out, ip);
        if let Some(entry) = known.filter(|n| n.state.is_valid() && n.mac.is_some()) {
            skb.packet.dst_mac = entry.mac;
            self.tell(skb, Stage::Neighbour, || Action::Neighbour { ip, link: out, entry });
            return Ok(());
        }
        if let Some(gap) = self.place(out.ns, Stage::Neighbour)?.ns.gap("neighbours") {
            let what = format!("neighbours: {}", gap.cause);
            return Err(Stop::unknown(Stage::Neighbour, Unknown::Gap { ns: out.ns, what }));
        }
        self.ask(skb, out, link, ip)
    }

    fn known(&self, link: LinkId, ip: Ipv4Addr) -> Option<Neighbour> {
        let taught = self.overlay.neighbours.get(&(link, ip));
        taught.or_else(|| self.net.place(link.ns)?.neighbour(link.index, ip)).cloned()
    }

    /// Asks by ARP: the request goes its way, and whoever answers sends a reply on its own way.
    fn ask(&mut self, skb: &mut Skb, out: LinkId, link: &Link, ip: Ipv4Addr) -> Result<(), Stop> {
        self.arp_chains(out)?;
        let request = self.request(skb, out, link, ip);
        if let Some(reason) = self.cannot_send(link) {
            return Err(Stop::lost(Stage::Transmit, out.ns, Some(out), reason));
        }
        let (answers, heard) = (std::mem::take(&mut self.answers), std::mem::take(&mut self.heard));
        let sent = request.packet.clone();
        let (end, way) = self.aside(request, Next::Transmit(out));
        let answers = std::mem::replace(&mut self.answers, answers);
        let heard = std::mem::replace(&mut self.heard, heard);
        let answer = self.judge(out, ip, &answers, &heard, &end);
        let (replied, replies) = self.replies(&sent, out, &answer);
        if let Some(mac) = replied {
            skb.packet.dst_mac = Some(mac);
            self.learn_neighbour(out, ip, mac, NeighbourState::Reachable);
        }
        let told = answer.clone();
        self.tell(skb, Stage::Neighbour, || Action::ArpAsked { ip, link: out, answer: told });
        self.sink.child(Cause::ArpRequest, &sent, way, &end.disposition);
        let lost = replies.iter().find_map(|(_, reply, _)| loss(&reply.disposition));
        for (packet, reply, way) in replies {
            self.sink.child(Cause::Answer, &packet, way, &reply.disposition);
        }
        self.verdict(out, ip, answer, replied, lost.or_else(|| loss(&end.disposition)), &end)
    }

    /// What the asking means for the packet that waits for it.
    fn verdict(
        &self,
        out: LinkId,
        ip: Ipv4Addr,
        answer: ArpAnswer,
        replied: Option<Mac>,
        because: Option<Box<Loss>>,
        request: &End,
    ) -> Result<(), Stop> {
        let lost = |reason| Err(Stop::lost(Stage::Neighbour, out.ns, Some(out), reason));
        let entry = self.known(out, ip);
        match answer {
            ArpAnswer::Several(owners) => lost(Reason::DuplicateAddress { ip, owners }),
            ArpAnswer::Link { .. } if replied.is_some() => Ok(()),
            ArpAnswer::Outside { known_from: None, .. } => {
                let failed = entry.as_ref().is_some_and(|e| e.state == NeighbourState::Failed);
                if failed { lost(Reason::NoNeighbour { ip, entry, because }) } else { Ok(()) }
            }
            ArpAnswer::Outside { .. } if replied.is_some() => Ok(()),
            _ => {
                if let Disposition::Unknown(unknown) = &request.disposition {
                    return Err(Stop::unknown(Stage::Neighbour, unknown.clone()));
                }
                lost(Reason::NoNeighbour { ip, entry, because })
            }
        }
    }

    /// Who answers, of those that the request came to.
    fn judge(
        &self,
        out: LinkId,
        ip: Ipv4Addr,
        answers: &[Answer],
        heard: &[LinkId],
        request: &End,
    ) -> ArpAnswer {
        let best = answers.iter().find(|a| a.owner).or(answers.first());
        if let Some(first) = best {
            if answers.iter().all(|a| a.link.ns == first.link.ns) {
                return ArpAnswer::Link { link: first.link, mac: first.mac };
            }
            return ArpAnswer::Several(answers.iter().map(|a| (a.link, a.mac)).collect());
        }
        match self.border(heard, request) {
            Some(link) => {
                let known_from = heard.iter().chain([&out]).find_map(|l| self.told_by(*l, ip));
                ArpAnswer::Outside { link, known_from }
            }
            None => ArpAnswer::Nobody,
        }
    }

    /// The border link by which the request left.
    fn border(&self, heard: &[LinkId], request: &End) -> Option<LinkId> {
        let _ = heard;
        match request.disposition {
            Disposition::Left(link) => Some(link),
            _ => None,
        }
    }

    fn told_by(&self, link: LinkId, ip: Ipv4Addr) -> Option<(model::NsId, Neighbour)> {
        let place = self.net.place(link.ns)?;
        // The neighbour entry of a bridge is the bridge's, whichever port heard the request.
        let l = self.net.link(link)?;
        let index = l.master.filter(|_| l.port.is_some()).unwrap_or(link.index);
        let entry = place.neighbour(index, ip)?;
        (entry.state.is_valid() && entry.mac.is_some()).then(|| (link.ns, entry.clone()))
    }

    /// Sends the replies; the address that came back, and their ways.
    #[allow(clippy::type_complexity, reason = "private, and read where it is used")]
    fn replies(
        &mut self,
        request: &Packet,
        out: LinkId,
        answer: &ArpAnswer,
    ) -> (Option<Mac>, Vec<(Packet, End, S)>) {
        let (link, mac, next) = match answer {
            ArpAnswer::Link { link, mac } => (*link, *mac, Next::Transmit(*link)),
            ArpAnswer::Outside { link, known_from: Some((_, n)) } => {
                let Some(mac) = n.mac else { return (None, Vec::new()) };
                (*link, mac, Next::Receive(*link))
            }
            _ => return (None, Vec::new()),
        };
        let packet = Packet {
            src_mac: Some(mac),
            dst_mac: request.src_mac,
            src: request.dst,
            dst: request.src,
            ..request.clone()
        };
        let mut skb = Skb::new(link.ns, packet.clone());
        skb.arp = Some(Arp::Reply);
        let (end, way) = self.aside(skb, next);
        let came = matches!(end.disposition, Disposition::Delivered(ns) if ns == out.ns);
        (came.then_some(mac), vec![(packet, end, way)])
    }

    fn request(&self, skb: &Skb, out: LinkId, link: &Link, ip: Ipv4Addr) -> Skb {
        let src = self.arp_source(skb, out, ip);
        let packet = Packet {
            src_mac: link.mac,
            dst_mac: Some(Mac::BROADCAST),
            src,
            dst: ip,
            ttl: 0,
            tos: 0,
            df: false,
            len: ARP_LEN,
            payload: Payload::Other(0),
        };
        let mut request = Skb::new(out.ns, packet);
        request.arp = Some(Arp::Request);
        request
    }

    /// `arp_solicit`: which of our addresses the request names, by arp_announce.
    fn arp_source(&self, skb: &Skb, out: LinkId, ip: Ipv4Addr) -> Ipv4Addr {
        let Some(place) = self.net.place(out.ns) else { return skb.packet.src };
        let own = place.owner(skb.packet.src).is_some();
        let keeps = match place.conf(out.index).arp_announce {
            0 => own,
            1 => {
                let mut addresses = place.ns.addresses_of(out.index);
                own && addresses.any(|a| {
                    a.net.contains(&IpAddr::V4(ip)) && a.net.contains(&IpAddr::V4(skb.packet.src))
                })
            }
            _ => false,
        };
        if keeps {
            return skb.packet.src;
        }
        let selected = place.select_address(out.index, Some(ip), Scope::Link);
        selected.unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    /// `arp_rcv`: a request or reply that came up to this namespace by `link`.
    pub(crate) fn arp_in(&mut self, skb: &mut Skb, id: LinkId, arp: Arp) -> Result<Next, Stop> {
        let link = self.link(id, Stage::Neighbour)?;
        let ignored = || Err(Stop::ignored(Stage::Neighbour));
        if link.flags.contains(LinkFlags::NOARP) {
            return ignored();
        }
        self.arp_chains(id)?;
        let delivered =
            Stop { stage: Stage::Neighbour, disposition: Disposition::Delivered(id.ns) };
        match arp {
            Arp::Reply if skb.ours => Err(delivered),
            Arp::Reply => ignored(),
            Arp::Request => {
                let Some(owner) = self.answers_for(skb, id)? else { return ignored() };
                let Some(mac) = link.mac else { return ignored() };
                if let Some(asker) = skb.packet.src_mac.filter(|_| !skb.packet.src.is_unspecified())
                {
                    self.learn_neighbour(id, skb.packet.src, asker, NeighbourState::Stale);
                }
                self.answers.push(Answer { link: id, mac, owner });
                Err(delivered)
            }
        }
    }

    /// Whether a request is answered by this link; true: as owner of the address.
    fn answers_for(&self, skb: &Skb, id: LinkId) -> Result<Option<bool>, Stop> {
        let place = self.place(id.ns, Stage::Neighbour)?;
        let conf = place.conf(id.index);
        let (asker, target) = (skb.packet.src, skb.packet.dst);
        let mut flow = Flow::of(&skb.packet, 0, Some(id.index));
        flow.tos = 0;
        if asker.is_unspecified() {
            // A probe for duplicates, or from one whose address is not known.
            let local = place.owner(target).is_some();
            let refuses = self.arp_ignores(id, conf.arp_ignore, asker, target)?;
            return Ok((local && !refuses).then_some(true));
        }
        let Ok(input) = place.route_input(&flow, id.index) else { return Ok(None) };
        if input.found.is_local() {
            let refuses = self.arp_ignores(id, conf.arp_ignore, asker, target)?;
            let filtered = conf.arp_filter && {
                let back = Flow { src: target, dst: asker, iif: None, ..flow };
                place.lookup(&back).is_ok_and(|f| f.hop.link != id.index)
            };
            return Ok((!refuses && !filtered).then_some(true));
        }
        let out = input.found.hop.link;
        let proxy = input.found.route.kind == RouteKind::Unicast
            && ((conf.proxy_arp && out != id.index)
                || (conf.proxy_arp_pvlan && out == id.index)
                || (out != id.index && place.proxies_for(id.index, target)));
        Ok(proxy.then_some(false))
    }

    fn arp_ignores(
        &self,
        id: LinkId,
        level: u8,
        asker: Ipv4Addr,
        target: Ipv4Addr,
    ) -> Result<bool, Stop> {
        let place = self.place(id.ns, Stage::Neighbour)?;
        let mut own = place.ns.addresses_of(id.index).filter(|a| a.ip() == IpAddr::V4(target));
        Ok(match level {
            0 | 4..=7 => false,
            1 => own.next().is_none(),
            2 => !own.any(|a| a.net.contains(&IpAddr::V4(asker))),
            3 => {
                let mut all = place.ns.addresses.iter().filter(|a| a.ip() == IpAddr::V4(target));
                !all.any(|a| a.scope != Scope::Link && a.scope != Scope::Host)
            }
            _ => true,
        })
    }

    /// Chains of the arp family are not modelled.
    fn arp_chains(&self, link: LinkId) -> Result<(), Stop> {
        let place = self.place(link.ns, Stage::Neighbour)?;
        match place.base_chains(&[Family::Arp]).into_iter().find(|b| b.acts()) {
            Some(base) => {
                let what = format!("arp chain {} {}", base.table.name, base.chain.name);
                let unknown = Unknown::Netfilter { ns: link.ns, what };
                Err(Stop::unknown(Stage::Neighbour, unknown))
            }
            None => Ok(()),
        }
    }

    fn learn_neighbour(&mut self, link: LinkId, ip: Ipv4Addr, mac: Mac, state: NeighbourState) {
        let entry =
            Neighbour { link: link.index, ip: ip.into(), mac: Some(mac), state, proxy: false };
        self.overlay.neighbours.insert((link, ip), entry);
    }
}

fn loss(disposition: &Disposition) -> Option<Box<Loss>> {
    match disposition {
        Disposition::Lost(loss) => Some(Box::new(loss.clone())),
        _ => None,
    }
}
