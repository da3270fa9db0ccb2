/// What only an ipvlan or ipvtap has (IFLA_IPVLAN_*).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ipvlan {
    /// At which layer it takes its packets from the link below.
    pub mode: IpvlanMode,
    /// Who may speak with whom.
    pub flag: IpvlanFlag,
    /// An ipvtap: its frames go to a process, through a character device.
    pub tap: bool,
}

/// IFLA_IPVLAN_MODE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are `ip link`'s")]
pub enum IpvlanMode {
    L2,
    #[default]
    L3,
    L3S,
}

impl IpvlanMode {
    /// As `ip -d link` prints it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::L2 => "l2",
            Self::L3 => "l3",
            Self::L3S => "l3s",
        }
    }
}

/// IFLA_IPVLAN_FLAGS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are `ip link`'s")]
pub enum IpvlanFlag {
    #[default]
    Bridge,
    Private,
    Vepa,
}

impl IpvlanFlag {
    /// As `ip -d link` prints it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Private => "private",
            Self::Vepa => "vepa",
        }
    }
}
