//! A trace, told.

mod considered;
mod drops;
mod fix;
mod looked;
mod loss;
mod rules;
mod shell;
mod stacked;
mod step;

use model::{NsId, Snapshot};
use walk::{
    Action, ArpAnswer, Cause, Checked, Disposition, Loss, Mark, Packet, Place, Sighting, Step,
    Trace, Unknown, Verdict, Way,
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

/// What is to be printed before a step.
struct Sign<'a> {
    tone: Tone,
    mark: &'static str,
    /// What was seen there.
    seen: Option<&'a Sighting>,
    /// Its place was watched and the packet did not come.
    missing: bool,
}

impl Sign<'_> {
    const fn plain(tone: Tone, mark: &'static str) -> Self {
        Sign { tone, mark, seen: None, missing: false }
    }
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

    /// One way: its namespaces, its steps, its end. Behind the place where it was lost, only what
    /// was seen is told.
    fn way(&mut self, way: &Way, marks: Option<&[Mark]>, depth: usize) {
        let mut place = 0;
        let mut unseen = 0;
        let mut before: Option<&Step> = None;
        for hop in &way.hops {
            let mut heading = Some(self.snapshot.name_of(hop.ns));
            for (n, step) in hop.steps.iter().enumerate() {
                let behind = self.lost && marks.is_some();
                let sign = match (marks, is_place(step)) {
                    _ if matches!(step.action, Action::Assumed(_)) => Sign::plain(Tone::Doubt, "?"),
                    (None, _) => Sign::plain(Tone::Plain, "·"),
                    (Some(_), false) => Sign::plain(Tone::Faint, "-"),
                    (Some(marks), true) => {
                        place += 1;
                        sign_of(marks.get(place - 1), &mut self.lost)
                    }
                };
                if behind && sign.seen.is_none() {
                    unseen += usize::from(is_place(step));
                    continue;
                }
                if let Some(name) = heading.take() {
                    self.indent(depth).put(Tone::Title, &name).end();
                }
                let next = hop.steps.get(n + 1);
                let told = next.is_some_and(|next| step::says_more(next, step))
                    || step::is_quiet(self.snapshot, step);
                if self.explain || !told {
                    self.step(step, &sign, depth);
                    self.considered(hop.ns, step, depth);
                    self.missing(&sign, before, depth);
                }
                self.children(step, depth);
                before = Some(step);
            }
        }
        if unseen > 0 {
            let text = format!("nor at the {unseen} places that were to follow");
            self.indent(depth).put(Tone::Plain, &" ".repeat(13)).put(Tone::Faint, &text).end();
        }
        self.end_of(way, marks.is_some(), depth);
    }

    fn step(&mut self, step: &Step, sign: &Sign<'_>, depth: usize) {
        self.indent(depth).put(Tone::Plain, "  ").put(sign.tone, sign.mark);
        self.page.put(Tone::Plain, &format!(" {:<8} ", label(step)));
        let (place, rest) = step_words(self.snapshot, step);
        let tone = match step.action {
            Action::Dropped(_) => Tone::Bad,
            Action::Unknown(_) | Action::Assumed(_) => Tone::Doubt,
            _ => Tone::Plain,
        };
        match sign.seen {
            Some(seen) => self.seen(&place, seen),
            // What was not seen is not told as if it had been.
            None if sign.missing => _ = self.page.put(tone, &place),
            None => self.evidence(tone, &place, &rest),
        }
        self.page.end();
    }

    /// What else was tried before a step. Of many rules that did not match, the first are told.
    fn considered(&mut self, ns: NsId, step: &Step, depth: usize) {
        const MOST: usize = 8;
        for one in &step.considered {
            self.aside(&considered_words(self.snapshot, ns, one), depth);
            let lines = considered::lines(self.snapshot, one);
            let failed = lines.iter().filter(|(_, matched)| !matched).count();
            let mut left = MOST;
            for (line, matched) in lines {
                left = left.saturating_sub(usize::from(!matched));
                if left > 0 || matched {
                    self.aside(&format!("  {line}"), depth);
                }
            }
            if let Some(more) = failed.checked_sub(MOST - 1).filter(|more| *more > 0) {
                self.aside(&format!("  and {more} more that do not match"), depth);
            }
        }
    }

    /// A line below a step.
    fn aside(&mut self, text: &str, depth: usize) {
        let indent = text.len() - text.trim_start().len();
        self.indent(depth).pad(2 * depth + 13 + indent).wrapped(Tone::Faint, text.trim_start());
        self.page.end();
    }

    /// `place  rest`; what does not fit goes on under its beginning.
    fn evidence(&mut self, tone: Tone, place: &str, rest: &str) {
        let start = self.page.column();
        self.page.put(tone, place);
        if rest.is_empty() {
            return;
        }
        let gap = if place.is_empty() { 0 } else { 2 };
        if gap > 0 && self.page.column() + gap + self.page.width_of(rest) > self.page.width() {
            self.page.end();
            self.page.pad(start + 2);
        } else {
            self.page.put(Tone::Plain, &" ".repeat(gap));
        }
        self.page.wrapped(tone, rest);
    }

    /// What a tap saw: addresses, and when.
    fn seen(&mut self, place: &str, s: &Sighting) {
        let start = self.page.column();
        let flow = words::flow(&s.packet);
        let ttl = if s.outgoing { format!("  ttl {}", s.packet.ttl) } else { String::new() };
        let micros = s.after.as_micros();
        let used = start + self.page.width_of(place) + 2 + self.page.width_of(&flow) + ttl.len();
        let long = format!("seen after {micros} µs");
        let short = format!("{micros} µs");
        let width = self.page.width();
        self.page.put(Tone::Plain, place);
        let fits = |t: &str, page: &Page| used + 2 + page.width_of(t) <= width;
        let time = if fits(&long, &self.page) { long } else { short };
        if fits(&time, &self.page) {
            self.page.put(Tone::Plain, "  ");
        } else {
            self.page.end().pad(start + 2);
        }
        self.page.put(Tone::Plain, &format!("{flow}{ttl}"));
        let at = width.saturating_sub(self.page.width_of(&time));
        self.page.to(at).put(Tone::Faint, &time);
    }

    /// After ✗: which step was to bring the packet there.
    fn missing(&mut self, sign: &Sign<'_>, before: Option<&Step>, depth: usize) {
        if !sign.missing {
            return;
        }
        let text = match before {
            Some(step) => {
                let (place, rest) = step_words(self.snapshot, step);
                let what = [label(step), &place, &rest].map(str::trim).join(" ");
                format!("not seen here; what was to bring it: {}", what.replace("  ", " "))
            }
            None => "not seen here: it was never sent".to_owned(),
        };
        self.indent(depth).put(Tone::Plain, &" ".repeat(13));
        self.page.wrapped(Tone::Bad, &text);
        self.page.end();
    }

    /// Copies and requests: told in full with `explain`, else in one line each kind.
    fn children(&mut self, step: &Step, depth: usize) {
        if self.explain {
            for child in &step.children {
                let text = cause(self.snapshot, child);
                self.indent(depth + 2).put(Tone::Faint, &text).end();
                self.way(child, None, depth + 2);
            }
            return;
        }
        let copies = step.children.iter().filter(|c| matches!(c.cause, Cause::Copy(_)));
        let ends: Vec<String> = copies.map(|c| copy_words(self.snapshot, c)).collect();
        if !ends.is_empty() {
            let text = format!("    and {} more: {}", plural(ends.len()), ends.join(", "));
            self.indent(depth).to(13).put(Tone::Faint, text.trim_start()).end();
        }
        for error in step.children.iter().filter(|c| c.cause == Cause::IcmpError) {
            let (what, end) = (cause(self.snapshot, error), end_words(self.snapshot, error));
            let text = format!("{what}: {end}{}", at_most(self.snapshot, error));
            self.indent(depth).put(Tone::Plain, &" ".repeat(13)).put(Tone::Faint, &text).end();
        }
    }

    fn end_of(&mut self, way: &Way, live: bool, depth: usize) {
        let foretold = if live { "foretold: " } else { "" };
        match &way.disposition {
            Disposition::Delivered(_) | Disposition::Left(_) => {
                let text = format!("{foretold}{}", ended(self.snapshot, way));
                self.indent(depth).put(Tone::Good, &text).end();
            }
            Disposition::Ignored => {
                let text = ended(self.snapshot, way);
                self.indent(depth).put(Tone::Faint, &text).end();
            }
            Disposition::Lost(loss) => {
                let (loss, last) = (loss.root(), way.last_packet());
                let mut lines = vec![
                    ("lost at", place(self.snapshot, loss)),
                    ("because", because(self.snapshot, loss, last)),
                ];
                let names = kernel_names(loss).join(" or ");
                lines.extend((!names.is_empty()).then_some(("kernel", names)));
                if depth == 0 {
                    lines.extend(self.fix.take().iter().flat_map(Fix::lines));
                }
                self.closing(&lines, Tone::Bad, depth);
            }
            Disposition::Unknown(u) => {
                let (whence, what) = unknown(self.snapshot, u);
                self.closing(&[("unknown", whence), ("because", what)], Tone::Doubt, depth);
            }
        }
    }

    fn closing(&mut self, lines: &[(&str, String)], tone: Tone, depth: usize) {
        for (key, text) in lines {
            self.indent(depth).put(tone, &format!("{key:<9}")).put(Tone::Plain, text).end();
        }
    }

    /// What the real packet says about the prediction.
    fn judge(&mut self, trace: &Trace, live: &Checked) {
        for s in &live.astray {
            let way = if s.outgoing { "out of" } else { "in by" };
            let text = format!(
                "astray: {} {way} {}, seen after {} µs",
                words::flow(&s.packet),
                self.snapshot.link_name(s.link),
                s.after.as_micros()
            );
            self.page.put(Tone::Doubt, &text).end();
        }
        self.rules(live);
        self.drops(live);
        let arrived = if live.arrived { "arrived" } else { "did not arrive" };
        let foretold = !matches!(trace.verdict(), Verdict::Unknown(_));
        let (tone, end) = match (live.agrees, live.arrived) {
            (true, _) if !foretold => (Tone::Doubt, "; nothing was foretold".to_owned()),
            (true, true) if live.unanswered => (
                Tone::Good,
                ", as foretold; the process there gave no answer, as over UDP none need come"
                    .to_owned(),
            ),
            (true, true) => (Tone::Good, ", as foretold".to_owned()),
            (true, false) => (Tone::Bad, ", as foretold".to_owned()),
            (false, _) => {
                let silence = self.unasked(trace, live).or_else(|| self.silence(trace, live));
                (
                    Tone::Bad,
                    silence.unwrap_or_else(|| "; prediction and packet disagree".to_owned()),
                )
            }
        };
        let text = format!("live: the packet {arrived}{end}");
        self.page.put(tone, &text).end();
    }

    /// It left as foretold, and only what was assumed of beyond that link is not so.
    fn silence(&self, trace: &Trace, live: &Checked) -> Option<String> {
        let back = trace.back.as_ref()?;
        let first = back.hops.first()?.steps.first()?;
        let Action::Entered { link } = first.action else { return None };
        let left = live.there.iter().all(|m| matches!(m, Mark::Seen(_) | Mark::NotWatched));
        let silent = live.back.iter().all(|m| matches!(m, Mark::Missing | Mark::NotWatched));
        let link = self.snapshot.link_name(link);
        (left && silent && live.astray.is_empty())
            .then(|| format!(": it left, and no answer came in by {link}"))
    }

    /// It went as foretold up to where somebody outside was assumed to answer for the next hop.
    fn unasked(&self, trace: &Trace, live: &Checked) -> Option<String> {
        let missing = live.there.iter().position(|m| matches!(m, Mark::Missing))?;
        let right = live.there[..missing].iter().all(|m| matches!(m, Mark::Seen(_)));
        let place = *trace.there.places().get(missing)?;
        let before = &trace.there.hops[place.hop].steps[..place.step];
        match &before.last()?.action {
            Action::ArpAsked {
                ip, answer: ArpAnswer::Outside { link, known_from: None }, ..
            } if right && live.astray.is_empty() => {
                let link = self.snapshot.link_name(*link);
                Some(format!(": nobody beyond {link} answered for {ip}"))
            }
            _ => None,
        }
    }

    fn indent(&mut self, depth: usize) -> &mut Page {
        if depth > 0 { self.page.put(Tone::Plain, &" ".repeat(depth * 2)) } else { &mut self.page }
    }
}

