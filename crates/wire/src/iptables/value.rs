//! Values of options: numbers, ports, addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::XtSetRef;

use super::error::{ErrorKind, ParseError};
use super::words::{Word, Words};

const PROTOCOLS: [(&str, u8); 17] = [
    ("all", 0),
    ("icmp", 1),
    ("igmp", 2),
    ("ipencap", 4),
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("ipv6", 41),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("ipv6-icmp", 58),
    ("icmpv6", 58),
    ("ospf", 89),
    ("vrrp", 112),
    ("sctp", 132),
    ("udplite", 136),
];

fn bad(word: &Word, expected: &'static str) -> ParseError {
    ErrorKind::BadValue(expected).at(word)
}

/// A number as C writes it: decimal, `0x…`, or octal with a leading 0.
fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    let plain = digits.starts_with(|c: char| c.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(digits, radix).ok()).flatten()
}

pub(super) fn u32(word: &Word) -> Result<u32, ParseError> {
    number(&word.text).ok_or_else(|| bad(word, "a number"))
}

pub(super) fn u8(word: &Word) -> Result<u8, ParseError> {
    let number = number(&word.text).and_then(|n| u8::try_from(n).ok());
    number.ok_or_else(|| bad(word, "a number up to 255"))
}

/// `VALUE` or `VALUE/MASK`; the mask is all ones if it is left out.
pub(super) fn masked(word: &Word) -> Result<(u32, u32), ParseError> {
    let parsed = match word.text.split_once('/') {
        Some((value, mask)) => number(value).zip(number(mask)),
        None => number(&word.text).map(|value| (value, u32::MAX)),
    };
    parsed.ok_or_else(|| bad(word, "a number, or number/mask"))
}

/// A type of service, and which bits of it count: all, if nothing is said.
pub(super) fn tos(word: &Word) -> Result<(u8, u8), ParseError> {
    let (tos, mask) = word.text.split_once('/').unwrap_or((&word.text, "0xff"));
    let byte = |text| number(text).and_then(|n| u8::try_from(n).ok());
    byte(tos).zip(byte(mask)).ok_or_else(|| bad(word, "a number up to 255, or number/mask"))
}

/// What RFC 2474 and 2597 call the values of DSCP that are not `CSn` or `AFnn`.
const CLASSES: [(&str, u8); 2] = [("BE", 0), ("EF", 46)];

/// A DSCP by number, or by the name of its class.
pub(super) fn dscp(option: &str, word: &Word) -> Result<u8, ParseError> {
    if !option.ends_with("class") {
        let dscp = u8(word).ok().filter(|dscp| *dscp < 64);
        return dscp.ok_or_else(|| bad(word, "a number up to 63"));
    }
    let name = word.text.to_uppercase();
    let known = CLASSES.iter().find(|(class, _)| *class == name).map(|(_, dscp)| *dscp);
    let digit = |text: &str, most: u8| text.parse().ok().filter(|n: &u8| *n <= most);
    let selector = || digit(name.strip_prefix("CS")?, 7).map(|class| class * 8);
    let assured = || {
        let (class, drop) = name.strip_prefix("AF")?.split_at_checked(1)?;
        let (class, drop) = (digit(class, 4)?, digit(drop, 3)?);
        (class > 0 && drop > 0).then_some(class * 8 + drop * 2)
    };
    known.or_else(selector).or_else(assured).ok_or_else(|| bad(word, "a class of DSCP"))
}

/// A protocol by name or number; 0 is any.
pub(super) fn protocol(word: &Word) -> Result<u8, ParseError> {
    let name = word.text.to_lowercase();
    let named = PROTOCOLS.iter().find(|(n, _)| *n == name).map(|(_, number)| *number);
    let known = PROTOCOLS.iter().map(|(name, _)| *name);
    named
        .or_else(|| number(&name).and_then(|n| u8::try_from(n).ok()))
        .ok_or_else(|| bad(word, "a protocol's name or number").near(known))
}

const PORT: &str = "a port number (names of services are not known here)";
const PORTS: &str = "a port number, or a range of them";

fn port(text: &str) -> Option<u16> {
    number(text).and_then(|n| u16::try_from(n).ok())
}

pub(super) fn one_port(word: &Word, text: &str) -> Result<u16, ParseError> {
    port(text).ok_or_else(|| bad(word, PORT))
}

/// `FIRST:LAST` (`-` in NAT targets), either end left out, or one port alone.
pub(super) fn port_range(word: &Word, text: &str, dash: char) -> Result<(u16, u16), ParseError> {
    let range = match text.split_once(dash) {
        Some((first, last)) => {
            let first = if first.is_empty() { Some(0) } else { port(first) };
            let last = if last.is_empty() { Some(u16::MAX) } else { port(last) };
            first.zip(last)
        }
        None => return one_port(word, text).map(|p| (p, p)),
    };
    range.filter(|(first, last)| first <= last).ok_or_else(|| bad(word, PORTS))
}

