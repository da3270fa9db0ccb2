//! What the registers of a rule hold, as far as it is addresses and names.

use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{CtKey, Family, Mac, MetaKey, PayloadBase, Reg};

use super::super::StandIns;

/// What some bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An address of the length that it has: 4, 6 or 16 bytes.
    Ip,
    Ip4,
    Ip6,
    Mac,
    /// A link's name; without a NUL, the beginning of one.
    Name,
    /// A piece of an address.
    Piece,
}

/// Where in a register, or in a key, something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) at: usize,
    pub(super) len: usize,
    pub(super) kind: Kind,
    /// What it was masked with.
    pub(super) mask: Vec<u8>,
}

impl Field {
    pub(super) const fn new(at: usize, len: usize, kind: Kind) -> Self {
        Self { at, len, kind, mask: Vec::new() }
    }
}

/// Fields by their places in all registers.
#[derive(Debug, Default)]
pub(super) struct Registers(Vec<Field>);

/// Registers 1 to 4 have 16 bytes each; 8 and above are the same space in pieces of 4.
fn place(reg: Reg) -> usize {
    let (first, size) = if reg.0 < 8 { (1, 16) } else { (8, 4) };
    usize::try_from(reg.0.saturating_sub(first)).unwrap_or_default() * size
}

impl Registers {
    /// New bytes, and what of them is known.
    pub(super) fn load(&mut self, dreg: Reg, len: u32, fields: Vec<Field>) {
        let from = place(dreg);
        let to = from + usize::try_from(len).unwrap_or_default().max(1);
        self.0.retain(|f| f.at < from || f.at >= to);
        self.0.extend(fields.into_iter().map(|f| Field { at: f.at + from, ..f }));
    }

    pub(super) fn mask(&mut self, sreg: Reg, dreg: Reg, mask: &[u8]) {
        let mut fields = self.fields(sreg);
        for field in &mut fields {
            field.mask = mask.get(field.at..).unwrap_or_default().to_vec();
            field.mask.truncate(field.len);
        }
        fields.retain(|f| f.at < mask.len());
        self.load(dreg, u32::try_from(mask.len()).unwrap_or(u32::MAX), fields);
    }

    /// What a register and those behind it hold, counted from its own beginning.
    pub(super) fn fields(&self, sreg: Reg) -> Vec<Field> {
        let from = place(sreg);
        let behind = self.0.iter().filter(|f| f.at >= from);
        behind.map(|f| Field { at: f.at - from, ..f.clone() }).collect()
    }

    /// Replaces what is compared with a register.
    pub(super) fn replace<K: BuildHasher>(&self, keys: &StandIns<K>, sreg: Reg, data: &mut [u8]) {
        for field in self.fields(sreg) {
            field.replace(keys, data);
        }
    }

    pub(super) fn range<K: BuildHasher>(
        &self,
        keys: &StandIns<K>,
        sreg: Reg,
        from: &mut [u8],
        to: &mut [u8],
    ) {
        for field in self.fields(sreg) {
            field.range(keys, from, to);
        }
    }
}

impl Field {
    fn of<'a>(&self, data: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let end = data.len().min(self.at + self.len);
        data.get_mut(self.at..end).filter(|part| !part.is_empty())
    }

    /// Replaces it in a key or value.
    pub(super) fn replace<K: BuildHasher>(&self, keys: &StandIns<K>, data: &mut [u8]) {
        let mask = (!self.mask.is_empty()).then_some(self.mask.as_slice());
        if let Some(part) = self.of(data) {
            self.kind.replace(keys, part, mask);
        }
    }

    /// Replaces the first and the last of a range. Those of a whole network stay such; others keep
    /// their number only.
    pub(super) fn range<K: BuildHasher>(&self, keys: &StandIns<K>, from: &mut [u8], to: &mut [u8]) {
        let (Some(from), Some(to)) = (self.of(from), self.of(to)) else { return };
        let (first, last) = (number(from), number(to));
        let size = last.wrapping_sub(first);
        self.kind.replace(keys, from, None);
        if self.kind == Kind::Name || from.len() != to.len() {
            return self.kind.replace(keys, to, None);
        }
        let whole = size & size.wrapping_add(1) == 0 && first & size == 0;
        let image = if whole { number(from) & !size } else { number(from) };
        put(image, from);
        put(image.wrapping_add(size), to);
    }
}

/// Big-endian, as addresses are.
pub(super) fn number(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |n, byte| n << 8 | u128::from(*byte))
}

