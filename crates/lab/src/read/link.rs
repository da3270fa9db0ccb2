//! `links:` of a namespace.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use model::{
    BridgeOption, BridgeSpec, Ipvlan, IpvlanFlag, IpvlanMode, Mac, MacvlanMode, PortOption,
    PortSpec, PortState, Scope, Vlan, Vrf,
};

use super::{
    Fields, bond, entries, flag, is_link_name, items, link_name, link_ref, number, parsed_in,
    route, tc, text, vxlan, wireguard,
};
use crate::error::{Errors, Problem, best};
use crate::file::{AddressEntry, Kind, LinkEntry};
use crate::node::{Node, Said, Value};

const COMMON: &[&str] = &[
    "kind",
    "mac",
    "mtu",
    "index",
    "txqlen",
    "group",
    "altnames",
    "up",
    "bridge",
    "vrf",
    "bond",
    "hairpin",
    "isolated",
    "learning",
    "flood",
    "mcast_flood",
    "bcast_flood",
    "neigh_suppress",
    "proxy_arp",
    "proxy_arp_wifi",
    "locked",
    "mab",
    "mcast_to_unicast",
    "mcast_router",
    "group_fwd_mask",
    "backup_port",
    "state",
    "addresses",
    "queue",
    "tc",
];
const KINDS: &[(&str, &[&str])] = &[
    ("veth", &["peer", "peer_bridge"]),
    (
        "bridge",
        &[
            "ports",
            "forward_delay",
            "ageing_time",
            "stp",
            "vlan_filtering",
            "default_pvid",
            "snooping",
            "query_response_interval",
            "querier",
            "no_linklocal_learn",
            "fdb_max_learned",
            "nf_call_iptables",
            "nf_call_arptables",
        ],
    ),
    ("tap", &[]),
    ("nic", &["cable"]),
    ("macvlan", &["lower", "mode", "sources"]),
    ("vlan", &["lower", "id", "protocol"]),
    ("ipvlan", &["lower", "mode", "flag"]),
    ("bond", bond::KEYS),
    ("vrf", &["table"]),
    ("dummy", &[]),
    ("ifb", &[]),
    ("vxlan", vxlan::KEYS),
    ("wireguard", wireguard::KEYS),
];
const MAC_HINT: &str = "six pairs of hexadecimal digits are wanted, as in 02:42:ac:11:00:02";

pub(super) fn links(node: &Node, ns: &str, errors: &mut Errors) -> Vec<LinkEntry> {
    let mut links = Vec::new();
    for (name, node) in entries(node, "links", errors) {
        if is_link_name(name, errors) {
            links.extend(link(name, node, ns, errors));
        }
    }
    links
}

fn link(name: &Said<String>, node: &Node, ns: &str, errors: &mut Errors) -> Option<LinkEntry> {
    let all: Vec<&str> =
        COMMON.iter().chain(KINDS.iter().flat_map(|(_, keys)| *keys)).copied().collect();
    let fields = Fields::open(node, "a link", &all, errors)?;
    let mut link = LinkEntry { at: name.at, name: name.what.clone(), ..LinkEntry::default() };
    let number_of = |key, low, high, errors: &mut Errors| {
        fields.get(key).and_then(|n| number(n, key, (low, high), errors))
    };
    link.kind = kind(&fields, ns, errors);
    link.mac = fields.get("mac").and_then(|n| mac(n, errors));
    link.mtu = number_of("mtu", 68, 65535, errors);
    link.index = number_of("index", 1, i32::MAX as u32, errors);
    link.txqlen = number_of("txqlen", 0, i32::MAX as u32, errors);
    link.group = number_of("group", 0, i32::MAX as u32, errors);
    link.up = fields.get("up").and_then(|n| flag(n, "up", errors));
    link.bridge = fields.get("bridge").and_then(|n| link_name(n, "bridge", errors));
    link.bond = fields.get("bond").and_then(|n| link_name(n, "bond", errors));
    link.vrf = fields.get("vrf").and_then(|n| link_name(n, "vrf", errors));
    link.port = port(&fields, matches!(link.kind, Some(Kind::Bridge { .. })), errors);
    link.backup = fields.get("backup_port").and_then(|n| link_name(n, "backup_port", errors));
    link.queue = tc::queue(&fields, errors);
    link.tc = tc::tc(&fields, errors);
    link.state = fields.get("state").and_then(|n| state(n, errors));
    if let Some(node) = fields.get("altnames") {
        for node in items(node, "altnames", errors) {
            link.altnames.extend(text(node, "altnames", errors));
        }
    }
    if let Some(node) = fields.get("addresses") {
        for node in items(node, "addresses", errors) {
            link.addresses.extend(address(node, errors));
        }
    }
    Some(link)
}

