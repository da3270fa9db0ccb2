//! What a packet's socket adds: the link that it is bound to, its mark, and the type of service.

use walk::{Indexed, Question, Trace};

use crate::{net, question, tell};

/// Two wires to b, and a third link that leads nowhere.
const TWO: &str = "
ns a
ns b
veth a:eth0 b:eth0
veth a:eth1 b:eth1
link a:eth2 nic
link a:eth3 nic down
addr a:eth0 10.0.0.2/24
addr b:eth0 10.0.0.1/24
addr a:eth1 10.0.1.2/24
addr b:eth1 10.0.1.1/24
addr b:lo 10.9.0.1/32
route a 10.9.0.1 via 10.0.0.1 dev eth0
route a 10.9.0.1 via 10.0.1.1 dev eth1 metric 5
route a 10.9.0.1 via 10.0.1.1 dev eth1 table 7
route b 10.0.0.0/24 dev eth0
";

/// Which way a packet from a to 10.9.0.1:80 and its answer go, by their first links.
fn ends(more: &str, ask: impl FnOnce(Question) -> Question) -> String {
    let snapshot = net::net(&format!("{TWO}{more}"));
    let question = ask(question(&snapshot, "a", "10.9.0.1:80"));
    let trace: Trace = Indexed::new(&snapshot).trace(question);
    let out = trace.there.places().first().map(|p| tell::link_name(&snapshot, p.link));
    format!("by {}\n{}", out.as_deref().unwrap_or("no link"), tell::ends(&snapshot, &trace))
}

#[test]
fn a_bound_socket_takes_routes_by_its_link_alone() {
    insta::assert_snapshot!(ends("", |q| q), @r"
    by a:eth0
    there: delivered to b
    back: delivered to a
    ");
    insta::assert_snapshot!(ends("", |q| q.bound(Some(3))), @r"
    by a:eth1
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn without_a_route_by_its_link_it_is_not_known() {
    insta::assert_snapshot!(ends("", |q| q.bound(Some(4))), @r"
    by no link
    there: UNKNOWN in a: no route by the link that the socket is bound to
    back: -
    ");
    insta::assert_snapshot!(ends("", |q| q.bound(Some(5))), @r"
    by no link
    there: LOST at a:eth3: LinkDown
    back: -
    ");
}

#[test]
fn an_answer_by_another_link_is_not_its_own() {
    let more = "route b 10.0.1.2 via 10.0.0.2 dev eth0";
    insta::assert_snapshot!(ends(more, |q| q.bound(Some(3))), @r"
    by a:eth1
    there: delivered to b
    back: UNKNOWN the answer comes by another link than its socket is bound to
    ");
}

#[test]
fn rules_see_the_mark_the_service_and_the_link() {
    let marked = "rule a 10 fwmark 3 lookup 7";
    insta::assert_snapshot!(ends(marked, |q| q.mark(3)), @r"
    by a:eth1
    there: delivered to b
    back: delivered to a
    ");
    insta::assert_snapshot!(ends(marked, |q| q.mark(4)), @r"
    by a:eth0
    there: delivered to b
    back: delivered to a
    ");
    let served = "route a 10.9.0.1 via 10.0.1.1 dev eth1 tos 16";
    insta::assert_snapshot!(ends(served, |q| q.tos(16)), @r"
    by a:eth1
    there: delivered to b
    back: delivered to a
    ");
}
