//! What we write for ip6tables is what ip6tables-nft writes, as the kernel has it, and is printed
//! as it was said.

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/netns.rs"]
mod netns;

use model::Family;
use netns::{feed, inside, ruleset};
use wire::iptables::{ChainSpec, parse_rule6, table6};

const NAT: &[(&str, &[&str])] = &[
    (
        "PREROUTING",
        &[
            "-d 2001:db8::1/128 -p tcp -m tcp --dport 81 -j DNAT --to-destination [2001:db8::2]:80",
            "-d 2001:db8::3/128 -j DNAT --to-destination 2001:db8::",
            "-p udp -m udp --dport 9 -j REDIRECT --to-ports 7",
            "-p tcp -m tcp --dport 5 -j DNAT --to-destination :80",
            "-p tcp -m tcp --dport 6 -j DNAT --to-destination [2001:db8::2-2001:db8::9]:80-90",
        ],
    ),
    (
        "POSTROUTING",
        &[
            "-s 2001:db8:1::/64 ! -o eth0 -j MASQUERADE",
            "-s 2001:db8:1::/64 -p tcp -j MASQUERADE --to-ports 1000-2000",
            "-o eth1 -j SNAT --to-source 2001:db8::7",
            "! -s fe80::/10 -p udp -j SNAT --to-source [2001:db8::7]:5-9",
        ],
    ),
];

const FILTER: &[(&str, &[&str])] = &[
    (
        "INPUT",
        &[
            "-s 2001:db8::/33 -j DROP",
            "-s 2001:db8::/ffff:ffff::ff -j DROP",
            "-d fe80::1/128 -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT",
            "-p ipv6-icmp -m icmp6 --icmpv6-type 1/4 -j ACCEPT",
            "-m addrtype --dst-type LOCAL -j REJECT --reject-with icmp6-port-unreachable",
            "-p tcp -j REJECT --reject-with tcp-reset",
            "-j REJECT --reject-with icmp6-adm-prohibited",
            "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
            "-m conntrack --ctorigsrc 2001:db8::/32 -j ACCEPT",
        ],
    ),
    ("FORWARD", &["-i eth0 -o eth1 -j ACCEPT", "-p tcp -m multiport --dports 80,443 -j DROP"]),
];

#[test]
fn ip6tables_writes_the_same_rules() {
    if !inside("ip6tables_writes_the_same_rules") {
        return;
    }
    for (name, chains) in [("nat", NAT), ("filter", FILTER)] {
        let specs: Vec<ChainSpec> = chains
            .iter()
            .map(|(name, rules)| ChainSpec {
                name: (*name).to_owned(),
                policy: None,
                rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
            })
            .collect();
        let ours = table6(name, &specs).unwrap().normalised();
        let mut input = format!("*{name}\n");
        for chain in &ours.chains {
            input += &format!(":{} ACCEPT\n", chain.name);
        }
        for (chain, rules) in chains {
            rules.iter().for_each(|rule| input += &format!("-A {chain} {rule}\n"));
        }
        feed(&["ip6tables-restore"], &format!("{input}COMMIT\n"));
        let theirs = ruleset();
        let theirs = theirs.table(Family::Ip6, name).expect("restored").normalised();
        for (theirs, ours) in theirs.chains.iter().zip(&ours.chains) {
            for (theirs, ours) in theirs.rules.iter().zip(&ours.rules) {
                assert_eq!(theirs.exprs, ours.exprs);
            }
            assert_eq!(theirs, ours);
        }
        assert_eq!(theirs.chains.len(), ours.chains.len());
    }
}

#[test]
fn what_is_of_ipv4_is_refused() {
    for rule in [
        "-s 10.0.0.1 -j DROP",
        "-f -j DROP",
        "-p icmp -m icmp --icmp-type 8 -j DROP",
        "-j REJECT --reject-with icmp-port-unreachable",
    ] {
        assert!(parse_rule6("filter", "INPUT", rule).is_err(), "{rule}");
    }
    let dnat = "-p tcp -j DNAT --to-destination 10.0.0.1:80";
    assert!(parse_rule6("nat", "PREROUTING", dnat).is_err());
}
