use std::collections::{BTreeMap, BTreeSet};

use model::{CableSpec, LinkRef, NsId, ServiceSpec};

/// What the one who applies changes knows of a lab and a Snapshot does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The lab's living namespaces by name.
    pub namespaces: BTreeMap<String, NsId>,
    /// Running answering processes by namespace.
    pub services: BTreeMap<String, ServiceSpec>,
    /// Living cables: the card where the process is, and the one at the other end.
    pub cables: BTreeSet<(LinkRef, Option<LinkRef>)>,
    /// Values read of the sysctls that the facts mention, by namespace and path (slashes). One
    /// that is not there counts as not set yet.
    pub sysctls: BTreeMap<(String, String), String>,
}

impl Known {
    /// Whether this cable lives.
    #[must_use]
    pub fn has_cable(&self, cable: &CableSpec) -> bool {
        self.cables.contains(&ends(cable))
    }
}

/// What tells one cable from another.
pub(crate) fn ends(cable: &CableSpec) -> (LinkRef, Option<LinkRef>) {
    (cable.a.link.clone(), cable.b.as_ref().map(|b| b.link.clone()))
}
