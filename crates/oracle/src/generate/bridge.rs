//! Bridges and what is set on their ports: flags, states, who else looks at what they pass.

use super::Plan;
use crate::network::Link;
use crate::random::Random;

/// Flags of a port, how often each is drawn of 100, and its rarer value.
const FLAGS: [(&str, usize, bool); 8] = [
    ("isolated", 22, true),
    ("hairpin", 25, true),
    ("learning", 14, false),
    ("flood", 14, false),
    ("bcast_flood", 7, false),
    ("neigh_suppress", 12, true),
    ("proxy_arp", 7, true),
    ("proxy_arp_wifi", 9, true),
];

/// What is drawn on the bridges of a network.
pub(super) fn bridges(plan: &mut Plan, random: &mut Random) {
    if !plan.bridging {
        return;
    }
    // A port whose other end is down has the one state that it has.
    let calm = !plan.segments.iter().flat_map(|s| &s.ends).any(|end| end.down);
    for space in &mut plan.network.spaces {
        let isolating = random.percent(40);
        for link in &mut space.links {
            if is_port(link) {
                port(link, isolating, calm, random);
            } else if is_bridge(link) {
                bridge(link, random);
            }
        }
    }
    for n in 0..plan.network.spaces.len() {
        if random.percent(20) {
            lock(plan, n, random);
        }
    }
}

/// A locked port, at times with an entry that lets in what is behind it.
fn lock(plan: &mut Plan, space: usize, random: &mut Random) {
    let ports = plan.network.spaces[space].links.iter().filter(|l| is_port(l));
    let ports: Vec<String> = ports.map(|l| l.name.clone()).collect();
    let Some(port) = random.pick(&ports).cloned() else { return };
    let here = &mut plan.network.spaces[space];
    let Some(link) = here.link(&port) else { return };
    link.set("locked", true);
    // The kernel wants a port that learns for that.
    let learns = !link.options.iter().any(|(key, value)| key == "learning" && value == "false");
    if random.percent(30) && learns {
        link.set("mab", true);
    }
    let far = format!("\"{}:{port}\"", here.name);
    let mac = format!("02:00:00:00:00:{:02x}", space + 1);
    if random.percent(60) {
        here.list("fdb", format!("mac: \"{mac}\", dev: {port}"));
    }
    let all = plan.network.spaces.iter_mut().flat_map(|s| &mut s.links);
    let guest = all.into_iter().find(|l| l.options.iter().any(|(k, v)| k == "peer" && *v == far));
    if let Some(guest) = guest {
        guest.set("mac", format!("\"{mac}\""));
    }
}

/// Whether bridged packets see the rules of their namespace.
pub(super) fn filtering(plan: &Plan, random: &mut Random) -> u8 {
    u8::from(random.percent(if plan.bridging { 60 } else { 10 }))
}

/// Rules of a bridge's namespace that its bridged packets may meet.
pub(super) fn rules(plan: &mut Plan, random: &mut Random) {
    for space in 0..plan.network.spaces.len() {
        let home = plan.network.spaces[space].links.iter().any(is_port);
        if plan.bridging && home && random.percent(45) {
            of_space(plan, space, random);
        }
    }
}

fn of_space(plan: &mut Plan, space: usize, random: &mut Random) {
    let links = &plan.network.spaces[space].links;
    let named = |is: fn(&Link) -> bool| -> Vec<String> {
        links.iter().filter(|l| is(l)).map(|l| l.name.clone()).collect()
    };
    let (ports, bridges) = (named(is_port), named(is_bridge));
    let port = random.pick(&ports).cloned().unwrap_or_default();
    let bridge = random.pick(&bridges).cloned().unwrap_or_default();
    let all: Vec<_> = plan.owned().into_iter().map(|(_, ip)| ip).collect();
    let ip = random.pick(&all).copied().unwrap_or(std::net::Ipv4Addr::new(10, 0, 1, 1));
    let verdict = random.one(&["DROP", "DROP", "REJECT", "ACCEPT"]);
    let (table, chain, rule) = match random.below(8) {
        0 => ("filter", "FORWARD", format!("-m physdev --physdev-in {port} -j {verdict}")),
        1 => ("filter", "FORWARD", format!("-m physdev --physdev-out {port} -j {verdict}")),
        2 => ("filter", "FORWARD", format!("-m physdev --physdev-is-bridged -j {verdict}")),
        3 => ("filter", "FORWARD", format!("-i {bridge} -o {bridge} -j {verdict}")),
        4 => ("nat", "PREROUTING", format!("-p udp --dport 9 -j DNAT --to-destination {ip}:7")),
        5 => ("nat", "PREROUTING", format!("-p tcp --dport 81 -j DNAT --to-destination {ip}:80")),
        6 => ("nat", "PREROUTING", "-p udp --dport 9 -j REDIRECT --to-ports 7".to_owned()),
        _ => ("filter", "FORWARD", "-m conntrack --ctstate NEW -j ACCEPT".to_owned()),
    };
    plan.network.spaces[space].rule(table, chain, rule, random.percent(50));
    if table == "nat" && random.percent(50) {
        let rule = format!("-o {bridge} -j MASQUERADE");
        plan.network.spaces[space].rule("nat", "POSTROUTING", rule, false);
    }
    if random.percent(25) {
        plan.network.spaces[space].policy("FORWARD");
    }
}

fn is_port(link: &Link) -> bool {
    link.options.iter().any(|(key, _)| key == "bridge")
}

fn is_bridge(link: &Link) -> bool {
    link.options.iter().any(|(key, value)| key == "kind" && value == "bridge")
}

fn port(link: &mut Link, isolating: bool, calm: bool, random: &mut Random) {
    for (flag, chance, value) in FLAGS {
        let chance = if flag == "isolated" && isolating { 70 } else { chance };
        // Two that send back to each other never end: of two bridges, only one port may.
        let forbidden = flag == "hairpin" && link.name.starts_with('u');
        if random.percent(chance) && !forbidden {
            link.set(flag, value);
        }
    }
    if calm && random.percent(6) {
        link.set("state", random.one(&["disabled", "listening", "learning"]));
    }
}

fn bridge(link: &mut Link, random: &mut Random) {
    if random.percent(15) {
        link.set("nf_call_iptables", true);
    }
    if random.percent(10) {
        link.set("ageing_time", 0);
    }
}
