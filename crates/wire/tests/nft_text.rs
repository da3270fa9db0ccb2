//! nft's words become what nft itself makes of them, and what is written is read.

#![allow(dead_code, reason = "the support is shared by several programs")]

#[path = "support/netns.rs"]
mod netns;

use model::{Family, NftRule, Set, Table};
use netns::{feed, inside, ruleset, send};
use wire::nft::replace_table;
use wire::nft_text::{ChainSpec, SetSpec, TableSpec, table};

/// Chains by family and hook, and rules of each: those of which nft writes the same expressions.
const CASES: &[(Family, &str, &[&str])] = &[
    (
        Family::Inet,
        "type filter hook forward priority 0",
        &[
            "tcp dport 80 accept",
            "udp sport != 7 drop",
            "tcp dport 1000-1010 counter accept",
            "tcp dport != 1000-1010 drop",
            "ip saddr 10.0.0.0/24 drop",
            "ip saddr != 10.1.2.128/25 drop",
            "ip daddr 10.0.0.1-10.0.0.9 return",
            "ip6 daddr 2001:db8::/32 drop",
            "ip protocol icmp accept",
            "meta l4proto udp accept",
            "icmp type echo-request accept",
            "ip ttl 1 drop",
            "ip ttl < 5 drop",
            "ip dscp 8 accept",
            "ip length > 100 drop",
            "tcp flags syn drop",
            "iifname \"br0\" oifname != \"eth*\" accept",
            "iifgroup 7 oifgroup != 0 drop",
            "meta mark 5 drop",
            "meta mark & 0xff == 3 drop",
            "meta pkttype broadcast drop",
            "meta length > 500 drop",
            "ct state established,related accept",
            "ct state != new drop",
            "ct mark 7 drop",
            "ct direction reply accept",
            "ct status dnat accept",
            "fib daddr type local drop",
            "fib saddr . iif oif missing drop",
            "tcp dport { 80, 443 } accept",
            "tcp dport != { 80, 1000-1010 } drop",
            "ip saddr { 10.0.0.0/24, 10.3.0.1 } drop",
            "ip saddr . tcp dport { 10.0.0.1 . 80, 10.0.0.2 . 81 } drop",
            "tcp dport vmap { 80 : accept, 81 : jump one, 82 : goto one }",
            "tcp dport @ports drop",
            "ip daddr . tcp dport vmap @ends",
            "ct state vmap { established : accept, invalid : drop }",
            "numgen inc mod 2 vmap { 0 : accept, 1 : drop }",
            "limit rate 5/second burst 10 packets accept",
            "limit rate over 3/minute drop",
            "log prefix \"x \" drop",
            "reject",
            "meta l4proto tcp reject with tcp reset",
            "reject with icmp host-prohibited",
            "reject with icmpx admin-prohibited",
            "meta mark set 5",
            "ct mark set meta mark",
            "meta mark set ct mark",
            "ip ttl set 9",
            "ip dscp set 8",
            "jump one",
            "goto one",
        ],
    ),
    (
        Family::Ip,
        "type nat hook prerouting priority -100",
        &[
            "ip daddr 10.0.0.1 tcp dport 80 dnat to 10.1.0.2:8080",
            "udp dport 53 redirect to :5353",
            "tcp dport 81 redirect",
            "dnat to 10.1.0.2",
            "dnat to numgen random mod 2 map { 0 : 10.1.0.2, 1 : 10.1.0.3 }",
        ],
    ),
    (
        Family::Inet,
        "type nat hook postrouting priority 100",
        &["ip saddr 10.0.0.0/8 masquerade", "oifname \"eth1\" snat ip to 10.1.0.1"],
    ),
    (
        Family::Ip,
        "type filter hook prerouting priority -300",
        &["tcp dport 1 notrack", "iifname \"br0\" ct zone set 5"],
    ),
    (
        Family::Bridge,
        "type filter hook forward priority 0",
        &[
            "ether saddr 02:00:00:00:00:01 drop",
            "ether type arp accept",
            "ip daddr 10.0.0.1 drop",
            "tcp dport 80 drop",
            "arp operation request accept",
        ],
    ),
    (
        Family::Arp,
        "type filter hook input priority 0",
        &["arp operation reply drop", "arp saddr ip 10.0.0.1 drop"],
    ),
    (
        Family::Netdev,
        "type filter hook ingress device \"lo\" priority 0",
        &["ip saddr 10.0.0.1 drop", "tcp dport 80 drop", "udp dport { 7, 9 } drop"],
    ),
];

