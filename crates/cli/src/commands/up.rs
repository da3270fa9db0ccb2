use std::time::Instant;

use kernel::apply::Cause;
use kernel::state::LabState;
use model::Change;

use crate::args::Up;
use crate::building::{self, Before, Design};
use crate::failure::{Exit, Failure, OrFail};
use crate::output;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &Up) -> Result<Exit, Failure> {
    let design = Design::read(&args.file)?;
    crate::session::require_rights("build a lab")?;
    for sentence in &design.differs {
        output::error(&format!("as an ordinary user: {sentence}"));
    }
    let start = Instant::now();
    let lock = building::lock(&session.state)?;
    let lab = session.state.lab(&design.wanted.name).or_fail("cannot read the lab's state")?;
    refuse_other_file(lab.as_ref(), &design)?;
    let before = Before::look(lab.as_ref(), &design.wanted)?;
    let changes = before.plan(&design.wanted);
    let mut fault = Fault::from_environment();
    building::make(&lock, &design, &before, &changes, None, &mut |n, change| {
        if args.verbose {
            output::line(&render::change(change));
        }
        fault.strike(n)
    })?;
    report(session, &design, &changes, start);
    Ok(Exit::Yes)
}

fn report(session: &Session, design: &Design, changes: &[Change], start: Instant) {
    let name = render::clean(&design.wanted.name);
    if session.json {
        output::line(&render::json::text(&render::json::plan(changes)));
    } else if changes.is_empty() {
        output::line(&format!("{name} is up; nothing to change"));
    } else {
        let time = start.elapsed().as_secs_f64() * 1e3;
        output::line(&format!("{name} is up: {} changes in {time:.0} ms", changes.len()));
        output::line(&format!("next: nestwork map · nestwork ls · nestwork down {name}"));
    }
}

/// A lab belongs to one file: another one of the same name is most likely a mistake.
pub(crate) fn refuse_other_file(lab: Option<&LabState>, design: &Design) -> Result<(), Failure> {
    match lab {
        Some(lab) if lab.source != design.source => {
            let name = render::clean(&lab.name);
            Err(Failure::usage(format!("the lab {name} is already up from another file"))
                .because(format!(
                    "{} says `name: {name}`, and so does {}",
                    render::clean(&lab.source.display().to_string()),
                    render::clean(&design.source.display().to_string()),
                ))
                .hint(format!("`nestwork down {name}` first, or give this one another name")))
        }
        _ => Ok(()),
    }
}

/// A fault to be injected, for tests: `NESTWORK_FAULT=kill:N` ends this program before its N-th
/// change, `fail:N` makes that change fail.
struct Fault {
    kill: Option<usize>,
    fail: Option<usize>,
}

impl Fault {
    fn from_environment() -> Self {
        let text = std::env::var("NESTWORK_FAULT").unwrap_or_default();
        let number = |kind: &str| text.strip_prefix(kind)?.parse().ok();
        Self { kill: number("kill:"), fail: number("fail:") }
    }

    fn strike(&mut self, n: usize) -> Result<(), Cause> {
        if self.kill == Some(n) {
            kernel::kill_self();
        }
        if self.fail == Some(n) {
            return Err(Cause::new("a fault was asked for"));
        }
        Ok(())
    }
}
