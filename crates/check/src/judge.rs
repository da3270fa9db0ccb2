//! What becomes of each pair.

use std::cell::RefCell;
use std::mem::discriminant;
use std::net::IpAddr;
use std::ops::Range;

use model::NsId;
use walk::{
    Disposition, Indexed, Known, Loss, Outcome, Overlay, Place, Protocol, Question, Reason, Unknown,
};

use crate::file::{Service, Want};
use crate::plan::{Plan, Planned};
use crate::ports;
use crate::who::{End, Source, Target};

/// What is found of a pair of which not all is as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is otherwise.
    Fails(Cause),
    /// It cannot be told.
    Open(Doubt),
}

/// Why an assertion fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The packet is lost, or its answer (`back`).
    Lost {
        /// Where and why.
        loss: Loss,
        /// It was the answer.
        back: bool,
    },
    /// It comes there, and should not.
    Arrives {
        /// Its answer comes back, too.
        answered: bool,
    },
    /// It comes to somebody else, who has the same address; None: it leaves this host.
    Elsewhere(Option<NsId>),
    /// The other side has no address to send to.
    NoAddress,
}

/// Why it cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Something on the way is not known.
    Unknown(Unknown),
    /// It rests on what is assumed of parts that were not read.
    Assumed,
    /// Rules name so many ports that not all can be tried.
    ManyPorts(usize),
}

/// What came of one row.
#[derive(Clone, Debug)]
pub struct Row {
    pub(crate) number: usize,
    pub(crate) rule: usize,
    /// Pairs that this rule had something to say of.
    pub(crate) pairs: usize,
    pub(crate) found: Vec<Found>,
}

/// Pairs of which the same was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) want: Want,
    pub(crate) finding: Finding,
    /// The packet that shows it for the first of them.
    pub(crate) question: Option<Question>,
    pub(crate) pairs: Vec<(End, End)>,
}

/// What one packet comes to.
enum Answer {
    Yes,
    No(Cause),
    Open(Doubt),
}

/// So many targets are looked at for all senders of a block, one sender after the other: what is
/// known of this many has room in a processor's cache.
const TARGETS: usize = 32;

impl Plan<'_> {
    /// Walks the pairs of some rows.
    #[must_use]
    pub fn judge(&self, net: &Indexed<'_>, rows: Range<usize>) -> Vec<Row> {
        let room = RefCell::default();
        let mut judges: Vec<_> = rows.map(|row| Judge::new(self, net, &room, row)).collect();
        let most = judges.iter().map(|judge| judge.planned.to.len()).max().unwrap_or(0);
        for first in (0..most).step_by(TARGETS) {
            for judge in &mut judges {
                let targets = judge.planned.to.iter().skip(first).take(TARGETS);
                targets.for_each(|target| judge.target(target));
            }
        }
        judges.into_iter().map(|judge| judge.row).collect()
    }
}

/// One of a kind is kept, with all pairs that are of it.
pub(crate) fn join(all: &mut Vec<Found>, new: Found) {
    match all.iter_mut().find(|f| f.want == new.want && alike(&f.finding, &new.finding)) {
        Some(known) => known.pairs.extend(new.pairs),
        None => all.push(new),
    }
}

/// Whether two findings come of the same thing.
fn alike(a: &Finding, b: &Finding) -> bool {
    match (a, b) {
        (
            Finding::Fails(Cause::Lost { loss: a, back: x }),
            Finding::Fails(Cause::Lost { loss: b, back: y }),
        ) => x == y && same_loss(a.root(), b.root()),
        (Finding::Fails(a), Finding::Fails(b)) => discriminant(a) == discriminant(b),
        (Finding::Open(a), Finding::Open(b)) => a == b,
        _ => false,
    }
}

fn same_loss(a: &Loss, b: &Loss) -> bool {
    let rule = |l: &Loss| match &l.reason {
        Reason::RuleDrop(rule) | Reason::RuleReject(rule, _) => Some(rule.clone()),
        _ => None,
    };
    a.ns == b.ns && discriminant(&a.reason) == discriminant(&b.reason) && rule(a) == rule(b)
}

/// Judges the pairs of one sender.
struct Judge<'a> {
    plan: &'a Plan<'a>,
    net: &'a Indexed<'a>,
    planned: &'a Planned,
    source: &'a Source,
    /// Rules that come first, and have said something of this sender.
    earlier: Vec<&'a Planned>,
    /// Where packets are walked.
    room: &'a RefCell<Overlay>,
    /// What has come of it so far.
    row: Row,
}

impl<'a> Judge<'a> {
    fn new(
        plan: &'a Plan<'a>,
        net: &'a Indexed<'a>,
        room: &'a RefCell<Overlay>,
        number: usize,
    ) -> Self {
        let (rule, planned, source) = plan.row(number);
        let earlier = plan.rules[..rule].iter().filter(|r| r.speaks_of_sender(source.who));
        let row = Row { number, rule, pairs: 0, found: Vec::new() };
        Self { plan, net, planned, source, earlier: earlier.collect(), room, row }
    }

    /// The pair with this one.
    fn target(&mut self, target: &Target) {
        if target.who == self.source.who {
            return;
        }
        let mut told = false;
        for want in &self.planned.wants {
            let Some(classes) = self.classes(target, *want) else { continue };
            told = true;
            if let Some((finding, question)) = self.pair(target, *want, classes) {
                let pairs = vec![(self.source.who, target.who)];
                join(&mut self.row.found, Found { want: *want, finding, question, pairs });
            }
        }
        self.row.pairs += usize::from(told);
    }

