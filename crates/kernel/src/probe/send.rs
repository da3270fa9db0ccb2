//! Sending the probe from a namespace, by its own rules.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::time::SystemTime;

use etherparse::{IcmpEchoHeader, Icmpv4Header, Icmpv4Type, Icmpv6Header, Icmpv6Type, TcpHeader};
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketAddrAny, SocketFlags, SocketType, ipproto,
    sockopt,
};

use walk::{Leg, Payload};

use super::frame::{self, any};
use super::{Kind, Probe, SYN};
use crate::{netns, sys};

/// Headers before the payload of an ICMP echo or UDP datagram.
const fn headers(to: IpAddr) -> u32 {
    match to {
        IpAddr::V4(_) => 28,
        IpAddr::V6(_) => 48,
    }
}

/// A probe on its way, with the socket that sent it.
#[derive(Debug)]
pub struct Sent {
    /// When it was sent.
    pub at: SystemTime,
    socket: OwnedFd,
    probe: Probe,
}

impl Sent {
    /// Whether the answer has come to the socket: through all that stands between the last link
    /// and a process.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        let mut bytes = [0; 2048];
        loop {
            match rustix::net::recvfrom(&self.socket, &mut bytes, RecvFlags::DONTWAIT) {
                Ok((len, _, from)) if self.answers(&bytes[..len], from.as_ref()) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// UDP sockets give the payload; raw ones the IP packet, but those of IPv6 what is behind its
    /// headers. These hear answers from elsewhere, too, which a process that has asked does not
    /// wait for.
    fn answers(&self, bytes: &[u8], from: Option<&SocketAddrAny>) -> bool {
        let Some(Ok(from)) = from.cloned().map(SocketAddr::try_from) else { return false };
        let raw = |protocol: Protocol| match self.probe.dst {
            IpAddr::V4(_) => frame::answer(bytes, &self.probe),
            IpAddr::V6(_) => {
                let number = u8::try_from(protocol.as_raw().get()).ok()?;
                frame::answer_behind(number, bytes, &self.probe)
            }
        };
        let payload = match self.probe.kind {
            Kind::Udp(..) => bytes.starts_with(&self.probe.tag.0).then_some(from.port()),
            Kind::Icmp(id) => match raw(ipproto::ICMPV6) {
                Some((Payload::Icmp { .. }, Leg::Back)) => Some(id),
                _ => None,
            },
            Kind::Tcp(..) => match raw(ipproto::TCP) {
                Some((Payload::Tcp { sport, .. }, Leg::Back)) => Some(sport),
                _ => None,
            },
        };
        let (Kind::Icmp(asked) | Kind::Udp(_, asked) | Kind::Tcp(_, asked)) = self.probe.kind;
        (self.probe.to_many || from.ip() == self.probe.dst) && payload == Some(asked)
    }
}

/// Sends it from that namespace, and tells when. What the kernel says against it (no route, an
/// OUTPUT rule that drops, too big) is the error.
///
/// A TCP probe's sender has no socket for the answer, so that the kernel resets the connection at
/// once; a reset of our own follows for the case that the answer does not reach it.
///
/// # Errors
/// The kernel's refusal.
pub fn send(net: impl AsFd, probe: &Probe) -> io::Result<Sent> {
    let (at, socket) = netns::within(net, || match probe.kind {
        Kind::Icmp(id) => send_icmp(probe, id),
        Kind::Udp(sport, dport) => send_udp(probe, sport, dport),
        Kind::Tcp(sport, dport) => send_tcp(probe, sport, dport, probe.flags),
    })??;
    Ok(Sent { at, socket, probe: *probe })
}

/// Whether the port that a UDP probe was sent from is free again. Its socket, once closed, may live
/// on for a moment in a process that is just being made, and takes what comes to its port.
///
/// # Errors
/// The kernel's refusal of entering the namespace.
pub fn is_port_free(net: impl AsFd, probe: &Probe) -> io::Result<bool> {
    let Kind::Udp(sport, _) = probe.kind else { return Ok(true) };
    let bound = netns::within(net, || bind_udp(probe, sport))?;
    Ok(!bound.is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse))
}

/// Resets what a TCP probe may have opened.
///
/// # Errors
/// The kernel's refusal.
pub fn reset(net: impl AsFd, probe: &Probe) -> io::Result<()> {
    let Kind::Tcp(sport, dport) = probe.kind else { return Ok(()) };
    if probe.flags != SYN {
        return Ok(());
    }
    netns::within(net, || send_tcp(probe, sport, dport, RST))?.map(drop)
}

fn options(socket: impl AsFd, probe: &Probe) -> io::Result<()> {
    let (socket, six) = (socket.as_fd(), probe.dst.is_ipv6());
    match probe.ttl {
        Some(ttl) if six => {
            sockopt::set_ipv6_unicast_hops(socket, Some(ttl))?;
            sockopt::set_ipv6_multicast_hops(socket, u32::from(ttl))?;
        }
        Some(ttl) => {
            sockopt::set_ip_ttl(socket, u32::from(ttl))?;
            sockopt::set_ip_multicast_ttl(socket, u32::from(ttl))?;
        }
        None => {}
    }
    match probe.tos {
        0 => {}
        tos if six => sockopt::set_ipv6_tclass(socket, u32::from(tos))?,
        tos => sockopt::set_ip_tos(socket, tos)?,
    }
    if probe.mark != 0 {
        sys::set_mark(socket, probe.mark)?;
    }
    if let Some(link) = probe.bound {
        sys::bind_to_link(socket, link)?;
    }
    sockopt::set_socket_broadcast(socket, true)?;
    sys::set_dont_fragment(socket, probe.df, six)
}

/// The tag, and zeroes up to the length asked for.
fn payload(probe: &Probe) -> Vec<u8> {
    let len = probe.len.saturating_sub(headers(probe.dst)).clamp(8, 65_000);
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(8)];
    bytes[..8].copy_from_slice(&probe.tag.0);
    bytes
}

