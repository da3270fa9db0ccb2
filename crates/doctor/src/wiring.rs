//! Which links hear each other, and who sends by whom.

use std::collections::HashMap;
use std::net::IpAddr;

use model::{Address, Link, LinkId, LinkKind, Namespace, NsId, Relation, Snapshot, TABLE_MAIN};

/// A namespace with a default route by a gateway that was read, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// Its link.
    pub(crate) link: LinkId,
    /// The gateway's.
    pub(crate) router: LinkId,
}

/// What is joined to what.
pub(crate) struct Wiring {
    /// Links of one number hear each other's broadcasts, as far as bridges and pairs go.
    segment: HashMap<LinkId, usize>,
    /// Links with addresses, by segment.
    ends: Vec<Vec<LinkId>>,
    pub(crate) users: Vec<User>,
}

impl Wiring {
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let mut wiring = Self { segment: HashMap::new(), ends: Vec::new(), users: Vec::new() };
        let joined = joined(snapshot);
        for start in all_links(snapshot) {
            wiring.spread(start, &joined);
        }
        for (id, ns) in &snapshot.namespaces {
            for link in ns.links.values().filter(|l| l.kind != LinkKind::Loopback) {
                let link = LinkId { ns: *id, index: link.index };
                if ns.addresses_of(link.index).any(|a| a.ip().is_ipv4()) {
                    wiring.ends[wiring.segment[&link]].push(link);
                }
            }
        }
        let users = snapshot.namespaces.values().filter_map(|ns| wiring.user(snapshot, ns));
        wiring.users = users.collect();
        wiring
    }

    /// Gives a number to a link and all that hear it.
    fn spread(&mut self, start: LinkId, joined: &HashMap<LinkId, Vec<LinkId>>) {
        if self.segment.contains_key(&start) {
            return;
        }
        let number = self.ends.len();
        self.ends.push(Vec::new());
        let mut open = vec![start];
        while let Some(link) = open.pop() {
            if self.segment.insert(link, number).is_none() {
                let near = joined.get(&link).into_iter().flatten();
                open.extend(near.filter(|l| !self.segment.contains_key(l)));
            }
        }
    }

    fn user(&self, snapshot: &Snapshot, ns: &Namespace) -> Option<User> {
        let hop = default_hop(ns)?;
        let link = LinkId { ns: ns.id, index: hop.0 };
        let has = |l: &&LinkId| {
            let mut addresses = addresses(snapshot, **l);
            l.ns != ns.id && addresses.any(|a| a.ip() == hop.1)
        };
        let router = self.beside(link).iter().find(has)?;
        Some(User { link, router: *router })
    }

    /// The links with IPv4 addresses that hear this one, itself included.
    pub(crate) fn beside(&self, link: LinkId) -> &[LinkId] {
        self.segment.get(&link).map_or(&[], |n| &self.ends[*n])
    }
}

/// Link and gateway of the IPv4 default route.
pub(crate) fn default_hop(ns: &Namespace) -> Option<(u32, IpAddr)> {
    let is_default = |r: &&model::Route| {
        r.table == TABLE_MAIN && r.dst.prefix_len() == 0 && r.dst.addr().is_ipv4()
    };
    let route = ns.routes.iter().filter(is_default).min_by_key(|r| r.metric)?;
    let hop = route.nexthops.first()?;
    Some((hop.link, hop.gateway?))
}

pub(crate) fn addresses(snapshot: &Snapshot, link: LinkId) -> impl Iterator<Item = &Address> {
    let ns = snapshot.namespaces.get(&link.ns);
    ns.into_iter().flat_map(move |ns| ns.addresses_of(link.index))
}

fn all_links(snapshot: &Snapshot) -> impl Iterator<Item = LinkId> {
    let of = |(id, ns): (&NsId, &Namespace)| {
        let id = *id;
        ns.links.keys().map(move |index| LinkId { ns: id, index: *index }).collect::<Vec<_>>()
    };
    snapshot.namespaces.iter().flat_map(of)
}

/// What each link is joined to, in both directions.
fn joined(snapshot: &Snapshot) -> HashMap<LinkId, Vec<LinkId>> {
    let mut joined: HashMap<LinkId, Vec<LinkId>> = HashMap::new();
    for (id, ns) in &snapshot.namespaces {
        for link in ns.links.values() {
            let here = LinkId { ns: *id, index: link.index };
            for there in others(*id, link) {
                joined.entry(here).or_default().push(there);
                joined.entry(there).or_default().push(here);
            }
        }
    }
    joined
}

fn others(ns: NsId, link: &Link) -> impl Iterator<Item = LinkId> {
    let bridge = link.master.filter(|_| link.port.is_some()).map(|index| LinkId { ns, index });
    let other = match (&link.kind, link.relation) {
        (_, Relation::Peer(there)) => Some(there),
        (LinkKind::Macvlan(_), Relation::Lower(there)) => Some(there),
        _ => None,
    };
    bridge.into_iter().chain(other)
}
