use std::net::Ipv4Addr;

use crate::{BondOption, BondOptions, Mac};

/// What only a bond has (IFLA_BOND_*).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bond {
    /// Its settings.
    pub options: BondOptions,
    /// ifindex of the port in use, where the mode uses one at a time.
    pub active: Option<u32>,
    /// ifindex of the port that is to be preferred.
    pub primary: Option<u32>,
    /// ifindexes of its ports in its own order, which hashes go by; empty: not known.
    pub ports: Vec<u32>,
    /// Whom it asks by ARP, to learn which of its ports lead anywhere.
    pub arp_targets: Vec<Ipv4Addr>,
}

impl Bond {
    /// One of that mode, with all else as the kernel makes it.
    #[must_use]
    pub fn of_mode(mode: BondMode) -> Self {
        let mut bond = Self::default();
        bond.options.set(BondOption::Mode, mode.number().into());
        bond
    }

    /// How its ports share the work.
    #[must_use]
    pub fn mode(&self) -> BondMode {
        BondMode::of(u8::try_from(self.options.get(BondOption::Mode)).unwrap_or(u8::MAX))
    }

    /// Milliseconds between looks at its ports' carrier; 0: it does not look.
    #[must_use]
    pub const fn miimon(&self) -> u32 {
        self.options.get(BondOption::Miimon)
    }

    /// What of a packet chooses its port, in modes that go by that.
    #[must_use]
    pub fn hash_policy(&self) -> HashPolicy {
        HashPolicy::of(self.options.get(BondOption::XmitHashPolicy))
    }
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
    /// Those that are known here, by their numbers.
    pub const ALL: [Self; 7] = [
        Self::BalanceRr,
        Self::ActiveBackup,
        Self::BalanceXor,
        Self::Broadcast,
        Self::Ieee8023ad,
        Self::BalanceTlb,
        Self::BalanceAlb,
    ];

    fn of(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Other(number))
    }

    fn number(self) -> u8 {
        match self {
            Self::Other(number) => number,
            known => Self::ALL.iter().zip(0..).find(|(one, _)| **one == known).map_or(0, |f| f.1),
        }
    }

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

/// IFLA_BOND_XMIT_HASH_POLICY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are `ip link`'s")]
pub enum HashPolicy {
    Layer2,
    Layer34,
    Layer23,
    Encap23,
    Encap34,
    VlanSrcmac,
    /// One that is not known here, by its number.
    Other(u32),
}

impl HashPolicy {
    const fn of(number: u32) -> Self {
        match number {
            0 => Self::Layer2,
            1 => Self::Layer34,
            2 => Self::Layer23,
            3 => Self::Encap23,
            4 => Self::Encap34,
            5 => Self::VlanSrcmac,
            other => Self::Other(other),
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
    /// The address that it had before, and gets back when it is no port any more.
    pub own_mac: Option<Mac>,
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
