use std::net::IpAddr;

use crate::Process;

/// A socket that waits: a TCP socket that listens, or a UDP socket that has a port and no peer.
/// From /proc/net/{tcp,tcp6,udp,udp6}.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// IPPROTO_TCP (6) or IPPROTO_UDP (17).
    pub protocol: u8,
    /// The address that it waits at. Unspecified: any; that of IPv6 (`::`) mostly includes IPv4,
    /// which /proc does not tell (IPV6_V6ONLY).
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
    /// Owner, as the reader's user namespace sees it.
    pub uid: u32,
    /// Inode of the socket: what `/proc/PID/fd` shows as `socket:[…]`.
    pub inode: u64,
    /// Processes that hold it, lowest PID first; they may be in another namespace than the
    /// socket. Empty: none that the reader may look at.
    pub processes: Vec<Process>,
}

impl Listener {
    /// Whether what is sent to that address comes to it.
    #[must_use]
    pub fn takes(&self, ip: IpAddr) -> bool {
        self.ip == ip || self.ip.is_unspecified() && (self.ip.is_ipv6() || ip.is_ipv4())
    }
}
