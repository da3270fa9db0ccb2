//! Which address and port of those that a rule gives a connection is translated to.

use std::net::IpAddr;

use model::{Conntrack, Tuple};

use crate::Sink;
use crate::indexed::Place;
use crate::overlay::Membership;
use crate::skb::Skb;
use crate::walker::Walker;

/// NF_NAT_RANGE_PERSISTENT.
const PERSISTENT: u32 = 8;
/// NF_NAT_RANGE_PROTO_RANDOM, and _FULLY.
const RANDOM: u32 = 4 | 16;

/// From what is chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    /// First and last; None: the address stays.
    pub(crate) addresses: Option<(IpAddr, IpAddr)>,
    /// First and last; None: the port stays if it can.
    pub(crate) ports: Option<(u16, u16)>,
    /// NF_NAT_RANGE_*.
    pub(crate) flags: u32,
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `get_unique_tuple`. Where the kernel chooses a port by chance, the first is told.
    pub(crate) fn unique_tuple(
        &mut self,
        skb: &Skb,
        place: &'a Place<'a>,
        member: Membership,
        source: bool,
        current: Tuple,
        range: Range,
    ) -> Tuple {
        let taken = |tuple: &Tuple| self.is_taken(skb, place, member, tuple);
        let mut wanted = current;
        if source && range.flags & RANDOM == 0 {
            if range.holds(&current) && !taken(&current) {
                return current;
            }
            if let Some(same) = same_source(place, &current).filter(|t| range.holds(t)) {
                (wanted.src, wanted.sport) = (same.src, same.sport);
                if !taken(&wanted) {
                    return wanted;
                }
            }
        }
        if let Some(addresses) = range.addresses {
            let ip = by_hash(addresses, &current, range.flags, skb.zone.0);
            *(if source { &mut wanted.src } else { &mut wanted.dst }) = ip;
        }
        let by_chance = range.choose_port(&mut wanted, source, taken);
        self.overlay.port_by_chance |= by_chance;
        wanted
    }

    /// Whether another connection has answers that look the same.
    #[inline]
    pub(crate) fn is_taken(
        &self,
        skb: &Skb,
        place: &'a Place<'a>,
        member: Membership,
        tuple: &Tuple,
    ) -> bool {
        self.taken_by(skb, place, member, tuple).is_some()
    }

    /// Which that is. One that was read may be this very one, where the question is not to know it.
    pub(crate) fn taken_by(
        &self,
        skb: &Skb,
        place: &'a Place<'a>,
        member: Membership,
        tuple: &Tuple,
    ) -> Option<&Conntrack> {
        let reply = tuple.reversed();
        // An answer to an echo looks like no request.
        let direction = is_icmp(tuple).then_some(true);
        let connections = &self.overlay.connections;
        let own = &connections[member.connection].entry.original;
        let but = Some(member.connection);
        let met = self.overlay.connection_with(skb.ns, &reply, skb.zone, direction, but);
        let read = || place.tracked.with(&reply, skb.zone, direction);
        let read = || read().map(|(entry, _)| entry).filter(|entry| entry.original != *own);
        match met {
            Some(met) => Some(&connections[met.connection].entry),
            None => read(),
        }
    }
}

/// `find_appropriate_src`: what another connection from the same source was translated to.
fn same_source(place: &Place<'_>, tuple: &Tuple) -> Option<Tuple> {
    Some(place.tracked.same_source_as(tuple)?.reply.reversed())
}

impl Range {
    /// Whether a source is one of these.
    fn holds(&self, tuple: &Tuple) -> bool {
        let within = |(first, last): (IpAddr, IpAddr)| first <= tuple.src && tuple.src <= last;
        let port = |(first, last): (u16, u16)| first <= tuple.sport && tuple.sport <= last;
        self.addresses.is_none_or(within) && self.ports.is_none_or(port)
    }

