//! What is drawn in one line beside a bridge's port, because there are many of its kind: leaf
//! namespaces, and bridges that packets only pass.

use std::collections::{BTreeMap, BTreeSet};

use model::{Link, LinkId, LinkKind, Namespace, NsId, Relation, Snapshot};

use super::scene::{Cuts, real_links};

/// What is folded.
#[derive(Default)]
pub(crate) struct Fold {
    /// Namespaces that get no band.
    pub(crate) leaves: BTreeSet<NsId>,
    /// Bridges that get no box.
    pub(crate) bridges: BTreeSet<LinkId>,
    /// By the port that leads to such a bridge: ifindex of its near port, of itself, of its far
    /// port.
    pub(crate) passes: BTreeMap<LinkId, [u32; 3]>,
}

/// What could be folded at one bridge.
#[derive(Default)]
struct Candidates {
    leaves: Vec<NsId>,
    passes: Vec<(LinkId, [u32; 3])>,
}

impl Candidates {
    /// A pass takes the room of two.
    fn weight(&self) -> usize {
        self.leaves.len() + 2 * self.passes.len()
    }
}

impl Fold {
    /// Finds what is to be folded.
    pub(crate) fn of(snapshot: &Snapshot, drawn: &[NsId], cuts: &Cuts) -> Self {
        let mut found: BTreeMap<LinkId, Candidates> = BTreeMap::new();
        let mut behind: BTreeMap<LinkId, LinkId> = BTreeMap::new(); // passed bridge → its own
        for ns in drawn.iter().filter_map(|id| snapshot.namespaces.get(id)) {
            for (bridge, port, parts) in passes(snapshot, ns, cuts) {
                if cuts.unfolded.contains(&bridge) {
                    continue;
                }
                found.entry(bridge).or_default().passes.push((port, parts));
                behind.insert(LinkId { ns: ns.id, index: parts[1] }, bridge);
            }
        }
        for id in drawn {
            if let Some(at) = leaf_of(snapshot, *id, cuts).filter(|at| drawn.contains(&at.ns)) {
                let at = behind.get(&at).copied().unwrap_or(at);
                found.entry(at).or_default().leaves.push(*id);
            }
        }
        let mut fold = Self::default();
        for all in found.into_values().filter(|c| c.weight() > cuts.fold) {
            fold.leaves.extend(all.leaves);
            for (port, parts) in all.passes {
                fold.bridges.insert(LinkId { ns: port.ns, index: parts[1] });
                fold.passes.insert(port, parts);
            }
        }
        fold
    }
}

/// The bridges of a namespace that packets only pass: of which bridge, by which port, and the
/// parts.
fn passes(snapshot: &Snapshot, ns: &Namespace, cuts: &Cuts) -> Vec<(LinkId, LinkId, [u32; 3])> {
    let mut found = Vec::new();
    for through in ns.links.values().filter(|l| is_passed(snapshot, ns, l)) {
        let ports: Vec<&Link> = ns.ports(through.index).collect();
        let [a, b] = ports.as_slice() else { continue };
        for (near, far) in [(a, b), (b, a)] {
            let here = LinkId { ns: ns.id, index: near.index };
            let Some(port) = mutual_peer(snapshot, here, cuts).filter(|p| p.ns == ns.id) else {
                continue;
            };
            let bridge = snapshot.link(port).filter(|l| l.port.is_some()).and_then(|l| l.master);
            let Some(bridge) = bridge.and_then(|b| ns.links.get(&b)) else { continue };
            if bridge.index != through.index && !is_passed(snapshot, ns, bridge) {
                let bridge = LinkId { ns: ns.id, index: bridge.index };
                found.push((bridge, port, [near.index, through.index, far.index]));
                break;
            }
        }
    }
    found
}

/// A bridge without address, with just two ports, that nothing stands on.
fn is_passed(snapshot: &Snapshot, ns: &Namespace, l: &Link) -> bool {
    let id = LinkId { ns: ns.id, index: l.index };
    matches!(l.kind, LinkKind::Bridge(_))
        && ns.ports(l.index).count() == 2
        && ns.addresses_of(l.index).all(|a| a.ip().is_ipv6())
        && l.master.is_none()
        && !snapshot
            .namespaces
            .values()
            .flat_map(|n| n.links.values())
            .any(|o| o.relation == Relation::Lower(id))
}

/// The bridge that a leaf namespace hangs on: one with a single link, whose peer is a port.
fn leaf_of(snapshot: &Snapshot, id: NsId, cuts: &Cuts) -> Option<LinkId> {
    let ns = snapshot.namespaces.get(&id)?;
    let mut links = real_links(ns);
    let (only, None) = (links.next()?, links.next()) else { return None };
    let here = LinkId { ns: id, index: only.index };
    let peer = mutual_peer(snapshot, here, cuts).filter(|p| p.ns != id)?;
    let port = snapshot.link(peer)?;
    let is_leaf =
        snapshot.children(id).next().is_none() && only.master.is_none() && port.port.is_some();
    is_leaf.then_some(LinkId { ns: peer.ns, index: port.master? })
}

/// The other end of a pair whose wire is drawn.
fn mutual_peer(snapshot: &Snapshot, here: LinkId, cuts: &Cuts) -> Option<LinkId> {
    let there = snapshot.link(here)?.peer()?;
    let mutual = snapshot.link(there)?.peer() == Some(here);
    let ends = if here < there { [here, there] } else { [there, here] };
    (mutual && !cuts.wires.contains(&ends)).then_some(there)
}
