//! xtables' matches and targets, each by itself, as iptables-nft writes them.

use trial::{Needs, Test};

use crate::bench::Bench;

const IPTABLES: &[Needs] = &[Needs::Tool("iptables"), Needs::Tool("nft")];

/// Rules in iptables-restore's words, and packets.
fn restored(cases: &[(&str, &str)]) {
    let bench = Bench::new();
    for (rules, packets) in cases {
        bench.iptables("iptables-restore", rules);
        assert_eq!(bench.untyped(), Vec::<String>::new(), "{rules}");
        bench.each(rules, packets);
    }
}

impl Bench {
    pub(crate) fn iptables(&self, tool: &str, rules: &str) {
        self.r.run_net("nft flush ruleset");
        self.append(tool, rules);
    }

    /// Adds rules to those that are there.
    pub(crate) fn append(&self, tool: &str, rules: &str) {
        let lines = |line: &str| match line.split_once(' ') {
            Some((table, rule)) if !table.starts_with(['-', '*', ':']) => {
                format!("*{table}\n{rule}\nCOMMIT\n")
            }
            _ => panic!("TABLE RULE: {line}"),
        };
        let text: String = rules.split(';').map(str::trim).map(lines).collect();
        self.r.run_net(&format!("{tool} -n <<'RULES'\n{text}RULES"));
    }
}

macro_rules! rules {
    ($name:literal, $($rules:literal => $packets:literal),+ $(,)?) => {
        trial::test($name, IPTABLES, || restored(&[$(($rules, $packets)),+]))
    };
}

pub(crate) fn tests() -> Vec<Test> {
    let mut all = matches();
    all.extend(targets());
    all
}

