use kernel::read::Parts;
use model::Snapshot;

use crate::args::Diff;
use crate::bundles;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &Diff) -> Result<Exit, Failure> {
    let before = bundles::read(&args.before)?;
    let after = match &args.after {
        Some(path) => bundles::read(path)?,
        None => session.snapshot(Parts::all() - Parts::CONNTRACK - Parts::LISTENERS)?,
    };
    let differences = model::diff(&before, &after);
    if session.json {
        let view = render::json::diff(&before, &after, &differences, args.all);
        output::line(&render::json::text(&view));
    } else {
        output::print(&render::diff(&before, &after, &differences, args.all, &session.style));
        warn("before", &before);
        warn("after", &after);
    }
    let told = differences.iter().any(|d| args.all || !d.noise);
    Ok(if told { Exit::No } else { Exit::Yes })
}

/// Tells what went wrong while one of them was read.
fn warn(when: &str, snapshot: &Snapshot) {
    for warning in &snapshot.warnings {
        output::error(&format!("warning: {when}: {}", render::clean(&warning.text)));
    }
}
