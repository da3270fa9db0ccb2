//! nftables' own expressions, each by itself.

use trial::{Needs, Test};

use crate::bench::{Bench, forward, tables};

const NFT: &[Needs] = &[Needs::Tool("nft")];

/// A test of rules in the forward hook of the router.
macro_rules! forwarded {
    ($name:literal, $($rule:literal => $packets:literal),+ $(,)?) => {
        trial::test($name, NFT, || forward(&[$(($rule, $packets)),+]))
    };
}

/// A test of whole tables.
macro_rules! whole {
    ($name:literal, $($rules:literal => $packets:literal),+ $(,)?) => {
        trial::test($name, NFT, || tables(&[$(($rules, $packets)),+]))
    };
}

pub(crate) fn tests() -> Vec<Test> {
    let mut all = tests_of_fields();
    all.extend(tests_of_sets());
    all.extend(tests_of_acts());
    all
}

fn tests_of_fields() -> Vec<Test> {
    vec![
        forwarded!("payload_and_cmp",
            "ip saddr 10.0.0.2 tcp dport 80 drop" => "-tcp:80 +tcp:81 +udp:80",
            "ip ttl 63 drop" => "-icmp",
            "tcp flags syn drop" => "-tcp:80 +icmp",
            "iif br0 ip daddr != 10.1.0.0/24 drop; iif br0 udp dport >= 1000 drop" => "+udp:999 -udp:1000"),
        forwarded!("range", "iif br0 tcp dport 80-90 drop; iif br0 tcp dport != 1-200 drop"
            => "+tcp:79 -tcp:80 -tcp:90 +tcp:91 -tcp:201"),
        forwarded!("bitwise",
            "ip daddr & 0.0.0.3 == 0.0.0.2 drop" => "-icmp",
            "ip saddr & 0.0.0.1 == 0.0.0.1 drop" => "+icmp",
            "meta mark set meta mark and 0xf or 0x10 xor 0x3; meta mark 0x13 drop" => "-icmp"),
        forwarded!("shift",
            "meta mark set 0x5; meta mark set meta mark << 4; meta mark 0x50 drop" => "-icmp",
            "meta mark set 0x50; meta mark set meta mark >> 4; meta mark 5 drop" => "-icmp"),
        forwarded!("meta_links",
            "iifname br0 oifname eth1 drop" => "-icmp",
            "iifname \"br*\" tcp dport 7 drop; iifname \"eth*\" tcp dport 8 drop" => "-tcp:7 +tcp:8",
            "iif br0 oif eth1 drop" => "-icmp",
            "meta iiftype ether meta oiftype ether drop" => "-icmp",
            "meta iifkind \"bridge\" meta oifkind \"veth\" drop" => "-icmp"),
        forwarded!("meta_packet",
            "meta l4proto icmp drop" => "-icmp +tcp:80",
            "meta nfproto ipv4 drop" => "-icmp",
            "meta nfproto ipv6 drop" => "+icmp",
            "meta protocol ip drop" => "-icmp",
            "meta length 84 drop" => "-icmp +tcp:80",
            "meta length > 84 drop" => "+icmp",
            "meta pkttype host drop" => "-icmp",
            "meta pkttype != host drop" => "+icmp"),
        forwarded!("meta_of_no_process", "meta skuid 0 drop; meta cgroup 0 drop" => "+icmp"),
        forwarded!("ct_state",
            "ct state new tcp dport 80 drop; ct state established accept; drop" => "-tcp:80 -icmp",
            "ct state established accept; tcp dport 80 accept; drop" => "+tcp:80 -tcp:81",
            "ct state invalid drop; ct state untracked drop" => "+icmp"),
        forwarded!("ct_fields",
            "ct direction reply drop" => "-icmp",
            "ct direction original accept; drop" => "-icmp",
            "ct original ip saddr 10.0.0.2 ct reply ip saddr 10.1.0.2 drop" => "-icmp",
            "meta l4proto tcp ct original proto-dst 80 drop" => "-tcp:80 +tcp:81",
            "ct protocol 6 drop; ct l3proto ipv4 meta l4proto udp drop" => "-tcp:1 -udp:1 +icmp",
            "ct status & (snat|dnat) != 0 drop" => "+icmp",
            "ct zone 0 tcp dport 1 drop" => "-tcp:1"),
        forwarded!("ct_mark",
            "tcp dport 80 ct mark set 0x7; ct mark 7 drop" => "-tcp:80 +tcp:81",
            "ct state new ct mark set 0x9; ct state established ct mark 9 drop" => "-icmp"),
        whole!("fib", "table inet t { chain p { type filter hook prerouting priority -10;
                fib daddr type local tcp dport 1 drop
                fib daddr type unicast tcp dport 2 drop
                fib saddr . iif oif missing tcp dport 3 drop
                fib saddr . iif oif exists tcp dport 4 drop
                fib daddr oifname eth1 tcp dport 5 drop
                fib daddr oif eth1 tcp dport 6 drop
                fib daddr . iif type local tcp dport 7 drop
            }
            }" => "+tcp:1 -a>r/tcp:1 -tcp:2 +tcp:3 -tcp:4 -tcp:5 -tcp:6 -a>r/tcp:7 -a>10.1.0.1/tcp:1 +a>10.1.0.1/tcp:7"),
        forwarded!("exthdr",
            "tcp option maxseg exists accept; udp dport 1 drop" => "-udp:1",
            "tcp option maxseg exists drop" => "-tcp:1 +udp:1"),
        forwarded!("exthdr_maxseg",
            "tcp option maxseg size 1-1459 drop" => "+tcp:1",
            "tcp option maxseg size 1460 drop" => "-tcp:1 +icmp",
            "tcp option maxseg size set 500; tcp option maxseg size 500 drop" => "-tcp:1 +udp:1",
            "tcp option maxseg size set 2000; tcp option maxseg size 2000 drop" => "+tcp:1",
            "tcp option maxseg size set rt mtu; tcp option maxseg size 1460 drop" => "-tcp:1",
            "@th,176,16 set 0x2; tcp option maxseg size 2 drop" => "-tcp:1"),
    ]
}

