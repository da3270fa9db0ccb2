//! Where rules decide, most of them of nftables.

use super::Scene;
use crate::packet::Carries;

/// What the packets of [`shots`] from 10.0.1.2 to 10.0.2.2 are asked for, whatever the hook.
const MATCHES: [&str; 34] = [
    "ip saddr 10.0.1.2",
    "ip saddr != 10.0.1.2",
    "ip daddr 10.0.2.0/24",
    "ip daddr 10.0.2.0/25",
    "ip saddr 10.0.1.0-10.0.1.9",
    "ip daddr != 10.0.1.0-10.0.1.9",
    "ip protocol icmp",
    "ip length 84-600",
    "ip length > 80",
    "ip dscp 4",
    "tcp dport 80",
    "tcp flags syn",
    "udp dport 7-9",
    "udp sport >= 20000",
    "meta l4proto icmp",
    "meta l4proto { tcp, udp }",
    "meta mark 0",
    "meta mark & 0x1 == 1",
    "icmp type echo-request",
    "icmp type { echo-request, echo-reply }",
    "ct state new",
    "ct state established,related",
    "ct direction original",
    "fib daddr type local",
    "fib daddr type unicast",
    "ip saddr { 10.0.1.2, 10.0.7.7 }",
    "ip daddr { 10.0.2.0/24, 10.0.5.0-10.0.5.9 }",
    "ip daddr != { 10.0.1.0/24, 10.0.5.7 }",
    "ip saddr . meta l4proto { 10.0.1.2 . icmp, 10.0.1.2 . tcp }",
    "ip daddr . udp dport { 10.0.2.2 . 7, 10.0.2.2 . 9 }",
    "ip daddr . udp dport { 10.0.2.0/24 . 7-9 }",
    "ip saddr @hosts",
    "limit rate 1000/second burst 1000 packets",
    "numgen random mod 1 0",
];
const VERDICTS: [&str; 6] = [
    "drop",
    "drop",
    "reject",
    "reject with icmp admin-prohibited",
    "meta l4proto tcp reject with tcp reset",
    "counter log prefix \"x\" drop",
];
const PRIORITIES: [&str; 7] = ["-310", "-160", "-150", "-1", "0", "10", "110"];

/// Packets of all kinds from `a` to `b`.
fn shots(scene: &mut Scene<'_>) {
    scene.send("a", "10.0.2.2").carries(Carries::Udp(0, 7)).tos(16);
    scene.send("a", "10.0.2.2").carries(Carries::Tcp(0, 80)).mark(1);
    scene.send("a", "10.0.2.2").carries(Carries::Icmp(0)).tos(16);
    scene.send("a", "10.0.2.2");
    scene.send("a", "10.0.2.2").carries(Carries::Udp(0, 9)).mark(1);
    scene.send("b", "10.0.1.2");
}

