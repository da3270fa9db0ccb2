//! What the tests have in common: reading until what is passing has passed, and processes that
//! hold something.

use std::fs::File;
use std::io::{BufRead, BufReader, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{TryRecvError, channel};
use std::time::{Duration, Instant};

use kernel::read::{ReadOptions, read};
use model::{Found, HostId, Namespace, NsId, NsKey, Snapshot};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
    sendmsg, socketpair,
};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(10);

pub(crate) fn snapshot() -> Snapshot {
    read(&ReadOptions::default()).unwrap()
}

/// Reads until it is so: tests beside this one have threads in every namespace while they read,
/// which keep it and are seen. The last snapshot, so or not.
pub(crate) fn snapshot_when(so: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let start = Instant::now();
    loop {
        let snapshot = snapshot();
        if so(&snapshot) || start.elapsed() > LIMIT {
            return snapshot;
        }
    }
}

/// A snapshot in which nothing but that shows the namespace, and all of it could be read.
pub(crate) fn found_by(id: NsId, found: &[Found]) -> Snapshot {
    let is = |ns: &Namespace| ns.found == found && ns.gaps.is_empty();
    let snapshot = snapshot_when(|s| s.namespaces.get(&id).is_some_and(is));
    let ns = &snapshot.namespaces[&id];
    assert_eq!((ns.found.as_slice(), ns.gaps.as_slice()), (found, [].as_slice()));
    snapshot
}

/// Waits until it is so.
pub(crate) fn until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT, "waited in vain");
        std::thread::yield_now();
    }
}

/// Looks a few times while something goes on.
pub(crate) fn meanwhile(mut goes_on: impl FnMut() + Send, mut look: impl FnMut()) {
    let (go, stop) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while stop.try_recv() == Err(TryRecvError::Empty) {
                goes_on();
            }
        });
        (0..5).for_each(|_| look());
        // So does a look that panics.
        drop(go);
    });
}

pub(crate) fn id_of(file: impl AsFd) -> NsId {
    let stat = rustix::fs::fstat(file).unwrap();
    NsId { host: HostId(0), key: NsKey::Inode { dev: stat.st_dev, ino: stat.st_ino } }
}

/// The state of a process, as ps shows it.
pub(crate) fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// A process that stays until its input ends, which is when this is dropped.
pub(crate) struct Stays(Child);

impl Stays {
    /// Starts it, and waits until it says `ready`.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "{command:?}");
        Self(child)
    }

    /// One that has a descriptor open.
    pub(crate) fn holding(held: impl Into<OwnedFd>) -> Self {
        let mut command = Command::new("cat");
        let held: OwnedFd = held.into();
        Self(command.stdin(Stdio::piped()).stdout(Stdio::from(held)).spawn().unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Ends it without its having a say; it is not waited for before this is dropped.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
    }
}

impl Drop for Stays {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Sends a descriptor over a socket. The end that it is to be received from: until then, nothing
/// in /proc shows what it stands for.
pub(crate) fn flight_of(held: &File) -> [OwnedFd; 2] {
    let (family, kind, flags) = (AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC);
    let (from, to) = socketpair(family, kind, flags, None).unwrap();
    let fds = [held.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    sendmsg(&from, &[IoSlice::new(b"x")], &mut control, SendFlags::empty()).unwrap();
    [from, to]
}
