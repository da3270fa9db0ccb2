//! Where a route decides by what it says beside its destination.

use super::Scene;
use crate::packet::Carries;

/// Routes that refuse, at the sender or on the way: each kind for one of the addresses behind `b`.
pub(super) fn kinds(scene: &mut Scene<'_>) {
    scene.line();
    scene.route("r", "to: 10.9.0.0/24, via: 10.0.2.2");
    let place = scene.one(&["a", "r", "r", "b"]);
    let kinds = ["blackhole", "unreachable", "prohibit", "throw"];
    let first = scene.turn_of(kinds.len());
    if place == "b" {
        let to = scene.one(&["10.0.1.2/32", "10.0.1.0/24", "10.0.0.0/16"]);
        scene.route("b", format!("to: {to}, type: {}", kinds[first]));
    }
    for (n, kind) in kinds.into_iter().enumerate() {
        let to = format!("10.9.0.{}", n + 1);
        scene.address("b", "lo", &format!("{to}/32"));
        if place != "b" {
            scene.route(place, format!("to: {to}/32, type: {kind}"));
        }
    }
    for n in 0..4 {
        scene.send("a", &format!("10.9.0.{}", (first + n) % 4 + 1));
    }
    scene.send("b", "10.0.1.2");
}

/// What one table throws, the next rule finds.
pub(super) fn thrown(scene: &mut Scene<'_>) {
    scene.fork();
    scene.route("a", "to: default, via: 10.0.1.1");
    scene.route("a", "to: default, via: 10.0.2.1, table: 100");
    let to = scene.one(&["10.9.0.0/24", "10.9.0.1/32", "10.0.0.0/8"]);
    scene.route("a", format!("to: {to}, type: throw, table: 100"));
    scene.rule("a", "pref: 100, table: 100");
    scene.send("a", "10.9.0.1");
    scene.send("a", "10.0.3.2");
    scene.send("a", "10.9.0.1").ttl(64);
}

/// Of two routes to one network, the lower metric.
pub(super) fn metrics(scene: &mut Scene<'_>) {
    scene.fork();
    let to = scene.one(&["default", "10.9.0.0/24", "10.9.0.1"]);
    let [mut low, mut high] = ["10.0.1.1", "10.0.2.1"];
    if scene.percent(50) {
        (low, high) = (high, low);
    }
    let more = scene.random.between(20, 40);
    scene.route("a", format!("to: {to}, via: {high}, metric: {more}"));
    let metric = scene.one(&["", ", metric: 5", ", metric: 19"]);
    scene.route("a", format!("to: {to}, via: {low}{metric}"));
    scene.send("a", "10.9.0.1");
    scene.send("a", "10.9.0.1");
}

/// A route that names the source.
pub(super) fn source(scene: &mut Scene<'_>) {
    scene.fork();
    scene.address("a", "lo", "10.9.2.1/32");
    let src = scene.one(&["10.9.2.1", "10.9.2.1", "10.0.2.2"]);
    let to = scene.one(&["default", "10.9.0.0/24"]);
    scene.route("a", format!("to: {to}, via: 10.0.1.1, src: {src}"));
    if scene.percent(30) {
        let out = scene.one(&["-o e1 -j MASQUERADE", "-d 10.9.0.1 -j SNAT --to-source 10.0.1.2"]);
        scene.iptables("a", "nat", "POSTROUTING", out);
    }
    (0..4).for_each(|_| _ = scene.send("a", "10.9.0.1"));
    scene.send("a", "10.9.0.1").src("10.0.1.2");
}

/// A single address goes another way than its network.
pub(super) fn host(scene: &mut Scene<'_>) {
    scene.fork();
    scene.address("b", "lo", "10.9.0.2/32");
    scene.route("a", "to: 10.9.0.0/24, via: 10.0.1.1");
    scene.route("a", "to: 10.9.0.1, via: 10.0.2.1");
    scene.send("a", "10.9.0.1");
    scene.send("a", "10.9.0.2");
}

/// Several ways to one network, of which a hash takes one.
pub(super) fn multipath(scene: &mut Scene<'_>) {
    scene.fork();
    let place = scene.one(&["a", "a", "b"]);
    let (to, first, second) = match place {
        "a" => (scene.one(&["default", "10.9.0.0/24"]), "10.0.1.1", "10.0.2.1"),
        _ => ("10.0.0.0/16", "10.0.3.1", "10.0.4.1"),
    };
    let weight = scene.one(&["", ", weight: 2", ", weight: 20"]);
    scene
        .route(place, format!("to: {to}, nexthops: [{{via: {first}{weight}}}, {{via: {second}}}]"));
    if place == "b" {
        scene.route("a", "to: default, via: 10.0.2.1");
    }
    let policy = scene.random.below(4);
    scene.sysctl(place, "net.ipv4.fib_multipath_hash_policy", policy);
    let rp_filter = scene.one(&[0, 0, 1, 2]);
    scene.sysctl("b", "net.ipv4.conf.all.rp_filter", rp_filter);
    if scene.percent(20) {
        // The other end is down: its way out has no carrier.
        scene.link("q", "e2").set("up", false);
        scene.space("q").lists.retain(|(_, line)| !line.contains("via: 10.0.2.2"));
        let ignored = u8::from(scene.percent(70));
        scene.sysctl("a", "net.ipv4.conf.all.ignore_routes_with_linkdown", ignored);
    }
    scene.send("a", "10.9.0.1");
    scene.send("a", "10.9.0.1");
    scene.send("a", "10.9.0.1").src("10.0.2.2");
    scene.send("b", "10.0.1.2");
}

