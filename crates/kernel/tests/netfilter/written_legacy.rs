//! What we write for iptables-legacy is what iptables-legacy writes, byte for byte as the kernel gives it
//! back, and is printed in the words that it was said in.

use kernel::read::{ReadOptions, gather};
use model::{Family, Table};
use trial::{Needs, Test};
use wire::gathered::Question;
use wire::iptables::{ChainSpec, base_chains, legacy_table, parse_rule};

use crate::space::Space;

const TOOLS: &[Needs] = &[Needs::Tool("iptables-legacy"), Needs::Tool("ip6tables-legacy")];

pub(crate) fn tests() -> Vec<Test> {
    vec![
        trial::test("legacy_bytes", TOOLS, captured),
        trial::test("legacy_bytes_ipv6", TOOLS, ipv6),
        trial::test("legacy_bytes_chains", TOOLS, chains),
        trial::test("legacy_takes_the_place_of_what_is_there", TOOLS, replaced),
        trial::test("legacy_refused", TOOLS, refused),
    ]
}

/// Every captured rule that iptables-nft takes.
fn captured() {
    const CAPTURE: &str = include_str!("../../../wire/fixtures/iptables-1.8.9.txt");
    let all = CAPTURE.lines().filter_map(|line| line.strip_prefix("rule "));
    let all: Vec<(&str, &str, &str)> = all
        .filter_map(|line| {
            let mut words = line.splitn(3, ' ');
            let (table, chain, rule) = (words.next()?, words.next()?, words.next()?);
            // One dash stands for a rule that says nothing.
            let rule = if rule == "-" { "" } else { rule };
            parse_rule(table, chain, rule).is_ok().then_some((table, chain, rule))
        })
        .collect();
    assert!(all.len() > 200, "{}", all.len());
    for table in ["raw", "mangle", "nat", "filter"] {
        let rules = all.iter().filter(|(of, ..)| *of == table);
        let rules: Vec<(&str, &str)> = rules.map(|(_, chain, rule)| (*chain, *rule)).collect();
        same(Family::Ip, table, &rules);
    }
}

fn ipv6() {
    same(
        Family::Ip6,
        "filter",
        &[
            ("INPUT", "-s 2001:db8::/33 -j DROP"),
            ("INPUT", "-s 2001:db8::/ffff:ffff::ff ! -d fe80::1/128 -j DROP"),
            ("INPUT", "-p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT"),
            ("INPUT", "! -p tcp -m addrtype --dst-type LOCAL -j REJECT"),
            ("FORWARD", "-p tcp -m tcp ! --dport 1:9 --syn -j REJECT --reject-with tcp-reset"),
            ("FORWARD", "-i eth+ ! -o eth1 -g USER1"),
            ("FORWARD", "-m conntrack --ctstate NEW --ctorigsrc 2001:db8::/32 -j USER1"),
            ("USER1", "-p udp -m multiport --dports 1,5:7 -m hl --hl-lt 3"),
            ("USER1", "-m hashlimit --hashlimit-upto 5/sec --hashlimit-name x -j RETURN"),
        ],
    );
    same(
        Family::Ip6,
        "nat",
        &[
            ("PREROUTING", "-p tcp -m tcp --dport 81 -j DNAT --to-destination [2001:db8::2]:80"),
            ("PREROUTING", "-p udp -m udp --dport 9 -j REDIRECT --to-ports 7"),
            ("POSTROUTING", "-s 2001:db8:1::/64 ! -o eth0 -j MASQUERADE"),
            ("POSTROUTING", "-o eth1 -j SNAT --to-source 2001:db8::7"),
        ],
    );
    same(
        Family::Ip6,
        "mangle",
        &[
            ("PREROUTING", "-j HL --hl-set 5"),
            ("OUTPUT", "-j DSCP --set-dscp 10"),
            ("OUTPUT", "-j CONNMARK --save-mark"),
            ("POSTROUTING", "-m mark --mark 1/3 -j TOS --set-tos 4/255"),
        ],
    );
    same(
        Family::Ip6,
        "raw",
        &[("PREROUTING", "-p tcp -j CT --notrack"), ("OUTPUT", "-j CT --zone 5")],
    );
}

/// Chains that lead to others, in an order that is not that of their names; what is limited and told.
fn chains() {
    same(
        Family::Ip,
        "filter",
        &[
            ("zero", "-p tcp -j RETURN"),
            ("zero", ""),
            ("INPUT", "-j zero"),
            ("alpha", "-g zero"),
            ("FORWARD", "-i br+ -j alpha"),
            ("FORWARD", "-m limit --limit 3/min --limit-burst 7 -j ACCEPT"),
            ("FORWARD", "-m statistic --mode nth --every 3 --packet 1 -j ACCEPT"),
            ("FORWARD", "-m recent --name seen --set"),
            (
                "FORWARD",
                "-m hashlimit --hashlimit-above 9/min --hashlimit-mode srcip --hashlimit-name h -j DROP",
            ),
            ("FORWARD", "-j NFLOG --nflog-group 3 --nflog-prefix x --nflog-size 9"),
            ("FORWARD", "-j NFLOG"),
            ("FORWARD", "-i + -o + -j DROP"),
            ("FORWARD", "! -i + -j DROP"),
        ],
    );
}

