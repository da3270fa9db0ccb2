//! `routes:` and `neighbours:`, with the words of `ip route` and `ip neighbour`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use model::{
    BridgeVlan, HopSpec, Mac, Protocol, RouteKind, RouteMetrics, Scope, TABLE_DEFAULT, TABLE_LOCAL,
    TABLE_MAIN,
};

use super::{Fields, flag, items, link, link_name, number, number_in, parsed, text};
use crate::error::{Errors, Problem};
use crate::file::{LabelEntry, NeighbourEntry, RouteEntry};
use crate::node::{Node, Said};

const KEYS: &[&str] = &[
    "to", "via", "dev", "src", "metric", "proto", "onlink", "table", "type", "scope", "tos", "mtu",
    "hoplimit", "advmss", "nexthops",
];
const IP_HINT: &str = "an IP address is wanted, as in 192.0.2.1, with numbers up to 255";

pub(super) fn route(node: &Node, errors: &mut Errors) -> Option<Said<RouteEntry>> {
    let fields = Fields::open(node, "a route", KEYS, errors)?;
    let ip = |key, errors: &mut Errors| {
        fields.get(key).and_then(|n| parsed::<IpAddr>(n, "address", IP_HINT, errors))
    };
    let mut hops = fields.get("nexthops").map_or_else(Vec::new, |n| hops(n, errors)).into_iter();
    let first = hops.next();
    let via = ip("via", errors).map(|v| v.what).or(first.as_ref().and_then(|hop| hop.via));
    let src = ip("src", errors).map(|v| v.what);
    let to = fields.needed("to", "it is where the route leads, `default` or a network", errors);
    let to = destination(to?, via, errors)?;
    let dev = fields.get("dev").and_then(|n| link_name(n, "dev", errors));
    let named = first.as_ref().and_then(|hop| hop.dev.clone());
    let dev = dev.or_else(|| named.map(|name| Said::new(node.at, name)));
    let tos = fields.get("tos").and_then(|n| number(n, "tos", (0, 0x1c), errors));
    let metric = fields.get("metric").and_then(|n| number(n, "metric", (0, u32::MAX), errors));
    let kind = fields.get("type").map_or(Some(RouteKind::Unicast), |n| kind(n, errors))?;
    let entry = RouteEntry {
        to,
        via,
        dev,
        src,
        metric: metric.unwrap_or(0),
        proto: fields.get("proto").map_or(Some(Protocol::Boot), |n| proto(n, errors))?,
        onlink: fields.get("onlink").and_then(|n| flag(n, "onlink", errors)).unwrap_or(false),
        table: fields.get("table").map_or(Some(TABLE_MAIN), |n| table(n, errors))?,
        kind,
        scope: fields.get("scope").map_or(Some(None), |n| scope(n, errors).map(Some))?,
        tos: tos.and_then(|tos| u8::try_from(tos).ok()).unwrap_or(0),
        metrics: metrics(&fields, errors),
        weight: first.map_or(1, |hop| hop.weight),
        more: hops.collect(),
    };
    fits(&entry, node, errors).then(|| Said::new(node.at, entry))
}

fn metrics(fields: &Fields<'_>, errors: &mut Errors) -> RouteMetrics {
    let (mtu, mtu_locked) = fields.get("mtu").map_or((None, false), |n| mtu(n, errors));
    let hop_limit = fields.get("hoplimit").and_then(|n| number(n, "hoplimit", (1, 255), errors));
    RouteMetrics {
        mtu,
        mtu_locked,
        hop_limit: hop_limit.and_then(|limit| u8::try_from(limit).ok()),
        advmss: fields.get("advmss").and_then(|n| number(n, "advmss", (1, 65495), errors)),
    }
}

/// `1400` or `lock 1400`.
fn mtu(node: &Node, errors: &mut Errors) -> (Option<u32>, bool) {
    let Some(said) = text(node, "mtu", errors) else { return (None, false) };
    let unlocked = said.what.strip_prefix("lock ").map(str::to_owned);
    let locked = unlocked.is_some();
    let said = Said::new(said.at, unlocked.unwrap_or(said.what));
    (number_in(&said, "mtu", (68, 65520), errors), locked)
}

/// `nexthops:`, the ways out of a multipath route.
fn hops(node: &Node, errors: &mut Errors) -> Vec<HopSpec> {
    let hop = |node: &Node, errors: &mut Errors| {
        let fields = Fields::open(node, "a next hop", &["via", "dev", "weight"], errors)?;
        let via = fields.get("via").and_then(|n| parsed::<IpAddr>(n, "address", IP_HINT, errors));
        let dev = fields.get("dev").and_then(|n| link_name(n, "dev", errors));
        let weight = fields.get("weight").and_then(|n| number(n, "weight", (1, 256), errors));
        Some(HopSpec {
            via: via.map(|said| said.what),
            dev: dev.map(|said| said.what),
            weight: weight.and_then(|n| u16::try_from(n).ok()).unwrap_or(1),
        })
    };
    let all = items(node, "nexthops", errors);
    all.iter().filter_map(|node| hop(node, errors)).collect()
}

