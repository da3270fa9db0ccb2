//! Sets of ipset: the kernel's messages and ipset's words.

use model::{IpSet, Ruleset, Table};
use wire::iptables::{self, ChainSpec};
use wire::{ipset, ipset_text};

use crate::section::sections;
use crate::views;

/// How many sets are asked, and entries printed: as many as a fuzzer has patience for.
const MOST: usize = 8;
/// What each set is asked.
const ASKED: [&str; 3] = ["src,src,dst", "dst,dst,src --return-nomatch", "src,dst,dst"];

/// `=== sets`: replies about sets, each of which packets are looked for in; they are written as requests,
/// too. `=== text`: lines of `ipset save`.
pub(crate) fn sets(data: &[u8]) {
    for section in sections(data) {
        match section.head {
            "sets" => replies(section.body),
            "text" => text(&String::from_utf8_lossy(section.body)),
            _ => {}
        }
    }
}

fn replies(bytes: &[u8]) {
    let _ = ipset::revision(bytes);
    let (sets, _) = ipset::decode(bytes);
    for set in &sets {
        let _ = ipset::request::create(set, &set.name, 0).bytes(1);
        for entry in &set.entries {
            let _ = ipset::request::add(&set.name, entry).bytes(1);
            let _ = ipset_text::entry(set, entry);
        }
    }
    if let Some(table) = asking(&sets) {
        views::through_sets(Ruleset { tables: vec![table], ..Ruleset::default() }, sets);
    }
}

/// A table whose rules ask each set.
fn asking(sets: &[IpSet]) -> Option<Table> {
    let rule = |sides: &str| format!("-m set --match-set s {sides} -j LOG");
    let rules = sets.iter().take(MOST).flat_map(|_| ASKED.map(rule)).collect();
    let chains = [ChainSpec { name: "FORWARD".to_owned(), policy: None, rules }];
    let mut table = iptables::table("filter", &chains).ok()?;
    let names = sets.iter().flat_map(|set| ASKED.map(|_| set.name.clone()));
    for (named, name) in table.ip_sets_mut().zip(names) {
        named.name = Some(name);
    }
    Some(table)
}

/// What is taken is printed, and taken again as the same.
fn text(text: &str) {
    let mut sets: Vec<IpSet> = Vec::new();
    for line in text.lines().take(64) {
        if let Some(rest) = line.strip_prefix("create ") {
            let Ok(set) = ipset_text::create(rest) else { continue };
            let words = format!("{} {} {}", set.name, set.kind, ipset_text::options(&set));
            let again = ipset_text::create(&words).map(|set| set.normalised());
            assert_eq!(again, Ok(set.normalised()), "what is printed is taken");
            sets.push(set);
        }
        let Some((name, rest)) = line.strip_prefix("add ").and_then(|l| l.split_once(' ')) else {
            continue;
        };
        let Some(set) = sets.iter().find(|set| set.name == name) else { continue };
        for entry in ipset_text::add(set, rest).unwrap_or_default().into_iter().take(MOST) {
            let entries = ipset_text::add(set, &ipset_text::entry(set, &entry));
            let with = |entries| IpSet { entries, ..set.clone() }.normalised();
            assert_eq!(entries.map(with), Ok(with(vec![entry])), "what is printed is taken");
        }
    }
}
