//! What is held of the namespaces, and how what is told changes it.

use std::ops::ControlFlow;

use model::diff::{
    Turn, What, address_is_noise, fdb_is_noise, link_facts, link_settings, neighbour_is_noise,
};
use model::{
    Address, BridgePort, Difference, FdbEntry, Link, LinkId, LinkKind, Name, NameSource, Namespace,
    Neighbour, NsId, Relation, Snapshot,
};
use wire::rtnl::{Notice, RawLink};

use super::{Teller, Told};

const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

/// Links that left a namespace and have not yet come up in another are remembered, so many.
const ON_THE_WAY: usize = 64;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) snapshot: Snapshot,
    /// A link came up whose peer is in a namespace that nobody knows.
    pub(super) strange_peer: bool,
    moving: Vec<Moving>,
    /// Links that are gone, for the names of what goes with them.
    ghosts: Vec<(NsId, Link)>,
}

/// A link on its way from one namespace to another.
#[derive(Debug)]
struct Moving {
    from: Box<Snapshot>,
    id: LinkId,
    /// ifindex that it will have.
    to: u32,
}

/// Who answers what a message leaves open.
pub(super) trait Asks {
    /// The link as it is now.
    fn link(&mut self, ns: NsId, link: u32) -> Option<RawLink>;
    /// The namespace of a number in that answer.
    fn namespace(&self, nsid: i32) -> Option<NsId>;
}

impl State {
    pub(super) fn new(mut snapshot: Snapshot, known: &[(NsId, NsId)]) -> Self {
        let mut state = Self::default();
        state.recognise(&mut snapshot, known);
        state.snapshot = snapshot;
        state
    }

    /// Applies what is told of that namespace, and tells what differs by it.
    pub(super) fn apply(
        &mut self,
        ns: NsId,
        notice: Notice,
        asks: &mut dyn Asks,
        tell: &mut Teller<'_>,
    ) -> ControlFlow<()> {
        if !self.snapshot.namespaces.contains_key(&ns) {
            return GO_ON;
        }
        match notice {
            Notice::Link(raw) => self.link(ns, *raw, asks, tell),
            Notice::Port { link, bridge, port } => {
                self.port(LinkId { ns, index: link }, bridge, port, tell)
            }
            Notice::LinkGone { link, moved } => {
                self.link_gone(LinkId { ns, index: link }, moved, tell)
            }
            Notice::Address(a) => self.address(ns, a, tell),
            Notice::AddressGone(a) => self.address_gone(ns, &a, tell),
            Notice::Neighbour(n) => self.neighbour(ns, n, tell),
            Notice::NeighbourGone(n) => self.neighbour_gone(ns, &n, tell),
            Notice::Fdb(e) => self.fdb(ns, FdbEntry { age: None, ..e }, tell),
            Notice::FdbGone(e) => self.fdb_gone(ns, &FdbEntry { age: None, ..e }, tell),
            Notice::ToReadAgain | Notice::NsidGone(_) => GO_ON,
        }
    }

    /// Puts a Snapshot that was just read in place of what is held; the latter.
    pub(super) fn renew(&mut self, snapshot: Snapshot) -> Snapshot {
        self.moving.clear();
        std::mem::replace(&mut self.snapshot, snapshot)
    }

    /// Links that are gone, put back where they were, for the names in what is told.
    pub(super) fn bury(&mut self, before: &mut Snapshot) {
        for (ns, link) in std::mem::take(&mut self.ghosts) {
            if let Some(ns) = before.namespaces.get_mut(&ns) {
                ns.links.entry(link.index).or_insert(link);
            }
        }
    }

