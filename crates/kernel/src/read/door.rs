//! Ways into a namespace. They are opened again each time, so that a thousand namespaces do not
//! take a thousand descriptors, and looked at each time, since a PID can come to mean another
//! process.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, Stat, fstat, fstatfs, open, openat2};

/// Magic number of nsfs.
const NSFS: u64 = 0x6e73_6673;

/// Something that leads into a network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// A task in it: PID and TID.
    Task(u32, u32),
    /// A file that it is mounted on, as the process with that PID sees files.
    File(u32, Vec<u8>),
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
            Self::File(pid, path) => open_beneath(*pid, path)?,
        };
        let stat = fstat(&fd)?;
        if identity(&stat) == (dev, ino) { Ok(fd) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

/// Opens a namespace file in the mount namespace of a process. The file is a container's: its path
/// is followed beneath that process's root only, and it is opened for good only if it is on nsfs,
/// so that no device or pipe put in its place can do anything.
fn open_beneath(pid: u32, path: &[u8]) -> io::Result<OwnedFd> {
    let place = OFlags::PATH | OFlags::CLOEXEC;
    let root = open(format!("/proc/{pid}/root"), place | OFlags::DIRECTORY, Mode::empty())?;
    let beneath = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let fd = openat2(&root, path, place, Mode::empty(), beneath)?;
    if u64::try_from(fstatfs(&fd)?.f_type).ok() != Some(NSFS) {
        return Err(io::ErrorKind::NotFound.into());
    }
    reopen(fd)
}

/// From a descriptor that only names a file to one that is open.
fn reopen(fd: impl AsFd) -> io::Result<OwnedFd> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?)
}

/// Device and inode.
pub(super) fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}
