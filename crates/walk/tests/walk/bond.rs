//! Bonds, and links that swallow what they are given.

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

/// `a` has a bond of two ports, whose other ends are `b`'s and `c`'s, known to it for good.
fn apart(bond: Bond) -> Snapshot {
    let mut snapshot = net::net(
        "
ns a
ns b
ns c
veth a:p1 b:q1
veth a:p2 c:q2
link a:bond0 bond
addr a:bond0 10.0.0.1/24
addr b:q1 10.0.0.2/24
addr c:q2 10.0.0.3/24
",
    );
    let mac = |snapshot: &Snapshot, link: &str| {
        snapshot.link(net::link_id(snapshot, link)).and_then(|link| link.mac)
    };
    let known = [
        ("a:bond0", [10, 0, 0, 2], mac(&snapshot, "b:q1")),
        ("a:bond0", [10, 0, 0, 3], mac(&snapshot, "c:q2")),
        ("b:q1", [10, 0, 0, 1], mac(&snapshot, "a:bond0")),
        ("c:q2", [10, 0, 0, 1], mac(&snapshot, "a:bond0")),
    ];
    for (name, ip, mac) in known {
        let id = net::link_id(&snapshot, name);
        snapshot.namespaces.get_mut(&id.ns).unwrap().neighbours.push(model::Neighbour {
            link: id.index,
            ip: ip.into(),
            mac,
            state: model::NeighbourState::Permanent,
            proxy: false,
        });
    }
    let id = net::id(&snapshot, "a");
    let ns = snapshot.namespaces.get_mut(&id).unwrap();
    let index = ns.link_named("bond0").unwrap().index;
    let shared = ns.links[&index].mac;
    // By load, each port but the one in use has its own address.
    let one = bond.active.filter(|_| bond.mode() == BondMode::BalanceTlb);
    for link in ns.links.values_mut() {
        if link.index == index {
            link.kind = LinkKind::Bond(bond.clone());
        } else if link.kind == LinkKind::Veth {
            link.master = Some(index);
            if one.is_none_or(|one| one == link.index) {
                link.mac = shared;
            }
            link.member = Some(Member::Bond(BondPort::default()));
        }
    }
    snapshot
}

/// The ports, by name, that a packet there goes out by.
fn sent_by(snapshot: &Snapshot, to: &str) -> String {
    let told = tell::trace(snapshot, &ask(snapshot, "a", to));
    let out = told.lines().filter_map(|line| line.trim().strip_prefix("out a:p"));
    out.map(|line| line.split(' ').next().unwrap_or_default()).collect::<Vec<_>>().join(" ")
}

fn of_ports(mode: BondMode, ports: &[&str]) -> Bond {
    let snapshot = apart(Bond::of_mode(mode));
    let index = |name: &&str| net::link_id(&snapshot, &format!("a:{name}")).index;
    let ports: Vec<u32> = ports.iter().map(index).collect();
    Bond { active: ports.first().copied(), ports, ..Bond::of_mode(mode) }
}

#[test]
fn a_hash_goes_by_the_order_of_the_ports() {
    let (one, other) = (["p1", "p2"], ["p2", "p1"]);
    let by = |ports: &[&str]| sent_by(&apart(of_ports(BondMode::BalanceXor, ports)), "10.0.0.2");
    let (first, second) = (by(&one), by(&other));
    assert!(["1", "2"].contains(&first.as_str()), "{first}");
    assert!(["1", "2"].contains(&second.as_str()), "{second}");
    assert_ne!(first, second);
}

#[test]
fn whose_turn_it_is_nobody_tells() {
    for mode in [BondMode::BalanceRr, BondMode::BalanceXor] {
        let snapshot = apart(Bond::of_mode(mode));
        let trace = ask(&snapshot, "a", "10.0.0.2");
        let ends: Vec<bool> = trace.branches.iter().map(|b| b.trace.back.is_some()).collect();
        assert_eq!(ends, [true, false], "{mode:?}: by p2 it comes to c, which is not asked");
    }
}

#[test]
fn a_copy_by_each() {
    let snapshot = apart(Bond::of_mode(BondMode::Broadcast));
    for (to, whose) in [("10.0.0.2", "b"), ("10.0.0.3", "c")] {
        let trace = ask(&snapshot, "a", to);
        let got = tell::ends(&snapshot, &trace);
        assert_eq!(got, format!("there: delivered to {whose}\nback: delivered to a"));
        assert!(tell::trace(&snapshot, &trace).contains("bond (All): a:p1 a:p2"));
    }
}

#[test]
fn by_load_with_the_ports_own_address() {
    let mut seen = Vec::new();
    for ports in [["p1", "p2"], ["p2", "p1"]] {
        let mut bond = of_ports(BondMode::BalanceTlb, &ports);
        bond.active = of_ports(BondMode::BalanceTlb, &["p1"]).active;
        bond.options.set(model::BondOption::TlbDynamicLb, 0);
        let snapshot = apart(bond);
        let own = |link: &str| snapshot.link(net::link_id(&snapshot, link)).unwrap().mac;
        let trace = ask(&snapshot, "a", "10.0.0.2");
        for step in trace.there.hops.iter().flat_map(|hop| &hop.steps) {
            let walk::Action::Out { link } = step.action else { continue };
            let name = tell::link_name(&snapshot, link);
            if name.starts_with("a:p") {
                let sent = step.packet.src_mac;
                seen.push((name == "a:p1", sent == own("a:bond0"), sent == own(&name)));
            }
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, [(false, false, true), (true, true, true)]);
}

#[test]
fn of_all_ports_one_takes_in() {
    let snapshot = apart(of_ports(BondMode::BalanceTlb, &["p1", "p2"]));
    let ends = |from: &str| tell::ends(&snapshot, &ask(&snapshot, from, "10.0.0.1"));
    assert!(ends("b").starts_with("there: delivered to a"), "{}", ends("b"));
    assert_eq!(ends("c"), "there: LOST at a:p2: StandsBy\nback: -");
}

#[test]
fn without_a_port_that_can_send() {
    let mut snapshot = apart(Bond::of_mode(BondMode::BalanceXor));
    let id = net::id(&snapshot, "a");
    for link in snapshot.namespaces.get_mut(&id).unwrap().links.values_mut() {
        if let Some(Member::Bond(port)) = &mut link.member {
            port.mii = model::MiiStatus::Down;
        }
    }
    let got = tell::ends(&snapshot, &ask(&snapshot, "a", "10.0.0.2"));
    assert_eq!(got, "there: LOST at a:bond0: NoPort\nback: -");
}

#[test]
fn one_that_is_down_takes_in_what_its_ports_bring() {
    let mut snapshot = bonded("p1");
    let id = net::link_id(&snapshot, "a:bond0");
    let mac = snapshot.link(id).unwrap().mac;
    let link = snapshot.namespaces.get_mut(&id.ns).unwrap().links.get_mut(&id.index).unwrap();
    link.flags.remove(model::LinkFlags::UP);
    let br = net::link_id(&snapshot, "b:br");
    snapshot.namespaces.get_mut(&br.ns).unwrap().neighbours.push(model::Neighbour {
        link: br.index,
        ip: [10, 0, 0, 1].into(),
        mac,
        state: model::NeighbourState::Permanent,
        proxy: false,
    });
    let got = tell::ends(&snapshot, &ask(&snapshot, "b", "10.0.0.1"));
    assert_eq!(got, "there: delivered to a\nback: LOST at a:bond0: LinkDown");
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
