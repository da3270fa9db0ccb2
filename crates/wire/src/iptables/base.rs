//! iptables' tables: their base chains, and a whole table from its rules' texts.

use model::{BaseChain, Chain, Data, Expr, Family, Hook, Policy, Table, Verdict};

use super::error::{ParseError, nearest};
use super::parser::{Tool, parse};
use crate::legacy;

/// The tables of iptables.
const TABLES: [&str; 4] = ["raw", "mangle", "nat", "filter"];

/// A chain to be made: its rules as iptables writes them, without `-A CHAIN`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainSpec {
    /// Its name; that of a base chain means that one.
    pub name: String,
    /// Policy, of a base chain only. None: ACCEPT.
    pub policy: Option<Policy>,
    /// Its rules, in order.
    pub rules: Vec<String>,
}

/// Why a table cannot be made so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// No table of that name.
    #[error("iptables has no table `{name}` (it has raw, mangle, nat and filter)")]
    UnknownTable {
        /// Its name.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A rule cannot be understood.
    #[error("table {table}, chain {chain}, rule {number}: {error}")]
    Rule {
        /// Its table.
        table: String,
        /// Its chain.
        chain: String,
        /// Its place, from 1.
        number: usize,
        /// What is wrong.
        error: Box<ParseError>,
    },
    /// A rule jumps to a chain that there is not.
    #[error("table {table}, chain {chain}, rule {number}: there is no chain or target `{to}`{}",
            .nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    NoSuchChain {
        /// Its table.
        table: String,
        /// Its chain.
        chain: String,
        /// Its place, from 1.
        number: usize,
        /// Where to.
        to: Box<str>,
        /// What was probably meant.
        nearest: Option<Box<str>>,
    },
    /// A policy on a chain that is no base chain.
    #[error("table {table}: chain {chain} is no base chain, and so has no policy")]
    PolicyOfUserChain {
        /// Its table.
        table: String,
        /// Its name.
        chain: String,
    },
    /// The same chain twice.
    #[error("table {table}: chain {chain} is given twice")]
    Twice {
        /// Its table.
        table: String,
        /// Its name.
        chain: String,
    },
    /// A rule of iptables-legacy has more bytes than its head can tell of.
    #[error("table {table}: a rule is longer than iptables-legacy can write")]
    TooLong {
        /// Its table.
        table: String,
    },
    /// Not a name that iptables takes.
    #[error("table {table}: `{chain}` cannot be the name of a chain")]
    BadName {
        /// Its table.
        table: String,
        /// The name.
        chain: String,
    },
}

/// The base chains of an iptables table, in the order in which iptables makes them, with policy
/// ACCEPT and no rules. None if iptables has no such table.
#[must_use]
pub fn base_chains(table: &str) -> Option<Vec<Chain>> {
    use Hook::{Forward, Input, Output, Postrouting, Prerouting};
    let hooks: &[(Hook, i32)] = match table {
        "raw" => &[(Prerouting, -300), (Output, -300)],
        "mangle" => &[
            (Prerouting, -150),
            (Input, -150),
            (Forward, -150),
            (Output, -150),
            (Postrouting, -150),
        ],
        "nat" => &[(Prerouting, -100), (Input, 100), (Output, -100), (Postrouting, 100)],
        "filter" => &[(Input, 0), (Forward, 0), (Output, 0)],
        _ => return None,
    };
    Some(hooks.iter().map(|(hook, priority)| base_chain(table, *hook, *priority)).collect())
}

fn base_chain(table: &str, hook: Hook, priority: i32) -> Chain {
    let kind = match (table, hook) {
        ("nat", _) => "nat",
        // So that a packet whose mark or address changes there is routed again.
        ("mangle", Hook::Output) => "route",
        _ => "filter",
    };
    let base = BaseChain {
        hook,
        priority,
        kind: kind.to_owned(),
        policy: Policy::Accept,
        devices: Vec::new(),
    };
    Chain { name: hook.as_str().to_uppercase(), base: Some(base), rules: Vec::new() }
}

/// The table as iptables-nft would have written it: all its base chains, then the others in the
/// order given.
///
/// # Errors
/// The first thing that is wrong, with its table, chain and rule.
pub fn table(name: &str, chains: &[ChainSpec]) -> Result<Table, TableError> {
    table_of(Tool::default(), name, chains)
}

