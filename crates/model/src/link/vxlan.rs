use std::net::IpAddr;

/// What only a VXLAN has (IFLA_VXLAN_*).
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Time to live of outer packets; 0: the underlay's usual one.
    pub ttl: u8,
    /// Type of service of outer packets; 1: that of the packet within.
    pub tos: u8,
    /// Don't fragment, of outer packets.
    pub df: TunnelDf,
    /// UDP source ports are chosen from the first of them on, up to and without the second; 0, 0:
    /// among those of the underlay's sockets.
    pub source_ports: (u16, u16),
    /// What is for an address of the underlay itself is given to the vxlan there, unpacked.
    pub local_bypass: bool,
    /// Features that change where its packets go and have no field here, by `ip link`'s words.
    pub special: Vec<String>,
}

impl Vxlan {
    /// Whether its outer packets are of IPv6 (`vxlan_config_validate`).
    #[must_use]
    pub fn is_ipv6(&self) -> bool {
        self.local.or(self.remote).is_some_and(|ip| ip.is_ipv6())
    }
}

impl Default for Vxlan {
    /// As the kernel makes it.
    fn default() -> Self {
        Self {
            vni: 0,
            local: None,
            remote: None,
            port: 4789,
            learning: true,
            ttl: 0,
            tos: 0,
            df: TunnelDf::Unset,
            source_ports: (0, 0),
            local_bypass: true,
            special: Vec::new(),
        }
    }
}

/// IFLA_VXLAN_DF, and the same of other tunnels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TunnelDf {
    /// Outer packets may be fragmented.
    #[default]
    Unset,
    /// They may not.
    Set,
    /// As the packet within.
    Inherit,
}

impl TunnelDf {
    /// As `ip link` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Set => "set",
            Self::Inherit => "inherit",
        }
    }
}

/// What a VXLAN is made with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VxlanSpec {
    /// Underlay device, in the same namespace.
    pub lower: Option<String>,
    /// All that is its own.
    pub vxlan: Vxlan,
    /// Remotes by hand: whose address is behind which; zero: of all that is not known.
    pub remotes: Vec<(crate::Mac, IpAddr)>,
}
