//! Links that stand on others.

use model::{FdbEntry, LinkKind, Macvlan, MacvlanMode, Snapshot, TunnelDf, Vxlan};

use super::{Without, all, each};

/// Those of this file.
pub(super) const FEATURES: &[(&str, Without)] = &[
    ("macvlan: bridge", |s, _| mode(s, MacvlanMode::Bridge, MacvlanMode::Vepa)),
    ("macvlan: vepa", |s, _| mode(s, MacvlanMode::Vepa, MacvlanMode::Bridge)),
    ("macvlan: private", |s, _| mode(s, MacvlanMode::Private, MacvlanMode::Bridge)),
    ("macvlan: passthru", |s, _| mode(s, MacvlanMode::Passthru, MacvlanMode::Source)),
    ("macvlan: source", |s, _| mode(s, MacvlanMode::Source, MacvlanMode::Vepa)),
    ("vxlan", |s, _| {
        // No two of them speak of the same network.
        let number = std::cell::Cell::new(1 << 20);
        vxlan(s, |v| {
            number.set(number.get() + 1);
            v.vni = number.get();
            true
        })
    }),
    ("vxlan: learning", |s, _| {
        let known = remotes(s, |e| !e.is_static);
        let learns = vxlan(s, |v| std::mem::take(&mut v.learning));
        known || learns
    }),
    ("vxlan: remotes by hand", |s, _| remotes(s, |e| e.is_static)),
    ("vxlan: ttl", |s, _| vxlan(s, |v| std::mem::take(&mut v.ttl) > 0)),
    ("vxlan: tos", |s, _| vxlan(s, |v| std::mem::take(&mut v.tos) > 0)),
    ("vxlan: df", |s, _| vxlan(s, |v| std::mem::take(&mut v.df) != TunnelDf::Unset)),
    ("vxlan: local", |s, _| vxlan(s, |v| v.local.take().is_some())),
];

fn vxlan(snapshot: &mut Snapshot, change: impl Fn(&mut Vxlan) -> bool) -> bool {
    let links = snapshot.namespaces.values_mut().flat_map(|n| n.links.values_mut());
    let vxlans = links.filter_map(|link| match &mut link.kind {
        LinkKind::Vxlan(vxlan) => Some(vxlan),
        _ => None,
    });
    all(vxlans, change)
}

/// Entries of vxlans.
fn remotes(snapshot: &mut Snapshot, gone: impl Fn(&FdbEntry) -> bool) -> bool {
    each(snapshot, |n| {
        let before = n.fdb.len();
        n.fdb.retain(|e| e.remote.is_none() || !gone(e));
        n.fdb.len() != before
    })
}

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
