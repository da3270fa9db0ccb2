//! Where rules of iptables decide.

use super::Scene;
use crate::packet::Carries;

/// What holds of every packet from 10.0.1.2 to 10.0.2.2 that the router sees: some of each kind.
const TRUE: &[&[&str]] = &[
    &["-m addrtype --src-type UNICAST", "-m addrtype --dst-type UNICAST"],
    &["-m conntrack --ctstate NEW", "-m conntrack --ctdir ORIGINAL", "-m state --state NEW"],
    &["-m conntrack --ctorigsrc 10.0.1.0/24", "-m conntrack ! --ctstate INVALID,RELATED"],
    &["-m comment --comment x -s 10.0.1.2", "-d 10.0.2.0/25", "-i e1 -s 10.0.0.0/16"],
    &["-m mac --mac-source 02:00:00:00:00:0a"],
    &["-m iprange --src-range 10.0.1.2-10.0.1.9", "-m iprange ! --dst-range 10.0.3.0-10.0.4.0"],
    &["-m statistic --mode random --probability 1", "-m statistic --mode nth --every 1 --packet 0"],
    &["-m length --length 40:1500", "-m length ! --length 0:20"],
    &["-m dscp --dscp 4", "-m tos --tos 0x10/0x1c", "-m tos ! --tos 0x20/0x20"],
    &["-m ttl --ttl-gt 1", "-m ttl ! --ttl-eq 77", "-m ttl --ttl-lt 65"],
    &["-m pkttype --pkt-type unicast", "-m pkttype ! --pkt-type broadcast"],
    &[
        "-m mark --mark 0",
        "-m mark ! --mark 7/7",
        "-m connmark --mark 0",
        "-m connmark ! --mark 6/6",
    ],
    &["-m limit --limit 1000/sec --limit-burst 1000"],
    &[
        "-m hashlimit --hashlimit-upto 1000/sec --hashlimit-burst 1000 --hashlimit-mode srcip \
         --hashlimit-name x",
        "-m recent --set --name seen",
    ],
];

/// What holds of the packets of one protocol.
const OF_UDP: &[&str] = &[
    "-p udp -m multiport --dports 7,9",
    "-p udp --dport 7:9 -m multiport --sports 20000:20100",
    "-p udp --dport 7:53 -m multiport ! --dports 80",
];
const OF_TCP: &[&str] = &[
    "-p tcp --syn -m multiport --ports 80:81,443",
    "-p tcp --tcp-flags SYN,ACK SYN -m multiport --dports 80",
];
const OF_ICMP: &[&str] = &["-p icmp --icmp-type echo-request", "-p icmp -m icmp --icmp-type 8/0"];

/// Only what a rule accepts for several reasons goes on.
pub(super) fn accepted(scene: &mut Scene<'_>) {
    scene.way();
    scene.link("a", "e1").set("mac", "\"02:00:00:00:00:0a\"");
    let (own, carries) = match scene.random.below(5) {
        0 | 1 => (scene.one(OF_UDP), Carries::Udp(0, 7)),
        2 | 3 => (scene.one(OF_TCP), Carries::Tcp(0, 80)),
        _ => (scene.one(OF_ICMP), Carries::Icmp(0)),
    };
    let first = scene.turn_of(TRUE.len());
    let step = scene.one(&[1, 3, 5, 9, 11, 13]);
    let kinds: Vec<&str> =
        (0..10).map(|n| scene.one(TRUE[(first + n * step) % TRUE.len()])).collect();
    let (space, chain) =
        scene.one(&[("r", "FORWARD"), ("r", "FORWARD"), ("r", "FORWARD"), ("b", "INPUT")]);
    // Where it comes in, the router has had it already.
    let holds = |kind: &&&str| space == "r" || !kind.contains("mac") && !kind.contains("-i e1");
    let kinds: Vec<&str> = kinds.iter().filter(holds).copied().collect();
    let rule = format!("{own} {} -j ACCEPT", kinds.join(" "));
    scene.space(space).rule("filter", chain, rule, false);
    let established = "-m conntrack --ctstate ESTABLISHED -j ACCEPT".to_owned();
    scene.space(space).rule("filter", chain, established, false);
    scene.space(space).policy(chain);
    for _ in 0..3 {
        scene.send("a", "10.0.2.2").carries(carries).tos(16).ttl(64);
    }
    scene.send("a", "10.0.2.2").carries(carries).ttl(64);
    scene.send("b", "10.0.1.2");
}

