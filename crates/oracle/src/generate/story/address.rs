//! Whose an address is.

use super::Scene;

/// A second address of a network.
pub(super) fn secondary(scene: &mut Scene<'_>) {
    scene.line();
    let length = scene.one(&[24, 24, 25]);
    scene.address("b", "e2", &format!("10.0.2.3/{length}"));
    scene.address("b", "e2", "10.0.2.4/24");
    scene.address("r", "e2", "10.0.2.5/24");
    scene.send("a", "10.0.2.4");
    scene.send("a", "10.0.2.5");
    scene.send("b", "10.0.1.2").src("10.0.2.4");
    scene.send("a", "10.0.2.3");
    scene.send("b", "10.0.2.5");
}

/// One address, two who have it.
pub(super) fn twice(scene: &mut Scene<'_>) {
    scene.link("r", "br").set("kind", "bridge");
    for (space, link, address) in
        [("a", "p1", "10.0.1.2/24"), ("b", "p2", "10.0.1.3/24"), ("c", "p3", "10.0.1.3/24")]
    {
        scene.pair(space, "r", link);
        scene.link("r", link).set("bridge", "br");
        scene.address(space, link, address);
        scene.serves(space);
    }
    scene.address("r", "br", "10.0.1.1/24");
    scene.send("a", "10.0.1.3");
    scene.send("b", "10.0.1.2");
    scene.send("a", "10.0.1.3");
    scene.send("c", "10.0.1.2");
    scene.send("r", "10.0.1.3");
}

/// A neighbour that is not asked for: the right one, another, or nobody.
pub(super) fn known_for_good(scene: &mut Scene<'_>) {
    scene.line();
    let own = "02:00:00:00:02:02";
    scene.link("b", "e2").set("mac", format!("{own:?}"));
    scene.link("a", "e1").set("mac", "\"02:00:00:00:01:02\"");
    let (space, entries) = match scene.random.below(4) {
        // 10.0.2.9 is nobody's, but b forwards, and leads back.
        0 => ("r", vec![("10.0.2.9", "e2", own)]),
        1 => ("r", vec![("10.0.2.2", "e2", "02:00:00:00:99:99"), ("10.0.2.9", "e2", own)]),
        2 => ("a", vec![("10.0.1.1", "e1", "02:00:00:00:99:99")]),
        _ => ("b", vec![("10.0.2.1", "e2", "02:00:00:00:99:99")]),
    };
    for (ip, dev, mac) in entries {
        scene.space(space).list("neighbours", format!("ip: {ip}, dev: {dev}, mac: {mac:?}"));
    }
    if scene.percent(50) {
        scene.sysctl("b", "net.ipv4.ip_forward", 1);
    }
    scene.send("a", "10.0.2.9");
    scene.send("a", "10.0.2.2");
    scene.send("b", "10.0.1.2");
}
