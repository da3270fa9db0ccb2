//! IPv6 routing: the policy rules, the tables, which of several routes, and the source address.

use std::net::{IpAddr, Ipv6Addr};

use model::{AddressFlags, Inet6Conf, Nexthop, Preference, Route, RouteKind, RuleAction};

use crate::indexed::Place;
use crate::route::{Flow, Found, NotFound};

/// The least MTU of a link that carries IPv6.
pub(crate) const MIN_MTU: u32 = 1280;

/// How a look-up goes about links and neighbours (RT6_LOOKUP_F_*).
#[derive(Clone, Copy, Debug)]
struct Strict {
    /// The link that is preferred: what it came in by, or what its socket is bound to.
    link: Option<u32>,
    /// No other will do.
    only: bool,
    /// A gateway that did not answer is passed over.
    reachable: bool,
    /// Asked for by a rule, not for a packet: neither metric nor preference is looked at.
    plain: bool,
}

/// A route of a table, and one of its next hops.
type Candidate<'a> = (&'a Route, Nexthop);
/// What a table says; None: the next rule is asked.
type Answer<'a> = Option<Result<Found<'a>, NotFound<'a>>>;

/// `rt6_need_strict`: an address that says something only together with its link.
pub(crate) fn is_scoped(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_multicast() || is_link_local(ip) || ip.is_loopback())
}

/// fe80::/10.
pub(crate) const fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xffc0 == 0xfe80
}

impl<'a> Place<'a> {
    /// `ip6_route_output_flags`: for a packet that is made here, perhaps by a socket that is bound
    /// to a link.
    pub(crate) fn output6(&'a self, flow: &Flow) -> Result<Found<'a>, NotFound<'a>> {
        self.lookup6(flow, self.strict_out(flow))
    }

    fn strict_out(&self, flow: &Flow) -> Strict {
        let only =
            flow.bound || is_scoped(flow.dst) || flow.oif.is_some() && flow.src.is_unspecified();
        let reachable = !self.ns.sysctls.ipv6_forwarding;
        Strict { link: flow.oif, only, reachable, plain: false }
    }

    /// `ip6_route_input_lookup`: for a packet that came in.
    pub(crate) fn input6(&'a self, flow: &Flow, iif: u32) -> Result<Found<'a>, NotFound<'a>> {
        self.lookup6(flow, self.strict_in(flow, iif))
    }

    fn strict_in(&self, flow: &Flow, iif: u32) -> Strict {
        // Where nothing is forwarded, gateways that do not answer are passed over.
        let reachable = !self.ns.sysctls.ipv6_forwarding;
        Strict { link: Some(iif), only: is_scoped(flow.dst), reachable, plain: false }
    }

    /// `ip6_route_lookup`: for a rule that asks.
    pub(crate) fn asked6(&'a self, flow: &Flow, only: bool) -> Result<Found<'a>, NotFound<'a>> {
        self.lookup6(flow, Strict { link: flow.oif, only, reachable: false, plain: true })
    }

    /// `fib6_rule_lookup`.
    fn lookup6(&'a self, flow: &Flow, strict: Strict) -> Result<Found<'a>, NotFound<'a>> {
        let flow = &if self.has_vrfs() { self.in_vrf(*flow) } else { *flow };
        // By a VRF is by any of its members.
        let link = strict.link.filter(|link| !self.has_vrfs() || self.vrf_table(*link).is_none());
        let strict = Strict { link, ..strict };
        let custom = !self.default_rules6;
        let mut from = 0;
        for rule in &self.rules6 {
            if rule.priority < from || !self.rule_matches(rule, flow)? {
                continue;
            }
            match rule.action {
                RuleAction::Table(_) | RuleAction::Vrf => {
                    let table = self.table_of(rule, flow);
                    match table.and_then(|table| self.table6(table, flow, strict)) {
                        None => {}
                        Some(Ok(found))
                            if self.suppresses_route(rule, found.route, Some(found.hop.link)) => {}
                        Some(found) => {
                            let rule = custom.then_some(rule);
                            return found.map(|found| Found { rule, ..found });
                        }
                    }
                }
                RuleAction::Goto(to) if self.rules6.iter().any(|r| r.priority == to) => from = to,
                RuleAction::Goto(_) | RuleAction::Nop => {}
                RuleAction::Blackhole | RuleAction::Unreachable | RuleAction::Prohibit => {
                    return Err(NotFound::ByRule(rule));
                }
            }
        }
        Err(NotFound::Nothing)
    }

