//! Which links hear each other, and who sends by whom.

use std::collections::HashMap;
use std::net::IpAddr;

use model::{
    Address, Link, LinkId, LinkKind, Namespace, NsId, Relation, RouteKind, Snapshot, TABLE_MAIN,
};

/// A namespace with a default route by a gateway that was read, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// Its link.
    pub(crate) link: LinkId,
    /// The gateway's.
    pub(crate) router: LinkId,
    /// The route is of IPv6.
    pub(crate) ipv6: bool,
}

/// What is joined to what.
pub(crate) struct Wiring {
    /// Links of one number hear each other's broadcasts, as far as bridges and pairs go.
    segment: HashMap<LinkId, usize>,
    /// All links of each segment.
    members: Vec<Vec<LinkId>>,
    /// Those with addresses of IPv4, of IPv6.
    ends: [Vec<Vec<LinkId>>; 2],
    pub(crate) users: Vec<User>,
}

impl Wiring {
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let mut wiring = Self {
            segment: HashMap::new(),
            members: Vec::new(),
            ends: [Vec::new(), Vec::new()],
            users: Vec::new(),
        };
        let joined = joined(snapshot);
        for start in all_links(snapshot) {
            wiring.spread(start, &joined);
        }
        wiring.ends = [false, true].map(|ipv6| {
            let has = |l: &&LinkId| addresses(snapshot, **l).any(|a| a.ip().is_ipv6() == ipv6);
            let ends = |all: &Vec<LinkId>| all.iter().filter(has).copied().collect();
            wiring.members.iter().map(ends).collect()
        });
        for ipv6 in [false, true] {
            let all = snapshot.namespaces.values();
            let users: Vec<User> = all.filter_map(|ns| wiring.user(snapshot, ns, ipv6)).collect();
            wiring.users.extend(users);
        }
        wiring
    }

    /// Gives a number to a link and all that hear it.
    fn spread(&mut self, start: LinkId, joined: &HashMap<LinkId, Vec<LinkId>>) {
        if self.segment.contains_key(&start) {
            return;
        }
        let number = self.members.len();
        let mut members = Vec::new();
        let mut open = vec![start];
        while let Some(link) = open.pop() {
            if self.segment.insert(link, number).is_none() {
                members.push(link);
                let near = joined.get(&link).into_iter().flatten();
                open.extend(near.filter(|l| !self.segment.contains_key(l)));
            }
        }
        members.sort();
        self.members.push(members);
    }

    fn user(&self, snapshot: &Snapshot, ns: &Namespace, ipv6: bool) -> Option<User> {
        let hop = default_hop(ns, ipv6)?;
        let link = LinkId { ns: ns.id, index: hop.0 };
        let has = |l: &&LinkId| {
            let mut addresses = addresses(snapshot, **l);
            l.ns != ns.id && addresses.any(|a| a.ip() == hop.1)
        };
        let router = self.beside(link, ipv6).iter().find(has)?;
        Some(User { link, router: *router, ipv6 })
    }

    /// The links with addresses of that family that hear this one, itself included.
    pub(crate) fn beside(&self, link: LinkId, ipv6: bool) -> &[LinkId] {
        let ends = &self.ends[usize::from(ipv6)];
        self.segment.get(&link).map_or(&[], |n| &ends[*n])
    }

    /// All links that hear this one, itself included.
    pub(crate) fn segment(&self, link: LinkId) -> impl Iterator<Item = LinkId> {
        self.segment.get(&link).into_iter().flat_map(|n| &self.members[*n]).copied()
    }

    /// Of each segment the links with addresses of that family.
    pub(crate) fn segments(&self, ipv6: bool) -> impl Iterator<Item = &[LinkId]> {
        self.ends[usize::from(ipv6)].iter().map(Vec::as_slice)
    }
}

/// Link and gateway of the default route.
pub(crate) fn default_hop(ns: &Namespace, ipv6: bool) -> Option<(u32, IpAddr)> {
    let is_default = |r: &&model::Route| {
        let default = r.table == TABLE_MAIN && r.dst.prefix_len() == 0;
        default && r.kind == RouteKind::Unicast && r.dst.addr().is_ipv6() == ipv6
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
