//! Filters of tc, the ifbs that they hand packets to, and queueing disciplines that throw away.

use super::Scene;
use crate::packet::Carries;

/// Where filters stand, on the way from `a` by the router to `b`.
const PLACES: [(&str, &str, &str); 6] = [
    ("r", "e1", "ingress"),
    ("r", "e2", "egress"),
    ("r", "e1", "egress"),
    ("r", "e2", "ingress"),
    ("a", "e1", "egress"),
    ("b", "e2", "ingress"),
];

/// Which packets they are for.
const SELECTORS: [&str; 9] = [
    "match ip dst 10.0.2.2",
    "match ip src 10.0.1.0/24",
    "match ip dst 10.0.0.0/16",
    "match ip protocol 17",
    "match ip protocol 1 match ip src 10.0.2.2",
    "match ip dport 7 match ip protocol 17",
    "match u32 0x3e000000 0xfe000000 at 8",
    "match u32 0x00000800 0x0000ffff at -4",
    "match u32 0x00000000 0x00000000 at 0",
];

/// A packet, or a copy of it, goes to an ifb.
pub(super) fn to_an_ifb(scene: &mut Scene<'_>) {
    scene.way();
    let place = scene.in_turn(&PLACES);
    scene.link(place.0, "i0").set("kind", "ifb");
    if scene.percent(10) {
        scene.link(place.0, "i0").set("up", false);
    }
    let actions = [
        "mirred egress redirect dev i0",
        "mirred egress redirect dev i0",
        "mirred egress mirror dev i0 action mirred egress redirect dev i0",
        "mirred egress mirror dev i0",
    ];
    let action = scene.one(&actions);
    filters(scene, place, action, "i0");
    // What an ifb gives back passes these by.
    if scene.percent(50) {
        let hook = if place.2 == "ingress" { place } else { ("r", "e2", "egress") };
        let (space, link, hook) = scene.one(&[hook, ("r", "e2", "egress")]);
        let base = format!("type filter hook {hook} device {link} priority 0");
        let rule = scene.one(&["udp dport 7 drop", "meta l4proto icmp drop", "ip ttl > 1 drop"]);
        scene.nft(space, ("netdev t", "c", &base), &[rule]);
    }
    shots(scene);
}

/// A packet, or a copy of it, goes to another link of the router, or of its own.
pub(super) fn to_others(scene: &mut Scene<'_>) {
    scene.way();
    scene.pair("r", "c", "e3");
    scene.address("r", "e3", "10.0.3.1/24");
    scene.address("c", "e3", "10.0.3.2/24");
    match scene.percent(10) {
        true => scene.link("c", "e3").set("up", false),
        false => scene.route("c", "to: default, via: 10.0.3.1"),
    }
    let place = scene.one(&PLACES[..4]);
    let action = scene.in_turn(&[
        "mirred egress redirect dev e3",
        "mirred ingress redirect dev e3",
        "mirred egress mirror dev e3",
        "mirred egress mirror dev e3 drop",
        "mirred egress mirror dev e3 action mirred ingress redirect dev e3",
        "mirred egress mirror dev e3 continue",
    ]);
    filters(scene, place, action, "e3");
    shots(scene);
}

/// What flower asks for, of IPv4 and of IPv6.
const FLOWERS: [(&str, &str); 9] = [
    ("ip_proto udp dst_port 7", "ip_proto udp dst_port 7"),
    ("ip_proto tcp dst_port 80/0xfff0", "ip_proto tcp dst_port 80/0xfff0"),
    ("ip_proto udp src_port 80", "ip_proto udp src_port 80"),
    ("dst_ip 10.0.2.2", "dst_ip 2001:db8:2::2"),
    ("src_ip 10.0.1.0/24", "src_ip 2001:db8:1::/64"),
    ("ip_proto icmp", "ip_proto icmpv6"),
    ("ip_ttl 62/254", "ip_ttl 62/254"),
    ("ip_tos 0/fc", "ip_tos 0/fc"),
    ("ip_proto tcp dst_ip 10.0.0.0/16", "ip_proto tcp dst_ip 2001:db8::/32"),
];

