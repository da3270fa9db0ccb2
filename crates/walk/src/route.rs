//! Routing: the policy rules, the tables, and what is found there.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{Address, InetConf, LearnedRoute, Nexthop, Route, RouteKind, Rule, RuleAction, Scope};

use crate::explain::Selector;
use crate::fib::{Entry, Fib};
use crate::indexed::Place;
use crate::links;
use crate::question::TTL;
use crate::validate::Refusal;
use crate::{Packet, Payload, Reason, Unknown};

/// What a route is looked up by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) tos: u8,
    pub(crate) mark: u32,
    /// The link that it came in by; None: made here.
    pub(crate) iif: Option<u32>,
    /// It came in, or the way back of such a packet is sought: rules see what it carries only where
    /// one of them makes the kernel look for that ([`Place::dissects`]).
    pub(crate) received: bool,
    /// The link that it is to go out by.
    pub(crate) oif: Option<u32>,
    /// Its socket is bound to that link.
    pub(crate) bound: bool,
    /// The VRF that it is in.
    pub(crate) vrf: Option<u32>,
    /// It is in it by the link that it is to go out by (FLOWI_FLAG_L3MDEV_OIF).
    pub(crate) vrf_out: bool,
    pub(crate) protocol: u8,
    pub(crate) ports: Option<(u16, u16)>,
}

/// What of a packet's type of service is compared with that of a rule or route: without the three
/// bits of its precedence (`fib_dscp_masked_match`).
pub(crate) const TOS_MASK: u8 = 0x1c;

/// Of IPv6, all of it but the two bits of ECN (`ip6_dscp`).
const DSCP_MASK: u8 = 0xfc;

impl Flow {
    pub(crate) fn of(packet: &Packet, mark: u32, iif: Option<u32>) -> Self {
        let ports = match packet.payload {
            Payload::Tcp { sport, dport, .. } | Payload::Udp { sport, dport } => {
                Some((sport, dport))
            }
            _ => None,
        };
        Self {
            src: packet.src,
            dst: packet.dst,
            tos: packet.tos,
            mark,
            iif,
            received: iif.is_some(),
            oif: None,
            bound: false,
            vrf: None,
            vrf_out: false,
            protocol: packet.protocol(),
            ports,
        }
    }
}

/// A route that was found, and the next hop that was chosen of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    /// The rule that named the table; None where there are only the default ones.
    pub(crate) rule: Option<&'a Rule>,
    pub(crate) route: &'a Route,
    /// The first that is alive, until one is chosen.
    pub(crate) hop: Nexthop,
    /// There are others that are alive.
    pub(crate) several: bool,
    /// What was learned of this destination, by which [`Found::hop`] is another already.
    pub(crate) learned: Option<&'a LearnedRoute>,
}

/// Why none was found.
#[derive(Clone, Debug)]
pub(crate) enum NotFound<'a> {
    /// Nothing matches.
    Nothing,
    /// A route refuses.
    Refused(&'a Route),
    /// A rule refuses.
    ByRule(&'a Rule),
    /// It depends on something that is not modelled.
    Unknown(String),
}

impl<'a> Found<'a> {
    pub(crate) fn gateway(&self) -> Option<IpAddr> {
        self.hop.gateway
    }

    pub(crate) fn is_local(&self) -> bool {
        matches!(self.route.kind, RouteKind::Local | RouteKind::Anycast)
    }

    /// The MTU of the way out by this route, given that of its link.
    pub(crate) fn mtu(&self, link_mtu: u32) -> u32 {
        let learned = self.learned.and_then(|learned| learned.mtu);
        learned.unwrap_or_else(|| self.told_mtu(link_mtu))
    }

    /// The same, without what was learned of it.
    pub(crate) fn told_mtu(&self, link_mtu: u32) -> u32 {
        self.route.metrics.mtu.unwrap_or(link_mtu)
    }

    /// `ip_mtu_locked`: nothing is sent by it to find out what fits.
    pub(crate) fn is_mtu_locked(&self) -> bool {
        self.route.metrics.mtu_locked || self.learned.is_some_and(|learned| learned.mtu_locked)
    }
}

impl NotFound<'_> {
    /// As the refusal of a packet to `dst`.
    pub(crate) fn refusal(self, place: &Place<'_>, dst: IpAddr) -> Refusal {
        let lost = |reason| Refusal::Lost(Box::new(reason));
        match self {
            Self::Nothing => lost(Reason::NoRoute(dst)),
            Self::Refused(route) => lost(Reason::RouteRefuses(Box::new(route.clone()))),
            Self::ByRule(rule) => lost(Reason::RoutingRule(Box::new(rule.clone()))),
            Self::Unknown(what) => {
                Refusal::Unknown(Box::new(Unknown::Routing { ns: place.ns.id, what }))
            }
        }
    }
}

