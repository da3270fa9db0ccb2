//! What `ip -j` and `bridge -j` print.

use ipnet::IpNet;
use model::RouteMetrics;
use model::{NeighbourState, Rule, RuleAction};
use serde_json::{Map, Value};

use crate::address::{self, PartAddress};
use crate::fdb::PartFdb;
use crate::link::{self, At, Far, PartLink, flags_of, state_of};
use crate::neighbour::{self, PartNeighbour};
use crate::port::{self, PartPort};
use crate::report::Report;
use crate::route::{self, PartHop, PartRoute};
use crate::rule;

type Object = Map<String, Value>;

/// Whether a text is JSON, and not lines.
pub(crate) fn is_json(text: &str) -> bool {
    let start = text.trim_start();
    start.starts_with('[') || start.starts_with('{')
}

/// The objects of the one list that the text is.
fn objects<T>(text: &str, report: &mut Report<'_>, one: impl Fn(&Object) -> Option<T>) -> Vec<T> {
    let values: Vec<Value> = match serde_json::from_str(text) {
        Ok(values) => values,
        Err(error) => {
            report.line(error.line(), "no list in JSON");
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for (n, value) in (1..).zip(&values) {
        // Without what it was asked for, `ip` prints empty objects.
        match value.as_object().filter(|o| !o.is_empty()) {
            Some(object) => match one(object) {
                Some(part) => found.push(part),
                None => report.file(&format!("object {n} is not understood")),
            },
            None if value.is_object() => {}
            None => report.file(&format!("value {n} is no object")),
        }
    }
    found
}

fn text<'v>(object: &'v Object, key: &str) -> Option<&'v str> {
    object.get(key)?.as_str()
}

fn owned(object: &Object, key: &str) -> Option<String> {
    text(object, key).map(str::to_owned)
}

fn number<T: TryFrom<u64>>(object: &Object, key: &str) -> Option<T> {
    object.get(key)?.as_u64()?.try_into().ok()
}

fn parsed<T: std::str::FromStr>(object: &Object, key: &str) -> Option<T> {
    text(object, key)?.parse().ok()
}

fn list<'v>(object: &'v Object, key: &str) -> impl Iterator<Item = &'v Value> {
    object.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn has(object: &Object, key: &str, word: &str) -> bool {
    list(object, key).any(|v| v.as_str() == Some(word))
}

/// `ip -j link` and `ip -j addr`, with or without `-d`.
pub(crate) fn links(text: &str, report: &mut Report<'_>) -> (Vec<PartLink>, Vec<PartAddress>) {
    let all = objects(text, report, |o| Some((link(o)?, addresses(o))));
    let (links, addresses): (Vec<_>, Vec<Vec<_>>) = all.into_iter().unzip();
    (links, addresses.concat())
}

fn link(o: &Object) -> Option<PartLink> {
    let at = match (text(o, "link"), number(o, "link_index")) {
        (Some(name), _) => Some(At::Name(name.to_owned())),
        (None, Some(index)) => Some(At::Index(index)),
        (None, None) => None,
    };
    let nsid = o.get("link_netnsid").and_then(Value::as_i64).and_then(|n| n.try_into().ok());
    let flags: Vec<&str> = list(o, "flags").filter_map(Value::as_str).collect();
    let info = o.get("linkinfo").and_then(Value::as_object);
    let of = |kind, data| {
        let info = info?;
        Some((owned(info, kind)?, info.get(data).map(flat).unwrap_or_default()))
    };
    Some(PartLink {
        index: number(o, "ifindex"),
        name: owned(o, "ifname")?,
        at,
        far: nsid.map(Far::NsId).or_else(|| owned(o, "link_netns").map(Far::Name)),
        loopback: flags.contains(&"LOOPBACK"),
        flags: o.contains_key("flags").then(|| flags_of(flags.iter().copied())),
        mtu: number(o, "mtu"),
        qdisc: owned(o, "qdisc"),
        master: owned(o, "master"),
        state: text(o, "operstate").and_then(state_of),
        txqlen: number(o, "txqlen"),
        group: text(o, "group").and_then(link::group),
        mac: parsed(o, "address"),
        altnames: list(o, "altnames").filter_map(|v| Some(v.as_str()?.to_owned())).collect(),
        alias: owned(o, "ifalias"),
        xdp: o
            .get("xdp")
            .map(|x| x["prog"]["id"].as_u64().map_or(0, |n| u32::try_from(n).unwrap_or(0))),
        promiscuous: number::<u32>(o, "promiscuity").is_some_and(|n| n > 0),
        kind: of("info_kind", "info_data"),
        slave: of("info_slave_kind", "info_slave_data"),
        detailed: info.is_some() || o.contains_key("promiscuity"),
    })
}

