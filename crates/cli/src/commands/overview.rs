//! `nestwork` alone: what is here, and what to try next.

use kernel::read::Parts;
use model::Snapshot;

use crate::failure::{Exit, Failure};
use crate::output;
use crate::session::Session;

pub(crate) fn run(session: &Session) -> Result<Exit, Failure> {
    let snapshot = session.snapshot(Parts::NSIDS | Parts::DESCRIPTORS)?;
    if session.json {
        output::line(&render::json::text(&render::json::ls(&snapshot, None)));
        return Ok(Exit::Yes);
    }
    output::print(&render::ls(&snapshot, None, &session.style));
    output::print(
        "
Next:
  nestwork map                        draw them
  nestwork trace FROM TO --live       which way a packet goes, checked with a real one
  nestwork demo                       a three-level network to look at\n",
    );
    Ok(Exit::Yes)
}

/// Tells what went wrong while reading.
pub(crate) fn warn(snapshot: &Snapshot) {
    for warning in &snapshot.warnings {
        output::error(&format!("warning: {}", render::clean(&warning.text)));
    }
}
