//! ARP: requests and replies as packets of their own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{
    Family, Gap, Hook, Link, LinkFlags, LinkId, LinkKind, Mac, Neighbour, NeighbourState, NsId,
    RouteKind, Scope,
};

use crate::hook::Between;
use crate::links::Spot;
use crate::route::Flow;
use crate::skb::{Arp, End, Next, Skb, Stop};
use crate::validate::Refusal;
use crate::walker::{Answer, Sent, Walker};
use crate::{Action, ArpAnswer, Cause, Disposition, Packet, Payload, Sink, Stage, Unknown, nd};

/// Bytes of an ARP message for IPv4 over Ethernet.
pub(crate) const ARP_LEN: u32 = 28;
/// Parts of a namespace without which it cannot be told whether it answers.
const NEEDED: [&str; 5] = ["links", "addresses", "routes", "rules", "sysctls"];

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A namespace that was read, by this link.
    Here(LinkId),
    /// Somebody beyond this border link.
    Outside(LinkId),
}

/// A request, and what came of it.
pub(crate) struct Asked<S> {
    pub(crate) answer: ArpAnswer,
    /// The request's own way.
    pub(crate) request: (Packet, End, S),
    /// The reply that counts.
    pub(crate) reply: Option<Reply<S>>,
    /// Who asked.
    asker: Asker,
    /// Links where it was heard.
    heard: Vec<LinkId>,
    /// Why it cannot be told whether somebody else would answer.
    pub(crate) doubt: Option<Unknown>,
}

/// A reply on its way.
pub(crate) struct Reply<S> {
    packet: Packet,
    pub(crate) end: End,
    way: S,
    /// The address that came back to the asker, and when.
    came: Option<(Mac, u32)>,
}

impl<S> Asked<S> {
    /// The address that came back to the asker, and when.
    pub(crate) fn came(&self) -> Option<(Mac, u32)> {
        self.reply.as_ref()?.came
    }
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// A request goes its way; whoever it is for sends a reply on another.
    pub(crate) fn exchange(&mut self, request: Skb, first: Next<'a>, asker: Asker) -> Asked<S> {
        let before = (
            std::mem::take(&mut self.answers),
            std::mem::take(&mut self.heard),
            self.doubts.take(),
        );
        let packet = request.packet.clone();
        let target = request.asks_for().unwrap_or(packet.dst);
        let (end, way) = self.aside(request, first);
        let answers = earliest(std::mem::replace(&mut self.answers, before.0));
        let heard = std::mem::replace(&mut self.heard, before.1);
        let mut replies: Vec<_> =
            answers.iter().map(|a| self.reply(&packet, asker, a, None)).collect();
        // The reply that comes first stays: for a second others are not listened to (locktime).
        let came = |i: &usize| replies[*i].as_ref().and_then(|r| r.came).map(|(_, moment)| moment);
        let first = (0..answers.len()).min_by_key(|i| (came(i).is_none(), came(i))).unwrap_or(0);
        let answer = self.judge(asker, target, &answers, first, &heard, &end);
        let reply = match &answer {
            ArpAnswer::Outside { link, known_from: Some((_, entry)) } => {
                let moment = end.skb.moment;
                let outside = |mac| Answer { link: *link, mac, sent: Sent::ByHost, moment };
                let answer = entry.mac.map(outside);
                answer.and_then(|a| self.reply(&packet, asker, &a, Some(&end.skb)))
            }
            ArpAnswer::Link { .. } | ArpAnswer::Several(_) => replies.swap_remove(first),
            _ => None,
        };
        if let ArpAnswer::Link { link, .. } = &answer {
            self.overlay.late.remove(&(*link, packet.src));
        }
        let doubt = std::mem::replace(&mut self.doubts, before.2);
        Asked { answer, request: (packet, end, way), reply, asker, heard, doubt }
    }

    /// The one link where a request came up to a namespace, if there is just one.
    pub(crate) fn only_heard_at(&self, asked: &Asked<S>) -> Option<LinkId> {
        // A bridge hears every broadcast: its ports lead on.
        let is_end = |l: &Link| l.port.is_none() && !matches!(l.kind, LinkKind::Bridge(_));
        let mut ends = asked.heard.iter().filter(|l| self.known_link(**l).is_some_and(is_end));
        ends.next().copied().filter(|_| ends.next().is_none())
    }

    /// An entry of somebody who heard the request too, and asked in vain before.
    pub(crate) fn vain(&self, asked: &Asked<S>, target: IpAddr) -> Option<Neighbour> {
        let asker_too = match asked.asker {
            Asker::Here(link) => Some(link),
            Asker::Outside(_) => None,
        };
        let mut knowing = asked.heard.iter().chain(&asker_too);
        knowing.find_map(|l| self.asked_in_vain(*l, target))
    }

