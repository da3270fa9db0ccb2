//! Segments of vxlans, laid over those that are there.

use std::net::Ipv4Addr;

use super::{End, Plan, Segment};
use crate::network::Link;
use crate::random::Random;

/// Where a vxlan's outer packets come to.
#[derive(Clone)]
struct Vtep {
    space: usize,
    ip: Ipv4Addr,
    /// The link that has the address.
    link: String,
}

pub(super) fn overlays(plan: &mut Plan, random: &mut Random) {
    if !random.percent(30) {
        return;
    }
    let mut all = vteps(plan);
    let count = random.one(&[2, 2, 2, 3]).min(all.len());
    let mut chosen: Vec<Vtep> = Vec::new();
    while chosen.len() < count {
        chosen.push(all.remove(random.below(all.len())));
        all.retain(|v| chosen.iter().all(|c| c.space != v.space));
        if all.is_empty() {
            break;
        }
    }
    if chosen.len() > 1 {
        plan.overlaid = true;
        overlay(plan, &chosen, random);
    }
}

fn vteps(plan: &Plan) -> Vec<Vtep> {
    let ends = plan.segments.iter().flat_map(|s| &s.ends).filter(|e| !e.down);
    ends.filter_map(|e| Some(Vtep { space: e.space, ip: e.ip?, link: e.link.clone() })).collect()
}

/// A vxlan at each of them, or a bridge with one as port.
fn overlay(plan: &mut Plan, vteps: &[Vtep], random: &mut Random) {
    let n = plan.segments.len();
    let subnet = u8::try_from(n + 1).unwrap_or(u8::MAX);
    let mut segment = Segment { subnet, ..Segment::default() };
    let (learning, mtu) = (!random.percent(20), random.one(&[1250, 1250, 550]));
    for (i, vtep) in vteps.iter().enumerate() {
        let name = format!("x{n}{i}");
        let mut link = Link { name: name.clone(), ..Link::default() };
        link.set("kind", "vxlan");
        link.set("vni", if random.percent(3) { 43 } else { 42 });
        link.set("mtu", mtu);
        options(&mut link, vtep, random);
        remotes(&mut link, vteps, i, random);
        if !learning {
            link.set("vxlan_learning", false);
        }
        let mut end = End { space: vtep.space, link: name, ip: None, down: false };
        let space = &mut plan.network.spaces[vtep.space];
        if random.percent(25) {
            let bridge = format!("y{n}{i}");
            link.set("bridge", &bridge);
            let mut master = Link { name: bridge.clone(), ..Link::default() };
            master.set("kind", "bridge");
            space.links.push(master);
            end.link = bridge;
        }
        space.links.push(link);
        if !random.percent(5) {
            let ip = Ipv4Addr::new(10, 0, subnet, u8::try_from(i + 1).unwrap_or(1));
            end.ip = Some(ip);
            if let Some(link) = space.link(&end.link) {
                link.addresses.push(format!("{ip}/24"));
            }
        }
        segment.ends.push(end);
    }
    plan.segments.push(segment);
}

fn options(link: &mut Link, vtep: &Vtep, random: &mut Random) {
    if random.percent(40) {
        link.set("local", vtep.ip);
    }
    if random.percent(20) {
        link.set("dev", &vtep.link);
    }
    if random.percent(12) {
        link.set("ttl", random.one(&[1, 2, 5]));
    }
    if random.percent(12) {
        link.set("tos", random.one(&[1, 16]));
    }
    if random.percent(20) {
        link.set("srcport", "[20000, 20001]");
    }
    if random.percent(12) {
        link.set("df", random.one(&["set", "inherit"]));
    }
    if random.percent(3) {
        link.set("port", 4790);
    }
}

/// One default remote, or all others, or some that do not fit.
fn remotes(link: &mut Link, vteps: &[Vtep], own: usize, random: &mut Random) {
    let mut others: Vec<Ipv4Addr> =
        vteps.iter().enumerate().filter(|(i, _)| *i != own).map(|(_, v)| v.ip).collect();
    others.sort_unstable();
    others.dedup();
    match random.below(10) {
        // It knows whom it has heard of.
        0 => {}
        1..3 => {
            let all: Vec<String> = others.iter().map(|ip| format!("\"default {ip}\"")).collect();
            link.set("remotes", format!("[{}]", all.join(", ")));
        }
        3 if random.percent(40) => {
            let nobody = random.one(&[Ipv4Addr::new(10, 0, 99, 1), vteps[own].ip]);
            link.set("remote", nobody);
        }
        _ => {
            if let Some(ip) = random.pick(&others) {
                link.set("remote", ip);
            }
        }
    }
}
