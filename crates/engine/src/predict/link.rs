//! Links that are made, changed, set up and down, and end.

use model::{
    Address, BondPort, BondRole, Bridge, BridgeSpec, CableSpec, FdbEntry, Link, LinkFlags, LinkId,
    LinkKind, LinkRef, LinkSpec, LinkSpecKind, Mac, Macvlan, Member, Namespace, NicSpec, OperState,
    Pins, PortSpec, Relation, Remote, TABLE_LOCAL, Tap, VxlanSpec,
};

use super::route::add_subnet;
use crate::State;

impl State {
    pub(super) fn set_link(&mut self, spec: &LinkSpec) {
        if self.link(&spec.link).is_some() {
            return self.change_link(spec);
        }
        let made = self.add_link(&spec.link, kind(&spec.kind), &spec.pins);
        let lower = lower(spec).and_then(|l| self.link_id(&l));
        if let (Some(id), Some(lower)) = (made, lower) {
            self.relate(id, Relation::Lower(lower));
        }
        match &spec.kind {
            LinkSpecKind::Veth(end) => {
                let far = self.add_link(&end.link, LinkKind::Veth, &end.pins);
                if let (Some(near), Some(far)) = (made, far) {
                    self.relate(near, Relation::Peer(far));
                    self.relate(far, Relation::Peer(near));
                }
            }
            LinkSpecKind::Vxlan(vxlan) => self.add_remotes(&spec.link, vxlan),
            _ => {}
        }
    }

    fn add_remotes(&mut self, name: &LinkRef, spec: &VxlanSpec) {
        let Some(link) = self.link_id(name).map(|id| id.index) else { return };
        let Some(space) = self.space_mut(&name.ns) else { return };
        let default = spec.vxlan.remote.map(|ip| (Mac::default(), ip));
        space.fdb.extend(default.iter().chain(&spec.remotes).map(|(mac, ip)| FdbEntry {
            link,
            master: None,
            mac: *mac,
            vlan: None,
            local: false,
            is_static: true,
            locked: false,
            own: true,
            age: None,
            remote: Some(Remote::new(*ip)),
        }));
    }

    fn add_link(&mut self, name: &LinkRef, kind: LinkKind, pins: &Pins) -> Option<LinkId> {
        let space = self.space_mut(&name.ns)?;
        let next = space.links.keys().next_back().map_or(1, |i| i + 1);
        let index = pins.index.unwrap_or(next);
        space.links.insert(index, link(index, &name.name, kind, pins));
        let id = LinkId { ns: space.id, index };
        self.indexes.entry(id.ns).or_default().insert(name.name.clone(), index);
        Some(id)
    }

    fn relate(&mut self, id: LinkId, relation: Relation) {
        if let Some(link) = self.spaces.get_mut(&id.ns).and_then(|n| n.links.get_mut(&id.index)) {
            link.relation = relation;
        }
    }

    fn change_link(&mut self, spec: &LinkSpec) {
        self.change_pins(&spec.link, &spec.pins);
        match &spec.kind {
            LinkSpecKind::Veth(end) => self.change_pins(&end.link, &end.pins),
            LinkSpecKind::Bridge(bridge) => {
                if let Some(Link { kind: LinkKind::Bridge(b), .. }) = self.link_mut(&spec.link) {
                    change_bridge(b, bridge);
                }
            }
            LinkSpecKind::Macvlan { mode, .. } => {
                if let Some(Link { kind: LinkKind::Macvlan(m), .. }) = self.link_mut(&spec.link) {
                    m.mode = *mode;
                }
            }
            LinkSpecKind::Bond(bond) => {
                if let Some(Link { kind: LinkKind::Bond(b), .. }) = self.link_mut(&spec.link) {
                    bond.options.said().for_each(|(option, value)| b.options.set(option, value));
                }
            }
            LinkSpecKind::Wireguard(_) => {
                if let Some(link) = self.link_mut(&spec.link) {
                    link.kind = kind(&spec.kind);
                }
            }
            LinkSpecKind::Tap
            | LinkSpecKind::Dummy
            | LinkSpecKind::Ifb
            | LinkSpecKind::Vrf(_)
            | LinkSpecKind::Vxlan(_)
            | LinkSpecKind::Ipvlan { .. }
            | LinkSpecKind::Vlan { .. } => {}
        }
    }

