use std::net::IpAddr;

use super::Turn;
use super::list::turns;
use crate::{Address, AddressFlags, Protocol, Route, TABLE_LOCAL};

/// What differs between two lists of routes, and whether that is noise. `moved` is `before` with
/// the ifindexes of `after`.
pub(super) fn routes(
    before: &[Route],
    moved: &[Route],
    after: &[Route],
) -> Vec<(Turn<Route>, bool)> {
    let key = |r: &Route| (r.table, r.dst, r.metric, r.tos);
    let noise = |turn: &Turn<Route>| match turn {
        Turn::Appeared(r) | Turn::Vanished(r) => is_own(r),
        Turn::Changed { before, after } => steady(before) == steady(after),
    };
    turns(before, moved, after, key).into_iter().map(|t| (t.clone(), noise(&t))).collect()
}

/// Routes that the kernel makes of addresses and links, beside those to their subnets.
fn is_own(r: &Route) -> bool {
    let six = match r.dst.addr() {
        IpAddr::V6(ip) => ip.is_multicast() || ip.is_unicast_link_local(),
        IpAddr::V4(_) => false,
    };
    r.protocol == Protocol::Kernel && (r.table == TABLE_LOCAL || six)
}

/// A route without what follows the carrier of its links.
fn steady(r: &Route) -> Route {
    let mut r = r.clone();
    for hop in &mut r.nexthops {
        (hop.dead, hop.linkdown) = (false, false);
    }
    r
}

/// An address that the kernel gives every link.
#[must_use]
pub fn is_link_local(address: &Address) -> bool {
    matches!(address.ip(), IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// What an address is only while it is being looked whether another has it.
const PASSING: AddressFlags = AddressFlags::TENTATIVE.union(AddressFlags::OPTIMISTIC);

/// Whether an address's turn is one that the kernel makes by itself. Its label follows the name of
/// its link, and whether another has it is found out within a second.
#[must_use]
pub fn address_is_noise(turn: &Turn<Address>) -> bool {
    match turn {
        Turn::Appeared(a) | Turn::Vanished(a) => is_link_local(a),
        Turn::Changed { before, after } => {
            let flags = |a: &Address| a.flags - PASSING;
            Address { label: after.label.clone(), flags: flags(before), ..before.clone() }
                == Address { link: before.link, flags: flags(after), ..after.clone() }
        }
    }
}
