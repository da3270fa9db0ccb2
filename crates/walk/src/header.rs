//! A packet's bytes, as far as they are known.

use std::cell::OnceCell;
use std::net::IpAddr;

use model::PayloadBase;

use crate::skb::{Arp, Skb};
use crate::{IcmpKind, Packet, Payload};

/// Bytes of a header that rules may ask for: those of IPv6 are the longest.
const SIZE: usize = 40;
/// Bytes of an Ethernet header.
pub(crate) const ETHERNET: u32 = 14;

/// Where in a TCP header the first option stands: who says how large segments may be does so there.
const MSS_OPTION: usize = 20;
/// And the number in it.
const MSS: usize = MSS_OPTION + 2;

/// What reading some bytes gives.
pub(crate) enum Read<'h> {
    Bytes(&'h [u8]),
    /// The packet ends before.
    Beyond,
    /// They are there, but what they are is not known.
    NotKnown,
}

/// The headers of a packet, which rules read and write. Each is laid out when first it is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers {
    link: OnceCell<Layer>,
    network: OnceCell<Layer>,
    transport: OnceCell<Layer>,
    /// Something was written.
    changed: bool,
}

/// Of the same packet.
impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        let all = |h: &Self| (h.link.clone(), h.network.clone(), h.transport.clone());
        self.changed == other.changed && (!self.changed || all(self) == all(other))
    }
}

impl Eq for Headers {}

/// One header and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Layer {
    bytes: [u8; SIZE],
    /// One bit per byte that is known.
    known: u64,
    /// Bytes from its first one to the packet's end.
    len: u32,
}

impl Layer {
    const NONE: Self = Self { bytes: [0; SIZE], known: 0, len: 0 };

    fn new(len: u32) -> Self {
        Self { len, ..Self::NONE }
    }

    fn put<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        self.write(at, &bytes);
    }

    fn put_address(&mut self, at: usize, ip: IpAddr) {
        match ip {
            IpAddr::V4(ip) => self.put(at, ip.octets()),
            IpAddr::V6(ip) => self.put(at, ip.octets()),
        }
    }

    /// False: that is beyond what is known of it.
    #[inline]
    fn write(&mut self, at: usize, bytes: &[u8]) -> bool {
        let Some(slot) = self.bytes.get_mut(at..at + bytes.len()) else { return false };
        slot.copy_from_slice(bytes);
        self.known |= bits(at, bytes.len());
        true
    }

    fn read(&self, at: usize, len: usize) -> Read<'_> {
        let within = u32::try_from(at.saturating_add(len)).is_ok_and(|end| end <= self.len);
        match self.bytes.get(at..at.saturating_add(len)) {
            _ if !within => Read::Beyond,
            Some(bytes) if self.known & bits(at, len) == bits(at, len) => Read::Bytes(bytes),
            _ => Read::NotKnown,
        }
    }
}

impl Layer {
    fn mss(&self) -> Option<u16> {
        match self.read(MSS, 2) {
            Read::Bytes(&[a, b]) => Some(u16::from_be_bytes([a, b])),
            _ => None,
        }
    }
}

/// The bits of so many bytes.
const fn bits(at: usize, len: usize) -> u64 {
    if len >= 64 { u64::MAX } else { ((1 << len) - 1) << at }
}

impl Headers {
    /// Nothing is written to them yet.
    pub(crate) fn begin(&mut self) {
        *self = Self::default();
    }

