//! The questions. Each is a dump request unless it says otherwise.

use netlink_packet_core::DefaultNla;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use netlink_packet_route::neighbour::NeighbourMessage;
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::rule::RuleMessage;
use netlink_packet_route::tc::{TcAttribute, TcMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::filter::{BLOCK, EGRESS, INGRESS, tangles};
use super::{Qdisc, filter, messages};

const IFLA_EXT_MASK: u16 = 29;
const IFLA_TARGET_NETNSID: u16 = 46;
const IFA_TARGET_NETNSID: u16 = 10;
/// Counters are most of a link's message, and nobody here reads them.
const RTEXT_FILTER_SKIP_STATS: u32 = 8;
const RTEXT_FILTER_BRVLAN_COMPRESSED: u32 = 4;
const NTF_PROXY: u8 = 8;

/// The links of the namespace that the asker numbers so; None: of its own.
///
/// Where a link's peer has no number in the **asker's** namespace, the kernel allots one there.
#[must_use]
pub fn get_links(nsid: Option<u32>) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    let mask = DefaultNla::new(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS.to_ne_bytes().to_vec());
    message.attributes.push(LinkAttribute::Other(mask));
    if let Some(nsid) = nsid {
        let target = DefaultNla::new(IFLA_TARGET_NETNSID, nsid.to_ne_bytes().to_vec());
        message.attributes.push(LinkAttribute::Other(target));
    }
    RouteNetlinkMessage::GetLink(message)
}

/// One link of the namespace that the asker numbers so; None: of its own. A get, not a dump.
#[must_use]
pub fn get_link(nsid: Option<u32>, index: u32) -> RouteNetlinkMessage {
    let mut message = get_links(nsid);
    if let RouteNetlinkMessage::GetLink(link) = &mut message {
        link.header.index = index;
    }
    message
}

/// The addresses of the namespace that the asker numbers so; None: of its own. The socket must
/// check strictly, else the number is ignored and the asker's own addresses come back.
///
/// One family at a time, as with routes: asked for both at once, the kernel holds up everybody who
/// changes anything about any network.
#[must_use]
pub fn get_addresses(nsid: Option<u32>, ipv6: bool) -> RouteNetlinkMessage {
    let mut message = AddressMessage::default();
    message.header.family = family(ipv6);
    if let Some(nsid) = nsid {
        let target = DefaultNla::new(IFA_TARGET_NETNSID, nsid.to_ne_bytes().to_vec());
        message.attributes.push(AddressAttribute::Other(target));
    }
    RouteNetlinkMessage::GetAddress(message)
}

/// The routes of all tables.
#[must_use]
pub fn get_routes(ipv6: bool) -> RouteNetlinkMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = family(ipv6);
    RouteNetlinkMessage::GetRoute(message)
}

fn family(ipv6: bool) -> AddressFamily {
    if ipv6 { AddressFamily::Inet6 } else { AddressFamily::Inet }
}

/// The routing rules of both families.
#[must_use]
pub fn get_rules() -> RouteNetlinkMessage {
    RouteNetlinkMessage::GetRule(RuleMessage::default())
}

/// The neighbours of both families; with `proxy`, those that this host answers for instead.
#[must_use]
pub fn get_neighbours(proxy: bool) -> RouteNetlinkMessage {
    let mut message = NeighbourMessage::default();
    if proxy {
        message.header.flags =
            netlink_packet_route::neighbour::NeighbourFlags::from_bits_retain(NTF_PROXY);
    }
    RouteNetlinkMessage::GetNeighbour(message)
}

/// The forwarding databases.
#[must_use]
pub fn get_fdb() -> RouteNetlinkMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Bridge;
    RouteNetlinkMessage::GetNeighbour(message)
}

/// The VLANs of all bridges and their ports; those that follow each other in one entry.
#[must_use]
pub fn get_bridge_vlans() -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header.interface_family = AddressFamily::Bridge;
    let mask = RTEXT_FILTER_BRVLAN_COMPRESSED.to_ne_bytes().to_vec();
    message.attributes.push(LinkAttribute::Other(DefaultNla::new(IFLA_EXT_MASK, mask)));
    RouteNetlinkMessage::GetLink(message)
}

/// The body of an RTM_GETMDB: which multicasts all bridges hand to whom.
#[must_use]
pub fn get_mdb() -> Vec<u8> {
    // struct br_port_msg
    vec![AF_BRIDGE, 0, 0, 0, 0, 0, 0, 0]
}

