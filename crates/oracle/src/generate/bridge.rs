//! Bridges and what is set on their ports: flags, states, who else looks at what they pass.

use super::Plan;
use crate::network::Link;
use crate::random::Random;

/// Flags of a port, how often each is drawn of 100, and its rarer value.
const FLAGS: [(&str, usize, bool); 4] =
    [("isolated", 22, true), ("hairpin", 14, true), ("learning", 8, false), ("flood", 8, false)];

/// What is drawn on the bridges of a network.
pub(super) fn bridges(plan: &mut Plan, random: &mut Random) {
    if !plan.bridging {
        return;
    }
    for space in &mut plan.network.spaces {
        let isolating = random.percent(40);
        for link in &mut space.links {
            if is_port(link) {
                port(link, isolating, random);
            } else if is_bridge(link) {
                bridge(link, random);
            }
        }
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

fn port(link: &mut Link, isolating: bool, random: &mut Random) {
    for (flag, chance, value) in FLAGS {
        let chance = if flag == "isolated" && isolating { 70 } else { chance };
        if random.percent(chance) {
            link.set(flag, value);
        }
    }
    if random.percent(6) {
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
