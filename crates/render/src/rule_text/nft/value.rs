//! Values of fields, as nft writes them.

use std::net::{Ipv4Addr, Ipv6Addr};

use model::Family;

use crate::rule_text::number::{be16, hex, host32, padded, protocol};

/// What bytes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ip4,
    Ip6,
    Mac,
    Port,
    LinkName,
    LinkType,
    Protocol,
    EtherType,
    Nfproto,
    Mark,
    CtState,
    CtStatus,
    CtDirection,
    IcmpType,
    TcpFlags,
    PacketType,
    ArpOperation,
    AddrType,
    /// Whether something is there.
    Exists,
    /// A number in network byte order.
    Number,
    /// A number in the host's byte order.
    Host,
    /// Nothing that is known.
    Bytes,
}

const CT_STATES: [(u32, &str); 5] =
    [(1, "invalid"), (2, "established"), (4, "related"), (8, "new"), (64, "untracked")];
const CT_STATUSES: [(u32, &str); 7] = [
    (1, "expected"),
    (2, "seen-reply"),
    (4, "assured"),
    (8, "confirmed"),
    (16, "snat"),
    (32, "dnat"),
    (512, "dying"),
];
const TCP_FLAGS: [(u32, &str); 8] = [
    (1, "fin"),
    (2, "syn"),
    (4, "rst"),
    (8, "psh"),
    (16, "ack"),
    (32, "urg"),
    (64, "ecn"),
    (128, "cwr"),
];
const ICMP_TYPES: [(u8, &str); 8] = [
    (0, "echo-reply"),
    (3, "destination-unreachable"),
    (5, "redirect"),
    (8, "echo-request"),
    (9, "router-advertisement"),
    (10, "router-solicitation"),
    (11, "time-exceeded"),
    (12, "parameter-problem"),
];

impl Kind {
    /// By the number of nft's data type.
    pub(super) const fn of_type(number: u32) -> Option<Self> {
        Some(match number {
            7 => Self::Ip4,
            8 => Self::Ip6,
            9 => Self::Mac,
            12 => Self::Protocol,
            13 => Self::Port,
            19 => Self::Mark,
            41 => Self::LinkName,
            _ => return None,
        })
    }

    /// Whether any of several bits may be asked for.
    pub(super) const fn is_bits(self) -> bool {
        matches!(self, Self::CtState | Self::CtStatus)
    }

    pub(super) const fn is_address(self) -> bool {
        matches!(self, Self::Ip4 | Self::Ip6)
    }

    /// Whether the kernel keeps it in its own byte order.
    pub(super) const fn is_host_order(self) -> bool {
        matches!(self, Self::Mark | Self::CtState | Self::CtStatus | Self::Host | Self::LinkType)
    }

    /// The text of a value; of an address with a mask, with the prefix length that this is.
    pub(super) fn text(self, bytes: &[u8], mask: Option<&[u8]>) -> String {
        self.known(bytes, mask).unwrap_or_else(|| format!("0x{}", hex(bytes)))
    }

    fn known(self, bytes: &[u8], mask: Option<&[u8]>) -> Option<String> {
        Some(match self {
            Self::Ip4 => {
                let address = Ipv4Addr::from(padded::<4>(bytes)?);
                format!("{address}{}", prefix(bytes, mask, 4))
            }
            Self::Ip6 => {
                let address = Ipv6Addr::from(padded::<16>(bytes)?);
                format!("{address}{}", prefix(bytes, mask, 16))
            }
            Self::Mac => model::Mac(bytes.try_into().ok()?).to_string(),
            Self::Port => be16(bytes)?.to_string(),
            Self::LinkName => link_name(bytes),
            Self::LinkType if *bytes == [1, 0] || *bytes == [0, 1] => "ether".to_owned(),
            Self::LinkType | Self::Host => host(bytes)?.to_string(),
            Self::Protocol => protocol(one(bytes)?),
            Self::EtherType => match be16(bytes)? {
                0x0800 => "ip".to_owned(),
                0x0806 => "arp".to_owned(),
                0x86dd => "ip6".to_owned(),
                0x8100 => "8021q".to_owned(),
                other => format!("{other:#06x}"),
            },
            Self::Nfproto => match one(bytes)? {
                2 => "ipv4".to_owned(),
                10 => "ipv6".to_owned(),
                other => other.to_string(),
            },
            Self::Mark => format!("{:#010x}", host32(bytes)?),
            Self::CtState => bits(host32(bytes)?, &CT_STATES),
            Self::CtStatus => bits(host32(bytes)?, &CT_STATUSES),
            Self::TcpFlags => bits(u32::from(one(bytes)?), &TCP_FLAGS),
            Self::CtDirection => if one(bytes)? == 0 { "original" } else { "reply" }.to_owned(),
            Self::IcmpType => {
                let kind = one(bytes)?;
                let named = ICMP_TYPES.iter().find(|(n, _)| *n == kind);
                named.map_or_else(|| kind.to_string(), |(_, name)| (*name).to_owned())
            }
            Self::PacketType => match one(bytes)? {
                0 => "host".to_owned(),
                1 => "broadcast".to_owned(),
                2 => "multicast".to_owned(),
                3 => "other".to_owned(),
                other => other.to_string(),
            },
            Self::ArpOperation => match be16(bytes)? {
                1 => "request".to_owned(),
                2 => "reply".to_owned(),
                other => other.to_string(),
            },
            Self::AddrType => match host32(bytes)? {
                0 => "unspec".to_owned(),
                1 => "unicast".to_owned(),
                2 => "local".to_owned(),
                3 => "broadcast".to_owned(),
                4 => "anycast".to_owned(),
                5 => "multicast".to_owned(),
                6 => "blackhole".to_owned(),
                7 => "unreachable".to_owned(),
                8 => "prohibit".to_owned(),
                other => other.to_string(),
            },
            Self::Exists => if one(bytes)? == 0 { "missing" } else { "exists" }.to_owned(),
            Self::Number => u64::from_be_bytes(right(bytes)?).to_string(),
            Self::Bytes => return None,
        })
    }
}

