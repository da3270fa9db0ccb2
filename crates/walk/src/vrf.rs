//! VRFs: what comes in and goes out by their members is routed by a table of their own
//! (drivers/net/vrf.c, net/l3mdev).
//!
//! To its members a VRF is what the loopback is to a namespace, and packets pass the hooks twice: by
//! the member's name and by the VRF's. How they are routed goes by the member's settings. A socket on all links of a namespace does not see them at the
//! VRF, but what a namespace sends to itself.

use model::{Hook, Link, LinkId, Opaque, Rule, TABLE_LOCAL};

use crate::group::cast;
use crate::indexed::Place;
use crate::links::Spot;
use crate::route::{Flow, Found, NotFound};
use crate::route6::is_scoped;
use crate::skb::{Next, Skb, Stop};
use crate::walker::Walker;
use crate::{Action, Disposition, Reason, Sink, Stage, Unknown};

impl Place<'_> {
    /// `l3mdev_master_ifindex_rcu`: the VRF that a link is, or is a member of.
    pub(crate) fn vrf_of(&self, link: u32) -> Option<u32> {
        if !self.has_vrfs() {
            return None;
        }
        let is_vrf = |index: &u32| self.vrf_table(*index).is_some();
        Some(link).filter(is_vrf).or_else(|| self.link(link)?.master.filter(is_vrf))
    }

    /// `l3mdev_fib_table_rcu`: the table of that VRF; None: it is none.
    pub(crate) fn vrf_table(&self, vrf: u32) -> Option<u32> {
        self.link(vrf)?.kind.vrf_table()
    }

    /// `l3mdev_update_flow`: a packet is in the VRF of the link that it is to go out by, else in that
    /// of the link that it came by.
    #[inline]
    pub(crate) fn in_vrf(&self, flow: Flow) -> Flow {
        let of = |link: Option<u32>| link.and_then(|link| self.vrf_of(link));
        let vrf = flow.vrf.or_else(|| of(flow.oif.or(flow.iif)));
        let vrf_out = flow.vrf_out || flow.vrf.is_none() && flow.oif.is_some();
        // By the VRF itself is by any of its members.
        let oif = flow.oif.filter(|oif| self.vrf_table(*oif).is_none());
        Flow { vrf, vrf_out, oif, ..flow }
    }

    /// `fib_rule_iif_match` and `fib_rule_oif_match`: since Linux 6.16, a rule by the name of a VRF is
    /// about all in it. None: it is no such rule, or no such kernel.
    pub(crate) fn domain_fits(&self, flow: &Flow, out: bool, name: &str) -> Option<bool> {
        let vrf = self.vrf_called(name)?;
        let domains = self.kernel.is_some_and(|kernel| kernel.is_since(6, 16));
        domains.then_some(flow.vrf == Some(vrf) && flow.vrf_out == out)
    }

    /// The VRF that a rule names on a kernel of which it is not known what it makes of that: from
    /// Linux 5.19 to 6.14 it is a link like any other.
    pub(crate) fn vrf_in_doubt<'r>(&self, rule: &'r Rule) -> Option<&'r str> {
        let known = self.kernel.is_some_and(|kernel| {
            kernel.is_since(6, 16) || kernel.is_since(5, 19) && !kernel.is_since(6, 15)
        });
        let mut names = rule.iif.iter().chain(&rule.oif).map(String::as_str);
        names.find(|name| !known && self.vrf_called(name).is_some())
    }

    fn vrf_called(&self, name: &str) -> Option<u32> {
        if !self.has_vrfs() {
            return None;
        }
        let of = |l: &&Link| l.name == name && l.kind.vrf_table().is_some();
        self.ns.links.values().find(of).map(|l| l.index)
    }

    /// The link by which a packet leaves on this route: to the own addresses by the loopback, which
    /// in a VRF is the VRF (`ip_route_output_key_hash_rcu`).
    pub(crate) fn way_out(&self, found: &Found<'_>) -> u32 {
        match found.is_local() {
            true => self.vrf_of(found.hop.link).unwrap_or_else(|| self.loopback()),
            false => found.hop.link,
        }
    }

    /// The same of IPv6 (`ip6_rt_get_dev_rcu`): addresses of one link alone go by the loopback.
    pub(crate) fn way_out6(&self, found: &Found<'_>) -> u32 {
        let own = |vrf: &u32| *vrf == found.hop.link || !is_scoped(found.route.dst.addr());
        match found.is_local() {
            true => self.vrf_of(found.hop.link).filter(own).unwrap_or_else(|| self.loopback()),
            false => found.hop.link,
        }
    }

    /// The table of a link's own addresses.
    pub(crate) fn local_table(&self, link: u32) -> u32 {
        let vrf = self.vrf_of(link).and_then(|vrf| self.vrf_table(vrf));
        vrf.unwrap_or(TABLE_LOCAL)
    }

    /// `nhc_l3mdev_matches_dev`: a way out by that link, or by a member of that VRF.
    pub(crate) fn leads_by(&self, out: u32, link: u32) -> bool {
        out == link || self.has_vrfs() && self.vrf_of(out) == Some(link)
    }
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `vrf_ip_rcv`: what came in by a member has come in by its VRF, and passes PREROUTING once more.
    pub(crate) fn enter_vrf(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        vrf: u32,
    ) -> Result<LinkId, Stop> {
        let vrf = skb.link(vrf);
        (skb.iif, skb.member) = (Some(vrf.index), Some(id.index));
        if vrf != id && !skb.packet.dst.is_multicast() {
            self.tell(skb, Stage::Receive, || Action::Vrf { link: vrf });
            self.hook(skb, Hook::Prerouting, Some(vrf.index), None)?;
        }
        Ok(vrf)
    }

    /// `vrf_ip6_rcv`: the same of IPv6. Neighbour discovery stays the member's, although PREROUTING is
    /// told of the VRF; what is for addresses of the member alone does not pass again.
    pub(crate) fn enter_vrf6(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        vrf: u32,
    ) -> Result<LinkId, Stop> {
        let vrf = skb.link(vrf);
        if skb.is_discovery() {
            self.hook(skb, Hook::Prerouting, Some(vrf.index), None)?;
            return Ok(id);
        }
        (skb.iif, skb.member) = (Some(vrf.index), Some(id.index));
        if vrf != id {
            self.tell(skb, Stage::Receive, || Action::Vrf { link: vrf });
        }
        if vrf != id && !is_scoped(skb.packet.dst) {
            self.hook(skb, Hook::Prerouting, Some(vrf.index), None)?;
        }
        Ok(vrf)
    }

    /// In which VRF the way of an error is looked for (`icmp_get_route_lookup_dev`): in that of the link
    /// at which the packet is by then.
    pub(crate) fn error_vrf(&self, skb: &Skb, stop: &Stop) -> Option<u32> {
        let leaving = matches!(stop.stage, Stage::Neighbour | Stage::Transmit);
        let out = match &stop.disposition {
            Disposition::Lost(loss) if leaving => loss.link.map(|link| link.index),
            _ => None,
        };
        let place = self.known_place(skb.ns)?;
        out.or(skb.iif).and_then(|link| place.vrf_of(link))
    }

    /// `vrf_ip_out_direct`: what is sent from here by a member leaves by its VRF first, unless it is
    /// for many: through OUTPUT and POSTROUTING, where nothing is tracked yet.
    #[inline]
    pub(crate) fn by_vrf(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        out: u32,
    ) -> Result<(), Stop> {
        if place.has_vrfs() {
            return self.by_its_vrf(skb, place, out);
        }
        skb.vrf = None;
        Ok(())
    }

    fn by_its_vrf(&mut self, skb: &mut Skb, place: &'a Place<'a>, out: u32) -> Result<(), Stop> {
        skb.vrf = place.vrf_of(out);
        let dst = skb.packet.dst;
        let near = dst.is_multicast() || cast(dst).is_some() || is_scoped(dst);
        let Some(vrf) = skb.vrf.filter(|vrf| *vrf != out && !near) else { return Ok(()) };
        let link = self.link(skb.link(vrf), Stage::Transmit)?;
        if !["", "noqueue", "noop"].contains(&link.qdisc.as_str()) {
            let what = Opaque::Vrf(link.name.clone());
            return Err(Stop::unknown(Stage::Transmit, Unknown::Opaque { ns: skb.ns, what }));
        }
        let tracked = skb.ct.is_some() || skb.untracked;
        skb.untracked |= !tracked;
        self.tell(skb, Stage::Route, || Action::Vrf { link: skb.link(vrf) });
        self.hook(skb, Hook::Output, None, Some(vrf))?;
        self.hook(skb, Hook::Postrouting, None, Some(vrf))?;
        skb.untracked &= tracked;
        skb.sent_by = Some(vrf);
        Ok(())
    }

    /// `vrf_process_v4_outbound` and `vrf_process_v6_outbound`: what is routed to the VRF itself is
    /// routed once more in it, and is sent as if made here.
    pub(crate) fn vrf_out(&mut self, skb: &mut Skb, link: Spot<'a>) -> Result<Next<'a>, Stop> {
        let id = link.id;
        let place = self.place(id.ns, Stage::Route)?;
        let (six, mark) = (skb.packet.is_ipv6(), skb.mark);
        let flow = Flow::of(&skb.packet, if six { mark } else { 0 }, None);
        let flow = Flow { vrf: Some(id.index), ports: None, ..flow };
        let refused =
            |e: NotFound<'_>| e.refusal(place, flow.dst).stop(Stage::Transmit, id.ns, Some(id));
        let found = match six {
            true => self.one_way6(skb, place.output6(&flow).map_err(refused)?, &flow)?,
            false => self.one_way(skb, place.lookup(&flow).map_err(refused)?, Some(flow.src))?,
        };
        self.tell_route(skb, &found, None);
        if found.is_local() {
            // A socket on the link does not see it coming in (PACKET_LOOPBACK).
            (skb.looped, skb.ours, skb.kept) = (true, true, None);
            skb.queued();
            return Ok(Next::Up(link));
        }
        (skb.vrf, skb.iif) = (Some(id.index), Some(id.index));
        (skb.packet.src_mac, skb.packet.dst_mac) = (None, None);
        self.hook(skb, Hook::Output, None, Some(found.hop.link))?;
        if six {
            let again = |w: &mut Self, skb: &mut Skb| w.route_output6(skb, skb.packet.tos);
            let found = self.route_anew(skb, again)?.unwrap_or(found);
            return self.output6(skb, &found);
        }
        let found = self.route_anew(skb, Self::route_output)?.unwrap_or(found);
        self.output(skb, place, &found)
    }
}

/// `vrf_tx_error`: a VRF tells nobody of what it finds no route for.
pub(crate) fn is_unrouted_by_vrf(stop: &Stop, reason: &Reason) -> bool {
    let unrouted =
        matches!(reason, Reason::NoRoute(_) | Reason::RouteRefuses(_) | Reason::RoutingRule(_));
    unrouted && matches!(stop.stage, Stage::Transmit)
}