/// The Ethernet address of a neighbour: at times that of several, who share the work.
pub(super) fn neighbour_mac(node: &Node, errors: &mut Errors) -> Option<Mac> {
    let said = text(node, "mac", errors)?;
    let mac: Mac = parsed_in(&said, "MAC address", MAC_HINT, errors)?;
    if mac.is_group() { Some(mac) } else { mac_in(&said, errors) }
}

/// An Ethernet address of one device.
pub(super) fn mac(node: &Node, errors: &mut Errors) -> Option<Mac> {
    let said = text(node, "mac", errors)?;
    mac_in(&said, errors)
}

pub(super) fn mac_in(said: &Said<String>, errors: &mut Errors) -> Option<Mac> {
    let mac: Mac = parsed_in(said, "MAC address", MAC_HINT, errors)?;
    if mac.is_group() || mac.is_zero() {
        let hint = "a link's own address is neither zero nor a group (its first byte is even)";
        let (found, hint) = (said.what.clone(), hint.to_owned());
        errors.push(said.at, Problem::BadValue { what: "MAC address of a link", found, hint });
        return None;
    }
    Some(mac)
}

/// What is set on a port. Of a bridge, options of the same name are its own.
fn port(fields: &Fields<'_>, of_bridge: bool, errors: &mut Errors) -> PortSpec {
    let mut port = PortSpec::default();
    let own =
        |o: PortOption| of_bridge && BridgeOption::ALL.iter().any(|b| b.as_str() == o.as_str());
    for one in PortOption::ALL.into_iter().filter(|one| !own(*one)) {
        port.set(one, option(fields, one.as_str(), one.most(), errors));
    }
    // 01:80:c2:00:00:01 asks a neighbour to pause, and goes no further.
    let mask = PortOption::GroupFwdMask;
    port.set(mask, forwardable(fields, port.get(mask), 0b10, "bit 1 (value 2)", errors));
    port
}

/// A switch, or a number of at most so much.
fn option(
    fields: &Fields<'_>,
    key: &'static str,
    most: Option<u32>,
    errors: &mut Errors,
) -> Option<u32> {
    let node = fields.get(key)?;
    match most {
        Some(most) => number(node, key, (0, most), errors),
        None => flag(node, key, errors).map(u32::from),
    }
}

/// The kernel refuses to forward what some of the reserved addresses are for.
fn forwardable(
    fields: &Fields<'_>,
    mask: Option<u32>,
    never: u32,
    bits: &str,
    errors: &mut Errors,
) -> Option<u32> {
    let (mask, node) = mask.zip(fields.get("group_fwd_mask"))?;
    if mask & never == 0 {
        return Some(mask);
    }
    let hint = format!("the kernel forwards those of {bits} never: leave them out");
    let what = "mask of reserved addresses";
    errors.push(node.at, Problem::BadValue { what, found: mask.to_string(), hint });
    None
}

/// State of a port, as `bridge link` calls it.
fn state(node: &Node, errors: &mut Errors) -> Option<Said<PortState>> {
    let said = text(node, "state", errors)?;
    // Without a spanning tree, the kernel lets a blocking port forward at once.
    let lasting = PortState::ALL.into_iter().filter(|s| *s != PortState::Blocking);
    if let Some(state) = lasting.into_iter().find(|s| s.as_str() == said.what) {
        return Some(Said::new(said.at, state));
    }
    let hint = "there are disabled, listening, learning and forwarding".to_owned();
    errors.push(said.at, Problem::BadValue { what: "state of a port", found: said.what, hint });
    None
}

fn kind(fields: &Fields<'_>, ns: &str, errors: &mut Errors) -> Option<Kind> {
    let said = fields.get("kind").and_then(|n| text(n, "kind", errors));
    let Some(said) = said else {
        foreign(fields, "that another entry makes", &[], errors);
        return None;
    };
    let Some((name, keys)) = KINDS.iter().find(|(name, _)| *name == said.what) else {
        let names = KINDS.iter().map(|(name, _)| *name);
        let nearest = best(&said.what, names.clone()).map_or("", |(n, _)| n);
        let hint =
            format!("did you mean {nearest:?}? There are {}", names.collect::<Vec<_>>().join(", "));
        errors.push(said.at, Problem::BadValue { what: "kind of link", found: said.what, hint });
        return None;
    };
    foreign(fields, name, keys, errors);
    match *name {
        "veth" => veth(fields, ns, errors),
        "bridge" => Some(bridge(fields, errors)),
        "tap" => Some(Kind::Tap),
        "nic" => {
            let cable = fields.get("cable").filter(|n| n.what != Value::Null);
            Some(Kind::Nic { cable: cable.and_then(|n| link_ref(n, "cable", ns, errors)) })
        }
        "macvlan" => macvlan(fields, ns, errors),
        "vlan" => vlan(fields, ns, errors),
        "ipvlan" => ipvlan(fields, ns, errors),
        "bond" => Some(bond::bond(fields, errors)),
        "vrf" => vrf(fields, errors),
        "dummy" => Some(Kind::Dummy),
        "ifb" => Some(Kind::Ifb),
        "wireguard" => Some(wireguard::wireguard(fields, ns, errors)),
        _ => vxlan::vxlan(fields, errors),
    }
}

