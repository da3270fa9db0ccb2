//! Addresses: two that share their first bits share as many afterwards.

use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use model::Mac;

use super::StandIns;

/// Blocks that mean something, which therefore stay what they are; whether what is in them stays too.
const BLOCKS4: [(u32, u32, bool); 9] = [
    (0x0000_0000, 8, true),  // this network, the default route
    (0x7f00_0000, 8, true),  // loopback
    (0xe000_0000, 3, true),  // multicast, reserved, broadcast
    (0x0a00_0000, 8, false), // private
    (0xac10_0000, 12, false),
    (0xc0a8_0000, 16, false),
    (0x6440_0000, 10, false), // shared by carriers
    (0xa9fe_0000, 16, false), // link-local
    (0xc612_0000, 15, false), // benchmarks
];

const BLOCKS6: [(u128, u32, bool); 7] = [
    (0, 64, true),                                           // unspecified, loopback
    (0xff02_0000_0000_0000_0000_0001_ff00_0000, 104, false), // solicited node
    (0xff00 << 112, 8, true),                                // multicast
    (0xfe80 << 112, 64, false),                              // link-local
    (0xfc00 << 112, 7, false),                               // unique local
    (0x2000 << 112, 3, false),                               // global
    (0x64_ff9b << 96, 96, false),                            // translated to IPv4
];

impl<K: BuildHasher> StandIns<K> {
    pub(super) fn ip(&self, ip: IpAddr) -> IpAddr {
        match ip {
            IpAddr::V4(ip) => self.ipv4(ip).into(),
            IpAddr::V6(ip) => self.ipv6(ip).into(),
        }
    }

    pub(super) fn ipv4(&self, ip: Ipv4Addr) -> Ipv4Addr {
        let blocks = BLOCKS4.map(|(net, len, whole)| (u128::from(net) << 96, len, whole));
        let bits = self.prefix(4, u128::from(u32::from(ip)) << 96, 32, &blocks);
        let image = Ipv4Addr::from(u32::try_from(bits >> 96).unwrap_or_default());
        self.note(ip.to_string(), image.to_string());
        image
    }

    pub(super) fn ipv6(&self, ip: Ipv6Addr) -> Ipv6Addr {
        if let Some(four) = ip.to_ipv4_mapped() {
            return self.ipv4(four).to_ipv6_mapped();
        }
        let image = Ipv6Addr::from(self.prefix(6, u128::from(ip), 128, &BLOCKS6));
        self.note(ip.to_string(), image.to_string());
        image
    }

    /// A network: its own bits replaced, the rest as it was if that is zero.
    pub(super) fn net(&self, net: IpNet) -> IpNet {
        let image = IpNet::new(self.ip(net.addr()), net.prefix_len()).unwrap_or(net);
        if net.addr() == net.network() { image.trunc() } else { image }
    }

    /// Whether each bit is flipped is decided by all bits before it. One that parts a block that
    /// means something from its neighbour never is.
    fn prefix(&self, family: u8, bits: u128, length: u32, blocks: &[(u128, u32, bool)]) -> u128 {
        let begins = |value: u128, len: u32| if len == 0 { 0 } else { value >> (128 - len) };
        let of = blocks.iter().find(|(net, len, _)| begins(bits, *len) == begins(*net, *len));
        if of.is_some_and(|(_, _, whole)| *whole) {
            return bits;
        }
        let mut image = bits;
        for depth in 0..length {
            let before = begins(bits, depth);
            let parts =
                blocks.iter().any(|(net, len, _)| *len > depth && begins(*net, depth) == before);
            if !parts && self.secret((family, depth, before)) & 1 == 1 {
                image ^= 1 << (127 - depth);
            }
        }
        image
    }

    /// Whether it is a group's and whether it was given locally stays; the rest does not.
    pub(super) fn mac(&self, mac: Mac) -> Mac {
        let [a, b, c, ..] = mac.0;
        // Groups of IP: the first bytes say so, the others come from the group's address.
        let kept = match (a, b, c) {
            (0x33, 0x33, 0xff) => 3,
            (0x33, 0x33, _) | (0x01, 0x00, 0x5e) | (0x01, 0x80, 0xc2) => 6,
            _ => 0,
        };
        if kept == 6 || mac.is_zero() || mac == Mac::BROADCAST {
            return mac;
        }
        let mut image = self.secret(mac.0).to_be_bytes();
        image[..kept].copy_from_slice(&mac.0[..kept]);
        image[0] = image[0] & !3 | a & 3;
        let [a, b, c, d, e, f, ..] = image;
        let image = Mac([a, b, c, d, e, f]);
        self.note(mac.to_string(), image.to_string());
        image
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasherDefault, DefaultHasher};

    use super::*;

    fn keys() -> StandIns<BuildHasherDefault<DefaultHasher>> {
        StandIns::new(BuildHasherDefault::default())
    }

    #[test]
    fn what_is_in_one_network_stays_in_one() {
        let keys = keys();
        let image = |text: &str| u32::from(keys.ipv4(text.parse().unwrap_or(Ipv4Addr::LOCALHOST)));
        let shared = |a, b| (image(a) ^ image(b)).leading_zeros();
        assert_eq!(shared("192.168.10.41", "192.168.10.103"), 25);
        assert_eq!(shared("203.0.113.10", "203.0.113.11"), 31);
        assert_ne!(image("203.0.113.10"), 0xcb00_710a);
        assert_eq!(image("10.1.2.3") >> 24, 10);
        assert_eq!(image("172.17.0.1") >> 20, 0xac1);
    }

    #[test]
    fn what_means_something_stays() {
        let keys = keys();
        for text in
            ["0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.22", "::", "::1", "ff02::1"]
        {
            let ip: IpAddr = text.parse().expect("an address");
            assert_eq!(keys.ip(ip), ip);
        }
        for text in ["33:33:00:00:00:16", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"] {
            let mac: Mac = text.parse().expect("an address");
            assert_eq!(keys.mac(mac), mac);
        }
        let local = keys.ip("fe80::1".parse().expect("an address")).to_string();
        assert!(local.starts_with("fe80::"), "{local}");
        let net = keys.net("10.1.0.0/16".parse().expect("a network"));
        assert_eq!(net, net.trunc());
    }
}
