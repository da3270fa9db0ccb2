//! The plain links.

use model::{
    AddressSpec, BondRole, BridgeSpec, BridgeVlan, CableSpec, Fact, LinkRef, LinkSpec,
    LinkSpecKind, Mac, MacvlanMode, NicSpec, Pins, Scope, VethEnd, VxlanSpec,
};

use super::Making;
use crate::error::Problem;
use crate::file::{AddressEntry, Kind, LinkEntry, Space};
use crate::node::{At, Said};
use crate::stable;

impl<'l> Making<'l> {
    /// What one entry of `links:` makes: the link, its far end too, and all that is said of both.
    pub(super) fn link(&mut self, space: &'l Space, entry: &'l LinkEntry) {
        let Some(kind) = &entry.kind else { return };
        let link = LinkRef::new(&space.name, &entry.name);
        match kind {
            Kind::Veth { peer, peer_bridge } => {
                if self.other_end(&link, peer) {
                    self.veth(entry, &link, &peer.what);
                    self.about(&link, None);
                    self.about(&peer.what, peer_bridge.as_ref());
                }
            }
            Kind::Bridge { ports, spec } => self.bridge(entry, &link, spec, ports),
            Kind::Tap => self.single(entry, &link, LinkSpecKind::Tap),
            Kind::Nic { cable } => self.nic(entry, link, cable.as_ref()),
            Kind::Macvlan { lower, mode, sources } => {
                if self.known(&Said::new(lower.at, lower.what.ns.clone())) {
                    let (lower, mode, sources) = (lower.what.clone(), *mode, sources.clone());
                    self.single(entry, &link, LinkSpecKind::Macvlan { lower, mode, sources });
                }
            }
            Kind::Vlan { lower, vlan } => {
                if self.known(&Said::new(lower.at, lower.what.ns.clone())) {
                    let kind = LinkSpecKind::Vlan { lower: lower.what.clone(), vlan: *vlan };
                    self.single(entry, &link, kind);
                }
            }
            Kind::Ipvlan { lower, ipvlan } => {
                if self.known(&Said::new(lower.at, lower.what.ns.clone())) {
                    let kind = LinkSpecKind::Ipvlan { lower: lower.what.clone(), ipvlan: *ipvlan };
                    self.single(entry, &link, kind);
                }
            }
            Kind::Bond(bond) => {
                self.single(entry, &link, LinkSpecKind::Bond(bond.spec.clone()));
            }
            Kind::Vrf(vrf) => self.single(entry, &link, LinkSpecKind::Vrf(*vrf)),
            Kind::Dummy => self.single(entry, &link, LinkSpecKind::Dummy),
            Kind::Ifb => self.single(entry, &link, LinkSpecKind::Ifb),
            Kind::Wireguard(own) => self.wireguard(entry, &link, own),
            Kind::Vxlan { lower, vxlan, remotes } => {
                let lower = lower.as_ref().map(|l| l.what.clone());
                let (vxlan, remotes) = (vxlan.clone(), remotes.clone());
                let kind = LinkSpecKind::Vxlan(VxlanSpec { lower, vxlan, remotes });
                self.single(entry, &link, kind);
            }
        }
    }

    /// Whether the file says of some link that it is a port of that bond.
    fn has_ports(&self, bond: &LinkRef) -> bool {
        let links = self.spaces.get(bond.ns.as_str()).into_iter().flat_map(|space| &space.links);
        let mut bonds = links.filter_map(|entry| entry.bond.as_ref());
        bonds.any(|said| said.what == bond.name)
    }

    /// What joins bonds, which is down until then, and goes up with that: by now the other ends of
    /// pairs are up, so that a port has its carrier as it joins.
    pub(super) fn bonds(&mut self, space: &Space) {
        for entry in &space.links {
            if let Some(bond) = &entry.bond {
                let link = LinkRef::new(&space.name, &entry.name);
                self.master(bond.at, &link, &bond.what);
                self.up(entry.at, &link);
            }
        }
    }

