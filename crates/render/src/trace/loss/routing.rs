use std::net::IpAddr;

use model::{Route, Rule};

use super::case::{Case, Said, said};
use crate::words as w;

fn short(c: Case<'_>, route: &Route) -> String {
    match c.snapshot.namespaces.get(&c.loss.ns) {
        Some(ns) => w::route_short(ns, route),
        None => w::prefix(&route.dst),
    }
}

pub(super) fn none(c: Case<'_>, ip: IpAddr) -> Said {
    said(format!("no route leads to {ip}"))
        .advise(c.here(format!("ip route add {ip} via GATEWAY dev LINK")))
}

pub(super) fn refuses(c: Case<'_>, route: &Route) -> Said {
    said(format!("a route refuses it: {}", short(c, route)))
}

pub(super) fn rule(rule: &Rule) -> Said {
    said(format!("a routing rule refuses it: {}", w::ip_rule(rule)))
}

pub(super) fn forwarding_off(c: Case<'_>) -> Said {
    let (dst, sysctl) = (c.packet.dst, w::forwarding(c.packet));
    said(format!("{dst} is not an address of this namespace, and it does not forward ({sysctl} 0)"))
}

pub(super) fn reverse_path(c: Case<'_>, rp_filter: u8, route: Option<&Route>) -> Said {
    let (link, src) = (c.link(), c.packet.src);
    let way = route.map_or_else(|| "does not exist".into(), |r| format!("is by {}", short(c, r)));
    said(format!("it came in by {link}, but the way back to {src} {way} (rp_filter {rp_filter})"))
}

pub(super) fn own_source(c: Case<'_>) -> Said {
    said(format!("its source {} is an address of this namespace itself", c.packet.src))
}

pub(super) fn martian(c: Case<'_>) -> Said {
    let (src, dst) = (c.packet.src, c.packet.dst);
    let said = said(format!("{src} → {dst} may not pass here (martian address)"));
    match c.packet.is_ipv6() {
        true => said.advise(format!("send it with another address than {src} → {dst}")),
        false => said,
    }
}

pub(super) fn one_host_to_many(c: Case<'_>) -> Said {
    let (dst, dev) = (c.packet.dst, c.dev());
    let family = if c.packet.is_ipv6() { "ipv6" } else { "ipv4" };
    let set = format!("{family}.conf.{dev}.drop_unicast_in_l2_multicast");
    said(format!("it is for {dst} alone, and came in a frame for many ({set} 1)"))
        .advise(c.here(format!("sysctl -w net.{set}=0")))
}

pub(super) fn ttl_expired() -> Said {
    said("its time to live has run out")
        .advise("send it with a larger time to live, if its way is no circle")
}

pub(super) fn no_source(c: Case<'_>) -> Said {
    said(format!("it comes from {}: its sender had no address to send it from", c.packet.src))
        .advise("give the link that it is sent by an address")
}

pub(super) fn beyond_scope(c: Case<'_>) -> Said {
    let src = c.packet.src;
    said(format!("its source {src} is an address of its link alone, and it would leave it"))
        .advise(format!("send it from a global address, not from {src}"))
}

pub(super) fn host_group(group: IpAddr) -> Said {
    said(format!("what is for {group} does not leave its sender (RFC 4291, 2.7)"))
        .advise("ask a group of the link: ff02::1 are all on it")
}

pub(super) fn no_route_for_groups(c: Case<'_>, group: IpAddr) -> Said {
    let why = "its sender gets a copy by a route for groups alone";
    said(format!("{why}, and {group} has gone by another"))
        .advise(c.here(format!("ip -6 route add multicast ff00::/8 dev {} table local", c.dev())))
}

pub(super) fn not_member(c: Case<'_>, group: IpAddr) -> Said {
    said(format!("nobody at {} is in the group {group}", c.link()))
        .advise(format!("have a process join {group} on {}", c.dev()))
}

pub(super) fn error_withheld(c: Case<'_>) -> Said {
    said("none of these messages are sent from here (icmp_msgs_per_sec 0, icmp_ratemask)")
        .advise(c.here("sysctl -w net.ipv4.icmp_msgs_per_sec=1000"))
}

pub(super) fn echo_ignored(c: Case<'_>) -> Said {
    let sysctl =
        if c.packet.is_ipv6() { "ipv6 icmp.echo_ignore_all" } else { "icmp_echo_ignore_all" };
    said(format!("echo requests are not answered here ({sysctl} 1)"))
}
