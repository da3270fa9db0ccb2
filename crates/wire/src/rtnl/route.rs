//! RTM_NEWROUTE → [`Route`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use model::{LearnedRoute, Nexthop, Preference, Protocol, Route, RouteKind, RouteMetrics, Scope};

use super::attr::{Attr, attrs, attrs_behind, ip, u16_at, u32_at};
use super::message::Message;

const RTM_NEWROUTE: u16 = 24;
/// Length of `struct rtmsg`.
const RTMSG: usize = 12;
/// Length of `struct rtnexthop`.
const RTNEXTHOP: usize = 8;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// A cached route, not one of a table.
const RTM_F_CLONED: u32 = 0x200;

const RTA_DST: u16 = 1;
const RTA_SRC: u16 = 2;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_METRICS: u16 = 8;
const RTA_MULTIPATH: u16 = 9;
const RTA_TABLE: u16 = 15;
const RTA_VIA: u16 = 18;
const RTA_PREF: u16 = 20;
const RTA_ENCAP: u16 = 22;
const RTA_NH_ID: u16 = 30;
const RTAX_LOCK: u16 = 1;
const RTAX_MTU: u16 = 2;
const RTAX_ADVMSS: u16 = 8;
const RTAX_HOPLIMIT: u16 = 10;

const RTNH_F_DEAD: u32 = 1;
const RTNH_F_ONLINK: u32 = 4;
const RTNH_F_LINKDOWN: u32 = 16;

/// A route, and what about it has no place in the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRoute {
    /// The route.
    pub route: Route,
    /// What it also is, in words (`with encapsulation`): where it leads is not only what `route`
    /// says.
    pub unmodelled: Option<&'static str>,
}

/// Asks by which route a packet would go.
pub const RTM_GETROUTE: u16 = 26;

/// Body of an [`RTM_GETROUTE`] for a dump of what was learned of single destinations. (Of IPv4, the kernel
/// tells of those that a packet has heeded since. A socket that checks strictly is needed.)
#[must_use]
pub fn get_learned(ipv6: bool) -> Vec<u8> {
    let mut body = vec![if ipv6 { AF_INET6 } else { AF_INET }, 0, 0, 0, 0, 0, 0, 0];
    body.extend(RTM_F_CLONED.to_ne_bytes());
    body
}

/// Body of an [`RTM_GETROUTE`] that asks for the route to 127.0.0.1, and for its table.
#[must_use]
pub fn get_route_to_loopback() -> Vec<u8> {
    /// The reply names the table that was looked into.
    const RTM_F_LOOKUP_TABLE: u32 = 0x1000;
    let mut body = vec![AF_INET, 32, 0, 0, 0, 0, 0, 0];
    body.extend(RTM_F_LOOKUP_TABLE.to_ne_bytes());
    body.extend(8u16.to_ne_bytes());
    body.extend(RTA_DST.to_ne_bytes());
    body.extend(Ipv4Addr::LOCALHOST.octets());
    body
}

/// Body of an [`RTM_GETROUTE`] that asks for the route to an address, as `ip route get` does.
#[must_use]
pub fn get_route_to(dst: IpAddr) -> Vec<u8> {
    let (family, address) = match dst {
        IpAddr::V4(ip) => (AF_INET, ip.octets().to_vec()),
        IpAddr::V6(ip) => (AF_INET6, ip.octets().to_vec()),
    };
    let bytes = u8::try_from(address.len()).unwrap_or_default();
    let mut body = vec![family, bytes * 8, 0, 0, 0, 0, 0, 0];
    body.extend([0; 4]);
    body.extend((u16::from(bytes) + 4).to_ne_bytes());
    body.extend(RTA_DST.to_ne_bytes());
    body.extend(address);
    body
}

/// Whether local and main are two tables, by the answer about 127.0.0.1: where they are one, the
/// kernel takes it for main (`fib_trie_unmerge`). None: it is no such answer.
#[must_use]
pub fn tables_split(message: &Message<'_>) -> Option<bool> {
    const RTN_LOCAL: u8 = 2;
    let header = *message.body.first_chunk::<RTMSG>()?;
    let [family, _, _, _, table, _, _, kind, ..] = header;
    if (message.kind, family, kind) != (RTM_NEWROUTE, AF_INET, RTN_LOCAL) {
        return None;
    }
    let told = attrs_behind(message.body, RTMSG).find(|a| a.kind == RTA_TABLE);
    match told.and_then(Attr::u32).unwrap_or_else(|| table.into()) {
        model::TABLE_LOCAL => Some(true),
        model::TABLE_MAIN => Some(false),
        _ => None,
    }
}

/// The route that a message tells of; None: it is no RTM_NEWROUTE of an IP table, or cut short.
#[must_use]
pub fn route(message: &Message<'_>) -> Option<RawRoute> {
    (flags(message)? & RTM_F_CLONED == 0).then(|| any_route(message)).flatten()
}

/// What was learned of one destination, by a message that tells of that; None: it does not.
#[must_use]
pub fn learned(message: &Message<'_>) -> Option<LearnedRoute> {
    /// RTCF_REDIRECTED of IPv4, RTPROT_REDIRECT of IPv6.
    const REDIRECTED: u32 = 0x4_0000;
    let flags = flags(message).filter(|flags| flags & RTM_F_CLONED != 0)?;
    let RawRoute { route, .. } = any_route(message)?;
    let hop = route.nexthops.first()?;
    let redirect = Protocol::from(1);
    Some(LearnedRoute {
        dst: route.dst.addr(),
        table: route.table,
        link: hop.link,
        gateway: hop.gateway,
        mtu: route.metrics.mtu,
        mtu_locked: route.metrics.mtu_locked,
        redirected: flags & REDIRECTED != 0
            || route.dst.addr().is_ipv6() && route.protocol == redirect,
    })
}

