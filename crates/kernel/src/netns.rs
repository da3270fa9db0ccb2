//! Acting inside another network namespace without leaving a thread there.

use std::io;
use std::os::fd::AsFd;

use crate::process::Process;
use crate::sys::{self, Spaces};

/// Runs `act` with that network namespace as the current one. What it opens stays bound to it.
///
/// # Errors
/// If the namespace may not be entered.
pub(crate) fn within<T: Send>(
    namespace: impl AsFd,
    act: impl FnOnce() -> T + Send,
) -> io::Result<T> {
    let namespace = namespace.as_fd();
    // A thread of its own that ends there: it never has to find its way back.
    let there = || sys::setns(namespace, Spaces::NET).map(|()| act());
    std::thread::scope(|scope| match scope.spawn(there).join() {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic),
    })
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