    /// Which ports bonds choose: the kernel refuses one that cannot send.
    fn bond_ports(&mut self, space: &Space) {
        for entry in &space.links {
            let Some(Kind::Bond(own)) = &entry.kind else { continue };
            let chosen = [(BondRole::Primary, &own.primary), (BondRole::Active, &own.active)];
            for (role, said) in chosen {
                if let Some(port) = said {
                    let (bond, name) = (LinkRef::new(&space.name, &entry.name), port.what.clone());
                    self.tell(port.at, Fact::BondPort { bond, role, port: name });
                }
            }
        }
    }

    /// The namespace of the far end exists, and it is another link.
    fn other_end(&mut self, link: &LinkRef, far: &Said<LinkRef>) -> bool {
        if far.what == *link {
            let (ns, name) = (link.ns.clone(), link.name.clone());
            self.errors.push(far.at, Problem::OwnPeer { ns, name });
            return false;
        }
        self.known(&Said::new(far.at, far.what.ns.clone()))
    }

    fn veth(&mut self, entry: &LinkEntry, link: &LinkRef, peer: &LinkRef) {
        let near = (link.clone(), self.drawn(link));
        self.pair(entry.at, near, (peer.clone(), self.drawn(peer)));
    }

    /// A veth pair. The kernel heeds the far end's ifindex only where the near end's is given too:
    /// so the end that is pinned is the near one, or both are, with consecutive numbers as they
    /// have by themselves.
    pub(super) fn pair(&mut self, at: At, near: (LinkRef, Pins), far: (LinkRef, Pins)) {
        let (mut near, mut far) = (near, far);
        if near.1.index.is_none() && far.1.index.is_some() {
            if near.0.ns == far.0.ns {
                near.1.index = far.1.index.map(|i| i + 1);
            } else {
                std::mem::swap(&mut near, &mut far);
            }
        }
        let end = VethEnd { link: far.0, pins: far.1, born_as: None };
        let kind = LinkSpecKind::Veth(end);
        self.tell(at, Fact::Link(LinkSpec { link: near.0, kind, pins: near.1 }));
    }

    pub(super) fn single(&mut self, entry: &LinkEntry, link: &LinkRef, kind: LinkSpecKind) {
        // A macvlan of mode passthru has the address of the link below, and so have VLAN links and
        // ipvlans; a bond has that of its first port; WireGuard has none.
        let passthru = MacvlanMode::Passthru;
        let inherits = match &kind {
            LinkSpecKind::Macvlan { mode, .. } => *mode == passthru,
            LinkSpecKind::Vlan { .. } | LinkSpecKind::Ipvlan { .. } => true,
            LinkSpecKind::Bond(_) => self.has_ports(link),
            kind => matches!(kind, LinkSpecKind::Wireguard(_)),
        };
        let pins = if inherits { self.pins(link) } else { self.drawn(link) };
        self.tell(entry.at, Fact::Link(LinkSpec { link: link.clone(), kind, pins }));
        self.about(link, None);
    }

    /// A bridge with a card takes that card's address, as ifupdown2 sets it; any other gets one of
    /// its own: the kernel would follow the lowest of its ports', and forget all neighbours
    /// whenever that changes.
    fn bridge(
        &mut self,
        entry: &'l LinkEntry,
        link: &LinkRef,
        spec: &BridgeSpec,
        ports: &[Said<String>],
    ) {
        let mut pins = self.pins(link);
        pins.mac = pins.mac.or_else(|| self.card_of(entry, link, ports)).or(self.drawn(link).mac);
        let kind = LinkSpecKind::Bridge(spec.clone());
        self.tell(entry.at, Fact::Link(LinkSpec { link: link.clone(), kind, pins }));
        self.link_settings(link);
        for port in ports {
            let port_link = LinkRef::new(&link.ns, &port.what);
            let said = self.entry(&port_link).and_then(|e| e.bridge.as_ref());
            match said.filter(|b| b.what != link.name) {
                Some(other) => {
                    let (ns, name) = (link.ns.clone(), port.what.clone());
                    let (a, b) = (link.name.clone(), other.what.clone());
                    self.errors.push(other.at, Problem::TwoBridges { ns, name, a, b });
                }
                None if said.is_none() => self.master(port.at, &port_link, &link.name),
                None => {}
            }
        }
        self.addresses(entry, link);
        self.up(entry.at, link);
    }

