//! Namespaces, and the pairs and bridges between them.

use super::{End, Plan, Segment};
use crate::network::{Link, Space};
use crate::random::Random;

const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// Two to five namespaces on segments that are pairs or bridges.
pub(super) fn topology(random: &mut Random) -> Plan {
    let count = random.one(&[2, 2, 3, 3, 3, 4, 4, 5]);
    let mut plan = Plan::default();
    for (n, name) in NAMES.iter().take(count).enumerate() {
        let inside = (n > 0 && random.percent(15)).then(|| NAMES[random.below(n)].to_owned());
        plan.network.spaces.push(Space { name: (*name).to_owned(), inside, ..Space::default() });
    }
    let segments = (count - 1).max(1) + random.one(&[0, 0, 0, 1, 1, 2]);
    for n in 0..segments {
        // The first ones make a tree of all namespaces; what comes more makes circles.
        let (near, far) = match n + 1 < count {
            true => (random.below(n + 1), n + 1),
            false => (random.below(count), random.below(count)),
        };
        segment(&mut plan, n, near, far, random);
    }
    plan
}

fn segment(plan: &mut Plan, n: usize, near: usize, far: usize, random: &mut Random) {
    let subnet = u8::try_from(n + 1).unwrap_or(u8::MAX);
    let mut segment = Segment { subnet, ..Segment::default() };
    if random.percent(45) {
        bridge(plan, n, near, far, &mut segment, random);
    } else {
        let names = (format!("v{n}x"), format!("v{n}y"));
        pair(plan, (near, &names.0), (far, &names.1), None);
        segment.ends.push(End { space: near, link: names.0, ip: None, down: false });
        segment.ends.push(End { space: far, link: names.1, ip: None, down: false });
    }
    plan.segments.push(segment);
}

/// A pair, its far end perhaps a port.
fn pair(plan: &mut Plan, near: (usize, &str), far: (usize, &str), port_of: Option<&str>) {
    let far_name = plan.network.spaces[far.0].name.clone();
    let mut link = Link { name: near.1.to_owned(), ..Link::default() };
    link.set("kind", "veth");
    link.set("peer", format!("\"{far_name}:{}\"", far.1));
    plan.network.spaces[near.0].links.push(link);
    let mut end = Link { name: far.1.to_owned(), ..Link::default() };
    if let Some(bridge) = port_of {
        end.set("bridge", bridge);
    }
    plan.network.spaces[far.0].links.push(end);
}

/// A bridge in `home`, and others at its ports. The bridge may have an address or not, and another
/// bridge may be behind it.
fn bridge(
    plan: &mut Plan,
    n: usize,
    home: usize,
    first: usize,
    segment: &mut Segment,
    random: &mut Random,
) {
    let name = format!("br{n}");
    let mut link = Link { name: name.clone(), ..Link::default() };
    link.set("kind", "bridge");
    if random.percent(50) {
        link.set("snooping", random.percent(50));
    }
    plan.network.spaces[home].links.push(link);
    if random.percent(70) {
        segment.ends.push(End { space: home, link: name.clone(), ip: None, down: false });
    }
    let mut guests = vec![first];
    for _ in 0..random.one(&[0, 1, 1, 2, 3]) {
        guests.push(random.below(plan.network.spaces.len()));
    }
    for (m, guest) in guests.into_iter().enumerate() {
        let (near, port) = (format!("e{n}{m}"), format!("p{n}{m}"));
        pair(plan, (guest, &near), (home, &port), Some(&name));
        segment.ends.push(End { space: guest, link: near, ip: None, down: false });
    }
    if random.percent(15) {
        behind(plan, n, home, &name, segment, random);
    }
}

/// A second bridge on the same segment, in this namespace or another.
fn behind(
    plan: &mut Plan,
    n: usize,
    home: usize,
    bridge: &str,
    segment: &mut Segment,
    random: &mut Random,
) {
    let other = random.below(plan.network.spaces.len());
    let name = format!("bx{n}");
    let mut link = Link { name: name.clone(), ..Link::default() };
    link.set("kind", "bridge");
    plan.network.spaces[other].links.push(link);
    let (up, down) = (format!("u{n}"), format!("d{n}"));
    pair(plan, (other, &up), (home, &down), Some(bridge));
    if let Some(end) = plan.network.spaces[other].link(&up) {
        end.set("bridge", &name);
    }
    if random.percent(60) {
        segment.ends.push(End { space: other, link: name.clone(), ip: None, down: false });
    }
    let guest = random.below(plan.network.spaces.len());
    let (near, port) = (format!("g{n}"), format!("q{n}"));
    pair(plan, (guest, &near), (other, &port), Some(&name));
    segment.ends.push(End { space: guest, link: near, ip: None, down: false });
}
