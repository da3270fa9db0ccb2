//! What is needed to answer elsewhere, in one file.

use std::hash::RandomState;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use bundle::{Bundle, Origin};
use kernel::read::Parts;
use schemars::JsonSchema;
use serde::Serialize;

use crate::args::Collect;
use crate::bundles;
use crate::failure::{Exit, Failure, OrFail};
use crate::output;
use crate::session::Session;

/// What a bundle tells whoever has it.
const HELD: &str = "It holds this host's addresses, routes, firewall rules and connections, and the
names of containers and processes: give it to people who may know them, or collect --stand-ins.";
const HIDDEN: &str =
    "Its addresses and names are stand-ins. How many there are, how they are wired,
ports, ifindexes, PIDs, uids, inodes, times and the kernel's version are as they are.";

/// What was collected, as JSON tells it.
#[derive(Serialize, JsonSchema)]
pub(crate) struct CollectView {
    /// The file.
    file: String,
    /// Its size in bytes.
    bytes: usize,
    /// How many namespaces it tells of.
    namespaces: usize,
    /// How many answers of the kernel it holds.
    answers: usize,
    /// Whether its addresses and names are stand-ins.
    stand_ins: bool,
    /// What went wrong while it was collected.
    warnings: Vec<String>,
}

pub(crate) fn run(session: &Session, args: &Collect) -> Result<Exit, Failure> {
    if args.script {
        output::print(include_str!("collect.sh"));
        return Ok(Exit::Yes);
    }
    let to_stdout = args.file.as_deref() == Some(Path::new("-"));
    if to_stdout && std::io::stdout().is_terminal() {
        return Err(Failure::usage("a bundle is no text, and this is a terminal")
            .hint("name a file, or pipe it somewhere"));
    }
    progress("reading this host…");
    let mut bundle = Bundle { origin: origin(), gathered: session.gather(Parts::all())? };
    if args.stand_ins {
        progress("putting stand-ins…");
        bundle = bundle::stand_ins(&bundle, RandomState::new);
    }
    progress("compressing…");
    let bytes = bundle.pack().or_fail("cannot make a bundle")?;
    let file = args.file.clone().unwrap_or_else(|| default_name(&bundle));
    if to_stdout {
        output::bytes(&bytes).or_fail("cannot write the bundle")?;
    } else {
        bundles::write(&file, &bytes, args.force)?;
    }
    tell(session, &view(&bundle, &file, bytes.len()), args)?;
    Ok(Exit::Yes)
}

fn progress(what: &str) {
    if std::io::stderr().is_terminal() {
        output::error(what);
    }
}

fn origin() -> Origin {
    let uname = rustix::system::uname();
    Origin {
        host: uname.nodename().to_string_lossy().into_owned(),
        kernel: uname.release().to_string_lossy().into_owned(),
        nestwork: env!("CARGO_PKG_VERSION").to_owned(),
        stand_ins: false,
    }
}

/// `nestwork-HOST-DATE.tar.gz`.
fn default_name(bundle: &Bundle) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    let host: String = bundle.origin.host.chars().take(64).map(plain).collect();
    let date = bundle::date(bundle.gathered.found.taken);
    let date = date.trim_end_matches(" UTC").replace(' ', "T").replace(':', "");
    PathBuf::from(format!("nestwork-{host}-{date}.tar.gz"))
}

fn view(bundle: &Bundle, file: &Path, bytes: usize) -> CollectView {
    let gathered = &bundle.gathered;
    CollectView {
        file: file.display().to_string(),
        bytes,
        namespaces: gathered.found.namespaces.len(),
        answers: gathered.answers.values().map(|a| a.by_question.len()).sum(),
        stand_ins: bundle.origin.stand_ins,
        warnings: gathered.found.warnings.iter().map(|w| w.text.clone()).collect(),
    }
}

fn tell(session: &Session, view: &CollectView, args: &Collect) -> Result<(), Failure> {
    let to_stdout = args.file.as_deref() == Some(Path::new("-"));
    let say = if to_stdout { output::error } else { output::line };
    if session.json && !to_stdout {
        output::line(&serde_json::to_string_pretty(view).or_fail("cannot write JSON")?);
        return Ok(());
    }
    let file = render::clean(&view.file);
    let (namespaces, answers) = (view.namespaces, view.answers);
    let size = view.bytes.div_ceil(1024);
    say(&format!("{file}: {namespaces} namespaces, {answers} answers of the kernel, {size} KiB"));
    for warning in &view.warnings {
        say(&format!("warning: {}", render::clean(warning)));
    }
    say(if view.stand_ins { HIDDEN } else { HELD });
    if !to_stdout {
        say(&format!("next: nestwork map --bundle {file}"));
    }
    Ok(())
}