/// Keys of another kind.
fn foreign(fields: &Fields<'_>, kind: &'static str, keys: &[&str], errors: &mut Errors) {
    for key in KINDS.iter().flat_map(|(_, keys)| *keys).filter(|k| !keys.contains(k)) {
        if fields.get(key).is_some() {
            let key = (*key).to_owned();
            errors.push(fields.key_at(&key), Problem::KeyOfOtherKind { key, kind });
        }
    }
}

fn veth(fields: &Fields<'_>, ns: &str, errors: &mut Errors) -> Option<Kind> {
    let peer = fields.needed("peer", "it names the other end, NAMESPACE:LINK", errors)?;
    let peer = link_ref(peer, "peer", ns, errors)?;
    let peer_bridge = fields.get("peer_bridge").and_then(|n| link_name(n, "peer_bridge", errors));
    Some(Kind::Veth { peer, peer_bridge })
}

fn bridge(fields: &Fields<'_>, errors: &mut Errors) -> Kind {
    let mut ports = Vec::new();
    if let Some(node) = fields.get("ports") {
        for node in items(node, "ports", errors) {
            ports.extend(link_name(node, "ports", errors));
        }
    }
    let mut spec = BridgeSpec::default();
    for one in BridgeOption::ALL {
        spec.set(one, option(fields, one.as_str(), one.most(), errors));
    }
    let mask = BridgeOption::GroupFwdMask;
    spec.set(
        mask,
        forwardable(fields, spec.get(mask), 0b111, "bits 0 to 2 (values 1, 2, 4)", errors),
    );
    Kind::Bridge { ports, spec }
}

fn macvlan(fields: &Fields<'_>, ns: &str, errors: &mut Errors) -> Option<Kind> {
    let lower = fields.needed("lower", "it names the link below, [NAMESPACE:]LINK", errors)?;
    let lower = link_ref(lower, "lower", ns, errors)?;
    let mut sources = Vec::new();
    if let Some(node) = fields.get("sources") {
        for node in items(node, "sources", errors) {
            sources.extend(mac(node, errors));
        }
    }
    let mode = match fields.get("mode") {
        Some(node) => macvlan_mode(node, errors)?,
        None if sources.is_empty() => MacvlanMode::Bridge,
        None => MacvlanMode::Source,
    };
    Some(Kind::Macvlan { lower, mode, sources })
}

fn vlan(fields: &Fields<'_>, ns: &str, errors: &mut Errors) -> Option<Kind> {
    let lower = fields.needed("lower", "it names the link below, [NAMESPACE:]LINK", errors)?;
    let lower = link_ref(lower, "lower", ns, errors)?;
    let id = fields.needed("id", "it is the number in its frames' tags", errors)?;
    let id = u16::try_from(number(id, "id", (0, 4094), errors)?).ok()?;
    let protocol = match fields.get("protocol") {
        None => 0x8100,
        Some(node) => {
            let said = text(node, "protocol", errors)?;
            match said.what.as_str() {
                "802.1q" => 0x8100,
                "802.1ad" => 0x88a8,
                _ => {
                    let hint = "there are 802.1q and 802.1ad".to_owned();
                    let (what, found) = ("VLAN protocol", said.what);
                    errors.push(said.at, Problem::BadValue { what, found, hint });
                    return None;
                }
            }
        }
    };
    Some(Kind::Vlan { lower, vlan: Vlan { id, protocol } })
}

