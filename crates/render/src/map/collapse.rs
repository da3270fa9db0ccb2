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
    /// The ports that they hang on, by the bridge, a set for each kind of leaf.
    ports: BTreeMap<LinkId, Vec<BTreeSet<u32>>>,
}

/// What leaves of a kind have in common: the bridge, the link's name, what they are, and what is
/// wrong with their link and its port.
type Kind = (LinkId, String, String, [Option<&'static str>; 2]);

impl Collapsed {
    /// Of these leaves, those that differ from others on their bridge only in name and address:
    /// the same kind of container, a link of the same name, the same trouble, no port published.
    pub(crate) fn of(snapshot: &Snapshot, leaves: &BTreeSet<NsId>, order: &[NsId]) -> Self {
        let mut groups: BTreeMap<Kind, Vec<LinkId>> = BTreeMap::new();
        for ns in order.iter().filter(|id| leaves.contains(id)) {
            let Some(ns) = snapshot.namespaces.get(ns) else { continue };
            let Some(link) = real_links(ns).next() else { continue };
            let Some((port, bridge)) = hangs_on(snapshot, link) else { continue };
            if ns.containers.iter().all(|c| c.publishes.is_empty()) {
                let trouble = [Some(link), snapshot.link(port)].map(|l| words::trouble(l?));
                let kind = (bridge, link.name.clone(), words::what(snapshot, ns), trouble);
                groups.entry(kind).or_default().push(port);
            }
        }
        let mut collapsed = Self::default();
        for ((bridge, ..), ports) in groups.into_iter().filter(|(_, p)| p.len() > MANY) {
            let ports = &ports[SHOWN..];
            let leaf = |port: &LinkId| Some(snapshot.link(*port)?.peer()?.ns);
            collapsed.leaves.extend(ports.iter().filter_map(leaf));
            let ports = ports.iter().map(|port| port.index).collect();
            collapsed.ports.entry(bridge).or_default().push(ports);
        }
        collapsed
    }

    /// Whether that port of a bridge is one that is only counted.
    pub(crate) fn has(&self, bridge: LinkId, port: u32) -> bool {
        self.ports.get(&bridge).into_iter().flatten().any(|ports| ports.contains(&port))
    }

    /// What is counted at a bridge, kind by kind.
    pub(crate) fn counts(&self, snapshot: &Snapshot, bridge: LinkId) -> Vec<Count> {
        let kinds = self.ports.get(&bridge).into_iter().flatten();
        kinds.map(|ports| Count::of(snapshot, bridge, ports)).collect()
    }
}

/// Leaves of a kind that are not drawn one by one.
pub(crate) struct Count {
    /// How many, and what is wrong with each: `28 more (no carrier)`.
    pub(crate) many: String,
    /// Something is.
    pub(crate) trouble: bool,
    /// In words, from the first to the last.
    pub(crate) which: String,
}

impl Count {
    fn of(snapshot: &Snapshot, bridge: LinkId, ports: &BTreeSet<u32>) -> Self {
        let links: Vec<&Link> = ports
            .iter()
            .filter_map(|p| snapshot.link(LinkId { ns: bridge.ns, index: *p }))
            .collect();
        let ends: Vec<LinkId> = links.iter().filter_map(|l| l.peer()).collect();
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
        // Where an end is down, that is what the port tells, too.
        let far = ends.first().and_then(|end| snapshot.link(*end));
        let trouble = [far, links.first().copied()].into_iter().flatten().find_map(words::trouble);
        let wrong = trouble.map(|t| format!(" ({t})")).unwrap_or_default();
        Self {
            many: format!("{} more{wrong}", ports.len()),
            trouble: trouble.is_some(),
            which: format!("{names}  {addresses}").trim_end().to_owned(),
        }
    }
}

/// The port and the bridge that a leaf's link leads to.
fn hangs_on(snapshot: &Snapshot, link: &Link) -> Option<(LinkId, LinkId)> {
    let port = link.peer()?;
    let index = snapshot.link(port).filter(|p| p.port.is_some())?.master?;
    Some((port, LinkId { ns: port.ns, index }))
}
