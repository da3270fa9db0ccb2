use std::path::Path;

use crate::args::Down;
use crate::building;
use crate::failure::{Exit, Failure, OrFail};
use crate::output;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &Down) -> Result<Exit, Failure> {
    let labs = building::living_labs(&session.state)?;
    let file = Path::new(&args.lab).canonicalize().ok();
    let lab = labs
        .iter()
        .find(|lab| lab.name == args.lab)
        .or_else(|| labs.iter().find(|lab| Some(&lab.source) == file.as_ref()));
    let Some(lab) = lab else {
        let names: Vec<String> = labs.iter().map(|l| render::clean(&l.name)).collect();
        let failure = Failure::usage(format!("no lab is {}", render::clean(&args.lab)));
        return Err(match names.as_slice() {
            [] => failure.hint("no lab is up at all"),
            names => failure.hint(format!("these are up: {}", names.join(", "))),
        });
    };
    crate::session::require_rights("remove a lab")?;
    let lock = session.state.lock().or_fail("cannot lock the labs' state")?;
    // Read again under the lock: an `up` may have gone on until now.
    let Some(lab) = session.state.lab(&lab.name).or_fail("cannot read the lab's state")? else {
        return Ok(Exit::Yes);
    };
    building::remove(&lock, &lab)?;
    if !session.json {
        output::line(&format!("{} is down", render::clean(&lab.name)));
    }
    Ok(Exit::Yes)
}