    /// Calls namespaces of a Snapshot that was just read by the ids that they have here. They have
    /// lost what else than a link's peer showed them: what is held of them stays.
    pub(super) fn recognise(&self, snapshot: &mut Snapshot, known: &[(NsId, NsId)]) {
        let to = |ns: NsId| known.iter().find(|(from, _)| *from == ns).map_or(ns, |(_, to)| *to);
        for (from, id) in known {
            let Some(read) = snapshot.namespaces.remove(from) else { continue };
            let held = self.snapshot.namespaces.get(id).cloned();
            let mut ns = held.unwrap_or_else(|| read.clone());
            (ns.id, ns.links, ns.addresses) = (*id, read.links, read.addresses);
            ns.processes.clear();
            snapshot.namespaces.insert(*id, ns);
        }
        let links = snapshot.namespaces.values_mut().flat_map(|n| n.links.values_mut());
        for link in links {
            match &mut link.relation {
                Relation::Peer(far) | Relation::Lower(far) => far.ns = to(far.ns),
                Relation::Underlay(ns) => *ns = to(*ns),
                Relation::None | Relation::Unresolved(_) => {}
            }
            if let LinkKind::Wireguard(Some(own)) = &mut link.kind {
                own.socket = own.socket.map(to);
            }
        }
        for ns in snapshot.namespaces.values_mut() {
            ns.parent = ns.parent.map(to);
        }
    }

    /// A namespace has ended.
    pub(super) fn gone(&mut self, ns: NsId, tell: &mut Teller<'_>) -> ControlFlow<()> {
        if !self.snapshot.namespaces.contains_key(&ns) {
            return GO_ON;
        }
        let what = What::Namespace(Turn::Vanished(ns));
        let gone = Difference { before: Some(ns), after: None, what, noise: false };
        let (before, after) = (&self.snapshot, &self.snapshot);
        let flow = tell(Told::Difference { before, after, difference: &gone });
        self.snapshot.namespaces.remove(&ns);
        for other in self.snapshot.namespaces.values_mut() {
            other.parent = other.parent.filter(|p| *p != ns);
        }
        flow
    }

    /// Puts another state of a namespace in place of the one that is held, and tells what differs.
    pub(super) fn replace(&mut self, new: Namespace, tell: &mut Teller<'_>) -> ControlFlow<()> {
        let id = new.id;
        let Some(mut old) = self.snapshot.namespaces.insert(id, new) else { return GO_ON };
        let differences = model::diff::diff_of_namespace(&old, &self.snapshot.namespaces[&id]);
        for (ns, link) in std::mem::take(&mut self.ghosts) {
            if ns == id {
                old.links.entry(link.index).or_insert(link);
            } else {
                self.ghosts.push((ns, link));
            }
        }
        let kernel = self.snapshot.kernel;
        let mut before = Snapshot { viewer: self.snapshot.viewer, kernel, ..Snapshot::default() };
        before.namespaces.insert(id, old);
        for difference in &differences {
            let after = &self.snapshot;
            tell(Told::Difference { before: &before, after, difference })?;
        }
        GO_ON
    }

    fn space(&mut self, ns: NsId) -> Option<&mut Namespace> {
        self.snapshot.namespaces.get_mut(&ns)
    }

    fn tell(&self, ns: NsId, what: What, noise: bool, tell: &mut Teller<'_>) -> ControlFlow<()> {
        let difference = Difference { before: Some(ns), after: Some(ns), what, noise };
        let (before, after) = (&self.snapshot, &self.snapshot);
        tell(Told::Difference { before, after, difference: &difference })
    }

