//! Hearing what the kernel tells of itself, for what it does in its own time.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Instant;

use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_ROUTE;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::netns;

/// What is told (RTNLGRP_*).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Group {
    /// Neighbours come, change and go.
    Neighbours = 3,
    /// nsids come and go.
    Nsids = 28,
}

/// A socket that hears of one thing in one network namespace.
pub(crate) struct Listener(Socket);

impl Listener {
    pub(crate) fn open_in(namespace: impl AsFd, group: Group) -> io::Result<Self> {
        let mut socket = netns::within(namespace, || Socket::new(NETLINK_ROUTE))??;
        socket.bind_auto()?;
        socket.add_membership(group as u32)?;
        socket.set_non_blocking(true)?;
        Ok(Self(socket))
    }

    /// The next message or messages, if they come until then.
    pub(crate) fn hear(&self, until: Instant) -> io::Result<Option<Vec<u8>>> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            // SAFETY: the descriptor is open as long as `self.0`, which outlives this borrow.
            let fd = unsafe { BorrowedFd::borrow_raw(self.0.as_raw_fd()) };
            let mut polls = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
            let timeout = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(left.subsec_nanos()),
            };
            match poll(&mut polls, Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
            if let Ok((bytes, _)) = self.0.recv_from_full() {
                return Ok(Some(bytes));
            }
        }
    }
}