impl<'a> Place<'a> {
    /// `ip4_dst_hoplimit`, `ip6_dst_hoplimit`: what the kernel's own packets to there begin with. One
    /// to a group goes no further than its link, whatever else is set (`inet_create`'s mc_ttl,
    /// `inet6_create`'s mcast_hops).
    pub(crate) fn hop_limit(&'a self, flow: &Flow) -> u8 {
        if flow.dst.is_multicast() {
            return 1;
        }
        if flow.dst.is_ipv6() {
            return self.hop_limit6(flow);
        }
        let found = self.limits_hops().then(|| self.lookup(&self.in_vrf(*flow)).ok()).flatten();
        let own = found.and_then(|found| found.route.metrics.hop_limit);
        let usual = Some(self.ns.sysctls.default_ttl).filter(|ttl| *ttl > 0);
        own.or(usual).unwrap_or(TTL)
    }

    /// The route of a packet of either family that is sent here.
    pub(crate) fn way(&'a self, flow: &Flow) -> Result<Found<'a>, NotFound<'a>> {
        if flow.dst.is_ipv6() { self.output6(flow) } else { self.lookup(flow) }
    }

    /// `fib_lookup`: rules by priority, and in each table the longest prefix.
    #[inline]
    pub(crate) fn lookup(&'a self, flow: &Flow) -> Result<Found<'a>, NotFound<'a>> {
        if !self.default_rules {
            return self.lookup_by_rules(flow);
        }
        match self.lookup_in(Some(self.merged()), flow) {
            Some(result) => result,
            None => self.lookup_default(flow),
        }
    }

    fn lookup_by_rules(&'a self, flow: &Flow) -> Result<Found<'a>, NotFound<'a>> {
        let flow = &if self.has_vrfs() { self.in_vrf(*flow) } else { *flow };
        let mut from = 0;
        for rule in &self.rules {
            if rule.priority < from || !self.rule_matches(rule, flow)? {
                continue;
            }
            match rule.action {
                RuleAction::Table(_) | RuleAction::Vrf => {
                    let table = self.table_of(rule, flow);
                    if let Some(found) = table.and_then(|t| self.lookup_by_rule(rule, t, flow)) {
                        return found;
                    }
                }
                // One that leads to no rule does nothing.
                RuleAction::Goto(to) if self.rules.iter().any(|r| r.priority == to) => from = to,
                RuleAction::Goto(_) => {}
                RuleAction::Nop => {}
                RuleAction::Blackhole | RuleAction::Unreachable | RuleAction::Prohibit => {
                    return Err(NotFound::ByRule(rule));
                }
            }
        }
        Err(NotFound::Nothing)
    }

    fn lookup_default(&'a self, flow: &Flow) -> Result<Found<'a>, NotFound<'a>> {
        let result = self.lookup_in(self.table(model::TABLE_DEFAULT), flow);
        result.unwrap_or(Err(NotFound::Nothing))
    }

    /// The table that a rule leads to.
    pub(crate) fn table_of(&self, rule: &Rule, flow: &Flow) -> Option<u32> {
        match rule.action {
            RuleAction::Table(table) => Some(table),
            RuleAction::Vrf => flow.vrf.and_then(|vrf| self.vrf_table(vrf)),
            _ => None,
        }
    }

