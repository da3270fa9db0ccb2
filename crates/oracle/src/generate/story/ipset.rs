//! Where sets of ipset decide.

use super::Scene;
use crate::network::IpSet;
use crate::packet::Carries;

/// A type with its options, the sides that a rule may name, and entries of which some are drawn. Packets
/// go from 10.0.1.2 to 10.0.2.2 by the router's links e1 and e2.
type Kind = (&'static str, &'static [&'static str], &'static [&'static str]);

const KINDS: [Kind; 12] = [
    (
        "type: \"hash:ip\"",
        &["src", "dst", "src,dst"],
        &["10.0.1.2", "10.0.2.2", "10.0.1.4/30", "10.0.2.7", "10.0.3.0-10.0.3.9"],
    ),
    ("type: \"hash:ip\", netmask: 24", &["src", "dst"], &["10.0.1.77", "10.0.2.0", "10.0.3.1"]),
    ("type: \"hash:net\"", &["src", "dst"], NETS),
    (
        "type: \"hash:net\", timeout: 600",
        &["src", "dst"],
        &["10.0.1.0/24 timeout 0", "10.0.1.2 nomatch", "10.0.2.0/24", "0.0.0.0/1 nomatch"],
    ),
    (
        "type: \"hash:ip,port\"",
        &["src,dst", "dst,dst", "dst,dst", "src,src", "dst,src", "dst"],
        &[
            "10.0.2.2,udp:7-9",
            "10.0.2.2,80",
            "10.0.2.2,icmp:echo-request",
            "10.0.1.2,icmp:echo-request",
            "10.0.1.2,icmp:echo-reply",
            "10.0.1.2,tcp:80-81",
            "10.0.1.2,udp:9",
            "10.0.2.2,esp:0",
        ],
    ),
    (
        "type: \"hash:net,port\"",
        &["src,dst", "dst,dst", "dst,dst"],
        &[
            "10.0.0.0/16,udp:7",
            "10.0.2.0/24,udp:7 nomatch",
            "10.0.2.2,udp:7-9",
            "10.0.0.0/8,tcp:80",
            "10.0.1.0/24,tcp:80 nomatch",
            "10.0.2.0/24,icmp:echo-request",
            "10.0.1.0/25,icmp:echo-request",
        ],
    ),
    (
        "type: \"hash:ip,port,ip\"",
        &["src,dst,dst", "src,dst,dst", "dst,dst,src"],
        &[
            "10.0.1.2,udp:7,10.0.2.2",
            "10.0.1.2,tcp:80,10.0.2.2",
            "10.0.1.2,icmp:echo-request,10.0.2.2",
            "10.0.2.2,udp:7-9,10.0.1.2",
            "10.0.1.2,udp:9,10.0.2.9",
        ],
    ),
    (
        "type: \"hash:ip,port,net\"",
        &["src,dst,dst"],
        &[
            "10.0.1.2,udp:7,10.0.2.0/24",
            "10.0.1.2,udp:7-9,10.0.2.2 nomatch",
            "10.0.1.2,tcp:80,10.0.0.0/16",
            "10.0.1.2,tcp:80,10.0.2.0/25 nomatch",
            "10.0.1.2,icmp:echo-request,0.0.0.0/1",
        ],
    ),
    ("type: \"hash:net,iface\"", &["src,src", "src,src", "src,dst", "dst,dst", "dst,src"], LINKS),
    (
        "type: \"bitmap:ip\", range: 10.0.0.0/22",
        &["src", "dst"],
        &["10.0.1.2", "10.0.2.0/25", "10.0.0.0/24", "10.0.3.1-10.0.3.9"],
    ),
    (
        "type: \"bitmap:ip,mac\", range: 10.0.0.0/22",
        &["src,src", "src,src", "src,dst", "dst,src"],
        &["10.0.1.2,02:00:00:00:00:0a", "10.0.1.3,02:00:00:00:00:0a", "10.0.2.2,02:00:00:00:00:0a"],
    ),
    (
        "type: \"bitmap:port\", range: 1-1024",
        &["dst", "src"],
        &["7", "9-53", "80", "100-110", "1024"],
    ),
];

/// Whose turn it is, by their places among [`KINDS`]: ports, exceptions and links oftener than what is
/// simple. Beyond them, a list.
const TURNS: [usize; 20] = [0, 1, 2, 2, 3, 4, 4, 5, 5, 5, 6, 7, 7, 8, 8, 9, 10, 11, 12, 12];

const NETS: &[&str] = &[
    "10.0.0.0/16",
    "10.0.1.0/24 nomatch",
    "10.0.1.2",
    "10.0.1.0/30 nomatch",
    "10.0.2.0/25",
    "10.0.2.2 nomatch",
    "0.0.0.0/1",
    "128.0.0.0/1",
];

const LINKS: &[&str] = &[
    "10.0.0.0/16,e1",
    "10.0.1.0/24,e2",
    "10.0.1.0/24,e1 nomatch",
    "10.0.1.2,e wildcard",
    "10.0.2.0/24,e2",
    "10.0.2.0/24,e1 nomatch",
    "0.0.0.0/0,e2",
    "10.0.2.2,e1",
];

/// Sets that decide about packets of all kinds; at times by a list of them.
pub(super) fn asked(scene: &mut Scene<'_>) {
    scene.way();
    scene.link("a", "e1").set("mac", "\"02:00:00:00:00:0a\"");
    let (name, sides) = match KINDS.get(scene.in_turn(&TURNS)) {
        Some(kind) => ("s", set(scene, "s", kind)),
        None => listed(scene),
    };
    let not = scene.one(&["", "", "! "]);
    let nomatch = if scene.percent(15) { " --return-nomatch" } else { "" };
    let asks = format!("-m set {not}--match-set {name} {sides}{nomatch}");
    let more = match scene.random.below(6) {
        0..3 => scene.one(&["", "", "-p udp ", "-i e1 "]).to_owned(),
        // Another set, which has what goes from `a` to `b`.
        3 | 4 => of_links(scene),
        _ => one_set_of(scene),
    };
    match scene.random.below(6) {
        0 => scene.iptables("r", "mangle", "PREROUTING", format!("-i e1 {asks} -j DROP")),
        1 => scene.iptables("r", "mangle", "POSTROUTING", format!("{asks} -j DROP")),
        2 => {
            scene.iptables("r", "filter", "FORWARD", format!("{more}{asks} -j ACCEPT"));
            let established = "-m conntrack --ctstate ESTABLISHED -j ACCEPT";
            scene.iptables("r", "filter", "FORWARD", established);
            scene.space("r").policy("FORWARD");
        }
        _ => {
            let verdict = scene.one(&["DROP", "REJECT"]);
            scene.iptables("r", "filter", "FORWARD", format!("{more}{asks} -j {verdict}"));
        }
    }
    scene.send("a", "10.0.2.2").carries(Carries::Udp(0, 7)).ttl(64);
    scene.send("a", "10.0.2.2").carries(Carries::Tcp(0, 80));
    scene.send("a", "10.0.2.2").carries(Carries::Icmp(0)).ttl(64);
    scene.send("a", "10.0.2.2").carries(Carries::Udp(80, 9)).ttl(64);
    scene.send("b", "10.0.1.2");
}

/// Makes a set of some of its entries, and says what may be asked of it.
fn set(scene: &mut Scene<'_>, name: &'static str, (kind, sides, entries): &Kind) -> &'static str {
    let share = scene.one(&[35, 50, 80]);
    let drawn: Vec<&str> = entries.iter().copied().filter(|_| scene.percent(share)).collect();
    let entries = if drawn.is_empty() { vec![scene.one(entries)] } else { drawn };
    let entries = entries.into_iter().map(str::to_owned).collect();
    let what = (*kind).to_owned();
    scene.space("r").ipsets.push(IpSet { name: name.to_owned(), what, entries });
    scene.one(sides)
}

/// A list of two sets, of which the second has more sides, or an exception, and one of both.
fn listed(scene: &mut Scene<'_>) -> (&'static str, &'static str) {
    let (first, second) = scene.one(&[(0, 2), (2, 3), (4, 0), (5, 2), (8, 0), (11, 2), (2, 9)]);
    let one = set(scene, "one", &KINDS[first]);
    set(scene, "two", &KINDS[second]);
    let entries = scene.one(&[&["one", "two"][..], &["two", "one"], &["two"]]);
    let entries = entries.iter().map(|name| (*name).to_owned()).collect();
    let what = "type: \"list:set\"".to_owned();
    scene.space("r").ipsets.push(IpSet { name: "all".to_owned(), what, entries });
    ("all", scene.one(&[one, "src,dst", "dst,dst", "src"]))
}

/// A set of networks by link.
fn of_links(scene: &mut Scene<'_>) -> String {
    let (side, entries) = scene.one(&[
        ("src,src", &["10.0.0.0/16,e1"][..]),
        ("dst,src", &["10.0.2.0/24,e1", "10.0.1.0/24,e1"]),
        ("src,src", &["0.0.0.0/0,e2 nomatch", "10.0.1.2,e wildcard"]),
    ]);
    asks_one(scene, "links", ("type: \"hash:net,iface\"", &[side], entries))
}

/// A list of one set.
fn one_set_of(scene: &mut Scene<'_>) -> String {
    let (side, entry) = scene.one(&[("src", "10.0.1.0/30"), ("dst", "10.0.2.0/24")]);
    asks_one(scene, "near", ("type: \"hash:net\"", &[side], &[entry]));
    asks_one(scene, "sets", ("type: \"list:set\"", &[side], &["near"]))
}

/// Makes a set of these entries, and asks for it on the first of the sides.
fn asks_one(
    scene: &mut Scene<'_>,
    name: &'static str,
    (what, sides, entries): (&str, &[&str], &[&str]),
) -> String {
    let entries = entries.iter().map(|entry| (*entry).to_owned()).collect();
    let what = what.to_owned();
    scene.space("r").ipsets.push(IpSet { name: name.to_owned(), what, entries });
    format!("-m set --match-set {name} {} ", sides.concat())
}

/// A mark that a set says for whom it holds.
pub(super) fn marks(scene: &mut Scene<'_>) {
    scene.way();
    let entries = scene.in_turn(&[
        &["10.0.0.0/16 skbmark 0x5/0xf", "10.0.1.0/24 nomatch"][..],
        &["10.0.1.0/24 skbmark 0x5/0xf"],
        &["10.0.1.2 skbmark 0x7", "10.0.1.0/24 skbmark 0x5"],
        &["10.0.2.2 skbmark 0x4/0x4", "10.0.1.2"],
    ]);
    let entries = entries.iter().map(|entry| (*entry).to_owned()).collect();
    let what = "type: \"hash:net\", skbinfo: true".to_owned();
    scene.space("r").ipsets.push(IpSet { name: "s".to_owned(), what, entries });
    let side = scene.one(&["src", "src", "dst"]);
    let rule = format!("-i e1 -j SET --map-set s {side} --map-mark");
    scene.iptables("r", "mangle", "PREROUTING", rule);
    let asks = scene.one(&["-m mark --mark 5", "-m mark --mark 4/4", "-m mark ! --mark 0"]);
    scene.iptables("r", "filter", "FORWARD", format!("{asks} -j DROP"));
    scene.send("a", "10.0.2.2").carries(Carries::Udp(0, 7));
    scene.send("a", "10.0.2.2");
    scene.send("b", "10.0.1.2");
    scene.send("a", "10.0.2.2").carries(Carries::Icmp(0)).mark(1);
}
