//! Links of kinds that not every kernel has.

use super::Scene;

/// Two that share a trunk: VLAN links on both ends of a pair, one of which routes on. Now and then one
/// has another tag than the other.
pub(super) fn vlans(scene: &mut Scene<'_>) {
    scene.pair("a", "r", "t");
    scene.address("a", "t", "10.0.1.2/24");
    scene.address("r", "t", "10.0.1.1/24");
    let other = scene.in_turn(&["20", "20", "21", "30", "ad"]);
    for (space, end) in [("a", 2), ("r", 1)] {
        vlan(scene, space, "t", "v1", "10", false);
        scene.address(space, "v1", &format!("10.1.1.{end}/24"));
        let (id, double) = match (space, other) {
            ("r", "ad") => ("20", true),
            ("r", other) => (other, false),
            _ => ("20", false),
        };
        vlan(scene, space, "t", "v2", id, double);
        scene.address(space, "v2", &format!("10.1.2.{end}/24"));
    }
    if scene.percent(25) {
        scene.link("r", "v1").set("mtu", 600);
    }
    scene.pair("r", "b", "e");
    scene.address("r", "e", "10.2.0.1/24");
    scene.address("b", "e", "10.2.0.2/24");
    scene.route("b", "to: default, via: 10.2.0.1");
    let gateway = scene.one(&["10.1.1.1", "10.1.2.1", "10.0.1.1"]);
    scene.route("a", format!("to: 10.2.0.0/24, via: {gateway}"));
    scene.sysctl("r", "net.ipv4.ip_forward", 1);
    scene.serves("b");
    for to in ["10.1.1.1", "10.1.2.1", "10.2.0.2"] {
        scene.send("a", to);
    }
    scene.send("b", "10.1.1.2").size(1400, true);
    scene.send("b", "10.1.2.2");
}

/// A bridge that tells VLANs apart: ports with and without tags, and its own host in one of them.
pub(super) fn filtering(scene: &mut Scene<'_>) {
    let br = scene.link("s", "br");
    br.set("kind", "bridge");
    br.set("vlan_filtering", true);
    let default = scene.in_turn(&[0, 1, 10]);
    scene.link("s", "br").set("default_pvid", default);
    for (space, port, end) in [("a", "pa", 1), ("b", "pb", 2), ("c", "pc", 3)] {
        scene.pair(space, "s", port);
        scene.link("s", port).set("bridge", "br");
        scene.address(space, port, &format!("10.0.1.{end}/24"));
        scene.serves(space);
        let id = scene.one(&[10, 10, 10, 20]);
        let tagged = scene.percent(20);
        if id != default {
            let how = if tagged { "" } else { ", pvid: true, untagged: true" };
            scene.space("s").list("vlans", format!("id: {id}, dev: {port}{how}"));
        }
    }
    scene.address("s", "br", "10.0.1.9/24");
    if scene.percent(60) && default != 10 {
        scene.space("s").list("vlans", "id: 10, dev: br, pvid: true, untagged: true");
    }
    // A trunk: all of both, with tags.
    scene.pair("d", "s", "pd");
    scene.link("s", "pd").set("bridge", "br");
    for (link, id) in [("v1", "10"), ("v2", "20")] {
        vlan(scene, "d", "pd", link, id, false);
        if id != default.to_string() {
            scene.space("s").list("vlans", format!("id: {id}, dev: pd"));
        }
    }
    scene.address("d", "v1", "10.0.1.4/24");
    scene.address("d", "v2", "10.0.1.5/32");
    if scene.percent(30) {
        scene.route("d", "to: 10.0.1.2/32, dev: v2");
    }
    for (from, to) in [("a", "10.0.1.2"), ("a", "10.0.1.4"), ("b", "10.0.1.9"), ("d", "10.0.1.2")] {
        scene.send(from, to);
    }
    scene.send("d", "10.0.1.3");
}

