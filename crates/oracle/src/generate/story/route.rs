//! Where a route decides by what it says beside its destination.

use super::Scene;

/// A route that refuses, at the sender or on the way.
pub(super) fn kinds(scene: &mut Scene<'_>) {
    scene.line();
    scene.address("b", "lo", "10.9.0.1/32");
    scene.route("r", "to: 10.9.0.0/24, via: 10.0.2.2");
    let place = scene.one(&["a", "r", "r", "b"]);
    let kind = scene.one(&["blackhole", "unreachable", "prohibit", "throw"]);
    let to = match place {
        "b" => scene.one(&["10.0.1.2/32", "10.0.1.0/24", "10.0.0.0/16"]),
        _ => scene.one(&["10.9.0.1/32", "10.9.0.0/28", "10.9.0.0/16"]),
    };
    scene.route(place, format!("to: {to}, type: {kind}"));
    scene.send("a", "10.9.0.1");
    scene.send("b", "10.0.1.2");
    scene.send("a", "10.9.0.1").src("10.0.1.2");
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
    let src = scene.one(&["10.9.2.1", "10.9.2.1", "10.0.2.2", "10.0.1.2"]);
    let to = scene.one(&["default", "10.9.0.0/24"]);
    scene.route("a", format!("to: {to}, via: 10.0.1.1, src: {src}"));
    if scene.percent(30) {
        let out = scene.one(&["-o e1 -j MASQUERADE", "-d 10.9.0.1 -j SNAT --to-source 10.0.1.2"]);
        scene.iptables("a", "nat", "POSTROUTING", out);
    }
    scene.send("a", "10.9.0.1");
    scene.send("a", "10.9.0.1");
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
