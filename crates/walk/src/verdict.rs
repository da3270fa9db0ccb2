//! What a trace comes to.

use model::{Gap, NsId, RouteKind};

use crate::{Action, Branch, Disposition, Loss, Trace, Unknown, Way};

/// What a trace comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It arrives, and so does its answer where one is due.
    Yes,
    /// Something is lost.
    No(&'a Loss),
    /// It cannot be told.
    Unknown(&'a Unknown),
    /// It can be told only by what was assumed of parts that were not read; the dispositions say
    /// what would then become of it.
    Assumed,
}

impl Trace {
    /// What was asked about is a broadcast or multicast.
    #[must_use]
    pub fn is_to_many(&self) -> bool {
        let mut steps = self.there.hops.iter().flat_map(|hop| &hop.steps);
        steps.any(|step| match &step.action {
            Action::Routed { route, .. } => {
                matches!(route.kind, RouteKind::Broadcast | RouteKind::Multicast)
            }
            _ => false,
        })
    }

    /// All of its ways: there, back, and those of others' answers.
    pub fn ways(&self) -> impl Iterator<Item = &Way> {
        std::iter::once(&self.there).chain(&self.back).chain(&self.others)
    }

    /// Where every branch comes to the same, that is what happens, whichever is taken: the first
    /// is told.
    pub(crate) fn settle(&mut self) {
        let Some(first) = self.branches.first() else { return };
        let same = |b: &Branch| match (b.trace.verdict(), first.trace.verdict()) {
            (Verdict::Yes, Verdict::Yes) | (Verdict::No(_), Verdict::No(_)) => true,
            (b, first) => matches!((b, first), (Verdict::Assumed, Verdict::Assumed)),
        };
        if !self.branches.iter().all(same) {
            return;
        }
        let (there, back) = (first.trace.there.clone(), first.trace.back.clone());
        let others = first.trace.others.clone();
        (self.there, self.back, self.others) = (there, back, others);
    }

    /// The answer in one word: both ways go through, a packet is lost, or it cannot be told.
    #[must_use]
    pub fn verdict(&self) -> Verdict<'_> {
        for way in self.ways() {
            match &way.disposition {
                Disposition::Lost(_) if !self.assumptions().is_empty() => return Verdict::Assumed,
                Disposition::Lost(loss) => return Verdict::No(loss),
                Disposition::Unknown(unknown) => return Verdict::Unknown(unknown),
                Disposition::Delivered(_) | Disposition::Left(_) | Disposition::Ignored => {}
            }
        }
        if self.assumptions().is_empty() { Verdict::Yes } else { Verdict::Assumed }
    }

    /// What was assumed on its ways, those of requests and copies included: where, and what.
    #[must_use]
    pub fn assumptions(&self) -> Vec<(NsId, Gap)> {
        let mut found = Vec::new();
        for way in self.ways() {
            assumptions(way, &mut found);
        }
        found
    }
}

fn assumptions(way: &Way, found: &mut Vec<(NsId, Gap)>) {
    for hop in &way.hops {
        for step in &hop.steps {
            if let Action::Assumed(gaps) = &step.action {
                let new = gaps.iter().map(|gap| (hop.ns, gap.clone()));
                let new: Vec<_> = new.filter(|gap| !found.contains(gap)).collect();
                found.extend(new);
            }
            step.children.iter().for_each(|child| assumptions(child, found));
        }
    }
}
