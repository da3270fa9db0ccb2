//! Values: what can be compared, and as which bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Mac;

use super::words::{Word, WordError};

/// What a selector gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ip4,
    Ip6,
    Mac,
    EtherType,
    ArpOperation,
    Protocol,
    Port,
    Icmp,
    TcpFlags,
    Mark,
    LinkName,
    State,
    Direction,
    Status,
    Zone,
    PacketType,
    Nfproto,
    AddressType,
    /// One byte.
    Byte,
    /// The upper six bits of a byte.
    Dscp,
    /// Two bytes in the network's order.
    Short,
    /// Four bytes in the host's order.
    Number,
    /// Of a route: whether there is one.
    Exists,
}

/// First and last value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: Vec<u8>,
    pub(super) last: Vec<u8>,
}

const STATES: &[(&str, u32)] =
    &[("invalid", 1), ("established", 2), ("related", 4), ("new", 8), ("untracked", 64)];
const STATUS: &[(&str, u32)] = &[
    ("expected", 1),
    ("seen-reply", 2),
    ("assured", 4),
    ("confirmed", 8),
    ("snat", 16),
    ("dnat", 32),
];
const FLAGS: &[(&str, u32)] =
    &[("fin", 1), ("syn", 2), ("rst", 4), ("psh", 8), ("ack", 16), ("urg", 32)];
const PROTOCOLS: &[(&str, u32)] =
    &[("icmp", 1), ("tcp", 6), ("udp", 17), ("ipv6-icmp", 58), ("icmpv6", 58)];
const ICMP: &[(&str, u32)] = &[
    ("echo-reply", 0),
    ("destination-unreachable", 3),
    ("redirect", 5),
    ("echo-request", 8),
    ("time-exceeded", 11),
];
const ETHER_TYPES: &[(&str, u32)] = &[("ip", 0x0800), ("arp", 0x0806), ("ip6", 0x86dd)];
const ADDRESS_TYPES: &[(&str, u32)] = &[
    ("unicast", 1),
    ("local", 2),
    ("broadcast", 3),
    ("anycast", 4),
    ("multicast", 5),
    ("blackhole", 6),
    ("unreachable", 7),
    ("prohibit", 8),
];
const PACKET_TYPES: &[(&str, u32)] =
    &[("host", 0), ("unicast", 0), ("broadcast", 1), ("multicast", 2), ("other", 3)];

