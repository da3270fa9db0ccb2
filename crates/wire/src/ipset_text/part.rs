//! The parts of an entry: addresses, prefixes, ports.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use model::{Family, IpSet, IpSetEntry, IpSetPart, Mac};

use super::{MOST, Result, is_plain, not, number};

/// Protocols whose entries have ports, and those of ICMP.
const PORTS: [(&str, u8); 4] = [("tcp", 6), ("udp", 17), ("sctp", 132), ("udplite", 136)];
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
/// Names of protocols without ports that `ipset` writes.
const OTHERS: [(&str, u8); 9] = [
    ("icmp", ICMP),
    ("icmpv6", ICMPV6),
    ("ipv6-icmp", ICMPV6),
    ("igmp", 2),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("ospf", 89),
    ("vrrp", 112),
];
/// Names that `ipset` has for messages of ICMP: type and code.
const MESSAGES: [(&str, u8, u8); 32] = [
    ("echo-reply", 0, 0),
    ("pong", 0, 0),
    ("network-unreachable", 3, 0),
    ("host-unreachable", 3, 1),
    ("protocol-unreachable", 3, 2),
    ("port-unreachable", 3, 3),
    ("fragmentation-needed", 3, 4),
    ("source-route-failed", 3, 5),
    ("network-unknown", 3, 6),
    ("host-unknown", 3, 7),
    ("network-prohibited", 3, 9),
    ("host-prohibited", 3, 10),
    ("TOS-network-unreachable", 3, 11),
    ("TOS-host-unreachable", 3, 12),
    ("communication-prohibited", 3, 13),
    ("host-precedence-violation", 3, 14),
    ("precedence-cutoff", 3, 15),
    ("source-quench", 4, 0),
    ("network-redirect", 5, 0),
    ("host-redirect", 5, 1),
    ("TOS-network-redirect", 5, 2),
    ("TOS-host-redirect", 5, 3),
    ("echo-request", 8, 0),
    ("ping", 8, 0),
    ("router-advertisement", 9, 0),
    ("router-solicitation", 10, 0),
    ("ttl-zero-during-transit", 11, 0),
    ("ttl-zero-during-reassembly", 11, 1),
    ("ip-header-bad", 12, 0),
    ("required-option-missing", 12, 1),
    ("timestamp-request", 13, 0),
    ("timestamp-reply", 14, 0),
];
const MESSAGES6: [(&str, u8, u8); 18] = [
    ("no-route", 1, 0),
    ("communication-prohibited", 1, 1),
    ("address-unreachable", 1, 3),
    ("port-unreachable", 1, 4),
    ("packet-too-big", 2, 0),
    ("ttl-zero-during-transit", 3, 0),
    ("ttl-zero-during-reassembly", 3, 1),
    ("bad-header", 4, 0),
    ("unknown-header-type", 4, 1),
    ("unknown-option", 4, 2),
    ("echo-request", 128, 0),
    ("ping", 128, 0),
    ("echo-reply", 129, 0),
    ("pong", 129, 0),
    ("router-solicitation", 133, 0),
    ("router-advertisement", 134, 0),
    ("neighbour-solicitation", 135, 0),
    ("neighbour-advertisement", 136, 0),
];

