use insta::assert_snapshot;
use model::{
    LinkFlags, LinkId, LinkKind, Mac, Neighbour, NeighbourState, NsId, OperState, Snapshot, Tc,
    TcAction, TcControl, TcDoing, TcFilter, TcSelector, Wireguard, WireguardKey, WireguardPeer,
};

use super::diff;
use crate::Style;
use crate::fixtures::{SEED, id, ip, link, network};

/// What is told of what `change` does to the network.
#[track_caller]
fn told(before: &Snapshot, after: &Snapshot) -> String {
    let style = Style { width: 100, ..Style::default() };
    diff(before, after, &model::diff(before, after), false, &style)
}

fn changed(change: impl FnOnce(&mut Snapshot)) -> String {
    let before = network(SEED);
    let mut after = before.clone();
    change(&mut after);
    told(&before, &after)
}

fn at<'a>(s: &'a mut Snapshot, name: &str) -> &'a mut model::Link {
    let LinkId { ns, index } = link(s, name);
    s.namespaces.get_mut(&ns).unwrap().links.get_mut(&index).unwrap()
}

fn lose_carrier(s: &mut Snapshot, name: &str) {
    let link = at(s, name);
    link.flags.remove(LinkFlags::LOWER_UP | LinkFlags::RUNNING);
    link.state = OperState::LowerLayerDown;
}

