use std::net::Ipv4Addr;

use crate::{Bond, BondMode, Options};

/// A setting of a bond (IFLA_BOND_*), as a number; switches are 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is what `ip link` calls it")]
pub enum BondOption {
    Mode,
    Miimon,
    Updelay,
    Downdelay,
    ArpInterval,
    PrimaryReselect,
    FailOverMac,
    XmitHashPolicy,
    AllSlavesActive,
    MinLinks,
    PacketsPerSlave,
    LacpRate,
    TlbDynamicLb,
    BroadcastNeighbor,
}

/// What values an option has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BondValues {
    /// Numbers up to that one.
    Number(u32),
    /// Off and on.
    Switch,
    /// Words, which are numbered.
    Words(&'static [&'static str]),
}

const MODES: &[&str] = &{
    let mut words = [""; BondMode::ALL.len()];
    let mut number = 0;
    while number < words.len() {
        words[number] = BondMode::ALL[number].as_str();
        number += 1;
    }
    words
};
const POLICIES: &[&str] =
    &["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"];

impl BondOption {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Mode,
        Self::Miimon,
        Self::Updelay,
        Self::Downdelay,
        Self::ArpInterval,
        Self::PrimaryReselect,
        Self::FailOverMac,
        Self::XmitHashPolicy,
        Self::AllSlavesActive,
        Self::MinLinks,
        Self::PacketsPerSlave,
        Self::LacpRate,
        Self::TlbDynamicLb,
        Self::BroadcastNeighbor,
    ];

    /// Its name in a lab file, which is that of `ip link`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mode => "mode",
            Self::Miimon => "miimon",
            Self::Updelay => "updelay",
            Self::Downdelay => "downdelay",
            Self::ArpInterval => "arp_interval",
            Self::PrimaryReselect => "primary_reselect",
            Self::FailOverMac => "fail_over_mac",
            Self::XmitHashPolicy => "xmit_hash_policy",
            Self::AllSlavesActive => "all_slaves_active",
            Self::MinLinks => "min_links",
            Self::PacketsPerSlave => "packets_per_slave",
            Self::LacpRate => "lacp_rate",
            Self::TlbDynamicLb => "tlb_dynamic_lb",
            Self::BroadcastNeighbor => "broadcast_neighbor",
        }
    }

    /// What values it has.
    #[must_use]
    pub const fn values(self) -> BondValues {
        match self {
            Self::Mode => BondValues::Words(MODES),
            Self::XmitHashPolicy => BondValues::Words(POLICIES),
            Self::PrimaryReselect => BondValues::Words(&["always", "better", "failure"]),
            Self::FailOverMac => BondValues::Words(&["none", "active", "follow"]),
            Self::LacpRate => BondValues::Words(&["slow", "fast"]),
            Self::AllSlavesActive | Self::TlbDynamicLb | Self::BroadcastNeighbor => {
                BondValues::Switch
            }
            Self::PacketsPerSlave => BondValues::Number(65535),
            _ => BondValues::Number(i32::MAX as u32),
        }
    }

    /// The number of a value that is written so.
    #[must_use]
    pub fn parse(self, word: &str) -> Option<u32> {
        match self.values() {
            BondValues::Words(words) => {
                let found = words.iter().position(|one| *one == word)?;
                u32::try_from(found).ok()
            }
            BondValues::Switch => word.parse().ok().filter(|on| *on <= 1),
            BondValues::Number(most) => word.parse().ok().filter(|number| *number <= most),
        }
    }

    /// How a value is written.
    #[must_use]
    pub fn word(self, value: u32) -> String {
        let words = match self.values() {
            BondValues::Words(words) => words,
            BondValues::Switch => &["off", "on"],
            BondValues::Number(_) => &[],
        };
        let word = usize::try_from(value).ok().and_then(|value| words.get(value));
        word.map_or_else(|| value.to_string(), |word| (*word).to_owned())
    }

    /// What the kernel gives to a new bond.
    #[must_use]
    pub const fn usual(self) -> u32 {
        match self {
            Self::PacketsPerSlave | Self::TlbDynamicLb => 1,
            _ => 0,
        }
    }
}

/// All settings of a bond.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BondOptions([u32; BondOption::ALL.len()]);

impl BondOptions {
    /// What one of them is.
    #[must_use]
    pub const fn get(&self, option: BondOption) -> u32 {
        self.0[option as usize]
    }

    /// Sets one of them.
    pub const fn set(&mut self, option: BondOption, value: u32) {
        self.0[option as usize] = value;
    }
}

impl Default for BondOptions {
    fn default() -> Self {
        Self(BondOption::ALL.map(BondOption::usual))
    }
}

/// What is not as the kernel makes it.
impl std::fmt::Debug for BondOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unusual = BondOption::ALL.into_iter().filter(|o| self.get(*o) != o.usual());
        f.debug_map().entries(unusual.map(|o| (o, self.get(o)))).finish()
    }
}

/// A bond to be made: what is said of it; the rest is as the kernel makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BondSpec {
    /// Of its options.
    pub options: Options<BondOption>,
    /// Whom it asks by ARP.
    pub arp_targets: Vec<Ipv4Addr>,
}

impl BondSpec {
    /// All that a bond has.
    #[must_use]
    pub fn of(bond: &Bond) -> Self {
        let all = BondOption::ALL.into_iter().map(|option| (option, bond.options.get(option)));
        Self { options: all.collect(), arp_targets: bond.arp_targets.clone() }
    }

    /// Such a bond.
    #[must_use]
    pub fn seen(&self) -> Bond {
        let mut bond = Bond { arp_targets: self.arp_targets.clone(), ..Bond::default() };
        self.options.said().for_each(|(option, value)| bond.options.set(option, value));
        bond
    }

    /// What of it is otherwise than in `other`.
    #[must_use]
    pub fn changed_from(&self, other: &Self) -> Self {
        Self { options: self.options.changed_from(&other.options), ..self.clone() }
    }

    /// Whether `seen` is so; what is not said fits any.
    #[must_use]
    pub fn fits(&self, seen: &Self) -> bool {
        self.arp_targets == seen.arp_targets && self.options.fits(&seen.options)
    }
}
