//! A trace, told.

mod considered;
mod drops;
mod fix;
mod judge;
mod looked;
mod loss;
mod rules;
pub(crate) mod shell;
mod stacked;
mod step;
mod way;

use model::{NsId, Snapshot};
use walk::{
    Action, Cause, Checked, Disposition, Loss, Mark, Packet, Place, Step, Trace, Unknown, Verdict,
    Way,
};

use crate::page::Page;
use crate::style::{Style, Tone};
use crate::words;

pub(crate) use considered::{failed, kind, words as considered_words};
pub(crate) use fix::{Fix, fix};
pub(crate) use looked::{LookedUp, Outcome};
pub(crate) use loss::{because, place, unknown};
pub(crate) use rules::{comparison, rule_met, verdict};
pub(crate) use step::{label, link_of, rule_of, words as step_words};

/// The way there and back, step by step with its evidence; with `live`, what was seen of a real
/// packet beside it. `explain` also tells the steps that changed nothing and the copies.
#[must_use]
pub fn trace(
    snapshot: &Snapshot,
    trace: &Trace,
    live: Option<&Checked>,
    explain: bool,
    style: &Style,
) -> String {
    let fix = trace.loss().map(|_| fix(snapshot, trace));
    let mut teller = Teller { page: Page::new(style), snapshot, explain, fix, lost: false };
    teller.question(trace);
    teller.way(&trace.there, live.map(|l| l.there.as_slice()), 0);
    if let Some(back) = &trace.back {
        teller.back(back, live);
    }
    teller.others(trace);
    teller.branches(trace);
    if let Some(live) = live {
        teller.judge(trace, live);
    } else if trace.verdict() == Verdict::Assumed {
        teller.unsure(trace);
    }
    teller.page.finish()
}

/// What a trace comes to, in a line.
pub(crate) fn outcome(snapshot: &Snapshot, trace: &Trace) -> String {
    match trace.verdict() {
        Verdict::Yes => "it arrives, and so does its answer".to_owned(),
        Verdict::No(loss) => lost(snapshot, loss, &trace.there.packet),
        Verdict::Unknown(what) => not_known(snapshot, what),
        Verdict::Assumed => "it rests on what is assumed".to_owned(),
    }
}

/// How a way ends, in a line.
fn ended(snapshot: &Snapshot, way: &Way) -> String {
    match &way.disposition {
        Disposition::Delivered(ns) => format!("delivered to {}", snapshot.name_of(*ns)),
        Disposition::Left(link) => format!("leaves this host by {}", snapshot.link_name(*link)),
        Disposition::Ignored => "nobody here wants it".to_owned(),
        Disposition::Lost(loss) => lost(snapshot, loss.root(), way.last_packet()),
        Disposition::Unknown(what) => not_known(snapshot, what),
    }
}

fn lost(snapshot: &Snapshot, loss: &Loss, packet: &Packet) -> String {
    format!("lost at {}: {}", place(snapshot, loss), because(snapshot, loss, packet))
}

fn not_known(snapshot: &Snapshot, what: &Unknown) -> String {
    let (place, why) = unknown(snapshot, what);
    format!("unknown at {place}: {why}")
}

/// What was asked: `ICMP echo request from web to 192.0.2.1`.
pub(crate) fn asked(snapshot: &Snapshot, trace: &Trace) -> String {
    let p = &trace.there.packet;
    let from = match trace.question.from {
        Place::Namespace(id) => snapshot.name_of(id),
        Place::Outside(link) => format!("outside, by {}", snapshot.link_name(link)),
    };
    let t = p.tuple();
    let to = words::endpoint(t.dst, t.dport, t.protocol);
    format!("{} from {from} to {to}", words::payload(p))
}

struct Teller<'a> {
    page: Page,
    snapshot: &'a Snapshot,
    explain: bool,
    /// What to do where it is lost.
    fix: Option<Fix>,
    /// The real packet was missed already: it cannot be expected any more, nor can its answer.
    lost: bool,
}