fn ipvlan(fields: &Fields<'_>, ns: &str, errors: &mut Errors) -> Option<Kind> {
    let lower = fields.needed("lower", "it names the link below, [NAMESPACE:]LINK", errors)?;
    let lower = link_ref(lower, "lower", ns, errors)?;
    let mut ipvlan = Ipvlan::default();
    if let Some(node) = fields.get("mode") {
        let modes = [IpvlanMode::L2, IpvlanMode::L3, IpvlanMode::L3S];
        ipvlan.mode = one_of(node, "mode", &modes, IpvlanMode::as_str, errors)?;
    }
    if let Some(node) = fields.get("flag") {
        let flags = [IpvlanFlag::Bridge, IpvlanFlag::Private, IpvlanFlag::Vepa];
        ipvlan.flag = one_of(node, "flag", &flags, IpvlanFlag::as_str, errors)?;
    }
    Some(Kind::Ipvlan { lower, ipvlan })
}

fn vrf(fields: &Fields<'_>, errors: &mut Errors) -> Option<Kind> {
    let table = fields.needed("table", "it is the table that its members' packets ask", errors)?;
    Some(Kind::Vrf(Vrf { table: route::table(table, errors)? }))
}

/// One of a few words.
fn one_of<T: Copy>(
    node: &Node,
    what: &'static str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
    errors: &mut Errors,
) -> Option<T> {
    let said = text(node, what, errors)?;
    if let Some(one) = all.iter().find(|one| name(**one) == said.what) {
        return Some(*one);
    }
    let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
    let hint = format!("there are {}", names.join(", "));
    errors.push(said.at, Problem::BadValue { what, found: said.what, hint });
    None
}

fn macvlan_mode(node: &Node, errors: &mut Errors) -> Option<MacvlanMode> {
    let said = text(node, "mode", errors)?;
    let modes = [
        MacvlanMode::Private,
        MacvlanMode::Vepa,
        MacvlanMode::Bridge,
        MacvlanMode::Passthru,
        MacvlanMode::Source,
    ];
    let mode = modes.into_iter().find(|m| m.as_str() == said.what);
    if mode.is_none() {
        let hint = "there are private, vepa, bridge, passthru and source".to_owned();
        errors.push(said.at, Problem::BadValue { what: "macvlan mode", found: said.what, hint });
    }
    mode
}

/// `192.0.2.10/24 brd + scope link noprefixroute`.
fn address(node: &Node, errors: &mut Errors) -> Option<Said<AddressEntry>> {
    let said = text(node, "addresses", errors)?;
    let mut words = said.what.split_whitespace();
    let first = Said::new(said.at, words.next().unwrap_or_default().to_owned());
    let net = cidr(&first, errors)?;
    let mut entry = AddressEntry { net, broadcast: None, scope: None, no_prefix_route: false };
    while let Some(word) = words.next() {
        let known = match word {
            "noprefixroute" => {
                entry.no_prefix_route = true;
                true
            }
            "brd" | "broadcast" => {
                entry.broadcast = broadcast(words.next(), net);
                entry.broadcast.is_some()
            }
            "scope" => {
                entry.scope = words.next().and_then(scope);
                entry.scope.is_some()
            }
            _ => false,
        };
        if !known {
            let hint = "after ADDRESS/LENGTH may stand `brd +` or `brd ADDRESS`, `scope NAME`, `noprefixroute`";
            let (found, hint) = (said.what.clone(), hint.to_owned());
            errors.push(said.at, Problem::BadValue { what: "address", found, hint });
            return None;
        }
    }
    Some(Said::new(said.at, entry))
}

/// ADDRESS/LENGTH; the length must be there, as a forgotten one is the commonest slip.
pub(super) fn cidr(said: &Said<String>, errors: &mut Errors) -> Option<IpNet> {
    let hint = "ADDRESS/LENGTH is wanted, as in 192.0.2.10/24, with numbers up to 255 and a length up to 32 (IPv6: 128)";
    let net: IpNet = parsed_in(said, "address", hint, errors)?;
    let ip = net.addr();
    if ip.is_multicast() || ip.is_unspecified() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) {
        let hint = "a link's address is that of one machine".to_owned();
        let found = said.what.clone();
        errors.push(said.at, Problem::BadValue { what: "address of a link", found, hint });
        return None;
    }
    Some(net)
}

fn broadcast(word: Option<&str>, net: IpNet) -> Option<Ipv4Addr> {
    match (word?, net) {
        ("+", IpNet::V4(net)) => Some(net.broadcast()),
        (word, IpNet::V4(_)) => word.parse().ok(),
        _ => None,
    }
}

/// A scope by `ip`'s name for it.
pub(super) fn scope(word: &str) -> Option<Scope> {
    Some(match word {
        "global" => Scope::Global,
        "site" => Scope::Site,
        "link" => Scope::Link,
        "host" => Scope::Host,
        "nowhere" => Scope::Nowhere,
        other => Scope::from(other.parse::<u8>().ok()?),
    })
}