fn tests_of_sets() -> Vec<Test> {
    vec![
        forwarded!("anonymous_set", "tcp dport { 22, 80 } drop; iif br0 udp dport != { 53, 123 } drop"
            => "-tcp:22 -tcp:80 +tcp:443 +udp:53 -udp:54"),
        forwarded!("anonymous_intervals",
            "ip daddr { 10.1.0.0-10.1.0.1, 10.1.0.3-10.1.0.9 } drop" => "+icmp",
            "tcp dport { 1-10, 11, 13-20 } drop" => "-tcp:1 -tcp:10 -tcp:11 +tcp:12 -tcp:20 +tcp:21"),
        forwarded!("host_order_intervals",
            "meta mark set 0x100; meta mark { 0x80-0x1ff } drop" => "-icmp",
            "meta mark set 0x200; meta mark { 0x80-0x1ff } drop" => "+icmp"),
        whole!("named_sets", "table inet t {
            set hosts { type ipv4_addr; elements = { 10.0.0.2, 10.0.0.9 } }
            set nets { type ipv4_addr; flags interval; auto-merge; elements = { 10.1.0.0/25, 10.9.0.0/16 } }
            set links { type ifname; elements = { br0 } }
            set empty { type ipv4_addr; }
            chain f { type filter hook forward priority 0;
                ip saddr @hosts tcp dport 1 drop
                ip daddr @nets tcp dport 2 drop
                iifname @links tcp dport 3 drop
                ip saddr @empty drop
                ip daddr != @nets drop
            }
            }" => "-tcp:1 -tcp:2 -tcp:3 -tcp:4 -icmp"),
        whole!("timeouts", "table inet t {
            set s { type ipv4_addr; timeout 1h; elements = { 10.0.0.2 timeout 10m, 10.0.0.7 } }
            chain f { type filter hook forward priority 0; ip saddr @s drop; }
            }" => "-icmp"),
        whole!("concatenations", "table inet t {
            set s { type ipv4_addr . inet_proto . inet_service; elements = { 10.1.0.2 . tcp . 80 } }
            set r { type ipv4_addr . inet_service; flags interval;
                elements = { 10.1.0.0/24 . 100-200, 10.1.0.2-10.1.0.5 . 300 } }
            chain f { type filter hook forward priority 0;
                ip daddr . meta l4proto . th dport @s drop
                ip daddr . udp dport @r drop
                ip saddr . tcp dport { 10.0.0.2 . 7, 10.0.0.3 . 8 } drop
            }
            }" => "-tcp:80 +tcp:81 +udp:99 -udp:100 -udp:200 +udp:201 -udp:300 -tcp:7 +tcp:8"),
        whole!("maps", "table inet t {
            map marks { type inet_service : mark; elements = { 80 : 0x1, 81 : 0x2 } }
            map ranges { type ipv4_addr : mark; flags interval; elements = { 10.1.0.0/24 : 0x5 } }
            chain f { type filter hook forward priority 0;
                meta mark set tcp dport map @marks
                meta mark 1 drop
                udp dport 9 meta mark set ip daddr map @ranges meta mark 5 drop
            }
            }" => "-tcp:80 +tcp:81 +tcp:82 -udp:9 +udp:8"),
        whole!("verdict_maps", "table inet t {
            chain no { drop; }
            chain yes { tcp dport 82 return; accept; }
            map v { type inet_service : verdict; elements = { 80 : jump no, 81 : goto yes, 82 : goto yes } }
            chain f { type filter hook forward priority 0;
                tcp dport vmap @v
                tcp dport 82 accept
                iifname . oifname vmap { br0 . eth1 : continue, eth1 . br0 : accept }
                udp dport vmap { 1 : accept, * : drop }
                meta l4proto tcp drop
            }
            }" => "-tcp:80 +tcp:81 +udp:1 -udp:2 -tcp:83"),
        whole!("dynamic_sets", "table inet t {
            set seen { type ipv4_addr; flags dynamic; timeout 1m; }
            set slow { type ipv4_addr; flags dynamic; size 100; }
            chain f { type filter hook forward priority 0;
                tcp dport 1 add @seen { ip saddr }
                tcp dport 1 ip saddr @seen drop
                tcp dport 2 update @slow { ip saddr limit rate over 1/hour burst 3 packets } drop
                tcp dport 3 delete @seen { ip saddr } drop
            }
            }" => "+tcp:9 -tcp:1 +tcp:2"),
        trial::test("chosen_by_number", NFT, chosen_by_number),
    ]
}

