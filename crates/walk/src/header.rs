//! A packet's bytes, as far as they are known.

use model::PayloadBase;

use crate::skb::Skb;
use crate::{Packet, Payload};

/// What reading some bytes gives.
pub(crate) enum Read {
    Bytes(Vec<u8>),
    /// The packet ends before.
    Beyond,
    /// They are there, but what they are is not known.
    NotKnown(String),
}

/// Reads `len` bytes from `offset` of one of the headers.
pub(crate) fn bytes(skb: &Skb, base: PayloadBase, offset: u32, len: u32) -> Read {
    let header = match base {
        PayloadBase::LinkLayer => ethernet(&skb.packet),
        PayloadBase::Network => ipv4(&skb.packet),
        PayloadBase::Transport => transport(&skb.packet),
        PayloadBase::Other(n) => return Read::NotKnown(format!("payload base {n}")),
    };
    let whole = match base {
        PayloadBase::LinkLayer => skb.packet.len + 14,
        PayloadBase::Network => skb.packet.len,
        _ => skb.packet.len.saturating_sub(20),
    };
    if offset.saturating_add(len) > whole {
        return Read::Beyond;
    }
    let wanted = offset as usize..(offset + len) as usize;
    let known: Option<Vec<u8>> = header.get(wanted).and_then(|b| b.iter().copied().collect());
    match known {
        Some(bytes) => Read::Bytes(bytes),
        None => Read::NotKnown(format!("payload {base:?} at {offset}").to_lowercase()),
    }
}

type Bytes = Vec<Option<u8>>;

fn known(bytes: &[u8]) -> impl Iterator<Item = Option<u8>> {
    bytes.iter().copied().map(Some)
}

fn ethernet(p: &Packet) -> Bytes {
    let mac = |mac: Option<model::Mac>| match mac {
        Some(mac) => mac.0.map(Some),
        None => [None; 6],
    };
    mac(p.dst_mac).into_iter().chain(mac(p.src_mac)).chain(known(&[8, 0])).collect()
}

fn ipv4(p: &Packet) -> Bytes {
    let len = u16::try_from(p.len).unwrap_or(u16::MAX).to_be_bytes();
    let fragment = if p.df { 0x40 } else { 0 };
    known(&[0x45, p.tos, len[0], len[1]])
        .chain([None; 2])
        .chain(known(&[fragment, 0, p.ttl, p.payload.protocol()]))
        .chain([None; 2])
        .chain(known(&p.src.octets()))
        .chain(known(&p.dst.octets()))
        .collect()
}

fn transport(p: &Packet) -> Bytes {
    let ports = |s: u16, d: u16| [s.to_be_bytes(), d.to_be_bytes()].concat();
    match p.payload {
        Payload::Tcp { sport, dport, flags } => known(&ports(sport, dport))
            .chain([None; 8])
            // A first packet and its answer carry 40 bytes of header: the data offset is 10.
            .chain([None, Some(flags)])
            .chain([None; 6])
            .collect(),
        Payload::Udp { sport, dport } => known(&ports(sport, dport)).chain([None; 4]).collect(),
        Payload::Icmp { kind, id } => {
            let (kind, code) = kind.numbers();
            known(&[kind, code]).chain([None; 2]).chain(known(&id.to_be_bytes())).collect()
        }
        Payload::Other(_) => Vec::new(),
    }
}
