//! Sysctls of IPv6.

use crate::network::Space;
use crate::random::Random;

/// What makes a case quick and alone, as of IPv4: errors are not counted, nothing is sent that
/// nobody asked for. (Reports of multicast groups are made once, when a link comes up: how long
/// after it they are said again.)
const QUIET: [(&str, u32); 14] = [
    ("net.ipv6.icmp.ratelimit", 0),
    ("net.ipv6.icmp.ratemask", 255),
    ("net.ipv6.conf.all.accept_ra", 0),
    ("net.ipv6.conf.default.accept_ra", 0),
    ("net.ipv6.conf.default.autoconf", 0),
    ("net.ipv6.conf.default.router_solicitations", 0),
    ("net.ipv6.conf.all.accept_redirects", 0),
    ("net.ipv6.conf.default.accept_redirects", 0),
    ("net.ipv6.conf.default.use_tempaddr", 0),
    ("net.ipv6.conf.default.dad_transmits", 0),
    ("net.ipv6.conf.default.mldv1_unsolicited_report_interval", 1_000_000_000),
    ("net.ipv6.conf.default.mldv2_unsolicited_report_interval", 1_000_000_000),
    ("net.ipv6.conf.default.ndisc_notify", 0),
    ("net.ipv6.conf.all.ndisc_notify", 0),
];

/// Neighbours are given up after one question, and not asked again on a slow machine; a proxy answers
/// at once.
const NEIGHBOUR: [(&str, u32); 5] = [
    ("mcast_solicit", 1),
    ("ucast_solicit", 1),
    ("retrans_time_ms", 100),
    ("delay_first_probe_time", 1000),
    ("proxy_delay", 0),
];

pub(super) fn settings(space: &mut Space, random: &mut Random) {
    space.sysctls.retain(|(key, _)| !key.ends_with("disable_ipv6"));
    for (key, value) in QUIET {
        space.sysctl(key, value);
    }
    let forward = random.percent(if space.links.len() > 1 { 85 } else { 25 });
    space.sysctl("net.ipv6.conf.all.forwarding", u8::from(forward));
    space.sysctl("net.bridge.bridge-nf-call-ip6tables", u8::from(random.percent(25)));
    if random.percent(4) {
        space.sysctl("net.ipv6.icmp.echo_ignore_all", 1);
    }
    if random.percent(40) {
        space.sysctl("net.ipv6.icmp.echo_ignore_multicast", 1);
    }
    if random.percent(6) {
        space.sysctl("net.ipv6.conf.default.hop_limit", random.one(&[2, 3, 30, 128]));
    }
    let links: Vec<String> = space.links.iter().map(|l| l.name.clone()).collect();
    for link in links.iter().filter(|l| *l != "lo") {
        for (key, value) in NEIGHBOUR {
            space.sysctl(format!("net/ipv6/neigh/{link}/{key}"), value);
        }
        if random.percent(4) {
            space.sysctl(format!("net/ipv6/conf/{link}/hop_limit"), random.one(&[2, 3, 30]));
        }
        if random.percent(3) {
            space.sysctl(format!("net/ipv6/conf/{link}/use_oif_addrs_only"), 1);
        }
        if random.percent(4) {
            space.sysctl(format!("net/ipv6/conf/{link}/forwarding"), u8::from(random.percent(50)));
        }
    }
}
