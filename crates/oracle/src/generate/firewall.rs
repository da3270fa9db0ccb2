//! Rules of iptables: filters, published ports, masquerading, marks.

use std::net::Ipv4Addr;

use super::Plan;
use crate::network::Chain;
use crate::random::Random;

pub(super) fn firewall(plan: &mut Plan, random: &mut Random) {
    // Half of the networks have none at all, so that the rest of the kernel is seen by itself.
    if random.percent(50) {
        return;
    }
    for space in 0..plan.network.spaces.len() {
        let routes = plan.ends_of(space).len() > 1;
        if routes && random.percent(45) {
            nat(plan, space, random);
        }
        if random.percent(35) {
            filter(plan, space, random);
        }
        if random.percent(15) {
            mangle(plan, space, random);
        }
    }
}

fn nat(plan: &mut Plan, space: usize, random: &mut Random) {
    let mut prerouting = Vec::new();
    let mut postrouting = Vec::new();
    let mut output = Vec::new();
    for _ in 0..random.between(0, 2) {
        let target = target(plan, random);
        let rule = match random.below(5) {
            0 => format!("-d {} -j DNAT --to-destination {target}", host(plan, random)),
            1 => format!("-p tcp --dport {} -j REDIRECT --to-ports 80", random.one(&[81, 443])),
            2 => format!(
                "-p udp --dport {} -j DNAT --to-destination {target}:7",
                random.one(&[9, 53])
            ),
            3 => format!("-p udp --dport 9 -j REDIRECT --to-ports {}", random.one(&[7, 53])),
            _ => format!(
                "-p tcp --dport {} -j DNAT --to-destination {target}:80",
                random.one(&[81, 443])
            ),
        };
        if random.percent(30) { output.push(rule) } else { prerouting.push(rule) }
    }
    for _ in 0..random.between(0, 2) {
        let out = link(plan, space, random);
        let subnet = random.between(1, plan.segments.len());
        let own: Vec<Ipv4Addr> =
            plan.owned().into_iter().filter(|(s, _)| *s == space).map(|(_, ip)| ip).collect();
        let rule = match (random.below(5), random.pick(&own)) {
            (0, _) => format!("-s 10.0.{subnet}.0/24 ! -o {out} -j MASQUERADE"),
            (1, _) => format!("-o {out} -j MASQUERADE"),
            (2, Some(own)) => format!("-o {out} -j SNAT --to-source {own}"),
            (3, Some(own)) => format!("-d {} -j SNAT --to-source {own}", host(plan, random)),
            _ => format!("-s 10.0.{subnet}.0/24 -j MASQUERADE"),
        };
        postrouting.push(rule);
    }
    let chains = [("PREROUTING", prerouting), ("OUTPUT", output), ("POSTROUTING", postrouting)];
    put(plan, space, "nat", chains, random);
}

fn filter(plan: &mut Plan, space: usize, random: &mut Random) {
    let mut chains = Vec::new();
    for name in ["INPUT", "FORWARD", "OUTPUT"] {
        let mut rules = Vec::new();
        if random.percent(40) {
            rules.push("-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT".to_owned());
        }
        for _ in 0..random.between(0, 2) {
            let what = matching(plan, space, name, random);
            let verdict = random.one(&["ACCEPT", "ACCEPT", "DROP", "REJECT", "RETURN"]);
            rules.push(format!("{what}-j {verdict}"));
        }
        chains.push((name, rules));
    }
    put(plan, space, "filter", chains, random);
}

fn mangle(plan: &mut Plan, space: usize, random: &mut Random) {
    let mut chains = Vec::new();
    for name in ["PREROUTING", "OUTPUT"] {
        let rules = (0..random.between(0, 1)).map(|_| {
            let what = matching(plan, space, name, random);
            format!("{what}-j MARK --set-mark {}", random.one(&[1, 2, 3]))
        });
        chains.push((name, rules.collect()));
    }
    put(plan, space, "mangle", chains, random);
}

fn put(
    plan: &mut Plan,
    space: usize,
    table: &'static str,
    chains: impl IntoIterator<Item = (&'static str, Vec<String>)>,
    random: &mut Random,
) {
    for (name, rules) in chains {
        let drop = table == "filter" && random.percent(8);
        if drop || !rules.is_empty() {
            plan.network.spaces[space].chains.push(Chain { table, name, drop, rules });
        }
    }
}

/// What a rule matches, with a blank behind it.
fn matching(plan: &Plan, space: usize, chain: &str, random: &mut Random) -> String {
    let link = link(plan, space, random);
    let ip = host(plan, random);
    let not = random.one(&["", "", "", "! "]);
    match (random.below(9), chain) {
        (0, "OUTPUT") => format!("{not}-o {link} "),
        (0, _) => format!("{not}-i {link} "),
        (1, "FORWARD" | "OUTPUT") => format!("-o {link} "),
        (1 | 2, _) => format!("{not}-s {ip} "),
        (3, _) => format!("{not}-d {ip} "),
        (4, _) => format!("-p {} ", random.one(&["icmp", "tcp", "udp"])),
        (5, _) => format!("-p tcp --dport {} ", random.one(&["80", "81", "1:100"])),
        (6, _) => format!("-p udp --dport {} ", random.one(&["7", "9"])),
        (7, _) => format!("-m addrtype --{}-type LOCAL ", random.one(&["dst", "src"])),
        _ => format!("-m conntrack --ctstate {} ", random.one(&["NEW", "ESTABLISHED", "INVALID"])),
    }
}

fn link(plan: &Plan, space: usize, random: &mut Random) -> String {
    let links = &plan.network.spaces[space].links;
    random.pick(links).map_or_else(|| "lo".to_owned(), |link| link.name.clone())
}

fn host(plan: &Plan, random: &mut Random) -> Ipv4Addr {
    let all: Vec<Ipv4Addr> = plan.owned().into_iter().map(|(_, ip)| ip).collect();
    random.pick(&all).copied().unwrap_or(Ipv4Addr::new(10, 0, 1, 1))
}

/// Whom a published port leads to.
fn target(plan: &Plan, random: &mut Random) -> Ipv4Addr {
    host(plan, random)
}
