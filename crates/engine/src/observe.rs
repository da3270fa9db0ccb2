//! The thing that a fact speaks of, as it is.

use std::net::IpAddr;

use model::{
    AddressSpec, BondRole, BondSpec, BridgeSpec, CableSpec, Fact, Group, HopSpec, Link, LinkKind,
    LinkRef, LinkSpec, LinkSpecKind, Mac, Member, Namespace, NeighbourState, NicSpec, Pins,
    PortSpec, Relation, Route, RouteSpec, Tc, VethEnd, Vxlan, VxlanSpec, WireguardSpec,
};

use crate::State;
use crate::key::metric;

impl State {
    /// The same thing as it is now, in the same words; None: it is not there.
    pub(crate) fn observe(&self, fact: &Fact) -> Option<Fact> {
        match fact {
            Fact::Namespace(spec) => {
                self.space(&spec.name)?;
                Some(fact.clone())
            }
            Fact::Nsid { ns, nsid, .. } => {
                let target = self.space(ns)?.nsids.get(nsid)?;
                let target = self.name(*target).unwrap_or_default().to_owned();
                Some(Fact::Nsid { ns: ns.clone(), nsid: *nsid, target })
            }
            Fact::NsFile { ns, path, .. } => self.file(ns, path),
            Fact::Link(spec) => self.observe_link(&spec.link).map(Fact::Link),
            Fact::Cable(cable) => self.cable(cable).map(Fact::Cable),
            Fact::Master { link, .. } => self.master(link),
            Fact::Backup { link, .. } => {
                let index = self.link(link)?.port.as_ref()?.backup_port?;
                let port = self.space(&link.ns)?.links.get(&index)?.name.clone();
                Some(Fact::Backup { link: link.clone(), port })
            }
            Fact::PortState { link, .. } => {
                let state = self.link(link)?.port.as_ref()?.state;
                Some(Fact::PortState { link: link.clone(), state })
            }
            Fact::BondPort { bond, role, .. } => {
                let LinkKind::Bond(own) = &self.link(bond)?.kind else { return None };
                let index = match role {
                    BondRole::Primary => own.primary,
                    BondRole::Active => own.active,
                }?;
                let port = self.space(&bond.ns)?.links.get(&index)?.name.clone();
                Some(Fact::BondPort { bond: bond.clone(), role: *role, port })
            }
            Fact::Up { link, .. } => {
                let up = self.link(link)?.is_up();
                Some(Fact::Up { link: link.clone(), up })
            }
            Fact::Mtu { link, .. } => {
                let mtu = self.link(link)?.mtu;
                Some(Fact::Mtu { link: link.clone(), mtu })
            }
            Fact::Address(spec) => self.address(spec).map(Fact::Address),
            Fact::Route(spec) => self.route(spec).map(Fact::Route),
            Fact::Rule { ns, rule } => {
                let mut rules = self.space(ns)?.rules.iter();
                let rule =
                    rules.find(|r| (r.ipv6, r.priority) == (rule.ipv6, rule.priority))?.clone();
                Some(Fact::Rule { ns: ns.clone(), rule })
            }
            Fact::Neighbour { link, ip, .. } => self.neighbour(link, *ip),
            Fact::Proxy { link, ip } => {
                let (index, space) = (self.link(link)?.index, self.space(&link.ns)?);
                let mut all = space.neighbours.iter();
                all.find(|n| n.proxy && n.link == index && n.ip == *ip)?;
                Some(fact.clone())
            }
            Fact::Fdb { link, mac } => {
                let (index, space) = (self.link(link)?.index, self.space(&link.ns)?);
                space.fdb.iter().find(|e| e.link == index && e.mac == *mac && e.is_static)?;
                Some(fact.clone())
            }
            Fact::Vlan { link, id, .. } => {
                let (index, space) = (self.link(link)?.index, self.space(&link.ns)?);
                let vlan = space.vlans.iter().find(|v| (v.link, v.id) == (index, *id))?;
                let (link, pvid, untagged) = (link.clone(), vlan.pvid, vlan.untagged);
                Some(Fact::Vlan { link, id: *id, pvid, untagged })
            }
            Fact::Mdb { link, group } => {
                let (index, space) = (self.link(link)?.index, self.space(&link.ns)?);
                let wanted = |e: &&model::MdbEntry| (e.port, e.group) == (index, Group::Ip(*group));
                space.mdb.iter().find(wanted)?;
                Some(fact.clone())
            }
            Fact::Tc { link, .. } => {
                let (seen, space) = (self.link(link)?, self.space(&link.ns)?);
                let tc = Box::new(named(seen.tc.as_deref()?, space)?);
                Some(Fact::Tc { link: link.clone(), tc })
            }
            Fact::Sysctl { ns, key, .. } => {
                self.space(ns)?;
                let value = self.known.sysctls.get(&(ns.clone(), key.clone()))?.clone();
                Some(Fact::Sysctl { ns: ns.clone(), key: key.clone(), value })
            }
            Fact::IpSet { ns, set } => {
                let found = self.space(ns)?.ipsets.iter().find(|s| s.name == set.name)?;
                Some(Fact::IpSet { ns: ns.clone(), set: Box::new(found.clone()) })
            }
            Fact::Table { ns, table } => {
                let table = self.space(ns)?.ruleset.table(table.family, &table.name)?.clone();
                Some(Fact::Table { ns: ns.clone(), table })
            }
            Fact::Service { ns, .. } => {
                self.space(ns)?;
                let spec = self.known.services.get(ns)?.clone();
                Some(Fact::Service { ns: ns.clone(), spec })
            }
        }
    }

