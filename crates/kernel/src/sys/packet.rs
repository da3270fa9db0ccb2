//! Sockets that send and see packets.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::check;

/// A packet socket on one link (0: on all of the namespace) that sees nothing but what the filter lets in, from its first
/// packet on.
pub(crate) fn packet_socket(filter: &[libc::sock_filter], link: u32) -> io::Result<OwnedFd> {
    let on: libc::c_int = 1;
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: sockaddr_ll is plain bytes; all zero is valid.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = i32::try_from(link).map_err(|_| io::ErrorKind::InvalidInput)?;
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: each call gets a pointer to a live value of the type and size that it reads; the
    // kernel copies the filter. Protocol 0 until bound: no packet comes before the filter stands.
    unsafe {
        let socket = OwnedFd::from_raw_fd(check(libc::socket(libc::AF_PACKET, kind, 0))?);
        let fd = socket.as_raw_fd();
        set_option(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)?;
        set_option(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &on)?;
        let len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        check(libc::bind(fd, (&raw const address).cast(), len))?;
        Ok(socket)
    }
}

/// Lets a UDP socket tell of each datagram to which of this host's addresses it came.
pub(crate) fn tell_destinations(socket: BorrowedFd<'_>, ipv6: bool) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: both options read one int.
    unsafe {
        if ipv6 {
            set_option(socket.as_raw_fd(), libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, &on)?;
        }
        // A socket of IPv6 takes IPv4, too: of a broadcast only this tells whom it came to.
        set_option(socket.as_raw_fd(), libc::IPPROTO_IP, libc::IP_PKTINFO, &on)
    }
}

/// Sends the next datagram that waits on a UDP socket back to whom it is from, from the address
/// that it came to. The socket must tell destinations.
pub(crate) fn echo(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<()> {
    const CONTROL: usize = 128;
    #[repr(align(8))]
    struct Control([u8; CONTROL]);
    let mut control = Control([0; CONTROL]);
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: sockaddr_storage and msghdr are plain bytes and pointers, valid as zero; every
    // pointer put into msghdr is to a live local with its own size beside it; a control message is
    // written to only where the kernel has said that it is one of that kind, which has that size.
    // What the kernel filled in is then given back to it, no longer than it said.
    unsafe {
        let mut from: libc::sockaddr_storage = std::mem::zeroed();
        let mut header: libc::msghdr = std::mem::zeroed();
        header.msg_name = (&raw mut from).cast();
        header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        header.msg_control = control.0.as_mut_ptr().cast();
        header.msg_controllen = CONTROL;
        let len = libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_DONTWAIT);
        let len = usize::try_from(len).map_err(|_| io::Error::last_os_error())?;
        let mut to_many = false;
        let mut message = libc::CMSG_FIRSTHDR(&raw const header);
        while !message.is_null() {
            // By whatever link the route leads.
            match ((*message).cmsg_level, (*message).cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let info = libc::CMSG_DATA(message).cast::<libc::in_pktinfo>();
                    (*info).ipi_ifindex = 0;
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let info = libc::CMSG_DATA(message).cast::<libc::in6_pktinfo>();
                    (*info).ipi6_ifindex = 0;
                    to_many = (*info).ipi6_addr.s6_addr[0] == 0xff;
                }
                _ => {}
            }
            message = libc::CMSG_NXTHDR(&raw const header, message);
        }
        (*header.msg_iov).iov_len = len.min(bytes.len());
        header.msg_flags = 0;
        let mut sent = libc::sendmsg(socket.as_raw_fd(), &raw const header, libc::MSG_DONTWAIT);
        // A route or rule that refuses (blackhole) is EINVAL, too.
        if sent < 0 && to_many && *libc::__errno_location() == libc::EINVAL {
            // What was for many is answered as whom the kernel chooses.
            header.msg_controllen = 0;
            sent = libc::sendmsg(socket.as_raw_fd(), &raw const header, libc::MSG_DONTWAIT);
        }
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// Lets a socket tell when each packet came.
pub(crate) fn stamp(socket: BorrowedFd<'_>) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option reads one int.
    unsafe { set_option(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &on) }
}

/// Gives a packet socket room for so many bytes, whatever the machine's limit, where that is
/// allowed.
pub(crate) fn make_room(socket: BorrowedFd<'_>, bytes: i32) -> io::Result<()> {
    // SAFETY: both options read one int.
    unsafe {
        set_option(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &bytes)
            .or_else(|_| set_option(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, &bytes))
    }
}

/// How many frames a packet socket has lost for want of room since it was last asked.
pub(crate) fn frames_lost(socket: BorrowedFd<'_>) -> io::Result<u32> {
    let mut told = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
    let mut len = size_of::<libc::tpacket_stats>() as libc::socklen_t;
    let (level, name) = (libc::SOL_PACKET, libc::PACKET_STATISTICS);
    let place = (&raw mut told).cast();
    // SAFETY: the option stores one tpacket_stats, and `len` says that there is room for it.
    check(unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, place, &raw mut len) })?;
    Ok(told.tp_drops)
}

