//! How single things are written: routes, neighbours, links, rules, as their own tools do.

use std::fmt::Write as _;
use std::net::IpAddr;

use ipnet::IpNet;
use model::{
    Address, FdbEntry, Link, LinkId, LinkKind, Namespace, Neighbour, Nexthop, NsId, PortState,
    Protocol, Relation, Route, RouteKind, Rule, RuleAction, Scope, Snapshot, TABLE_DEFAULT,
    TABLE_LOCAL, TABLE_MAIN, Tuple,
};
use walk::{IcmpKind, Packet, Payload, RuleRef};

use crate::rule_text;

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
    words.extend(ns.unprivileged.then(|| "unprivileged".to_owned()));
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
        None if ns.files.is_empty() => words.push("not visible".to_owned()),
        None => words.push("no process".to_owned()),
    }
    words
}

/// `0 = pve1`, `1 = alpine01`: its own table of nsids.
pub(crate) fn nsid_list(snapshot: &Snapshot, ns: &Namespace) -> Vec<String> {
    ns.nsids.iter().map(|(n, id)| format!("{n} = {}", snapshot.name_of(*id))).collect()
}

/// `1 in docker01`: which numbers others have for it.
pub(crate) fn known_as(snapshot: &Snapshot, id: NsId) -> String {
    let list: Vec<String> = snapshot
        .namespaces
        .values()
        .flat_map(|o| o.nsids.iter().filter(|(_, t)| **t == id).map(move |(n, _)| (o.id, n)))
        .map(|(owner, n)| format!("{n} in {}", snapshot.name_of(owner)))
        .collect();
    list.join(", ")
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
        if let Some(master) = master_name(snapshot, id.ns, link) {
            let _ = write!(text, ", a port of {master}");
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

/// An address as `ip` writes it, without what is usual.
pub(crate) fn address(a: &Address) -> String {
    let mut text = a.net.to_string();
    if let Some(peer) = a.peer {
        text = format!("{} peer {peer}/{}", a.ip(), a.net.prefix_len());
    }
    if let Some(brd) = a.broadcast {
        let _ = write!(text, " brd {brd}");
    }
    if a.scope != Scope::Global {
        let _ = write!(text, " scope {}", scope(a.scope));
    }
    if a.secondary {
        text.push_str(" secondary");
    }
    text
}

/// A prefix as `ip route` writes it.
pub(crate) fn prefix(net: &IpNet) -> String {
    match net {
        IpNet::V4(n) if n.prefix_len() == 0 => "default".to_owned(),
        IpNet::V6(n) if n.prefix_len() == 0 => "default".to_owned(),
        n if n.prefix_len() == n.max_prefix_len() => n.addr().to_string(),
        n => n.to_string(),
    }
}

/// A route as `ip route` writes it.
pub(crate) fn route(ns: &Namespace, r: &Route) -> String {
    let mut text = match r.kind {
        RouteKind::Unicast => String::new(),
        kind => format!("{} ", route_kind(kind)),
    };
    text.push_str(&prefix(&r.dst));
    if let Some(id) = r.nexthop_id {
        let _ = write!(text, " nhid {id}");
    }
    if let [one] = r.nexthops.as_slice() {
        nexthop(&mut text, ns, one);
    }
    route_tail(&mut text, r);
    if r.nexthops.len() > 1 {
        for hop in &r.nexthops {
            text.push_str(" nexthop");
            nexthop(&mut text, ns, hop);
            let _ = write!(text, " weight {}", hop.weight);
        }
    }
    text
}

fn nexthop(text: &mut String, ns: &Namespace, hop: &Nexthop) {
    if let Some(gateway) = hop.gateway {
        let _ = write!(text, " via {gateway}");
    }
    let _ = write!(text, " dev {}", dev(ns, hop.link));
    for (set, word) in [(hop.onlink, " onlink"), (hop.dead, " dead"), (hop.linkdown, " linkdown")] {
        text.push_str(if set { word } else { "" });
    }
}

fn route_tail(text: &mut String, r: &Route) {
    if !matches!(r.protocol, Protocol::Boot | Protocol::Unspec) {
        let _ = write!(text, " proto {}", protocol(r.protocol));
    }
    if r.scope != Scope::Global && r.kind == RouteKind::Unicast {
        let _ = write!(text, " scope {}", scope(r.scope));
    }
    if let Some(src) = r.prefsrc {
        let _ = write!(text, " src {src}");
    }
    if r.tos != 0 {
        let _ = write!(text, " tos {:#x}", r.tos);
    }
    if r.metric != 0 {
        let _ = write!(text, " metric {}", r.metric);
    }
    if let Some(mtu) = r.mtu {
        let _ = write!(text, " mtu {mtu}");
    }
}

/// `default via 192.168.10.1 dev eth0`: a route in as few words as tell it.
pub(crate) fn route_short(ns: &Namespace, r: &Route) -> String {
    let mut text = match r.kind {
        RouteKind::Unicast => String::new(),
        kind => format!("{} ", route_kind(kind)),
    };
    text.push_str(&prefix(&r.dst));
    for hop in &r.nexthops {
        nexthop(&mut text, ns, hop);
    }
    text
}

fn route_kind(kind: RouteKind) -> String {
    match kind {
        RouteKind::Unicast => "unicast".into(),
        RouteKind::Local => "local".into(),
        RouteKind::Broadcast => "broadcast".into(),
        RouteKind::Multicast => "multicast".into(),
        RouteKind::Blackhole => "blackhole".into(),
        RouteKind::Unreachable => "unreachable".into(),
        RouteKind::Prohibit => "prohibit".into(),
        RouteKind::Throw => "throw".into(),
        RouteKind::Other(n) => format!("type {n}"),
    }
}

pub(crate) fn protocol(p: Protocol) -> String {
    match p {
        Protocol::Unspec => "unspec".into(),
        Protocol::Redirect => "redirect".into(),
        Protocol::Kernel => "kernel".into(),
        Protocol::Boot => "boot".into(),
        Protocol::Static => "static".into(),
        Protocol::Dhcp => "dhcp".into(),
        Protocol::Ra => "ra".into(),
        Protocol::Other(n) => n.to_string(),
    }
}

pub(crate) fn scope(s: Scope) -> String {
    match s {
        Scope::Global => "global".into(),
        Scope::Site => "site".into(),
        Scope::Link => "link".into(),
        Scope::Host => "host".into(),
        Scope::Nowhere => "nowhere".into(),
        Scope::Other(n) => n.to_string(),
    }
}

/// `main`, `local`, or the number.
pub(crate) fn table(n: u32) -> String {
    match n {
        TABLE_MAIN => "main".into(),
        TABLE_LOCAL => "local".into(),
        TABLE_DEFAULT => "default".into(),
        n => n.to_string(),
    }
}

/// A routing rule as `ip rule` writes it.
pub(crate) fn ip_rule(r: &Rule) -> String {
    let mut text = format!("{}: ", r.priority);
    text.push_str(if r.invert { "not " } else { "" });
    let from = r.src.map_or_else(|| "all".to_owned(), |n| prefix(&n));
    let _ = write!(text, "from {from}");
    if let Some(to) = r.dst {
        let _ = write!(text, " to {}", prefix(&to));
    }
    if let Some((mark, mask)) = r.mark {
        let _ = write!(text, " fwmark {mark:#x}/{mask:#x}");
    }
    for (word, value) in [("iif", &r.iif), ("oif", &r.oif)] {
        if let Some(v) = value {
            let _ = write!(text, " {word} {v}");
        }
    }
    if r.tos != 0 {
        let _ = write!(text, " tos {:#x}", r.tos);
    }
    if let Some(p) = r.protocol {
        let _ = write!(text, " ipproto {}", ip_protocol(p));
    }
    for (word, value) in [("sport", r.sport), ("dport", r.dport)] {
        if let Some((a, b)) = value {
            let _ =
                if a == b { write!(text, " {word} {a}") } else { write!(text, " {word} {a}-{b}") };
        }
    }
    for unknown in &r.unknown {
        let _ = write!(text, " [{unknown}]");
    }
    match r.action {
        RuleAction::Table(t) => _ = write!(text, " lookup {}", table(t)),
        RuleAction::Goto(p) => _ = write!(text, " goto {p}"),
        RuleAction::Nop => text.push_str(" nop"),
        RuleAction::Blackhole => text.push_str(" blackhole"),
        RuleAction::Unreachable => text.push_str(" unreachable"),
        RuleAction::Prohibit => text.push_str(" prohibit"),
    }
    if let Some(n) = r.suppress_prefixlength {
        let _ = write!(text, " suppress_prefixlength {}", n.saturating_sub(1));
    }
    text
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
        Payload::Tcp { sport, dport, .. } | Payload::Udp { sport, dport } => {
            format!("{}:{sport} → {}:{dport}", p.src, p.dst)
        }
        Payload::Icmp { .. } | Payload::Other(_) => format!("{} → {}", p.src, p.dst),
    }
}

/// `icmp echo request`, `tcp`, …
pub(crate) fn payload(p: &Packet) -> String {
    match p.payload {
        Payload::Tcp { flags, .. } if flags & 4 != 0 => "TCP reset".into(),
        Payload::Tcp { flags: 2, .. } => "TCP SYN".into(),
        Payload::Tcp { flags: 18, .. } => "TCP SYN-ACK".into(),
        Payload::Tcp { .. } => "TCP".into(),
        Payload::Udp { .. } => "UDP".into(),
        Payload::Icmp { kind, .. } => match kind {
            IcmpKind::EchoRequest => "ICMP echo request".into(),
            IcmpKind::EchoReply => "ICMP echo reply".into(),
            IcmpKind::Unreachable(code) => format!("ICMP unreachable (code {code})"),
            IcmpKind::TimeExceeded => "ICMP time exceeded".into(),
        },
        Payload::Other(n) => format!("IP {}", ip_protocol(n)),
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

/// What `ip -d link` calls it, with what matters of its kind.
pub(crate) fn link_kind(l: &Link) -> String {
    match &l.kind {
        LinkKind::Macvlan(m) => format!("macvlan, mode {}", m.mode.as_str()),
        LinkKind::Vxlan(v) => {
            let mut text = format!("vxlan {}", v.vni);
            for (word, ip) in [("local", v.local), ("remote", v.remote)] {
                if let Some(ip) = ip {
                    let _ = write!(text, " {word} {ip}");
                }
            }
            let _ = write!(text, " port {}", v.port);
            text
        }
        LinkKind::Tap(t) => match &t.holder {
            Some(holder) => format!("{}, held by {holder}", l.kind.as_str()),
            None => l.kind.as_str().to_owned(),
        },
        LinkKind::Loopback
        | LinkKind::Physical
        | LinkKind::Veth
        | LinkKind::Bridge(_)
        | LinkKind::Other(_) => l.kind.as_str().to_owned(),
    }
}

/// The rule that a step speaks of, in the syntax of the tool that wrote it, if the Snapshot has
/// it.
pub(crate) fn find_rule(snapshot: &Snapshot, r: &RuleRef) -> Option<String> {
    let ns = snapshot.namespaces.get(&r.chain.ns)?;
    let table = ns.ruleset.table(r.chain.family, &r.chain.table)?;
    let rule = table.chain(&r.chain.chain)?.rules.get(r.number.checked_sub(1)?)?;
    Some(rule_text::rule_in(table, rule))
}

/// `ip nat POSTROUTING: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE`.
pub(crate) fn rule_ref(snapshot: &Snapshot, r: &RuleRef) -> String {
    let c = &r.chain;
    let place = format!("{} {} {}", c.family.as_str(), c.table, c.chain);
    match find_rule(snapshot, r) {
        Some(rule) => format!("{place}: {rule}"),
        None => format!("{place}: rule {}", r.number),
    }
}
