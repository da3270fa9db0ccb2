//! Selectors: what of a packet a rule asks for, and how it is loaded.

use model::{CtKey, Expr, Family, FibResult, MetaKey, PayloadBase, Reg};

use super::value::Kind;
use super::words::{WordError, Words};

/// A selector.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) kind: Kind,
    load: Load,
    /// What of the packet must be so, for this to be there.
    pub(super) needs: Needs,
}

#[derive(Clone, Copy, Debug)]
enum Load {
    Payload(PayloadBase, u32, u32),
    Meta(MetaKey),
    Ct(CtKey),
    Fib(FibResult, u32),
    Numgen { modulus: u32, random: bool, offset: u32 },
}

/// Protocols that a selector is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// Ethernet.
    pub(super) ether: bool,
    /// Of the network layer: an Ethernet type.
    pub(super) l3: Option<u16>,
    /// Of the transport layer.
    pub(super) l4: Option<u8>,
}

const IP: u16 = 0x0800;
const IP6: u16 = 0x86dd;
const ARP: u16 = 0x0806;
/// NFTA_FIB_F_*.
const SOURCE: u32 = 1;
const DESTINATION: u32 = 2;
const IIF: u32 = 8;
const OIF: u32 = 16;
const PRESENT: u32 = 32;

impl Field {
    /// Puts it into a register.
    pub(super) fn load(&self, dreg: Reg) -> Vec<Expr> {
        let load = match self.load {
            Load::Payload(base, offset, len) => Expr::Payload { base, offset, len, dreg },
            Load::Meta(key) => Expr::Meta { key, dreg },
            Load::Ct(key) => Expr::Ct { key, dir: None, dreg },
            Load::Fib(result, flags) => Expr::Fib { result, flags, dreg },
            Load::Numgen { modulus, random, offset } => {
                Expr::Numgen { dreg, modulus, random, offset }
            }
        };
        match self.kind {
            Kind::Dscp => vec![load, mask(dreg, vec![0xfc])],
            _ => vec![load],
        }
    }

    /// The same of its first bytes only.
    pub(super) fn load_first(&self, dreg: Reg, bytes: u32) -> Option<Expr> {
        match self.load {
            Load::Payload(base, offset, _) => {
                Some(Expr::Payload { base, offset, len: bytes, dreg })
            }
            _ => None,
        }
    }
}

/// Only those bits.
pub(super) fn mask(reg: Reg, mask: Vec<u8>) -> Expr {
    let len = u32::try_from(mask.len()).unwrap_or(0);
    Expr::Bitwise { sreg: reg, dreg: reg, len, xor: vec![0; mask.len()], mask }
}

/// A selector whose first word is this one; None: it is none.
pub(super) fn parse(
    first: &str,
    words: &mut Words,
    family: Family,
) -> Result<Option<Field>, WordError> {
    let found = match first {
        "ip" | "ip6" | "tcp" | "udp" | "th" | "icmp" | "icmpv6" | "ether" | "arp" => {
            header(first, words, family)?
        }
        "meta" => meta(words)?,
        "iifgroup" => of_meta(MetaKey::IifGroup, Kind::Mark),
        "oifgroup" => of_meta(MetaKey::OifGroup, Kind::Mark),
        "iifname" => of_meta(MetaKey::IifName, Kind::LinkName),
        "oifname" => of_meta(MetaKey::OifName, Kind::LinkName),
        "ct" => ct(words)?,
        "fib" => fib(words)?,
        "numgen" => numgen(words)?,
        _ => return Ok(None),
    };
    Ok(Some(found))
}

fn of_meta(key: MetaKey, kind: Kind) -> Field {
    Field { kind, load: Load::Meta(key), needs: Needs::default() }
}

