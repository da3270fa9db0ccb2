//! What a rule found in the sets that it asked.

use model::{Set, Snapshot};
use walk::{IpSetFound, Looked, RuleRef, SetFound};

use crate::rule_text;

/// NFT_SET_ANONYMOUS.
const ANONYMOUS: u32 = 1;
/// NFT_SET_MAP.
const MAP: u32 = 8;

/// A look-up, as text.
#[derive(Debug)]
pub(crate) struct LookedUp {
    /// `set`, `map` or `ipset`.
    pub(crate) kind: &'static str,
    /// The set's name; None: it has none of its own, and stands in the rule.
    pub(crate) set: Option<String>,
    /// What was looked for, where that is one value.
    pub(crate) key: Option<String>,
    /// The element that decided.
    pub(crate) element: Option<String>,
    /// What it came to.
    pub(crate) outcome: Outcome,
}

/// What a look-up came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is in the set.
    In,
    /// It is not.
    NotIn,
    /// It is in the set since a rule on the way has added it.
    Added,
    /// The element is an exception: what it is for is not in the set.
    Excepted,
}

impl LookedUp {
    pub(crate) fn of(snapshot: &Snapshot, rule: &RuleRef, looked: &Looked) -> Self {
        match looked {
            Looked::Set { set, key, found } => of_nft(snapshot, rule, set, key, found),
            Looked::IpSet { set, found } => of_ipset(snapshot, rule, set, found),
        }
    }

    /// `set s: 10.0.0.7 is in it, by 10.0.0.0/24`.
    pub(crate) fn words(&self) -> String {
        let place = match &self.set {
            Some(name) => format!("{} {name}: ", self.kind),
            None => String::new(),
        };
        let key = self.key.as_deref().unwrap_or("the packet");
        let by = match &self.element {
            Some(element) if self.key.as_ref() != Some(element) => format!(", by {element}"),
            Some(_) | None => String::new(),
        };
        let what = match self.outcome {
            Outcome::In => "is in it",
            Outcome::NotIn => "is not in it",
            Outcome::Added => "is in it since a rule on the way has added it",
            Outcome::Excepted => "is an exception",
        };
        format!("{place}{key} {what}{by}")
    }
}

fn of_nft(
    snapshot: &Snapshot,
    rule: &RuleRef,
    name: &str,
    key: &[u8],
    found: &SetFound,
) -> LookedUp {
    let chain = &rule.chain;
    let ns = snapshot.namespaces.get(&chain.ns);
    let table = ns.and_then(|ns| ns.ruleset.table(chain.family, &chain.table));
    let set = table.and_then(|table| table.sets.iter().find(|set| set.name == name));
    let has = |flag| set.is_some_and(|set: &Set| set.flags & flag != 0);
    let (element, outcome) = match found {
        SetFound::Nothing => (None, Outcome::NotIn),
        SetFound::Added => (None, Outcome::Added),
        SetFound::Element(found) => (set.map(|s| rule_text::element(s, found)), Outcome::In),
    };
    LookedUp {
        kind: if has(MAP) { "map" } else { "set" },
        set: (!has(ANONYMOUS)).then(|| name.to_owned()),
        key: set.map(|set| rule_text::key(set, key)),
        element,
        outcome,
    }
}

fn of_ipset(snapshot: &Snapshot, rule: &RuleRef, name: &str, found: &IpSetFound) -> LookedUp {
    let ns = snapshot.namespaces.get(&rule.chain.ns);
    let set = ns.and_then(|ns| ns.ipsets.iter().find(|set| set.name == name));
    let (entry, outcome) = match found {
        IpSetFound::Nothing => (None, Outcome::NotIn),
        IpSetFound::Entry(entry) => (Some(entry), Outcome::In),
        IpSetFound::Excepted(entry) => (Some(entry), Outcome::Excepted),
    };
    let text = |entry: &model::IpSetEntry| Some(wire::ipset_text::element(set?, entry));
    LookedUp {
        kind: "ipset",
        set: Some(name.to_owned()),
        key: None,
        element: entry.and_then(|entry| text(entry)),
        outcome,
    }
}
