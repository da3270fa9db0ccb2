//! How single things are written: routes, neighbours, links, rules, as their own tools do.

mod bridge_table;
mod container;
mod kind;
mod origin;
mod route;
mod tc;
mod wireguard;

use std::fmt::Write as _;
use std::net::IpAddr;

use model::{
    FdbEntry, Found, IpSet, Link, LinkId, Namespace, Neighbour, NftRule, NsId, PortState, Relation,
    Snapshot, Table, Tuple,
};
use walk::{ChainRef, IcmpKind, Packet, Payload, RuleRef};

use crate::rule_text;

pub(crate) use bridge_table::{group, mdb, vlan, vlans};
pub(crate) use container::{container, known_by, listener, name, network, publish, what};
pub(crate) use kind::{kind_note, link_kind, membership};
pub(crate) use origin::{found, owner};
pub(crate) use route::{address, ip_rule, ip_rule_of, metrics, prefix, route, route_short, table};
pub(crate) use tc::{filter_lines, filter_ref, filter_text, filters, filters_of, queues};
pub(crate) use wireguard::{peer, peer_line, settings as wireguard_settings, wireguard};

/// The name of a link within its namespace.
pub(crate) fn link(snapshot: &Snapshot, id: LinkId) -> String {
    snapshot.link(id).map_or_else(|| format!("if{}", id.index), |l| l.name.clone())
}

/// The name of the link with that ifindex.
pub(crate) fn dev(ns: &Namespace, index: u32) -> String {
    ns.links.get(&index).map_or_else(|| format!("if{index}"), |l| l.name.clone())
}

/// What is known of a namespace beside its name, what matters most first: `unprivileged`,
/// `lab seed`, `inside docker01`, `pid 4711`.
pub(crate) fn about(snapshot: &Snapshot, ns: &Namespace) -> Vec<String> {
    let mut words = Vec::new();
    let is_viewer = snapshot.viewer == Some(ns.id);
    let parent = ns.parent.and_then(|p| snapshot.namespaces.get(&p));
    if is_viewer {
        words.push("this host".to_owned());
    }
    words.extend(published(ns));
    words.extend(ns.owner.unprivileged.then(|| "unprivileged".to_owned()));
    if let Some(parent) = parent.filter(|p| snapshot.viewer != Some(p.id)) {
        words.push(format!("inside {}", snapshot.name_of(parent.id)));
    }
    // Its lab is said once, where the lab begins.
    words.extend(
        ns.lab().filter(|l| parent.and_then(Namespace::lab) != Some(l)).map(|l| format!("lab {l}")),
    );
    match ns.processes.first() {
        Some(p) if !is_viewer => words.push(format!("pid {}", p.pid)),
        Some(_) => {}
        None if ns.found == [Found::Peer] => words.push("not visible".to_owned()),
        None => words.push("no process".to_owned()),
    }
    words
}

/// `publishes 8080 → 80/tcp`, of all containers in a namespace.
pub(crate) fn published(ns: &Namespace) -> Option<String> {
    let ports: Vec<String> = ns.containers.iter().flat_map(|c| &c.publishes).map(publish).collect();
    (!ports.is_empty()).then(|| format!("publishes {}", some(3, ports.into_iter())))
}

/// `0 = pve1`, `1 = alpine01`: its own table of nsids.
pub(crate) fn nsid_list(snapshot: &Snapshot, ns: &Namespace) -> Vec<String> {
    ns.nsids.iter().map(|(n, id)| format!("{n} = {}", snapshot.name_of(*id))).collect()
}

/// `guests hash:net timeout 60, 2 entries`.
pub(crate) fn ipset(set: &IpSet) -> String {
    let options = wire::ipset_text::options(set);
    let entries = match set.entries.len() {
        1 => "1 entry".to_owned(),
        n => format!("{n} entries"),
    };
    format!("{} {}, {entries}", set.name, format!("{} {options}", set.kind).trim_end())
}

/// The first few of many, and how many more there are.
pub(crate) fn some(most: usize, all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(most);
    let mut text = all.take(most).collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// `1 in docker01`: which numbers others have for it (`most` of them).
pub(crate) fn known_as(snapshot: &Snapshot, id: NsId, most: usize) -> String {
    let found = snapshot.namespaces.known_as(id);
    some(most, found.iter().map(|(owner, n)| format!("{n} in {}", snapshot.name_of(*owner))))
}

/// `down`, `no carrier`, or nothing for a link that works.
pub(crate) const fn trouble(link: &Link) -> Option<&'static str> {
    if !link.is_up() {
        return Some("down");
    }
    match (&link.port, link.is_running()) {
        (_, false) => Some("no carrier"),
        (Some(p), true) => match p.state {
            PortState::Forwarding => None,
            PortState::Disabled => Some("port disabled"),
            PortState::Listening => Some("listening"),
            PortState::Learning => Some("learning"),
            PortState::Blocking => Some("blocking"),
        },
        (None, true) => None,
    }
}