    fn link(
        &mut self,
        ns: NsId,
        raw: RawLink,
        asks: &mut dyn Asks,
        tell: &mut Teller<'_>,
    ) -> ControlFlow<()> {
        let id = LinkId { ns, index: raw.link.index };
        let joined = raw.joined.index.is_some() || raw.joined.nsid.is_some();
        let mut link = raw.link.clone();
        let old = self.snapshot.link(id).cloned();
        let known = old.as_ref().map(|o| o.relation);
        link.relation = match known {
            Some(r) if !matches!(r, Relation::None | Relation::Unresolved(_)) => r,
            // The message has the numbers of its own namespace, which nobody here knows.
            _ if joined => match asks.link(ns, id.index) {
                Some(now) => {
                    let now = RawLink { link: raw.link, ..now };
                    now.resolve(ns, |n| asks.namespace(n)).relation
                }
                None => Relation::None,
            },
            _ => Relation::None,
        };
        self.strange_peer |= old.is_none() && matches!(link.relation, Relation::Unresolved(_));
        match old {
            Some(old) => {
                // Told by others than the link.
                link.tc = old.tc.clone();
                link.queues.clone_from(&old.queues);
                if let (LinkKind::Tap(new), LinkKind::Tap(old)) = (&mut link.kind, &old.kind) {
                    new.holder.clone_from(&old.holder);
                }
                if let (LinkKind::Wireguard(new), LinkKind::Wireguard(old)) =
                    (&mut link.kind, &old.kind)
                {
                    new.clone_from(old);
                }
                self.changed_link(ns, &old, link, tell)
            }
            None => self.new_link(id, link, asks, tell),
        }
    }

    fn changed_link(
        &mut self,
        ns: NsId,
        old: &Link,
        link: Link,
        tell: &mut Teller<'_>,
    ) -> ControlFlow<()> {
        let index = link.index;
        let facts = link_facts(old, old, &link);
        let settings = link_settings(old, &link);
        self.put(ns, link);
        if facts.is_empty() && settings.is_empty() {
            return GO_ON;
        }
        let before = self.as_it_was(ns, old);
        let forwards = self.snapshot.namespaces.get(&ns).map(|n| n.sysctls.ip_forward);
        let settings = settings.into_iter().map(|(what, noise)| {
            let follows = matches!(&what, What::Setting { name, after, .. }
                if name.ends_with(".forwarding")
                    && after.as_deref() == forwards.map(|f| if f { "1" } else { "0" }));
            (what, noise || follows)
        });
        let facts = facts
            .into_iter()
            .map(|(fact, noise)| (What::LinkFact { link: index, fact: Box::new(fact) }, noise));
        for (what, noise) in facts.chain(settings) {
            let difference = Difference { before: Some(ns), after: Some(ns), what, noise };
            let after = &self.snapshot;
            tell(Told::Difference { before: &before, after, difference: &difference })?;
        }
        GO_ON
    }

    /// A Snapshot with one namespace's links as they were, for the names of then.
    fn as_it_was(&self, ns: NsId, old: &Link) -> Snapshot {
        let kernel = self.snapshot.kernel;
        let mut snapshot = Snapshot { viewer: self.snapshot.viewer, kernel, ..Snapshot::default() };
        let Some(now) = self.snapshot.namespaces.get(&ns) else { return snapshot };
        let mut was = self.shape(now);
        was.links.clone_from(&now.links);
        was.links.insert(old.index, old.clone());
        was.addresses.clone_from(&now.addresses);
        for link in was.links.values() {
            let Some(far) = link.peer().filter(|far| far.ns != ns) else { continue };
            let Some(there) = self.snapshot.namespaces.get(&far.ns) else { continue };
            let space = snapshot.namespaces.entry(far.ns).or_insert_with(|| self.shape(there));
            space.links.extend(there.links.get(&far.index).map(|l| (far.index, l.clone())));
        }
        snapshot.namespaces.insert(ns, was);
        snapshot
    }

    /// A namespace with nothing but its name, as it is told here.
    fn shape(&self, ns: &Namespace) -> Namespace {
        let mut shape = Namespace::new(ns.id);
        let text = self.snapshot.name_of(ns.id);
        shape.names.push(Name { text, source: NameSource::File });
        shape
    }

