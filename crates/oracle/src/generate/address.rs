//! Who has which address, and where the routes lead.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::{Plan, Segment};
use crate::network::{Network, Space};
use crate::random::Random;

/// Every segment has a subnet, and most of its ends an address there.
pub(super) fn addresses(plan: &mut Plan, random: &mut Random) {
    // At times two segments share a subnet.
    if plan.segments.len() > 1 && random.percent(6) {
        plan.segments[1].subnet = plan.segments[0].subnet;
    }
    for s in 0..plan.segments.len() {
        let subnet = plan.segments[s].subnet;
        // Who takes the other segments for its own asks there for what is behind a router.
        let lengths: &[u8] =
            if plan.asking { &[24, 24, 16, 16] } else { &[24, 24, 24, 24, 24, 24, 25, 16] };
        let length = random.one(lengths);
        for e in 0..plan.segments[s].ends.len() {
            if random.percent(6) {
                continue;
            }
            // At times two ends have the same address.
            let host = if e > 0 && random.percent(3) { e } else { e + 1 };
            let ip = Ipv4Addr::new(10, 0, subnet, u8::try_from(host).unwrap_or(1));
            let space = plan.segments[s].ends[e].space;
            if plan.owned().contains(&(space, ip)) {
                continue;
            }
            if random.percent(4) {
                let end = &mut plan.segments[s].ends[e];
                end.down = true;
                let link = end.link.clone();
                if let Some(link) = plan.network.spaces[space].link(&link) {
                    link.set("up", false);
                }
            }
            plan.segments[s].ends[e].ip = Some(ip);
            give(plan, s, e, &format!("{ip}/{length}"));
            if random.percent(8) {
                let more = Ipv4Addr::new(10, 0, subnet, u8::try_from(100 + e).unwrap_or(100));
                give(plan, s, e, &format!("{more}/{}", random.one(&[24, 32])));
            }
        }
    }
    for (n, space) in plan.network.spaces.iter_mut().enumerate() {
        if random.percent(10) {
            let ip = format!("10.9.{n}.1/32");
            space.links.push(crate::network::Link {
                name: "lo".into(),
                options: Vec::new(),
                addresses: vec![ip],
            });
        }
    }
}

fn give(plan: &mut Plan, segment: usize, end: usize, address: &str) {
    let end = plan.segments[segment].ends[end].clone();
    if let Some(link) = plan.network.spaces[end.space].link(&end.link)
        && !link.addresses.iter().any(|a| a == address)
    {
        link.addresses.push(address.to_owned());
    }
}

/// Routes to the other segments: mostly right, at times by another way, missing, or strange.
pub(super) fn routes(plan: &mut Plan, random: &mut Random) {
    for space in 0..plan.network.spaces.len() {
        let mut lines = Vec::new();
        if let Some((via, _)) = some_gateway(plan, space, random).filter(|_| random.percent(55)) {
            let metric = random.one(&["", "", "", ", metric: 100"]);
            lines.push(format!("to: default, via: {via}{metric}"));
        }
        for target in 0..plan.segments.len() {
            let here = plan.ends_of(space).iter().any(|(s, e)| *s == target && e.ip.is_some());
            if !here && random.percent(if plan.asking { 25 } else { 60 }) {
                lines.extend(route(plan, space, target, random));
            }
        }
        if random.percent(22) {
            lines.extend(strange(plan, space, random));
        }
        let routes = lines.into_iter().map(|line| ("routes", line));
        plan.network.spaces[space].lists.extend(routes);
    }
}

/// A neighbour of a namespace on one of its segments, and by which segment.
pub(super) fn some_gateway(
    plan: &Plan,
    space: usize,
    random: &mut Random,
) -> Option<(Ipv4Addr, usize)> {
    let mut all = Vec::new();
    for (segment, end) in plan.ends_of(space) {
        let others = plan.segments[segment].ends.iter().filter(|e| e.space != space);
        all.extend(
            others.filter(|_| end.ip.is_some() && !end.down).filter_map(|e| Some((e.ip?, segment))),
        );
    }
    random.pick(&all).copied()
}

fn route(plan: &Plan, space: usize, target: usize, random: &mut Random) -> Option<String> {
    let right = next_hop(plan, space, target);
    let via = match right {
        Some(via) if random.percent(88) => via,
        _ => some_gateway(plan, space, random)?.0,
    };
    let subnet = plan.segments[target].subnet;
    let host = random.percent(12);
    let to = if host { format!("10.0.{subnet}.{}", random.between(1, 4)) } else { net(subnet) };
    let mut line = format!("to: {to}, via: {via}");
    if random.percent(10) {
        let own: Vec<Ipv4Addr> =
            plan.owned().into_iter().filter(|(s, _)| *s == space).map(|(_, ip)| ip).collect();
        if let Some(src) = random.pick(&own) {
            line += &format!(", src: {src}");
        }
    }
    if random.percent(12) {
        line += &format!(", metric: {}", random.one(&[5, 50, 500]));
    }
    Some(line)
}