/// Sets or clears the don't-fragment bit of what a socket sends; of IPv6, where no packet has such
/// a bit, whether its sender may part it.
pub(crate) fn set_dont_fragment(socket: BorrowedFd<'_>, df: bool, ipv6: bool) -> io::Result<()> {
    // Not DO: what the kernel believes of the path must not keep the packet back. And of IPv6 it
    // is not to learn from errors, where there is a choice that says so.
    let (level, option, value) = match (ipv6, df) {
        (false, true) => (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE),
        (false, false) => (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DONT),
        (true, true) => {
            (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_INTERFACE)
        }
        (true, false) => (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_OMIT),
    };
    let alone = libc::c_int::from(df);
    // SAFETY: the options read one int each.
    unsafe {
        set_option(socket.as_raw_fd(), level, option, &value)?;
        match ipv6 {
            true => set_option(socket.as_raw_fd(), level, libc::IPV6_DONTFRAG, &alone),
            false => Ok(()),
        }
    }
}

/// Has the kernel put the checksum of what a raw socket of IPv6 sends at that place in it.
pub(crate) fn set_checksum(socket: BorrowedFd<'_>, place: libc::c_int) -> io::Result<()> {
    // SAFETY: the option reads one int.
    unsafe { set_option(socket.as_raw_fd(), libc::IPPROTO_IPV6, libc::IPV6_CHECKSUM, &place) }
}

/// Marks what a socket sends.
pub(crate) fn set_mark(socket: BorrowedFd<'_>, mark: u32) -> io::Result<()> {
    // SAFETY: the option reads one u32.
    unsafe { set_option(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_MARK, &mark) }
}

/// Binds a socket to a link (SO_BINDTOIFINDEX, Linux 5.1).
pub(crate) fn bind_to_link(socket: BorrowedFd<'_>, index: u32) -> io::Result<()> {
    let index = libc::c_int::try_from(index).map_err(io::Error::other)?;
    // SAFETY: the option reads one int.
    unsafe { set_option(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, &index) }
}

/// setsockopt(2).
///
/// # Safety
/// The option must read a `T`.
unsafe fn set_option<T>(fd: RawFd, level: i32, option: i32, value: &T) -> io::Result<()> {
    let len = size_of::<T>() as libc::socklen_t;
    // SAFETY: `value` is live and `len` is its size; the caller vouches for the type.
    check(unsafe { libc::setsockopt(fd, level, option, std::ptr::from_ref(value).cast(), len) })
        .map(drop)
}

/// A packet from a packet socket.
pub(crate) struct Received {
    /// Bytes received (no more than there was room for).
    pub(crate) len: usize,
    /// ifindex of the link.
    pub(crate) link: u32,
    /// It was on its way out of the link.
    pub(crate) outgoing: bool,
    /// Its link's frames have no header: it begins with that of IP.
    pub(crate) bare: bool,
    /// When the kernel saw it.
    pub(crate) at: std::time::SystemTime,
}

/// The next packet that waits on a packet socket.
pub(crate) fn receive_packet(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<Received> {
    const CONTROL: usize = 128;
    #[repr(align(8))]
    struct Control([u8; CONTROL]);
    let mut control = Control([0; CONTROL]);
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: sockaddr_ll and msghdr are plain bytes and pointers, valid as zero; every pointer put
    // into msghdr is to a live local with its own size beside it, and the control message is read
    // only within what the CMSG macros allow.
    unsafe {
        let mut from: libc::sockaddr_ll = std::mem::zeroed();
        let mut header: libc::msghdr = std::mem::zeroed();
        header.msg_name = (&raw mut from).cast();
        header.msg_namelen = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        header.msg_control = control.0.as_mut_ptr().cast();
        header.msg_controllen = CONTROL;
        let len = libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_DONTWAIT);
        let len = usize::try_from(len).map_err(|_| io::Error::last_os_error())?;
        let mut at = std::time::SystemTime::now();
        let mut message = libc::CMSG_FIRSTHDR(&raw const header);
        while !message.is_null() {
            if (*message).cmsg_type == libc::SCM_TIMESTAMPNS {
                let time: libc::timespec =
                    std::ptr::read_unaligned(libc::CMSG_DATA(message).cast());
                let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
                let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
                at = std::time::UNIX_EPOCH + std::time::Duration::new(seconds, nanos);
            }
            message = libc::CMSG_NXTHDR(&raw const header, message);
        }
        let outgoing = from.sll_pkttype == libc::PACKET_OUTGOING;
        let bare = from.sll_hatype == libc::ARPHRD_NONE;
        let link = from.sll_ifindex.cast_unsigned();
        Ok(Received { len: len.min(bytes.len()), link, outgoing, bare, at })
    }
}