fn one(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [byte] => Some(*byte),
        _ => None,
    }
}

/// A number of at most eight bytes, in network order.
fn right(bytes: &[u8]) -> Option<[u8; 8]> {
    let mut all = [0; 8];
    all.get_mut(8_usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    Some(all)
}

/// A number of 1, 2 or 4 bytes, in the host's order.
fn host(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [byte] => Some(u32::from(*byte)),
        [a, b] => Some(u32::from(u16::from_ne_bytes([*a, *b]))),
        bytes => host32(bytes),
    }
}

/// Fewer bytes than the address has are a prefix; so is a mask without holes.
fn prefix(bytes: &[u8], mask: Option<&[u8]>, whole: usize) -> String {
    match mask {
        None if bytes.len() == whole => String::new(),
        None => format!("/{}", bytes.len() * 8),
        Some(mask) => {
            let ones: u32 = mask.iter().map(|b| b.count_ones()).sum();
            let leading: u32 = leading_ones(mask);
            if ones == leading { format!("/{ones}") } else { format!(" & 0x{}", hex(mask)) }
        }
    }
}

fn leading_ones(mask: &[u8]) -> u32 {
    let whole = mask.iter().take_while(|b| **b == 0xff).count();
    let rest = mask.get(whole).map_or(0, |b| b.leading_ones());
    u32::try_from(whole * 8).unwrap_or(0) + rest
}

/// Without a NUL it is the beginning of a name.
fn link_name(bytes: &[u8]) -> String {
    match bytes.iter().position(|b| *b == 0) {
        Some(end) => format!("\"{}\"", String::from_utf8_lossy(&bytes[..end])),
        None => format!("\"{}*\"", String::from_utf8_lossy(bytes)),
    }
}

fn bits(value: u32, known: &[(u32, &str)]) -> String {
    let mut names: Vec<String> = known
        .iter()
        .filter(|(bit, _)| value & bit != 0)
        .map(|(_, name)| (*name).to_owned())
        .collect();
    let rest = known.iter().fold(value, |rest, (bit, _)| rest & !bit);
    if rest != 0 || names.is_empty() {
        names.push(format!("{rest:#x}"));
    }
    names.join(",")
}

/// `reject`, with what unless it is what nft takes without being told.
pub(super) fn reject(family: Family, kind: u32, code: u8) -> String {
    let with = match (kind, code) {
        (1, _) => "tcp reset".to_owned(),
        (0, 3) if family == Family::Ip => return "reject".to_owned(),
        (0, 4) if family == Family::Ip6 => return "reject".to_owned(),
        (0, code) if family == Family::Ip6 => format!("icmpv6 {code}"),
        (0, code) => match code {
            0 => "icmp net-unreachable".to_owned(),
            1 => "icmp host-unreachable".to_owned(),
            2 => "icmp prot-unreachable".to_owned(),
            3 => "icmp port-unreachable".to_owned(),
            9 => "icmp net-prohibited".to_owned(),
            10 => "icmp host-prohibited".to_owned(),
            13 => "icmp admin-prohibited".to_owned(),
            code => format!("icmp {code}"),
        },
        (2, code) => match code {
            0 => "icmpx no-route".to_owned(),
            1 => return "reject".to_owned(),
            2 => "icmpx host-unreachable".to_owned(),
            3 => "icmpx admin-prohibited".to_owned(),
            code => format!("icmpx {code}"),
        },
        (kind, code) => format!("<unknown: reject {kind} {code}>"),
    };
    format!("reject with {with}")
}