    /// `fib6_table_lookup`, and what the kind of the route says.
    fn table6(&'a self, table: u32, flow: &Flow, strict: Strict) -> Answer<'a> {
        let found = match self.longest6(table, flow, strict) {
            // Nobody is known to answer: then also by one that did not.
            None if strict.reachable => {
                self.longest6(table, flow, Strict { reachable: false, ..strict })
            }
            found => found,
        };
        let found = match found? {
            Ok(found) => found,
            Err(unknown) => return Some(Err(unknown)),
        };
        let route = found.route;
        match route.kind {
            RouteKind::Throw => None,
            RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit => {
                Some(Err(NotFound::Refused(route)))
            }
            RouteKind::Other(n) => Some(Err(NotFound::Unknown(format!("route of type {n}")))),
            _ => Some(Ok(found)),
        }
    }

    /// The longest prefix of which a route will do; of routes to the same prefix, `rt6_select`.
    fn longest6(&'a self, table: u32, flow: &Flow, strict: Strict) -> Answer<'a> {
        let routes = self.routes6(table);
        let same_prefix = |a: &&Route, b: &&Route| a.dst == b.dst;
        let leaves = routes.chunk_by(same_prefix).filter(|leaf| leaf[0].dst.contains(&flow.dst));
        leaves.into_iter().find_map(|leaf| self.select6(leaf, flow, strict))
    }

    /// `find_rr_leaf`: the best of those with the lowest metric, else of all others.
    fn select6(&'a self, leaf: &[&'a Route], flow: &Flow, strict: Strict) -> Answer<'a> {
        let first = leaf.partition_point(|route| route.metric == leaf[0].metric);
        let (lowest, others) = leaf.split_at(first);
        let (route, hop) = match strict.plain {
            true => Self::by_link6(leaf, strict)?,
            false => self.best6(lowest, strict).or_else(|| self.best6(others, strict))?,
        };
        if let Some(id) = route.nexthop_id.filter(|_| route.nexthops.is_empty()) {
            return Some(Err(NotFound::Unknown(format!("nexthop object {id}"))));
        }
        // `fib6_select_path`: one of its siblings, unless it goes out by the link asked for.
        let wanted = flow.iif.is_none() && strict.link == Some(hop.link);
        let several = !wanted && self.siblings6(route, strict).len() > 1;
        Some(Ok(Found { rule: None, route, hop, several, learned: None }))
    }

    /// The next hops of which a hash takes one.
    fn siblings6(&self, route: &Route, strict: Strict) -> Vec<Nexthop> {
        let will_do = |hop: &&Nexthop| self.score6(route, hop, strict).is_some();
        route.nexthops.iter().filter(will_do).copied().collect()
    }

    /// The same, of a route that was found for a packet.
    pub(crate) fn choices6(&self, found: &Found<'a>, flow: &Flow) -> Vec<Nexthop> {
        let strict = match flow.iif {
            Some(iif) => self.strict_in(flow, iif),
            None => self.strict_out(&self.in_vrf(*flow)),
        };
        let ways = self.siblings6(found.route, strict);
        // Nobody is known to answer: then also one that did not.
        let any = || self.siblings6(found.route, Strict { reachable: false, ..strict });
        if ways.is_empty() { any() } else { ways }
    }

