use kernel::read::Parts;

use crate::args::Diff;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &Diff) -> Result<Exit, Failure> {
    let before = Session::snapshot_of(&args.before)?;
    let after = match &args.after {
        Some(path) => Session::snapshot_of(path)?,
        None => session.snapshot(Parts::all() - Parts::CONNTRACK - Parts::LISTENERS)?,
    };
    let differences = model::diff(&before, &after);
    if session.json {
        let view = render::json::diff(&before, &after, &differences, args.all);
        output::line(&render::json::text(&view));
    } else {
        output::print(&render::diff(&before, &after, &differences, args.all, &session.style));
        super::overview::warn(&before);
        super::overview::warn(&after);
    }
    let told = differences.iter().any(|d| args.all || !d.noise);
    Ok(if told { Exit::No } else { Exit::Yes })
}
