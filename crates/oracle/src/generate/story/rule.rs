//! Where a routing rule decides.

use super::Scene;
use crate::packet::Carries;

/// One selector of a rule, and a packet that it is about.
struct Selected {
    selector: &'static str,
    src: Option<&'static str>,
    mark: u32,
    tos: u8,
    carries: Option<Carries>,
}

const ANY: Selected = Selected { selector: "", src: None, mark: 0, tos: 0, carries: None };

/// What a process's own packets may be told apart by: ways to say the same kind of thing.
const SELECTED: [&[Selected]; 7] = [
    &[
        Selected { selector: "dscp: 4", tos: 16, ..ANY },
        Selected { selector: "dscp: 46", tos: 0xb8, ..ANY },
        Selected { selector: "dscp: 2", tos: 8, ..ANY },
        Selected { selector: "tos: 4", tos: 4, ..ANY },
        Selected { selector: "tos: 16", tos: 16, ..ANY },
        Selected { selector: "tos: 8", tos: 8, ..ANY },
        Selected { selector: "tos: 12", tos: 12, ..ANY },
    ],
    &[
        Selected { selector: "uidrange: 0-0", ..ANY },
        Selected { selector: "uidrange: 0-100", ..ANY },
    ],
    &[
        Selected {
            selector: "ipproto: udp, dport: 7/0xf",
            carries: Some(Carries::Udp(0, 7)),
            ..ANY
        },
        Selected {
            selector: "ipproto: udp, dport: 3/0x3",
            carries: Some(Carries::Udp(0, 7)),
            ..ANY
        },
        Selected {
            selector: "ipproto: udp, dport: 7/0xff",
            carries: Some(Carries::Udp(0, 7)),
            ..ANY
        },
        Selected {
            selector: "ipproto: udp, sport: 19968/0xff00",
            carries: Some(Carries::Udp(0, 7)),
            ..ANY
        },
        Selected {
            selector: "ipproto: tcp, dport: 80/0xf0",
            carries: Some(Carries::Tcp(0, 80)),
            ..ANY
        },
        Selected { selector: "ipproto: icmp", carries: Some(Carries::Icmp(0)), ..ANY },
        Selected { selector: "ipproto: udp", carries: Some(Carries::Udp(0, 7)), ..ANY },
        Selected { selector: "ipproto: udp, dport: 7", carries: Some(Carries::Udp(0, 7)), ..ANY },
        Selected {
            selector: "ipproto: udp, sport: 20000-20100",
            carries: Some(Carries::Udp(0, 7)),
            ..ANY
        },
    ],
    &[Selected { selector: "from: 10.9.2.1", src: Some("10.9.2.1"), ..ANY }],
    &[Selected { selector: "to: 10.9.0.0/24", ..ANY }],
    &[
        Selected { selector: "fwmark: 1", mark: 1, ..ANY },
        Selected { selector: "fwmark: 2/2", mark: 3, ..ANY },
    ],
    &[Selected { selector: "iif: lo", ..ANY }],
];

