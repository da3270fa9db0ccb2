//! What else was tried before a step: a test per kind of decision.

use model::Snapshot;
use walk::{Considered, Indexed, SourceWhy, Step};

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
    let snapshot = net::net(&format!("{ROUTER}{more}"));
    let question = question(&snapshot, "a", "10.1.0.2:80");
    let plain = Indexed::new(&snapshot).trace(question.clone());
    let told = Indexed::new(&snapshot).explained(true).trace(question);
    assert_eq!(told.there.disposition, plain.there.disposition, "it changes nothing");
    assert_eq!(tell::trace(&snapshot, &told), tell::trace(&snapshot, &plain));
    let silent = plain.there.hops.iter().flat_map(|hop| &hop.steps);
    assert!(silent.clone().all(|step| step.considered.is_empty()), "only where it was asked for");
    let hops = told.there.hops.iter().filter(|hop| hop.ns == net::id(&snapshot, ns));
    let steps = hops.flat_map(|hop| &hop.steps).flat_map(|step: &Step| &step.considered);
    steps.map(|one| line(&snapshot, one)).collect::<Vec<_>>().join("\n")
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
            let one = |t: &walk::Tried| match t.failed {
                Some(at) => format!("{}#{} fails at {at}", t.rule.chain.chain, t.rule.number),
                None => format!("{}#{} matches", t.rule.chain.chain, t.rule.number),
            };
            let tried: Vec<String> = tried.iter().map(one).collect();
            format!("{ns} {} {}: {}", chain.table, chain.chain, tried.join(", "))
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
