//! One way of a packet: its namespaces, its steps, its end.

use model::{NsId, Snapshot};
use walk::{Action, Cause, Disposition, Mark, Sighting, Step, Way};

use super::considered::{self, words as considered_words};
use super::step::{self, label, words as step_words};
use super::{Fix, Teller, because, ended, error_interval, is_place, kernel_names, place, unknown};
use crate::page::Page;
use crate::style::Tone;
use crate::words;

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
    /// One way: its namespaces, its steps, its end. Behind the place where it was lost, only what
    /// was seen is told.
    pub(super) fn way(&mut self, way: &Way, marks: Option<&[Mark]>, depth: usize) {
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
