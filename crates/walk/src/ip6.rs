//! IPv6: sending, receiving, forwarding, delivering.

use std::net::IpAddr;

use model::{AddressFlags, Hook, LinkId, LinkKind};

use crate::br_netfilter::prerouted;
use crate::indexed::Place;
use crate::ip::no_flowtable;
use crate::nd::solicited_node;
use crate::route::{Flow, Found, NotFound};
use crate::route6::{MIN_MTU, is_link_local, is_scoped};
use crate::skb::{Next, Skb, Stop};
use crate::walker::Walker;
use crate::{Action, IcmpKind, Payload, Reason, Sink, Stage, Unknown};

/// Bytes of an IPv6 header.
pub(crate) const HEADER: u32 = 40;

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `ip6_append_data` and `ip6_send_skb`: a process of this namespace sends.
    pub(crate) fn socket6(&mut self, skb: &mut Skb) -> Result<Next<'a>, Stop> {
        modelled(skb.packet.dst)?;
        let place = self.place(skb.ns, Stage::Socket)?;
        let found = self.route_output6(skb, skb.asked_tos.unwrap_or(skb.packet.tos))?;
        let out = place.way_out6(&found);
        let link = self.link(skb.link(out), Stage::Route)?;
        let mtu = if found.is_local() { link.mtu } else { place.way_mtu6(skb, &found, link) };
        // Its sender makes fragments of it, or is told at once.
        if skb.packet.df && skb.packet.len > mtu {
            let reason = Reason::TooBig { mtu, told: true };
            return Err(Stop::lost(Stage::Route, skb.ns, Some(skb.link(out)), reason));
        }
        skb.sends_by(found.route, mtu);
        self.local_out6(skb, found)
    }

    /// `ip6_local_out`: OUTPUT, and routed anew where a rule changed what routes are found by.
    pub(crate) fn local_out6(&mut self, skb: &mut Skb, found: Found<'a>) -> Result<Next<'a>, Stop> {
        let place = self.place(skb.ns, Stage::Route)?;
        let out = place.way_out6(&found);
        let again = |w: &mut Self, skb: &mut Skb| {
            skb.oif = bound_anew(skb, out);
            w.route_output6(skb, skb.packet.tos)
        };
        self.by_vrf(skb, place, out)?;
        let found = self.route_anew(skb, again)?.unwrap_or(found);
        self.hook(skb, Hook::Output, None, Some(place.way_out6(&found)))?;
        let found = self.route_anew(skb, again)?.unwrap_or(found);
        self.output6(skb, &found)
    }

    /// `ip6_dst_lookup_tail`: the route, and by it the source; where there is no route without a
    /// source, the source and by it the route.
    pub(crate) fn route_output6(&mut self, skb: &mut Skb, tos: u8) -> Result<Found<'a>, Stop> {
        let place = self.place(skb.ns, Stage::Route)?;
        let ns = skb.ns;
        let oif = skb.oif.or(skb.vrf);
        // RT6_LOOKUP_F_IFACE (`ip6_route_output_flags`).
        let open = oif.is_some() && skb.packet.src.is_unspecified();
        let bound = open || skb.of_process && skb.oif.is_some();
        let flow = Flow { oif, bound, tos, ..Flow::of(&skb.packet, skb.mark, None) };
        let mut found = place.output6(&flow);
        if let Ok(several) = found {
            found = Ok(self.one_way6(skb, several, &flow)?);
        }
        let mut source = None;
        let undecided = matches!(found, Err(NotFound::Unknown(_)));
        if let (IpAddr::V6(dst), true) = (flow.dst, flow.src.is_unspecified() && !undecided) {
            source = place.source6(found.as_ref().ok(), dst).map(IpAddr::V6);
            let Some(src) = source else {
                return Err(Stop::lost(Stage::Route, ns, None, Reason::NoSource));
            };
            skb.packet.src = src;
            if found.is_err() {
                found = place.output6(&Flow { src, ..flow });
            }
        }
        let found = found.map_err(|e| e.refusal(place, flow.dst).stop(Stage::Route, ns, None))?;
        let found = self.one_way6(skb, found, &flow)?;
        self.tell_route(skb, &found, source);
        Ok(found)
    }

    /// `fib6_select_path`: of a multipath route, one way out.
    pub(crate) fn one_way6(
        &self,
        skb: &Skb,
        found: Found<'a>,
        flow: &Flow,
    ) -> Result<Found<'a>, Stop> {
        self.select(skb, found, |place, found| place.choices6(found, flow))
    }

    /// `ip6_output`: POSTROUTING, fragments, the neighbour, the link.
    pub(crate) fn output6(&mut self, skb: &mut Skb, found: &Found<'a>) -> Result<Next<'a>, Stop> {
        let place = self.place(skb.ns, Stage::Route)?;
        let index = place.way_out6(found);
        let link = place.spot(index, Stage::Transmit)?;
        let out = link.id;
        if !place.speaks6(found.hop.link) {
            return Err(Stop::lost(Stage::Transmit, skb.ns, Some(out), Reason::Ipv6Disabled));
        }
        skb.routed = true;
        // Of a packet that came in, the hook is told by which link.
        let mtu = if found.is_local() { link.mtu } else { place.way_mtu6(skb, found, link) };
        skb.way_mtu = Some(mtu);
        self.hook(skb, Hook::Postrouting, skb.iif.or(skb.sent_by), Some(index))?;
        // There is no such flag on the wire: its sender will not have it broken up, nor does a router
        // break up what is not in pieces already (`ip6_fragment`).
        let whole = std::mem::take(&mut skb.packet.df) || skb.iif.is_some();
        if skb.wire_len() > mtu {
            if whole {
                let reason = Reason::TooBig { mtu, told: true };
                return Err(Stop::lost(Stage::Transmit, skb.ns, Some(out), reason));
            }
            skb.fragment = Some(HEADER + mtu.saturating_sub(HEADER) / 8 * 8);
        }
        if let LinkKind::Loopback | LinkKind::Vrf(_) = link.kind {
            (skb.packet.src_mac, skb.packet.dst_mac) = (link.mac, link.mac);
            return Ok(Next::Transmit(link));
        }
        if skb.packet.dst.is_multicast() {
            self.loop_back(skb, place, found)?;
            if group_scope(skb.packet.dst) <= HERE {
                let reason = Reason::HostGroup(skb.packet.dst);
                return Err(Stop::lost(Stage::Transmit, skb.ns, Some(out), reason));
            }
        }
        let hop = found.gateway().unwrap_or(skb.packet.dst);
        self.address(skb, place, link, hop)?;
        Ok(Next::Transmit(link))
    }

    /// `ip6_rcv_core`, PREROUTING, and where it is to go.
    pub(crate) fn up6(&mut self, skb: &mut Skb, id: LinkId) -> Result<Next<'a>, Stop> {
        self.modelled(skb, Stage::Receive)?;
        let place = self.place(skb.ns, Stage::Receive)?;
        let link = self.link(id, Stage::Receive)?;
        let lost = |reason| Err(Stop::lost(Stage::Receive, id.ns, Some(id), reason));
        if !place.speaks6(id.index) {
            return lost(Reason::Ipv6Disabled);
        }
        let (src, dst) = (skb.packet.src, skb.packet.dst);
        let own = matches!(link.kind, LinkKind::Loopback | LinkKind::Vrf(_));
        if src.is_multicast() || !own && (src.is_loopback() || dst.is_loopback()) {
            return lost(Reason::Martian);
        }
        // RFC 4291, 2.7: what is for a group of this host alone, or of nobody, comes from nowhere.
        if dst.is_multicast() && (group_scope(dst) == 0 || !own && group_scope(dst) <= HERE) {
            return lost(Reason::Martian);
        }
        let group = skb.packet.is_to_group();
        if group && !dst.is_multicast() && place.conf6(id.index).drop_unicast_in_l2_multicast {
            return lost(Reason::OneHostToMany);
        }
        skb.iif = Some(id.index);
        let vrf = place.vrf_of(id.index);
        // `ip_sabotage_in` lets those of a VRF pass again.
        if !prerouted(skb, place) || vrf.is_some() {
            self.hook(skb, Hook::Prerouting, Some(id.index), None)?;
        }
        let id = match vrf {
            Some(vrf) => self.enter_vrf6(skb, id, vrf)?,
            None => id,
        };
        if std::mem::take(&mut skb.looped) && skb.packet.dst == dst {
            return self.local6(skb, id);
        }
        if skb.packet.dst.is_multicast() {
            return self.group6(skb, id);
        }
        self.route_in6(skb, id)
    }

    /// `ip6_mc_input`: groups that this link listens to.
    pub(crate) fn group6(&mut self, skb: &mut Skb, id: LinkId) -> Result<Next<'a>, Stop> {
        let place = self.place(skb.ns, Stage::Receive)?;
        let (link, group) = (skb.member.unwrap_or(id.index), skb.packet.dst);
        if place.listens6(link, group) {
            skb.to_many = !skb.is_discovery();
            skb.spare = false;
            return self.local6(skb, id);
        }
        if !skb.is_discovery() && !place.ns.groups.iter().any(|(_, group)| group.is_ipv6()) {
            let what = "the groups of IPv6 that its links are in".to_owned();
            return Err(Stop::unknown(Stage::Receive, Unknown::Gap { ns: skb.ns, what }));
        }
        if skb.spare || skb.is_discovery() {
            return Err(Stop::ignored(Stage::Receive));
        }
        Err(Stop::lost(Stage::Receive, skb.ns, Some(id), Reason::NotMember(group)))
    }

    /// `ip6_route_input`.
    fn route_in6(&mut self, skb: &mut Skb, id: LinkId) -> Result<Next<'a>, Stop> {
        let place = self.place(skb.ns, Stage::Route)?;
        // Of a VRF, what is for an address of the member that it came by alone, by that.
        let by = skb.member.filter(|_| is_scoped(skb.packet.dst)).unwrap_or(id.index);
        let flow = Flow::of(&skb.packet, skb.mark, Some(by));
        let refused = |e: NotFound<'_>| {
            let link = Some(id);
            e.refusal(place, flow.dst).stop(Stage::Route, id.ns, link)
        };
        let found = place.input6(&flow, by).map_err(refused)?;
        let found = self.one_way6(skb, found, &flow)?;
        self.tell_route(skb, &found, None);
        match found.is_local() {
            true => self.local6(skb, id),
            false => self.forward6(skb, id, &found),
        }
    }

    /// `ip6_input`.
    fn local6(&mut self, skb: &mut Skb, id: LinkId) -> Result<Next<'a>, Stop> {
        skb.fragment = None;
        self.hook(skb, Hook::Input, Some(id.index), None)?;
        if skb.is_discovery() {
            return self.nd_in(skb, id);
        }
        if let Some(next) = self.vxlan_in(skb, id)? {
            return Ok(next);
        }
        if let Some(next) = self.wireguard_in(skb, id)? {
            return Ok(next);
        }
        self.to_socket(skb)?;
        Ok(self.arrive(skb))
    }

    /// `ip6_forward`.
    fn forward6(
        &mut self,
        skb: &mut Skb,
        from: LinkId,
        found: &Found<'a>,
    ) -> Result<Next<'a>, Stop> {
        let place = self.place(skb.ns, Stage::Forward)?;
        let to = skb.link(found.hop.link);
        let lost = |link, reason| Err(Stop::lost(Stage::Forward, from.ns, Some(link), reason));
        // IP6CB's iif: of a VRF, the member that it came by.
        let came = skb.link(skb.member.unwrap_or(from.index));
        let conf = place.conf6(came.index);
        if !place.ns.sysctls.ipv6_forwarding && !conf.force_forwarding {
            return lost(from, Reason::ForwardingOff);
        }
        if !skb.ours {
            let mac = skb.packet.dst_mac.unwrap_or_default();
            return lost(from, Reason::NotOurMac(mac));
        }
        if skb.packet.ttl <= 1 {
            return lost(from, Reason::TtlExpired);
        }
        if place.ns.sysctls.ipv6_proxy_ndp
            && place.proxies_for(from.index, skb.packet.dst)
            && skb.is_discovery()
        {
            return self.local6(skb, from);
        }
        let redirects = came.index == to.index || skb.led_by_bridge;
        if let Some(reason) = out_of_its_scope(skb.packet.src).filter(|_| !redirects) {
            return lost(from, reason);
        }
        let redirect = redirects.then(|| self.redirect6(skb, came, found)).flatten();
        self.redirecting(redirect, |walker| walker.forward_on6(skb, from, to, found))
    }

    /// The rest of `ip6_forward`.
    fn forward_on6(
        &mut self,
        skb: &mut Skb,
        from: LinkId,
        to: LinkId,
        found: &Found<'a>,
    ) -> Result<Next<'a>, Stop> {
        let place = self.place(skb.ns, Stage::Forward)?;
        let link = self.link(to, Stage::Forward)?;
        let lost = |link, reason| Err(Stop::lost(Stage::Forward, from.ns, Some(link), reason));
        // `ip6_dst_mtu_maybe_forward`: what the route says counts behind the hooks (`ip6_fragment`).
        let mtu = place.link_mtu6(link).max(MIN_MTU);
        if skb.wire_len() > mtu {
            return lost(to, Reason::TooBig { mtu, told: true });
        }
        let ttl = skb.packet.ttl;
        skb.packet.ttl -= 1;
        self.tell(skb, Stage::Forward, || Action::Forwarded { from, to, ttl });
        no_flowtable(place)?;
        skb.way_mtu = Some(place.way_mtu6(skb, found, link));
        self.hook(skb, Hook::Forward, Some(from.index), Some(to.index))?;
        self.output6(skb, found)
    }
}