    fn lookup_by_rule(
        &'a self,
        rule: &'a Rule,
        table: u32,
        flow: &Flow,
    ) -> Option<Result<Found<'a>, NotFound<'a>>> {
        let found = self.lookup_in(self.table(table), flow)?;
        match found {
            Ok(found) if self.suppresses_route(rule, found.route, first(found.route)) => None,
            other => Some(other.map(|found| Found { rule: Some(rule), ..found })),
        }
    }

    /// `fib_table_lookup`. None: nothing here, or a `throw` route: the next rule is asked.
    fn lookup_in(
        &'a self,
        table: Option<&'a Fib<'a>>,
        flow: &Flow,
    ) -> Option<Result<Found<'a>, NotFound<'a>>> {
        for Entry { route, hop, several } in table?.to(flow.dst) {
            if route.tos != 0 && route.tos != flow.tos & TOS_MASK {
                continue;
            }
            match route.kind {
                RouteKind::Throw => return None,
                RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit => {
                    return Some(Err(NotFound::Refused(route)));
                }
                RouteKind::Other(_) | RouteKind::Anycast => {
                    return Some(Err(NotFound::Unknown(format!("route of type {:?}", route.kind))));
                }
                RouteKind::Unicast
                | RouteKind::Local
                | RouteKind::Broadcast
                | RouteKind::Multicast => {}
            }
            if bound_elsewhere(route, flow) {
                continue;
            }
            if flow.oif.is_some() && route.nexthops.len() > 1 {
                let what = format!("multipath route to {}, from a bound socket", route.dst);
                return Some(Err(NotFound::Unknown(what)));
            }
            if let Some(hop) = *hop {
                return Some(Ok(Found {
                    rule: None,
                    route,
                    hop,
                    several: *several,
                    learned: None,
                }));
            }
            if let Some(id) = route.nexthop_id.filter(|_| route.nexthops.is_empty()) {
                return Some(Err(NotFound::Unknown(format!("nexthop object {id}"))));
            }
        }
        None
    }

    /// A route with the first of its ways out that is alive.
    pub(crate) fn entry(&self, route: &'a Route) -> Entry<'a> {
        let mut hops = self.hops(route);
        Entry { route, hop: hops.next(), several: hops.next().is_some() }
    }

    /// The ways out of a route that are alive, as they are used.
    pub(crate) fn hops(&self, route: &'a Route) -> impl Iterator<Item = Nexthop> {
        let alive = route.nexthops.iter().filter(|hop| self.is_alive(hop));
        // A gateway that is an address of the very link has the scope of a host, and is none
        // (`fib_check_nh_v4_gw`; `rt_set_nexthop` asks for the scope of a link).
        let own = |link, ip| self.ns.addresses_of(link).any(|a| a.ip() == ip);
        alive.map(move |hop| {
            let gateway = hop.gateway.filter(|ip| hop.onlink || !own(hop.link, *ip));
            Nexthop { gateway, ..*hop }
        })
    }

    /// `fib_select_multipath`: those of which the hash takes one. Since Linux 6.16, a source that
    /// belongs to some of them (the address that each would give) is kept.
    pub(crate) fn choices(&self, found: &Found<'a>, src: Option<IpAddr>) -> Vec<Nexthop> {
        let all: Vec<Nexthop> = self.hops(found.route).collect();
        let scope = found.route.scope;
        let keeps = src.is_some() && self.kernel.is_some_and(|k| k.is_since(6, 16));
        let own = |hop: &Nexthop| self.select_address(hop.link, hop.gateway, scope);
        let kept: Vec<Nexthop> =
            all.iter().filter(|hop| keeps && own(hop) == src).copied().collect();
        // A route by an object of its own does not look at the source.
        if kept.is_empty() || found.route.nexthop_id.is_some() { all } else { kept }
    }

    fn is_alive(&self, hop: &Nexthop) -> bool {
        let ignored = hop.linkdown && self.conf(hop.link).ignore_routes_with_linkdown;
        !hop.dead && !ignored
    }

    pub(crate) fn rule_matches(&self, rule: &Rule, flow: &Flow) -> Result<bool, NotFound<'a>> {
        if rule.sport.is_some() && flow.ports.is_some_and(|p| p.0 == 0) {
            let what = format!("rule {} by source port, of a tunnel's packet", rule.priority);
            return Err(NotFound::Unknown(what));
        }
        let matches = self.mismatch(rule, flow).is_none();
        if matches && rule.uids.is_some() && self.root_uid().is_none() {
            return Err(NotFound::Unknown(format!("rule {} (uidrange)", rule.priority)));
        }
        if let Some(link) = self.vrf_in_doubt(rule) {
            let what = format!("rule {} ({link} is a VRF)", rule.priority);
            return Err(NotFound::Unknown(what));
        }
        let told = || self.ns.links.values().all(|link| link.group.is_some());
        if matches && rule.suppress_ifgroup.is_some() && !told() {
            let what = format!("rule {} (suppress_ifgroup)", rule.priority);
            return Err(NotFound::Unknown(what));
        }
        if matches && !rule.unknown.is_empty() {
            let what = format!("rule {} ({})", rule.priority, rule.unknown.join(", "));
            return Err(NotFound::Unknown(what));
        }
        Ok(matches != rule.invert)
    }

