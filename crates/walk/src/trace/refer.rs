//! Chains, rules and filters, as steps name them.

use model::{Family, Hook, LinkId, NsId};

/// A chain of the ruleset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainRef {
    /// In which namespace.
    pub ns: NsId,
    /// Family of its table.
    pub family: Family,
    /// Its table.
    pub table: String,
    /// Its name.
    pub chain: String,
}

/// A rule of the ruleset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRef {
    /// Its chain.
    pub chain: ChainRef,
    /// Position in the chain, from 1.
    pub number: usize,
    /// The kernel's handle.
    pub handle: u64,
}

/// A filter of tc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterRef {
    /// Its link.
    pub link: LinkId,
    /// Before the link ([`Hook::Ingress`]) or behind it.
    pub hook: Hook,
    /// Its chain.
    pub chain: u32,
    /// Its priority there.
    pub priority: u32,
    /// The kernel's handle.
    pub handle: u32,
    /// Of which kind it is: `u32`, `flower`, …
    pub kind: String,
}