fn spec(family: Family, hook: &str, rules: &[&str]) -> TableSpec {
    let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    let set = |name: &str, key: &str, value: Option<&str>, elements: &[&str]| SetSpec {
        name: name.to_owned(),
        key: key.to_owned(),
        value: value.map(str::to_owned),
        elements: owned(elements),
    };
    let chain = |name: &str, hook: Option<&str>, rules: Vec<String>| ChainSpec {
        name: name.to_owned(),
        hook: hook.map(str::to_owned),
        drop: false,
        rules,
    };
    TableSpec {
        family,
        name: "t".to_owned(),
        sets: vec![
            set("ports", "inet_service", None, &["22", "8000-8010"]),
            set("ends", "ipv4_addr . inet_service", Some("verdict"), &["10.0.0.1 . 80 : drop"]),
        ],
        chains: vec![chain("one", None, Vec::new()), chain("base", Some(hook), owned(rules))],
    }
}

/// The same as a file for nft.
fn file(spec: &TableSpec, hook: &str, rules: &[&str]) -> String {
    format!(
        "table {} t {{
            set ports {{ type inet_service; flags interval; elements = {{ 22, 8000-8010 }}\n}}
            map ends {{ type ipv4_addr . inet_service : verdict; elements = {{ 10.0.0.1 . 80 : drop }}\n}}
            chain one {{\n}}
            chain base {{\n{hook};\n{}\n}}\n}}\n",
        spec.family.as_str(),
        rules.join("\n")
    )
}

/// What a rule does, with the sets that it asks, whose names and other notes are nft's own affair.
fn meaning(table: &Table, rule: &NftRule) -> String {
    let mut text = format!("{:?}", rule.exprs);
    for set in &table.sets {
        let quoted = format!("{:?}", set.name);
        if text.contains(&quoted) {
            text = text.replace(&quoted, "set") + &holds(set);
        }
    }
    text
}

fn holds(set: &Set) -> String {
    // In front of the first interval nft writes an end of none.
    let keeps = |e: &&model::SetElement| {
        !(e.flags == 1 && e.key.as_ref().is_some_and(|k| k.iter().all(|b| *b == 0)))
    };
    let elements: Vec<_> = set.elements.iter().filter(keeps).collect();
    // nft says of any set with ranges of one part that it is one; CONCAT is told of its own.
    format!(" {} {} {:?} {elements:?}", set.flags & 0xf, set.key_len, set.data_type)
}

#[test]
fn nft_writes_the_same_rules() {
    if !inside("nft_writes_the_same_rules") {
        return;
    }
    for (family, hook, rules) in CASES {
        let spec = spec(*family, hook, rules);
        let ours = table(&spec).unwrap_or_else(|e| panic!("{e:?}")).normalised();
        feed(&["nft", "-f", "-"], &format!("flush ruleset\n{}", file(&spec, hook, rules)));
        let theirs = ruleset().table(*family, "t").expect("made").normalised();
        for (ours_in, theirs_in) in ours.chains.iter().zip(&theirs.chains) {
            assert_eq!((&ours_in.name, &ours_in.base), (&theirs_in.name, &theirs_in.base));
            assert_eq!(ours_in.rules.len(), theirs_in.rules.len());
            for (nth, (mine, other)) in ours_in.rules.iter().zip(&theirs_in.rules).enumerate() {
                assert_eq!(meaning(&ours, mine), meaning(&theirs, other), "{}", rules[nth]);
            }
        }
    }
}

#[test]
fn what_is_said_is_written_and_read() {
    if !inside("what_is_said_is_written_and_read") {
        return;
    }
    for (family, hook, rules) in CASES {
        for rule in *rules {
            let ours = table(&spec(*family, hook, &[rule])).unwrap_or_else(|e| panic!("{e:?}"));
            let there = ruleset().table(*family, "t").is_some();
            assert_eq!(send(&replace_table(there, &ours)), [], "{rule}");
            let read = ruleset().table(*family, "t").expect("made").normalised();
            assert_eq!(read, ours.normalised(), "{rule}");
        }
    }
}

#[test]
fn what_is_not_known_is_refused_by_its_word() {
    let refused = |rule: &str| {
        let spec = spec(Family::Inet, "type filter hook forward priority 0", &[rule]);
        table(&spec).expect_err(rule).why.to_string()
    };
    assert_eq!(refused("tcp dprot 80 drop"), "`dprot` is no part of `tcp` that is known here");
    assert_eq!(refused("tcp dport"), "something is missing at its end");
    assert_eq!(refused("tcp dport 80000 drop"), "`80000` is no such value");
    assert_eq!(refused("tcp dport 9-7 drop"), "`9-7` is no range");
    assert_eq!(refused("ip saddr 10.0.0.0/33 drop"), "`10.0.0.0/33` is no prefix");
    assert_eq!(refused("queue num 1"), "`queue` is not known here");
    assert_eq!(refused("tcp dport @none drop"), "`@none` is no set of this table");
    assert_eq!(refused("tcp dport { 80 81 } drop"), "`81` should be `,` or `}`");
    assert_eq!(refused("iifname \"eth0 drop"), "a quote is not closed");
}
