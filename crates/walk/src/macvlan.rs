//! Macvlans: links with Ethernet addresses of their own on one link below (`drivers/net/macvlan.c`).
//!
//! What one sends goes to its siblings (mode bridge) or out of the link below, never to the
//! namespace of the link below. What comes in by the link below goes to whose address it is for;
//! what is for a group goes to all of them, and to the link below as well.

use std::cmp::Reverse;

use std::net::IpAddr;

use model::{Link, LinkFlags, LinkId, LinkKind, Mac, Macvlan, MacvlanMode, Relation};

use crate::bridge::rank;
use crate::links::Spot;
use crate::skb::{End, Next, Skb, Stop};
use crate::walker::Walker;
use crate::{Action, Cause, Disposition, Sink, Stage, Unknown};

/// One of the macvlans on a link that takes frames: it is up (`macvlan_hash_add`).
#[derive(Clone, Copy)]
struct Upper<'a> {
    id: LinkId,
    link: Spot<'a>,
    macvlan: &'a Macvlan,
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `macvlan_queue_xmit`: to siblings, and out of the link below.
    pub(crate) fn macvlan_out(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        link: &Link,
        macvlan: &Macvlan,
    ) -> Result<Next<'a>, Stop> {
        let lower = self.lower(id, link)?;
        let world = self.out_by(lower)?;
        if macvlan.mode != MacvlanMode::Bridge {
            return Ok(world);
        }
        let group = skb.packet.is_to_group();
        let bridges = |u: &Upper<'_>| u.macvlan.mode == MacvlanMode::Bridge && u.id != id;
        let siblings = self.macvlans(lower).into_iter().filter(bridges);
        if group {
            let siblings: Vec<_> = siblings.filter(|u| self.is_subscribed(u, skb)).collect();
            let siblings = siblings.into_iter();
            let mut copies: Vec<(LinkId, Skb, Next<'a>)> =
                siblings.map(|u| (u.id, skb.clone(), Next::Forward(u.link))).collect();
            copies.push((lower, skb.clone(), world));
            return self.split(skb, Stage::Transmit, lower, copies);
        }
        let mut siblings = siblings.filter(|u| u.link.mac == skb.packet.dst_mac);
        let Some(sibling) = siblings.next() else { return Ok(world) };
        self.tell(skb, Stage::Transmit, || Action::Sibling { lower, sibling: sibling.id });
        // By the link below, for whoever watches there (`dev_forward_skb`).
        self.given_to(lower)
    }

    /// `macvlan_handle_frame`: which macvlan takes a frame that comes in by the link below; None:
    /// the link below keeps it.
    pub(crate) fn macvlan_in(
        &mut self,
        skb: &mut Skb,
        lower: LinkId,
    ) -> Result<Option<Next<'a>>, Stop> {
        let uppers = self.macvlans(lower);
        let chosen: Vec<Upper<'a>> = uppers.iter().copied().filter(|u| u.listens(skb)).collect();
        let consumed = chosen.iter().any(|u| u.macvlan.nodst);
        let listener = |u: &Upper<'a>| {
            let mut copy = Skb { kept: own(skb.ours), ..skb.clone() };
            copy.queued();
            (u.id, copy, Next::Receive(u.link))
        };
        let mut copies: Vec<(LinkId, Skb, Next<'a>)> = chosen.iter().map(listener).collect();
        if !consumed {
            match self.own_taker(skb, lower, &uppers, &mut copies)? {
                Some(upper) => copies.push(upper),
                None if copies.is_empty() => return Ok(None),
                None => {
                    let below = self.spot(lower, Stage::Receive)?;
                    copies.push((lower, skb.clone(), Next::Up(below)));
                }
            }
        }
        self.split(skb, Stage::Receive, lower, copies).map(Some)
    }

    /// Who gets the frame itself, beside those that listen to its source; copies of what is for a
    /// group are added.
    #[allow(clippy::type_complexity, reason = "a copy, where it goes and how")]
    fn own_taker(
        &self,
        skb: &Skb,
        lower: LinkId,
        uppers: &[Upper<'a>],
        copies: &mut Vec<(LinkId, Skb, Next<'a>)>,
    ) -> Result<Option<(LinkId, Skb, Next<'a>)>, Stop> {
        let to = |u: &Upper<'a>, host| {
            (u.id, Skb { kept: own(host), ..skb.clone() }, Next::Receive(u.link))
        };
        if !skb.packet.is_to_group() {
            let passthru = |u: &&Upper<'_>| u.macvlan.mode == MacvlanMode::Passthru;
            let all = self.macvlans_on(lower);
            let taker = match all.iter().find(passthru) {
                Some(only) => Some(to(only, true)),
                None => uppers
                    .iter()
                    .find(|u| u.link.mac == skb.packet.dst_mac)
                    .and_then(|u| (u.macvlan.mode != MacvlanMode::Source).then(|| to(u, true))),
            };
            return Ok(taker);
        }
        let source = uppers.iter().find(|u| u.link.mac == skb.packet.src_mac);
        let mode = source.map(|u| u.macvlan.mode);
        if let (Some(u), Some(mode)) = (source, mode)
            && !matches!(mode, MacvlanMode::Vepa | MacvlanMode::Bridge)
        {
            return Ok(Some(to(u, false)));
        }
        let hears = |u: &&Upper<'_>| match (mode, u.macvlan.mode) {
            (_, MacvlanMode::Source) => false,
            (None, _) | (_, MacvlanMode::Vepa) => true,
            (Some(MacvlanMode::Vepa), MacvlanMode::Bridge) => true,
            _ => false,
        };
        let others = uppers.iter().filter(|u| Some(u.id) != source.map(|s| s.id)).filter(hears);
        let others = others.filter(|u| self.is_subscribed(u, skb));
        let late = |u: &Upper<'a>| {
            let (id, copy, next) = to(u, false);
            (id, copy.by_worker(), next)
        };
        copies.extend(others.map(late));
        Ok(None)
    }

    /// `mc_filter`: of multicasts a macvlan takes those of groups that its link is in. (The kernel keeps
    /// a hash of 8 bits of each, so that now and then it takes another's, too.)
    fn is_subscribed(&self, upper: &Upper<'_>, skb: &Skb) -> bool {
        let flags = upper.link.flags;
        let all = LinkFlags::PROMISC | LinkFlags::ALLMULTI;
        let group = skb.packet.dst;
        let of_group = group.is_multicast() && skb.arp.is_none();
        if !of_group || upper.link.promiscuous || flags.intersects(all) {
            return true;
        }
        // None at all: they were not read, since every host is in one.
        let alike = |(_, other): &(u32, IpAddr)| other.is_ipv6() == group.is_ipv6();
        let place = self.known_place(upper.id.ns).filter(|p| p.ns.groups.iter().any(alike));
        place.is_none_or(|p| p.hears_group(upper.id.index, skb.packet.dst_mac))
    }

    /// The link that one stands on.
    pub(crate) fn lower(&self, id: LinkId, link: &Link) -> Result<LinkId, Stop> {
        match link.relation {
            Relation::Lower(lower) => Ok(lower),
            Relation::Unresolved(nsid) => {
                let what = format!("the link below is in unknown nsid {nsid}");
                Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }))
            }
            _ => {
                let what = "the link below is not known".to_owned();
                Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }))
            }
        }
    }

    /// The macvlans on a link.
    fn macvlans_on(&self, lower: LinkId) -> Vec<Upper<'a>> {
        let net: &'a crate::Indexed<'a> = self.net;
        let all = net.uppers(lower).iter().filter_map(|id| {
            let link = net.spot(*id)?;
            let LinkKind::Macvlan(macvlan) = &link.link.kind else { return None };
            Some(Upper { id: *id, link, macvlan })
        });
        all.collect()
    }

    /// Two of these are macvlans on one link in one place of its hash: the kernel goes first to what
    /// came up last, and no message tells which that is (`macvlan_hash_add`).
    pub(crate) fn in_no_known_order(&self, links: &[(LinkId, Mac)]) -> bool {
        let place = |(id, _): &(LinkId, Mac)| {
            let link = self.net.spot(*id)?.link;
            let lower = matches!(link.kind, LinkKind::Macvlan(_)).then(|| self.lower(*id, link))?;
            Some((lower.ok()?, bucket(link)))
        };
        let mut places: Vec<_> = links.iter().filter_map(place).collect();
        let all = places.len();
        places.sort_unstable();
        places.dedup();
        places.len() < all
    }

    /// Those that are up, in the order in which the kernel goes through them, as far as that is known.
    fn macvlans(&self, lower: LinkId) -> Vec<Upper<'a>> {
        let mut all = self.macvlans_on(lower);
        all.retain(|u| u.link.is_up());
        all.sort_by_key(|u| (bucket(u.link), Reverse(u.id.index)));
        all
    }

    /// A frame that goes to several of those on a link, or to itself as well.
    pub(crate) fn split(
        &mut self,
        skb: &mut Skb,
        stage: Stage,
        lower: LinkId,
        mut copies: Vec<(LinkId, Skb, Next<'a>)>,
    ) -> Result<Next<'a>, Stop> {
        let uppers: Vec<LinkId> = copies.iter().map(|c| c.0).filter(|id| *id != lower).collect();
        if uppers.is_empty() && copies.len() < 2 {
            let Some((_, copy, next)) = copies.pop() else { return Err(Stop::ignored(stage)) };
            *skb = copy;
            return Ok(next);
        }
        self.split_as(skb, stage, copies, |followed| Action::Stacked { lower, uppers, followed })
    }

    /// A frame that goes several ways at once: the copy that comes furthest is told as its own way.
    pub(crate) fn split_as(
        &mut self,
        skb: &mut Skb,
        stage: Stage,
        mut copies: Vec<(LinkId, Skb, Next<'a>)>,
        action: impl FnOnce(Option<LinkId>) -> Action,
    ) -> Result<Next<'a>, Stop> {
        if copies.len() < 2 {
            let Some((id, copy, next)) = copies.pop() else { return Err(Stop::ignored(stage)) };
            self.tell(skb, stage, || action(Some(id)));
            *skb = copy;
            return Ok(next);
        }
        // The last one is the frame itself: nobody else may want it.
        let group = skb.packet.is_to_group();
        let last = copies.len() - 1;
        // Those that wait in a queue are not the first to teach anything.
        let mut copies: Vec<_> = copies.into_iter().enumerate().collect();
        copies.sort_by_key(|(_, (_, copy, _))| copy.moment);
        let mut ends: Vec<(usize, (LinkId, End, S))> = Vec::new();
        for (i, (id, mut copy, next)) in copies {
            copy.spare |= i != last || group;
            let (end, way) = self.aside(copy, next);
            ends.push((i, (id, end, way)));
        }
        ends.sort_by_key(|(i, _)| *i);
        let ends: Vec<(LinkId, End, S)> = ends.into_iter().map(|(_, end)| end).collect();
        // Of two that come as far, the first of those to many, and otherwise the frame itself.
        let nearer = |i: usize| if group { usize::MAX - i } else { i };
        let best = (0..ends.len()).max_by_key(|i| (rank(&ends[*i].1.disposition), nearer(*i)));
        let best = best.filter(|i| ends[*i].1.disposition != Disposition::Ignored);
        let followed = best.map(|i| ends[i].0);
        self.tell(skb, stage, || action(followed));
        let mut own = None;
        for (i, (id, end, way)) in ends.into_iter().enumerate() {
            if Some(i) == best {
                own = Some((end, way));
            } else {
                self.sink.child(Cause::Copy(id), &skb.packet, way, &end.disposition);
            }
        }
        let Some((end, way)) = own else { return Err(Stop::ignored(stage)) };
        self.sink.go_on(way);
        Err(Stop::told(stage, end))
    }
}

/// What was the link's below is that of the one on it; else its address tells.
fn own(host: bool) -> Option<bool> {
    host.then_some(true)
}

/// `macvlan_eth_hash` on a machine whose numbers begin with their lowest byte.
fn bucket(link: &Link) -> u64 {
    const GOLDEN_RATIO_64: u64 = 0x61c8_8646_80b5_83eb;
    let Mac([a, b, c, d, e, f]) = link.mac.unwrap_or_default();
    u64::from_le_bytes([0, 0, a, b, c, d, e, f]).wrapping_mul(GOLDEN_RATIO_64) >> 56
}

impl Upper<'_> {
    /// It takes frames by whom they are from, and this is from such a one
    /// (`macvlan_forward_source`).
    fn listens(&self, skb: &Skb) -> bool {
        self.macvlan.mode == MacvlanMode::Source
            && skb.packet.src_mac.is_some_and(|mac| self.macvlan.sources.contains(&mac))
    }
}
