//! What is loaded into registers, by nft's names.

use model::{CmpOp, CtKey, Family, MetaKey, PayloadBase};

use super::value::Kind;

/// What a field cannot be there without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    /// An Ethernet header.
    Ethernet,
    /// This network protocol.
    Network,
    /// This transport protocol.
    Transport,
    /// This transport protocol, which itself is of one network protocol (ICMP).
    Both,
}

impl Needs {
    pub(super) fn contains(self, other: Self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Both => matches!(other, Self::Network | Self::Transport),
            one => one == other,
        }
    }
}

/// A fact about the packet.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Bytes.
    pub(super) len: u32,
    /// What a bitwise left of it.
    pub(super) mask: Option<Vec<u8>>,
    pub(super) needs: Needs,
}

impl Field {
    fn new(name: impl Into<String>, kind: Kind, len: u32, needs: Needs) -> Self {
        Self { name: name.into(), kind, len, mask: None, needs }
    }

    /// One that needs no header.
    pub(super) fn plain(name: String, kind: Kind, len: u32) -> Self {
        Self::new(name, kind, len, Needs::Nothing)
    }

    pub(super) fn unknown(name: String, len: u32) -> Self {
        Self::new(name, Kind::Bytes, len, Needs::Nothing)
    }

    /// A comparison with it, whose right side has that text already.
    pub(super) fn compared(&self, op: CmpOp, data: &[u8], text: &str) -> String {
        let name = &self.name;
        let zero = data.iter().all(|b| *b == 0);
        match (&self.mask, op) {
            // Any of these bits.
            (Some(mask), CmpOp::Neq) if zero && self.kind.is_bits() => {
                format!("{name} {}", self.kind.text(mask, None))
            }
            (Some(mask), CmpOp::Eq) if self.kind == Kind::TcpFlags => {
                format!("{name} {text} / {}", self.kind.text(mask, None))
            }
            (Some(mask), CmpOp::Neq) if self.kind == Kind::TcpFlags => {
                format!("{name} != {text} / {}", self.kind.text(mask, None))
            }
            (Some(mask), op) if !self.kind.is_address() => {
                let mask = self.kind.text(mask, None);
                format!("{name} & {mask} {} {text}", sign(op, "=="))
            }
            (_, op) => format!("{name} {} {text}", sign(op, "")).replace("  ", " "),
        }
    }
}

const fn sign(op: CmpOp, equal: &'static str) -> &'static str {
    match op {
        CmpOp::Eq => equal,
        CmpOp::Neq => "!=",
        CmpOp::Lt => "<",
        CmpOp::Lte => "<=",
        CmpOp::Gt => ">",
        CmpOp::Gte => ">=",
    }
}

/// Which headers the packet is known to have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layers {
    network: Option<Family>,
    transport: Option<u8>,
}

impl Layers {
    pub(super) const fn of(family: Family) -> Self {
        let network = match family {
            Family::Ip | Family::Ip6 | Family::Arp => Some(family),
            Family::Inet | Family::Netdev | Family::Bridge => None,
        };
        Self { network, transport: None }
    }

    /// Learns from `field == data`; what the test may be a preparation for.
    pub(super) fn learn(&mut self, field: &Field, data: &[u8]) -> Option<Needs> {
        match (field.kind, data) {
            (Kind::Nfproto, [2]) | (Kind::EtherType, [8, 0]) => {
                self.network = Some(Family::Ip);
                Some(Needs::Network)
            }
            (Kind::Nfproto, [10]) | (Kind::EtherType, [0x86, 0xdd]) => {
                self.network = Some(Family::Ip6);
                Some(Needs::Network)
            }
            (Kind::Protocol, [number]) => {
                self.transport = Some(*number);
                // `ip protocol` is said even before a port.
                field.name.starts_with("meta").then_some(Needs::Transport)
            }
            (Kind::LinkType, _) => Some(Needs::Ethernet),
            _ => None,
        }
        .filter(|_| field.name.starts_with("meta") || field.name == "ether type")
    }
}