    fn file(&self, ns: &str, path: &str) -> Option<Fact> {
        let seen_in = Some(self.id(ns)?);
        let on_it = |f: &model::NsFile| f.path == path && f.seen_in == seen_in;
        let found = self.spaces.values().find(|n| n.files.iter().any(on_it))?;
        let target = self.name(found.id)?.to_owned();
        Some(Fact::NsFile { ns: ns.to_owned(), path: path.to_owned(), target })
    }

    /// What a vxlan was told by hand of where to send to; its default remote is among its options.
    fn remotes(&self, name: &LinkRef, index: u32, vxlan: &Vxlan) -> Vec<(Mac, IpAddr)> {
        let Some(space) = self.space(&name.ns) else { return Vec::new() };
        let own = space.fdb.iter().filter(|e| e.link == index && e.own && e.is_static);
        let all = own.filter_map(|e| Some((e.mac, e.remote?.ip)));
        let default = vxlan.remote.map(|ip| (Mac::default(), ip));
        all.filter(|entry| Some(*entry) != default).collect()
    }

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

    fn cable(&self, cable: &CableSpec) -> Option<CableSpec> {
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

    fn master(&self, name: &LinkRef) -> Option<Fact> {
        let link = self.link(name)?;
        let bridge = self.space(&name.ns)?.links.get(&link.master?)?.name.clone();
        let port = link.port.as_ref().map_or_else(PortSpec::default, PortSpec::of);
        Some(Fact::Master { link: name.clone(), bridge: Some(bridge), port })
    }

    fn address(&self, spec: &AddressSpec) -> Option<AddressSpec> {
        let link = self.link(&spec.link)?;
        let mut addresses = self.space(&spec.link.ns)?.addresses_of(link.index);
        let found = addresses.find(|a| a.net == spec.net)?;
        Some(AddressSpec {
            link: spec.link.clone(),
            net: found.net,
            broadcast: found.broadcast,
            scope: found.scope,
            // A Snapshot does not show the flag.
            no_prefix_route: spec.no_prefix_route,
        })
    }

    fn route(&self, spec: &RouteSpec) -> Option<RouteSpec> {
        let space = self.space(&spec.ns)?;
        let same = |r: &&Route| {
            r.dst == spec.dst
                && r.table == spec.table
                && metric(r.dst, r.metric) == metric(spec.dst, spec.metric)
                && r.tos == spec.tos
        };
        let specs = space.routes.iter().filter(same).map(|r| {
            let (hop, more) = match r.nexthops.split_first() {
                Some((hop, more)) => (Some(hop), more),
                None => (None, [].as_slice()),
            };
            let dev = |h: &model::Nexthop| space.links.get(&h.link).map(|l| l.name.clone());
            RouteSpec {
                ns: spec.ns.clone(),
                dst: r.dst,
                via: hop.and_then(|h| h.gateway),
                dev: hop.and_then(dev),
                src: r.prefsrc,
                metric: r.metric,
                table: r.table,
                protocol: r.protocol,
                scope: r.scope,
                onlink: hop.is_some_and(|h| h.onlink),
                kind: r.kind,
                tos: r.tos,
                mtu: r.mtu,
                weight: hop.map_or(1, |h| h.weight),
                more: more
                    .iter()
                    .map(|h| HopSpec { via: h.gateway, dev: dev(h), weight: h.weight })
                    .collect(),
            }
        });
        let specs: Vec<RouteSpec> = specs.collect();
        let equal = specs.iter().position(|s| crate::same::routes(spec, s));
        specs.into_iter().nth(equal.unwrap_or(0))
    }

    /// A usable entry; its address only if it is permanent, as one that was asked for may change.
    fn neighbour(&self, name: &LinkRef, ip: IpAddr) -> Option<Fact> {
        let link = self.link(name)?;
        let found = self
            .space(&name.ns)?
            .neighbours
            .iter()
            .find(|n| n.link == link.index && n.ip == ip && !n.proxy && n.state.is_valid())?;
        let permanent = found.state == NeighbourState::Permanent;
        let mac = found.mac.filter(|_| permanent);
        Some(Fact::Neighbour { link: name.clone(), ip, mac })
    }
}

/// Everything of a link that can be fixed.
pub(crate) fn pins(link: &Link) -> Pins {
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

/// What tc does, with other links by name; those that are gone have none. Handles are the kernel's.
fn named(tc: &Tc, space: &Namespace) -> Option<Tc<String>> {
    let name =
        |index: &u32| Some(space.links.get(index).map(|l| l.name.clone()).unwrap_or_default());
    let mut named = tc.renamed(name)?;
    named.ingress.iter_mut().chain(&mut named.egress).for_each(|filter| filter.handle = 0);
    Some(named)
}