    fn card_of(&self, entry: &LinkEntry, bridge: &LinkRef, ports: &[Said<String>]) -> Option<Mac> {
        let space = self.spaces.get(bridge.ns.as_str())?;
        let port = |l: &LinkEntry| {
            ports.iter().any(|p| p.what == l.name)
                || l.bridge.as_ref().is_some_and(|b| b.what == entry.name)
        };
        let card = |l: &&LinkEntry| {
            let link = LinkRef::new(&bridge.ns, &l.name);
            port(l) && (matches!(l.kind, Some(Kind::Nic { .. })) || self.is_far_card(&link))
        };
        let link = space.links.iter().find(card)?;
        self.drawn(&LinkRef::new(&bridge.ns, &link.name)).mac
    }

    fn is_far_card(&self, link: &LinkRef) -> bool {
        self.lab
            .spaces
            .iter()
            .flat_map(|s| &s.links)
            .any(|l| matches!(&l.kind, Some(Kind::Nic { cable: Some(far) }) if far.what == *link))
    }

    fn nic(&mut self, entry: &LinkEntry, link: LinkRef, cable: Option<&Said<LinkRef>>) {
        let a = NicSpec { link: link.clone(), pins: self.drawn(&link) };
        let Some(far) = cable else {
            self.tell(entry.at, Fact::Cable(CableSpec { a, b: None }));
            return self.about(&link, None);
        };
        if self.other_end(&link, far) {
            let b = NicSpec { link: far.what.clone(), pins: self.drawn(&far.what) };
            self.tell(entry.at, Fact::Cable(CableSpec { a, b: Some(b) }));
            self.about(&link, None);
            self.about(&far.what, None);
        }
    }

    /// What the file pins of a link.
    pub(super) fn pins(&self, link: &LinkRef) -> Pins {
        self.entry(link).map_or_else(Pins::default, |e| Pins {
            index: e.index,
            mac: e.mac,
            mtu: e.mtu,
            txqlen: e.txqlen,
            group: e.group,
            altnames: e.altnames.iter().map(|a| a.what.clone()).collect(),
        })
    }

    /// The same, with an address drawn where the kernel would draw one.
    pub(super) fn drawn(&self, link: &LinkRef) -> Pins {
        let mut pins = self.pins(link);
        let draw = || stable::mac(&[&self.lab.name, &link.ns, &link.name]);
        pins.mac = Some(pins.mac.unwrap_or_else(draw));
        pins
    }

    /// What is said of a link that is there: settings, bridge, addresses, up or down.
    pub(super) fn about(&mut self, link: &LinkRef, bridge: Option<&Said<String>>) {
        self.link_settings(link);
        let entry = self.entry(link);
        let own = entry.and_then(|e| e.bridge.as_ref());
        if let (Some(a), Some(b)) = (own, bridge)
            && a.what != b.what
        {
            let (ns, name) = (link.ns.clone(), link.name.clone());
            let (a_name, b_name) = (a.what.clone(), b.what.clone());
            self.errors.push(a.at, Problem::TwoBridges { ns, name, a: a_name, b: b_name });
        }
        // What is a member of a VRF is so before it has addresses: joining takes them away.
        let vrf = entry.and_then(|e| e.vrf.as_ref());
        let bond = entry.and_then(|e| e.bond.as_ref());
        let masters: Vec<&Said<String>> =
            own.or(bridge).into_iter().chain(vrf).chain(bond).collect();
        if let [first, second, ..] = masters[..] {
            let (ns, name) = (link.ns.clone(), link.name.clone());
            let (a, b) = (first.what.clone(), second.what.clone());
            self.errors.push(second.at, Problem::TwoBridges { ns, name, a, b });
        }
        if let Some(master) = own.or(bridge).or(vrf) {
            self.master(master.at, link, &master.what);
        }
        if let Some(entry) = entry {
            self.addresses(entry, link);
        }
        // What joins a bond goes up with that.
        if bond.is_none() {
            self.up(entry.map_or(self.last_at(), |e| e.at), link);
        }
    }

