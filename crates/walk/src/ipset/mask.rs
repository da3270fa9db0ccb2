//! Addresses cut to what of them counts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// The address with all but its first bits cleared.
pub(super) fn masked(ip: IpAddr, length: u8) -> IpAddr {
    let cleared = u32::from(width(ip).saturating_sub(length));
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(cleared).unwrap_or(0);
            Ipv4Addr::from_bits(ip.to_bits() & mask).into()
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(cleared).unwrap_or(0);
            Ipv6Addr::from_bits(ip.to_bits() & mask).into()
        }
    }
}

/// Both addresses' common bits; of two families the first.
pub(super) fn and(ip: IpAddr, mask: IpAddr) -> IpAddr {
    match (ip, mask) {
        (IpAddr::V4(ip), IpAddr::V4(mask)) => (ip & mask).into(),
        (IpAddr::V6(ip), IpAddr::V6(mask)) => (ip & mask).into(),
        _ => ip,
    }
}
