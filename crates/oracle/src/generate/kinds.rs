//! What not every kernel has, and stories are told of where it is there.

use std::fmt;
use std::str::FromStr;

/// A kind of link, or what a bridge can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are the kernel's names")]
pub enum Kind {
    Vlan,
    VlanFiltering,
    Ipvlan,
    Vrf,
    Dummy,
    Bond,
    Ifb,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Vlan,
        Self::VlanFiltering,
        Self::Ipvlan,
        Self::Vrf,
        Self::Dummy,
        Self::Bond,
        Self::Ifb,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Vlan => "vlan",
            Self::VlanFiltering => "vlan-filtering",
            Self::Ipvlan => "ipvlan",
            Self::Vrf => "vrf",
            Self::Dummy => "dummy",
            Self::Bond => "bond",
            Self::Ifb => "ifb",
        }
    }

    /// The features that are told of where it is there.
    pub(crate) const fn features(self) -> &'static [&'static str] {
        match self {
            Self::Vlan => &["vlan"],
            Self::VlanFiltering => &["bridge: VLAN filtering"],
            Self::Ipvlan => &["ipvlan: l2", "ipvlan: l3"],
            Self::Vrf => &["vrf"],
            Self::Dummy => &["dummy"],
            Self::Bond => &["bond: one in use", "bond: by a hash", "bond: several"],
            Self::Ifb => &["tc: ifb", "tc: redirect", "tc: mirror", "tc: u32"],
        }
    }

    /// Whether this kernel has it, which is found out by trying.
    fn is_here(self) -> bool {
        let tried = match self {
            Self::VlanFiltering => kernel::bridges_filter_vlans(),
            kind => kernel::has_link_kind(kind.as_str()),
        };
        tried.unwrap_or(false)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        let names = Self::ALL.map(Self::as_str).join(", ");
        found.ok_or_else(|| format!("there are {names}"))
    }
}

/// Some of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// Those that this kernel has.
    #[must_use]
    pub fn here() -> Self {
        Kind::ALL.into_iter().filter(|kind| kind.is_here()).collect()
    }

    /// Whether that one is among them.
    #[must_use]
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |all, kind| all | 1 << kind as u8))
    }
}
