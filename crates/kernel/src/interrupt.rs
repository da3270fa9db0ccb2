//! Ending in order when somebody interrupts.

use std::io;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};

use crate::sys;

/// Calls `act` once, on a thread of its own, when SIGINT or SIGTERM comes; neither ends this
/// program any more. To be called while it has one thread: those begun later leave these signals
/// alone too.
///
/// # Errors
/// If signals cannot be waited for.
pub fn on_interrupt(act: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let signals = sys::signal_fd(&[libc::SIGINT, libc::SIGTERM])?;
    let wait = move || {
        while poll(&mut [PollFd::new(&signals, PollFlags::IN)], None).is_err() {}
        act();
    };
    thread::Builder::new().name("interrupt".into()).spawn(wait).map(drop)
}
