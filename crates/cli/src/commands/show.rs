use kernel::read::Parts;

use crate::args::Show;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &Show) -> Result<Exit, Failure> {
    let (snapshot, target) = session.snapshot_around(&args.target, Parts::all())?;
    if session.json {
        let view = render::json::show(&snapshot, target);
        output::line(&view.as_ref().map(render::json::text).unwrap_or_default());
    } else {
        output::print(&render::show(&snapshot, target, &session.style));
    }
    Ok(Exit::Yes)
}
