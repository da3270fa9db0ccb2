use clap::CommandFactory;

use crate::args::{Args, Completion};
use crate::failure::{Exit, Failure, OrFail};
use crate::output;

pub(crate) fn run(args: &Completion) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "nestwork", &mut script);
    output::print(&String::from_utf8(script).or_fail("cannot write the script")?);
    Ok(Exit::Yes)
}