    fn new_link(
        &mut self,
        id: LinkId,
        link: Link,
        asks: &mut dyn Asks,
        tell: &mut Teller<'_>,
    ) -> ControlFlow<()> {
        let is_it = |m: &Moving| {
            let old = m.from.link(m.id);
            m.to == id.index
                && m.id.ns != id.ns
                && old.is_some_and(|o| o.mac == link.mac && o.kind.as_str() == link.kind.as_str())
        };
        let from = self.moving.iter().position(is_it).map(|place| self.moving.remove(place));
        let far = link.peer().filter(|far| from.is_none() && self.snapshot.link(*far).is_none());
        self.put(id.ns, link);
        let Some(Moving { from, id: old, .. }) = from else {
            // Both ends of a pair are there before either is told of.
            let peer = far.and_then(|far| Some((far, asks.link(far.ns, far.index)?)));
            if let Some((far, raw)) = &peer {
                let link = raw.clone().resolve(far.ns, |n| asks.namespace(n));
                self.put(far.ns, link);
            }
            for id in std::iter::once(id).chain(peer.map(|(far, _)| far)) {
                self.tell(id.ns, What::Link(Turn::Appeared(id.index)), false, tell)?;
            }
            return GO_ON;
        };
        let what = What::Moved { from: old, link: id.index };
        let ns = Some(id.ns);
        let difference = Difference { before: ns, after: ns, what, noise: false };
        tell(Told::Difference { before: &from, after: &self.snapshot, difference: &difference })
    }

    /// Puts a link into its namespace, and lets its peer know.
    fn put(&mut self, ns: NsId, link: Link) {
        let own = LinkId { ns, index: link.index };
        if let Relation::Peer(far) = link.relation
            && let Some(peer) = self.space(far.ns).and_then(|n| n.links.get_mut(&far.index))
        {
            peer.relation = Relation::Peer(own);
        }
        if let Some(space) = self.space(ns) {
            space.links.insert(own.index, link);
        }
    }

    fn port(
        &mut self,
        id: LinkId,
        bridge: Option<u32>,
        port: BridgePort,
        tell: &mut Teller<'_>,
    ) -> ControlFlow<()> {
        match self.snapshot.link(id).cloned() {
            Some(old) if old.master.is_some() && old.master == bridge => {
                let link = Link { port: Some(port), ..old.clone() };
                self.changed_link(id.ns, &old, link, tell)
            }
            _ => GO_ON,
        }
    }

    fn link_gone(
        &mut self,
        id: LinkId,
        moved: Option<u32>,
        tell: &mut Teller<'_>,
    ) -> ControlFlow<()> {
        let Some(link) = self.snapshot.link(id).cloned() else { return GO_ON };
        let mut flow = GO_ON;
        self.ghosts.push((id.ns, link.clone()));
        if let Some(to) = moved {
            let from = Box::new(self.as_it_was(id.ns, &link));
            self.moving.push(Moving { from, id, to });
        } else {
            flow = self.tell(id.ns, What::Link(Turn::Vanished(id.index)), false, tell);
        }
        if let Some(space) = self.space(id.ns) {
            space.links.remove(&id.index);
            space.addresses.retain(|a| a.link != id.index);
            space.neighbours.retain(|n| n.link != id.index);
            space.fdb.retain(|e| e.link != id.index && e.master != Some(id.index));
        }
        flow
    }

    /// Tells of links that left for a namespace in which they did not come up.
    pub(super) fn lost_on_the_way(&mut self, tell: &mut Teller<'_>) -> ControlFlow<()> {
        for moving in std::mem::take(&mut self.moving).into_iter().take(ON_THE_WAY) {
            let ns = Some(moving.id.ns);
            let what = What::Link(Turn::Vanished(moving.id.index));
            let difference = Difference { before: ns, after: ns, what, noise: false };
            let after = &self.snapshot;
            tell(Told::Difference { before: &moving.from, after, difference: &difference })?;
        }
        GO_ON
    }

