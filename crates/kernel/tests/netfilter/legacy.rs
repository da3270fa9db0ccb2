//! iptables-legacy: its tables are read without any being made, and merged with nftables by priority.

use trial::{Needs, Test};

use crate::bench::Bench;

const LEGACY: &[Needs] = &[Needs::Tool("iptables-legacy"), Needs::Tool("nft")];

pub(crate) fn tests() -> Vec<Test> {
    vec![
        trial::test("legacy_rules", LEGACY, rules),
        trial::test("legacy_chains", LEGACY, chains),
        trial::test("legacy_nat", LEGACY, nat),
        trial::test("legacy_beside_nftables", LEGACY, beside_nftables),
        trial::test("legacy_reading_makes_no_table", LEGACY, no_table),
    ]
}

const RESTORE: &str =
    "iptables-legacy -F; iptables-legacy -X; iptables-legacy -t mangle -F; iptables-legacy-restore";

fn rules() {
    let bench = Bench::new();
    for (rules, packets) in [
        ("filter -A FORWARD -s 10.0.0.2/32 -p tcp --dport 1 -j DROP", "-tcp:1 +tcp:2 +c>b/tcp:1"),
        ("filter -A FORWARD ! -s 10.0.0.0/24 -j DROP", "-icmp"),
        ("filter -A FORWARD -i br+ -o eth1 -p icmp -j DROP", "-icmp +tcp:1"),
        ("filter -A FORWARD ! -i br0 -p tcp -j DROP", "-tcp:1 +icmp"),
        ("filter -A FORWARD -m conntrack --ctstate NEW -p udp -j DROP", "-udp:1 +tcp:1"),
        ("filter -A FORWARD -p tcp -m multiport --dports 5,7:9 -j REJECT", "-tcp:5 +tcp:6 -tcp:8"),
        ("filter -A FORWARD -m limit --limit 3/min -j ACCEPT; filter -A FORWARD -j DROP", "+icmp"),
        (
            "mangle -A PREROUTING -p tcp --dport 1 -j MARK --set-mark 5; filter -A FORWARD -m mark --mark 5 -j DROP",
            "-tcp:1 +tcp:2",
        ),
        (
            "filter -A FORWARD -m comment --comment x -m statistic --mode random --probability 1 -j DROP",
            "-tcp:1",
        ),
    ] {
        bench.iptables(RESTORE, rules);
        assert_eq!(bench.untyped(), Vec::<String>::new(), "{rules}");
        bench.each(rules, packets);
    }
}

fn chains() {
    let bench = Bench::new();
    bench.iptables(
        RESTORE,
        "filter -N one; filter -N two; filter -A one -p tcp --dport 1 -j RETURN; filter -A one -j two;\
         filter -A two -p tcp --dport 2 -j DROP; filter -N three; filter -A three -p tcp --dport 3 -j DROP; filter -A two -g three;\
         filter -A FORWARD -j one; filter -A FORWARD -p tcp --dport 1 -j DROP; filter -P FORWARD ACCEPT;\
         filter -A FORWARD -p tcp --dport 4",
    );
    bench.each("chains", "-tcp:1 -tcp:2 -tcp:3 +tcp:4 +icmp");
    bench.r.run_net("iptables-legacy -P FORWARD DROP");
    bench.each("policy", "-tcp:4 -icmp +a>r/icmp");
}

fn nat() {
    let bench = Bench::new();
    bench.iptables(
        RESTORE,
        "nat -A PREROUTING -d 10.0.0.1 -p tcp --dport 80 -j DNAT --to-destination 10.1.0.2:8080;\
         nat -A POSTROUTING -s 10.0.0.0/24 ! -o br0 -j MASQUERADE;\
         nat -A PREROUTING -p udp --dport 53 -j REDIRECT --to-ports 5353",
    );
    bench.each("nat", "+a>r/tcp:80 +tcp:1 +icmp +udp:53");
}

/// Each has a say, whatever the other accepts; of equal priority, who came last is asked first.
fn beside_nftables() {
    let bench = Bench::new();
    bench.iptables(
        RESTORE,
        "filter -A FORWARD -p tcp --dport 1 -j DROP; filter -A FORWARD -m mark --mark 1 -j DROP; filter -A FORWARD -j ACCEPT",
    );
    let drops = |priority: i32| {
        bench.nft(&format!(
            "table ip t {{ chain f {{ type filter hook forward priority {priority};
                tcp dport 2 drop; tcp dport 3 meta mark set 1; accept; }}\n}}"
        ));
    };
    drops(-1);
    bench.each("nftables first", "-tcp:1 -tcp:2 -tcp:3 +tcp:4");
    drops(1);
    bench.each("iptables-legacy first", "-tcp:1 -tcp:2 +tcp:3 +tcp:4");
}

fn no_table() {
    let bench = Bench::new();
    let names = || bench.r.run_net("cat /proc/net/ip_tables_names /proc/net/ip6_tables_names");
    assert_eq!(names(), "");
    bench.read();
    assert_eq!(names(), "");
    bench.r.run_net("iptables-legacy -A FORWARD -j ACCEPT");
    bench.read();
    assert_eq!(names(), "filter\n");
}
