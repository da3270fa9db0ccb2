//! Sets of ipset: what each type looks for in a packet, with `ipset` and `iptables` themselves.

use trial::{Needs, Test};

use crate::bench::Bench;

const TOOLS: &[Needs] = &[Needs::Tool("ipset"), Needs::Tool("iptables"), Needs::Tool("nft")];

/// Types that not every kernel has.
const MORE: &[Needs] = &[
    Needs::Tool("ipset"),
    Needs::Tool("iptables"),
    Needs::Tool("nft"),
    Needs::Trying("hash:mac", lacks),
    Needs::Trying("hash:net,net", lacks),
];

/// Whether a set of that type can be made, in a namespace of its own.
fn lacks(kind: &str) -> Option<String> {
    let mut tried = std::process::Command::new("unshare");
    let made = tried.args(["-n", "ipset", "create", "tried", kind]).output();
    let made = made.is_ok_and(|out| out.status.success());
    (!made).then(|| format!("this kernel has no ipsets of type {kind}"))
}

/// Sets in ipset's words, rules in iptables-restore's, and packets.
fn sets(cases: &[(&str, &str, &str)]) {
    let bench = Bench::new();
    for (sets, rules, packets) in cases {
        bench.ipset(sets);
        bench.append("iptables-restore", rules);
        assert_eq!(bench.untyped(), Vec::<String>::new(), "{rules}");
        bench.each(&format!("{sets}: {rules}"), packets);
    }
}

impl Bench {
    /// Replaces all sets, and with them all rules, which the kernel lets go of a little later.
    fn ipset(&self, sets: &str) {
        let lines: String = sets.split(';').map(|line| format!("{}\n", line.trim())).collect();
        self.r.run_net(&format!(
            "nft flush ruleset; iptables-legacy -F || :; ipset flush
            for n in $(seq 1000); do ipset destroy 2>&1 && break; done
            ipset restore <<'SETS'\n{lines}SETS"
        ));
    }
}

macro_rules! sets {
    ($name:literal, $needs:expr, $($sets:literal, $rules:literal => $packets:literal);+ $(;)?) => {
        trial::test($name, $needs, || sets(&[$(($sets, $rules, $packets)),+]))
    };
    ($name:literal, $($sets:literal, $rules:literal => $packets:literal);+ $(;)?) => {
        trial::test($name, TOOLS, || sets(&[$(($sets, $rules, $packets)),+]))
    };
}

