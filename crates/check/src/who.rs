//! Who is meant by a rule's sides, in this Snapshot.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use model::{LinkId, LinkKind, Namespace, NsId, Scope, Snapshot, TABLE_MAIN, glob};
use walk::Place;
use yaml::{At, Said};

use crate::error::{Errors, Problem, nearest};
use crate::file::{File, Label, Selector, net};

/// One end of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// A namespace.
    Namespace(NsId),
    /// Whoever has this address; with its own only namespace, that one.
    Address(IpAddr),
    /// Beyond this host.
    Outside,
}

/// Who sends.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) who: End,
    /// Where its packets start: of `outside`, each card.
    pub(crate) places: Vec<Place>,
    /// With this address.
    pub(crate) address: Option<IpAddr>,
}

/// Whom it is for.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) who: End,
    /// Its addresses, the one that it is best known by first.
    pub(crate) addresses: Vec<IpAddr>,
}

/// Stands for the internet of IPv6 (RFC 3849).
const BEYOND_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1);

/// Finds who is meant.
pub(crate) struct Finder<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) file: &'a File,
    pub(crate) errors: Errors,
}

impl Finder<'_> {
    pub(crate) fn sources(&mut self, said: &[Said<Selector>]) -> Vec<Source> {
        let ends = self.ends(said);
        ends.into_iter().filter_map(|(at, who)| self.source(at, who)).collect()
    }

    pub(crate) fn targets(&mut self, said: &[Said<Selector>]) -> Vec<Target> {
        let ends = self.ends(said);
        ends.into_iter().map(|(_, who)| self.target(who)).collect()
    }

    fn source(&mut self, at: At, who: End) -> Option<Source> {
        let (places, address) = match who {
            End::Namespace(ns) => (vec![Place::Namespace(ns)], None),
            End::Address(ip) => match self.owners(ip).as_slice() {
                [] => (self.cards(), Some(ip)),
                owners => (owners.iter().copied().map(Place::Namespace).collect(), Some(ip)),
            },
            End::Outside => (self.cards(), None),
        };
        if places.is_empty() {
            self.errors.push(at, Problem::NothingOutside);
            return None;
        }
        Some(Source { who, places, address })
    }

    fn target(&self, who: End) -> Target {
        let addresses = match who {
            End::Namespace(ns) => addresses(&self.snapshot.namespaces[&ns]),
            End::Address(ip) => vec![ip],
            End::Outside => beyond(self.snapshot),
        };
        Target { who, addresses }
    }

    /// Each of them once, in order.
    fn ends(&mut self, said: &[Said<Selector>]) -> Vec<(At, End)> {
        let mut told = BTreeSet::new();
        let mut all = Vec::new();
        for one in said {
            for end in self.of(one) {
                if told.insert(end) {
                    all.push((one.at, end));
                }
            }
        }
        all
    }

    fn of(&mut self, said: &Said<Selector>) -> Vec<End> {
        match &said.what {
            Selector::Everybody => {
                self.snapshot.namespaces.keys().copied().map(End::Namespace).collect()
            }
            Selector::Outside => vec![End::Outside],
            Selector::Net(net) => self.in_net(said.at, *net),
            Selector::Word(word) => {
                let file = self.file;
                match file.groups.iter().find(|(name, _)| name == word) {
                    // A group's own words name no groups.
                    Some((_, members)) => members.iter().flat_map(|m| self.member(m)).collect(),
                    None => self.called(said.at, word),
                }
            }
            Selector::Labels(labels) => self.labelled(said.at, labels),
        }
    }

    fn member(&mut self, said: &Said<Selector>) -> Vec<End> {
        match &said.what {
            Selector::Word(word) => self.called(said.at, word),
            _ => self.of(said),
        }
    }

    /// An address is itself; a prefix stands for the namespaces that have one in it.
    fn in_net(&mut self, at: At, net: IpNet) -> Vec<End> {
        if net.prefix_len() == net.max_prefix_len() {
            return vec![End::Address(net.addr())];
        }
        let inside = |ns: &&Namespace| ns.addresses.iter().any(|a| net.contains(&a.ip()));
        let found: Vec<End> = self.namespaces(inside);
        if found.is_empty() {
            let first = net.hosts().next().unwrap_or(net.addr()).to_string();
            self.errors.push(at, Problem::NobodyInPrefix { net: net.to_string(), first });
        }
        found
    }

    fn called(&mut self, at: At, word: &str) -> Vec<End> {
        let found = self.namespaces(|ns| self.snapshot.fits(ns, word));
        if !found.is_empty() {
            return found;
        }
        if let Ok(ns) = self.snapshot.resolve_ns(word) {
            return vec![End::Namespace(ns)];
        }
        self.nobody(at, word);
        Vec::new()
    }

    fn labelled(&mut self, at: At, labels: &[(Label, String)]) -> Vec<End> {
        let mut found: BTreeSet<NsId> = self.snapshot.namespaces.keys().copied().collect();
        for (label, word) in labels {
            let fitting = self.with(*label, word);
            if fitting.is_empty() {
                self.nobody(at, word);
                return Vec::new();
            }
            found.retain(|ns| fitting.contains(ns));
        }
        if found.is_empty() {
            let words: Vec<&str> = labels.iter().map(|(_, word)| word.as_str()).collect();
            self.nobody(at, &words.join(", "));
        }
        found.into_iter().map(End::Namespace).collect()
    }

    /// The namespaces of which that is so.
    fn with(&self, label: Label, word: &str) -> BTreeSet<NsId> {
        let s = self.snapshot;
        let is = |name: &str| name == word || glob(word, name);
        let contained =
            |f: &dyn Fn(&model::Container) -> bool| ids(s, |ns| ns.containers.iter().any(f));
        match label {
            Label::Name => ids(s, |ns| s.fits(ns, word)),
            Label::Network => s.joined_to_network(&s.network_links(word)),
            Label::Image => contained(&|c| c.image.as_deref().is_some_and(is)),
            Label::Engine => contained(&|c| c.engine.as_str().eq_ignore_ascii_case(word)),
            Label::Pod => contained(&|c| c.pod.as_ref().is_some_and(|p| is(&p.name))),
            Label::PodNamespace => contained(&|c| {
                let pod = c.pod.as_ref().and_then(|p| p.namespace.as_deref());
                pod.is_some_and(is)
            }),
            Label::Lab => ids(s, |ns| ns.lab().is_some_and(is)),
            Label::Inside => {
                let outer = ids(s, |ns| s.fits(ns, word));
                ids(s, |ns| is_inside(s, ns, &outer))
            }
            Label::Address => net(word).map_or_else(BTreeSet::new, |net| {
                ids(s, |ns| ns.addresses.iter().any(|a| net.contains(&a.ip())))
            }),
        }
    }

    fn namespaces(&self, which: impl Fn(&&Namespace) -> bool) -> Vec<End> {
        self.snapshot.namespaces.values().filter(which).map(|ns| End::Namespace(ns.id)).collect()
    }

    fn nobody(&mut self, at: At, word: &str) {
        let groups = self.file.groups.iter().map(|(name, _)| name.clone());
        let names: Vec<String> = groups
            .chain(self.snapshot.namespaces.values().map(Namespace::name))
            .chain(self.snapshot.namespaces.values().flat_map(|ns| {
                let containers = ns.containers.iter().map(|c| c.name().to_owned());
                containers.chain(ns.networks.iter().map(|n| n.name.clone()))
            }))
            .collect();
        let nearest = nearest(word, names.iter().map(String::as_str));
        self.errors.push(at, Problem::NothingFits { word: word.to_owned(), nearest });
    }

    /// The namespaces that have this address.
    fn owners(&self, ip: IpAddr) -> Vec<NsId> {
        let has = |ns: &Namespace| ns.addresses.iter().any(|a| a.ip() == ip);
        ids(self.snapshot, has).into_iter().collect()
    }

    /// The links by which packets come in from beyond this host.
    fn cards(&self) -> Vec<Place> {
        let all = self.snapshot.namespaces.iter().flat_map(|(ns, space)| {
            let links = space.links.values().filter(|l| l.is_border() && l.is_up());
            links.map(|l| Place::Outside(LinkId { ns: *ns, index: l.index }))
        });
        all.collect()
    }
}

