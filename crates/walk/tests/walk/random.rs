//! The seed's network, broken at random: a walk always ends, and says so twice the same.

use proptest::prelude::*;

use crate::net::net;
use crate::seed::{PUBLISHED, SEED};
use crate::{ask, tell};

/// Lines that can be left out without others losing their meaning.
fn optional(line: &str) -> bool {
    ["port", "addr", "route", "neigh", "fdb"].iter().any(|w| line.starts_with(w))
        || (line.starts_with("iptables") && !line.contains("-N"))
}

const FAULTS: [&str; 14] = [
    "set pve1:veth111i0 up 0",
    "set docker01:docker0 up 0",
    "set docker01:eth0 carrier 0",
    "set docker01:eth0 forwarding 0",
    "set docker01:docker0 forwarding 0",
    "set docker01 rp_filter 1",
    "set pve1:fwbr111i0 nf_call 1",
    "set pve1:fwln111i0 mtu 1000",
    "iptables docker01 -P INPUT DROP",
    "iptables pve1 -P FORWARD DROP",
    "neigh docker01:eth0 192.168.10.1",
    "route docker01 192.168.10.0/24 via 172.17.0.2 dev docker0",
    // A loop of two bridges.
    "veth pve1:loop0 pve1:loop1\nport pve1:loop0 vmbr0\nport pve1:loop1 fwbr111i0",
    "set alpine01:eth0 proxy_arp 1",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_walk_ends(
        left_out in prop::collection::vec(0_usize..60, 0..6),
        faults in prop::sample::subsequence(FAULTS.to_vec(), 0..4),
        from in prop::sample::select(vec!["alpine01", "docker01", "pve1", "pve1:enp1s0"]),
        to in prop::sample::select(vec![
            "203.0.113.10", "172.17.0.2", "192.168.10.103:8080", "192.168.10.41", "127.0.0.1",
        ]),
    ) {
        let text = format!("{SEED}{PUBLISHED}");
        let optional_lines = text.lines().filter(|l| optional(l)).collect::<Vec<_>>();
        let gone: Vec<&str> =
            left_out.iter().filter_map(|i| optional_lines.get(*i).copied()).collect();
        let mut lines: Vec<&str> = text.lines().filter(|l| !gone.contains(l)).collect();
        lines.extend(faults);
        let snapshot = net(&lines.join("\n"));
        let trace = ask(&snapshot, from, to);
        prop_assert_eq!(&trace, &ask(&snapshot, from, to));
        prop_assert!(tell::trace(&snapshot, &trace).len() < 4_000_000);
    }
}
