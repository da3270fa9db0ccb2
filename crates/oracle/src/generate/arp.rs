//! How namespaces ask and answer by ARP.

use crate::network::Space;
use crate::random::Random;

/// Settings of a link, how often each is drawn of 100, and its values.
const SETTINGS: [(&str, usize, &[u8]); 5] = [
    ("arp_ignore", 8, &[1, 1, 2, 3, 8]),
    ("arp_announce", 8, &[1, 2]),
    ("arp_filter", 8, &[1]),
    ("proxy_arp", 12, &[1]),
    ("proxy_arp_pvlan", 6, &[1]),
];

/// What is drawn of one link (or of `all`).
pub(super) fn of_link(space: &mut Space, link: &str, random: &mut Random) {
    for (name, chance, values) in SETTINGS {
        if random.percent(chance) {
            space.sysctl(format!("net/ipv4/conf/{link}/{name}"), random.one(values));
        }
    }
}
