//! Where a setting decides.

use super::Scene;
use crate::packet::Carries;

/// A source that the receiver has, too.
pub(super) fn accepts_its_own(scene: &mut Scene<'_>) {
    scene.line();
    for space in ["a", "r", "b"] {
        scene.address(space, "lo", "10.9.9.9/32");
    }
    let (space, link) = scene.one(&[("b", "e2"), ("r", "e1"), ("r", "e1")]);
    let key = match scene.percent(30) {
        true => "net.ipv4.conf.all.accept_local".to_owned(),
        false => format!("net/ipv4/conf/{link}/accept_local"),
    };
    scene.sysctl(space, &key, 1);
    let rp = scene.one(&[0, 0, 0, 2]);
    scene.sysctl("r", "net.ipv4.conf.all.rp_filter", rp);
    scene.sysctl("b", "net.ipv4.conf.all.rp_filter", 0);
    // What `r` does not accept, never comes to `b`.
    let others: &[(&str, &str)] = match space {
        "b" => &[("r", "10.0.2.2")],
        _ => &[("a", "10.0.1.1"), ("a", "10.0.2.2"), ("a", "10.0.1.1"), ("r", "10.0.2.2")],
    };
    for (from, to) in others {
        scene.send(from, to).src("10.9.9.9");
    }
}

/// A port is led to a loopback address.
pub(super) fn loopback_from_outside(scene: &mut Scene<'_>) {
    scene.line();
    scene.serves("r");
    let to = scene.one(&["127.0.0.1", "127.0.0.1", "127.0.5.5"]);
    let rule = scene.one(&["-p udp --dport 53", "-p tcp --dport 81", "-d 10.0.1.1"]);
    scene.iptables("r", "nat", "PREROUTING", format!("{rule} -j DNAT --to-destination {to}"));
    if scene.percent(80) {
        scene.sysctl("r", "net/ipv4/conf/e1/route_localnet", 1);
    }
    scene.send("a", "10.0.1.1").carries(Carries::Udp(0, 53));
    scene.send("a", "10.0.1.1").carries(Carries::Tcp(0, 81));
    scene.send("a", "10.0.1.1").carries(Carries::Icmp(0));
    scene.send("a", "10.0.1.1").carries(Carries::Udp(0, 7));
}

/// A published port of the loopback, without a proxy process.
pub(super) fn loopback_published(scene: &mut Scene<'_>) {
    scene.line();
    scene.iptables("r", "nat", "OUTPUT", "-p udp --dport 53 -j DNAT --to-destination 10.0.2.2:7");
    if scene.percent(80) {
        scene.iptables("r", "nat", "POSTROUTING", "-o e2 -j MASQUERADE");
    }
    match scene.random.below(5) {
        0 => {}
        1 => scene.sysctl("r", "net.ipv4.conf.all.route_localnet", 1),
        _ => scene.sysctl("r", "net/ipv4/conf/e2/route_localnet", 1),
    }
    scene.send("r", "127.0.0.1").carries(Carries::Udp(0, 53));
    scene.send("r", "127.0.0.1").carries(Carries::Udp(0, 53)).ttl(64);
    scene.send("r", "10.0.1.1").carries(Carries::Udp(0, 53));
}

/// The way back to a source is right only for those that carry a mark.
pub(super) fn marked_way_back(scene: &mut Scene<'_>) {
    scene.line();
    scene.address("a", "lo", "10.9.2.1/32");
    scene.route("r", "to: 10.9.2.0/24, via: 10.0.2.2");
    scene.route("r", "to: 10.9.2.0/24, via: 10.0.1.2, table: 100");
    scene.rule("r", "pref: 100, fwmark: 1, table: 100");
    scene.iptables("r", "mangle", "PREROUTING", "-i e1 -j MARK --set-mark 1");
    scene.sysctl("r", "net/ipv4/conf/e1/rp_filter", 1);
    match scene.random.below(5) {
        0 => {}
        1 => scene.sysctl("r", "net.ipv4.conf.all.src_valid_mark", 1),
        _ => scene.sysctl("r", "net/ipv4/conf/e1/src_valid_mark", 1),
    }
    scene.send("a", "10.0.2.2").src("10.9.2.1");
    scene.send("a", "10.0.1.1").src("10.9.2.1");
    scene.send("a", "10.0.2.2");
}

/// Somebody is answered by another link than his packets come by.
pub(super) fn reverse_path(scene: &mut Scene<'_>) {
    scene.fork();
    scene.address("a", "lo", "10.9.2.1/32");
    scene.route("a", "to: default, via: 10.0.2.1");
    let (all, own) = scene.one(&[(1, 0), (0, 1), (2, 0), (0, 2), (1, 2), (0, 0)]);
    scene.sysctl("b", "net.ipv4.conf.all.rp_filter", all);
    scene.sysctl("b", "net/ipv4/conf/e4/rp_filter", own);
    scene.send("a", "10.9.0.1").src("10.9.2.1");
    scene.send("a", "10.0.4.2").src("10.9.2.1");
    scene.send("a", "10.9.0.1");
}

