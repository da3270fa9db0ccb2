//! The system calls that no crate wraps as we need them, each with the contract that makes it safe.

pub(crate) mod bpf;
mod packet;

pub(crate) use packet::{
    bind_to_link, echo, frames_lost, make_room, packet_socket, receive_packet, set_checksum,
    set_dont_fragment, set_mark, stamp, tell_destinations,
};

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// What [`fork`] returns.
pub(crate) enum Forked {
    /// In the new process.
    Child,
    /// In the old one.
    Parent(Pid),
}

/// A process id, as this process sees it.
pub(crate) type Pid = libc::pid_t;

/// Namespaces, as flags of clone(2) and setns(2).
#[derive(Clone, Copy)]
pub(crate) struct Spaces(pub(crate) libc::c_int);

impl Spaces {
    pub(crate) const NET: Self = Self(libc::CLONE_NEWNET);
    pub(crate) const PID: Self = Self(libc::CLONE_NEWPID);
    pub(crate) const USER: Self = Self(libc::CLONE_NEWUSER);
    pub(crate) const MOUNT: Self = Self(libc::CLONE_NEWNS);
    /// What every container of a lab has of its own.
    pub(crate) const CONTAINER: Self =
        Self(libc::CLONE_NEWNET | libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWUTS);

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// fork(2), through glibc so that its locks are whole in the child.
pub(crate) fn fork() -> io::Result<Forked> {
    // SAFETY: glibc's fork leaves malloc usable in the child even when other threads exist; the
    // child here never takes other locks (no stdio, no thread start) before it execs or exits.
    match check(unsafe { libc::fork() })? {
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(pid)),
    }
}

#[repr(C, align(8))]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
}

/// clone3(2) into new namespaces; the parent gets a pidfd. To be called in a process with one
/// thread only.
pub(crate) fn clone_into_new(spaces: Spaces) -> io::Result<Option<OwnedFd>> {
    let mut pidfd: RawFd = -1;
    let args = CloneArgs {
        flags: (spaces.0 | libc::CLONE_PIDFD) as u64,
        pidfd: (&raw mut pidfd) as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArgs::default()
    };
    // SAFETY: `args` is the kernel's struct clone_args of version 0 and lives across the call; no
    // CLONE_VM, so the child has its own copy of this single-threaded address space.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<CloneArgs>()) };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        // SAFETY: with CLONE_PIDFD the kernel stored a new descriptor that nobody else owns.
        _ => Ok(Some(unsafe { OwnedFd::from_raw_fd(pidfd) })),
    }
}

/// setns(2) on a namespace file or a pidfd, for the calling thread.
pub(crate) fn setns(fd: BorrowedFd<'_>, spaces: Spaces) -> io::Result<()> {
    // SAFETY: takes two integers and touches no memory of ours.
    check(unsafe { libc::setns(fd.as_raw_fd(), spaces.0) }).map(drop)
}

/// unshare(2) for the calling thread.
pub(crate) fn unshare(spaces: Spaces) -> io::Result<()> {
    // SAFETY: as setns; CLONE_FILES and CLONE_FS are never among the flags.
    check(unsafe { libc::unshare(spaces.0) }).map(drop)
}

/// Becomes root of the user namespace just entered. Supplementary groups are dropped where that
/// is allowed (it is not in a user namespace that an ordinary user made).
pub(crate) fn become_root() -> io::Result<()> {
    // SAFETY: integers and a null pointer with length 0 only.
    unsafe {
        libc::setgroups(0, std::ptr::null());
        check(libc::setresgid(0, 0, 0))?;
        check(libc::setresuid(0, 0, 0))?;
    }
    Ok(())
}

/// Ends this process at once: no destructors, no flushing of what the parent had buffered.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: _exit does not return and runs nothing of ours.
    unsafe { libc::_exit(code) }
}

/// Waits for a child to end; its wait status.
pub(crate) fn wait(pid: Pid) -> io::Result<i32> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is a valid place for one int.
        match check(unsafe { libc::waitpid(pid, &raw mut status, 0) }) {
            Ok(_) => return Ok(status),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// Runs the program behind `exe` in place of this one. Returns only if that fails.
pub(crate) fn exec(exe: BorrowedFd<'_>, args: &[&CStr]) -> io::Error {
    let mut argv: Vec<*const libc::c_char> = args.iter().map(|a| a.as_ptr()).collect();
    argv.push(std::ptr::null());
    let envp = [std::ptr::null::<libc::c_char>()];
    // SAFETY: both arrays are null-terminated and live across the call; AT_EMPTY_PATH takes the
    // empty path.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            exe.as_raw_fd(),
            c"".as_ptr(),
            argv.as_ptr(),
            envp.as_ptr(),
            libc::AT_EMPTY_PATH,
        );
    }
    io::Error::last_os_error()
}

