//! What is joined to what: by wires, by standing on each other, by being a port.

use std::collections::{BTreeMap, BTreeSet};

use model::{Link, LinkId, LinkKind, Namespace, NsId, Relation, Snapshot};

use super::scene::{Cuts, real_links};

/// How the drawn links are joined.
#[derive(Default)]
pub(crate) struct Joints {
    /// Pairs of links, lower id first: ends of a cable or a tunnel, and links that stand on one in
    /// another namespace.
    pub(crate) wires: Vec<[LinkId; 2]>,
    /// The wire of each end of a cable, or of a tunnel between two.
    cables: BTreeMap<LinkId, usize>,
    /// The wire from a link to what it stands on.
    feet: BTreeMap<LinkId, usize>,
    /// The wires to what stands on a link.
    loads: BTreeMap<LinkId, Vec<usize>>,
    /// Links that something stands on, drawn or not.
    bearing: BTreeSet<LinkId>,
    /// What is drawn together with the link of its own namespace that it stands on.
    uppers: BTreeMap<LinkId, Vec<LinkId>>,
    /// The links of `uppers`.
    carried: BTreeSet<LinkId>,
    /// The ports that are drawn with a link.
    ports: BTreeMap<LinkId, Vec<u32>>,
    /// The links of `ports`.
    held: BTreeSet<LinkId>,
}

impl Joints {
    /// Of these namespaces.
    pub(crate) fn of(snapshot: &Snapshot, drawn: &BTreeSet<NsId>, cuts: &Cuts) -> Self {
        let mut joints = Self::default();
        let spaces = || drawn.iter().filter_map(|id| snapshot.namespaces.get(id));
        for ns in spaces() {
            joints.find_ports(ns);
        }
        for ns in spaces() {
            joints.find_wires(snapshot, ns, drawn, cuts);
        }
        for ns in spaces() {
            joints.find_uppers(ns);
        }
        joints
    }

    /// The wire of its cable.
    pub(crate) fn cable(&self, link: LinkId) -> Option<usize> {
        self.cables.get(&link).copied()
    }

    /// The wire to what it stands on.
    pub(crate) fn foot(&self, link: LinkId) -> Option<usize> {
        self.feet.get(&link).copied()
    }

    /// The wires to what stands on it.
    pub(crate) fn loads(&self, link: LinkId) -> &[usize] {
        self.loads.get(&link).map_or(&[], Vec::as_slice)
    }

    /// The far end of a wire.
    pub(crate) fn across(&self, wire: usize, here: LinkId) -> LinkId {
        let [a, b] = self.wires[wire];
        if a == here { b } else { a }
    }

    /// Whether something stands on it.
    pub(crate) fn bears(&self, link: LinkId) -> bool {
        self.bearing.contains(&link)
    }

    /// The ports to be drawn with it, by ifindex.
    pub(crate) fn ports(&self, link: LinkId) -> &[u32] {
        self.ports.get(&link).map_or(&[], Vec::as_slice)
    }

    /// What stands on it and is to be drawn with it.
    pub(crate) fn uppers(&self, link: LinkId) -> &[LinkId] {
        self.uppers.get(&link).map_or(&[], Vec::as_slice)
    }

    /// It is drawn with another: as port, or as what stands on it.
    pub(crate) fn is_part(&self, link: LinkId) -> bool {
        self.held.contains(&link) || self.carried.contains(&link)
    }

    /// The link that it is drawn as a port of.
    pub(crate) fn holder(&self, ns: &Namespace, l: &Link) -> Option<LinkId> {
        let held = self.held.contains(&LinkId { ns: ns.id, index: l.index });
        Some(LinkId { ns: ns.id, index: l.master.filter(|_| held)? })
    }

    /// It is drawn as a box.
    pub(crate) fn is_box(&self, id: LinkId, l: &Link) -> bool {
        let gathers = matches!(l.kind, LinkKind::Bridge(_) | LinkKind::Bond(_));
        gathers || !self.ports(id).is_empty() || !self.loads(id).is_empty()
    }

    fn find_ports(&mut self, ns: &Namespace) {
        for l in real_links(ns) {
            let Some(master) = gatherer(ns, l).filter(|m| gatherer(ns, m).is_none()) else {
                continue;
            };
            let master = LinkId { ns: ns.id, index: master.index };
            self.ports.entry(master).or_default().push(l.index);
            self.held.insert(LinkId { ns: ns.id, index: l.index });
        }
    }