    /// `nf_nat_l4proto_unique_tuple`; true: the kernel begins anywhere among the ports. The id of an
    /// echo belongs to both ends, so that it changes with the destination, too.
    fn choose_port(&self, tuple: &mut Tuple, source: bool, taken: impl Fn(&Tuple) -> bool) -> bool {
        let icmp = is_icmp(tuple);
        let old = if source { tuple.sport } else { tuple.dport };
        let stays = match self.ports {
            Some((first, last)) => first <= old && old <= last && (first == last || !taken(tuple)),
            None => !(source || icmp) || !taken(tuple),
        };
        if stays {
            return false;
        }
        let (first, last) = self.ports.unwrap_or(match old {
            _ if icmp => (0, u16::MAX),
            0..512 => (1, 511),
            512..1024 => (600, 1023),
            _ => (1024, u16::MAX),
        });
        for port in first..=last {
            put(tuple, source, port);
            if !taken(tuple) {
                break;
            }
        }
        first < last && (source || self.flags & RANDOM != 0)
    }
}

/// ICMP, of either family.
pub(crate) const fn is_icmp(tuple: &Tuple) -> bool {
    matches!(tuple.protocol, 1 | 58)
}

/// For ICMP, the id stands in both places.
fn put(tuple: &mut Tuple, source: bool, port: u16) {
    let icmp = is_icmp(tuple);
    if source || icmp {
        tuple.sport = port;
    }
    if !source || icmp {
        tuple.dport = port;
    }
}

/// `find_best_ips_proto`: by a hash of the source, and unless it is to stay the same for all
/// destinations, of the destination; word by word.
fn by_hash((first, last): (IpAddr, IpAddr), tuple: &Tuple, flags: u32, zone: u16) -> IpAddr {
    if first == last {
        return first;
    }
    let persistent = flags & PERSISTENT != 0;
    let (src, dst) = (words(tuple.src), words(tuple.dst));
    let (low, high) = (words(first), words(last));
    let count = if first.is_ipv4() { 1 } else { 4 };
    let seed = if persistent { 0 } else { dst[count - 1] ^ u32::from(zone) };
    let mut hash = jhash2(src, seed);
    let mut chosen = [0; 4];
    let mut full = false;
    for i in 0..count {
        let (low, high_here) = (u32::from_be(low[i]), u32::from_be(high[i]));
        let (least, range) = match full {
            false => (low, u64::from(high_here.wrapping_sub(low)) + 1),
            true => (0, u64::from(u32::MAX)),
        };
        // `reciprocal_scale` counts in 32 bits.
        let range = range & u64::from(u32::MAX);
        let offset = u32::try_from((u64::from(hash) * range) >> 32).unwrap_or(0);
        chosen[i] = least.wrapping_add(offset).to_be();
        full |= chosen[i] != high[i];
        if !persistent {
            hash ^= dst[i];
        }
    }
    let bytes = chosen.map(u32::to_ne_bytes);
    match first {
        IpAddr::V4(_) => IpAddr::from(bytes[0]),
        IpAddr::V6(_) => {
            let mut all = [0; 16];
            all.chunks_exact_mut(4).zip(bytes).for_each(|(slot, word)| slot.copy_from_slice(&word));
            IpAddr::from(all)
        }
    }
}

/// An address as four words of memory (`union nf_inet_addr`).
fn words(ip: IpAddr) -> [u32; 4] {
    let word = |b: &[u8]| b.try_into().map_or(0, u32::from_ne_bytes);
    match ip {
        IpAddr::V4(ip) => [word(&ip.octets()), 0, 0, 0],
        IpAddr::V6(ip) => {
            let b = ip.octets();
            [word(&b[..4]), word(&b[4..8]), word(&b[8..12]), word(&b[12..])]
        }
    }
}

/// `jhash2` of four words.
fn jhash2([k0, k1, k2, k3]: [u32; 4], seed: u32) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(4 << 2).wrapping_add(seed);
    let (mut a, mut b, mut c) =
        (start.wrapping_add(k0), start.wrapping_add(k1), start.wrapping_add(k2));
    for (first, second, third) in [(4, 6, 8), (16, 19, 4)] {
        a = a.wrapping_sub(c) ^ c.rotate_left(first);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(second);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(third);
        b = b.wrapping_add(a);
    }
    a = a.wrapping_add(k3);
    finish(a, b, c)
}

/// `__jhash_final`.
const fn finish(mut a: u32, mut b: u32, mut c: u32) -> u32 {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}