    fn change_pins(&mut self, name: &LinkRef, pins: &Pins) {
        let Some(link) = self.link_mut(name) else { return };
        link.mac = pins.mac.or(link.mac);
        link.mtu = pins.mtu.unwrap_or(link.mtu);
        link.txqlen = pins.txqlen.unwrap_or(link.txqlen);
        link.group = pins.group.or(link.group);
        link.altnames.clone_from(&pins.altnames);
    }
}

impl State {
    pub(super) fn set_cable(&mut self, cable: &CableSpec) {
        let nic = |state: &mut Self, nic: &NicSpec| match state.link(&nic.link) {
            Some(_) => state.change_pins(&nic.link, &nic.pins),
            None => {
                state.add_link(&nic.link, LinkKind::Tap(Tap::default()), &nic.pins);
            }
        };
        nic(self, &cable.a);
        if let Some(b) = &cable.b {
            nic(self, b);
        }
        self.known.cables.insert(crate::known::ends(cable));
    }

    pub(super) fn set_master(&mut self, name: &LinkRef, bridge: Option<&str>, spec: &PortSpec) {
        let bridge = bridge.map(|b| LinkRef::new(&name.ns, b));
        let found = bridge.and_then(|b| self.link(&b));
        let bond = found.is_some_and(|b| matches!(b.kind, LinkKind::Bond(_)));
        let table = found.and_then(|b| b.kind.vrf_table());
        let bridge = found.map(|b| b.index);
        if bond || self.link(name).is_some_and(|l| matches!(l.member, Some(Member::Bond(_)))) {
            // A bond takes what is down, brings it up, and leaves it down.
            self.set_up(name, false);
            self.set_up(name, bond);
        }
        let Some(link) = self.link_mut(name) else { return };
        let same = link.master == bridge;
        let old = link.port.take().filter(|_| same).unwrap_or_default();
        link.master = bridge;
        let mut port = old;
        spec.said().for_each(|(option, value)| option.give(&mut port, value));
        let port_of_bond = BondPort { own_mac: link.mac, ..BondPort::default() };
        link.member = match table {
            Some(table) => Some(Member::Vrf { table }),
            None => bond.then_some(Member::Bond(port_of_bond)),
        };
        link.port = bridge.filter(|_| link.member.is_none()).map(|_| port);
        let index = link.index;
        if let Some(space) = self.space_mut(&name.ns).filter(|_| !same) {
            stand_in_no_more(space, index);
        }
    }

    pub(super) fn set_bond_port(&mut self, bond: &LinkRef, role: BondRole, port: Option<&String>) {
        let port = port.and_then(|name| self.link(&LinkRef::new(&bond.ns, name)));
        let port = port.map(|link| link.index);
        let Some(Link { kind: LinkKind::Bond(own), .. }) = self.link_mut(bond) else { return };
        match role {
            BondRole::Primary => own.primary = port,
            BondRole::Active => own.active = port,
        }
    }

    /// Down, a link loses its routes and neighbours; up, the kernel makes those of its subnets.
    pub(super) fn set_up(&mut self, name: &LinkRef, up: bool) {
        let Some(id) = self.link_id(name) else { return };
        let Some(space) = self.spaces.get_mut(&id.ns) else { return };
        let Some(link) = space.links.get_mut(&id.index) else { return };
        let was = link.is_up();
        link.flags.set(LinkFlags::UP, up);
        if was && !up {
            space.routes.retain(|r| {
                r.table == TABLE_LOCAL || !r.nexthops.iter().any(|h| h.link == id.index)
            });
            space.neighbours.retain(|n| n.link != id.index);
        }
        if up && !was {
            let addresses: Vec<Address> = space.addresses_of(id.index).cloned().collect();
            for address in &addresses {
                add_subnet(space, address);
            }
        }
    }

    pub(super) fn end_link_called(&mut self, name: &LinkRef) {
        if let Some(id) = self.link_id(name) {
            self.end_link(id);
        }
    }

    /// A cable ends with its two cards.
    pub(super) fn end_cable(&mut self, cable: &CableSpec) {
        self.known.cables.remove(&crate::known::ends(cable));
        for nic in std::iter::once(&cable.a).chain(&cable.b) {
            self.end_link_called(&nic.link);
        }
    }

