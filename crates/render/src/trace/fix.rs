use std::net::IpAddr;

use model::{Expr, Link, LinkId, LinkKind, Namespace, NsId, Snapshot};
use walk::{ChainRef, Loss, Packet, Reason, RuleRef};

use crate::words as w;

/// The smallest change that lets a lost packet pass: a command where there is one, else what a
/// person has to do.
///
/// `router` is the link by which the last router on the way there sent the packet.
pub(crate) fn fix(
    snapshot: &Snapshot,
    loss: &Loss,
    packet: &Packet,
    router: Option<LinkId>,
) -> String {
    let ns = ns_name(snapshot, loss.ns);
    let link = loss.link.map_or_else(|| "LINK".to_owned(), |l| link_name(snapshot, l));
    let here = |command: String| format!("nestwork exec {ns} {command}");
    match &loss.reason {
        Reason::NoRoute(ip) => match gateways(snapshot, loss.ns, None)
            .iter()
            .find(|(gateway, _)| gateway.is_ipv4() == ip.is_ipv4())
        {
            Some((gateway, dev)) => here(format!("ip route add default via {gateway} dev {dev}")),
            None => here(format!("ip route add {ip} via GATEWAY dev LINK")),
        },
        Reason::RoutingRule(r) => here(format!("ip rule del pref {}", r.priority)),
        Reason::RouteRefuses(r) => here(format!("ip route del {}", w::prefix(&r.dst))),
        Reason::ForwardingOff if packet.is_ipv6() => {
            here("sysctl -w net.ipv6.conf.all.forwarding=1".into())
        }
        Reason::ForwardingOff => here("sysctl -w net.ipv4.ip_forward=1".into()),
        Reason::ReversePath { .. } => here(format!("sysctl -w net.ipv4.conf.{link}.rp_filter=2")),
        Reason::OwnSource => {
            let dev = owner_of(snapshot, loss.ns, packet.src);
            here(format!("ip addr del {} dev {}", dev.0, dev.1))
        }
        Reason::Martian if packet.is_ipv6() => {
            format!("send it with another address than {} → {}", packet.src, packet.dst)
        }
        Reason::Martian => here(format!("sysctl -w net.ipv4.conf.{link}.route_localnet=1")),
        Reason::RuleDrop(r) | Reason::RuleReject(r, _) => here(delete_rule(snapshot, r)),
        Reason::PolicyDrop(c) => here(accept(snapshot, c, packet)),
        Reason::DeadEnd { ip } => match bridge_towards(snapshot, loss.ns, *ip) {
            Some(bridge) if !w::has_address(snapshot, loss) => {
                here(format!("ip link set {link} master {bridge}"))
            }
            _ => here(format!("ip addr add {ip}/PREFIX dev {link}")),
        },
        Reason::NoWayBack { src } => {
            let out = router.or(loss.link);
            let (ns, dev) = out
                .map_or((ns.clone(), link), |l| (ns_name(snapshot, l.ns), link_name(snapshot, l)));
            let rule = format!("POSTROUTING -s {src} -o {dev} -j MASQUERADE");
            let iptables = iptables(packet.is_ipv6());
            format!("nestwork exec {ns} {iptables} -t nat -A {rule}")
        }
        Reason::LinkDown => here(format!("ip link set {link} up")),
        Reason::NoCarrier => no_carrier(snapshot, loss, &link),
        Reason::PeerDown(peer) => up(snapshot, *peer),
        Reason::NoNeighbour { because: Some(inner), .. } => fix(snapshot, inner, packet, router),
        Reason::NoNeighbour { ip, .. } => no_neighbour(snapshot, loss, *ip, &link),
        Reason::DuplicateAddress { ip, owners } => match owners.last() {
            Some((l, _)) => {
                let (net, dev) = owner_of(snapshot, l.ns, *ip);
                format!("nestwork exec {} ip addr del {net} dev {dev}", ns_name(snapshot, l.ns))
            }
            None => format!("give {ip} to one link only"),
        },
        Reason::TooBig { .. } => here(format!("ip link set {link} mtu {}", packet.len)),
        Reason::TtlExpired => "send it with a larger time to live, if its way is no circle".into(),
        Reason::PortBlocked(p) => {
            here(format!("bridge link set dev {} state 3", link_name(snapshot, *p)))
        }
        Reason::PortLocked(p) => {
            let (mac, port) = (packet.src_mac.unwrap_or_default(), link_name(snapshot, *p));
            here(format!("bridge fdb replace {mac} dev {port} master static"))
        }
        Reason::NoHairpin(p) => {
            here(format!("bridge link set dev {} hairpin on", link_name(snapshot, *p)))
        }
        Reason::Isolated(p) => {
            here(format!("bridge link set dev {} isolated off", link_name(snapshot, *p)))
        }
        Reason::NoPort => no_port(snapshot, loss, &link),
        Reason::NotOurMac(_) => not_our_mac(snapshot, loss, &link),
        Reason::WrongPlace { .. } => {
            format!("give {} to one namespace only, or translate it on its way", packet.dst)
        }
        Reason::AnswerMismatch { .. } => {
            "let the answer pass where its packet was translated, so that it is translated back"
                .into()
        }
        Reason::NoSource => "give the link that it is sent by an address".into(),
        Reason::MasqueradeMoved { from } => {
            let (src, from) = (packet.src, link_name(snapshot, *from));
            here(format!("iptables -t nat -I POSTROUTING -s {src} -o {from} -j ACCEPT"))
        }
        Reason::NoMasqueradeAddress => here(format!("ip addr add ADDRESS/LENGTH dev {link}")),
        Reason::Ipv6Disabled => match loss.link.and_then(|l| snapshot.link(l)) {
            Some(l) if l.mtu < 1280 => here(format!("ip link set {link} mtu 1280")),
            _ => here(format!("sysctl -w net.ipv6.conf.{link}.disable_ipv6=0")),
        },
        Reason::BeyondScope => format!("send it from a global address, not from {}", packet.src),
        Reason::NoLinkLocal => here(format!("ip addr add fe80::1/64 dev {link} nodad")),
        Reason::EchoIgnored if packet.is_ipv6() => {
            here("sysctl -w net.ipv6.icmp.echo_ignore_all=0".into())
        }
        Reason::EchoIgnored => here("sysctl -w net.ipv4.icmp_echo_ignore_all=0".into()),
    }
}

