//! IFLA_LINKINFO → [`LinkKind`].

use model::{Bridge, LinkFlags, LinkKind, Macvlan, MacvlanMode, StpState, Tap, Vxlan};

use super::super::attr::{Attr, attrs, find};
use super::{ARPHRD_ETHER, ARPHRD_LOOPBACK, some_ip};

/// What IFLA_LINK means for a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    /// The other end of a cable.
    Pair,
    /// The link below; its frames go through it.
    Stack,
    /// The device that its outer packets leave by, if it is bound to one.
    Tunnel,
}

/// Kinds that stand on a link and do not exist without it. Every other one is taken for a tunnel,
/// for which less is concluded.
const STACKED: [&str; 9] =
    ["vlan", "macvtap", "ipvlan", "ipvtap", "macsec", "hsr", "rmnet", "virt_wifi", "ipoib"];

pub(super) fn join(kind: &LinkKind) -> Join {
    match kind {
        LinkKind::Veth => Join::Pair,
        LinkKind::Macvlan(_) => Join::Stack,
        LinkKind::Other(name) if name == "netkit" || name == "vxcan" => Join::Pair,
        LinkKind::Other(name) if STACKED.contains(&name.as_str()) => Join::Stack,
        LinkKind::Other(name) if name == "dsa" => Join::Stack,
        _ => Join::Tunnel,
    }
}

/// A link without IFLA_INFO_KIND: `device` is ARPHRD_*.
pub(super) fn unnamed(device: u16, flags: LinkFlags) -> LinkKind {
    match device {
        ARPHRD_LOOPBACK => LinkKind::Loopback,
        _ if flags.contains(LinkFlags::LOOPBACK) => LinkKind::Loopback,
        ARPHRD_ETHER => LinkKind::Physical,
        number => LinkKind::Other(format!("device type {number}")),
    }
}

/// A link of that IFLA_INFO_KIND.
pub(super) fn decode(name: &str, data: &[u8]) -> LinkKind {
    match name {
        "veth" => LinkKind::Veth,
        "bridge" => LinkKind::Bridge(bridge(data)),
        "tun" => LinkKind::Tap(tap(data)),
        "macvlan" => LinkKind::Macvlan(macvlan(data)),
        "vxlan" => LinkKind::Vxlan(vxlan(data)),
        other => LinkKind::Other(other.to_owned()),
    }
}

const IFLA_BR_FORWARD_DELAY: u16 = 1;
const IFLA_BR_AGEING_TIME: u16 = 4;
const IFLA_BR_STP_STATE: u16 = 5;
const IFLA_BR_VLAN_FILTERING: u16 = 7;
const IFLA_BR_GROUP_FWD_MASK: u16 = 9;
const IFLA_BR_MCAST_SNOOPING: u16 = 23;
const IFLA_BR_NF_CALL_IPTABLES: u16 = 36;

fn bridge(data: &[u8]) -> Bridge {
    let mut bridge = Bridge::default();
    for attr in attrs(data) {
        match attr.kind {
            IFLA_BR_FORWARD_DELAY => bridge.forward_delay = attr.u32().unwrap_or_default(),
            IFLA_BR_AGEING_TIME => bridge.ageing_time = attr.u32().unwrap_or_default(),
            IFLA_BR_STP_STATE => {
                bridge.stp = match attr.u32() {
                    Some(0) | None => StpState::Off,
                    Some(2) => StpState::User,
                    Some(_) => StpState::Kernel,
                }
            }
            IFLA_BR_VLAN_FILTERING => bridge.vlan_filtering = attr.flag(),
            IFLA_BR_GROUP_FWD_MASK => bridge.group_fwd_mask = attr.u16().unwrap_or_default(),
            IFLA_BR_MCAST_SNOOPING => bridge.multicast_snooping = attr.flag(),
            IFLA_BR_NF_CALL_IPTABLES => bridge.nf_call_iptables = attr.flag(),
            _ => {}
        }
    }
    bridge
}

const IFLA_TUN_TYPE: u16 = 3;
const IFLA_TUN_PERSIST: u16 = 6;
const IFF_TUN: u8 = 1;

fn tap(data: &[u8]) -> Tap {
    Tap {
        layer3: find(data, IFLA_TUN_TYPE).and_then(Attr::u8) == Some(IFF_TUN),
        persist: find(data, IFLA_TUN_PERSIST).is_some_and(Attr::flag),
        holder: None,
    }
}

const IFLA_MACVLAN_MODE: u16 = 1;

fn macvlan(data: &[u8]) -> Macvlan {
    let mode = match find(data, IFLA_MACVLAN_MODE).and_then(Attr::u32) {
        Some(1) => MacvlanMode::Private,
        Some(4) => MacvlanMode::Bridge,
        Some(8) => MacvlanMode::Passthru,
        Some(16) => MacvlanMode::Source,
        _ => MacvlanMode::Vepa,
    };
    Macvlan { mode }
}

const IFLA_VXLAN_ID: u16 = 1;
const IFLA_VXLAN_GROUP: u16 = 2;
const IFLA_VXLAN_LINK: u16 = 3;
const IFLA_VXLAN_LOCAL: u16 = 4;
const IFLA_VXLAN_LEARNING: u16 = 7;
const IFLA_VXLAN_PORT: u16 = 15;
const IFLA_VXLAN_GROUP6: u16 = 16;
const IFLA_VXLAN_LOCAL6: u16 = 17;

fn vxlan(data: &[u8]) -> Vxlan {
    let either = |a, b| some_ip(find(data, a)).or_else(|| some_ip(find(data, b)));
    Vxlan {
        vni: find(data, IFLA_VXLAN_ID).and_then(Attr::u32).unwrap_or_default(),
        local: either(IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6),
        remote: either(IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6),
        port: find(data, IFLA_VXLAN_PORT).and_then(Attr::be16).unwrap_or_default(),
        learning: find(data, IFLA_VXLAN_LEARNING).is_some_and(Attr::flag),
    }
}

/// ifindex of the underlay device. IFLA_LINK of a vxlan can hold the vxlan's own index.
pub(super) fn vxlan_link(data: &[u8]) -> Option<u32> {
    find(data, IFLA_VXLAN_LINK).and_then(Attr::u32)
}
