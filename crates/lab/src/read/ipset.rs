//! `ipsets:` of a namespace: sets of ipset, their entries in the words of `ipset add`.

use std::collections::HashSet;

use model::Family;
use wire::ipset_text;

use super::{Fields, entries, items, text};
use crate::error::{Errors, Problem};
use crate::file::IpSetEntry;
use crate::node::{Node, Said, Value};

/// What a set says beside its type, its family and its entries: options of `ipset create`.
const OPTIONS: [&str; 11] = [
    "range", "netmask", "bitmask", "markmask", "hashsize", "maxelem", "size", "timeout",
    "counters", "comment", "skbinfo",
];

pub(super) fn sets(node: &Node, errors: &mut Errors) -> Vec<IpSetEntry> {
    let all = entries(node, "ipsets", errors);
    all.iter().filter_map(|(name, node)| set(name, node, errors)).collect()
}

fn set(name: &Said<String>, node: &Node, errors: &mut Errors) -> Option<IpSetEntry> {
    let keys: Vec<&str> = ["type", "family", "entries"].into_iter().chain(OPTIONS).collect();
    let fields = Fields::open(node, "an ipset", &keys, errors)?;
    let kind = fields.needed("type", "it says what the ipset holds", errors)?;
    let kind = text(kind, "type", errors)?;
    let family = match fields.get("family") {
        None => None,
        Some(node) => Some(family(&text(node, "family", errors)?, errors)?),
    };
    let mut options = Vec::new();
    for key in OPTIONS {
        let Some(node) = fields.get(key) else { continue };
        if let Value::Bool(on) = node.what {
            options.extend(on.then(|| (key.to_owned(), String::new())));
        } else {
            options.push((key.to_owned(), text(node, key, errors)?.what));
        }
    }
    let made = ipset_text::set(&name.what, &kind.what, family);
    let made = made.and_then(|set| ipset_text::with_options(set, &options));
    let mut set = match made {
        Ok(set) => set,
        Err(error) => {
            errors.push(name.at, Problem::IpSet { what: error.to_string() });
            return None;
        }
    };
    let mut given = HashSet::new();
    for node in fields.get("entries").map_or(&[][..], |n| items(n, "entries", errors)) {
        let said = text(node, "entries", errors)?;
        match ipset_text::add(&set, &said.what) {
            Ok(more) => {
                for entry in more {
                    let element = ipset_text::element(&set, &entry);
                    if !given.insert(element.clone()) {
                        let what = format!("`{element}` is given already: leave it out");
                        errors.push(said.at, Problem::IpSet { what });
                        break;
                    }
                    set.entries.push(entry);
                }
            }
            Err(error) => errors.push(said.at, Problem::IpSet { what: error.to_string() }),
        }
    }
    Some(IpSetEntry { at: name.at, set })
}

fn family(said: &Said<String>, errors: &mut Errors) -> Option<Family> {
    match said.what.as_str() {
        "inet" => Some(Family::Ip),
        "inet6" => Some(Family::Ip6),
        other => {
            let hint = "inet or inet6 is wanted".to_owned();
            let found = other.to_owned();
            errors.push(said.at, Problem::BadValue { what: "family of an ipset", found, hint });
            None
        }
    }
}