fn tests_of_acts() -> Vec<Test> {
    vec![
        whole!("jump_goto_return", "table inet t {
            chain one { tcp dport 1 return; tcp dport 2 accept; goto two; }
            chain two { tcp dport 3 drop; }
            chain f { type filter hook forward priority 0; policy accept;
                jump one
                tcp dport 1 drop
                tcp dport 2 drop
                tcp dport 4 drop
            }
            }" => "-tcp:1 +tcp:2 -tcp:3 -tcp:4 +tcp:5"),
        whole!("accept_ends_one_chain_only", "table inet t {
            chain first { type filter hook forward priority -5; accept; }
            chain then { type filter hook forward priority 5; tcp dport 80 drop; } }
            table ip u { chain last { type filter hook forward priority 10; tcp dport 81 drop; } }"
            => "-tcp:80 -tcp:81 +tcp:82"),
        whole!("policy", "table ip t { chain f { type filter hook forward priority 0; policy drop;
            ct state established accept; tcp dport 80 accept; }
            }" => "+tcp:80 -tcp:81"),
        forwarded!("limit",
            "limit rate 10/second accept; drop" => "+icmp",
            "limit rate over 10/second drop" => "+icmp",
            "tcp dport 80 limit rate 1/minute log prefix \"x\"" => "+tcp:80"),
        forwarded!("quota",
            "quota over 1 mbytes drop" => "+icmp",
            "quota 10 bytes accept; drop" => "-icmp"),
        forwarded!("connlimit", "ct count over 100 drop" => "+icmp"),
        forwarded!("counter_log_last", "counter; log group 7; log prefix \"p \" level info; tcp dport 1 counter drop"
            => "-tcp:1 +tcp:2"),
        forwarded!("reject",
            "tcp dport 1 reject with tcp reset; tcp dport 2 reject; udp dport 1 reject with icmp type host-prohibited; udp dport 2 reject with icmpx type admin-prohibited"
            => "-tcp:1 -tcp:2 -udp:1 -udp:2 +tcp:3"),
        forwarded!("payload_set", "ip ttl set 1; tcp dport 80 tcp dport set 81" => "+tcp:7"),
        forwarded!("meta_set", "meta mark set 7; meta nftrace set 0; tcp dport 1 meta mark 0x7 drop" => "-tcp:1 +tcp:2"),
        whole!("notrack", "table inet t {
            chain p { type filter hook prerouting priority raw; tcp dport 80 notrack; tcp sport 80 notrack; }
            chain f { type filter hook forward priority 0; ct state untracked drop; }
            }" => "-tcp:80 +tcp:81"),
        whole!("objects", "table inet t {
            counter c { }
            ct helper ftp { type \"ftp\" protocol tcp; }
            chain f { type filter hook forward priority 0;
                counter name c; tcp dport 21 ct helper set \"ftp\"; tcp dport 1 counter name c drop; } }"
            => "+tcp:21 -tcp:1"),
        whole!("dnat", "table ip t {
            chain p { type nat hook prerouting priority dstnat;
                ip daddr 10.0.0.1 tcp dport 80 dnat to 10.1.0.2:8080
                ip daddr 10.0.0.1 udp dport 53 dnat to 10.1.0.2
                tcp dport 1 dnat to tcp dport map { 1 : 10.0.0.3 }; }
            }"
            => "+a>r/tcp:80 +a>r/udp:53 +a>r/tcp:443 -b>r/tcp:80"),
        whole!("snat_and_masquerade", "table ip t {
            chain p { type nat hook postrouting priority srcnat;
                oifname eth1 tcp dport 1 snat to 10.1.0.77
                oifname eth1 tcp dport 2 snat to 10.1.0.1
                oifname eth1 tcp dport 3 masquerade
                oifname eth1 udp dport 4 snat to 10.1.0.1:5000
                oifname eth1 tcp dport 6 masquerade to :4000-4000; } }"
            => "-tcp:1 +tcp:2 +tcp:3 +udp:4 +icmp +tcp:6"),
        whole!("snat_to_one_of_several", "table ip t {
            chain p { type nat hook postrouting priority srcnat; oifname eth1 snat to 10.1.0.50-10.1.0.99; } }"
            => "-tcp:1 -icmp -udp:7"),
        whole!("redirect", "table ip t {
            chain p { type nat hook prerouting priority dstnat;
                tcp dport 80 redirect to :8080
                udp dport 53 redirect; }
            }" => "+tcp:80 +udp:53 +tcp:81"),
        whole!("nat_on_output", "table ip t {
            chain o { type nat hook output priority -100; ip daddr 10.1.0.9 dnat to 10.1.0.2; } }"
            => "+r>10.1.0.9/tcp:80 +r>b/tcp:80"),
        whole!("route_chain", "table ip t {
            chain o { type route hook output priority mangle; tcp dport 80 meta mark set 7; }
            chain p { type filter hook postrouting priority 0; meta mark 7 drop; } }"
            => "-r>b/tcp:80 +r>b/tcp:81"),
        trial::test("queue_is_unknown", NFT, queue_is_unknown),
    ]
}

