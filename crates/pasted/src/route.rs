//! `ip route`, iproute2's and busybox's.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{
    Preference, Protocol, Route, RouteKind, RouteMetrics, Scope, TABLE_DEFAULT, TABLE_LOCAL,
    TABLE_MAIN,
};

use crate::address;
use crate::report::Report;
use crate::words::Words;

/// A route, with its links by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartRoute {
    /// Complete but for `nexthops`.
    pub(crate) route: Route,
    pub(crate) hops: Vec<PartHop>,
}

/// A next hop, with its link by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "the kernel's own flags")]
pub(crate) struct PartHop {
    pub(crate) gateway: Option<IpAddr>,
    pub(crate) dev: Option<String>,
    pub(crate) weight: u16,
    pub(crate) onlink: bool,
    pub(crate) dead: bool,
    pub(crate) linkdown: bool,
}

/// All routes of an output. `dev` and `table` are what was asked for, which the lines then leave
/// out.
pub(crate) fn parse(
    text: &str,
    dev: Option<&str>,
    asked: Option<&str>,
    six: bool,
    report: &mut Report<'_>,
) -> Vec<PartRoute> {
    let mut routes: Vec<PartRoute> = Vec::new();
    for (number, line) in report.lines(text) {
        for part in line.split('\\') {
            let mut words = Words::new(part);
            if words.peek() == Some("nexthop") {
                words.next();
                let hop = PartHop { weight: 1, ..PartHop::default() };
                match routes.last_mut() {
                    Some(route) => {
                        let hops = &mut route.hops;
                        hops.push(hop);
                        attributes(words, route, true);
                    }
                    None => report.line(number, "a next hop without its route"),
                }
                continue;
            }
            match line_of(words, dev, asked, six) {
                Some(route) => routes.push(route),
                None => report.line(number, "no route of `ip route`"),
            }
        }
    }
    for route in routes.iter_mut().filter(|r| r.hops.len() > 1) {
        // The first stands for what a multipath route's own line does not have.
        route.hops.retain(|h| h.dev.is_some() || h.gateway.is_some());
    }
    routes
}

fn line_of(
    mut words: Words<'_>,
    dev: Option<&str>,
    asked: Option<&str>,
    six: bool,
) -> Option<PartRoute> {
    let mut kind = RouteKind::Unicast;
    if let Some(named) = words.peek().and_then(kind_of) {
        kind = named;
        words.next();
    }
    let dst = words.next()?;
    let rest: Vec<&str> = words.collect();
    // Only the gateway, or what IPv6 alone has, tells the family of a default route.
    let six = six
        || rest.contains(&"pref")
        || rest.iter().skip_while(|w| **w != "via").nth(1).is_some_and(|g| g.contains(':'));
    let dst = match (dst, six) {
        ("default", true) => "::/0".parse().ok()?,
        ("default", false) => "0.0.0.0/0".parse().ok()?,
        (net, _) => prefix(net)?,
    };
    let mut part = PartRoute { route: blank(dst, kind), hops: Vec::new() };
    if let Some(table) = asked.and_then(table) {
        part.route.table = table;
    }
    if !matches!(
        kind,
        RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Throw
    ) {
        let dev = dev.map(str::to_owned);
        part.hops.push(PartHop { weight: 1, dev, ..PartHop::default() });
    }
    let rest = rest.join(" ");
    attributes(Words::new(&rest), &mut part, false);
    Some(part)
}

/// busybox prints a prefix with its trailing zeros, older iproute2 without (`10/8`).
fn prefix(word: &str) -> Option<IpNet> {
    address::net(word).or_else(|| {
        let (net, len) = word.split_once('/')?;
        let dots = net.matches('.').count();
        (dots < 3).then(|| format!("{net}{}/{len}", ".0".repeat(3 - dots)).parse().ok())?
    })
}

pub(crate) fn blank(dst: IpNet, kind: RouteKind) -> Route {
    Route {
        table: TABLE_MAIN,
        dst,
        kind,
        protocol: Protocol::Boot,
        scope: Scope::Global,
        prefsrc: None,
        metric: 0,
        tos: 0,
        nexthops: Vec::new(),
        metrics: RouteMetrics::default(),
        nexthop_id: None,
        preference: Preference::Medium,
    }
}

