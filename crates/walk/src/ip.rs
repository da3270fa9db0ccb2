//! IPv4: sending, receiving, forwarding, delivering.

use std::net::IpAddr;

use model::{Hook, LinkId, LinkKind, Nexthop, Opaque, RouteKind};

use crate::br_netfilter::prerouted;
use crate::group::cast;
use crate::indexed::Place;
use crate::links::Spot;
use crate::route::{Flow, Found, NotFound};
use crate::skb::{Next, Skb, Stop, fragment};
use crate::validate::Refusal;
use crate::walker::Walker;
use crate::{Action, Fork, Payload, Reason, Sink, Stage, Unknown};

/// Parts of a namespace without which nothing can be said about IP there.
const NEEDED: [&str; 5] = ["links", "addresses", "routes", "rules", "sysctls"];

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// A process of this namespace sends.
    pub(crate) fn socket(&mut self, skb: &mut Skb) -> Result<Next<'a>, Stop> {
        self.tell(skb, Stage::Socket, || Action::Originate);
        let place = self.place(skb.ns, Stage::Socket)?;
        self.modelled_in(skb, place, Stage::Socket)?;
        Self::past_cgroup(place)?;
        if skb.packet.is_ipv6() {
            return self.socket6(skb);
        }
        special(skb.packet.dst)?;
        let found = self.route_output(skb)?;
        let out = place.way_out(&found);
        // `ip_append_data`: its sender is told at once, before any rule sees it.
        let link = place.spot(out, Stage::Route)?;
        let mtu = if found.is_local() { link.mtu } else { place.way_mtu(skb, &found, link.mtu) };
        if skb.about.is_some() {
            // `icmp_send`: an error quotes no more than there is room for.
            skb.packet.len = skb.packet.len.min(mtu);
        }
        if skb.packet.df && skb.packet.len > mtu {
            let reason = Reason::TooBig { mtu, told: true };
            return Err(Stop::lost(Stage::Route, skb.ns, Some(skb.link(out)), reason));
        }
        skb.sends_by(found.route, mtu);
        self.local_out(skb, place, &found)
    }

    /// `ip_local_out`: OUTPUT, and routed anew where a rule changed what routes are found by.
    pub(crate) fn local_out(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        found: &Found<'a>,
    ) -> Result<Next<'a>, Stop> {
        self.by_vrf(skb, place, place.way_out(found))?;
        let found = self.route_anew(skb, Self::route_output)?.unwrap_or(*found);
        self.hook_in(skb, place, Hook::Output, None, Some(place.way_out(&found)))?;
        let found = self.route_anew(skb, Self::route_output)?.unwrap_or(found);
        self.output(skb, place, &found)
    }

    /// `ip_route_me_harder`: looks for a route again where a hook changed what it hangs on; with the
    /// mark that the packet had then.
    pub(crate) fn route_anew(
        &mut self,
        skb: &mut Skb,
        look: impl FnOnce(&mut Self, &mut Skb) -> Result<Found<'a>, Stop>,
    ) -> Result<Option<Found<'a>>, Stop> {
        let Some(mark) = skb.anew.take() else { return Ok(None) };
        let now = std::mem::replace(&mut skb.mark, mark);
        let found = look(self, skb)?;
        skb.mark = now;
        Ok(Some(found))
    }

    /// `ip_route_output_key`.
    pub(crate) fn route_output(&mut self, skb: &mut Skb) -> Result<Found<'a>, Stop> {
        let place = self.place(skb.ns, Stage::Route)?;
        let tos = skb.asked_tos.unwrap_or(skb.packet.tos);
        let asked = Flow { tos, ..Flow::of(&skb.packet, skb.mark, None) };
        let flow = place.in_vrf(Flow { oif: skb.oif.or(skb.vrf), ..asked });
        let ns = skb.ns;
        self.bound_link(skb)?;
        let look = |flow: &Flow| {
            let refused = |e: NotFound<'_>| match flow.oif.filter(|_| flow.vrf.is_none()) {
                None => e.refusal(place, flow.dst).stop(Stage::Route, ns, None),
                Some(_) => Stop::unknown(Stage::Route, Unknown::Routing { ns, what: on_link() }),
            };
            place.lookup(flow).map_err(refused)
        };
        self.consider_routes(place, &flow);
        let given = Some(flow.src).filter(|src| !src.is_unspecified());
        if let Some(cast) = cast(flow.dst) {
            let refused = |e: NotFound<'_>| e.refusal(place, flow.dst).stop(Stage::Route, ns, None);
            let by = match given.is_some() || flow.oif.is_some() {
                true => None,
                false => Some(self.one_way(skb, look(&flow)?, None)?),
            };
            let (found, source) = place.output_to_many(&flow, cast, by).map_err(refused)?;
            skb.packet.src = source.unwrap_or(skb.packet.src);
            self.tell_route(skb, &found, source);
            return Ok(found);
        }
        let mut found = self.one_way(skb, look(&flow)?, given)?;
        let mut source = None;
        let asked = !skb.packet.src.is_unspecified();
        if !asked {
            // Where there is none, it is sent all the same: from 0.0.0.0, which nobody takes in.
            source = place.source_for(&found, flow.dst);
            skb.packet.src = source.unwrap_or(skb.packet.src);
            // `ip_route_connect`: once more, now with the source that the first look chose.
            if let (Payload::Tcp { .. }, Some(src)) = (skb.packet.payload, source) {
                found = self.one_way(skb, look(&Flow { src, ..flow })?, Some(src))?;
            }
        }
        self.consider_source(place, &found, asked, source);
        self.tell_route(skb, &found, source);
        // An address of the loopback goes out by no other link unless that link allows it.
        let confined = skb.packet.src.is_loopback() && !found.is_local();
        if confined && !place.conf(found.hop.link).route_localnet {
            let out = skb.link(found.hop.link);
            return Err(Stop::lost(Stage::Route, skb.ns, Some(out), Reason::Martian));
        }
        Ok(found)
    }

    /// `fib_select_path`: of a multipath route, one way out; which of them, a hash decides.
    #[inline(always)]
    pub(crate) fn one_way(
        &self,
        skb: &Skb,
        found: Found<'a>,
        src: Option<IpAddr>,
    ) -> Result<Found<'a>, Stop> {
        self.select(skb, found, |place, found| place.choices(found, src))
    }

    /// One of several next hops, as it was learned to be.
    #[inline(always)]
    pub(crate) fn select(
        &self,
        skb: &Skb,
        found: Found<'a>,
        choices: impl FnOnce(&Place<'a>, &Found<'a>) -> Vec<Nexthop>,
    ) -> Result<Found<'a>, Stop> {
        if !found.several && !self.net.has_learned {
            return Ok(found);
        }
        let place = self.place(skb.ns, Stage::Route)?;
        let found = match found.several {
            true => self.one_of(skb, found, choices(place, &found))?,
            false => found,
        };
        Ok(place.learned(found, skb.packet.dst))
    }

    /// One of these next hops of a route.
    fn one_of(&self, skb: &Skb, found: Found<'a>, all: Vec<Nexthop>) -> Result<Found<'a>, Stop> {
        let mut ways: Vec<Nexthop> = Vec::new();
        for hop in all {
            if !ways.iter().any(|way| (way.link, way.gateway) == (hop.link, hop.gateway)) {
                ways.push(hop);
            }
        }
        let fork = || {
            let route = Box::new(found.route.clone());
            (Fork::Route { ns: skb.ns, route }, "multipath".to_owned())
        };
        let nth = match ways.len() {
            1 => Some(0),
            n => self.overlay.choices.choose(u32::try_from(n).unwrap_or(u32::MAX), fork),
        };
        match nth.and_then(|nth| ways.get(usize::try_from(nth).ok()?)) {
            Some(hop) => Ok(Found { hop: *hop, several: false, ..found }),
            None => {
                let what = format!("multipath route to {}", found.route.dst);
                Err(Stop::unknown(Stage::Route, Unknown::Routing { ns: skb.ns, what }))
            }
        }
    }

    /// The link that a socket is bound to has to be up.
    fn bound_link(&self, skb: &Skb) -> Result<(), Stop> {
        let Some(id) = skb.oif.map(|index| skb.link(index)) else { return Ok(()) };
        match self.link(id, Stage::Route)?.is_up() {
            true => Ok(()),
            false => Err(Stop::lost(Stage::Route, id.ns, Some(id), Reason::LinkDown)),
        }
    }

    pub(crate) fn tell_route(&mut self, skb: &Skb, found: &Found<'_>, source: Option<IpAddr>) {
        self.tell(skb, Stage::Route, || Action::Routed {
            rule: found.rule.cloned(),
            route: Box::new(found.route.clone()),
            gateway: found.gateway(),
            out: skb.link(found.hop.link),
            local: found.is_local(),
            source,
            learned: found.learned.map(|learned| Box::new(*learned)),
        });
    }

    /// `ip_output`: POSTROUTING, fragments, the neighbour, the link.
    pub(crate) fn output(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        found: &Found<'a>,
    ) -> Result<Next<'a>, Stop> {
        let index = place.way_out(found);
        let link = place.spot(index, Stage::Transmit)?;
        // `rt_nexthop`: a gateway of IPv6 is none for MASQUERADE.
        let gateway = found.gateway().filter(|via| via.is_ipv4() == skb.packet.dst.is_ipv4());
        self.masquerade_hop = Some(gateway.unwrap_or(skb.packet.dst));
        self.loop_back(skb, place, found)?;
        skb.routed = true;
        // Of a packet that came in, the hook is told by which link.
        let mtu = if found.is_local() { link.mtu } else { place.way_mtu(skb, found, link.mtu) };
        skb.way_mtu = Some(mtu);
        self.hook_in(skb, place, Hook::Postrouting, skb.iif.or(skb.sent_by), Some(index))?;
        if skb.wire_len() > mtu {
            if skb.packet.df {
                let reason = Reason::TooBig { mtu, told: true };
                // What is sent from here was small enough for the way that it was to take at first.
                let stage = if skb.iif.is_none() { Stage::Transmit } else { Stage::Route };
                return Err(Stop::lost(stage, skb.ns, Some(link.id), reason));
            }
            skb.fragment = Some(fragment(mtu));
        }
        if let LinkKind::Loopback | LinkKind::Vrf(_) = link.kind {
            (skb.packet.src_mac, skb.packet.dst_mac) = (link.mac, link.mac);
            return Ok(Next::Transmit(link));
        }
        let hop = found.gateway().unwrap_or(skb.packet.dst);
        self.address(skb, place, link, hop)?;
        Ok(Next::Transmit(link))
    }

    /// `ip_rcv`, or ARP's receiver: the frame came in by a link that is no port.
    pub(crate) fn up(&mut self, skb: &mut Skb, link: Spot<'a>) -> Result<Next<'a>, Stop> {
        let id = link.id;
        if let Some(arp) = skb.arp {
            return self.arp_in(skb, id, arp);
        }
        let to_group = skb.packet.is_to_group();
        if !skb.ours && !to_group {
            if skb.spare {
                return Err(Stop::ignored(Stage::Receive));
            }
            let mac = skb.packet.dst_mac.unwrap_or_default();
            return Err(Stop::lost(Stage::Receive, id.ns, Some(id), Reason::NotOurMac(mac)));
        }
        let group6 = skb.packet.dst.is_multicast() && !skb.is_discovery();
        skb.spare &= to_group && (!skb.packet.is_ipv6() || group6);
        if skb.packet.is_ipv6() {
            return self.up6(skb, id);
        }
        let place = self.home(link);
        self.modelled_in(skb, place, Stage::Receive)?;
        skb.iif = Some(id.index);
        let dst = skb.packet.dst;
        let vrf = place.vrf_of(id.index);
        // `ip_sabotage_in` lets those of a VRF pass again.
        if !prerouted(skb, place) || vrf.is_some() {
            self.hook_in(skb, place, Hook::Prerouting, Some(id.index), None)?;
        }
        let id = match vrf {
            Some(vrf) => self.enter_vrf(skb, id, vrf)?,
            None => id,
        };
        if std::mem::take(&mut skb.looped) && skb.packet.dst == dst {
            return self.looped(skb, id);
        }
        self.route_in(skb, place, id)
    }

    /// By the loopback, with the route that was found when it was sent (`__mkroute_output`): what is
    /// for a group that the loopback is not in goes to nobody.
    fn looped(&mut self, skb: &mut Skb, id: LinkId) -> Result<Next<'a>, Stop> {
        let dst = skb.packet.dst;
        let (place, group) = (self.place(skb.ns, Stage::Route)?, dst.is_multicast());
        if group && !place.is_member(id.index, dst) {
            return Err(Stop::lost(Stage::Route, skb.ns, Some(id), Reason::NotMember(dst)));
        }
        skb.to_many = group || cast(dst).is_some() || place.broadcasts_to(id.index, dst);
        self.local(skb, id)
    }

    fn route_in(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        id: LinkId,
    ) -> Result<Next<'a>, Stop> {
        // Of a VRF, by the member that it came by (`ip_rcv_finish`).
        let by = skb.member.unwrap_or(id.index);
        let flow = Flow::of(&skb.packet, skb.mark, Some(by));
        self.consider_routes(place, &flow);
        let refused = |e| match e {
            // What somebody else is a member of is nobody's loss.
            Refusal::Lost(reason) if skb.spare && matches!(*reason, Reason::NotMember(_)) => {
                Stop::ignored(Stage::Route)
            }
            e => e.stop(Stage::Route, id.ns, Some(id)),
        };
        let choose = |found| self.one_way(skb, found, None);
        let input = place.route_input_by(&flow, by, choose, refused)?;
        self.tell_route(skb, &input.found, None);
        self.tell(skb, Stage::Route, || Action::SourceValid {
            rp_filter: input.valid.rp_filter,
            route: input.valid.route.map(|r| Box::new(r.clone())),
        });
        skb.to_many = matches!(input.found.route.kind, RouteKind::Broadcast | RouteKind::Multicast);
        let conf = place.conf(by);
        if input.found.route.kind == RouteKind::Broadcast && conf.bc_forwarding {
            let what = "a broadcast that bc_forwarding may send on".to_owned();
            return Err(Stop::unknown(Stage::Route, Unknown::Routing { ns: skb.ns, what }));
        }
        // `ip_rcv_finish_core`
        if !skb.to_many && skb.packet.is_to_group() && conf.drop_unicast_in_l2_multicast {
            return Err(Stop::lost(Stage::Route, skb.ns, Some(id), Reason::OneHostToMany));
        }
        if input.found.is_local() || skb.to_many {
            skb.spare = false;
            return self.local(skb, id);
        }
        let detour = place.is_detour(&flow, by, &input);
        self.forward(skb, place, id, &input.found, detour)
    }

    /// `ip_local_deliver`.
    pub(crate) fn local(&mut self, skb: &mut Skb, id: LinkId) -> Result<Next<'a>, Stop> {
        skb.fragment = None;
        self.hook(skb, Hook::Input, Some(id.index), None)?;
        if let Some(next) = self.vxlan_in(skb, id)? {
            return Ok(next);
        }
        if let Some(next) = self.wireguard_in(skb, id)? {
            return Ok(next);
        }
        self.to_socket(skb)?;
        Ok(self.arrive(skb))
    }

    /// `ip_forward`. `detour`: its sender could have sent it to the next hop itself, and is told so.
    fn forward(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        from: LinkId,
        found: &Found<'a>,
        detour: bool,
    ) -> Result<Next<'a>, Stop> {
        let link = place.spot(found.hop.link, Stage::Forward)?;
        let to = link.id;
        let lost =
            |skb: &Skb, link, reason| Err(Stop::lost(Stage::Forward, skb.ns, Some(link), reason));
        if skb.packet.is_to_group() && !skb.ours {
            let mac = skb.packet.dst_mac.unwrap_or_default();
            return lost(skb, from, Reason::NotOurMac(mac));
        }
        if skb.packet.ttl <= 1 {
            return lost(skb, from, Reason::TtlExpired);
        }
        let mtu = place.way_mtu(skb, found, link.mtu);
        if skb.packet.df && skb.wire_len() > mtu {
            return lost(skb, to, Reason::TooBig { mtu, told: true });
        }
        let ttl = skb.packet.ttl;
        skb.packet.ttl -= 1;
        self.tell(skb, Stage::Forward, || Action::Forwarded { from, to, ttl });
        skb.way_mtu = Some(mtu);
        let redirect = detour.then(|| self.redirect4(skb, to)).flatten();
        self.redirecting(redirect, |walker| walker.forward_on(skb, place, from, found))
    }

    /// The rest of `ip_forward`.
    fn forward_on(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        from: LinkId,
        found: &Found<'a>,
    ) -> Result<Next<'a>, Stop> {
        no_flowtable(place)?;
        self.hook_in(skb, place, Hook::Forward, Some(from.index), Some(found.hop.link))?;
        self.output(skb, place, found)
    }

    /// `cgroup_bpf_run_filter_skb`, of what a process gets.
    #[inline]
    pub(crate) fn to_socket(&self, skb: &Skb) -> Result<(), Stop> {
        match skb.packet.payload {
            Payload::Icmp { .. } => Ok(()),
            _ => Self::past_cgroup(self.place(skb.ns, Stage::Socket)?),
        }
    }

    /// What programs on the cgroup of a process make of its packets is not known.
    fn past_cgroup(place: &Place<'_>) -> Result<(), Stop> {
        let mut opaque = place.ns.opaque.iter();
        let Some(programs) = opaque.find(|what| matches!(what, Opaque::CgroupBpf(_))) else {
            return Ok(());
        };
        let unknown = Unknown::Opaque { ns: place.id, what: programs.clone() };
        Err(Stop::unknown(Stage::Socket, unknown))
    }

    /// What of a namespace is not modelled, or was not read.
    pub(crate) fn modelled(&mut self, skb: &Skb, stage: Stage) -> Result<(), Stop> {
        let place = self.place(skb.ns, stage)?;
        self.modelled_in(skb, place, stage)
    }

    /// The same where the packet's namespace is at hand.
    #[inline]
    pub(crate) fn modelled_in(
        &mut self,
        skb: &Skb,
        place: &Place<'_>,
        stage: Stage,
    ) -> Result<(), Stop> {
        match place.opaque {
            None if !self.net.gaps => Ok(()),
            _ => self.not_modelled(skb, stage),
        }
    }

    fn not_modelled(&mut self, skb: &Skb, stage: Stage) -> Result<(), Stop> {
        let place = self.place(skb.ns, stage)?;
        if let Some(what) = place.opaque {
            let unknown = Unknown::Opaque { ns: place.id, what: what.clone() };
            return Err(Stop::unknown(stage, unknown));
        }
        if place.ns.gap("netfilter").is_some_and(|gap| gap.assumed.is_none()) {
            self.lean_on(skb, stage, &["netfilter"])?;
        }
        self.lean_on(skb, stage, &NEEDED)
    }
}

/// Packets of a connection may pass by the rules altogether.
pub(crate) fn no_flowtable(place: &Place<'_>) -> Result<(), Stop> {
    let Some(name) = place.tables.flowtable else { return Ok(()) };
    let what = Opaque::Flowtable(name.to_owned());
    Err(Stop::unknown(Stage::Forward, Unknown::Opaque { ns: place.id, what }))
}

/// 255.255.255.255.
pub(crate) fn is_broadcast(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
}

/// Addresses that the walk does not model.
fn special(dst: IpAddr) -> Result<(), Stop> {
    if dst.is_unspecified() {
        let what = format!("{dst} is nobody's address");
        return Err(Stop::unknown(Stage::Route, Unknown::Packet(what)));
    }
    Ok(())
}

/// `ip_route_output_key_hash_rcu` then takes the destination to be on the very link.
fn on_link() -> String {
    "no route by the link that the socket is bound to".to_owned()
}