    /// The first selector of a rule that a packet does not fit (`fib_rule_match`,
    /// `fib4_rule_match`).
    pub(crate) fn mismatch(&self, rule: &Rule, flow: &Flow) -> Option<Selector> {
        let name = |link: u32| self.ns.links.get(&link).map(|l| l.name.as_str());
        let within =
            |net: &Option<IpNet>, ip: IpAddr| net.as_ref().is_none_or(|net| net.contains(&ip));
        // `fib_rule_port_match`: with a mask, the range is one number.
        let port = |range: Option<(u16, u16)>, mask: Option<u16>, port: Option<u16>| {
            range.is_none_or(|(a, b)| {
                port.is_some_and(|p| match mask {
                    Some(mask) => (p ^ a) & mask == 0,
                    None => a <= p && p <= b,
                })
            })
        };
        let iif = || name(flow.iif.unwrap_or_else(|| self.loopback()));
        let oif = || flow.oif.and_then(name);
        let vrf = |out: bool, name: &str| self.domain_fits(flow, out, name);
        let dscp = if flow.dst.is_ipv6() { DSCP_MASK } else { TOS_MASK };
        let dissected = !flow.received || self.dissects(flow.dst.is_ipv6());
        let ports = flow.ports.filter(|_| dissected);
        let (sport, dport) = (ports.map(|p| p.0), ports.map(|p| p.1));
        // IPv6 says by itself what follows it (`ip6_route_input`).
        let protocol = if dissected || flow.dst.is_ipv6() { flow.protocol } else { 0 };
        let users = |range: (u32, u32)| {
            self.root_uid().is_none_or(|root| (range.0..=range.1).contains(&root))
        };
        let fits = [
            (
                Selector::Iif,
                rule.iif.as_deref().is_none_or(|wanted| {
                    vrf(false, wanted).unwrap_or_else(|| Some(wanted) == iif())
                }),
            ),
            (Selector::L3mdev, rule.action != RuleAction::Vrf || flow.vrf.is_some()),
            (
                Selector::Oif,
                rule.oif.as_deref().is_none_or(|wanted| {
                    vrf(true, wanted).unwrap_or_else(|| Some(wanted) == oif())
                }),
            ),
            (Selector::Fwmark, rule.mark.is_none_or(|(v, mask)| (flow.mark ^ v) & mask == 0)),
            (Selector::From, within(&rule.src, flow.src)),
            (Selector::To, within(&rule.dst, flow.dst)),
            (Selector::Tos, rule.tos == 0 || rule.tos == flow.tos & dscp),
            (Selector::Dscp, rule.dscp.is_none_or(|dscp| dscp == flow.tos >> 2)),
            (Selector::TunId, rule.tunnel.is_none()),
            (Selector::Uidrange, rule.uids.is_none_or(users)),
            (Selector::Ipproto, rule.protocol.is_none_or(|p| p == protocol)),
            (Selector::Sport, port(rule.sport, rule.port_masks.0, sport)),
            (Selector::Dport, port(rule.dport, rule.port_masks.1, dport)),
        ];
        fits.into_iter().find(|(_, fits)| !fits).map(|(selector, _)| selector)
    }

