//! What else was tried before a step (`trace --explain`).

use model::{NsId, Snapshot};
use schemars::JsonSchema;
use serde::Serialize;
use walk::{Considered, FilterWhy, Looked, RuleRef, Tried, TriedFilter};

use super::trace::{RuleView, rule};
use crate::{trace as told, words};

/// Something that was tried before a step.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ConsideredView {
    /// `rule` (of routing), `route`, `source` (how it was chosen), `chain` or `filters` (of tc).
    pub kind: String,
    /// What was tried, and why it was not taken, in words.
    pub text: String,
    /// Of a chain: its rules and those of the chains that it jumps to, in the order of trying.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<TriedView>,
    /// Of filters: each, in the order of trying.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<TriedFilterView>,
}

/// A filter of tc that was tried.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TriedFilterView {
    /// The filter, in tc's syntax.
    pub filter: String,
    /// `fits`, `protocol` (it is for another EtherType), `selector` (for other packets), `short` (the
    /// packet ends before what it looks at), `passed` (another of its `pref` has had its say) or
    /// `not known`.
    pub outcome: String,
}

/// A netfilter rule that was tried.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TriedView {
    /// The rule.
    pub rule: RuleView,
    /// Whether it matched.
    pub matched: bool,
    /// The first of its conditions that did not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// What it found in the sets that it asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<LookedUpView>,
}

/// What a rule found in a set.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LookedUpView {
    /// `set`, `map` or `ipset`.
    pub kind: String,
    /// Its name; not there: it has none of its own, and stands in the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was looked for, where that is one value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `in`, `not in`, `added` (by a rule on the way) or `excepted` (the element is an exception).
    pub outcome: String,
    /// The element that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<String>,
}

pub(super) fn considered(snapshot: &Snapshot, ns: NsId, c: &Considered) -> ConsideredView {
    let tried = |t: &Tried| TriedView {
        rule: rule(snapshot, &t.rule),
        matched: t.failed.is_none(),
        failed: told::failed(snapshot, t),
        sets: t.looked.iter().map(|l| looked_up(snapshot, &t.rule, l)).collect(),
    };
    let rules = match c {
        Considered::Chain { tried: all, .. } => all.iter().map(tried).collect(),
        _ => Vec::new(),
    };
    let filters = match c {
        Considered::Filters { tried, .. } => {
            tried.iter().map(|t| tried_filter(snapshot, t)).collect()
        }
        _ => Vec::new(),
    };
    let (kind, text) = (told::kind(c), told::considered_words(snapshot, ns, c));
    ConsideredView { kind: kind.to_owned(), text, rules, filters }
}

fn tried_filter(snapshot: &Snapshot, tried: &TriedFilter) -> TriedFilterView {
    let outcome = match tried.why {
        FilterWhy::Fits => "fits",
        FilterWhy::Protocol => "protocol",
        FilterWhy::Selector => "selector",
        FilterWhy::Short => "short",
        FilterWhy::Passed => "passed",
        FilterWhy::NotKnown => "not known",
    };
    let filter = words::filter_text(snapshot, &tried.filter);
    TriedFilterView { filter, outcome: outcome.to_owned() }
}

fn looked_up(snapshot: &Snapshot, rule: &RuleRef, looked: &Looked) -> LookedUpView {
    let looked = told::LookedUp::of(snapshot, rule, looked);
    let outcome = match looked.outcome {
        told::Outcome::In => "in",
        told::Outcome::NotIn => "not in",
        told::Outcome::Added => "added",
        told::Outcome::Excepted => "excepted",
    };
    LookedUpView {
        kind: looked.kind.to_owned(),
        name: looked.set,
        key: looked.key,
        outcome: outcome.to_owned(),
        element: looked.element,
    }
}
