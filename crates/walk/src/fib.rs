//! The routes of a table of IPv4, by prefix.

use std::net::IpAddr;

use ipnet::IpNet;
use model::Route;

use crate::hash::Map;

/// A table of routes.
#[derive(Debug, Default)]
pub(crate) struct Fib<'a> {
    /// In the order in which they are tried.
    all: Vec<&'a Route>,
    /// By length of prefix, the longest first, and there by network.
    lengths: Vec<(u32, Map<u32, Vec<&'a Route>>)>,
}

impl<'a> Fib<'a> {
    /// Of routes in the order in which they are tried: longest prefix first.
    pub(crate) fn new(all: Vec<&'a Route>) -> Self {
        let mut lengths: Vec<(u32, Map<u32, Vec<&'a Route>>)> = Vec::new();
        for route in &all {
            let IpNet::V4(net) = route.dst else { continue };
            let mask = net.netmask().to_bits();
            if lengths.last().is_none_or(|(last, _)| *last != mask) {
                lengths.push((mask, Map::default()));
            }
            if let Some((_, nets)) = lengths.last_mut() {
                nets.entry(net.network().to_bits()).or_default().push(route);
            }
        }
        Self { all, lengths }
    }

    /// All of them, as they are tried.
    pub(crate) fn all(&self) -> &[&'a Route] {
        &self.all
    }

    /// Those that lead to an address, as they are tried.
    pub(crate) fn to(&self, ip: IpAddr) -> impl Iterator<Item = &'a Route> + '_ {
        let bits = match ip {
            IpAddr::V4(ip) => Some(ip.to_bits()),
            IpAddr::V6(_) => None,
        };
        let lengths = self.lengths.iter().filter_map(move |(mask, nets)| nets.get(&(bits? & mask)));
        lengths.flatten().copied()
    }
}
