//! What is read from within a namespace: the calling thread is in it.

use model::{LinkKind, Rule};
use wire::rtnl;

use super::Parts;
use super::listener;
use super::modules::Present;
use super::netfilter;
use super::survey::Reading;
use super::sysctl::Source;
use crate::netlink::{NetlinkError, Protocol, Replies, Request, Socket};

/// All parts that need somebody inside.
pub(super) const PARTS: [&str; 8] =
    ["routes", "rules", "sysctls", "neighbours", "fdb", "netfilter", "conntrack", "listeners"];

const INSIDE: Parts = Parts::ROUTES
    .union(Parts::NEIGHBOURS)
    .union(Parts::NETFILTER)
    .union(Parts::CONNTRACK)
    .union(Parts::LISTENERS);

/// Whether anybody has to go in at all.
pub(super) fn wanted(parts: Parts) -> bool {
    parts.intersects(INSIDE)
}

/// Notes that nobody could go in.
pub(super) fn denied(parts: Parts, error: &std::io::Error, reading: &mut Reading) {
    let of = |name: &str| match name {
        "routes" | "rules" | "sysctls" => Parts::ROUTES,
        "neighbours" | "fdb" => Parts::NEIGHBOURS,
        "netfilter" => Parts::NETFILTER,
        "listeners" => Parts::LISTENERS,
        _ => Parts::CONNTRACK,
    };
    for part in PARTS.into_iter().filter(|p| parts.contains(of(p))) {
        reading.gap(part, error);
    }
}

/// Links and addresses of the namespace of this very thread, for a reader that has no observer.
pub(super) fn own(reading: &mut Reading) {
    match Socket::open(Protocol::Route) {
        Ok(mut socket) => {
            let links = socket.dump(Request::from(rtnl::get_links(None)));
            reading.links = reading.part("links", decode(links, |m| rtnl::link(&m)));
            for ipv6 in [false, true] {
                let replies = socket.dump(Request::from(rtnl::get_addresses(None, ipv6)));
                let all = reading.part("addresses", decode(replies, |m| rtnl::address(&m)));
                reading.namespace.addresses.extend(all);
            }
        }
        Err(error) => reading.gap("links", error),
    }
}

/// Reads the parts.
pub(super) fn read(parts: Parts, present: &Present, settings: &mut Source, reading: &mut Reading) {
    if parts.intersects(Parts::ROUTES.union(Parts::NEIGHBOURS).union(Parts::NETFILTER)) {
        match Socket::open(Protocol::Route) {
            Ok(mut socket) => by_route_socket(parts, &mut socket, settings, reading),
            Err(error) => denied(parts, &error.into(), reading),
        }
    }
    if parts.contains(Parts::NETFILTER) {
        netfilter::rules(present, reading);
    }
    if parts.contains(Parts::CONNTRACK) {
        netfilter::connections(present, reading);
    }
    if parts.contains(Parts::LISTENERS) {
        listener::read(reading);
    }
}

fn by_route_socket(
    parts: Parts,
    socket: &mut Socket,
    settings: &mut Source,
    reading: &mut Reading,
) {
    if parts.contains(Parts::ROUTES) {
        for ipv6 in [false, true] {
            routes(socket, ipv6, reading);
        }
        rules(socket, reading);
        match settings.read(socket) {
            Ok(sysctls) => reading.namespace.sysctls = sysctls,
            Err(error) => reading.gap("sysctls", error),
        }
    }
    if parts.contains(Parts::NEIGHBOURS) {
        neighbours(socket, reading);
        // Other links have entries too (`self`, their own filters), which decide nothing.
        let has_fdb = |l: &rtnl::RawLink| {
            matches!(l.link.kind, LinkKind::Bridge(_) | LinkKind::Vxlan(_) | LinkKind::Macvlan(_))
        };
        if reading.links.iter().any(has_fdb) {
            let replies = socket.dump(Request::from(rtnl::get_fdb()));
            reading.namespace.fdb = reading.part("fdb", decode(replies, |m| rtnl::fdb(&m)));
        }
    }
    if parts.contains(Parts::NETFILTER) {
        let replies = socket.dump(Request::from(rtnl::get_qdiscs()));
        let qdiscs = reading.part("qdiscs", decode(replies, |m| rtnl::qdisc(&m)));
        reading.hooked.extend(qdiscs.iter().filter(|q| q.is_hook()).map(|q| q.link));
    }
}

fn routes(socket: &mut Socket, ipv6: bool, reading: &mut Reading) {
    let replies = socket.dump(Request::from(rtnl::get_routes(ipv6)));
    let raw = reading.part("routes", decode(replies, |m| rtnl::route(&m)));
    for rtnl::RawRoute { route, unmodelled } in raw {
        if let Some(what) = unmodelled {
            let text = format!("a route to {} {what}", route.dst);
            reading.namespace.opaque.push(model::Opaque::Other(text));
        }
        reading.namespace.routes.push(route);
    }
}

fn rules(socket: &mut Socket, reading: &mut Reading) {
    let replies = socket.dump(Request::from(rtnl::get_rules()));
    let raw = reading.part("rules", decode(replies, |m| rtnl::rule(&m)));
    let (six, four): (Vec<_>, Vec<_>) = raw.into_iter().partition(|r| r.ipv6);
    reading.namespace.rules = four.into_iter().map(|r| r.rule).collect();
    let defaults = Rule::defaults();
    if six.iter().any(|r| !defaults.contains(&r.rule)) {
        reading.gap("IPv6 rules", "there are some, and only IPv4 rules are modelled");
    }
}

fn neighbours(socket: &mut Socket, reading: &mut Reading) {
    for proxy in [false, true] {
        let replies = socket.dump(Request::from(rtnl::get_neighbours(proxy)));
        let all = reading.part("neighbours", decode(replies, |m| rtnl::neighbour(&m)));
        reading.namespace.neighbours.extend(all);
    }
}

/// The decoded messages, and whether they are of one moment.
fn decode<T>(
    replies: Result<Replies, NetlinkError>,
    one: impl Fn(rtnl::Message<'_>) -> Option<T>,
) -> Result<(Vec<T>, bool), NetlinkError> {
    let replies = replies?;
    Ok((replies.messages().filter_map(one).collect(), replies.consistent))
}
