//! Matches and targets beyond those that engines use: what we write for them is what iptables-nft
//! writes, as the kernel has it.

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/netns.rs"]
mod netns;

use model::{Family, Table};
use netns::{feed, inside, ruleset};
use wire::iptables::{ChainSpec, table, table6};

/// Table, chain, and rules.
type Of = (&'static str, &'static str, &'static [&'static str]);
type Rules = [Of];

const RULES: &Rules = &[
    (
        "filter",
        "FORWARD",
        &[
            "-m iprange --src-range 10.0.0.1-10.0.0.9 -j DROP",
            "-m iprange ! --src-range 10.0.0.1-10.0.0.9 --dst-range 10.0.1.0-10.0.1.5 -j DROP",
            "-m statistic --mode nth --every 2 --packet 1 -j DROP",
            "-m statistic --mode nth ! --every 7 --packet 0 -j DROP",
            "-m statistic --mode random --probability 0.25 -j DROP",
            "-m statistic --mode random ! --probability 1 -j DROP",
            "-m connmark --mark 1/3 -j DROP",
            "-m connmark ! --mark 0x10 -j DROP",
            "-m length --length 84:100 -j DROP",
            "-m length ! --length 84 -j DROP",
            "-m length --length 84: -j DROP",
            "-m limit --limit 5/min --limit-burst 100 -j ACCEPT",
            "-m limit -j ACCEPT",
            "-m limit --limit 7 -j ACCEPT",
            "-m pkttype --pkt-type broadcast -j DROP",
            "-m pkttype ! --pkt-type unicast -j DROP",
            "-m tos --tos 0x10 -j DROP",
            "-m tos ! --tos 0x10/0x1e -j DROP",
            "-m dscp --dscp 4 -j DROP",
            "-m dscp ! --dscp-class AF31 -j DROP",
            "-m dscp --dscp-class CS2 -j DROP",
            "-m dscp --dscp-class EF -j DROP",
            "-m recent --set --name hosts",
            "-m recent --set --name a --rdest",
            "-m recent --update --seconds 60 --hitcount 4 -j DROP",
            "-m recent ! --rcheck --reap --seconds 5 --rttl -j DROP",
            "-m recent --remove --name longer-than-the-usual",
            "-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 100 --hashlimit-mode srcip \
             --hashlimit-name x -j ACCEPT",
            "-m hashlimit --hashlimit-above 7/min --hashlimit-mode srcip,dstport \
             --hashlimit-srcmask 24 --hashlimit-htable-expire 9000 --hashlimit-name y -j DROP",
            "-j NFLOG --nflog-group 3 --nflog-prefix \"seen: \"",
            "-j NFLOG --nflog-size 20 --nflog-threshold 2",
            "-j CONNMARK --set-mark 1/3",
        ],
    ),
    (
        "filter",
        "OUTPUT",
        &[
            "-m owner --uid-owner 0 -j DROP",
            "-m owner ! --uid-owner 0 --gid-owner 0 -j DROP",
            "-m owner --socket-exists -j DROP",
        ],
    ),
    (
        "mangle",
        "FORWARD",
        &[
            "-j CONNMARK --set-mark 1",
            "-j CONNMARK --set-xmark 1/3",
            "-j CONNMARK --and-mark 6",
            "-j CONNMARK --or-mark 6",
            "-j CONNMARK --xor-mark 6",
            "-j CONNMARK --save-mark",
            "-j CONNMARK --save-mark --ctmask 1 --nfmask 2",
            "-j CONNMARK --restore-mark --mask 0xff",
            "-j TOS --set-tos 0x10",
            "-j TOS --set-tos 0x10/0x3f",
            "-j TOS --and-tos 0xfe",
            "-j TOS --or-tos 0x8",
            "-j TOS --xor-tos 0x8",
            "-j DSCP --set-dscp 4",
            "-j DSCP --set-dscp-class CS2",
            "-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
            "-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1000",
        ],
    ),
    (
        "raw",
        "PREROUTING",
        &["-j CT --notrack", "-j CT --zone 5", "-j CT --zone-orig 7", "-j CT --zone-reply mark"],
    ),
];

const ONLY_IPV4: &Rules = &[
    (
        "mangle",
        "PREROUTING",
        &[
            "-m ttl --ttl-lt 3 -j DROP",
            "-m ttl --ttl-gt 3 -j DROP",
            "-m ttl --ttl-eq 3 -j DROP",
            "-m ttl ! --ttl-eq 3 -j DROP",
            "-j TTL --ttl-set 5",
            "-j TTL --ttl-dec 1",
            "-j TTL --ttl-inc 2",
        ],
    ),
    ("raw", "PREROUTING", &["-j NOTRACK"]),
    ("nat", "PREROUTING", &["-d 10.0.5.0/24 -j NETMAP --to 10.0.2.0/24"]),
    ("nat", "POSTROUTING", &["-j NETMAP --to 10.0.2.7"]),
];

const ONLY_IPV6: &Rules = &[(
    "mangle",
    "PREROUTING",
    &[
        "-m hl --hl-lt 3 -j DROP",
        "-m hl ! --hl-eq 3 -j DROP",
        "-j HL --hl-set 5",
        "-j HL --hl-dec 1",
    ],
)];

#[test]
fn iptables_writes_the_same_rules() {
    if inside("iptables_writes_the_same_rules") {
        compare("iptables-restore", Family::Ip, RULES.iter().chain(ONLY_IPV4));
        compare("ip6tables-restore", Family::Ip6, RULES.iter().chain(ONLY_IPV6));
    }
}

fn compare<'a>(tool: &str, family: Family, all: impl Iterator<Item = &'a Of>) {
    for (name, chain, rules) in all {
        // The addresses' likes.
        let of_family = |rule: &&str| match family {
            Family::Ip6 => (!rule.contains("srcmask")).then(|| {
                rule.replace("10.0.", "2001:db8::").replace("::0.", "::").replace("::1.", "::1:")
            }),
            _ => Some((*rule).to_owned()),
        };
        let rules: Vec<String> = rules.iter().filter_map(of_family).collect();
        let ours = ours(family, name, chain, &rules);
        let lines: String = rules.iter().map(|rule| format!("-A {chain} {rule}\n")).collect();
        feed(&[tool], &format!("*{name}\n{lines}COMMIT\n"));
        let theirs = ruleset();
        let theirs = theirs.table(family, name).expect("restored").normalised();
        let of = |table: &Table| table.chain(chain).expect("there").rules.clone();
        let (theirs, ours) = (of(&theirs), of(&ours));
        assert_eq!(theirs.len(), ours.len());
        let all = theirs.iter().zip(&ours).zip(&rules);
        let wrong = all.filter(|((theirs, ours), _)| theirs.exprs != ours.exprs);
        let told: Vec<String> = wrong
            .map(|((theirs, ours), rule)| {
                format!("{rule}\n  theirs {:?}\n  ours   {:?}", theirs.exprs, ours.exprs)
            })
            .collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
    }
}

fn ours(family: Family, name: &str, chain: &str, rules: &[String]) -> Table {
    let spec = ChainSpec { name: chain.to_owned(), policy: None, rules: rules.to_vec() };
    let table = if family == Family::Ip6 { table6(name, &[spec]) } else { table(name, &[spec]) };
    table.unwrap_or_else(|error| panic!("{error}")).normalised()
}
