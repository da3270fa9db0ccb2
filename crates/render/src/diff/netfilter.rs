use model::diff::{TableRef, Turn, What};
use model::{BaseChain, Chain, IpSet, Namespace, Set, SetElement, Table};

use super::said::{Said, Sides};
use crate::{rule_text, words};

pub(super) fn say(sides: &Sides<'_>, what: &What) -> Said {
    match what {
        What::Table(turn) => table(sides, turn),
        What::Chain { table, turn } => {
            let gone = matches!(**turn, Turn::Vanished(_));
            let mut said = sides.thing("chain", turn, |_, c| chain(sides, gone, table, c));
            said.text = said.text.replacen(':', &format!(" in {}:", name(table)), 1);
            said
        }
        What::NftRule { table, chain, turn } => {
            let mut said = sides.thing("rule", turn, |late, n| {
                rule(sides.side(late), table, chain, *n).unwrap_or_default()
            });
            said.text = said.text.replacen(':', &format!(" in {} {chain}:", name(table)), 1);
            said
        }
        What::Set { table, turn, more, less } => {
            let mut said = sides.thing("set", turn, |_, name| name.clone());
            let set = set(sides, table, turn);
            let elements = elements(set, more, less);
            let name = name(table);
            said.text = match turn {
                Turn::Appeared(s) => format!("set appeared in {name}: {s}{elements}"),
                Turn::Vanished(s) => format!("set vanished in {name}: {s}{elements}"),
                Turn::Changed { after, .. } => format!("set changed in {name}: {after}{elements}"),
            };
            said
        }
        What::IpSet(turn) => {
            let mut said = sides.thing("ipset", turn, |_, set| words::ipset(set));
            if let Turn::Changed { before, after } = &**turn {
                said.text = format!("ipset changed: {}{}", after.name, entries(before, after));
            }
            said
        }
        What::Flowtable { table, turn } => {
            let mut said = sides.thing("flowtable", turn, |_, name| name.clone());
            said.text = said.text.replacen(':', &format!(" in {}:", name(table)), 1);
            said
        }
        _ => sides.blank("netfilter", super::Action::Changed),
    }
}

impl Sides<'_> {
    fn side(&self, late: bool) -> Option<&Namespace> {
        if late { self.is } else { self.was }
    }
}

fn name(table: &TableRef) -> String {
    format!("{} {}", table.family.as_str(), table.name)
}

fn of<'a>(ns: Option<&'a Namespace>, table: &TableRef) -> Option<&'a Table> {
    ns?.ruleset.table(table.family, &table.name)
}

fn table(sides: &Sides<'_>, turn: &Turn<TableRef>) -> Said {
    let mut said = sides.thing("table", turn, |late, t| {
        let found = of(sides.side(late), t);
        let dormant = found.is_some_and(|t| t.flags & 1 == 1);
        format!("{}{}", name(t), if dormant { ", dormant" } else { "" })
    });
    if let Turn::Vanished(t) = turn
        && let Some(table) = of(sides.was, t)
    {
        let rules: usize = table.chains.iter().map(|c| c.rules.len()).sum();
        let chains = table.chains.len();
        said.text.push_str(&format!(
            ", with {} and {}",
            count(chains, "chain"),
            count(rules, "rule")
        ));
    }
    said
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn chain(
    sides: &Sides<'_>,
    gone: bool,
    table: &TableRef,
    (name, base): &(String, Option<BaseChain>),
) -> String {
    let chain = Chain { name: name.clone(), base: base.clone(), rules: Vec::new() };
    let head = rule_text::chain_header(table.family, &table.name, &chain);
    let mut text = head.trim_start_matches(['C', 'c']).trim_start_matches("hain ").to_owned();
    let rules = of(sides.was, table).and_then(|t| t.chain(name)).map(|c| c.rules.len());
    if let Some(rules) = rules.filter(|n| gone && *n > 0) {
        text.push_str(&format!(", with {}", count(rules, "rule")));
    }
    text
}

fn rule(ns: Option<&Namespace>, table: &TableRef, chain: &str, place: usize) -> Option<String> {
    let table = of(ns, table)?;
    Some(rule_text::rule_in(table, table.chain(chain)?.rules.get(place)?))
}

fn set<'a>(sides: &'a Sides<'_>, table: &TableRef, turn: &Turn<String>) -> Option<&'a Set> {
    let (late, name) = match turn {
        Turn::Appeared(name) | Turn::Changed { after: name, .. } => (true, name),
        Turn::Vanished(name) => (false, name),
    };
    of(sides.side(late), table)?.sets.iter().find(|s| s.name == *name)
}

/// What a set has more and what less, and what else it was made with.
fn entries(before: &IpSet, after: &IpSet) -> String {
    let missing = |from: &IpSet, of: &IpSet| -> Vec<String> {
        let gone = from.entries.iter().filter(|entry| !of.entries.contains(entry));
        gone.map(|entry| wire::ipset_text::entry(from, entry)).collect()
    };
    let text = |sign: &str, entries: Vec<String>| match entries.len() {
        0 => String::new(),
        1..=8 => format!(" {sign} {}", entries.join(", ")),
        n => format!(" {sign} {n} entries"),
    };
    let made = |set: &IpSet| format!("{} {}", set.kind, wire::ipset_text::options(set));
    let (was, is) = (made(before), made(after));
    let other =
        if was == is { String::new() } else { format!(" {} → {}", was.trim(), is.trim()) };
    other + &text("+", missing(after, before)) + &text("-", missing(before, after))
}

fn elements(set: Option<&Set>, more: &[SetElement], less: &[SetElement]) -> String {
    let text = |sign: &str, elements: &[SetElement]| {
        if elements.is_empty() {
            return String::new();
        }
        let known = set
            .and_then(|s| rule_text::elements(&Set { elements: elements.to_vec(), ..s.clone() }));
        let few = known.filter(|_| elements.len() <= 8);
        format!(" {sign}{}", few.unwrap_or_else(|| count(elements.len(), "element")))
    };
    format!("{}{}", text("+ ", more), text("- ", less))
}
