//! The test's text is what these commands left, in a fresh namespace of Linux 6.18:
//!
//! ```text
//! ip link set lo up; ip link add name a type veth peer name b; ip link set dev a up; ip link set dev b up
//! ip link add off0 type bridge; ip addr add 10.0.0.1/24 dev a; ip addr add 10.9.9.9/32 dev lo
//! ip addr add fd00::1/64 dev b nodad; ip route add default via 10.0.0.254 metric 7
//! ip route add blackhole 10.7.0.0/16; ip route add 10.8.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.0.3
//! ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev a nud permanent
//! ip neigh add 10.0.0.8 lladdr 02:00:00:00:00:08 dev a nud stale; ip neigh add proxy 10.0.0.9 dev a
//! cat /proc/self/net/{dev,dev_mcast,igmp,if_inet6,fib_trie,route,arp}
//! ```

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]
#![cfg(target_endian = "little")]

use insta::assert_snapshot;
use wire::proc_net::{Texts, told};

const DEV: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
     b:      90       1    0    0    0     0          0         0      200       2    0    0    0     0       0          0
     a:     200       2    0    0    0     0          0         0       90       1    0    0    0     0       0          0
  off0:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
";

const DEV_MCAST: &str = "\
2    b               1     0     333300000001
2    b               1     0     01005e000001
2    b               1     0     3333ff0a27b5
2    b               1     0     3333ff000001
3    a               1     0     333300000001
3    a               1     0     01005e000001
3    a               1     0     3333ff4c8a95
4    off0            1     0     333300000001
";

const IGMP: &str = "\
Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter
1\tlo        :     1      V3
\t\t\t\t010000E0     1 0:00000000\t\t0
2\tb         :     1      V3
\t\t\t\t010000E0     1 0:00000000\t\t0
3\ta         :     1      V3
\t\t\t\t010000E0     1 0:00000000\t\t0
";

const IF_INET6: &str = "\
fe80000000000000d0fabbfffe4c8a95 03 40 20 c0        a
00000000000000000000000000000001 01 80 10 80       lo
fd000000000000000000000000000001 02 40 00 82        b
fe80000000000000dce3ddfffe0a27b5 02 40 20 c0        b
";

const FIB_TRIE: &str = "\
Local:
  +-- 0.0.0.0/1 2 0 2
     +-- 0.0.0.0/4 2 0 2
        |-- 0.0.0.0
           /0 universe UNICAST
        +-- 10.0.0.0/12 2 0 1
           +-- 10.0.0.0/24 2 0 2
              +-- 10.0.0.0/31 1 0 0
                 |-- 10.0.0.0
                    /24 link UNICAST
                 |-- 10.0.0.1
                    /32 host LOCAL
              |-- 10.0.0.255
                 /32 link BROADCAST
           |-- 10.7.0.0
              /16 universe BLACKHOLE
           +-- 10.8.0.0/15 2 0 2
              |-- 10.8.0.0
                 /16 universe UNICAST
              |-- 10.9.9.9
                 /32 host LOCAL
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
";

const ROUTE: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
a\t00000000\tFE00000A\t0003\t0\t0\t7\t00000000\t0\t0\t0
a\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
*\t0000070A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
a\t0000080A\t0200000A\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0
";

const ARP: &str = "\
IP address       HW type     Flags       HW address            Mask     Device
10.0.0.8         0x1         0x2         02:00:00:00:00:08     *        a
10.0.0.7         0x1         0x6         02:00:00:00:00:07     *        a
10.0.0.9         0x1         0xc         00:00:00:00:00:00     *        a
";

fn texts() -> Texts {
    let [dev, dev_mcast, igmp, if_inet6, fib_trie, route, arp] =
        [DEV, DEV_MCAST, IGMP, IF_INET6, FIB_TRIE, ROUTE, ARP].map(str::to_owned);
    Texts { dev, dev_mcast, igmp, if_inet6, fib_trie, route, arp }
}

/// A line for each thing that is told.
fn check(texts: &Texts) -> String {
    let told = told(texts);
    let mut lines = Vec::new();
    for l in &told.links {
        lines.push(format!("link {} {} {} up {}", l.index, l.name, l.kind.as_str(), l.is_up()));
    }
    for a in &told.addresses {
        lines.push(format!("address {} link {} {:?}", a.net, a.link, a.scope));
    }
    for r in &told.routes {
        let hops: Vec<_> = r.nexthops.iter().map(|h| (h.gateway, h.link)).collect();
        lines.push(format!("route {} {:?} metric {} {hops:?}", r.dst, r.kind, r.metric));
    }
    for n in &told.neighbours {
        let state = n.state.as_str();
        lines.push(format!(
            "neighbour {} link {} {:?} {state} proxy {}",
            n.ip, n.link, n.mac, n.proxy
        ));
    }
    for lack in [told.links_lack, told.addresses_lack] {
        lines.push(lack);
    }
    lines.join("\n")
}

#[test]
fn what_the_files_tell() {
    assert_snapshot!(check(&texts()), @r"
    link 3 a unknown up true
    link 2 b unknown up true
    link 1 lo loopback up true
    link 4 off0 unknown up false
    address 10.0.0.1/24 link 3 Global
    address 127.0.0.1/8 link 1 Host
    address fe80::d0fa:bbff:fe4c:8a95/64 link 3 Link
    address ::1/128 link 1 Host
    address fd00::1/64 link 2 Global
    address fe80::dce3:ddff:fe0a:27b5/64 link 2 Link
    route 0.0.0.0/0 Unicast metric 7 [(Some(10.0.0.254), 3)]
    route 10.0.0.0/24 Unicast metric 0 [(None, 3)]
    route 10.7.0.0/16 Other(0) metric 0 []
    route 10.8.0.0/16 Unicast metric 0 [(Some(10.0.0.2), 3)]
    neighbour 10.0.0.8 link 3 Some(Mac([2, 0, 0, 0, 0, 8])) STALE proxy false
    neighbour 10.0.0.7 link 3 Some(Mac([2, 0, 0, 0, 0, 7])) PERMANENT proxy false
    neighbour 10.0.0.9 link 3 None PERMANENT proxy true
    only their names and which are up are told
    whose link an IPv4 address is on is not told, only the route around it; local too, and on no link that is told: 10.9.9.9
    ");
}

#[test]
fn what_a_kernel_without_multicast_does_not_tell() {
    let texts = Texts { dev_mcast: String::new(), igmp: String::new(), ..texts() };
    let lack = told(&texts).links_lack;
    assert_snapshot!(lack, @"only their names and which are up are told; not the ifindex of off0");
}

#[test]
fn a_long_name_in_igmp() {
    let igmp = "Idx\tDevice    : Count Querier\n9\tbr-bf98c0407bcf:     1      V3\n".to_owned();
    let links = told(&Texts { igmp, ..Texts::default() }).links;
    assert_eq!((links[0].index, links[0].name.as_str()), (9, "br-bf98c0407bcf"));
}

#[test]
fn nonsense_tells_nothing() {
    for text in
        ["", "\n\n:", "a b c\n\t\t|-- x\n", "1 2 3 4 5 6 7 8 9 0\nZZ ZZ ZZ ZZ ZZ ZZ ZZ ZZ ZZ"]
    {
        let all = || text.to_owned();
        let texts = Texts {
            dev: all(),
            dev_mcast: all(),
            igmp: all(),
            if_inet6: all(),
            fib_trie: all(),
            route: all(),
            arp: all(),
        };
        let told = told(&texts);
        assert_eq!(
            (told.addresses, told.routes, told.neighbours),
            (vec![], vec![], vec![]),
            "{text}"
        );
    }
}