    /// Reads `len` bytes from `offset` of one of the headers of this packet.
    pub(crate) fn read(&self, skb: &Skb, base: PayloadBase, offset: u32, len: u32) -> Read<'_> {
        let layer = match base {
            PayloadBase::LinkLayer => self.link.get_or_init(|| ethernet(skb)),
            PayloadBase::Network => self.network.get_or_init(|| network(skb)),
            PayloadBase::Transport => self.transport.get_or_init(|| transport(skb)),
            PayloadBase::Inner | PayloadBase::Other(_) => return Read::NotKnown,
        };
        layer.read(offset as usize, len as usize)
    }

    /// Writes some bytes; false: that is beyond what is known of it.
    pub(crate) fn write(
        &mut self,
        skb: &Skb,
        base: PayloadBase,
        offset: u32,
        bytes: &[u8],
    ) -> bool {
        self.lay_out(skb);
        let layer = match base {
            PayloadBase::LinkLayer => self.link.get_mut(),
            PayloadBase::Network => self.network.get_mut(),
            PayloadBase::Transport => self.transport.get_mut(),
            PayloadBase::Inner | PayloadBase::Other(_) => return false,
        };
        self.changed = true;
        layer.is_some_and(|layer| layer.write(offset as usize, bytes))
    }

    /// All of them are there, from the first that is written on.
    fn lay_out(&self, skb: &Skb) {
        self.link.get_or_init(|| ethernet(skb));
        self.network.get_or_init(|| network(skb));
        self.transport.get_or_init(|| transport(skb));
    }

    /// Makes the packet what was written.
    #[inline]
    pub(crate) fn apply(&self, packet: &mut Packet) {
        if self.changed {
            self.apply_all(packet);
        }
    }

    fn apply_all(&self, packet: &mut Packet) {
        let all = (self.link.get(), self.network.get(), self.transport.get());
        let (Some(link), Some(network), Some(transport)) = all else { return };
        let n = &network.bytes;
        if packet.is_ipv6() {
            let address = |at: usize| {
                let mut bytes = [0; 16];
                bytes.copy_from_slice(&n[at..at + 16]);
                IpAddr::from(bytes)
            };
            (packet.tos, packet.ttl) = (n[0] << 4 | n[1] >> 4, n[7]);
            (packet.src, packet.dst) = (address(8), address(24));
        } else {
            let address = |at: usize| IpAddr::from([n[at], n[at + 1], n[at + 2], n[at + 3]]);
            (packet.tos, packet.ttl) = (n[1], n[8]);
            (packet.src, packet.dst) = (address(12), address(16));
        }
        let t = &transport.bytes;
        let port = |at: usize| u16::from_be_bytes([t[at], t[at + 1]]);
        match &mut packet.payload {
            Payload::Tcp { sport, dport, .. } | Payload::Udp { sport, dport } => {
                (*sport, *dport) = (port(0), port(2));
                packet.mss = packet.mss.and(transport.mss());
            }
            Payload::Icmp { id, kind } if kind.is_echo() => *id = port(4),
            Payload::Icmp { .. } | Payload::Other(_) => {}
        }
        let mac = |at: usize| {
            let b = &link.bytes[at..at + 6];
            let known = link.known & bits(at, 6) == bits(at, 6);
            known.then(|| model::Mac([b[0], b[1], b[2], b[3], b[4], b[5]]))
        };
        (packet.dst_mac, packet.src_mac) = (mac(0), mac(6));
    }
}

impl Headers {
    /// The largest segment that the packet says, as far as that is known.
    pub(crate) fn mss(&self, skb: &Skb) -> Option<u16> {
        self.transport.get_or_init(|| transport(skb)).mss()
    }

    /// A rule has made it that; None: something that is not known.
    pub(crate) fn set_mss(&mut self, skb: &Skb, mss: Option<u16>) {
        match mss {
            Some(mss) => {
                self.write(skb, PayloadBase::Transport, MSS as u32, &mss.to_be_bytes());
            }
            None => {
                self.lay_out(skb);
                if let Some(layer) = self.transport.get_mut() {
                    layer.known &= !bits(MSS, 2);
                }
            }
        }
        self.changed = true;
    }
}

/// What a process here sends has no Ethernet header yet.
fn ethernet(skb: &Skb) -> Layer {
    let p = &skb.packet;
    if p.src_mac.is_none() && p.dst_mac.is_none() {
        return Layer::NONE;
    }
    let kind: [u8; 2] = match skb.arp {
        Some(_) => [8, 6],
        None if p.is_ipv6() => [0x86, 0xdd],
        None => [8, 0],
    };
    let mut layer = Layer::new(p.len + ETHERNET);
    layer.put(12, kind);
    for (at, mac) in [(0, p.dst_mac), (6, p.src_mac)] {
        if let Some(mac) = mac {
            layer.put(at, mac.0);
        }
    }
    layer
}

