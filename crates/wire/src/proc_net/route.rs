//! Routes of the main table.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use model::{Nexthop, Preference, Protocol, Route, RouteKind, RouteMetrics, Scope, TABLE_MAIN};

use super::link::Known;

pub(super) fn routes(text: &str, known: &Known) -> Vec<Route> {
    text.lines().skip(1).filter_map(|line| route(line, known)).collect()
}

/// Interface, destination, gateway, flags, two counters, metric, mask; addresses are the bytes of
/// this very machine's memory. Without an interface it refuses, in one of several ways.
fn route(line: &str, known: &Known) -> Option<Route> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [dev, dst, gateway, _, _, _, metric, mask, ..] = words[..] else { return None };
    let dst = Ipv4Net::with_netmask(ip(dst)?, ip(mask)?).ok()?;
    let gateway = ip(gateway).filter(|g| !g.is_unspecified()).map(Into::into);
    let hop = |link| Nexthop::new(link, gateway);
    let nexthops: Vec<Nexthop> = known.index(dev).map(hop).into_iter().collect();
    Some(Route {
        table: TABLE_MAIN,
        dst: dst.into(),
        kind: if nexthops.is_empty() { RouteKind::Other(0) } else { RouteKind::Unicast },
        protocol: Protocol::Unspec,
        scope: if gateway.is_some() { Scope::Global } else { Scope::Link },
        prefsrc: None,
        metric: metric.parse().ok()?,
        tos: 0,
        nexthops,
        metrics: RouteMetrics::default(),
        nexthop_id: None,
        preference: Preference::Medium,
    })
}

fn ip(hex: &str) -> Option<Ipv4Addr> {
    u32::from_str_radix(hex, 16).ok().map(|n| n.to_ne_bytes().into())
}