/// Several things that a rule asks for, of different kinds.
fn selected(scene: &mut Scene<'_>, count: usize) -> Vec<&'static Selected> {
    let first = scene.turn_of(SELECTED.len());
    let step = scene.random.between(1, SELECTED.len() - 1);
    let kinds = (0..count).map(|n| SELECTED[(first + n * step) % SELECTED.len()]);
    kinds.map(|kind| &kind[scene.random.below(kind.len())]).collect()
}

fn selectors(of: &[&Selected]) -> String {
    of.iter().map(|one| one.selector).collect::<Vec<_>>().join(", ")
}

/// What a rule may do, to refuse oftener than to lead; table 100 leads by the other router.
const ACTIONS: [&str; 8] = [
    "type: prohibit",
    "type: unreachable",
    "type: blackhole",
    "table: 100",
    "type: prohibit",
    "type: unreachable",
    "type: blackhole",
    "table: 101",
];

/// `a` has two ways, and a rule chooses.
fn two_ways(scene: &mut Scene<'_>) {
    scene.fork();
    scene.address("a", "lo", "10.9.2.1/32");
    scene.route("a", "to: default, via: 10.0.1.1");
    scene.route("a", "to: default, via: 10.0.2.1, table: 100");
    let kind = scene.one(&["unreachable", "prohibit", "blackhole", "throw"]);
    scene.route("a", format!("to: 10.9.0.0/24, type: {kind}, table: 101"));
}

/// Packets that have all that is asked for, and one that has nothing of it.
fn shots(scene: &mut Scene<'_>, of: &[&Selected]) {
    for about in [true, true, false, true, true] {
        let shot = scene.send("a", "10.9.0.1");
        for one in of.iter().filter(|_| about) {
            let (mark, tos) = (shot.mark | one.mark, shot.tos | one.tos);
            shot.mark(mark).tos(tos);
            one.src.map(|src| shot.src(src));
            one.carries.map(|carries| shot.carries(carries));
        }
    }
}

pub(super) fn at_the_sender(scene: &mut Scene<'_>) {
    two_ways(scene);
    let count = scene.random.between(2, 5);
    let of = selected(scene, count);
    let action = scene.one(&ACTIONS);
    let not = if scene.percent(20) { "not: true, " } else { "" };
    scene.rule("a", format!("pref: 100, {}, {not}{action}", selectors(&of)));
    shots(scene, &of);
}

/// What passes through is told apart by where it came from, too.
pub(super) fn at_the_router(scene: &mut Scene<'_>) {
    scene.line();
    scene.address("b", "lo", "10.9.0.1/32");
    scene.route("r", "to: 10.9.0.0/24, via: 10.0.2.2");
    let selector = scene.one(&[
        "iif: e1",
        "iif: e2",
        "from: 10.0.1.0/24",
        "to: 10.9.0.1",
        "tos: 8",
        "fwmark: 1",
        "ipproto: icmp",
        "ipproto: tcp, dport: 80",
        "ipproto: udp, dport: 7",
        "ipproto: udp, dport: 7/0xf",
    ]);
    let action =
        scene.one(&["type: prohibit", "type: unreachable", "type: blackhole", "table: 100"]);
    let not = if scene.percent(25) { "not: true, " } else { "" };
    scene.rule("r", format!("pref: 100, {selector}, {not}{action}"));
    let kind =
        scene.one(&["type: prohibit", "type: unreachable", "type: blackhole", "via: 10.0.1.2"]);
    scene.route("r", format!("to: default, {kind}, table: 100"));
    if selector.starts_with("fwmark") {
        scene.iptables("r", "mangle", "PREROUTING", "-i e1 -j MARK --set-mark 1");
    }
    scene.send("a", "10.9.0.1").tos(8);
    scene.send("a", "10.0.2.2");
    scene.send("b", "10.0.1.2");
    scene.send("a", "10.9.0.1").carries(Carries::Tcp(0, 80));
    scene.send("a", "10.9.0.1").carries(Carries::Udp(0, 7));
    scene.send("a", "10.9.0.1").carries(Carries::Icmp(0));
}

/// What main has of so short a prefix does not count.
pub(super) fn suppressed(scene: &mut Scene<'_>) {
    scene.fork();
    let length = scene.one(&[0, 16, 24]);
    let to = scene.one(&["default", "10.9.0.0/16", "10.9.0.0/24"]);
    scene.route("a", format!("to: {to}, via: 10.0.1.1"));
    scene.route("a", "to: default, via: 10.0.2.1, table: 100");
    scene.rule("a", format!("pref: 100, table: main, suppress_prefixlength: {length}"));
    scene.rule("a", "pref: 200, table: 100");
    scene.send("a", "10.9.0.1");
    scene.send("a", "10.9.0.1");
    scene.send("a", "10.0.3.2");
    scene.send("a", "10.9.0.1");
}

/// What main has by a link of that group does not count.
pub(super) fn by_group(scene: &mut Scene<'_>) {
    scene.fork();
    let (group, not) = scene.one(&[(7, 7), (7, 7), (7, 7), (0, 0), (7, 8)]);
    scene.link("a", "e1").set("group", group);
    scene.link("a", "e2").set("group", 8);
    let several = "to: 10.9.0.0/16, nexthops: [{via: 10.0.1.1, dev: e1}, {via: 10.0.2.1, dev: e2}]";
    let route =
        scene.one(&["to: default, via: 10.0.1.1", "to: 10.9.0.0/16, via: 10.0.1.1", several]);
    scene.route("a", route);
    if route == several {
        // What is said of several next hops is not said of IPv6.
        scene.route("a", "to: 10.9.0.0/16, via: 10.0.1.1, metric: 50");
    }
    scene.route("a", "to: default, via: 10.0.2.1, table: 100");
    scene.rule("a", format!("pref: 100, table: main, suppress_ifgroup: {not}"));
    scene.rule("a", "pref: 200, table: 100");
    scene.send("a", "10.9.0.1");
    scene.send("a", "10.9.0.1").carries(Carries::Icmp(0));
    scene.send("a", "10.9.0.1").carries(Carries::Udp(0, 7));
}

/// A rule that leads past others.
pub(super) fn goes_to(scene: &mut Scene<'_>) {
    two_ways(scene);
    let of = selected(scene, 2);
    let past = scene.one(&["table: 100", "type: prohibit", "type: unreachable", "type: blackhole"]);
    let there = scene.one(&["type: nop", "table: main", "fwmark: 7, table: 101"]);
    let to = scene.one(&[300, 300, 300, 32766, 250]);
    scene.rule("a", format!("pref: 100, {}, goto: {to}", selectors(&of)));
    scene.rule("a", format!("pref: 200, to: 10.9.0.0/16, {past}"));
    scene.rule("a", format!("pref: 300, {there}"));
    shots(scene, &of);
}