impl Place<'_> {
    /// The link carries IPv6: it is large enough, and nobody has switched it off.
    pub(crate) fn speaks6(&self, link: u32) -> bool {
        let large = self.ns.links.get(&link).is_none_or(|l| l.mtu >= MIN_MTU);
        large && !self.conf6(link).disable_ipv6
    }

    /// `ipv6_chk_mcast_addr`: groups that the link is in, and those of solicited nodes of its own
    /// addresses.
    pub(crate) fn listens6(&self, link: u32, group: IpAddr) -> bool {
        let of = |ip| matches!(ip, IpAddr::V6(ip) if IpAddr::V6(solicited_node(ip)) == group);
        let failed = AddressFlags::DADFAILED;
        let mut own = self.ns.addresses_of(link).filter(|a| !a.flags.contains(failed));
        let mut local = self.routes6(self.local_table(link)).iter();
        let anycast = |dst: IpAddr| self.anycast(dst, link);
        self.is_member(link, group)
            || own.any(|a| of(a.ip()))
            || local.any(|r| of(r.dst.addr()) && anycast(r.dst.addr()))
            || self.proxied(link).any(of)
    }

    /// The link by which a packet is answered that came by `iif`: the kernel's own echo replies
    /// prefer the way back, others only where the address says something only with its link.
    pub(crate) fn answers_by(&self, skb: &Skb) -> Option<u32> {
        let echo = matches!(skb.packet.payload, Payload::Icmp { kind: IcmpKind::EchoRequest, .. });
        let iif = skb.iif.filter(|iif| *iif != self.loopback());
        // `icmp6_iif`: in a VRF, the link that has the address.
        let owner = || self.owner(skb.packet.dst);
        let iif =
            iif.and_then(|iif| if self.vrf_table(iif).is_some() { owner() } else { Some(iif) });
        iif.filter(|_| skb.packet.is_ipv6() && (echo || is_scoped(skb.packet.src)))
    }
}

