//! Addresses, the routes that come with them, and other routes.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{
    Address, AddressFlags, AddressSpec, Link, LinkRef, Member, Namespace, Nexthop, Preference,
    Protocol, Route, RouteKind, RouteMetrics, RouteSpec, Scope, TABLE_MAIN,
};

use crate::State;
use crate::key::metric;

impl State {
    pub(super) fn add_address(&mut self, spec: &AddressSpec) {
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
    pub(super) fn drop_address(&mut self, spec: &AddressSpec) {
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

    pub(super) fn add_route(&mut self, spec: &RouteSpec) {
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
            metrics: spec.metrics,
            nexthop_id: None,
            preference: Preference::Medium,
        });
    }

    pub(super) fn drop_route(&mut self, spec: &RouteSpec) {
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
}

/// The kernel's own route to an address's subnet.
pub(super) fn add_subnet(space: &mut Namespace, address: &Address) {
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
        nexthops: vec![Nexthop::new(address.link, None)],
        metrics: RouteMetrics::default(),
        nexthop_id: None,
        preference: Preference::Medium,
    });
}
