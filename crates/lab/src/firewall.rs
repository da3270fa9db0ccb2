//! The one place that turns iptables' words into nftables expressions (crate `wire` does the work).

use model::Policy;
use wire::iptables::{self, ChainSpec, TableError};

use crate::error::Problem;
use crate::node::{At, Said};

/// An iptables table in words.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) at: At,
    pub(crate) name: String,
    pub(crate) chains: Vec<Chain>,
}

/// A chain in words.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) at: At,
    pub(crate) name: String,
    pub(crate) drop: Option<bool>,
    pub(crate) rules: Vec<Said<String>>,
}

impl Table {
    /// The chain of that name, made if it is not there.
    pub(crate) fn chain(&mut self, name: &str, at: At) -> &mut Chain {
        let place = self.chains.iter().position(|c| c.name == name);
        let place = place.unwrap_or_else(|| {
            self.chains.push(Chain { at, name: name.to_owned(), drop: None, rules: Vec::new() });
            self.chains.len() - 1
        });
        &mut self.chains[place]
    }
}

/// The table of that name, made with the chains that it has by itself if it is not there.
pub(crate) fn find<'t>(tables: &'t mut Vec<Table>, name: &str, at: At) -> &'t mut Table {
    let place = tables.iter().position(|t| t.name == name).unwrap_or_else(|| {
        let mut table = Table { at, name: name.to_owned(), chains: Vec::new() };
        let own = crate::read::TABLES.iter().find(|(n, _)| *n == name).map_or(&[][..], |(_, c)| c);
        for chain in own {
            table.chain(chain, at);
        }
        tables.push(table);
        tables.len() - 1
    });
    &mut tables[place]
}

/// The table as the kernel keeps it.
pub(crate) fn encode(table: &Table) -> Result<model::Table, (At, Problem)> {
    let spec = |chain: &Chain| ChainSpec {
        name: chain.name.clone(),
        policy: chain.drop.map(|drop| if drop { Policy::Drop } else { Policy::Accept }),
        rules: chain.rules.iter().map(|rule| rule.what.clone()).collect(),
    };
    let specs: Vec<ChainSpec> = table.chains.iter().map(spec).collect();
    iptables::table(&table.name, &specs).map_err(|error| locate(table, error))
}

/// The place in the file of what is wrong with a table.
fn locate(table: &Table, error: TableError) -> (At, Problem) {
    let place = |chain: &str, number: usize| {
        let found = table.chains.iter().find(|c| c.name == chain);
        let rule = found.and_then(|c| c.rules.get(number.wrapping_sub(1)));
        rule.map(|r| r.at).or_else(|| found.map(|c| c.at)).unwrap_or(table.at)
    };
    let (at, chain, why) = match error {
        TableError::Rule { chain, number, error, .. } => {
            (place(&chain, number), chain, error.to_string())
        }
        TableError::NoSuchChain { chain, number, to, .. } => {
            let problem = Problem::NoChain { table: table.name.clone(), chain: to.into() };
            return (place(&chain, number), problem);
        }
        other => {
            let chain = match &other {
                TableError::PolicyOfUserChain { chain, .. }
                | TableError::Twice { chain, .. }
                | TableError::BadName { chain, .. } => chain.clone(),
                _ => String::new(),
            };
            (place(&chain, 0), chain, other.to_string())
        }
    };
    (at, Problem::Iptables { table: table.name.clone(), chain, why })
}
