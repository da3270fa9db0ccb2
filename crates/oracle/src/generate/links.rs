//! Links that stand on others: macvlans.

use super::{End, Plan};
use crate::network::Link;
use crate::random::Random;

pub(super) fn links(plan: &mut Plan, random: &mut Random) {
    for segment in 0..plan.segments.len() {
        if random.percent(24) {
            macvlans(plan, segment, random);
        }
    }
}

/// Up to three macvlans on one end of a segment, here or in other namespaces.
fn macvlans(plan: &mut Plan, segment: usize, random: &mut Random) {
    let Some(lower) = random.pick(&plan.segments[segment].ends).cloned() else { return };
    let first =
        random.one(&["bridge", "bridge", "bridge", "vepa", "private", "passthru", "source"]);
    let count = if first == "passthru" { 1 } else { random.one(&[1, 2, 2, 3, 3]) };
    if first == "vepa" || random.percent(15) {
        hairpin(plan, &lower.link);
    }
    for n in 0..count {
        let mode = match n {
            0 => first,
            _ if random.percent(75) && first != "source" => first,
            _ => random.one(&["bridge", "vepa", "private", "source"]),
        };
        let space =
            if random.percent(8) { lower.space } else { random.below(plan.network.spaces.len()) };
        let home = &plan.network.spaces[lower.space].name;
        let mut link = Link { name: format!("m{segment}{n}"), ..Link::default() };
        link.set("kind", "macvlan");
        link.set("lower", format!("\"{home}:{}\"", lower.link));
        link.set("mode", mode);
        if mode == "source" {
            link.set("sources", format!("[{}]", sources(plan, segment, &lower, random).join(", ")));
        }
        let end = End { space, link: link.name.clone(), ip: None, down: false };
        plan.network.spaces[space].links.push(link);
        plan.segments[segment].ends.push(end);
    }
}

/// The port at the other end of a link sends back what comes by it.
fn hairpin(plan: &mut Plan, link: &str) {
    let Some(number) = link.strip_prefix('e') else { return };
    let port = format!("p{number}");
    for space in &mut plan.network.spaces {
        if let Some(port) = space.link(&port) {
            port.set("hairpin", true);
        }
    }
}

/// Ethernet addresses of some ends of a segment, which are given to them here.
fn sources(plan: &mut Plan, segment: usize, lower: &End, random: &mut Random) -> Vec<String> {
    let mut sources = Vec::new();
    let ends = plan.segments[segment].ends.clone();
    for (n, end) in ends.iter().enumerate().filter(|(_, e)| e.link != lower.link) {
        if !random.percent(60) {
            continue;
        }
        let mac = format!("02:5e:00:00:{segment:02x}:{n:02x}");
        let Some(link) = plan.network.spaces[end.space].link(&end.link) else { continue };
        if !link.options.iter().any(|(key, _)| key == "mac") {
            link.set("mac", format!("\"{mac}\""));
        }
        sources.push(format!("\"{mac}\""));
    }
    sources
}
