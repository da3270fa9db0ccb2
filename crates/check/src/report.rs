//! What came of all rows.

use walk::{Indexed, Trace};
use yaml::At;

use crate::file::Want;
use crate::judge::{Finding, Found, Row, join};
use crate::plan::Plan;
use crate::who::End;

/// What a Snapshot says to a check file.
#[derive(Clone, Debug)]
pub struct Report {
    /// In the order of the file.
    pub rules: Vec<RuleReport>,
}

/// What it says to one rule.
#[derive(Clone, Debug)]
pub struct RuleReport {
    /// Where it is in the file.
    pub at: At,
    /// As it is written there.
    pub text: String,
    /// Pairs that it was asked about: those of which an earlier rule had not said it all.
    pub pairs: usize,
    /// Pairs of which not all is as it should be, by what is found.
    pub cases: Vec<Case>,
}

/// Pairs of which the same was found.
#[derive(Clone, Debug)]
pub struct Case {
    /// What was asserted.
    pub want: Want,
    /// What was found instead, of the first of them.
    pub finding: Finding,
    /// The first packet that shows it, and its way; None: there is nothing to send.
    pub trace: Option<Trace>,
    /// From whom to whom.
    pub pairs: Vec<(End, End)>,
}

impl Report {
    /// All assertions hold.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.rules.iter().all(|r| r.cases.is_empty())
    }

    /// Some assertion fails.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.rules.iter().any(RuleReport::fails)
    }
}

impl RuleReport {
    /// It fails for some pair.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.cases.iter().any(|c| matches!(c.finding, Finding::Fails(_)))
    }
}

pub(crate) fn report(plan: &Plan<'_>, net: &Indexed<'_>, mut rows: Vec<Row>) -> Report {
    rows.sort_by_key(|row| row.number);
    let mut found: Vec<(usize, Vec<Found>)> = plan.rules.iter().map(|_| (0, Vec::new())).collect();
    for row in rows {
        let (pairs, all) = &mut found[row.rule];
        *pairs += row.pairs;
        row.found.into_iter().for_each(|one| join(all, one));
    }
    let rules = plan.rules.iter().zip(found).map(|(rule, (pairs, mut found))| {
        // What fails comes before what is open.
        found.sort_by_key(|f| matches!(f.finding, Finding::Open(_)));
        let cases = found.into_iter().map(|f| case(net, f)).collect();
        RuleReport { at: rule.at, text: rule.text.clone(), pairs, cases }
    });
    Report { rules: rules.collect() }
}

fn case(net: &Indexed<'_>, found: Found) -> Case {
    let trace = found.question.map(|question| net.trace(question));
    Case { want: found.want, finding: found.finding, trace, pairs: found.pairs }
}
