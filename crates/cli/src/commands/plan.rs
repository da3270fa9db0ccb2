use crate::args::Plan;
use crate::building::{Before, Design};
use crate::failure::{Exit, Failure, OrFail};
use crate::output;
use crate::session::Session;

use super::up::refuse_other_file;

pub(crate) fn run(session: &Session, args: &Plan) -> Result<Exit, Failure> {
    let design = Design::read(&args.file)?;
    let lab = session.state.lab(&design.wanted.name).or_fail("cannot read the lab's state")?;
    refuse_other_file(lab.as_ref(), &design)?;
    let changes = Before::look(lab.as_ref(), &design.wanted)?.plan(&design.wanted);
    if session.json {
        output::line(&render::json::text(&render::json::plan(&changes)));
    } else {
        output::print(&render::plan(&changes, &session.style));
    }
    Ok(if args.exit_code && !changes.is_empty() { Exit::No } else { Exit::Yes })
}
