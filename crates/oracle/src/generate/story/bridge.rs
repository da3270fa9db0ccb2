//! Where a bridge decides, or how neighbours ask and answer.

use super::Scene;
use crate::generate::ipv6::WITHOUT_IPV6;
use crate::packet::Carries;

/// `a` (10.0.1.2), `b` (10.0.1.3) and `c` (10.0.1.4) at a bridge of `r`, which is 10.0.1.1 itself.
fn switch(scene: &mut Scene<'_>) {
    scene.link("r", "br").set("kind", "bridge");
    for (n, (space, port)) in [("a", "e1"), ("b", "e2"), ("c", "e3")].into_iter().enumerate() {
        scene.pair(space, "r", port);
        scene.link("r", port).set("bridge", "br");
        scene.link(space, port).set("mac", format!("\"02:00:00:00:00:0{}\"", n + 2));
        scene.address(space, port, &format!("10.0.1.{}/24", n + 2));
    }
    scene.address("r", "br", "10.0.1.1/24");
    scene.serves("b");
}

/// What a port or a bridge may be told.
pub(super) fn flags(scene: &mut Scene<'_>) {
    switch(scene);
    let told = scene.turn_of(13);
    tell(scene, told);
    // What takes a link down leaves nothing to see of another, and little is known by broadcasts alone.
    if !matches!(told, 3 | 4 | 12) && scene.percent(60) {
        let also = (told + scene.random.between(1, 8)) % 9;
        tell(scene, also);
    }
    // Somebody who is asked for, or whose packets are not taken; and others.
    let (a, b, c, r) = ("10.0.1.2", "10.0.1.3", "10.0.1.4", "10.0.1.1");
    let shots = match told {
        3 | 4 => [("a", b), ("c", b), ("r", b), ("c", a), ("b", a)],
        5 | 9 => [("a", b), ("a", r), ("c", a), ("a", c), ("r", b)],
        _ => [("a", b), ("b", a), ("c", b), ("a", b), ("r", b)],
    };
    shots.iter().for_each(|(from, to)| _ = scene.send(from, to));
}

fn tell(scene: &mut Scene<'_>, what: usize) {
    match what {
        0 => {
            let other = scene.one(&["e2", "e2", "e3"]);
            scene.link("r", "e1").set("isolated", true);
            scene.link("r", other).set("isolated", true);
        }
        1 => scene.link("r", "e2").set("learning", false),
        2 | 11 => {
            scene.link("r", "e2").set("learning", false);
            let port = scene.one(&["e2", "e3"]);
            scene.link("r", port).set("flood", false);
        }
        3 | 4 => {
            let port = scene.one(&["e1", "e2", "e2"]);
            scene.link("r", port).set("bcast_flood", false);
        }
        5 | 9 => {
            scene.link("r", "e1").set("locked", true);
            if scene.percent(15) {
                scene.space("r").list("fdb", "mac: \"02:00:00:00:00:02\", dev: e1");
            }
        }
        6 => {
            let port = scene.one(&["e1", "e3", "e3"]);
            scene.space("r").list("fdb", format!("mac: \"02:00:00:00:00:03\", dev: {port}"));
        }
        7 | 10 => scene.link("r", "br").set("ageing_time", 0),
        8 => {
            let port = scene.one(&["e1", "e2"]);
            let state = scene.one(&["disabled", "listening", "learning"]);
            scene.link("r", port).set("state", state);
        }
        _ => {
            let (space, port) = scene.one(&[("b", "e2"), ("r", "e2"), ("r", "e1")]);
            scene.link(space, port).set("up", false);
        }
    }
}

/// Who answers for somebody that does not answer for itself.
pub(super) fn answers_for(scene: &mut Scene<'_>) {
    switch(scene);
    scene.sysctl("b", "net/ipv4/conf/e2/arp_ignore", 8);
    let (port, flag) =
        scene.in_turn(&[("e2", "neigh_suppress"), ("e2", "proxy_arp_wifi"), ("e1", "proxy_arp")]);
    scene.link("r", port).set(flag, true);
    if flag == "proxy_arp" {
        scene.link("r", "e3").set(flag, true);
    }
    scene.space("r").list("fdb", "mac: \"02:00:00:00:00:03\", dev: e2");
    // Of these, 10.0.1.7 and 10.0.1.8 are nobody's, and answered for all the same.
    for ip in ["10.0.1.3", "10.0.1.5", "10.0.1.7", "10.0.1.8"] {
        if ip == "10.0.1.5" {
            scene.address("b", "e2", &format!("{ip}/24"));
        }
        let known = format!("ip: {ip}, dev: br, mac: \"02:00:00:00:00:03\"");
        scene.space("r").list("neighbours", known);
    }
    for (from, to) in [
        ("a", "10.0.1.3"),
        ("c", "10.0.1.7"),
        ("a", "10.0.1.8"),
        ("c", "10.0.1.5"),
        ("a", "10.0.1.7"),
    ] {
        scene.send(from, to);
    }
}

