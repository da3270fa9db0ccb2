//! Where rules of iptables-legacy decide, alone and beside those of nftables.

use super::Scene;
use crate::packet::Carries;

const RAW: &str = "legacy raw";
const MANGLE: &str = "legacy mangle";
const NAT: &str = "legacy nat";
const FILTER: &str = "legacy filter";

/// What holds of a packet from 10.0.1.2 wherever it goes, by what it carries.
const ASKS: [(&str, Carries); 6] = [
    ("-p udp --dport 7:9", Carries::Udp(0, 7)),
    ("-p udp -m multiport --dports 7,53", Carries::Udp(0, 7)),
    ("-p tcp --syn", Carries::Tcp(0, 80)),
    ("-p tcp --tcp-flags SYN,ACK SYN -m tcp ! --dport 81", Carries::Tcp(0, 80)),
    ("-s 10.0.1.0/24 ! -p tcp", Carries::Icmp(0)),
    ("-m addrtype --src-type UNICAST -p icmp", Carries::Icmp(0)),
];

/// What else holds of it where a mark is first set, where it is sent or on its way: some of each kind.
const HOLDS: [&str; 6] = [
    "-m tos --tos 0x10/0x1c",
    "-m dscp --dscp 4",
    "-m hashlimit --hashlimit-upto 1000/sec --hashlimit-burst 1000 --hashlimit-mode srcip \
     --hashlimit-name x",
    "-m length --length 40:1500",
    "-m statistic --mode nth --every 1 --packet 0",
    "-m comment --comment x",
];

/// A mark goes through all tables, each of which asks for what the one before it made of it: without
/// any of them the packet goes elsewhere, or nowhere.
pub(super) fn in_a_row(scene: &mut Scene<'_>) {
    scene.way();
    let (asks, carries) = scene.one(&ASKS);
    let (space, first, last, from) = scene.one(&[
        ("r", "PREROUTING", "FORWARD", "-i e1"),
        ("a", "OUTPUT", "OUTPUT", "-m owner --uid-owner 0"),
    ]);
    let holds = scene.one(&HOLDS);
    scene.iptables(space, RAW, first, format!("{from} {asks} {holds} -j MARK --set-mark 1"));
    // The mark of the packet, or that of its connection.
    let (mark, sets) = scene.one(&[
        ("mark", "MARK --set-mark 3"),
        ("mark", "MARK --or-mark 2"),
        ("mark", "MARK --set-xmark 2/2"),
        ("connmark", "CONNMARK --set-mark 3"),
        ("connmark", "CONNMARK --set-xmark 3/3"),
    ]);
    scene.iptables(space, MANGLE, first, format!("-m mark --mark 1/1 -j {sets}"));
    let to = scene.one(&["", "-d 10.0.5.0/24 "]);
    let nat = format!("{to}-m {mark} --mark 3 -j DNAT --to-destination 10.0.2.2");
    scene.iptables(space, NAT, first, nat);
    refuse(scene, space, last, mark);
    if scene.percent(40) {
        let source = scene.one(&["MASQUERADE", "SNAT --to-source 10.0.2.1"]);
        scene.iptables("r", NAT, "POSTROUTING", format!("-o e2 -m mark ! --mark 7 -j {source}"));
    }
    for to in ["10.0.5.2", "10.0.5.2", "10.0.5.2", "10.0.2.2"] {
        scene.send("a", to).carries(carries).ttl(64).tos(16);
    }
    scene.send("b", "10.0.1.2");
}

/// The last table lets through what is marked, by a chain of its own or not.
fn refuse(scene: &mut Scene<'_>, space: &str, chain: &'static str, mark: &str) {
    let accept = format!("-m {mark} --mark 3 -j ACCEPT");
    match scene.random.below(4) {
        0 | 1 => scene.iptables(space, FILTER, chain, accept),
        2 => {
            scene.iptables(space, FILTER, chain, "-j here");
            scene.iptables(space, FILTER, "here", format!("-m {mark} ! --mark 3 -j RETURN"));
            scene.iptables(space, FILTER, "here", "-j ACCEPT");
        }
        _ => {
            scene.iptables(space, FILTER, chain, "-p all -g here");
            scene.iptables(space, FILTER, "here", accept);
            scene.iptables(space, FILTER, "here", "-m conntrack --ctstate ESTABLISHED -j ACCEPT");
        }
    }
    let established = "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT";
    scene.iptables(space, FILTER, chain, established);
    match scene.random.below(3) {
        0 => scene.iptables(space, FILTER, chain, "-j REJECT"),
        1 => scene.iptables(space, FILTER, chain, "-m comment --comment last -j DROP"),
        _ => scene.space(space).policy_of(FILTER, chain),
    }
}

