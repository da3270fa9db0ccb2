//! A question, as the usual tool would send it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{LinkId, NsId};

use crate::{IcmpKind, Packet, Payload};

/// From where to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Where the packet starts.
    pub from: Place,
    /// The packet as asked for (source filled in by the first routing step where it is 0.0.0.0).
    pub packet: Packet,
    /// Mark that its sender's socket gives it; 0: none.
    pub mark: u32,
    /// ifindex of the link that its sender's socket is bound to (SO_BINDTODEVICE).
    pub bound: Option<u32>,
    /// What the host is taken to know of its connection.
    pub connection: Known,
}

/// What hosts are taken to know of a packet's connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// What was read: if it is tracked, the packet belongs to it.
    #[default]
    AsRead,
    /// Nothing: the packet begins it.
    Nothing,
    /// That it is established: a first packet and its answer have gone, as far as they come.
    Established,
}

/// Where a packet starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Made by a process in this namespace.
    Namespace(NsId),
    /// Comes in by this link from beyond this host.
    Outside(LinkId),
}

/// Time to live of a Linux host's packets, unless set otherwise.
pub(crate) const TTL: u8 = 64;
/// Bytes of an IP and an ICMP header.
const ICMP_HEADERS: u32 = 28;
/// How much longer the header of IPv6 is.
const IPV6_MORE: u32 = 20;
/// What `ping` carries unless told otherwise.
const PING_SIZE: u32 = 56;
/// An IP packet with a first TCP segment as Linux makes it.
const SYN_LEN: u32 = 60;
/// The lowest of the ports that Linux gives to a socket that asked for none.
const EPHEMERAL: u16 = 32768;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// An ICMP echo request.
    Icmp,
    /// A first TCP segment, to this port.
    Tcp(u16),
    /// A UDP datagram, to this port.
    Udp(u16),
}

impl Question {
    /// A first packet from there to that address, as the usual tool would send it: 56 bytes of
    /// echo data, or a SYN, with a TTL of 64.
    #[must_use]
    pub fn new(from: Place, to: impl Into<IpAddr>, protocol: Protocol) -> Self {
        let dst: IpAddr = to.into();
        let (payload, len) = match protocol {
            Protocol::Icmp => {
                let kind = IcmpKind::EchoRequest;
                (Payload::Icmp { kind, id: 1 }, ICMP_HEADERS + PING_SIZE)
            }
            Protocol::Tcp(dport) => (Payload::Tcp { sport: EPHEMERAL, dport, flags: 2 }, SYN_LEN),
            Protocol::Udp(dport) => {
                (Payload::Udp { sport: EPHEMERAL, dport }, ICMP_HEADERS + PING_SIZE)
            }
        };
        let (len, src): (u32, IpAddr) = match dst {
            IpAddr::V4(_) => (len, Ipv4Addr::UNSPECIFIED.into()),
            IpAddr::V6(_) => (len + IPV6_MORE, Ipv6Addr::UNSPECIFIED.into()),
        };
        let packet = Packet {
            src_mac: None,
            dst_mac: None,
            src,
            dst,
            ttl: TTL,
            tos: 0,
            df: dst.is_ipv4(),
            len,
            payload,
            mss: None,
        };
        Self { from, packet, mark: 0, bound: None, connection: Known::AsRead }
    }

    /// Whether its sender's socket, bound to its source, takes what comes there for that address and
    /// port.
    pub(crate) fn hears(&self, came: &Packet) -> bool {
        let (own, came) = (self.packet.tuple(), came.tuple());
        own.sport == came.dport && (own.src.is_unspecified() || own.src == came.dst)
    }

    /// From this source address.
    #[must_use]
    pub fn source(mut self, src: impl Into<IpAddr>) -> Self {
        self.packet.src = src.into();
        self
    }

    /// From this port (for ICMP: with this id).
    #[must_use]
    pub fn sport(mut self, port: u16) -> Self {
        match &mut self.packet.payload {
            Payload::Tcp { sport, .. } | Payload::Udp { sport, .. } => *sport = port,
            Payload::Icmp { id, .. } => *id = port,
            Payload::Other(_) => {}
        }
        self
    }

    /// With this many bytes of data behind the ICMP or UDP header, as `ping -s`.
    #[must_use]
    pub fn size(mut self, bytes: u32) -> Self {
        if !matches!(self.packet.payload, Payload::Tcp { .. }) {
            let more = if self.packet.is_ipv6() { IPV6_MORE } else { 0 };
            self.packet.len = ICMP_HEADERS + more + bytes;
        }
        self
    }

    /// Marked by its sender's socket (SO_MARK).
    #[must_use]
    pub fn mark(mut self, mark: u32) -> Self {
        self.mark = mark;
        self
    }

    /// Of this type of service (IPv6: traffic class).
    #[must_use]
    pub fn tos(mut self, tos: u8) -> Self {
        self.packet.tos = tos;
        self
    }

    /// From a socket that is bound to the link of this ifindex.
    #[must_use]
    pub fn bound(mut self, link: Option<u32>) -> Self {
        self.bound = link;
        self
    }

    /// With this much known of its connection.
    #[must_use]
    pub fn connection(mut self, connection: Known) -> Self {
        self.connection = connection;
        self
    }

    /// With or without leave to fragment it.
    #[must_use]
    pub fn dont_fragment(mut self, df: bool) -> Self {
        self.packet.df = df;
        self
    }
}