fn matches() -> Vec<Test> {
    vec![
        rules!("xt_addrtype",
            "raw -A PREROUTING -m addrtype --dst-type LOCAL -p tcp --dport 1 -j DROP" => "+tcp:1 -a>r/tcp:1",
            "raw -A PREROUTING -m addrtype ! --dst-type LOCAL -p tcp --dport 1 -j DROP" => "-tcp:1 +a>r/tcp:1",
            "raw -A PREROUTING -m addrtype --dst-type LOCAL --limit-iface-in -p tcp --dport 1 -j DROP"
                => "-a>r/tcp:1 +a>10.1.0.1/tcp:1",
            "filter -A FORWARD -m addrtype --src-type UNICAST -p tcp --dport 1 -j DROP" => "-tcp:1"),
        rules!("xt_conntrack",
            "filter -A FORWARD -m conntrack --ctstate NEW -p tcp --dport 1 -j DROP" => "-tcp:1 +tcp:2",
            "filter -A FORWARD -m conntrack ! --ctstate NEW -j DROP" => "-icmp",
            "filter -A FORWARD -m conntrack --ctdir REPLY -j DROP" => "-icmp",
            "filter -A FORWARD -m conntrack --ctorigsrc 10.0.0.0/24 --ctproto tcp -j DROP" => "-tcp:1 +icmp",
            "filter -A FORWARD -m conntrack --ctorigdstport 5 -j DROP" => "-tcp:5 +tcp:6",
            "filter -A FORWARD -m conntrack --ctstatus SEEN_REPLY -j DROP" => "-icmp",
            "nat -A PREROUTING -d 10.0.0.1 -j DNAT --to-destination 10.1.0.2; filter -A FORWARD -m conntrack --ctstate DNAT -j DROP"
                => "-a>r/tcp:1 +tcp:1"),
        rules!("xt_state", "filter -A FORWARD -m state --state NEW -p tcp --dport 1 -j DROP" => "-tcp:1 +tcp:2"),
        rules!("xt_comment", "filter -A FORWARD -m comment --comment \"a word\" -p tcp --dport 1 -j DROP" => "-tcp:1 +tcp:2"),
        rules!("xt_tcp",
            "filter -A FORWARD -p tcp --syn -j DROP" => "-tcp:1 +icmp",
            "filter -A FORWARD -p tcp -m tcp --tcp-flags RST,ACK ACK -j DROP" => "+udp:1",
            "filter -A FORWARD -p tcp --dport 10:20 -j DROP" => "+tcp:9 -tcp:10 -tcp:20 +tcp:21"),
        rules!("xt_udp", "filter -A FORWARD -p udp --dport 10:20 -j DROP" => "+udp:9 -udp:10 +tcp:10"),
        rules!("xt_icmp",
            "filter -A FORWARD -p icmp --icmp-type echo-request -j DROP" => "-icmp",
            "filter -A FORWARD -p icmp --icmp-type echo-reply -j DROP" => "-icmp",
            "filter -A FORWARD -p icmp --icmp-type 3/4 -j DROP" => "+icmp"),
        rules!("xt_multiport",
            "filter -A FORWARD -p tcp -m multiport --dports 1,5:7 -j DROP" => "-tcp:1 +tcp:4 -tcp:6",
            "filter -A FORWARD -p tcp -m multiport ! --dports 1,5:7 -j DROP" => "-tcp:4",
            "filter -A FORWARD -p udp -m multiport --ports 9 -j DROP" => "-udp:9"),
        rules!("xt_mark", "mangle -A PREROUTING -p tcp --dport 1 -j MARK --set-mark 0x5/0xf; filter -A FORWARD -m mark --mark 0x5/0x5 -j DROP"
            => "-tcp:1 +tcp:2"),
        rules!("xt_connmark", "mangle -A PREROUTING -p tcp --dport 1 -j CONNMARK --set-mark 9; filter -A FORWARD -m connmark --mark 9 -j DROP"
            => "-tcp:1 +tcp:2"),
        trial::test("xt_physdev", IPTABLES, physdev),
        rules!("xt_mac", "filter -A FORWARD -m mac --mac-source 02:00:00:00:00:0a -j DROP" => "-icmp",
            "filter -A FORWARD -m mac --mac-source 02:00:00:00:00:0b -j DROP" => "+icmp"),
        rules!("xt_iprange",
            "filter -A FORWARD -m iprange --src-range 10.0.0.1-10.0.0.2 -j DROP" => "-icmp +c>b/icmp",
            "filter -A FORWARD -m iprange ! --dst-range 10.0.0.0-10.1.0.255 -j DROP" => "+icmp"),
        rules!("xt_limit", "filter -A FORWARD -m limit --limit 3/min --limit-burst 10 -j ACCEPT; filter -A FORWARD -j DROP" => "+icmp"),
        rules!("xt_recent",
            "filter -A FORWARD -p tcp --dport 1 -m recent --set -j DROP; filter -A FORWARD ! -p tcp -m recent ! --set -j DROP" => "-tcp:1 +tcp:2 +icmp",
            "filter -A FORWARD -p tcp -m recent --name x --set; filter -A FORWARD -p tcp -m recent --name x --update --seconds 30 --hitcount 6 -j DROP"
                => "+tcp:1"),
        rules!("xt_hashlimit",
            "filter -A FORWARD -m hashlimit --hashlimit-upto 3/min --hashlimit-burst 10 --hashlimit-name up --hashlimit-mode srcip -j ACCEPT; filter -A FORWARD -j DROP"
                => "+icmp",
            "filter -A FORWARD -m hashlimit --hashlimit-above 3/min --hashlimit-burst 10 --hashlimit-name over --hashlimit-mode dstip -j DROP" => "+icmp"),
        trial::test("xt_statistic", IPTABLES, statistic),
        rules!("xt_owner", "mangle -A POSTROUTING -m owner --uid-owner 0 -j DROP" => "+icmp"),
        rules!("xt_pkttype", "filter -A FORWARD -m pkttype --pkt-type unicast -j DROP" => "-icmp",
            "filter -A FORWARD -m pkttype --pkt-type broadcast -j DROP" => "+icmp"),
        rules!("xt_length", "filter -A FORWARD -m length --length 84 -j DROP" => "-icmp",
            "filter -A FORWARD -m length ! --length 0:100 -j DROP" => "+icmp"),
        rules!("xt_ttl", "filter -A FORWARD -m ttl --ttl-eq 63 -j DROP" => "-icmp",
            "filter -A FORWARD -m ttl --ttl-lt 10 -j DROP" => "+icmp"),
        rules!("xt_dscp_and_tos",
            "mangle -A PREROUTING -p tcp --dport 1 -j DSCP --set-dscp 0x0a; filter -A FORWARD -m dscp --dscp 0x0a -j DROP" => "-tcp:1 +tcp:2",
            "mangle -A PREROUTING -p tcp --dport 1 -j TOS --set-tos 0x10; filter -A FORWARD -m tos --tos 0x10 -j DROP" => "-tcp:1 +tcp:2"),
        rules!("xt_rpfilter", "raw -A PREROUTING -m rpfilter --invert -j DROP" => "+icmp",
            "raw -A PREROUTING -m rpfilter -j DROP" => "-icmp"),
        rules!("xt_policy", "filter -A FORWARD -m policy --dir in --pol none -p tcp --dport 1 -j DROP" => "-tcp:1",
            "filter -A FORWARD -m policy --dir in --pol ipsec -j DROP" => "+icmp"),
        trial::test("xt_string_is_unknown", IPTABLES, string),
    ]
}