    /// Tells the asking as one step, with the request and the reply as its children.
    pub(crate) fn tell_asked(&mut self, skb: &Skb, link: LinkId, ip: IpAddr, asked: Asked<S>) {
        let answer = asked.answer;
        self.tell(skb, Stage::Neighbour, || Action::ArpAsked { ip, link, answer });
        let (packet, end, way) = asked.request;
        self.sink.child(Cause::ArpRequest, &packet, way, &end.disposition);
        if let Some(reply) = asked.reply {
            self.sink.child(Cause::Answer, &reply.packet, reply.way, &reply.end.disposition);
        }
    }

    /// Who answers, of those that the request came to: `first` is the one whose reply comes first.
    fn judge(
        &self,
        asker: Asker,
        ip: IpAddr,
        answers: &[Answer],
        first: usize,
        heard: &[LinkId],
        request: &End,
    ) -> ArpAnswer {
        if let Some(first) = answers.get(first) {
            if answers.iter().all(|a| a.link.ns == first.link.ns) {
                return ArpAnswer::Link { link: first.link, mac: first.mac };
            }
            let others = answers.iter().filter(|a| a.link != first.link);
            let all = std::iter::once(first).chain(others);
            return ArpAnswer::Several(all.map(|a| (a.link, a.mac)).collect());
        }
        match (asker, &request.disposition) {
            (Asker::Here(out), Disposition::Left(link)) => {
                let known_from = heard.iter().find_map(|l| self.told_by(*l, ip));
                let known_from = known_from.or_else(|| self.told_by(out, ip));
                ArpAnswer::Outside { link: *link, known_from }
            }
            _ => ArpAnswer::Nobody,
        }
    }

    /// What the namespace of a link that heard the request knows of the address.
    fn told_by(&self, link: LinkId, ip: IpAddr) -> Option<(NsId, Neighbour)> {
        let entry = self.known_place(link.ns)?.neighbour(link.index, ip)?;
        (entry.state.is_valid() && entry.mac.is_some()).then(|| (link.ns, entry.clone()))
    }

    /// An entry that says that nobody answered there.
    fn asked_in_vain(&self, link: LinkId, ip: IpAddr) -> Option<Neighbour> {
        let entry = self.known_place(link.ns)?.neighbour(link.index, ip)?;
        let vain = matches!(entry.state, NeighbourState::Failed | NeighbourState::Incomplete);
        vain.then(|| entry.clone())
    }

    /// Sends the reply of one who answers. What comes from `outside` has the tags that the request
    /// left with.
    fn reply(
        &mut self,
        request: &Packet,
        asker: Asker,
        answer: &Answer,
        outside: Option<&Skb>,
    ) -> Option<Reply<S>> {
        let (link, mac) = (answer.link, answer.mac);
        let mut skb = match request.is_ipv6() {
            true => self.advertisement(
                request,
                link,
                mac,
                outside.is_some() || answer.sent != Sent::ByHost,
            )?,
            false => answering(request, link, mac),
        };
        skb.moment = answer.moment;
        let by = self.known_spot(link)?;
        let next = match (outside, request.is_ipv6()) {
            (Some(gone), _) => {
                skb.tags.clone_from(&gone.tags);
                Next::Receive(by)
            }
            // `br_nd_send`: past all hooks.
            (None, true) => match answer.sent {
                Sent::ByHost => Next::Nd(by),
                Sent::ByPort => Next::Transmit(by),
                Sent::Up => Next::Receive(by),
            },
            (None, false) => Next::Arp(by),
        };
        let packet = skb.packet.clone();
        let outer = std::mem::take(&mut self.replied);
        let (end, way) = self.aside(skb, next);
        let replied = std::mem::replace(&mut self.replied, outer);
        let moment = match asker {
            // It may be a copy of it; what is heard by another link teaches this one nothing.
            Asker::Here(link) => replied.iter().find(|(by, _)| *by == link).map(|(_, at)| *at),
            Asker::Outside(_) => {
                matches!(end.disposition, Disposition::Left(_)).then_some(end.skb.moment)
            }
        };
        let came = packet.src_mac.zip(moment);
        Some(Reply { packet, end, way, came })
    }

    /// The request for a next hop of this packet.
    pub(crate) fn request(&self, skb: &Skb, out: LinkId, link: &Link, ip: IpAddr) -> Skb {
        let packet = message(link.mac, self.arp_source(skb, out, ip), ip);
        Skb { arp: Some(Arp::Request), ..Skb::new(out.ns, packet).at(skb.moment) }
    }

