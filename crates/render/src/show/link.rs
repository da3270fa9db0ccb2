use model::{
    Bridge, BridgePort, Link, LinkId, LinkKind, Namespace, Neighbour, Relation, Snapshot, StpState,
};

use super::{fdb_line, mdb, section_if, sysctls};
use crate::page::Page;
use crate::style::Tone;
use crate::{map, words};

/// A link with what its namespace knows about it.
pub(super) fn one_link(page: &mut Page, snapshot: &Snapshot, ns: &Namespace, l: &Link) {
    let id = LinkId { ns: ns.id, index: l.index };
    page.wrapped(Tone::Title, &snapshot.link_name(id)).end();
    link(page, snapshot, ns, l);
    let by_link = |n: &&Neighbour| n.link == l.index;
    let lines: Vec<String> = ns.neighbours.iter().filter(by_link).map(words::neighbour).collect();
    section_if(page, "neighbours", &lines);
    let lines: Vec<String> = ns
        .fdb
        .iter()
        .filter(|e| !e.own && (e.link == l.index || e.master == Some(l.index)))
        .map(|e| fdb_line(ns, e))
        .collect();
    section_if(page, "forwarding database", &lines);
    section_if(page, "VLANs", &words::vlans(ns, |index| index == l.index));
    section_if(page, "multicast database", &mdb(ns, |index| index == l.index));
    let lines: Vec<String> = ns
        .routes
        .iter()
        .filter(|r| r.nexthops.iter().any(|h| h.link == l.index))
        .map(|r| format!("{}, table {}", words::route(ns, r), words::table(r.table)))
        .collect();
    section_if(page, "routes", &lines);
    section_if(page, "settings", &sysctls(ns, Some(l.index)));
    section_if(page, "stands under", &standing_on(snapshot, id));
}

/// The links, in whichever namespace, that stand on this one.
fn standing_on(snapshot: &Snapshot, id: LinkId) -> Vec<String> {
    let mut lines = Vec::new();
    for other in snapshot.namespaces.values() {
        for l in other.links.values().filter(|l| l.relation == Relation::Lower(id)) {
            lines.push(snapshot.link_name(LinkId { ns: other.id, index: l.index }));
        }
    }
    lines
}

/// A link in two or more lines: what it is joined to; what it is; its addresses.
pub(super) fn link(page: &mut Page, snapshot: &Snapshot, ns: &Namespace, l: &Link) {
    let mut title = format!("{}: {}", l.index, l.name);
    if let Some(text) = words::joined_to(snapshot, l) {
        title.push_str(&format!(" {text}"));
    } else if l.is_border() && l.is_running() {
        title.push_str(" ⇄ outside");
    }
    page.pad(2).hanging(Tone::Plain, &title, 5).end();
    page.pad(5);
    match words::trouble(l) {
        // Whether it has carrier was not told, nor anything else.
        _ if ns.gap("links").is_some() && l.is_up() => page.put(Tone::Plain, "up"),
        Some(trouble) => page.put(Tone::Bad, trouble),
        None => page.put(Tone::Plain, "up"),
    };
    if ns.gap("links").is_none() {
        page.hanging(Tone::Plain, &format!(", {}", link_facts(ns, l)), 5);
    }
    page.end();
    if matches!(l.kind, LinkKind::Bridge(_)) {
        page.item(5, &map::role(ns, l));
    }
    if let Some(alias) = &l.alias {
        page.item(5, &format!("alias {alias}"));
    }
    for line in l.wireguard().map(|own| words::wireguard(snapshot, ns, own)).unwrap_or_default() {
        page.item(5, &line);
    }
    if !l.queues.is_empty() {
        page.item(5, &format!("queue {}", words::queues(&l.queues)));
    }
    for line in l.tc.iter().flat_map(|tc| words::filters(ns, tc)) {
        page.item(5, &format!("tc {line}"));
    }
    for a in ns.addresses_of(l.index) {
        page.item(5, &words::address(a));
    }
}

fn link_facts(ns: &Namespace, l: &Link) -> String {
    let mut facts = vec![words::link_kind(ns, l)];
    match l.master.filter(|_| l.port.is_some()) {
        Some(bridge) => facts.push(format!("port of {}", words::dev(ns, bridge))),
        None => facts.extend(words::membership(ns, l)),
    }
    if let Some(port) = &l.port {
        facts.extend(port_flags(port));
    }
    match &l.kind {
        LinkKind::Bridge(b) => facts.extend(bridge_facts(ns, l, b)),
        _ => facts.extend(members(ns, l)),
    }
    facts.extend(l.mac.filter(|_| l.kind != LinkKind::Loopback).map(|m| m.to_string()));
    facts.push(format!("mtu {}", l.mtu));
    if !l.altnames.is_empty() {
        facts.push(format!("also {}", l.altnames.join(", ")));
    }
    facts.push(format!("state {}", l.state.as_str()));
    facts.push(format!("qdisc {}", l.qdisc));
    facts.extend(l.xdp.map(|program| match program {
        0 => "XDP program".to_owned(),
        number => format!("XDP program {number}"),
    }));
    facts.join(", ")
}

fn port_flags(p: &BridgePort) -> Vec<String> {
    [
        (p.hairpin, "hairpin"),
        (p.isolated, "isolated"),
        (!p.learning, "no learning"),
        (!p.flood, "no flooding"),
        (!p.bcast_flood, "no broadcast"),
        (!p.mcast_flood, "no multicast"),
        (p.neigh_suppress, "answers ARP"),
        (p.locked, "locked"),
        (p.mab, "MAC authentication bypass"),
        (p.proxy_arp, "proxy ARP"),
        (p.proxy_arp_wifi, "proxy ARP, wifi"),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .map(|(_, word)| word.to_owned())
    .collect()
}

/// The ports of a bond, the members of a VRF.
fn members(ns: &Namespace, l: &Link) -> Option<String> {
    let all: Vec<&str> = ns.members(l.index).map(|m| m.name.as_str()).collect();
    let word = if matches!(l.kind, LinkKind::Vrf(_)) { "members" } else { "ports" };
    match (all.is_empty(), &l.kind) {
        (false, _) => Some(format!("{word} {}", all.join(" "))),
        (true, LinkKind::Bond(_) | LinkKind::Vrf(_)) => Some(format!("no {word}")),
        (true, _) => None,
    }
}

fn bridge_facts(ns: &Namespace, l: &Link, b: &Bridge) -> Vec<String> {
    let ports: Vec<&str> = ns.ports(l.index).map(|p| p.name.as_str()).collect();
    let mut facts = vec![match ports.len() {
        0 => "no ports".to_owned(),
        _ => format!("ports {}", ports.join(" ")),
    }];
    facts.extend((b.stp != StpState::Off).then(|| "spanning tree".to_owned()));
    facts.extend(b.vlan_filtering.then(|| "VLAN filtering".to_owned()));
    facts.extend((b.fdb_max_learned != 0).then(|| format!("learns {} at most", b.fdb_max_learned)));
    facts.extend(b.nf_call_iptables.then(|| "iptables sees bridged packets".to_owned()));
    facts.extend(b.nf_call_ip6tables.then(|| "ip6tables sees bridged packets".to_owned()));
    facts
}