fn header(first: &str, words: &mut Words, family: Family) -> Result<Field, WordError> {
    use PayloadBase::{LinkLayer, Network, Transport};
    let word = words.next()?;
    let (kind, base, offset) = match (first, word.text.as_str()) {
        ("ip", "saddr") => (Kind::Ip4, Network, 12),
        ("ip", "daddr") => (Kind::Ip4, Network, 16),
        ("ip", "protocol") => (Kind::Protocol, Network, 9),
        ("ip", "ttl") => (Kind::Byte, Network, 8),
        ("ip", "length") => (Kind::Short, Network, 2),
        ("ip", "dscp") => (Kind::Dscp, Network, 1),
        ("ip6", "saddr") => (Kind::Ip6, Network, 8),
        ("ip6", "daddr") => (Kind::Ip6, Network, 24),
        ("ip6", "nexthdr") => (Kind::Protocol, Network, 6),
        ("ip6", "hoplimit") => (Kind::Byte, Network, 7),
        ("tcp" | "udp" | "th", "sport") => (Kind::Port, Transport, 0),
        ("tcp" | "udp" | "th", "dport") => (Kind::Port, Transport, 2),
        ("tcp", "flags") => (Kind::TcpFlags, Transport, 13),
        ("icmp" | "icmpv6", "type") => (Kind::Icmp, Transport, 0),
        ("ether", "daddr") => (Kind::Mac, LinkLayer, 0),
        ("ether", "saddr") => (Kind::Mac, LinkLayer, 6),
        ("ether", "type") => (Kind::EtherType, LinkLayer, 12),
        ("arp", "operation") => (Kind::ArpOperation, Network, 6),
        ("arp", "saddr" | "daddr") => {
            words.expect("ip")?;
            (Kind::Ip4, Network, if word.text == "saddr" { 14 } else { 24 })
        }
        _ => return Err(word.wrong(format!("is no part of `{first}` that is known here"))),
    };
    let needs = Needs {
        ether: first == "ether" && !matches!(family, Family::Bridge | Family::Netdev),
        l3: match first {
            "ip" | "icmp" => Some(IP),
            "ip6" | "icmpv6" => Some(IP6),
            "arp" => Some(ARP),
            _ => None,
        },
        l4: match first {
            "icmp" => Some(1),
            "tcp" => Some(6),
            "udp" => Some(17),
            "icmpv6" => Some(58),
            _ => None,
        },
    };
    let len = u32::try_from(kind.len()).unwrap_or(0);
    Ok(Field { kind, load: Load::Payload(base, offset, len), needs })
}

fn meta(words: &mut Words) -> Result<Field, WordError> {
    let word = words.next()?;
    let (key, kind) = match word.text.as_str() {
        "l4proto" => (MetaKey::L4proto, Kind::Protocol),
        "nfproto" => (MetaKey::Nfproto, Kind::Nfproto),
        "protocol" => (MetaKey::Protocol, Kind::EtherType),
        "mark" => (MetaKey::Mark, Kind::Mark),
        "length" => (MetaKey::Len, Kind::Number),
        "pkttype" => (MetaKey::PktType, Kind::PacketType),
        "iifname" => (MetaKey::IifName, Kind::LinkName),
        "oifname" => (MetaKey::OifName, Kind::LinkName),
        _ => return Err(word.wrong("is no part of `meta` that is known here")),
    };
    Ok(of_meta(key, kind))
}

fn ct(words: &mut Words) -> Result<Field, WordError> {
    let word = words.next()?;
    let (key, kind) = match word.text.as_str() {
        "state" => (CtKey::State, Kind::State),
        "mark" => (CtKey::Mark, Kind::Mark),
        "status" => (CtKey::Status, Kind::Status),
        "direction" => (CtKey::Direction, Kind::Direction),
        "zone" => (CtKey::Zone, Kind::Zone),
        _ => return Err(word.wrong("is no part of `ct` that is known here")),
    };
    Ok(Field { kind, load: Load::Ct(key), needs: Needs::default() })
}

/// `fib daddr . iif type`, `fib saddr . iif oif`.
fn fib(words: &mut Words) -> Result<Field, WordError> {
    let mut flags = 0;
    loop {
        let word = words.next()?;
        flags |= match word.text.as_str() {
            "saddr" => SOURCE,
            "daddr" => DESTINATION,
            "mark" => 4,
            "iif" => IIF,
            "oif" => OIF,
            _ => return Err(word.wrong("is nothing that a route is asked for by")),
        };
        if !words.take(".") {
            break;
        }
    }
    let word = words.next()?;
    let (kind, result) = match word.text.as_str() {
        "type" => (Kind::AddressType, FibResult::AddrType),
        "oif" => {
            flags |= PRESENT;
            (Kind::Exists, FibResult::Oif)
        }
        _ => return Err(word.wrong("should be `type` or `oif`")),
    };
    Ok(Field { kind, load: Load::Fib(result, flags), needs: Needs::default() })
}

/// `numgen random mod 2 offset 1`.
fn numgen(words: &mut Words) -> Result<Field, WordError> {
    let word = words.next()?;
    let random = match word.text.as_str() {
        "random" => true,
        "inc" => false,
        _ => return Err(word.wrong("should be `random` or `inc`")),
    };
    words.expect("mod")?;
    let modulus = words.number()?;
    let offset = if words.take("offset") { words.number()? } else { 0 };
    let load = Load::Numgen { modulus, random, offset };
    Ok(Field { kind: Kind::Number, load, needs: Needs::default() })
}
