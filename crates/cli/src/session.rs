//! What every command starts from: how to print, where labs are remembered, the live Snapshot.

use std::io::IsTerminal;
use std::path::PathBuf;

use kernel::read::{KnownName, Parts, ReadOptions};
use kernel::rootless;
use kernel::state::State;
use model::{NsId, Snapshot, Target};
use render::Style;

use crate::args::{Format, Global, When};
use crate::failure::{Failure, OrFail};

pub(crate) struct Session {
    pub(crate) style: Style,
    pub(crate) json: bool,
    pub(crate) state: State,
    /// Ask container engines, too.
    pub(crate) api: bool,
    /// Look at this, not at the host.
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

    /// What is looked at: this host as it is now, or a bundle.
    pub(crate) fn snapshot(&self, parts: Parts) -> Result<Snapshot, Failure> {
        if let Some(path) = &self.bundle {
            return crate::pastes::read(path);
        }
        let options = ReadOptions { parts, names: self.known_names()?, api: self.api };
        kernel::read::read(&options).or_fail("cannot read this host")
    }

    /// Whether a bundle is looked at.
    pub(crate) const fn looks_elsewhere(&self) -> bool {
        self.bundle.is_some()
    }

    /// The names that labs gave.
    fn known_names(&self) -> Result<Vec<KnownName>, Failure> {
        let mut names = Vec::new();
        for lab in self.state.labs().or_fail("cannot read the labs' state")? {
            names.extend(crate::building::known_names(&lab));
        }
        Ok(names)
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
        When::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    Style { width: usize::from(width), ascii: global.ascii, colour }
}
