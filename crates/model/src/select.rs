//! Which namespaces a word picks out, where it may be several.

use std::collections::BTreeSet;

use crate::{Link, LinkId, LinkKind, Namespace, NsId, Relation, Snapshot, glob};

impl Link {
    /// The namespace of what it is joined to.
    #[must_use]
    pub const fn joined_to(&self) -> Option<NsId> {
        match self.relation {
            Relation::Peer(there) | Relation::Lower(there) => Some(there.ns),
            Relation::Underlay(ns) => Some(ns),
            Relation::None | Relation::Unresolved(_) => None,
        }
    }
}

impl Snapshot {
    /// Whether it is so called, itself or a container in it, or has such a path; `*` and `?` stand
    /// for any text and any character.
    #[must_use]
    pub fn fits(&self, ns: &Namespace, word: &str) -> bool {
        let is = |name: &str| name == word || glob(word, name);
        let containers = ns.containers.iter().flat_map(|c| c.names.iter().map(|(name, _)| name));
        ns.names.iter().map(|n| &n.text).chain(containers).any(|name| is(name))
            || ns.containers.iter().any(|c| c.is_called(word))
            || is(&self.path_of(ns.id))
    }

    /// The links that stand for the network of that name: an engine's, or bridges so called.
    #[must_use]
    pub fn network_links(&self, word: &str) -> BTreeSet<LinkId> {
        self.namespaces.values().flat_map(|ns| self.links_of_network(ns, word)).collect()
    }

    /// The namespaces that are joined to such a network: by a cable to a port of its bridge, or by
    /// a link that stands on it.
    #[must_use]
    pub fn joined_to_network(&self, networks: &BTreeSet<LinkId>) -> BTreeSet<NsId> {
        let mut found = BTreeSet::new();
        for (id, ns) in &self.namespaces {
            for link in ns.links.values() {
                let bridge = link.master.map(|index| LinkId { ns: *id, index });
                if bridge.is_some_and(|b| networks.contains(&b)) {
                    found.extend(link.joined_to());
                }
                if matches!(link.relation, Relation::Lower(l) if networks.contains(&l)) {
                    found.insert(*id);
                }
            }
        }
        found
    }

    fn links_of_network(&self, ns: &Namespace, word: &str) -> impl Iterator<Item = LinkId> {
        let is = move |name: &str| name == word || glob(word, name);
        let of_engine: BTreeSet<&str> = ns
            .networks
            .iter()
            .filter(|n| is(&n.name) || n.id == word)
            .filter_map(|n| n.link.as_deref())
            .collect();
        let of = move |l: &&Link| {
            let id = LinkId { ns: ns.id, index: l.index };
            let full = || word.contains(':') && self.link_name(id) == word;
            let named = is(&l.name) || full();
            of_engine.contains(l.name.as_str()) || (named && matches!(l.kind, LinkKind::Bridge(_)))
        };
        ns.links.values().filter(of).map(|l| LinkId { ns: ns.id, index: l.index })
    }
}
