//! What the kernel makes of a change, as far as a plan depends on it.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{
    Address, AddressFlags, AddressSpec, Bridge, BridgeSpec, BridgeVlan, CableSpec, Change, Fact,
    FdbEntry, Group, Link, LinkFlags, LinkId, LinkKind, LinkRef, LinkSpec, LinkSpecKind, Mac,
    Macvlan, MdbEntry, Member, Name, NameSource, Namespace, NamespaceSpec, Neighbour,
    NeighbourState, Nexthop, NicSpec, NsFile, NsId, OperState, Pins, PortFlags, Preference,
    Protocol, Relation, Remote, Route, RouteKind, RouteSpec, Rule, Scope, TABLE_LOCAL, TABLE_MAIN,
    Tap, VxlanSpec, WireguardSpec,
};

use crate::State;
use crate::key::metric;

impl State {
    /// Foresees a change.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Make(fact) => self.set(fact),
            Change::Alter { from, to } => {
                if let (Fact::Route(_) | Fact::Address(_), _) = (&**from, to) {
                    self.unset(from);
                }
                self.set(to);
            }
            Change::Remove(fact) => self.unset(fact),
        }
    }

    fn set(&mut self, fact: &Fact) {
        match fact {
            Fact::Namespace(spec) => self.make_space(spec),
            Fact::Nsid { ns, nsid, target } => {
                if let (Some(target), Some(space)) = (self.id(target), self.space_mut(ns)) {
                    space.nsids.insert(*nsid, target);
                }
            }
            Fact::NsFile { ns, path, target } => {
                let file = NsFile { path: path.clone(), seen_in: self.id(ns) };
                if let Some(space) = self.space_mut(target) {
                    space.files.push(file);
                }
            }
            Fact::Link(spec) => self.set_link(spec),
            Fact::Cable(cable) => self.set_cable(cable),
            Fact::Master { link, bridge, flags } => self.set_master(link, bridge.as_deref(), flags),
            Fact::PortState { link, state } => {
                if let Some(port) = self.link_mut(link).and_then(|l| l.port.as_mut()) {
                    port.state = *state;
                }
            }
            Fact::Up { link, up } => self.set_up(link, *up),
            Fact::Mtu { link, mtu } => {
                if let Some(link) = self.link_mut(link) {
                    link.mtu = *mtu;
                }
            }
            Fact::Address(spec) => self.add_address(spec),
            Fact::Route(spec) => self.add_route(spec),
            Fact::Rule { ns, rule } => {
                self.drop_rule(ns, rule);
                if let Some(space) = self.space_mut(ns) {
                    space.rules.push(rule.clone());
                    space.rules.sort_by_key(|r| (r.ipv6, r.priority));
                }
            }
            Fact::Neighbour { link, ip, mac } => self.add_neighbour(link, *ip, *mac),
            Fact::Proxy { link, ip } => {
                if let Some(id) = self.link_id(link)
                    && let Some(space) = self.spaces.get_mut(&id.ns)
                {
                    let state = NeighbourState::None;
                    let (link, ip) = (id.index, *ip);
                    space.neighbours.push(Neighbour { link, ip, mac: None, state, proxy: true });
                }
            }
            Fact::Fdb { link, mac } => {
                let master = self.link(link).and_then(|l| l.master);
                if let Some(id) = self.link_id(link)
                    && let Some(space) = self.spaces.get_mut(&id.ns)
                {
                    space.fdb.push(static_entry(id.index, master, *mac));
                }
            }
            Fact::Vlan { link, id, pvid, untagged } => {
                if let Some(of) = self.link_id(link)
                    && let Some(space) = self.spaces.get_mut(&of.ns)
                {
                    let (link, id, pvid, untagged) = (of.index, *id, *pvid, *untagged);
                    space.vlans.retain(|v| (v.link, v.id) != (link, id));
                    space.vlans.push(BridgeVlan { link, id, pvid, untagged });
                }
            }
            Fact::Mdb { link, group } => self.want(link, *group),
            Fact::Sysctl { ns, key, value } => {
                self.known.sysctls.insert((ns.clone(), key.clone()), value.clone());
            }
            Fact::IpSet { ns, set } => {
                if let Some(space) = self.space_mut(ns) {
                    space.ipsets.retain(|s| s.name != set.name);
                    space.ipsets.push(set.as_ref().clone());
                }
            }
            Fact::Table { ns, table } => {
                if let Some(space) = self.space_mut(ns) {
                    let same = |t: &model::Table| t.family == table.family && t.name == table.name;
                    space.ruleset.tables.retain(|t| !same(t));
                    space.ruleset.tables.push(table.clone());
                }
            }
            Fact::Service { ns, spec } => {
                self.known.services.insert(ns.clone(), spec.clone());
            }
        }
    }

    fn unset(&mut self, fact: &Fact) {
        match fact {
            Fact::Namespace(spec) => {
                if let Some(id) = self.id(&spec.name) {
                    self.end_space(id);
                }
            }
            Fact::NsFile { ns, path, .. } => {
                let seen_in = self.id(ns);
                for space in self.spaces.values_mut() {
                    space.files.retain(|f| f.path != *path || f.seen_in != seen_in);
                }
            }
            Fact::Link(spec) => {
                if let Some(id) = self.link_id(&spec.link) {
                    self.end_link(id);
                }
            }
            Fact::Cable(cable) => {
                self.known.cables.remove(&crate::known::ends(cable));
                for nic in std::iter::once(&cable.a).chain(&cable.b) {
                    if let Some(id) = self.link_id(&nic.link) {
                        self.end_link(id);
                    }
                }
            }
            Fact::Master { link, .. } => self.set_master(link, None, &PortFlags::default()),
            Fact::Up { link, .. } => self.set_up(link, false),
            Fact::Address(spec) => self.drop_address(spec),
            Fact::Route(spec) => self.drop_route(spec),
            Fact::Rule { ns, rule } => self.drop_rule(ns, rule),
            Fact::Neighbour { link, ip, .. } => {
                if let Some(id) = self.link_id(link)
                    && let Some(space) = self.spaces.get_mut(&id.ns)
                {
                    space.neighbours.retain(|n| n.link != id.index || n.ip != *ip);
                }
            }
            Fact::Proxy { link, ip } => {
                if let Some(id) = self.link_id(link)
                    && let Some(space) = self.spaces.get_mut(&id.ns)
                {
                    space.neighbours.retain(|n| !(n.proxy && n.link == id.index && n.ip == *ip));
                }
            }
            Fact::Fdb { link, mac } => {
                if let Some(id) = self.link_id(link)
                    && let Some(space) = self.spaces.get_mut(&id.ns)
                {
                    space.fdb.retain(|e| e.link != id.index || e.mac != *mac);
                }
            }
            Fact::Vlan { link, id, .. } => {
                if let Some(of) = self.link_id(link)
                    && let Some(space) = self.spaces.get_mut(&of.ns)
                {
                    space.vlans.retain(|v| (v.link, v.id) != (of.index, *id));
                }
            }
            Fact::Mdb { link, group } => {
                if let Some(id) = self.link_id(link)
                    && let Some(space) = self.spaces.get_mut(&id.ns)
                {
                    let group = Group::Ip(*group);
                    space.mdb.retain(|e| (e.port, e.group) != (id.index, group));
                }
            }
            Fact::Sysctl { ns, key, .. } => {
                self.known.sysctls.remove(&(ns.clone(), key.clone()));
            }
            Fact::IpSet { ns, set } => {
                if let Some(space) = self.space_mut(ns) {
                    space.ipsets.retain(|s| s.name != set.name);
                }
            }
            Fact::Table { ns, table } => {
                if let Some(space) = self.space_mut(ns) {
                    let same = |t: &model::Table| t.family == table.family && t.name == table.name;
                    space.ruleset.tables.retain(|t| !same(t));
                }
            }
            Fact::Service { ns, .. } => {
                self.known.services.remove(ns);
            }
            Fact::Nsid { .. } | Fact::Mtu { .. } | Fact::PortState { .. } => {}
        }
    }

    fn make_space(&mut self, spec: &NamespaceSpec) {
        let id = self.next_id();
        let mut space = Namespace::new(id);
        space.names.push(Name { text: spec.name.clone(), source: NameSource::File });
        space.parent = spec.inside.as_ref().and_then(|p| self.id(p));
        space.owner.unprivileged = spec.user.is_some();
        let mut lo = link(1, "lo", LinkKind::Loopback, &Pins::default());
        lo.mtu = 65536;
        space.links.insert(1, lo);
        self.indexes.insert(id, [("lo".to_owned(), 1)].into());
        self.names.insert(id, spec.name.clone());
        self.spaces.insert(id, space);
        self.known.namespaces.insert(spec.name.clone(), id);
    }

    /// A namespace ends with all inside of it, their links, and the other ends of those.
    fn end_space(&mut self, id: NsId) {
        let inner: Vec<NsId> =
            self.spaces.values().filter(|n| n.parent == Some(id)).map(|n| n.id).collect();
        for inner in inner {
            self.end_space(inner);
        }
        let name = self.name(id).map(str::to_owned).unwrap_or_default();
        let cables: Vec<_> =
            self.known.cables.iter().filter(|(a, _)| a.ns == name).cloned().collect();
        for (a, b) in cables {
            self.known.cables.remove(&(a, b.clone()));
            if let Some(id) = b.and_then(|b| self.link_id(&b)) {
                self.end_link(id);
            }
        }
        let links: Vec<u32> =
            self.spaces.get(&id).map(|n| n.links.keys().copied().collect()).unwrap_or_default();
        for index in links {
            self.end_link(LinkId { ns: id, index });
        }
        self.spaces.remove(&id);
        self.names.remove(&id);
        self.indexes.remove(&id);
        for space in self.spaces.values_mut() {
            space.nsids.retain(|_, target| *target != id);
            space.files.retain(|f| f.seen_in != Some(id));
        }
        self.known.namespaces.retain(|_, i| *i != id);
        self.known.services.remove(&name);
        self.known.sysctls.retain(|(ns, _), _| *ns != name);
    }

    /// A link ends, with its peer and what stands on it.
    fn end_link(&mut self, id: LinkId) {
        let Some(space) = self.spaces.get_mut(&id.ns) else { return };
        let Some(gone) = space.links.remove(&id.index) else { return };
        if let Some(indexes) = self.indexes.get_mut(&id.ns) {
            indexes.remove(&gone.name);
        }
        space.addresses.retain(|a| a.link != id.index);
        space.neighbours.retain(|n| n.link != id.index);
        space.routes.retain(|r| !r.nexthops.iter().any(|h| h.link == id.index));
        for port in space.links.values_mut().filter(|l| l.master == Some(id.index)) {
            (port.master, port.port) = (None, None);
        }
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

    fn set_link(&mut self, spec: &LinkSpec) {
        if self.link(&spec.link).is_some() {
            return self.change_link(spec);
        }
        match &spec.kind {
            LinkSpecKind::Veth(end) => {
                let near = self.add_link(&spec.link, LinkKind::Veth, &spec.pins);
                let far = self.add_link(&end.link, LinkKind::Veth, &end.pins);
                if let (Some(near), Some(far)) = (near, far) {
                    self.relate(near, Relation::Peer(far));
                    self.relate(far, Relation::Peer(near));
                }
            }
            LinkSpecKind::Bridge(bridge) => {
                self.add_link(&spec.link, LinkKind::Bridge(new_bridge(*bridge)), &spec.pins);
            }
            LinkSpecKind::Tap => {
                self.add_link(&spec.link, LinkKind::Tap(Tap::default()), &spec.pins);
            }
            LinkSpecKind::Macvlan { lower, mode, sources } => {
                let (mode, sources) = (*mode, sources.clone());
                let kind = LinkKind::Macvlan(Macvlan { mode, sources, ..Macvlan::default() });
                self.add_upper(&spec.link, kind, &spec.pins, Some(lower));
            }
            LinkSpecKind::Vlan { lower, vlan } => {
                self.add_upper(&spec.link, LinkKind::Vlan(*vlan), &spec.pins, Some(lower));
            }
            LinkSpecKind::Ipvlan { lower, ipvlan } => {
                self.add_upper(&spec.link, LinkKind::Ipvlan(*ipvlan), &spec.pins, Some(lower));
            }
            LinkSpecKind::Vrf(vrf) => {
                self.add_link(&spec.link, LinkKind::Vrf(*vrf), &spec.pins);
            }
            LinkSpecKind::Dummy => {
                self.add_link(&spec.link, LinkKind::Other("dummy".to_owned()), &spec.pins);
            }
            LinkSpecKind::Vxlan(vxlan) => {
                let kind = LinkKind::Vxlan(vxlan.vxlan.clone());
                let lower = vxlan.lower.as_ref().map(|l| LinkRef::new(&spec.link.ns, l));
                self.add_upper(&spec.link, kind, &spec.pins, lower.as_ref());
                self.add_remotes(&spec.link, vxlan);
            }
            LinkSpecKind::Wireguard(own) => {
                self.add_link(&spec.link, LinkKind::Wireguard(None), &spec.pins);
                self.set_wireguard(&spec.link, own);
            }
        }
    }

    fn set_wireguard(&mut self, name: &LinkRef, spec: &WireguardSpec) {
        if let Some(link) = self.link_mut(name) {
            link.kind = LinkKind::Wireguard(Some(Box::new(spec.seen())));
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

    fn add_upper(&mut self, name: &LinkRef, kind: LinkKind, pins: &Pins, lower: Option<&LinkRef>) {
        let lower = lower.and_then(|l| self.link_id(l));
        if let (Some(id), Some(lower)) = (self.add_link(name, kind, pins), lower) {
            self.relate(id, Relation::Lower(lower));
        }
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
                    change_bridge(b, *bridge);
                }
            }
            LinkSpecKind::Macvlan { mode, .. } => {
                if let Some(Link { kind: LinkKind::Macvlan(m), .. }) = self.link_mut(&spec.link) {
                    m.mode = *mode;
                }
            }
            LinkSpecKind::Wireguard(own) => self.set_wireguard(&spec.link, own),
            LinkSpecKind::Tap
            | LinkSpecKind::Dummy
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
        link.altnames.clone_from(&pins.altnames);
    }

    fn set_cable(&mut self, cable: &CableSpec) {
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

    fn set_master(&mut self, name: &LinkRef, bridge: Option<&str>, flags: &PortFlags) {
        let bridge = bridge.map(|b| LinkRef::new(&name.ns, b));
        let found = bridge.and_then(|b| self.link(&b));
        let table = found.and_then(|b| b.kind.vrf_table());
        let bridge = found.map(|b| b.index);
        let Some(link) = self.link_mut(name) else { return };
        let same = link.master == bridge;
        let old = link.port.take().filter(|_| same).unwrap_or_default();
        link.master = bridge;
        let mut port = old;
        flags.said().for_each(|(flag, on)| *flag.of_mut(&mut port) = on);
        link.member = table.map(|table| Member::Vrf { table });
        link.port = bridge.filter(|_| table.is_none()).map(|_| port);
    }

    /// Down, a link loses its routes and neighbours; up, the kernel makes those of its subnets.
    fn set_up(&mut self, name: &LinkRef, up: bool) {
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

    fn add_address(&mut self, spec: &AddressSpec) {
        let Some(id) = self.link_id(&spec.link) else { return };
        let Some(space) = self.spaces.get_mut(&id.ns) else { return };
        let address = Address {
            link: id.index,
            net: spec.net,
            peer: None,
            broadcast: spec.broadcast,
            scope: spec.scope,
            secondary: false,
            flags: AddressFlags::empty(),
            label: None,
        };
        if space.links.get(&id.index).is_some_and(Link::is_up) && !spec.no_prefix_route {
            add_subnet(space, &address);
        }
        space.addresses.push(address);
    }

    /// With its last IPv4 address a link loses all its IPv4 routes and neighbours; routes with that
    /// source go too.
    fn drop_address(&mut self, spec: &AddressSpec) {
        let Some(id) = self.link_id(&spec.link) else { return };
        let Some(space) = self.spaces.get_mut(&id.ns) else { return };
        space.addresses.retain(|a| a.link != id.index || a.net != spec.net);
        let ip = spec.net.addr();
        let last = spec.net.addr().is_ipv4()
            && !space.addresses_of(id.index).any(|a| a.net.addr().is_ipv4());
        if last {
            space.neighbours.retain(|n| n.link != id.index || n.ip.is_ipv6());
        }
        space.routes.retain(|r| {
            let through = r.nexthops.iter().any(|h| h.link == id.index);
            let v4 = matches!(r.dst, IpNet::V4(_));
            r.prefsrc != Some(ip) && !(last && v4 && through)
        });
    }

    fn add_route(&mut self, spec: &RouteSpec) {
        let first = (spec.via, spec.dev.as_ref(), spec.weight);
        let more = spec.more.iter().map(|hop| (hop.via, hop.dev.as_ref(), hop.weight));
        let hop = |(gateway, dev, weight): (Option<IpAddr>, Option<&String>, u16)| {
            let link = self.link(&LinkRef::new(&spec.ns, dev?))?.index;
            let onlink = spec.onlink;
            Some(Nexthop { gateway, link, weight, onlink, dead: false, linkdown: false })
        };
        let hops = std::iter::once(first).chain(more).filter_map(hop).collect();
        let Some(space) = self.space_mut(&spec.ns) else { return };
        space.routes.push(Route {
            table: spec.table,
            dst: spec.dst,
            kind: spec.kind,
            protocol: spec.protocol,
            scope: spec.scope,
            prefsrc: spec.src,
            metric: metric(spec.dst, spec.metric),
            tos: spec.tos,
            nexthops: hops,
            mtu: spec.mtu,
            nexthop_id: None,
            preference: Preference::Medium,
        });
    }

    fn drop_rule(&mut self, ns: &str, rule: &Rule) {
        if let Some(space) = self.space_mut(ns) {
            space.rules.retain(|r| (r.ipv6, r.priority) != (rule.ipv6, rule.priority));
        }
    }

    fn drop_route(&mut self, spec: &RouteSpec) {
        let dev = spec.dev.as_ref().map(|dev| LinkRef::new(&spec.ns, dev));
        let link = dev.and_then(|dev| self.link(&dev)).map(|l| l.index);
        let Some(space) = self.space_mut(&spec.ns) else { return };
        let number = metric(spec.dst, spec.metric);
        let same = |r: &Route| {
            r.dst == spec.dst
                && r.table == spec.table
                && metric(r.dst, r.metric) == number
                && r.tos == spec.tos
                && (link.is_none() || r.nexthops.iter().any(|h| Some(h.link) == link))
        };
        if let Some(at) = space.routes.iter().position(same) {
            space.routes.remove(at);
        }
    }

    fn add_neighbour(&mut self, name: &LinkRef, ip: IpAddr, mac: Option<Mac>) {
        let Some(id) = self.link_id(name) else { return };
        let Some(space) = self.spaces.get_mut(&id.ns) else { return };
        space.neighbours.retain(|n| n.link != id.index || n.ip != ip);
        let state =
            if mac.is_some() { NeighbourState::Permanent } else { NeighbourState::Reachable };
        space.neighbours.push(Neighbour { link: id.index, ip, mac, state, proxy: false });
    }
}

/// The kernel's own route to an address's subnet.
fn add_subnet(space: &mut Namespace, address: &Address) {
    let dst = address.net.trunc();
    if dst.prefix_len() == dst.max_prefix_len() || address.scope == Scope::Host {
        return;
    }
    let v6 = matches!(dst, IpNet::V6(_));
    let link = space.links.get(&address.link);
    let table = link.and_then(|link| match link.member {
        Some(Member::Vrf { table }) => Some(table),
        _ => link.kind.vrf_table(),
    });
    space.routes.push(Route {
        table: table.unwrap_or(TABLE_MAIN),
        dst,
        kind: RouteKind::Unicast,
        protocol: Protocol::Kernel,
        scope: if v6 { Scope::Global } else { Scope::Link },
        prefsrc: (!v6).then(|| address.ip()),
        metric: if v6 { 256 } else { 0 },
        tos: 0,
        nexthops: vec![Nexthop {
            gateway: None,
            link: address.link,
            weight: 1,
            onlink: false,
            dead: false,
            linkdown: false,
        }],
        mtu: None,
        nexthop_id: None,
        preference: Preference::Medium,
    });
}

impl State {
    /// A group is wanted behind a port, or by a bridge's own host.
    fn want(&mut self, link: &LinkRef, group: IpAddr) {
        let master = self.link(link).and_then(|l| l.master);
        let Some(id) = self.link_id(link) else { return };
        let Some(space) = self.spaces.get_mut(&id.ns) else { return };
        space.mdb.push(MdbEntry {
            bridge: master.unwrap_or(id.index),
            port: id.index,
            group: Group::Ip(group),
            source: None,
            vlan: 0,
            permanent: master.is_some(),
        });
    }
}

/// What a person says of a bridge's table.
fn static_entry(link: u32, master: Option<u32>, mac: Mac) -> FdbEntry {
    FdbEntry {
        link,
        master,
        mac,
        vlan: None,
        local: false,
        is_static: true,
        own: false,
        locked: false,
        age: None,
        remote: None,
    }
}

fn new_bridge(spec: BridgeSpec) -> Bridge {
    let mut bridge = Bridge::default();
    change_bridge(&mut bridge, spec);
    bridge
}

fn change_bridge(bridge: &mut Bridge, spec: BridgeSpec) {
    spec.said().for_each(|(option, value)| option.give(bridge, value));
}

fn link(index: u32, name: &str, kind: LinkKind, pins: &Pins) -> Link {
    Link {
        index,
        name: name.to_owned(),
        altnames: pins.altnames.clone(),
        alias: None,
        mac: pins.mac,
        mtu: pins.mtu.unwrap_or(1500),
        flags: LinkFlags::BROADCAST | LinkFlags::MULTICAST,
        promiscuous: false,
        state: OperState::Down,
        txqlen: pins.txqlen.unwrap_or(1000),
        qdisc: "noop".to_owned(),
        master: None,
        port: None,
        member: None,
        kind,
        relation: Relation::None,
        inet: None,
        inet6: None,
        xdp: false,
        tc: false,
    }
}
