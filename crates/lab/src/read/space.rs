//! One entry of `namespaces:`.

use model::ServiceSpec;

use super::{
    Fields, docker, entries, firewall, flag, ipset, is_plain_name, items, link, nft, number,
    number_in, plain_name, proxmox, route, rule, text,
};
use crate::error::{Errors, Problem};
use crate::file::Space;
use crate::firewall::Tool;
use crate::node::{Node, Said, Value};

const KEYS: &[&str] = &[
    "inside",
    "count",
    "unprivileged",
    "links",
    "routes",
    "rules",
    "rules6",
    "addrlabels",
    "neighbours",
    "fdb",
    "mdb",
    "vlans",
    "sysctls",
    "ipsets",
    "iptables",
    "ip6tables",
    "iptables_legacy",
    "ip6tables_legacy",
    "nft",
    "services",
    "nsids",
    "netns_files",
    "proxmox",
    "docker",
];

pub(super) fn space(name: &Said<String>, node: &Node, errors: &mut Errors) -> Option<Space> {
    let fields = Fields::open(node, "a namespace", KEYS, errors)?;
    if !is_plain_name(name, "namespace", errors) {
        return None;
    }
    let get = |key| fields.get(key);
    let mut space = Space { at: name.at, name: name.what.clone(), ..Space::default() };
    space.inside = get("inside").and_then(|n| plain_name(n, "namespace", errors));
    space.unprivileged =
        get("unprivileged").and_then(|n| flag(n, "unprivileged", errors)).unwrap_or(false);
    if let Some(node) = get("links") {
        space.links = link::links(node, &name.what, errors);
    }
    if let Some(node) = get("routes") {
        space.routes =
            items(node, "routes", errors).iter().filter_map(|n| route::route(n, errors)).collect();
    }
    for (key, ipv6) in [("rules", false), ("rules6", true)] {
        let Some(node) = get(key) else { continue };
        let rules = items(node, key, errors).iter().filter_map(|n| rule::rule(n, ipv6, errors));
        space.rules.extend(rules);
    }
    if let Some(node) = get("addrlabels") {
        space.labels = items(node, "addrlabels", errors)
            .iter()
            .filter_map(|n| route::label(n, errors))
            .collect();
    }
    if let Some(node) = get("neighbours") {
        space.neighbours = items(node, "neighbours", errors)
            .iter()
            .filter_map(|n| route::neighbour(n, errors))
            .collect();
    }
    if let Some(node) = get("fdb") {
        space.fdb =
            items(node, "fdb", errors).iter().filter_map(|n| route::fdb(n, errors)).collect();
    }
    if let Some(node) = get("vlans") {
        space.vlans =
            items(node, "vlans", errors).iter().filter_map(|n| route::vlan(n, errors)).collect();
    }
    if let Some(node) = get("mdb") {
        space.mdb =
            items(node, "mdb", errors).iter().filter_map(|n| route::mdb(n, errors)).collect();
    }
    if let Some(node) = get("sysctls") {
        space.sysctls = sysctls(node, errors);
    }
    if let Some(node) = get("ipsets") {
        space.ipsets = ipset::sets(node, errors);
    }
    for tool in Tool::ALL {
        let tables = get(tool.key()).map(|n| firewall::tables(tool, n, errors));
        space.iptables.extend(tables.into_iter().flatten());
    }
    if let Some(node) = get("nft") {
        space.nft = nft::tables(node, errors);
    }
    space.services = get("services").and_then(|n| services(n, errors));
    if let Some(node) = get("nsids") {
        space.nsids = nsids(node, errors);
    }
    if let Some(node) = get("netns_files") {
        space.files = files(node, errors);
    }
    space.proxmox = get("proxmox").and_then(|n| proxmox::guest(n, errors));
    if let Some(node) = get("docker") {
        docker::part(node, fields.key_at("docker"), &mut space, errors);
    }
    Some(space)
}

