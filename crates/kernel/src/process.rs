//! A process that is held by pidfd, so that its number cannot come to mean another one.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A namespace file's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inode {
    /// `st_dev`.
    pub dev: u64,
    /// `st_ino`.
    pub ino: u64,
}

/// A process.
#[derive(Debug)]
pub struct Process {
    /// Its number in this program's PID namespace.
    pub pid: u32,
    /// When it started, in clock ticks since boot: tells it from a later one of the same number.
    pub started: u64,
    pidfd: OwnedFd,
}

impl Process {
    /// The process behind a pidfd.
    ///
    /// # Errors
    /// If it has ended, or /proc does not show it.
    pub fn from_pidfd(pidfd: OwnedFd) -> io::Result<Self> {
        let info =
            std::fs::read_to_string(format!("/proc/self/fdinfo/{}", crate::spawn::number(&pidfd)))?;
        let pid = info
            .lines()
            .find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok())
            .ok_or_else(gone)?;
        Ok(Self { pid, started: start_time(pid)?, pidfd })
    }

    /// The process that has that number now.
    ///
    /// # Errors
    /// If there is none, or the kernel refuses.
    pub fn of(pid: u32) -> io::Result<Self> {
        let raw = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
        Self::from_pidfd(pidfd_open(raw, PidfdFlags::empty())?)
    }

    /// The process of that number that started then; None if it has ended.
    ///
    /// # Errors
    /// If the kernel refuses for another reason.
    pub fn find(pid: u32, started: u64) -> io::Result<Option<Self>> {
        let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
        let pidfd = match pidfd_open(raw, PidfdFlags::empty()) {
            Ok(fd) => fd,
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        // Looked at after the pidfd was taken: it cannot change hands any more.
        match start_time(pid) {
            Ok(time) if time == started => {
                // One that has ended keeps its number until it is reaped.
                let found = Self { pid, started, pidfd };
                Ok(found.is_alive().then_some(found))
            }
            _ => Ok(None),
        }
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let mut poll = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(rustix::event::poll(&mut poll, Some(&now)), Ok(0))
    }

    /// Kills it and waits until it is gone, with all that were in its PID namespace if it was the
    /// first there.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn kill(&self) -> io::Result<()> {
        match pidfd_send_signal(&self.pidfd, Signal::KILL) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(e) => return Err(e.into()),
        }
        let mut poll = [PollFd::new(&self.pidfd, PollFlags::IN)];
        while rustix::event::poll(&mut poll, None)? == 0 {}
        Ok(())
    }

    /// Its pidfd.
    ///
    /// # Errors
    /// If it has ended.
    pub fn pidfd(&self) -> io::Result<BorrowedFd<'_>> {
        if self.is_alive() { Ok(self.pidfd.as_fd()) } else { Err(gone()) }
    }

    /// Opens its namespace of that kind (`net`, `mnt`, `user`, …).
    ///
    /// # Errors
    /// If it has ended, or it may not be looked at.
    pub fn open_namespace(&self, kind: &str) -> io::Result<OwnedFd> {
        let path = format!("/proc/{}/ns/{kind}", self.pid);
        let fd = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        if self.is_alive() { Ok(fd) } else { Err(gone()) }
    }

    /// Identity of its namespace of that kind.
    ///
    /// # Errors
    /// As [`Self::open_namespace`].
    pub fn namespace(&self, kind: &str) -> io::Result<Inode> {
        let fd = self.open_namespace(kind)?;
        let stat = rustix::fs::statat(&fd, "", AtFlags::EMPTY_PATH)?;
        Ok(Inode { dev: stat.st_dev, ino: stat.st_ino })
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// Ends this program at once, as a kill from outside would. For tests of what it leaves behind.
pub fn kill_self() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::KILL);
    crate::sys::exit(137)
}

fn gone() -> io::Error {
    io::Error::from_raw_os_error(libc::ESRCH)
}

/// Field 22 of /proc/PID/stat (proc(5)), counted behind the name, which may hold anything.
fn start_time(pid: u32) -> io::Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_whitespace().nth(19).and_then(|f| f.parse().ok()).ok_or_else(gone)
}
