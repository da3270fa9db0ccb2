//! What is wrong with a host, in words: each fault with what shows it, whom it hits, and what to do.

mod fault;

use doctor::{Finding, Report};
use model::Snapshot;

use crate::page::Page;
use crate::style::{Style, Tone};
use crate::trace::outcome;

pub(crate) use fault::{kind, told as words};

/// How many of those that are hit are named.
const NAMED: usize = 6;
/// Where the words behind `because` and the like begin.
const COLUMN: usize = 11;

/// All findings, each with evidence, who is hit, and the fix; then what could not be read.
#[must_use]
pub fn doctor(snapshot: &Snapshot, report: &Report, style: &Style) -> String {
    let mut page = Page::new(style);
    for finding in &report.findings {
        told(&mut page, snapshot, finding);
    }
    page.wrapped(Tone::Plain, &summary(report)).end();
    for line in unread(snapshot, report) {
        page.item(2, &line);
    }
    page.finish()
}

fn told(page: &mut Page, snapshot: &Snapshot, finding: &Finding) {
    let said = words(snapshot, finding);
    page.put(Tone::Bad, "✗ ").hanging(Tone::Title, &said.title, 2).end();
    let mut all: Vec<(&str, Tone, String)> = Vec::new();
    let mut lines = |word, tone, texts: Vec<String>| {
        let words = std::iter::once(word).chain(std::iter::repeat(""));
        all.extend(words.zip(texts).map(|(word, text)| (word, tone, text)));
    };
    lines("seen", Tone::Plain, said.evidence);
    let shown = finding.trace.iter().map(|trace| {
        let sent = crate::trace::asked(snapshot, trace);
        format!("{sent}: {}", outcome(snapshot, trace))
    });
    lines("shown by", Tone::Plain, shown.collect());
    lines("hits", Tone::Plain, vec![hit(snapshot, finding)]);
    lines("to fix", Tone::Good, said.fix);
    for (word, tone, text) in all {
        page.put(Tone::Plain, "  ").put(Tone::Faint, word).to(COLUMN);
        page.hanging(tone, &text, COLUMN).end();
    }
    page.end();
}

/// `3 namespaces: web, db, cache`.
fn hit(snapshot: &Snapshot, finding: &Finding) -> String {
    let names = finding.hit.iter().map(|ns| snapshot.name_of(*ns));
    let names = crate::words::some(NAMED, names);
    match finding.hit.len() {
        1 => names,
        n => format!("{n} namespaces: {names}"),
    }
}

/// What it comes to.
pub(crate) fn summary(report: &Report) -> String {
    let found = match report.findings.len() {
        0 => "no known fault was found".to_owned(),
        1 => "1 fault was found".to_owned(),
        n => format!("{n} faults were found"),
    };
    match report.unread.len() {
        0 => found,
        _ => format!("{found}, and not all could be read, so that others may hide:"),
    }
}

/// What could not be read, a line for each cause.
pub(crate) fn unread(snapshot: &Snapshot, report: &Report) -> Vec<String> {
    let mut causes: Vec<(String, Vec<String>)> = Vec::new();
    for (ns, gap) in &report.unread {
        let what = format!("{}: {}", gap.part, gap.cause);
        let name = snapshot.name_of(*ns);
        match causes.iter_mut().find(|(known, _)| *known == what) {
            Some((_, names)) => names.push(name),
            None => causes.push((what, vec![name])),
        }
    }
    let line = |(what, names): (String, Vec<String>)| {
        format!("{what} (of {})", crate::words::some(NAMED, names.into_iter()))
    };
    causes.into_iter().map(line).collect()
}