/// Broadcasts and multicasts, and who answers them.
pub(super) fn for_many(scene: &mut Scene<'_>) {
    switch(scene);
    for space in ["r", "b", "c"] {
        let ignored = u8::from(scene.percent(35));
        scene.sysctl(space, "net.ipv4.icmp_echo_ignore_broadcasts", ignored);
    }
    match scene.turn_of(5) {
        0 => scene.link("r", "e1").set("hairpin", true),
        1 | 3 => scene.link("r", "e3").set("bcast_flood", false),
        2 => scene.link("r", "br").set("snooping", false),
        _ => {}
    }
    for _ in 0..5 {
        let from = scene.one(&["a", "a", "b", "r"]);
        let to = scene.one(&["10.0.1.255", "10.0.1.255", "224.0.0.1"]);
        let carries = scene.one(&[Carries::Icmp(0), Carries::Icmp(0), Carries::Udp(0, 7)]);
        if to.starts_with("224") {
            let link = match from {
                "a" => "e1",
                "b" => "e2",
                _ => "br",
            };
            let line = format!("to: 224.0.0.0/4, dev: {link}");
            let space = scene.space(from);
            if !space.lists.iter().any(|(_, l)| *l == line) {
                space.list("routes", line);
            }
        }
        scene.send(from, to).carries(carries);
    }
}

/// A bridge asks who wants a group, and sends its packets to those alone.
pub(super) fn groups(scene: &mut Scene<'_>) {
    const GROUP: &str = "239.1.1.1";
    switch(scene);
    let br = scene.link("r", "br");
    br.set("query_response_interval", 0);
    if scene.percent(90) {
        scene.link("r", "br").set("querier", true);
    }
    if scene.percent(75) {
        scene.link("r", "e3").set("mcast_router", 2);
    }
    let wanting = scene.one(&[&["e2"][..], &["e2"], &["e3"], &["e2", "br"], &["br"], &[]]);
    for dev in wanting {
        scene.space("r").list("mdb", format!("group: {GROUP}, dev: {dev}"));
    }
    for (space, link) in [("a", "e1"), ("b", "e2"), ("r", "br")] {
        scene.route(space, format!("to: 224.0.0.0/4, dev: {link}"));
    }
    for from in ["a", "a", "b", "r"] {
        let carries = scene.one(&[Carries::Icmp(0), Carries::Udp(0, 7), Carries::Udp(0, 9)]);
        scene.send(from, GROUP).carries(carries).ttl(64);
    }
    scene.send("a", "224.0.0.106").carries(Carries::Udp(0, 7)).ttl(64);
}

/// Neighbours at addresses that a bridge keeps for itself, unless it is told to pass them on.
pub(super) fn reserved(scene: &mut Scene<'_>) {
    switch(scene);
    const MASK: u32 = 1 << 3 | 1 << 14;
    match scene.turn_of(5) {
        0 | 1 => scene.link("r", "br").set("group_fwd_mask", MASK),
        2 | 3 => scene.link("r", "e1").set("group_fwd_mask", MASK),
        _ => {}
    }
    for (ip, last) in [("10.0.1.3", "03"), ("10.0.1.4", "0e"), ("10.0.1.1", "0e")] {
        let known = format!("ip: {ip}, dev: e1, mac: \"01:80:c2:00:00:{last}\"");
        scene.space("a").list("neighbours", known);
    }
    for (from, to) in [("a", "10.0.1.3"), ("a", "10.0.1.4"), ("c", "10.0.1.2"), ("a", "10.0.1.1")] {
        scene.send(from, to);
    }
}

