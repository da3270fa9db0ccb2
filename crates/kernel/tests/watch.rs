//! What happens in namespaces is told as it happens.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

mod space;
mod watching;

use kernel::watch::Options;
use space::{Space, privileged};
use watching::{Bench, pair, wire};

#[test]
fn links_addresses_routes_and_rules() {
    privileged("links_addresses_routes_and_rules", || {
        let (a, b) = pair();
        wire(&a, &b);
        let mut bench = Bench::new(&[(&a, "h1"), (&b, "w1")], &Options::default());

        a.run_net("ip link set v0 down");
        let mut lines = bench.until("w1:eth0 lost its carrier");
        lines.sort();
        // The route of its subnet goes with it, of which the kernel says nothing.
        assert!(lines.contains(&"~ h1:v0 went down; peer w1:eth0".to_owned()), "{lines:?}");
        assert!(
            lines.contains(&"~ w1:eth0 lost its carrier; peer h1:v0 is down".to_owned()),
            "{lines:?}"
        );
        a.run_net("ip link set v0 up");
        bench.until("~ w1:eth0 got its carrier; peer h1:v0");
        b.run_net("ip addr add 10.0.0.3/24 dev eth0");
        bench.until("+ w1:eth0 got the address 10.0.0.3/24 secondary");
        b.run_net("ip addr del 10.0.0.3/24 dev eth0");
        bench.until("- w1:eth0 lost the address 10.0.0.3/24 secondary");
        b.run_net("ip route add default via 10.0.0.1");
        bench.until("+ w1: route appeared: default via 10.0.0.1 dev eth0");
        b.run_net("ip route replace default via 10.0.0.9");
        bench.tells(&[
            "~ w1: route changed: default via 10.0.0.1 dev eth0 → default via 10.0.0.9 dev eth0",
        ]);
        b.run_net("ip rule add from 10.0.0.2 lookup 7");
        bench.tells(&["+ w1: routing rule appeared: 32765: from 10.0.0.2 lookup 7"]);
        b.run_net("ip neigh add 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0");
        bench.tells(&[
            "+ w1: neighbour appeared: 10.0.0.77 is 02:00:00:00:00:77 (PERMANENT) on eth0",
        ]);
        b.run_net("echo 1 > /proc/sys/net/ipv4/ip_forward");
        bench.tells(&["~ w1: net.ipv4.ip_forward is 1, was 0"]);
        b.run_net("ip link set eth0 mtu 1400");
        bench.tells(&["~ w1:eth0 has mtu 1400, was 1500"]);
        a.run_net("ip link del v0");
        bench.until("- w1:eth0 vanished (veth, down)");
        bench.until("- w1: route vanished: 10.0.0.0/24 dev eth0");
    });
}

#[test]
fn rules_of_netfilter() {
    privileged("rules_of_netfilter", || {
        let (a, _b) = pair();
        // Whoever opens a watch before nf_tables is there hears nothing of it.
        a.run_net(
            "nft add table ip t; nft add chain ip t c '{ type filter hook input priority 0; }'",
        );
        let mut bench = Bench::new(&[(&a, "h2")], &Options::default());
        a.run_net("nft add rule ip t c ip saddr 10.0.0.1 drop");
        bench.tells(&["+ h2: rule appeared in ip t c: ip saddr 10.0.0.1 drop"]);
        a.run_net("nft flush chain ip t c");
        bench.tells(&["- h2: rule vanished in ip t c: ip saddr 10.0.0.1 drop"]);
        a.run_net("nft delete table ip t");
        bench.tells(&["- h2: table vanished: ip t, with 1 chain and 0 rules"]);
    });
}

#[test]
fn sets_of_netfilter() {
    privileged("sets_of_netfilter", || {
        let (a, _b) = pair();
        a.run_net("nft add table ip t; nft 'add set ip t s { type ipv4_addr; }'");
        let mut bench = Bench::new(&[(&a, "h6")], &Options::default());
        a.run_net("nft add element ip t s '{ 10.0.0.1 }'");
        bench.tells(&["~ h6: set changed in ip t: s + { 10.0.0.1 }"]);
        a.run_net("nft delete element ip t s '{ 10.0.0.1 }'");
        bench.tells(&["~ h6: set changed in ip t: s - { 10.0.0.1 }"]);
        a.run_net(
            "nft 'add map ip t m { type inet_service : verdict; elements = { 80 : drop }; }'",
        );
        bench.tells(&["+ h6: set appeared in ip t: m + { 80 : drop }"]);
        a.run_net("nft delete map ip t m");
        bench.until("- h6: set vanished in ip t: m");
    });
}

