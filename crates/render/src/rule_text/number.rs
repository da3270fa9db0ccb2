//! Numbers of the packet's headers, and their names.

use std::net::Ipv4Addr;

/// IP protocols, as /etc/protocols of Debian names them.
const PROTOCOLS: [(u8, &str); 16] = [
    (1, "icmp"),
    (2, "igmp"),
    (4, "ipencap"),
    (6, "tcp"),
    (17, "udp"),
    (33, "dccp"),
    (41, "ipv6"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (58, "ipv6-icmp"),
    (89, "ospf"),
    (112, "vrrp"),
    (132, "sctp"),
    (136, "udplite"),
    (108, "ipcomp"),
];

/// Its name, or its number.
pub(super) fn protocol(number: u8) -> String {
    let named = PROTOCOLS.iter().find(|(n, _)| *n == number);
    named.map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
}

/// A port or another two bytes in network order; None if they are not two.
pub(super) fn be16(bytes: &[u8]) -> Option<u16> {
    bytes.try_into().ok().map(u16::from_be_bytes)
}

/// Four bytes in the host's order.
pub(super) fn host32(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_ne_bytes)
}

/// `ADDRESS/LENGTH`, or `ADDRESS/MASK` where the mask has holes.
pub(super) fn masked(address: [u8; 4], mask: [u8; 4]) -> String {
    let bits = u32::from_be_bytes(mask);
    let length = bits.leading_ones();
    let address = Ipv4Addr::from(address);
    if length + bits.trailing_zeros() >= 32 {
        format!("{address}/{length}")
    } else {
        format!("{address}/{}", Ipv4Addr::from(mask))
    }
}

/// The first bytes of an array that has room for more; None if they are more than that.
pub(super) fn padded<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let mut all = [0; N];
    all.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(all)
}

/// `0a0b…`.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