/// Whether an AF_PACKET socket could see it: what [`Way::places`] counts.
pub(crate) const fn is_place(step: &Step) -> bool {
    matches!(step.action, Action::Out { .. } | Action::In { .. })
}

fn sign_of<'m>(mark: Option<&'m Mark>, lost: &mut bool) -> Sign<'m> {
    match mark {
        Some(Mark::Seen(s)) => {
            Sign { tone: Tone::Good, mark: "✓", seen: Some(s), missing: false }
        }
        Some(Mark::Otherwise(s)) => {
            Sign { tone: Tone::Doubt, mark: "≠", seen: Some(s), missing: false }
        }
        Some(Mark::Missing) if !*lost => {
            *lost = true;
            Sign { tone: Tone::Bad, mark: "✗", seen: None, missing: true }
        }
        Some(Mark::Missing) => Sign::plain(Tone::Faint, "·"),
        Some(Mark::NotWatched) | None => Sign::plain(Tone::Faint, "-"),
    }
}

/// What kernels call such a loss, the newer ones first to tell it from others.
pub(crate) fn kernel_names(loss: &Loss) -> Vec<&'static str> {
    let all = loss.reason.kernel_names().iter().copied();
    all.filter(|name| *name != "NOT_SPECIFIED").collect()
}

fn cause(snapshot: &Snapshot, way: &Way) -> String {
    match way.cause {
        Cause::Asked => "the packet".to_owned(),
        Cause::Answer => "the answer".to_owned(),
        Cause::Copy(link) => format!("a copy, out of {}", snapshot.link_name(link)),
        Cause::ArpRequest => format!("an ARP request for {}", way.packet.dst),
        Cause::Handshake => format!("a message of a handshake, to {}", way.packet.dst),
        Cause::IcmpError => format!("{} to {}", words::payload(&way.packet), way.packet.dst),
    }
}

