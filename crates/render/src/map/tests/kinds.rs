//! Links that stand on others, are ports of bonds, or lead to a process.

use super::draw;
use crate::Style;
use crate::fixtures::network;
use crate::map::check::check;

#[test]
fn what_is_no_veth_names_what_it_stands_on() {
    let text = "
        ns host pid 1
        ns guest in host
        ns shy in host
        nic host:eth0 10.0.0.1/24
        macvlan guest:mac0 host:eth0
        addr guest:mac0 10.0.0.2/24
        vxlan host:vx0 host:eth0 42
        kind host:bond0 bond
        nic host:tap0 down
    ";
    insta::assert_snapshot!(draw(text), @r"
    host  lab test, pid 1
      ┌ eth0  10.0.0.1/24 ───┐  bond0 (bond)  tap0 (down)
      │ carries another link │
      │ └ vx0 (vxlan 42)     │
      └──┤card├───┤macvlan├──┘
            │         │
         outside      │
                      │
    ══════════════════│═════════════════════════════════════════════════════════════
    guest             │
               mac0 (macvlan)  10.0.0.2/24

    not drawn, with no link but lo: shy
    ");
}

#[test]
fn bonds_vlans_and_vrfs() {
    let text = "
        ns host pid 1
        bond host:bond0
        nic host:eno1 @bond0
        nic host:eno2 @bond0
        vlan host:bond0.5 host:bond0 5
        vlan host:bond0.6 host:bond0 6
        addr host:bond0.5 10.0.5.1/24
        macvlan host:mv host:bond0.6
        nic host:eth0 10.0.0.1/24
        vlan host:eth0.7 host:eth0 7
        vrf host:blue 10
        nic host:eth1 @blue 10.1.0.1/24
        bridge host:vmbr0 10.2.0.1/24
        bond host:bond1@vmbr0
        nic host:eno3 @bond1
        vlan host:eth0.8@vmbr0 host:eth0 8
    ";
    insta::assert_snapshot!(draw(text), @r"
        host  lab test, pid 1
          ┌ bond0 ──────────────────────────┐  ┌ vmbr0  10.2.0.1/24 ───────────────────┐
          │ bond, mode active-backup        │  │ L2 switch with the host's own address │
          │ ├ bond0.5 (vlan 5)  10.0.5.1/24 │  └───┤bond1 (bond)├───┤eth0.8 (vlan 8)├──┘
          │ └ bond0.6 (vlan 6)              │                               │
          │   └ mv (macvlan)                │                            on eth0
          └────┤eno1├─────┤eno2 (backup)├───┘
                  │              │
               outside        outside
          eth0 ── outside    blue (vrf table 10)  eth1 (in VRF blue) ── outside
          10.0.0.1/24                             10.1.0.1/24
          └ eth0.7 (vlan 7)
          eno3 (port of bond1, ACTIVE) ── outside
        ");
}

#[test]
fn containers_on_a_card() {
    let text = "
        ns host pid 1
        nic host:eth0 10.0.0.1/24
        vlan host:eth0.5 host:eth0 5
        ns a in host
        ns b in host
        macvlan a:eth0 host:eth0
        macvlan b:eth0 host:eth0.5
        vlan a:sub a:eth0 9
        addr a:eth0 10.0.0.2/24
        addr a:sub 10.9.0.2/24
        addr b:eth0 10.0.5.2/24
        ns inner in a
        macvlan inner:mac0 a:eth0
    ";
    insta::assert_snapshot!(draw(text), @r"
    host  lab test, pid 1
      ┌ eth0  10.0.0.1/24 ───┐  ┌ eth0.5 ──────────────────────────────┐
      │ carries another link │  │ vlan 5 on eth0, carries another link │
      └──┤card├───┤macvlan├──┘  └───────────────┤macvlan├──────────────┘
            │         │                             │
         outside      │                             │
                      │                             │
    ══════════════════│═════════════════════════════│═══════════════════════════════
    a  inside host    │                             │
    ┌─────────────────┘                             │
    │ ┌ eth0  10.0.0.2/24 ────────────┐             │
    │ │ macvlan, carries another link │             │
    │ │ └ sub (vlan 9)  10.9.0.2/24   │             │
    │ └─────┤lower├─────┤macvlan├─────┘             │
    └──────────┘            │                       │
    ════════════════════════│═══════════════════════│═══════════════════════════════
    inner  inside a         │                       │
                     mac0 (macvlan)                 │
    ════════════════════════════════════════════════│═══════════════════════════════
    b  inside host, pid 1020                        │
                                             eth0 (macvlan)  10.0.5.2/24
    ");
}

#[test]
fn many_containers_on_a_card() {
    let mut text = String::from("ns host pid 1\nnic host:eth0 10.0.0.1/24\n");
    for n in 1..7 {
        text.push_str(&format!("ns c{n} in host\nmacvlan c{n}:eth0 host:eth0\n"));
        text.push_str(&format!("addr c{n}:eth0 10.0.0.{}/24\n", n + 1));
    }
    insta::assert_snapshot!(draw(&text), @r"
    host  lab test, pid 1
      ┌ eth0  10.0.0.1/24 ────┐
      │ carries 6 other links │
      │                   card├── outside
      │                macvlan├──╫── eth0 (macvlan)  10.0.0.2/24  c1
      │                macvlan├──╫── eth0 (macvlan)  10.0.0.3/24  c2
      │                macvlan├──╫── eth0 (macvlan)  10.0.0.4/24  c3
      │                macvlan├──╫── eth0 (macvlan)  10.0.0.5/24  c4
      │                macvlan├──╫── eth0 (macvlan)  10.0.0.6/24  c5
      │                macvlan├──╫── eth0 (macvlan)  10.0.0.7/24  c6
      └───────────────────────┘
    ");
}

#[test]
fn a_tap_with_its_process_and_a_tunnel_with_its_underlay() {
    let mut s =
        network("ns host pid 1\nns guest in host\nnic host:tun0\nvxlan guest:vx guest:lo 42");
    let host = crate::fixtures::id(&s, "host");
    let tun = crate::fixtures::link(&s, "host:tun0");
    let vx = crate::fixtures::link(&s, "guest:vx");
    let link = |s: &mut model::Snapshot, id: model::LinkId, f: &dyn Fn(&mut model::Link)| {
        f(s.namespaces.get_mut(&id.ns).unwrap().links.get_mut(&id.index).unwrap());
    };
    let holder = Some(model::Holder { pid: 4711, comm: "openvpn".into() });
    let tap = model::Tap { layer3: true, persist: false, holder };
    link(&mut s, tun, &|l| l.kind = model::LinkKind::Tap(tap.clone()));
    link(&mut s, vx, &|l| l.relation = model::Relation::Underlay(host));
    insta::assert_snapshot!(check(&s, &Style::default()), @r"
    host  lab test, pid 1
      tun0 held by 4711 (openvpn)
    ════════════════════════════════════════════════════════════════════════════════
    guest  inside host, pid 1010
      vx (vxlan 42) over host
    ");
}

#[test]
fn links_that_say_they_stand_on_each_other_are_drawn_all_the_same() {
    let mut s = network(
        "ns host pid 1\nns far in host\nnic host:x\nvlan host:a host:x 1\nvlan host:b host:a 2\n\
         vlan far:c host:x 3",
    );
    let [x, a, b, c] =
        ["host:x", "host:a", "host:b", "far:c"].map(|n| crate::fixtures::link(&s, n));
    for (from, to) in [(a, b), (b, a), (c, c), (x, c)] {
        let link = s.namespaces.get_mut(&from.ns).unwrap().links.get_mut(&from.index).unwrap();
        (link.relation, link.master) = (model::Relation::Lower(to), Some(to.index));
    }
    check(&s, &Style::default());
}

/// These links, each with those as its peers.
fn tunnels(text: &str, peers: &[(&str, &[&str])]) -> model::Snapshot {
    let mut s = network(text);
    let key = |name: &str| {
        let at = peers.iter().position(|(link, _)| *link == name);
        model::WireguardKey([at.map_or(99, |at| u8::try_from(at).unwrap()); 32])
    };
    for (name, others) in peers {
        let link = crate::fixtures::link(&s, name);
        let own = model::Wireguard {
            public_key: Some(key(name)),
            peers: others.iter().map(|other| model::WireguardPeer::new(key(other))).collect(),
            ..model::Wireguard::default()
        };
        let links = &mut s.namespaces.get_mut(&link.ns).unwrap().links;
        links.get_mut(&link.index).unwrap().kind = model::LinkKind::Wireguard(Some(Box::new(own)));
    }
    s
}

#[test]
fn peers_of_wireguard() {
    let text = "
        ns host pid 1
        ns one in host
        ns two in host
        nic host:eth0 10.0.0.1/24
        nic one:eth0 10.0.0.2/24
        wireguard host:wg0
        addr host:wg0 10.9.0.1/24
        wireguard one:wg0
        addr one:wg0 10.9.0.2/24
        wireguard two:wg0
        addr two:wg0 10.9.0.3/24";
    let map = |peers: &[(&str, &[&str])]| check(&tunnels(text, peers), &Style::default());
    let one: (&str, &[&str]) = ("one:wg0", &["host:wg0"]);
    let two: (&str, &[&str]) = ("two:wg0", &["host:wg0"]);
    // A pair, and one whom the other does not know.
    insta::assert_snapshot!(map(&[("host:wg0", &["one:wg0"]), one, two]), @r"
    host  lab test, pid 1
      wg0 (wireguard)  10.9.0.1/24  eth0 ── outside  10.0.0.1/24
             │
    ═════════│══════════════════════════════════════════════════════════════════════
    one      │
      wg0 (wireguard)  10.9.0.2/24  eth0 ── outside  10.0.0.2/24
    ════════════════════════════════════════════════════════════════════════════════
    two  inside host, pid 1020
      wg0 (wireguard)  10.9.0.3/24
    ");
    // A hub.
    insta::assert_snapshot!(map(&[("host:wg0", &["one:wg0", "two:wg0"]), one, two]), @r"
    host  lab test, pid 1
      eth0 ── outside  10.0.0.1/24  wg0 (wireguard) ⇄ one:wg0, two:wg0  10.9.0.1/24
    ════════════════════════════════════════════════════════════════════════════════
    one  inside host, pid 1010
      eth0 ── outside  10.0.0.2/24  wg0 (wireguard) ⇄ host:wg0  10.9.0.2/24
    ════════════════════════════════════════════════════════════════════════════════
    two  inside host, pid 1020
      wg0 (wireguard) ⇄ host:wg0  10.9.0.3/24
    ");
    // Nobody else is here.
    insta::assert_snapshot!(map(&[("host:wg0", &["far"]), ("one:wg0", &[])]), @r"
    host  lab test, pid 1
      eth0 ── outside  10.0.0.1/24  wg0 (wireguard)  10.9.0.1/24
    ════════════════════════════════════════════════════════════════════════════════
    one  inside host, pid 1010
      eth0 ── outside  10.0.0.2/24  wg0 (wireguard)  10.9.0.2/24
    ════════════════════════════════════════════════════════════════════════════════
    two  inside host, pid 1020
      wg0 (wireguard)  10.9.0.3/24
    ");
    let hub = tunnels(text, &[("host:wg0", &["one:wg0", "two:wg0"]), one, two]);
    let view = crate::json::map(&hub, None);
    let ends: Vec<String> = view.tunnels.iter().map(|wire| wire.ends.join(" ")).collect();
    assert_eq!(ends, ["host:wg0 one:wg0", "host:wg0 two:wg0"]);
    assert!(view.wires.is_empty());
}
