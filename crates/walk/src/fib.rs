//! The routes of a table of IPv4, by prefix.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{Nexthop, Route};

use crate::hash::Map;

/// Of so few routes, each is looked at: that is quicker than to look up a dozen prefixes.
const FEW: usize = 24;

/// A table of routes.
#[derive(Debug, Default)]
pub(crate) struct Fib<'a> {
    /// In the order in which they are tried.
    all: Vec<&'a Route>,
    /// The same with their prefixes at hand, if they are few.
    few: Vec<(Prefix, Entry<'a>)>,
    /// Else by length of prefix, the longest first, and there by network.
    lengths: Vec<(u32, Map<u32, Vec<Entry<'a>>>)>,
}

/// A route of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) route: &'a Route,
    /// The first of its ways out that is alive.
    pub(crate) hop: Option<Nexthop>,
    /// There are others that are alive.
    pub(crate) several: bool,
}

/// A prefix as two numbers.
#[derive(Clone, Copy, Debug)]
struct Prefix {
    mask: u32,
    net: u32,
}

impl<'a> Fib<'a> {
    /// Of routes in the order in which they are tried: longest prefix first.
    pub(crate) fn new(all: Vec<&'a Route>, entry: impl Fn(&'a Route) -> Entry<'a>) -> Self {
        let prefix = |route: &&'a Route| match route.dst {
            IpNet::V4(net) => {
                let (mask, net) = (net.netmask().to_bits(), net.network().to_bits());
                Some((Prefix { mask, net }, entry(route)))
            }
            IpNet::V6(_) => None,
        };
        let few: Vec<(Prefix, Entry<'a>)> = all.iter().filter_map(prefix).collect();
        if few.len() <= FEW {
            return Self { all, few, lengths: Vec::new() };
        }
        let mut lengths: Vec<(u32, Map<u32, Vec<Entry<'a>>>)> = Vec::new();
        for (Prefix { mask, net }, entry) in few {
            if lengths.last().is_none_or(|(last, _)| *last != mask) {
                lengths.push((mask, Map::default()));
            }
            if let Some((_, nets)) = lengths.last_mut() {
                nets.entry(net).or_default().push(entry);
            }
        }
        Self { all, few: Vec::new(), lengths }
    }

    /// All of them, as they are tried.
    pub(crate) fn all(&self) -> &[&'a Route] {
        &self.all
    }

    /// Those that lead to an address, as they are tried.
    pub(crate) fn to(&self, ip: IpAddr) -> impl Iterator<Item = &Entry<'a>> + '_ {
        let bits = match ip {
            IpAddr::V4(ip) => Some(ip.to_bits()),
            IpAddr::V6(_) => None,
        };
        let holds = move |p: &Prefix| bits.is_some_and(|bits| bits & p.mask == p.net);
        let few = self.few.iter().filter(move |(p, _)| holds(p)).map(|(_, entry)| entry);
        let lengths = self.lengths.iter().filter_map(move |(mask, nets)| nets.get(&(bits? & mask)));
        few.chain(lengths.flatten())
    }
}
