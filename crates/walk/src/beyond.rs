//! An address that stands for the internet.

use std::net::{IpAddr, Ipv4Addr};

use model::Snapshot;

/// Documentation addresses (RFC 5737).
const BEYOND: [Ipv4Addr; 3] =
    [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(203, 0, 113, 1), Ipv4Addr::new(198, 51, 100, 1)];

/// An address to which only default routes lead: the first documentation address that no namespace
/// is beside.
#[must_use]
pub fn beyond(snapshot: &Snapshot) -> Ipv4Addr {
    let beside = |ip: &&Ipv4Addr| {
        let mut all = snapshot.namespaces.values().flat_map(|ns| &ns.addresses);
        all.any(|a| a.net.contains(&IpAddr::V4(**ip)))
    };
    *BEYOND.iter().find(|ip| !beside(ip)).unwrap_or(&BEYOND[0])
}
