//! Every row of forwarding that the walk does not model makes the answer "unknown", with its
//! cause. One case per row.

use model::{Bond, BondMode, Expr, Family, LinkKind, Opaque, Snapshot, Table};

use crate::{ask, net, tell};

/// Two hosts at a router, which has a bridge too.
const NET: &str = "
ns a
ns r forward brnf
ns b
link r:br0 bridge
veth a:eth0 r:pa
veth b:eth0 r:eth1
port r:pa br0
addr a:eth0 10.0.0.2/24
addr r:br0 10.0.0.1/24
addr r:eth1 10.1.0.1/24
addr b:eth0 10.1.0.2/24
route a default via 10.0.0.1 dev eth0
route b default via 10.1.0.1 dev eth0
";

fn check(case: &str, change: impl FnOnce(&mut Snapshot), expected: &str) {
    check_text(case, "", change, expected);
}

fn check_text(case: &str, text: &str, change: impl FnOnce(&mut Snapshot), expected: &str) {
    let mut snapshot = net::net(&format!("{NET}{text}"));
    change(&mut snapshot);
    let trace = ask(&snapshot, "a", "10.1.0.2");
    let got = tell::ends(&snapshot, &trace);
    assert_eq!(got.lines().next(), Some(expected), "{case}");
    assert!(matches!(trace.verdict(), walk::Verdict::Unknown(_)), "{case}");
}

fn lines(case: &str, text: &str, expected: &str) {
    check_text(case, text, |_| {}, expected);
}

fn on<'s>(snapshot: &'s mut Snapshot, ns: &str) -> &'s mut model::Namespace {
    let id = net::id(snapshot, ns);
    snapshot.namespaces.get_mut(&id).unwrap()
}

#[test]
fn the_net_itself_is_known() {
    let snapshot = net::net(NET);
    assert_eq!(ask(&snapshot, "a", "10.1.0.2").verdict(), walk::Verdict::Yes);
}

#[test]
fn before_and_behind_a_link() {
    lines("native XDP", "set r:pa xdp 1", "there: UNKNOWN at r:pa: XDP program 1");
    lines("tc ingress", "set r:pa tc 1", "there: UNKNOWN at r:pa#ingress#0 : not shown");
    lines("tc egress", "set r:eth1 tc 1", "there: UNKNOWN at r:eth1#egress#0 : not shown");
}

#[test]
fn kinds_of_links() {
    for kind in ["team", "netkit", "gre"] {
        let text = format!(
            "link r:x {kind}\nroute r 10.1.0.2/32 dev x\nneigh r:x 10.1.0.2 02:00:00:00:00:50"
        );
        let expected = format!("there: UNKNOWN at r:x: kind {kind}");
        lines(kind, &text, &expected);
    }
    let text =
        "link r:x wireguard\nroute r 10.1.0.2/32 dev x\nneigh r:x 10.1.0.2 02:00:00:00:00:50";
    lines("wireguard", text, "there: UNKNOWN in r: the peers of a WireGuard link");
    let macvlan =
        "link r:x macvlan\nroute r 10.1.0.2/32 dev x\nneigh r:x 10.1.0.2 02:00:00:00:00:50";
    lines("lower", macvlan, "there: UNKNOWN at r:x: the link below is not known");
    let slave = "link r:bond0 bond\nset r:eth1 master 5";
    check_text(
        "slave of a bond",
        slave,
        |s| {
            let bond = on(s, "r").links.values_mut().find(|l| l.name == "bond0").unwrap();
            bond.kind = LinkKind::Bond(Bond::of_mode(BondMode::BalanceAlb));
            let index = bond.index;
            on(s, "r").links.values_mut().find(|l| l.name == "eth1").unwrap().master = Some(index);
        },
        "there: UNKNOWN at r:bond0: bond of mode balance-alb",
    );
}

#[test]
fn bridges() {
    lines(
        "VLAN filtering",
        "set r:br0 vlan_filtering 1",
        "there: UNKNOWN at r:br0: VLAN filtering, of which no VLAN is known",
    );
    lines("ebtables", "opaque r ebtables", "there: UNKNOWN in r: ebtables-legacy tables");
}

#[test]
fn routing() {
    let object = "route r 10.1.0.2/32 nhid 7";
    lines("nexthop object", object, "there: UNKNOWN in r: nexthop object 7");
    let rule = "rule r 100 unknown flowlabel lookup 254";
    lines("selector of a rule", rule, "there: UNKNOWN in r: rule 100 (flowlabel)");
}

