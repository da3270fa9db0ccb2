//! `iptables:`, `ip6tables:` and the same of iptables-legacy, of a namespace; the rules themselves are read when the tables are made.

use super::{Fields, entries, items, text};
use crate::error::{Errors, Problem, best};
use crate::file::{ChainEntry, TableEntry};
use crate::firewall::Tool;
use crate::node::{Node, Said, Value};

const TABLES: [&str; 4] = ["filter", "nat", "mangle", "raw"];

pub(super) fn tables(tool: Tool, node: &Node, errors: &mut Errors) -> Vec<TableEntry> {
    let key = tool.key();
    let mut tables = Vec::new();
    for (name, node) in entries(node, key, errors) {
        if !TABLES.contains(&name.what.as_str()) {
            let nearest = best(&name.what, TABLES).map_or("", |(n, _)| n);
            let hint = format!("did you mean {nearest:?}? There are filter, nat, mangle and raw");
            let found = name.what.clone();
            errors.push(name.at, Problem::BadValue { what: "iptables table", found, hint });
            continue;
        }
        let mut table =
            TableEntry { at: name.at, tool, name: name.what.clone(), chains: Vec::new() };
        for (chain, node) in entries(node, &name.what, errors) {
            if own_elsewhere(&name.what, &chain.what) {
                let hint = format!("the table {} has no such chain of its own", name.what);
                let found = chain.what.clone();
                errors.push(chain.at, Problem::BadValue { what: "chain here", found, hint });
            }
            table.chains.extend(self::chain(chain, node, errors));
        }
        tables.push(table);
    }
    tables
}

/// A chain that other tables have by themselves, and this one has not.
fn own_elsewhere(table: &str, chain: &str) -> bool {
    let has = |table: &str| {
        wire::iptables::base_chains(table).is_some_and(|c| c.iter().any(|c| c.name == chain))
    };
    has("mangle") && !has(table)
}

/// A list of rules, or a map with `policy:` and `rules:`.
fn chain(name: &Said<String>, node: &Node, errors: &mut Errors) -> Option<ChainEntry> {
    let bytes = name.what.len();
    if bytes == 0 || bytes > 28 || name.what.contains(|c: char| c.is_whitespace() || c.is_control())
    {
        let hint = "1 to 28 bytes without blanks are wanted".to_owned();
        let found = name.what.clone();
        errors.push(name.at, Problem::BadValue { what: "chain name", found, hint });
        return None;
    }
    let mut chain =
        ChainEntry { at: name.at, name: name.what.clone(), drop: None, rules: Vec::new() };
    if let Value::Map(_) = node.what {
        let fields = Fields::open(node, "a chain", &["policy", "rules"], errors)?;
        chain.drop = fields.get("policy").and_then(|n| policy(n, errors));
        if let Some(node) = fields.get("rules") {
            chain.rules = rules(node, errors);
        }
    } else {
        chain.rules = rules(node, errors);
    }
    Some(chain)
}

fn rules(node: &Node, errors: &mut Errors) -> Vec<Said<String>> {
    items(node, "rules", errors).iter().filter_map(|n| text(n, "rules", errors)).collect()
}

fn policy(node: &Node, errors: &mut Errors) -> Option<bool> {
    let said = text(node, "policy", errors)?;
    match said.what.as_str() {
        "ACCEPT" => Some(false),
        "DROP" => Some(true),
        _ => {
            let hint = "ACCEPT or DROP is wanted".to_owned();
            errors.push(said.at, Problem::BadValue { what: "policy", found: said.what, hint });
            None
        }
    }
}
