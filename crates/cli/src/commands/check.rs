use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use check::{CheckError, Plan, Report, Row};
use kernel::read::Parts;
use walk::Indexed;

use crate::args::Check;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &Check) -> Result<Exit, Failure> {
    let shown = args.file.display().to_string();
    let text = read(&args.file).map_err(|e| {
        Failure::usage(format!("cannot read {}", render::clean(&shown)))
            .because(e)
            .hint("docs/check-file.md says what a check file holds; examples/check.yaml is one")
    })?;
    let file = check::parse(&text, &shown).map_err(|e| refused(&e))?;
    let snapshot = session.snapshot(Parts::all() - Parts::LISTENERS - Parts::DEFAULTS)?;
    let plan = file.plan(&snapshot).map_err(|e| refused(&e))?;
    let net = Indexed::new(&snapshot);
    let report = judge(&plan, &net, args.jobs.map(usize::from));
    if session.json {
        output::print(&render::json::text(&render::json::check(&snapshot, &report)));
    } else {
        output::print(&render::check(&snapshot, &report, &session.style));
        super::overview::warn(&snapshot);
    }
    Ok(match (report.holds(), report.fails()) {
        (true, _) => Exit::Yes,
        (_, true) => Exit::No,
        (_, false) => Exit::Unknown,
    })
}

/// All rows, shared among threads, one for each processor unless said otherwise: whoever is done takes
/// the next block.
pub(super) fn judge(plan: &Plan<'_>, net: &Indexed<'_>, threads: Option<usize>) -> Report {
    let threads = threads.unwrap_or_else(processors);
    let blocks = plan.blocks(threads);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        let taken = std::iter::from_fn(|| blocks.get(next.fetch_add(1, Ordering::Relaxed)));
        let mine: Vec<Row> = taken.flat_map(|rows| plan.judge(net, rows.clone())).collect();
        done.lock().expect("no thread panics with it held").extend(mine);
    };
    std::thread::scope(|scope| {
        (1..threads.min(blocks.len())).for_each(|_| _ = scope.spawn(work));
        work();
    });
    plan.report(net, done.into_inner().expect("all threads have ended well"))
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// A check file's text, if it is no longer than one may be.
fn read(path: &Path) -> std::io::Result<String> {
    const MOST: u64 = 16 << 20;
    let input: Box<dyn std::io::Read> = match path.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => Box::new(std::fs::File::open(path)?),
    };
    let mut text = String::new();
    input.take(MOST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST {
        return Err(std::io::Error::other("it is longer than 16 MiB"));
    }
    Ok(text)
}

pub(super) fn refused(errors: &[CheckError]) -> Failure {
    let lines: Vec<String> = errors.iter().map(|e| render::clean(&e.to_string())).collect();
    Failure::usage(lines.join("\nerror: "))
}
