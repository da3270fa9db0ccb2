/// What only a bond has (IFLA_BOND_*).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bond {
    /// How its ports share the work.
    pub mode: BondMode,
    /// Milliseconds between looks at its ports' carrier; 0: it does not look.
    pub miimon: u32,
    /// ifindex of the port in use, where the mode uses one at a time.
    pub active: Option<u32>,
    /// ifindex of the port that is to be preferred.
    pub primary: Option<u32>,
}

/// IFLA_BOND_MODE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are `ip link`'s")]
pub enum BondMode {
    #[default]
    BalanceRr,
    ActiveBackup,
    BalanceXor,
    Broadcast,
    Ieee8023ad,
    BalanceTlb,
    BalanceAlb,
    /// One that is not known here, by its number.
    Other(u8),
}

impl BondMode {
    /// As `ip -d link` prints it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BalanceRr => "balance-rr",
            Self::ActiveBackup => "active-backup",
            Self::BalanceXor => "balance-xor",
            Self::Broadcast => "broadcast",
            Self::Ieee8023ad => "802.3ad",
            Self::BalanceTlb => "balance-tlb",
            Self::BalanceAlb => "balance-alb",
            Self::Other(_) => "unknown",
        }
    }
}

/// What a link has as port of a bond (IFLA_BOND_SLAVE_*).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BondPort {
    /// Not in use: it stands by (BOND_STATE_BACKUP).
    pub backup: bool,
    /// What the bond's own look at its carrier found.
    pub mii: MiiStatus,
}

impl BondPort {
    /// `ACTIVE` or `BACKUP`, as `ip -d link` prints it.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        if self.backup { "BACKUP" } else { "ACTIVE" }
    }
}

/// IFLA_BOND_SLAVE_MII_STATUS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are `ip link`'s")]
pub enum MiiStatus {
    #[default]
    Up,
    GoingDown,
    Down,
    GoingBack,
}

impl MiiStatus {
    /// As `ip -d link` prints it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "UP",
            Self::GoingDown => "GOING_DOWN",
            Self::Down => "DOWN",
            Self::GoingBack => "GOING_BACK",
        }
    }
}