/// What a link is joined to, every end named: `⇄ docker01:vethc52438e, a port of docker0`.
pub(crate) fn joined_to(snapshot: &Snapshot, link: &Link) -> Option<String> {
    Some(match link.relation {
        Relation::None => return None,
        Relation::Peer(id) => format!("⇄ {}", far_end(snapshot, id)),
        Relation::Lower(id) => format!("on {}", far_end(snapshot, id)),
        Relation::Underlay(ns) => format!("over {}", snapshot.name_of(ns)),
        Relation::Unresolved(n) => {
            format!("⇄ a link in a namespace that is not visible (nsid {n})")
        }
    })
}

/// `docker01:vethc52438e, a port of docker0`.
fn far_end(snapshot: &Snapshot, id: LinkId) -> String {
    let mut text = snapshot.link_name(id);
    if let Some(link) = snapshot.link(id) {
        let ns = snapshot.namespaces.get(&id.ns);
        if let Some(bridge) = master_name(snapshot, id.ns, link).filter(|_| link.port.is_some()) {
            let _ = write!(text, ", a port of {bridge}");
        } else if let Some(membership) = ns.and_then(|ns| membership(ns, link)) {
            let _ = write!(text, ", {membership}");
        }
        if let Some(trouble) = trouble(link) {
            let _ = write!(text, " ({trouble})");
        }
    }
    text
}

/// The name of the link that it is a port or slave of.
pub(crate) fn master_name(snapshot: &Snapshot, ns: NsId, link: &Link) -> Option<String> {
    Some(dev(snapshot.namespaces.get(&ns)?, link.master?))
}

/// `icmp`, `tcp`, `udp`, or the number.
pub(crate) fn ip_protocol(n: u8) -> String {
    match n {
        1 => "icmp".into(),
        6 => "tcp".into(),
        17 => "udp".into(),
        58 => "icmpv6".into(),
        n => format!("protocol {n}"),
    }
}

/// `192.168.10.1 is 94:83:c4:3a:8f:1a (REACHABLE)`.
pub(crate) fn neighbour(n: &Neighbour) -> String {
    match n.mac {
        Some(mac) => format!("{} is {mac} ({})", n.ip, n.state.as_str()),
        None => format!("{} has no known address ({})", n.ip, n.state.as_str()),
    }
}

/// Why an FDB entry is there: `learned, seen 3 s ago`, `static`, `its own address`.
pub(crate) fn fdb_origin(e: &FdbEntry) -> String {
    match (e.local, e.is_static, e.age) {
        (true, ..) => "its own address".into(),
        (_, true, _) => "static".into(),
        (_, _, Some(age)) => format!("learned, seen {age} s ago"),
        (_, _, None) => "learned".into(),
    }
}

/// `172.17.0.2 → 203.0.113.10`, with ports where there are any.
pub(crate) fn flow(p: &Packet) -> String {
    match p.payload {
        // A tunnel's source port is not foretold.
        Payload::Udp { sport: 0, dport } => {
            format!("{} → {}", p.src, endpoint(p.dst, dport, p.payload.protocol()))
        }
        Payload::Tcp { .. } | Payload::Udp { .. } => tuple(&p.tuple()),
        Payload::Icmp { .. } | Payload::Other(_) => format!("{} → {}", p.src, p.dst),
    }
}

/// What IP calls the number of hops that a packet may still take.
pub(crate) const fn ttl(p: &Packet) -> &'static str {
    if p.is_ipv6() { "hlim" } else { "ttl" }
}

/// The setting that makes a namespace forward a packet.
pub(crate) const fn forwarding(p: &Packet) -> &'static str {
    if p.is_ipv6() { "ipv6 forwarding" } else { "ip_forward" }
}

/// `icmp echo request`, `tcp`, …
pub(crate) fn payload(p: &Packet) -> String {
    match p.payload {
        Payload::Tcp { flags, .. } if flags & 4 != 0 => "TCP reset".into(),
        Payload::Tcp { flags: 2, .. } => "TCP SYN".into(),
        Payload::Tcp { flags: 18, .. } => "TCP SYN-ACK".into(),
        Payload::Tcp { .. } => "TCP".into(),
        Payload::Udp { .. } => "UDP".into(),
        Payload::Icmp { kind, .. } => {
            format!("ICMP{} {}", if p.is_ipv6() { "v6" } else { "" }, icmp(kind, p.is_ipv6()))
        }
        Payload::Other(n) => format!("IP {}", ip_protocol(n)),
    }
}