/// Lets this process's /proc files be read by the root of its user namespace.
pub(crate) fn set_dumpable() {
    // SAFETY: integers only.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) };
}

/// Blocks signals for this thread and gives a descriptor that becomes readable when one is due.
pub(crate) fn signal_fd(signals: &[libc::c_int]) -> io::Result<OwnedFd> {
    // SAFETY: a zeroed sigset_t is valid for sigemptyset, which then makes it a set.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, *signal);
        }
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        let fd = check(libc::signalfd(-1, &raw const set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Reaps every child that has ended.
pub(crate) fn reap_all() {
    let mut status = 0;
    // SAFETY: `status` is a valid place for one int.
    while unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) } > 0 {}
}

/// Lets the next exec close all descriptors from `first` on.
pub(crate) fn close_on_exec_from(first: RawFd) {
    // SAFETY: sets a flag on descriptors and closes none of them now.
    unsafe {
        libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
    }
}

/// A fresh interface request with that name.
fn ifreq(name: &str) -> io::Result<libc::ifreq> {
    if name.len() >= libc::IFNAMSIZ {
        return Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG));
    }
    // SAFETY: ifreq is plain bytes; all zero is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed();
    }
    Ok(request)
}

/// Makes `/dev/net/tun`'s descriptor a tap of that name, with that ifindex if one is asked for, in
/// the calling thread's network namespace.
pub(crate) fn make_tap(
    tun: BorrowedFd<'_>,
    name: &str,
    index: Option<u32>,
    persist: bool,
) -> io::Result<()> {
    const TUNSETIFF: libc::c_ulong = 0x4004_54ca;
    const TUNSETPERSIST: libc::c_ulong = 0x4004_54cb;
    const TUNSETIFINDEX: libc::c_ulong = 0x4004_54da;
    let mut request = ifreq(name)?;
    request.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: each ioctl gets what linux/if_tun.h says it reads: a u32, an ifreq, an integer.
    unsafe {
        if let Some(index) = index {
            check(libc::ioctl(tun.as_raw_fd(), TUNSETIFINDEX, &raw const index))?;
        }
        check(libc::ioctl(tun.as_raw_fd(), TUNSETIFF, &raw const request))?;
        if persist {
            check(libc::ioctl(tun.as_raw_fd(), TUNSETPERSIST, 1))?;
        }
    }
    Ok(())
}

/// The file that a Unix socket is bound to, as a descriptor that only names it (O_PATH). It takes
/// CAP_NET_ADMIN over the socket's network namespace.
pub(crate) fn unix_socket_file(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SIOCPROTOPRIVATE + 0, of linux/un.h.
    const SIOCUNIXFILE: libc::Ioctl = 0x89e0;
    // SAFETY: the request takes no argument, and gives a descriptor that nobody else owns.
    unsafe {
        let fd = check(libc::ioctl(socket.as_raw_fd(), SIOCUNIXFILE))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// PID and uid of the process that made the other end of a Unix socket listen. The PID is 0 if it
/// is not in this process's PID namespace.
pub(crate) fn peer(socket: BorrowedFd<'_>) -> io::Result<(u32, u32)> {
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut len = size_of::<libc::ucred>() as libc::socklen_t;
    let (level, name) = (libc::SOL_SOCKET, libc::SO_PEERCRED);
    let place = (&raw mut peer).cast();
    // SAFETY: the option stores one ucred, and `len` says that there is room for it.
    check(unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, place, &raw mut len) })?;
    Ok((peer.pid.unsigned_abs(), peer.uid))
}

/// getsockopt(2) of an option that reads its question from where it writes the answer, all of it.
pub(crate) fn socket_option(
    socket: &impl std::os::fd::AsFd,
    level: libc::c_int,
    name: libc::c_int,
    bytes: &mut [u8],
) -> io::Result<()> {
    let mut len = libc::socklen_t::try_from(bytes.len()).map_err(io::Error::other)?;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel stores at most `len` bytes, and there is room for so many.
    check(unsafe { libc::getsockopt(fd, level, name, bytes.as_mut_ptr().cast(), &raw mut len) })
        .map(drop)
}