    fn find_wires(
        &mut self,
        snapshot: &Snapshot,
        ns: &Namespace,
        drawn: &BTreeSet<NsId>,
        cuts: &Cuts,
    ) {
        for l in real_links(ns) {
            let here = LinkId { ns: ns.id, index: l.index };
            match l.relation {
                Relation::Peer(there) if here < there && drawn.contains(&there.ns) => {
                    let mutual = snapshot.link(there).and_then(Link::peer) == Some(here);
                    if let Some(wire) = self.wire(here, there, cuts).filter(|_| mutual) {
                        self.wires.push([here, there]);
                        self.cables.extend([(here, wire), (there, wire)]);
                    }
                }
                Relation::Lower(there) => {
                    self.bearing.insert(there);
                    let drawn = there.ns != ns.id && drawn.contains(&there.ns);
                    if drawn && self.takes_loads(snapshot, here, there) {
                        self.stand(here, there, cuts);
                    }
                }
                _ => self.find_tunnel(snapshot, here, drawn, cuts),
            }
        }
    }

    /// WireGuard links of two namespaces that speak with nobody else here are joined as by a cable.
    fn find_tunnel(
        &mut self,
        snapshot: &Snapshot,
        here: LinkId,
        drawn: &BTreeSet<NsId>,
        cuts: &Cuts,
    ) {
        let only = |link: LinkId| {
            let mut all = snapshot.tunnelled_to(link);
            all.next().filter(|_| all.next().is_none())
        };
        let Some(there) = only(here).filter(|there| here < *there && only(*there).is_some()) else {
            return;
        };
        if let Some(wire) = self.wire(here, there, cuts)
            && here.ns != there.ns
            && drawn.contains(&there.ns)
        {
            self.wires.push([here, there]);
            self.cables.extend([(here, wire), (there, wire)]);
        }
    }

    /// The number of the wire between two links, unless it is not to be drawn.
    fn wire(&self, a: LinkId, b: LinkId, cuts: &Cuts) -> Option<usize> {
        let ends = if a < b { [a, b] } else { [b, a] };
        (!cuts.wires.contains(&ends)).then_some(self.wires.len())
    }

    /// What is itself drawn as a port, or says that it stands on what stands on it, gets no wire.
    fn takes_loads(&self, snapshot: &Snapshot, upper: LinkId, lower: LinkId) -> bool {
        snapshot.link(lower).is_some_and(|l| {
            l.kind != LinkKind::Loopback
                && l.relation != Relation::Lower(upper)
                && !self.held.contains(&lower)
        })
    }

    fn stand(&mut self, upper: LinkId, lower: LinkId, cuts: &Cuts) {
        if let Some(wire) = self.wire(upper, lower, cuts) {
            self.wires.push(if upper < lower { [upper, lower] } else { [lower, upper] });
            self.feet.insert(upper, wire);
            self.loads.entry(lower).or_default().push(wire);
        }
    }

    fn find_uppers(&mut self, ns: &Namespace) {
        let id = |index| LinkId { ns: ns.id, index };
        // On what each could be drawn; then those that this leads to a whole link.
        let below: BTreeMap<u32, u32> = real_links(ns)
            .filter(|l| !self.held.contains(&id(l.index)) && !self.is_box(id(l.index), l))
            .filter_map(|l| match l.relation {
                Relation::Lower(low) if low.ns == ns.id => Some((l.index, low.index)),
                _ => None,
            })
            .collect();
        let whole = |index: u32| {
            let l = ns.links.get(&index).filter(|l| l.kind != LinkKind::Loopback);
            l.is_some() && !self.held.contains(&id(index))
        };
        let stands = |index: u32| {
            let mut at = index;
            for _ in 0..below.len() {
                match below.get(&at) {
                    Some(low) => at = *low,
                    None => break,
                }
            }
            !below.contains_key(&at) && whole(at)
        };
        let found: Vec<(LinkId, LinkId)> = below
            .iter()
            .filter(|(upper, _)| stands(**upper))
            .map(|(upper, lower)| (id(*lower), id(*upper)))
            .collect();
        for (lower, upper) in found {
            self.uppers.entry(lower).or_default().push(upper);
            self.carried.insert(upper);
        }
    }
}

/// The link whose port it is; the members of a VRF are not drawn as ports.
fn gatherer<'a>(ns: &'a Namespace, l: &Link) -> Option<&'a Link> {
    let master = ns.links.get(&l.master?).filter(|m| m.index != l.index)?;
    match master.kind {
        LinkKind::Bridge(_) => l.port.is_some().then_some(master),
        LinkKind::Vrf(_) | LinkKind::Loopback => None,
        _ => Some(master),
    }
}
