use super::Turn;
use super::list::turns;
use crate::{BridgeVlan, MdbEntry, Namespace};

/// What differs in the VLANs of bridges and their ports, and whether that is noise. `moved`: an
/// ifindex of the earlier namespace as the later one has it.
pub(super) fn vlans(
    was: &Namespace,
    is: &Namespace,
    moved: impl Fn(u32) -> u32,
) -> Vec<(Turn<BridgeVlan>, bool)> {
    let now: Vec<BridgeVlan> =
        was.vlans.iter().map(|v| BridgeVlan { link: moved(v.link), ..*v }).collect();
    let here: Vec<u32> = was.links.keys().map(|index| moved(*index)).collect();
    let noise = |turn: &Turn<BridgeVlan>| match turn {
        // They come and go with the link.
        Turn::Appeared(v) => !here.contains(&v.link) || !filters(is, v.link),
        Turn::Vanished(v) => !is.links.contains_key(&moved(v.link)) || !filters(was, v.link),
        Turn::Changed { after, .. } => !filters(is, after.link),
    };
    let told = turns(&was.vlans, &now, &is.vlans, |v| (v.link, v.id));
    with(told, noise)
}

/// A bridge that does not heed VLANs puts its ports into one all the same.
fn filters(ns: &Namespace, index: u32) -> bool {
    ns.bridge_of(index).is_some_and(|bridge| bridge.vlan_filtering)
}

/// What differs in the multicast databases, and whether that is noise: what hosts have asked for
/// comes and goes.
pub(super) fn mdb(
    was: &Namespace,
    is: &Namespace,
    moved: impl Fn(u32) -> u32,
) -> Vec<(Turn<MdbEntry>, bool)> {
    let now: Vec<MdbEntry> = was
        .mdb
        .iter()
        .map(|e| MdbEntry { bridge: moved(e.bridge), port: moved(e.port), ..e.clone() })
        .collect();
    let key = |e: &MdbEntry| (e.bridge, e.port, e.group, e.source, e.vlan);
    let told = turns(&was.mdb, &now, &is.mdb, key);
    let noise = |turn: &Turn<MdbEntry>| match turn {
        Turn::Appeared(e) | Turn::Vanished(e) => !e.permanent,
        Turn::Changed { before, after } => !before.permanent && !after.permanent,
    };
    with(told, noise)
}

fn with<T>(told: Vec<Turn<T>>, noise: impl Fn(&Turn<T>) -> bool) -> Vec<(Turn<T>, bool)> {
    let both = |turn| {
        let noise = noise(&turn);
        (turn, noise)
    };
    told.into_iter().map(both).collect()
}
