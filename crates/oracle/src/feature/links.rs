//! Links that stand on others.

use std::net::IpAddr;

use model::{
    Bond, BondMode, FdbEntry, IpvlanMode, Link, LinkKind, Macvlan, MacvlanMode, Member, Namespace,
    Snapshot, TunnelDf, Vxlan,
};

use super::{Without, all, each};

/// Those of this file.
pub(super) const FEATURES: &[(&str, Without)] = &[
    ("macvlan: bridge", |s, _| mode(s, MacvlanMode::Bridge, MacvlanMode::Vepa)),
    ("macvlan: vepa", |s, _| mode(s, MacvlanMode::Vepa, MacvlanMode::Bridge)),
    ("macvlan: private", |s, _| mode(s, MacvlanMode::Private, MacvlanMode::Bridge)),
    ("macvlan: passthru", |s, _| mode(s, MacvlanMode::Passthru, MacvlanMode::Source)),
    ("macvlan: source", |s, _| mode(s, MacvlanMode::Source, MacvlanMode::Vepa)),
    ("vlan", |s, _| {
        // Another tag than anybody else has.
        let number = std::cell::Cell::new(4000);
        all(kinds(s), |kind| match kind {
            LinkKind::Vlan(vlan) => {
                vlan.id = number.replace(number.get() + 1);
                true
            }
            _ => false,
        })
    }),
    ("bridge: VLAN filtering", |s, _| {
        all(kinds(s), |kind| match kind {
            LinkKind::Bridge(bridge) => std::mem::take(&mut bridge.vlan_filtering),
            _ => false,
        })
    }),
    ("ipvlan: l2", |s, _| layer(s, IpvlanMode::L2, IpvlanMode::L3)),
    ("ipvlan: l3", |s, _| layer(s, IpvlanMode::L3, IpvlanMode::L2)),
    ("vrf", |s, _| {
        each(s, |n| {
            let vrfs: Vec<u32> = n.links.values().filter(|l| is_vrf(l)).map(|l| l.index).collect();
            let members =
                n.links.values_mut().filter(|l| l.master.is_some_and(|m| vrfs.contains(&m)));
            all(members, |link| {
                (link.master, link.member) = (None, None);
                true
            })
        })
    }),
    ("bond: one in use", |s, _| {
        // As if another port were the one in use.
        each(s, |n| {
            let bonds: Vec<u32> = n.links.values().filter_map(in_use).collect();
            let decided = bonds.into_iter().filter(|bond| another_in_use(n, *bond));
            decided.count() > 0
        })
    }),
    ("bond: by a hash", |s, _| {
        let hashes = [BondMode::BalanceXor, BondMode::BalanceTlb];
        bonds(s, |bond| {
            bond.ports.reverse();
            bond.ports.len() > 1 && hashes.contains(&bond.mode())
        })
    }),
    ("bond: several", |s, _| {
        bonds(s, |bond| {
            let one = bond.ports.first().copied();
            let several = matches!(bond.mode(), BondMode::BalanceRr | BondMode::Broadcast);
            let active = one.filter(|_| several);
            if several {
                *bond = Bond { active, ..Bond::of_mode(BondMode::ActiveBackup) };
            }
            several
        })
    }),
    ("dummy", |s, _| {
        // As if nobody had plugged it in.
        let links = s.namespaces.values_mut().flat_map(|n| n.links.values_mut());
        all(links.filter(|l| l.kind == LinkKind::Other("dummy".to_owned())), |link| {
            link.kind = LinkKind::Physical;
            true
        })
    }),
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
    ("vxlan: to a group", |s, _| without_remotes(s, |ip| ip.is_multicast())),
    ("vxlan: over ipv6", |s, _| without_remotes(s, |ip| ip.is_ipv6())),
    ("vxlan: remotes by hand", |s, _| remotes(s, |e| e.is_static)),
    ("vxlan: ttl", |s, _| vxlan(s, |v| std::mem::take(&mut v.ttl) > 0)),
    ("vxlan: tos", |s, _| vxlan(s, |v| std::mem::take(&mut v.tos) > 0)),
    ("vxlan: df", |s, _| vxlan(s, |v| std::mem::take(&mut v.df) != TunnelDf::Unset)),
    ("vxlan: local", |s, _| vxlan(s, |v| v.local.take().is_some())),
];

fn kinds(snapshot: &mut Snapshot) -> impl Iterator<Item = &mut LinkKind> {
    snapshot.namespaces.values_mut().flat_map(|n| n.links.values_mut()).map(|link| &mut link.kind)
}

const fn is_vrf(link: &Link) -> bool {
    matches!(link.kind, LinkKind::Vrf(_))
}

fn bonds(snapshot: &mut Snapshot, change: impl Fn(&mut Bond) -> bool) -> bool {
    let bonds = kinds(snapshot).filter_map(|kind| match kind {
        LinkKind::Bond(bond) => Some(bond),
        _ => None,
    });
    all(bonds, change)
}

/// A bond that has one port in use.
fn in_use(link: &Link) -> Option<u32> {
    match &link.kind {
        LinkKind::Bond(bond) if bond.active.is_some() => Some(link.index),
        _ => None,
    }
}

fn another_in_use(ns: &mut Namespace, bond: u32) -> bool {
    let ports = ns.links.values_mut().filter(|link| link.master == Some(bond));
    let mut other = None;
    for link in ports {
        let Some(Member::Bond(port)) = &mut link.member else { continue };
        if port.backup && other.is_none() {
            other = Some(link.index);
        }
        port.backup = other != Some(link.index);
    }
    match ns.links.get_mut(&bond).map(|link| &mut link.kind) {
        Some(LinkKind::Bond(bond)) if other.is_some() => {
            bond.active = other;
            true
        }
        _ => false,
    }
}

fn layer(snapshot: &mut Snapshot, of: IpvlanMode, instead: IpvlanMode) -> bool {
    all(kinds(snapshot), |kind| match kind {
        LinkKind::Ipvlan(ipvlan) if ipvlan.mode == of => {
            ipvlan.mode = instead;
            true
        }
        _ => false,
    })
}

fn vxlan(snapshot: &mut Snapshot, change: impl Fn(&mut Vxlan) -> bool) -> bool {
    let links = snapshot.namespaces.values_mut().flat_map(|n| n.links.values_mut());
    let vxlans = links.filter_map(|link| match &mut link.kind {
        LinkKind::Vxlan(vxlan) => Some(vxlan),
        _ => None,
    });
    all(vxlans, change)
}

/// Vxlans know none of these remotes.
fn without_remotes(snapshot: &mut Snapshot, is_one: impl Fn(IpAddr) -> bool) -> bool {
    let entries = remotes(snapshot, |e| e.remote.is_some_and(|r| is_one(r.ip)));
    let defaults = vxlan(snapshot, |v| v.remote.take_if(|ip| is_one(*ip)).is_some());
    entries || defaults
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
