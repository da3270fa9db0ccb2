//! The one place that turns iptables' words into nftables expressions (crate `wire` does the work).

use model::Policy;
use wire::iptables::{ChainSpec, TableError, legacy_table, table, table6};

use crate::error::Problem;
use crate::node::{At, Said};

/// Whose tables they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    /// Of ip6tables.
    pub(crate) ipv6: bool,
    /// Of iptables-legacy; else of iptables-nft.
    pub(crate) legacy: bool,
}

impl Tool {
    /// All there are.
    pub(crate) const ALL: [Self; 4] = [
        Self::IPTABLES,
        Self { ipv6: true, legacy: false },
        Self { ipv6: false, legacy: true },
        Self { ipv6: true, legacy: true },
    ];
    /// iptables-nft, of IPv4.
    pub(crate) const IPTABLES: Self = Self { ipv6: false, legacy: false };

    /// The key of its tables in a lab file.
    pub(crate) const fn key(self) -> &'static str {
        match (self.ipv6, self.legacy) {
            (false, false) => "iptables",
            (true, false) => "ip6tables",
            (false, true) => "iptables_legacy",
            (true, true) => "ip6tables_legacy",
        }
    }

    /// What it is called itself.
    const fn name(self) -> &'static str {
        match (self.ipv6, self.legacy) {
            (false, true) => "iptables-legacy",
            (true, true) => "ip6tables-legacy",
            _ => self.key(),
        }
    }
}

/// An iptables table in words.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) at: At,
    pub(crate) tool: Tool,
    pub(crate) name: String,
    pub(crate) chains: Vec<Chain>,
}

/// A chain in words.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    at: At,
    name: String,
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

    /// The table as the kernel keeps it, all its base chains there.
    ///
    /// # Errors
    /// The first rule or chain that is wrong, and its place in the file.
    pub(crate) fn encoded(&self) -> Result<model::Table, (At, Problem)> {
        let policy = |drop: bool| if drop { Policy::Drop } else { Policy::Accept };
        let specs = self.chains.iter().map(|c| ChainSpec {
            name: c.name.clone(),
            policy: c.drop.map(policy),
            rules: c.rules.iter().map(|r| r.what.clone()).collect(),
        });
        let specs: Vec<ChainSpec> = specs.collect();
        let encoded = match self.tool {
            Tool { ipv6, legacy: true } => legacy_table(ipv6, &self.name, &specs),
            Tool { ipv6: true, .. } => table6(&self.name, &specs),
            Tool { ipv6: false, .. } => table(&self.name, &specs),
        };
        encoded.map_err(|error| (self.place(&error), self.problem(&error)))
    }

    fn problem(&self, error: &TableError) -> Problem {
        let tool = self.tool.name();
        Problem::Iptables { tool, what: error.to_string() }
    }

    /// Where in the file the wrong thing stands.
    fn place(&self, error: &TableError) -> At {
        let chain = |name: &str| self.chains.iter().find(|c| c.name == name);
        let found = match error {
            TableError::Rule { chain: name, number, .. }
            | TableError::NoSuchChain { chain: name, number, .. } => chain(name)
                .map(|c| c.rules.get(number.wrapping_sub(1)).map_or(c.at, |rule| rule.at)),
            TableError::PolicyOfUserChain { chain: name, .. }
            | TableError::Twice { chain: name, .. }
            | TableError::BadName { chain: name, .. } => chain(name).map(|c| c.at),
            TableError::UnknownTable { .. } | TableError::TooLong { .. } => None,
        };
        found.unwrap_or(self.at)
    }
}

/// The table of that name, made if it is not there.
pub(crate) fn find<'t>(
    tables: &'t mut Vec<Table>,
    tool: Tool,
    name: &str,
    at: At,
) -> &'t mut Table {
    let is = |t: &Table| t.name == name && t.tool == tool;
    let place = tables.iter().position(is).unwrap_or_else(|| {
        tables.push(Table { at, tool, name: name.to_owned(), chains: Vec::new() });
        tables.len() - 1
    });
    &mut tables[place]
}

#[cfg(test)]
impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "*{}", self.name)?;
        for chain in &self.chains {
            writeln!(f, ":{} {:?}", chain.name, chain.drop)?;
        }
        for chain in &self.chains {
            for rule in &chain.rules {
                writeln!(f, "-A {} {}", chain.name, rule.what)?;
            }
        }
        Ok(())
    }
}
