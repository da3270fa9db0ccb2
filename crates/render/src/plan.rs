use std::fmt::Write as _;

use model::{
    BondOption, BondRole, BondSpec, BridgeOption, Change, Fact, LinkSpec, LinkSpecKind, Pins,
    PortOption, PortSpec, WireguardSpec,
};

use crate::page::Page;
use crate::style::{Style, Tone};
use crate::words;

/// What would change, a line each, and a count.
#[must_use]
pub fn plan(changes: &[Change], style: &Style) -> String {
    let mut page = Page::new(style);
    let (mut make, mut alter, mut remove) = (0, 0, 0);
    for change in changes {
        let (count, tone, sign) = match change {
            Change::Make(_) => (&mut make, Tone::Good, "+ "),
            Change::Alter { .. } => (&mut alter, Tone::Doubt, "~ "),
            Change::Remove(_) => (&mut remove, Tone::Bad, "- "),
        };
        *count += 1;
        let (whom, what) = words_of(change);
        page.put(tone, sign).line(&format!("{whom}: {what}"));
    }
    if changes.is_empty() {
        page.line("nothing to do: all is as the file says");
    } else {
        page.line(&format!("{make} to make, {alter} to alter, {remove} to remove"));
    }
    page.finish()
}

/// One change: `+ pve1: bridge vmbr0`.
#[must_use]
pub fn change(change: &Change) -> String {
    let sign = match change {
        Change::Make(_) => '+',
        Change::Alter { .. } => '~',
        Change::Remove(_) => '-',
    };
    let (whom, what) = words_of(change);
    crate::clean(&format!("{sign} {whom}: {what}"))
}

/// `make`, `alter` or `remove`.
pub(crate) const fn action(change: &Change) -> &'static str {
    match change {
        Change::Make(_) => "make",
        Change::Alter { .. } => "alter",
        Change::Remove(_) => "remove",
    }
}

/// Whom a change is about, and what: `pve1` and `bridge vmbr0`, `pve1:veth1` and
/// `mtu 1500 → 1400`.
pub(crate) fn words_of(change: &Change) -> (String, String) {
    match change {
        Change::Make(fact) | Change::Remove(fact) => fact_words(fact),
        Change::Alter { from, to } => {
            if let (Fact::Link(from), Fact::Link(to)) = (from.as_ref(), to.as_ref()) {
                return (to.link.to_string(), link_difference(from, to));
            }
            let ((_, was), (whom, is)) = (fact_words(from), fact_words(to));
            (whom, difference(&was, &is))
        }
    }
}

/// `mac … → …, mtu 1500 → 1400`: each value of a link, or of its far end, that differs.
fn link_difference(from: &LinkSpec, to: &LinkSpec) -> String {
    let mut parts = pins_difference(&from.pins, &to.pins);
    match (&from.kind, &to.kind) {
        (LinkSpecKind::Veth(from), LinkSpecKind::Veth(to)) => {
            let far = pins_difference(&from.pins, &to.pins);
            parts.extend(far.into_iter().map(|part| format!("{} {part}", to.link)));
        }
        (LinkSpecKind::Bridge(from), LinkSpecKind::Bridge(to)) => {
            let word = |option: BridgeOption, value: Option<u32>| match (option.most(), value) {
                (None, Some(on)) => Some(if on == 0 { "off" } else { "on" }.to_owned()),
                (_, value) => value.map(|v| v.to_string()),
            };
            let both = |o: &BridgeOption| {
                changed(o.as_str(), word(*o, from.get(*o)), word(*o, to.get(*o)))
            };
            parts.extend(BridgeOption::ALL.iter().filter_map(both));
        }
        (LinkSpecKind::Bond(from), LinkSpecKind::Bond(to)) => {
            let both = |o: BondOption| {
                let word = |spec: &BondSpec| spec.get(o).map(|value| o.word(value));
                changed(o.as_str(), word(from), word(to))
            };
            parts.extend(BondOption::ALL.into_iter().filter_map(both));
        }
        (LinkSpecKind::Wireguard(from), LinkSpecKind::Wireguard(to)) => {
            parts.extend(wireguard_difference(from, to));
        }
        (LinkSpecKind::Macvlan { mode: from, .. }, LinkSpecKind::Macvlan { mode: to, .. }) => {
            parts.extend(changed("mode", Some(from.as_str()), Some(to.as_str())));
        }
        _ => {}
    }
    parts.join(", ")
}

