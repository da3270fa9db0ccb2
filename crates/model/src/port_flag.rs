use crate::BridgePort;

/// A switch of a bridge's port (IFLA_BRPORT_*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the field of that name of `BridgePort`")]
pub enum PortFlag {
    Hairpin,
    Isolated,
    Learning,
    Flood,
    McastFlood,
    BcastFlood,
    NeighSuppress,
    ProxyArp,
    ProxyArpWifi,
    Locked,
    Mab,
}

impl PortFlag {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Hairpin,
        Self::Isolated,
        Self::Learning,
        Self::Flood,
        Self::McastFlood,
        Self::BcastFlood,
        Self::NeighSuppress,
        Self::ProxyArp,
        Self::ProxyArpWifi,
        Self::Locked,
        Self::Mab,
    ];

    /// As `bridge link` calls it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hairpin => "hairpin",
            Self::Isolated => "isolated",
            Self::Learning => "learning",
            Self::Flood => "flood",
            Self::McastFlood => "mcast_flood",
            Self::BcastFlood => "bcast_flood",
            Self::NeighSuppress => "neigh_suppress",
            Self::ProxyArp => "proxy_arp",
            Self::ProxyArpWifi => "proxy_arp_wifi",
            Self::Locked => "locked",
            Self::Mab => "mab",
        }
    }

    /// Whether the kernel sets it for a new port.
    #[must_use]
    pub const fn usual(self) -> bool {
        matches!(self, Self::Learning | Self::Flood | Self::McastFlood | Self::BcastFlood)
    }

    /// Whether a port has it.
    #[must_use]
    pub const fn of(self, port: &BridgePort) -> bool {
        match self {
            Self::Hairpin => port.hairpin,
            Self::Isolated => port.isolated,
            Self::Learning => port.learning,
            Self::Flood => port.flood,
            Self::McastFlood => port.mcast_flood,
            Self::BcastFlood => port.bcast_flood,
            Self::NeighSuppress => port.neigh_suppress,
            Self::ProxyArp => port.proxy_arp,
            Self::ProxyArpWifi => port.proxy_arp_wifi,
            Self::Locked => port.locked,
            Self::Mab => port.mab,
        }
    }

    /// Where a port has it.
    #[must_use]
    pub const fn of_mut(self, port: &mut BridgePort) -> &mut bool {
        match self {
            Self::Hairpin => &mut port.hairpin,
            Self::Isolated => &mut port.isolated,
            Self::Learning => &mut port.learning,
            Self::Flood => &mut port.flood,
            Self::McastFlood => &mut port.mcast_flood,
            Self::BcastFlood => &mut port.bcast_flood,
            Self::NeighSuppress => &mut port.neigh_suppress,
            Self::ProxyArp => &mut port.proxy_arp,
            Self::ProxyArpWifi => &mut port.proxy_arp_wifi,
            Self::Locked => &mut port.locked,
            Self::Mab => &mut port.mab,
        }
    }
}

/// Flags of a port that are said; the others are as the kernel makes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortFlags([Option<bool>; PortFlag::ALL.len()]);

impl PortFlags {
    /// All that a port has.
    #[must_use]
    pub fn of(port: &BridgePort) -> Self {
        Self(PortFlag::ALL.map(|flag| Some(flag.of(port))))
    }

    /// What is said of a flag.
    #[must_use]
    pub const fn get(self, flag: PortFlag) -> Option<bool> {
        self.0[flag as usize]
    }

    /// Says it, or nothing of it.
    pub const fn set(&mut self, flag: PortFlag, on: Option<bool>) {
        self.0[flag as usize] = on;
    }

    /// Those of which something is said.
    pub fn said(self) -> impl Iterator<Item = (PortFlag, bool)> {
        PortFlag::ALL.into_iter().filter_map(move |flag| Some((flag, self.get(flag)?)))
    }
}
