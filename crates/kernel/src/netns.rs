//! Acting inside another network namespace without leaving a thread there.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

use crate::process::Process;
use crate::sys::{self, Spaces};

/// Runs `act` with that network namespace as the calling thread's. What it opens stays bound to it.
///
/// # Errors
/// If the namespace may not be entered.
pub(crate) fn within<T>(namespace: impl AsFd, act: impl FnOnce() -> T) -> io::Result<T> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let home = rustix::fs::open("/proc/thread-self/ns/net", flags, Mode::empty())?;
    sys::setns(namespace.as_fd(), Spaces::NET)?;
    let _back = Back(home);
    Ok(act())
}

/// Brings the thread back when it is dropped, whatever happened in between.
struct Back(OwnedFd);

impl Drop for Back {
    fn drop(&mut self) {
        if sys::setns(self.0.as_fd(), Spaces::NET).is_err() {
            // A thread that stays in a foreign namespace would go on to change that one.
            std::process::abort();
        }
    }
}

/// The value of a sysctl, by its path below /proc/sys, in the network namespace of a process.
///
/// # Errors
/// If the process has ended, or the kernel has no such sysctl.
pub fn read_sysctl(process: &Process, key: &str) -> io::Result<String> {
    let net = process.open_namespace("net")?;
    let text = within(net, || std::fs::read_to_string(format!("/proc/sys/{key}")))??;
    Ok(text.trim_end().to_owned())
}
