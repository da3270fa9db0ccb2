use check::{Case, End, Finding, Report, RuleReport, Service};
use model::Snapshot;
use schemars::JsonSchema;
use serde::Serialize;

use super::namespace::warning;
use super::trace::trace;
use super::{TraceView, WarningView};
use crate::check as told;

/// What `check` tells.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckView {
    /// Where the network is from, if not from this host as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// `holds`, `fails` (some rule does), or `open` (none fails, and some cannot be judged).
    pub verdict: String,
    /// In the order of the file.
    pub rules: Vec<CheckRuleView>,
    /// The whole in a line.
    pub text: String,
    /// What went wrong while the network was read.
    pub warnings: Vec<WarningView>,
}

/// What is found of one rule.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckRuleView {
    /// The rule as it is written.
    pub rule: String,
    /// Line in the file.
    pub line: u32,
    /// `holds`, `fails` or `open`.
    pub verdict: String,
    /// Pairs that were judged by it: those of which earlier rules had not said it all.
    pub pairs: usize,
    /// Pairs of which not all is as it should be, by what is found.
    pub cases: Vec<CheckCaseView>,
}

/// Pairs of which the same is found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckCaseView {
    /// What was asserted: `5432/tcp`, `deny`, `deny 53/udp`.
    pub asserted: String,
    /// `fails` or `open`.
    pub verdict: String,
    /// What was found, in words.
    pub text: String,
    /// From whom to whom.
    pub pairs: Vec<CheckPairView>,
    /// The way of the first packet that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceView>,
}

/// From whom to whom.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckPairView {
    /// A namespace's name, an address, or `outside`.
    pub from: String,
    /// Id of that namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_namespace: Option<String>,
    /// A namespace's name, an address, or `outside`.
    pub to: String,
    /// Id of that namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_namespace: Option<String>,
}

/// What `trace --to` tells.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReachView {
    /// Where the network is from, if not from this host as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Whom it is about, as asked.
    pub to: String,
    /// What is sent: `5432/tcp`, `53/udp`, `icmp`.
    pub service: String,
    /// Who reaches it: names of namespaces, `outside`.
    pub reaching: Vec<String>,
    /// Who does not, or of whom it cannot be told, by what is found.
    pub others: Vec<CheckCaseView>,
    /// What went wrong while the network was read.
    pub warnings: Vec<WarningView>,
}

/// The view of who reaches somebody.
#[must_use]
pub fn reach(
    snapshot: &Snapshot,
    to: &str,
    service: Service,
    reaching: &[End],
    report: &Report,
) -> ReachView {
    let cases = report.rules.iter().flat_map(|r| &r.cases);
    ReachView {
        origin: snapshot.origin.clone(),
        to: to.to_owned(),
        service: service.to_string(),
        reaching: reaching.iter().map(|who| told::end(snapshot, *who)).collect(),
        others: cases.map(|c| case(snapshot, c)).collect(),
        warnings: snapshot.warnings.iter().map(warning).collect(),
    }
}

/// The view of a report.
#[must_use]
pub fn check(snapshot: &Snapshot, report: &Report) -> CheckView {
    CheckView {
        origin: snapshot.origin.clone(),
        verdict: verdict(report.holds(), report.fails()),
        rules: report.rules.iter().map(|r| rule(snapshot, r)).collect(),
        text: told::summary(report),
        warnings: snapshot.warnings.iter().map(warning).collect(),
    }
}

fn verdict(holds: bool, fails: bool) -> String {
    let word = match (holds, fails) {
        (true, _) => "holds",
        (_, true) => "fails",
        (_, false) => "open",
    };
    word.to_owned()
}

fn rule(snapshot: &Snapshot, rule: &RuleReport) -> CheckRuleView {
    CheckRuleView {
        rule: rule.text.clone(),
        line: rule.at.line,
        verdict: verdict(rule.cases.is_empty(), rule.fails()),
        pairs: rule.pairs,
        cases: rule.cases.iter().map(|c| case(snapshot, c)).collect(),
    }
}

fn case(snapshot: &Snapshot, case: &Case) -> CheckCaseView {
    let id = |end| match end {
        End::Namespace(ns) => Some(ns.to_string()),
        End::Address(_) | End::Outside => None,
    };
    let pair = |(from, to): &(End, End)| CheckPairView {
        from: told::end(snapshot, *from),
        from_namespace: id(*from),
        to: told::end(snapshot, *to),
        to_namespace: id(*to),
    };
    CheckCaseView {
        asserted: case.want.to_string(),
        verdict: verdict(false, matches!(case.finding, Finding::Fails(_))),
        text: told::found(snapshot, case),
        pairs: case.pairs.iter().map(pair).collect(),
        trace: case.trace.as_ref().map(|t| trace(snapshot, t, None)),
    }
}
