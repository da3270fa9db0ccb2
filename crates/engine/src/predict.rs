//! What the kernel makes of a change, as far as a plan depends on it.

mod entry;
mod link;
mod namespace;
mod route;

use std::collections::BTreeMap;

use model::{Change, Fact, LinkRef, PortSpec};

use crate::State;

impl State {
    /// Foresees a change.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Make(fact) => self.set(fact, true),
            Change::Alter { from, to } => {
                if let Fact::Route(_) | Fact::Address(_) = &**from {
                    self.set(from, false);
                }
                self.set(to, true);
            }
            Change::Remove(fact) => self.set(fact, false),
        }
    }

    /// Foresees that a fact is so, or is no more.
    fn set(&mut self, fact: &Fact, there: bool) {
        match fact {
            Fact::Namespace(spec) => self.set_space(spec, there),
            Fact::Nsid { ns, nsid, target } if there => self.add_nsid(ns, *nsid, target),
            Fact::NsFile { ns, path, target } if there => self.add_file(ns, path, target),
            Fact::NsFile { ns, path, .. } => self.drop_file(ns, path),
            Fact::Link(spec) if there => self.set_link(spec),
            Fact::Link(spec) => self.end_link_called(&spec.link),
            Fact::Cable(cable) if there => self.set_cable(cable),
            Fact::Cable(cable) => self.end_cable(cable),
            Fact::Master { link, bridge, port } if there => {
                self.set_master(link, bridge.as_deref(), port);
            }
            Fact::Master { link, .. } => self.set_master(link, None, &PortSpec::default()),
            Fact::Backup { link, port } => {
                let backup =
                    there.then(|| self.link(&LinkRef::new(&link.ns, port)).map(|l| l.index));
                if let Some(port) = self.link_mut(link).and_then(|l| l.port.as_mut()) {
                    port.backup_port = backup.flatten();
                }
            }
            Fact::PortState { link, state } if there => {
                if let Some(port) = self.link_mut(link).and_then(|l| l.port.as_mut()) {
                    port.state = *state;
                }
            }
            Fact::BondPort { bond, role, port } => {
                self.set_bond_port(bond, *role, there.then_some(port));
            }
            Fact::Up { link, up } => self.set_up(link, there && *up),
            Fact::Mtu { link, mtu } if there => {
                if let Some(link) = self.link_mut(link) {
                    link.mtu = *mtu;
                }
            }
            // What a namespace calls another, a port's state and an MTU are not taken back.
            Fact::Nsid { .. } | Fact::PortState { .. } | Fact::Mtu { .. } => {}
            Fact::Address(spec) if there => self.add_address(spec),
            Fact::Address(spec) => self.drop_address(spec),
            Fact::Route(spec) if there => self.add_route(spec),
            Fact::Route(spec) => self.drop_route(spec),
            Fact::Sysctl { ns, key, value } => {
                put(&mut self.known.sysctls, (ns.clone(), key.clone()), there.then_some(value));
            }
            Fact::Service { ns, spec } => {
                put(&mut self.known.services, ns.clone(), there.then_some(spec));
            }
            Fact::Rule { .. }
            | Fact::AddressLabel { .. }
            | Fact::Neighbour { .. }
            | Fact::Proxy { .. }
            | Fact::Fdb { .. }
            | Fact::Vlan { .. }
            | Fact::Mdb { .. }
            | Fact::Tc { .. }
            | Fact::Queue { .. }
            | Fact::IpSet { .. }
            | Fact::Table { .. } => _ = self.set_entry(fact, there),
        }
    }
}

/// Has a map say so of a key; without a value, nothing.
fn put<K: Ord, V: Clone>(map: &mut BTreeMap<K, V>, key: K, value: Option<&V>) {
    match value {
        Some(value) => _ = map.insert(key, value.clone()),
        None => _ = map.remove(&key),
    }
}
