//! Links as they are, in the words that would make them.

use std::net::IpAddr;

use model::{
    BondSpec, BridgeSpec, CableSpec, Link, LinkKind, LinkRef, LinkSpec, LinkSpecKind, Mac, Member,
    NicSpec, Pins, Relation, VethEnd, Vxlan, VxlanSpec, WireguardSpec,
};

use crate::State;

impl State {
    /// A link as a spec that would make it. None too if it is of a kind that no spec makes.
    pub(crate) fn observe_link(&self, name: &LinkRef) -> Option<LinkSpec> {
        let link = self.link(name)?;
        let lower = match link.relation {
            Relation::Lower(id) | Relation::Peer(id) => self.link_ref(id),
            _ => None,
        };
        let kind = match &link.kind {
            LinkKind::Veth => {
                let peer = link.peer().and_then(|id| self.spaces.get(&id.ns)?.links.get(&id.index));
                // An end whose other end nobody knows is still a link to be removed.
                let end = lower.unwrap_or_else(|| LinkRef::new("", ""));
                let pins = peer.map(pins).unwrap_or_default();
                LinkSpecKind::Veth(VethEnd { link: end, pins, born_as: None })
            }
            LinkKind::Bridge(b) => LinkSpecKind::Bridge(BridgeSpec::of(b)),
            LinkKind::Tap(_) => LinkSpecKind::Tap,
            LinkKind::Macvlan(m) if !m.tap => LinkSpecKind::Macvlan {
                lower: lower.unwrap_or_else(|| LinkRef::new("", "")),
                mode: m.mode,
                sources: m.sources.clone(),
            },
            LinkKind::Vxlan(v) => LinkSpecKind::Vxlan(VxlanSpec {
                lower: lower.map(|l| l.name),
                vxlan: v.clone(),
                remotes: self.remotes(name, link.index, v),
            }),
            LinkKind::Wireguard(Some(own)) => LinkSpecKind::Wireguard(WireguardSpec::of(own)),
            LinkKind::Vlan(vlan) => {
                let lower = lower.unwrap_or_else(|| LinkRef::new("", ""));
                LinkSpecKind::Vlan { lower, vlan: *vlan }
            }
            LinkKind::Ipvlan(ipvlan) if !ipvlan.tap => {
                let lower = lower.unwrap_or_else(|| LinkRef::new("", ""));
                LinkSpecKind::Ipvlan { lower, ipvlan: *ipvlan }
            }
            LinkKind::Bond(bond) => LinkSpecKind::Bond(BondSpec::of(bond)),
            LinkKind::Vrf(vrf) => LinkSpecKind::Vrf(*vrf),
            LinkKind::Other(kind) if kind == "dummy" => LinkSpecKind::Dummy,
            LinkKind::Other(kind) if kind == "ifb" => LinkSpecKind::Ifb,
            LinkKind::Loopback
            | LinkKind::Physical
            | LinkKind::Macvlan(_)
            | LinkKind::Ipvlan(_)
            | LinkKind::Tunnel(_)
            | LinkKind::Netkit(_)
            | LinkKind::Wireguard(_)
            | LinkKind::Other(_) => return None,
        };
        Some(LinkSpec { link: name.clone(), kind, pins: pins(link) })
    }

    pub(super) fn cable(&self, cable: &CableSpec) -> Option<CableSpec> {
        if !self.known.has_cable(cable) {
            return None;
        }
        let nic = |nic: &NicSpec| {
            let link = self.link(&nic.link)?;
            Some(NicSpec { link: nic.link.clone(), pins: pins(link) })
        };
        let b = match &cable.b {
            Some(b) => Some(nic(b)?),
            None => None,
        };
        Some(CableSpec { a: nic(&cable.a)?, b })
    }

    /// What a vxlan was told by hand of where to send to; its default remote is among its options.
    fn remotes(&self, name: &LinkRef, index: u32, vxlan: &Vxlan) -> Vec<(Mac, IpAddr)> {
        let Some(space) = self.space(&name.ns) else { return Vec::new() };
        let own = space.fdb.iter().filter(|e| e.link == index && e.own && e.is_static);
        let all = own.filter_map(|e| Some((e.mac, e.remote?.ip)));
        let default = vxlan.remote.map(|ip| (Mac::default(), ip));
        all.filter(|entry| Some(*entry) != default).collect()
    }
}

/// Everything of a link that can be fixed.
fn pins(link: &Link) -> Pins {
    let own = match &link.member {
        Some(Member::Bond(port)) => port.own_mac,
        _ => None,
    };
    Pins {
        index: Some(link.index),
        mac: own.or(link.mac),
        mtu: Some(link.mtu),
        txqlen: Some(link.txqlen),
        group: link.group,
        altnames: link.altnames.clone(),
    }
}
