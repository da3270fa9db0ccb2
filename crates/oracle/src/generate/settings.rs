//! Sysctls, flags and what else is set.

use super::{Plan, arp, bridge, many};
use crate::network::Space;
use crate::random::Random;

/// What makes a case quick and alone: errors are not counted, neighbours given up at once, nothing
/// is sent that nobody asked for. What decides where a packet goes is set only where nothing else set
/// it: what the host's own defaults are is not a case's business.
const QUIET: [(&str, u32); 16] = [
    ("net.ipv4.ip_forward", 0),
    ("net.ipv4.conf.all.rp_filter", 0),
    ("net.ipv4.conf.default.rp_filter", 0),
    ("net.ipv4.conf.all.send_redirects", 0),
    ("net.ipv4.conf.default.send_redirects", 0),
    ("net.bridge.bridge-nf-call-iptables", 0),
    ("net.ipv4.icmp_ratemask", 0),
    ("net.ipv6.icmp.ratelimit", 0),
    ("net.ipv6.icmp.ratemask", 255),
    ("net.ipv4.conf.all.accept_redirects", 0),
    ("net.ipv4.conf.default.accept_redirects", 0),
    ("net.ipv4.igmp_link_local_mcast_reports", 0),
    ("net.ipv4.tcp_synack_retries", 0),
    ("net.ipv6.conf.all.disable_ipv6", 1),
    ("net.ipv6.conf.default.disable_ipv6", 1),
    ("net.ipv4.conf.all.log_martians", 0),
];

/// The same of each link's neighbours: given up after one question, and never changed by what is
/// overheard, which would depend on how long ago they answered (locktime).
const NEIGHBOUR: [(&str, u32); 6] = [
    ("mcast_solicit", 1),
    ("ucast_solicit", 1),
    ("retrans_time_ms", 100),
    ("locktime", 100_000),
    // Nor asked again on a slow machine, where five seconds may pass.
    ("delay_first_probe_time", 1000),
    // A proxy takes its time else, up to 0.8 s, by chance.
    ("proxy_delay", 0),
];

pub(super) fn settings(plan: &mut Plan, random: &mut Random) {
    for n in 0..plan.network.spaces.len() {
        let routes = plan.ends_of(n).len() > 1;
        let (filtering, asking) = (bridge::filtering(plan, random), plan.asking);
        let space = &mut plan.network.spaces[n];
        let forward = random.percent(if routes { 85 } else { 30 });
        space.sysctl("net.ipv4.ip_forward", u8::from(forward));
        let rp_filter = random.one(&[0, 0, 0, 1, 2]);
        space.sysctl("net.ipv4.conf.all.rp_filter", rp_filter);
        space.sysctl("net.ipv4.conf.default.rp_filter", random.one(&[0, 0, 0, 1, 2]));
        space.sysctl("net.bridge.bridge-nf-call-iptables", filtering);
        space.sysctl("net.ipv4.icmp_echo_ignore_broadcasts", many::ignores(random));
        if random.percent(5) {
            space.sysctl("net.ipv4.icmp_echo_ignore_all", 1);
        }
        if random.percent(5) {
            space.sysctl("net.ipv4.ip_default_ttl", random.one(&[2, 3, 30, 128]));
        }
        for link in links_of(space) {
            of_link(space, &link, random);
            if asking {
                arp::of_link(space, &link, random);
            }
        }
        if asking && random.percent(20) {
            arp::of_link(space, "all", random);
        }
        if random.percent(50) {
            space.tcp.push(80);
        }
        if random.percent(50) {
            space.udp.push(7);
        }
        quiet(space);
    }
    mtus_and_queues(plan, random);
}

/// Sets what makes a case quick and alone, and leaves to the host's defaults what decides nothing;
/// what is set already stays.
pub(super) fn quiet(space: &mut Space) {
    for (key, value) in QUIET {
        space.sysctl(key, value);
    }
    for link in links_of(space) {
        for (key, value) in NEIGHBOUR {
            space.sysctl(format!("net/ipv4/neigh/{link}/{key}"), value);
        }
    }
}

fn links_of(space: &Space) -> Vec<String> {
    space.links.iter().map(|l| l.name.clone()).filter(|name| name != "lo").collect()
}

fn of_link(space: &mut Space, link: &str, random: &mut Random) {
    let conf = |name: &str| format!("net/ipv4/conf/{link}/{name}");
    if random.percent(4) {
        space.sysctl(conf("forwarding"), u8::from(random.percent(50)));
    }
    if random.percent(6) {
        space.sysctl(conf("rp_filter"), random.one(&[0, 1, 2]));
    }
    for (name, chance) in [("accept_local", 5), ("route_localnet", 4), ("src_valid_mark", 8)] {
        if random.percent(chance) {
            space.sysctl(conf(name), 1);
        }
    }
}

fn mtus_and_queues(plan: &mut Plan, random: &mut Random) {
    let sizes: &[u32] = if plan.overlaid { &[1400, 9000] } else { &[1400, 1280, 600, 9000] };
    for space in &mut plan.network.spaces {
        let own = |l: &&mut crate::network::Link| {
            // One that stands on another takes that one's, which none may exceed.
            l.name != "lo" && !l.options.iter().any(|(key, _)| key == "lower" || key == "vni")
        };
        for link in space.links.iter_mut().filter(own) {
            if random.percent(8) {
                link.set("mtu", random.one(sizes));
            }
            if random.percent(1) {
                let queues = ["blackhole", "pfifo limit 0", "bfifo limit 600", "bfifo limit 100"];
                link.set("queue", format!("{:?}", random.one(&queues)));
            }
        }
    }
}