/// Nobody answers an echo.
pub(super) fn silent(scene: &mut Scene<'_>) {
    scene.line();
    let (space, own, other) =
        scene.one(&[("r", "10.0.1.1", "10.0.2.2"), ("b", "10.0.2.2", "10.0.1.1")]);
    scene.sysctl(space, "net.ipv4.icmp_echo_ignore_all", 1);
    for to in [own, own, other, own] {
        scene.send("a", to).carries(Carries::Icmp(0));
    }
    scene.send("a", own).carries(Carries::Udp(0, 7));
}

/// A router, or who is asked, that tells nobody of errors (Linux 6.10 and later).
pub(super) fn tells_nobody(scene: &mut Scene<'_>) {
    scene.line();
    let (space, own) = scene.one(&[("r", "10.0.1.1"), ("r", "10.0.1.1"), ("b", "10.0.2.2")]);
    scene.sysctl(space, "net.ipv4.icmp_msgs_per_sec", 0);
    scene.sysctl(space, "net.ipv4.icmp_ratelimit", 0);
    let mask = scene.one(&[6168, 6168, 6169, 2048, 8]);
    scene.sysctl(space, "net.ipv4.icmp_ratemask", mask);
    scene.link("r", "e2").set("mtu", 1280);
    scene.link("b", "e2").set("mtu", 1280);
    for port in [9, 11] {
        scene.send("a", own).carries(Carries::Udp(0, port)).ttl(64);
    }
    if space == "r" {
        scene.send("a", "10.0.2.2").ttl(1);
        scene.send("a", "10.0.2.2").size(1400, true).carries(Carries::Icmp(0)).ttl(64);
    } else {
        scene.send("r", own).carries(Carries::Udp(0, 9)).ttl(64);
        scene.send("a", own).carries(Carries::Udp(0, 13)).ttl(64);
    }
    scene.send("a", own).carries(Carries::Icmp(0)).ttl(64);
}

/// Answers that do not live long enough.
pub(super) fn short_lived(scene: &mut Scene<'_>) {
    scene.line();
    let ttl = scene.one(&[1, 1, 2, 30]);
    scene.sysctl("b", "net.ipv4.ip_default_ttl", ttl);
    let router = scene.one(&[1, 64, 200]);
    scene.sysctl("r", "net.ipv4.ip_default_ttl", router);
    scene.send("a", "10.0.2.2").ttl(64);
    scene.send("a", "10.0.2.9").ttl(64);
    scene.send("a", "10.0.2.2").ttl(1);
}

/// A link that takes less than the others.
pub(super) fn small(scene: &mut Scene<'_>) {
    scene.line();
    let mtu = scene.one(&[600, 1000, 1280, 1280]);
    let ends: &[(&str, &str)] = scene.one(&[
        &[("r", "e2"), ("b", "e2")][..],
        &[("r", "e2")],
        &[("a", "e1")],
        &[("b", "e2")],
    ]);
    for (space, link) in ends {
        scene.link(space, link).set("mtu", mtu);
    }
    for len in [1400, 1400, 1200] {
        let carries = scene.one(&[Carries::Icmp(0), Carries::Udp(0, 7), Carries::Udp(0, 9)]);
        scene.send("a", "10.0.2.2").size(len, true).carries(carries).ttl(64);
    }
    scene.send("b", "10.0.1.2").size(1400, true).carries(Carries::Icmp(0));
}

