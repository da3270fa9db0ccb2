//! Rulesets: nftables' messages and expressions, xtables' structs, iptables-legacy's tables, and
//! rules as text.

use model::{Family, NftRule, Ruleset, Xt};
use wire::iptables::ChainSpec;
use wire::nft::{self, NftReplies};

use crate::section::sections;
use crate::views;

/// A list of expressions is read, written, and read again as the same.
pub(crate) fn expressions(data: &[u8]) {
    let exprs = nft::decode_exprs(data);
    let again = nft::decode_exprs(&nft::encode_exprs(&exprs));
    assert_eq!(again, exprs, "what is read is written");
    let rule = NftRule { exprs, ..NftRule::default() };
    for family in [Family::Ip, Family::Inet, Family::Bridge] {
        let _ = render::rule_text::rule(family, "filter", &rule);
        let _ = render::rule_text::rule(family, "t", &rule);
    }
}

/// The replies of a ruleset: `tables`, `chains`, `rules`, `sets`, `elements`, `flowtables`.
fn replies(data: &[u8]) -> NftReplies {
    let mut replies = NftReplies::default();
    for section in sections(data) {
        let reply = match section.head {
            "generation" => &mut replies.generation,
            "tables" => &mut replies.tables,
            "chains" => &mut replies.chains,
            "rules" => &mut replies.rules,
            "sets" => &mut replies.sets,
            "elements" => &mut replies.elements,
            "flowtables" => &mut replies.flowtables,
            _ => continue,
        };
        reply.extend_from_slice(section.body);
    }
    replies
}

pub(crate) fn ruleset(data: &[u8]) {
    let replies = replies(data);
    let _ = (nft::generation(&replies.generation), nft::set_names(&replies.sets));
    let (ruleset, _) = nft::decode_ruleset(&replies);
    written(&ruleset);
    for table in &ruleset.tables {
        let _ = nft::replace_table(true, table).bytes(1);
    }
    let _ = nft::decode_ruleset(&nft::encode_replies(&ruleset));
}

/// All of it as text.
fn written(ruleset: &Ruleset) {
    for table in &ruleset.tables {
        for chain in &table.chains {
            let _ = render::rule_text::chain_header(table.family, &table.name, chain);
            for rule in &chain.rules {
                let _ = render::rule_text::rule_in(table, rule);
            }
        }
        for set in &table.sets {
            let _ = render::rule_text::elements(set);
        }
    }
}

/// A packet of each kind goes through a router with this ruleset.
pub(crate) fn walked(data: &[u8]) {
    let (ruleset, _) = nft::decode_ruleset(&replies(data));
    views::through(ruleset);
}

/// `=== NAME REVISION`: a match's or target's struct. No byte of it is lost.
pub(crate) fn xt(data: &[u8]) {
    for section in sections(data) {
        let Some((name, revision)) = section.head.split_once(' ') else { continue };
        let Ok(revision) = revision.parse() else { continue };
        let info = wire::xt::decode(name, revision, section.body);
        let one = Xt { name: name.to_owned(), revision, info };
        assert_eq!(wire::xt::encode(&one), section.body, "no byte is lost");
        for expr in [model::Expr::Match(one.clone()), model::Expr::Target(one)] {
            let rule = NftRule { exprs: vec![expr], ..NftRule::default() };
            let _ = render::rule_text::rule(Family::Ip, "filter", &rule);
        }
    }
}

/// The answers to IPT_SO_GET_INFO and IPT_SO_GET_ENTRIES, one behind the other.
pub(crate) fn legacy(data: &[u8]) {
    let (info, entries) = data.split_at(data.len().min(wire::legacy::INFO));
    for family in [Family::Ip, Family::Ip6] {
        let Some(table) = wire::legacy::table(family, info, entries) else { continue };
        if let Some(written) = wire::legacy::as_read(&table) {
            assert_eq!(wire::legacy::as_read(&written).as_ref(), Some(&written), "one form");
        }
        let ruleset = Ruleset { tables: vec![table], ..Ruleset::default() };
        written(&ruleset);
        views::through(ruleset);
    }
}

/// Lines as behind `iptables -t nat -A PREROUTING`: what is taken is written, read, and printed.
pub(crate) fn rule_text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for line in text.lines().take(16) {
        for (table, chain) in [("nat", "PREROUTING"), ("filter", "FORWARD"), ("mangle", "OUTPUT")] {
            let Ok(mut rule) = wire::iptables::parse_rule(table, chain, line) else { continue };
            forget_names(&mut rule);
            let again = nft::decode_exprs(&nft::encode_exprs(&rule.exprs));
            assert_eq!(again, rule.exprs, "what is taken is written");
            let _ = render::rule_text::rule(Family::Ip, table, &rule);
            legacy_rule(table, chain, line);
        }
    }
}

/// The same of iptables-legacy, which has one form for each rule.
fn legacy_rule(table: &str, chain: &str, line: &str) {
    let rules = vec![line.to_owned()];
    let spec = ChainSpec { name: chain.to_owned(), policy: None, rules };
    if let Ok(taken) = wire::iptables::legacy_table(false, table, &[spec]) {
        assert_eq!(
            wire::legacy::as_read(&taken).as_ref(),
            Some(&taken),
            "what is taken is written"
        );
        assert!(taken.chains.iter().any(|chain| !chain.rules.is_empty()), "none is lost");
    }
}

/// A rule in the kernel knows ipsets by their numbers alone.
fn forget_names(rule: &mut NftRule) {
    for expr in &mut rule.exprs {
        if let model::Expr::Match(xt) | model::Expr::Target(xt) = expr {
            xt.ip_sets_mut().for_each(|set| set.name = None);
        }
    }
}
