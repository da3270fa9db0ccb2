//! `flower`: its keys, in and out.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{Mac, TcFlowerKey};

use super::{Words, number, protocol};

const IP_PROTOCOLS: [(&str, u8); 5] =
    [("tcp", 6), ("udp", 17), ("icmp", 1), ("icmpv6", 58), ("sctp", 132)];
const ALL: Mac = Mac::BROADCAST;
const WORDS: &str =
    "ip_proto, src_ip, dst_ip, src_port, dst_port, src_mac, dst_mac, ip_tos or ip_ttl";

/// ` ip_proto tcp dst_ip 10.0.0.2`. The EtherType is that of the filter where nothing else is said.
pub(super) fn words(keys: &[TcFlowerKey], of: Option<u16>) -> String {
    let own =
        |key: &&TcFlowerKey| !matches!(key, TcFlowerKey::EtherType(kind) if of == Some(*kind));
    keys.iter().filter(own).map(|key| format!(" {}", word(key))).collect()
}

fn word(key: &TcFlowerKey) -> String {
    let side = |source: bool| if source { "src" } else { "dst" };
    match key {
        TcFlowerKey::EtherType(kind) => format!("eth_type {}", protocol(Some(*kind))),
        TcFlowerKey::Protocol(number) => {
            match IP_PROTOCOLS.iter().find(|(_, known)| known == number) {
                Some((name, _)) => format!("ip_proto {name}"),
                None => format!("ip_proto {number:#x}"),
            }
        }
        TcFlowerKey::Address { source, ip, mask } => {
            format!("{}_ip {}", side(*source), network(*ip, *mask))
        }
        TcFlowerKey::Port { source, port, mask: u16::MAX } => {
            format!("{}_port {port}", side(*source))
        }
        TcFlowerKey::Port { source, port, mask } => {
            format!("{}_port {port}/{mask:#x}", side(*source))
        }
        TcFlowerKey::Mac { source, mac, mask: ALL } => format!("{}_mac {mac}", side(*source)),
        TcFlowerKey::Mac { source, mac, mask } => format!("{}_mac {mac}/{mask}", side(*source)),
        TcFlowerKey::Tos(tos, u8::MAX) => format!("ip_tos {tos:#x}"),
        TcFlowerKey::Tos(tos, mask) => format!("ip_tos {tos:#x}/{mask:#x}"),
        TcFlowerKey::Ttl(ttl, u8::MAX) => format!("ip_ttl {ttl}"),
        TcFlowerKey::Ttl(ttl, mask) => format!("ip_ttl {ttl}/{mask}"),
        TcFlowerKey::Other(number) => format!("(key {number})"),
    }
}

fn network(ip: IpAddr, mask: IpAddr) -> String {
    match ipnet::ip_mask_to_prefix(mask) {
        Ok(length) if IpNet::from(ip).prefix_len() == length => ip.to_string(),
        Ok(length) => format!("{ip}/{length}"),
        Err(_) => format!("{ip}/{mask}"),
    }
}

/// The keys that follow, up to the first action, in the order in which the kernel tells them.
pub(super) fn parse(words: &mut Words<'_>, of: Option<u16>) -> Result<Vec<TcFlowerKey>, String> {
    let mut keys: Vec<TcFlowerKey> = of.map(TcFlowerKey::EtherType).into_iter().collect();
    while words.peek().is_some_and(|word| word != "action") {
        keys.push(key(words, of)?);
    }
    let ports = keys.iter().any(|key| matches!(key, TcFlowerKey::Port { .. }));
    if ports && !keys.iter().any(|key| matches!(key, TcFlowerKey::Protocol(6 | 17))) {
        return Err("ports are wanted without `ip_proto tcp` or `ip_proto udp`".to_owned());
    }
    keys.sort_by_key(rank);
    Ok(keys)
}

fn key(words: &mut Words<'_>, of: Option<u16>) -> Result<TcFlowerKey, String> {
    let what = words.needed("a key of flower")?;
    let mut value = || words.needed("a value");
    let source = what.starts_with("src");
    let bad = |word: &str, is: &str| format!("`{word}` is not {is}");
    Ok(match what {
        "ip_proto" => {
            let word = value()?;
            let named = IP_PROTOCOLS.iter().find(|(name, _)| *name == word).map(|(_, n)| *n);
            let found = named.or_else(|| hex(word));
            TcFlowerKey::Protocol(found.ok_or_else(|| bad(word, "a protocol of IP"))?)
        }
        "src_ip" | "dst_ip" => {
            let word = value()?;
            let net = word.parse().or_else(|_| word.parse::<IpAddr>().map(IpNet::from));
            let family = if of == Some(0x86dd) { "IPv6" } else { "IPv4" };
            let fits = |net: &IpNet| match net {
                IpNet::V4(_) => of == Some(0x800),
                IpNet::V6(_) => of == Some(0x86dd),
            };
            let net = net.ok().filter(fits).ok_or_else(|| bad(word, &format!("of {family}")))?;
            TcFlowerKey::Address { source, ip: net.network(), mask: net.netmask() }
        }
        "src_port" | "dst_port" => {
            let word = value()?;
            let (port, mask) = masked(word, |word| number(word)?.try_into().ok(), u16::MAX)
                .ok_or_else(|| bad(word, "a port"))?;
            TcFlowerKey::Port { source, port, mask }
        }
        "src_mac" | "dst_mac" => {
            let word = value()?;
            let (mac, mask) = masked(word, |word| word.parse().ok(), ALL)
                .ok_or_else(|| bad(word, "an Ethernet address"))?;
            TcFlowerKey::Mac { source, mac, mask }
        }
        "ip_tos" => {
            let word = value()?;
            let found = masked(word, hex, u8::MAX);
            let (tos, mask) = found.ok_or_else(|| bad(word, "a type of service in hexadecimal"))?;
            TcFlowerKey::Tos(tos, mask)
        }
        "ip_ttl" => {
            let word = value()?;
            let found = masked(word, |word| word.parse().ok(), u8::MAX);
            let (ttl, mask) = found.ok_or_else(|| bad(word, "a time to live"))?;
            TcFlowerKey::Ttl(ttl, mask)
        }
        other => return Err(bad(other, WORDS)),
    })
}

/// `VALUE` or `VALUE/MASK`.
fn masked<T>(word: &str, one: impl Fn(&str) -> Option<T>, all: T) -> Option<(T, T)> {
    match word.split_once('/') {
        Some((value, mask)) => one(value).zip(one(mask)),
        None => one(word).map(|value| (value, all)),
    }
}

/// tc reads these in hexadecimal, with or without a mark.
fn hex(word: &str) -> Option<u8> {
    u8::from_str_radix(word.strip_prefix("0x").unwrap_or(word), 16).ok()
}

/// By `fl_dump_key`.
const fn rank(key: &TcFlowerKey) -> u8 {
    match key {
        TcFlowerKey::Mac { source: false, .. } => 0,
        TcFlowerKey::Mac { .. } => 1,
        TcFlowerKey::EtherType(_) => 2,
        TcFlowerKey::Protocol(_) => 3,
        TcFlowerKey::Tos(..) => 4,
        TcFlowerKey::Ttl(..) => 5,
        TcFlowerKey::Address { source: true, .. } => 6,
        TcFlowerKey::Address { .. } => 7,
        TcFlowerKey::Port { source: true, .. } => 8,
        TcFlowerKey::Port { .. } => 9,
        TcFlowerKey::Other(_) => 10,
    }
}