/// A router that sends packets out where they came in, and tells their senders so.
pub(super) fn turned_back(scene: &mut Scene<'_>) {
    scene.link("s", "br").set("kind", "bridge");
    for (space, address) in [("a", "10.0.1.2/24"), ("r", "10.0.1.1/24"), ("c", "10.0.1.3/24")] {
        let port = format!("p{space}");
        let near = scene.link("s", &port);
        near.set("kind", "veth");
        near.set("bridge", "br");
        let peer = format!("\"{}:e1\"", scene.name(space));
        scene.link("s", &port).set("peer", peer);
        scene.address(space, "e1", address);
    }
    // Another subnet on the same wires.
    scene.address("r", "e1", "10.0.4.1/24");
    scene.address("c", "e1", "10.0.4.3/24");
    scene.address("c", "lo", "10.9.0.1/32");
    scene.address("c", "lo", "10.9.0.2/32");
    scene.route("r", "to: 10.9.0.1/32, via: 10.0.1.3");
    scene.route("r", "to: 10.9.0.2/32, via: 10.0.4.3");
    scene.route("a", "to: default, via: 10.0.1.1");
    scene.route("c", "to: default, via: 10.0.1.1");
    scene.sysctl("r", "net.ipv4.ip_forward", 1);
    scene.serves("c");
    let key = scene.one(&["net.ipv4.conf.all.send_redirects", "net/ipv4/conf/e1/send_redirects"]);
    if scene.percent(85) {
        scene.sysctl("r", key, 1);
    }
    if scene.percent(90) {
        scene.sysctl("r", "net.ipv4.conf.all.shared_media", 0);
        scene.sysctl("r", "net/ipv4/conf/e1/shared_media", scene.turn_of(5) / 4);
    }
    let rp = scene.one(&[0, 0, 1, 2]);
    scene.sysctl("r", "net.ipv4.conf.all.rp_filter", rp);
    match scene.random.below(8) {
        0 => scene.iptables("r", "nat", "POSTROUTING", "-o e1 -j MASQUERADE"),
        1 => scene.iptables("r", "filter", "OUTPUT", "-p icmp --icmp-type redirect -j DROP"),
        2 => scene.iptables("r", "filter", "OUTPUT", "-m conntrack --ctstate INVALID -j DROP"),
        3 => scene.iptables("r", "filter", "FORWARD", "-j REJECT"),
        _ => {}
    }
    // Of each sender, a router keeps how often it was told.
    let senders = ["10.0.1.2", "10.0.1.12", "10.0.1.22", "10.0.1.32"];
    for src in &senders[1..] {
        scene.address("a", "e1", &format!("{src}/24"));
    }
    let other = scene.one(&["10.0.4.3", "10.9.0.1"]);
    for (src, to) in senders.into_iter().zip(["10.9.0.2", other, "10.9.0.2", "10.9.0.2"]) {
        scene.send("a", to).src(src);
    }
    // Its source is behind a router, as seen from `r`.
    scene.send("c", "10.0.1.2").src("10.9.0.1");
}

/// A sender that heeds what routers tell it: of a nearer gateway, or of how large a packet may be.
pub(super) fn heeds(scene: &mut Scene<'_>) {
    match scene.turn_of(2) {
        0 => heeds_redirects(scene),
        _ => heeds_mtus(scene),
    }
}

fn heeds_redirects(scene: &mut Scene<'_>) {
    scene.link("r", "br").set("kind", "bridge");
    for (n, space) in [(2, "a"), (3, "c")] {
        let port = format!("p{space}");
        scene.pair(space, "r", &port);
        scene.link("r", &port).set("bridge", "br");
        scene.link(space, &port).set("mac", format!("\"02:00:00:00:00:0{n}\""));
        scene.address(space, &port, &format!("10.0.1.{n}/24"));
        scene.route(space, "to: default, via: 10.0.1.1");
    }
    scene.address("a", "pa", "10.0.1.12/24");
    scene.address("r", "br", "10.0.1.1/24");
    for ip in ["10.9.0.1/32", "10.9.0.2/32"] {
        scene.address("c", "lo", ip);
    }
    scene.route("r", "to: 10.9.0.0/24, via: 10.0.1.3");
    scene.sysctl("r", "net.ipv4.ip_forward", 1);
    scene.sysctl("r", "net.ipv4.conf.all.send_redirects", 1);
    let accepts = u8::from(scene.percent(85));
    scene.sysctl("a", "net.ipv4.conf.all.accept_redirects", accepts);
    scene.sysctl("a", "net/ipv4/conf/pa/accept_redirects", accepts);
    // Whom it does not know, it asks for at first, and takes no heed.
    if scene.percent(85) {
        let known = "ip: 10.0.1.3, dev: pa, mac: \"02:00:00:00:00:03\"";
        scene.space("a").list("neighbours", known);
    }
    scene.serves("c");
    for (src, to) in [
        ("10.0.1.2", "10.9.0.1"),
        ("10.0.1.2", "10.9.0.1"),
        ("10.0.1.12", "10.9.0.2"),
        ("10.0.1.12", "10.9.0.2"),
        ("10.0.1.2", "10.9.0.1"),
    ] {
        scene.send("a", to).src(src);
    }
}

fn heeds_mtus(scene: &mut Scene<'_>) {
    scene.line();
    scene.address("b", "lo", "10.9.0.1/32");
    let mtu = scene.one(&[600, 1000, 1280]);
    scene.route("r", format!("to: 10.9.0.0/24, via: 10.0.2.2, mtu: {mtu}"));
    if scene.percent(30) {
        scene.sysctl("a", "net.ipv4.ip_forward_use_pmtu", 1);
    }
    for df in [true, false, true, false, false] {
        let carries = scene.one(&[Carries::Icmp(0), Carries::Icmp(0), Carries::Udp(0, 7)]);
        scene.send("a", "10.9.0.1").size(1400, df).carries(carries);
    }
}