pub(crate) fn tests() -> Vec<Test> {
    vec![
        sets!("ipset_hash_ip",
            "create s hash:ip; add s 10.0.0.2", "filter -A FORWARD -m set --match-set s src -p tcp --dport 1 -j DROP" => "-tcp:1 +tcp:2 +c>b/tcp:1 +b>a/tcp:1";
            "create s hash:ip; add s 10.0.0.2", "filter -A FORWARD -m set --match-set s dst -p tcp --dport 1 -j DROP" => "+tcp:1 -b>a/tcp:1";
            "create s hash:ip; add s 10.0.0.2", "filter -A FORWARD -m set ! --match-set s src -p tcp --dport 1 -j DROP" => "+tcp:1 -c>b/tcp:1";
            "create s hash:ip netmask 24; add s 10.0.0.77", "filter -A FORWARD -m set --match-set s src -p tcp --dport 1 -j DROP" => "-tcp:1 -c>b/tcp:1 +b>a/tcp:1";
            "create s hash:ip timeout 600; add s 10.0.0.2; add s 10.0.0.3 timeout 0", "filter -A FORWARD -m set --match-set s src -p tcp --dport 1 -j DROP" => "-tcp:1 -c>b/tcp:1";
        ),
        sets!("ipset_hash_net",
            "create s hash:net; add s 10.0.0.0/24; add s 10.0.0.2 nomatch", "filter -A FORWARD -m set --match-set s src -p tcp --dport 1 -j DROP" => "+tcp:1 -c>b/tcp:1";
            "create s hash:net; add s 10.0.0.0/24; add s 10.0.0.2 nomatch", "filter -A FORWARD -m set ! --match-set s src -p tcp --dport 1 -j DROP" => "-tcp:1 +c>b/tcp:1";
            "create s hash:net; add s 10.0.0.0/24; add s 10.0.0.2 nomatch", "filter -A FORWARD -m set --match-set s src --return-nomatch -p tcp --dport 1 -j DROP" => "-tcp:1 +c>b/tcp:1";
            "create s hash:net; add s 10.0.0.0/8 nomatch; add s 10.0.0.0/30", "filter -A FORWARD -m set --match-set s src -p tcp --dport 1 -j DROP" => "-tcp:1 +b>a/tcp:1";
        ),
        sets!("ipset_ports",
            "create s hash:ip,port; add s 10.1.0.2,tcp:1-3; add s 10.1.0.2,udp:7", "filter -A FORWARD -m set --match-set s dst,dst -j DROP" => "-tcp:1 -tcp:3 +tcp:4 +udp:1 -udp:7 +icmp";
            "create s hash:ip,port; add s 10.1.0.2,tcp:5", "filter -A FORWARD -m set --match-set s src,src -j DROP" => "-tcp:5 +tcp:6";
            "create s hash:ip,port; add s 10.0.0.2,icmp:echo-request", "filter -A FORWARD -m set --match-set s src,dst -j DROP" => "-icmp +tcp:1";
            "create s hash:ip,port; add s 10.0.0.2,icmp:echo-reply", "filter -A FORWARD -m set --match-set s dst,src -j DROP" => "-icmp +b>a/icmp";
            "create s hash:ip,port; add s 10.1.0.2,tcp:1", "filter -A FORWARD -m set --match-set s dst -j DROP; filter -A FORWARD -m set ! --match-set s dst -p tcp --dport 2 -j DROP" => "+tcp:1 -tcp:2";
            "create s bitmap:port range 1-100; add s 5-6", "filter -A FORWARD -m set --match-set s dst -j DROP" => "-tcp:5 -udp:6 +tcp:7 +icmp";
            "create s hash:net,port; add s 10.1.0.0/24,tcp:5; add s 10.1.0.2,tcp:5 nomatch; add s 10.0.0.0/24,tcp:6", "filter -A FORWARD -m set --match-set s dst,dst -j DROP" => "+tcp:5 -b>a/tcp:6 +tcp:6";
            "create s hash:ip,port,ip; add s 10.0.0.2,tcp:5,10.1.0.2", "filter -A FORWARD -m set --match-set s src,dst,dst -j DROP" => "-tcp:5 +tcp:6 +c>b/tcp:5";
            "create s hash:ip,port,net; add s 10.0.0.2,tcp:5,10.1.0.0/16; add s 10.0.0.2,tcp:5,10.1.0.0/30 nomatch; add s 10.0.0.3,udp:5,10.1.0.0/30", "filter -A FORWARD -m set --match-set s src,dst,dst -j DROP" => "+tcp:5 -c>b/udp:5 +c>b/tcp:5";
        ),
        sets!("ipset_hash_net_iface",
            "create s hash:net,iface; add s 10.0.0.0/24,br0", "filter -A FORWARD -m set --match-set s src,src -p tcp --dport 1 -j DROP" => "-tcp:1 +tcp:2 +b>a/tcp:1";
            "create s hash:net,iface; add s 10.0.0.0/24,eth1", "filter -A FORWARD -m set --match-set s src,dst -p tcp --dport 1 -j DROP" => "-tcp:1 +b>a/tcp:1";
            "create s hash:net,iface; add s 10.0.0.0/8,br0; add s 10.0.0.0/24,eth1", "filter -A FORWARD -m set --match-set s src,src -p tcp --dport 1 -j DROP" => "+tcp:1";
            "create s hash:net,iface; add s 10.0.0.0/8,br0; add s 10.0.0.0/24,eth1; add s 10.0.0.0/24,br0 nomatch", "filter -A FORWARD -m set --match-set s src,src -p tcp --dport 1 -j DROP" => "+tcp:1 +tcp:2";
            "create s hash:net,iface; add s 10.0.0.0/8,br wildcard", "filter -A FORWARD -m set --match-set s src,src -p tcp --dport 1 -j DROP" => "-tcp:1 +b>a/tcp:1";
            "create s hash:net,iface; add s 0.0.0.0/0,eth1", "filter -A FORWARD -m set --match-set s src,src -p tcp --dport 1 -j DROP; mangle -A POSTROUTING -m set --match-set s src,src -p tcp --dport 2 -j DROP; mangle -A OUTPUT -m set --match-set s dst,src -j DROP" => "+tcp:1 -b>a/tcp:1 -b>a/tcp:2 +tcp:2 +r>b/icmp";
            "create s hash:net,iface; add s 10.0.0.0/24,physdev:pa", "filter -A FORWARD -m set --match-set s src,src -p tcp --dport 1 -j DROP" => "+tcp:1";
        ),
        sets!("ipset_bitmaps",
            "create s bitmap:ip range 10.0.0.0/24; add s 10.0.0.2", "filter -A FORWARD -m set --match-set s src -p tcp --dport 1 -j DROP" => "-tcp:1 +c>b/tcp:1 +b>a/tcp:1";
            "create s bitmap:ip range 10.0.0.0/16 netmask 30; add s 10.0.0.1", "filter -A FORWARD -m set --match-set s src -p tcp --dport 1 -j DROP" => "-tcp:1 -c>b/tcp:1 +b>a/tcp:1";
            "create s bitmap:ip,mac range 10.0.0.0/24; add s 10.0.0.2,02:00:00:00:00:0a; add s 10.0.0.3,02:00:00:00:00:0a", "filter -A FORWARD -m set --match-set s src,src -p tcp --dport 1 -j DROP" => "-tcp:1 +c>b/tcp:1";
            "create s bitmap:ip,mac range 10.0.0.0/24; add s 10.0.0.2,02:00:00:00:00:01; add s 10.0.0.1,02:00:00:00:00:01", "filter -A INPUT -m set --match-set s src,dst -p tcp --dport 1 -j DROP; mangle -A POSTROUTING -m set --match-set s src,src -p tcp --dport 2 -j DROP" => "-a>r/tcp:1 +c>r/tcp:1 +r>a/tcp:2";
        ),
        sets!("ipset_lists",
            "create a hash:ip; add a 10.0.0.2; create b hash:net; add b 10.0.0.0/24; add b 10.0.0.2 nomatch; create l list:set; add l b; add l a", "filter -A FORWARD -m set --match-set l src -p tcp --dport 1 -j DROP" => "-tcp:1 -c>b/tcp:1 +b>a/tcp:1";
            "create b hash:net; add b 10.0.0.0/24; add b 10.0.0.2 nomatch; create l list:set; add l b", "filter -A FORWARD -m set --match-set l src -p tcp --dport 1 -j DROP; filter -A FORWARD -m set ! --match-set l src -p tcp --dport 2 -j DROP; filter -A FORWARD -m set --match-set l src --return-nomatch -p tcp --dport 3 -j DROP" => "+tcp:1 -c>b/tcp:1 -tcp:2 +c>b/tcp:2 -tcp:3 +c>b/tcp:3";
            "create a hash:ip,port; add a 10.1.0.2,tcp:5; create b hash:ip; add b 10.0.0.3; create l list:set; add l a; add l b", "filter -A FORWARD -m set --match-set l dst,dst -j DROP; filter -A FORWARD -m set --match-set l src -p tcp --dport 7 -j DROP" => "-tcp:5 +tcp:6 -c>b/tcp:7 +tcp:7";
            "create l list:set", "filter -A FORWARD -m set --match-set l src -j DROP; filter -A FORWARD -m set ! --match-set l src -p tcp --dport 1 -j DROP" => "-tcp:1 +tcp:2";
        ),
        sets!("ipset_types_that_not_every_kernel_has", MORE,
            "create s hash:mac; add s 02:00:00:00:00:0a", "filter -A FORWARD -m set --match-set s src -p tcp --dport 1 -j DROP; mangle -A POSTROUTING -m set --match-set s src -p tcp --dport 2 -j DROP; filter -A OUTPUT -m set --match-set s src -j DROP" => "-tcp:1 +c>b/tcp:1 -tcp:2 +b>a/tcp:1 +r>a/tcp:1";
            "create s hash:mac; add s 02:00:00:00:00:01", "mangle -A PREROUTING -m set --match-set s dst -p tcp --dport 1 -j DROP" => "-tcp:1 -a>r/tcp:1 +b>a/tcp:1";
            "create s hash:ip,mac; add s 10.0.0.2,02:00:00:00:00:0a; add s 10.0.0.3,02:00:00:00:00:0a", "filter -A FORWARD -m set --match-set s src,src -p tcp --dport 1 -j DROP" => "-tcp:1 +c>b/tcp:1";
            "create s hash:ip,mark markmask 0xf; add s 10.0.0.2,0x15", "mangle -A PREROUTING -p tcp --dport 1 -j MARK --set-mark 0x35; mangle -A PREROUTING -p tcp --dport 2 -j MARK --set-mark 0x36; filter -A FORWARD -m set --match-set s src,src -j DROP" => "-tcp:1 +tcp:2 +c>b/tcp:1";
            "create s hash:net,net; add s 10.0.0.0/24,10.1.0.0/24; add s 10.0.0.2,10.1.0.0/16 nomatch; add s 10.0.0.2,10.1.0.0/30", "filter -A FORWARD -m set --match-set s src,dst -p tcp --dport 1 -j DROP" => "-tcp:1 -c>b/tcp:1 +b>a/tcp:1";
            "create s hash:net,net; add s 10.0.0.0/16,10.1.0.2; add s 10.0.0.2,10.1.0.0/1 nomatch", "filter -A FORWARD -m set --match-set s src,dst -p tcp --dport 1 -j DROP" => "+tcp:1 -c>b/tcp:1";
            "create s hash:net,port,net; add s 10.0.0.0/24,tcp:1,10.1.0.0/24; add s 10.0.0.2,tcp:2,0.0.0.0/0; add s 10.0.0.0/24,tcp:2,10.1.0.2 nomatch", "filter -A FORWARD -m set --match-set s src,dst,dst -j DROP" => "-tcp:1 -tcp:2 +c>b/tcp:2 +tcp:3";
        ),
        sets!("ipset_target",
            "create s hash:net skbinfo; add s 10.0.0.0/24 skbmark 0x5/0xf", "mangle -A PREROUTING -j SET --map-set s src --map-mark; filter -A FORWARD -m mark --mark 5 -p tcp --dport 1 -j DROP" => "-tcp:1 +b>a/tcp:1";
            "create s hash:ip", "filter -A FORWARD -p tcp --dport 1 -j SET --add-set s src; filter -A FORWARD -p tcp --dport 2 -j DROP" => "+tcp:1 -tcp:2";
        ),
        trial::test("ipset_legacy_rules", TOOLS, legacy),
        trial::test("ipset_what_is_counted_or_added_is_not_known", TOOLS, not_known),
    ]
}

fn legacy() {
    let bench = Bench::new();
    bench.ipset("create s hash:net; add s 10.0.0.0/24");
    bench.append(
        "iptables-legacy-restore",
        "filter -A FORWARD -m set --match-set s src -p tcp --dport 1 -j DROP",
    );
    bench.each("legacy", "-tcp:1 +b>a/tcp:1");
    bench.r.run_net("iptables-legacy -F");
}

fn not_known() {
    let bench = Bench::new();
    bench.ipset("create s hash:ip counters; add s 10.0.0.2; create t hash:ip");
    bench.append(
        "iptables-restore",
        "filter -A FORWARD -m set --match-set s src --packets-gt 3 -p tcp --dport 1 -j DROP;\
         mangle -A PREROUTING -p tcp --dport 2 -j SET --add-set t src;\
         filter -A FORWARD -m set --match-set t src -p tcp --dport 2 -j DROP",
    );
    assert_eq!(bench.unknown("a tcp 10.1.0.2:1"), "ipset s: what an entry has counted");
    assert!(bench.send("c tcp 10.1.0.2:1"));
    let changed = "ipset t, which a rule on the way has changed";
    assert_eq!(bench.unknown("a tcp 10.1.0.2:2"), changed);
}
