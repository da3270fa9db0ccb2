//! Where a setting decides how the kernel itself answers.

use super::Scene;
use crate::packet::Carries;

/// What decides.
#[derive(Clone, Copy)]
enum About {
    Mark,
    AcceptedMark,
    Service,
    Inbound,
    Group,
    Whole,
}

/// Two wires between `a` and `r`: what answers by the second, answers otherwise than it would.
pub(super) fn settings(scene: &mut Scene<'_>) {
    let about = scene.in_turn(&[
        About::Mark,
        About::AcceptedMark,
        About::Service,
        About::Inbound,
        About::Group,
        About::Whole,
    ]);
    for (link, subnet) in [("e1", 1), ("e2", 2)] {
        scene.pair("a", "r", link);
        scene.address("a", link, &format!("10.0.{subnet}.2/24"));
        scene.address("r", link, &format!("10.0.{subnet}.1/24"));
    }
    scene.serves("r");
    scene.sysctl("r", "net.ipv4.ip_forward", 1);
    match about {
        About::Mark | About::AcceptedMark => marked(scene, about),
        About::Service => served(scene),
        About::Inbound => refused(scene),
        About::Group => to_a_group(scene),
        About::Whole => not_asked_to_be_whole(scene),
    }
}

/// Marked packets are answered by another way.
fn marked(scene: &mut Scene<'_>, about: About) {
    let only = scene.one(&["", "", "-p icmp ", "-p tcp "]);
    let only = if matches!(about, About::Mark) { only } else { "" };
    let mark = format!("-i e1 {only}-j MARK --set-mark 7");
    scene.iptables("r", "mangle", "PREROUTING", mark);
    let way = scene.one(&[
        "to: 10.0.1.0/24, via: 10.0.2.2, table: 100",
        "to: default, via: 10.0.2.2, table: 100",
        "to: 10.0.1.2/32, type: prohibit, table: 100",
    ]);
    scene.route("r", way);
    scene.rule("r", "pref: 100, fwmark: 7, table: 100");
    let (reflects, accepts) = match about {
        About::Mark => (1, 0),
        _ => (scene.random.below(4) / 3, 1),
    };
    scene.sysctl("r", "net.ipv4.fwmark_reflect", reflects);
    scene.sysctl("r", "net.ipv6.fwmark_reflect", reflects);
    scene.sysctl("r", "net.ipv4.tcp_fwmark_accept", accepts);
    if let About::AcceptedMark = about {
        (0..4).for_each(|_| _ = scene.send("a", "10.0.1.1").carries(Carries::Tcp(0, 80)));
        return;
    }
    if scene.percent(30) {
        let reject = scene.one(&["-p udp -j REJECT", "-p tcp -j REJECT --reject-with tcp-reset"]);
        scene.iptables("r", "filter", "INPUT", reject);
    }
    scene.send("a", "10.0.1.1").carries(Carries::Icmp(0));
    scene.send("a", "10.0.1.1").carries(Carries::Udp(0, 9));
    scene.send("a", "10.0.1.1").carries(Carries::Tcp(0, 81));
    scene.send("a", "10.9.0.1").carries(Carries::Icmp(0));
    scene.route("a", "to: 10.9.0.1, via: 10.0.1.1");
}

/// The answer to a first segment has its type of service.
fn served(scene: &mut Scene<'_>) {
    scene.sysctl("r", "net.ipv4.tcp_reflect_tos", 1);
    for tos in [0x10, 0x2c, 0x48, 0x1f] {
        scene.send("a", "10.0.1.1").carries(Carries::Tcp(0, 80)).tos(tos);
    }
}

/// A process's answers may be broken up.
fn not_asked_to_be_whole(scene: &mut Scene<'_>) {
    let how = scene.one(&[1, 2, 3]);
    scene.sysctl("r", "net.ipv4.ip_no_pmtu_disc", how);
    for carries in [Carries::Udp(0, 7), Carries::Udp(0, 7), Carries::Tcp(0, 80), Carries::Udp(0, 7)]
    {
        scene.send("a", "10.0.1.1").carries(carries);
    }
}

/// Errors come from the link that the packet came in by, though they leave by the other.
fn refused(scene: &mut Scene<'_>) {
    scene.sysctl("r", "net.ipv4.icmp_errors_use_inbound_ifaddr", 1);
    scene.address("a", "lo", "10.9.1.1/32");
    let back = scene.one(&[
        "to: 10.9.1.1, via: 10.0.2.2",
        "to: 10.9.1.1, via: 10.0.1.2, src: 10.0.2.1",
        "to: default, via: 10.0.2.2",
    ]);
    scene.route("r", back);
    scene.route("a", "to: default, via: 10.0.1.1");
    let kind = scene.one(&["unreachable", "prohibit"]);
    scene.route("r", format!("to: 10.9.0.0/24, type: {kind}"));
    if scene.percent(50) {
        scene.iptables("r", "filter", "FORWARD", "-j REJECT");
    }
    for to in ["10.9.0.1", "10.9.2.1", "10.9.0.1"] {
        scene.send("a", to).src("10.9.1.1");
    }
    scene.send("a", "10.9.2.1").src("10.9.1.1").ttl(1);
}

/// An address of one host, in frames to a group.
fn to_a_group(scene: &mut Scene<'_>) {
    let mac = scene.one(&["01:00:5e:00:00:05", "ff:ff:ff:ff:ff:ff"]);
    let known = format!("ip: 10.0.1.1, dev: e1, mac: {mac:?}");
    scene.space("a").list("neighbours", known);
    match scene.percent(50) {
        true => scene.sysctl("r", "net.ipv4.conf.all.drop_unicast_in_l2_multicast", 1),
        false => scene.sysctl("r", "net/ipv4/conf/e1/drop_unicast_in_l2_multicast", 1),
    }
    scene.route("a", "to: 10.0.2.1, via: 10.0.1.1");
    (0..4).for_each(|_| _ = scene.send("a", "10.0.1.1").carries(Carries::Icmp(0)));
    scene.send("a", "10.0.2.1").carries(Carries::Icmp(0));
}
