//! What a Snapshot says to a check file.

use check::{Case, Cause, Doubt, End, Finding, Report, RuleReport, Service};
use model::Snapshot;

use crate::page::Page;
use crate::style::{Style, Tone};
use crate::trace::{because, place, trace, unknown};

/// How many pairs of a case are named.
const NAMED: usize = 4;
/// By how much a trace is set in.
const INDENT: usize = 4;

/// Rule by rule: holds, fails or open; with a trace for each thing that was found.
#[must_use]
pub fn check(snapshot: &Snapshot, report: &Report, style: &Style) -> String {
    let mut text = String::new();
    for rule in &report.rules {
        heading(&mut text, rule, style);
        for case in &rule.cases {
            told(&mut text, snapshot, case, style);
        }
    }
    let mut page = Page::new(style);
    page.end().wrapped(Tone::Plain, &summary(report)).end();
    text + &page.finish()
}

/// `✓ web -> db: 5432  6 pairs`.
fn heading(text: &mut String, rule: &RuleReport, style: &Style) {
    let mut page = Page::new(style);
    let (tone, mark) = match (rule.cases.is_empty(), rule.fails()) {
        (true, _) => (Tone::Good, "✓"),
        (_, true) => (Tone::Bad, "✗"),
        (_, false) => (Tone::Doubt, "?"),
    };
    page.put(tone, mark).put(Tone::Plain, " ").put(Tone::Title, &rule.text);
    let count = if rule.pairs == 0 {
        "no pair that earlier rules had not judged".to_owned()
    } else {
        counted(rule.pairs, "pair")
    };
    page.put(Tone::Plain, "  ").hanging(Tone::Faint, &count, INDENT).end();
    text.push_str(&page.finish());
}

/// Who is concerned, what was found, and the first one's trace.
fn told(text: &mut String, snapshot: &Snapshot, case: &Case, style: &Style) {
    let mut page = Page::new(style);
    let who = case.pairs.iter().take(NAMED).map(|pair| pair_name(snapshot, *pair));
    let mut who: Vec<String> = who.collect();
    if case.pairs.len() > NAMED {
        who.push(format!("and {} more", case.pairs.len() - NAMED));
    }
    let tone = if matches!(case.finding, Finding::Fails(_)) { Tone::Bad } else { Tone::Doubt };
    page.item(2, &format!("{}: {}", case.want, who.join(", ")));
    page.put(Tone::Plain, "  ").hanging(tone, &found(snapshot, case), INDENT).end();
    text.push_str(&page.finish());
    let Some(shown) = &case.trace else { return };
    let narrow = Style { width: style.width.saturating_sub(INDENT), ..*style };
    for line in trace(snapshot, shown, None, false, &narrow).lines() {
        let line = format!("{:INDENT$}{line}", "");
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// Who can reach somebody, and why others cannot, a line for each cause with all whom it is so of.
#[must_use]
pub fn reach(
    snapshot: &Snapshot,
    to: &str,
    service: Service,
    reaching: &[End],
    report: &Report,
    style: &Style,
) -> String {
    let mut page = Page::new(style);
    page.put(Tone::Title, &format!("who reaches {to} ({service})")).end().end();
    let names = |all: &mut dyn Iterator<Item = End>| {
        all.map(|who| end(snapshot, who)).collect::<Vec<_>>().join(", ")
    };
    let mut line = |tone, mark: &str, text: &str, count: usize, names: &str| {
        page.put(tone, mark).put(Tone::Plain, " ").hanging(Tone::Plain, text, INDENT).end();
        page.put(Tone::Plain, "    ").hanging(Tone::Faint, &format!("{count}: {names}"), INDENT);
        page.end();
    };
    if !reaching.is_empty() {
        let names = names(&mut reaching.iter().copied());
        line(Tone::Good, "✓", "it arrives, and so does its answer", reaching.len(), &names);
    }
    for case in report.rules.iter().flat_map(|r| &r.cases) {
        let fails = matches!(case.finding, Finding::Fails(_));
        let (tone, mark) = if fails { (Tone::Bad, "✗") } else { (Tone::Doubt, "?") };
        let names = names(&mut case.pairs.iter().map(|(from, _)| *from));
        line(tone, mark, &found(snapshot, case), case.pairs.len(), &names);
    }
    page.finish()
}

/// `web → db`.
pub(crate) fn pair_name(snapshot: &Snapshot, (from, to): (End, End)) -> String {
    format!("{} → {}", end(snapshot, from), end(snapshot, to))
}

/// One end of a pair.
pub(crate) fn end(snapshot: &Snapshot, end: End) -> String {
    match end {
        End::Namespace(ns) => snapshot.name_of(ns),
        End::Address(ip) => ip.to_string(),
        End::Outside => "outside".to_owned(),
    }
}

/// What was found of the first pair, in a sentence.
pub(crate) fn found(snapshot: &Snapshot, case: &Case) -> String {
    match &case.finding {
        Finding::Fails(Cause::Lost { loss, back }) => {
            let what = if *back { "the answer is lost" } else { "lost" };
            let packet = case.trace.as_ref().map(|trace| match (back, &trace.back) {
                (true, Some(way)) => &way.packet,
                _ => &trace.there.packet,
            });
            let why = packet.map(|packet| because(snapshot, loss, packet)).unwrap_or_default();
            format!("{what} at {}: {why}", place(snapshot, loss))
        }
        Finding::Fails(Cause::Arrives { answered: true }) => {
            "it comes there, and its answer back".to_owned()
        }
        Finding::Fails(Cause::Arrives { answered: false }) => {
            "it comes there, although its answer is lost".to_owned()
        }
        Finding::Fails(Cause::Elsewhere(Some(ns))) => {
            format!("it comes to {} instead, which takes that address", snapshot.name_of(*ns))
        }
        Finding::Fails(Cause::Elsewhere(None)) => "it leaves this host instead".to_owned(),
        Finding::Fails(Cause::NoAddress) => "there is no address to send it to".to_owned(),
        Finding::Open(doubt) => self::doubt(snapshot, doubt),
    }
}

fn doubt(snapshot: &Snapshot, doubt: &Doubt) -> String {
    match doubt {
        Doubt::Unknown(what) => {
            let (place, why) = unknown(snapshot, what);
            format!("cannot tell: unknown at {place}: {why}")
        }
        Doubt::Assumed => "cannot tell: it rests on what is assumed".to_owned(),
        Doubt::ManyPorts(n) => format!(
            "cannot tell: rules part the ports into {n}, too many to try; name the ports that matter"
        ),
    }
}

/// What it comes to.
pub(crate) fn summary(report: &Report) -> String {
    let rules = || report.rules.iter();
    let fail = rules().filter(|r| r.fails()).count();
    let open = rules().filter(|r| !r.fails() && !r.cases.is_empty()).count();
    let hold = rules().len() - fail - open;
    let mut parts = vec![format!("{} {}", counted(hold, "rule"), verb(hold, "hold", "holds"))];
    if fail > 0 {
        parts.push(format!("{fail} {}", verb(fail, "fail", "fails")));
    }
    if open > 0 {
        parts.push(format!("{open} cannot be judged"));
    }
    parts.join(", ")
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

const fn verb(n: usize, many: &'static str, one: &'static str) -> &'static str {
    if n == 1 { one } else { many }
}