/// A route for one type of service.
pub(super) fn by_service(scene: &mut Scene<'_>) {
    scene.fork();
    scene.route("a", "to: 10.9.0.0/24, via: 10.0.1.1");
    let tos = scene.one(&[8, 16]);
    scene.route("a", format!("to: 10.9.0.0/24, via: 10.0.2.1, tos: {tos}"));
    for tos in [tos, tos, 24 - tos, tos, 0] {
        scene.send("a", "10.9.0.1").tos(tos);
    }
}

/// A route for smaller packets than its link takes.
pub(super) fn narrow(scene: &mut Scene<'_>) {
    scene.line();
    scene.address("b", "lo", "10.9.0.1/32");
    let mtu = scene.one(&[576, 600, 1000, 1280]);
    let place = scene.one(&["a", "r", "r"]);
    match place {
        "a" => scene.route("a", format!("to: 10.9.0.0/24, via: 10.0.1.1, mtu: {mtu}")),
        _ => scene.route("r", format!("to: 10.9.0.0/24, via: 10.0.2.2, mtu: {mtu}")),
    }
    if place == "a" {
        scene.route("r", "to: 10.9.0.0/24, via: 10.0.2.2");
    }
    // A sender that was told once breaks its packets up itself from then on (`fnhe_pmtu`): so either
    // all ask not to be broken up, which a probe does without heed of what was told, or none.
    let df = place == "r" && scene.percent(60);
    for len in [1400, 1000, 1400, 576] {
        let carries = scene.one(&[Carries::Icmp(0), Carries::Udp(0, 7), Carries::Udp(0, 9)]);
        scene.send("a", "10.9.0.1").size(len, df).carries(carries);
    }
}

/// What a route says of the packets that its namespace itself sends by it.
pub(super) fn of_own_packets(scene: &mut Scene<'_>) {
    scene.line();
    let (hops, size) = (scene.one(&[1, 2, 3, 17, 200]), scene.one(&[400, 900, 1300]));
    let (tcp, udp, icmp) = (Carries::Tcp(0, 80), Carries::Udp(0, 7), Carries::Icmp(0));
    // Refusals and errors are sent by it, too.
    let refused = scene.one(&[Carries::Udp(0, 9), Carries::Tcp(0, 81)]);
    let (said, sent) = match scene.in_turn(&["hoplimit", "advmss", "mtu"]) {
        "hoplimit" => (format!("hoplimit: {hops}"), [tcp, udp, icmp, refused]),
        "advmss" => (format!("advmss: {size}, hoplimit: 70"), [tcp, tcp, tcp, refused]),
        _ => (format!("mtu: lock 1300, advmss: {size}"), [udp, udp, tcp, udp]),
    };
    let [of_b, of_r] = ["to: 10.0.1.0/24, via: 10.0.2.1", "to: 10.0.1.2/32, dev: e1"];
    // Only `b` listens.
    let place = if sent[2] == icmp { scene.one(&["b", "b", "r"]) } else { "b" };
    scene.route(place, format!("{}, {said}", if place == "b" { of_b } else { of_r }));
    let to = if place == "b" { "10.0.2.2" } else { "10.0.1.1" };
    for carries in sent {
        scene.send("a", to).carries(carries);
    }
    let ttl = scene.one(&[1, 64]);
    scene.send("a", "10.0.2.2").ttl(ttl);
}

/// A network of IPv4 behind a gateway of IPv6.
pub(super) fn by_ipv6(scene: &mut Scene<'_>) {
    scene.line();
    let own = "02:00:00:00:02:02";
    scene.link("b", "e2").set("mac", format!("{own:?}"));
    scene.address("b", "lo", "10.9.0.1/32");
    for (space, link, address) in [("r", "e2", "fd00:2::1/64"), ("b", "e2", "fd00:2::2/64")] {
        scene.address(space, link, address);
        scene.sysctl(space, "net.ipv6.conf.all.disable_ipv6", 0);
        scene.sysctl(space, "net.ipv6.conf.default.disable_ipv6", 0);
        // Its addresses are its own at once, and who does not answer is given up after one question.
        scene.sysctl(space, "net.ipv6.conf.default.accept_dad", 0);
        scene.sysctl(space, "net/ipv6/conf/e2/accept_dad", 0);
        scene.sysctl(space, "net/ipv6/neigh/e2/mcast_solicit", 1);
        scene.sysctl(space, "net/ipv6/neigh/e2/retrans_time_ms", 100);
    }
    // Who is not known is asked for.
    if let Some(mac) = scene.one(&[Some(own), Some("02:00:00:00:99:99"), None, None]) {
        let known = format!("ip: \"fd00:2::2\", dev: e2, mac: {mac:?}");
        scene.space("r").list("neighbours", known);
    }
    let gateway = scene.one(&["fd00:2::2", "fd00:2::2", "fd00:2::2", "fd00:2::9"]);
    scene.route("r", format!("to: 10.9.0.0/24, via: {gateway:?}, dev: e2"));
    scene.send("a", "10.9.0.1");
    scene.send("r", "10.9.0.1");
    scene.send("b", "10.0.1.2").src("10.9.0.1");
}
