//! rtnetlink requests that make what a [`Fact`](model::Fact) says. Pure: descriptors and ifindexes
//! are numbers that the caller looked up.

mod address_label;
mod bridge_vlan;
mod link;
mod mdb;
mod rule;
mod tc;
mod wireguard;

pub use bridge_vlan::{RTM_DELLINK, RTM_SETLINK, bridge_vlan};
pub use link::{
    Far, NewLink, Place, backup_port, bare_link, bond_port, link_flags, master, move_to, new_link,
    port_state, set_bond, set_bridge, set_link, set_macvlan,
};

pub use address_label::{RTM_DELADDRLABEL, RTM_NEWADDRLABEL, address_label};
pub use mdb::{RTM_DELMDB, RTM_NEWMDB, mdb};
pub use rule::rule;
pub use tc::{RTM_DELQDISC, RTM_NEWQDISC, RTM_NEWTFILTER, clsact, filter, no_queue, queue};
pub use wireguard::set_wireguard;

use std::net::IpAddr;

use ipnet::IpNet;

use model::{AddressSpec, Mac, RouteKind, RouteMetrics, RouteSpec, Scope};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteNextHop,
    RouteNextHopFlags, RouteVia,
};

const fn family(ip: IpAddr) -> AddressFamily {
    match ip {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

/// RTM_NEWADDR or RTM_DELADDR.
#[must_use]
pub fn address(spec: &AddressSpec, index: u32) -> AddressMessage {
    let ip = spec.net.addr();
    let mut message = AddressMessage::default();
    message.header.family = family(ip);
    message.header.prefix_len = spec.net.prefix_len();
    message.header.scope = u8::from(spec.scope).into();
    message.header.index = index;
    // Peer and own address are the same but on point-to-point links.
    message.attributes = vec![AddressAttribute::Local(ip), AddressAttribute::Address(ip)];
    if let Some(broadcast) = spec.broadcast {
        message.attributes.push(AddressAttribute::Broadcast(broadcast));
    }
    let mut flags = AddressFlags::empty();
    if spec.no_prefix_route {
        flags |= AddressFlags::Noprefixroute;
    }
    if ip.is_ipv6() {
        // A lab's addresses are its own: no need to wait for duplicate detection.
        flags |= AddressFlags::Nodad;
    }
    if !flags.is_empty() {
        message.attributes.push(AddressAttribute::Flags(flags));
    }
    message
}

/// RTM_NEWROUTE or RTM_DELROUTE. `oifs`: the link out, of a multipath route one for each way.
#[must_use]
pub fn route(spec: &RouteSpec, oifs: &[u32]) -> RouteMessage {
    let dst = spec.dst.addr();
    let mut message = RouteMessage::default();
    let header = &mut message.header;
    header.address_family = family(dst);
    header.destination_prefix_length = spec.dst.prefix_len();
    header.table = u8::try_from(spec.table).unwrap_or(0); // RT_TABLE_UNSPEC: see RTA_TABLE
    header.protocol = u8::from(spec.protocol).into();
    header.scope = u8::from(spec.scope).into();
    header.kind = kind_number(spec.kind).into();
    header.tos = spec.tos;
    if spec.onlink {
        header.flags |= RouteFlags::Onlink;
    }
    let attributes = &mut message.attributes;
    attributes.push(RouteAttribute::Table(spec.table));
    if spec.dst.prefix_len() > 0 {
        attributes.push(RouteAttribute::Destination(dst.into()));
    }
    if spec.more.is_empty() {
        attributes.extend(gateway(spec.dst, spec.via));
        attributes.extend(oifs.first().map(|oif| RouteAttribute::Oif(*oif)));
    } else {
        attributes.push(RouteAttribute::MultiPath(hops(spec, oifs)));
    }
    let metrics = metrics(&spec.metrics);
    attributes.extend((!metrics.is_empty()).then_some(RouteAttribute::Metrics(metrics)));
    attributes.extend(spec.src.map(|ip| RouteAttribute::PrefSource(RouteAddress::from(ip))));
    if spec.metric > 0 {
        attributes.push(RouteAttribute::Priority(spec.metric));
    }
    message
}

fn metrics(of: &RouteMetrics) -> Vec<RouteMetric> {
    const RTAX_MTU: u32 = 2;
    let lock = of.mtu_locked.then_some(RouteMetric::Lock(1 << RTAX_MTU));
    let hop_limit = of.hop_limit.map(|limit| RouteMetric::Hoplimit(limit.into()));
    let all = [lock, of.mtu.map(RouteMetric::Mtu), of.advmss.map(RouteMetric::Advmss), hop_limit];
    all.into_iter().flatten().collect()
}

/// RTA_GATEWAY; RTA_VIA where it is of the other family.
fn gateway(dst: IpNet, via: Option<IpAddr>) -> Option<RouteAttribute> {
    Some(match (dst, via?) {
        (IpNet::V4(_), IpAddr::V6(ip)) => RouteAttribute::Via(RouteVia::Inet6(ip)),
        (_, ip) => RouteAttribute::Gateway(RouteAddress::from(ip)),
    })
}

fn hops(spec: &RouteSpec, oifs: &[u32]) -> Vec<RouteNextHop> {
    let first = std::iter::once((spec.via, spec.weight));
    let all = first.chain(spec.more.iter().map(|hop| (hop.via, hop.weight)));
    all.zip(oifs)
        .map(|((via, weight), oif)| {
            let mut hop = RouteNextHop::default();
            hop.interface_index = *oif;
            hop.hops = u8::try_from(weight.saturating_sub(1)).unwrap_or(u8::MAX);
            if spec.onlink {
                hop.flags = RouteNextHopFlags::Onlink;
            }
            hop.attributes = gateway(spec.dst, via).into_iter().collect();
            hop
        })
        .collect()
}

/// RTN_*.
const fn kind_number(kind: RouteKind) -> u8 {
    match kind {
        RouteKind::Unicast => 1,
        RouteKind::Local => 2,
        RouteKind::Broadcast => 3,
        RouteKind::Multicast => 5,
        RouteKind::Blackhole => 6,
        RouteKind::Unreachable => 7,
        RouteKind::Prohibit => 8,
        RouteKind::Anycast => 4,
        RouteKind::Throw => 9,
        RouteKind::Other(n) => n,
    }
}

/// The scope that `ip route add` gives a route that names none: link without a gateway, else
/// global; host for a local one.
#[must_use]
pub const fn natural_scope(kind: RouteKind, has_gateway: bool) -> Scope {
    match kind {
        RouteKind::Local => Scope::Host,
        RouteKind::Unicast if has_gateway => Scope::Global,
        RouteKind::Unicast | RouteKind::Broadcast => Scope::Link,
        _ => Scope::Global,
    }
}

/// RTM_NEWNEIGH: permanent with `mac`, else a request to resolve it now (NTF_USE). RTM_DELNEIGH
/// takes the same message.
#[must_use]
pub fn neighbour(index: u32, ip: IpAddr, mac: Option<Mac>) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = family(ip);
    message.header.ifindex = index;
    let address = match ip {
        IpAddr::V4(ip) => NeighbourAddress::Inet(ip),
        IpAddr::V6(ip) => NeighbourAddress::Inet6(ip),
    };
    message.attributes = vec![NeighbourAttribute::Destination(address)];
    if let Some(Mac(bytes)) = mac {
        message.header.state = NeighbourState::Permanent;
        message.attributes.push(NeighbourAttribute::LinkLayerAddress(bytes.to_vec()));
    } else {
        message.header.flags = NeighbourFlags::Use;
    }
    message
}

/// RTM_NEWNEIGH, RTM_DELNEIGH (NTF_PROXY): this namespace answers for `ip` on that link, for good: what
/// is not goes when the link loses its carrier, and may be told of a loss long past (`neigh_carrier_down`).
#[must_use]
pub fn proxy(index: u32, ip: IpAddr) -> NeighbourMessage {
    let mut message = neighbour(index, ip, None);
    message.header.state = NeighbourState::Permanent;
    message.header.flags = NeighbourFlags::Proxy;
    message
}

/// RTM_NEWNEIGH, RTM_DELNEIGH (AF_BRIDGE): `mac` is behind that port, for good.
#[must_use]
pub fn fdb(port: u32, mac: Mac) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Bridge;
    message.header.ifindex = port;
    message.header.state = NeighbourState::Noarp;
    // NTF_MASTER.
    message.header.flags = NeighbourFlags::Controller;
    message.attributes = vec![NeighbourAttribute::LinkLayerAddress(mac.0.to_vec())];
    message
}

/// RTM_NEWNEIGH (AF_BRIDGE): a vxlan sends what is for `mac` to that VTEP.
#[must_use]
pub fn remote(index: u32, mac: Mac, ip: IpAddr) -> NeighbourMessage {
    let mut message = neighbour(index, ip, Some(mac));
    message.header.family = AddressFamily::Bridge;
    message.header.flags = NeighbourFlags::Own;
    message
}

/// RTM_NEWNSID: the namespace behind `fd` is to be known by `nsid` in the socket's namespace.
#[must_use]
pub fn nsid(nsid: u32, fd: i32) -> NsidMessage {
    let mut message = NsidMessage::default();
    message.attributes =
        vec![NsidAttribute::Id(nsid.cast_signed()), NsidAttribute::Fd(fd.cast_unsigned())];
    message
}
