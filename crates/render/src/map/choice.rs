//! Which namespaces are drawn.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use model::{Link, LinkId, Namespace, NsId, Relation, Snapshot};

use crate::find::glob;
use crate::ls;

/// What of a Snapshot is drawn. What is left empty leaves nothing out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// This one, what is inside of it, and what it is joined to.
    pub focus: Option<NsId>,
    /// What can be reached from this one by so many steps: over a link, into what is inside of
    /// it, or out to what it is inside of.
    pub around: Option<(NsId, usize)>,
    /// Those with such a name, of their own or of a container's; `*` and `?` as in file names.
    pub names: Vec<String>,
    /// Those on such a network: an engine's, or a bridge by its name.
    pub networks: Vec<String>,
    /// Those with an address in such a prefix.
    pub addresses: Vec<IpNet>,
    /// Leaf namespaces that differ only in names and addresses are drawn, however many they are.
    pub expand: bool,
}

impl From<Option<NsId>> for Choice {
    fn from(focus: Option<NsId>) -> Self {
        Self { focus, ..Self::default() }
    }
}

/// The namespaces in question, parents before children.
pub(crate) fn chosen(snapshot: &Snapshot, choice: &Choice) -> Vec<NsId> {
    let mut all: Vec<NsId> = ls::rows(snapshot, None).iter().map(|(_, ns)| ns.id).collect();
    // What is in no tree (a cycle of parents in what was read) is drawn all the same.
    let told: BTreeSet<NsId> = all.iter().copied().collect();
    all.extend(snapshot.namespaces.keys().filter(|id| !told.contains(id)));
    let mut sets: Vec<BTreeSet<NsId>> = Vec::new();
    sets.extend(choice.focus.map(|focus| surroundings(snapshot, focus)));
    sets.extend(choice.around.map(|(from, steps)| around(snapshot, from, steps)));
    let spaces = || snapshot.namespaces.values();
    if !choice.names.is_empty() {
        let named = |ns: &&Namespace| choice.names.iter().any(|word| is_called(snapshot, ns, word));
        sets.push(spaces().filter(named).map(|ns| ns.id).collect());
    }
    if !choice.addresses.is_empty() {
        let has = |ns: &&Namespace| {
            ns.addresses.iter().any(|a| choice.addresses.iter().any(|net| net.contains(&a.ip())))
        };
        sets.push(spaces().filter(has).map(|ns| ns.id).collect());
    }
    if !choice.networks.is_empty() {
        let words = choice.networks.iter();
        sets.push(words.flat_map(|word| members(snapshot, word)).collect());
    }
    all.retain(|id| sets.iter().all(|set| set.contains(id)));
    all
}

/// Itself, what is inside of it, and what it is joined to.
fn surroundings(snapshot: &Snapshot, focus: NsId) -> BTreeSet<NsId> {
    let mut near: BTreeSet<NsId> = ls::rows(snapshot, Some(focus)).iter().map(|r| r.1.id).collect();
    near.insert(focus);
    for l in snapshot.namespaces.get(&focus).into_iter().flat_map(|ns| ns.links.values()) {
        near.extend(joined(l));
    }
    let stands_here = |ns: &&Namespace| ns.links.values().any(|l| joined(l) == Some(focus));
    near.extend(snapshot.namespaces.values().filter(stands_here).map(|ns| ns.id));
    near
}

/// The namespace of what a link is joined to.
fn joined(l: &Link) -> Option<NsId> {
    match l.relation {
        Relation::Peer(there) | Relation::Lower(there) => Some(there.ns),
        Relation::Underlay(ns) => Some(ns),
        Relation::None | Relation::Unresolved(_) => None,
    }
}

fn around(snapshot: &Snapshot, from: NsId, steps: usize) -> BTreeSet<NsId> {
    let mut next_to: BTreeMap<NsId, BTreeSet<NsId>> = BTreeMap::new();
    for ns in snapshot.namespaces.values() {
        for other in ns.links.values().filter_map(joined).chain(ns.parent) {
            next_to.entry(ns.id).or_default().insert(other);
            next_to.entry(other).or_default().insert(ns.id);
        }
    }
    let mut reached = BTreeSet::from([from]);
    let mut edge = reached.clone();
    for _ in 0..steps {
        edge = edge.iter().filter_map(|id| next_to.get(id)).flatten().copied().collect();
        edge.retain(|id| reached.insert(*id));
    }
    reached
}

fn is_called(snapshot: &Snapshot, ns: &Namespace, word: &str) -> bool {
    let is = |name: &str| name == word || glob(word, name);
    let containers = ns.containers.iter().flat_map(|c| c.names.iter().map(|(name, _)| name));
    ns.names.iter().map(|n| &n.text).chain(containers).any(|name| is(name))
        || ns.containers.iter().any(|c| c.is_called(word))
        || is(&snapshot.path_of(ns.id))
}

/// The namespace that the network's bridge is in, and those with a link on it.
fn members(snapshot: &Snapshot, word: &str) -> BTreeSet<NsId> {
    let mut found = BTreeSet::new();
    for ns in snapshot.namespaces.values() {
        let links: BTreeSet<LinkId> = bridges(snapshot, ns, word).collect();
        found.extend(links.iter().map(|l| l.ns));
        for bridge in links {
            let held = ns.links.values().filter(|l| l.master == Some(bridge.index));
            found.extend(held.filter_map(joined));
            let stands =
                |n: &&Namespace| n.links.values().any(|l| l.relation == Relation::Lower(bridge));
            found.extend(snapshot.namespaces.values().filter(stands).map(|n| n.id));
        }
    }
    found
}

/// The links of a namespace that stand for the network of that name.
fn bridges(snapshot: &Snapshot, ns: &Namespace, word: &str) -> impl Iterator<Item = LinkId> {
    let is = move |name: &str| name == word || glob(word, name);
    let of_engine: BTreeSet<&str> = ns
        .networks
        .iter()
        .filter(|n| is(&n.name) || n.id == word)
        .filter_map(|n| n.link.as_deref())
        .collect();
    let of = move |l: &&Link| {
        let id = LinkId { ns: ns.id, index: l.index };
        let full = || word.contains(':') && snapshot.link_name(id) == word;
        let named = is(&l.name) || full();
        of_engine.contains(l.name.as_str())
            || (named && matches!(l.kind, model::LinkKind::Bridge(_)))
    };
    ns.links.values().filter(of).map(|l| LinkId { ns: ns.id, index: l.index })
}