    fn last_at(&self) -> At {
        self.facts.last().map(|t| t.at).unwrap_or_default()
    }

    pub(super) fn master(&mut self, at: At, link: &LinkRef, bridge: &str) {
        let port = self.entry(link).map(|e| e.port.clone()).unwrap_or_default();
        let bridge = Some(bridge.to_owned());
        self.tell(at, Fact::Master { link: link.clone(), bridge, port });
    }

    /// What tc does comes last: nothing that is asked for while the lab is made shall meet it.
    pub(super) fn filters(&mut self, space: &Space) {
        for entry in &space.links {
            if let Some(tc) = &entry.tc {
                let link = LinkRef::new(&space.name, &entry.name);
                self.tell(tc.at, Fact::Tc { link, tc: Box::new(tc.what.clone()) });
            }
            if let Some(Said { at, what }) = &entry.queue {
                let link = LinkRef::new(&space.name, &entry.name);
                self.tell(*at, Fact::Queue { link, queue: what.clone() });
            }
        }
    }

    /// What is behind ports, which all links may be by now, and their states, which hold once all
    /// have their carrier.
    pub(super) fn port_states(&mut self, space: &Space) {
        self.bond_ports(space);
        for said in &space.fdb {
            let link = LinkRef::new(&space.name, &said.what.0.what);
            self.tell(said.at, Fact::Fdb { link, mac: said.what.1 });
        }
        for said in &space.vlans {
            let link = LinkRef::new(&space.name, &said.what.0.what);
            let BridgeVlan { id, pvid, untagged, .. } = said.what.1;
            self.tell(said.at, Fact::Vlan { link, id, pvid, untagged });
        }
        for said in &space.mdb {
            let link = LinkRef::new(&space.name, &said.what.0.what);
            self.tell(said.at, Fact::Mdb { link, group: said.what.1 });
        }
        for entry in &space.links {
            if let Some(backup) = &entry.backup {
                let link = LinkRef::new(&space.name, &entry.name);
                self.tell(backup.at, Fact::Backup { link, port: backup.what.clone() });
            }
            if let Some(state) = &entry.state {
                let link = LinkRef::new(&space.name, &entry.name);
                self.tell(state.at, Fact::PortState { link, state: state.what });
            }
        }
    }

    /// Up, unless the file says down.
    pub(super) fn up(&mut self, at: At, link: &LinkRef) {
        let up = self.entry(link).and_then(|e| e.up).unwrap_or(true);
        self.tell(at, Fact::Up { link: link.clone(), up });
    }

    pub(super) fn addresses(&mut self, entry: &LinkEntry, link: &LinkRef) {
        for said in &entry.addresses {
            let AddressEntry { net, broadcast, scope, no_prefix_route } = said.what;
            let spec = AddressSpec {
                link: link.clone(),
                net,
                broadcast,
                scope: scope.unwrap_or_else(|| usual_scope(net)),
                no_prefix_route,
            };
            self.tell(said.at, Fact::Address(spec));
        }
    }
}

/// As `ip address add` chooses: host for 127/8 and ::1, link for fe80::/10 (the kernel's choice).
fn usual_scope(net: ipnet::IpNet) -> Scope {
    match net {
        ipnet::IpNet::V4(n) if n.addr().is_loopback() => Scope::Host,
        ipnet::IpNet::V6(n) if n.addr().is_loopback() => Scope::Host,
        ipnet::IpNet::V6(n) if n.addr().segments()[0] & 0xffc0 == 0xfe80 => Scope::Link,
        _ => Scope::Global,
    }
}
