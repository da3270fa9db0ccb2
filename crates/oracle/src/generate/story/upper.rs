//! Links that stand on others, and tunnels.

use super::Scene;

const MAC: &str = "\"02:5e:00:00:00:0a\"";

/// Two macvlans on one link, behind which there is a switch with somebody else on it.
pub(super) fn macvlans(scene: &mut Scene<'_>) {
    scene.link("s", "br").set("kind", "bridge");
    for (space, port) in [("a", "pa"), ("b", "pb")] {
        scene.pair(space, "s", port);
        scene.link("s", port).set("bridge", "br");
    }
    scene.link("a", "pa").set("mac", MAC);
    let mode = match scene.turn_of(12) {
        0 | 1 => "bridge",
        2 | 3 => "vepa",
        4 | 5 => "private",
        6 | 7 => "source",
        _ => "passthru",
    };
    if mode == "private" || scene.percent(60) {
        scene.link("s", "pb").set("hairpin", true);
    }
    scene.address("a", "pa", "10.0.1.1/24");
    scene.address("b", "pb", "10.0.1.4/24");
    let lower = format!("\"{}:pb\"", scene.name("b"));
    let uppers = [("c", "10.0.1.2/24"), ("d", "10.0.1.3/24")];
    for (n, (space, address)) in uppers.into_iter().enumerate() {
        if n > 0 && mode == "passthru" {
            continue;
        }
        let other = if n > 0 && scene.percent(25) { "bridge" } else { mode };
        let link = scene.link(space, "m0");
        link.set("kind", "macvlan");
        link.set("lower", &lower);
        link.set("mode", other);
        if other == "source" {
            link.set("sources", format!("[{MAC}]"));
        }
        scene.address(space, "m0", address);
        scene.serves(space);
    }
    // What they say to each other, most modes are about.
    let shots: &[(&str, &str)] = match mode {
        "passthru" | "source" => &[("a", "10.0.1.2"), ("c", "10.0.1.1"), ("c", "10.0.1.4")],
        _ => &[("c", "10.0.1.3"), ("d", "10.0.1.2"), ("c", "10.0.1.3"), ("d", "10.0.1.2")],
    };
    for (from, to) in shots {
        scene.send(from, to);
    }
    scene.send("b", "10.0.1.2");
    scene.send("a", "10.0.1.3");
}

/// Vxlans that find each other by a group, or whose outer packets are of IPv6.
pub(super) fn vxlans_elsewhere(scene: &mut Scene<'_>) {
    scene.link("r", "br").set("kind", "bridge");
    let (group, six) = scene.in_turn(&[(true, false), (false, true), (true, true)]);
    let near = |n: usize| match six {
        true => format!("fd00:7::{n}"),
        false => format!("10.0.1.{n}"),
    };
    let all = if six { "ff05::42" } else { "239.1.1.1" };
    let mtu = scene.one(&[1400, 1400, 1280]);
    for (n, (space, port)) in [("a", "e1"), ("b", "e2"), ("c", "e3")].into_iter().enumerate() {
        let n = n + 2;
        scene.pair(space, "r", port);
        scene.link("r", port).set("bridge", "br");
        scene.address(space, port, &format!("{}/{}", near(n), if six { 64 } else { 24 }));
        if six {
            scene.sysctl(space, "net.ipv6.conf.all.disable_ipv6", 0);
            scene.sysctl(space, "net.ipv6.conf.default.disable_ipv6", 0);
        }
        let remote = if group { all.to_owned() } else { near(if n == 2 { 3 } else { 2 }) };
        let link = scene.link(space, "vx");
        link.set("kind", "vxlan");
        link.set("vni", 42);
        link.set("mtu", mtu);
        link.set("remote", format!("\"{remote}\""));
        if group {
            link.set("dev", port);
        }
        scene.address(space, "vx", &format!("10.9.1.{n}/24"));
        scene.serves(space);
    }
    let extras: [(&str, usize, &[&str]); 3] = [
        ("ttl", 40, &["1", "2", "9"]),
        ("tos", 40, &["1", "16"]),
        ("vxlan_learning", 30, &["false"]),
    ];
    vxlan_options(scene, &extras);
    scene.send("a", "10.9.1.3");
    scene.send("b", "10.9.1.2");
    scene.send("c", "10.9.1.2");
    scene.send("a", "10.9.1.255");
    scene.send("b", "10.9.1.9");
}

/// Each of these options now and then, on one of two vxlans: how often of 100, and with which values.
fn vxlan_options(scene: &mut Scene<'_>, all: &[(&str, usize, &[&str])]) {
    for (key, share, values) in all {
        let space = scene.one(&["a", "b"]);
        if scene.percent(*share) {
            let value = scene.one(values);
            scene.link(space, "vx").set(key, value);
        }
    }
}

/// A vxlan between two that reach each other by a router.
pub(super) fn vxlans(scene: &mut Scene<'_>) {
    scene.line();
    scene.address("a", "e1", "10.0.1.3/24");
    for (space, own) in [("a", "10.9.1.1/24"), ("b", "10.9.1.2/24")] {
        let link = scene.link(space, "vx");
        link.set("kind", "vxlan");
        link.set("vni", 42);
        link.set("mtu", 1400);
        scene.address(space, "vx", own);
    }
    scene.link("b", "vx").set("mac", MAC);
    let local = scene.percent(50);
    if local {
        scene.link("a", "vx").set("local", "10.0.1.3");
    }
    let remote = if local { "10.0.1.3" } else { "10.0.1.2" };
    match scene.random.below(6) {
        0..4 => {}
        4 => scene.link("b", "vx").set("remotes", format!("[\"default {remote}\"]")),
        _ => scene.link("b", "vx").set("remote", remote),
    }
    match scene.random.below(3) {
        0 => {
            let all = format!("[\"default 10.0.2.2\", {:?}]", "02:5e:00:00:00:0a 10.0.2.2");
            scene.link("a", "vx").set("remotes", all);
        }
        _ => scene.link("a", "vx").set("remote", "10.0.2.2"),
    }
    let extras: [(&str, usize, &[&str]); 4] = [
        ("ttl", 50, &["1", "2", "9"]),
        ("tos", 70, &["1", "16"]),
        ("df", 60, &["set", "inherit"]),
        ("vxlan_learning", 50, &["false"]),
    ];
    vxlan_options(scene, &extras);
    scene.send("a", "10.9.1.2");
    scene.send("b", "10.9.1.1");
    scene.send("a", "10.9.1.2").tos(16);
    scene.send("b", "10.9.1.9");
}