/// `default`, a network or a single address.
fn destination(node: &Node, via: Option<IpAddr>, errors: &mut Errors) -> Option<IpNet> {
    let said = text(node, "to", errors)?;
    if said.what == "default" {
        return Some(match via {
            Some(IpAddr::V6(_)) => IpNet::new_assert(Ipv6Addr::UNSPECIFIED.into(), 0),
            _ => IpNet::new_assert(Ipv4Addr::UNSPECIFIED.into(), 0),
        });
    }
    let net = said.what.parse::<IpAddr>().map(IpNet::from).or_else(|_| said.what.parse());
    let bad = |hint: &str, errors: &mut Errors| {
        let (found, hint) = (said.what.clone(), hint.to_owned());
        errors.push(said.at, Problem::BadValue { what: "destination", found, hint });
    };
    let Ok(net) = net else {
        bad("`default` or NETWORK/LENGTH is wanted, as in 10.0.0.0/8", errors);
        return None;
    };
    if net.trunc() != net {
        bad(&format!("bits are set behind its length: did you mean {}?", net.trunc()), errors);
        return None;
    }
    Some(net)
}

/// The parts must speak of one family and make sense together.
fn fits(entry: &RouteEntry, node: &Node, errors: &mut Errors) -> bool {
    let v6 = matches!(entry.to, IpNet::V6(_));
    // A gateway of IPv6 may lead to networks of IPv4, not the other way round.
    let via = entry.via.filter(|via| v6 || via.is_ipv4());
    let other = [via, entry.src].into_iter().flatten().find(|ip| ip.is_ipv6() != v6);
    if let Some(ip) = other {
        let hint = format!("the destination {} is of the other IP version", entry.to);
        let found = ip.to_string();
        errors.push(node.at, Problem::BadValue { what: "address for this route", found, hint });
    }
    let silent =
        !matches!(entry.kind, RouteKind::Unicast | RouteKind::Local | RouteKind::Broadcast);
    let lacks = entry.via.is_none() && entry.dev.is_none() && !silent;
    if lacks {
        let (of, key) = ("a route".to_owned(), "dev");
        let why = "without a gateway (`via:`) it must say by which link";
        errors.push(node.at, Problem::MissingKey { of, key, why });
    }
    let much = silent && (entry.via.is_some() || entry.dev.is_some());
    if much {
        let hint = "a route of that type leads nowhere: remove `via:` and `dev:`".to_owned();
        let found = entry.to.to_string();
        errors.push(node.at, Problem::BadValue { what: "route", found, hint });
    }
    other.is_none() && !lacks && !much
}

fn proto(node: &Node, errors: &mut Errors) -> Option<Protocol> {
    let said = text(node, "proto", errors)?;
    let found = match said.what.as_str() {
        "redirect" => Some(Protocol::Redirect),
        "kernel" => Some(Protocol::Kernel),
        "boot" => Some(Protocol::Boot),
        "static" => Some(Protocol::Static),
        "dhcp" => Some(Protocol::Dhcp),
        "ra" => Some(Protocol::Ra),
        other => other.parse::<u8>().ok().map(Protocol::from),
    };
    bad_unless(
        found,
        &said,
        "route protocol",
        "there are kernel, boot, static, dhcp, ra, redirect and numbers to 255",
        errors,
    )
}

pub(super) fn table(node: &Node, errors: &mut Errors) -> Option<u32> {
    let said = text(node, "table", errors)?;
    let found = match said.what.as_str() {
        "main" => Some(TABLE_MAIN),
        "local" => Some(TABLE_LOCAL),
        "default" => Some(TABLE_DEFAULT),
        other => other.parse::<u32>().ok().filter(|n| *n != 0),
    };
    bad_unless(
        found,
        &said,
        "routing table",
        "there are main, local, default and numbers from 1",
        errors,
    )
}

fn kind(node: &Node, errors: &mut Errors) -> Option<RouteKind> {
    let said = text(node, "type", errors)?;
    let found = match said.what.as_str() {
        "unicast" => Some(RouteKind::Unicast),
        "local" => Some(RouteKind::Local),
        "broadcast" => Some(RouteKind::Broadcast),
        "blackhole" => Some(RouteKind::Blackhole),
        "unreachable" => Some(RouteKind::Unreachable),
        "prohibit" => Some(RouteKind::Prohibit),
        "throw" => Some(RouteKind::Throw),
        _ => None,
    };
    bad_unless(
        found,
        &said,
        "route type",
        "there are unicast, local, broadcast, blackhole, unreachable, prohibit and throw",
        errors,
    )
}