/// Filters by flower and matchall, and what gact says then.
pub(super) fn by_flower(scene: &mut Scene<'_>) {
    scene.way();
    let (space, link, side) = scene.in_turn(&PLACES);
    let says = ["drop", "drop", "pipe", "ok", "continue", "reclassify", "goto chain 1"];
    let (mut all, mut six) = (Vec::new(), Vec::new());
    for _ in 0..scene.one(&[1, 2, 3]) {
        let ((four, other), action) = (scene.one(&FLOWERS), scene.one(&says));
        all.push(format!("protocol ip flower {four} action {action}"));
        six.push(format!("protocol ipv6 flower {other} action {action}"));
    }
    all.append(&mut six);
    if scene.percent(40) {
        let end = scene.one(&["drop", "continue", "ok", "pipe action drop"]);
        let of = scene.one(&["ip", "all", "ipv6"]);
        all.push(format!("protocol {of} matchall action {end}"));
    }
    let ((four, _), end) = (scene.one(&FLOWERS), scene.one(&["drop", "ok"]));
    all.push(format!("chain 1 protocol ip flower {four} action {end}"));
    all.push("chain 1 protocol all matchall action drop".to_owned());
    scene.link(space, link).set("tc", format!("{{{side}: {all:?}}}"));
    shots(scene);
}

/// What stands behind a link on the way, of a bridge or of one of its ports, throws away.
pub(super) fn by_a_queue(scene: &mut Scene<'_>) {
    scene.way();
    bridged(scene);
    let (space, link) = scene.in_turn(&[
        ("a", "e1"),
        ("r", "e2"),
        ("r", "e1"),
        ("b", "e2"),
        ("s", "e1"),
        ("s", "e2"),
        ("s", "br"),
        ("c", "e1"),
    ]);
    let queue = scene.one(&[
        "blackhole",
        "pfifo limit 0",
        "bfifo limit 613",
        "bfifo limit 614",
        "bfifo limit 500",
        "bfifo limit 80",
        "bfifo limit 60",
        "bfifo limit 41",
    ]);
    scene.link(space, link).set("queue", format!("{queue:?}"));
    let ways = match space {
        "s" | "c" => [("c", "10.0.7.3"), ("d", "10.0.7.2"), ("c", "10.0.7.1"), ("s", "10.0.7.3")],
        _ => [("a", "10.0.2.2"), ("b", "10.0.1.2"), ("a", "10.0.1.1"), ("r", "10.0.2.2")],
    };
    for (from, to) in ways {
        for len in [44, 600] {
            let carries = match len {
                44 => Carries::Tcp(0, scene.one(&[80, 81])),
                _ => scene.one(&[Carries::Icmp(0), Carries::Udp(0, 7), Carries::Udp(0, 9)]),
            };
            scene.send(from, to).size(len, true).carries(carries).ttl(64);
        }
    }
}

/// A bridge with two ports, each with a namespace behind it.
fn bridged(scene: &mut Scene<'_>) {
    scene.link("s", "br").set("kind", "bridge");
    scene.address("s", "br", "10.0.7.1/24");
    for (space, link, address) in [("c", "e1", "10.0.7.2/24"), ("d", "e2", "10.0.7.3/24")] {
        scene.pair("s", space, link);
        scene.link("s", link).set("bridge", "br");
        scene.address(space, link, address);
        scene.serves(space);
    }
}

/// The filter that does it, at times behind one that lets some pass, or before one that throws away.
fn filters(
    scene: &mut Scene<'_>,
    (space, link, side): (&str, &str, &str),
    action: &str,
    other: &str,
) {
    let selector = scene.one(&SELECTORS);
    let mut all = vec![format!("protocol ip u32 {selector} action {action}")];
    if scene.percent(30) {
        let passes = scene.one(&SELECTORS);
        all.insert(0, format!("protocol ip u32 {passes}"));
    }
    if action.ends_with("continue") || scene.percent(15) {
        let dropped = scene.one(&SELECTORS);
        all.push(format!("protocol ip u32 {dropped} action mirred egress mirror dev {other} drop"));
    }
    scene.link(space, link).set("tc", format!("{{{side}: {all:?}}}"));
}

fn shots(scene: &mut Scene<'_>) {
    scene.serves("b");
    scene.send("a", "10.0.2.2").carries(Carries::Udp(0, 7)).ttl(64);
    scene.send("a", "10.0.2.2").carries(Carries::Tcp(0, 80));
    scene.send("a", "10.0.2.2").carries(Carries::Icmp(0)).ttl(64);
    scene.send("a", "10.0.2.1").carries(Carries::Udp(80, 9)).ttl(64);
    scene.send("b", "10.0.1.2");
}