/// `net.ipv4.ip_forward: 1`, with dots or slashes.
fn sysctls(node: &Node, errors: &mut Errors) -> Vec<Said<(String, String)>> {
    let mut list: Vec<Said<(String, String)>> = Vec::new();
    for (key, value) in entries(node, "sysctls", errors) {
        let Some(value) = text(value, &key.what, errors) else { continue };
        let Some(path) = sysctl_path(key, errors) else { continue };
        if let Some(first) = list.iter().find(|s| s.what.0 == path) {
            let first = first.at.line;
            errors.push(key.at, Problem::KeyTwice { key: key.what.clone(), first });
        } else {
            list.push(Said::new(key.at, (path, value.what)));
        }
    }
    list
}

/// As sysctl(8) reads names: with a slash first it is a path, else dots and slashes change places.
fn sysctl_path(key: &Said<String>, errors: &mut Errors) -> Option<String> {
    let first = key.what.find(['.', '/']).map(|i| &key.what[i..=i]);
    let path: String = match first {
        Some(".") => key
            .what
            .chars()
            .map(|c| match c {
                '.' => '/',
                '/' => '.',
                c => c,
            })
            .collect(),
        _ => key.what.clone(),
    };
    let bad = !path.starts_with("net/")
        || path.split('/').any(|p| p.is_empty() || p == "." || p == "..")
        || path.contains(|c: char| c.is_whitespace() || c.is_control());
    if bad {
        let hint = "it must be below `net.`, as in net.ipv4.ip_forward".to_owned();
        let found = key.what.clone();
        errors.push(key.at, Problem::BadValue { what: "sysctl of a namespace", found, hint });
    }
    (!bad).then_some(path)
}

/// `tcp: [80]`, `udp_echo: [7]`.
fn services(node: &Node, errors: &mut Errors) -> Option<Said<ServiceSpec>> {
    let fields = Fields::open(node, "`services:`", &["tcp", "udp_echo"], errors)?;
    let mut ports = |key| -> Vec<u16> {
        let Some(list) = fields.get(key) else { return Vec::new() };
        let port = |n, errors: &mut Errors| number(n, "port", (1, 65535), errors);
        let mut ports: Vec<u16> = Vec::new();
        for node in items(list, key, errors) {
            ports.extend(port(node, errors).and_then(|p| u16::try_from(p).ok()));
        }
        ports.sort_unstable();
        ports.dedup();
        ports
    };
    let spec = ServiceSpec { tcp: ports("tcp"), udp_echo: ports("udp_echo") };
    (spec != ServiceSpec::default()).then(|| Said::new(node.at, spec))
}

/// `0: docker01`.
fn nsids(node: &Node, errors: &mut Errors) -> Vec<(Said<u32>, Said<String>)> {
    let mut list = Vec::new();
    for (key, value) in entries(node, "nsids", errors) {
        let number = number_in(key, "nsid", (0, i32::MAX as u32), errors);
        let target = plain_name(value, "namespace", errors);
        if let (Some(number), Some(target)) = (number, target) {
            list.push((Said::new(key.at, number), target));
        }
    }
    list
}

/// `/run/netns/x: docker01`.
fn files(node: &Node, errors: &mut Errors) -> Vec<(Said<String>, Said<String>)> {
    let mut list = Vec::new();
    for (path, value) in entries(node, "netns_files", errors) {
        let clean = path.what.starts_with("/run/")
            && !path.what.contains(char::is_control)
            && path.what[1..].split('/').all(|p| !p.is_empty() && p != "." && p != "..");
        if !clean {
            let hint = "it must be below /run, which is the namespace's own".to_owned();
            let found = path.what.clone();
            errors.push(path.at, Problem::BadValue { what: "namespace file", found, hint });
        } else if value.what == Value::Null {
            let (of, key) = (format!("{:?}", path.what), "namespace");
            let why = "it says whose network namespace the file is";
            errors.push(path.at, Problem::MissingKey { of, key, why });
        } else if let Some(target) = plain_name(value, "namespace", errors) {
            list.push((path.clone(), target));
        }
    }
    list
}
