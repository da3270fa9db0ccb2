use kernel::read::Parts;

use crate::args::Map;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::session::{Session, find_ns};

pub(crate) fn run(session: &Session, args: &Map) -> Result<Exit, Failure> {
    let snapshot = session.snapshot(Parts::all() - Parts::CONNTRACK - Parts::LISTENERS)?;
    let focus = args.ns.as_ref().map(|ns| find_ns(&snapshot, ns)).transpose()?;
    if session.json {
        output::line(&render::json::text(&render::json::map(&snapshot, focus)));
    } else {
        output::print(&render::map(&snapshot, focus, &session.style));
        super::overview::warn(&snapshot);
    }
    Ok(Exit::Yes)
}