pub(super) fn meta(key: MetaKey) -> Field {
    let (name, kind, len) = match key {
        MetaKey::Len => ("meta length", Kind::Host, 4),
        MetaKey::Protocol => ("meta protocol", Kind::EtherType, 2),
        MetaKey::Mark => ("meta mark", Kind::Mark, 4),
        MetaKey::Iif => ("iif", Kind::Host, 4),
        MetaKey::Oif => ("oif", Kind::Host, 4),
        MetaKey::IifName => ("iifname", Kind::LinkName, 16),
        MetaKey::OifName => ("oifname", Kind::LinkName, 16),
        MetaKey::IifType => ("meta iiftype", Kind::LinkType, 2),
        MetaKey::OifType => ("meta oiftype", Kind::LinkType, 2),
        MetaKey::Nfproto => ("meta nfproto", Kind::Nfproto, 1),
        MetaKey::L4proto => ("meta l4proto", Kind::Protocol, 1),
        MetaKey::BridgeIifName => ("meta ibrname", Kind::LinkName, 16),
        MetaKey::BridgeOifName => ("meta obrname", Kind::LinkName, 16),
        MetaKey::PktType => ("meta pkttype", Kind::PacketType, 1),
        MetaKey::Priority => ("meta priority", Kind::Host, 4),
        MetaKey::Rtclassid => ("rtclassid", Kind::Host, 4),
        MetaKey::Skuid => ("meta skuid", Kind::Host, 4),
        MetaKey::Skgid => ("meta skgid", Kind::Host, 4),
        MetaKey::Cpu => ("meta cpu", Kind::Host, 4),
        MetaKey::IifGroup => ("iifgroup", Kind::Host, 4),
        MetaKey::OifGroup => ("oifgroup", Kind::Host, 4),
        MetaKey::Cgroup => ("meta cgroup", Kind::Host, 4),
        MetaKey::Random => ("meta random", Kind::Host, 4),
        MetaKey::NfTrace => ("meta nftrace", Kind::Host, 1),
        MetaKey::Secpath => ("meta ipsec", Kind::Exists, 1),
        MetaKey::IifKind => ("meta iifkind", Kind::LinkName, 16),
        MetaKey::OifKind => ("meta oifkind", Kind::LinkName, 16),
        MetaKey::BridgeIifPvid => ("meta ibrpvid", Kind::Host, 2),
        MetaKey::BridgeIifVproto => ("meta ibrvproto", Kind::EtherType, 2),
        MetaKey::TimeNs => ("meta time", Kind::Bytes, 8),
        MetaKey::TimeDay => ("meta day", Kind::Host, 1),
        MetaKey::TimeHour => ("meta hour", Kind::Host, 4),
        MetaKey::Sdif => ("meta sdif", Kind::Host, 4),
        MetaKey::SdifName => ("meta sdifname", Kind::LinkName, 16),
        MetaKey::BridgeBroute => ("meta broute", Kind::Host, 1),
        MetaKey::BridgeHwaddr => ("meta ibrhwaddr", Kind::Mac, 6),
        MetaKey::Other(n) => return Field::unknown(format!("<unknown: meta {n}>"), 4),
    };
    Field::new(name, kind, len, Needs::Nothing)
}

pub(super) fn ct(key: CtKey, dir: Option<u8>) -> Field {
    let (name, kind, len) = match key {
        CtKey::State => ("state", Kind::CtState, 4),
        CtKey::Direction => ("direction", Kind::CtDirection, 1),
        CtKey::Status => ("status", Kind::CtStatus, 4),
        CtKey::Mark => ("mark", Kind::Mark, 4),
        CtKey::L3protocol => ("l3proto", Kind::Nfproto, 1),
        CtKey::Protocol => ("protocol", Kind::Protocol, 1),
        CtKey::Src => ("saddr", Kind::Ip4, 4),
        CtKey::Dst => ("daddr", Kind::Ip4, 4),
        CtKey::ProtoSrc => ("proto-src", Kind::Port, 2),
        CtKey::ProtoDst => ("proto-dst", Kind::Port, 2),
        CtKey::Zone => ("zone", Kind::Host, 2),
        CtKey::SrcIp => ("ip saddr", Kind::Ip4, 4),
        CtKey::DstIp => ("ip daddr", Kind::Ip4, 4),
        CtKey::SrcIp6 => ("ip6 saddr", Kind::Ip6, 16),
        CtKey::DstIp6 => ("ip6 daddr", Kind::Ip6, 16),
        CtKey::Expiration => ("expiration", Kind::Host, 4),
        CtKey::Helper => ("helper", Kind::LinkName, 16),
        CtKey::Labels => ("label", Kind::Bytes, 16),
        CtKey::Pkts => ("packets", Kind::Bytes, 8),
        CtKey::Bytes => ("bytes", Kind::Bytes, 8),
        CtKey::AvgPkt => ("avgpkt", Kind::Bytes, 8),
        CtKey::EventMask => ("event", Kind::Host, 4),
        CtKey::Id => ("id", Kind::Host, 4),
        CtKey::Other(n) => return Field::unknown(format!("<unknown: ct {n}>"), 4),
    };
    let dir = match dir {
        Some(0) => "original ",
        Some(_) => "reply ",
        None => "",
    };
    Field::new(format!("ct {dir}{name}"), kind, len, Needs::Nothing)
}