    /// `arp_solicit`: which of our addresses the request names, by arp_announce.
    fn arp_source(&self, skb: &Skb, out: LinkId, ip: IpAddr) -> IpAddr {
        let Some(place) = self.known_place(out.ns) else { return skb.packet.src };
        let owner = place.owner(skb.packet.src);
        let own = owner.is_some_and(|link| place.vrf_of(link) == place.vrf_of(out.index));
        let keeps = match place.conf(out.index).arp_announce {
            0 => own,
            1 => {
                let mut addresses = place.ns.addresses_of(out.index);
                own && addresses.any(|a| a.net.contains(&ip) && a.net.contains(&skb.packet.src))
            }
            _ => false,
        };
        if keeps {
            return skb.packet.src;
        }
        let selected = place.select_address(out.index, Some(ip), Scope::Link);
        selected.unwrap_or(Ipv4Addr::UNSPECIFIED.into())
    }

    /// `arp_xmit`.
    pub(crate) fn arp_out(&mut self, skb: &mut Skb, link: Spot<'a>) -> Result<Next<'a>, Stop> {
        let between = Between { iif: None, oif: Some(link.index) };
        self.family_hook(skb, Family::Arp, Hook::Output, between)?;
        Ok(Next::Transmit(link))
    }

    /// `arp_rcv`: a request or reply that came up to this namespace by `link`.
    pub(crate) fn arp_in(&mut self, skb: &mut Skb, id: LinkId, arp: Arp) -> Result<Next<'a>, Stop> {
        let link = self.link(id, Stage::Neighbour)?;
        let ignored = || Err(Stop::ignored(Stage::Neighbour));
        if link.flags.contains(LinkFlags::NOARP) {
            return ignored();
        }
        let between = Between { iif: Some(id.index), oif: None };
        self.family_hook(skb, Family::Arp, Hook::Input, between)?;
        let delivered = Stop::new(Stage::Neighbour, Disposition::Delivered(id.ns));
        skb.iif = Some(id.index);
        match arp {
            Arp::Reply if skb.ours => {
                self.replied.push((id, skb.moment));
                self.hear_of(skb, id, NeighbourState::Reachable);
                Err(delivered)
            }
            Arp::Reply => ignored(),
            Arp::Request => {
                let place = self.place(id.ns, Stage::Neighbour)?;
                if place.owner(skb.packet.dst).is_some() {
                    let usual = |g: &&Gap| g.assumed.is_some() && NEEDED.contains(&g.part.as_str());
                    let gaps = place.ns.gaps.iter().filter(usual).cloned().collect();
                    self.assume(skb, Stage::Neighbour, gaps);
                }
                let answers = self.answers_for(skb, id);
                // Who is asked for an address of its own and says nothing, learns nothing.
                let silent = matches!(answers, Ok(false)) && place.owner(skb.packet.dst).is_some();
                if !matches!(answers, Ok(true)) && !silent {
                    self.hear_of(skb, id, NeighbourState::Stale);
                    if skb.late {
                        self.overlay.overheard.insert((id, skb.packet.src));
                    }
                }
                if !answers? {
                    return ignored();
                }
                let Some(mac) = link.mac else { return ignored() };
                if let Some(asker) = skb.packet.src_mac.filter(|_| !skb.packet.src.is_unspecified())
                {
                    let new = self.known(id, skb.packet.src).is_none_or(|n| n.mac != Some(asker));
                    if skb.late && new {
                        self.overlay.late.insert((id, skb.packet.src));
                    }
                    self.learn_neighbour(id, skb.packet.src, asker, NeighbourState::Stale);
                }
                self.answers.push(Answer { link: id, mac, sent: Sent::ByHost, moment: skb.moment });
                Err(delivered)
            }
        }
    }

    /// The end of `arp_process`: whoever has asked for the sender in vain, learns of it from whatever
    /// it says. (What is known stays: for a second it is not overridden.)
    fn hear_of(&mut self, skb: &Skb, id: LinkId, state: NeighbourState) {
        self.hears_too_late(id, skb.packet.src);
        let asked = self.known(id, skb.packet.src).is_some_and(|entry| !entry.state.is_valid());
        if let Some(mac) = skb.packet.src_mac.filter(|_| asked) {
            self.learn_neighbour(id, skb.packet.src, mac, state);
        }
    }

    /// Who was asked for in vain a moment ago is heard of by what was set off meanwhile: that may come
    /// before the question is given up, and then what waits for the answer goes out after all.
    fn hears_too_late(&mut self, id: LinkId, ip: IpAddr) {
        if self.overlay.given_up.contains(&(id, ip)) {
            let what = format!("{ip} may be heard of before it is given up");
            self.overlay.unforeseeable.get_or_insert(Unknown::Link { link: id, what });
        }
    }

