//! `fib_validate_source` and the classes of address that never come in.

use std::net::IpAddr;

use model::{InetConf, LinkId, NsId, Opaque, Route, RouteKind};

use crate::group::{Cast, cast, is_link_local_group};
use crate::indexed::Place;
use crate::ip::is_broadcast;
use crate::route::{Flow, Found, NotFound, subnet};
use crate::skb::Stop;
use crate::{Reason, Stage, Unknown};

/// The source passes: by which setting, and by which route back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Valid<'a> {
    pub(crate) rp_filter: u8,
    pub(crate) route: Option<&'a Route>,
    /// The way back leads to it without a router (RT_SCOPE_HOST).
    pub(crate) near: bool,
}

impl<'a> Valid<'a> {
    const fn by(rp_filter: u8) -> Self {
        Self { rp_filter, route: None, near: false }
    }

    /// `fib_check_nh`: a next hop without a gateway, or with one that is this host itself.
    fn found(rp_filter: u8, found: &Found<'a>) -> Self {
        Self { rp_filter, route: Some(found.route), near: found.gateway().is_none() }
    }
}

/// Why a packet that came in is not routed.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    Lost(Box<Reason>),
    Unknown(Box<Unknown>),
}

/// Where a packet that came in is to go, and how its source was validated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    pub(crate) found: Found<'a>,
    pub(crate) valid: Valid<'a>,
}

impl Refusal {
    /// As the end of a packet in `ns` (that came in by `link`).
    pub(crate) fn stop(self, stage: Stage, ns: NsId, link: Option<LinkId>) -> Stop {
        match self {
            Self::Lost(reason) => Stop::lost(stage, ns, link, *reason),
            Self::Unknown(unknown) => Stop::unknown(stage, *unknown),
        }
    }
}

impl<'a> Place<'a> {
    /// `ip_route_input_slow`, in its order; of several ways out of a route, by the first.
    pub(crate) fn route_input(&'a self, flow: &Flow, iif: u32) -> Result<Input<'a>, Refusal> {
        self.route_input_by(flow, iif, Ok, |refusal| refusal)
    }

    /// The same, by the way out that is chosen. `refused`: what comes of a packet that is not taken.
    pub(crate) fn route_input_by<E>(
        &'a self,
        flow: &Flow,
        iif: u32,
        choose: impl FnOnce(Found<'a>) -> Result<Found<'a>, E>,
        refused: impl Fn(Refusal) -> E,
    ) -> Result<Input<'a>, E> {
        let conf = self.conf(iif);
        if let Some(cast) = cast(flow.dst) {
            return self.input_to_many(flow, iif, cast, conf).map_err(refused);
        }
        let found = self.look_in(flow, conf).map_err(&refused)?;
        let here = matches!(found.route.kind, RouteKind::Local | RouteKind::Broadcast);
        let found = if here { found } else { choose(found)? };
        let oif = (!here).then_some(found.hop.link);
        let valid = self.validate_source(flow, iif, oif, conf).map_err(refused)?;
        Ok(Input { found, valid })
    }

    /// Where it is to go, if it may come in.
    #[inline]
    fn look_in(&'a self, flow: &Flow, conf: InetConf) -> Result<Found<'a>, Refusal> {
        class(flow, conf)?;
        let found = self.lookup(flow).map_err(|e| e.refusal(self, flow.dst))?;
        let here = matches!(found.route.kind, RouteKind::Local | RouteKind::Broadcast);
        match here || conf.forwarding {
            true => Ok(found),
            false => Err(Refusal::Lost(Box::new(Reason::ForwardingOff))),
        }
    }

    /// `ip_route_input_mc`, and `ip_route_input_slow` of 255.255.255.255.
    fn input_to_many(
        &'a self,
        flow: &Flow,
        iif: u32,
        cast: Cast,
        conf: InetConf,
    ) -> Result<Input<'a>, Refusal> {
        let lost = |reason| Refusal::Lost(Box::new(reason));
        let nothing = || lost(Reason::NoRoute(flow.dst));
        let master = self.vrf_of(iif);
        let member = |link| self.is_member(link, flow.dst);
        if cast == Cast::Multicast && !member(iif) && !master.is_some_and(member) {
            return Err(lost(Reason::NotMember(flow.dst)));
        }
        if flow.src.is_multicast() || is_broadcast(flow.src) {
            return Err(lost(Reason::Martian));
        }
        let found = self.made_up(iif, cast).ok_or_else(nothing)?;
        if flow.src.is_unspecified() {
            let anybody = cast == Cast::Limited || is_link_local_group(flow.dst);
            return match anybody {
                true => Ok(Input { found, valid: Valid::by(0) }),
                false => Err(lost(Reason::NoSource)),
            };
        }
        if cast == Cast::Multicast && flow.src.is_loopback() && !conf.route_localnet {
            return Err(lost(Reason::Martian));
        }
        let valid = self.validate_source(flow, iif, None, conf)?;
        Ok(Input { found, valid })
    }

    fn validate_source(
        &'a self,
        flow: &Flow,
        iif: u32,
        oif: Option<u32>,
        conf: InetConf,
    ) -> Result<Valid<'a>, Refusal> {
        let rp = if self.ns.opaque.contains(&Opaque::Xfrm) { 0 } else { conf.rp_filter };
        if rp == 0 && (oif != Some(iif) || !conf.send_redirects) {
            if conf.accept_local {
                return Ok(Valid::by(rp));
            }
            if !self.custom_local() {
                return match self.owner(flow.src) {
                    Some(_) => Err(Refusal::Lost(Box::new(Reason::OwnSource))),
                    None => Ok(Valid::by(rp)),
                };
            }
        }
        self.validate_fully(flow, iif, rp, oif, conf)
    }