fn raw(protocol: Protocol, probe: &Probe) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket_with(
        if probe.dst.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET },
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(protocol),
    )?;
    options(&socket, probe)?;
    if let Some(src) = probe.src {
        rustix::net::bind(&socket, &own(probe, src, 0))?;
    }
    Ok(socket)
}

fn send_icmp(probe: &Probe, id: u16) -> io::Result<(SystemTime, OwnedFd)> {
    let payload = payload(probe);
    let echo = IcmpEchoHeader { id, seq: 1 };
    let (mut bytes, protocol) = match probe.dst {
        IpAddr::V4(_) => {
            let header = Icmpv4Header::with_checksum(Icmpv4Type::EchoRequest(echo), &payload);
            (header.to_bytes().to_vec(), ipproto::ICMP)
        }
        // The kernel puts in the checksum.
        IpAddr::V6(_) => {
            let header = Icmpv6Header::new(Icmpv6Type::EchoRequest(echo));
            (header.to_bytes().to_vec(), ipproto::ICMPV6)
        }
    };
    bytes.extend(payload);
    let socket = raw(protocol, probe)?;
    let at = SystemTime::now();
    rustix::net::sendto(&socket, &bytes, SendFlags::empty(), &SocketAddr::from((probe.dst, 0)))?;
    Ok((at, socket))
}

/// An address of its sender's; one that is good on one link only, on the link that it is bound to.
fn own(probe: &Probe, src: IpAddr, port: u16) -> SocketAddr {
    match src {
        IpAddr::V6(ip) if ip.is_unicast_link_local() => {
            SocketAddrV6::new(ip, port, 0, probe.bound.unwrap_or_default()).into()
        }
        _ => SocketAddr::from((src, port)),
    }
}

fn bind_udp(probe: &Probe, sport: u16) -> io::Result<UdpSocket> {
    UdpSocket::bind(own(probe, probe.src.unwrap_or(any(probe.dst)), sport))
}

fn send_udp(probe: &Probe, sport: u16, dport: u16) -> io::Result<(SystemTime, OwnedFd)> {
    let socket = bind_udp(probe, sport)?;
    options(&socket, probe)?;
    let at = SystemTime::now();
    socket.send_to(&payload(probe), (probe.dst, dport))?;
    Ok((at, socket.into()))
}

/// Where in a TCP header its checksum stands.
const CHECKSUM: i32 = 16;

/// Flags of TCP.
const FIN: u8 = 1;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// The header, as long as that of a first segment is with its option; and what it carries.
fn segment(
    probe: &Probe,
    sport: u16,
    dport: u16,
    flags: u8,
) -> io::Result<(TcpHeader, &'static [u8])> {
    let mut header = TcpHeader::new(sport, dport, probe.tag.number(), 64_240);
    let has = |flag: u8| flags & flag != 0;
    (header.syn, header.fin, header.rst) = (has(SYN), has(FIN), has(RST));
    (header.psh, header.ack) = (has(PSH), has(ACK));
    if has(ACK) {
        header.acknowledgment_number = probe.tag.number();
    }
    if flags == RST && probe.flags == SYN {
        header.sequence_number = probe.tag.number().wrapping_add(1);
    }
    if has(SYN) {
        let mss = [etherparse::TcpOptionElement::MaximumSegmentSize(super::MSS)];
        header.set_options(&mss).map_err(io::Error::other)?;
    }
    let data: &[u8] = if has(SYN) || flags == RST && probe.flags == SYN { &[] } else { &[0; 4] };
    Ok((header, data))
}

fn send_tcp(probe: &Probe, sport: u16, dport: u16, flags: u8) -> io::Result<(SystemTime, OwnedFd)> {
    let (mut header, data) = segment(probe, sport, dport, flags)?;
    let socket = raw(ipproto::TCP, probe)?;
    if probe.dst.is_ipv6() {
        // By the source that the kernel chooses, for which it looks once only.
        sys::set_checksum(socket.as_fd(), CHECKSUM)?;
    } else {
        let src = probe.src.map_or_else(|| source_for(probe), Ok)?;
        if probe.src.is_none() {
            rustix::net::bind(&socket, &SocketAddr::from((src, 0)))?;
        }
        header.checksum = checksum(&header, src, probe.dst, data)?;
    }
    let mut bytes = Vec::new();
    header.write(&mut bytes)?;
    bytes.extend(data);
    let at = SystemTime::now();
    rustix::net::sendto(&socket, &bytes, SendFlags::empty(), &SocketAddr::from((probe.dst, 0)))?;
    Ok((at, socket))
}

fn checksum(header: &TcpHeader, src: IpAddr, dst: IpAddr, data: &[u8]) -> io::Result<u16> {
    let (IpAddr::V4(src), IpAddr::V4(dst)) = (src, dst) else {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    };
    let sum = header.calc_checksum_ipv4_raw(src.octets(), dst.octets(), data);
    sum.map_err(io::Error::other)
}

/// The source that the kernel would choose; connecting a UDP socket sends nothing.
fn source_for(probe: &Probe) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind((any(probe.dst), 0))?;
    options(&socket, probe)?;
    socket.connect((probe.dst, 9))?;
    Ok(socket.local_addr()?.ip())
}
