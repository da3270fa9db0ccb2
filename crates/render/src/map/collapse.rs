//! Many leaf namespaces of a kind on one bridge: the first are drawn, the others counted.

use std::collections::{BTreeMap, BTreeSet};

use model::{Link, LinkId, NsId, Snapshot};

use super::scene::real_links;
use crate::words;

/// More of a kind than this are too many to be drawn one by one.
const MANY: usize = 12;
/// So many of them are drawn all the same.
const SHOWN: usize = 3;

/// What is counted and not drawn.
#[derive(Default)]
pub(crate) struct Collapsed {
    /// The leaves.
    pub(crate) leaves: BTreeSet<NsId>,
    /// The ports that they hang on, by the bridge.
    ports: BTreeMap<LinkId, BTreeSet<u32>>,
}

impl Collapsed {
    /// Of these leaves, those that differ from others on their bridge only in name and address:
    /// the same kind of container, a link of the same name, nothing wrong, no port published.
    pub(crate) fn of(snapshot: &Snapshot, leaves: &BTreeSet<NsId>, order: &[NsId]) -> Self {
        let mut groups: BTreeMap<(LinkId, String, String), Vec<LinkId>> = BTreeMap::new();
        for ns in order.iter().filter(|id| leaves.contains(id)) {
            let Some(ns) = snapshot.namespaces.get(ns) else { continue };
            let Some(link) = real_links(ns).next() else { continue };
            let Some((port, bridge)) = hangs_on(snapshot, link) else { continue };
            let plain = ns.containers.iter().all(|c| c.publishes.is_empty())
                && words::trouble(link).is_none()
                && snapshot.link(port).is_some_and(|p| words::trouble(p).is_none());
            if plain {
                let key = (bridge, link.name.clone(), words::what(snapshot, ns));
                groups.entry(key).or_default().push(port);
            }
        }
        let mut collapsed = Self::default();
        for ((bridge, ..), ports) in groups.into_iter().filter(|(_, p)| p.len() > MANY) {
            for port in ports.into_iter().skip(SHOWN) {
                collapsed.leaves.extend(snapshot.link(port).and_then(Link::peer).map(|p| p.ns));
                collapsed.ports.entry(bridge).or_default().insert(port.index);
            }
        }
        collapsed
    }

    /// Whether that port of a bridge is one that is only counted.
    pub(crate) fn has(&self, bridge: LinkId, port: u32) -> bool {
        self.ports.get(&bridge).is_some_and(|ports| ports.contains(&port))
    }

    /// How many are counted at a bridge, and in words which.
    pub(crate) fn count(&self, snapshot: &Snapshot, bridge: LinkId) -> Option<(usize, String)> {
        let ports = self.ports.get(&bridge)?;
        let ends: Vec<LinkId> = ports
            .iter()
            .filter_map(|p| snapshot.link(LinkId { ns: bridge.ns, index: *p })?.peer())
            .collect();
        let address = |end: &LinkId| {
            let ns = snapshot.namespaces.get(&end.ns)?;
            ns.addresses_of(end.index).find(|a| a.ip().is_ipv4()).map(|a| a.ip().to_string())
        };
        let span = |list: Vec<String>| match list.as_slice() {
            [first, .., last] => format!("{first} … {last}"),
            other => other.concat(),
        };
        let names = span(ends.iter().map(|e| snapshot.name_of(e.ns)).collect());
        let addresses = span(ends.iter().filter_map(address).collect());
        Some((ports.len(), format!("{names}  {addresses}").trim_end().to_owned()))
    }
}

/// The port and the bridge that a leaf's link leads to.
fn hangs_on(snapshot: &Snapshot, link: &Link) -> Option<(LinkId, LinkId)> {
    let port = link.peer()?;
    let index = snapshot.link(port).filter(|p| p.port.is_some())?.master?;
    Some((port, LinkId { ns: port.ns, index }))
}
