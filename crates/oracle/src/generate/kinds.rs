//! What not every kernel has, and stories are told of where it is there.

use std::fmt;
use std::str::FromStr;

use model::{Rule, TcSelector};

use crate::network::Network;

/// A kind of link, what a bridge can do, or a kind of filters (and those beside it, matchall and gact).
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
    Flower,
    RuleDscp,
    RulePortMasks,
    Mab,
    MaxLearned,
    Legacy,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Vlan,
        Self::VlanFiltering,
        Self::Ipvlan,
        Self::Vrf,
        Self::Dummy,
        Self::Bond,
        Self::Ifb,
        Self::Flower,
        Self::RuleDscp,
        Self::RulePortMasks,
        Self::Mab,
        Self::MaxLearned,
        Self::Legacy,
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
            Self::Flower => "flower",
            Self::RuleDscp => "rule-dscp",
            Self::RulePortMasks => "rule-port-masks",
            Self::Mab => "mab",
            Self::Legacy => "iptables-legacy",
            Self::MaxLearned => "fdb-max-learned",
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
            Self::Flower => &["tc: flower", "tc: matchall", "tc: gact"],
            Self::RuleDscp => &["rule: dscp"],
            Self::RulePortMasks => &["rule: ports by a mask"],
            Self::Mab => &[],
            Self::Legacy => &[
                "iptables-legacy: filter",
                "iptables-legacy: nat",
                "iptables-legacy: mangle",
                "iptables-legacy: raw",
                "iptables-legacy: of IPv6",
                "iptables-legacy: first of equals",
            ],
            Self::MaxLearned => &["bridge: fdb_max_learned"],
        }
    }

    /// Whether this kernel has it, which is found out by trying.
    fn is_here(self) -> bool {
        let tried = match self {
            Self::VlanFiltering => kernel::bridges_filter_vlans(),
            Self::Flower => kernel::has_filters(TcSelector::Flower(Vec::new())),
            Self::RuleDscp => kernel::knows_rule(&Rule { dscp: Some(4), ..asking() }),
            Self::RulePortMasks => kernel::knows_rule(&Rule {
                dport: Some((7, 7)),
                port_masks: (None, Some(0xf)),
                ..asking()
            }),
            Self::Mab => kernel::ports_know_mab(),
            Self::Legacy => kernel::has_legacy_tables(),
            Self::MaxLearned => kernel::bridges_limit_learning(),
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

/// A rule that can be tried.
fn asking() -> Rule {
    Rule { priority: 100, protocol: Some(17), ..Rule::default() }
}

/// Some of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u16);

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

    /// Leaves out of a network what other kernels pass over.
    pub(super) fn restrict(self, network: &mut Network) {
        let (dscp, masks) = (self.has(Kind::RuleDscp), self.has(Kind::RulePortMasks));
        for space in &mut network.spaces {
            let rules = space.lists.iter_mut().filter(|(of, _)| of.starts_with("rules"));
            for (_, line) in rules {
                let parts = line.split(", ").filter(|part| dscp || !part.starts_with("dscp: "));
                let ports = |part: &str| part.starts_with("sport: ") || part.starts_with("dport: ");
                let parts = parts.map(|part| match part.split_once('/') {
                    Some((port, _)) if !masks && ports(part) => port,
                    _ => part,
                });
                *line = parts.collect::<Vec<_>>().join(", ");
            }
            if !self.has(Kind::Mab) {
                let links = space.links.iter_mut();
                links.for_each(|link| link.options.retain(|(key, _)| key != "mab"));
            }
        }
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |all, kind| all | 1 << kind as u8))
    }
}
