use std::fmt::Write as _;

use model::{
    BondOption, BondRole, BondSpec, BridgeOption, Change, Fact, LinkSpec, LinkSpecKind,
    NamespaceSpec, Pins, PortOption, PortSpec, WireguardSpec,
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
                let word = |spec: &BondSpec| spec.options.get(o).map(|value| o.word(value));
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
    (whom(fact), what(fact))
}

fn whom(fact: &Fact) -> String {
    match fact {
        Fact::Namespace(spec) => spec.name.clone(),
        Fact::Link(spec) => spec.link.ns.clone(),
        Fact::Cable(cable) => cable.a.link.ns.clone(),
        Fact::Address(spec) => spec.link.to_string(),
        Fact::Route(spec) => spec.ns.clone(),
        Fact::Nsid { ns, .. }
        | Fact::NsFile { ns, .. }
        | Fact::Rule { ns, .. }
        | Fact::AddressLabel { ns, .. }
        | Fact::Sysctl { ns, .. }
        | Fact::IpSet { ns, .. }
        | Fact::Table { ns, .. }
        | Fact::Service { ns, .. } => ns.clone(),
        Fact::Master { link, .. }
        | Fact::Backup { link, .. }
        | Fact::PortState { link, .. }
        | Fact::BondPort { bond: link, .. }
        | Fact::Up { link, .. }
        | Fact::Mtu { link, .. }
        | Fact::Neighbour { link, .. }
        | Fact::Proxy { link, .. }
        | Fact::Fdb { link, .. }
        | Fact::Vlan { link, .. }
        | Fact::Tc { link, .. }
        | Fact::Queue { link, .. }
        | Fact::Mdb { link, .. } => link.to_string(),
    }
}

fn what(fact: &Fact) -> String {
    match fact {
        Fact::Namespace(spec) => namespace_words(spec),
        Fact::Nsid { nsid, target, .. } => format!("nsid {nsid} = {target}"),
        Fact::NsFile { path, target, .. } => format!("file {path} = {target}"),
        Fact::Link(spec) => link_words(spec),
        Fact::Cable(cable) => {
            let to = cable.b.as_ref().map(|b| format!(" with a cable to {}", b.link));
            format!("nic {}{}", cable.a.link.name, to.unwrap_or_default())
        }
        Fact::Master { bridge: Some(bridge), port, .. } => {
            format!("port of {bridge}{}", port_words(port))
        }
        Fact::Master { bridge: None, .. } => "port of no bridge".to_owned(),
        Fact::Backup { port, .. } => format!("without carrier, {port} stands in"),
        Fact::PortState { state, .. } => format!("port {}", state.as_str()),
        Fact::BondPort { role: BondRole::Primary, port, .. } => format!("primary {port}"),
        Fact::BondPort { role: BondRole::Active, port, .. } => format!("active_slave {port}"),
        Fact::Up { up, .. } => if *up { "up" } else { "down" }.to_owned(),
        Fact::Mtu { mtu, .. } => format!("mtu {mtu}"),
        Fact::Address(spec) => format!("address {}", spec.net),
        Fact::Route(spec) => route_words(spec),
        Fact::Rule { rule, .. } => format!("rule {}", words::ip_rule_of(rule)),
        Fact::AddressLabel { net, dev, label, .. } => {
            let on = dev.as_ref().map(|dev| format!(" on {dev}")).unwrap_or_default();
            format!("label {label} for {net}{on}")
        }
        Fact::Neighbour { ip, mac: Some(mac), .. } => format!("neighbour {ip} is {mac}"),
        Fact::Neighbour { ip, mac: None, .. } => format!("neighbour {ip} is asked for"),
        Fact::Proxy { ip, .. } => format!("answers for {ip}"),
        Fact::Fdb { mac, .. } => format!("{mac} is behind it"),
        Fact::Vlan { id, pvid, untagged, .. } => {
            let pvid = if *pvid { " pvid" } else { "" };
            format!("in VLAN {id}{pvid}{}", if *untagged { " untagged" } else { "" })
        }
        Fact::Tc { tc, .. } => {
            let (before, behind) = (tc.ingress.len(), tc.egress.len());
            format!("tc, {before} filters coming in, {behind} going out")
        }
        Fact::Queue { queue, .. } => format!("queue {queue}"),
        Fact::Mdb { group, .. } => format!("{group} is wanted behind it"),
        Fact::Sysctl { key, value, .. } => format!("sysctl {key} = {value}"),
        Fact::IpSet { set, .. } => {
            format!("ipset {} {}, {} entries", set.name, set.kind, set.entries.len())
        }
        Fact::Table { table, .. } => {
            let rules: usize = table.chains.iter().map(|c| c.rules.len()).sum();
            let (family, name, chains) = (table.family.as_str(), &table.name, table.chains.len());
            format!("table {family} {name}, {chains} chains, {rules} rules")
        }
        Fact::Service { spec, .. } => service_words(spec),
    }
}

fn namespace_words(spec: &NamespaceSpec) -> String {
    let mut text = "namespace".to_owned();
    if let Some(inside) = &spec.inside {
        let _ = write!(text, " inside {inside}");
    }
    if let Some(map) = spec.user {
        let _ = write!(text, ", unprivileged (uid {} and {} more)", map.first, map.count);
    }
    text
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
    text.push_str(&words::metrics(&r.metrics));
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
    use model::{BridgeSpec, LinkRef, VethEnd};

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
