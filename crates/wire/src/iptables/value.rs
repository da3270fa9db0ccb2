//! Values of options: numbers, ports, addresses.

use std::net::Ipv4Addr;

use super::error::{ErrorKind, ParseError};
use super::words::Word;

const PROTOCOLS: [(&str, u8); 16] = [
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

/// An address and its mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Masked {
    pub(super) address: [u8; 4],
    pub(super) mask: [u8; 4],
}

const ADDRESS: &str = "an IPv4 address (with /length or /mask; names are not looked up)";

/// `ADDRESS`, `ADDRESS/LENGTH` or `ADDRESS/MASK`; host bits are cleared.
pub(super) fn address(word: &Word) -> Result<Masked, ParseError> {
    if word.text.contains(',') {
        return Err(ErrorKind::SeveralAddresses.at(word));
    }
    let (address, mask) = match word.text.split_once('/') {
        Some((address, mask)) => (address, parse_mask(mask)),
        None => (word.text.as_str(), Some(u32::MAX)),
    };
    let address: Option<Ipv4Addr> = address.parse().ok();
    let (address, mask) = address.zip(mask).ok_or_else(|| bad(word, ADDRESS))?;
    let address = (u32::from(address) & mask).to_be_bytes();
    Ok(Masked { address, mask: mask.to_be_bytes() })
}

fn parse_mask(text: &str) -> Option<u32> {
    match text.parse::<u32>() {
        Ok(0) => Some(0),
        Ok(len @ 1..=32) => Some(u32::MAX << (32 - len)),
        Ok(_) => None,
        Err(_) => text.parse::<Ipv4Addr>().ok().map(u32::from),
    }
}

/// `FIRST-LAST`, or one address alone.
pub(super) fn address_range(word: &Word, text: &str) -> Result<(Ipv4Addr, Ipv4Addr), ParseError> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = first.parse().ok().zip(last.parse().ok());
    range.ok_or_else(|| bad(word, "an IPv4 address, or a range of them"))
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