    /// A link ends, with its peer and what stands on it.
    pub(super) fn end_link(&mut self, id: LinkId) {
        let Some(space) = self.spaces.get_mut(&id.ns) else { return };
        let Some(gone) = space.links.remove(&id.index) else { return };
        if let Some(indexes) = self.indexes.get_mut(&id.ns) {
            indexes.remove(&gone.name);
        }
        space.addresses.retain(|a| a.link != id.index);
        space.neighbours.retain(|n| n.link != id.index);
        space.routes.retain(|r| !r.nexthops.iter().any(|h| h.link == id.index));
        let bond = matches!(gone.kind, LinkKind::Bond(_));
        for port in space.links.values_mut().filter(|l| l.master == Some(id.index)) {
            (port.master, port.port, port.member) = (None, None, None);
            if bond {
                port.flags.remove(LinkFlags::UP);
            }
        }
        stand_in_no_more(space, id.index);
        let ns = self.name(id.ns).unwrap_or_default().to_owned();
        let of_link = |key: &str| crate::key::sysctl_link(key) == Some(&gone.name);
        self.known.sysctls.retain(|(n, key), _| *n != ns || !of_link(key));
        if let Some(peer) = gone.peer() {
            self.end_link(peer);
        }
        let above: Vec<LinkId> = self
            .spaces
            .values()
            .flat_map(|n| n.links.values().map(|l| (n.id, l)))
            .filter(|(_, l)| l.relation == Relation::Lower(id))
            .map(|(ns, l)| LinkId { ns, index: l.index })
            .collect();
        for id in above {
            self.end_link(id);
        }
    }
}

/// What a link is once it is made.
fn kind(spec: &LinkSpecKind) -> LinkKind {
    match spec {
        LinkSpecKind::Veth(_) => LinkKind::Veth,
        LinkSpecKind::Bridge(bridge) => LinkKind::Bridge(new_bridge(bridge)),
        LinkSpecKind::Tap => LinkKind::Tap(Tap::default()),
        LinkSpecKind::Macvlan { mode, sources, .. } => {
            let (mode, sources) = (*mode, sources.clone());
            LinkKind::Macvlan(Macvlan { mode, sources, ..Macvlan::default() })
        }
        LinkSpecKind::Vlan { vlan, .. } => LinkKind::Vlan(*vlan),
        LinkSpecKind::Ipvlan { ipvlan, .. } => LinkKind::Ipvlan(*ipvlan),
        LinkSpecKind::Bond(bond) => LinkKind::Bond(bond.seen()),
        LinkSpecKind::Vrf(vrf) => LinkKind::Vrf(*vrf),
        LinkSpecKind::Dummy => LinkKind::Other("dummy".to_owned()),
        LinkSpecKind::Ifb => LinkKind::Other("ifb".to_owned()),
        LinkSpecKind::Vxlan(vxlan) => LinkKind::Vxlan(vxlan.vxlan.clone()),
        LinkSpecKind::Wireguard(own) => LinkKind::Wireguard(Some(Box::new(own.seen()))),
    }
}

/// The link that one stands on.
fn lower(spec: &LinkSpec) -> Option<LinkRef> {
    match &spec.kind {
        LinkSpecKind::Macvlan { lower, .. }
        | LinkSpecKind::Vlan { lower, .. }
        | LinkSpecKind::Ipvlan { lower, .. } => Some(lower.clone()),
        LinkSpecKind::Vxlan(vxlan) => {
            vxlan.lower.as_ref().map(|lower| LinkRef::new(&spec.link.ns, lower))
        }
        _ => None,
    }
}

fn new_bridge(spec: &BridgeSpec) -> Bridge {
    let mut bridge = Bridge::default();
    change_bridge(&mut bridge, spec);
    bridge
}

fn change_bridge(bridge: &mut Bridge, spec: &BridgeSpec) {
    spec.said().for_each(|(option, value)| option.give(bridge, value));
}

pub(super) fn link(index: u32, name: &str, kind: LinkKind, pins: &Pins) -> Link {
    Link {
        altnames: pins.altnames.clone(),
        mac: pins.mac,
        mtu: pins.mtu.unwrap_or(1500),
        flags: LinkFlags::BROADCAST | LinkFlags::MULTICAST,
        state: OperState::Down,
        txqlen: pins.txqlen.unwrap_or(1000),
        group: Some(pins.group.unwrap_or(0)),
        qdisc: "noop".to_owned(),
        queues: Vec::new(),
        ..Link::new(index, name, kind)
    }
}

/// `nbp_backup_clear`: what is no port of its bridge any more stands in for none.
fn stand_in_no_more(space: &mut Namespace, index: u32) {
    for port in space.links.values_mut().filter_map(|l| l.port.as_mut()) {
        port.backup_port = port.backup_port.filter(|backup| *backup != index);
    }
}