    /// What is to be sent for this; None: earlier rules have said it all. Some of nothing: it is
    /// too much.
    fn classes(&self, target: &Target, want: Want) -> Option<Vec<Service>> {
        let Some(mut classes) = self.plan.classes(want.service) else { return Some(Vec::new()) };
        let settled = |s: &Service| self.earlier.iter().any(|r| r.settles(target.who, *s));
        classes.retain(|service| !settled(service));
        (!classes.is_empty()).then_some(classes)
    }

    fn pair(
        &self,
        target: &Target,
        want: Want,
        classes: Vec<Service>,
    ) -> Option<(Finding, Option<Question>)> {
        if classes.is_empty() {
            let ports = self.plan.ports.len();
            debug_assert!(ports > ports::MOST, "only too many ports leave nothing to send");
            return Some((Finding::Open(Doubt::ManyPorts(ports)), None));
        }
        if target.addresses.is_empty() {
            return (!want.deny).then_some((Finding::Fails(Cause::NoAddress), None));
        }
        let (mut fails, mut open) = (None, None);
        for service in classes {
            for question in self.questions(target, service) {
                match (self.answer(&question, target, want), want.deny) {
                    // One way is enough.
                    (Answer::Yes, false) => return None,
                    (Answer::No(cause), true) => {
                        return Some((Finding::Fails(cause), Some(question)));
                    }
                    (Answer::No(cause), false) if fails.is_none() => {
                        fails = Some((Finding::Fails(cause), Some(question)));
                    }
                    (Answer::Open(doubt), _) if open.is_none() => {
                        open = Some((Finding::Open(doubt), Some(question)));
                    }
                    _ => {}
                }
            }
        }
        open.or(fails)
    }

    /// By every way in, to every address.
    fn questions<'q>(
        &'q self,
        target: &'q Target,
        service: Service,
    ) -> impl Iterator<Item = Question> + 'q {
        let places = || self.source.places.iter();
        let all = target.addresses.iter().flat_map(move |to| places().map(move |from| (from, to)));
        all.map(move |(from, to)| self.question(*from, *to, service))
    }

    fn question(&self, from: Place, to: IpAddr, service: Service) -> Question {
        let protocol = match service {
            Service::Any | Service::Icmp => Protocol::Icmp,
            Service::Tcp(port) => Protocol::Tcp(port),
            Service::Udp(port) => Protocol::Udp(port),
        };
        let mut question = Question::new(from, to, protocol).connection(Known::Nothing);
        if let Some(source) = self.source.address {
            question = question.source(source);
        }
        if let Place::Namespace(ns) = from {
            let ttl = self.plan.snapshot.namespaces.get(&ns).map_or(0, |n| n.sysctls.default_ttl);
            if ttl > 0 {
                question.packet.ttl = ttl;
            }
        }
        question
    }

    fn answer(&self, question: &Question, target: &Target, want: Want) -> Answer {
        let mut outcome = self.net.outcome_in(&mut self.room.borrow_mut(), question);
        let unknown = |d: &Disposition| matches!(d, Disposition::Unknown(_));
        if unknown(&outcome.there) || outcome.back.as_ref().is_some_and(unknown) {
            // It may hang on a choice that comes to the same, either way.
            let trace = self.net.trace(question.clone());
            outcome.there = trace.there.disposition;
            outcome.back = trace.back.map(|way| way.disposition);
        }
        if outcome.assumed {
            return Answer::Open(Doubt::Assumed);
        }
        if want.deny { denied(outcome, target) } else { reached(outcome, target) }
    }
}

/// Whether it came there and its answer back.
fn reached(outcome: Outcome, target: &Target) -> Answer {
    match outcome.there {
        Disposition::Lost(loss) => return Answer::No(Cause::Lost { loss, back: false }),
        Disposition::Unknown(unknown) => return Answer::Open(Doubt::Unknown(unknown)),
        there => {
            if let Some(cause) = elsewhere(&there, target) {
                return Answer::No(cause);
            }
        }
    }
    match outcome.back {
        Some(Disposition::Lost(loss)) => Answer::No(Cause::Lost { loss, back: true }),
        Some(Disposition::Unknown(unknown)) => Answer::Open(Doubt::Unknown(unknown)),
        _ => Answer::Yes,
    }
}

/// Whether it does not come there, answered or not.
fn denied(outcome: Outcome, target: &Target) -> Answer {
    match outcome.there {
        Disposition::Lost(_) => Answer::Yes,
        Disposition::Unknown(unknown) => Answer::Open(Doubt::Unknown(unknown)),
        there if elsewhere(&there, target).is_some() => Answer::Yes,
        _ => {
            let lost = matches!(outcome.back, Some(Disposition::Lost(_)));
            Answer::No(Cause::Arrives { answered: !lost })
        }
    }
}

/// It came to another than it was for. What is for an address may be translated on its way.
fn elsewhere(there: &Disposition, target: &Target) -> Option<Cause> {
    let End::Namespace(wanted) = target.who else { return None };
    match there {
        Disposition::Delivered(ns) if *ns != wanted => Some(Cause::Elsewhere(Some(*ns))),
        Disposition::Left(_) => Some(Cause::Elsewhere(None)),
        _ => None,
    }
}
