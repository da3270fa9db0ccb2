//! All namespaces of a Snapshot, with an index of their names and one of their numbers.

use std::collections::BTreeMap;
use std::collections::btree_map::{IntoIter, Iter};
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

use crate::{Namespace, NsId};

/// Namespaces by id. It is read and changed as the map that it holds; an index is made when
/// it is first asked for, and thrown away with every change.
#[derive(Debug, Default)]
pub struct Namespaces {
    map: BTreeMap<NsId, Namespace>,
    names: OnceLock<Names>,
    nsids: OnceLock<Nsids>,
}

/// By namespace: who has a number for it, and which.
type Nsids = BTreeMap<NsId, Vec<(NsId, u32)>>;

/// What everybody is called, as seen by one viewer.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) viewer: Option<NsId>,
    pub(crate) of: BTreeMap<NsId, String>,
}

impl Namespaces {
    /// The index of names, made by `make` where there is none.
    pub(crate) fn names(&self, make: impl FnOnce() -> Names) -> &Names {
        self.names.get_or_init(make)
    }

    /// Which numbers others have for a namespace, by the namespace that has them.
    #[must_use]
    pub fn known_as(&self, id: NsId) -> &[(NsId, u32)] {
        let all = self.nsids.get_or_init(|| {
            let mut all = Nsids::new();
            for owner in self.map.values() {
                for (nsid, target) in &owner.nsids {
                    all.entry(*target).or_default().push((owner.id, *nsid));
                }
            }
            all
        });
        all.get(&id).map_or(&[], Vec::as_slice)
    }
}

/// A copy is often made to be changed: it begins without an index.
impl Clone for Namespaces {
    fn clone(&self) -> Self {
        self.map.clone().into()
    }
}

/// The index says nothing of its own.
impl PartialEq for Namespaces {
    fn eq(&self, other: &Self) -> bool {
        self.map == other.map
    }
}

impl Eq for Namespaces {}

impl From<BTreeMap<NsId, Namespace>> for Namespaces {
    fn from(map: BTreeMap<NsId, Namespace>) -> Self {
        Self { map, names: OnceLock::new(), nsids: OnceLock::new() }
    }
}

impl FromIterator<(NsId, Namespace)> for Namespaces {
    fn from_iter<I: IntoIterator<Item = (NsId, Namespace)>>(all: I) -> Self {
        BTreeMap::from_iter(all).into()
    }
}

impl Deref for Namespaces {
    type Target = BTreeMap<NsId, Namespace>;

    fn deref(&self) -> &Self::Target {
        &self.map
    }
}

impl DerefMut for Namespaces {
    fn deref_mut(&mut self) -> &mut Self::Target {
        (self.names, self.nsids) = (OnceLock::new(), OnceLock::new());
        &mut self.map
    }
}

impl<'a> IntoIterator for &'a Namespaces {
    type Item = (&'a NsId, &'a Namespace);
    type IntoIter = Iter<'a, NsId, Namespace>;

    fn into_iter(self) -> Self::IntoIter {
        self.map.iter()
    }
}

impl IntoIterator for Namespaces {
    type Item = (NsId, Namespace);
    type IntoIter = IntoIter<NsId, Namespace>;

    fn into_iter(self) -> Self::IntoIter {
        self.map.into_iter()
    }
}