/// The same of ip6tables-nft.
///
/// # Errors
/// The first thing that is wrong, with its table, chain and rule.
pub fn table6(name: &str, chains: &[ChainSpec]) -> Result<Table, TableError> {
    table_of(Tool { ipv6: true, legacy: false }, name, chains)
}

/// The table as iptables-legacy (of IPv6: ip6tables-legacy) would have written it, in the form in which it is read: called `legacy NAME`.
///
/// # Errors
/// The first thing that is wrong, with its table, chain and rule.
pub fn legacy_table(ipv6: bool, name: &str, chains: &[ChainSpec]) -> Result<Table, TableError> {
    let mut table = table_of(Tool { ipv6, legacy: true }, name, chains)?;
    table.name = format!("{}{name}", legacy::PREFIX);
    // The kernel's own first, the others by name.
    table.chains.sort_by_key(|chain| chain.base.is_none().then(|| chain.name.clone()));
    legacy::as_read(&table).ok_or_else(|| TableError::TooLong { table: name.to_owned() })
}

fn table_of(tool: Tool, name: &str, chains: &[ChainSpec]) -> Result<Table, TableError> {
    let family = if tool.ipv6 { Family::Ip6 } else { Family::Ip };
    let mut table = Table::new(family, name);
    table.chains = base_chains(name).ok_or_else(|| TableError::UnknownTable {
        name: name.to_owned(),
        nearest: nearest(name, TABLES),
    })?;
    for (index, spec) in chains.iter().enumerate() {
        if chains[..index].iter().any(|c| c.name == spec.name) {
            return Err(TableError::Twice { table: name.to_owned(), chain: spec.name.clone() });
        }
        add_chain(&mut table, spec, tool)?;
    }
    check_jumps(&table)?;
    Ok(table)
}

fn add_chain(table: &mut Table, spec: &ChainSpec, tool: Tool) -> Result<(), TableError> {
    check_name(&table.name, spec)?;
    if !table.chains.iter().any(|c| c.name == spec.name) {
        table.chains.push(Chain { name: spec.name.clone(), base: None, rules: Vec::new() });
    }
    let Some(chain) = table.chains.iter_mut().find(|c| c.name == spec.name) else { return Ok(()) };
    match (&mut chain.base, spec.policy) {
        (Some(base), policy) => base.policy = policy.unwrap_or_default(),
        (None, None) => {}
        (None, Some(_)) => {
            let (table, chain) = (table.name.clone(), spec.name.clone());
            return Err(TableError::PolicyOfUserChain { table, chain });
        }
    }
    for (number, text) in (1..).zip(&spec.rules) {
        let rule =
            parse(&table.name, &spec.name, text, tool).map_err(|error| TableError::Rule {
                table: table.name.clone(),
                chain: spec.name.clone(),
                number,
                error: Box::new(error),
            })?;
        chain.rules.push(rule);
    }
    Ok(())
}

/// A chain may not have the name of a verdict, nor one that is no word.
fn check_name(table: &str, spec: &ChainSpec) -> Result<(), TableError> {
    let name = &spec.name;
    let taken = ["ACCEPT", "DROP", "RETURN", "QUEUE"].contains(&name.as_str());
    let odd = name.is_empty() || name.len() > 28 || name.starts_with(['-', '!']);
    if taken || odd || name.contains(char::is_whitespace) || name.contains(char::is_control) {
        return Err(TableError::BadName { table: table.to_owned(), chain: name.clone() });
    }
    Ok(())
}

fn check_jumps(table: &Table) -> Result<(), TableError> {
    for chain in &table.chains {
        for (number, rule) in (1..).zip(&chain.rules) {
            let Some(to) = rule.exprs.iter().find_map(jump) else { continue };
            if table.chain(to).is_none_or(|c| c.base.is_some()) {
                let known = table.chains.iter().filter(|c| c.base.is_none());
                let known = known.map(|c| c.name.as_str()).chain(super::targets::NAMES);
                return Err(TableError::NoSuchChain {
                    table: table.name.clone(),
                    chain: chain.name.clone(),
                    number,
                    to: to.into(),
                    nearest: nearest(to, known).map(String::into_boxed_str),
                });
            }
        }
    }
    Ok(())
}

fn jump(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Immediate { data: Data::Verdict(Verdict::Jump(to) | Verdict::Goto(to)), .. } => {
            Some(to)
        }
        _ => None,
    }
}