fn up(snapshot: &Snapshot, link: LinkId) -> String {
    let (ns, name) = (ns_name(snapshot, link.ns), link_name(snapshot, link));
    format!("nestwork exec {ns} ip link set {name} up")
}

/// A veth has no carrier while its other end is down; anything else needs its cable.
fn no_carrier(snapshot: &Snapshot, loss: &Loss, link: &str) -> String {
    let peer = loss.link.and_then(|l| snapshot.link(l)).and_then(Link::peer);
    match peer {
        Some(peer) => up(snapshot, peer),
        None => format!("plug in what {link} is to be connected to"),
    }
}

/// The link's addresses, in CIDR form, and its name, where that address is.
fn owner_of(snapshot: &Snapshot, ns: NsId, ip: IpAddr) -> (String, String) {
    let found = snapshot
        .namespaces
        .get(&ns)
        .and_then(|n| n.addresses.iter().find(|a| a.ip() == ip).map(|a| (n, a)));
    match found {
        Some((n, a)) => (a.net.to_string(), dev_name(n, a.link)),
        None => (ip.to_string(), "LINK".to_owned()),
    }
}

/// Routers that a link of this namespace could reach: forwarding namespaces with an address in
/// the subnet of one of its own.
fn gateways(snapshot: &Snapshot, ns: NsId, link: Option<u32>) -> Vec<(IpAddr, String)> {
    let Some(here) = snapshot.namespaces.get(&ns) else { return Vec::new() };
    let own = here.addresses.iter().filter(|a| link.is_none_or(|l| a.link == l));
    let mut found = Vec::new();
    for a in own.filter(|a| !a.ip().is_loopback()) {
        for other in snapshot.namespaces.values().filter(|o| o.id != ns) {
            for b in other.addresses.iter().filter(|b| a.net.contains(&b.ip())) {
                let forwards = match b.ip() {
                    IpAddr::V4(_) => other.sysctls.ip_forward,
                    IpAddr::V6(_) => other.sysctls.ipv6_forwarding,
                };
                if b.ip() != a.ip() && forwards {
                    found.push((b.ip(), dev_name(here, a.link)));
                }
            }
        }
    }
    found
}