impl Teller<'_> {
    fn question(&mut self, trace: &Trace) {
        let text = asked(self.snapshot, trace);
        self.page.put(Tone::Title, &text).end();
    }

    /// The answer's way. Of an answer to a packet that did not come nothing can be seen.
    fn back(&mut self, back: &Way, live: Option<&Checked>) {
        self.page.end().put(Tone::Title, "the way back").end();
        let seen = |m: &Mark| matches!(m, Mark::Seen(_) | Mark::Otherwise(_));
        match live {
            Some(live) if self.lost && !live.back.iter().any(seen) => {
                self.page.line("  nothing of it was seen");
            }
            _ => self.way(back, live.map(|l| l.back.as_slice()), 0),
        }
    }

    /// Who else answers what went to many, each with the end of its answer.
    fn others(&mut self, trace: &Trace) {
        if trace.others.is_empty() {
            return;
        }
        self.page.end().put(Tone::Title, "other answers").end();
        for way in &trace.others {
            let from = way.hops.first().map(|hop| self.snapshot.name_of(hop.ns));
            let packet = way.last_packet();
            let flow = words::flow(packet);
            let end = ended(self.snapshot, way);
            let whose = from.map_or_else(String::new, |name| format!("{name}: "));
            self.page.put(Tone::Plain, "  ");
            self.page.wrapped(Tone::Plain, &format!("{whose}{flow}: {end}"));
            self.page.end();
        }
    }

    /// What happens by each of the possibilities where the way parts.
    fn branches(&mut self, trace: &Trace) {
        let Some(first) = trace.branches.first() else { return };
        let rule = words::fork(self.snapshot, &first.fork);
        self.page.end().put(Tone::Doubt, "one of   ");
        let text = format!("{} ways, by {} of {rule}", first.of, first.what);
        self.page.wrapped(Tone::Plain, &text);
        self.page.end();
        for branch in &trace.branches {
            let comes_to = outcome(self.snapshot, &branch.trace);
            self.page.put(Tone::Plain, &format!("  {} of {}  ", branch.option + 1, branch.of));
            self.page.wrapped(Tone::Plain, &comes_to);
            self.page.end();
        }
    }

    /// The end of a trace that holds only if what it assumes does.
    fn unsure(&mut self, trace: &Trace) {
        let mut parts: Vec<(NsId, Vec<String>)> = Vec::new();
        for (ns, gap) in trace.assumptions() {
            match parts.iter_mut().find(|(n, _)| *n == ns) {
                Some((_, parts)) => parts.push(gap.part),
                None => parts.push((ns, vec![gap.part])),
            }
        }
        let one = |(ns, parts): &(NsId, Vec<String>)| {
            format!("{} ({})", self.snapshot.name_of(*ns), parts.join(", "))
        };
        let parts: Vec<String> = parts.iter().map(one).collect();
        self.page.end().put(Tone::Doubt, "unsure   ");
        let text = format!("it rests on what is assumed (?): {}", parts.join(", "));
        self.page.wrapped(Tone::Plain, &text);
        self.page.end();
    }

    fn indent(&mut self, depth: usize) -> &mut Page {
        if depth > 0 { self.page.put(Tone::Plain, &" ".repeat(depth * 2)) } else { &mut self.page }
    }
}

/// Whether an AF_PACKET socket could see it: what [`Way::places`] counts.
pub(crate) const fn is_place(step: &Step) -> bool {
    matches!(step.action, Action::Out { .. } | Action::In { .. })
}

/// What kernels call such a loss, the newer ones first to tell it from others.
pub(crate) fn kernel_names(loss: &Loss) -> Vec<&'static str> {
    let all = loss.reason.kernel_names().iter().copied();
    all.filter(|name| *name != "NOT_SPECIFIED").collect()
}

/// Of an ICMP error that comes to somebody: whom it is for is told of no more than a few at once, and then
/// of one in so many milliseconds.
pub(crate) fn error_interval(snapshot: &Snapshot, way: &Way) -> Option<u32> {
    let from = way.hops.first().and_then(|hop| snapshot.namespaces.get(&hop.ns))?;
    let told = !matches!(way.disposition, Disposition::Lost(_) | Disposition::Unknown(_));
    let interval = walk::icmp_interval(&from.sysctls, &way.packet)?;
    (told && way.cause == Cause::IcmpError).then_some(interval)
}

#[cfg(test)]
mod tests;