/// Two ipvlans on a link of somebody who is reached by a router.
pub(super) fn ipvlans(scene: &mut Scene<'_>) {
    scene.line();
    let mode = scene.in_turn(&["l2", "l3"]);
    let flag = scene.one(&["bridge", "bridge", "private", "vepa"]);
    let lower = format!("\"{}:e1\"", scene.name("a"));
    for (space, end) in [("c", 3), ("d", 4)] {
        let link = scene.link(space, "i0");
        link.set("kind", "ipvlan");
        link.set("lower", &lower);
        link.set("mode", mode);
        link.set("flag", flag);
        scene.serves(space);
        match mode {
            "l2" => {
                scene.address(space, "i0", &format!("10.0.1.{end}/24"));
                scene.route(space, "to: default, via: 10.0.1.1");
            }
            _ => {
                scene.address(space, "i0", &format!("10.9.0.{end}/24"));
                scene.route(space, "to: default, dev: i0");
            }
        }
    }
    scene.route("r", "to: 10.9.0.0/24, via: 10.0.1.2");
    let net = if mode == "l2" { "10.0.1" } else { "10.9.0" };
    let (c, d) = (format!("{net}.3"), format!("{net}.4"));
    scene.send("c", &d);
    scene.send("b", &c);
    scene.send("c", "10.0.2.2");
    scene.send("d", "10.0.1.1");
    scene.send("a", &c);
    scene.send("d", "10.0.1.2");
}

/// A router two of whose links are in a VRF, with and without ways between it and the rest.
pub(super) fn vrfs(scene: &mut Scene<'_>) {
    let vrf = scene.link("r", "blue");
    vrf.set("kind", "vrf");
    vrf.set("table", 10);
    for (n, (space, link)) in [("a", "e1"), ("b", "e2"), ("c", "e3")].into_iter().enumerate() {
        let net = n + 1;
        scene.pair("r", space, link);
        if n < 2 {
            scene.link("r", link).set("vrf", "blue");
        }
        scene.address("r", link, &format!("10.0.{net}.1/24"));
        scene.address(space, link, &format!("10.0.{net}.2/24"));
        scene.route(space, format!("to: default, via: 10.0.{net}.1"));
    }
    scene.serves("b");
    scene.serves("c");
    scene.sysctl("r", "net.ipv4.ip_forward", 1);
    let what =
        scene.in_turn(&["alone", "closed", "into", "both", "own", "filter", "rules", "back"]);
    match what {
        "closed" => scene.route("r", "to: default, type: unreachable, table: 10, metric: 9999"),
        "into" | "both" => {
            scene.route("r", "to: 10.0.1.0/24, dev: blue");
            if what == "both" {
                scene.route("r", "to: 10.0.3.0/24, dev: e3, table: 10");
            }
        }
        "own" => {
            scene.address("r", "blue", "10.0.9.1/32");
            scene.address("r", "blue", "127.0.0.1/8");
        }
        "filter" => {
            let value = scene.one(&[1, 2]);
            let link = scene.one(&["blue", "e1", "e2", "e1"]);
            scene.sysctl("r", &format!("net.ipv4.conf.{link}.rp_filter"), value);
            scene.address("a", "lo", "10.9.0.1/32");
            scene.send("a", "10.0.2.2").src("10.9.0.1");
        }
        "rules" => {
            let hook = scene.one(&["prerouting", "forward", "postrouting", "output"]);
            let link = scene.one(&["iifname blue", "oifname e1", "oifname blue", "iifname e1"]);
            let link = match hook {
                "prerouting" => link.replace("oifname", "iifname"),
                "output" => link.replace("iifname", "oifname"),
                _ => link.to_owned(),
            };
            let rule = format!("{link} meta l4proto {{ icmp, udp }} drop");
            scene.nft("r", ("ip t", "c", &format!("type filter hook {hook} priority 0")), &[&rule]);
        }
        "back" => {
            scene.iptables("r", "nat", "POSTROUTING", "-o e2 -j MASQUERADE");
        }
        _ => {}
    }
    for (from, to) in [
        ("a", "10.0.2.2"),
        ("a", "10.0.1.1"),
        ("b", "10.0.1.2"),
        ("c", "10.0.1.2"),
        ("a", "10.0.3.2"),
    ] {
        scene.send(from, to);
    }
    scene.send("b", "10.0.9.1");
    scene.send("r", "10.0.1.2");
}

/// What is routed to a dummy is gone; its addresses are this namespace's.
pub(super) fn dummies(scene: &mut Scene<'_>) {
    scene.line();
    scene.link("r", "d0").set("kind", "dummy");
    scene.address("r", "d0", "10.8.0.1/24");
    scene.send("a", "10.8.0.1");
    scene.send("a", "10.8.0.2");
    scene.send("r", "10.8.0.7");
    scene.send("b", "10.8.0.1");
}

fn vlan(scene: &mut Scene<'_>, space: &str, lower: &str, link: &str, id: &str, double: bool) {
    let link = scene.link(space, link);
    link.set("kind", "vlan");
    link.set("lower", lower);
    link.set("id", id);
    if double {
        link.set("protocol", "802.1ad");
    }
}