/// The seed's network, before what lines with these words bring.
fn without(words: &[&str]) -> Snapshot {
    let lines = SEED.lines().filter(|l| !words.iter().any(|w| l.contains(w)));
    network(&lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn nothing() {
    assert_snapshot!(changed(|_| {}), @"no difference");
}

#[test]
fn what_docker_and_its_container_bring() {
    let before = without(&["alpine01", "docker0 ", "docker0\n", "172.17"]);
    let docker = without(&["alpine01"]);
    assert_snapshot!(told(&before, &docker), @r"
    docker01
      + docker0 appeared (bridge, 172.17.0.1/16)
      + route appeared: 172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1
      + table appeared: ip nat
      + chain appeared in ip nat: POSTROUTING (policy ACCEPT)
      + rule appeared in ip nat POSTROUTING: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
    5 differences; 1 more with --all
    ");
    assert_snapshot!(told(&docker, &network(SEED)), @r"
    docker01
      + vethc52438e appeared (veth, port of docker0); peer alpine01:eth0
      + nsid appeared: 1 = alpine01
    alpine01
      + appeared (unprivileged, inside docker01, pid 1461368)
      + eth0 appeared (veth, 172.17.0.2/16); peer docker01:vethc52438e
      + route appeared: default via 172.17.0.1 dev eth0
      + route appeared: 172.17.0.0/16 dev eth0 proto kernel scope link src 172.17.0.2
      + nsid appeared: 0 = docker01
    7 differences; 2 more with --all
    ");
    assert_snapshot!(told(&network(SEED), &docker), @r"
    docker01
      - vethc52438e vanished (veth, port of docker0); peer alpine01:eth0
      - nsid vanished: 1 = alpine01
    alpine01
      - is gone, with eth0 (veth, 172.17.0.2/16)
    3 differences
    ");
}

#[test]
fn vlans_and_groups_of_bridges() {
    let before = "ns sw\nbridge sw:br0\nfilter sw:br0\nnic sw:p1 @br0\nbridge sw:plain\n\
                  nic sw:p2 @plain\nin-vlan sw:p1 1 pvid untagged";
    let own = "in-vlan sw:p1 1\nin-vlan sw:p1 10 pvid untagged\nwants sw:p1 239.1.1.1 permanent";
    let after = before.replace("in-vlan sw:p1 1 pvid untagged", own);
    // What follows from others, or comes and goes: a bridge that heeds no VLANs, somebody who asks.
    let after = format!("{after}\nin-vlan sw:p2 5\nwants sw:br0 239.1.1.2");
    assert_snapshot!(told(&network(before), &network(&after)), @r"
    sw
      ~ VLAN changed: p1: 1 PVID untagged → p1: 1
      + VLAN appeared: p1: 10 PVID untagged
      + MDB entry appeared: br0: 239.1.1.1 is wanted behind p1 (permanent)
    3 differences; 2 more with --all
    ");
    assert_snapshot!(told(&network(&after), &network(before)), @r"
    sw
      - VLAN vanished: p1: 10 PVID untagged
      ~ VLAN changed: p1: 1 → p1: 1 PVID untagged
      - MDB entry vanished: br0: 239.1.1.1 is wanted behind p1 (permanent)
    3 differences; 2 more with --all
    ");
}

/// A filter that hands a copy of all to a link.
fn copies(s: &mut Snapshot, to: &str) {
    let doing = TcDoing::Hand { to: link(s, to).index, ingress: false, copy: true };
    let filter = TcFilter {
        chain: 0,
        priority: 10,
        protocol: None,
        handle: 1,
        selector: TcSelector::All,
        actions: vec![TcAction { doing, then: TcControl::Pipe }],
    };
    at(s, "sw:p1").tc = Some(Box::new(Tc { ingress: vec![filter], egress: Vec::new() }));
}

#[test]
fn links_that_filters_of_tc_name_are_known_by_name() {
    let mut before = network("ns sw\nnic sw:p1\nnic sw:p2\nnic sw:p3");
    let mut after = network("ns other\nns sw\nindex 7\nnic sw:p3\nnic sw:p2\nnic sw:p1");
    copies(&mut before, "sw:p2");
    copies(&mut after, "sw:p2");
    assert_snapshot!(told(&before, &after), @r"
    other
      + appeared (lab test, pid 1000)
    sw
      ~ p3 has MAC 02:00:00:00:00:07, was 02:00:00:00:00:04
      ~ p2 has MAC 02:00:00:00:00:08, was 02:00:00:00:00:03
      ~ p1 has MAC 02:00:00:00:00:09, was 02:00:00:00:00:02
    4 differences; 1 more with --all
    ");
    copies(&mut after, "sw:p3");
    assert_snapshot!(told(&before, &after), @r"
    other
      + appeared (lab test, pid 1000)
    sw
      ~ p3 has MAC 02:00:00:00:00:07, was 02:00:00:00:00:04
      ~ p2 has MAC 02:00:00:00:00:08, was 02:00:00:00:00:03
      ~ p1 has MAC 02:00:00:00:00:09, was 02:00:00:00:00:02
      ~ p1 has other filters of tc now; new: ingress pref 10 protocol all matchall action mirred egress
        mirror dev p3; gone: ingress pref 10 protocol all matchall action mirred egress mirror dev p2
    5 differences; 1 more with --all
    ");
}

#[test]
fn peers_of_wireguard() {
    let mut before = network("ns sw\nwireguard sw:wg0");
    let mut after = before.clone();
    let peer = WireguardPeer::new(WireguardKey([7; 32]));
    let own = Wireguard { listen_port: 7001, peers: vec![peer], ..Wireguard::default() };
    at(&mut before, "sw:wg0").kind = LinkKind::Wireguard(Some(Box::new(own.clone())));
    let mut of = |change: &dyn Fn(&mut Wireguard)| {
        let mut own = own.clone();
        change(&mut own);
        at(&mut after, "sw:wg0").kind = LinkKind::Wireguard(Some(Box::new(own)));
        told(&before, &after)
    };
    assert_snapshot!(of(&|own| own.peers[0].handshake = Some(5)), @"no difference");
    assert_snapshot!(of(&|own| own.peers[0].endpoint = "192.0.2.1:9".parse().ok()), @"no difference; 1 more with --all");
    assert_snapshot!(of(&|own| own.listen_port = 7002), @r"
    sw
      ~ wg0 has other peers or settings now; new: wireguard port 7002; gone: wireguard port 7001
    1 difference
    ");
    assert_snapshot!(of(&|own| own.peers[0].allowed_ips.push("10.9.0.0/24".parse().unwrap())), @r"
    sw
      ~ wg0 has other peers or settings now; new: peer BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=, no
        endpoint, allowed ips 10.9.0.0/24; gone: peer BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=, no
        endpoint, no allowed ips
    1 difference
    ");
    assert_snapshot!(of(&|own| own.peers.clear()), @r"
    sw
      ~ wg0 has other peers or settings now; gone: peer BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=, no
        endpoint, no allowed ips
    1 difference
    ");
}

/// A preshared key is told by what stands for it, where it was told before and after.
#[test]
fn another_preshared_key() {
    let with = |stand_in: Option<u64>, keepalive| {
        let mut s = network("ns sw\nwireguard sw:wg0");
        let peer = WireguardPeer {
            preshared: true,
            stand_in,
            keepalive,
            ..WireguardPeer::new(WireguardKey([7; 32]))
        };
        let own = Wireguard { peers: vec![peer], ..Wireguard::default() };
        at(&mut s, "sw:wg0").kind = LinkKind::Wireguard(Some(Box::new(own)));
        s
    };
    for (was, is) in [(None, Some(1)), (Some(1), None), (Some(1), Some(1)), (None, None)] {
        assert_eq!(told(&with(was, 0), &with(is, 0)), "no difference\n");
    }
    assert_snapshot!(told(&with(Some(1), 0), &with(Some(2), 0)), @r"
    sw
      ~ wg0 has another preshared key for BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=
    1 difference
    ");
    assert_snapshot!(told(&with(Some(1), 0), &with(Some(2), 25)), @r"
    sw
      ~ wg0 has other peers or settings now; new: peer BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=, no
        endpoint, no allowed ips, preshared key, keepalive every 25 s; gone: peer
        BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=, no endpoint, no allowed ips, preshared key;
        another preshared key for BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=
    1 difference
    ");
}

#[test]
fn links() {
    assert_snapshot!(changed(|s| {
        let down = at(s, "docker01:vethc52438e");
        down.flags = LinkFlags::empty();
        down.state = OperState::Down;
        lose_carrier(s, "alpine01:eth0");
        let card = at(s, "pve1:enp1s0");
        card.mtu = 9000;
        card.mac = Some(Mac([2, 9, 9, 9, 9, 9]));
        card.name = "lan0".into();
        at(s, "pve1:fwpr111p0").master = None;
        at(s, "pve1:fwpr111p0").port = None;
        at(s, "pve1:fwln111i0").port.as_mut().unwrap().hairpin = true;
        at(s, "docker01:eth0").inet.as_mut().unwrap().rp_filter = 2;
    }), @r"
    pve1
      ~ lan0 is called so now; before, enp1s0
      ~ lan0 has MAC 02:09:09:09:09:09, was 02:00:00:00:00:03
      ~ lan0 has mtu 9000, was 1500
      ~ fwpr111p0 is no port of vmbr0 any more
      ~ fwln111i0 changed as a port: hairpin true, was false
    docker01
      ~ vethc52438e went down; peer alpine01:eth0 has no carrier
      ~ net.ipv4.conf.eth0.rp_filter is 2, was 0
    alpine01
      ~ eth0 lost its carrier; peer docker01:vethc52438e is down
    8 differences; 2 more with --all
    ");
}

#[test]
fn what_passes_by_itself_is_not_told() {
    let before = network(SEED);
    let mut after = before.clone();
    let ns = id(&before, "alpine01");
    let state = |s: &mut Snapshot, state, mac| {
        s.namespaces.get_mut(&ns).unwrap().neighbours =
            vec![Neighbour { link: 66, ip: ip(172, 17, 0, 1), mac, state, proxy: false }];
    };
    let mut before = before;
    let mac = Some(Mac([2, 0, 0, 0, 0, 65]));
    state(&mut before, NeighbourState::Reachable, mac);
    state(&mut after, NeighbourState::Stale, mac);
    assert_snapshot!(told(&before, &after), @"no difference; 1 more with --all");
    state(&mut after, NeighbourState::Failed, None);
    assert_snapshot!(told(&before, &after), @r"
    alpine01
      ~ neighbour changed: 172.17.0.1 is 02:00:00:00:00:41 (REACHABLE) on eth0 → 172.17.0.1 has no known
        address (FAILED) on eth0
    1 difference
    ");
}

#[test]
fn rules_settings_nsids_and_names() {
    assert_snapshot!(changed(|s| {
        let ns = id(s, "docker01");
        let ns = s.namespaces.get_mut(&ns).unwrap();
        let rule = ns.ruleset.tables[0].chains[0].rules[0].clone();
        ns.ruleset.tables[0].chains[0].rules.insert(0, model::NftRule {
            exprs: rule.exprs[5..].to_vec(),
            ..rule
        });
        ns.ruleset.tables[0].chains[0].base.as_mut().unwrap().policy = model::Policy::Drop;
        ns.sysctls.ip_forward = false;
        for conf in ns.links.values_mut().filter_map(|l| l.inet.as_mut()) {
            conf.forwarding = false;
        }
        ns.nsids.remove(&1);
        ns.rules.push(model::Rule { priority: 40_000, ..model::Rule::default() });
        ns.routes[0].nexthops[0].gateway = Some(ip(192, 168, 10, 2));
        ns.names[0].text = "docker02".into();
    }), @r"
    docker02
      ~ is called so now; before, docker01
      ~ route changed: default via 192.168.10.1 dev eth0 → default via 192.168.10.2 dev eth0
      + routing rule appeared: 40000: from all lookup main
      ~ chain changed in ip nat: POSTROUTING (policy ACCEPT) → POSTROUTING (policy DROP)
      + rule appeared in ip nat POSTROUTING: -j MASQUERADE
      ~ net.ipv4.ip_forward is 0, was 1
      - nsid vanished: 1 = alpine01
    7 differences; 4 more with --all
    ");
}

/// Another start of the machine: other inodes, other ifindexes, and the same names.
#[test]
fn namespaces_are_known_again_by_name_and_by_wire() {
    let moved =
        |text: &str| text.replace("index 2\n", "index 12\n").replace("index 65", "index 95");
    let before = network(SEED);
    let filler = "ns other\n ns another\n";
    let mut after = network(&format!("{filler}{}", moved(SEED)));
    for name in ["other", "another"] {
        let id = id(&after, name);
        after.namespaces.remove(&id);
    }
    let nameless = id(&after, "alpine01");
    after.namespaces.get_mut(&nameless).unwrap().names.clear();
    assert_snapshot!(told(&before, &after), @r"
    pve1
      ~ vmbr0 has MAC 02:00:00:00:00:0c, was 02:00:00:00:00:02
      ~ enp1s0 has MAC 02:00:00:00:00:0d, was 02:00:00:00:00:03
      ~ wlo1 has MAC 02:00:00:00:00:0e, was 02:00:00:00:00:04
    docker01
      ~ docker0 has MAC 02:00:00:00:00:5f, was 02:00:00:00:00:41
      ~ vethc52438e has MAC 02:00:00:00:00:61, was 02:00:00:00:00:43
    net:[4026532004]
      ~ is called so now; before, alpine01
      ~ eth0 has MAC 02:00:00:00:00:60, was 02:00:00:00:00:42
    7 differences
    ");
}

#[test]
fn a_part_that_was_not_read_is_not_told_as_gone() {
    assert_snapshot!(changed(|s| {
        let ns = id(s, "docker01");
        let ns = s.namespaces.get_mut(&ns).unwrap();
        ns.routes.clear();
        ns.gaps.push(model::Gap::new("routes", "Operation not permitted"));
    }), @r"
    docker01
      ~ routes cannot be compared: Operation not permitted
    1 difference
    ");
}

#[test]
fn names_of_containers_do_no_harm() {
    let before = network(SEED);
    let mut after = before.clone();
    let mut evil = model::Namespace::new(NsId::inode(9));
    let text = "a\u{1b}[2J\u{202e}b\n".to_owned();
    evil.names.push(model::Name { text, source: model::NameSource::File });
    after.namespaces.insert(evil.id, evil);
    assert_snapshot!(told(&before, &after), @r"
    a\u{1b}[2J\u{202e}b\u{a}
      + appeared (no process)
    1 difference
    ");
    let view = crate::json::diff(&before, &after, &model::diff(&before, &after), false);
    assert!(crate::json::line(&view).trim_end().chars().all(crate::clean::is_harmless));
}

#[test]
fn an_inode_that_another_namespace_has_got() {
    let before = network("ns host viewer pid 1\nns web pid 7\nveth web:eth0 host:vetha");
    let mut after = network("ns host viewer pid 1\nns db pid 8\nbridge db:br0");
    for ns in after.namespaces.values_mut() {
        ns.names.retain(|n| n.text == "host");
    }
    let text = told(&before, &after);
    assert!(text.contains("+ appeared") && text.contains("- is gone"), "{text}");
    assert!(!text.contains('~'), "{text}");
}
