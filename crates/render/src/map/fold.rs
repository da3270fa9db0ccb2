//! What is drawn in one line beside a bridge's port, because there are many of its kind: leaf
//! namespaces, and bridges that packets only pass.

use std::collections::{BTreeMap, BTreeSet};

use model::{Link, LinkId, LinkKind, Namespace, NsId, Snapshot};

use super::joints::Joints;
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
    pub(crate) fn of(snapshot: &Snapshot, drawn: &[NsId], joints: &Joints, cuts: &Cuts) -> Self {
        let mut found: BTreeMap<LinkId, Candidates> = BTreeMap::new();
        let mut behind: BTreeMap<LinkId, LinkId> = BTreeMap::new(); // passed bridge → its own
        for ns in drawn.iter().filter_map(|id| snapshot.namespaces.get(id)) {
            for (bridge, port, parts) in passes(snapshot, ns, joints) {
                if cuts.unfolded.contains(&bridge) {
                    continue;
                }
                found.entry(bridge).or_default().passes.push((port, parts));
                behind.insert(LinkId { ns: ns.id, index: parts[1] }, bridge);
            }
        }
        let parents: BTreeSet<NsId> =
            snapshot.namespaces.values().filter_map(|ns| ns.parent).collect();
        for id in drawn.iter().filter(|id| !parents.contains(id)) {
            if let Some(at) = leaf_of(snapshot, *id, joints) {
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
fn passes(snapshot: &Snapshot, ns: &Namespace, joints: &Joints) -> Vec<(LinkId, LinkId, [u32; 3])> {
    let mut found = Vec::new();
    for through in ns.links.values().filter(|l| is_passed(ns, l, joints)) {
        let ports: Vec<&Link> = ns.ports(through.index).collect();
        let [a, b] = ports.as_slice() else { continue };
        for (near, far) in [(a, b), (b, a)] {
            let here = LinkId { ns: ns.id, index: near.index };
            let Some(port) = far_end(joints, here).filter(|p| p.ns == ns.id) else {
                continue;
            };
            let bridge = snapshot.link(port).filter(|l| l.port.is_some()).and_then(|l| l.master);
            let Some(bridge) = bridge.and_then(|b| ns.links.get(&b)) else { continue };
            if bridge.index != through.index && !is_passed(ns, bridge, joints) {
                let bridge = LinkId { ns: ns.id, index: bridge.index };
                found.push((bridge, port, [near.index, through.index, far.index]));
                break;
            }
        }
    }
    found
}

/// A bridge without address, with just two ports, that nothing stands on.
fn is_passed(ns: &Namespace, l: &Link, joints: &Joints) -> bool {
    let id = LinkId { ns: ns.id, index: l.index };
    matches!(l.kind, LinkKind::Bridge(_))
        && joints.ports(id).len() == 2
        && ns.addresses_of(l.index).all(|a| a.ip().is_ipv6())
        && l.master.is_none()
        && !joints.bears(id)
}

/// The box that a leaf namespace hangs on: one with nobody inside, a single link, whose cable ends in a port or
/// which stands on the box.
fn leaf_of(snapshot: &Snapshot, id: NsId, joints: &Joints) -> Option<LinkId> {
    let ns = snapshot.namespaces.get(&id)?;
    let mut links = real_links(ns);
    let (only, None) = (links.next()?, links.next()) else { return None };
    let here = LinkId { ns: id, index: only.index };
    if only.master.is_some() || joints.is_box(here, only) || joints.bears(here) {
        return None;
    }
    if let Some(foot) = joints.foot(here) {
        return Some(joints.across(foot, here));
    }
    let peer = far_end(joints, here).filter(|p| p.ns != id)?;
    joints.holder(snapshot.namespaces.get(&peer.ns)?, snapshot.link(peer)?)
}

/// The other end of a cable whose wire is drawn.
fn far_end(joints: &Joints, here: LinkId) -> Option<LinkId> {
    Some(joints.across(joints.cable(here)?, here))
}
