//! Connections that were tracked when they were read, by what packets show of them.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use model::{Conntrack, Namespace, Tuple};

use crate::hash::{Ip, Map};

/// The connections of a namespace.
#[derive(Debug, Default)]
pub(crate) struct Tracked<'a> {
    shown: Map<Shown, &'a Conntrack>,
    /// The first of each source, as (protocol, address, port).
    sources: Map<(u8, Ip, u16), &'a Conntrack>,
}

impl<'a> Tracked<'a> {
    pub(super) fn new(ns: &'a Namespace) -> Self {
        let mut all = Self::default();
        for entry in &ns.conntrack {
            all.shown.insert(Shown::by(&entry.reply, entry.zone, true), entry);
            all.shown.insert(Shown::by(&entry.original, entry.zone, false), entry);
            let source = (entry.original.protocol, Ip(entry.original.src), entry.original.sport);
            all.sources.entry(source).or_insert(entry);
        }
        all
    }

    /// The one with that tuple, in that direction if it is known; true: the
    /// tuple is its answer's. `zones` are those of a packet in the original direction and in the other.
    #[inline(always)]
    pub(crate) fn with(
        &self,
        tuple: &Tuple,
        zones: (u16, u16),
        direction: Option<bool>,
    ) -> Option<(&'a Conntrack, bool)> {
        let (first, second) = direction.map_or((false, Some(true)), |reply| (reply, None));
        match self.with_in(tuple, zones, first) {
            None => self.with_in(tuple, zones, second?),
            found => found,
        }
    }

    #[inline(always)]
    fn with_in(
        &self,
        tuple: &Tuple,
        zones: (u16, u16),
        reply: bool,
    ) -> Option<(&'a Conntrack, bool)> {
        let zone = if reply { zones.1 } else { zones.0 };
        Some((*self.shown.get(&Shown::by(tuple, zone, reply))?, reply))
    }

    /// One from the same source.
    #[inline]
    pub(crate) fn same_source_as(&self, tuple: &Tuple) -> Option<&'a Conntrack> {
        self.sources.get(&(tuple.protocol, Ip(tuple.src), tuple.sport)).copied()
    }
}

/// What a packet shows of its connection: tuple, zone and direction (true: the answer's). Of IPv4 it
/// is two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Four(u64, u64),
    Any(Tuple, u16, bool),
}

impl Hash for Shown {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Four(addresses, others) => (addresses, others).hash(state),
            Self::Any(tuple, zone, reply) => (tuple, zone, reply).hash(state),
        }
    }
}

impl Shown {
    #[inline]
    fn by(tuple: &Tuple, zone: u16, reply: bool) -> Self {
        let (IpAddr::V4(src), IpAddr::V4(dst)) = (tuple.src, tuple.dst) else {
            return Self::Any(*tuple, zone, reply);
        };
        let ports = u64::from(tuple.sport) << 16 | u64::from(tuple.dport);
        let of = u64::from(tuple.protocol) << 1 | u64::from(reply);
        let addresses = u64::from(src.to_bits()) << 32 | u64::from(dst.to_bits());
        Self::Four(addresses, of << 48 | u64::from(zone) << 32 | ports)
    }
}
