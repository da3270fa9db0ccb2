//! Which namespaces are drawn.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use model::{Link, Namespace, NsId, Snapshot};

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
        let named = |ns: &&Namespace| choice.names.iter().any(|word| snapshot.fits(ns, word));
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
        sets.push(words.flat_map(|word| on_network(snapshot, word)).collect());
    }
    all.retain(|id| sets.iter().all(|set| set.contains(id)));
    all
}

/// The namespace that the network's bridge is in, and those with a link on it.
fn on_network(snapshot: &Snapshot, word: &str) -> BTreeSet<NsId> {
    let links = snapshot.network_links(word);
    let mut found = snapshot.joined_to_network(&links);
    found.extend(links.iter().map(|l| l.ns));
    found
}

/// Itself, what is inside of it, and what it is joined to.
fn surroundings(snapshot: &Snapshot, focus: NsId) -> BTreeSet<NsId> {
    let mut near: BTreeSet<NsId> = ls::rows(snapshot, Some(focus)).iter().map(|r| r.1.id).collect();
    near.insert(focus);
    for l in snapshot.namespaces.get(&focus).into_iter().flat_map(|ns| ns.links.values()) {
        near.extend(l.joined_to());
    }
    let stands_here = |ns: &&Namespace| ns.links.values().any(|l| l.joined_to() == Some(focus));
    near.extend(snapshot.namespaces.values().filter(stands_here).map(|ns| ns.id));
    near
}

fn around(snapshot: &Snapshot, from: NsId, steps: usize) -> BTreeSet<NsId> {
    let mut next_to: BTreeMap<NsId, BTreeSet<NsId>> = BTreeMap::new();
    for ns in snapshot.namespaces.values() {
        for other in ns.links.values().filter_map(Link::joined_to).chain(ns.parent) {
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