/// Rules that translate, and a packet that they are about.
type Translation = (&'static [(&'static str, &'static str)], &'static str, Option<Carries>);

const UDP9: Option<Carries> = Some(Carries::Udp(0, 9));
const TCP81: Option<Carries> = Some(Carries::Tcp(0, 81));
const TRANSLATIONS: [Translation; 11] = [
    (
        &[("PREROUTING", "-d 10.0.1.1 -p udp --dport 9 -j DNAT --to-destination 10.0.2.2:7")],
        "10.0.1.1",
        UDP9,
    ),
    (&[("PREROUTING", "-p udp --dport 9 -j REDIRECT --to-ports 7")], "10.0.2.2", UDP9),
    (&[("PREROUTING", "-p tcp -j REDIRECT --to-ports 80")], "10.0.2.2", TCP81),
    (&[("PREROUTING", "-i e1 -p udp -j REDIRECT --to-ports 7")], "10.0.2.2", UDP9),
    (&[("POSTROUTING", "-s 10.0.1.0/24 -j SNAT --to-source 10.0.2.1")], "10.0.2.2", None),
    (
        &[("PREROUTING", "-s 10.0.1.0/24 -d 10.0.5.0/30 -j NETMAP --to 10.0.2.0/30")],
        "10.0.5.2",
        None,
    ),
    (&[("POSTROUTING", "! -o e1 -j SNAT --to-source 10.0.2.1")], "10.0.2.2", None),
    (&[("PREROUTING", "-i e1 -d 10.0.5.0/24 -j NETMAP --to 10.0.2.0/24")], "10.0.5.2", None),
    (&[("PREROUTING", "-d 10.0.5.0/24 -j NETMAP --to 10.0.2.0/24")], "10.0.5.2", None),
    (&[("POSTROUTING", "-s 10.0.1.0/30 -j NETMAP --to 10.0.2.8/30")], "10.0.2.2", None),
    (
        &[
            ("PREROUTING", "-d 10.0.1.1 -j DNAT --to-destination 10.0.2.2"),
            ("POSTROUTING", "-m conntrack --ctstate DNAT -j MASQUERADE"),
        ],
        "10.0.1.1",
        None,
    ),
];

/// Addresses and ports are translated, on the way and at its end.
pub(super) fn translated(scene: &mut Scene<'_>) {
    scene.way();
    let (rules, to, carries) = scene.in_turn(&TRANSLATIONS);
    for (chain, rule) in rules {
        scene.space("r").rule("nat", chain, (*rule).to_owned(), false);
    }
    if rules.iter().all(|(chain, _)| *chain == "PREROUTING") && scene.percent(50) {
        let snat = "-s 10.0.1.2 -o e2 -j SNAT --to-source 10.0.2.1".to_owned();
        scene.space("r").rule("nat", "POSTROUTING", snat, false);
    }
    if scene.percent(50) {
        scene.serves("r");
    }
    for _ in 0..4 {
        let shot = scene.send("a", to);
        carries.map(|carries| shot.carries(carries));
    }
    scene.send("a", "10.0.1.1");
}

/// What alters a packet on its way, and how it is known from others behind.
const ALTERED: [(&str, &str); 14] = [
    ("-j TTL --ttl-set 2", ""),
    ("-j TTL --ttl-dec 1", ""),
    ("-j TTL --ttl-inc 13", "-m ttl --ttl-gt 64"),
    ("-j TOS --set-tos 0x08", "-m tos --tos 0x08"),
    ("-j DSCP --set-dscp 8", "-m dscp --dscp-class CS1"),
    ("-j TOS --or-tos 0x10", ""),
    ("-j MARK --set-mark 9", "-m mark --mark 9"),
    ("-p udp -j MARK --or-mark 4", "-m mark --mark 4/4"),
    ("-j CONNMARK --set-mark 6", "-m connmark --mark 6"),
    ("-j CONNMARK --set-mark 6/7", "-m connmark ! --mark 0/2"),
    ("-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 500", "-p tcp -m length --length 44"),
    ("-j NFLOG --nflog-group 5", ""),
    ("-j TTL --ttl-set 30", ""),
    ("-j TTL --ttl-inc 2", "-m ttl --ttl-gt 64"),
];

