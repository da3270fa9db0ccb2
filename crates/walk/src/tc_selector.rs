//! Which packets a filter of tc is for (`tcf_proto_ops::classify`).

use std::net::IpAddr;

use model::{PayloadBase, TcFilter, TcFlowerKey, TcSelector, TcU32, TcU32Key};

use crate::Sink;
use crate::header::{ETHERNET, Headers, Read};
use crate::load::ether_type;
use crate::packet::Payload;
use crate::skb::Skb;
use crate::walker::Walker;

/// Whether a packet is one for a filter.
pub(crate) enum Fits {
    Yes,
    No,
    /// It ends before what the filter looks at: no other of its priority looks at it either.
    Beyond,
    NotKnown(String),
}

impl<S: Sink> Walker<'_, '_, S> {
    /// Whether a filter is for this packet; `came`: the link that it came in by.
    pub(crate) fn fits(&self, skb: &Skb, filter: &TcFilter, came: Option<u32>) -> Fits {
        match &filter.selector {
            TcSelector::All => Fits::Yes,
            TcSelector::U32(u32) => self.fits_u32(skb, u32, came),
            TcSelector::Flower(keys) => fits_flower(skb, keys),
            TcSelector::Opaque { what, .. } => Fits::NotKnown(what.clone()),
        }
    }

    /// `u32_classify`, without tables that lead to others.
    fn fits_u32(&self, skb: &Skb, u32: &TcU32, came: Option<u32>) -> Fits {
        if u32.idle || u32.mark.is_some_and(|(value, mask)| skb.mark & mask != value) {
            return Fits::No;
        }
        let headers = Headers::default();
        let mut doubt = None;
        for key in &u32.keys {
            match (fits_key(skb, &headers, key), &doubt) {
                (Fits::Yes, _) => {}
                (Fits::NotKnown(what), _) => _ = doubt.get_or_insert(what),
                (Fits::No, _) => return Fits::No,
                (Fits::Beyond, None) => return Fits::Beyond,
                // Whether the kernel comes to look there is not known.
                (Fits::Beyond, Some(what)) => return Fits::NotKnown(what.clone()),
            }
        }
        if let Some(what) = doubt {
            return Fits::NotKnown(what);
        }
        // `tcf_match_indev`.
        let name = came.and_then(|index| self.known_link(skb.link(index))).map(|l| &l.name);
        fits(u32.indev.is_none() || u32.indev.as_ref() == name)
    }
}

const fn fits(yes: bool) -> Fits {
    if yes { Fits::Yes } else { Fits::No }
}

/// Four bytes, each where its mask asks for it.
fn fits_key(skb: &Skb, headers: &Headers, key: &TcU32Key) -> Fits {
    let mut differs = false;
    for (nth, (value, mask)) in (0..).zip(key.value.into_iter().zip(key.mask)) {
        let Some(at) = key.offset.checked_add(nth) else { return Fits::Beyond };
        match byte(skb, headers, at) {
            Read::Bytes([byte]) => differs |= (byte ^ value) & mask != 0,
            Read::Beyond => return Fits::Beyond,
            Read::NotKnown | Read::Bytes(_) if mask == 0 => {}
            Read::NotKnown | Read::Bytes(_) => {
                return Fits::NotKnown(format!("the packet's byte at {at}"));
            }
        }
    }
    fits(!differs)
}

/// A byte of the packet, counted from its network header.
fn byte<'h>(skb: &Skb, headers: &'h Headers, at: i32) -> Read<'h> {
    let Ok(behind) = u32::try_from(at) else {
        // The link's header is before it, unless tags are between.
        let ethernet = ETHERNET.checked_add_signed(at);
        return match ethernet.filter(|_| skb.tags.len() < 2) {
            Some(offset) => headers.read(skb, PayloadBase::LinkLayer, offset, 1),
            None => Read::NotKnown,
        };
    };
    match behind.checked_sub(skb.packet.header_len()).filter(|_| skb.arp.is_none()) {
        Some(offset) => headers.read(skb, PayloadBase::Transport, offset, 1),
        None => headers.read(skb, PayloadBase::Network, behind, 1),
    }
}

/// `fl_classify`: all keys fit. What a packet does not have is no value that fits.
pub(crate) fn fits_flower(skb: &Skb, keys: &[TcFlowerKey]) -> Fits {
    let mut doubt = None;
    for key in keys {
        match fits_flower_key(skb, key) {
            Some(true) => {}
            Some(false) => return Fits::No,
            None => doubt = Some(key),
        }
    }
    match doubt {
        Some(TcFlowerKey::Other(number)) => Fits::NotKnown(format!("flower key {number}")),
        Some(_) => Fits::NotKnown("flower".to_owned()),
        None => Fits::Yes,
    }
}

fn fits_flower_key(skb: &Skb, key: &TcFlowerKey) -> Option<bool> {
    let packet = &skb.packet;
    let ip = skb.arp.is_none();
    Some(match *key {
        // Behind tags it is that of what they hold.
        TcFlowerKey::EtherType(kind) if skb.tags.is_empty() => kind == ether_type(skb),
        TcFlowerKey::Protocol(protocol) => ip && packet.protocol() == protocol,
        TcFlowerKey::Address { source, ip: wanted, mask } => {
            let own = if source { packet.src } else { packet.dst };
            ip && same_bits(own, wanted, mask)
        }
        TcFlowerKey::Port { source, port, mask } => {
            let (sport, dport) = match packet.payload {
                Payload::Tcp { sport, dport, .. } | Payload::Udp { sport, dport } => (sport, dport),
                Payload::Icmp { .. } => return Some(false),
                Payload::Other(_) => return None,
            };
            // Of a fragment no header is looked for behind IP's (FLOW_DISSECTOR_F_PARSE_1ST_FRAG).
            let (sport, dport) = if skb.fragment.is_some() { (0, 0) } else { (sport, dport) };
            let own = if source { sport } else { dport };
            ip && (own ^ port) & mask == 0
        }
        TcFlowerKey::Mac { source, mac, mask } => {
            let own = if source { packet.src_mac } else { packet.dst_mac }?;
            own.0.iter().zip(mac.0).zip(mask.0).all(|((own, mac), mask)| (own ^ mac) & mask == 0)
        }
        TcFlowerKey::Tos(tos, mask) => ip && (packet.tos ^ tos) & mask == 0,
        TcFlowerKey::Ttl(ttl, mask) => ip && (packet.ttl ^ ttl) & mask == 0,
        TcFlowerKey::EtherType(_) | TcFlowerKey::Other(_) => return None,
    })
}

fn same_bits(a: IpAddr, b: IpAddr, mask: IpAddr) -> bool {
    match (a, b, mask) {
        (IpAddr::V4(a), IpAddr::V4(b), IpAddr::V4(mask)) => {
            (a.to_bits() ^ b.to_bits()) & mask.to_bits() == 0
        }
        (IpAddr::V6(a), IpAddr::V6(b), IpAddr::V6(mask)) => {
            (a.to_bits() ^ b.to_bits()) & mask.to_bits() == 0
        }
        _ => false,
    }
}
