//! What the kernel (6.18) answered after the commands at the head of each capture, and what is
//! read out of it. A capture is made by `cargo run -p kernel --example capture`.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

use std::fmt::Debug;

use model::{ConntrackStatus, HostId, LinkId, LinkKind, NsId, NsKey, Relation};
use wire::conntrack;
use wire::rtnl::{self, Message, messages};

fn bytes(capture: &str) -> Vec<u8> {
    let digits = capture.lines().filter(|l| !l.starts_with('#')).flat_map(str::chars);
    let digits: Vec<u32> = digits.filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|d| u8::try_from(d[0] << 4 | d[1]).unwrap()).collect()
}

fn all<T>(capture: &str, one: impl Fn(&Message<'_>) -> Option<T>) -> Vec<T> {
    messages(&bytes(capture)).map(|m| one(&m).unwrap()).collect()
}

fn text(value: impl Debug) -> String {
    format!("{value:?}")
}

#[test]
fn multicasts_of_a_bridge() {
    let told = all(include_str!("captures/mdb.hex"), rtnl::mdb);
    let [bridge] = told.as_slice() else { panic!("{told:?}") };
    let mut entries: Vec<String> = bridge
        .entries
        .iter()
        .map(|e| format!("{} {:?} {} {:?} {}", e.port, e.group, e.vlan, e.source, e.permanent))
        .collect();
    entries.sort();
    assert_eq!(
        entries,
        [
            "2 Ip(239.1.2.4) 0 None false",
            "4 Ip(239.1.2.3) 0 None true",
            "4 Ip(ff05::123) 0 None true",
        ]
    );
    let router = model::RouterPort { bridge: 2, port: 6, ipv4: true, ipv6: true };
    assert_eq!(bridge.routers, [router]);
}

/// This kernel's bridges do not filter VLANs: written down by hand, as `br_fill_ifinfo` does.
#[test]
fn vlans_of_a_port() {
    // nlmsghdr; ifinfomsg: AF_BRIDGE, index 7; IFLA_AF_SPEC: VLANs 1 (pvid untagged), 10, 20 to 22.
    let capture = "4c000000 10000200 00000000 00000000 07000100 07000000 03100100 00000000
        2c001a80 08000200 06000100 08000200 00000a00 08000200 08001400 08000200 10001600
        05000100 01000000";
    let told: Vec<_> = all(capture, rtnl::bridge_vlans).into_iter().flatten().collect();
    let vlans: Vec<_> = told.iter().map(|v| (v.link, v.id, v.pvid, v.untagged)).collect();
    let tagged = |id| (7, id, false, false);
    assert_eq!(vlans, [(7, 1, true, true), tagged(10), tagged(20), tagged(21), tagged(22)]);
}

#[test]
fn links() {
    let links = all(include_str!("captures/links.hex"), rtnl::link);
    let named = |name: &str| links.iter().find(|l| l.link.name == name).unwrap();
    let here = NsId::inode(1);
    let relation = |name| named(name).clone().resolve(here, |_| None).relation;

    let a = &named("a").link;
    assert_eq!((a.index, a.mac.unwrap().to_string().as_str()), (7, "02:00:00:00:00:0a"));
    assert_eq!((a.is_up(), a.is_running(), a.state.as_str()), (true, false, "LOWERLAYERDOWN"));
    assert_eq!((a.qdisc.as_str(), a.txqlen, &a.kind), ("noqueue", 1000, &LinkKind::Veth));
    let port = a.port.as_ref().unwrap();
    assert_eq!((port.hairpin, port.isolated, port.learning), (true, true, true));
    assert_eq!(text(port.state), "Disabled");
    assert_eq!(a.master, Some(named("br0").link.index));
    assert_eq!(named("a").slave_kind.as_deref(), Some("bridge"));
    assert_eq!(relation("a"), Relation::Peer(LinkId { ns: here, index: 9 }));

    let b = &named("b").link;
    assert_eq!((b.mtu, b.alias.as_deref()), (1400, Some("the far end")));
    assert_eq!(b.altnames, ["longer-name"]);
    assert_eq!((b.master, &b.port, b.ipv6_disabled()), (None, &None, Some(false)));
    assert!(b.inet.unwrap().send_redirects);

    assert_eq!(
        text(&named("mv").link.kind),
        "Macvlan(Macvlan { mode: Private, sources: [], nodst: false, tap: false })"
    );
    assert_eq!(relation("mv"), Relation::Lower(LinkId { ns: here, index: 9 }));
    assert_eq!(
        text(&named("vx").link.kind),
        "Vxlan(Vxlan { vni: 42, local: Some(10.0.0.1), remote: Some(10.0.0.2), port: 4789, \
         learning: true, ttl: 0, tos: 0, df: Unset, source_ports: (0, 0), local_bypass: true, \
         special: [] })"
    );
    assert_eq!(relation("vx"), Relation::Lower(LinkId { ns: here, index: 7 }));
    let LinkKind::Bridge(bridge) = &named("br0").link.kind else { panic!() };
    assert_eq!((bridge.ageing_time, bridge.forward_delay), (1200, 1500));
    assert!(bridge.nf_call_iptables && bridge.multicast_snooping && !bridge.vlan_filtering);
    assert_eq!(
        text(&named("t0").link.kind),
        "Tap(Tap { layer3: false, persist: true, holder: None })"
    );
    assert_eq!(named("ifb9").link.kind, LinkKind::Other("ifb".into()));
    assert_eq!((&named("lo").link.kind, named("lo").link.mac), (&LinkKind::Loopback, None));
}

#[test]
fn links_of_kinds_that_this_kernel_lacks() {
    let links = all(include_str!("captures/links_elsewhere.hex"), rtnl::link);
    let lines: Vec<String> = links
        .iter()
        .map(|l| match &l.link.member {
            Some(member) => format!("{:?} in {member:?}", l.link.kind),
            None => text(&l.link.kind),
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    Vlan(Vlan { id: 101, protocol: 33024 })
    Ipvlan(Ipvlan { mode: L2, flag: Vepa, tap: false })
    Ipvlan(Ipvlan { mode: L2, flag: Vepa, tap: true })
    Bond(Bond { options: {BroadcastNeighbor: 1}, active: None, primary: None, ports: [], arp_targets: [] })
    Veth in Bond(BondPort { backup: false, mii: Up, own_mac: Some(Mac([0, 35, 69, 103, 137, 26])) })
    Other("dummy") in Bond(BondPort { backup: false, mii: Up, own_mac: Some(Mac([246, 190, 50, 124, 153, 107])) })
    Vrf(Vrf { table: 10 })
    Veth in Vrf { table: 10 }
    Netkit(Netkit { layer3: true, primary: true, policy: Forward, peer_policy: Forward })
    Wireguard(None)
    Tunnel(Tunnel { kind: "geneve", local: None, remote: Some(2001:db8::1), id: Some(42), port: Some(4444) })
    Tunnel(Tunnel { kind: "ip6gre", local: Some(fc00::1), remote: Some(fc00::2), id: Some(42), port: None })
    Tunnel(Tunnel { kind: "ipip", local: Some(192.168.122.183), remote: Some(10.255.254.2), id: None, port: None })
    Tunnel(Tunnel { kind: "sit", local: Some(192.168.122.183), remote: Some(10.255.254.2), id: None, port: None })
    Tunnel(Tunnel { kind: "vti", local: Some(192.168.1.1), remote: Some(10.0.0.1), id: Some(100), port: None })
    Other("macsec")
    Other("vxcan")
    "#);
}

#[test]
fn what_elsewhere_means_by_kind() {
    let here = NsId::inode(1);
    let there = NsId { host: HostId(0), key: NsKey::Unseen(4) };
    let relations: Vec<String> = all(include_str!("captures/links_elsewhere.hex"), rtnl::link)
        .into_iter()
        .map(|mut l| {
            l.joined = rtnl::Joined { index: Some(9), nsid: Some(4) };
            let kind = l.link.kind.as_str().to_owned();
            match l.resolve(here, |_| Some(there)).relation {
                Relation::Peer(_) => format!("{kind} pair"),
                Relation::Lower(_) if kind == "geneve" => format!("{kind} by"),
                Relation::Lower(_) => format!("{kind} on"),
                other => format!("{kind} {other:?}"),
            }
        })
        .collect();
    assert_eq!(
        relations.join(", "),
        "vlan on, ipvlan on, ipvtap on, bond on, veth pair, dummy on, vrf on, veth pair, netkit pair, \
         wireguard on, geneve by, ip6gre on, ipip on, sit on, vti on, macsec on, vxcan pair"
    );
}

#[test]
fn a_peer_elsewhere_is_found_by_the_askers_number() {
    let mut link = all(include_str!("captures/links.hex"), rtnl::link)
        .into_iter()
        .find(|l| l.link.name == "a")
        .unwrap();
    let (here, there) = (NsId::inode(1), NsId { host: HostId(0), key: NsKey::Unseen(4) });
    let resolve =
        |link: &rtnl::RawLink| link.clone().resolve(here, |n| (n == 4).then_some(there)).relation;
    link.joined.nsid = Some(4);
    assert_eq!(resolve(&link), Relation::Peer(LinkId { ns: there, index: 9 }));
    link.joined.index = Some(7);
    assert_eq!(resolve(&link), Relation::Peer(LinkId { ns: there, index: 7 }), "equal indexes");
    link.joined.index = None;
    assert_eq!(resolve(&link), Relation::Peer(LinkId { ns: there, index: 7 }), "left out");
    link.joined.nsid = Some(5);
    assert_eq!(resolve(&link), Relation::Unresolved(5));
    link.joined.nsid = None;
    assert_eq!(resolve(&link), Relation::None, "its peer is gone");
}

#[test]
fn addresses() {
    let lines: Vec<String> = all(include_str!("captures/addresses.hex"), rtnl::address)
        .into_iter()
        .map(|a| {
            let peer = a.peer.map(|p| format!(" peer {p}")).unwrap_or_default();
            let brd = a.broadcast.map(|b| format!(" brd {b}")).unwrap_or_default();
            let secondary = if a.secondary { " secondary" } else { "" };
            let label = a.label.unwrap();
            format!("{}: {}{peer}{brd} {:?}{secondary} {label}", a.link, a.net, a.scope)
        })
        .collect();
    assert_eq!(
        lines,
        [
            "3: 10.0.9.1/32 peer 10.0.9.2 Link a",
            "3: 10.0.0.1/24 brd 10.0.0.255 Global a",
            "3: 10.0.0.2/24 Global secondary a:1",
        ]
    );
}

#[test]
fn routes() {
    let routes = all(include_str!("captures/routes.hex"), rtnl::route);
    assert!(routes.iter().all(|r| r.unmodelled.is_none()));
    let lines: Vec<String> = routes
        .iter()
        .map(|r| &r.route)
        .filter(|r| r.table != model::TABLE_LOCAL)
        .map(|r| {
            let hops: Vec<String> = r
                .nexthops
                .iter()
                .map(|h| {
                    let via = h.gateway.map(|g| g.to_string()).unwrap_or_default();
                    let onlink = if h.onlink { " onlink" } else { "" };
                    format!("[{via} dev {} weight {}{onlink}]", h.link, h.weight)
                })
                .collect();
            format!(
                "{} {:?} table {} {:?} metric {} src {:?} mtu {:?} nhid {:?} {}",
                r.dst,
                r.kind,
                r.table,
                r.protocol,
                r.metric,
                r.prefsrc,
                r.metrics.mtu,
                r.nexthop_id,
                hops.join(" ")
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "10.8.0.0/16 Unicast table 300 Static metric 0 src Some(10.0.0.1) mtu None nhid None \
             [192.0.2.1 dev 3 weight 1 onlink]",
            "0.0.0.0/0 Unicast table 254 Boot metric 50 src None mtu Some(1300) nhid None \
             [10.0.0.254 dev 3 weight 1]",
            "10.0.0.0/24 Unicast table 254 Kernel metric 0 src Some(10.0.0.1) mtu None nhid None \
             [ dev 3 weight 1]",
            "10.5.0.0/16 Unicast table 254 Boot metric 0 src None mtu None nhid Some(9) \
             [10.0.0.5 dev 3 weight 1]",
            "10.7.0.0/16 Blackhole table 254 Boot metric 0 src None mtu None nhid None ",
            "10.9.0.0/16 Unicast table 254 Boot metric 0 src None mtu None nhid None \
             [10.0.0.2 dev 3 weight 3] [fe80::7 dev 2 weight 1 onlink]",
        ]
    );
}

#[test]
fn ipv6_addresses_and_what_they_can_be_used_for() {
    let lines: Vec<String> = all(include_str!("captures/addresses6.hex"), rtnl::address)
        .into_iter()
        .map(|a| format!("{}: {} {:?} {:?}", a.link, a.net, a.scope, a.flags))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    2: 2001:db8::3/64 Global AddressFlags(TENTATIVE)
    2: fe80::ff:fe00:b/64 Link AddressFlags(TENTATIVE)
    3: 2001:db8::2/64 Global AddressFlags(0x0)
    3: 2001:db8::1/64 Global AddressFlags(DEPRECATED)
    3: fe80::ff:fe00:a/64 Link AddressFlags(0x0)
    ");
}

#[test]
fn ipv6_routes() {
    let lines: Vec<String> = all(include_str!("captures/routes6.hex"), rtnl::route)
        .into_iter()
        .map(|raw| {
            let r = &raw.route;
            let hop = |h: &model::Nexthop| {
                let via = h.gateway.map(|g| format!("via {g} ")).unwrap_or_default();
                format!("{via}dev {} weight {}", h.link, h.weight)
            };
            let hops: Vec<String> = r.nexthops.iter().map(hop).collect();
            let other = raw.unmodelled.map(|u| format!(", {u}")).unwrap_or_default();
            let (table, metric, hops) = (r.table, r.metric, hops.join(" and "));
            let (dst, kind, preference) = (r.dst, r.kind, r.preference);
            format!("{dst} {kind:?} {preference:?} table {table} metric {metric} {hops}{other}")
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    2001:db8::/64 Unicast Medium table 254 metric 256 dev 3 weight 1
    2001:db8::/64 Unicast Medium table 254 metric 256 dev 2 weight 1
    2001:db8:7::/48 Unicast Medium table 254 metric 1024 dev 3 weight 1, for one source only
    2001:db8:8::/48 Unreachable Medium table 254 metric 1024 dev 1 weight 1
    2001:db8:9::/48 Unicast Medium table 254 metric 1024 via 2001:db8::fe dev 3 weight 3 and via fe80::7 dev 2 weight 1
    fe80::/64 Unicast Medium table 254 metric 256 dev 2 weight 1
    fe80::/64 Unicast Medium table 254 metric 256 dev 3 weight 1
    ::/0 Unicast High table 254 metric 50 via 2001:db8::fe dev 3 weight 1 and via 2001:db8::fd dev 3 weight 1
    2001:db8::/128 Anycast Medium table 255 metric 0 dev 3 weight 1
    2001:db8::1/128 Local Medium table 255 metric 0 dev 3 weight 1
    2001:db8::2/128 Local Medium table 255 metric 0 dev 3 weight 1
    fe80::/128 Anycast Medium table 255 metric 0 dev 3 weight 1
    fe80::ff:fe00:a/128 Local Medium table 255 metric 0 dev 3 weight 1
    ff00::/8 Multicast Medium table 255 metric 256 dev 2 weight 1
    ff00::/8 Multicast Medium table 255 metric 256 dev 3 weight 1
    ");
}

#[test]
fn ipv6_settings_of_a_link() {
    let links = all(include_str!("captures/links6.hex"), rtnl::link);
    let conf = |name: &str| links.iter().find(|l| l.link.name == name).unwrap().link.inet6.unwrap();
    assert_eq!((conf("a").forwarding, conf("b").forwarding), (true, false));
    assert_eq!((conf("a").hop_limit, conf("a").mtu, conf("lo").mtu), (64, 1500, 65536));
    assert!(!conf("a").disable_ipv6 && !conf("a").proxy_ndp);
}

#[test]
fn rules() {
    // Rules of multicast routing are among them, which are none of ours.
    let bytes = bytes(include_str!("captures/rules.hex"));
    let rules: Vec<_> = messages(&bytes).filter_map(|m| rtnl::rule(&m)).collect();
    let four: Vec<_> = rules.iter().filter(|r| !r.ipv6).collect();
    assert_eq!(rules.len() - four.len(), 2);
    let [local, first, second, third, fourth, main, default] = four.as_slice() else { panic!() };
    assert_eq!(
        [(*local).clone(), (*main).clone(), (*default).clone()].to_vec(),
        model::Rule::defaults()
    );
    let net = |text: &str| Some(text.parse().unwrap());
    assert_eq!((first.src, first.dst), (net("10.0.0.0/8"), net("10.6.0.0/16")));
    assert_eq!((first.iif.as_deref(), first.mark), (Some("a"), Some((0x10, 0xf0))));
    assert_eq!(text(first.action), "Table(777)");
    assert_eq!((second.invert, second.protocol, second.dport), (true, Some(6), Some((80, 90))));
    assert_eq!(second.suppress_prefixlength, Some(1));
    assert_eq!(
        (third.uids, third.unknown.as_slice(), text(third.action)),
        (Some((5, 6)), [].as_slice(), "Blackhole".into())
    );
    assert_eq!((fourth.tos, text(fourth.action)), (0x10, "Goto(32766)".into()));
}

#[test]
fn what_was_learned_of_single_destinations() {
    let words = |capture| -> Vec<String> {
        let told = all(capture, rtnl::learned);
        let line = |l: &model::LearnedRoute| {
            let gateway = l.gateway.map_or("-".into(), |ip| ip.to_string());
            let redirect = if l.redirected { " redirected" } else { "" };
            format!("{} by {gateway} dev {} table {} {:?}{redirect}", l.dst, l.link, l.table, l.mtu)
        };
        told.iter().map(line).collect()
    };
    assert_eq!(
        words(include_str!("captures/learned.hex")),
        [
            "10.9.0.1 by 10.0.1.3 dev 2 table 254 None redirected",
            "10.8.0.1 by 10.0.1.1 dev 2 table 254 Some(1000)",
        ]
    );
    assert_eq!(
        words(include_str!("captures/learned6.hex")),
        ["fd00:9::1 by fd00:1::1 dev 2 table 254 Some(1300)"]
    );
    // Routes of a table are none of these, nor these routes of a table.
    let routes = bytes(include_str!("captures/routes.hex"));
    assert_eq!(messages(&routes).filter_map(|m| rtnl::learned(&m)).count(), 0);
    let learned = bytes(include_str!("captures/learned.hex"));
    assert_eq!(messages(&learned).filter_map(|m| rtnl::route(&m)).count(), 0);
}

#[test]
fn labels_of_addresses() {
    let told = all(include_str!("captures/address_labels.hex"), rtnl::address_label);
    let labels: Vec<_> = told.iter().map(|l| (l.net.to_string(), l.link, l.label)).collect();
    let of = |net: &str| -> Vec<_> {
        labels.iter().filter(|l| l.0 == net).map(|l| (l.1, l.2)).collect()
    };
    assert_eq!(of("2001:db8::/32"), [(Some(3), 98), (None, 99)]);
    assert_eq!(of("fec0::/10"), []);
    // What the kernel tells is what the model would have made of it.
    let mut made = model::AddressLabels::default();
    made.0.retain(|l| l.label != 11);
    for like in told.iter().filter(|l| l.label > 12).rev() {
        made.set(*like);
    }
    assert_eq!(made.0, told);
    // What is asked for is what is told, but for the header's last number.
    for label in &told {
        let mut body = wire::request::address_label(label);
        body.splice(0..0, [&u32::to_ne_bytes(72)[..], &[0; 12]].concat());
        let length = u32::try_from(body.len()).unwrap();
        body[..4].copy_from_slice(&length.to_ne_bytes());
        body[4..6].copy_from_slice(&72u16.to_ne_bytes());
        let again: Vec<_> = messages(&body).filter_map(|m| rtnl::address_label(&m)).collect();
        assert_eq!(again, [*label]);
    }
}

#[test]
fn rules_that_ask_for_groups() {
    let bytes = bytes(include_str!("captures/rules_groups.hex"));
    let rules: Vec<_> = messages(&bytes).filter_map(|m| rtnl::rule(&m)).collect();
    let told = |priority: u32| {
        let of = rules.iter().find(|r| r.priority == priority).unwrap();
        (of.ipv6, of.invert, of.suppress_ifgroup, of.suppress_prefixlength, of.unknown.len())
    };
    assert_eq!(told(100), (false, false, Some(7), None, 0));
    assert_eq!(told(101), (true, true, Some(8), Some(65), 0));
    assert_eq!(told(32766).2, None);
}

#[test]
fn neighbours() {
    let mut lines: Vec<String> = all(include_str!("captures/neighbours.hex"), rtnl::neighbour)
        .into_iter()
        .filter(|n| n.ip.is_ipv4() || n.mac.is_none())
        .map(|n| {
            let mac = n.mac.map(|m| m.to_string()).unwrap_or_default();
            format!("{} dev {} {mac} {}", n.ip, n.link, n.state.as_str())
        })
        .collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "10.0.0.7 dev 3 02:00:00:00:00:07 PERMANENT",
            "10.0.0.8 dev 3 02:00:00:00:00:08 STALE",
            "fd00::9 dev 3  FAILED",
        ]
    );
}

#[test]
fn forwarding_databases() {
    let mut lines: Vec<String> = all(include_str!("captures/fdb.hex"), rtnl::fdb)
        .into_iter()
        .filter(|e| !e.mac.is_group())
        .map(|e| {
            let flags = [
                (e.local, " local"),
                (e.is_static, " static"),
                (e.own, " self"),
                (e.age.is_some(), " ages"),
            ];
            let flags: String = flags.into_iter().filter(|f| f.0).map(|f| f.1).collect();
            let dst = e.remote.map(|r| format!(" dst {}", r.ip)).unwrap_or_default();
            format!("{} dev {} master {:?}{flags}{dst}", e.mac, e.link, e.master)
        })
        .collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "02:00:00:00:00:01 dev 2 master Some(2) local",
            "02:00:00:00:00:0a dev 4 master Some(2) local",
            "02:00:00:00:00:77 dev 4 master Some(2) static",
            "02:00:00:00:00:78 dev 4 master Some(2) ages",
            "02:00:00:00:00:79 dev 5 master None static self dst 10.0.0.9",
        ]
    );
}

#[test]
fn tracked_connections() {
    let all = all(include_str!("captures/conntrack.hex"), conntrack::conntrack);
    let [flow] = all.as_slice() else { panic!("{all:?}") };
    let line =
        |t: &model::Tuple| format!("{} {}:{} > {}:{}", t.protocol, t.src, t.sport, t.dst, t.dport);
    assert_eq!(line(&flow.original), "17 10.0.0.1:3333 > 10.0.0.2:53");
    assert_eq!(line(&flow.reply), "17 127.0.0.1:5353 > 10.0.0.1:3333");
    assert_eq!((flow.mark, flow.zone), (7, 0));
    let wanted = ConntrackStatus::CONFIRMED | ConntrackStatus::DST_NAT;
    assert!(flow.status.contains(wanted) && !flow.status.contains(ConntrackStatus::SEEN_REPLY));
}

#[test]
fn hooks_among_the_queueing_disciplines() {
    let all = all(include_str!("captures/qdiscs.hex"), rtnl::qdisc);
    let hooks: Vec<_> = all.iter().filter(|q| q.is_hook()).map(|q| q.link).collect();
    assert_eq!((all.len() > 1, hooks.len()), (true, 1), "{all:?}");
}

/// What becomes of packets behind a link, by its index (a to f: 3, 2, 5, 4, 7, 6).
#[test]
fn queues_that_do_not_keep_all() {
    let all = all(include_str!("captures/qdiscs_that_drop.hex"), rtnl::qdisc);
    let words = |queues: &[model::Queue]| {
        queues.iter().map(ToString::to_string).collect::<Vec<_>>().join(", then ")
    };
    let mut told: Vec<String> = rtnl::queues(&all)
        .iter()
        .map(|(link, queues)| format!("{link}: {}", words(queues)))
        .collect();
    told.sort();
    insta::assert_snapshot!(told.join("\n"), @r"
    2: blackhole, which throws all away
    3: tbf, frames of 1500 bytes at most, then blackhole, which throws all away
    4: htb, whose classes and filters are not read
    7: bfifo, frames of 9000 bytes at most
    ");
}

fn clsact(link: u32) -> rtnl::Qdisc {
    let (handle, parent) = (0xffff_0000, 0xffff_fff1);
    let kind = "clsact".to_owned();
    rtnl::Qdisc { link, handle, parent, kind, does: None, ingress_block: None, egress_block: None }
}

#[test]
fn filters_of_tc() {
    let rows = all(include_str!("captures/filters.hex"), rtnl::filter);
    let link = rows[0].link.unwrap();
    let clsact = |ingress_block| rtnl::Qdisc { ingress_block, ..clsact(link) };
    let told = rtnl::tc(&[clsact(None)], &rows, true);
    let [(at, tc)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((*at, tc.egress.len()), (link, 0));
    let lines: Vec<String> = tc.ingress.iter().map(wire::tc_text::filter).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    pref 1 protocol ip u32 match ip dst 10.0.0.2/32 match u32 0x00060000 0x00ff0000 at 8 action mirred egress redirect dev 4
    pref 2 protocol all u32 match u32 0x00000000 0x00000000 at 0 action mirred egress mirror dev 2 continue
    pref 3 protocol ip u32 match u32 0x00100000 0x00ff0000 at 0
    pref 3 protocol ip u32 match u32 0x00000001 0x00000001 at 0 indev b action mirred ingress mirror dev 2 action mirred ingress redirect dev 4
    chain 5 pref 4 protocol ip u32 (hash tables)
    ");
    // Of a block that links share, and where nobody asked.
    assert!(rtnl::tc(&[clsact(Some(3))], &rows, true)[0].1.ingress.is_empty());
    assert_eq!(rtnl::tc(&[clsact(None)], &[], false), [(link, model::Tc::not_shown())]);
}

/// Of Linux 6.1: matchall, gact and flower; `chain 0` has each of flower's keys that is known, and some
/// that are not.
#[test]
fn filters_of_more_kinds() {
    let rows = all(include_str!("captures/filters_more.hex"), rtnl::filter);
    let link = rows[0].link.unwrap();
    let clsact = clsact(link);
    let told = rtnl::tc(&[clsact], &rows, true);
    let lines: Vec<String> = told[0].1.ingress.iter().map(wire::tc_text::filter).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    pref 1 protocol all matchall action pipe action drop
    pref 2 protocol ip flower ip_proto tcp dst_ip 10.0.0.0/24 src_port 1000 dst_port 80 action ok
    pref 3 protocol ip flower dst_mac 02:00:00:00:00:01/ff:ff:ff:00:00:00 ip_proto udp ip_tos 0x8/0xfc ip_ttl 64 src_ip 10.0.0.2 action reclassify
    pref 4 protocol ipv6 flower ip_proto icmpv6 dst_ip 2001:db8::/32 action continue
    pref 5 protocol 802.1q flower eth_type ip (key 23) (key 24) (key 25) action pipe
    pref 6 protocol ip flower ip_proto tcp (key 71) (key 72) (key 89) (key 90) action goto chain 3
    pref 7 protocol ip flower ip_proto icmp (key 51) (key 52) (key 49) (key 50) action drop
    pref 8 protocol arp flower (key 59) (key 60) (key 61) (key 62) action drop
    pref 9 protocol ip flower (key 47) (key 48) action drop
    pref 10 protocol ip flower (key 2) action gact
    chain 3 pref 1 protocol ip matchall action skbedit mark 0x7 action mirred egress redirect dev 2
    ");
}

/// Of Linux 6.1: two links share a block for what comes in.
#[test]
fn filters_of_a_block() {
    let qdiscs = all(include_str!("captures/qdiscs_blocks.hex"), rtnl::qdisc);
    let rows = all(include_str!("captures/filters_block.hex"), rtnl::filter);
    let told = rtnl::tc(&qdiscs, &rows, true);
    let words = |filters: &[model::TcFilter]| match filters {
        [] => "nothing".to_owned(),
        some => some.iter().map(wire::tc_text::filter).collect::<Vec<_>>().join("; "),
    };
    let lines: Vec<String> = told
        .iter()
        .map(|(link, tc)| format!("{link}: in: {}; out: {}", words(&tc.ingress), words(&tc.egress)))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    3: in: pref 1 protocol ip flower dst_ip 10.0.0.2 action drop; out: nothing
    5: in: pref 1 protocol ip flower dst_ip 10.0.0.2 action drop; out: nothing
    ");
}

#[test]
fn filters_that_were_written_are_read() {
    for text in [
        "pref 7 protocol ip u32 match ip dst 10.0.0.0/9 match u32 0x00060000 0x00ff0000 at 8 action mirred egress mirror dev 4 action mirred ingress redirect dev 9",
        "chain 2 pref 1 protocol all u32 match mark 0x7 0xff match u32 0x00000000 0x00000000 at 0 action drop",
        "pref 3 protocol arp matchall action skbedit mark 0x7 continue",
        "pref 3 protocol ipv6 matchall action mirred ingress mirror dev 2 drop",
        "pref 4 protocol ip flower dst_mac 02:00:00:00:00:01/ff:ff:ff:00:00:00 ip_proto tcp ip_tos 8/fc ip_ttl 64 src_ip 10.0.0.2 dst_ip 10.1.0.0/16 src_port 1000/0xff00 dst_port 80 action gact reclassify",
        "pref 5 protocol ipv6 flower ip_proto udp src_ip 2001:db8::/32 dst_port 53 action pipe action drop",
    ] {
        let named =
            model::Tc { ingress: vec![wire::tc_text::parse(text).unwrap()], egress: vec![] };
        let tc = named.renamed(|name| name.parse().ok()).unwrap();
        let body = wire::request::filter(5, true, &tc.ingress[0]).unwrap();
        let row = rtnl::filter(&Message { kind: 44, flags: 0, sequence: 0, body: &body }).unwrap();
        let clsact = clsact(5);
        assert_eq!(rtnl::tc(&[clsact], &[row], true)[0].1.ingress, tc.ingress);
    }
}

#[test]
fn no_bytes_make_it_panic() {
    for capture in [
        include_str!("captures/links.hex"),
        include_str!("captures/links_elsewhere.hex"),
        include_str!("captures/routes.hex"),
        include_str!("captures/rules.hex"),
        include_str!("captures/rules_groups.hex"),
        include_str!("captures/address_labels.hex"),
        include_str!("captures/learned.hex"),
        include_str!("captures/fdb.hex"),
        include_str!("captures/mdb.hex"),
        include_str!("captures/filters.hex"),
    ] {
        let bytes = bytes(capture);
        for place in 0..bytes.len().min(4000) {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bad = bytes.clone();
                bad[place] = value;
                bad.truncate(4000);
                for message in messages(&bad) {
                    let _ = (rtnl::link(&message), rtnl::route(&message), rtnl::rule(&message));
                    let _ = (rtnl::address(&message), rtnl::neighbour(&message));
                    let _ = (rtnl::bridge_vlans(&message), rtnl::mdb(&message));
                    let _ = (rtnl::fdb(&message), rtnl::nsid(&message), rtnl::qdisc(&message));
                    let _ = rtnl::filter(&message);
                }
            }
        }
    }
}