/// All entries that an element stands for: each of its addresses with each of its ports.
pub(super) fn entries(
    set: &IpSet,
    parts: &[IpSetPart],
    element: &str,
    common: &IpSetEntry,
) -> Result<Vec<IpSetEntry>> {
    let words: Vec<&str> = element.split(',').collect();
    let optional = usize::from(set.kind == "bitmap:ip,mac");
    if words.len() > parts.len() || words.len() + optional < parts.len() {
        return Err(not(element, &format!("an entry of {} ({} parts)", set.kind, parts.len())));
    }
    let mut all = vec![common.clone()];
    let mut second = false;
    for (part, word) in parts.iter().zip(words) {
        let choices = choices(set, *part, second, word)?;
        if all.len().saturating_mul(choices.len()) > MOST {
            return Err(not(element, "an entry (it stands for more than 65536)"));
        }
        second |= matches!(part, IpSetPart::Ip | IpSetPart::Net);
        let with = |entry: &IpSetEntry| {
            let fill = |change: &Choice| change.put(entry.clone());
            choices.iter().map(fill).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    Ok(all)
}

/// What a part of an entry may be.
enum Choice {
    Ip(IpAddr, Option<u8>),
    Second(IpAddr, Option<u8>),
    Port(Option<u8>, u16),
    Mac(Mac),
    Mark(u32),
    Link(String, bool),
}

impl Choice {
    fn put(&self, mut entry: IpSetEntry) -> IpSetEntry {
        match self {
            Self::Ip(ip, prefix) => (entry.ip, entry.prefix) = (Some(*ip), *prefix),
            Self::Second(ip, prefix) => (entry.ip2, entry.prefix2) = (Some(*ip), *prefix),
            Self::Port(protocol, port) => (entry.protocol, entry.port) = (*protocol, Some(*port)),
            Self::Mac(mac) => entry.mac = Some(*mac),
            Self::Mark(mark) => entry.mark = Some(*mark),
            Self::Link(name, physdev) => {
                entry.link = Some(name.clone());
                entry.flags |= if *physdev { IpSetEntry::PHYSDEV } else { 0 };
            }
        }
        entry
    }
}

fn choices(set: &IpSet, part: IpSetPart, second: bool, word: &str) -> Result<Vec<Choice>> {
    let family = set.family.unwrap_or(Family::Ip);
    let place = if second { Choice::Second } else { Choice::Ip };
    Ok(match part {
        IpSetPart::Ip => {
            let mut all = each(addresses(word, family)?, word)?;
            if !second {
                all.iter_mut().for_each(|ip| *ip = cut(set, *ip));
                all.dedup();
            }
            all.into_iter().map(|ip| place(ip, None)).collect()
        }
        IpSetPart::Net => {
            let nets = nets(word, family)?;
            nets.into_iter().map(|net| place(net.addr(), Some(net.prefix_len()))).collect()
        }
        IpSetPart::Port => port(word, family)?,
        IpSetPart::AnyPort => {
            let (first, last) = ports(word)?;
            (first..=last).map(|port| Choice::Port(None, port)).collect()
        }
        IpSetPart::Mac => {
            vec![Choice::Mac(word.parse().map_err(|_| not(word, "an Ethernet address"))?)]
        }
        IpSetPart::Mark => {
            let mask = set.options.markmask.unwrap_or(u32::MAX);
            vec![Choice::Mark(number(word).ok_or_else(|| not(word, "a mark"))? & mask)]
        }
        IpSetPart::Link => {
            let (name, physdev) = match word.strip_prefix("physdev:") {
                Some(name) => (name, true),
                None => (word, false),
            };
            if name.is_empty() || name.len() > 15 || !is_plain(name) {
                return Err(not(word, "the name of a link (1 to 15 bytes, no blank)"));
            }
            vec![Choice::Link(name.to_owned(), physdev)]
        }
    })
}

/// What of an address counts in a set.
fn cut(set: &IpSet, ip: IpAddr) -> IpAddr {
    let ip = set.options.netmask.map_or(ip, |bits| first(ip, bits));
    match (ip, set.options.bitmask) {
        (IpAddr::V4(ip), Some(IpAddr::V4(mask))) => (ip & mask).into(),
        (IpAddr::V6(ip), Some(IpAddr::V6(mask))) => (ip & mask).into(),
        (ip, _) => ip,
    }
}

/// The first address of the network of that length that an address is in.
pub(super) fn first(ip: IpAddr, bits: u8) -> IpAddr {
    IpNet::new(ip, bits).map_or(ip, |net| net.network())
}

/// The last one.
pub(super) fn last(ip: IpAddr, bits: u8) -> IpAddr {
    IpNet::new(ip, bits).map_or(ip, |net| net.broadcast())
}

/// `ADDRESS`, `ADDRESS/LENGTH` or `FIRST-LAST`: first and last address.
pub(super) fn addresses(word: &str, family: Family) -> Result<(IpAddr, IpAddr)> {
    let wanted = match family {
        Family::Ip6 => "an IPv6 address, ADDRESS/LENGTH or FIRST-LAST",
        _ => "an IPv4 address, ADDRESS/LENGTH or FIRST-LAST",
    };
    let bad = || not(word, wanted);
    let one = |text: &str| {
        let text = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        let ip: Option<IpAddr> = text.parse().ok();
        ip.filter(|ip| ip.is_ipv6() == (family == Family::Ip6)).ok_or_else(bad)
    };
    if let Some((ip, length)) = word.split_once('/') {
        let net = length.parse().ok().and_then(|length| IpNet::new(one(ip).ok()?, length).ok());
        let net = net.ok_or_else(bad)?;
        return Ok((net.network(), net.broadcast()));
    }
    match word.split_once('-') {
        Some((first, last)) => {
            let (first, last) = (one(first)?, one(last)?);
            Ok((first.min(last), first.max(last)))
        }
        None => one(word).map(|ip| (ip, ip)),
    }
}

fn each((first, last): (IpAddr, IpAddr), word: &str) -> Result<Vec<IpAddr>> {
    let most = u128::try_from(MOST).unwrap_or(u128::MAX);
    let too_many = || not(word, "so few addresses that they can be listed (at most 65536)");
    Ok(match (first, last) {
        (IpAddr::V4(a), IpAddr::V4(b)) if u128::from(b.to_bits() - a.to_bits()) < most => {
            (a.to_bits()..=b.to_bits()).map(|bits| Ipv4Addr::from_bits(bits).into()).collect()
        }
        (IpAddr::V6(a), IpAddr::V6(b)) if b.to_bits() - a.to_bits() < most => {
            (a.to_bits()..=b.to_bits()).map(|bits| Ipv6Addr::from_bits(bits).into()).collect()
        }
        _ => return Err(too_many()),
    })
}

/// The fewest prefixes that hold just these addresses (`ip_set_range_to_cidr`).
fn nets(word: &str, family: Family) -> Result<Vec<IpNet>> {
    Ok(match addresses(word, family)? {
        (IpAddr::V4(a), IpAddr::V4(b)) => Ipv4Subnets::new(a, b, 0).map(IpNet::V4).collect(),
        (IpAddr::V6(a), IpAddr::V6(b)) => Ipv6Subnets::new(a, b, 0).map(IpNet::V6).collect(),
        _ => Vec::new(),
    })
}

/// `PORT`, `FIRST-LAST`, with or without `PROTOCOL:` before it, which is not looked at.
pub(super) fn ports(word: &str) -> Result<(u16, u16)> {
    let numbers = word.split_once(':').map_or(word, |(_, numbers)| numbers);
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let both = first.parse().ok().zip(last.parse().ok());
    let (first, last): (u16, u16) =
        both.ok_or_else(|| not(word, "a port number, or FIRST-LAST"))?;
    Ok((first.min(last), first.max(last)))
}

/// `PORT`, `tcp:PORT`, `tcp:FIRST-LAST`, `icmp:TYPE/CODE`, `icmp:NAME`, `PROTOCOL:0`.
fn port(word: &str, family: Family) -> Result<Vec<Choice>> {
    let (protocol, rest) = word.split_once(':').unwrap_or(("tcp", word));
    if PORTS.iter().any(|(name, n)| *name == protocol || n.to_string() == protocol) {
        let number = PORTS.iter().find(|(name, n)| *name == protocol || n.to_string() == protocol);
        let number = number.map(|(_, number)| *number);
        let (first, last) = ports(rest)?;
        return Ok((first..=last).map(|port| Choice::Port(number, port)).collect());
    }
    let named = OTHERS.iter().find(|(name, _)| *name == protocol).map(|(_, number)| *number);
    let number = named.or_else(|| protocol.parse().ok()).filter(|number| *number != 0);
    let number = number.ok_or_else(|| not(protocol, "a protocol's name or number"))?;
    let of_family = if family == Family::Ip6 { ICMPV6 } else { ICMP };
    if number != of_family {
        // What has no ports has 0, whatever is said.
        return Ok(vec![Choice::Port(Some(number), 0)]);
    }
    let messages: &[(&str, u8, u8)] = if number == ICMPV6 { &MESSAGES6 } else { &MESSAGES };
    let named = messages.iter().find(|(name, ..)| *name == rest).map(|(_, t, c)| (*t, *c));
    let numbers = || rest.split_once('/').and_then(|(t, c)| t.parse().ok().zip(c.parse().ok()));
    let (kind, code) = named
        .or_else(numbers)
        .ok_or_else(|| not(rest, "a message of ICMP, by name or as TYPE/CODE"))?;
    Ok(vec![Choice::Port(Some(number), u16::from_be_bytes([kind, code]))])
}

/// The parts as `ipset save` writes them.
pub(super) fn text(parts: &[IpSetPart], entry: &IpSetEntry) -> String {
    let mut second = false;
    let mut all = Vec::new();
    for part in parts {
        all.extend(match part {
            IpSetPart::Ip | IpSetPart::Net => {
                let (ip, prefix) =
                    if second { (entry.ip2, entry.prefix2) } else { (entry.ip, entry.prefix) };
                second = true;
                ip.map(|ip| net(ip, prefix.filter(|_| *part == IpSetPart::Net)))
            }
            IpSetPart::Port => {
                entry.port.map(|port| port_text(entry.protocol.unwrap_or_default(), port))
            }
            IpSetPart::AnyPort => entry.port.map(|port| port.to_string()),
            IpSetPart::Mac => entry.mac.map(|mac| mac.to_string()),
            IpSetPart::Mark => entry.mark.map(|mark| format!("{mark:#010x}")),
            IpSetPart::Link => entry.link.as_ref().map(|name| {
                let kind = if entry.has(IpSetEntry::PHYSDEV) { "physdev:" } else { "" };
                format!("{kind}{name}")
            }),
        });
    }
    all.join(",")
}

fn net(ip: IpAddr, prefix: Option<u8>) -> String {
    let whole = if ip.is_ipv4() { 32 } else { 128 };
    match prefix {
        Some(length) if length != whole => format!("{ip}/{length}"),
        _ => ip.to_string(),
    }
}

fn port_text(protocol: u8, port: u16) -> String {
    let [kind, code] = port.to_be_bytes();
    let messages: &[(&str, u8, u8)] = match protocol {
        ICMP => &MESSAGES,
        ICMPV6 => &MESSAGES6,
        _ => {
            let mut names = PORTS.iter().chain(&OTHERS);
            let name = names.find(|(_, number)| *number == protocol);
            let name = name.map_or_else(|| protocol.to_string(), |(name, _)| (*name).to_owned());
            return format!("{name}:{port}");
        }
    };
    let name = if protocol == ICMP { "icmp" } else { "ipv6-icmp" };
    match messages.iter().find(|(_, t, c)| (*t, *c) == (kind, code)) {
        Some((message, ..)) => format!("{name}:{message}"),
        None => format!("{name}:{kind}/{code}"),
    }
}
