//! IPv6 on the real kernel: what a lab file says is made, and read as it was written.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

use std::process::ExitCode;

use kernel::Program;
use kernel::probe::Tag;
use oracle::{Bench, Rig};
use trial::test;
use walk::Leg;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let Some(code) = kernel::role::play(&words) {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    trial::main(vec![
        test("a_lab_of_ipv6_is_read_as_it_was_written", &[], lab_is_read),
        test("a_packet_of_ipv6_its_answer_and_its_error_are_seen", &[], packets_are_seen),
    ])
}

/// A router between two, with all that a file may say of IPv6.
const LAB: &str = r#"
name: six
namespaces:
  a:
    links:
      eth0: {kind: veth, peer: "r:left", addresses: ["2001:db8:1::2/64", "fe80::a/64"]}
    routes:
      - {to: default, via: "fe80::1", dev: eth0}
      - {to: "2001:db8:2::7", via: "2001:db8:1::1", src: "2001:db8:1::2", metric: 5}
      - {to: "2001:db8:66::/48", type: unreachable}
      - {to: "2001:db8:67::/48", type: blackhole, metric: 9}
      - {to: "2001:db8:68::/48", type: throw, table: 100}
      - {to: "2001:db8:69::/48", type: prohibit, table: 1000}
      - {to: "2001:db8:6a::/48", via: "2001:db8:99::1", dev: eth0, onlink: true}
    rules6:
      - {pref: 100, from: "2001:db8:1::/64", fwmark: 1/3, table: 100}
      - {pref: 110, to: "2001:db8:9::1", ipproto: ipv6-icmp, not: true, table: main, suppress_prefixlength: 64}
      - {pref: 120, iif: eth0, ipproto: udp, dport: 53-54, tos: 16, type: unreachable}
      - {pref: 130, oif: lo, goto: 32766}
    rules:
      - {pref: 100, from: 10.0.0.0/8, type: prohibit}
    sysctls: {net.ipv6.conf.eth0.hop_limit: 9, net.ipv6.conf.all.accept_ra: 0}
    services: {tcp: [80], udp_echo: [7]}
  r:
    links:
      left: {addresses: ["2001:db8:1::1/64", "fe80::1/64", "10.0.0.1/24"]}
      right: {kind: veth, peer: "b:eth0", addresses: ["2001:db8:2::1/64 noprefixroute", "2001:db8:3::1/128"]}
      lo: {addresses: ["2001:db8:aa::1/128"]}
    neighbours:
      - {ip: "2001:db8:2::2", dev: right, mac: "02:00:00:00:00:99"}
      - {ip: "2001:db8:1::2", dev: left}
    sysctls: {net.ipv6.conf.all.forwarding: 1, net.ipv6.conf.left.proxy_ndp: 1}
    iptables:
      filter:
        FORWARD: [-i left -j DROP]
    ip6tables:
      filter:
        FORWARD: {policy: DROP, rules: ["-s 2001:db8:1::/64 -p tcp --dport 80 -j ACCEPT", -j REJECT]}
        INPUT: ["-p ipv6-icmp --icmpv6-type echo-request -j DROP", "-p tcp -j REJECT --reject-with tcp-reset"]
      nat:
        PREROUTING: ["-p tcp --dport 81 -j DNAT --to-destination [2001:db8:2::2]:80", "-p udp --dport 9 -j REDIRECT --to-ports 7"]
        POSTROUTING: ["-o right -j MASQUERADE", "-o left -j SNAT --to-source 2001:db8:1::1"]
  b:
    links:
      eth0: {addresses: ["2001:db8:2::2/64"], up: false}
    sysctls: {net.ipv6.conf.all.disable_ipv6: 0}
"#;

fn lab_is_read() {
    let folder = std::env::temp_dir().join(format!("oracle-ipv6-{}", std::process::id()));
    let bench = Bench::new(Program::current().unwrap(), &folder).unwrap();
    let rig = Rig::build(&bench, LAB, Tag([0x5a, 6, 6, 0, 6, 6, 6, 6]));
    assert_eq!(rig.err(), None);
}

/// Two routers in a row.
const WAY: &str = r#"
name: way
namespaces:
  a:
    links:
      eth0: {kind: veth, peer: "r:left", addresses: ["2001:db8:1::2/64"]}
    routes: [{to: default, via: "2001:db8:1::1"}]
    sysctls: {net.ipv6.icmp.ratelimit: 0}
  r:
    links:
      left: {addresses: ["2001:db8:1::1/64"]}
      right: {kind: veth, peer: "b:eth0", addresses: ["2001:db8:2::1/64"], mtu: 1280}
    routes: [{to: "2001:db8:9::/64", type: prohibit}]
    sysctls: {net.ipv6.conf.all.forwarding: 1, net.ipv6.icmp.ratelimit: 0}
  b:
    links:
      eth0: {addresses: ["2001:db8:2::2/64"]}
    routes: [{to: default, via: "2001:db8:2::1"}]
    services: {tcp: [80], udp_echo: [7]}
"#;

/// Each packet: how often it, its answer and errors about it are seen, and whether its sender's
/// socket gets the answer.
fn packets_are_seen() {
    let folder = std::env::temp_dir().join(format!("oracle-way6-{}", std::process::id()));
    let bench = Bench::new(Program::current().unwrap(), &folder).unwrap();
    let mut rig = Rig::build(&bench, WAY, Tag([0x5a, 6, 6, 0, 6, 6, 6, 7]))
        .map_err(|t| format!("{t:?}"))
        .unwrap();
    for (n, (packet, there, back, errors, received)) in [
        ("a -> 2001:db8:2::2 icmp 7 len 104 ttl 64", 4, 4, 0, true),
        ("a -> 2001:db8:2::2 udp 1000>7 len 104 ttl 9 tos 8", 4, 4, 0, true),
        ("a -> 2001:db8:2::2 tcp 1000>80 len 64 ttl 64", 4, 4, 0, true),
        ("a -> 2001:db8:2::2 tcp 1000>81 len 64 ttl 64", 4, 4, 0, true),
        ("a -> 2001:db8:2::2 udp 1000>9 len 104 ttl 64", 4, 0, 4, false),
        ("a -> 2001:db8:2::2 icmp 7 len 104 ttl 1", 2, 0, 2, false),
        ("a -> 2001:db8:9::2 udp 1000>9 len 104 ttl 64", 2, 0, 2, false),
        ("a -> 2001:db8:1::1 icmp 7 len 3000 ttl 64", 2, 2, 0, true),
    ]
    .into_iter()
    .enumerate()
    {
        let spec = packet.parse().unwrap();
        let seen = rig.send(&spec, oracle::member(n), there + back + errors).unwrap();
        let count = |leg| seen.sightings.iter().filter(|s| s.leg == leg).count();
        let counts = (count(Leg::There), count(Leg::Back), count(Leg::Error), seen.received);
        assert_eq!(counts, (there, back, errors, received), "{packet}: {seen:#?}");
        // As root the kernel says what it threw away.
        if let Some(dropped) = seen.dropped.filter(|_| errors > 0) {
            assert!(dropped.iter().any(|d| d.leg == Leg::There), "{packet}: {dropped:?}");
        }
        let last = seen.sightings.last().unwrap();
        assert!(last.packet.src.is_ipv6() && last.packet.dst_mac.is_some());
    }
}
