//! Bonds.

use super::Scene;

/// Modes, each with what else is said of such a bond.
const MODES: &[(&str, &[&str])] = &[
    ("active-backup", &["", "active", "primary", "all", "follow", "own"]),
    ("balance-xor", &["layer2", "layer2+3", "layer3+4", "vlan+srcmac", "layer3+4"]),
    ("broadcast", &[""]),
    ("balance-rr", &[""]),
    ("balance-tlb", &["", "all", "layer3+4"]),
];

/// A bond of two or three ports, whose other ends are a bond, ports of a bridge, or somebody's each.
pub(super) fn bonds(scene: &mut Scene<'_>) {
    let shape = scene.in_turn(&["bond", "bridge", "apart", "port", "tagged"]);
    let number = scene.one(&[2, 2, 3]);
    let ports = &["p1", "p2", "p3"][..number];
    let (mode, said) = mode(scene, shape);
    bond(scene, "a", ports, (mode, said));
    match shape {
        "bond" | "tagged" => opposite(scene, ports, (mode, said), shape == "tagged"),
        "bridge" => switched(scene, ports),
        "port" => as_port(scene, ports),
        _ => apart(scene, ports),
    }
    if scene.percent(20) {
        // The kernel refuses to choose what cannot send.
        let chosen = matches!(said, "active" | "own");
        let port = if chosen { "p1" } else { scene.one(&["p1", "p2"]) };
        let space = scene.one(&["a", "b"]);
        let space = if shape == "apart" { "a" } else { space };
        scene.link(space, port).set("up", false);
    }
}

/// A bridge would take back what one port has sent by another: what takes turns has no place there.
fn mode(scene: &mut Scene<'_>, shape: &str) -> (&'static str, &'static str) {
    let modes = match shape {
        "bridge" | "port" => &MODES[..2],
        "bond" | "tagged" => &MODES[..4],
        _ => MODES,
    };
    let (mode, options) = scene.one(modes);
    (mode, scene.one(options))
}

fn bond(scene: &mut Scene<'_>, space: &str, ports: &[&str], (mode, said): (&str, &str)) {
    let link = scene.link(space, "o");
    link.set("kind", "bond");
    link.set("mode", mode);
    match said {
        "" => {}
        "active" => link.set("active_slave", "p2"),
        "primary" => link.set("primary", "p2"),
        "all" => link.set("all_slaves_active", true),
        "follow" => link.set("fail_over_mac", "follow"),
        "own" => {
            link.set("fail_over_mac", "active");
            link.set("active_slave", "p2");
        }
        policy => link.set("xmit_hash_policy", policy),
    }
    if mode == "balance-tlb" && said.starts_with("layer") {
        link.set("tlb_dynamic_lb", false);
    }
    for port in ports {
        scene.link(space, port).set("bond", "o");
    }
}

/// The other ends are a bond, too; what is beyond it is reached by it.
fn opposite(scene: &mut Scene<'_>, ports: &[&str], of: (&str, &str), tagged: bool) {
    for port in ports {
        scene.pair("a", "b", port);
    }
    let of =
        if of.0 == "active-backup" && scene.percent(50) { ("balance-xor", "layer2") } else { of };
    bond(scene, "b", ports, of);
    let link = if tagged { "v" } else { "o" };
    for (space, end) in [("a", 1), ("b", 2)] {
        if tagged {
            let vlan = scene.link(space, "v");
            vlan.set("kind", "vlan");
            vlan.set("lower", "o");
            vlan.set("id", 10);
        }
        scene.address(space, link, &format!("10.0.1.{end}/24"));
    }
    beyond(scene);
    scene.route("a", "to: 10.0.2.0/24, via: 10.0.1.2");
}

/// The other ends are ports of a bridge.
fn switched(scene: &mut Scene<'_>, ports: &[&str]) {
    scene.link("b", "br").set("kind", "bridge");
    for port in ports {
        scene.pair("a", "b", port);
        scene.link("b", port).set("bridge", "br");
    }
    scene.address("a", "o", "10.0.1.1/24");
    scene.address("b", "br", "10.0.1.2/24");
    beyond(scene);
    scene.route("a", "to: 10.0.2.0/24, via: 10.0.1.2");
}

/// The bond is a port of a bridge, and so is somebody else; its other ends are a bond.
fn as_port(scene: &mut Scene<'_>, ports: &[&str]) {
    scene.link("a", "br").set("kind", "bridge");
    scene.link("a", "o").set("bridge", "br");
    for port in ports {
        scene.pair("a", "b", port);
    }
    bond(scene, "b", ports, ("balance-xor", "layer2"));
    scene.pair("a", "d", "e");
    scene.link("a", "e").set("bridge", "br");
    scene.address("a", "br", "10.0.1.1/24");
    scene.address("b", "o", "10.0.1.2/24");
    scene.address("d", "e", "10.0.1.3/24");
    scene.route("d", "to: 10.0.2.0/24, via: 10.0.1.2");
    beyond(scene);
    scene.send("d", "10.0.1.2");
    scene.send("d", "10.0.2.2");
}

/// Each of the other ends is somebody else's: who answers tells which port was taken.
fn apart(scene: &mut Scene<'_>, ports: &[&str]) {
    for (n, port) in ports.iter().enumerate() {
        let space = ["b", "c", "d"][n];
        scene.pair("a", space, port);
        scene.address(space, port, &format!("10.0.1.{}/24", n + 2));
        scene.serves(space);
    }
    scene.address("a", "o", "10.0.1.1/24");
    scene.serves("a");
    for end in 2..=ports.len() + 1 {
        scene.send("a", &format!("10.0.1.{end}"));
    }
    scene.send("b", "10.0.1.1");
    scene.send("c", "10.0.1.1");
}

/// Somebody behind `b`.
fn beyond(scene: &mut Scene<'_>) {
    scene.pair("b", "c", "e2");
    scene.address("b", "e2", "10.0.2.1/24");
    scene.address("c", "e2", "10.0.2.2/24");
    scene.route("c", "to: default, via: 10.0.2.1");
    scene.sysctl("b", "net.ipv4.ip_forward", 1);
    for space in ["a", "b", "c"] {
        scene.serves(space);
    }
    scene.send("a", "10.0.1.2");
    scene.send("a", "10.0.2.2");
    scene.send("c", "10.0.1.1");
    scene.send("b", "10.0.1.1");
}