/// What is not tracked, or thrown away, before all else; what is altered on its way.
pub(super) fn alone(scene: &mut Scene<'_>) {
    scene.way();
    let (asks, carries) = scene.one(&ASKS);
    match scene.turn_of(5) {
        0 => {
            scene.iptables("r", RAW, "PREROUTING", format!("{asks} -j CT --notrack"));
            let rule = "-m conntrack --ctstate UNTRACKED -j DROP";
            scene.iptables("r", FILTER, "FORWARD", rule);
        }
        1 => {
            let (space, chain) =
                scene.one(&[("r", "PREROUTING"), ("b", "PREROUTING"), ("a", "OUTPUT")]);
            scene.iptables(space, RAW, chain, format!("{asks} -j DROP"));
        }
        2 => {
            let alters = scene.one(&["TTL --ttl-set 2", "TOS --set-tos 0x08", "DSCP --set-dscp 8"]);
            let chain = scene.one(&["PREROUTING", "FORWARD", "POSTROUTING"]);
            scene.iptables("r", MANGLE, chain, format!("{asks} -j {alters}"));
        }
        3 => {
            // Marked on its way out, and routed anew.
            scene.iptables("a", MANGLE, "OUTPUT", format!("{asks} -j MARK --set-mark 9"));
            let kind = scene.one(&["prohibit", "unreachable", "blackhole"]);
            scene.rule("a", format!("pref: 50, fwmark: 9, type: {kind}"));
        }
        _ => {
            let chain = scene.one(&["FORWARD", "FORWARD", "INPUT"]);
            let space = if chain == "INPUT" { "b" } else { "r" };
            let refuses =
                scene.one(&["DROP", "REJECT", "REJECT --reject-with icmp-admin-prohibited"]);
            scene.iptables(space, FILTER, chain, format!("{asks} -j {refuses}"));
        }
    }
    for _ in 0..4 {
        scene.send("a", "10.0.2.2").carries(carries).ttl(64);
    }
    scene.send("b", "10.0.1.2");
}

/// Beside chains of nftables of about the same priority, each would make something else of the packet.
pub(super) fn beside(scene: &mut Scene<'_>) {
    scene.way();
    let nearly = scene.one(&[-1, 0, 0, 0, 1]);
    let carries = Carries::Udp(0, 9);
    match scene.turn_of(6) {
        0 => {
            scene.iptables("r", NAT, "PREROUTING", PUBLISHED);
            other_nat(scene, "prerouting", -100 + nearly, "redirect to :7");
            scene.serves("r");
        }
        1 => {
            let base = format!("type filter hook forward priority {nearly}");
            scene.nft("r", ("inet t", "f", &base), &["meta mark set 7"]);
            scene.iptables("r", FILTER, "FORWARD", "-m mark --mark 7 -j DROP");
        }
        2 => {
            let (chain, hook) = scene.one(&[
                ("FORWARD", "forward"),
                ("PREROUTING", "prerouting"),
                ("POSTROUTING", "postrouting"),
            ]);
            scene.iptables("r", MANGLE, chain, "-p udp -j MARK --set-mark 7");
            let base = format!("type filter hook {hook} priority {}", -150 + nearly);
            scene.nft("r", ("inet t", "m", &base), &["meta mark 7 drop"]);
        }
        3 => {
            scene.iptables(
                "b",
                FILTER,
                "INPUT",
                "-p udp -j REJECT --reject-with icmp-admin-prohibited",
            );
            let base = format!("type filter hook input priority {nearly}");
            scene.nft(
                "b",
                ("ip t", "i", &base),
                &["meta l4proto udp reject with icmp net-unreachable"],
            );
        }
        4 => {
            scene.address("r", "e2", "10.0.2.9/24");
            scene.iptables("r", NAT, "POSTROUTING", "-s 10.0.1.0/24 -j SNAT --to-source 10.0.2.9");
            other_nat(scene, "postrouting", 100 + nearly, "masquerade");
        }
        _ => {
            // iptables-nft's own, of the same priority.
            scene.iptables("r", FILTER, "FORWARD", "-p udp -j MARK --set-mark 7");
            scene.iptables("r", "filter", "FORWARD", "-m mark --mark 7 -j REJECT");
        }
    }
    for to in ["10.0.1.1", "10.0.2.2", "10.0.2.2"] {
        scene.send("a", to).carries(carries).ttl(64);
    }
    scene.send("a", "10.0.2.2").carries(Carries::Udp(0, 7)).ttl(64);
    scene.send("a", "10.0.2.2");
}

const PUBLISHED: &str = "-p udp --dport 9 -j DNAT --to-destination 10.0.2.2:7";

/// A chain of type nat, or that of iptables-nft in its place.
fn other_nat(scene: &mut Scene<'_>, hook: &'static str, priority: i32, does: &str) {
    let pre = hook == "prerouting";
    if priority % 100 == 0 && scene.percent(50) {
        let (chain, does) = match pre {
            true => ("PREROUTING", "REDIRECT --to-ports 7"),
            false => ("POSTROUTING", "MASQUERADE"),
        };
        return scene.iptables("r", "nat", chain, format!("-p udp -j {does}"));
    }
    let base = format!("type nat hook {hook} priority {priority}");
    let rule = format!("meta l4proto udp {does}");
    scene.nft("r", ("inet t", "n", &base), &[&rule]);
}