/// Nobody has the next hop's address: another gateway, or another link.
fn no_neighbour(snapshot: &Snapshot, loss: &Loss, ip: IpAddr, link: &str) -> String {
    let ns = ns_name(snapshot, loss.ns);
    let is_gateway = snapshot
        .namespaces
        .get(&loss.ns)
        .is_some_and(|n| n.routes.iter().flat_map(|r| &r.nexthops).any(|h| h.gateway == Some(ip)));
    if !is_gateway {
        return format!("give {ip} to a link that {ns}:{link} reaches, and bring it up");
    }
    let other = gateways(snapshot, loss.ns, loss.link.map(|l| l.index));
    let gateway = match other.iter().find(|(g, _)| *g != ip && g.is_ipv4() == ip.is_ipv4()) {
        Some((g, _)) => g.to_string(),
        None => "GATEWAY".to_owned(),
    };
    format!("nestwork exec {ns} ip route replace default via {gateway} dev {link}")
}

/// How a rule is deleted with the tool that wrote it.
fn delete_rule(snapshot: &Snapshot, r: &RuleRef) -> String {
    let c = &r.chain;
    match (is_iptables(snapshot, c), c.family) {
        (true, family @ (model::Family::Ip | model::Family::Ip6)) => {
            let iptables = iptables(family == model::Family::Ip6);
            format!("{iptables}{} -D {} {}", table_option(&c.table), sh(&c.chain), r.number)
        }
        _ => {
            let (family, table, chain) = (c.family.as_str(), sh(&c.table), sh(&c.chain));
            format!("nft delete rule {family} {table} {chain} handle {}", r.handle)
        }
    }
}

/// A rule that accepts just this packet's addresses.
fn accept(snapshot: &Snapshot, c: &ChainRef, p: &Packet) -> String {
    let (src, dst) = (p.src, p.dst);
    if is_iptables(snapshot, c) && matches!(c.family, model::Family::Ip | model::Family::Ip6) {
        let (table, chain) = (table_option(&c.table), sh(&c.chain));
        let iptables = iptables(p.is_ipv6());
        return format!("{iptables}{table} -I {chain} -s {src} -d {dst} -j ACCEPT");
    }
    let ip = if p.is_ipv6() { "ip6" } else { "ip" };
    let (family, table, chain) = (c.family.as_str(), sh(&c.table), sh(&c.chain));
    format!("nft insert rule {family} {table} {chain} {ip} saddr {src} {ip} daddr {dst} accept")
}

const fn iptables(ipv6: bool) -> &'static str {
    if ipv6 { "ip6tables" } else { "iptables" }
}

/// ` -t nat`; nothing for the table that iptables takes by itself.
fn table_option(table: &str) -> String {
    if table == "filter" { String::new() } else { format!(" -t {table}") }
}

/// Whether iptables-nft wrote this table: its built-in names, and rules with xtables parts.
fn is_iptables(snapshot: &Snapshot, c: &ChainRef) -> bool {
    let known = ["filter", "nat", "mangle", "raw", "security"].contains(&c.table.as_str());
    let table = snapshot.namespaces.get(&c.ns).and_then(|n| n.ruleset.table(c.family, &c.table));
    known
        && table.is_some_and(|t| {
            let xt = |e: &Expr| matches!(e, Expr::Match(_) | Expr::Target(_));
            t.chains.iter().any(|c| {
                ["INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING"]
                    .contains(&c.name.as_str())
                    || c.rules.iter().any(|r| r.compat.is_some() || r.exprs.iter().any(xt))
            })
        })
}