pub(super) fn put(number: u128, bytes: &mut [u8]) {
    let all = number.to_be_bytes();
    let length = bytes.len().min(all.len());
    bytes[..length].copy_from_slice(&all[all.len() - length..]);
}

impl Kind {
    /// Replaces bytes of this kind; fewer than it has are its first.
    pub(super) fn replace<K: BuildHasher>(
        self,
        keys: &StandIns<K>,
        bytes: &mut [u8],
        mask: Option<&[u8]>,
    ) {
        let given = bytes.to_vec();
        let image: Vec<u8> = match (self, given.len()) {
            (Self::Ip, 6) | (Self::Mac, _) => keys.mac(Mac(padded(&given))).0.to_vec(),
            (Self::Ip4, _) | (Self::Ip, ..=4) => {
                keys.ipv4(Ipv4Addr::from(padded::<4>(&given))).octets().to_vec()
            }
            (Self::Ip6 | Self::Ip, _) => match keys.ip(Ipv6Addr::from(padded::<16>(&given)).into())
            {
                IpAddr::V6(ip) => ip.octets().to_vec(),
                IpAddr::V4(ip) => ip.octets().to_vec(),
            },
            (Self::Name, _) => {
                let end = given.iter().position(|b| *b == 0).unwrap_or(given.len());
                let name = String::from_utf8_lossy(&given[..end]);
                keys.link(&name).into_bytes()
            }
            (Self::Piece, _) => Vec::new(),
        };
        for (place, byte) in bytes.iter_mut().enumerate() {
            let kept = mask.and_then(|m| m.get(place)).copied().unwrap_or(0xff);
            *byte = image.get(place).copied().unwrap_or_default() & kept;
        }
    }
}

fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut all = [0; N];
    let length = bytes.len().min(N);
    all[..length].copy_from_slice(&bytes[..length]);
    all
}

/// Where headers have addresses: first byte, length.
const IPV4: [(u32, u32, Kind); 2] = [(12, 4, Kind::Ip4), (16, 4, Kind::Ip4)];
const IPV6: [(u32, u32, Kind); 2] = [(8, 16, Kind::Ip6), (24, 16, Kind::Ip6)];
const ARP: [(u32, u32, Kind); 4] =
    [(8, 6, Kind::Mac), (14, 4, Kind::Ip4), (18, 6, Kind::Mac), (24, 4, Kind::Ip4)];
const ETHERNET: [(u32, u32, Kind); 2] = [(0, 6, Kind::Mac), (6, 6, Kind::Mac)];

/// What those bytes of a packet are.
pub(super) fn payload(family: Family, base: PayloadBase, offset: u32, len: u32) -> Vec<Field> {
    let list: &[_] = match (base, family) {
        (PayloadBase::LinkLayer, _) => &ETHERNET,
        (PayloadBase::Network, Family::Arp) => &ARP,
        (PayloadBase::Network, Family::Ip) => &IPV4,
        (PayloadBase::Network, Family::Ip6) => &IPV6,
        // Of either: IPv6's addresses begin elsewhere, and are longer.
        (PayloadBase::Network, _) if matches!(offset, 12 | 16) && len <= 8 => &IPV4,
        (PayloadBase::Network, _) => &IPV6,
        _ => &[],
    };
    let end = offset.saturating_add(len);
    let meets = |(at, size, _): &&(u32, u32, Kind)| *at < end && at + size > offset;
    let size = |n: u32| usize::try_from(n).unwrap_or_default();
    list.iter()
        .filter(meets)
        .map(|(at, length, kind)| match at.checked_sub(offset) {
            Some(place) => Field::new(size(place), size((end - at).min(*length)), *kind),
            None => Field::new(0, size((at + length).min(end) - offset), Kind::Piece),
        })
        .collect()
}

pub(super) fn meta(key: MetaKey) -> Vec<Field> {
    let names =
        [MetaKey::IifName, MetaKey::OifName, MetaKey::BridgeIifName, MetaKey::BridgeOifName];
    if names.contains(&key) { vec![Field::new(0, 16, Kind::Name)] } else { Vec::new() }
}

pub(super) fn ct(key: CtKey) -> Vec<Field> {
    match key {
        CtKey::Src | CtKey::Dst | CtKey::SrcIp | CtKey::DstIp | CtKey::SrcIp6 | CtKey::DstIp6 => {
            vec![Field::new(0, 16, Kind::Ip)]
        }
        _ => Vec::new(),
    }
}
