//! What no single entry can see: things that are there twice, or do not fit each other.

use std::collections::{HashMap, HashSet};

use ipnet::{IpNet, Ipv6Net};
use model::{Fact, LinkRef, LinkSpecKind, Pins};

use super::{Told, link_of};
use crate::error::{Errors, Problem, nearest};
use crate::file::{Lab, LinkEntry};
use crate::node::{At, Said};

/// One end of a link that some fact makes.
struct Born<'f> {
    at: At,
    link: &'f LinkRef,
    pins: &'f Pins,
    kind: &'static str,
    /// Where its ifindex must be free at birth too.
    born_in: Option<&'f str>,
}

pub(super) fn facts(lab: &Lab, facts: &[Told], errors: &mut Errors) {
    let born = born(facts);
    names(&born, errors);
    indexes(&born, errors);
    nothing_makes(lab, &born, errors);
    bridges(lab, facts, &born, errors);
    choices(lab, facts, errors);
    ports(lab, facts, errors);
    backups(facts, &born, errors);
    addresses(facts, errors);
    routes(facts, errors);
    rules(facts, errors);
    labels(facts, errors);
    nsids(facts, errors);
    files(facts, errors);
}

fn born(facts: &[Told]) -> Vec<Born<'_>> {
    let mut born = Vec::new();
    for told in facts {
        let at = told.at;
        match &told.what {
            Fact::Link(spec) => {
                let kind = match &spec.kind {
                    LinkSpecKind::Veth(_) => "veth",
                    LinkSpecKind::Bridge(_) => "bridge",
                    LinkSpecKind::Tap => "tap",
                    LinkSpecKind::Macvlan { .. } => "macvlan",
                    LinkSpecKind::Vlan { .. } => "vlan",
                    LinkSpecKind::Vxlan(_) => "vxlan",
                    LinkSpecKind::Ipvlan { .. } => "ipvlan",
                    LinkSpecKind::Bond(_) => "bond",
                    LinkSpecKind::Vrf(_) => "vrf",
                    LinkSpecKind::Dummy => "dummy",
                    LinkSpecKind::Ifb => "ifb",
                    LinkSpecKind::Wireguard(_) => "wireguard",
                };
                born.push(Born { at, link: &spec.link, pins: &spec.pins, kind, born_in: None });
                if let LinkSpecKind::Veth(end) = &spec.kind {
                    let born_in = end.born_as.is_some().then_some(spec.link.ns.as_str());
                    born.push(Born { at, link: &end.link, pins: &end.pins, kind, born_in });
                }
            }
            Fact::Cable(cable) => {
                for nic in std::iter::once(&cable.a).chain(&cable.b) {
                    let (link, pins) = (&nic.link, &nic.pins);
                    born.push(Born { at, link, pins, kind: "nic", born_in: None });
                }
            }
            _ => {}
        }
    }
    born
}

