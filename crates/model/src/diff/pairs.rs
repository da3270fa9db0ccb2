use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{HostId, LinkId, LinkKind, NameSource, Namespace, NsId, NsKey, Relation, Snapshot};

/// Which namespaces and links of the earlier Snapshot are which of the later one.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    after: BTreeMap<NsId, NsId>,
    before: BTreeMap<NsId, NsId>,
    links: HashMap<LinkId, LinkId>,
    /// Both are of one run of one kernel, so that ids and PIDs mean the same in both.
    pub(super) same_run: bool,
    /// What is not listed is the same in both.
    rest_is_same: bool,
}

impl Pairs {
    /// `same_run` where the caller knows; None: by what the two say.
    pub(super) fn find(before: &Snapshot, after: &Snapshot, same: Option<bool>) -> Self {
        let same_run = same.unwrap_or_else(|| same_run(before, after));
        let mut pairs = Self { same_run, ..Self::default() };
        if pairs.same_run {
            pairs.by_identity(before, after);
        }
        pairs.by_path(before, after);
        if let (Some(a), Some(b)) = (before.viewer, after.viewer) {
            pairs.join(before, after, a, b);
        }
        while pairs.by_wires(before, after) {}
        pairs
    }

    /// Of two states of one namespace; all others are as they were.
    pub(super) fn of_one(before: &Namespace, after: &Namespace) -> Self {
        let mut pairs = Self { same_run: true, ..Self::default() };
        pairs.put(before, after);
        pairs.rest_is_same = true;
        pairs
    }

    /// The same namespace in the later Snapshot.
    pub(super) fn after(&self, before: NsId) -> Option<NsId> {
        self.after.get(&before).copied()
    }

    /// The same namespace in the earlier Snapshot.
    pub(super) fn before(&self, after: NsId) -> Option<NsId> {
        self.before.get(&after).copied()
    }

    /// The id in the later Snapshot of a namespace of the earlier one. One that is not there has
    /// an id that no namespace there has.
    pub(super) fn ns(&self, before: NsId) -> NsId {
        if self.rest_is_same {
            return before;
        }
        let gone = NsId { host: HostId(u32::MAX - before.host.0), key: before.key };
        self.after(before).unwrap_or(gone)
    }

    /// The same for a link.
    pub(super) fn link(&self, before: LinkId) -> LinkId {
        if self.rest_is_same && !self.after.contains_key(&before.ns) {
            return before;
        }
        let gone = LinkId { ns: self.ns(before.ns), index: u32::MAX - before.index };
        self.links.get(&before).copied().unwrap_or(gone)
    }

    /// The link of the later Snapshot, if it is there.
    pub(super) fn link_after(&self, before: LinkId) -> Option<LinkId> {
        self.links.get(&before).copied()
    }

    fn join(&mut self, before: &Snapshot, after: &Snapshot, a: NsId, b: NsId) {
        let there = before.namespaces.get(&a).zip(after.namespaces.get(&b));
        let Some((old, new)) = there else { return };
        if self.after.contains_key(&a) || self.before.contains_key(&b) {
            return;
        }
        self.put(old, new);
    }

    fn put(&mut self, old: &Namespace, new: &Namespace) {
        let (a, b) = (old.id, new.id);
        self.after.insert(a, b);
        self.before.insert(b, a);
        for (from, to) in links(old, new, self.same_run && a == b) {
            let id = |ns, index| LinkId { ns, index };
            self.links.insert(id(a, from), id(b, to));
        }
    }

    fn by_identity(&mut self, before: &Snapshot, after: &Snapshot) {
        for (id, old) in before.namespaces.iter().filter(|(id, _)| is_lasting(**id)) {
            if after.namespaces.get(id).is_some_and(|new| !is_successor(old, new)) {
                self.join(before, after, *id, *id);
            }
        }
    }

    fn by_path(&mut self, before: &Snapshot, after: &Snapshot) {
        let (old, new) = (paths(before), paths(after));
        for (path, a) in old {
            if let (Some(a), Some(Some(b))) = (a, new.get(&path)) {
                self.join(before, after, a, *b);
            }
        }
    }

