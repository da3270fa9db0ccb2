//! Netfilter as the kernel keeps it: tables, chains, and rules as lists of typed expressions.
//!
//! iptables-nft and nft both write these; how they spell them lives in `render`. What is read
//! equals what was written: an expression that has no type here is kept as [`Expr::Opaque`].

mod expr;
mod key;
mod set;

pub use expr::{Csum, Data, Expr, Exthdr, FibResult, HashOf, ObjectKind, Reg, SetOp, Verdict};
pub use key::{CmpOp, CtKey, MetaKey, NatKind, PayloadBase, RtKey, SocketKey};
pub use set::{Set, SetElement};

use crate::{Xt, XtSetRef};

/// All nftables tables of one namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// Tables in the kernel's order.
    pub tables: Vec<Table>,
    /// NFT_MSG_GETGEN before and after the read were equal to this.
    pub generation: u32,
}

impl Ruleset {
    /// The table of that family and name.
    #[must_use]
    pub fn table(&self, family: Family, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.family == family && t.name == name)
    }

    /// The expressions of all its rules.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        let rules = self.tables.iter().flat_map(|t| &t.chains).flat_map(|c| &c.rules);
        rules.flat_map(|r| &r.exprs)
    }

    /// What of its rules and sets has no type, by name.
    #[must_use]
    pub fn unknown(&self) -> Vec<String> {
        let sets = self.tables.iter().flat_map(|t| &t.sets);
        let elements = sets.clone().flat_map(|s| &s.elements).flat_map(|e| &e.exprs);
        let exprs = self.exprs().chain(sets.flat_map(|s| &s.exprs));
        exprs.chain(elements).filter_map(Expr::unknown).collect()
    }
}

/// What the names of iptables-legacy's tables begin with.
pub const LEGACY: &str = "legacy ";

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What packets it sees.
    pub family: Family,
    /// Its name.
    pub name: String,
    /// NFT_TABLE_F_* (1: dormant, its base chains do not run).
    pub flags: u32,
    /// Chains in the kernel's order.
    pub chains: Vec<Chain>,
    /// Sets and maps.
    pub sets: Vec<Set>,
    /// Names of its flowtables.
    pub flowtables: Vec<String>,
}

impl Table {
    /// A table with nothing in it.
    #[must_use]
    pub fn new(family: Family, name: &str) -> Self {
        Self {
            family,
            name: name.to_owned(),
            flags: 0,
            chains: Vec::new(),
            sets: Vec::new(),
            flowtables: Vec::new(),
        }
    }

    /// Whether it is a table of iptables-legacy. They are called `legacy NAME`, as none of nftables' own is.
    #[must_use]
    pub fn is_legacy(&self) -> bool {
        self.name.starts_with(LEGACY)
    }

    /// What is left of a table of iptables-legacy that is taken away: its base chains, which accept, with
    /// nothing in them. The kernel keeps such a table for as long as its namespace.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let mut left = self.clone();
        left.chains.retain(|chain| chain.base.is_some());
        for chain in &mut left.chains {
            chain.rules.clear();
            chain.base.iter_mut().for_each(|base| base.policy = Policy::Accept);
        }
        left
    }

    /// The chain of that name.
    #[must_use]
    pub fn chain(&self, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|c| c.name == name)
    }

    /// The sets of ipset that its rules name.
    pub fn ip_sets_mut(&mut self) -> impl Iterator<Item = &mut XtSetRef> {
        let rules = self.chains.iter_mut().flat_map(|c| &mut c.rules);
        let extensions = rules.flat_map(|r| &mut r.exprs).filter_map(|expr| match expr {
            Expr::Match(xt) | Expr::Target(xt) => Some(xt),
            _ => None,
        });
        extensions.flat_map(Xt::ip_sets_mut)
    }

    /// The same, to look at.
    pub fn ip_sets(&self) -> impl Iterator<Item = &XtSetRef> {
        let rules = self.chains.iter().flat_map(|c| &c.rules);
        let extensions = rules.flat_map(|r| &r.exprs).filter_map(|expr| match expr {
            Expr::Match(xt) | Expr::Target(xt) => Some(xt),
            _ => None,
        });
        extensions.flat_map(Xt::ip_sets)
    }

    /// The same table without what differs between two equal ones: handles, counted packets, numbers
    /// of ipsets that have a name, the order of a set's elements, and NFTA_RULE_COMPAT, which the kernel takes and never gives back.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let mut table = self.clone();
        for rule in table.chains.iter_mut().flat_map(|c| &mut c.rules) {
            rule.handle = 0;
            rule.compat = None;
            rule.exprs.iter_mut().for_each(start_anew);
        }
        // A set whose name is known is known by that.
        for set in table.ip_sets_mut().filter(|set| set.name.is_some()) {
            set.index = 0;
        }
        for set in &mut table.sets {
            for element in &mut set.elements {
                element.expires = None;
                element.exprs.iter_mut().for_each(start_anew);
            }
            let place = |e: &SetElement| (e.key.clone(), e.key_end.clone(), e.flags);
            set.elements.sort_by_cached_key(place);
        }
        table
    }
}

fn start_anew(expr: &mut Expr) {
    match expr {
        Expr::Counter { packets, bytes } => (*packets, *bytes) = (0, 0),
        Expr::Quota { consumed, .. } => *consumed = 0,
        Expr::Last { ago } => *ago = None,
        _ => {}
    }
}

/// NFPROTO_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum Family {
    Inet,
    Ip,
    Arp,
    Netdev,
    Bridge,
    Ip6,
}

impl Family {
    /// As `nft` writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Ip => "ip",
            Self::Arp => "arp",
            Self::Netdev => "netdev",
            Self::Bridge => "bridge",
            Self::Ip6 => "ip6",
        }
    }
}

/// A chain; a base chain if `base` is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// Where it hooks in.
    pub base: Option<BaseChain>,
    /// Rules in order.
    pub rules: Vec<Rule>,
}

/// What makes a chain a base chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseChain {
    /// The hook.
    pub hook: Hook,
    /// Lower runs first; −200 is conntrack's.
    pub priority: i32,
    /// `filter`, `nat` or `route`.
    pub kind: String,
    /// What happens to a packet that no rule decides.
    pub policy: Policy,
    /// Links it is bound to (netdev family only).
    pub devices: Vec<String>,
}

/// NF_INET_* and kin. In the netdev family, 0 is ingress and 1 egress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum Hook {
    Prerouting,
    Input,
    Forward,
    Output,
    Postrouting,
    Ingress,
    Egress,
}

impl Hook {
    /// As `nft` writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prerouting => "prerouting",
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Output => "output",
            Self::Postrouting => "postrouting",
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// Policy of a base chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are nft's")]
pub enum Policy {
    #[default]
    Accept,
    Drop,
}

/// A rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The kernel's handle, unique in its table; 0 in a rule not yet written.
    pub handle: u64,
    /// What it does, in order; a failed comparison ends it.
    pub exprs: Vec<Expr>,
    /// NFTA_RULE_COMPAT, which iptables-nft always sends. None in every rule that was read: the
    /// kernel does not give it back.
    pub compat: Option<Compat>,
    /// NFTA_RULE_USERDATA, raw (a comment, for `nft`).
    pub userdata: Vec<u8>,
}

/// NFTA_RULE_COMPAT: what xt extensions are told of the rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compat {
    /// `-p`: IP protocol, 0 for any.
    pub protocol: u32,
    /// NFT_RULE_COMPAT_F_* (2: the protocol is inverted).
    pub flags: u32,
}
