//! Watching all namespaces: what happens in them, as it happens.
//!
//! A network namespace of our own gives each a number of its own choice, as for reading, and one
//! socket there hears what the kernel tells in all that have one: in one queue, so that the order
//! across namespaces is the kernel's. Nothing is allotted in anybody else's table.
//!
//! What is told is applied to the Snapshot that is held; what the kernel takes away without telling
//! (routes of a link that went down), and what takes more than one message to tell (rulesets), is
//! read again where something hints at it. Where the kernel lost messages because they came faster
//! than they were read, and where a namespace comes up, everything is read anew, and what differs is
//! told. What changes without a message or a hint of one is looked at now and then.

mod follow;
mod post;
mod scan;
mod state;
mod untold;

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use model::{Difference, NsId, Snapshot};

use crate::read::Parts;
use crate::read::modules::Present;
use crate::sys;
use post::{Heard, Post};
use scan::Scan;
use state::State;
use untold::Untold;

/// What is held of each namespace, and told about.
pub const PARTS: Parts =
    Parts::all().difference(Parts::NSIDS.union(Parts::CONNTRACK).union(Parts::LISTENERS));
/// Where namespaces are looked for.
const FOUND: Parts = Parts::DESCRIPTORS;

/// How long nothing may happen before what changed silently is looked for.
const QUIET: Duration = Duration::from_millis(50);
/// After which it is looked for in any case.
const LATEST: Duration = Duration::from_millis(500);

/// Why nothing can be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// No socket could be opened.
    #[error("cannot hear what the kernel tells: {0}")]
    Hear(#[source] io::Error),
    /// There is no /proc.
    #[error("cannot read /proc: {0}")]
    Proc(#[source] io::Error),
}

/// Something to tell.
#[derive(Debug)]
pub enum Told<'a> {
    /// Something is not as it was.
    Difference {
        /// Where what was is found.
        before: &'a Snapshot,
        /// Where what is is found.
        after: &'a Snapshot,
        /// What.
        difference: &'a Difference,
    },
    /// Something about the watching itself, in words.
    Note(String),
}

/// Who is told; it says when to stop.
pub type Teller<'a> = dyn FnMut(Told<'_>) -> ControlFlow<()> + 'a;

/// A watch over all namespaces. `R` reads everything anew, those parts of it.
pub struct Watch<R> {
    read: R,
    post: Post,
    scan: Scan,
    state: State,
    untold: Untold,
    present: Present,
    signals: OwnedFd,
    /// Namespaces in which something may have changed silently, since when.
    hinted: BTreeMap<NsId, Hint>,
    /// The kernel lost messages while all was read.
    lost: bool,
}

#[derive(Clone, Copy, Debug)]
struct Hint {
    first: Instant,
    last: Instant,
}

/// How a watch is kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Bytes of messages that may wait; None: plenty.
    pub buffer: Option<usize>,
}

