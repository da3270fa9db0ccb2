use std::net::IpAddr;

use crate::Mac;

/// A neighbour entry (ARP or ND; RTM_GETNEIGH).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// ifindex of the link.
    pub link: u32,
    /// Whom it is about.
    pub ip: IpAddr,
    /// Its link-layer address, while one is known.
    pub mac: Option<Mac>,
    /// Whether that can be used.
    pub state: NeighbourState,
    /// `proxy`: this host answers for it.
    pub proxy: bool,
}

/// NUD_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are `ip neighbour`'s")]
pub enum NeighbourState {
    None,
    Incomplete,
    Reachable,
    Stale,
    Delay,
    Probe,
    Failed,
    Noarp,
    Permanent,
}

impl NeighbourState {
    /// The kernel sends at once to an entry in this state (NUD_VALID).
    #[must_use]
    pub const fn is_valid(self) -> bool {
        matches!(
            self,
            Self::Reachable
                | Self::Stale
                | Self::Delay
                | Self::Probe
                | Self::Noarp
                | Self::Permanent
        )
    }

    /// As `ip neighbour` prints it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Incomplete => "INCOMPLETE",
            Self::Reachable => "REACHABLE",
            Self::Stale => "STALE",
            Self::Delay => "DELAY",
            Self::Probe => "PROBE",
            Self::Failed => "FAILED",
            Self::Noarp => "NOARP",
            Self::Permanent => "PERMANENT",
        }
    }
}

/// An entry of a forwarding database (RTM_GETNEIGH, AF_BRIDGE).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FdbEntry {
    /// ifindex of the port (or of the bridge or vxlan itself).
    pub link: u32,
    /// ifindex of the bridge whose table it is in; None for a `self` entry.
    pub master: Option<u32>,
    /// The address behind that port.
    pub mac: Mac,
    /// VLAN, where filtering is on.
    pub vlan: Option<u16>,
    /// The port's own address: frames for it are for this host (NUD_PERMANENT).
    pub local: bool,
    /// Set by hand, does not age (NUD_NOARP).
    pub is_static: bool,
    /// A `self` entry: the device's own filter, not the bridge's table.
    pub own: bool,
    /// It came to a locked port, which does not take it in (NTF_EXT_LOCKED).
    pub locked: bool,
    /// Seconds since last seen, for learned ones.
    pub age: Option<u32>,
    /// Remote VTEP of a vxlan's entry.
    pub remote: Option<Remote>,
}

/// Where a vxlan sends to (NDA_DST and what may go with it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Remote {
    /// The other VTEP.
    pub ip: IpAddr,
    /// UDP port, where it is not the vxlan's own.
    pub port: Option<u16>,
    /// Network identifier, where it is not the vxlan's own.
    pub vni: Option<u32>,
    /// ifindex of the underlay link that it is sent by, where that is fixed.
    pub link: Option<u32>,
}

impl Remote {
    /// By the vxlan's own port and identifier.
    #[must_use]
    pub const fn new(ip: IpAddr) -> Self {
        Self { ip, port: None, vni: None, link: None }
    }
}