/// Who has sent nothing yet but what is for a reserved address is known by that, or not.
pub(super) fn learns_from_few(scene: &mut Scene<'_>) {
    switch(scene);
    // Else its own reports of IPv6 would have told.
    scene.sysctl("a", WITHOUT_IPV6.0, WITHOUT_IPV6.1);
    scene.link("r", "br").set("no_linklocal_learn", true);
    let known = "ip: 10.0.1.2, dev: br, mac: \"02:00:00:00:00:02\"";
    scene.space("r").list("neighbours", known);
    let known = "ip: 10.0.1.1, dev: e1, mac: \"01:80:c2:00:00:0e\"";
    scene.space("a").list("neighbours", known);
    for carries in [Carries::Icmp(0), Carries::Udp(0, 9), Carries::Icmp(0), Carries::Udp(0, 7)] {
        scene.send("a", "10.0.1.1").carries(carries);
    }
    scene.send("c", "10.0.1.2");
}

/// A bridge that may learn few addresses: what it does not know it floods.
pub(super) fn learns_little(scene: &mut Scene<'_>) {
    switch(scene);
    let most = scene.one(&[1, 1, 2, 3]);
    scene.link("r", "br").set("fdb_max_learned", most);
    if scene.percent(30) {
        let (port, mac) = scene.one(&[("e1", "02"), ("e2", "03"), ("e3", "04")]);
        scene.space("r").list("fdb", format!("mac: \"02:00:00:00:00:{mac}\", dev: {port}"));
    }
    for (from, to) in [("a", "10.0.1.3"), ("c", "10.0.1.2"), ("r", "10.0.1.3"), ("b", "10.0.1.4")] {
        scene.send(from, to);
    }
}

/// `b` has two links to the bridge, of which one has lost its carrier.
pub(super) fn stands_in(scene: &mut Scene<'_>) {
    switch(scene);
    scene.pair("b", "r", "e4");
    scene.link("r", "e4").set("bridge", "br");
    scene.link("r", "e2").set("backup_port", "e4");
    for (n, link) in ["e2", "e4"].into_iter().enumerate() {
        let mac = format!("\"02:00:00:00:00:1{n}\"");
        scene.link("b", link).set("mac", mac.clone());
        scene.space("r").list("fdb", format!("mac: {mac}, dev: e2"));
        for (space, dev) in [("a", "e1"), ("c", "e3"), ("r", "br")] {
            let known = format!("ip: 10.0.1.{}, dev: {dev}, mac: {mac}", n + 3 + 5 * n);
            scene.space(space).list("neighbours", known);
        }
    }
    scene.address("b", "e4", "10.0.1.9/24");
    let down = scene.one(&["b", "b", "r"]);
    scene.link(down, "e2").set("up", false);
    if scene.percent(30) {
        let flag = scene.one(&["isolated", "hairpin"]);
        scene.link("r", "e4").set(flag, true);
        scene.link("r", "e1").set(flag, true);
    }
    for (from, to) in [("a", "10.0.1.9"), ("c", "10.0.1.9"), ("r", "10.0.1.9"), ("a", "10.0.1.3")] {
        scene.send(from, to);
    }
}

/// What passes a bridge is seen by the rules for what is routed.
pub(super) fn filters(scene: &mut Scene<'_>) {
    switch(scene);
    match scene.percent(50) {
        true => scene.link("r", "br").set("nf_call_iptables", true),
        false => scene.sysctl("r", "net.bridge.bridge-nf-call-iptables", 1),
    }
    let (table, chain, rule) = scene.one(&[
        ("filter", "FORWARD", "-m physdev --physdev-in e1 -j DROP"),
        ("filter", "FORWARD", "-m physdev --physdev-out e2 -j DROP"),
        ("filter", "FORWARD", "-m physdev --physdev-is-bridged -p udp -j DROP"),
        ("filter", "FORWARD", "-m physdev --physdev-in e1 --physdev-out e2 -j REJECT"),
        ("filter", "FORWARD", "-i br -o br -j DROP"),
        ("filter", "FORWARD", "-s 10.0.1.2 -j REJECT"),
    ]);
    scene.iptables("r", table, chain, rule);
    scene.send("a", "10.0.1.3");
    scene.send("b", "10.0.1.2");
    scene.send("a", "10.0.1.3").carries(Carries::Udp(0, 7));
    scene.send("a", "10.0.1.4").carries(Carries::Udp(0, 9));
    scene.send("r", "10.0.1.3");
}

