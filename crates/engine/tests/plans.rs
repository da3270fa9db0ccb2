//! Plans of the seed and of small networks, in words: the fewest changes, in order.

#![allow(missing_docs, reason = "tests")]

mod common;

use common::{applied, facts};
use engine::{Known, keyless, plan, undo};
use model::{Change, Fact, LinkKind, LinkSpecKind, Snapshot, Wireguard, WireguardKey};

/// The changes from one file to the other, a line each.
fn check(from: &str, to: &str) -> String {
    let (nothing, none) = (Snapshot::default(), Known::default());
    let (from, to) = (facts(from), facts(to));
    let (now, known) = applied(&nothing, &none, &plan(&from, None, &none, &nothing));
    words(&plan(&to, Some(&from), &known, &now))
}

fn words(changes: &[Change]) -> String {
    changes.iter().map(render::change).collect::<Vec<_>>().join("\n")
}

/// The same for a lab with these links in `a` beside a bridge in `b`.
fn check_links(from: &str, to: &str) -> String {
    let file = |links: &str| {
        format!(
            "name: x\nnamespaces:\n  b: {{links: {{br: {{kind: bridge}}}}}}\n  a:\n    links: {links}"
        )
    };
    check(&file(from), &file(to))
}

#[test]
fn the_seed_from_nothing() {
    let seed = include_str!("../../../examples/proxmox-docker.yaml");
    insta::assert_snapshot!(check("name: x\nnamespaces: {}", seed), @"
    + lan: namespace
    + internet: namespace inside lan
    + pve1: namespace
    + docker01: namespace inside pve1, unprivileged (uid 100000 and 65536 more)
    + alpine01: namespace inside docker01
    + pve1: nsid 0 = docker01
    + docker01: nsid 0 = pve1
    + docker01: nsid 1 = alpine01
    + alpine01: nsid 0 = docker01
    + lan:lo: up
    + lan: sysctl net/ipv4/ip_forward = 1
    + internet:lo: up
    + internet: sysctl net/ipv4/ip_forward = 0
    + pve1:lo: up
    + pve1: sysctl net/ipv4/ip_forward = 0
    + pve1: sysctl net/ipv4/igmp_link_local_mcast_reports = 0
    + docker01:lo: up
    + docker01: sysctl net/ipv4/ip_forward = 1
    + alpine01:lo: up
    + alpine01: sysctl net/ipv4/ip_forward = 0
    + alpine01: sysctl net/ipv4/ip_unprivileged_port_start = 0
    + internet: veth eth0 ⇄ lan:wan0
    + internet:eth0: address 203.0.113.10/24
    + internet:eth0: up
    + lan:wan0: address 203.0.113.1/24
    + lan:wan0: up
    + internet: route default via 203.0.113.1 dev eth0
    + internet: answers TCP 80 and UDP echo 7
    + pve1: nic enp1s0 with a cable to lan:eth0
    + pve1: sysctl net/ipv6/conf/enp1s0/disable_ipv6 = 1
    + pve1:enp1s0: up
    + lan:eth0: address 192.168.10.1/24
    + lan:eth0: up
    + pve1: nic wlo1
    + pve1: bridge vmbr0
    + pve1: sysctl net/ipv6/conf/vmbr0/disable_ipv6 = 1
    + pve1: sysctl net/ipv4/neigh/vmbr0/base_reachable_time_ms = 3600000
    + pve1:enp1s0: port of vmbr0
    + pve1:vmbr0: address 192.168.10.41/24
    + pve1:vmbr0: up
    + pve1: route default via 192.168.10.1 dev vmbr0
    + pve1:vmbr0: neighbour 192.168.10.1 is asked for
    + pve1: veth veth111i0 ⇄ docker01:eth0
    + pve1: bridge fwbr111i0
    + pve1: sysctl net/ipv6/conf/fwbr111i0/disable_ipv6 = 1
    + pve1:fwbr111i0: up
    + pve1: veth fwln111i0 ⇄ pve1:fwpr111p0
    + pve1: sysctl net/ipv6/conf/fwln111i0/disable_ipv6 = 1
    + pve1:fwln111i0: up
    + pve1: sysctl net/ipv6/conf/fwpr111p0/disable_ipv6 = 1
    + pve1:fwpr111p0: up
    + pve1:fwpr111p0: port of vmbr0
    + pve1:fwln111i0: port of fwbr111i0
    + pve1: sysctl net/ipv6/conf/veth111i0/disable_ipv6 = 1
    + pve1:veth111i0: port of fwbr111i0
    + pve1:veth111i0: up
    + docker01:eth0: address 192.168.10.103/24
    + docker01:eth0: up
    + docker01: route default via 192.168.10.1 dev eth0
    + docker01: bridge docker0
    + docker01: sysctl net/ipv6/conf/docker0/accept_ra = 0
    + docker01:docker0: address 172.17.0.1/16
    + docker01:docker0: up
    + docker01: table ip nat, 5 chains, 4 rules
    + docker01: table ip filter, 7 chains, 11 rules
    + docker01: file /run/docker/netns/cab9181ad6ac = alpine01
    + docker01: veth vethc52438e ⇄ alpine01:eth0
    + docker01:vethc52438e: port of docker0
    + docker01:vethc52438e: up
    + alpine01: sysctl net/ipv6/conf/eth0/disable_ipv6 = 1
    + alpine01:eth0: address 172.17.0.2/16
    + alpine01:eth0: up
    + alpine01: route default via 172.17.0.1 dev eth0
    ");
}

#[test]
fn one_container_more() {
    let file = |count| {
        format!(
            "name: x\nnamespaces:\n  h: {{docker: {{networks: {{}}}}}}\n  c: {{count: {count}, inside: h, docker: {{network: bridge}}}}"
        )
    };
    insta::assert_snapshot!(check(&file(2), &file(3)), @"
    + c3: namespace inside h
    + c3:lo: up
    + c3: sysctl net/ipv4/ip_forward = 0
    + c3: sysctl net/ipv4/ip_unprivileged_port_start = 0
    + c3: sysctl net/ipv4/ping_group_range = 0 2147483647
    + h: file /run/docker/netns/6f3dec690240 = c3
    + h: veth veth42744b9 ⇄ c3:eth0
    + h:veth42744b9: port of docker0
    + h:veth42744b9: up
    + c3: sysctl net/ipv6/conf/eth0/disable_ipv6 = 1
    + c3:eth0: address 172.17.0.4/16
    + c3:eth0: up
    + c3: route default via 172.17.0.1 dev eth0
    ");
    insta::assert_snapshot!(check(&file(3), &file(2)), @"
    - h: file /run/docker/netns/6f3dec690240 = c3
    - c3: namespace inside h
    ");
}

#[test]
fn values_change_in_place() {
    insta::assert_snapshot!(check_links(
        "{e: {kind: tap, mtu: 1400, group: 7, addresses: [10.0.0.1/24]}}",
        "{e: {kind: tap, mtu: 1300, up: false, addresses: [10.0.0.2/24]}}",
    ), @"
    - a:e: address 10.0.0.1/24
    ~ a:e: mtu 1400 → 1300, group 7 → 0
    + a:e: address 10.0.0.2/24
    ~ a:e: up → down
    ");
}

/// Nobody can take away a table of iptables-legacy: once it is empty, there is nothing to do.
#[test]
fn tables_of_iptables_legacy() {
    let file = |tables: &str| format!("name: x\nnamespaces:\n  a: {{{tables}}}");
    let with = |rules: &str| file(&format!("iptables_legacy: {{raw: {{OUTPUT: [{rules}]}}}}"));
    insta::assert_snapshot!(check(&with("-j DROP"), &with("-j DROP, -p tcp -j DROP")), @"~ a: table ip legacy raw, 2 chains, 1 rules → 2 rules");
    insta::assert_snapshot!(check(&with("-j DROP"), &file("")), @"- a: table ip legacy raw, 2 chains, 1 rules");
    insta::assert_snapshot!(check(&with(""), &file("")), @"");
}

#[test]
fn a_link_made_anew_takes_its_dependants_along() {
    insta::assert_snapshot!(check_links(
        "{e: {kind: veth, peer: 'b:f', peer_bridge: br, addresses: [10.0.0.1/24]}}",
        "{e: {kind: veth, peer: 'b:f', peer_bridge: br, index: 9, addresses: [10.0.0.1/24]}}",
    ), @"
    - a: veth e ⇄ b:f
    + a: veth e ⇄ b:f
    + a:e: address 10.0.0.1/24
    + a:e: up
    + b:f: port of br
    + b:f: up
    ");
}

#[test]
fn an_address_takes_the_routes_of_its_link_along() {
    let file = |address| {
        format!(
            "name: x\nnamespaces:\n  a:\n    links: {{e: {{kind: tap, addresses: [{address}/24]}}}}\n    routes: [{{to: default, via: 10.0.0.9}}]"
        )
    };
    insta::assert_snapshot!(check(&file("10.0.0.1"), &file("10.0.0.2")), @"
    - a:e: address 10.0.0.1/24
    + a:e: address 10.0.0.2/24
    + a: route default via 10.0.0.9 dev e
    ");
}

#[test]
fn a_namespace_that_moves_is_made_anew() {
    let file = |inside| {
        format!(
            "name: x\nnamespaces:\n  a: {{}}\n  b: {{}}\n  c: {{inside: {inside}}}\n  d: {{inside: c}}"
        )
    };
    insta::assert_snapshot!(check(&file("a"), &file("b")), @"
    - c: namespace inside a
    + c: namespace inside b
    + d: namespace inside c
    + c:lo: up
    + c: sysctl net/ipv4/ip_forward = 0
    + d:lo: up
    + d: sysctl net/ipv4/ip_forward = 0
    ");
}

#[test]
fn an_nsid_that_is_taken_is_freed() {
    let file = |a, b| {
        format!(
            "name: x\nnamespaces:\n  h: {{nsids: {{{a}: c, {b}: d}}}}\n  c: {{inside: h}}\n  d: {{inside: h}}"
        )
    };
    insta::assert_snapshot!(check(&file(0, 1), &file(1, 0)), @"
    - d: namespace inside h
    - c: namespace inside h
    + c: namespace inside h
    + d: namespace inside h
    + h: nsid 1 = c
    + h: nsid 0 = d
    + c:lo: up
    + c: sysctl net/ipv4/ip_forward = 0
    + d:lo: up
    + d: sysctl net/ipv4/ip_forward = 0
    ");
}

#[test]
fn a_card_gets_another_cable() {
    let file = |far| {
        format!(
            "name: x\nnamespaces:\n  a: {{links: {{e: {{kind: nic, cable: '{far}:e', addresses: [10.0.0.1/24]}}}}}}\n  b: {{}}\n  c: {{}}"
        )
    };
    insta::assert_snapshot!(check(&file("b"), &file("c")), @"
    - a: nic e with a cable to b:e
    + a: nic e with a cable to c:e
    + a:e: address 10.0.0.1/24
    + a:e: up
    + c:e: up
    ");
}

/// A peer that was heard from elsewhere is no difference where the file does not say where it is.
#[test]
fn wireguard_links() {
    let link = |own: &str| format!("{{wg: {{kind: wireguard, {own}, addresses: [10.9.0.1/24]}}}}");
    let key = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";
    let peer = |more: &str| format!("listen_port: 100, peers: [{{public_key: {key}{more}}}]");
    let (bare, with) = (peer(", allowed_ips: [10.9.0.2]"), peer(", allowed_ips: [10.9.0.3]"));
    insta::assert_snapshot!(check_links("{}", &link(&bare)), @r"
    + a: wireguard wg, 1 peer
    + a:wg: address 10.9.0.1/24
    + a:wg: up
    ");
    insta::assert_snapshot!(check_links(&link(&bare), &link(&bare)), @"");
    insta::assert_snapshot!(check_links(&link(&bare), &link(&with)), @"~ a:wg: other peers");
    insta::assert_snapshot!(check_links(&link(&bare), &link("listen_port: 101")), @"~ a:wg: port 100 → 101, other peers");
    insta::assert_snapshot!(check_links(&link(&bare), "{}"), @"- a: wireguard wg, 1 peer");
}

#[test]
fn bonds() {
    let pairs = "p1: {kind: veth, peer: 'b:q1', bond: o}, p2: {kind: veth, peer: 'b:q2', bond: o}";
    let with = |said: &str| {
        let bond = format!("o: {{kind: bond, {said}, addresses: [10.0.0.1/24]}}");
        format!("{{{bond}, {pairs}}}")
    };
    let first = with("mode: active-backup, primary: p2");
    insta::assert_snapshot!(check_links("{}", &first), @r"
    + a: bond o, mode active-backup
    + a:o: address 10.0.0.1/24
    + a:o: up
    + a: veth p1 ⇄ b:q1
    + b:q1: up
    + a: veth p2 ⇄ b:q2
    + b:q2: up
    + a:p1: port of o
    + a:p2: port of o
    + a:o: primary p2
    ");
    insta::assert_snapshot!(check_links(&first, &first), @"");
    let looks = with("mode: active-backup, primary: p1, miimon: 100");
    insta::assert_snapshot!(check_links(&first, &looks), @r"
    ~ a:o: miimon 0 → 100
    ~ a:o: primary p2 → p1
    ");
    insta::assert_snapshot!(check_links(&first, &with("mode: broadcast")), @r"
    - a: bond o, mode active-backup
    + a: bond o, mode broadcast
    + a:o: address 10.0.0.1/24
    + a:o: up
    + a:p1: port of o
    + a:p2: port of o
    ");
    insta::assert_snapshot!(check_links(&first, &format!("{{{}}}", pairs.replace(", bond: o", ""))), @r"
    - a: bond o, mode active-backup
    ~ a:p1: down → up
    ~ a:p2: down → up
    ");
}

#[test]
fn what_is_set_on_a_port() {
    let with = |told: &str| {
        format!(
            "{{br: {{kind: bridge}}, t: {{kind: tap, bridge: br{told}}}, u: {{kind: tap, bridge: br}}}}"
        )
    };
    let told = with(", backup_port: u, mcast_router: 2, group_fwd_mask: 8, mcast_to_unicast: true");
    insta::assert_snapshot!(check_links(&with(""), &told), @"
    ~ a:t: port of br, hairpin off, isolated off, learning on, flood on, mcast_flood on, bcast_flood on, neigh_suppress off, proxy_arp off, proxy_arp_wifi off, locked off, mab off, mcast_to_unicast off, mcast_router 1, group_fwd_mask 0 → on, mcast_router 2, group_fwd_mask 8
    + a:t: without carrier, u stands in
    ");
    insta::assert_snapshot!(check_links(&told, &with(", mcast_router: 0")), @"
    - a:t: without carrier, u stands in
    ~ a:t: port of br, hairpin off, isolated off, learning on, flood on, mcast_flood on, bcast_flood on, neigh_suppress off, proxy_arp off, proxy_arp_wifi off, locked off, mab off, mcast_to_unicast on, mcast_router 2, group_fwd_mask 8 → off, mcast_router 0, group_fwd_mask 0
    ");
    let other = told.replace("backup_port: u", "backup_port: v").replace("u: {", "v: {");
    insta::assert_snapshot!(check_links(&told, &other), @"
    - a: tap u
    + a: tap v
    + a:v: port of br
    + a:v: up
    + a:t: without carrier, v stands in
    ");
}

/// What brings a lab back to `from` after it was made `to`, where `by_hand` was done to it in between:
/// keys of WireGuard in it, and links whose keys nobody knows.
fn undone(from: &str, to: &str, by_hand: impl FnOnce(&mut Wireguard)) -> String {
    let file = |links: &str| facts(&format!("name: x\nnamespaces: {{a: {{links: {{{links}}}}}}}"));
    let (nothing, none) = (Snapshot::default(), Known::default());
    let (from, to) = (file(from), file(to));
    let (mut was, known) = applied(&nothing, &none, &plan(&from, None, &none, &nothing));
    let mut links = was.namespaces.values_mut().flat_map(|ns| ns.links.values_mut());
    if let Some(LinkKind::Wireguard(Some(own))) =
        links.find(|l| l.name == "wg").map(|l| &mut l.kind)
    {
        by_hand(own);
    }
    let (now, now_known) = applied(&was, &known, &plan(&to, Some(&from), &known, &was));
    let back = undo(Some(&from), &to, &was, &known, &now, &now_known);
    let keys = back.iter().filter_map(|change| match change {
        Change::Make(Fact::Link(spec)) => Some(spec),
        Change::Alter { to, .. } => match &**to {
            Fact::Link(spec) => Some(spec),
            _ => None,
        },
        _ => None,
    });
    let keys = keys.filter_map(|spec| match &spec.kind {
        LinkSpecKind::Wireguard(own) => {
            let shared = own.peers.iter().filter(|p| p.preshared_key.is_some()).count();
            Some(format!("{}: key {}, {shared} shared", spec.link, own.private_key.is_some()))
        }
        _ => None,
    });
    let lacking = keyless(&back).iter().map(|link| format!("{link} lacks")).collect::<Vec<_>>();
    keys.chain(lacking).collect::<Vec<_>>().join("; ")
}

#[test]
fn keys_come_back_from_the_file() {
    const SHARED: &str = "SEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISEg=";
    let peer =
        format!("peers: [{{public_key: {SHARED}, allowed_ips: [], preshared_key: {SHARED}}}]");
    let wg = format!("wg: {{kind: wireguard, {peer}}}");
    let other = format!("wg: {{kind: wireguard, private_key: {SHARED}, {peer}}}");
    let nothing = |_: &mut Wireguard| {};
    insta::assert_snapshot!(undone(&wg, "", nothing), @"a:wg: key true, 1 shared");
    insta::assert_snapshot!(undone(&wg, &other, nothing), @"a:wg: key true, 1 shared");
    insta::assert_snapshot!(undone(&other, "", nothing), @"a:wg: key true, 1 shared");
    // Somebody has given it a key of which the file knows nothing.
    let key = |own: &mut Wireguard| own.public_key = Some(WireguardKey([9; 32]));
    insta::assert_snapshot!(undone(&wg, "", key), @"a:wg: key false, 1 shared; a:wg lacks");
    insta::assert_snapshot!(undone(&wg, &other, key), @"a:wg: key false, 1 shared; a:wg lacks");
    let another_peer = |own: &mut Wireguard| own.peers[0].public_key = WireguardKey([9; 32]);
    insta::assert_snapshot!(undone(&wg, "", another_peer), @"a:wg: key true, 0 shared; a:wg lacks");
    let no_key = |own: &mut Wireguard| (own.public_key, own.peers) = (None, Vec::new());
    insta::assert_snapshot!(undone(&wg, "", no_key), @"a:wg: key false, 0 shared");
}
