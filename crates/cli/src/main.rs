//! `nestwork`: builds, shows and explains Linux container networks at any depth of nesting.

#![forbid(unsafe_code)]

mod args;
mod building;
mod bundles;
mod commands;
mod failure;

mod output;
mod session;
mod tracing;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use failure::{Exit, Failure};
use session::Session;

fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    if let Some(code) = kernel::role::play(&words) {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    std::panic::set_hook(Box::new(|panic| {
        output::error(&format!("bug: {panic}\nhint: please report this, with the command line"));
        std::process::exit(Exit::Bug.code().into());
    }));
    let args = Args::try_parse().unwrap_or_else(|e| refuse(&e, &words));
    match run(&args) {
        Ok(_) if output::is_lost() => ExitCode::from(Exit::Failed.code()),
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            output::error(&failure.to_string());
            ExitCode::from(failure.exit.code())
        }
    }
}

/// Ends with what is wrong with the command line: names in it are no more harmless than elsewhere.
fn refuse(error: &clap::Error, words: &[String]) -> ! {
    if words.iter().all(|word| render::clean(word) == *word) {
        error.exit();
    }
    let lines = error.to_string();
    lines.lines().for_each(|line| output::error(&render::clean(line)));
    std::process::exit(error.exit_code());
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let session = Session::new(&args.global)?;
    if args.global.bundle.is_some() && !args.command.as_ref().is_none_or(Command::looks) {
        return Err(Failure::usage("this command is about this host, not about a bundle")
            .hint("--bundle goes with map, ls, show, find, trace, check and doctor"));
    }
    match &args.command {
        None => commands::overview::run(&session),
        // What it shows is its own.
        Some(Command::Demo) => commands::demo::run(&Session { api: false, ..session }),
        Some(Command::Plan(a)) => commands::plan::run(&session, a),
        Some(Command::Up(a)) => commands::up::run(&session, a),
        Some(Command::Down(a)) => commands::down::run(&session, a),
        Some(Command::Labs) => commands::labs::run(&session),
        Some(Command::Map(a)) => commands::map::run(&session, a),
        Some(Command::Ls(a)) => commands::ls::run(&session, a),
        Some(Command::Show(a)) => commands::show::run(&session, a),
        Some(Command::Find(a)) => commands::find::run(&session, a),
        Some(Command::Trace(a)) => commands::trace::run(&session, a),
        Some(Command::Check(a)) => commands::check::run(&session, a),
        Some(Command::Doctor(a)) => commands::doctor::run(&session, a),
        Some(Command::Collect(a)) => commands::collect::run(&session, a),
        Some(Command::Diff(a)) => commands::diff::run(&session, a),
        Some(Command::Watch(a)) => commands::watch::run(&session, a),
        Some(Command::Exec(a)) => commands::exec::run(&session, a),
        Some(Command::Schema(a)) => commands::schema::run(a),
        Some(Command::Completion(a)) => commands::completion::run(a),
    }
}