pub(super) fn payload(layers: Layers, base: PayloadBase, offset: u32, len: u32) -> Field {
    let known = match base {
        PayloadBase::LinkLayer => link_layer(offset, len),
        PayloadBase::Network => network(layers.network, offset, len),
        PayloadBase::Transport => transport(layers.transport, offset, len),
        PayloadBase::Inner | PayloadBase::Other(_) => None,
    };
    let raw = match base {
        PayloadBase::LinkLayer => "@ll".to_owned(),
        PayloadBase::Network => "@nh".to_owned(),
        PayloadBase::Transport => "@th".to_owned(),
        PayloadBase::Inner => "@ih".to_owned(),
        PayloadBase::Other(n) => format!("<unknown: payload base {n}>"),
    };
    let bits = u64::from(offset) * 8;
    known.unwrap_or_else(|| Field::unknown(format!("{raw},{bits},{}", u64::from(len) * 8), len))
}

fn link_layer(offset: u32, len: u32) -> Option<Field> {
    let (name, kind) = match (offset, len) {
        (0, 6) => ("ether daddr", Kind::Mac),
        (6, 6) => ("ether saddr", Kind::Mac),
        (12, 2) => ("ether type", Kind::EtherType),
        _ => return None,
    };
    Some(Field::new(name, kind, len, Needs::Ethernet))
}

fn network(family: Option<Family>, offset: u32, len: u32) -> Option<Field> {
    let (name, kind) = match (family?, offset, len) {
        // Fewer than four bytes are a prefix.
        (Family::Ip, 12, 1..=4) => ("ip saddr", Kind::Ip4),
        (Family::Ip, 16, 1..=4) => ("ip daddr", Kind::Ip4),
        (Family::Ip, 9, 1) => ("ip protocol", Kind::Protocol),
        (Family::Ip, 8, 1) => ("ip ttl", Kind::Number),
        (Family::Ip, 2, 2) => ("ip length", Kind::Number),
        (Family::Ip, 4, 2) => ("ip id", Kind::Number),
        (Family::Ip6, 8, 1..=16) => ("ip6 saddr", Kind::Ip6),
        (Family::Ip6, 24, 1..=16) => ("ip6 daddr", Kind::Ip6),
        (Family::Ip6, 6, 1) => ("ip6 nexthdr", Kind::Protocol),
        (Family::Ip6, 7, 1) => ("ip6 hoplimit", Kind::Number),
        (Family::Arp, 6, 2) => ("arp operation", Kind::ArpOperation),
        (Family::Arp, 14, 4) => ("arp saddr ip", Kind::Ip4),
        (Family::Arp, 24, 4) => ("arp daddr ip", Kind::Ip4),
        _ => return None,
    };
    Some(Field::new(name, kind, len, Needs::Network))
}

fn transport(protocol: Option<u8>, offset: u32, len: u32) -> Option<Field> {
    let header = match protocol {
        Some(6) => "tcp",
        Some(17) => "udp",
        Some(132) => "sctp",
        Some(1) => "icmp",
        _ => "th",
    };
    let (name, kind) = match (header, offset, len) {
        ("icmp", 0, 1) => ("type", Kind::IcmpType),
        ("icmp", 1, 1) => ("code", Kind::Number),
        ("tcp", 13, 1) => ("flags", Kind::TcpFlags),
        ("icmp", ..) => return None,
        (_, 0, 2) => ("sport", Kind::Port),
        (_, 2, 2) => ("dport", Kind::Port),
        _ => return None,
    };
    // A port of any transport protocol says nothing about which.
    let needs = match header {
        "th" => Needs::Nothing,
        "icmp" => Needs::Both,
        _ => Needs::Transport,
    };
    Some(Field::new(format!("{header} {name}"), kind, len, needs))
}
