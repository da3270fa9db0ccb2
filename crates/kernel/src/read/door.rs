//! Ways into a namespace. They are opened again each time, so that a thousand namespaces do not
//! take a thousand descriptors, and looked at each time, since a PID can come to mean another
//! process.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::thread;

use rustix::fs::{
    Mode, OFlags, ResolveFlags, Stat, fstat, fstatfs, open, openat, openat2, readlink,
};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

use super::nsfs;

/// Magic number of nsfs.
const NSFS: u64 = 0x6e73_6673;

/// Something that leads into a network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// A task in it: PID and TID.
    Task(u32, u32),
    /// A file that it is mounted on, as the process with that PID sees files.
    File(u32, Vec<u8>),
    /// A file in a mount namespace that no process is in: the way into that one, what it is, and
    /// the path there.
    Elsewhere(Box<Self>, (u64, u64), Vec<u8>),
    /// A namespace file that a task has open: its PID (or TID), and the descriptor there.
    Descriptor(u32, i32),
    /// A socket that was made in it.
    Socket(u32, i32),
    /// An open /dev/net/tun whose device is in it.
    Tap(u32, i32),
}

impl Door {
    /// Opens it, if it still leads to that device and inode.
    pub(crate) fn open(&self, dev: u64, ino: u64) -> io::Result<OwnedFd> {
        let fd = match self {
            Self::Task(pid, tid) => {
                let path = if pid == tid {
                    format!("/proc/{pid}/ns/net")
                } else {
                    format!("/proc/{pid}/task/{tid}/ns/net")
                };
                open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?
            }
            Self::File(pid, path) => open_beneath(&format!("/proc/{pid}/root"), path, None)?,
            Self::Elsewhere(mounts, mnt, path) => {
                mounts.open_mounts(mnt.0, mnt.1, |proc| open_beneath("/", path, Some(proc)))?
            }
            Self::Descriptor(pid, fd) => {
                let path = still(*pid, *fd, is_namespace)?;
                reopen_if_nsfs(&open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?, None)?
            }
            Self::Socket(pid, fd) => {
                still(*pid, *fd, |link| socket(link).is_some() || is_tun(link))?;
                nsfs::of_socket(&borrow(&task(*pid)?, *fd)?)?
            }
            Self::Tap(pid, fd) => {
                still(*pid, *fd, is_tun)?;
                nsfs::of_tap(&borrow(&task(*pid)?, *fd)?)?
            }
        };
        let stat = fstat(&fd)?;
        if identity(&stat) == (dev, ino) { Ok(fd) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// Runs `work` in the mount namespace that this leads to, in a thread that ends there. `work`
    /// gets the reader's own /proc.
    pub(super) fn open_mounts<T: Send>(
        &self,
        dev: u64,
        ino: u64,
        work: impl FnOnce(&OwnedFd) -> io::Result<T> + Send,
    ) -> io::Result<T> {
        let mounts = self.open(dev, ino)?;
        let place = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let proc = open("/proc", place, Mode::empty())?;
        let enter = || {
            // SAFETY: UnshareFlags::FILES is not among the flags: descriptors stay shared. Root
            // and working directory become this thread's own, as the next call asks for.
            unsafe { unshare_unsafe(UnshareFlags::FS) }?;
            move_into_link_name_space(mounts.as_fd(), Some(LinkNameSpaceType::Mount))?;
            work(&proc)
        };
        thread::scope(|scope| match scope.spawn(enter).join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }
}

/// The path of a descriptor in /proc, if what it stands for still is what was seen there: asking
/// anything else could do something.
fn still(pid: u32, fd: i32, wanted: impl FnOnce(&[u8]) -> bool) -> io::Result<String> {
    let path = format!("/proc/{pid}/fd/{fd}");
    let link = readlink(&path, Vec::new())?;
    if wanted(link.as_bytes()) { Ok(path) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// Whether that is what /proc/PID/fd/N of a namespace says: `net:[4026531840]`.
fn is_namespace(link: &[u8]) -> bool {
    link.starts_with(b"net:[") || link.starts_with(b"mnt:[")
}

/// The inode in `socket:[4711]`.
pub(super) fn socket(link: &[u8]) -> Option<u64> {
    let number = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

/// Whether that may be the device of which tun and tap devices are made, wherever it lies.
pub(super) fn is_tun(link: &[u8]) -> bool {
    link.starts_with(b"/") && link.ends_with(b"/tun")
}

/// A pidfd of a process, or of a thread whose process has gone before it (Linux 6.9).
pub(super) fn task(pid: u32) -> io::Result<OwnedFd> {
    const PIDFD_THREAD: u32 = OFlags::EXCL.bits();
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
    let thread = PidfdFlags::from_bits_retain(PIDFD_THREAD);
    Ok(pidfd_open(pid, PidfdFlags::empty()).or_else(|_| pidfd_open(pid, thread))?)
}

/// A duplicate of somebody's descriptor, which is to be asked about and closed at once: nothing is
/// ever read or written through it, and it must not outlive its owner's, whose close means more.
pub(super) fn borrow(task: &OwnedFd, fd: i32) -> io::Result<OwnedFd> {
    Ok(pidfd_getfd(task, fd, PidfdGetfdFlags::empty())?)
}

/// Opens a namespace file in the mount namespace of a process. The file is a container's: its path
/// is followed beneath that process's root only, and it is opened for good only if it is on nsfs,
/// so that no device or pipe put in its place can do anything.
fn open_beneath(root: &str, path: &[u8], proc: Option<&OwnedFd>) -> io::Result<OwnedFd> {
    let place = OFlags::PATH | OFlags::CLOEXEC;
    let root = open(root, place | OFlags::DIRECTORY, Mode::empty())?;
    let beneath = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    reopen_if_nsfs(&openat2(&root, path, place, Mode::empty(), beneath)?, proc)
}

/// From a descriptor that only names a file to one that is open. `proc` is the reader's /proc
/// where this thread may see another one, or none.
fn reopen_if_nsfs(fd: &OwnedFd, proc: Option<&OwnedFd>) -> io::Result<OwnedFd> {
    if u64::try_from(fstatfs(fd)?.f_type).ok() != Some(NSFS) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let (link, flags) = (format!("self/fd/{}", fd.as_raw_fd()), OFlags::RDONLY | OFlags::CLOEXEC);
    Ok(match proc {
        Some(proc) => openat(proc, link, flags, Mode::empty())?,
        None => open(format!("/proc/{link}"), flags, Mode::empty())?,
    })
}

/// Device and inode.
pub(crate) fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}
