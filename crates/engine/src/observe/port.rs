//! What links are and have as ports, and what is done at them.

use std::net::IpAddr;

use model::{BondRole, Fact, Group, LinkKind, LinkRef, Mac, MdbEntry, Namespace, PortSpec, Tc};

use crate::State;

impl State {
    pub(super) fn master(&self, name: &LinkRef) -> Option<Fact> {
        let link = self.link(name)?;
        let bridge = self.space(&name.ns)?.links.get(&link.master?)?.name.clone();
        let port = link.port.as_ref().map_or_else(PortSpec::default, PortSpec::of);
        Some(Fact::Master { link: name.clone(), bridge: Some(bridge), port })
    }

    pub(super) fn backup(&self, name: &LinkRef) -> Option<Fact> {
        let index = self.link(name)?.port.as_ref()?.backup_port?;
        let port = self.space(&name.ns)?.links.get(&index)?.name.clone();
        Some(Fact::Backup { link: name.clone(), port })
    }

    pub(super) fn bond_port(&self, bond: &LinkRef, role: BondRole) -> Option<Fact> {
        let LinkKind::Bond(own) = &self.link(bond)?.kind else { return None };
        let index = match role {
            BondRole::Primary => own.primary,
            BondRole::Active => own.active,
        }?;
        let port = self.space(&bond.ns)?.links.get(&index)?.name.clone();
        Some(Fact::BondPort { bond: bond.clone(), role, port })
    }

    /// Whether that Ethernet address is behind it, by hand.
    pub(super) fn fdb(&self, name: &LinkRef, mac: Mac) -> bool {
        let Some((index, space)) = self.place(name) else { return false };
        space.fdb.iter().any(|e| e.link == index && e.mac == mac && e.is_static)
    }

    pub(super) fn vlan(&self, name: &LinkRef, id: u16) -> Option<Fact> {
        let (index, space) = self.place(name)?;
        let vlan = space.vlans.iter().find(|v| (v.link, v.id) == (index, id))?;
        Some(Fact::Vlan { link: name.clone(), id, pvid: vlan.pvid, untagged: vlan.untagged })
    }

    /// Whether that group is wanted behind it.
    pub(super) fn mdb(&self, name: &LinkRef, group: IpAddr) -> bool {
        let Some((index, space)) = self.place(name) else { return false };
        let wanted = |e: &MdbEntry| (e.port, e.group) == (index, Group::Ip(group));
        space.mdb.iter().any(wanted)
    }

    pub(super) fn tc(&self, name: &LinkRef) -> Option<Fact> {
        let tc = named(self.link(name)?.tc.as_deref()?, self.space(&name.ns)?)?;
        Some(Fact::Tc { link: name.clone(), tc: Box::new(tc) })
    }

    /// What stands behind it, if that is one thing.
    pub(super) fn queue(&self, name: &LinkRef) -> Option<Fact> {
        let [queue] = self.link(name)?.queues.as_slice() else { return None };
        Some(Fact::Queue { link: name.clone(), queue: queue.clone() })
    }

    /// A link's ifindex, and the namespace that it is in.
    pub(super) fn place(&self, name: &LinkRef) -> Option<(u32, &Namespace)> {
        Some((self.link(name)?.index, self.space(&name.ns)?))
    }
}

/// What tc does, with other links by name; those that are gone have none. Handles are the kernel's.
fn named(tc: &Tc, space: &Namespace) -> Option<Tc<String>> {
    let name =
        |index: &u32| Some(space.links.get(index).map(|l| l.name.clone()).unwrap_or_default());
    let mut named = tc.renamed(name)?;
    named.ingress.iter_mut().chain(&mut named.egress).for_each(|filter| filter.handle = 0);
    Some(named)
}
