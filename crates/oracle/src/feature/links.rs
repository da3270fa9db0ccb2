//! Links that stand on others.

use model::{LinkKind, Macvlan, MacvlanMode, Snapshot};

use super::{Without, all};

/// Those of this file.
pub(super) const FEATURES: &[(&str, Without)] = &[
    ("macvlan: bridge", |s, _| mode(s, MacvlanMode::Bridge, MacvlanMode::Vepa)),
    ("macvlan: vepa", |s, _| mode(s, MacvlanMode::Vepa, MacvlanMode::Bridge)),
    ("macvlan: private", |s, _| mode(s, MacvlanMode::Private, MacvlanMode::Bridge)),
    ("macvlan: passthru", |s, _| mode(s, MacvlanMode::Passthru, MacvlanMode::Source)),
    ("macvlan: source", |s, _| mode(s, MacvlanMode::Source, MacvlanMode::Vepa)),
];

fn macvlans(snapshot: &mut Snapshot) -> impl Iterator<Item = &mut Macvlan> {
    let links = snapshot.namespaces.values_mut().flat_map(|n| n.links.values_mut());
    links.filter_map(|link| match &mut link.kind {
        LinkKind::Macvlan(macvlan) => Some(macvlan),
        _ => None,
    })
}

fn mode(snapshot: &mut Snapshot, of: MacvlanMode, instead: MacvlanMode) -> bool {
    let these = macvlans(snapshot).filter(|m| m.mode == of);
    all(these, |m| {
        m.mode = instead;
        true
    })
}