fn scope(node: &Node, errors: &mut Errors) -> Option<Scope> {
    let said = text(node, "scope", errors)?;
    bad_unless(
        link::scope(&said.what),
        &said,
        "scope",
        "there are global, link, host, site and numbers",
        errors,
    )
}

fn bad_unless<T>(
    found: Option<T>,
    said: &Said<String>,
    what: &'static str,
    hint: &str,
    errors: &mut Errors,
) -> Option<T> {
    if found.is_none() {
        let (word, hint) = (said.what.clone(), hint.to_owned());
        errors.push(said.at, Problem::BadValue { what, found: word, hint });
    }
    found
}

pub(super) fn neighbour(node: &Node, errors: &mut Errors) -> Option<Said<NeighbourEntry>> {
    let fields = Fields::open(node, "a neighbour", &["ip", "dev", "mac", "proxy"], errors)?;
    let ip = fields.needed("ip", "it is whom the entry is about", errors);
    let dev = fields.needed("dev", "it is the link by which to reach it", errors);
    let ip = parsed::<IpAddr>(ip?, "address", IP_HINT, errors)?.what;
    let dev = link_name(dev?, "dev", errors)?;
    let mac = match fields.get("mac") {
        Some(node) => Some(link::neighbour_mac(node, errors)?),
        None => None,
    };
    let proxy = fields.get("proxy").and_then(|n| flag(n, "proxy", errors)).unwrap_or(false);
    Some(Said::new(node.at, NeighbourEntry { ip, dev, mac, proxy }))
}

/// One entry of `addrlabels:`, with the words of `ip addrlabel`.
pub(super) fn label(node: &Node, errors: &mut Errors) -> Option<Said<LabelEntry>> {
    let keys = ["prefix", "label", "dev"];
    let fields = Fields::open(node, "an entry of addrlabels", &keys, errors)?;
    let net = fields.needed("prefix", "it is which addresses have the label", errors);
    let label = fields.needed("label", "addresses that have the same go together", errors);
    let hint = "a network of IPv6 is wanted, as in 2001:db8::/32";
    let net = parsed::<Ipv6Net>(net?, "prefix", hint, errors)?.what;
    let label = number(label?, "label", (0, u32::MAX - 1), errors)?;
    let dev = match fields.get("dev") {
        Some(node) => Some(link_name(node, "dev", errors)?),
        None => None,
    };
    Some(Said::new(node.at, LabelEntry { net: net.trunc(), dev, label }))
}

/// One entry of `fdb:`.
pub(super) fn fdb(node: &Node, errors: &mut Errors) -> Option<Said<(Said<String>, Mac)>> {
    let fields = Fields::open(node, "an entry of fdb", &["mac", "dev"], errors)?;
    let mac = fields.needed("mac", "it is the address that is behind a port", errors);
    let dev = fields.needed("dev", "it is the port that the address is behind", errors);
    let mac = link::mac(mac?, errors)?;
    Some(Said::new(node.at, (link_name(dev?, "dev", errors)?, mac)))
}

/// One entry of `mdb:`.
pub(super) fn mdb(node: &Node, errors: &mut Errors) -> Option<Said<(Said<String>, IpAddr)>> {
    let fields = Fields::open(node, "an entry of mdb", &["group", "dev"], errors)?;
    let group = fields.needed("group", "it is the group that is wanted behind a port", errors);
    let dev = fields.needed("dev", "it is the port, or the bridge for its own host", errors);
    let group = parsed::<IpAddr>(group?, "address", IP_HINT, errors)?.what;
    Some(Said::new(node.at, (link_name(dev?, "dev", errors)?, group)))
}

/// One entry of `vlans:`.
pub(super) fn vlan(node: &Node, errors: &mut Errors) -> Option<Said<(Said<String>, BridgeVlan)>> {
    let keys = ["id", "dev", "pvid", "untagged"];
    let fields = Fields::open(node, "an entry of vlans", &keys, errors)?;
    let id = fields.needed("id", "it is the VLAN's number", errors);
    let dev = fields.needed("dev", "it is the port, or the bridge for its own host", errors);
    let id = u16::try_from(number(id?, "id", (1, 4094), errors)?).ok()?;
    let mut on = |key| fields.get(key).and_then(|n| flag(n, key, errors)).unwrap_or(false);
    let (pvid, untagged) = (on("pvid"), on("untagged"));
    let vlan = BridgeVlan { link: 0, id, pvid, untagged };
    Some(Said::new(node.at, (link_name(dev?, "dev", errors)?, vlan)))
}
