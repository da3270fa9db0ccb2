//! A fixture for each form. Captured with Debian 12's tools (iproute2 6.1, busybox 1.35, iptables
//! 1.8.9, nft 1.0.6) in a fresh network namespace, unless it says otherwise.

use insta::assert_snapshot;
use model::RouteMetrics;

use crate::{only, read, section};

const LINK: &str = "\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
2: br0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000
    link/ether 06:61:a0:3e:50:49 brd ff:ff:ff:ff:ff:ff
3: v1@v0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000
    link/ether 8a:07:1e:83:96:bc brd ff:ff:ff:ff:ff:ff
    altname other
4: v0@v1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br0 state UP mode DEFAULT group default qlen 1000
    link/ether 06:61:a0:3e:50:49 brd ff:ff:ff:ff:ff:ff
5: mv0@br0: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 1000
    link/ether 16:93:23:13:c8:0e brd ff:ff:ff:ff:ff:ff
6: eno1: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc mq state DOWN mode DEFAULT group default qlen 1000
    link/ether 3a:e5:ab:36:b9:17 brd ff:ff:ff:ff:ff:ff
";

#[test]
fn ip_link() {
    assert_snapshot!(section(&[("ip-link.txt", LINK)], "links"), @r"
    1: lo
       up, loopback, mtu 65536, state UNKNOWN, qdisc noqueue
    2: br0
       up, bridge, ports v0, 06:61:a0:3e:50:49, mtu 1500, state UP, qdisc noqueue
       L2 only
    3: v1 ⇄ unseen:0:v0, a port of br0
       up, veth, 8a:07:1e:83:96:bc, mtu 1500, also other, state UP, qdisc noqueue
    4: v0 ⇄ unseen:0:v1
       up, veth, port of br0, 06:61:a0:3e:50:49, mtu 1500, state UP, qdisc noqueue
    5: mv0 on unseen:0:br0
       down, kind not shown, 16:93:23:13:c8:0e, mtu 1500, state DOWN, qdisc noop
    6: eno1
       no carrier, physical, 3a:e5:ab:36:b9:17, mtu 1500, state DOWN, qdisc mq
    ");
}

/// The same, with what only -d tells.
#[test]
fn ip_d_link() {
    let text = "\
2: br0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000
    link/ether 06:61:a0:3e:50:49 brd ff:ff:ff:ff:ff:ff promiscuity 0  allmulti 0 minmtu 68 maxmtu 65535 
    bridge forward_delay 1500 hello_time 200 max_age 2000 ageing_time 30000 stp_state 0 vlan_filtering 1 bridge_id 8000.6:61:a0:3e:50:49 mcast_snooping 1 nf_call_iptables 0 addrgenmode eui64 numtxqueues 1
4: v0@v1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br0 state UP mode DEFAULT group default qlen 1000
    link/ether 06:61:a0:3e:50:49 brd ff:ff:ff:ff:ff:ff promiscuity 1  allmulti 1 minmtu 68 maxmtu 65535 
    veth 
    bridge_slave state forwarding priority 32 cost 2 hairpin on guard off learning on flood on isolated on locked off addrgenmode eui64
5: mv0@br0: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 1000
    link/ether 16:93:23:13:c8:0e brd ff:ff:ff:ff:ff:ff promiscuity 0  allmulti 0 minmtu 68 maxmtu 65535 
    macvlan mode bridge bcqueuelen 1000 usedbcqueuelen 1000 addrgenmode eui64
6: vx0: <BROADCAST,MULTICAST> mtu 1450 qdisc noop state DOWN mode DEFAULT group default qlen 1000
    link/ether 3a:e5:ab:36:b9:17 brd ff:ff:ff:ff:ff:ff promiscuity 0  allmulti 0 minmtu 68 maxmtu 65535 
    vxlan id 42 remote 10.1.2.9 dev br0 srcport 0 0 dstport 4789 ttl auto ageing 300 udpcsum addrgenmode eui64
";
    // What tells less is there, too, and does not count.
    let files = [("a/ip-d-link.txt", text), ("a/ip-link.txt", LINK)];
    assert_snapshot!(section(&files, "links"), @r"
    1: lo
       up, loopback, mtu 65536, state UNKNOWN, qdisc noqueue
    2: br0
       up, bridge, ports v0, VLAN filtering, 06:61:a0:3e:50:49, mtu 1500, state UP, qdisc noqueue
       L2 only
    3: v1 ⇄ a:v0, a port of br0
       up, veth, 8a:07:1e:83:96:bc, mtu 1500, also other, state UP, qdisc noqueue
    4: v0 ⇄ a:v1
       up, veth, port of br0, hairpin, isolated, 06:61:a0:3e:50:49, mtu 1500, state UP, qdisc noqueue
    5: mv0 on a:br0
       down, macvlan, mode bridge, 16:93:23:13:c8:0e, mtu 1500, state DOWN, qdisc noop
    6: vx0 on a:br0
       down, vxlan 42 remote 10.1.2.9 port 4789, 3a:e5:ab:36:b9:17, mtu 1450, state DOWN, qdisc noop
    ");
}

#[test]
fn ip_j_d_link_is_as_ip_d_link() {
    let json = r#"[{"ifindex":2,"ifname":"br0","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","operstate":"UP","group":"default","txqlen":1000,"link_type":"ether","address":"06:61:a0:3e:50:49","promiscuity":0,"linkinfo":{"info_kind":"bridge","info_data":{"forward_delay":1500,"ageing_time":30000,"stp_state":0,"vlan_filtering":1,"mcast_snooping":1,"nf_call_iptables":0}}},{"ifindex":4,"link_index":9,"link_netnsid":0,"ifname":"v0","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","master":"br0","operstate":"UP","group":"default","txqlen":1000,"link_type":"ether","address":"06:61:a0:3e:50:49","promiscuity":1,"linkinfo":{"info_kind":"veth","info_slave_kind":"bridge","info_slave_data":{"state":"forwarding","hairpin":true,"learning":true,"flood":true,"isolated":true,"locked":false}}}]"#;
    let text = "\
2: br0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000
    link/ether 06:61:a0:3e:50:49 brd ff:ff:ff:ff:ff:ff promiscuity 0
    bridge forward_delay 1500 ageing_time 30000 stp_state 0 vlan_filtering 1 mcast_snooping 1 nf_call_iptables 0
4: v0@if9: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br0 state UP mode DEFAULT group default qlen 1000
    link/ether 06:61:a0:3e:50:49 brd ff:ff:ff:ff:ff:ff link-netnsid 0 promiscuity 1
    veth
    bridge_slave state forwarding hairpin on learning on flood on isolated on locked off
";
    let (json, text) = (read(&[("ip-j-d-link", json)]), read(&[("ip -d link", text)]));
    assert_eq!(only(&json).links, only(&text).links);
    assert_eq!((json.warnings, text.warnings), (vec![], vec![]));
}

#[test]
fn busybox_and_brief() {
    let busybox = "\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
    inet6 ::1/128 scope host 
       valid_lft forever preferred_lft forever
2: br0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue qlen 1000
    link/ether 1e:b3:6e:a3:03:af brd ff:ff:ff:ff:ff:ff
    inet 10.1.2.1/24 scope global br0
       valid_lft forever preferred_lft forever
    inet6 fe80::1cb3:6eff:fea3:3af/64 scope link tentative 
       valid_lft forever preferred_lft forever
";
    assert_snapshot!(section(&[("busybox-ip-addr.txt", busybox)], "links"), @r"
    1: lo
       up, loopback, mtu 65536, state UNKNOWN, qdisc noqueue
       127.0.0.1/8 scope host
       ::1/128 scope host
    2: br0
       up, kind not shown, 1e:b3:6e:a3:03:af, mtu 1500, state UNKNOWN, qdisc noqueue
       10.1.2.1/24
       fe80::1cb3:6eff:fea3:3af/64 scope link tentative
    ");
    let brief = "\
lo               UNKNOWN        127.0.0.1/8 ::1/128 
eth0@if53        UP             192.0.2.103/24 metric 100 fe80::461:a0ff:fe3e:5049/64 
eth1             DOWN           
";
    assert_snapshot!(section(&[("ip-br-addr.txt", brief)], "links"), @r"
    1: lo
       up, loopback, mtu 65536, state UNKNOWN, qdisc
       127.0.0.1/8 scope host
       ::1/128 scope host
    2: eth0 ⇄ a link in a namespace that is not visible (nsid -1)
       up, kind not shown, mtu 1500, state UP, qdisc
       192.0.2.103/24
       fe80::461:a0ff:fe3e:5049/64 scope link
    3: eth1
       down, kind not shown, mtu 1500, state DOWN, qdisc
    ");
}

#[test]
fn ip_addr() {
    let text = "\
2: br0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether 06:61:a0:3e:50:49 brd ff:ff:ff:ff:ff:ff
    inet 10.1.2.1/24 brd 10.1.2.255 scope global br0
       valid_lft forever preferred_lft forever
    inet 10.1.2.2/24 scope global secondary br0:1
       valid_lft forever preferred_lft forever
    inet 10.9.0.1 peer 10.9.0.2/32 scope link br0
       valid_lft forever preferred_lft forever
";
    let oneline = "\
2: br0    inet 10.1.2.1/24 brd 10.1.2.255 scope global br0\\       valid_lft forever preferred_lft forever
2: br0    inet 10.1.2.2/24 scope global secondary br0:1\\       valid_lft forever preferred_lft forever
2: br0    inet 10.9.0.1 peer 10.9.0.2/32 scope link br0\\       valid_lft forever preferred_lft forever
";
    let json = r#"[{"ifindex":2,"ifname":"br0","flags":["BROADCAST","UP"],"mtu":1500,"addr_info":[{"family":"inet","local":"10.1.2.1","prefixlen":24,"broadcast":"10.1.2.255","scope":"global","label":"br0"},{"family":"inet","local":"10.1.2.2","prefixlen":24,"scope":"global","secondary":true,"label":"br0:1"},{"family":"inet","local":"10.9.0.1","address":"10.9.0.2","prefixlen":32,"scope":"link","label":"br0"}]}]"#;
    let link = ("ip-link", "2: br0: <UP> mtu 1500\n");
    let all = [("ip-addr", text), ("ip-o-addr", oneline), ("ip-j-addr", json)];
    let [text, oneline, json] = all.map(|file| only(&read(&[link, file])).addresses.clone());
    assert_eq!(text.len(), 3);
    assert_eq!((&text, &text), (&oneline, &json));
}

const ROUTES: &str = "\
default via 10.1.2.9 dev br0 
10.1.2.0/24 dev br0 proto kernel scope link src 10.1.2.1 
blackhole 10.8.0.0/16 
10.9.0.0/16 
	nexthop via 10.1.2.3 dev br0 weight 1 
	nexthop via 10.1.2.4 dev br0 weight 2 
10.5.0.0/16 via 10.1.2.3 dev br0 proto static metric 100 mtu 1400 advmss 1200 hoplimit 9 onlink
10.6.0.1 dev br0 table 100 scope link
local 10.1.2.1 dev br0 table local proto kernel scope host src 10.1.2.1 
fe80::/64 dev br0 proto kernel metric 256 pref medium
";

#[test]
fn ip_route() {
    let link = ("ip-link", "2: br0: <UP> mtu 1500\n");
    assert_snapshot!(section(&[link, ("ip route show table all", ROUTES)], "routes"), @r"
    10.6.0.1 dev br0 scope link
    default via 10.1.2.9 dev br0
    10.1.2.0/24 dev br0 proto kernel scope link src 10.1.2.1
    blackhole 10.8.0.0/16
    10.9.0.0/16 nexthop via 10.1.2.3 dev br0 weight 1 nexthop via 10.1.2.4 dev br0 weight 2
    10.5.0.0/16 via 10.1.2.3 dev br0 onlink proto static metric 100 mtu 1400 advmss 1200 hoplimit 9
    fe80::/64 dev br0 proto kernel metric 256
    local 10.1.2.1 dev br0 proto kernel src 10.1.2.1
    ");
    let json = r#"[{"dst":"default","gateway":"10.1.2.9","dev":"br0","flags":[]},{"dst":"10.1.2.0/24","dev":"br0","protocol":"kernel","scope":"link","prefsrc":"10.1.2.1","flags":[]},{"type":"blackhole","dst":"10.8.0.0/16","flags":[]},{"dst":"10.9.0.0/16","flags":[],"nexthops":[{"gateway":"10.1.2.3","dev":"br0","weight":1,"flags":[]},{"gateway":"10.1.2.4","dev":"br0","weight":2,"flags":[]}]},{"dst":"10.5.0.0/16","gateway":"10.1.2.3","dev":"br0","protocol":"static","metric":100,"flags":["onlink"],"metrics":[{"mtu":1400,"advmss":1200,"hoplimit":9}]},{"dst":"10.6.0.1","dev":"br0","table":"100","scope":"link","flags":[]},{"type":"local","dst":"10.1.2.1","dev":"br0","table":"local","protocol":"kernel","scope":"host","prefsrc":"10.1.2.1","flags":[]},{"dst":"fe80::/64","dev":"br0","protocol":"kernel","metric":256,"flags":[],"pref":"medium"}]"#;
    let read = |name, text| only(&read(&[link, (name, text)])).routes.clone();
    assert_eq!(read("ip-j-route-show-table-all", json), read("ip-route-show-table-all", ROUTES));
    let locked = read("ip-route-show-dev-br0", "10.5.0.0/16 via 10.1.2.3 mtu lock 1300 \n");
    let RouteMetrics { mtu, mtu_locked, .. } = locked[0].metrics;
    assert_eq!((mtu, mtu_locked), (Some(1300), true));
    // Asked for one link, `ip` leaves its name out of every line.
    let part = read("ip-route-show-dev-br0", "default via 10.1.2.9 \n");
    assert_eq!(part[0].nexthops[0].link, 2);
}

#[test]
fn ip_rule() {
    let text = "\
0:	from all lookup local
100:	not from 10.1.0.0/16 to 10.2.0.0/16 fwmark 0x10/0xff iif br0 ipproto tcp dport 80-90 lookup 100
101:	from all lookup main suppress_prefixlength 0
102:	from all iif br0 blackhole
103:	from all lookup main suppress_ifgroup 7
104:	from all lookup main suppress_ifgroup wired
32766:	from all lookup main
";
    assert_snapshot!(section(&[("ip-rule", text)], "rules"), @r"
    0: from all lookup local
    100: not from 10.1.0.0/16 to 10.2.0.0/16 fwmark 0x10/0xff iif br0 ipproto tcp dport 80-90 lookup 100
    101: from all lookup main suppress_prefixlength 0
    102: from all iif br0 blackhole
    103: from all lookup main suppress_ifgroup 7
    104: from all [suppress_ifgroup] lookup main
    32766: from all lookup main
    ");
    let json = r#"[{"priority":0,"src":"all","table":"local"},{"priority":100,"not":null,"src":"10.1.0.0","srclen":16,"dst":"10.2.0.0","dstlen":16,"fwmark":"0x10","fwmask":"0xff","iif":"br0","ipproto":"tcp","dport_start":80,"dport_end":90,"table":"100"},{"priority":101,"src":"all","table":"main","suppress_prefixlen":0},{"priority":102,"src":"all","iif":"br0","action":"blackhole"},{"priority":103,"src":"all","table":"main","suppress_ifgroup":"7"},{"priority":104,"src":"all","table":"main","suppress_ifgroup":"wired"},{"priority":32766,"src":"all","table":"main"}]"#;
    assert_eq!(only(&read(&[("ip-j-rule", json)])).rules, only(&read(&[("ip-rule", text)])).rules);
}

#[test]
fn neighbours_and_fdb() {
    let link = ("ip-link", LINK);
    let neigh = "\
10.1.2.9 dev br0 lladdr 02:00:00:00:00:01 PERMANENT 
10.1.2.8 dev br0  FAILED
10.1.2.7 dev br0 lladdr 02:00:00:00:00:02 router STALE 
";
    assert_snapshot!(section(&[link, ("ip-neigh", neigh)], "neighbours"), @r"
    10.1.2.9 is 02:00:00:00:00:01 (PERMANENT) on br0
    10.1.2.8 has no known address (FAILED) on br0
    10.1.2.7 is 02:00:00:00:00:02 (STALE) on br0
    ");
    let json = r#"[{"dst":"10.1.2.9","dev":"br0","lladdr":"02:00:00:00:00:01","state":["PERMANENT"]},{"dst":"10.1.2.8","dev":"br0","state":["FAILED"]},{"dst":"10.1.2.7","dev":"br0","lladdr":"02:00:00:00:00:02","router":null,"state":["STALE"]}]"#;
    let of = |file| only(&read(&[link, file])).neighbours.clone();
    assert_eq!(of(("ip-j-neigh", json)), of(("ip-neigh", neigh)));
    let fdb = "\
33:33:00:00:00:01 dev br0 self permanent
8a:07:1e:83:96:bc dev v0 master br0 
06:61:a0:3e:50:49 dev v0 vlan 1 master br0 permanent
02:00:00:00:00:05 dev v0 master br0 static
";
    assert_snapshot!(section(&[link, ("bridge-fdb", fdb)], "forwarding"), @r"
    br0: 8a:07:1e:83:96:bc is behind v0 (learned)
    br0: 06:61:a0:3e:50:49 vlan 1 is behind v0 (its own address)
    br0: 02:00:00:00:00:05 is behind v0 (static)
    ");
    let json = r#"[{"mac":"33:33:00:00:00:01","ifname":"br0","flags":["self"],"state":"permanent"},{"mac":"8a:07:1e:83:96:bc","ifname":"v0","flags":[],"master":"br0","state":""},{"mac":"06:61:a0:3e:50:49","ifname":"v0","vlan":1,"flags":[],"master":"br0","state":"permanent"},{"mac":"02:00:00:00:00:05","ifname":"v0","flags":[],"master":"br0","state":"static"}]"#;
    let of = |file| only(&read(&[link, file])).fdb.clone();
    assert_eq!(of(("bridge-j-fdb", json)), of(("bridge-fdb", fdb)));
}

#[test]
fn bridge_link() {
    let text = "\
4: v0@v1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master br0 state blocking priority 32 cost 2 
    hairpin on guard off root_block off fastleave off learning on flood off mcast_flood on isolated on locked off 
";
    let snapshot = read(&[("ip-link", LINK), ("bridge-d-link", text)]);
    let port = only(&snapshot).links[&4].port.clone().unwrap();
    assert_eq!(port.state, model::PortState::Blocking);
    assert_eq!((port.hairpin, port.flood, port.isolated), (true, false, true));
}

const SAVE: &str = r#"
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
[0:0] -A INPUT -p tcp -m tcp --sport 1024:65535 --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT
[0:0] -A INPUT -m state --state NEW -m mac --mac-source 02:00:00:00:00:01 -j ACCEPT
[0:0] -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[0:0] -A FORWARD -p icmp -m icmp --icmp-type 8 -j REJECT --reject-with icmp-port-unreachable
[0:0] -A FORWARD -m mark --mark 0x1/0xff -m comment --comment "hello you" -j DOCKER
[0:0] -A FORWARD -p udp -m multiport --dports 53,5000:5010 -j DROP
[0:0] -A FORWARD ! -s 10.0.0.0/8 -i br0 ! -o br0 -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
[0:0] -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
[0:0] -A POSTROUTING -s 10.0.0.0/8 ! -o br0 -j MASQUERADE
[0:0] -A DOCKER -i br0 -j RETURN
[0:0] -A DOCKER ! -i br0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.1.2.3:80
COMMIT
"#;

/// `iptables -L -n -v` and `iptables -t nat -L -n -v` of the same.
const LISTED: [(&str, &str); 2] = [
    (
        "iptables-L-n-v",
        "\
Chain INPUT (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 ACCEPT     6    --  *      *       0.0.0.0/0            0.0.0.0/0            tcp spts:1024:65535 flags:0x17/0x02
    0     0 ACCEPT     0    --  *      *       0.0.0.0/0            0.0.0.0/0            state NEW MAC 02:00:00:00:00:01

Chain FORWARD (policy DROP 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 ACCEPT     0    --  *      *       0.0.0.0/0            0.0.0.0/0            ctstate RELATED,ESTABLISHED
    0     0 REJECT     1    --  *      *       0.0.0.0/0            0.0.0.0/0            icmptype 8 reject-with icmp-port-unreachable
    0     0 DOCKER     0    --  *      *       0.0.0.0/0            0.0.0.0/0            mark match 0x1/0xff /* hello you */
    0     0 DROP       17   --  *      *       0.0.0.0/0            0.0.0.0/0            multiport dports 53,5000:5010
    0     0 ACCEPT     0    --  br0    !br0   !10.0.0.0/8           0.0.0.0/0           

Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         

Chain DOCKER (1 references)
 pkts bytes target     prot opt in     out     source               destination         
",
    ),
    (
        "iptables-t-nat-vnL",
        "\
Chain PREROUTING (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 DOCKER     0    --  *      *       0.0.0.0/0            0.0.0.0/0            ADDRTYPE match dst-type LOCAL

Chain INPUT (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         

Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         

Chain POSTROUTING (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 MASQUERADE  0    --  *      !br0    10.0.0.0/8           0.0.0.0/0           

Chain DOCKER (1 references)
 pkts bytes target     prot opt in     out     source               destination         
    0     0 RETURN     0    --  br0    *       0.0.0.0/0            0.0.0.0/0           
    0     0 DNAT       6    --  !br0   *       0.0.0.0/0            0.0.0.0/0            tcp dpt:8080 to:10.1.2.3:80
",
    ),
];

#[test]
fn a_full_listing_is_as_iptables_save() {
    let (save, listed) = (read(&[("iptables-save", SAVE)]), read(&LISTED));
    assert_eq!((&save.warnings, &listed.warnings), (&vec![], &vec![]));
    for table in &only(&save).ruleset.tables {
        let other = only(&listed).ruleset.table(table.family, &table.name).unwrap();
        for chain in &table.chains {
            assert_eq!(Some(chain), other.chain(&chain.name), "{} {}", table.name, chain.name);
        }
    }
}

#[test]
fn what_iptables_s_prints_is_one_table() {
    let text = "-P FORWARD DROP\n-N DOCKER\n-A FORWARD -i br0 -j DOCKER\n-A DOCKER -m helper --helper x -j DROP\n";
    assert_snapshot!(section(&[("iptables-S", text)], "netfilter"), @r"
      Chain INPUT (policy ACCEPT)
      Chain FORWARD (policy DROP)
        -i br0 -j DOCKER
      Chain OUTPUT (policy ACCEPT)
      Chain DOCKER
        <unknown: -m helper --helper x -j DROP> -j DROP
    warning: iptables-S, line 4: rule not understood at helper: no such match is supported
    ");
}

#[test]
fn nft_list_ruleset() {
    let text = r#"
# Warning: table ip nat is managed by iptables-nft, do not touch!
table ip nat {
	chain POSTROUTING {
		type nat hook postrouting priority srcnat; policy accept;
		oifname != "br0" ip saddr 10.0.0.0/8 counter packets 0 bytes 0 masquerade
	}

	chain DOCKER {
		iifname "br0" counter packets 0 bytes 0 return
		iifname != "br0" tcp dport 8080 counter packets 0 bytes 0 dnat to 10.1.2.3:80
	}

	chain PREROUTING {
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local counter packets 0 bytes 0 jump DOCKER
	}
}
table inet t {
	set blocked {
		type ipv4_addr
		elements = { 192.0.2.1,
			     192.0.2.2 }
	}

	chain f {
		type filter hook forward priority filter + 5; policy drop;
		ip saddr 10.0.0.0/8 oifname != "br0" tcp dport { 80, 443 } ct state established,related counter packets 0 bytes 0 accept
		meta l4proto icmp drop
		ip daddr @blocked drop
		tcp dport vmap { 22 : accept, 23 : drop }
	}
}
"#;
    assert_snapshot!(section(&[("nft-list-ruleset", text)], "netfilter"), @r#"
      Chain POSTROUTING (policy ACCEPT)
        -s 10.0.0.0/8 ! -o br0 -j MASQUERADE
      Chain DOCKER
        -i br0 -j RETURN
        ! -i br0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.1.2.3:80
      Chain PREROUTING (policy ACCEPT)
        -m addrtype --dst-type LOCAL -j DOCKER
      chain f { type filter hook forward priority 5; policy drop; }
        oifname != "br0" meta l4proto tcp @nh,96,8 0x0a -m multiport --dports 80,443 -m conntrack --ctstate RELATED,ESTABLISHED counter accept
        meta l4proto icmp counter drop
        <unknown: ip daddr @blocked drop> drop
        <unknown: tcp dport vmap { 22 : accept, 23 : drop }> -j NFT <unknown: target NFT>
    warning: nft-list-ruleset, line 30: rule not understood
    warning: nft-list-ruleset, line 31: rule not understood
    "#);
    let json = r#"{"nftables": [{"metainfo": {"version": "1.0.6"}}, {"table": {"family": "inet", "name": "t", "handle": 4}}, {"chain": {"family": "inet", "table": "t", "name": "f", "handle": 1, "type": "filter", "hook": "forward", "prio": 5, "policy": "drop"}}, {"rule": {"family": "inet", "table": "t", "chain": "f", "handle": 3, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": {"prefix": {"addr": "10.0.0.0", "len": 8}}}}, {"match": {"op": "!=", "left": {"meta": {"key": "oifname"}}, "right": "br0"}}, {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [80, 443]}}}, {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}, {"counter": {"packets": 0, "bytes": 0}}, {"accept": null}]}}, {"rule": {"family": "inet", "table": "t", "chain": "f", "handle": 4, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "icmp"}}, {"drop": null}]}}]}"#;
    let (text, json) = (read(&[("nft-list-ruleset", text)]), read(&[("nft-j-list-ruleset", json)]));
    let chain = |s: &model::Snapshot| {
        let tables = &only(s).ruleset.tables;
        let table = tables.iter().find(|t| t.name == "t").unwrap().normalised();
        table.chain("f").unwrap().clone()
    };
    assert_eq!(chain(&text).base, chain(&json).base);
    assert_eq!(chain(&text).rules[..2], chain(&json).rules[..]);
}

#[test]
fn settings() {
    let files = [
        ("cat-proc-sys-net-ipv4-ip_forward.txt", "1\n"),
        ("ip-link", "2: my-if: <UP> mtu 1500\n3: eth0.5: <UP> mtu 1500\n"),
        ("cat-proc-sys-net-ipv4-conf-my-if-rp_filter", "2\n"),
        (
            "sysctl-a",
            "net.ipv4.conf.eth0/5.proxy_arp = 1\nnet.bridge.bridge-nf-call-iptables = 1\n",
        ),
        ("grep-r-sysctl", "/proc/sys/net/ipv4/ip_default_ttl:42\n"),
    ];
    let snapshot = read(&files);
    let ns = only(&snapshot);
    assert_eq!(snapshot.warnings, []);
    assert!(ns.sysctls.ip_forward && ns.sysctls.bridge_nf_call_iptables == Some(true));
    assert_eq!(ns.sysctls.default_ttl, 42);
    assert_eq!(ns.links[&2].inet.unwrap().rp_filter, 2);
    assert!(ns.links[&3].inet.unwrap().proxy_arp && ns.links[&3].inet.unwrap().forwarding);
}

#[test]
fn what_is_not_understood_is_said_and_the_rest_used() {
    let files = [
        ("notes.txt", "buy milk"),
        ("ip-link", "2: eth0: <UP> mtu 1500\n    link/ether 02:00:00:00:00:01\n!!\n"),
        ("ip-route", "default via 10.0.0.1 dev eth0\nwhat is this\n"),
        ("ip-j-neigh", "[{\"dst\": 5}]"),
    ];
    let snapshot = read(&files);
    let texts: Vec<&str> = snapshot.warnings.iter().map(|w| w.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "ip-link, line 3: not understood",
            "ip-route, line 2: no route of `ip route`",
            "ip-j-neigh: object 1 is not understood",
            "notes.txt: not the output of a command that is known here: not read",
        ]
    );
    assert_eq!((only(&snapshot).links.len(), only(&snapshot).routes.len()), (1, 1));
}

#[test]
fn many_files_of_others_are_one_warning() {
    let files: Vec<(String, &str)> = (0..500).map(|n| (format!("f{n}"), "x")).collect();
    let mut files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (n.as_str(), *t)).collect();
    files.push(("ip-link", "2: eth0: <UP> mtu 1500\n"));
    let snapshot = read(&files);
    let [warning] = snapshot.warnings.as_slice() else { panic!("{:?}", snapshot.warnings) };
    assert!(warning.text.starts_with("f0, f1, f2 and 497 more files: "), "{}", warning.text);
}

/// Sets, saved and listed, and what a rule asks of them; one that is not shown is not known.
#[test]
fn ipset() {
    let saved = "\
create guests hash:net family inet hashsize 1024 maxelem 65536 counters bucketsize 12 initval 0x4290927f
add guests 10.0.0.0/24 packets 3 bytes 252
add guests 10.0.0.7 nomatch packets 0 bytes 0
create all list:set size 8
add all guests
";
    let listed = "\
Name: guests
Type: hash:net
Revision: 7
Header: family inet hashsize 1024 maxelem 65536 counters bucketsize 12 initval 0x4290927f
Size in memory: 592
References: 1
Number of entries: 2
Members:
10.0.0.0/24 packets 3 bytes 252
10.0.0.7 nomatch packets 0 bytes 0

Name: all
Type: list:set
Revision: 3
Header: size 8
Size in memory: 80
References: 0
Number of entries: 1
Members:
guests
";
    let sets = "  guests hash:net counters, 2 entries\n  all list:set, 1 entry\n";
    for (file, text) in [("ipset-save.txt", saved), ("ipset list", listed)] {
        let told = section(&[(file, text)], "ipsets");
        assert_eq!(told, sets, "{file}");
    }
    let other = saved.replace("nomatch", "nonsense");
    let snapshot = read(&[("ipset-save.txt", &other)]);
    let warnings: Vec<&str> = snapshot.warnings.iter().map(|w| w.text.as_str()).collect();
    let names: Vec<&str> = only(&snapshot).ipsets.iter().map(|set| set.name.as_str()).collect();
    assert_eq!(names, ["all"]);
    assert_eq!(warnings, ["ipset-save.txt, line 3: `nonsense` is not an option of an entry"]);
    let listing = "\
Chain FORWARD (policy ACCEPT)
target     prot opt source               destination         
DROP       all  --  0.0.0.0/0            0.0.0.0/0            match-set guests src
DROP       tcp  --  0.0.0.0/0            0.0.0.0/0            ! match-set all src,dst tcp dpt:80
";
    insta::assert_snapshot!(section(&[("iptables -L -n", listing)], "netfilter, table ip filter"), @r"
    Chain INPUT (policy ACCEPT)
    Chain FORWARD (policy ACCEPT)
      <hidden: links> -m set --match-set guests src -j DROP
      -p tcp <hidden: links> -m set ! --match-set all src,dst -m tcp --dport 80 -j DROP
    Chain OUTPUT (policy ACCEPT)
    ");
}
