//! RTM_NEWLINK of AF_BRIDGE → [`BridgeVlan`]; RTM_NEWMDB → [`MdbEntry`] and [`RouterPort`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{BridgeVlan, Group, Mac, MdbEntry, RouterPort};

use super::attr::{Attr, attrs, attrs_behind, find, u16_at, u32_at};
use super::link::{IFINFOMSG, RTM_NEWLINK};
use super::message::Message;

const AF_BRIDGE: u8 = 7;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_BRIDGE_VLAN_INFO: u16 = 2;
const BRIDGE_VLAN_INFO_PVID: u16 = 1 << 1;
const BRIDGE_VLAN_INFO_UNTAGGED: u16 = 1 << 2;
const BRIDGE_VLAN_INFO_RANGE_BEGIN: u16 = 1 << 3;
const BRIDGE_VLAN_INFO_RANGE_END: u16 = 1 << 4;

/// The VLANs of the port or bridge that a message tells of; None: it is no RTM_NEWLINK of AF_BRIDGE,
/// or cut short.
#[must_use]
pub fn bridge_vlans(message: &Message<'_>) -> Option<Vec<BridgeVlan>> {
    let body = message.body;
    if message.kind != RTM_NEWLINK || body.len() < IFINFOMSG || body.first() != Some(&AF_BRIDGE) {
        return None;
    }
    let link = u32_at(body, 4)?;
    let spec = attrs_behind(body, IFINFOMSG).find(|a| a.kind == IFLA_AF_SPEC);
    let mut all = Vec::new();
    let mut begun = None;
    for info in attrs(spec.map_or(&[][..], |a| a.value)) {
        let (IFLA_BRIDGE_VLAN_INFO, Some(flags), Some(id)) =
            (info.kind, u16_at(info.value, 0), u16_at(info.value, 2))
        else {
            continue;
        };
        if flags & BRIDGE_VLAN_INFO_RANGE_BEGIN != 0 {
            begun = Some(id);
            continue;
        }
        let end = flags & BRIDGE_VLAN_INFO_RANGE_END != 0;
        let first = begun.take().filter(|_| end).unwrap_or(id);
        all.extend((first..=id).map(|id| BridgeVlan {
            link,
            id,
            pvid: flags & BRIDGE_VLAN_INFO_PVID != 0,
            untagged: flags & BRIDGE_VLAN_INFO_UNTAGGED != 0,
        }));
    }
    Some(all)
}

const RTM_NEWMDB: u16 = 84;
/// What the kernel lists is of the kind of the question.
const RTM_GETMDB: u16 = 86;
/// Length of `struct br_port_msg`.
const BR_PORT_MSG: usize = 8;
const MDBA_MDB: u16 = 1;
const MDBA_MDB_ENTRY: u16 = 1;
const MDBA_MDB_ENTRY_INFO: u16 = 1;
const MDBA_MDB_EATTR_SOURCE: u16 = 4;
/// Length of `struct br_mdb_entry`.
const BR_MDB_ENTRY: usize = 28;
const MDB_PERMANENT: u8 = 1;
const MDBA_ROUTER: u16 = 2;
const MDBA_ROUTER_PORT: u16 = 1;
const MDBA_ROUTER_PATTR_INET_TIMER: u16 = 3;
const MDBA_ROUTER_PATTR_INET6_TIMER: u16 = 4;

/// What a message tells of a bridge's multicasts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mdb {
    /// Who wants which group.
    pub entries: Vec<MdbEntry>,
    /// Behind which ports routers are.
    pub routers: Vec<RouterPort>,
}

/// The multicasts of the bridge that a message tells of; None: it is none such, or cut short.
#[must_use]
pub fn mdb(message: &Message<'_>) -> Option<Mdb> {
    let body = message.body;
    if ![RTM_NEWMDB, RTM_GETMDB].contains(&message.kind) || body.len() < BR_PORT_MSG {
        return None;
    }
    let bridge = u32_at(body, 4)?;
    let mut told = Mdb::default();
    for attr in attrs_behind(body, BR_PORT_MSG) {
        match attr.kind {
            MDBA_MDB => {
                let entries = attr.nested().filter(|a| a.kind == MDBA_MDB_ENTRY);
                let infos = entries.flat_map(|e| attrs(e.value));
                let infos = infos.filter(|a| a.kind == MDBA_MDB_ENTRY_INFO);
                told.entries.extend(infos.filter_map(|info| entry(bridge, info)));
            }
            MDBA_ROUTER => {
                let ports = attr.nested().filter(|a| a.kind == MDBA_ROUTER_PORT);
                told.routers.extend(ports.filter_map(|port| router(bridge, port)));
            }
            _ => {}
        }
    }
    Some(told)
}

/// `struct br_mdb_entry`, and attributes behind it.
fn entry(bridge: u32, info: Attr<'_>) -> Option<MdbEntry> {
    let bytes = info.value.get(..BR_MDB_ENTRY)?;
    let source = find(info.value.get(BR_MDB_ENTRY..)?, MDBA_MDB_EATTR_SOURCE);
    Some(MdbEntry {
        bridge,
        port: u32_at(bytes, 0)?,
        group: group(bytes.get(8..24)?, bytes.get(24..26)?)?,
        source: source.and_then(Attr::ip),
        vlan: u16_at(bytes, 6)?,
        permanent: bytes[4] == MDB_PERMANENT,
    })
}

/// An address, and the EtherType of whose it is.
fn group(address: &[u8], protocol: &[u8]) -> Option<Group> {
    Some(match protocol {
        [0x08, 0x00] => {
            let bytes: [u8; 4] = address.get(..4)?.try_into().ok()?;
            Group::Ip(IpAddr::V4(Ipv4Addr::from(bytes)))
        }
        [0x86, 0xdd] => {
            let bytes: [u8; 16] = address.try_into().ok()?;
            Group::Ip(IpAddr::V6(Ipv6Addr::from(bytes)))
        }
        _ => Group::Mac(Mac::from_slice(address.get(..6)?)?),
    })
}

/// An ifindex, and attributes behind it. Kernels that do not tell IPv4 and IPv6 apart mean both.
fn router(bridge: u32, port: Attr<'_>) -> Option<RouterPort> {
    let more = port.value.get(4..)?;
    let has = |kind| find(more, kind).is_some();
    let (ipv4, ipv6) = (has(MDBA_ROUTER_PATTR_INET_TIMER), has(MDBA_ROUTER_PATTR_INET6_TIMER));
    let both = !ipv4 && !ipv6;
    Some(RouterPort {
        bridge,
        port: u32_at(port.value, 0)?,
        ipv4: ipv4 || both,
        ipv6: ipv6 || both,
    })
}
