//! Addresses, routes and routing rules as `ip` writes them.

use std::fmt::Write as _;

use ipnet::IpNet;
use model::{
    Address, Namespace, Nexthop, Protocol, Route, RouteKind, RouteMetrics, Rule, RuleAction, Scope,
    TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN,
};

use super::{dev, ip_protocol};

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
    for (name, _) in a.flags.iter_names() {
        let _ = write!(text, " {}", name.to_lowercase());
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
    text.push_str(&metrics(&r.metrics));
}

/// ` mtu lock 1400 advmss 1000 hoplimit 5`, or nothing.
pub(crate) fn metrics(of: &RouteMetrics) -> String {
    let lock = if of.mtu_locked { "lock " } else { "" };
    let mtu = of.mtu.map(|mtu| format!(" mtu {lock}{mtu}"));
    let advmss = of.advmss.map(|size| format!(" advmss {size}"));
    let hop_limit = of.hop_limit.map(|limit| format!(" hoplimit {limit}"));
    [mtu, advmss, hop_limit].into_iter().flatten().collect()
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
        RouteKind::Anycast => "anycast".into(),
        RouteKind::Other(n) => format!("type {n}"),
    }
}

fn protocol(p: Protocol) -> String {
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

fn scope(s: Scope) -> String {
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

/// The same, among rules of both families.
pub(crate) fn ip_rule_of(r: &Rule) -> String {
    format!("{}{}", if r.ipv6 { "(IPv6) " } else { "" }, ip_rule(r))
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
    for (word, value, mask) in
        [("sport", r.sport, r.port_masks.0), ("dport", r.dport, r.port_masks.1)]
    {
        let _ = match (value, mask) {
            (Some((a, _)), Some(mask)) => write!(text, " {word} {a:#x}/{mask:#x}"),
            (Some((a, b)), None) if a == b => write!(text, " {word} {a}"),
            (Some((a, b)), None) => write!(text, " {word} {a}-{b}"),
            (None, _) => Ok(()),
        };
    }
    if let Some(dscp) = r.dscp {
        let _ = write!(text, " dscp {dscp:#x}");
    }
    if let Some((first, last)) = r.uids {
        let _ = write!(text, " uidrange {first}-{last}");
    }
    if let Some(id) = r.tunnel {
        let _ = write!(text, " tun_id {id}");
    }
    for unknown in &r.unknown {
        let _ = write!(text, " [{unknown}]");
    }
    match r.action {
        RuleAction::Table(t) => _ = write!(text, " lookup {}", table(t)),
        RuleAction::Vrf => text.push_str(" lookup [l3mdev-table]"),
        RuleAction::Goto(p) => _ = write!(text, " goto {p}"),
        RuleAction::Nop => text.push_str(" nop"),
        RuleAction::Blackhole => text.push_str(" blackhole"),
        RuleAction::Unreachable => text.push_str(" unreachable"),
        RuleAction::Prohibit => text.push_str(" prohibit"),
    }
    if let Some(n) = r.suppress_prefixlength {
        let _ = write!(text, " suppress_prefixlength {}", n.saturating_sub(1));
    }
    if let Some(group) = r.suppress_ifgroup {
        let _ = write!(text, " suppress_ifgroup {group}");
    }
    text
}