fn flags(message: &Message<'_>) -> Option<u32> {
    u32_at(message.body.first_chunk::<RTMSG>()?, 8)
}

fn any_route(message: &Message<'_>) -> Option<RawRoute> {
    let header = *message.body.first_chunk::<RTMSG>()?;
    let [family, dst_len, src_len, tos, table, protocol, scope, kind, ..] = header;
    let flags = u32_at(&header, 8)?;
    if message.kind != RTM_NEWROUTE || !matches!(family, AF_INET | AF_INET6) {
        return None;
    }
    let mut raw = RawRoute {
        route: Route {
            table: table.into(),
            dst: IpNet::new(unspecified(family), dst_len).ok()?,
            kind: route_kind(kind),
            protocol: Protocol::from(protocol),
            scope: Scope::from(scope),
            prefsrc: None,
            metric: 0,
            tos,
            nexthops: Vec::new(),
            metrics: RouteMetrics::default(),
            nexthop_id: None,
            preference: Preference::Medium,
        },
        unmodelled: (src_len != 0).then_some("for one source only"),
    };
    for attr in attrs_behind(message.body, RTMSG) {
        take(&mut raw, attr, dst_len);
    }
    if raw.route.nexthops.is_empty() {
        raw.route.nexthops.extend(single(&message.body[RTMSG..], flags));
    }
    Some(raw)
}

fn take(raw: &mut RawRoute, attr: Attr<'_>, dst_len: u8) {
    let route = &mut raw.route;
    match attr.kind {
        RTA_DST => {
            if let Some(Ok(dst)) = attr.ip().map(|ip| IpNet::new(ip, dst_len)) {
                route.dst = dst;
            }
        }
        RTA_SRC => raw.unmodelled = Some("for one source only"),
        RTA_PRIORITY => route.metric = attr.u32().unwrap_or_default(),
        RTA_PREFSRC => route.prefsrc = attr.ip(),
        RTA_METRICS => {
            attr.nested().for_each(|metric| take_metric(&mut route.metrics, metric));
        }
        RTA_MULTIPATH => route.nexthops = several(attr.value),
        RTA_TABLE => route.table = attr.u32().unwrap_or(route.table),
        RTA_ENCAP => raw.unmodelled = Some("with encapsulation"),
        RTA_NH_ID => route.nexthop_id = attr.u32(),
        RTA_PREF => route.preference = preference(attr.u8().unwrap_or_default()),
        _ => {}
    }
}

fn take_metric(metrics: &mut RouteMetrics, metric: Attr<'_>) {
    match metric.kind {
        RTAX_LOCK => {
            metrics.mtu_locked = metric.u32().is_some_and(|bits| bits & 1 << RTAX_MTU != 0);
        }
        RTAX_MTU => metrics.mtu = metric.u32(),
        RTAX_ADVMSS => metrics.advmss = metric.u32(),
        RTAX_HOPLIMIT => {
            metrics.hop_limit = metric.u32().and_then(|limit| u8::try_from(limit).ok());
        }
        _ => {}
    }
}

/// ICMPV6_ROUTER_PREF_*: two bits, of which the first is the sign.
const fn preference(number: u8) -> Preference {
    match number {
        1 => Preference::High,
        3 => Preference::Low,
        _ => Preference::Medium,
    }
}

/// The one way out of a route that is not multipath.
fn single(attributes: &[u8], flags: u32) -> Option<Nexthop> {
    let link = attrs(attributes).find(|a| a.kind == RTA_OIF)?.u32()?;
    Some(nexthop(link, 1, flags, attributes))
}

/// RTA_MULTIPATH: `struct rtnexthop` with attributes behind it, one after the other.
fn several(mut bytes: &[u8]) -> Vec<Nexthop> {
    let mut hops = Vec::new();
    while let (Some(length), Some(&[flags, hops_less_one]), Some(link)) =
        (u16_at(bytes, 0).map(usize::from), bytes.get(2..4), u32_at(bytes, 4))
    {
        let Some(attributes) = bytes.get(RTNEXTHOP..length) else { break };
        let weight = u16::from(hops_less_one) + 1;
        hops.push(nexthop(link, weight, u32::from(flags), attributes));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    hops
}

fn nexthop(link: u32, weight: u16, flags: u32, attributes: &[u8]) -> Nexthop {
    let gateway = attrs(attributes).find_map(|a| match a.kind {
        RTA_GATEWAY => a.ip(),
        // An IPv6 gateway of an IPv4 route: two bytes of family, then the address.
        RTA_VIA => ip(a.value.get(2..)?),
        _ => None,
    });
    Nexthop {
        gateway,
        link,
        weight,
        onlink: flags & RTNH_F_ONLINK != 0,
        dead: flags & RTNH_F_DEAD != 0,
        linkdown: flags & RTNH_F_LINKDOWN != 0,
    }
}

fn unspecified(family: u8) -> IpAddr {
    if family == AF_INET { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

/// RTN_*.
fn route_kind(number: u8) -> RouteKind {
    match number {
        1 => RouteKind::Unicast,
        2 => RouteKind::Local,
        3 => RouteKind::Broadcast,
        5 => RouteKind::Multicast,
        6 => RouteKind::Blackhole,
        7 => RouteKind::Unreachable,
        8 => RouteKind::Prohibit,
        4 => RouteKind::Anycast,
        9 => RouteKind::Throw,
        n => RouteKind::Other(n),
    }
}
