//! Which rules the kernel itself says that a packet met.

use model::Snapshot;
use walk::{Checked, Matched, Met, RuleMet, RuleRef};

use super::{Teller, Tone};
use crate::words;

impl Teller<'_> {
    pub(super) fn rules(&mut self, live: &Checked) {
        let Some(marks) = &live.rules else { return };
        let text = match marks.as_slice() {
            [] => "rules    the kernel tells of none that it met",
            _ => "rules    that it met, as the kernel tells it",
        };
        self.page.end().put(Tone::Title, text).end();
        for mark in marks {
            let (sign, tone) = match mark.is {
                _ if mark.is.disagrees() => ("✗", Tone::Bad),
                Matched::OnTheWay => ("-", Tone::Plain),
                _ => ("✓", Tone::Good),
            };
            let ns = self.snapshot.name_of(mark.met.chain.ns);
            let rule = rule_met(self.snapshot, &mark.met);
            let end = match mark.is {
                Matched::AsForetold | Matched::OnTheWay => String::new(),
                other => format!(" ({})", comparison(other)),
            };
            self.page.put(tone, &format!("  {sign} "));
            let text = format!("{ns}  {rule}: {}{end}", verdict(mark.met.verdict));
            self.page.wrapped(Tone::Plain, &text);
            self.page.end();
        }
    }
}

/// A rule or policy in words.
pub(crate) fn rule_met(snapshot: &Snapshot, met: &RuleMet) -> String {
    let chain = &met.chain;
    let place = words::chain_ref(chain);
    if met.handle == 0 {
        return format!("{place}: its policy");
    }
    let ruleset = snapshot.namespaces.get(&chain.ns).map(|ns| &ns.ruleset);
    let rules = ruleset
        .and_then(|r| r.table(chain.family, &chain.table))
        .and_then(|t| t.chain(&chain.chain))
        .map(|c| c.rules.as_slice());
    let is = |rule: &model::NftRule| rule.handle == met.handle;
    match rules.and_then(|rules| rules.iter().position(is)) {
        Some(place) => {
            let (chain, handle) = (chain.clone(), met.handle);
            words::rule_ref(snapshot, &RuleRef { chain, number: place + 1, handle })
        }
        None => format!("{place}: handle {}", met.handle),
    }
}

pub(crate) const fn verdict(met: Met) -> &'static str {
    match met {
        Met::Accept => "accept",
        Met::Drop => "drop",
        Met::GoesOn => "goes on",
    }
}

pub(crate) const fn comparison(is: Matched) -> &'static str {
    match is {
        Matched::AsForetold => "as foretold",
        Matched::Otherwise => "another verdict than foretold",
        Matched::Missing => "foretold, and not met",
        Matched::Unforeseen => "not foretold",
        Matched::OnTheWay => "on the way to the rule that threw it away",
    }
}
