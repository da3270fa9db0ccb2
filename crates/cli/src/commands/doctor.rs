use std::collections::BTreeSet;

use doctor::Report;
use kernel::read::Parts;
use model::{NsId, Snapshot};

use crate::args::Doctor;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::session::{Session, find_ns};

pub(crate) fn run(session: &Session, args: &Doctor) -> Result<Exit, Failure> {
    let snapshot = session.snapshot(Parts::all() - Parts::DEFAULTS)?;
    let mut report = doctor::examine(&snapshot);
    if !args.ns.is_empty() {
        keep(&mut report, &wanted(&snapshot, &args.ns)?);
    }
    if session.json {
        output::print(&render::json::text(&render::json::doctor(&snapshot, &report)));
    } else {
        output::print(&render::doctor(&snapshot, &report, &session.style));
        super::overview::warn(&snapshot);
    }
    Ok(match (report.findings.is_empty(), report.unread.is_empty()) {
        (false, _) => Exit::No,
        (true, true) => Exit::Yes,
        // One may hide in what could not be read.
        (true, false) => Exit::Unknown,
    })
}

/// The namespaces that words on the command line mean.
fn wanted(snapshot: &Snapshot, words: &[String]) -> Result<BTreeSet<NsId>, Failure> {
    let mut wanted = BTreeSet::new();
    for word in words {
        let before = wanted.len();
        let fitting = snapshot.namespaces.values().filter(|ns| snapshot.fits(ns, word));
        wanted.extend(fitting.map(|ns| ns.id));
        if wanted.len() == before {
            wanted.insert(find_ns(snapshot, word)?);
        }
    }
    Ok(wanted)
}

fn keep(report: &mut Report, wanted: &BTreeSet<NsId>) {
    report
        .findings
        .retain(|f| wanted.contains(&f.ns) || f.hit.iter().any(|ns| wanted.contains(ns)));
    report.unread.retain(|(ns, _)| wanted.contains(ns));
}