    /// Root, whose processes are taken to ask, and to whom the kernel's own packets and those that
    /// pass count. None: it is another user outside of this namespace.
    fn root_uid(&self) -> Option<u32> {
        (!self.ns.owner.unprivileged).then_some(0)
    }

    /// The settings of a link, joined with those of all.
    pub(crate) fn conf(&self, link: u32) -> InetConf {
        self.link_index(link).map_or_else(|| links::conf(self.ns, None), |found| found.conf)
    }

    /// `inet_select_addr`: the address of `link` to speak to `dst` with, else one of another link.
    pub(crate) fn select_address(
        &self,
        link: u32,
        dst: Option<IpAddr>,
        scope: Scope,
    ) -> Option<IpAddr> {
        let wide = |s: Scope| u8::from(s) <= u8::from(scope);
        let local = if self.conf(link).route_localnet { Scope::Host } else { Scope::Link };
        let mut first = None;
        for a in self.ns.addresses_of(link).filter(|a| !a.secondary) {
            let (IpNet::V4(_), narrowest) = (a.net, u8::from(a.scope).min(u8::from(local))) else {
                continue;
            };
            if narrowest > u8::from(scope) {
                continue;
            }
            let on_link = dst.is_none_or(|dst| subnet(a).is_some_and(|net| net.contains(&dst)));
            if on_link {
                return Some(a.ip());
            }
            first = first.or(Some(a.ip()));
        }
        let vrf = self.vrf_of(link);
        let elsewhere = || {
            // A VRF is asked before its other members, and no link of another one.
            let others = self.ns.links.keys().filter(|l| self.vrf_of(**l) == vrf);
            let links = vrf.iter().chain(others).flat_map(|l| self.ns.addresses_of(*l));
            links
                .filter(|a| !a.secondary && a.scope != Scope::Link && wide(a.scope))
                .map(|a| a.ip())
                .find(IpAddr::is_ipv4)
        };
        first.or_else(elsewhere)
    }

    /// `fib4_rule_suppress`, `fib6_rule_suppress`: a route that is shorter than the rule takes, or
    /// leads by a link of a group that it does not take. (Of several ways out, IPv4 looks at the first.)
    pub(crate) fn suppresses_route(&self, rule: &Rule, route: &Route, by: Option<u32>) -> bool {
        let short =
            rule.suppress_prefixlength.is_some_and(|n| u32::from(route.dst.prefix_len()) < n);
        let group = |link| self.ns.links.get(&link)?.group;
        short || rule.suppress_ifgroup.is_some() && by.and_then(group) == rule.suppress_ifgroup
    }

    /// `fib_result_prefsrc`: the source address that a route suggests.
    pub(crate) fn source_for(&self, found: &Found<'_>, dst: IpAddr) -> Option<IpAddr> {
        match found.route.prefsrc {
            Some(ip) => Some(ip),
            None if found.is_local() => Some(dst),
            None => self.select_address(found.hop.link, found.gateway(), found.route.scope),
        }
    }
}

/// `inet_ifa_match`: what an address is on one subnet with; of a peer's, the peer's.
pub(crate) fn subnet(address: &Address) -> Option<IpNet> {
    match address.peer {
        Some(peer) => IpNet::new(peer, address.net.prefix_len()).ok(),
        None => Some(address.net),
    }
}

/// `fib_table_lookup`: none of its next hops is by the link that the socket is bound to. (Of IPv6,
/// other functions look.)
fn bound_elsewhere(route: &Route, flow: &Flow) -> bool {
    let other = |link| route.nexthops.iter().all(|hop| hop.link != link);
    flow.dst.is_ipv4() && flow.oif.is_some_and(other)
}

/// The link of a route's first way out.
pub(crate) fn first(route: &Route) -> Option<u32> {
    route.nexthops.first().map(|hop| hop.link)
}