/// A bridge with nobody else on it: one of the loose links here should be its port.
fn no_port(snapshot: &Snapshot, loss: &Loss, bridge: &str) -> String {
    let ns = ns_name(snapshot, loss.ns);
    let loose: Vec<String> = snapshot.namespaces.get(&loss.ns).map(loose_links).unwrap_or_default();
    match loose.as_slice() {
        [one] => format!("nestwork exec {ns} ip link set {one} master {bridge}"),
        many => {
            format!("nestwork exec {ns} ip link set LINK master {bridge}{}", choice("LINK", many))
        }
    }
}

/// A frame for somebody else came to a plain link: it should be a port of a bridge.
fn not_our_mac(snapshot: &Snapshot, loss: &Loss, link: &str) -> String {
    let ns = ns_name(snapshot, loss.ns);
    let bridges: Vec<String> = snapshot
        .namespaces
        .get(&loss.ns)
        .into_iter()
        .flat_map(|n| n.links.values())
        .filter(|l| matches!(l.kind, LinkKind::Bridge(_)))
        .map(|l| sh(&l.name))
        .collect();
    match bridges.as_slice() {
        [one] => format!("nestwork exec {ns} ip link set {link} master {one}"),
        many => {
            format!("nestwork exec {ns} ip link set {link} master BRIDGE{}", choice("BRIDGE", many))
        }
    }
}

fn choice(word: &str, names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("   ({word}: {})", names.join(" or ")) }
}

/// Links that are ports of nothing and have no address: what somebody forgot to connect.
fn loose_links(ns: &Namespace) -> Vec<String> {
    ns.links
        .values()
        .filter(|l| l.master.is_none() && l.is_up() && ns.addresses_of(l.index).next().is_none())
        .filter(|l| matches!(l.kind, LinkKind::Veth | LinkKind::Physical | LinkKind::Tap(_)))
        .map(|l| sh(&l.name))
        .collect()
}

/// The bridge of a namespace that an address most likely is behind: the one with an address in
/// its subnet, else the only one.
fn bridge_towards(snapshot: &Snapshot, ns: NsId, ip: IpAddr) -> Option<String> {
    let ns = snapshot.namespaces.get(&ns)?;
    let bridges = || ns.links.values().filter(|l| matches!(l.kind, LinkKind::Bridge(_)));
    let near = bridges()
        .find(|l| ns.addresses_of(l.index).any(|a| a.net.contains(&ip)))
        .or_else(|| bridges().next().filter(|_| bridges().count() == 1))?;
    // A bridge on the way to it that has lost its other port is where the link belongs.
    let leads_there = |l: &&Link| {
        let mut ports = ns.ports(l.index);
        let (Some(port), None) = (ports.next(), ports.next()) else { return false };
        let peer = port.peer().filter(|p| p.ns == ns.id).and_then(|p| ns.links.get(&p.index));
        peer.is_some_and(|p| p.master == Some(near.index))
    };
    let mut open = bridges().filter(leads_there);
    let bridge = match (open.next(), open.next()) {
        (Some(only), None) => only,
        _ => near,
    };
    Some(sh(&bridge.name))
}

/// A name as a word of a shell's command line. Links and namespaces are named by whoever is inside
/// a container, and the command is made to be pasted.
fn sh(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:/@+".contains(c);
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', "'\\''"))
}

fn ns_name(snapshot: &Snapshot, id: NsId) -> String {
    sh(&snapshot.name_of(id))
}

fn link_name(snapshot: &Snapshot, id: LinkId) -> String {
    sh(&w::link(snapshot, id))
}

fn dev_name(ns: &Namespace, index: u32) -> String {
    sh(&w::dev(ns, index))
}
