//! What a namespace file itself tells (ioctl_nsfs(2)).

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use rustix::fs::{fstat, stat};

use super::door::identity;

// _IO(0xb7, n) of linux/nsfs.h.
const NS_GET_USERNS: libc::Ioctl = 0xb701;
const NS_GET_PARENT: libc::Ioctl = 0xb702;
const NS_GET_OWNER_UID: libc::Ioctl = 0xb704;

/// Whose a namespace is, as this reader may know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Owner {
    /// The uid that made the owning user namespace.
    pub(super) uid: Option<u32>,
    /// That is not the reader's own one. (One around the reader's own is not told: it is no less
    /// privileged than the reader.)
    pub(super) unprivileged: bool,
}

/// The owner of a namespace.
pub(super) fn owner(namespace: &OwnedFd) -> Owner {
    let Ok(user) = ask(namespace, NS_GET_USERNS) else { return Owner::default() };
    let reader = stat("/proc/thread-self/ns/user").ok().map(|s| identity(&s));
    Owner {
        uid: owner_uid(&user).ok(),
        unprivileged: fstat(&user).ok().map(|s| identity(&s)) != reader,
    }
}

/// The PID or user namespace around one.
pub(super) fn parent(namespace: &OwnedFd) -> io::Result<OwnedFd> {
    ask(namespace, NS_GET_PARENT)
}

/// Asks a namespace file for a related one.
fn ask(namespace: &OwnedFd, what: libc::Ioctl) -> io::Result<OwnedFd> {
    // SAFETY: these two requests take no argument.
    let fd = unsafe { libc::ioctl(namespace.as_raw_fd(), what) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The uid that made a user namespace.
fn owner_uid(user: &impl AsFd) -> io::Result<u32> {
    let mut uid: libc::uid_t = 0;
    // SAFETY: the request stores one uid_t where the pointer says.
    let result = unsafe { libc::ioctl(user.as_fd().as_raw_fd(), NS_GET_OWNER_UID, &raw mut uid) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(uid) }
}
