use kernel::read::Parts;

use crate::args::Ls;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::session::{Session, find_ns};

pub(crate) fn run(session: &Session, args: &Ls) -> Result<Exit, Failure> {
    let snapshot = session.snapshot(Parts::NSIDS | Parts::DESCRIPTORS)?;
    let seen_from = args.seen_from.as_ref().map(|ns| find_ns(&snapshot, ns)).transpose()?;
    if session.json {
        output::line(&render::json::text(&render::json::ls(&snapshot, seen_from)));
    } else {
        output::print(&render::ls(&snapshot, seen_from, &session.style));
    }
    Ok(Exit::Yes)
}