/// A packet is altered on its way, at times twice, and asked for that behind.
pub(super) fn altered(scene: &mut Scene<'_>) {
    scene.way();
    let first = scene.in_turn(&ALTERED);
    let marks = first.0.contains("MARK");
    let second = if marks { scene.one(&ALTERED[3..5]) } else { scene.one(&ALTERED[6..10]) };
    let mut asked = String::new();
    let count = if scene.percent(60) { 2 } else { 1 };
    for (rule, asks) in [first, second].into_iter().take(count) {
        let chain = scene.one(&["PREROUTING", "FORWARD", "FORWARD"]);
        let chain = if rule.contains("TCPMSS") { "FORWARD" } else { chain };
        let rule = if chain == "PREROUTING" { format!("-i e1 {rule}") } else { rule.to_owned() };
        scene.iptables("r", "mangle", chain, rule);
        asked = format!("{asked}{asks} ");
    }
    if !asked.trim().is_empty() && scene.percent(75) {
        let verdict =
            scene.one(&["DROP", "DROP", "REJECT", "REJECT --reject-with icmp-net-prohibited"]);
        scene.iptables("r", "filter", "FORWARD", format!("{asked}-j {verdict}"));
    }
    scene.send("a", "10.0.2.2").carries(Carries::Udp(0, 7)).ttl(64);
    scene.send("a", "10.0.2.2").carries(Carries::Tcp(0, 80));
    scene.send("a", "10.0.2.2").carries(Carries::Icmp(0)).ttl(64);
    scene.send("b", "10.0.1.2");
}

/// How large segments may be is made less, by a number or by the path.
pub(super) fn limited(scene: &mut Scene<'_>) {
    scene.line();
    scene.serves("a");
    let path = "--clamp-mss-to-pmtu";
    let limit = scene.in_turn(&["--set-mss 500", path, "--set-mss 1200", path]);
    let chain = scene.one(&["FORWARD", "FORWARD", "POSTROUTING"]);
    let out = scene.one(&["", "-o e1 ", "-o e2 "]);
    let rule = format!("{out}-p tcp --tcp-flags SYN,RST SYN -j TCPMSS {limit}");
    scene.iptables("r", "mangle", chain, rule);
    if limit == path {
        let (link, end) = scene.one(&[("e1", "a"), ("e2", "b")]);
        let mtu = scene.one(&[1300, 1400]);
        scene.link("r", link).set("mtu", mtu);
        scene.link(end, link).set("mtu", mtu);
    }
    for (from, to) in [("a", "10.0.2.2"), ("b", "10.0.1.2"), ("a", "10.0.2.2")] {
        scene.send(from, to).carries(Carries::Tcp(0, 80)).ttl(64);
    }
}

/// A mark that comes with a packet, is kept with its connection, and comes back with the answer.
pub(super) fn marked(scene: &mut Scene<'_>) {
    scene.way();
    scene.iptables("a", "mangle", "OUTPUT", "-m mark ! --mark 0 -j CONNMARK --save-mark");
    scene.iptables("a", "mangle", "PREROUTING", "-j CONNMARK --restore-mark");
    let verdict = scene.one(&["DROP", "ACCEPT", "REJECT"]);
    scene.iptables("a", "filter", "INPUT", format!("-m mark --mark 1 -j {verdict}"));
    if scene.percent(50) {
        scene.space("a").policy("INPUT");
    }
    scene.send("a", "10.0.2.2").mark(1);
    scene.send("a", "10.0.2.2").mark(2);
    scene.send("a", "10.0.1.1").mark(1).carries(Carries::Icmp(0));
    scene.send("a", "10.0.2.2");
}

