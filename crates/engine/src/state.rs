use std::collections::{BTreeMap, HashMap};

use model::{HostId, Link, LinkId, LinkRef, Namespace, NsId, NsKey, Snapshot};

use crate::Known;

/// A lab as it is, or as it will be after some changes.
///
/// Only the lab's own namespaces are in it: nothing else is ever changed.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub(crate) spaces: BTreeMap<NsId, Namespace>,
    pub(crate) known: Known,
    /// Names by namespace, and ifindexes by namespace and name: thousands of links are looked up.
    pub(crate) names: HashMap<NsId, String>,
    pub(crate) indexes: HashMap<NsId, HashMap<String, u32>>,
    /// Namespaces foreseen so far: they have no inode yet.
    foreseen: u32,
}

impl State {
    /// What of a Snapshot belongs to the lab. A name whose namespace the Snapshot does not show
    /// is not there.
    #[must_use]
    pub fn new(now: &Snapshot, known: &Known) -> Self {
        let mut known = known.clone();
        known.namespaces.retain(|_, id| now.namespaces.contains_key(id));
        let spaces: BTreeMap<NsId, Namespace> = known
            .namespaces
            .values()
            .filter_map(|id| now.namespaces.get(id).map(|ns| (*id, ns.clone())))
            .collect();
        let names = known.namespaces.iter().map(|(name, id)| (*id, name.clone())).collect();
        let by_name =
            |ns: &Namespace| ns.links.values().map(|l| (l.name.clone(), l.index)).collect();
        let indexes = spaces.iter().map(|(id, ns)| (*id, by_name(ns))).collect();
        Self { spaces, known, names, indexes, foreseen: 0 }
    }

    /// The same as a Snapshot and what is known beside it.
    #[must_use]
    pub fn into_parts(self) -> (Snapshot, Known) {
        let snapshot = Snapshot { namespaces: self.spaces.into(), ..Snapshot::default() };
        (snapshot, self.known)
    }

    pub(crate) fn id(&self, ns: &str) -> Option<NsId> {
        self.known.namespaces.get(ns).copied()
    }

    pub(crate) fn space(&self, ns: &str) -> Option<&Namespace> {
        self.spaces.get(&self.id(ns)?)
    }

    pub(crate) fn space_mut(&mut self, ns: &str) -> Option<&mut Namespace> {
        let id = self.id(ns)?;
        self.spaces.get_mut(&id)
    }

    pub(crate) fn name(&self, id: NsId) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }

    pub(crate) fn link(&self, link: &LinkRef) -> Option<&Link> {
        let id = self.link_id(link)?;
        self.spaces.get(&id.ns)?.links.get(&id.index)
    }

    pub(crate) fn link_mut(&mut self, link: &LinkRef) -> Option<&mut Link> {
        let id = self.link_id(link)?;
        self.spaces.get_mut(&id.ns)?.links.get_mut(&id.index)
    }

    pub(crate) fn link_id(&self, link: &LinkRef) -> Option<LinkId> {
        let ns = self.id(&link.ns)?;
        let index = *self.indexes.get(&ns)?.get(&link.name)?;
        Some(LinkId { ns, index })
    }

    /// The lab's name for a link.
    pub(crate) fn link_ref(&self, id: LinkId) -> Option<LinkRef> {
        let link = self.spaces.get(&id.ns)?.links.get(&id.index)?;
        Some(LinkRef::new(self.name(id.ns)?, &link.name))
    }

    /// An id for a namespace that is not made yet.
    pub(crate) fn next_id(&mut self) -> NsId {
        loop {
            self.foreseen += 1;
            // Above all numbers that a reader gives.
            let key = NsKey::Unseen(u32::MAX - self.foreseen);
            let id = NsId { host: HostId(0), key };
            if !self.spaces.contains_key(&id) {
                return id;
            }
        }
    }
}