fn ids(snapshot: &Snapshot, which: impl Fn(&Namespace) -> bool) -> BTreeSet<NsId> {
    snapshot.namespaces.values().filter(|ns| which(ns)).map(|ns| ns.id).collect()
}

/// In it, at any depth.
fn is_inside(snapshot: &Snapshot, ns: &Namespace, outer: &BTreeSet<NsId>) -> bool {
    let parent = |id: &NsId| snapshot.namespaces.get(id).and_then(|n| n.parent);
    let mut parents = std::iter::successors(ns.parent, parent).take(snapshot.namespaces.len());
    parents.any(|p| outer.contains(&p))
}

/// Addresses that only a default route leads to: of IPv6 where somebody has such a route.
fn beyond(snapshot: &Snapshot) -> Vec<IpAddr> {
    let namespaces = || snapshot.namespaces.values();
    let leads = |ns: &Namespace| default_route(ns, false).is_some();
    let v6 = namespaces().any(leads).then_some(BEYOND_V6.into());
    std::iter::once(IpAddr::V4(walk::beyond(snapshot))).chain(v6).collect()
}

/// The link that its default route goes by.
fn default_route(ns: &Namespace, v4: bool) -> Option<u32> {
    let is_default = |r: &&model::Route| {
        r.table == TABLE_MAIN && r.dst.prefix_len() == 0 && r.dst.addr().is_ipv4() == v4
    };
    let best = ns.routes.iter().filter(is_default).min_by_key(|r| r.metric)?;
    best.nexthops.first().map(|hop| hop.link)
}

/// Its addresses that others may know it by, of IPv4 first: those of the link that its default route
/// goes by before others, none of its loopback's, none for one link only.
fn addresses(ns: &Namespace) -> Vec<IpAddr> {
    let links = |v4| {
        let outwards = default_route(ns, v4);
        let all = ns.links.values().filter(|l| l.kind != LinkKind::Loopback).map(|l| l.index);
        outwards.into_iter().chain(all.filter(move |l| Some(*l) != outwards))
    };
    let of = |v4| {
        let all = links(v4).flat_map(|link| ns.addresses_of(link));
        let good = all.filter(move |a| a.ip().is_ipv4() == v4 && a.scope != Scope::Link);
        good.map(model::Address::ip)
    };
    of(true).chain(of(false)).collect()
}