fn net(subnet: u8) -> String {
    format!("10.0.{subnet}.0/24")
}

/// The neighbour by which the way to a segment is the shortest.
fn next_hop(plan: &Plan, space: usize, target: usize) -> Option<Ipv4Addr> {
    let mut reached = vec![false; plan.network.spaces.len()];
    let mut queue: Vec<(usize, Option<Ipv4Addr>)> = vec![(space, None)];
    reached[space] = true;
    let mut at = 0;
    while let Some((here, first)) = queue.get(at).copied() {
        at += 1;
        for (segment, end) in plan.ends_of(here) {
            if segment == target && first.is_some() {
                return first;
            }
            if end.ip.is_some() && !end.down {
                spread(&plan.segments[segment], first, &mut reached, &mut queue);
            }
        }
    }
    None
}

fn spread(
    segment: &Segment,
    first: Option<Ipv4Addr>,
    reached: &mut [bool],
    queue: &mut Vec<(usize, Option<Ipv4Addr>)>,
) {
    for end in &segment.ends {
        if let Some(ip) = end.ip.filter(|_| !reached[end.space]) {
            reached[end.space] = true;
            queue.push((end.space, first.or(Some(ip))));
        }
    }
}

/// A route of a rare kind.
fn strange(plan: &Plan, space: usize, random: &mut Random) -> Option<String> {
    let subnet = random.one(&[1, 2, 3, 4]);
    let to = match random.below(3) {
        0 => format!("10.0.{subnet}.{}", random.between(1, 3)),
        1 => net(subnet),
        _ => format!("10.0.{subnet}.0/26"),
    };
    let kind = random.one(&["blackhole", "unreachable", "prohibit", "throw"]);
    if random.percent(65) {
        let metric = random.one(&["", "", ", metric: 10"]);
        return Some(format!("to: {to}, type: {kind}{metric}"));
    }
    let links = &plan.network.spaces[space].links;
    let link = random.pick(links).filter(|l| l.name != "lo" && !l.is_down())?;
    let metric = random.one(&["", ", metric: 20", ", metric: 7"]);
    Some(format!("to: {to}, dev: {}{metric}", link.name))
}

/// Takes out the routes that the kernel would not take: by a link that is down, by an address of one's
/// own, or that are there already (the kernel makes one for the network of each address).
pub(super) fn sound(network: &mut Network) {
    for space in &mut network.spaces {
        let mut taken: Vec<(String, String, String)> = nets(space)
            .map(|(_, net)| (net.trunc().to_string(), String::new(), String::new()))
            .collect();
        let down: Vec<String> =
            space.links.iter().filter(|l| l.is_down()).map(|l| l.name.clone()).collect();
        let own: Vec<(String, Ipv4Net)> = nets(space).collect();
        space.lists.retain(|(of, line)| {
            let part = |key: &str| line.split(", ").find_map(|part| part.strip_prefix(key));
            let said = |key| part(key).unwrap_or_default().to_owned();
            let by = match part("dev: ") {
                Some(dev) => vec![dev.to_owned()],
                None => part("via: ").map_or_else(Vec::new, |via| links_to(via, &own)),
            };
            let key = (said("to: "), said("metric: "), said("table: "));
            let by_itself = own.iter().any(|(_, net)| net.addr().to_string() == said("via: "));
            let unsound = by_itself || by.iter().any(|by| down.contains(by));
            if *of != "routes" || taken.contains(&key) || unsound {
                return *of != "routes";
            }
            taken.push(key);
            true
        });
    }
}

/// The networks of a namespace's addresses, and by which link.
fn nets(space: &Space) -> impl Iterator<Item = (String, Ipv4Net)> {
    let all = space.links.iter().flat_map(|l| l.addresses.iter().map(move |a| (l, a)));
    all.filter_map(|(link, address)| Some((link.name.clone(), address.parse().ok()?)))
}

/// The links by which a lab may reach a gateway: any with a network around it.
fn links_to(via: &str, own: &[(String, Ipv4Net)]) -> Vec<String> {
    let Ok(via) = via.parse::<Ipv4Addr>() else { return Vec::new() };
    let around = own.iter().filter(|(_, net)| net.contains(&via));
    around.map(|(link, _)| link.clone()).collect()
}
