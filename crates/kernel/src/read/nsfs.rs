//! What a namespace file, and a descriptor that stands in a namespace, tell of it (ioctl_nsfs(2),
//! netdevice(7), tun).

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use model::{NsInode, Owner, UserNs};
use rustix::fs::{fstat, stat};

use super::door::identity;

// _IO(0xb7, n) of linux/nsfs.h.
const NS_GET_USERNS: libc::Ioctl = 0xb701;
const NS_GET_PARENT: libc::Ioctl = 0xb702;
const NS_GET_OWNER_UID: libc::Ioctl = 0xb704;
/// Of linux/sockios.h.
const SIOCGSKNS: libc::Ioctl = 0x894c;
/// `_IO('T', 227)` of linux/if_tun.h.
const TUNGETDEVNETNS: libc::Ioctl = 0x54e3;
/// `_IOR('T', 210, unsigned int)` of linux/if_tun.h.
const TUNGETIFF: libc::Ioctl = 0x8004_54d2_u32 as libc::Ioctl;

/// The owner of a namespace, as this reader may know it. (A user namespace around the reader's own
/// is not told: it is no less privileged than the reader.)
pub(super) fn owner(namespace: &OwnedFd) -> Owner {
    let Ok(user) = ask(namespace, NS_GET_USERNS) else { return Owner::default() };
    let reader = stat("/proc/thread-self/ns/user").ok().map(|s| inode(identity(&s)));
    let users = outwards(user, reader);
    Owner {
        uid: users.first().and_then(|u| u.uid),
        unprivileged: users.first().map(|u| u.file) != reader,
        users,
    }
}

/// A user namespace and those around it, up to the reader's own.
fn outwards(user: OwnedFd, reader: Option<NsInode>) -> Vec<UserNs> {
    let mut users = Vec::new();
    let mut at = Some(user);
    while let Some(user) = at {
        let Ok(stat) = fstat(&user) else { break };
        let file = inode(identity(&stat));
        users.push(UserNs { file, uid: owner_uid(&user).ok() });
        at = if Some(file) == reader { None } else { parent(&user).ok() };
    }
    users
}

/// Device and inode as the model has them.
pub(super) const fn inode((dev, ino): (u64, u64)) -> NsInode {
    NsInode { dev, ino }
}

/// The PID or user namespace around one.
pub(super) fn parent(namespace: &OwnedFd) -> io::Result<OwnedFd> {
    ask(namespace, NS_GET_PARENT)
}

/// The network namespace that a socket (or an open /dev/net/tun) was made in.
pub(super) fn of_socket(socket: &impl AsFd) -> io::Result<OwnedFd> {
    ask(socket, SIOCGSKNS)
}

/// The network namespace that the device of an open /dev/net/tun is in. EBADFD: it has none.
pub(super) fn of_tap(tun: &impl AsFd) -> io::Result<OwnedFd> {
    ask(tun, TUNGETDEVNETNS)
}

/// The name of the device of an open /dev/net/tun.
pub(super) fn tap_name(tun: &impl AsFd) -> io::Result<String> {
    // SAFETY: ifreq is plain bytes; all zero is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // SAFETY: the request fills one ifreq where the pointer says.
    let result = unsafe { libc::ioctl(tun.as_fd().as_raw_fd(), TUNGETIFF, &raw mut request) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    let bytes = request.ifr_name.iter().map(|c| c.cast_unsigned()).take_while(|b| *b != 0);
    Ok(String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned())
}

/// A number that every network namespace has for itself, of the one that a socket was made in
/// (SO_NETNS_COOKIE, Linux 5.14). It tells at a quarter of the price whether two are the same.
pub(super) fn cookie(socket: &impl AsFd) -> io::Result<u64> {
    let mut cookie = 0_u64;
    let mut len = size_of::<u64>() as libc::socklen_t;
    let fd: BorrowedFd<'_> = socket.as_fd();
    // SAFETY: the option stores at most `len` bytes where the pointer says: one u64.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut len,
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(cookie) }
}

/// Asks a descriptor for a namespace.
fn ask(of: &impl AsFd, what: libc::Ioctl) -> io::Result<OwnedFd> {
    // SAFETY: these requests take no argument.
    let fd = unsafe { libc::ioctl(of.as_fd().as_raw_fd(), what) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The uid that made a user namespace.
pub(super) fn owner_uid(user: &impl AsFd) -> io::Result<u32> {
    let mut uid: libc::uid_t = 0;
    // SAFETY: the request stores one uid_t where the pointer says.
    let result = unsafe { libc::ioctl(user.as_fd().as_raw_fd(), NS_GET_OWNER_UID, &raw mut uid) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(uid) }
}