fn attributes(mut words: Words<'_>, part: &mut PartRoute, of_hop: bool) {
    let mut hop = part.hops.pop();
    while let Some(word) = words.next() {
        let route = &mut part.route;
        match (word, hop.as_mut()) {
            ("via", Some(hop)) => {
                if matches!(words.peek(), Some("inet" | "inet6")) {
                    words.next();
                }
                hop.gateway = words.value();
            }
            ("dev", Some(hop)) => hop.dev = words.next().map(str::to_owned),
            ("weight", Some(hop)) => hop.weight = words.value().unwrap_or(1),
            ("onlink", Some(hop)) => hop.onlink = true,
            ("dead", Some(hop)) => hop.dead = true,
            ("linkdown", Some(hop)) => hop.linkdown = true,
            _ if of_hop => {}
            ("table", _) => route.table = words.next().and_then(table).unwrap_or(route.table),
            ("proto", _) => {
                route.protocol = words.next().and_then(protocol).unwrap_or(route.protocol);
            }
            ("scope", _) => {
                route.scope = words.next().and_then(address::scope).unwrap_or(route.scope);
            }
            ("src", _) => route.prefsrc = words.value(),
            ("metric", _) => route.metric = words.value().unwrap_or(0),
            ("mtu", _) => {
                route.metrics.mtu_locked = words.peek() == Some("lock");
                if route.metrics.mtu_locked {
                    words.next();
                }
                route.metrics.mtu = words.value();
            }
            ("hoplimit", _) => route.metrics.hop_limit = words.value(),
            ("advmss", _) => route.metrics.advmss = words.value(),
            ("tos", _) => route.tos = words.next().and_then(number).unwrap_or(0),
            ("pref", _) => {
                route.preference = words.next().map_or(Preference::Medium, preference);
            }
            ("nhid", _) => route.nexthop_id = words.value(),
            _ => {}
        }
    }
    part.hops.extend(hop);
}

fn preference(word: &str) -> Preference {
    match word {
        "high" => Preference::High,
        "low" => Preference::Low,
        _ => Preference::Medium,
    }
}

/// A table's number; of a name that only /etc/iproute2/rt_tables explains, one that stands for it.
pub(crate) fn table(word: &str) -> Option<u32> {
    /// Numbers that no person writes.
    const NAMED: u32 = 0x8000_0000;
    match word {
        "main" => Some(TABLE_MAIN),
        "local" => Some(TABLE_LOCAL),
        "default" => Some(TABLE_DEFAULT),
        "all" => None,
        word => word.parse().ok().or_else(|| {
            let hash = word.bytes().fold(5381_u32, |h, b| h.wrapping_mul(33) ^ u32::from(b));
            Some(NAMED | hash)
        }),
    }
}

pub(crate) fn kind_of(word: &str) -> Option<RouteKind> {
    Some(match word {
        "unicast" => RouteKind::Unicast,
        "local" => RouteKind::Local,
        "broadcast" => RouteKind::Broadcast,
        "multicast" => RouteKind::Multicast,
        "blackhole" => RouteKind::Blackhole,
        "unreachable" => RouteKind::Unreachable,
        "prohibit" => RouteKind::Prohibit,
        "throw" => RouteKind::Throw,
        "anycast" => RouteKind::Other(4),
        "nat" => RouteKind::Other(10),
        _ => return None,
    })
}

pub(crate) fn protocol(word: &str) -> Option<Protocol> {
    Some(match word {
        "unspec" | "none" => Protocol::Unspec,
        "redirect" => Protocol::Redirect,
        "kernel" => Protocol::Kernel,
        "boot" => Protocol::Boot,
        "static" => Protocol::Static,
        "dhcp" => Protocol::Dhcp,
        "ra" => Protocol::Ra,
        "zebra" => Protocol::Other(11),
        "bird" => Protocol::Other(12),
        "babel" => Protocol::Other(42),
        "bgp" => Protocol::Other(186),
        "isis" => Protocol::Other(187),
        "ospf" => Protocol::Other(188),
        "rip" => Protocol::Other(189),
        "eigrp" => Protocol::Other(192),
        number => Protocol::from(number.parse::<u8>().ok()?),
    })
}

/// Decimal, or with `0x`.
pub(crate) fn number<T: TryFrom<u64>>(word: &str) -> Option<T> {
    let value = match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => word.parse().ok()?,
    };
    value.try_into().ok()
}
