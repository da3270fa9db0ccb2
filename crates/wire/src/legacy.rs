//! iptables-legacy: the blob of a table, as the kernel gives and takes it ↔ [`Table`].
//!
//! The rules are said as iptables-nft would write them: links, protocol and addresses as
//! expressions of nftables, matches and targets as `match` and `target`. The table is called
//! `legacy NAME`, which no table of nftables can be.

mod entry;
mod rule;
mod write;

use std::collections::BTreeMap;

use model::{BaseChain, Chain, Family, Hook, NftRule, Policy, Table, Verdict};

use entry::{Entry, Kind};
pub use write::{Replace, as_read, replace};

/// sizeof(struct ipt_getinfo), which is also that of IPv6's.
pub const INFO: usize = 84;
/// What the names of these tables begin with.
pub const PREFIX: &str = model::LEGACY;

/// struct ipt_getinfo.
struct Info {
    name: String,
    hooks: u32,
    /// Offsets of the first entry of each hook.
    first: [u32; 5],
    /// Of the policy of each.
    policy: [u32; 5],
}

/// The table that the answers to IPT_SO_GET_INFO and IPT_SO_GET_ENTRIES (without its head) tell of;
/// None if they are not understood.
#[must_use]
pub fn table(family: Family, info: &[u8], entries: &[u8]) -> Option<Table> {
    let info = Info::parse(info)?;
    let layout = entry::Layout::of(family)?;
    let all: BTreeMap<u32, Entry<'_>> = entry::all(layout, entries)?;
    let mut table = Table::new(family, &format!("{PREFIX}{}", info.name));
    for hook in (0..5_usize).filter(|n| info.hooks & (1 << n) != 0) {
        table.chains.push(base(&info, hook, &all)?);
    }
    let own = chains(&all);
    for (offset, name) in &own {
        table.chains.push(Chain {
            name: name.clone(),
            base: None,
            rules: rules(*offset, u32::MAX, &all, &own)?,
        });
    }
    for (chain, hook) in table.chains.iter_mut().zip((0..5).filter(|n| info.hooks & (1 << n) != 0))
    {
        chain.rules = rules(info.first[hook], info.policy[hook], &all, &own)?;
    }
    Some(table)
}

impl Info {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let five = |at: usize| {
            Some([word(at)?, word(at + 4)?, word(at + 8)?, word(at + 12)?, word(at + 16)?])
        };
        Some(Self {
            name: entry::text(bytes.get(..32)?),
            hooks: word(32)?,
            first: five(36)?,
            policy: five(56)?,
        })
    }
}

/// Where the chains of one's own begin, and their names: each behind an entry that says so. The last
/// such entry ends the table.
fn chains(all: &BTreeMap<u32, Entry<'_>>) -> BTreeMap<u32, String> {
    let named = |(_, entry): (&u32, &Entry<'_>)| match &entry.kind {
        Kind::Begins(name) => Some((entry.next, name.clone())),
        _ => None,
    };
    let mut found: BTreeMap<u32, String> = all.iter().filter_map(named).collect();
    found.retain(|offset, _| all.contains_key(offset));
    found
}

/// From one entry to that which ends the chain: the one before the next chain's, or the policy.
fn rules(
    from: u32,
    policy: u32,
    all: &BTreeMap<u32, Entry<'_>>,
    chains: &BTreeMap<u32, String>,
) -> Option<Vec<NftRule>> {
    let mut out = Vec::new();
    for (offset, entry) in all.range(from..) {
        // A chain of one's own ends with a return that nobody wrote.
        let last = all.get(&entry.next).is_none_or(|next| matches!(next.kind, Kind::Begins(_)));
        if *offset == policy || matches!(entry.kind, Kind::Begins(_)) || policy == u32::MAX && last
        {
            return Some(out);
        }
        let handle = u64::try_from(out.len()).ok()? + 1;
        let exprs = rule::exprs(entry, chains)?;
        out.push(NftRule { handle, exprs, ..NftRule::default() });
    }
    Some(out)
}

fn base(info: &Info, hook: usize, all: &BTreeMap<u32, Entry<'_>>) -> Option<Chain> {
    const HOOKS: [(&str, Hook); 5] = [
        ("PREROUTING", Hook::Prerouting),
        ("INPUT", Hook::Input),
        ("FORWARD", Hook::Forward),
        ("OUTPUT", Hook::Output),
        ("POSTROUTING", Hook::Postrouting),
    ];
    let (name, at) = HOOKS[hook];
    let policy = match &all.get(&info.policy[hook])?.kind {
        Kind::Verdict(Verdict::Drop) => Policy::Drop,
        Kind::Verdict(Verdict::Accept) => Policy::Accept,
        _ => return None,
    };
    let nat = info.name == "nat";
    let priority = match (info.name.as_str(), at) {
        ("raw", _) => -300,
        ("mangle", _) => -150,
        ("nat", Hook::Prerouting | Hook::Output) => -100,
        ("nat", _) => 100,
        ("security", _) => 50,
        _ => 0,
    };
    let route = info.name == "mangle" && at == Hook::Output;
    let kind = if nat {
        "nat"
    } else if route {
        "route"
    } else {
        "filter"
    }
    .to_owned();
    let base = Some(BaseChain { hook: at, priority, kind, policy, devices: Vec::new() });
    Some(Chain { name: name.to_owned(), base, rules: Vec::new() })
}