/// `a` takes what is behind `r` for its neighbour; `b` is one more, and three.
fn near(scene: &mut Scene<'_>) -> [&'static str; 4] {
    scene.line();
    scene.link("a", "e1").addresses.clear();
    scene.address("a", "e1", "10.0.1.2/16");
    scene.space("a").lists.clear();
    let behind = ["10.0.2.2", "10.0.2.3", "10.0.2.4", "10.0.2.5"];
    for ip in &behind[1..] {
        scene.address("b", "e2", &format!("{ip}/24"));
    }
    behind
}

/// `a` asks for who is behind `r`, or for what `r` has there.
pub(super) fn asks(scene: &mut Scene<'_>) {
    let mut to = near(scene);
    match scene.turn_of(5) {
        0 | 1 => {
            to = ["10.0.2.1", "10.0.2.11", "10.0.2.12", "10.0.2.13"];
            for ip in &to[1..] {
                scene.address("r", "e2", &format!("{ip}/24"));
            }
            let (link, ignore) = scene.one(&[("all", 1), ("e1", 1), ("e1", 2), ("e1", 8)]);
            scene.sysctl("r", &format!("net/ipv4/conf/{link}/arp_ignore"), ignore);
        }
        _ => {
            let link = scene.one(&["e1", "e1", "all"]);
            scene.sysctl("r", &format!("net/ipv4/conf/{link}/proxy_arp"), 1);
        }
    }
    to.iter().for_each(|to| _ = scene.send("a", to));
    scene.send("b", "10.0.1.2");
}

/// `r` answers for some behind it.
pub(super) fn answered(scene: &mut Scene<'_>) {
    let to = near(scene);
    for ip in to {
        scene.space("r").list("neighbours", format!("ip: {ip}, dev: e1, proxy: true"));
    }
    to.iter().for_each(|to| _ = scene.send("a", to));
    scene.send("b", "10.0.1.2");
}

/// Who is answered by which link, and as whom one asks.
pub(super) fn asks_as(scene: &mut Scene<'_>) {
    scene.line();
    scene.address("a", "lo", "10.9.2.1/32");
    let announces = scene.percent(63);
    match announces {
        false => {
            // An answer would go out by another link than the question came in.
            scene.route("r", "to: 10.0.1.2, via: 10.0.2.2");
            let link = scene.one(&["e1", "all"]);
            scene.sysctl("r", &format!("net/ipv4/conf/{link}/arp_filter"), 1);
        }
        true => {
            scene.sysctl("r", "net.ipv4.conf.all.rp_filter", 1);
            let (link, level) = scene.one(&[("e1", 1), ("e1", 2), ("all", 2)]);
            scene.sysctl("a", &format!("net/ipv4/conf/{link}/arp_announce"), level);
            ["10.0.1.11/24", "10.0.1.12/24"].iter().for_each(|ip| scene.address("r", "e1", ip));
        }
    }
    if announces {
        // Each asks for another.
        for to in ["10.0.1.11", "10.0.2.2", "10.0.1.12", "10.0.1.7"] {
            scene.send("a", to).src("10.9.2.1");
        }
    } else {
        scene.send("a", "10.0.2.2");
        scene.send("a", "10.0.1.1");
        scene.send("a", "10.0.2.2");
    }
    scene.send("b", "10.0.1.2");
}

/// Guests that may not speak with each other do so by the router.
pub(super) fn private(scene: &mut Scene<'_>) {
    switch(scene);
    scene.link("r", "e1").set("isolated", true);
    scene.link("r", "e2").set("isolated", true);
    scene.sysctl("r", "net.ipv4.ip_forward", 1);
    scene.sysctl("r", "net/ipv4/conf/br/proxy_arp_pvlan", 1);
    // Each asks for somebody else.
    ["10.0.1.13/24", "10.0.1.23/24"].iter().for_each(|ip| scene.address("b", "e2", ip));
    scene.address("a", "e1", "10.0.1.12/24");
    for (from, to) in [
        ("a", "10.0.1.3"),
        ("a", "10.0.1.13"),
        ("a", "10.0.1.4"),
        ("b", "10.0.1.12"),
        ("a", "10.0.1.23"),
    ] {
        scene.send(from, to);
    }
}