/// One name, one link; alternative names count.
fn names(born: &[Born<'_>], errors: &mut Errors) {
    let mut seen: HashMap<(&str, &str), At> = HashMap::new();
    for b in born {
        let all =
            std::iter::once(b.link.name.as_str()).chain(b.pins.altnames.iter().map(String::as_str));
        for name in all {
            if name == "lo" {
                errors.push(b.at, Problem::LoopbackMade { ns: b.link.ns.clone() });
            } else if let Some(first) = seen.get(&(b.link.ns.as_str(), name)) {
                let (ns, name, first) = (b.link.ns.clone(), name.to_owned(), first.line);
                errors.push(b.at, Problem::LinkTwice { ns, name, first });
            }
            seen.insert((&b.link.ns, name), b.at);
        }
        if b.link.name.len() > 15 {
            errors.push(b.at, Problem::LongName { name: b.link.name.clone() });
        }
    }
}

/// One ifindex, one link; 1 is lo's.
fn indexes(born: &[Born<'_>], errors: &mut Errors) {
    let mut seen: HashMap<(&str, u32), At> = HashMap::new();
    for b in born {
        let Some(index) = b.pins.index else { continue };
        let places = std::iter::once(b.link.ns.as_str()).chain(b.born_in);
        for ns in places {
            let first =
                if index == 1 { Some(At::default()) } else { seen.get(&(ns, index)).copied() };
            if let Some(first) = first {
                let (what, value) = ("the ifindex", index.to_string());
                let (ns, first) = (ns.to_owned(), first.line);
                errors.push(b.at, Problem::PinTwice { what, value, ns, first });
            }
            seen.insert((ns, index), b.at);
        }
    }
}

/// Entries without a kind, and settings of links, speak of links that something else makes.
fn nothing_makes(lab: &Lab, born: &[Born<'_>], errors: &mut Errors) {
    let all: HashSet<(&str, &str)> =
        born.iter().map(|b| (b.link.ns.as_str(), b.link.name.as_str())).collect();
    let is_born = |ns: &str, name: &str| all.contains(&(ns, name));
    for space in &lab.spaces {
        for entry in space.links.iter().filter(|l| l.kind.is_none() && l.name != "lo") {
            if is_born(&space.name, &entry.name) {
                continue;
            }
            let of_ns = born.iter().filter(|b| b.link.ns == space.name);
            let nearest = nearest(&entry.name, of_ns.map(|b| b.link.name.as_str()));
            let (ns, name) = (space.name.clone(), entry.name.clone());
            errors.push(entry.at, Problem::NothingMakes { ns, name, nearest });
        }
        for said in &space.sysctls {
            let Some(link) = link_of(&said.what.0).filter(|l| !is_born(&space.name, l)) else {
                continue;
            };
            let of_ns = born.iter().filter(|b| b.link.ns == space.name);
            let nearest = nearest(link, of_ns.map(|b| b.link.name.as_str()));
            let (ns, name) = (space.name.clone(), link.to_owned());
            errors.push(said.at, Problem::NoLink { ns, name, nearest });
        }
    }
}

fn bridges(lab: &Lab, facts: &[Told], born: &[Born<'_>], errors: &mut Errors) {
    let kinds: HashMap<&LinkRef, &'static str> = born.iter().map(|b| (b.link, b.kind)).collect();
    let mut masters: HashMap<&LinkRef, &str> = HashMap::new();
    for told in facts {
        let Fact::Master { link, bridge: Some(bridge), .. } = &told.what else { continue };
        let kind = kinds.get(&LinkRef::new(&link.ns, bridge)).copied().unwrap_or("bridge");
        let (ns, name) = (link.ns.clone(), link.name.clone());
        let (wanted, master) = (kind_of_master(lab, link, bridge), bridge.clone());
        if kind != wanted {
            let problem = match wanted {
                "vrf" => Problem::NoVrf { ns, name, vrf: master, kind },
                "bond" => Problem::NoBond { ns, name, bond: master, kind },
                _ => Problem::NoBridge { ns, name, bridge: master, kind },
            };
            errors.push(told.at, problem);
        } else if wanted == "bridge" && kinds.get(link) == Some(&"bridge") {
            let problem = Problem::KeyOfOtherKind { key: "bridge".to_owned(), kind: "bridge" };
            errors.push(told.at, problem);
        } else if let Some(a) = masters.insert(link, bridge).filter(|a| a != bridge) {
            let (a, b) = (a.to_owned(), bridge.clone());
            errors.push(told.at, Problem::TwoBridges { ns, name, a, b });
        }
    }
}

/// What kind of link that one is a port or member of, as the file says it.
fn kind_of_master(lab: &Lab, link: &LinkRef, master: &str) -> &'static str {
    let Some(entry) = entry(lab, link) else { return "bridge" };
    let said = |key: &Option<Said<String>>| key.as_ref().is_some_and(|said| said.what == master);
    match () {
        () if said(&entry.vrf) => "vrf",
        () if said(&entry.bond) => "bond",
        () => "bridge",
    }
}

fn entry<'l>(lab: &'l Lab, link: &LinkRef) -> Option<&'l LinkEntry> {
    let space = lab.spaces.iter().find(|space| space.name == link.ns)?;
    space.links.iter().find(|entry| entry.name == link.name)
}

/// Whom a bond prefers is one of its ports.
fn choices(lab: &Lab, facts: &[Told], errors: &mut Errors) {
    for told in facts {
        let Fact::BondPort { bond, port, .. } = &told.what else { continue };
        let of = entry(lab, &LinkRef::new(&bond.ns, port)).and_then(|entry| entry.bond.as_ref());
        if of.is_none_or(|said| said.what != bond.name) {
            let (ns, bond, port) = (bond.ns.clone(), bond.name.clone(), port.clone());
            errors.push(told.at, Problem::NoPortOfBond { ns, bond, port });
        }
    }
}

/// What is said of ports is said of ports.
fn ports(lab: &Lab, facts: &[Told], errors: &mut Errors) {
    let ports: HashSet<&LinkRef> = facts
        .iter()
        .filter_map(|told| match &told.what {
            Fact::Master { link, .. } => Some(link),
            _ => None,
        })
        .collect();
    for space in &lab.spaces {
        for entry in &space.links {
            let state = entry.state.as_ref().map(|_| "state");
            let said = entry.port.said().map(|(option, _)| option.as_str()).next().or(state);
            let Some(key) = said else { continue };
            let (ns, name) = (space.name.clone(), entry.name.clone());
            if !ports.contains(&LinkRef::new(&ns, &name)) {
                errors.push(entry.at, Problem::NoPort { ns, name, key });
            }
        }
    }
}

/// What stands in for a port is another port of its bridge.
fn backups(facts: &[Told], born: &[Born<'_>], errors: &mut Errors) {
    let master = |ns: &str, name: &str| {
        facts.iter().find_map(|told| match &told.what {
            Fact::Master { link, bridge, .. } if (&*link.ns, &*link.name) == (ns, name) => {
                bridge.as_deref()
            }
            _ => None,
        })
    };
    for told in facts {
        let Fact::Backup { link, port } = &told.what else { continue };
        let (own, other) = (master(&link.ns, &link.name), master(&link.ns, port));
        let there = born.iter().any(|b| (&b.link.ns, &b.link.name) == (&link.ns, port));
        if there && (own.is_none() || own != other || link.name == *port) {
            let (ns, name) = (link.ns.clone(), link.name.clone());
            errors.push(told.at, Problem::BackupElsewhere { ns, name, backup: port.clone() });
        }
    }
}

/// An address is on one link of a namespace, once.
fn addresses(facts: &[Told], errors: &mut Errors) {
    let mut seen: HashMap<(&str, std::net::IpAddr), (&str, At)> = HashMap::new();
    for told in facts {
        let Fact::Address(a) = &told.what else { continue };
        let key = (a.link.ns.as_str(), a.net.addr());
        if let Some((b, first)) = seen.insert(key, (&a.link.name, told.at)) {
            let (address, ns) = (a.net.addr().to_string(), a.link.ns.clone());
            let (a, b, first) = (a.link.name.clone(), b.to_owned(), first.line);
            errors.push(told.at, Problem::AddressTwice { address, ns, a, b, first });
        }
    }
}

/// The kernel refuses a second route of the same destination, metric and table.
fn routes(facts: &[Told], errors: &mut Errors) {
    let mut seen: HashMap<(&str, IpNet, u32, u32, u8), At> = HashMap::new();
    // The kernel reads no metric as 1024 in IPv6.
    let metric = |dst: IpNet, metric: u32| match (dst, metric) {
        (IpNet::V6(_), 0) => 1024,
        (_, metric) => metric,
    };
    for told in facts {
        let Fact::Route(r) = &told.what else { continue };
        let key = (r.ns.as_str(), r.dst, r.table, metric(r.dst, r.metric), r.tos);
        if let Some(first) = seen.insert(key, told.at) {
            let to = destination(r.dst);
            let (ns, metric, first) = (r.ns.clone(), r.metric, first.line);
            errors.push(told.at, Problem::RouteTwice { ns, to, metric, first });
        }
    }
}

/// A rule is known by its priority, among those of its family.
fn rules(facts: &[Told], errors: &mut Errors) {
    let mut seen: HashMap<(&str, bool, u32), At> = HashMap::new();
    for told in facts {
        let Fact::Rule { ns, rule } = &told.what else { continue };
        if let Some(first) = seen.insert((ns, rule.ipv6, rule.priority), told.at) {
            let (key, first) = (format!("pref: {}", rule.priority), first.line);
            errors.push(told.at, Problem::KeyTwice { key, first });
        }
    }
}

/// A label is known by its prefix and its link.
fn labels(facts: &[Told], errors: &mut Errors) {
    let mut seen: HashMap<(&str, Ipv6Net, Option<&str>), At> = HashMap::new();
    for told in facts {
        let Fact::AddressLabel { ns, net, dev, .. } = &told.what else { continue };
        if let Some(first) = seen.insert((ns, *net, dev.as_deref()), told.at) {
            let (key, first) = (format!("prefix: {net}"), first.line);
            errors.push(told.at, Problem::KeyTwice { key, first });
        }
    }
}

/// One number, one namespace, both ways.
fn nsids(facts: &[Told], errors: &mut Errors) {
    let mut numbers: HashMap<(&str, u32), At> = HashMap::new();
    let mut targets: HashMap<(&str, &str), At> = HashMap::new();
    for told in facts {
        let Fact::Nsid { ns, nsid, target } = &told.what else { continue };
        let twice = [
            numbers.insert((ns, *nsid), told.at).map(|at| ("the nsid", nsid.to_string(), at)),
            targets.insert((ns, target), told.at).map(|at| ("the nsid of", target.clone(), at)),
        ];
        for (what, value, first) in twice.into_iter().flatten() {
            let (ns, first) = (ns.clone(), first.line);
            errors.push(told.at, Problem::PinTwice { what, value, ns, first });
        }
    }
}

fn files(facts: &[Told], errors: &mut Errors) {
    let mut seen: HashMap<(&str, &str), At> = HashMap::new();
    for told in facts {
        let Fact::NsFile { ns, path, .. } = &told.what else { continue };
        if let Some(first) = seen.insert((ns, path), told.at) {
            let (what, value) = ("the namespace file", path.clone());
            let (ns, first) = (ns.clone(), first.line);
            errors.push(told.at, Problem::PinTwice { what, value, ns, first });
        }
    }
}

/// As `ip route` writes it.
pub(super) fn destination(net: IpNet) -> String {
    if net.prefix_len() == 0 { "default".to_owned() } else { net.to_string() }
}
