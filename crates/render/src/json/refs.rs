use std::collections::BTreeMap;

use model::{LinkId, NsId, Relation, Snapshot};

/// What refers to a namespace or link, found once for all.
#[derive(Default)]
pub(super) struct Refs {
    children: BTreeMap<NsId, Vec<NsId>>,
    members: BTreeMap<LinkId, Vec<LinkId>>,
    uppers: BTreeMap<LinkId, Vec<LinkId>>,
}

impl Refs {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let mut refs = Self::default();
        for ns in snapshot.namespaces.values() {
            if let Some(parent) = ns.parent {
                refs.children.entry(parent).or_default().push(ns.id);
            }
            for l in ns.links.values() {
                let id = LinkId { ns: ns.id, index: l.index };
                if let Some(index) = l.master {
                    refs.members.entry(LinkId { ns: ns.id, index }).or_default().push(id);
                }
                if let Relation::Lower(lower) = l.relation {
                    refs.uppers.entry(lower).or_default().push(id);
                }
            }
        }
        refs
    }

    /// What is directly inside of a namespace.
    pub(super) fn children(&self, id: NsId) -> &[NsId] {
        self.children.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The ports of a bridge or bond, the members of a VRF.
    pub(super) fn members(&self, id: LinkId) -> &[LinkId] {
        self.members.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The links that stand on a link.
    pub(super) fn uppers(&self, id: LinkId) -> &[LinkId] {
        self.uppers.get(&id).map_or(&[], Vec::as_slice)
    }
}
