//! What every command starts from: how to print, where labs are remembered, the live Snapshot.

use std::io::IsTerminal;
use std::path::PathBuf;

use kernel::read::{KnownName, Parts, ReadOptions};
use kernel::rootless;
use kernel::state::State;
use model::{NsId, Snapshot, Target, Warning};
use render::Style;
use wire::gathered::Gathered;

use crate::args::{Format, Global, When};
use crate::bundles;
use crate::failure::{Failure, OrFail};
use crate::output;

pub(crate) struct Session {
    pub(crate) style: Style,
    pub(crate) json: bool,
    pub(crate) state: State,
    /// Ask container engines, too.
    pub(crate) api: bool,
    pub(crate) bundle: Option<PathBuf>,
}

impl Session {
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        let root = match &global.state {
            Some(folder) => folder.clone(),
            None => state_folder(rootless::user_id()),
        };
        Ok(Self {
            style: style(global),
            json: global.json || global.output == Format::Json,
            state: State::at(root),
            api: !global.no_api,
            bundle: global.bundle.clone(),
        })
    }

    /// What is looked at: this host as it is now, or a bundle, which text says first.
    pub(crate) fn snapshot(&self, parts: Parts) -> Result<Snapshot, Failure> {
        if let Some(path) = &self.bundle {
            let snapshot = bundles::read(path)?;
            if let Some(origin) = snapshot.origin.as_ref().filter(|_| !self.json) {
                output::line(&format!("{origin}\n"));
            }
            return Ok(snapshot);
        }
        self.live(parts, self.api)
    }

    /// Reads this host, asking engines or not.
    pub(crate) fn live(&self, parts: Parts, api: bool) -> Result<Snapshot, Failure> {
        let (names, warning) = self.known_names();
        let options = ReadOptions { parts, names, api };
        let mut snapshot = kernel::read::read(&options).or_fail("cannot read this host")?;
        snapshot.warnings.extend(warning);
        Ok(snapshot)
    }

    /// As [`Session::snapshot`], with what a word names. Those parts are read of its namespace; of
    /// the others no more than says what it is joined to.
    pub(crate) fn snapshot_around(
        &self,
        word: &str,
        parts: Parts,
    ) -> Result<(Snapshot, Target), Failure> {
        if self.bundle.is_none() {
            let (names, warning) = self.known_names();
            let options = ReadOptions { parts, names, api: self.api };
            let read = kernel::read::read_one(&options, word).or_fail("cannot read this host")?;
            let (mut snapshot, only) = read;
            snapshot.warnings.extend(warning);
            let target = find(&snapshot, word)?;
            let ns = match target {
                Target::Namespace(ns) => ns,
                Target::Link(link) => link.ns,
            };
            if only.is_none_or(|only| only == ns) {
                return Ok((snapshot, target));
            }
        }
        // A bundle has all; and an engine may have had a better claim to the name.
        let snapshot = self.snapshot(parts)?;
        let target = find(&snapshot, word)?;
        Ok((snapshot, target))
    }

    /// Whether a bundle is looked at.
    pub(crate) const fn looks_elsewhere(&self) -> bool {
        self.bundle.is_some()
    }

    /// Reads this host, and keeps the kernel's replies.
    pub(crate) fn gather(&self, parts: Parts) -> Result<Gathered, Failure> {
        let (names, warning) = self.known_names();
        let options = ReadOptions { parts, names, api: self.api };
        let mut gathered = kernel::read::gather(&options).or_fail("cannot read this host")?;
        gathered.found.warnings.extend(warning);
        Ok(gathered)
    }

    /// The names that labs gave. Whoever only looks is told where they cannot be read, and sees the
    /// rest.
    fn known_names(&self) -> (Vec<KnownName>, Option<Warning>) {
        match self.state.labs() {
            Ok(labs) => (labs.iter().flat_map(crate::building::known_names).collect(), None),
            Err(e) => {
                let text = format!("the names that labs gave are not known: {e}");
                (Vec::new(), Some(Warning { ns: None, text }))
            }
        }
    }
}

/// Refuses early, and by name, what takes rights that this process lacks.
pub(crate) fn require_rights(what: &str) -> Result<(), Failure> {
    let missing = rootless::missing_capabilities().or_fail("cannot read this process's rights")?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::failed(format!("cannot {what}"))
        .because(format!("this process lacks {}", missing.join(", ")))
        .hint("run it as root; an ordinary user can run `nestwork demo`"))
}

/// The namespace that a word names.
pub(crate) fn find_ns(snapshot: &Snapshot, word: &str) -> Result<NsId, Failure> {
    snapshot.resolve_ns(word).map_err(|e| not_found(snapshot, &e))
}

/// The namespace or link that a word names.
pub(crate) fn find(snapshot: &Snapshot, word: &str) -> Result<Target, Failure> {
    snapshot.resolve(word).map_err(|e| not_found(snapshot, &e))
}

fn not_found(snapshot: &Snapshot, error: &model::NameError) -> Failure {
    Failure::usage(render::clean(&error.to_string())).hint(render::hint(snapshot, error))
}

/// Where that user's labs are remembered.
fn state_folder(uid: u32) -> PathBuf {
    // Root of a user namespace that an ordinary user made has no say in /run.
    if uid == 0 && rootless::has_all_ids() {
        return PathBuf::from("/run/nestwork");
    }
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder).join("nestwork"),
        _ => std::env::temp_dir().join(format!("nestwork-{uid}")),
    }
}

fn style(global: &Global) -> Style {
    let terminal = std::io::stdout().is_terminal();
    let columns = || rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| size.ws_col);
    let width = global.width.or_else(|| columns().filter(|n| terminal && *n >= 40)).unwrap_or(80);
    let colour = match global.color {
        When::Always => true,
        When::Never => false,
        When::Auto => terminal && !plain(),
    };
    Style { width: usize::from(width), ascii: global.ascii, colour }
}

/// Whoever reads wants no colour, or their terminal has none.
fn plain() -> bool {
    let variable = |name| std::env::var_os(name).unwrap_or_default();
    !variable("NO_COLOR").is_empty() || variable("TERM") == "dumb"
}
