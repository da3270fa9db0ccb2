use crate::{BridgePort, Options};

/// What can be set on a bridge's port (IFLA_BRPORT_*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the field of that name of `BridgePort`")]
pub enum PortOption {
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
    McastToUnicast,
    MulticastRouter,
    GroupFwdMask,
}

impl PortOption {
    /// All of them.
    pub const ALL: [Self; 14] = [
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
        Self::McastToUnicast,
        Self::MulticastRouter,
        Self::GroupFwdMask,
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
            Self::McastToUnicast => "mcast_to_unicast",
            Self::MulticastRouter => "mcast_router",
            Self::GroupFwdMask => "group_fwd_mask",
        }
    }

    /// The largest value; None: a switch.
    #[must_use]
    pub const fn most(self) -> Option<u32> {
        match self {
            Self::MulticastRouter => Some(2),
            Self::GroupFwdMask => Some(0xffff),
            _ => None,
        }
    }

    /// What the kernel gives to a new port.
    #[must_use]
    pub const fn usual(self) -> u32 {
        match self {
            Self::Learning
            | Self::Flood
            | Self::McastFlood
            | Self::BcastFlood
            | Self::MulticastRouter => 1,
            _ => 0,
        }
    }

    /// What a port has.
    #[must_use]
    pub fn of(self, port: &BridgePort) -> u32 {
        match self {
            Self::Hairpin => port.hairpin.into(),
            Self::Isolated => port.isolated.into(),
            Self::Learning => port.learning.into(),
            Self::Flood => port.flood.into(),
            Self::McastFlood => port.mcast_flood.into(),
            Self::BcastFlood => port.bcast_flood.into(),
            Self::NeighSuppress => port.neigh_suppress.into(),
            Self::ProxyArp => port.proxy_arp.into(),
            Self::ProxyArpWifi => port.proxy_arp_wifi.into(),
            Self::Locked => port.locked.into(),
            Self::Mab => port.mab.into(),
            Self::McastToUnicast => port.mcast_to_unicast.into(),
            Self::MulticastRouter => port.multicast_router.into(),
            Self::GroupFwdMask => port.group_fwd_mask.into(),
        }
    }

    /// Gives it to a port.
    pub fn give(self, port: &mut BridgePort, value: u32) {
        let on = value != 0;
        match self {
            Self::Hairpin => port.hairpin = on,
            Self::Isolated => port.isolated = on,
            Self::Learning => port.learning = on,
            Self::Flood => port.flood = on,
            Self::McastFlood => port.mcast_flood = on,
            Self::BcastFlood => port.bcast_flood = on,
            Self::NeighSuppress => port.neigh_suppress = on,
            Self::ProxyArp => port.proxy_arp = on,
            Self::ProxyArpWifi => port.proxy_arp_wifi = on,
            Self::Locked => port.locked = on,
            Self::Mab => port.mab = on,
            Self::McastToUnicast => port.mcast_to_unicast = on,
            Self::MulticastRouter => port.multicast_router = u8::try_from(value).unwrap_or(1),
            Self::GroupFwdMask => port.group_fwd_mask = u16::try_from(value).unwrap_or(0),
        }
    }
}

/// What is said of a port.
pub type PortSpec = Options<PortOption>;

impl PortSpec {
    /// All that a port has.
    #[must_use]
    pub fn of(port: &BridgePort) -> Self {
        PortOption::ALL.into_iter().map(|option| (option, option.of(port))).collect()
    }
}
