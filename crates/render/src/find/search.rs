use std::net::IpAddr;

use ipnet::IpNet;
use model::{
    Address, LinkId, Mac, NameSource, Namespace, NsId, Route, RouteKind, Snapshot, TABLE_LOCAL,
    glob,
};

use super::rules::Named;
use super::{Finding, Findings, Kind, Query, Read, port, rules};
use crate::{ls, near, words};

/// Looks for it in every namespace.
#[must_use]
pub fn find(snapshot: &Snapshot, query: &Query) -> Findings {
    let mut found = Found::default();
    for (_, ns) in ls::rows(snapshot, None) {
        match query {
            Query::Address(ip) => addresses(snapshot, ns, IpNet::from(*ip), &mut found),
            Query::Prefix(net) => addresses(snapshot, ns, *net, &mut found),
            Query::Mac(mac) => macs(snapshot, ns, *mac, &mut found),
            Query::Port { protocol, ip, port } => {
                port::find(ns, (*protocol, *ip, *port), &mut found);
            }
            Query::Index(index) => links(snapshot, ns, &mut found, |l| l.index == *index),
            Query::Name(name) => names(snapshot, ns, name, &mut found),
        }
    }
    let mut found = found.0;
    found.sort_by_key(|f| f.kind); // stable: outer namespaces stay first
    let near =
        if found.is_empty() { near::names(snapshot, &query.to_string()) } else { Vec::new() };
    Findings { query: query.clone(), found, near, gaps: gaps(snapshot, query) }
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Found(Vec<Finding>);

impl Found {
    pub(super) fn push(
        &mut self,
        kind: Kind,
        ns: NsId,
        link: Option<u32>,
        value: &str,
        text: String,
    ) {
        let link = link.map(|index| LinkId { ns, index });
        self.0.push(Finding { kind, ns, link, value: value.to_owned(), text });
    }
}

/// Parts that were asked for and could not be read.
fn gaps(snapshot: &Snapshot, query: &Query) -> Vec<(NsId, model::Gap)> {
    let mut wanted = vec!["links", "addresses"];
    for read in query.reads() {
        wanted.extend_from_slice(match read {
            Read::Routes => &["routes"],
            Read::Neighbours => &["neighbours", "fdb"],
            Read::Netfilter => &["netfilter"],
            Read::Listeners => &["listeners"],
            Read::Tunnels => &["wireguard"],
        });
    }
    let of = |ns: &Namespace| {
        let gaps = ns.gaps.iter().filter(|g| wanted.contains(&g.part.as_str()));
        gaps.map(|g| (ns.id, g.clone())).collect::<Vec<_>>()
    };
    snapshot.namespaces.values().flat_map(of).collect()
}

fn addresses(snapshot: &Snapshot, ns: &Namespace, net: IpNet, found: &mut Found) {
    let is_in = |ip: IpAddr| net.contains(&ip);
    for a in ns.addresses.iter().filter(|a| is_in(a.ip()) || a.peer.is_some_and(is_in)) {
        let text = format!("{}{}", words::address(a), told_of(snapshot, ns, a));
        found.push(Kind::Address, ns.id, Some(a.link), &a.ip().to_string(), text);
    }
    for n in ns.networks.iter().filter(|n| n.subnets.iter().any(|s| s.contains(&net))) {
        found.push(Kind::Network, ns.id, None, &n.name, words::network(n));
    }
    for n in ns.neighbours.iter().filter(|n| is_in(n.ip)) {
        let proxy = if n.proxy { ", this host answers for it" } else { "" };
        let text = format!("{}{proxy}", words::neighbour(n));
        found.push(Kind::Neighbour, ns.id, Some(n.link), &n.ip.to_string(), text);
    }
    let mut named: Vec<Named> = Vec::new();
    for table in &ns.ruleset.tables {
        named.extend(rules::rules(table, |text| rules::names_net(text, net)));
        named.extend(rules::sets(table, |bytes| holds(bytes, net)));
    }
    named.extend(ns.ipsets.iter().flat_map(|set| rules::ipset(set, net)));
    // What has the address itself says more than what has a net around it.
    let exact = net.addr().to_string();
    named.sort_by_key(|n| (!n.translates, !n.text.contains(&exact)));
    for rule in named {
        found.push(Kind::Rule, ns.id, None, &net.to_string(), rule.text);
    }
    peers(snapshot, ns, net, found);
    for r in direct(ns, net) {
        found.push(Kind::Route, ns.id, None, &r.dst.to_string(), words::route(ns, r));
    }
}

/// WireGuard peers that are there, and those that get what is for it: of an address, the one with
/// the longest prefix for it.
fn peers(snapshot: &Snapshot, ns: &Namespace, net: IpNet, found: &mut Found) {
    for link in ns.links.values() {
        let Some(own) = link.wireguard() else { continue };
        let whose = own.peer_for(net.addr()).filter(|(_, allowed)| allowed.contains(&net));
        for peer in &own.peers {
            let there = peer.endpoint.is_some_and(|endpoint| net.contains(&endpoint.ip()));
            let gets = whose.is_some_and(|(one, _)| one.public_key == peer.public_key);
            if there || gets || peer.allowed_ips.iter().any(|allowed| net.contains(allowed)) {
                let text = words::peer_line(peer, Some(snapshot.taken));
                let value = peer.public_key.to_string();
                found.push(Kind::Peer, ns.id, Some(link.index), &value, text);
            }
        }
    }
}

/// What the address's link is joined to.
fn told_of(snapshot: &Snapshot, ns: &Namespace, a: &Address) -> String {
    let joined = ns.links.get(&a.link).and_then(|l| words::joined_to(snapshot, l));
    joined.map(|j| format!("  {j}")).unwrap_or_default()
}

/// A set's element that begins with an address of the net.
fn holds(bytes: &[u8], net: IpNet) -> bool {
    match net {
        IpNet::V4(net) => {
            bytes.first_chunk::<4>().is_some_and(|b| net.contains(&std::net::Ipv4Addr::from(*b)))
        }
        IpNet::V6(net) => {
            bytes.first_chunk::<16>().is_some_and(|b| net.contains(&std::net::Ipv6Addr::from(*b)))
        }
    }
}

/// The routes by which it is reached without a gateway: of an address, the most specific ones; of
/// a prefix, those to it and to parts of it too.
fn direct(ns: &Namespace, net: IpNet) -> Vec<&Route> {
    let all =
        || ns.routes.iter().filter(|r| r.table != TABLE_LOCAL && r.kind == RouteKind::Unicast);
    let longest = all().filter(|r| r.dst.contains(&net)).map(|r| r.dst.prefix_len()).max();
    let fits = |r: &&Route| {
        let covers = r.dst.contains(&net) && Some(r.dst.prefix_len()) == longest;
        (covers || net.contains(&r.dst)) && r.nexthops.iter().any(|h| h.gateway.is_none())
    };
    all().filter(fits).collect()
}

fn macs(snapshot: &Snapshot, ns: &Namespace, mac: Mac, found: &mut Found) {
    links(snapshot, ns, found, |l| l.mac == Some(mac));
    for set in &ns.ipsets {
        for entry in set.entries.iter().filter(|e| e.mac == Some(mac)) {
            let text = rules::entry(set, entry);
            found.push(Kind::Rule, ns.id, None, &mac.to_string(), text);
        }
    }
    for e in ns.fdb.iter().filter(|e| !e.own && e.mac == mac) {
        let at = e.master.unwrap_or(e.link);
        let port = ns.links.get(&e.link);
        let joined = port.and_then(|p| words::joined_to(snapshot, p));
        let border = port.is_some_and(model::Link::is_border);
        let to = joined.or_else(|| border.then(|| "⇄ outside".to_owned()));
        let text = format!(
            "behind {}{} ({})",
            words::dev(ns, e.link),
            to.filter(|_| !e.local).map(|t| format!(" {t}")).unwrap_or_default(),
            words::fdb_origin(e)
        );
        found.push(Kind::Fdb, ns.id, Some(at), &mac.to_string(), text);
    }
    for n in ns.neighbours.iter().filter(|n| n.mac == Some(mac)) {
        found.push(Kind::Neighbour, ns.id, Some(n.link), &n.ip.to_string(), words::neighbour(n));
    }
}

fn links(
    snapshot: &Snapshot,
    ns: &Namespace,
    found: &mut Found,
    wanted: impl Fn(&model::Link) -> bool,
) {
    for l in ns.links.values().filter(|l| wanted(l)) {
        found.push(Kind::Link, ns.id, Some(l.index), &l.name, words::link_short(snapshot, ns, l));
    }
}

fn names(snapshot: &Snapshot, ns: &Namespace, word: &str, found: &mut Found) {
    let is = |name: &str| name == word || glob(word, name);
    let path = snapshot.path_of(ns.id);
    let by_path = word.contains('/') && format!("/{path}").ends_with(&format!("/{word}"));
    let named = ns
        .names
        .iter()
        .any(|n| is(&n.text) || matches!(&n.source, NameSource::Lab(lab) if is(lab)));
    let file = ns.files.iter().any(|f| is(&f.path));
    if named || file || by_path || ns.id.to_string() == word {
        let text = words::known_by(snapshot, ns);
        found.push(Kind::Namespace, ns.id, None, &snapshot.name_of(ns.id), text);
    }
    for c in &ns.containers {
        let image = c.image.as_deref().is_some_and(|i| is(i) || image_name(i) == word);
        let pod = c.pod.as_ref().is_some_and(|p| is(&p.name));
        if c.is_called(word) || image || pod || c.names.iter().any(|(n, _)| is(n)) {
            found.push(Kind::Container, ns.id, None, c.name(), words::container(c));
        }
    }
    let by_id = |id: &str| word.len() >= 6 && id.starts_with(word);
    for n in ns.networks.iter().filter(|n| is(&n.name) || by_id(&n.id)) {
        found.push(Kind::Network, ns.id, None, &n.name, words::network(n));
    }
    links(snapshot, ns, found, |l| {
        let others = l.altnames.iter().chain(&l.alias);
        let full = || snapshot.link_name(LinkId { ns: ns.id, index: l.index }) == word;
        is(&l.name) || others.into_iter().any(|n| is(n)) || (word.contains(':') && full())
    });
}

/// `docker.io/library/nginx:1.27` is called `nginx`.
fn image_name(image: &str) -> &str {
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split([':', '@']).next().unwrap_or(last)
}
