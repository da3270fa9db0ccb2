//! IFLA_LINKINFO → [`LinkKind`].

use model::{LinkFlags, LinkKind, Netkit, NetkitPolicy, Tap};

use super::super::attr::{Attr, find};
use super::{ARPHRD_ETHER, ARPHRD_LOOPBACK, master, stacked, tunnel};

/// What IFLA_LINK means for a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    /// The other end of a cable.
    Pair,
    /// The link below; its frames go through it.
    Stack,
    /// The device that its outer packets leave by, if it is bound to one. Every other kind is taken
    /// for this, from which the least is concluded.
    Tunnel,
}

pub(super) fn join(kind: &LinkKind) -> Join {
    match kind {
        k if k.is_paired() => Join::Pair,
        k if k.is_stacked() => Join::Stack,
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
        "bridge" => LinkKind::Bridge(master::bridge(data)),
        "tun" => LinkKind::Tap(tap(data)),
        "macvlan" | "macvtap" => LinkKind::Macvlan(stacked::macvlan(data, name == "macvtap")),
        "ipvlan" | "ipvtap" => LinkKind::Ipvlan(stacked::ipvlan(data, name == "ipvtap")),
        "vlan" => LinkKind::Vlan(stacked::vlan(data)),
        "vxlan" => LinkKind::Vxlan(tunnel::vxlan(data)),
        "bond" => LinkKind::Bond(master::bond(data)),
        "vrf" => LinkKind::Vrf(master::vrf(data)),
        "netkit" => LinkKind::Netkit(netkit(data)),
        // What it has of its own, it tells by messages of its own.
        "wireguard" => LinkKind::Wireguard(None),
        name if tunnel::is_one(name) => LinkKind::Tunnel(tunnel::tunnel(name, data)),
        other => LinkKind::Other(other.to_owned()),
    }
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

const IFLA_NETKIT_PRIMARY: u16 = 2;
const IFLA_NETKIT_POLICY: u16 = 3;
const IFLA_NETKIT_PEER_POLICY: u16 = 4;
const IFLA_NETKIT_MODE: u16 = 5;
const NETKIT_L3: u32 = 1;

fn netkit(data: &[u8]) -> Netkit {
    let policy = |kind| match find(data, kind).and_then(Attr::u32) {
        None | Some(0) => NetkitPolicy::Forward,
        Some(2) => NetkitPolicy::Blackhole,
        Some(other) => NetkitPolicy::Other(other),
    };
    Netkit {
        layer3: find(data, IFLA_NETKIT_MODE).and_then(Attr::u32) == Some(NETKIT_L3),
        primary: find(data, IFLA_NETKIT_PRIMARY).is_some_and(Attr::flag),
        policy: policy(IFLA_NETKIT_POLICY),
        peer_policy: policy(IFLA_NETKIT_PEER_POLICY),
    }
}