/// An address and its mask: 4 or 16 bytes each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Masked {
    pub(super) address: Vec<u8>,
    pub(super) mask: Vec<u8>,
}

const ADDRESS: &str = "an IPv4 address (with /length or /mask; names are not looked up)";
const ADDRESS6: &str = "an IPv6 address (with /length or /mask; names are not looked up)";

/// `ADDRESS`, `ADDRESS/LENGTH` or `ADDRESS/MASK`; host bits are cleared.
pub(super) fn address(word: &Word, ipv6: bool) -> Result<Masked, ParseError> {
    if word.text.contains(',') {
        return Err(ErrorKind::SeveralAddresses.at(word));
    }
    let (address, mask) = match word.text.split_once('/') {
        Some((address, mask)) => (address, parse_mask(mask, ipv6)),
        None => (word.text.as_str(), Some(vec![0xff; if ipv6 { 16 } else { 4 }])),
    };
    let expected = if ipv6 { ADDRESS6 } else { ADDRESS };
    let bytes = octets(address, ipv6).zip(mask);
    let (address, mask) = bytes.ok_or_else(|| bad(word, expected))?;
    let address = address.iter().zip(&mask).map(|(byte, mask)| byte & mask).collect();
    Ok(Masked { address, mask })
}

fn octets(text: &str, ipv6: bool) -> Option<Vec<u8>> {
    match ipv6 {
        true => text.parse().ok().map(|ip: Ipv6Addr| ip.octets().to_vec()),
        false => text.parse().ok().map(|ip: Ipv4Addr| ip.octets().to_vec()),
    }
}

fn parse_mask(text: &str, ipv6: bool) -> Option<Vec<u8>> {
    let bits = if ipv6 { 128 } else { 32 };
    match text.parse::<u32>() {
        Ok(len) if len <= bits => {
            let mask = u128::MAX.checked_shl(128 - len).unwrap_or(0);
            Some(mask.to_be_bytes()[..usize::try_from(bits / 8).unwrap_or(4)].to_vec())
        }
        Ok(_) => None,
        Err(_) => octets(text, ipv6),
    }
}

/// `FIRST-LAST`, or one address alone.
pub(super) fn address_range(
    word: &Word,
    text: &str,
    ipv6: bool,
) -> Result<(IpAddr, IpAddr), ParseError> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let one = |text: &str| text.parse().ok().filter(|ip: &IpAddr| ip.is_ipv6() == ipv6);
    let expected = match ipv6 {
        true => "an IPv6 address, or a range of them (in brackets where ports follow)",
        false => "an IPv4 address, or a range of them",
    };
    one(first).zip(one(last)).ok_or_else(|| bad(word, expected))
}

/// Names joined by commas, as bits.
pub(super) fn bits(
    word: &Word,
    known: &[(&'static str, u16)],
    expected: &'static str,
) -> Result<u16, ParseError> {
    let mut all = 0;
    for name in word.text.split(',') {
        let upper = name.to_uppercase();
        let Some((_, bit)) = known.iter().find(|(k, _)| *k == upper) else {
            let word = Word { text: name.to_owned(), column: word.column };
            return Err(bad(&word, expected).near(known.iter().map(|(k, _)| *k)));
        };
        all |= bit;
    }
    Ok(all)
}

/// A set of ipset and the sides that are looked for in it: `NAME src,dst`.
pub(super) fn ip_set(option: &Word, words: &mut Words) -> Result<XtSetRef, ParseError> {
    /// IPSET_MAXNAMELEN without the NUL, and IPSET_DIM_MAX.
    const LONGEST: usize = 31;
    const MOST_SIDES: usize = 6;
    let name = words.value(option)?;
    if name.text.is_empty() || name.text.len() > LONGEST || name.text.starts_with('-') {
        return Err(ErrorKind::BadValue("the name of an ipset (1 to 31 bytes)").at(&name));
    }
    let sides = words.value(option)?;
    let bad = || ErrorKind::BadValue("a list of at most six `src` and `dst`").at(&sides);
    let (mut dim, mut flags) = (0, 0);
    for side in sides.text.split(',') {
        dim += 1;
        match side {
            _ if usize::from(dim) > MOST_SIDES => return Err(bad()),
            "src" => flags |= 1 << dim,
            "dst" => {}
            _ => return Err(bad()),
        }
    }
    Ok(XtSetRef { index: 0, name: Some(name.text), dim, flags })
}
