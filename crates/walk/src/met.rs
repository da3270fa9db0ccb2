//! Which rules a packet meets, as foretold and as the kernel's own trace (`meta nftrace`) tells it.

use model::{Family, Hook, NsId};

use crate::{Action, ChainRef, Disposition, Reason, RuleRef, Stage, Step, Trace, Way};

/// A rule that matched, or the policy of a chain that threw the packet away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMet {
    /// Its chain.
    pub chain: ChainRef,
    /// The kernel's handle; 0: the chain's policy.
    pub handle: u64,
    /// What became of the packet by it.
    pub verdict: Met,
}

/// What a rule made of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It leaves this base chain.
    Accept,
    /// It is thrown away, or refused.
    Drop,
    /// It goes on to another rule: this one said nothing, or led to another chain or back.
    GoesOn,
}

/// A rule, foretold or seen or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMark {
    /// Which, and what the kernel says of it where it was seen.
    pub met: RuleMet,
    /// Whether that is so.
    pub is: Matched,
}

/// How a rule of a trace compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matched {
    /// Foretold and seen.
    AsForetold,
    /// Seen with another verdict than foretold.
    Otherwise,
    /// Foretold, and not seen.
    Missing,
    /// Seen, and not foretold.
    Unforeseen,
    /// Seen on the way to the rule that then threw the packet away, of which alone is foretold.
    OnTheWay,
}

impl Matched {
    /// Prediction and kernel do not agree about it.
    #[must_use]
    pub const fn disagrees(self) -> bool {
        matches!(self, Self::Otherwise | Self::Missing | Self::Unforeseen)
    }
}

impl crate::Checked {
    /// Takes in how the rules compare.
    pub fn heed_rules(&mut self, marks: Vec<RuleMark>) {
        self.agrees &= !marks.iter().any(|mark| mark.is.disagrees());
        self.rules = Some(marks);
    }
}

impl Trace {
    /// The rules that the packet, its answer and its errors meet, in order: those of which the
    /// kernel can tell. It traces neither iptables-legacy nor ARP, and nothing before a namespace's
    /// first hook behind its links.
    #[must_use]
    pub fn rules_met(&self) -> Vec<RuleMet> {
        let mut met = Vec::new();
        for way in std::iter::once(&self.there).chain(&self.back) {
            of_way(way, &mut met);
        }
        met
    }

    /// Holds what the kernel says against what is foretold, of these namespaces.
    #[must_use]
    pub fn check_rules(&self, seen: &[RuleMet], watched: &[NsId]) -> Vec<RuleMark> {
        let mut left = seen.to_vec();
        let mut marks = Vec::new();
        let foretold = self.rules_met();
        for met in foretold.iter().filter(|met| watched.contains(&met.chain.ns)) {
            let same = |s: &RuleMet| (&s.chain, s.handle) == (&met.chain, met.handle);
            let exact = left.iter().position(|s| s == met);
            let found = exact.or_else(|| left.iter().position(same));
            let is = match (exact, found) {
                (Some(_), _) => Matched::AsForetold,
                (None, Some(_)) => Matched::Otherwise,
                (None, None) => Matched::Missing,
            };
            let met = found.map_or_else(|| met.clone(), |place| left.remove(place));
            marks.push(RuleMark { met, is });
        }
        let drops: Vec<NsId> =
            foretold.iter().filter(|m| m.verdict == Met::Drop).map(|m| m.chain.ns).collect();
        marks.extend(left.into_iter().map(|met| {
            let on_the_way = met.verdict == Met::GoesOn && drops.contains(&met.chain.ns);
            let is = if on_the_way { Matched::OnTheWay } else { Matched::Unforeseen };
            RuleMark { met, is }
        }));
        marks
    }
}

fn of_way(way: &Way, met: &mut Vec<RuleMet>) {
    for step in way.hops.iter().flat_map(|hop| &hop.steps) {
        of_step(step, met);
    }
    if let Disposition::Lost(loss) = &way.disposition {
        let rule = match &loss.reason {
            Reason::RuleDrop(rule) | Reason::RuleReject(rule, _) => {
                Some((rule.chain.clone(), rule.handle))
            }
            Reason::PolicyDrop(chain) => Some((chain.clone(), 0)),
            _ => None,
        };
        let ingress = way.hops.iter().flat_map(|hop| &hop.steps).last();
        let early = ingress.is_some_and(|step| step.stage == Stage::Hook(Hook::Ingress));
        if let Some((chain, handle)) = rule.filter(|(chain, _)| is_told(chain) && !early) {
            met.push(RuleMet { chain, handle, verdict: Met::Drop });
        }
    }
}

fn of_step(step: &Step, met: &mut Vec<RuleMet>) {
    if let (Action::Chain { rule, matched, .. }, Stage::Hook(hook)) = (&step.action, step.stage)
        && hook != Hook::Ingress
    {
        let one = |r: &RuleRef| RuleMet {
            chain: r.chain.clone(),
            handle: r.handle,
            verdict: if rule.as_ref() == Some(r) { Met::Accept } else { Met::GoesOn },
        };
        met.extend(matched.iter().filter(|r| is_told(&r.chain)).map(one));
    }
    step.children.iter().for_each(|way| of_way(way, met));
}

/// The kernel tells of rules of nftables only.
fn is_told(chain: &ChainRef) -> bool {
    chain.family != Family::Arp && !chain.table.starts_with(model::LEGACY)
}
