//! Netlink messages, written anew: attributes that are known to be harmless as they were, addresses
//! and names by their stand-ins, and nothing else.

mod form;

use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Mac;
use wire::gathered::Question;
use wire::rtnl::messages;

use super::StandIns;
use form::{Form, form, kind_data, port_data};

const FLAGS: u16 = 0xc000;

/// A reply with stand-ins.
pub(super) fn replace<K: BuildHasher>(
    keys: &StandIns<K>,
    question: Question,
    bytes: &[u8],
) -> Vec<u8> {
    let (header, form) = form(question);
    let mut out = Vec::with_capacity(bytes.len());
    for message in messages(bytes) {
        let Some((head, attributes)) = message.body.split_at_checked(header) else { continue };
        let writer = Writer { keys, head };
        let body = writer.list(attributes, form);
        let length = u32::try_from(16 + head.len() + body.len()).unwrap_or(u32::MAX);
        out.extend(length.to_ne_bytes());
        out.extend(message.kind.to_ne_bytes());
        out.extend(message.flags.to_ne_bytes());
        out.extend(message.sequence.to_ne_bytes());
        out.extend([0; 4]);
        out.extend_from_slice(head);
        out.extend(body);
    }
    out
}

struct Writer<'a, K> {
    keys: &'a StandIns<K>,
    /// The message's fixed part, where lengths of prefixes are.
    head: &'a [u8],
}

impl<K: BuildHasher> Writer<'_, K> {
    /// Attributes; one that the form does not have is left out.
    fn list(&self, mut bytes: &[u8], form: &[(u16, Form)]) -> Vec<u8> {
        let mut out = Vec::new();
        let whole = bytes;
        while let Some([a, b, c, d]) = bytes.first_chunk() {
            let length = usize::from(u16::from_ne_bytes([*a, *b]));
            let kind = u16::from_ne_bytes([*c, *d]);
            let Some(value) = bytes.get(4..length) else { break };
            let known = form.iter().find(|(k, _)| *k == kind & !FLAGS);
            if let Some(value) = known.and_then(|(_, form)| self.value(value, *form, whole)) {
                attribute(kind, &value, &mut out);
            }
            bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        out
    }

    /// An attribute's value; None: it is left out. `beside` are all attributes of its level.
    fn value(&self, value: &[u8], form: Form, beside: &[u8]) -> Option<Vec<u8>> {
        Some(match form {
            Form::Keep => value.to_vec(),
            Form::Empty => Vec::new(),
            Form::Address => self.address(value, None)?,
            Form::Prefix(place) => self.address(value, self.head.get(place).copied())?,
            Form::SetAddress(length) => {
                let length = find(beside, length).and_then(|value| value.first().copied());
                let inside = find(value, 1).or_else(|| find(value, 2))?;
                let kind = u16::from_ne_bytes(*value.get(2..)?.first_chunk()?);
                let mut out = Vec::new();
                attribute(kind, &self.address(inside, length)?, &mut out);
                out
            }
            Form::Via => {
                let (family, ip) = value.split_at_checked(2)?;
                [family, &self.address(ip, None)?].concat()
            }
            Form::Bridge => {
                let (priority, mac) = value.split_at_checked(2)?;
                [priority, &self.address(mac, None)?].concat()
            }
            Form::Name => text(value, |name| self.keys.name(name)),
            Form::Link => text(value, |name| self.keys.link(name)),
            Form::Nest(form) => self.list(value, form),
            Form::KindData => self.list(value, kind_data(&named(beside, 1)?)),
            Form::PortData => self.list(value, port_data(&named(beside, 4)?)),
            Form::Hops(form) => self.hops(value, form),
            Form::Key => self.keys.key(value.try_into().ok()?).to_vec(),
            Form::Socket => self.socket(value)?,
            Form::Network(length) => self.address(value, find(beside, length)?.first().copied())?,
        })
    }

    /// An address; its length says of what kind. With the length of a prefix, the rest stays zero.
    fn address(&self, value: &[u8], prefix: Option<u8>) -> Option<Vec<u8>> {
        let ip = if let Ok(four) = <[u8; 4]>::try_from(value) {
            IpAddr::from(Ipv4Addr::from(four))
        } else if let Ok(sixteen) = <[u8; 16]>::try_from(value) {
            IpAddr::from(Ipv6Addr::from(sixteen))
        } else {
            return Mac::from_slice(value).map(|mac| self.keys.mac(mac).0.to_vec());
        };
        let length = prefix.unwrap_or(if ip.is_ipv4() { 32 } else { 128 });
        let net = ipnet::IpNet::new(ip, length).ok()?;
        Some(match self.keys.net(net).addr() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        })
    }

    /// Family and port, then the address; that of IPv6 has four bytes before it, and its link behind.
    fn socket(&self, value: &[u8]) -> Option<Vec<u8>> {
        let place = if value.len() < 28 { 4..8 } else { 8..24 };
        let ip = self.address(value.get(place.clone())?, None)?;
        let mut image = value.to_vec();
        image[place].copy_from_slice(&ip);
        Some(image)
    }

    /// RTA_MULTIPATH: `struct rtnexthop` with attributes behind it, one after the other.
    fn hops(&self, mut bytes: &[u8], form: &[(u16, Form)]) -> Vec<u8> {
        const RTNEXTHOP: usize = 8;
        let mut out = Vec::new();
        while let Some([a, b]) = bytes.first_chunk() {
            let length = usize::from(u16::from_ne_bytes([*a, *b]));
            let Some(attributes) = bytes.get(RTNEXTHOP..length) else { break };
            let list = self.list(attributes, form);
            let size = u16::try_from(RTNEXTHOP + list.len()).unwrap_or(u16::MAX);
            out.extend(size.to_ne_bytes());
            out.extend_from_slice(&bytes[2..RTNEXTHOP]);
            out.extend(list);
            bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        out
    }
}

fn text(value: &[u8], image: impl Fn(&str) -> String) -> Vec<u8> {
    let end = value.iter().position(|b| *b == 0).unwrap_or(value.len());
    let mut bytes = image(&String::from_utf8_lossy(&value[..end])).into_bytes();
    bytes.push(0);
    bytes
}

fn attribute(kind: u16, value: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(value.len() + 4).unwrap_or(4);
    out.extend(length.to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend_from_slice(&value[..usize::from(length) - 4]);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// The text of an attribute.
fn named(bytes: &[u8], kind: u16) -> Option<String> {
    let value = find(bytes, kind)?;
    let end = value.iter().position(|b| *b == 0).unwrap_or(value.len());
    Some(String::from_utf8_lossy(&value[..end]).into_owned())
}

/// The value of the first attribute of that number.
fn find(mut bytes: &[u8], kind: u16) -> Option<&[u8]> {
    while let Some([a, b, c, d]) = bytes.first_chunk() {
        let length = usize::from(u16::from_ne_bytes([*a, *b]));
        let value = bytes.get(4..length)?;
        if u16::from_ne_bytes([*c, *d]) & !FLAGS == kind {
            return Some(value);
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    None
}
