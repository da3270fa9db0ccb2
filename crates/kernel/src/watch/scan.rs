//! Whether there are namespaces that nobody has told of: a look at /proc that takes no more than a
//! twentieth of the time.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use model::{NsId, NsKey, Snapshot};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{AtFlags, Mode, OFlags, open, statat};

use crate::read::door::identity;
use crate::read::mount::{Mounted, mounted};
use crate::read::process::{Identity, numbers};

/// How often at most.
const PERIOD: Duration = Duration::from_millis(400);
/// How soon after something was mounted.
const SOON: Duration = Duration::from_millis(20);
/// Part of the time that looking may take.
const SHARE: u32 = 20;

#[derive(Debug)]
pub(super) struct Scan {
    proc: OwnedFd,
    /// Tells when something is mounted or unmounted where we are.
    mounts: File,
    due: Instant,
    known: HashSet<Identity>,
    /// Those for which all was read, and that this did not bring up.
    strange: HashSet<Identity>,
    /// Those for which all is to be read.
    new: HashSet<Identity>,
}

impl Scan {
    pub(super) fn begin() -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self {
            proc: open("/proc", flags, Mode::empty())?,
            mounts: File::open("/proc/self/mountinfo")?,
            due: Instant::now(),
            known: HashSet::new(),
            strange: HashSet::new(),
            new: HashSet::new(),
        })
    }

    /// What is known now.
    pub(super) fn know(&mut self, snapshot: &Snapshot) {
        let known = snapshot.namespaces.keys().filter_map(|id| match id.key {
            NsKey::Inode { dev, ino } => Some((dev, ino)),
            NsKey::Unseen(_) | NsKey::Net(_) => None,
        });
        self.known = known.collect();
        self.strange.extend(std::mem::take(&mut self.new));
        self.strange.retain(|net| !self.known.contains(net));
    }

    /// It has ended, and its inode may come to be another's.
    pub(super) fn forget(&mut self, ns: NsId) {
        if let NsKey::Inode { dev, ino } = ns.key {
            self.known.remove(&(dev, ino));
        }
    }

    /// Something was mounted or unmounted where we are: looks soon.
    pub(super) fn hurry(&mut self) {
        self.due = self.due.min(Instant::now() + SOON);
    }

    /// Looks no sooner than after as long as reading all took.
    pub(super) fn rest(&mut self, took: Duration) {
        self.due = Instant::now() + PERIOD.max(took);
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.due
    }

    pub(super) fn mounts(&self) -> BorrowedFd<'_> {
        self.mounts.as_fd()
    }

    /// Whether there is one that is not known.
    pub(super) fn has_new(&mut self) -> bool {
        let begun = Instant::now();
        let seen = self.look();
        self.strange.retain(|net| seen.contains(net));
        let is_new = |net: &Identity| !self.known.contains(net) && !self.strange.contains(net);
        self.new = seen.into_iter().filter(is_new).collect();
        self.due = next_after(begun);
        !self.new.is_empty()
    }

    /// The namespaces of processes and mounts.
    fn look(&self) -> HashSet<Identity> {
        let mut seen = HashSet::new();
        let mut mount_spaces = HashSet::new();
        let stat = |path: String| statat(&self.proc, path, AtFlags::empty()).ok();
        for pid in numbers(&self.proc).unwrap_or_default() {
            seen.extend(stat(format!("{pid}/ns/net")).map(|s| identity(&s)));
            let mounts = stat(format!("{pid}/ns/mnt")).map(|s| identity(&s));
            if mounts.is_some_and(|m| mount_spaces.insert(m)) {
                let text = std::fs::read(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
                let nets = mounted(&text).into_iter().filter_map(|mounted| match mounted {
                    Mounted::Net(file) => Some(file.ns),
                    Mounted::Mount(_) => None,
                });
                seen.extend(nets);
            }
        }
        seen
    }
}

/// When to look again after a look that ends now.
pub(super) fn next_after(begun: Instant) -> Instant {
    let now = Instant::now();
    now + PERIOD.max((now - begun) * SHARE)
}

/// Waits until one of them has something to say; which. Of the first, it is what was mounted.
pub(super) fn poll(
    mounts: BorrowedFd<'_>,
    others: &[BorrowedFd<'_>],
    until: Instant,
) -> io::Result<Vec<bool>> {
    let left = until.saturating_duration_since(Instant::now());
    let timeout = Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(left.subsec_nanos()),
    };
    // A list of mounts can always be read; that it changed is an exceptional condition.
    let mut polls = vec![PollFd::from_borrowed_fd(mounts, PollFlags::PRI)];
    polls.extend(others.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)));
    match rustix::event::poll(&mut polls, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(e) => return Err(e.into()),
    }
    Ok(polls.iter().map(|p| !p.revents().is_empty()).collect())
}