impl<R, E> Watch<R>
where
    R: FnMut(Parts) -> Result<Snapshot, E>,
    E: From<WatchError>,
{
    /// Begins to hear, then reads all. From here on, SIGINT and SIGTERM end [`Watch::run`].
    ///
    /// # Errors
    /// If nothing can be heard or read.
    pub fn open(mut read: R, options: &Options) -> Result<Self, E> {
        let signals = sys::signal_fd(&[libc::SIGINT, libc::SIGTERM]).map_err(WatchError::Hear)?;
        let present = Present::find(Parts::all());
        let first = read(FOUND)?;
        let mut post = Post::open(&first, present.nft, options).map_err(WatchError::Hear)?;
        post.number(&first);
        let snapshot = read(PARTS)?;
        let mut scan = Scan::begin().map_err(WatchError::Proc)?;
        scan.know(&snapshot);
        let known = post.learn(&snapshot);
        let state = State::new(snapshot, &known);
        let (untold, hinted) = (Untold::begin(), BTreeMap::new());
        Ok(Self { read, post, scan, state, untold, present, signals, hinted, lost: false })
    }

    /// What is so now, as far as it was told.
    pub const fn snapshot(&self) -> &Snapshot {
        &self.state.snapshot
    }

    /// The namespaces whose events are heard.
    pub fn watched(&self) -> usize {
        self.snapshot().namespaces.keys().filter(|id| self.post.hears(**id)).count()
    }

    /// Tells what happens, until then, until `tell` breaks off, or until a signal ends it.
    ///
    /// # Errors
    /// If the kernel cannot be heard any more, or all has to be read anew and cannot.
    pub fn run(&mut self, until: Option<Instant>, tell: &mut Teller<'_>) -> Result<(), E> {
        loop {
            let wait = self.wait_until(until);
            if self.wait(wait).map_err(WatchError::Hear)? {
                return Ok(());
            }
            if self.turn(tell)?.is_break() || until.is_some_and(|u| Instant::now() >= u) {
                return Ok(());
            }
        }
    }

    fn wait_until(&self, until: Option<Instant>) -> Instant {
        let hints = self.hinted.values().map(Hint::due);
        let soonest = hints.chain(until).chain(self.untold_due()).min();
        if self.lost {
            return Instant::now();
        }
        soonest.map_or(self.scan.due(), |s| s.min(self.scan.due()))
    }

    /// True: a signal came.
    fn wait(&mut self, until: Instant) -> io::Result<bool> {
        let mut fds = vec![self.signals.as_fd()];
        fds.extend(self.post.fds());
        let ready = scan::poll(self.scan.mounts(), &fds, until)?;
        if ready.first() == Some(&true) {
            self.scan.hurry();
        }
        Ok(ready.get(1) == Some(&true))
    }

    fn turn(&mut self, tell: &mut Teller<'_>) -> Result<ControlFlow<()>, E> {
        let lost = std::mem::take(&mut self.lost);
        match self.hear(tell).map_err(WatchError::Hear)? {
            heard if lost || matches!(heard, Heard::Lost) => {
                let text = "events came faster than they could be read, and some were lost; what \
                            follows is by a fresh look";
                if tell(Told::Note(text.to_owned())).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                self.post.discard();
                return self.read_anew(tell);
            }
            Heard::Stop => return Ok(ControlFlow::Break(())),
            Heard::All | Heard::Lost => {}
        }
        if self.read_again(tell).is_break() || self.look_at_untold(tell).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if self.scan.is_due() && (self.scan.has_new() || self.state.strange_peer) {
            return self.read_anew(tell);
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Everything, and what differs from what is held.
    fn read_anew(&mut self, tell: &mut Teller<'_>) -> Result<ControlFlow<()>, E> {
        let begun = Instant::now();
        self.state.strange_peer = false;
        // Numbered first, so that what happens while it is read is heard too.
        let names = (self.read)(FOUND)?;
        self.post.number(&names);
        let mut snapshot = (self.read)(PARTS)?;
        let known = self.post.learn(&snapshot);
        self.state.recognise(&mut snapshot, &known);
        self.scan.know(&snapshot);
        self.hinted.clear();
        let mut before = self.state.renew(snapshot);
        // What happened meanwhile may be in what was read, or not: it is taken up without a word,
        // and told with the rest.
        let mut silently = |_: Told<'_>| ControlFlow::Continue(());
        if let Heard::Lost = self.hear(&mut silently).map_err(WatchError::Hear)? {
            self.lost = true;
        }
        self.scan.rest(begun.elapsed());
        let differences = model::diff::diff_of_one_run(&before, &self.state.snapshot);
        self.state.bury(&mut before);
        let after = &self.state.snapshot;
        for difference in differences {
            let told = Told::Difference { before: &before, after, difference: &difference };
            if tell(told).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Hint {
    fn due(&self) -> Instant {
        (self.last + QUIET).min(self.first + LATEST)
    }
}

impl<R> std::fmt::Debug for Watch<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("post", &self.post).finish_non_exhaustive()
    }
}
