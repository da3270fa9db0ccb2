//! How namespaces ask and answer by ARP.

use super::Plan;
use crate::network::Space;
use crate::random::Random;

/// Settings of a link, how often each is drawn of 100, and its values.
const SETTINGS: [(&str, usize, &[u8]); 5] = [
    ("arp_ignore", 18, &[1, 1, 2, 3, 8]),
    ("arp_announce", 15, &[1, 2]),
    ("arp_filter", 15, &[1]),
    ("proxy_arp", 35, &[1]),
    ("proxy_arp_pvlan", 15, &[1]),
];

/// Addresses that a namespace answers for as a proxy.
pub(super) fn proxies(plan: &mut Plan, random: &mut Random) {
    let all: Vec<_> = plan.owned().into_iter().map(|(_, ip)| ip).collect();
    for n in 0..plan.network.spaces.len() {
        let links: Vec<String> =
            plan.ends_of(n).iter().filter(|(_, e)| !e.down).map(|(_, e)| e.link.clone()).collect();
        if let (true, Some(link), Some(ip)) =
            (plan.asking && random.percent(25), random.pick(&links), random.pick(&all))
        {
            let line = format!("ip: {ip}, dev: {link}, proxy: true");
            plan.network.spaces[n].list("neighbours", line);
        }
    }
}

/// What is drawn of one link (or of `all`).
pub(super) fn of_link(space: &mut Space, link: &str, random: &mut Random) {
    for (name, chance, values) in SETTINGS {
        if random.percent(chance) {
            space.sysctl(format!("net/ipv4/conf/{link}/{name}"), random.one(values));
        }
    }
}
