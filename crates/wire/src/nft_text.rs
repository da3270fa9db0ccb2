//! nftables in nft's words: a table's sets, chains and rules become what the kernel keeps.
//!
//! What is understood is the part of nft's language that says one thing in one way: selectors of
//! the headers, `meta`, `ct`, `fib` and `numgen`; values, prefixes, ranges, sets, concatenations,
//! verdict maps; verdicts, translations, marks. The expressions are those that nft 1.0.6 writes.
//! Everything else is refused by its word.

mod field;
mod rule;
mod set;
mod statement;
mod value;
mod words;

use model::{BaseChain, Chain, Family, Hook, NftRule, Policy, Table};

pub use words::WordError;

/// A table in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    /// What packets it sees.
    pub family: Family,
    /// Its name.
    pub name: String,
    /// Sets and maps that have a name.
    pub sets: Vec<SetSpec>,
    /// Chains.
    pub chains: Vec<ChainSpec>,
}

/// A set or map in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetSpec {
    /// Its name.
    pub name: String,
    /// Types of its key: `ipv4_addr . inet_service`.
    pub key: String,
    /// Of a map, the type of its values: `verdict`, `ipv4_addr`.
    pub value: Option<String>,
    /// Elements: `10.0.0.0/24`, `10.0.0.1 . 80 : drop`.
    pub elements: Vec<String>,
}

/// A chain in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainSpec {
    /// Its name.
    pub name: String,
    /// Where it hooks in: `type filter hook forward priority 0`.
    pub hook: Option<String>,
    /// It drops what no rule decides.
    pub drop: bool,
    /// Rules in order.
    pub rules: Vec<String>,
}

/// A part of a table that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableError {
    /// Which.
    pub part: Part,
    /// Why.
    pub why: WordError,
}

/// A part of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The set of that name.
    Set(String),
    /// The hook of the chain of that name.
    Hook(String),
    /// A rule of the chain of that name, from 0.
    Rule(String, usize),
}

/// The table as the kernel keeps it.
///
/// # Errors
/// The first part of it that is not understood.
pub fn table(spec: &TableSpec) -> Result<Table, TableError> {
    let mut table = Table::new(spec.family, &spec.name);
    for one in &spec.sets {
        let part = |why| TableError { part: Part::Set(one.name.clone()), why };
        table.sets.push(set::named(one).map_err(part)?);
    }
    for one in &spec.chains {
        let part = |why| TableError { part: Part::Hook(one.name.clone()), why };
        let base = one.hook.as_deref().map(|words| hook(words, one.drop)).transpose();
        let base = base.map_err(part)?;
        table.chains.push(Chain { name: one.name.clone(), base, rules: Vec::new() });
    }
    for (nth, one) in spec.chains.iter().enumerate() {
        for (number, text) in one.rules.iter().enumerate() {
            let part = |why| TableError { part: Part::Rule(one.name.clone(), number), why };
            let exprs = rule::parse(text, &mut table).map_err(part)?;
            table.chains[nth].rules.push(NftRule { exprs, ..NftRule::default() });
        }
    }
    Ok(table)
}

/// `type filter hook ingress device eth0 priority 0`.
fn hook(text: &str, drop: bool) -> Result<BaseChain, WordError> {
    let mut words = words::Words::new(text)?;
    words.expect("type")?;
    let kind = words.next()?.text;
    words.expect("hook")?;
    let word = words.next()?;
    let hook = hook_named(&word.text).ok_or_else(|| word.wrong("is no hook"))?;
    let mut devices = Vec::new();
    while words.take("device") {
        devices.push(words.next()?.text);
    }
    words.expect("priority")?;
    let word = words.next()?;
    let priority = word.text.parse().map_err(|_| word.wrong("is no number"))?;
    words.end()?;
    let policy = if drop { Policy::Drop } else { Policy::Accept };
    Ok(BaseChain { hook, priority, kind, policy, devices })
}

fn hook_named(name: &str) -> Option<Hook> {
    use Hook::{Egress, Forward, Ingress, Input, Output, Postrouting, Prerouting};
    let all = [Prerouting, Input, Forward, Output, Postrouting, Ingress, Egress];
    all.into_iter().find(|hook| hook.as_str() == name)
}

/// The family of that name.
#[must_use]
pub fn family(name: &str) -> Option<Family> {
    use Family::{Arp, Bridge, Inet, Ip, Ip6, Netdev};
    [Inet, Ip, Arp, Netdev, Bridge, Ip6].into_iter().find(|family| family.as_str() == name)
}
