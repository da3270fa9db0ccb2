//! Many namespaces of a kind on one bridge: the first are drawn or named, the others counted.

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
    /// Of what hangs on a bridge, what differs from others there only in name and address: the same
    /// kind of container, a link of the same name, the same trouble, no port published. Leaves are
    /// drawn beside their ports; what is not drawn at all is named there.
    pub(crate) fn of(snapshot: &Snapshot, leaves: &BTreeSet<NsId>, drawn: &[NsId]) -> Self {
        let spaces = || drawn.iter().filter_map(|id| snapshot.namespaces.get(id));
        let leaf = spaces().filter(|ns| leaves.contains(&ns.id));
        let leaf = leaf.filter_map(|ns| real_links(ns).next()?.peer());
        let drawn: BTreeSet<NsId> = drawn.iter().copied().collect();
        let elsewhere = |l: &&Link| l.peer().is_some_and(|p| !drawn.contains(&p.ns));
        let named = spaces().flat_map(|ns| {
            let links = ns.links.values().filter(elsewhere);
            links.map(|l| LinkId { ns: ns.id, index: l.index })
        });
        let mut collapsed = Self::default();
        collapsed.count(snapshot, leaf);
        collapsed.leaves = collapsed.ends(snapshot).collect();
        collapsed.count(snapshot, named);
        collapsed
    }

    /// Of these ports, counts those beyond the first of each kind.
    fn count(&mut self, snapshot: &Snapshot, ports: impl Iterator<Item = LinkId>) {
        let mut groups: BTreeMap<Kind, Vec<u32>> = BTreeMap::new();
        for port in ports {
            if let Some(kind) = kind(snapshot, port) {
                groups.entry(kind).or_default().push(port.index);
            }
        }
        for ((bridge, ..), ports) in groups.into_iter().filter(|(_, p)| p.len() > MANY) {
            let ports = ports[SHOWN..].iter().copied().collect();
            self.ports.entry(bridge).or_default().push(ports);
        }
    }

    /// The namespaces behind the ports that are only counted.
    fn ends(&self, snapshot: &Snapshot) -> impl Iterator<Item = NsId> {
        let ports =
            self.ports.iter().flat_map(|(bridge, all)| all.iter().map(move |p| (bridge.ns, p)));
        let ports =
            ports.flat_map(|(ns, ports)| ports.iter().map(move |p| LinkId { ns, index: *p }));
        ports.filter_map(|port| Some(snapshot.link(port)?.peer()?.ns))
    }

    /// How many are only counted.
    pub(crate) fn many(&self) -> usize {
        self.ports.values().flatten().map(BTreeSet::len).sum()
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

/// What a port and what hangs on it have in common with others; None for what is no port of a
/// bridge, and for what others ask for by its port.
fn kind(snapshot: &Snapshot, port: LinkId) -> Option<Kind> {
    let near = snapshot.link(port).filter(|p| p.port.is_some())?;
    let bridge = LinkId { ns: port.ns, index: near.master? };
    let end = near.peer()?;
    let (ns, far) = (snapshot.namespaces.get(&end.ns)?, snapshot.link(end)?);
    let trouble = [words::trouble(far), words::trouble(near)];
    let is_plain = ns.containers.iter().all(|c| c.publishes.is_empty());
    is_plain.then(|| (bridge, far.name.clone(), words::what(snapshot, ns), trouble))
}