    /// `__fib_validate_source`: looks the way back up.
    fn validate_fully(
        &'a self,
        flow: &Flow,
        iif: u32,
        rp: u8,
        oif: Option<u32>,
        conf: InetConf,
    ) -> Result<Valid<'a>, Refusal> {
        let back = Flow {
            src: flow.dst,
            dst: flow.src,
            mark: if conf.src_valid_mark { flow.mark } else { 0 },
            iif: oif,
            oif: None,
            vrf: self.vrf_of(iif),
            ports: flow.ports.map(|(s, d)| (d, s)),
            ..*flow
        };
        let fails = |route: Option<&Route>| {
            let route = route.map(|r| Box::new(r.clone()));
            Refusal::Lost(Box::new(Reason::ReversePath { rp_filter: rp, route }))
        };
        let last_resort = |route| if rp == 0 { Ok(Valid::by(rp)) } else { Err(fails(route)) };
        let found = match self.lookup(&back) {
            Ok(found) => found,
            Err(NotFound::Unknown(what)) => {
                let unknown = Unknown::Routing { ns: self.ns.id, what };
                return Err(Refusal::Unknown(Box::new(unknown)));
            }
            Err(_) => return last_resort(None),
        };
        match found.route.kind {
            RouteKind::Unicast => {}
            RouteKind::Local if conf.accept_local => {}
            RouteKind::Local => return Err(Refusal::Lost(Box::new(Reason::OwnSource))),
            _ => return Err(Refusal::Lost(Box::new(Reason::Martian))),
        }
        // `fib_info_nh_uses_dev`: any way out, also one that is dead.
        if found.route.nexthops.iter().any(|hop| self.leads_by(hop.link, iif)) {
            return Ok(Valid::found(rp, &found));
        }
        let mut addresses = self.ns.addresses_of(iif);
        if !addresses.any(|a| a.ip().is_ipv4()) {
            return last_resort(Some(found.route));
        }
        if rp == 1 {
            return Err(fails(Some(found.route)));
        }
        // Once more, by that very link: whether it is near.
        let near = oif == Some(iif)
            && self
                .lookup(&Flow { oif: Some(iif), ..back })
                .is_ok_and(|by| by.route.kind == RouteKind::Unicast && by.gateway().is_none());
        Ok(Valid { near, ..Valid::found(rp, &found) })
    }

    /// `__mkroute_input`: a packet that goes out where it came in, from a sender that is near and
    /// could reach the next hop by itself.
    pub(crate) fn is_detour(&self, flow: &Flow, iif: u32, input: &Input<'_>) -> bool {
        let conf = self.conf(iif);
        input.valid.near
            && input.found.hop.link == iif
            && conf.send_redirects
            && (conf.shared_media || self.on_one_subnet(iif, flow.src, input.found.gateway()))
    }

    /// `inet_addr_onlink`: an address of the link has both on its subnet.
    fn on_one_subnet(&self, link: u32, ip: IpAddr, other: Option<IpAddr>) -> bool {
        let other = other.filter(IpAddr::is_ipv4);
        let mut own = self.ns.addresses_of(link);
        own.any(|a| {
            let within = |ip: IpAddr| subnet(a).is_some_and(|net| net.contains(&ip));
            within(ip) && other.is_none_or(within)
        })
    }
}

/// Classes of address that never come in.
fn class(flow: &Flow, conf: InetConf) -> Result<(), Refusal> {
    let martian = || Err(Refusal::Lost(Box::new(Reason::Martian)));
    if flow.src.is_multicast() || is_broadcast(flow.src) {
        return martian();
    }
    if flow.src.is_unspecified() {
        return Err(Refusal::Lost(Box::new(Reason::NoSource)));
    }
    if flow.dst.is_unspecified() {
        return martian();
    }
    if (flow.src.is_loopback() || flow.dst.is_loopback()) && !conf.route_localnet {
        return martian();
    }
    Ok(())
}