impl Kind {
    /// Names of its values.
    const fn names(self) -> &'static [(&'static str, u32)] {
        match self {
            Self::State => STATES,
            Self::Status => STATUS,
            Self::TcpFlags => FLAGS,
            Self::Protocol => PROTOCOLS,
            Self::Icmp => ICMP,
            Self::EtherType => ETHER_TYPES,
            Self::AddressType => ADDRESS_TYPES,
            Self::PacketType => PACKET_TYPES,
            Self::Direction => &[("original", 0), ("reply", 1)],
            Self::ArpOperation => &[("request", 1), ("reply", 2)],
            Self::Nfproto => &[("ipv4", 2), ("ipv6", 10)],
            Self::Exists => &[("missing", 0), ("exists", 1)],
            _ => &[],
        }
    }

    /// Bytes of a value.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Ip6 | Self::LinkName => 16,
            Self::Mac => 6,
            Self::EtherType | Self::ArpOperation | Self::Port | Self::Zone | Self::Short => 2,
            Self::Protocol
            | Self::Icmp
            | Self::TcpFlags
            | Self::Direction
            | Self::PacketType
            | Self::Nfproto
            | Self::Byte
            | Self::Dscp => 1,
            Self::Ip4
            | Self::Mark
            | Self::State
            | Self::Status
            | Self::AddressType
            | Self::Number
            | Self::Exists => 4,
        }
    }

    /// nft's number of the type.
    pub(super) const fn number(self) -> u32 {
        match self {
            Self::Nfproto => 2,
            Self::Byte | Self::Dscp | Self::Short | Self::Number | Self::Exists | Self::Zone => 4,
            Self::Ip4 => 7,
            Self::Ip6 => 8,
            Self::Mac => 9,
            Self::EtherType => 10,
            Self::ArpOperation => 11,
            Self::Protocol => 12,
            Self::Port => 13,
            Self::Icmp => 14,
            Self::TcpFlags => 15,
            Self::Mark => 19,
            Self::State => 26,
            Self::Direction => 27,
            Self::Status => 28,
            Self::PacketType => 31,
            Self::LinkName => 41,
            Self::AddressType => 42,
        }
    }

    /// The type of a set that nft calls so.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ipv4_addr" => Self::Ip4,
            "ipv6_addr" => Self::Ip6,
            "ether_addr" => Self::Mac,
            "inet_proto" => Self::Protocol,
            "inet_service" => Self::Port,
            "icmp_type" => Self::Icmp,
            "mark" => Self::Mark,
            "ifname" => Self::LinkName,
            "ct_state" => Self::State,
            _ => return None,
        })
    }

    /// Several may be asked for at once.
    pub(super) const fn is_bits(self) -> bool {
        matches!(self, Self::State | Self::Status | Self::TcpFlags)
    }

    /// Its bytes in the order in which they are compared: there can be ranges of it.
    const fn is_ordered(self) -> bool {
        let port = matches!(self, Self::Port | Self::Short | Self::Byte | Self::Icmp);
        port || matches!(self, Self::Ip4 | Self::Ip6 | Self::Protocol)
    }

    /// A number of four bytes in the host's order.
    pub(super) const fn is_of_the_host(self) -> bool {
        matches!(self, Self::Mark | Self::Number)
    }

    /// A value, a prefix or a range.
    pub(super) fn range(self, word: &Word) -> Result<Range, WordError> {
        if self.is_ordered() {
            if let Some((first, last)) = word.text.split_once('-')
                && self.value(first).is_some()
            {
                let (first, last) = (self.value(first), self.value(last));
                let pair = first.zip(last).filter(|(first, last)| first <= last);
                let (first, last) = pair.ok_or_else(|| word.wrong("is no range"))?;
                return Ok(Range { first, last });
            }
            if let Some((ip, length)) = word.text.split_once('/') {
                let ip = self.value(ip).zip(length.parse().ok());
                let found = ip.and_then(|(ip, length)| prefix(ip, length));
                return found.ok_or_else(|| word.wrong("is no prefix"));
            }
        }
        let value = self.value(&word.text).ok_or_else(|| word.wrong("is no such value"))?;
        Ok(Range { first: value.clone(), last: value })
    }

    /// One value.
    pub(super) fn value(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Ip4 => Some(text.parse::<Ipv4Addr>().ok()?.octets().to_vec()),
            Self::Ip6 => Some(text.parse::<Ipv6Addr>().ok()?.octets().to_vec()),
            Self::Mac => Some(text.parse::<Mac>().ok()?.0.to_vec()),
            Self::LinkName => link_name(text),
            _ => self.bytes(self.numbered(text)?),
        }
    }

    fn numbered(self, text: &str) -> Option<u32> {
        let named = self.names().iter().find(|(name, _)| *name == text);
        named.map(|(_, number)| *number).or_else(|| number(text))
    }

    fn bytes(self, number: u32) -> Option<Vec<u8>> {
        Some(match (self, self.len()) {
            (Self::Dscp, _) => vec![u8::try_from(number).ok().filter(|n| *n < 64)? << 2],
            (_, 1) => vec![u8::try_from(number).ok()?],
            (Self::Zone, _) => u16::try_from(number).ok()?.to_ne_bytes().to_vec(),
            (_, 2) => u16::try_from(number).ok()?.to_be_bytes().to_vec(),
            _ => number.to_ne_bytes().to_vec(),
        })
    }
}

/// Decimal, or hexadecimal with 0x.
pub(super) fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn link_name(text: &str) -> Option<Vec<u8>> {
    let mut name = text.as_bytes().to_vec();
    if name.is_empty() || name.len() > 15 {
        return None;
    }
    name.resize(16, 0);
    Some(name)
}

fn prefix(ip: Vec<u8>, length: u32) -> Option<Range> {
    let (mut first, mut last) = (ip.clone(), ip);
    let bits = u32::try_from(first.len()).ok()? * 8;
    if length > bits {
        return None;
    }
    for bit in length..bits {
        let (byte, mask) = (bit as usize / 8, 0x80 >> (bit % 8));
        first[byte] &= !mask;
        last[byte] |= mask;
    }
    Some(Range { first, last })
}

/// An address and perhaps a port: `10.0.0.1:80`.
pub(super) fn endpoint(text: &str) -> Option<(Option<IpAddr>, Option<u16>)> {
    if let Some(port) = text.strip_prefix(':') {
        return Some((None, Some(port.parse().ok()?)));
    }
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some((Some(ip), None));
    }
    let (ip, port) = text.rsplit_once(':')?;
    let ip = ip.trim_start_matches('[').trim_end_matches(']');
    Some((Some(ip.parse().ok()?), Some(port.parse().ok()?)))
}