/// Asks for [`get_mdb`].
pub const RTM_GETMDB: u16 = 86;
const AF_BRIDGE: u8 = 7;

/// The body of an RTM_GETADDRLABEL: by which labels IPv6 chooses a source.
#[must_use]
pub fn get_address_labels() -> Vec<u8> {
    // struct ifaddrlblmsg
    let mut body = vec![0; 12];
    body[0] = AF_INET6;
    body
}

/// Asks for [`get_address_labels`].
pub const RTM_GETADDRLABEL: u16 = 74;
const AF_INET6: u8 = 10;

/// The queueing disciplines.
#[must_use]
pub fn get_qdiscs() -> RouteNetlinkMessage {
    RouteNetlinkMessage::GetQueueDiscipline(TcMessage::default())
}

/// The filters of the places for them that are among these qdiscs: a request for each place.
#[must_use]
pub fn get_filters(qdiscs: &[Qdisc]) -> Vec<RouteNetlinkMessage> {
    let mut places = Vec::new();
    for qdisc in qdiscs.iter().filter(|q| q.is_hook()) {
        let sides = [(INGRESS, qdisc.ingress_block), (EGRESS, qdisc.egress_block)];
        // An `ingress` qdisc has only the one.
        let sides = sides.into_iter().take(if qdisc.kind == "clsact" { 2 } else { 1 });
        for (side, block) in sides {
            let place = block.map_or((qdisc.link, side), |block| (BLOCK, block));
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    let request = |(link, parent): (u32, u32)| {
        let mut message = TcMessage::default();
        message.header.index = link.cast_signed();
        message.header.parent = parent.into();
        RouteNetlinkMessage::GetTrafficFilter(message)
    };
    places.into_iter().map(request).collect()
}

/// Which hash table filters of `u32` begin in, where these replies to [`get_filters`] tell of several: a
/// request for each, to be sent as a get, not a dump.
#[must_use]
pub fn get_roots(filters: &[u8]) -> Vec<RouteNetlinkMessage> {
    /// TC_U32_ROOT.
    const ROOT: u32 = 0xfff0_0000;
    let rows: Vec<_> = messages(filters).filter_map(|m| filter(&m)).collect();
    let request = |(link, parent, chain, info): (u32, u32, u32, u32)| {
        let mut message = TcMessage::default();
        message.header.index = link.cast_signed();
        message.header.parent = parent.into();
        message.header.handle = ROOT.into();
        message.header.info = info;
        message.attributes = vec![TcAttribute::Kind("u32".to_owned()), TcAttribute::Chain(chain)];
        RouteNetlinkMessage::GetTrafficFilter(message)
    };
    tangles(&rows).into_iter().map(request).collect()
}

/// The table of nsids of the namespace that the asker numbers so; None: its own. Each row also
/// has the asker's number, where it has one. Asking never allots a number.
#[must_use]
pub fn get_nsids(nsid: Option<u32>) -> RouteNetlinkMessage {
    let mut message = NsidMessage::default();
    message.attributes.extend(nsid.map(target));
    RouteNetlinkMessage::GetNsId(message)
}

/// One row of the table of `of`: for the namespace `about`. Both are the asker's numbers.
/// A get, not a dump; it never allots a number.
#[must_use]
pub fn get_nsid(of: u32, about: u32) -> RouteNetlinkMessage {
    let mut message = NsidMessage::default();
    message.attributes = vec![target(of), NsidAttribute::Id(about.cast_signed())];
    RouteNetlinkMessage::GetNsId(message)
}

/// The number that the asker has for the namespace behind an open file. A get, not a dump; it never
/// allots a number.
#[must_use]
pub fn get_nsid_of(fd: u32) -> RouteNetlinkMessage {
    let mut message = NsidMessage::default();
    message.attributes.push(NsidAttribute::Fd(fd));
    RouteNetlinkMessage::GetNsId(message)
}

/// Gives the namespace behind an open file the number `nsid` in the asker's table.
#[must_use]
pub fn new_nsid(fd: u32, nsid: u32) -> RouteNetlinkMessage {
    let mut message = NsidMessage::default();
    message.attributes = vec![NsidAttribute::Fd(fd), NsidAttribute::Id(nsid.cast_signed())];
    RouteNetlinkMessage::NewNsId(message)
}

fn target(nsid: u32) -> NsidAttribute {
    NsidAttribute::TargetNsid(nsid.cast_signed())
}