/// A family and a table that see IPv4.
fn table(scene: &mut Scene<'_>) -> &'static str {
    scene.one(&["inet t", "ip t"])
}

/// Who has a hook on the way from `a` to `b`.
fn place(scene: &mut Scene<'_>) -> (&'static str, &'static str) {
    scene.one(&[
        ("r", "forward"),
        ("r", "forward"),
        ("r", "prerouting"),
        ("r", "postrouting"),
        ("b", "input"),
        ("a", "output"),
        ("b", "output"),
        ("a", "input"),
    ])
}

fn base(scene: &mut Scene<'_>, hook: &str) -> String {
    format!("type filter hook {hook} priority {}", scene.one(&PRIORITIES))
}

/// What holds of every packet from 10.0.1.2 to 10.0.2.2: some of each kind.
const TRUE: [&[&str]; 11] = [
    &["fib daddr type != blackhole", "fib saddr type != blackhole", "fib daddr type != broadcast"],
    &["limit rate 1000/second burst 1000 packets"],
    &["numgen random mod 1 0", "numgen inc mod 1 0"],
    &["ip daddr != 10.0.1.0-10.0.1.9", "ip saddr != 10.0.7.0-10.0.8.255"],
    &["ip saddr { 10.0.1.2, 10.0.7.7 }", "meta l4proto { icmp, tcp, udp }", "ip saddr @hosts"],
    &["ip daddr { 10.0.2.0/24, 10.0.5.0-10.0.5.9 }", "ip daddr != { 10.0.1.0/24, 10.0.5.7 }"],
    &[
        "ip saddr . ip daddr { 10.0.1.2 . 10.0.2.2 }",
        "ip saddr . meta l4proto { 10.0.1.2 . icmp, 10.0.1.2 . tcp, 10.0.1.2 . udp }",
        "ip daddr . ip saddr { 10.0.2.0/24 . 10.0.1.0-10.0.1.9 }",
    ],
    &["ip daddr 10.0.2.0/25", "ct state new,untracked,invalid", "meta mark & 0x4 == 0"],
    &["ct direction original", "ct mark 0", "ct status != dnat"],
    &["meta length > 20", "meta nfproto ipv4", "meta l4proto != 58"],
    &["ip saddr 10.0.1.2", "ip length >= 44", "ip ttl > 0"],
];

/// A rule lets through what it matches, or drops it.
pub(super) fn filtered(scene: &mut Scene<'_>) {
    scene.way();
    let (space, hook) = place(scene);
    let table = table(scene);
    let base = base(scene, hook);
    let set = "type: ipv4_addr, elements: [10.0.1.2, 10.0.2.0/31]".to_owned();
    scene.space(space).nft_sets.push((table, "hosts", set));
    if scene.percent(85) {
        let first = format!("{} accept", all_true(scene));
        let rest = scene.one(&["ct state established accept", "counter"]);
        scene.nft(space, (table, "c", &base), &[&first, rest]).drop = true;
        return shots(scene);
    }
    let what = selective(scene, hook);
    // To reject is no matter of all hooks.
    let refuses = matches!(hook, "forward" | "input" | "output");
    let verdict = if refuses { scene.one(&VERDICTS) } else { "drop" };
    let first = match verdict.contains("l4proto tcp") {
        true => "tcp dport 80 reject with tcp reset".to_owned(),
        false => format!("{what} {verdict}"),
    };
    scene.nft(space, (table, "c", &base), &[&first, "counter"]);
    shots(scene);
}

/// Conditions of different kinds that hold.
fn all_true(scene: &mut Scene<'_>) -> String {
    let first = scene.turn_of(TRUE.len());
    let step = 1 + scene.random.below(TRUE.len() - 1);
    let kinds = (0..7).map(|n| TRUE[(first + n * step) % TRUE.len()]);
    kinds.map(|kind| scene.one(kind)).collect::<Vec<_>>().join(" ")
}

/// What holds of some packets.
fn selective(scene: &mut Scene<'_>, hook: &str) -> String {
    match scene.random.below(10) {
        0 if hook != "output" => r#"iifname "e*""#.to_owned(),
        1 if hook == "forward" => r#"iifname "e1" oifname "e2""#.to_owned(),
        2 if hook == "forward" => r#"oifname { "e2", "e7" }"#.to_owned(),
        3 if hook == "prerouting" => "fib saddr . iif oif exists".to_owned(),
        _ => scene.one(&MATCHES).to_owned(),
    }
}

/// A map gives the verdict, or a number that is compared.
pub(super) fn by_map(scene: &mut Scene<'_>) {
    scene.way();
    let (space, hook) = place(scene);
    let table = table(scene);
    let base = base(scene, hook);
    let rule = scene.one(&[
        "meta l4proto vmap { icmp : drop, tcp : jump one, udp : goto one }",
        "udp dport vmap { 7 : drop, 8-10 : accept }",
        "ip saddr . meta l4proto vmap { 10.0.1.2 . icmp : drop, 10.0.2.2 . udp : drop }",
        "ip daddr vmap { 10.0.2.0/24 : jump one, 10.0.1.0/24 : accept }",
        "ct state vmap { established : accept, new : jump one }",
        "meta l4proto vmap @m",
        "ip daddr . udp dport vmap { 10.0.2.0/24 . 7-8 : drop }",
    ]);
    if rule.contains('@') {
        let map = r#"type: inet_proto, map: verdict, elements: ["icmp : drop", "udp : jump one"]"#;
        scene.space(space).nft_sets.push((table, "m", map.to_owned()));
    }
    scene.nft(space, (table, "one", ""), &["ip dscp 4 drop", "meta mark 1 return"]);
    let last = scene.one(&["drop", "accept", "meta mark 1 drop"]);
    scene.nft(space, (table, "c", &base), &[rule, last]);
    shots(scene);
}

/// Chains that lead to others, and back.
pub(super) fn chains(scene: &mut Scene<'_>) {
    scene.way();
    let table = table(scene);
    let leads = scene.one(&["jump two", "goto two"]);
    let what = scene.one(&["meta l4proto icmp", "ip dscp 4", "meta mark 1", "ip saddr 10.0.1.2"]);
    let ends = scene.in_turn(&["return", "return", "drop", "accept"]);
    let (rest, behind) = match ends {
        "return" => {
            (scene.one(&["drop", "reject"]), scene.one(&["meta l4proto tcp drop", "counter"]))
        }
        _ => {
            ("udp dport 9 drop", scene.one(&["drop", "meta l4proto udp drop", "reject", "reject"]))
        }
    };
    scene.nft("r", (table, "two", ""), &[&format!("{what} {ends}"), rest]);
    scene.nft("r", (table, "one", ""), &["tcp dport 80 return", leads, behind]);
    let first = scene.one(&["jump one", "goto one", "ct state new jump one"]);
    let last = match ends {
        "return" => scene.one(&["accept", "meta l4proto tcp drop"]),
        _ => scene.one(&["drop", "accept", "meta l4proto tcp drop"]),
    };
    scene.nft("r", (table, "c", "type filter hook forward priority 0"), &[first, last]);
    shots(scene);
}

/// Who translates a destination, where, and how; and packets that this is about: to whom, and what
/// they carry.
type Translation = (&'static str, &'static str, &'static str, &'static str, Option<Carries>);

const TRANSLATIONS: [Translation; 11] = [
    ("r", "prerouting", "udp dport 9 dnat ip to 10.0.2.2:7", "10.0.1.1", UDP9),
    ("r", "prerouting", "tcp dport 81 dnat ip to 10.0.2.2:80", "10.0.1.1", TCP81),
    ("r", "prerouting", "ip daddr 10.0.1.1 dnat ip to 10.0.2.2", "10.0.1.1", None),
    ("r", "prerouting", "udp dport 9 redirect to :7", "10.0.2.2", UDP9),
    ("r", "prerouting", "tcp dport 81 redirect to :80", "10.0.2.2", TCP81),
    ("r", "prerouting", "meta l4proto { tcp, udp } redirect", "10.0.2.2", UDP9),
    ("a", "output", "udp dport 9 redirect to :7", "10.0.2.2", UDP9),
    ("a", "output", "dnat to ip daddr map { 10.0.1.1 : 10.0.2.2 }", "10.0.1.1", None),
    ("r", "prerouting", "dnat to numgen inc mod 1 map { 0 : 10.0.2.2 }", "10.0.1.1", None),
    ("r", "prerouting", "dnat to ip daddr map { 10.0.1.1 : 10.0.2.2 }", "10.0.1.1", None),
    ("r", "prerouting", "dnat to ip saddr map { 10.0.1.2 : 10.0.2.2 }", "10.0.1.1", None),
];
const UDP9: Option<Carries> = Some(Carries::Udp(0, 9));
const TCP81: Option<Carries> = Some(Carries::Tcp(0, 81));

/// The same of a source.
const SOURCES: [(&str, &str, &str); 6] = [
    ("r", "postrouting", "ip saddr 10.0.1.0/24 masquerade"),
    ("r", "postrouting", "oifname \"e2\" masquerade"),
    ("r", "postrouting", "ct state new oifname \"e2\" masquerade"),
    ("r", "postrouting", "oifname \"e2\" snat ip to 10.0.2.1"),
    ("r", "postrouting", "snat to ip saddr map { 10.0.1.2 : 10.0.2.1 }"),
    ("b", "input", "ip saddr 10.0.1.2 snat ip to 10.0.1.9"),
];

/// Addresses and ports are translated: destinations, sources, or both.
pub(super) fn translated(scene: &mut Scene<'_>) {
    scene.way();
    let (space, hook, rule, to, carries) = scene.in_turn(&TRANSLATIONS);
    if scene.percent(85) {
        translation(scene, "c", (space, hook, rule));
    }
    if scene.percent(90) {
        let source = scene.one(&SOURCES);
        translation(scene, "s", source);
    }
    if scene.percent(25) {
        let rule =
            scene.one(&["ct status dnat drop", "ct status snat drop", "ip daddr 10.0.2.2 drop"]);
        scene.nft("r", ("inet u", "f", "type filter hook forward priority 0"), &[rule]);
    }
    if scene.percent(50) {
        scene.serves("r");
        scene.serves("a");
    }
    for _ in 0..3 {
        let shot = scene.send("a", to);
        carries.map(|carries| shot.carries(carries));
    }
    scene.send("a", "10.0.2.2");
    scene.send("b", "10.0.1.2");
}

fn translation(
    scene: &mut Scene<'_>,
    chain: &'static str,
    (space, hook, rule): (&'static str, &'static str, &'static str),
) {
    let table = if rule.contains("map {") { "ip t" } else { table(scene) };
    let priority = scene.one(&["-100", "-90", "100", "-150"]);
    scene.nft(space, (table, chain, &format!("type nat hook {hook} priority {priority}")), &[rule]);
}

/// Chains of one hook run in the order of their priorities, whosever they are.
pub(super) fn priorities(scene: &mut Scene<'_>) {
    scene.way();
    let (first, second) = scene.one(&[("-10", "10"), ("10", "-10"), ("-300", "-299"), ("1", "0")]);
    let marks =
        scene.one(&["meta mark set 2", "meta l4proto udp meta mark set 2", "ct mark set 2"]);
    let asks = if marks.starts_with("ct") { "ct mark 2 drop" } else { "meta mark 2 drop" };
    let hook = scene.one(&["forward", "postrouting", "forward"]);
    let base = |priority: &str| format!("type filter hook {hook} priority {priority}");
    scene.nft("r", ("ip t", "marks", &base(first)), &[marks, "accept"]);
    scene.nft("r", ("inet u", "asks", &base(second)), &[asks]);
    if scene.percent(40) {
        scene.iptables("r", "filter", "FORWARD", "-m mark --mark 2 -j DROP");
    }
    shots(scene);
}

/// What is tracked, where, and what of it is remembered.
pub(super) fn tracked(scene: &mut Scene<'_>) {
    scene.way();
    let before = "type filter hook prerouting priority -300";
    let after = "type filter hook forward priority 0";
    match scene.turn_of(7) {
        0 => {
            scene.nft("r", ("inet t", "raw", before), &["meta l4proto { udp, icmp } notrack"]);
            scene.nft("r", ("inet t", "c", after), &["ct state untracked drop"]);
        }
        1 => {
            scene.nft("r", ("inet t", "raw", before), &["iifname \"e1\" notrack"]);
            scene.nft("r", ("inet t", "c", after), &["ct state established,new accept", "reject"]);
        }
        2 => {
            scene.nft("r", ("ip t", "raw", before), &["ct zone set 5"]);
            scene.nft("r", ("ip t", "c", after), &["ct zone 5 drop"]);
        }
        3 => {
            scene.nft("r", ("ip t", "raw", before), &["iifname \"e1\" ct zone set 5"]);
            scene.nft(
                "r",
                ("ip t", "c", after),
                &["ct state invalid drop", "ct direction reply drop"],
            );
        }
        4 | 5 => {
            let rules = ["ip saddr 10.0.1.2 ct mark set 7", "ct mark 7 ct direction reply drop"];
            scene.nft("r", ("ip t", "c", after), &rules);
        }
        _ => {
            let marks = "type filter hook output priority 0";
            scene.nft("a", ("ip t", "c", marks), &["meta mark 1 ct mark set meta mark"]);
            let asks = "type filter hook prerouting priority -140";
            let rules = ["meta mark set ct mark", "meta mark 1 drop"];
            scene.nft("a", ("ip t", "back", asks), &rules);
        }
    }
    shots(scene);
}

/// Headers are written.
pub(super) fn rewritten(scene: &mut Scene<'_>) {
    scene.way();
    let rule = scene.one(&[
        "ip ttl set 1",
        "ip ttl set 2",
        "ip ttl set 33",
        "ip dscp set 8",
        "ip dscp set 4",
    ]);
    let (space, hook) = scene.one(&[
        ("a", "output"),
        ("r", "prerouting"),
        ("r", "forward"),
        ("b", "input"),
        ("r", "postrouting"),
    ]);
    let base = format!("type filter hook {hook} priority -150");
    scene.nft(space, ("ip t", "c", &base), &[rule]);
    if scene.percent(40) {
        scene.nft(
            "b",
            ("ip u", "asks", "type filter hook input priority 0"),
            &["ip dscp 8 drop", "ip ttl 33 drop"],
        );
    }
    shots(scene);
}

/// A chain of type route: what changes the mark is routed anew.
pub(super) fn routed_anew(scene: &mut Scene<'_>) {
    scene.fork();
    scene.address("a", "lo", "10.9.2.1/32");
    scene.route("a", "to: default, via: 10.0.1.1");
    scene.route("a", "to: default, via: 10.0.2.1, table: 100");
    scene.rule("a", "pref: 100, fwmark: 2, table: 100");
    let what = scene.one(&["", "", "", "meta l4proto icmp ", "udp dport 7 ", "ip dscp 4 "]);
    let kind = scene.one(&["route", "route", "route", "route", "filter"]);
    let base = format!("type {kind} hook output priority -150");
    scene.nft("a", ("ip t", "c", &base), &[&format!("{what}meta mark set 2")]);
    scene.send("a", "10.9.0.1").carries(Carries::Udp(0, 7)).tos(16);
    scene.send("a", "10.9.0.1").carries(Carries::Icmp(0)).tos(16);
    scene.send("a", "10.9.0.1").carries(Carries::Udp(0, 7));
    scene.send("a", "10.9.0.1");
}

/// `a` and `b` are on one bridge of `r`, whose rules of the bridge see what passes.
pub(super) fn bridged(scene: &mut Scene<'_>) {
    scene.link("r", "br").set("kind", "bridge");
    for (space, link, ip) in [("a", "e1", "10.0.1.2/24"), ("b", "e2", "10.0.1.3/24")] {
        scene.pair(space, "r", link);
        scene.address(space, link, ip);
        scene.link("r", link).set("bridge", "br");
    }
    scene.address("r", "br", "10.0.1.1/24");
    scene.link("a", "e1").set("mac", "\"02:00:00:00:00:0a\"");
    scene.serves("b");
    let hook =
        scene.in_turn(&["forward", "forward", "prerouting", "postrouting", "input", "output"]);
    let rule = scene.one(&[
        "ip daddr 10.0.1.3 drop",
        "ip protocol icmp drop",
        "udp dport { 7, 9 } drop",
        "ether saddr 02:00:00:00:00:0a ether type ip drop",
        "ether daddr 02:00:00:00:00:0a ether type ip drop",
        "iifname \"e1\" ether type ip drop",
        "oifname \"e2\" ether type ip drop",
        "ip saddr . meta l4proto vmap { 10.0.1.2 . tcp : drop, 10.0.1.3 . icmp : drop }",
        "ether type != arp drop",
        "meta mark 1 drop",
    ]);
    let base = format!("type filter hook {hook} priority {}", scene.one(&["-200", "0", "10"]));
    scene.nft("r", ("bridge t", "c", &base), &[rule]);
    scene.send("a", "10.0.1.3").carries(Carries::Udp(0, 7));
    scene.send("a", "10.0.1.3").carries(Carries::Tcp(0, 80)).mark(1);
    scene.send("a", "10.0.1.3").carries(Carries::Icmp(0));
    scene.send("a", "10.0.1.1");
    scene.send("b", "10.0.1.2");
    scene.send("r", "10.0.1.3").mark(1);
}

/// Chains of one link: before all others, and behind them.
pub(super) fn at_a_link(scene: &mut Scene<'_>) {
    scene.way();
    let (space, link, table, hook) = scene.in_turn(&[
        ("r", "e1", "netdev t", "ingress"),
        ("b", "e2", "netdev t", "ingress"),
        ("r", "e1", "inet t", "ingress"),
        ("b", "e2", "inet t", "ingress"),
        ("a", "e1", "netdev t", "egress"),
        ("r", "e2", "netdev t", "egress"),
        ("r", "e2", "netdev t", "egress"),
        ("a", "e1", "netdev t", "egress"),
        ("r", "e2", "netdev t", "ingress"),
    ]);
    let rule = scene.one(&[
        "ip daddr 10.0.2.2 drop",
        "ip daddr 10.0.2.2 drop",
        "meta l4proto { icmp, udp } ip daddr 10.0.2.0/24 drop",
        "ip saddr 10.0.2.2 drop",
        "udp dport 7-9 drop",
        "meta l4proto icmp drop",
        "ip dscp 4 drop",
        "ip ttl > 62 ip protocol tcp drop",
        "ip saddr { 10.0.1.0/24, 10.0.3.3 } drop",
    ]);
    let base = format!("type filter hook {hook} device {link} priority 0");
    scene.nft(space, (table, "c", &base), &[rule]);
    shots(scene);
}

/// ARP that is thrown away is not answered.
pub(super) fn of_arp(scene: &mut Scene<'_>) {
    scene.way();
    let (space, hook, rule) = scene.one(&[
        ("r", "input", "arp operation request drop"),
        ("r", "input", "arp operation request arp saddr ip 10.0.1.2 drop"),
        ("b", "input", "arp daddr ip 10.0.2.2 drop"),
        ("a", "input", "arp operation reply drop"),
        ("r", "output", "arp operation reply drop"),
        ("r", "output", "arp operation request arp daddr ip 10.0.2.2 drop"),
        ("a", "output", "arp saddr ip 10.0.1.2 drop"),
    ]);
    let base = format!("type filter hook {hook} priority 0");
    scene.nft(space, ("arp t", "c", &base), &[rule]);
    shots(scene);
}
