//! IFLA_INFO_SLAVE_DATA of a bridge → [`BridgePort`].

use model::{BridgePort, Mac, PortState};

use super::super::attr::{Attr, attrs};

pub(crate) const IFLA_BRPORT_STATE: u16 = 1;
const IFLA_BRPORT_MODE: u16 = 4;
const IFLA_BRPORT_GUARD: u16 = 5;
const IFLA_BRPORT_LEARNING: u16 = 8;
const IFLA_BRPORT_UNICAST_FLOOD: u16 = 9;
const IFLA_BRPORT_PROXYARP: u16 = 10;
const IFLA_BRPORT_PROXYARP_WIFI: u16 = 12;
const IFLA_BRPORT_BRIDGE_ID: u16 = 14;
const IFLA_BRPORT_NO: u16 = 18;
const IFLA_BRPORT_MULTICAST_ROUTER: u16 = 25;
const IFLA_BRPORT_MCAST_FLOOD: u16 = 27;
const IFLA_BRPORT_MCAST_TO_UCAST: u16 = 28;
const IFLA_BRPORT_VLAN_TUNNEL: u16 = 29;
const IFLA_BRPORT_BCAST_FLOOD: u16 = 30;
const IFLA_BRPORT_GROUP_FWD_MASK: u16 = 31;
const IFLA_BRPORT_NEIGH_SUPPRESS: u16 = 32;
const IFLA_BRPORT_ISOLATED: u16 = 33;
const IFLA_BRPORT_BACKUP_PORT: u16 = 34;
const IFLA_BRPORT_LOCKED: u16 = 39;
const IFLA_BRPORT_MAB: u16 = 40;

pub(crate) fn decode(data: &[u8]) -> BridgePort {
    let mut port = BridgePort::default();
    for attr in attrs(data) {
        take(&mut port, attr);
    }
    port
}

fn take(port: &mut BridgePort, attr: Attr<'_>) {
    match attr.kind {
        IFLA_BRPORT_STATE => port.state = state(attr.u8().unwrap_or_default()),
        IFLA_BRPORT_MODE => port.hairpin = attr.flag(),
        IFLA_BRPORT_GUARD => port.bpdu_guard = attr.flag(),
        IFLA_BRPORT_LEARNING => port.learning = attr.flag(),
        IFLA_BRPORT_UNICAST_FLOOD => port.flood = attr.flag(),
        IFLA_BRPORT_PROXYARP => port.proxy_arp = attr.flag(),
        // Two bytes of priority, then the bridge's address.
        IFLA_BRPORT_BRIDGE_ID => port.designated = attr.value.get(2..).and_then(Mac::from_slice),
        IFLA_BRPORT_NO => port.number = attr.u16().unwrap_or_default(),
        IFLA_BRPORT_MULTICAST_ROUTER => port.multicast_router = attr.u8().unwrap_or(1),
        IFLA_BRPORT_MCAST_FLOOD => port.mcast_flood = attr.flag(),
        IFLA_BRPORT_BCAST_FLOOD => port.bcast_flood = attr.flag(),
        IFLA_BRPORT_MCAST_TO_UCAST => port.mcast_to_unicast = attr.flag(),
        IFLA_BRPORT_VLAN_TUNNEL => port.vlan_tunnel = attr.flag(),
        IFLA_BRPORT_NEIGH_SUPPRESS => port.neigh_suppress = attr.flag(),
        IFLA_BRPORT_ISOLATED => port.isolated = attr.flag(),
        IFLA_BRPORT_BACKUP_PORT => port.backup_port = attr.u32().filter(|p| *p != 0),
        IFLA_BRPORT_GROUP_FWD_MASK => port.group_fwd_mask = attr.u16().unwrap_or_default(),
        IFLA_BRPORT_PROXYARP_WIFI => port.proxy_arp_wifi = attr.flag(),
        IFLA_BRPORT_MAB => port.mab = attr.flag(),
        IFLA_BRPORT_LOCKED => port.locked = attr.flag(),
        _ => {}
    }
}

/// BR_STATE_*.
fn state(number: u8) -> PortState {
    match number {
        0 => PortState::Disabled,
        1 => PortState::Listening,
        2 => PortState::Learning,
        3 => PortState::Forwarding,
        _ => PortState::Blocking,
    }
}
