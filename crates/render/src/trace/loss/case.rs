use model::{LinkId, Snapshot};
use walk::{Loss, Packet};

use super::{place, told};
use crate::trace::shell;
use crate::words as w;

/// A packet that was lost.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) loss: &'a Loss,
    pub(super) packet: &'a Packet,
}

/// What is said of it.
pub(super) struct Said {
    /// Why it was lost, in a sentence.
    pub(super) because: String,
    /// What a person has to do, where no change is known that could be tried.
    pub(super) advice: Option<String>,
}

/// The reason alone.
pub(super) fn said(because: impl Into<String>) -> Said {
    Said { because: because.into(), advice: None }
}

impl Said {
    pub(super) fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }
}

impl<'a> Case<'a> {
    /// A link in a sentence.
    pub(super) fn name(&self, link: LinkId) -> String {
        w::link(self.snapshot, link)
    }

    /// The link that it was lost on.
    pub(super) fn link(&self) -> String {
        self.loss.link.map_or_else(|| "the link".to_owned(), |link| self.name(link))
    }

    /// A link in a command.
    pub(super) fn dev_of(&self, link: LinkId) -> String {
        shell::link(self.snapshot, link)
    }

    /// The link that it was lost on, in a command.
    pub(super) fn dev(&self) -> String {
        self.loss.link.map_or_else(|| "LINK".to_owned(), |link| self.dev_of(link))
    }

    /// A command, in the namespace that it was lost in.
    pub(super) fn here(&self, command: impl AsRef<str>) -> String {
        let ns = shell::namespace(self.snapshot, self.loss.ns);
        format!("nestwork exec {ns} {}", command.as_ref())
    }

    /// What is said of the loss of what this packet needed to go on: `docker01, on eth0: no route
    /// leads to 10.0.0.1`.
    pub(super) fn beneath(&self, loss: &'a Loss) -> Said {
        let said = told(Self { loss, ..*self });
        let because = format!("{}: {}", place(self.snapshot, loss), said.because);
        Said { because, ..said }
    }
}