/// One of two, whichever: both arrive, or the answers differ and none is given.
fn chosen_by_number() {
    let bench = Bench::new();
    for number in
        ["numgen random mod 2", "numgen inc mod 2", "jhash ip saddr mod 2", "symhash mod 2"]
    {
        bench.nft(&format!(
            "table ip t {{ chain p {{ type nat hook prerouting priority dstnat;
                ip daddr 10.0.0.1 tcp dport 80 dnat to {number} map {{ 0 : 10.1.0.2, 1 : 10.0.0.3 }}; }}
            chain q {{ type nat hook postrouting priority srcnat; masquerade; }}
            chain f {{ type filter hook forward priority 0;
                tcp dport 81 {number} vmap {{ 0 : accept, 1 : drop }}; }}
            }}"
        ));
        assert_eq!(bench.untyped(), Vec::<String>::new());
        assert!(bench.send("a tcp 10.0.0.1:80"), "{number}");
        bench.unknown("a tcp 10.1.0.2:81");
    }
}

fn queue_is_unknown() {
    let bench = Bench::new();
    bench.r.run_net("iptables -A FORWARD -p tcp --dport 1 -j NFQUEUE --queue-num 3");
    assert_eq!(bench.unknown("a tcp 10.1.0.2:1"), "target NFQUEUE");
    assert!(bench.send("a tcp 10.1.0.2:2"));
}
