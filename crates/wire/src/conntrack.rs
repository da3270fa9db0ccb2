//! Connection tracking: ctnetlink messages → [`Conntrack`].

use std::net::IpAddr;

use model::{Conntrack, ConntrackStatus, Tuple};

use crate::rtnl::Message;
use crate::rtnl::attr::{Attr, attrs_behind, find};

/// IPCTNL_MSG_CT_GET: with a dump, all connections of the socket's namespace.
pub const GET: u16 = SUBSYSTEM << 8 | 1;
/// IPCTNL_MSG_CT_GET_STATS: how many there are, without a walk through the whole machine's table.
pub const GET_STATS: u16 = SUBSYSTEM << 8 | 5;

/// NFNL_SUBSYS_CTNETLINK.
const SUBSYSTEM: u16 = 1;
const CT_NEW: u16 = SUBSYSTEM << 8;
/// Length of `struct nfgenmsg`.
const NFGENMSG: usize = 4;

const CTA_TUPLE_ORIG: u16 = 1;
const CTA_TUPLE_REPLY: u16 = 2;
const CTA_STATUS: u16 = 3;
const CTA_MARK: u16 = 8;
const CTA_ZONE: u16 = 18;
const CTA_STATS_GLOBAL_ENTRIES: u16 = 1;

const CTA_TUPLE_IP: u16 = 1;
const CTA_TUPLE_PROTO: u16 = 2;
const CTA_IP_V4_SRC: u16 = 1;
const CTA_IP_V4_DST: u16 = 2;
const CTA_IP_V6_SRC: u16 = 3;
const CTA_IP_V6_DST: u16 = 4;
const CTA_PROTO_NUM: u16 = 1;
const CTA_PROTO_SRC_PORT: u16 = 2;
const CTA_PROTO_DST_PORT: u16 = 3;
const CTA_PROTO_ICMP_ID: u16 = 4;
const CTA_PROTO_ICMPV6_ID: u16 = 7;

/// Body of [`GET`] and [`GET_STATS`]: both families.
#[must_use]
pub fn any_family() -> Vec<u8> {
    vec![0; NFGENMSG]
}

/// The connection that a message tells of; None: it is none, or cut short.
#[must_use]
pub fn conntrack(message: &Message<'_>) -> Option<Conntrack> {
    if message.kind != CT_NEW {
        return None;
    }
    let get = |kind| attrs_behind(message.body, NFGENMSG).find(|a| a.kind == kind);
    let number = |kind| get(kind).and_then(Attr::be32).unwrap_or_default();
    Some(Conntrack {
        original: tuple(get(CTA_TUPLE_ORIG)?)?,
        reply: tuple(get(CTA_TUPLE_REPLY)?)?,
        zone: get(CTA_ZONE).and_then(Attr::be16).unwrap_or_default(),
        mark: number(CTA_MARK),
        status: ConntrackStatus::from_bits_retain(number(CTA_STATUS)),
    })
}

/// The number of connections in the reply to [`GET_STATS`].
#[must_use]
pub fn count(message: &Message<'_>) -> Option<u32> {
    if message.kind != GET_STATS {
        return None;
    }
    attrs_behind(message.body, NFGENMSG).find(|a| a.kind == CTA_STATS_GLOBAL_ENTRIES)?.be32()
}

fn tuple(attr: Attr<'_>) -> Option<Tuple> {
    let ip = find(attr.value, CTA_TUPLE_IP)?.value;
    let proto = find(attr.value, CTA_TUPLE_PROTO)?.value;
    let either = |four, six| -> Option<IpAddr> {
        find(ip, four).or_else(|| find(ip, six)).and_then(Attr::ip)
    };
    let id = [CTA_PROTO_ICMP_ID, CTA_PROTO_ICMPV6_ID].into_iter().find_map(|k| find(proto, k));
    let port = |kind| find(proto, kind).or(id).and_then(Attr::be16).unwrap_or_default();
    Some(Tuple {
        src: either(CTA_IP_V4_SRC, CTA_IP_V6_SRC)?,
        dst: either(CTA_IP_V4_DST, CTA_IP_V6_DST)?,
        protocol: find(proto, CTA_PROTO_NUM)?.u8()?,
        sport: port(CTA_PROTO_SRC_PORT),
        dport: port(CTA_PROTO_DST_PORT),
    })
}
