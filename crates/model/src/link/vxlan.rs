use std::net::IpAddr;

/// What only a VXLAN has (IFLA_VXLAN_*).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vxlan {
    /// VXLAN network identifier.
    pub vni: u32,
    /// Outer source.
    pub local: Option<IpAddr>,
    /// Default remote: unicast address or multicast group.
    pub remote: Option<IpAddr>,
    /// UDP destination port.
    pub port: u16,
    /// Learns remotes from inner sources.
    pub learning: bool,
}
