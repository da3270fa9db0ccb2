use std::collections::BTreeMap;

use model::{LinkId, NsId, Relation, Snapshot};

/// What refers to a namespace or link, found once for all.
#[derive(Default)]
pub(super) struct Refs {
    children: BTreeMap<NsId, Vec<NsId>>,
    known_as: BTreeMap<NsId, Vec<(NsId, u32)>>,
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
            for (number, target) in &ns.nsids {
                refs.known_as.entry(*target).or_default().push((ns.id, *number));
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

    /// The numbers that others have for a namespace.
    pub(super) fn known_as(&self, id: NsId) -> &[(NsId, u32)] {
        self.known_as.get(&id).map_or(&[], Vec::as_slice)
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