    /// `rt6_device_match`.
    fn by_link6(leaf: &[&'a Route], strict: Strict) -> Option<Candidate<'a>> {
        let hops = || leaf.iter().flat_map(|r| r.nexthops.iter().map(move |hop| (*r, *hop)));
        let alive = |(_, hop): &Candidate<'_>| !hop.dead;
        let wanted = |(_, hop): &Candidate<'_>| Some(hop.link) == strict.link;
        let found = strict.link.and_then(|_| hops().filter(alive).find(wanted));
        found.or_else(|| hops().next().filter(alive).filter(|_| !strict.only))
    }

    fn best6(&self, routes: &[&'a Route], strict: Strict) -> Option<Candidate<'a>> {
        let mut best: Option<(u32, Candidate<'a>)> = None;
        for route in routes {
            // A route that leads nowhere has the loopback as its link.
            let nowhere = Nexthop::new(self.loopback(), None);
            let hops = if route.nexthops.is_empty() { &[nowhere][..] } else { &route.nexthops };
            for hop in hops {
                let score = self.score6(route, hop, strict);
                if let Some(score) = score.filter(|s| best.is_none_or(|(most, _)| *s > most)) {
                    best = Some((score, (route, *hop)));
                }
            }
        }
        best.map(|(_, found)| found)
    }

    /// `find_match` and `rt6_score_route`; None: it will not do.
    fn score6(&self, route: &Route, hop: &Nexthop, strict: Strict) -> Option<u32> {
        if hop.dead || hop.linkdown && self.conf6(hop.link).ignore_routes_with_linkdown {
            return None;
        }
        let link = strict.link.is_none_or(|link| link == hop.link);
        if !link && strict.only {
            return None;
        }
        let failed = |ip| {
            let known = self.neighbour(hop.link, ip);
            known.is_some_and(|n| n.state == model::NeighbourState::Failed)
        };
        if strict.reachable && hop.gateway.is_some_and(failed) {
            return None;
        }
        let preference = match route.preference {
            Preference::Low => 1,
            Preference::Medium => 2,
            Preference::High => 3,
        };
        Some(if link { 2 } else { 0 } | preference << 2)
    }

    /// The IPv6 settings of a link.
    pub(crate) fn conf6(&self, link: u32) -> Inet6Conf {
        let own = self.ns.links.get(&link).and_then(|l| l.inet6);
        own.unwrap_or(Inet6Conf {
            forwarding: self.ns.sysctls.ipv6_forwarding,
            ..Inet6Conf::default()
        })
    }

    /// The MTU of the way out by a route: its own, else what IPv6 makes of the link's (`ip6_mtu`).
    pub(crate) fn mtu6(&self, found: &Found<'_>, link: &model::Link) -> u32 {
        let learned = found.learned.and_then(|learned| learned.mtu);
        learned.or(found.route.metrics.mtu).unwrap_or_else(|| self.link_mtu6(link))
    }

    /// What IPv6 makes of a link's MTU.
    pub(crate) fn link_mtu6(&self, link: &model::Link) -> u32 {
        link.mtu.min(self.conf6(link.index).mtu)
    }

    /// `ip6_dst_hoplimit`.
    pub(crate) fn hop_limit6(&'a self, flow: &Flow) -> u8 {
        let out = self.output6(flow).ok();
        if let Some(limit) = out.and_then(|found| found.route.metrics.hop_limit) {
            return limit;
        }
        let link = out.map_or(0, |f| if f.is_local() { self.loopback() } else { f.hop.link });
        match self.conf6(link).hop_limit {
            0 => 64,
            limit => limit,
        }
    }

    /// It is an address of this namespace; one of link or host scope, of that link
    /// (`ipv6_chk_addr`).
    pub(crate) fn owns6(&self, ip: Ipv6Addr, link: u32) -> bool {
        let domain = self.vrf_of(link);
        let of = |a: &&model::Address| a.ip() == IpAddr::V6(ip) && self.vrf_of(a.link) == domain;
        let mut own = self.ns.addresses.iter().filter(of);
        own.any(|a| {
            let near = is_link_local(ip) || ip.is_loopback();
            !a.flags.contains(AddressFlags::TENTATIVE) && (!near || a.link == link)
        })
    }

    /// It is an anycast address of that link (`ipv6_chk_acast_addr`).
    pub(crate) fn anycast(&self, ip: IpAddr, link: u32) -> bool {
        let of = |r: &&&Route| {
            r.kind == RouteKind::Anycast
                && r.dst.addr() == ip
                && r.nexthops.iter().any(|h| h.link == link)
        };
        self.routes6(self.local_table(link)).iter().find(of).is_some()
    }
}