fn icmp(kind: IcmpKind, ipv6: bool) -> String {
    match kind {
        IcmpKind::EchoRequest => "echo request".into(),
        IcmpKind::EchoReply => "echo reply".into(),
        IcmpKind::Unreachable(code) if ipv6 => unreachable_ipv6(code),
        IcmpKind::Unreachable(code) => unreachable(code),
        IcmpKind::TimeExceeded if ipv6 => "hop limit exceeded".into(),
        IcmpKind::TimeExceeded => "time exceeded".into(),
        IcmpKind::TooBig => "packet too big".into(),
        IcmpKind::Solicitation(ip) => format!("neighbour solicitation for {ip}"),
        IcmpKind::Advertisement(ip) => format!("neighbour advertisement of {ip}"),
        IcmpKind::Redirect => "redirect".into(),
    }
}

/// What an ICMPv6 message of type 1 says.
fn unreachable_ipv6(code: u8) -> String {
    match code {
        0 => "no route".into(),
        1 => "prohibited".into(),
        2 => "beyond scope of source address".into(),
        3 => "address unreachable".into(),
        4 => "port unreachable".into(),
        5 => "source address failed policy".into(),
        6 => "route rejected".into(),
        n => format!("unreachable, code {n}"),
    }
}

/// What an ICMP message of type 3 says.
fn unreachable(code: u8) -> String {
    match code {
        0 => "network unreachable".into(),
        1 => "host unreachable".into(),
        2 => "protocol unreachable".into(),
        3 => "port unreachable".into(),
        4 => "fragmentation needed".into(),
        9 | 10 | 13 => "prohibited".into(),
        n => format!("unreachable, code {n}"),
    }
}

/// `172.17.0.2:4000`; the port only where the protocol has one.
pub(crate) fn endpoint(ip: IpAddr, port: u16, protocol: u8) -> String {
    match (protocol, ip) {
        (6 | 17, IpAddr::V4(_)) => format!("{ip}:{port}"),
        (6 | 17, IpAddr::V6(_)) => format!("[{ip}]:{port}"),
        _ => ip.to_string(),
    }
}

/// Both ends of a tuple.
pub(crate) fn tuple(t: &Tuple) -> String {
    format!("{} → {}", endpoint(t.src, t.sport, t.protocol), endpoint(t.dst, t.dport, t.protocol))
}

/// What a link is and what it is joined to, on one line.
pub(crate) fn link_short(snapshot: &Snapshot, ns: &Namespace, l: &Link) -> String {
    let mut words = vec![link_kind(ns, l)];
    words.extend(trouble(l).map(str::to_owned));
    words.extend(master_name(snapshot, ns.id, l).map(|m| format!("port of {m}")));
    words.extend(l.mac.map(|m| m.to_string()));
    words.extend(ns.addresses_of(l.index).map(|a| a.net.to_string()));
    let joined = joined_to(snapshot, l).map(|j| format!("  {j}")).unwrap_or_default();
    words.join(", ") + &joined
}

/// The rule that a step speaks of, in the syntax of the tool that wrote it, if the Snapshot has
/// it.
pub(crate) fn find_rule(snapshot: &Snapshot, r: &RuleRef) -> Option<String> {
    let (table, rule) = rule_at(snapshot, r)?;
    Some(rule_text::rule_in(table, rule))
}

/// That rule, and its table.
pub(crate) fn rule_at<'s>(s: &'s Snapshot, r: &RuleRef) -> Option<(&'s Table, &'s NftRule)> {
    let ns = s.namespaces.get(&r.chain.ns)?;
    let table = ns.ruleset.table(r.chain.family, &r.chain.table)?;
    Some((table, table.chain(&r.chain.chain)?.rules.get(r.number.checked_sub(1)?)?))
}

/// On what it hangs which way is taken.
pub(crate) fn fork(snapshot: &Snapshot, fork: &walk::Fork) -> String {
    match fork {
        walk::Fork::Rule(rule) => rule_ref(snapshot, rule),
        walk::Fork::Bond { bond } => {
            format!("the ports of {}", link(snapshot, *bond))
        }
        walk::Fork::Route { ns, route } => {
            format!("the route to {} of {}", route.dst, snapshot.name_of(*ns))
        }
    }
}

/// `ip nat POSTROUTING`.
pub(crate) fn chain_ref(c: &ChainRef) -> String {
    format!("{} {} {}", c.family.as_str(), c.table, c.chain)
}

/// `ip nat POSTROUTING: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE`.
pub(crate) fn rule_ref(snapshot: &Snapshot, r: &RuleRef) -> String {
    let place = chain_ref(&r.chain);
    match find_rule(snapshot, r) {
        Some(rule) => format!("{place}: {rule}"),
        None => format!("{place}: rule {}", r.number),
    }
}

/// Whether the link of a loss has an address of its own.
pub(crate) fn has_address(snapshot: &Snapshot, loss: &walk::Loss) -> bool {
    let ns = snapshot.namespaces.get(&loss.ns);
    ns.zip(loss.link).is_some_and(|(ns, link)| ns.addresses_of(link.index).next().is_some())
}
