//! Namespaces that are made and end.

use model::{LinkId, LinkKind, Name, NameSource, Namespace, NamespaceSpec, NsFile, NsId, Pins};

use super::link::link;
use crate::State;

impl State {
    pub(super) fn set_space(&mut self, spec: &NamespaceSpec, there: bool) {
        match (there, self.id(&spec.name)) {
            (true, _) => self.make_space(spec),
            (false, Some(id)) => self.end_space(id),
            (false, None) => {}
        }
    }

    fn make_space(&mut self, spec: &NamespaceSpec) {
        let id = self.next_id();
        let mut space = Namespace::new(id);
        space.names.push(Name { text: spec.name.clone(), source: NameSource::File });
        space.parent = spec.inside.as_ref().and_then(|p| self.id(p));
        space.owner.unprivileged = spec.user.is_some();
        let mut lo = link(1, "lo", LinkKind::Loopback, &Pins::default());
        lo.mtu = 65536;
        space.links.insert(1, lo);
        self.indexes.insert(id, [("lo".to_owned(), 1)].into());
        self.names.insert(id, spec.name.clone());
        self.spaces.insert(id, space);
        self.known.namespaces.insert(spec.name.clone(), id);
    }

    /// A namespace ends with all inside of it, their links, and the other ends of those.
    fn end_space(&mut self, id: NsId) {
        let inner: Vec<NsId> =
            self.spaces.values().filter(|n| n.parent == Some(id)).map(|n| n.id).collect();
        for inner in inner {
            self.end_space(inner);
        }
        let name = self.name(id).map(str::to_owned).unwrap_or_default();
        self.end_cables_of(&name);
        let links: Vec<u32> =
            self.spaces.get(&id).map(|n| n.links.keys().copied().collect()).unwrap_or_default();
        for index in links {
            self.end_link(LinkId { ns: id, index });
        }
        self.spaces.remove(&id);
        self.names.remove(&id);
        self.indexes.remove(&id);
        for space in self.spaces.values_mut() {
            space.nsids.retain(|_, target| *target != id);
            space.files.retain(|f| f.seen_in != Some(id));
        }
        self.known.namespaces.retain(|_, i| *i != id);
        self.known.services.remove(&name);
        self.known.sysctls.retain(|(ns, _), _| *ns != name);
    }

    /// The cables whose process was there.
    fn end_cables_of(&mut self, name: &str) {
        let ends = self.known.cables.iter().filter(|(a, _)| a.ns == name);
        for (a, b) in ends.cloned().collect::<Vec<_>>() {
            self.known.cables.remove(&(a, b.clone()));
            if let Some(b) = b {
                self.end_link_called(&b);
            }
        }
    }

    pub(super) fn add_nsid(&mut self, ns: &str, nsid: u32, target: &str) {
        if let (Some(target), Some(space)) = (self.id(target), self.space_mut(ns)) {
            space.nsids.insert(nsid, target);
        }
    }

    pub(super) fn add_file(&mut self, ns: &str, path: &str, target: &str) {
        let file = NsFile { path: path.to_owned(), seen_in: self.id(ns) };
        if let Some(space) = self.space_mut(target) {
            space.files.push(file);
        }
    }

    pub(super) fn drop_file(&mut self, ns: &str, path: &str) {
        let seen_in = self.id(ns);
        for space in self.spaces.values_mut() {
            space.files.retain(|f| f.path != path || f.seen_in != seen_in);
        }
    }
}