fn network(skb: &Skb) -> Layer {
    match skb.arp {
        Some(arp) => arp_message(&skb.packet, arp),
        None if skb.packet.is_ipv6() => ipv6(&skb.packet),
        None => ipv4(&skb.packet),
    }
}

/// Its flow label, made up by the sender's kernel, is not known but for the four bits beside the
/// traffic class, which rules mask out.
fn ipv6(p: &Packet) -> Layer {
    let payload = p.len.saturating_sub(p.header_len());
    let len = u16::try_from(payload).unwrap_or(u16::MAX).to_be_bytes();
    let mut layer = Layer::new(p.len);
    layer.put(0, [0x60 | p.tos >> 4, p.tos << 4]);
    layer.put(4, [len[0], len[1], p.protocol(), p.ttl]);
    layer.put_address(8, p.src);
    layer.put_address(24, p.dst);
    layer
}

fn ipv4(p: &Packet) -> Layer {
    let len = u16::try_from(p.len).unwrap_or(u16::MAX).to_be_bytes();
    let fragment = if p.df { 0x40 } else { 0 };
    let mut layer = Layer::new(p.len);
    layer.put(0, [0x45, p.tos, len[0], len[1]]);
    layer.put(6, [fragment, 0, p.ttl, p.payload.protocol()]);
    layer.put_address(12, p.src);
    layer.put_address(16, p.dst);
    layer
}

/// An ARP message for IPv4 over Ethernet.
fn arp_message(p: &Packet, arp: Arp) -> Layer {
    let operation = if arp == Arp::Request { 1 } else { 2 };
    let mut layer = Layer::new(p.len);
    layer.put(0, [0, 1, 8, 0, 6, 4, 0, operation]);
    if let Some(mac) = p.src_mac {
        layer.put(8, mac.0);
    }
    layer.put_address(14, p.src);
    // Who is asked for is left empty in a request.
    let target = if arp == Arp::Request { Some(model::Mac::default()) } else { p.dst_mac };
    if let Some(mac) = target {
        layer.put(18, mac.0);
    }
    layer.put_address(24, p.dst);
    layer
}

fn transport(skb: &Skb) -> Layer {
    if skb.arp.is_some() {
        return Layer::NONE;
    }
    let p = &skb.packet;
    let length = p.len.saturating_sub(p.header_len());
    let mut layer = Layer::new(length);
    match p.payload {
        Payload::Tcp { sport, dport, flags } => {
            layer.put(0, sport.to_be_bytes());
            layer.put(2, dport.to_be_bytes());
            layer.put(13, [flags]);
            if let Some([a, b]) = p.mss.map(u16::to_be_bytes) {
                layer.put(MSS_OPTION, [2, 4, a, b]);
            }
        }
        Payload::Udp { sport, dport } => {
            let length = u16::try_from(length).unwrap_or(u16::MAX);
            // A tunnel's source port is not known.
            if sport != 0 {
                layer.put(0, sport.to_be_bytes());
            }
            layer.put(2, dport.to_be_bytes());
            layer.put(4, length.to_be_bytes());
        }
        Payload::Icmp { kind, id } => icmp(&mut layer, kind, id, p.is_ipv6()),
        Payload::Other(_) => {}
    }
    layer
}

fn icmp(layer: &mut Layer, kind: IcmpKind, id: u16, ipv6: bool) {
    let (number, code) = kind.numbers(ipv6);
    layer.put(0, [number, code]);
    if let IcmpKind::Solicitation(target) | IcmpKind::Advertisement(target) = kind {
        layer.put(8, target.octets());
    } else if kind.is_echo() {
        layer.put(4, id.to_be_bytes());
    }
}
