//! `docker:`, of a Docker host (`networks:`), of a container (`network:`, `publish:`…), or of a
//! container that is a Docker host too.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::{Fields, entries, is_plain_name, items, link_name, number, parsed, plain_name, text};
use crate::error::{Errors, Problem};
use crate::file::{DockerGuest, DockerHost, NetworkEntry, Publish, Space};
use crate::node::{At, Node, Said, Value};

const GUEST: &[&str] = &["network", "ip", "publish", "veth", "file"];

pub(super) fn part(node: &Node, at: At, space: &mut Space, errors: &mut Errors) {
    let known: Vec<&str> = ["networks"].iter().chain(GUEST).copied().collect();
    let Some(fields) = Fields::open(node, "`docker:`", &known, errors) else { return };
    if let Some(node) = fields.get("networks") {
        let networks = entries(node, "networks", errors)
            .iter()
            .filter_map(|(name, node)| network(name, node, errors))
            .collect();
        space.docker_host = Some(DockerHost { at, networks });
    }
    if GUEST.iter().any(|k| fields.get(k).is_some()) {
        space.docker_guest = Some(guest(&fields, at, errors));
    } else if space.docker_host.is_none() {
        let (of, key) = ("`docker:`".to_owned(), "networks");
        let why = "`networks: {}` makes this a Docker host, `network: bridge` a container of one";
        errors.push(at, Problem::MissingKey { of, key, why });
    }
}

fn network(name: &Said<String>, node: &Node, errors: &mut Errors) -> Option<NetworkEntry> {
    let keys = &["subnet", "gateway", "bridge", "mtu"];
    let fields = Fields::open(node, "a Docker network", keys, errors)?;
    if !is_plain_name(name, "Docker network", errors) {
        return None;
    }
    let hint = "NETWORK/LENGTH of IPv4 is wanted, as in 172.20.0.0/16";
    let subnet = fields.get("subnet").and_then(|n| parsed::<Ipv4Net>(n, "subnet", hint, errors));
    if let Some(s) =
        subnet.as_ref().filter(|s| s.what.trunc() != s.what || s.what.prefix_len() > 29)
    {
        let hint = "no bits may be set behind its length, which is at most 29".to_owned();
        let found = s.what.to_string();
        errors.push(s.at, Problem::BadValue { what: "subnet", found, hint });
    }
    Some(NetworkEntry {
        at: name.at,
        name: name.what.clone(),
        subnet,
        gateway: fields.get("gateway").and_then(|n| ip(n, errors)),
        bridge: fields.get("bridge").and_then(|n| link_name(n, "bridge", errors)),
        mtu: fields.get("mtu").and_then(|n| number(n, "mtu", (68, 65535), errors)),
    })
}

fn ip(node: &Node, errors: &mut Errors) -> Option<Said<Ipv4Addr>> {
    parsed(node, "address", "an IPv4 address is wanted, with numbers up to 255", errors)
}

fn guest(fields: &Fields<'_>, at: At, errors: &mut Errors) -> DockerGuest {
    let networks = match fields.get("network") {
        Some(node) => names(node, errors),
        None => vec![Said::new(at, "bridge".to_owned())],
    };
    let mut publish = Vec::new();
    if let Some(node) = fields.get("publish") {
        for node in items(node, "publish", errors) {
            publish.extend(published(node, errors));
        }
    }
    let file = fields.get("file").and_then(|n| plain_name(n, "namespace file", errors));
    DockerGuest {
        at,
        networks,
        ip: fields.get("ip").and_then(|n| ip(n, errors)),
        publish,
        veth: fields.get("veth").and_then(|n| link_name(n, "veth", errors)),
        file,
    }
}

/// One name or a list of names.
fn names(node: &Node, errors: &mut Errors) -> Vec<Said<String>> {
    let nodes = match &node.what {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut names: Vec<Said<String>> = Vec::new();
    for node in nodes {
        let Some(name) = plain_name(node, "Docker network", errors) else { continue };
        if let Some(first) = names.iter().find(|n| n.what == name.what) {
            let first = first.at.line;
            errors.push(name.at, Problem::KeyTwice { key: name.what, first });
        } else {
            names.push(name);
        }
    }
    names
}

/// `[IP:]HOST:CONTAINER[/tcp|/udp]`.
fn published(node: &Node, errors: &mut Errors) -> Option<Said<Publish>> {
    let said = text(node, "publish", errors)?;
    let found = publish(&said.what);
    if found.is_none() {
        let hint = "[ADDRESS:]PORT:PORT[/udp] is wanted, first the host's port, as in 8080:80";
        let (word, hint) = (said.what, hint.to_owned());
        errors.push(said.at, Problem::BadValue { what: "published port", found: word, hint });
    }
    Some(Said::new(said.at, found?))
}

fn publish(text: &str) -> Option<Publish> {
    let (ports, udp) = match text.split_once('/') {
        None | Some((_, "tcp")) => (text.trim_end_matches("/tcp"), false),
        Some((ports, "udp")) => (ports, true),
        Some(_) => return None,
    };
    let (rest, guest) = ports.rsplit_once(':')?;
    let (ip, host) = match rest.rsplit_once(':') {
        Some((ip, host)) => (Some(ip.parse().ok()?), host),
        None => (None, rest),
    };
    let port = |p: &str| p.parse::<u16>().ok().filter(|p| *p != 0);
    let ip = ip.filter(|ip: &Ipv4Addr| !ip.is_unspecified());
    Some(Publish { ip, host: port(host)?, guest: port(guest)?, udp })
}