    /// Whether a request is answered by this link: for an address of its namespace, or as proxy.
    fn answers_for(&self, skb: &Skb, id: LinkId) -> Result<bool, Stop> {
        let place = self.place(id.ns, Stage::Neighbour)?;
        let unread = |g: &&Gap| g.assumed.is_none() && NEEDED.contains(&g.part.as_str());
        if let Some(gap) = place.ns.gaps.iter().find(unread) {
            if place.owner(skb.packet.dst).is_some() {
                return Ok(true);
            }
            let what = format!("{}: {}", gap.part, gap.cause);
            return Err(Stop::unknown(Stage::Neighbour, Unknown::Gap { ns: id.ns, what }));
        }
        let conf = place.conf(id.index);
        let (asker, target) = (skb.packet.src, skb.packet.dst);
        let mut flow = Flow::of(&skb.packet, 0, Some(id.index));
        flow.tos = 0;
        if asker.is_unspecified() {
            // A probe for duplicates, or from one whose address is not known.
            let local = place.owner(target).is_some();
            let refuses = self.arp_ignores(id, conf.arp_ignore, asker, target)?;
            return Ok(local && !refuses);
        }
        let input = match place.route_input(&flow, id.index) {
            Ok(input) => input,
            // Not asked, as far as this namespace goes: it has no such address.
            Err(Refusal::Lost(_)) if place.owner(target).is_none() => return Ok(false),
            Err(refusal) => return Err(refusal.stop(Stage::Neighbour, id.ns, Some(id))),
        };
        if input.found.is_local() {
            let refuses = self.arp_ignores(id, conf.arp_ignore, asker, target)?;
            let filtered = conf.arp_filter && {
                let vrf = place.vrf_of(id.index);
                let back = Flow { src: target, dst: asker, iif: None, vrf, ..flow };
                !place.lookup(&back).is_ok_and(|f| f.hop.link == id.index)
            };
            return Ok(!refuses && !filtered);
        }
        let out = input.found.hop.link;
        if input.found.route.kind != RouteKind::Unicast {
            return Ok(false);
        }
        if out == id.index {
            return Ok(conf.proxy_arp_pvlan);
        }
        Ok(conf.proxy_arp || place.proxies_for(id.index, target))
    }

    fn arp_ignores(
        &self,
        id: LinkId,
        level: u8,
        asker: IpAddr,
        target: IpAddr,
    ) -> Result<bool, Stop> {
        let place = self.place(id.ns, Stage::Neighbour)?;
        let mut own = place.ns.addresses_of(id.index).filter(|a| a.ip() == target);
        Ok(match level {
            0 | 4..=7 => false,
            1 => own.next().is_none(),
            2 => !own.any(|a| a.net.contains(&asker)),
            3 => {
                let mut all = place.ns.addresses.iter().filter(|a| a.ip() == target);
                !all.any(|a| a.scope != Scope::Link && a.scope != Scope::Host)
            }
            _ => true,
        })
    }
}

/// Of each link the first answer, the earliest first; of those at one moment, one after the other.
fn earliest(mut answers: Vec<Answer>) -> Vec<Answer> {
    answers.sort_by_key(|answer| answer.moment);
    let mut links = Vec::new();
    answers.retain(|answer| {
        let new = !links.contains(&answer.link);
        links.extend(new.then_some(answer.link));
        new
    });
    for at_once in answers.chunk_by_mut(|a, b| a.moment == b.moment) {
        (0..).zip(at_once).for_each(|(nth, answer)| answer.moment += nth);
    }
    answers
}

/// The reply to a request, from the one who is asked for.
fn answering(request: &Packet, link: LinkId, mac: Mac) -> Skb {
    let packet = Packet {
        src_mac: Some(mac),
        dst_mac: request.src_mac,
        src: request.dst,
        dst: request.src,
        ..request.clone()
    };
    Skb { arp: Some(Arp::Reply), ..Skb::new(link.ns, packet) }
}

/// A question who has this address, from one whose own is not known.
pub(crate) fn probe(ns: NsId, target: IpAddr) -> Skb {
    match target {
        IpAddr::V4(_) => {
            let packet = message(None, Ipv4Addr::UNSPECIFIED.into(), target);
            Skb { arp: Some(Arp::Request), ..Skb::new(ns, packet) }
        }
        IpAddr::V6(target) => Skb::new(ns, nd::ask(None, Ipv6Addr::UNSPECIFIED.into(), target)),
    }
}

/// An ARP request, in the shape of a packet.
pub(crate) fn message(src_mac: Option<Mac>, src: IpAddr, dst: IpAddr) -> Packet {
    Packet {
        src_mac,
        dst_mac: Some(Mac::BROADCAST),
        src,
        dst,
        ttl: 0,
        tos: 0,
        df: false,
        len: ARP_LEN,
        payload: Payload::Other(0),
        mss: None,
    }
}
