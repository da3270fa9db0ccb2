//! Parts that nobody showed: the walk goes on by what is taken for them, and says so.

use model::{Expr, Hook, NftRule, Snapshot};
use walk::Verdict;

use crate::{ask, net, tell};

const NET: &str = "
ns a
ns r forward
ns b
veth a:eth0 r:left
veth r:right b:eth0
addr a:eth0 10.0.0.2/24
addr r:left 10.0.0.1/24
addr r:right 10.1.0.1/24
addr b:eth0 10.1.0.2/24
route a default via 10.0.0.1 dev eth0
route b default via 10.1.0.1 dev eth0
";

/// The lines of the way from a to b that say what is assumed; it is the verdict then.
#[track_caller]
fn check(snapshot: &Snapshot, verdict: &Verdict<'_>, expected: &[&str]) {
    let trace = ask(snapshot, "a", "10.1.0.2");
    assert_eq!(trace.verdict(), *verdict);
    let told = tell::trace(snapshot, &trace);
    let there = told.split("\nback").next().unwrap_or_default();
    let lines: Vec<&str> =
        there.lines().map(str::trim).filter_map(|l| l.strip_prefix("ASSUMED ")).collect();
    assert_eq!(lines, expected, "{told}");
}

#[track_caller]
fn parts(more: &str, expected: &[&str]) {
    check(&net::net(&format!("{NET}{more}")), &Verdict::Assumed, expected);
}

#[test]
fn each_part_is_told_once_where_it_is_needed() {
    parts("assume a rules\nassume a sysctls", &["rules: the usual; sysctls: the usual"]);
    parts("assume r netfilter", &["netfilter: the usual"]);
    parts("assume a neighbours", &["neighbours: the usual"]);
    parts("assume b qdiscs", &["qdiscs: the usual"]);
}

#[test]
fn what_is_not_needed_changes_nothing() {
    let snapshot = net::net(&format!("{NET}assume a fdb\nassume b kinds\nassume r neighbours"));
    let trace = ask(&snapshot, "a", "10.0.0.1");
    assert_eq!((trace.verdict(), trace.assumptions()), (Verdict::Yes, vec![]));
}

#[test]
fn a_loss_that_rests_on_an_assumption_is_not_sure() {
    let lost = NET.replace("ns r forward", "ns r");
    check(
        &net::net(&format!("{lost}assume r sysctls")),
        &Verdict::Assumed,
        &["sysctls: the usual"],
    );
}

#[test]
fn a_hidden_condition_counts_only_if_it_makes_a_difference() {
    let drop = "iptables r -A FORWARD -j DROP\n";
    let hide = |text: &str, holds| {
        let mut snapshot = net::net(&format!("{NET}{text}"));
        let r = net::id(&snapshot, "r");
        let ruleset = &mut snapshot.namespaces.get_mut(&r).unwrap().ruleset;
        let forward =
            |c: &&mut model::Chain| c.base.as_ref().is_some_and(|b| b.hook == Hook::Forward);
        let chain = ruleset.tables[0].chains.iter_mut().find(forward).unwrap();
        let rule: &mut NftRule = &mut chain.rules[0];
        rule.exprs.insert(0, Expr::Hidden { what: "links".into(), holds });
        snapshot
    };
    check(&hide(drop, true), &Verdict::Assumed, &["rule 1 of filter FORWARD: it matches"]);
    check(&hide(drop, false), &Verdict::Assumed, &["rule 1 of filter FORWARD: it does not match"]);
    let accept = "iptables r -A FORWARD -j ACCEPT\n";
    check(&hide(accept, true), &Verdict::Yes, &[]);
}

/// What is new in a full table of connections may be dropped.
#[test]
fn a_full_table_of_connections() {
    let rule = "iptables r -A FORWARD -m conntrack --ctstate INVALID -j DROP";
    let mut snapshot = net::net(&format!("{NET}{rule}"));
    let r = net::id(&snapshot, "r");
    let room = |taken| Some(model::Room { taken, most: 1000 });
    snapshot.namespaces.get_mut(&r).unwrap().sysctls.connections = room(999);
    check(&snapshot, &Verdict::Yes, &[]);
    snapshot.namespaces.get_mut(&r).unwrap().sysctls.connections = room(1000);
    check(&snapshot, &Verdict::Assumed, &["connections: an old one makes room for it"]);
}