#[test]
fn filters_of_tc() {
    privileged("filters_of_tc", || {
        let (a, b) = pair();
        wire(&a, &b);
        let mut bench = Bench::new(&[(&a, "h7")], &Options::default());
        a.run_net("tc qdisc add dev v0 clsact");
        bench.tells(&["~ h7:v0 has a place for filters of tc now"]);
        let first = "ingress pref 10 protocol ip u32 match ip dst 10.0.0.2/32 action mirred egress mirror dev lo";
        let second = "ingress pref 20 protocol ip u32 match ip dst 10.0.0.3/32 action mirred egress redirect dev lo";
        for filter in [first, second] {
            a.run_net(&format!("tc filter add dev v0 {filter}"));
            bench.tells(&[&format!("~ h7:v0 has other filters of tc now; new: {filter}")]);
        }
        a.run_net("tc filter del dev v0 ingress pref 10");
        bench.tells(&[&format!("~ h7:v0 has other filters of tc now; gone: {first}")]);
        a.run_net("tc qdisc del dev v0 clsact");
        bench.tells(&["~ h7:v0 has not a place for filters of tc any more"]);
    });
}

#[test]
fn groups_of_bridges() {
    privileged("groups_of_bridges", || {
        let (a, b) = pair();
        wire(&a, &b);
        a.run_net("ip link add br0 type bridge mcast_snooping 1; ip link set v0 master br0; ip link set br0 up");
        let mut bench = Bench::new(&[(&a, "h8")], &Options::default());
        a.run_net("bridge mdb add dev br0 port v0 grp 239.1.1.1 permanent");
        bench.tells(&["+ h8: MDB entry appeared: br0: 239.1.1.1 is wanted behind v0 (permanent)"]);
        a.run_net("bridge mdb del dev br0 port v0 grp 239.1.1.1 permanent");
        bench.tells(&["- h8: MDB entry vanished: br0: 239.1.1.1 is wanted behind v0 (permanent)"]);
    });
}

#[test]
fn nexthop_objects() {
    privileged("nexthop_objects", || {
        let (a, b) = pair();
        wire(&a, &b);
        a.run_net("ip nexthop add id 7 via 10.0.0.2 dev v0; ip route add 10.9.0.0/24 nhid 7");
        let mut bench = Bench::new(&[(&a, "h9")], &Options::default());
        a.run_net("ip nexthop replace id 7 via 10.0.0.3 dev v0");
        bench.until("~ h9: route changed: 10.9.0.0/24");
    });
}

#[test]
fn a_namespace_is_born_gets_a_link_and_dies() {
    privileged("a_namespace_is_born_gets_a_link_and_dies", || {
        let (a, b) = pair();
        wire(&a, &b);
        let mut bench = Bench::new(&[(&a, "h3"), (&b, "w3")], &Options::default());
        let c = Space::new(&["--net"]);
        bench.names.borrow_mut().insert(c.id(), "c3".into());
        bench.until("+ c3 appeared (");

        b.run_net(&format!("ip link set eth0 netns {}", c.pid));
        let lines = bench.until("came from");
        assert_eq!(lines.last().unwrap(), "~ c3:eth0 came from w3:eth0 (veth, down); peer h3:v0");
        c.run_net("ip link set eth0 name inner up");
        bench.until("~ c3:inner is called so now; before, eth0");
        drop(c);
        // Its link is a pair's: it ends both.
        let mut lines = bench.until("- c3 is gone, with inner (veth)");
        if !lines.iter().any(|l| l.starts_with("- h3:v0 vanished")) {
            lines.extend(bench.until("- h3:v0 vanished"));
        }
    });
}

#[test]
fn what_was_lost_is_looked_up_anew() {
    privileged("what_was_lost_is_looked_up_anew", || {
        let (a, b) = pair();
        wire(&a, &b);
        let options = Options { buffer: Some(2048) };
        let mut bench = Bench::new(&[(&a, "h4"), (&b, "w4")], &options);
        let many: String = (0..200).map(|n| format!("addr add 10.4.{n}.1/24 dev eth0\n")).collect();
        b.run_net(&format!("ip -batch - <<X\n{many}X\n"));
        let lines = bench.until("+ w4:eth0 got the address 10.4.199.1/24");
        assert!(lines.iter().any(|l| l.contains("some were lost")), "{lines:?}");
        let held = |b: &Bench, s: &Space| b.watch.snapshot().namespaces[&s.id()].addresses.len();
        assert_eq!(held(&bench, &b), 202);
    });
}

#[test]
fn watching_allots_no_numbers() {
    privileged("watching_allots_no_numbers", || {
        let (a, b) = pair();
        wire(&a, &b);
        let numbers = || (a.run_net("ip netns list-id"), b.run_net("ip netns list-id"));
        let before = numbers();
        let mut bench = Bench::new(&[(&a, "h5"), (&b, "w5")], &Options::default());
        a.run_net("ip addr add 10.0.5.1/24 dev v0");
        bench.tells(&["+ h5:v0 got the address 10.0.5.1/24"]);
        assert_eq!(before, numbers());
    });
}