/// A table twice, the second time with other policies and fewer rules, then without any.
fn replaced() {
    let space = Space::new(&["--net"]);
    for (policy, rules) in [("DROP", &["-p tcp -j ACCEPT", "-j RETURN"][..]), ("ACCEPT", &[])] {
        let drop = policy == "DROP";
        let chain = ChainSpec {
            name: "FORWARD".to_owned(),
            policy: Some(if drop { model::Policy::Drop } else { model::Policy::Accept }),
            rules: rules.iter().map(|&rule| rule.to_owned()).collect(),
        };
        let wanted = legacy_table(false, "filter", &[chain]).unwrap();
        space.enter(|| kernel::apply::legacy_table(&wanted).unwrap());
        assert_eq!(read(&space, &wanted), wanted.normalised());
        let told = space.run_net("iptables-legacy -S FORWARD");
        let mut lines = vec![format!("-P FORWARD {policy}")];
        lines.extend(rules.iter().map(|rule| format!("-A FORWARD {rule}")));
        assert_eq!(told.lines().collect::<Vec<_>>(), lines);
    }
}

/// What the kernel has not is named; nothing is changed then.
fn refused() {
    let space = Space::new(&["--net"]);
    let chain = ChainSpec {
        name: "OUTPUT".to_owned(),
        rules: vec!["-m mark --mark 1 -j ACCEPT".to_owned()],
        ..ChainSpec::default()
    };
    let wanted = legacy_table(false, "filter", &[chain]).unwrap();
    let mut other = wanted.clone();
    let exprs = other.chains.iter_mut().flat_map(|c| &mut c.rules).flat_map(|r| &mut r.exprs);
    for expr in exprs {
        if let model::Expr::Match(xt) = expr {
            xt.revision = 9;
        }
    }
    space.enter(|| {
        kernel::apply::legacy_table(&wanted).unwrap();
        let cause = kernel::apply::legacy_table(&other).unwrap_err();
        assert_eq!(cause.to_string(), "this kernel has no match mark of revision 9");
        let unknown = Table { name: "legacy nowhere".to_owned(), ..wanted.clone() };
        let cause = kernel::apply::legacy_table(&unknown).unwrap_err();
        assert!(cause.to_string().starts_with("this kernel has no table nowhere"), "{cause}");
        assert!(cause.is_lacking());
    });
    assert_eq!(read(&space, &wanted), wanted.normalised());
}

/// Writes the rules by either in namespaces of their own.
#[track_caller]
fn same(family: Family, name: &str, rules: &[(&str, &str)]) {
    let (ours, theirs) = (Space::new(&["--net"]), Space::new(&["--net"]));
    let ipv6 = family == Family::Ip6;
    let tool = if ipv6 { "ip6tables-legacy" } else { "iptables-legacy" };
    let mut chains: Vec<ChainSpec> = vec![];
    for (chain, rule) in rules {
        let place = chains.iter().position(|c| c.name == *chain).unwrap_or_else(|| {
            chains.push(ChainSpec { name: (*chain).to_owned(), ..ChainSpec::default() });
            chains.len() - 1
        });
        chains[place].rules.push((*rule).to_owned());
    }
    if rules.iter().any(|(_, rule)| rule.contains("USER1"))
        && chains.iter().all(|c| c.name != "USER1")
    {
        chains.push(ChainSpec { name: "USER1".to_owned(), ..ChainSpec::default() });
    }
    let table = legacy_table(ipv6, name, &chains).unwrap();
    ours.enter(|| kernel::apply::legacy_table(&table).unwrap());
    assert_eq!(read(&ours, &table), table.normalised());
    theirs.run_net(&format!("{tool}-restore <<'RULES'\n{}RULES", restore(name, &chains)));
    let theirs_read = read(&theirs, &table);
    for (ours, theirs) in table.normalised().chains.iter().zip(&theirs_read.chains) {
        for (ours, theirs) in ours.rules.iter().zip(&theirs.rules) {
            assert_eq!(ours.exprs, theirs.exprs);
        }
        assert_eq!(ours, theirs);
    }
    assert_eq!(bytes(&ours, family), bytes(&theirs, family), "{name}");
    let said = |space: &Space| space.run_net(&format!("{tool} -t {name} -S"));
    assert_eq!(said(&ours), said(&theirs));
}

/// What iptables-restore takes.
fn restore(name: &str, chains: &[ChainSpec]) -> String {
    let base: Vec<String> = base_chains(name).unwrap().into_iter().map(|c| c.name).collect();
    let mut text = format!("*{name}\n");
    base.iter().for_each(|chain| text += &format!(":{chain} ACCEPT\n"));
    let own = chains.iter().filter(|c| !base.contains(&c.name));
    own.for_each(|chain| text += &format!(":{} -\n", chain.name));
    for chain in chains {
        chain.rules.iter().for_each(|rule| text += &format!("-A {} {rule}\n", chain.name));
    }
    text + "COMMIT\n"
}

fn read(space: &Space, of: &Table) -> Table {
    let snapshot = kernel::read::read(&ReadOptions::default()).unwrap();
    space.of(&snapshot).ruleset.table(of.family, &of.name).unwrap().normalised()
}

/// The kernel's own answers.
fn bytes(space: &Space, family: Family) -> Vec<u8> {
    let question = match family {
        Family::Ip6 => Question::Ip6tablesLegacy,
        _ => Question::IptablesLegacy,
    };
    let gathered = gather(&ReadOptions::default()).unwrap();
    gathered.answers[&space.id()].bytes(question).to_vec()
}