/// Of an ICMP error that comes to somebody: whom it is for is told of no more than a few at once, and then
/// of one in so many milliseconds.
pub(crate) fn error_interval(snapshot: &Snapshot, way: &Way) -> Option<u32> {
    let from = way.hops.first().and_then(|hop| snapshot.namespaces.get(&hop.ns))?;
    let told = !matches!(way.disposition, Disposition::Lost(_) | Disposition::Unknown(_));
    let interval = walk::icmp_interval(&from.sysctls, &way.packet)?;
    (told && way.cause == Cause::IcmpError).then_some(interval)
}

fn at_most(snapshot: &Snapshot, error: &Way) -> String {
    match error_interval(snapshot, error) {
        Some(1000) => "; no more than a few at once, and one a second".to_owned(),
        Some(ms) => format!("; no more than a few at once, and one in {ms} ms"),
        None => String::new(),
    }
}

fn copy_words(snapshot: &Snapshot, way: &Way) -> String {
    let port = match way.cause {
        Cause::Copy(link) => words::link(snapshot, link),
        Cause::Asked | Cause::Answer | Cause::ArpRequest | Cause::IcmpError | Cause::Handshake => {
            String::new()
        }
    };
    format!("{port} ({})", end_words(snapshot, way))
}

/// The end of a way in a word or two.
fn end_words(snapshot: &Snapshot, way: &Way) -> String {
    match &way.disposition {
        Disposition::Delivered(ns) => format!("delivered to {}", snapshot.name_of(*ns)),
        Disposition::Left(link) => format!("leaves by {}", snapshot.link_name(*link)),
        Disposition::Ignored => "ignored".to_owned(),
        Disposition::Lost(loss) => format!("lost at {}", place(snapshot, loss)),
        Disposition::Unknown(_) => "unknown".to_owned(),
    }
}

fn plural(n: usize) -> String {
    if n == 1 { "1 copy".to_owned() } else { format!("{n} copies") }
}

#[cfg(test)]
mod tests;
