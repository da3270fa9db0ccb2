//! The first process of a container: it reaps, and ends when its leash is let go.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, poll};

use crate::sys;

/// Descriptor 3, if there is one, is the leash: a pipe whose other end the builder holds.
pub(super) fn run() -> i32 {
    // First of all: else the next descriptor that is opened gets this number.
    let leash = sys::inherited(3);
    let Ok(children) = sys::signal_fd(&[libc::SIGCHLD]) else { return 1 };
    loop {
        let fds: Vec<BorrowedFd<'_>> =
            std::iter::once(children.as_fd()).chain(leash.as_ref().map(AsFd::as_fd)).collect();
        let mut polls: Vec<PollFd<'_>> =
            fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        if poll(&mut polls, None).is_err() {
            continue;
        }
        if polls.get(1).is_some_and(|p| !p.revents().is_empty()) {
            return 0;
        }
        drain(&children);
        sys::reap_all();
    }
}

fn drain(signals: impl AsFd) {
    let mut buffer = [0_u8; 128];
    while rustix::io::read(&signals, &mut buffer).is_ok_and(|n| n > 0) {}
}
