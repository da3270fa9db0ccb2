use std::net::IpAddr;

use crate::Mac;

/// That a port of a bridge, or the bridge itself as a link of this host, is in a VLAN
/// (BRIDGE_VLAN_INFO).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BridgeVlan {
    /// ifindex of the port, or of the bridge.
    pub link: u32,
    /// Which VLAN.
    pub id: u16,
    /// Frames that come in without a tag belong to it.
    pub pvid: bool,
    /// Its frames go out without a tag.
    pub untagged: bool,
}

/// What of a multicast a bridge hands to whom (MDBA_MDB): that somebody there wants a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MdbEntry {
    /// ifindex of the bridge.
    pub bridge: u32,
    /// ifindex of the port behind which somebody wants it; the bridge's: this host does.
    pub port: u32,
    /// Which.
    pub group: Group,
    /// Only what that one sends.
    pub source: Option<IpAddr>,
    /// In which VLAN; 0: no VLANs are told apart.
    pub vlan: u16,
    /// Made by hand, and does not age.
    pub permanent: bool,
}

/// A multicast group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Of IP.
    Ip(IpAddr),
    /// Of frames that carry something else.
    Mac(Mac),
}

/// A port behind which a multicast router is (MDBA_ROUTER): it gets all multicasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouterPort {
    /// ifindex of the bridge.
    pub bridge: u32,
    /// ifindex of the port.
    pub port: u32,
    /// For IPv4.
    pub ipv4: bool,
    /// For IPv6.
    pub ipv6: bool,
}
