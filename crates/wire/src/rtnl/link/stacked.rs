//! IFLA_INFO_DATA of links that stand on another.

use model::{Ipvlan, IpvlanFlag, IpvlanMode, Macvlan, MacvlanMode, Vlan};

use super::super::attr::{Attr, attrs, find};

const IFLA_MACVLAN_MODE: u16 = 1;
const IFLA_MACVLAN_FLAGS: u16 = 2;
const IFLA_MACVLAN_MACADDR: u16 = 4;
const IFLA_MACVLAN_MACADDR_DATA: u16 = 5;
const MACVLAN_FLAG_NODST: u16 = 2;

pub(super) fn macvlan(data: &[u8], tap: bool) -> Macvlan {
    let mode = match find(data, IFLA_MACVLAN_MODE).and_then(Attr::u32) {
        Some(1) => MacvlanMode::Private,
        Some(4) => MacvlanMode::Bridge,
        Some(8) => MacvlanMode::Passthru,
        Some(16) => MacvlanMode::Source,
        _ => MacvlanMode::Vepa,
    };
    let listed = find(data, IFLA_MACVLAN_MACADDR_DATA).map_or(&[][..], |list| list.value);
    let each = attrs(listed).filter(|a| a.kind == IFLA_MACVLAN_MACADDR);
    let flags = find(data, IFLA_MACVLAN_FLAGS).and_then(Attr::u16).unwrap_or_default();
    Macvlan {
        mode,
        sources: each.filter_map(Attr::mac).collect(),
        nodst: flags & MACVLAN_FLAG_NODST != 0,
        tap,
    }
}

const IFLA_IPVLAN_MODE: u16 = 1;
const IFLA_IPVLAN_FLAGS: u16 = 2;

pub(super) fn ipvlan(data: &[u8], tap: bool) -> Ipvlan {
    let mode = match find(data, IFLA_IPVLAN_MODE).and_then(Attr::u16) {
        Some(0) => IpvlanMode::L2,
        Some(2) => IpvlanMode::L3S,
        _ => IpvlanMode::L3,
    };
    let flag = match find(data, IFLA_IPVLAN_FLAGS).and_then(Attr::u16) {
        Some(f) if f & 1 != 0 => IpvlanFlag::Private,
        Some(f) if f & 2 != 0 => IpvlanFlag::Vepa,
        _ => IpvlanFlag::Bridge,
    };
    Ipvlan { mode, flag, tap }
}

const IFLA_VLAN_ID: u16 = 1;
const IFLA_VLAN_PROTOCOL: u16 = 5;
const ETH_P_8021Q: u16 = 0x8100;

pub(super) fn vlan(data: &[u8]) -> Vlan {
    Vlan {
        id: find(data, IFLA_VLAN_ID).and_then(Attr::u16).unwrap_or_default(),
        protocol: find(data, IFLA_VLAN_PROTOCOL).and_then(Attr::be16).unwrap_or(ETH_P_8021Q),
    }
}
