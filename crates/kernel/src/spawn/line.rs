//! What is said between this program and a process that it makes.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};

use super::error::{Doing, SpawnError};
use crate::process::Process;
use crate::sys::{self, Forked};

/// A socket between this program and the process that is being born.
pub(super) struct Line(OwnedFd);

const PROCESS: u8 = b'P';
const GO: &[u8] = b"G";
const READY: &[u8] = b"R";
const ERROR: u8 = b'E';

impl Line {
    pub(super) fn pair() -> Result<(Self, Self), SpawnError> {
        let (a, b) = rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )
        .doing("make a socket pair")?;
        Ok((Self(a), Self(b)))
    }

    /// Lets the process on the other side go on.
    pub(super) fn let_go(&self) -> io::Result<()> {
        self.send(GO, None)
    }

    /// Tells the maker that this process is ready.
    pub(super) fn tell_ready(&self) -> io::Result<()> {
        self.send(READY, None)
    }

    fn send(&self, bytes: &[u8], fd: Option<&OwnedFd>) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let fds: Vec<BorrowedFd<'_>> = fd.iter().map(|fd| fd.as_fd()).collect();
        if !fds.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(&fds));
        }
        rustix::net::sendmsg(&self.0, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    fn receive(&self) -> io::Result<(Vec<u8>, Option<OwnedFd>)> {
        let mut bytes = vec![0; 1024];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut buffers = [IoSliceMut::new(&mut bytes)];
        let got =
            rustix::net::recvmsg(&self.0, &mut buffers, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        let fd = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        });
        bytes.truncate(got.bytes);
        Ok((bytes, fd))
    }

    /// In the first child: forks once more and ends, so that what comes next has the PID namespace
    /// just entered.
    pub(super) fn fork_middle(&self) -> Result<(), SpawnError> {
        match sys::fork().doing("fork")? {
            Forked::Child => Ok(()),
            Forked::Parent(pid) => {
                sys::wait(pid).doing("wait for the middle process")?;
                sys::exit(0)
            }
        }
    }

    /// In the middle process: says who was born, and ends.
    pub(super) fn hand_over(&self, pidfd: &OwnedFd) -> Result<(), SpawnError> {
        self.send(&[PROCESS], Some(pidfd)).doing("hand the new process over")?;
        sys::exit(0)
    }

    pub(super) fn receive_process(&self) -> Result<Process, SpawnError> {
        let (bytes, fd) = self.receive().doing("hear of the new process")?;
        match (bytes.first(), fd) {
            (Some(&PROCESS), Some(pidfd)) => {
                Process::from_pidfd(pidfd).doing("look at the new process")
            }
            _ => Err(told(&bytes)),
        }
    }

    pub(super) fn wait_for_leave(&self) -> Result<(), SpawnError> {
        let (bytes, _) = self.receive().doing("wait for leave")?;
        if bytes == GO { Ok(()) } else { sys::exit(0) }
    }

    pub(super) fn expect_ready(&self) -> Result<(), SpawnError> {
        let (bytes, _) = self.receive().doing("wait for the new process")?;
        if bytes == READY { Ok(()) } else { Err(told(&bytes)) }
    }

    pub(super) fn report(&self, error: &SpawnError) {
        let mut bytes = vec![ERROR];
        bytes.extend(error.source.raw_os_error().unwrap_or(libc::EIO).to_ne_bytes());
        bytes.extend(error.doing.as_bytes());
        // Nobody is left to tell if the other end is gone.
        let _ = self.send(&bytes, None);
    }
}

/// The error that the other side reported.
fn told(bytes: &[u8]) -> SpawnError {
    match bytes {
        [ERROR, a, b, c, d, doing @ ..] => SpawnError {
            doing: String::from_utf8_lossy(doing).into_owned(),
            source: io::Error::from_raw_os_error(i32::from_ne_bytes([*a, *b, *c, *d])),
        },
        _ => SpawnError {
            doing: "start a process".into(),
            source: io::Error::other("it ended before it was ready"),
        },
    }
}
