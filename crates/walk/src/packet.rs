use std::net::{IpAddr, Ipv6Addr};

use model::{Family, Mac, Tuple};

/// An IP packet and the frame that carries it, as far as its way depends on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Ethernet source; None while it has no frame.
    pub src_mac: Option<Mac>,
    /// Ethernet destination.
    pub dst_mac: Option<Mac>,
    /// IP source.
    pub src: IpAddr,
    /// IP destination.
    pub dst: IpAddr,
    /// Time to live; of IPv6, hop limit.
    pub ttl: u8,
    /// Type of service byte; of IPv6, traffic class.
    pub tos: u8,
    /// Don't fragment. IPv6 has no such bit: only its sender makes fragments, unless its socket
    /// forbids it, which is asked by this.
    pub df: bool,
    /// Length of the IP packet in bytes, header included.
    pub len: u32,
    /// What it carries.
    pub payload: Payload,
    /// The largest segment that a TCP segment with SYN says its sender takes (MSS); None: it says
    /// nothing of it, or what it says is not foretold.
    pub mss: Option<u16>,
}

/// What an IP packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// TCP: ports, and whether it is a first packet (SYN), an answer to one, or a reset.
    Tcp {
        /// Source port.
        sport: u16,
        /// Destination port.
        dport: u16,
        /// Flags as in the header (SYN 2, RST 4, ACK 16).
        flags: u8,
    },
    /// UDP.
    Udp {
        /// Source port.
        sport: u16,
        /// Destination port.
        dport: u16,
    },
    /// ICMP.
    Icmp {
        /// Which message.
        kind: IcmpKind,
        /// Echo id (0 otherwise).
        id: u16,
    },
    /// Any other protocol.
    Other(u8),
}

/// ICMP messages that the walk knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpKind {
    /// Type 8; of IPv6, 128.
    EchoRequest,
    /// Type 0; of IPv6, 129.
    EchoReply,
    /// Type 3, with code; of IPv6, type 1, with a code of its own.
    Unreachable(u8),
    /// Type 11; of IPv6, 3.
    TimeExceeded,
    /// Of IPv6, type 2.
    TooBig,
    /// Of IPv6, type 135: who has this address?
    Solicitation(Ipv6Addr),
    /// Of IPv6, type 136: I have it.
    Advertisement(Ipv6Addr),
    /// Type 5, code 1; of IPv6, 137: another router, or nobody between, is nearer.
    Redirect,
}

impl IcmpKind {
    /// Type and code, of ICMP or (`ipv6`) of ICMPv6.
    #[must_use]
    pub const fn numbers(self, ipv6: bool) -> (u8, u8) {
        match (self, ipv6) {
            (Self::EchoRequest, false) => (8, 0),
            (Self::EchoReply, false) => (0, 0),
            (Self::Unreachable(code), false) => (3, code),
            (Self::TimeExceeded, false) => (11, 0),
            (Self::EchoRequest, true) => (128, 0),
            (Self::EchoReply, true) => (129, 0),
            (Self::Unreachable(code), true) => (1, code),
            (Self::TooBig, _) => (2, 0),
            (Self::TimeExceeded, true) => (3, 0),
            (Self::Solicitation(_), _) => (135, 0),
            (Self::Advertisement(_), _) => (136, 0),
            (Self::Redirect, false) => (5, 1),
            (Self::Redirect, true) => (137, 0),
        }
    }
}

/// Flags of TCP's header.
pub(crate) mod tcp {
    pub(crate) const FIN: u8 = 1;
    pub(crate) const SYN: u8 = 2;
    pub(crate) const RST: u8 = 4;
    pub(crate) const ACK: u8 = 16;
}

/// Of the type of service, the bits that tell of congestion (INET_ECN_MASK).
pub(crate) const ECN: u8 = 3;

impl Packet {
    /// The connection that it belongs to, in its direction. An ICMP echo's id stands for both
    /// ports.
    #[must_use]
    pub fn tuple(&self) -> Tuple {
        let (sport, dport) = match self.payload {
            Payload::Tcp { sport, dport, .. } | Payload::Udp { sport, dport } => (sport, dport),
            Payload::Icmp { id, .. } => (id, id),
            Payload::Other(_) => (0, 0),
        };
        Tuple { src: self.src, dst: self.dst, protocol: self.protocol(), sport, dport }
    }

    /// It is an IPv6 packet; else an IPv4 packet.
    #[must_use]
    pub const fn is_ipv6(&self) -> bool {
        self.dst.is_ipv6()
    }

    /// Its frame is for a group, or for all.
    pub(crate) fn is_to_group(&self) -> bool {
        self.dst_mac.is_some_and(Mac::is_group)
    }

    /// The family of the rules that see it.
    pub(crate) const fn family(&self) -> Family {
        if self.is_ipv6() { Family::Ip6 } else { Family::Ip }
    }

    /// IP protocol number (next header).
    #[must_use]
    pub const fn protocol(&self) -> u8 {
        match self.payload {
            Payload::Icmp { .. } if self.is_ipv6() => 58,
            payload => payload.protocol(),
        }
    }

    /// Bytes of its IP header.
    #[must_use]
    pub const fn header_len(&self) -> u32 {
        if self.is_ipv6() { 40 } else { 20 }
    }
}

impl IcmpKind {
    /// An echo request or reply: the messages that carry an id.
    #[must_use]
    pub const fn is_echo(self) -> bool {
        matches!(self, Self::EchoRequest | Self::EchoReply)
    }

    /// A question who has an address, or its answer.
    #[must_use]
    pub const fn is_discovery(self) -> bool {
        matches!(self, Self::Solicitation(_) | Self::Advertisement(_))
    }
}

impl Payload {
    /// IP protocol number, as IPv4 has it (of IPv6: [`Packet::protocol`]).
    #[must_use]
    pub const fn protocol(self) -> u8 {
        match self {
            Self::Icmp { .. } => 1,
            Self::Tcp { .. } => 6,
            Self::Udp { .. } => 17,
            Self::Other(n) => n,
        }
    }
}
