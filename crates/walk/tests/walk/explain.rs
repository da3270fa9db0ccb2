//! What else was tried before a step: a test per kind of decision.

use model::{Expr, Family, Reg, SetOp, Snapshot};
use walk::{Considered, Indexed, IpSetFound, Looked, SetFound, SourceWhy, Step};
use wire::nft_text::{ChainSpec, SetSpec, TableSpec};

use crate::{net, question, tell};

const ROUTER: &str = "
ns a
ns r forward
ns b
veth a:eth0 r:eth0
veth b:eth0 r:eth1
addr a:eth0 10.0.0.2/24
addr r:eth0 10.0.0.1/24
addr r:eth1 10.1.0.1/24
addr b:eth0 10.1.0.2/24
route a default via 10.0.0.1 dev eth0
route b default via 10.1.0.1 dev eth0
";

/// What was considered in a namespace on the way from `a` to 10.1.0.2:80, a line each.
fn considered(more: &str, ns: &str) -> String {
    considered_in(&net::net(&format!("{ROUTER}{more}")), ns)
}

fn considered_in(snapshot: &Snapshot, ns: &str) -> String {
    let question = question(snapshot, "a", "10.1.0.2:80");
    let plain = Indexed::new(snapshot).trace(question.clone());
    let told = Indexed::new(snapshot).explained(true).trace(question);
    assert_eq!(told.there.disposition, plain.there.disposition, "it changes nothing");
    assert_eq!(tell::trace(snapshot, &told), tell::trace(snapshot, &plain));
    let silent = plain.there.hops.iter().flat_map(|hop| &hop.steps);
    assert!(silent.clone().all(|step| step.considered.is_empty()), "only where it was asked for");
    let hops = told.there.hops.iter().filter(|hop| hop.ns == net::id(snapshot, ns));
    let steps = hops.flat_map(|hop| &hop.steps).flat_map(|step: &Step| &step.considered);
    steps.map(|one| line(snapshot, one)).collect::<Vec<_>>().join("\n")
}

fn line(snapshot: &Snapshot, considered: &Considered) -> String {
    match considered {
        Considered::Rule { rule, why } => format!("rule {}: {why:?}", rule.priority),
        Considered::Route { route, why } => {
            format!("route {} table {} metric {}: {why:?}", route.dst, route.table, route.metric)
        }
        Considered::Source(why) => format!("source: {why:?}"),
        Considered::Chain { chain, tried } => {
            let ns = &snapshot.namespaces[&chain.ns].names[0].text;
            let one = |t: &walk::Tried| {
                let place = format!("{}#{}", t.rule.chain.chain, t.rule.number);
                let looked: String = t.looked.iter().map(looked).collect();
                match t.failed {
                    Some(at) => format!("{place}{looked} fails at {at}"),
                    None => format!("{place}{looked} matches"),
                }
            };
            let tried: Vec<String> = tried.iter().map(one).collect();
            format!("{ns} {} {}: {}", chain.table, chain.chain, tried.join(", "))
        }
        Considered::Filters { link, hook, tried } => {
            let link = &snapshot.link(*link).unwrap().name;
            let one = |t: &walk::TriedFilter| format!("{} {:?}", t.filter.priority, t.why);
            let tried: Vec<String> = tried.iter().map(one).collect();
            format!("tc {} of {link}: {}", hook.as_str(), tried.join(", "))
        }
    }
}

fn looked(looked: &Looked) -> String {
    match looked {
        Looked::Set { set, key, found } => {
            let found = match found {
                SetFound::Nothing => "nothing".to_owned(),
                SetFound::Added => "what was added".to_owned(),
                SetFound::Element(element) => format!("{:?}", element.key),
            };
            format!(" (set {set}: {key:?} finds {found})")
        }
        Looked::IpSet { set, found } => {
            let found = match found {
                IpSetFound::Nothing => "nothing".to_owned(),
                IpSetFound::Entry(entry) => format!("{:?}", entry.ip),
                IpSetFound::Excepted(entry) => format!("{:?}, an exception", entry.ip),
            };
            format!(" (ipset {set} finds {found})")
        }
    }
}

