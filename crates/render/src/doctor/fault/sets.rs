//! What is in the sets of ipset that a fault's rules ask: without it, such a rule says little.

use doctor::{Deaf, Fault};
use model::{Expr, IpSet, NftRule, Snapshot, XtSetRef};
use walk::{Loss, Reason, RuleRef};

use crate::words as w;

/// How many entries of a set are told.
const TOLD: usize = 4;

/// `ipset guest hash:ip, 1 entry: 10.70.0.3`, a line for each set that a rule of the fault asks.
pub(super) fn asked(s: &Snapshot, fault: &Fault) -> Vec<String> {
    let mut lines = Vec::new();
    for rule in rules(fault) {
        let Some(ns) = s.namespaces.get(&rule.chain.ns) else { continue };
        let found = w::rule_at(s, rule).into_iter().flat_map(|(_, rule)| of_rule(rule));
        let sets = found.filter_map(|named| ns.ipsets.iter().find(|set| is_it(set, named)));
        lines.extend(sets.map(line));
    }
    lines.dedup();
    lines
}

/// The rules that it is about, and the one that drops what shows it.
fn rules(fault: &Fault) -> Vec<&RuleRef> {
    let of_loss = |loss| dropped_by(loss).into_iter().collect();
    match fault {
        Fault::RawDrop { rule, accept, .. } => vec![rule, accept],
        Fault::Asymmetric { rule, .. }
        | Fault::BlindRule { rule, .. }
        | Fault::MacFilter { rule, .. }
        | Fault::SourceFilter { rule, .. }
        | Fault::SkippedNat { rule, .. }
        | Fault::OtherSource { rule, .. } => vec![rule],
        Fault::HiddenPort { loss, .. } | Fault::Hairpin { loss, .. } => of_loss(loss),
        Fault::NameServer { why: Deaf::Lost(loss), .. } => of_loss(loss),
        _ => Vec::new(),
    }
}

fn dropped_by(loss: &Loss) -> Option<&RuleRef> {
    match &loss.root().reason {
        Reason::RuleDrop(rule) | Reason::RuleReject(rule, _) => Some(rule),
        _ => None,
    }
}

fn of_rule(rule: &NftRule) -> impl Iterator<Item = &XtSetRef> {
    let extensions = rule.exprs.iter().filter_map(|expr| match expr {
        Expr::Match(xt) | Expr::Target(xt) => Some(xt),
        _ => None,
    });
    extensions.flat_map(model::Xt::ip_sets)
}

fn is_it(set: &IpSet, named: &XtSetRef) -> bool {
    named.is_some() && (named.name.as_ref() == Some(&set.name) || set.index == Some(named.index))
}

fn line(set: &IpSet) -> String {
    let entries = set.entries.iter().map(|entry| wire::ipset_text::entry(set, entry));
    format!("ipset {}: {}", w::ipset(set), w::some(TOLD, entries))
}