/// What is not tracked, or apart from others.
pub(super) fn tracked(scene: &mut Scene<'_>) {
    scene.way();
    match scene.turn_of(4) {
        3 => return from_the_middle(scene),
        0 => {
            let rule = scene.one(&["-j CT --notrack", "-j NOTRACK", "-p udp -j CT --notrack"]);
            scene.iptables("r", "raw", "PREROUTING", rule);
            let asks = "-m conntrack --ctstate UNTRACKED -j DROP";
            scene.iptables("r", "filter", "FORWARD", asks);
        }
        1 => {
            scene.iptables("r", "raw", "PREROUTING", "-i e1 -j CT --notrack");
            scene.iptables("r", "nat", "POSTROUTING", "-o e2 -j MASQUERADE");
        }
        _ => {
            let zone = scene.one(&["--zone 5", "--zone 7"]);
            scene.iptables("r", "raw", "PREROUTING", format!("-i e1 -j CT {zone}"));
            let asks = "-m conntrack --ctstate ESTABLISHED -j DROP";
            scene.iptables("r", "filter", "FORWARD", asks);
        }
    }
    shots(scene);
}

/// Segments of connections whose beginning nobody saw.
fn from_the_middle(scene: &mut Scene<'_>) {
    const ACK: u8 = 16;
    const PSH: u8 = 8;
    scene.sysctl("r", "net.netfilter.nf_conntrack_tcp_loose", 0);
    let asks = scene.one(&["INVALID -j DROP", "NEW -j REJECT", "INVALID -j REJECT"]);
    scene.iptables("r", "filter", "FORWARD", format!("-m conntrack --ctstate {asks}"));
    for flags in [ACK, ACK | PSH, kernel::probe::SYN, ACK] {
        scene.send("a", "10.0.2.2").carries(Carries::Tcp(0, 80)).flags(flags);
    }
}

fn shots(scene: &mut Scene<'_>) {
    scene.send("a", "10.0.2.2").carries(Carries::Udp(0, 7));
    scene.send("a", "10.0.2.2").carries(Carries::Icmp(0));
    scene.send("a", "10.0.2.2");
    scene.send("b", "10.0.1.2");
    scene.send("a", "10.0.2.2").carries(Carries::Udp(0, 9));
}

/// Whose socket sends.
pub(super) fn owned(scene: &mut Scene<'_>) {
    scene.way();
    let who =
        scene.in_turn(&["--uid-owner 0", "--socket-exists", "--gid-owner 0-5", "--uid-owner 7"]);
    let (not, verdict) = scene.one(&[("", "DROP"), ("! ", "DROP"), ("", "REJECT")]);
    let space = scene.one(&["a", "a", "b"]);
    scene.iptables(space, "filter", "OUTPUT", format!("-m owner {not}{who} -j {verdict}"));
    shots(scene);
}

/// What is counted, and what is remembered.
pub(super) fn counted(scene: &mut Scene<'_>) {
    scene.way();
    let rule = scene.one(&[
        "-m hashlimit --hashlimit-upto 1000/sec --hashlimit-burst 1000 --hashlimit-mode dstip \
         --hashlimit-name y -j DROP",
        "-m hashlimit --hashlimit-upto 1000/sec --hashlimit-burst 1000 --hashlimit-mode srcip \
         --hashlimit-name z -j REJECT",
        "-m limit --limit 1000/sec --limit-burst 1000 -j DROP",
        "-m recent --set --name seen -j DROP",
        "-m recent --set --name heard -j REJECT",
    ]);
    scene.iptables("r", "filter", "FORWARD", rule);
    shots(scene);
}

/// What goes against a flow that was seen before, and what would begin one of its own.
pub(super) fn known(scene: &mut Scene<'_>) {
    scene.way();
    let established = "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT".to_owned();
    scene.space("r").rule("filter", "FORWARD", established, false);
    scene.iptables("r", "filter", "FORWARD", "-i e1 -m conntrack --ctstate NEW -j ACCEPT");
    scene.space("r").policy("FORWARD");
    let hidden = scene.percent(50);
    if hidden {
        scene.iptables("r", "nat", "POSTROUTING", "-o e2 -j MASQUERADE");
    }
    let back = if hidden { "10.0.2.1" } else { "10.0.1.2" };
    scene.send("a", "10.0.2.2").carries(Carries::Udp(3000, 9));
    scene.send("b", back).carries(Carries::Udp(9, 3000));
    scene.send("a", "10.0.2.2").carries(Carries::Udp(3000, 9));
    scene.send("b", back).carries(Carries::Udp(9, 3000)).ttl(64);
    scene.send("b", back).carries(Carries::Udp(9, 3001));
}