#[test]
fn shorter_prefixes_and_higher_metrics() {
    let more = "
        route r default via 10.1.0.9 dev eth1
        route r 10.1.0.0/16 via 10.1.0.8 dev eth1
        route r 10.1.0.0/24 dev eth1 metric 7";
    insta::assert_snapshot!(considered(more, "r"), @r"
    route 10.1.0.0/24 table 254 metric 7: Metric
    route 10.1.0.0/16 table 254 metric 0: Shorter
    route 0.0.0.0/0 table 254 metric 0: Shorter
    ");
}

#[test]
fn dead_routes_and_those_of_another_service() {
    let more = "
        route r 10.1.0.2 via 10.1.0.8 dev eth1 dead
        route r 10.1.0.2 via 10.1.0.9 dev eth1 tos 8";
    insta::assert_snapshot!(considered(more, "r"), @r"
    route 10.1.0.2/32 table 254 metric 0: Tos
    route 10.1.0.2/32 table 254 metric 0: Dead
    ");
}

#[test]
fn routing_rules_one_by_one() {
    let more = "
        rule r 10 from 10.9.0.0/16 lookup 7
        rule r 11 to 10.9.0.0/16 lookup 7
        rule r 12 iif eth1 lookup 7
        rule r 13 fwmark 3 lookup 7
        rule r 14 dport 81 lookup 7
        rule r 15 not from 10.0.0.0/24 lookup 7
        rule r 16 lookup 7
        rule r 17 suppress 1 lookup 8
        rule r 18 goto 20
        rule r 19 lookup 254
        rule r 20 lookup 9
        rule r 30 lookup 254
        route r 10.1.0.0/24 dev eth1 table 9 dead
        route r throw 10.1.0.0/24 table 7
        route r default via 10.1.0.9 dev eth1 table 8";
    insta::assert_snapshot!(considered(more, "r"), @r"
    rule 0: NothingThere
    rule 10: Selector(From)
    rule 11: Selector(To)
    rule 12: Selector(Iif)
    rule 13: Selector(Fwmark)
    rule 14: Selector(Dport)
    rule 15: Inverted
    rule 16: NothingThere
    route 10.1.0.0/24 table 7 metric 0: Throw
    rule 17: Suppressed
    route 0.0.0.0/0 table 8 metric 0: Shorter
    rule 18: LeadsOn
    rule 19: Passed
    rule 20: NothingThere
    route 10.1.0.0/24 table 9 metric 0: Dead
    ");
}

#[test]
fn a_route_that_is_missing() {
    let more = "
        rule r 10 from 10.9.0.0/16 lookup 254";
    insta::assert_snapshot!(considered(more, "r"), @r"
    rule 0: NothingThere
    rule 10: Selector(From)
    ");
}

#[test]
fn how_a_source_is_chosen() {
    let sources = |more: &str| {
        let all = considered(more, "a");
        all.lines().filter(|line| line.starts_with("source")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(sources(""), format!("source: {:?}", SourceWhy::Near));
    let named = "route a 10.1.0.0/24 via 10.0.0.1 dev eth0 src 10.0.0.2";
    assert_eq!(sources(named), format!("source: {:?}", SourceWhy::Route));
    let first = "addr a:eth0 10.5.0.2/24\nroute a 10.1.0.0/24 via 10.6.0.1 dev eth0";
    assert_eq!(sources(first), format!("source: {:?}", SourceWhy::First));
}

#[test]
fn rules_of_chains_and_the_expression_that_failed() {
    let more = "
        iptables r -A FORWARD -i eth1 -j DROP
        iptables r -A FORWARD -s 10.9.0.0/16 -j DROP
        iptables r -A FORWARD -p tcp -m tcp --dport 81 -j DROP
        iptables r -A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT
        iptables r -A FORWARD -j DROP";
    insta::assert_snapshot!(considered(more, "r"), @r"
    r filter FORWARD: FORWARD#1 fails at 1, FORWARD#2 fails at 2, FORWARD#3 fails at 3, FORWARD#4 matches
    ");
    let lost = "iptables r -A FORWARD -i eth1 -j ACCEPT\niptables r -A FORWARD -j DROP";
    insta::assert_snapshot!(considered(lost, "r"), @r"
    r filter FORWARD: FORWARD#1 fails at 1, FORWARD#2 matches
    ");
}

/// The router with a table of nftables in it.
fn with_table(sets: &[(&str, &str, Option<&str>, &[&str])], rules: &[&str]) -> Snapshot {
    let set = |(name, key, value, elements): &(&str, &str, Option<&str>, &[&str])| SetSpec {
        name: (*name).into(),
        key: (*key).into(),
        value: value.map(Into::into),
        elements: elements.iter().map(|e| (*e).into()).collect(),
    };
    let chain = ChainSpec {
        name: "c".into(),
        hook: Some("type filter hook forward priority 0".into()),
        drop: false,
        rules: rules.iter().map(|rule| (*rule).into()).collect(),
    };
    let sets = sets.iter().map(set).collect();
    let spec = TableSpec { family: Family::Ip, name: "t".into(), sets, chains: vec![chain] };
    let mut snapshot = net::net(ROUTER);
    let id = net::id(&snapshot, "r");
    let ruleset = &mut snapshot.namespaces.get_mut(&id).unwrap().ruleset;
    ruleset.tables.push(wire::nft_text::table(&spec).unwrap());
    snapshot
}

#[test]
fn what_sets_and_maps_have() {
    let snapshot = with_table(
        &[
            ("s", "ipv4_addr", None, &["10.0.0.0/24"]),
            ("m", "inet_service", Some("verdict"), &["80 : accept"]),
        ],
        &["ip daddr @s drop", "ip saddr @s tcp dport { 22, 81 } drop", "tcp dport vmap @m", "drop"],
    );
    insta::assert_snapshot!(considered_in(&snapshot, "r"), @"r t c: c#1 (set s: [10, 1, 0, 2] finds nothing) fails at 1, c#2 (set s: [10, 0, 0, 2] finds Some([10, 0, 0, 0])) (set __set0: [0, 80] finds nothing) fails at 5, c#3 (set m: [0, 80] finds Some([0, 80])) matches");
}

#[test]
fn what_a_rule_added_to_a_set() {
    let rules = ["ip saddr @s drop", "ip saddr @s drop", "ip saddr @s accept"];
    let mut snapshot = with_table(&[("s", "ipv4_addr", None, &[])], &rules);
    let id = net::id(&snapshot, "r");
    let rules = &mut snapshot.namespaces.get_mut(&id).unwrap().ruleset.tables[0].chains[0].rules;
    // `add @s { ip saddr }`: the address in the register goes into the set.
    let exprs = &mut rules[1].exprs;
    let at = exprs.iter().position(|e| matches!(e, Expr::Lookup { .. })).unwrap();
    exprs.truncate(at);
    exprs.push(Expr::Dynset {
        set: "s".into(),
        op: SetOp::Add,
        key: Reg(1),
        data: None,
        timeout: None,
        flags: 0,
        exprs: Vec::new(),
    });
    insta::assert_snapshot!(considered_in(&snapshot, "r"), @"r t c: c#1 (set s: [10, 0, 0, 2] finds nothing) fails at 1, c#2 matches, c#3 (set s: [10, 0, 0, 2] finds what was added) matches");
}

#[test]
fn what_sets_of_ipset_have() {
    let mut snapshot = net::net(ROUTER);
    let id = net::id(&snapshot, "r");
    let space = snapshot.namespaces.get_mut(&id).unwrap();
    for (name, kind, entries) in [
        ("nets", "hash:net", &["10.0.0.0/24", "10.0.0.2 nomatch"][..]),
        ("hosts", "hash:ip", &["10.0.0.2"]),
        ("all", "list:set", &["nets", "hosts"]),
    ] {
        let mut set = wire::ipset_text::set(name, kind, None).unwrap();
        set.entries =
            entries.iter().flat_map(|e| wire::ipset_text::add(&set, e).unwrap()).collect();
        space.ipsets.push(set);
    }
    let rules = ["nets src", "hosts dst", "all src"];
    let rules = rules.map(|words| format!("-m set --match-set {words} -j ACCEPT")).to_vec();
    let chain = wire::iptables::ChainSpec { name: "FORWARD".into(), policy: None, rules };
    space.ruleset.tables.push(wire::iptables::table("filter", &[chain]).unwrap());
    insta::assert_snapshot!(considered_in(&snapshot, "r"), @"r filter FORWARD: FORWARD#1 (ipset nets finds Some(10.0.0.2), an exception) fails at 0, FORWARD#2 (ipset hosts finds nothing) fails at 0, FORWARD#3 (ipset nets finds Some(10.0.0.2), an exception) (ipset hosts finds Some(10.0.0.2)) (ipset all finds None) matches");
}

#[test]
fn filters_of_tc_one_by_one() {
    let more = "
        tc r:eth0 ingress pref 1 protocol ipv6 matchall action drop
        tc r:eth0 ingress pref 2 protocol ip u32 match ip dst 10.9.0.2/32 action drop
        tc r:eth0 ingress pref 3 protocol ip u32 match ip dst 10.1.0.2/32 action skbedit mark 7 continue
        tc r:eth0 ingress pref 4 protocol all matchall action ok
        tc r:eth0 ingress pref 5 protocol all matchall action drop
        tc r:eth1 egress pref 1 protocol ip u32 match ip dport 81 action drop";
    insta::assert_snapshot!(considered(more, "r"), @r"
    tc ingress of eth0: 1 Protocol, 2 Selector, 3 Fits
    tc ingress of eth0: 4 Fits
    tc egress of eth1: 1 Selector
    ");
}