#[test]
fn netfilter() {
    let legacy = "opaque r legacy";
    lines("legacy tables", legacy, "there: UNKNOWN in r: iptables-legacy tables (nat)");
    let queue = "iptables r -A FORWARD -j NFQUEUE";
    lines("queue", queue, "there: UNKNOWN in filter FORWARD#1: queue 0");
    let unknown = "iptables r -A FORWARD -m recent -j DROP";
    lines("unknown match", unknown, "there: UNKNOWN in filter FORWARD#1: match recent");
    let target = "iptables r -t mangle -A PREROUTING -j TPROXY";
    lines("unknown target", target, "there: UNKNOWN in mangle PREROUTING#1: target TPROXY");
    check_text(
        "unknown expression",
        "iptables r -A FORWARD -i nothing -j DROP",
        |s| {
            let table = on(s, "r").ruleset.tables.last_mut().unwrap();
            let exprs = &mut table.chains.last_mut().unwrap().rules[0].exprs;
            exprs[0] = Expr::Opaque { name: "fib".into(), data: Vec::new() };
            exprs.remove(1);
        },
        "there: UNKNOWN in filter FORWARD#1: expression fib",
    );
    check(
        "flowtable",
        |s| {
            let mut table = Table::new(Family::Inet, "f");
            table.flowtables.push("ft".into());
            on(s, "r").ruleset.tables.push(table);
        },
        "there: UNKNOWN in r: flowtable ft",
    );
}

#[test]
fn elsewhere_in_a_namespace() {
    lines("xfrm", "opaque r xfrm", "there: UNKNOWN in r: IPsec policies");
    lines("ipvs", "opaque r ipvs", "there: UNKNOWN in r: IPVS services");
    lines("other", "opaque r a-bpf-scheduler", "there: UNKNOWN in r: a-bpf-scheduler");
    let cgroup = "opaque a cgroup";
    lines("cgroup BPF", cgroup, "there: UNKNOWN in a: BPF on its processes' cgroup (egress 7)");
    lines("cgroup BPF of who gets it", "opaque b cgroup", "there: delivered to b");
    check(
        "flowtable by name",
        |s| {
            on(s, "r").opaque.push(Opaque::Flowtable("ft".into()));
        },
        "there: UNKNOWN in r: flowtable ft",
    );
    for part in ["routes", "rules", "netfilter", "sysctls", "addresses", "links"] {
        let known = "neigh a:eth0 10.0.0.1 02:00:00:00:00:04";
        let text = format!("{known}\ngap r {part}");
        let expected = format!("there: UNKNOWN in r: {part}: EPERM");
        lines(part, &text, &expected);
    }
    lines("neighbours", "gap a neighbours", "there: UNKNOWN in a: neighbours: EPERM");
    lines("FDB", "gap r fdb", "there: UNKNOWN in r: fdb: EPERM");
    lines("tc unread", "gap r qdiscs", "there: UNKNOWN in r: qdiscs: EPERM");
}

#[test]
fn a_peer_that_was_not_read() {
    check(
        "unresolved",
        |s| {
            let links = &mut on(s, "a").links;
            links.values_mut().find(|l| l.name == "eth0").unwrap().relation =
                model::Relation::Unresolved(3);
        },
        "there: UNKNOWN at a:eth0: its other end is in unknown nsid 3",
    );
    check(
        "namespace gone",
        |s| {
            let b = net::id(s, "b");
            s.namespaces.remove(&b);
        },
        "there: UNKNOWN in net:[3]: its link 2 was not read",
    );
}

#[test]
fn packets() {
    let snapshot = net::net(NET);
    for to in ["::ffff:10.0.0.2", "::"] {
        let trace = ask(&snapshot, "a", to);
        assert!(
            matches!(trace.verdict(), walk::Verdict::Unknown(walk::Unknown::Packet(_))),
            "{to}"
        );
    }
}

#[test]
fn what_is_not_met_does_not_matter() {
    let beside = "
        opaque b xfrm
        link r:spare bond
        set r:spare xdp 1
        iptables r -A FORWARD -i nothing -m recent -j DROP
        iptables r -A FORWARD -m recent -j ACCEPT
        iptables r -A FORWARD -m recent
        iptables r -A INPUT -m recent -j DROP
        rule r 100 from 10.9.0.0/16 unknown uidrange lookup 254";
    let snapshot = net::net(&format!("{NET}{}", beside.replace("opaque b xfrm", "")));
    assert_eq!(ask(&snapshot, "a", "10.1.0.2").verdict(), walk::Verdict::Yes);
}
