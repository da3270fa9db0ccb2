use std::net::IpAddr;

use model::{Mac, Tuple};

/// An IPv4 packet and the frame that carries it, as far as its way depends on them.
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
    /// Time to live.
    pub ttl: u8,
    /// Type of service byte.
    pub tos: u8,
    /// Don't fragment.
    pub df: bool,
    /// Length of the IP packet in bytes, header included.
    pub len: u32,
    /// What it carries.
    pub payload: Payload,
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
    /// Type 8.
    EchoRequest,
    /// Type 0.
    EchoReply,
    /// Type 3, with code.
    Unreachable(u8),
    /// Type 11.
    TimeExceeded,
}

impl IcmpKind {
    /// Type and code.
    #[must_use]
    pub const fn numbers(self) -> (u8, u8) {
        match self {
            Self::EchoRequest => (8, 0),
            Self::EchoReply => (0, 0),
            Self::Unreachable(code) => (3, code),
            Self::TimeExceeded => (11, 0),
        }
    }
}

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
        Tuple { src: self.src, dst: self.dst, protocol: self.payload.protocol(), sport, dport }
    }
}

impl IcmpKind {
    /// An echo request or reply: the messages that carry an id.
    #[must_use]
    pub const fn is_echo(self) -> bool {
        matches!(self, Self::EchoRequest | Self::EchoReply)
    }
}

impl Payload {
    /// IP protocol number.
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