fn pins_difference(from: &Pins, to: &Pins) -> Vec<String> {
    let names = |pins: &Pins| Some(pins.altnames.join(" ")).filter(|n| !n.is_empty());
    [
        changed("index", from.index, to.index),
        changed("mac", from.mac, to.mac),
        changed("mtu", from.mtu, to.mtu),
        changed("txqlen", from.txqlen, to.txqlen),
        changed("group", from.group, to.group),
        changed("altname", names(from), names(to)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// No key is among them.
fn wireguard_difference(from: &WireguardSpec, to: &WireguardSpec) -> Vec<String> {
    let mut parts = Vec::new();
    if to.listen_port != 0 {
        parts.extend(changed("port", Some(from.listen_port), Some(to.listen_port)));
    }
    parts.extend(changed("fwmark", Some(from.fwmark), Some(to.fwmark)));
    if from.public_key != to.public_key {
        parts.push("another key".to_owned());
    }
    let only = |spec: &WireguardSpec| WireguardSpec { peers: spec.peers.clone(), ..to.clone() };
    if !only(to).fits(&only(from)) {
        parts.push("other peers".to_owned());
    }
    parts
}

fn changed<T: PartialEq + ToString>(what: &str, from: Option<T>, to: Option<T>) -> Option<String> {
    let word = |value: &Option<T>| value.as_ref().map_or("none".to_owned(), ToString::to_string);
    (from != to).then(|| format!("{what} {} → {}", word(&from), word(&to)))
}

/// `mtu 1500 → 1400`: what both begin with is said once.
fn difference(was: &str, is: &str) -> String {
    let same = was
        .split_inclusive(' ')
        .zip(is.split_inclusive(' '))
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len())
        .sum::<usize>();
    format!("{}{} → {}", &was[..same], &was[same..], &is[same..])
}

/// Whom a fact is about, and what it says.
fn fact_words(fact: &Fact) -> (String, String) {
    match fact {
        Fact::Namespace(n) => {
            let mut what = "namespace".to_owned();
            if let Some(inside) = &n.inside {
                let _ = write!(what, " inside {inside}");
            }
            if let Some(map) = n.user {
                let _ = write!(what, ", unprivileged (uid {} and {} more)", map.first, map.count);
            }
            (n.name.clone(), what)
        }
        Fact::Nsid { ns, nsid, target } => (ns.clone(), format!("nsid {nsid} = {target}")),
        Fact::NsFile { ns, path, target } => (ns.clone(), format!("file {path} = {target}")),
        Fact::Link(spec) => (spec.link.ns.clone(), link_words(spec)),
        Fact::Cable(c) => (
            c.a.link.ns.clone(),
            match &c.b {
                Some(b) => format!("nic {} with a cable to {}", c.a.link.name, b.link),
                None => format!("nic {}", c.a.link.name),
            },
        ),
        Fact::Master { link, bridge, port } => (
            link.to_string(),
            match bridge {
                Some(bridge) => format!("port of {bridge}{}", port_words(port)),
                None => "port of no bridge".to_owned(),
            },
        ),
        Fact::Backup { link, port } => {
            (link.to_string(), format!("without carrier, {port} stands in"))
        }
        Fact::PortState { link, state } => (link.to_string(), format!("port {}", state.as_str())),
        Fact::BondPort { bond, role, port } => {
            let role = match role {
                BondRole::Primary => "primary",
                BondRole::Active => "active_slave",
            };
            (bond.to_string(), format!("{role} {port}"))
        }
        Fact::Up { link, up } => (link.to_string(), if *up { "up" } else { "down" }.to_owned()),
        Fact::Mtu { link, mtu } => (link.to_string(), format!("mtu {mtu}")),
        Fact::Address(a) => (a.link.to_string(), format!("address {}", a.net)),
        Fact::Route(r) => (r.ns.clone(), route_words(r)),
        Fact::Rule { ns, rule } => (ns.clone(), format!("rule {}", words::ip_rule_of(rule))),
        Fact::Neighbour { link, ip, mac } => (
            link.to_string(),
            match mac {
                Some(mac) => format!("neighbour {ip} is {mac}"),
                None => format!("neighbour {ip} is asked for"),
            },
        ),
        Fact::Proxy { link, ip } => (link.to_string(), format!("answers for {ip}")),
        Fact::Fdb { link, mac } => (link.to_string(), format!("{mac} is behind it")),
        Fact::Vlan { link, id, pvid, untagged } => {
            let more = [(*pvid, " pvid"), (*untagged, " untagged")];
            let more: String = more.iter().filter(|m| m.0).map(|m| m.1).collect();
            (link.to_string(), format!("in VLAN {id}{more}"))
        }
        Fact::Tc { link, tc } => {
            let (before, behind) = (tc.ingress.len(), tc.egress.len());
            (link.to_string(), format!("tc, {before} filters coming in, {behind} going out"))
        }
        Fact::Mdb { link, group } => (link.to_string(), format!("{group} is wanted behind it")),
        Fact::Sysctl { ns, key, value } => (ns.clone(), format!("sysctl {key} = {value}")),
        Fact::IpSet { ns, set } => {
            let (name, kind, entries) = (&set.name, &set.kind, set.entries.len());
            (ns.clone(), format!("ipset {name} {kind}, {entries} entries"))
        }
        Fact::Table { ns, table } => {
            let rules: usize = table.chains.iter().map(|c| c.rules.len()).sum();
            let (family, name, chains) = (table.family.as_str(), &table.name, table.chains.len());
            (ns.clone(), format!("table {family} {name}, {chains} chains, {rules} rules"))
        }
        Fact::Service { ns, spec } => (ns.clone(), service_words(spec)),
    }
}

fn link_words(spec: &LinkSpec) -> String {
    let name = &spec.link.name;
    match &spec.kind {
        LinkSpecKind::Veth(end) => format!("veth {name} ⇄ {}", end.link),
        LinkSpecKind::Bridge(_) => format!("bridge {name}"),
        LinkSpecKind::Tap => format!("tap {name}"),
        LinkSpecKind::Macvlan { lower, mode, .. } => {
            format!("macvlan {name} on {lower}, mode {}", mode.as_str())
        }
        LinkSpecKind::Vlan { lower, vlan } => {
            format!("vlan {name} on {lower}, {} id {}", vlan.protocol_name(), vlan.id)
        }
        LinkSpecKind::Ipvlan { lower, ipvlan } => {
            format!("ipvlan {name} on {lower}, mode {}", ipvlan.mode.as_str())
        }
        LinkSpecKind::Bond(spec) => format!("bond {name}, mode {}", spec.seen().mode().as_str()),
        LinkSpecKind::Vrf(vrf) => format!("vrf {name}, table {}", vrf.table),
        LinkSpecKind::Dummy => format!("dummy {name}"),
        LinkSpecKind::Ifb => format!("ifb {name}"),
        LinkSpecKind::Wireguard(spec) => match spec.peers.len() {
            1 => format!("wireguard {name}, 1 peer"),
            n => format!("wireguard {name}, {n} peers"),
        },
        LinkSpecKind::Vxlan(spec) => format!("vxlan {name}, vni {}", spec.vxlan.vni),
    }
}

fn port_words(port: &PortSpec) -> String {
    let word = |(option, value): (PortOption, u32)| {
        let name = option.as_str();
        match (option.most(), value) {
            (Some(_), value) => format!(", {name} {value}"),
            (None, 0) => format!(", {name} off"),
            (None, _) => format!(", {name} on"),
        }
    };
    port.said().map(word).collect()
}

fn route_words(r: &model::RouteSpec) -> String {
    let mut text = format!("route {}", words::prefix(&r.dst));
    if let Some(via) = r.via {
        let _ = write!(text, " via {via}");
    }
    if let Some(dev) = &r.dev {
        let _ = write!(text, " dev {dev}");
    }
    if r.metric != 0 {
        let _ = write!(text, " metric {}", r.metric);
    }
    text
}

fn service_words(spec: &model::ServiceSpec) -> String {
    let mut words = Vec::new();
    for (name, ports) in [("TCP", &spec.tcp), ("UDP echo", &spec.udp_echo)] {
        if !ports.is_empty() {
            let list: Vec<String> = ports.iter().map(u16::to_string).collect();
            words.push(format!("{name} {}", list.join(", ")));
        }
    }
    format!("answers {}", words.join(" and "))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use model::{BridgeSpec, LinkRef, NamespaceSpec, VethEnd};

    use super::*;

    fn link(ns: &str, name: &str, kind: LinkSpecKind) -> Fact {
        Fact::Link(LinkSpec { link: LinkRef::new(ns, name), kind, pins: Pins::default() })
    }

    #[test]
    fn a_line_each_and_a_count() {
        let veth = VethEnd {
            link: LinkRef::new("docker01", "eth0"),
            pins: Pins::default(),
            born_as: None,
        };
        let mtu = |mtu| Fact::Mtu { link: LinkRef::new("pve1", "veth111i0"), mtu };
        let changes = [
            Change::Make(Fact::Namespace(NamespaceSpec {
                name: "pve1".into(),
                ..Default::default()
            })),
            Change::Make(link("pve1", "vmbr0", LinkSpecKind::Bridge(BridgeSpec::default()))),
            Change::Make(link("pve1", "veth111i0", LinkSpecKind::Veth(veth))),
            Change::Alter { from: Box::new(mtu(1500)), to: Box::new(mtu(1400)) },
            Change::Remove(Fact::Up { link: LinkRef::new("pve1", "old0"), up: true }),
        ];
        assert_snapshot!(plan(&changes, &Style::default()), @r"
    + pve1: namespace
    + pve1: bridge vmbr0
    + pve1: veth veth111i0 ⇄ docker01:eth0
    ~ pve1:veth111i0: mtu 1500 → 1400
    - pve1:old0: up
    3 to make, 1 to alter, 1 to remove
    ");
        assert_snapshot!(plan(&[], &Style::default()), @"nothing to do: all is as the file says");
    }
}
