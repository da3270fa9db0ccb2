//! The one place that turns iptables' words into nftables expressions (crate `wire` does the work).

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
    let _ = table;
    Ok(model::Table::new(model::Family::Ip, &table.name))
}