/// An object's keys and values as words, as `ip -d` prints them.
fn flat(value: &Value) -> Vec<String> {
    let Some(object) = value.as_object() else { return Vec::new() };
    let word = |value: &Value| match value {
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    object.iter().flat_map(|(key, value)| [key.clone(), word(value)]).collect()
}

fn addresses(o: &Object) -> Vec<PartAddress> {
    let name = text(o, "ifname").unwrap_or_default();
    let infos = list(o, "addr_info").filter_map(Value::as_object);
    infos.filter_map(|info| address(name, info)).collect()
}

fn address(name: &str, info: &Object) -> Option<PartAddress> {
    let net = IpNet::new(parsed(info, "local")?, number(info, "prefixlen")?).ok()?;
    Some(PartAddress {
        peer: parsed(info, "address"),
        broadcast: parsed(info, "broadcast"),
        scope: text(info, "scope").and_then(address::scope),
        secondary: info.get("secondary").and_then(Value::as_bool).unwrap_or(false),
        label: owned(info, "label"),
        flags: info
            .iter()
            .filter(|(_, value)| value.as_bool() == Some(true))
            .filter_map(|(key, _)| address::flag(key))
            .collect(),
        ..PartAddress::new(name, net)
    })
}

/// `ip -j route`.
pub(crate) fn routes(
    text: &str,
    dev: Option<&str>,
    asked: Option<&str>,
    six: bool,
    report: &mut Report<'_>,
) -> Vec<PartRoute> {
    objects(text, report, |o| one_route(o, dev, asked, six))
}

fn one_route(o: &Object, dev: Option<&str>, asked: Option<&str>, six: bool) -> Option<PartRoute> {
    let via =
        |o: &Object| parsed(o, "gateway").or_else(|| parsed(o.get("via")?.as_object()?, "host"));
    let gateway: Option<std::net::IpAddr> = via(o);
    let six = six || o.contains_key("pref") || gateway.is_some_and(|g| g.is_ipv6());
    let dst = match text(o, "dst")? {
        "default" if six => "::/0".parse().ok()?,
        "default" => "0.0.0.0/0".parse().ok()?,
        net => address::net(net)?,
    };
    let kind = text(o, "type").and_then(route::kind_of).unwrap_or_default();
    let mut route = route::blank(dst, kind);
    let table = text(o, "table").or(asked).and_then(route::table);
    route.table = table.unwrap_or(route.table);
    route.protocol = text(o, "protocol").and_then(route::protocol).unwrap_or(route.protocol);
    route.scope = text(o, "scope").and_then(address::scope).unwrap_or(route.scope);
    route.prefsrc = parsed(o, "prefsrc");
    route.metric = number(o, "metric").unwrap_or(0);
    route.tos = text(o, "tos").and_then(route::number).unwrap_or(0);
    route.nexthop_id = number(o, "nhid");
    let metrics: Vec<&Object> = list(o, "metrics").filter_map(Value::as_object).collect();
    let metric = |name| metrics.iter().find_map(|m| number(m, name));
    route.metrics = RouteMetrics {
        mtu: metric("mtu"),
        // `ip -j` does not say which are locked.
        mtu_locked: false,
        hop_limit: metric("hoplimit").and_then(|limit| u8::try_from(limit).ok()),
        advmss: metric("advmss"),
    };
    let hop = |o: &Object, dev: Option<&str>| PartHop {
        gateway: via(o),
        dev: owned(o, "dev").or_else(|| dev.map(str::to_owned)),
        weight: number(o, "weight").unwrap_or(1),
        onlink: has(o, "flags", "onlink"),
        dead: has(o, "flags", "dead"),
        linkdown: has(o, "flags", "linkdown"),
    };
    let mut hops: Vec<PartHop> =
        list(o, "nexthops").filter_map(Value::as_object).map(|o| hop(o, None)).collect();
    if hops.is_empty() && (o.contains_key("dev") || dev.is_some()) {
        hops.push(hop(o, dev));
    }
    Some(PartRoute { route, hops })
}

/// `ip -j rule`.
pub(crate) fn rules(text: &str, report: &mut Report<'_>) -> Vec<Rule> {
    objects(text, report, one_rule)
}

fn one_rule(o: &Object) -> Option<Rule> {
    let net = |key: &str, len: &str| {
        let ip = parsed::<std::net::IpAddr>(o, key)?;
        let whole = if ip.is_ipv4() { 32 } else { 128 };
        IpNet::new(ip, number(o, len).unwrap_or(whole)).ok()
    };
    let hex = |key| text(o, key).and_then(route::number);
    let action = match (text(o, "table"), number(o, "goto"), text(o, "action")) {
        (Some(table), ..) => RuleAction::Table(route::table(table)?),
        (None, Some(priority), _) => RuleAction::Goto(priority),
        (None, None, _) if o.contains_key("l3mdev") => RuleAction::Vrf,
        (None, None, Some("nop")) => RuleAction::Nop,
        (None, None, Some("blackhole")) => RuleAction::Blackhole,
        (None, None, Some("unreachable")) => RuleAction::Unreachable,
        (None, None, Some("prohibit")) => RuleAction::Prohibit,
        _ => return None,
    };
    let range = |key: &str| {
        let one = number(o, key).map(|port| (port, port));
        let first = number(o, &format!("{key}_start"));
        one.or_else(|| Some((first?, number(o, &format!("{key}_end"))?)))
    };
    let suppressed = ["suppress_prefixlength", "sup_prefixlen", "suppress_prefixlen"];
    let odd = ["uid_start", "tun_id"];
    let group = text(o, "suppress_ifgroup");
    let suppress_ifgroup = group.and_then(link::group);
    let named = group.filter(|_| suppress_ifgroup.is_none()).map(|_| "suppress_ifgroup");
    Some(Rule {
        ipv6: false,
        priority: number(o, "priority")?,
        src: net("src", "srclen"),
        dst: net("dst", "dstlen"),
        iif: owned(o, "iif"),
        oif: owned(o, "oif"),
        mark: hex("fwmark").map(|mark| (mark, hex("fwmask").unwrap_or(u32::MAX))),
        tos: text(o, "tos").and_then(route::number).unwrap_or(0),
        protocol: text(o, "ipproto").and_then(rule::protocol),
        sport: range("sport"),
        dport: range("dport"),
        port_masks: (None, None),
        dscp: None,
        uids: None,
        tunnel: None,
        invert: o.contains_key("not"),
        suppress_prefixlength: suppressed.iter().find_map(|k| number::<u32>(o, k)).map(|n| n + 1),
        suppress_ifgroup,
        unknown: odd
            .into_iter()
            .filter(|k| o.contains_key(*k))
            .chain(named)
            .map(str::to_owned)
            .collect(),
        action,
    })
}

/// `ip -j neigh`.
pub(crate) fn neighbours(
    text: &str,
    dev: Option<&str>,
    report: &mut Report<'_>,
) -> Vec<PartNeighbour> {
    objects(text, report, |o| {
        let states = list(o, "state").filter_map(Value::as_str);
        let proxy = o.contains_key("proxy");
        let state = states.filter_map(neighbour::state_of).next();
        Some(PartNeighbour {
            dev: owned(o, "dev").or_else(|| dev.map(str::to_owned))?,
            ip: parsed(o, "dst")?,
            mac: parsed(o, "lladdr"),
            state: state.or(proxy.then_some(NeighbourState::None))?,
            proxy,
        })
    })
}

/// `bridge -j fdb`.
pub(crate) fn fdb(text: &str, dev: Option<&str>, report: &mut Report<'_>) -> Vec<PartFdb> {
    objects(text, report, |o| {
        let state = self::text(o, "state").unwrap_or_default();
        Some(PartFdb {
            dev: owned(o, "ifname").or_else(|| dev.map(str::to_owned))?,
            bridge: owned(o, "master"),
            mac: parsed(o, "mac")?,
            vlan: number(o, "vlan"),
            permanent: state == "permanent",
            is_static: state == "static",
            own: has(o, "flags", "self"),
            age: number(o, "updated"),
            remote: parsed(o, "dst"),
        })
    })
}

/// `bridge -j link`.
pub(crate) fn ports(text: &str, report: &mut Report<'_>) -> Vec<PartPort> {
    objects(text, report, |o| {
        let words = flat(&Value::Object(o.clone()));
        Some(PartPort {
            name: owned(o, "ifname")?,
            bridge: owned(o, "master"),
            port: port::of_words(&words),
            detailed: o.contains_key("hairpin"),
        })
    })
}
