//! `nft:` of a namespace: tables of nftables, their rules in nft's words.

use wire::nft_text::{ChainSpec, SetSpec, TableSpec, family};

use super::{Fields, entries, items, text};
use crate::error::{Errors, Problem};
use crate::file::NftEntry;
use crate::node::{At, Node, Said, Value};

pub(super) fn tables(node: &Node, errors: &mut Errors) -> Vec<NftEntry> {
    let all = entries(node, "nft", errors);
    all.iter().filter_map(|(name, node)| table(name, node, errors)).collect()
}

/// `FAMILY NAME: {sets, chains}`.
fn table(name: &Said<String>, node: &Node, errors: &mut Errors) -> Option<NftEntry> {
    let words = name.what.split_once(' ').filter(|(_, name)| is_name(name));
    let Some((family, own)) = words.and_then(|(word, name)| Some((family(word)?, name))) else {
        let hint = "a family (inet, ip, ip6, arp, bridge, netdev) and a name are wanted".to_owned();
        let found = name.what.clone();
        errors.push(name.at, Problem::BadValue { what: "nft table", found, hint });
        return None;
    };
    let fields = Fields::open(node, "a table", &["sets", "chains"], errors)?;
    let spec = TableSpec { family, name: own.to_owned(), sets: Vec::new(), chains: Vec::new() };
    let mut entry = NftEntry { at: name.at, spec, sets: Vec::new(), chains: Vec::new() };
    for (name, node) in fields.get("sets").map_or(&[][..], |n| entries(n, "sets", errors)) {
        if let Some(spec) = set(name, node, errors) {
            entry.sets.push(name.at);
            entry.spec.sets.push(spec);
        }
    }
    for (name, node) in fields.get("chains").map_or(&[][..], |n| entries(n, "chains", errors)) {
        if let Some((spec, rules)) = chain(name, node, errors) {
            entry.chains.push((name.at, rules));
            entry.spec.chains.push(spec);
        }
    }
    Some(entry)
}

/// NFT_NAME_MAXLEN is longer; nft itself takes names as these without quotes.
fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    !name.is_empty() && name.len() < 128 && name.chars().all(good)
}

fn set(name: &Said<String>, node: &Node, errors: &mut Errors) -> Option<SetSpec> {
    let fields = Fields::open(node, "a set", &["type", "map", "elements"], errors)?;
    let Some(key) = fields.get("type") else {
        let (of, key) = (name.what.clone(), "type");
        let why = "it says what the set holds";
        errors.push(name.at, Problem::MissingKey { of, key, why });
        return None;
    };
    let elements = fields.get("elements").map_or(&[][..], |n| items(n, "elements", errors));
    Some(SetSpec {
        name: name.what.clone(),
        key: text(key, "type", errors)?.what,
        value: fields.get("map").and_then(|n| text(n, "map", errors)).map(|said| said.what),
        elements: words(elements, "elements", errors).into_iter().map(|said| said.what).collect(),
    })
}

/// A list of rules, or a map with `hook:`, `policy:` and `rules:`.
fn chain(name: &Said<String>, node: &Node, errors: &mut Errors) -> Option<(ChainSpec, Vec<At>)> {
    let mut spec =
        ChainSpec { name: name.what.clone(), hook: None, drop: false, rules: Vec::new() };
    let rules = if let Value::Map(_) = node.what {
        let fields = Fields::open(node, "a chain", &["hook", "policy", "rules"], errors)?;
        spec.hook = fields.get("hook").and_then(|n| text(n, "hook", errors)).map(|said| said.what);
        spec.drop = fields.get("policy").is_some_and(|n| drops(n, errors));
        fields.get("rules").map_or(&[][..], |n| items(n, "rules", errors))
    } else {
        items(node, "rules", errors)
    };
    let rules = words(rules, "rules", errors);
    let places = rules.iter().map(|said| said.at).collect();
    spec.rules = rules.into_iter().map(|said| said.what).collect();
    Some((spec, places))
}

fn words(nodes: &[Node], of: &str, errors: &mut Errors) -> Vec<Said<String>> {
    nodes.iter().filter_map(|n| text(n, of, errors)).collect()
}

fn drops(node: &Node, errors: &mut Errors) -> bool {
    let Some(said) = text(node, "policy", errors) else { return false };
    if !["accept", "drop"].contains(&said.what.as_str()) {
        let hint = "accept or drop is wanted".to_owned();
        let found = said.what.clone();
        errors.push(said.at, Problem::BadValue { what: "policy", found, hint });
    }
    said.what == "drop"
}