fn targets() -> Vec<Test> {
    vec![
        rules!("xt_dnat", "nat -A PREROUTING -d 10.0.0.1 -p tcp --dport 80 -j DNAT --to-destination 10.1.0.2:8080" => "+a>r/tcp:80 +a>r/tcp:81"),
        rules!("xt_snat", "nat -A POSTROUTING -o eth1 -p tcp --dport 1 -j SNAT --to-source 10.1.0.1; nat -A POSTROUTING -o eth1 -p tcp --dport 2 -j SNAT --to-source 10.1.0.50-10.1.0.90"
            => "+tcp:1 -tcp:2 +tcp:3"),
        rules!("xt_masquerade", "nat -A POSTROUTING -s 10.0.0.0/24 ! -o br0 -j MASQUERADE" => "+tcp:1 +icmp +udp:9"),
        rules!("xt_redirect", "nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080" => "+tcp:80 +tcp:81"),
        rules!("xt_netmap", "nat -A PREROUTING -d 10.7.0.0/24 -j NETMAP --to 10.1.0.0/24" => "+a>10.7.0.2/tcp:1 -a>10.7.0.9/tcp:1"),
        rules!("xt_reject",
            "filter -A FORWARD -p tcp --dport 1 -j REJECT; filter -A FORWARD -p tcp --dport 2 -j REJECT --reject-with tcp-reset; filter -A FORWARD -p udp -j REJECT --reject-with icmp-host-prohibited"
                => "-tcp:1 -tcp:2 -udp:3 +tcp:4"),
        rules!("xt_log_and_nflog", "filter -A FORWARD -j LOG --log-prefix \"x \"; filter -A FORWARD -j NFLOG --nflog-group 3 --nflog-prefix y; filter -A FORWARD -p tcp --dport 1 -j DROP"
            => "-tcp:1 +tcp:2"),
        rules!("xt_connmark_save_restore", "mangle -A PREROUTING -p tcp --dport 1 -j MARK --set-mark 6; mangle -A PREROUTING -p tcp --dport 1 -j CONNMARK --save-mark; mangle -A FORWARD -m mark --mark 0 -j CONNMARK --restore-mark; mangle -A FORWARD -i eth1 -m mark --mark 6 -j DROP"
            => "-tcp:1 +tcp:2"),
        rules!("xt_ct_notrack", "raw -A PREROUTING -p tcp --dport 1 -j CT --notrack; filter -A FORWARD -m conntrack --ctstate UNTRACKED -j DROP"
            => "-tcp:1 +tcp:2"),
        rules!("xt_ct_zone", "raw -A PREROUTING -i br0 -j CT --zone 5; raw -A PREROUTING -i eth1 -p icmp -j CT --zone 5; filter -A FORWARD -i eth1 -m conntrack --ctstate NEW,INVALID -j DROP"
            => "+icmp -tcp:1"),
        rules!("xt_tcpmss", "mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu" => "+tcp:1"),
        rules!("xt_ttl_target", "mangle -A PREROUTING -p tcp --dport 1 -j TTL --ttl-set 1; mangle -A PREROUTING -p tcp --dport 2 -j TTL --ttl-inc 1" => "-tcp:1 +tcp:2"),
        rules!("xt_classify_and_checksum", "mangle -A POSTROUTING -j CLASSIFY --set-class 1:2; mangle -A POSTROUTING -p udp -j CHECKSUM --checksum-fill" => "+udp:1 +tcp:2"),
        rules!("xt_goto_and_return", "filter -N u; filter -A u -p tcp --dport 1 -j RETURN; filter -A u -p tcp --dport 2 -j DROP; filter -A FORWARD -g u; filter -A FORWARD -p tcp --dport 1 -j DROP"
            => "+tcp:1 -tcp:2"),
    ]
}

/// Where the frame goes between two ports is known to the IP hooks only with br_netfilter.
fn physdev() {
    let bench = Bench::new();
    bench.r.run_net("sysctl -qw net.bridge.bridge-nf-call-iptables=1");
    bench.iptables(
        "iptables-restore",
        "filter -A FORWARD -m physdev --physdev-in pa --physdev-out pc -p tcp --dport 1 -j DROP;\
         filter -A FORWARD -m physdev --physdev-is-bridged -p tcp --dport 2 -j DROP;\
         filter -A FORWARD -m physdev --physdev-in p+ -p tcp --dport 3 -j DROP;\
         filter -A FORWARD -m physdev ! --physdev-is-in -p tcp --dport 4 -j DROP",
    );
    assert_eq!(bench.untyped(), Vec::<String>::new());
    bench
        .each("physdev", "-a>c/tcp:1 +tcp:1 -a>c/tcp:2 +tcp:2 -a>c/tcp:3 -tcp:3 +a>c/tcp:4 +tcp:4");
}

/// By chance one of two ways, which both arrive; or a way that is not known.
fn statistic() {
    let bench = Bench::new();
    bench.iptables(
        "iptables-restore",
        "nat -A PREROUTING -d 10.0.0.1 -p tcp --dport 80 -m statistic --mode random --probability 0.5 -j DNAT --to-destination 10.1.0.2;\
         nat -A PREROUTING -d 10.0.0.1 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.3;\
         nat -A POSTROUTING -j MASQUERADE;\
         filter -A FORWARD -p tcp --dport 81 -m statistic --mode nth --every 3 --packet 0 -j DROP",
    );
    assert_eq!(bench.untyped(), Vec::<String>::new());
    assert!(bench.send("a tcp 10.0.0.1:80"));
    assert_eq!(bench.unknown("a tcp 10.1.0.2:81"), "match statistic");
}

fn string() {
    let bench = Bench::new();
    bench.iptables(
        "iptables-restore",
        "filter -A FORWARD -p tcp --dport 1 -m string --algo bm --string x -j ACCEPT;\
         filter -A FORWARD -p tcp --dport 1 -j DROP",
    );
    assert_eq!(bench.unknown("a tcp 10.1.0.2:1"), "match string");
    assert!(bench.send("a tcp 10.1.0.2:2"));
}
