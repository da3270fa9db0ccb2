//! IPv6 on the real kernel: what a lab file says is made, and read as it was written.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

use std::process::ExitCode;

use kernel::Program;
use kernel::probe::Tag;
use oracle::{Bench, Rig};
use trial::test;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let Some(code) = kernel::role::play(&words) {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    trial::main(vec![test("a_lab_of_ipv6_is_read_as_it_was_written", &[], lab_is_read)])
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
