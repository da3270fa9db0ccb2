//! Sending the probe from a namespace, by its own rules.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::time::SystemTime;

use etherparse::{IcmpEchoHeader, Icmpv4Header, Icmpv4Type, TcpHeader};
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketAddrAny, SocketFlags, SocketType, ipproto,
    sockopt,
};

use walk::{Leg, Payload};

use super::frame::{self, ANY};
use super::{Kind, Probe};
use crate::{netns, sys};

/// Headers of an IPv4 packet before the payload of an ICMP echo or UDP datagram.
const HEADERS: u32 = 28;

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

    /// UDP sockets give the payload; raw ones the IP packet. These hear answers from elsewhere,
    /// too, which a process that has asked does not wait for.
    fn answers(&self, bytes: &[u8], from: Option<&SocketAddrAny>) -> bool {
        let Some(Ok(from)) = from.cloned().map(SocketAddrV4::try_from) else { return false };
        let payload = match self.probe.kind {
            Kind::Udp(..) => bytes.starts_with(&self.probe.tag.0).then_some(from.port()),
            Kind::Icmp(id) => match frame::answer(bytes, &self.probe) {
                Some((Payload::Icmp { .. }, Leg::Back)) => Some(id),
                _ => None,
            },
            Kind::Tcp(..) => match frame::answer(bytes, &self.probe) {
                Some((Payload::Tcp { sport, .. }, Leg::Back)) => Some(sport),
                _ => None,
            },
        };
        let (Kind::Icmp(asked) | Kind::Udp(_, asked) | Kind::Tcp(_, asked)) = self.probe.kind;
        *from.ip() == self.probe.dst && payload == Some(asked)
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
        Kind::Tcp(sport, dport) => send_tcp(probe, sport, dport, TcpFlag::Syn),
    })??;
    Ok(Sent { at, socket, probe: *probe })
}

/// Resets what a TCP probe may have opened.
///
/// # Errors
/// The kernel's refusal.
pub fn reset(net: impl AsFd, probe: &Probe) -> io::Result<()> {
    let Kind::Tcp(sport, dport) = probe.kind else { return Ok(()) };
    netns::within(net, || send_tcp(probe, sport, dport, TcpFlag::Reset))?.map(drop)
}

fn options(socket: impl AsFd, probe: &Probe) -> io::Result<()> {
    let socket = socket.as_fd();
    if let Some(ttl) = probe.ttl {
        sockopt::set_ip_ttl(socket, u32::from(ttl))?;
    }
    if probe.tos != 0 {
        sockopt::set_ip_tos(socket, probe.tos)?;
    }
    if probe.mark != 0 {
        sys::set_mark(socket, probe.mark)?;
    }
    sys::set_dont_fragment(socket, probe.df)
}

/// The tag, and zeroes up to the length asked for.
fn payload(probe: &Probe) -> Vec<u8> {
    let len = probe.len.saturating_sub(HEADERS).clamp(8, 65_000);
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(8)];
    bytes[..8].copy_from_slice(&probe.tag.0);
    bytes
}

fn raw(protocol: Protocol, probe: &Probe) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket_with(
        AddressFamily::INET,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(protocol),
    )?;
    options(&socket, probe)?;
    if let Some(src) = probe.src {
        rustix::net::bind(&socket, &SocketAddr::from((src, 0)))?;
    }
    Ok(socket)
}

fn send_icmp(probe: &Probe, id: u16) -> io::Result<(SystemTime, OwnedFd)> {
    let payload = payload(probe);
    let kind = Icmpv4Type::EchoRequest(IcmpEchoHeader { id, seq: 1 });
    let mut bytes = Icmpv4Header::with_checksum(kind, &payload).to_bytes().to_vec();
    bytes.extend(payload);
    let socket = raw(ipproto::ICMP, probe)?;
    let at = SystemTime::now();
    rustix::net::sendto(&socket, &bytes, SendFlags::empty(), &SocketAddr::from((probe.dst, 0)))?;
    Ok((at, socket))
}

fn send_udp(probe: &Probe, sport: u16, dport: u16) -> io::Result<(SystemTime, OwnedFd)> {
    let socket = UdpSocket::bind(SocketAddrV4::new(probe.src.unwrap_or(ANY), sport))?;
    options(&socket, probe)?;
    let at = SystemTime::now();
    socket.send_to(&payload(probe), (probe.dst, dport))?;
    Ok((at, socket.into()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TcpFlag {
    Syn,
    Reset,
}

fn send_tcp(
    probe: &Probe,
    sport: u16,
    dport: u16,
    flag: TcpFlag,
) -> io::Result<(SystemTime, OwnedFd)> {
    let src = match probe.src {
        Some(src) => src,
        None => source_for(probe)?,
    };
    let mut header = TcpHeader::new(sport, dport, probe.tag.number(), 64_240);
    match flag {
        TcpFlag::Syn => {
            header.syn = true;
            let mss = [etherparse::TcpOptionElement::MaximumSegmentSize(1460)];
            header.set_options(&mss).map_err(io::Error::other)?;
        }
        TcpFlag::Reset => {
            header.rst = true;
            header.sequence_number = probe.tag.number().wrapping_add(1);
        }
    }
    header.checksum = header
        .calc_checksum_ipv4_raw(src.octets(), probe.dst.octets(), &[])
        .map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    header.write(&mut bytes)?;
    let socket = raw(ipproto::TCP, probe)?;
    if probe.src.is_none() {
        rustix::net::bind(&socket, &SocketAddr::from((src, 0)))?;
    }
    let at = SystemTime::now();
    rustix::net::sendto(&socket, &bytes, SendFlags::empty(), &SocketAddr::from((probe.dst, 0)))?;
    Ok((at, socket))
}

/// The source that the kernel would choose; connecting a UDP socket sends nothing.
fn source_for(probe: &Probe) -> io::Result<Ipv4Addr> {
    let socket = UdpSocket::bind((ANY, 0))?;
    options(&socket, probe)?;
    socket.connect((probe.dst, 9))?;
    match socket.local_addr()? {
        SocketAddr::V4(address) => Ok(*address.ip()),
        SocketAddr::V6(_) => Err(io::ErrorKind::AddrNotAvailable.into()),
    }
}