    fn address(&mut self, ns: NsId, new: Address, tell: &mut Teller<'_>) -> ControlFlow<()> {
        let Some(space) = self.space(ns) else { return GO_ON };
        let same = |a: &&mut Address| a.link == new.link && a.net == new.net;
        let turn = match space.addresses.iter_mut().find(same) {
            Some(old) if *old == new => return GO_ON,
            Some(old) => Turn::Changed { before: std::mem::replace(old, new.clone()), after: new },
            None => {
                space.addresses.push(new.clone());
                Turn::Appeared(new)
            }
        };
        let noise = address_is_noise(&turn);
        self.tell(ns, What::Address(turn), noise, tell)
    }

    fn address_gone(&mut self, ns: NsId, gone: &Address, tell: &mut Teller<'_>) -> ControlFlow<()> {
        let Some(space) = self.space(ns) else { return GO_ON };
        let same = |a: &Address| a.link == gone.link && a.net == gone.net;
        let Some(place) = space.addresses.iter().position(same) else { return GO_ON };
        let turn = Turn::Vanished(space.addresses.remove(place));
        let noise = address_is_noise(&turn);
        self.tell(ns, What::Address(turn), noise, tell)
    }

    fn neighbour(&mut self, ns: NsId, new: Neighbour, tell: &mut Teller<'_>) -> ControlFlow<()> {
        let Some(space) = self.space(ns) else { return GO_ON };
        let key = |n: &Neighbour| (n.link, n.ip, n.proxy);
        let turn = match space.neighbours.iter_mut().find(|n| key(n) == key(&new)) {
            Some(old) if *old == new => return GO_ON,
            Some(old) => Turn::Changed { before: std::mem::replace(old, new.clone()), after: new },
            None => {
                space.neighbours.push(new.clone());
                Turn::Appeared(new)
            }
        };
        let noise = neighbour_is_noise(&turn);
        self.tell(ns, What::Neighbour(turn), noise, tell)
    }

    fn neighbour_gone(
        &mut self,
        ns: NsId,
        gone: &Neighbour,
        tell: &mut Teller<'_>,
    ) -> ControlFlow<()> {
        let Some(space) = self.space(ns) else { return GO_ON };
        let key = |n: &Neighbour| (n.link, n.ip, n.proxy);
        let place = space.neighbours.iter().position(|n| key(n) == key(gone));
        let Some(place) = place else { return GO_ON };
        let turn = Turn::Vanished(space.neighbours.remove(place));
        let noise = neighbour_is_noise(&turn);
        self.tell(ns, What::Neighbour(turn), noise, tell)
    }

    fn fdb(&mut self, ns: NsId, new: FdbEntry, tell: &mut Teller<'_>) -> ControlFlow<()> {
        let Some(space) = self.space(ns) else { return GO_ON };
        let noise = fdb_is_noise(&new);
        let turn = match space.fdb.iter_mut().find(|e| entry(e) == entry(&new)) {
            Some(old) => {
                let was = FdbEntry { age: None, ..std::mem::replace(old, new.clone()) };
                if was == new {
                    return GO_ON;
                }
                Turn::Changed { before: was, after: new }
            }
            None => {
                space.fdb.push(new.clone());
                Turn::Appeared(new)
            }
        };
        self.tell(ns, What::Fdb(turn), noise, tell)
    }

    fn fdb_gone(&mut self, ns: NsId, gone: &FdbEntry, tell: &mut Teller<'_>) -> ControlFlow<()> {
        let Some(space) = self.space(ns) else { return GO_ON };
        let place = space.fdb.iter().position(|e| entry(e) == entry(gone));
        let Some(place) = place else { return GO_ON };
        let old = FdbEntry { age: None, ..space.fdb.remove(place) };
        let noise = fdb_is_noise(&old);
        self.tell(ns, What::Fdb(Turn::Vanished(old)), noise, tell)
    }
}

/// What makes two FDB entries the same one; it may be behind another port than before.
fn entry(e: &FdbEntry) -> (u32, model::Mac, Option<u16>, bool, Option<model::Remote>) {
    (e.master.unwrap_or(e.link), e.mac, e.vlan, e.own, e.remote)
}
