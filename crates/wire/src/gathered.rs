//! What was gathered of a host before any of it was understood, and how a [`Snapshot`] comes of it.
//!
//! The live reader and a saved bundle pass through here alike, so that the same replies give the
//! same Snapshot, today and with what later versions will understand of them.

mod join;
mod netfilter;
mod pair;
mod public;
mod question;
mod reading;
mod sysctl;
mod wireguard;

use std::collections::BTreeMap;

use model::{Gap, Holder, HostId, LinkKind, NsId, NsKey, Process, Snapshot};

pub use join::join;
pub use pair::torn;
pub use question::Question;
pub use reading::{BridgesAsk, Reading};
pub use sysctl::SETTINGS;

use crate::rtnl::{Message, messages};

/// All that was gathered of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// What was found from outside the namespaces: which there are, their names, nesting,
    /// processes, containers, owners; when, by whom, and what went wrong. Nothing in it is decoded
    /// from a reply.
    pub found: Snapshot,
    /// Whom the numbers in the replies stand for. None: they are each namespace's own, and say
    /// nothing.
    pub numbering: Option<Numbering>,
    /// What each namespace answered.
    pub answers: BTreeMap<NsId, Answers>,
    /// Who holds what they tell of.
    pub holders: Holders,
}

/// Which processes hold what the answers only tell of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// Tun and tap devices, by namespace and name.
    pub taps: BTreeMap<(NsId, String), Holder>,
    /// Sockets that wait.
    pub sockets: Sockets,
}

/// The processes that hold a socket, by its inode; lowest PID first.
pub type Sockets = BTreeMap<u64, Vec<Process>>;

impl Gathered {
    /// What the replies tell.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let readings = self.answers.iter().map(|(id, answers)| (*id, Reading::of(answers)));
        let mut snapshot = join(self.found.clone(), readings, self.numbering.as_ref());
        hold(&mut snapshot, &self.holders);
        snapshot
    }
}

/// Fills in who holds what.
pub fn hold(snapshot: &mut Snapshot, holders: &Holders) {
    for namespace in snapshot.namespaces.values_mut() {
        for link in namespace.links.values_mut() {
            if let LinkKind::Tap(tap) = &mut link.kind {
                tap.holder = holders.taps.get(&(namespace.id, link.name.clone())).cloned();
            }
        }
        for listener in &mut namespace.listeners {
            // Several may share one: a socket has as many lines as it has addresses.
            let found = holders.sockets.get(&listener.inode);
            listener.processes = found.cloned().unwrap_or_default();
        }
    }
}

/// The nsids of the observer: it numbers what was found from `first` on; smaller ones the kernel
/// gave to namespaces that nothing but a link's peer shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbering {
    /// Number of the first.
    pub first: u32,
    /// Those that were found, in the order of their numbers.
    pub namespaces: Vec<NsId>,
}

impl Numbering {
    /// The namespace that a number stands for.
    #[must_use]
    pub fn namespace(&self, nsid: i32) -> Option<NsId> {
        let number = u32::try_from(nsid).ok()?;
        match number.checked_sub(self.first) {
            Some(place) => self.namespaces.get(usize::try_from(place).ok()?).copied(),
            None => Some(NsId { host: HostId(0), key: NsKey::Unseen(number) }),
        }
    }
}

/// What one namespace answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// By question. One that was not asked is not there.
    pub by_question: BTreeMap<Question, Answer>,
    /// What could not be asked, and why.
    pub gaps: Vec<Gap>,
}

/// What came back for a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An answer.
    Reply {
        /// As it came: whole netlink messages, or a file's text.
        bytes: Vec<u8>,
        /// False: something changed during each of several attempts to read it.
        consistent: bool,
    },
    /// A refusal, in the kernel's words.
    Refused(String),
}

impl Answer {
    /// An answer of one moment.
    #[must_use]
    pub const fn whole(bytes: Vec<u8>) -> Self {
        Self::Reply { bytes, consistent: true }
    }
}

impl Answers {
    /// Keeps what came back for a question.
    pub fn put(&mut self, question: Question, answer: Answer) {
        self.by_question.insert(question, answer);
    }

    /// Notes that a part could not be asked for.
    pub fn gap(&mut self, part: &str, cause: impl ToString) {
        self.gaps.push(Gap::new(part, cause.to_string()));
    }

    /// The bytes that answered a question; empty if none did.
    #[must_use]
    pub fn bytes(&self, question: Question) -> &[u8] {
        match self.by_question.get(&question) {
            Some(Answer::Reply { bytes, .. }) => bytes,
            _ => &[],
        }
    }

    /// The netlink messages that answered a question.
    pub fn messages(&self, question: Question) -> impl Iterator<Item = Message<'_>> {
        messages(self.bytes(question))
    }
}
