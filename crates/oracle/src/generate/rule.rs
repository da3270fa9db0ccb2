//! Routing rules, and tables of their own.

use std::net::Ipv4Addr;

use super::Plan;
use super::address::some_gateway;
use crate::random::Random;

/// The tables that rules name.
const TABLES: [u32; 2] = [100, 101];

pub(super) fn rules(plan: &mut Plan, random: &mut Random) {
    for space in 0..plan.network.spaces.len() {
        if random.percent(35) {
            of_space(plan, space, random);
        }
    }
}

fn of_space(plan: &mut Plan, space: usize, random: &mut Random) {
    for n in 0..random.between(1, 3) {
        let pref = 100 * (n + 1);
        let line = format!("pref: {pref}, {}", rule(plan, space, pref, random));
        plan.network.spaces[space].list("rules", line);
    }
    for table in TABLES {
        for _ in 0..random.between(0, 2) {
            if let Some(line) = route(plan, space, random) {
                plan.network.spaces[space].list("routes", format!("{line}, table: {table}"));
            }
        }
    }
}

fn rule(plan: &Plan, space: usize, pref: usize, random: &mut Random) -> String {
    let mut parts = vec![selector(plan, space, random)];
    if random.percent(20) {
        let more = selector(plan, space, random);
        let key = |part: &str| part.split(':').next().unwrap_or_default().to_owned();
        if key(&more) != key(&parts[0]) {
            parts.push(more);
        }
    }
    if random.percent(10) {
        parts.push("not: true".to_owned());
    }
    parts.push(match random.below(12) {
        0 => "type: prohibit".to_owned(),
        1 => "type: unreachable".to_owned(),
        2 => "type: blackhole".to_owned(),
        3 => format!("goto: {}", random.one(&[pref + 100, 400, 32766])),
        4 => "type: nop".to_owned(),
        5 => "table: main, suppress_prefixlength: 0".to_owned(),
        6 => "table: main, suppress_prefixlength: 24".to_owned(),
        _ => format!("table: {}", random.one(&TABLES)),
    });
    parts.join(", ")
}

fn selector(plan: &Plan, space: usize, random: &mut Random) -> String {
    let all: Vec<Ipv4Addr> = plan.owned().into_iter().map(|(_, ip)| ip).collect();
    let ip = random.pick(&all).copied().unwrap_or(Ipv4Addr::new(10, 0, 1, 1));
    let [.., subnet, _] = ip.octets();
    let net = if random.percent(50) { ip.to_string() } else { format!("10.0.{subnet}.0/24") };
    let links: Vec<&str> =
        plan.network.spaces[space].links.iter().map(|l| l.name.as_str()).collect();
    match random.below(10) {
        0..3 => format!("from: {net}"),
        3..5 => format!("to: {net}"),
        5 => format!("fwmark: {}", random.one(&["1", "2/2", "1/1", "3"])),
        6 => format!("iif: {}", random.pick(&links).unwrap_or(&"lo")),
        7 => format!("tos: {}", random.one(&[0x10, 0x08])),
        8 => format!("ipproto: {}", random.one(&["icmp", "tcp", "udp"])),
        _ => random
            .one(&[
                "ipproto: udp, dport: 7",
                "ipproto: tcp, dport: 80",
                "ipproto: tcp, dport: 81-500",
                "ipproto: udp, sport: 20000-20008",
                "iif: lo",
            ])
            .to_owned(),
    }
}

fn route(plan: &Plan, space: usize, random: &mut Random) -> Option<String> {
    let subnet = random.between(1, plan.segments.len());
    let to = if random.percent(40) { "default".to_owned() } else { format!("10.0.{subnet}.0/24") };
    if random.percent(20) {
        let kind = random.one(&["throw", "throw", "unreachable", "prohibit", "blackhole"]);
        return Some(format!("to: {to}, type: {kind}"));
    }
    let (via, _) = some_gateway(plan, space, random)?;
    Some(format!("to: {to}, via: {via}"))
}