/// setsockopt(2) of IPT_SO_SET_REPLACE: a table that has so many entries gets others. Their counters are
/// thrown away.
pub(crate) fn replace_table(
    socket: &impl std::os::fd::AsFd,
    level: libc::c_int,
    by: wire::legacy::Replace,
    old: u32,
) -> io::Result<()> {
    const SET_REPLACE: libc::c_int = 64;
    let mut counters = vec![0_u8; wire::legacy::Replace::counters(old)];
    let bytes = by.bytes(old, counters.as_mut_ptr().expose_provenance() as u64);
    let len = libc::socklen_t::try_from(bytes.len()).map_err(io::Error::other)?;
    let (fd, place) = (socket.as_fd().as_raw_fd(), bytes.as_ptr().cast());
    // SAFETY: the kernel reads `len` bytes; it stores `old` counters at the address that stands in them, where
    // there is room for so many, or nothing if the table has another number of entries.
    check(unsafe { libc::setsockopt(fd, level, SET_REPLACE, place, len) }).map(drop)
}

/// Brings `lo` up in the calling thread's network namespace.
pub(crate) fn loopback_up() -> io::Result<()> {
    let mut request = ifreq("lo")?;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_LOOPBACK) as libc::c_short;
    // SAFETY: socket takes integers; the ioctl reads one ifreq; the descriptor is ours.
    unsafe {
        let fd = check(libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0))?;
        let socket = OwnedFd::from_raw_fd(fd);
        check(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request)).map(drop)
    }
}

/// dup2(2) without close-on-exec.
pub(crate) fn dup_to(fd: BorrowedFd<'_>, number: RawFd) -> io::Result<()> {
    // SAFETY: only integers; whoever owned `number` in this process does not run any more (called
    // on the way to exec).
    check(unsafe { libc::dup2(fd.as_raw_fd(), number) }).map(drop)
}

/// The descriptor of that number that this program was started with, if it is open. Each may be
/// taken once.
pub(crate) fn inherited(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: fcntl on any number is harmless; if it is open, it was placed there by `spawn` for
    // this role, and nothing else in this freshly started program owns it.
    unsafe {
        (libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) >= 0)
            .then(|| OwnedFd::from_raw_fd(number))
    }
}

/// The next datagram that waits on a netlink socket which hears all namespaces: its whole length,
/// and the number of the namespace that it is of; None: the socket's own.
pub(crate) fn receive_notice(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
) -> io::Result<(usize, Option<u32>)> {
    const CONTROL: usize = 64;
    #[repr(align(8))]
    struct Control([u8; CONTROL]);
    let mut control = Control([0; CONTROL]);
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: msghdr is plain bytes and pointers, valid as zero; every pointer put into it is to a
    // live local with its own size beside it, and the control message is read only within what the
    // CMSG macros allow.
    unsafe {
        let mut header: libc::msghdr = std::mem::zeroed();
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        header.msg_control = control.0.as_mut_ptr().cast();
        header.msg_controllen = CONTROL;
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        let length = libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags);
        let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
        let mut nsid = None;
        let mut message = libc::CMSG_FIRSTHDR(&raw const header);
        while !message.is_null() {
            let kind = ((*message).cmsg_level, (*message).cmsg_type);
            if kind == (libc::SOL_NETLINK, libc::NETLINK_LISTEN_ALL_NSID) {
                let number: i32 = std::ptr::read_unaligned(libc::CMSG_DATA(message).cast());
                nsid = u32::try_from(number).ok();
            }
            message = libc::CMSG_NXTHDR(&raw const header, message);
        }
        Ok((length, nsid))
    }
}

/// A time of day and a date, of the process's own time zone or of UTC.
pub(crate) fn broken_down(seconds: i64, local: bool) -> libc::tm {
    // SAFETY: a tm is plain numbers and a pointer that may be null; both functions write to it only,
    // and are safe to call from any thread.
    unsafe {
        let mut time: libc::tm = std::mem::zeroed();
        if local {
            libc::localtime_r(&raw const seconds, &raw mut time);
        } else {
            libc::gmtime_r(&raw const seconds, &raw mut time);
        }
        time
    }
}