    /// Namespaces that links of a known pair lead to. True if there were any.
    fn by_wires(&mut self, before: &Snapshot, after: &Snapshot) -> bool {
        let far = |snapshot: &Snapshot, id: LinkId| match snapshot.link(id)?.relation {
            Relation::Peer(to) | Relation::Lower(to) => Some(to.ns),
            Relation::Underlay(ns) => Some(ns),
            Relation::None | Relation::Unresolved(_) => None,
        };
        let ends: Vec<(NsId, NsId)> = self
            .links
            .iter()
            .filter_map(|(a, b)| Some((far(before, *a)?, far(after, *b)?)))
            .filter(|(a, b)| !self.after.contains_key(a) && !self.before.contains_key(b))
            // One that still lives is no other one.
            .filter(|(a, b)| !self.same_run || !is_lasting(*a) || !is_lasting(*b))
            .collect();
        let known = self.after.len();
        for (a, b) in ends {
            self.join(before, after, a, b);
        }
        self.after.len() > known
    }
}

/// An id that means the same in every Snapshot of one run of a kernel.
const fn is_lasting(id: NsId) -> bool {
    matches!(id.key, NsKey::Inode { .. } | NsKey::Net(_))
}

/// Whether another namespace has got the inode of one that is gone: the kernel gives it anew, and
/// nothing that could tell them to be the same is in both.
fn is_successor(old: &Namespace, new: &Namespace) -> bool {
    let pids = |ns: &Namespace| ns.processes.iter().map(|p| p.pid).collect::<BTreeSet<_>>();
    let wires = |ns: &Namespace| {
        let links = ns.links.values().filter(|l| l.kind != LinkKind::Loopback);
        links.map(|l| (l.index, l.name.clone(), l.mac)).collect::<BTreeSet<_>>()
    };
    let (old_pids, new_pids) = (pids(old), pids(new));
    let both_lived = !old_pids.is_empty() && !new_pids.is_empty();
    both_lived
        && old_pids.is_disjoint(&new_pids)
        && wires(old).is_disjoint(&wires(new))
        && !old.files.iter().any(|f| new.files.contains(f))
}

/// Whether ids can be held against each other. A kernel numbers namespaces from the same number on
/// at each start: equal ids with different names are of two starts, or of two machines.
fn same_run(before: &Snapshot, after: &Snapshot) -> bool {
    let common = before.namespaces.keys().filter(|id| is_lasting(**id));
    // What a process is called says nothing.
    let common = common.filter(|id| is_named(before, **id) && is_named(after, **id));
    let (same, other): (Vec<NsId>, Vec<NsId>) =
        common.copied().partition(|id| before.path_of(*id) == after.path_of(*id));
    same.len() >= other.len()
}

fn is_named(snapshot: &Snapshot, id: NsId) -> bool {
    let names = snapshot.namespaces.get(&id).map(|n| n.names.as_slice()).unwrap_or_default();
    names.first().is_some_and(|n| n.source != NameSource::Process)
}

/// Namespaces by their path of names; None where several have the same.
fn paths(snapshot: &Snapshot) -> BTreeMap<String, Option<NsId>> {
    let mut paths = BTreeMap::new();
    for ns in snapshot.namespaces.values().filter(|n| !n.names.is_empty()) {
        let one = paths.entry(snapshot.path_of(ns.id)).or_insert(Some(ns.id));
        *one = one.filter(|id| *id == ns.id);
    }
    paths
}

/// Pairs of ifindexes: by number where the namespace is the same, then by name.
fn links(before: &Namespace, after: &Namespace, same: bool) -> Vec<(u32, u32)> {
    let mut pairs = Vec::new();
    for (index, old) in before.links.iter().filter(|_| same) {
        // A namespace does not give an ifindex twice, but somebody can ask for one.
        if after.links.get(index).is_some_and(|new| new.kind.as_str() == old.kind.as_str()) {
            pairs.push((*index, *index));
        }
    }
    for (index, old) in &before.links {
        let new = after.links.values().find(|new| new.name == old.name);
        if let Some(new) = new
            && !pairs.iter().any(|(a, b)| a == index || *b == new.index)
        {
            pairs.push((*index, new.index));
        }
    }
    pairs
}