/// `ip6_route_me_harder`: the link to which the way is bound that is looked for anew. What the kernel
/// itself sends is not bound to the one by which it was to go; what has an address that says
/// something only with its link stays there.
pub(crate) fn bound_anew(skb: &Skb, out: u32) -> Option<u32> {
    let dst = skb.packet.dst;
    let scoped = || Some(out).filter(|_| is_scoped(dst) && !dst.is_loopback());
    skb.oif.filter(|_| skb.of_process).or_else(scoped)
}

/// Why a source may not come this far.
fn out_of_its_scope(src: IpAddr) -> Option<Reason> {
    match src {
        IpAddr::V6(ip) if is_link_local(ip) => Some(Reason::BeyondScope),
        ip if ip.is_unspecified() || ip.is_multicast() || ip.is_loopback() => Some(Reason::Martian),
        _ => None,
    }
}

/// Groups of this scope go no further than their sender (`IPV6_ADDR_SCOPE_NODELOCAL`).
const HERE: u8 = 1;

/// How far packets to a group go.
const fn group_scope(group: IpAddr) -> u8 {
    match group {
        IpAddr::V6(group) => group.octets()[1] & 0xf,
        IpAddr::V4(_) => 0xf,
    }
}

/// Addresses that the walk does not model.
fn modelled(dst: IpAddr) -> Result<(), Stop> {
    let what = match dst {
        IpAddr::V6(ip) if ip.is_unspecified() => "stands for this host itself",
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => "stands for an IPv4 address",
        _ => return Ok(()),
    };
    Err(Stop::unknown(Stage::Route, Unknown::Packet(format!("{dst} {what}"))))
}
