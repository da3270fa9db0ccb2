//! Bonds that use one port at a time, and links that swallow what they are given.

use model::{Bond, BondMode, BondPort, LinkKind, Member, Snapshot};

use crate::{ask, net, tell};

/// `a` has a bond of two ports, behind each of which there is a port of `b`'s bridge.
fn bonded(active: &str) -> Snapshot {
    let mut snapshot = net::net(
        "
ns a
ns b
veth a:p1 b:q1
veth a:p2 b:q2
link b:br bridge
port b:q1 br
port b:q2 br
link a:bond0 bond
addr a:bond0 10.0.0.1/24
addr b:br 10.0.0.2/24
",
    );
    let id = net::id(&snapshot, "a");
    let ns = snapshot.namespaces.get_mut(&id).unwrap();
    let index = |name: &str| ns.link_named(name).unwrap().index;
    let (bond, active) = (index("bond0"), index(active));
    let mac = ns.links[&bond].mac;
    for link in ns.links.values_mut() {
        if link.index == bond {
            let active = Some(active);
            let bond = Bond::of_mode(BondMode::ActiveBackup);
            link.kind = LinkKind::Bond(Bond { active, ..bond });
        } else if link.kind == LinkKind::Veth {
            let backup = link.index != active;
            (link.master, link.mac) = (Some(bond), mac);
            link.member = Some(Member::Bond(BondPort { backup, ..BondPort::default() }));
        }
    }
    snapshot
}

#[test]
fn by_the_port_in_use() {
    for (active, other) in [("p1", "p2"), ("p2", "p1")] {
        let snapshot = bonded(active);
        let trace = ask(&snapshot, "a", "10.0.0.2");
        assert_eq!(tell::ends(&snapshot, &trace), "there: delivered to b\nback: delivered to a");
        let told = tell::trace(&snapshot, &trace);
        assert!(told.contains(&format!("out a:{active} ")), "{told}");
        assert!(!told.contains(&format!("out a:{other} ")), "{told}");
    }
}

#[test]
fn what_comes_by_a_port_that_stands_by_is_lost() {
    let mut snapshot = bonded("p1");
    let ns = net::id(&snapshot, "b");
    let mac = snapshot.link(net::link_id(&snapshot, "a:bond0")).unwrap().mac.unwrap();
    let of = snapshot.namespaces.get_mut(&ns).unwrap();
    let bridge = of.link_named("br").unwrap().index;
    of.neighbours.push(model::Neighbour {
        link: bridge,
        ip: [10, 0, 0, 1].into(),
        mac: Some(mac),
        state: model::NeighbourState::Permanent,
        proxy: false,
    });
    let q1 = of.link_named("q1").unwrap().index;
    of.links.get_mut(&q1).unwrap().flags.remove(model::LinkFlags::UP);
    let got = tell::ends(&snapshot, &ask(&snapshot, "b", "10.0.0.1"));
    assert!(got.contains("StandsBy"), "{got}");
}

#[test]
fn an_ifb_swallows_what_no_rule_has_handed_to_it() {
    let text = "
ns a
link a:i ifb
addr a:i 10.0.1.1/24
neigh a:i 10.0.1.2 02:00:00:00:00:09
";
    insta::assert_snapshot!(crate::ends(text, "a", "10.0.1.2"), @r"
    there: LOST at a:i: Swallowed
    back: -
    ");
}

#[test]
fn a_dummy_swallows() {
    let text = "
ns a
link a:d dummy
addr a:d 10.0.0.1/24
neigh a:d 10.0.0.2 02:00:00:00:00:50
";
    let snapshot = net::net(text);
    let got = tell::ends(&snapshot, &ask(&snapshot, "a", "10.0.0.2"));
    assert!(got.starts_with("there: LOST at a:d: Swallowed"), "{got}");
}
