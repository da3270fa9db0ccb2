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

/// Several addresses, of which that is spoken from that has the destination's label.
pub(super) fn labelled(scene: &mut Scene<'_>) {
    scene.line();
    scene.address("a", "e1", "10.0.1.5/24");
    scene.address("a", "e1", "10.0.1.6/24");
    scene.address("b", "lo", "10.9.0.1/32");
    scene.route("r", "to: 10.9.0.0/24, via: 10.0.2.2");
    let chosen = scene.one(&["2001:db8:1::5/128", "2001:db8:1::6/128", "2001:db8:1::6/128"]);
    let dev = scene.one(&["", "", ", dev: e1", ", dev: lo"]);
    let to = scene.one(&["2001:db8:2::/64", "2001:db8:2::2/128", "2001:db8:9::/64"]);
    for (prefix, label, dev) in [(chosen, 77, dev), (to, 77, ""), ("2001:db8:1::2/128", 78, "")] {
        let entry = format!("prefix: \"{prefix}\", label: {label}{dev}");
        scene.space("a").list("addrlabels", entry);
    }
    for to in ["10.0.2.2", "10.9.0.1", "10.0.1.1", "10.0.2.1"] {
        scene.send("a", to);
    }
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
