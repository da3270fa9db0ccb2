//! The packets of a network.

use std::net::{IpAddr, Ipv4Addr};

use kernel::probe::SYN;

use super::{PACKETS, Plan, many};
use crate::network::{Network, Space};
use crate::packet::{Carries, Spec};
use crate::random::Random;

pub(super) fn packets(plan: &Plan, random: &mut Random) -> Vec<Spec> {
    (0..PACKETS).map(|n| packet(plan, n, random)).collect()
}

fn packet(plan: &Plan, n: usize, random: &mut Random) -> Spec {
    let from = random.below(plan.network.spaces.len());
    let owned = plan.owned();
    let own: Vec<Ipv4Addr> = owned.iter().filter(|(s, _)| *s == from).map(|(_, ip)| *ip).collect();
    let to = destination(plan, from, &owned, random);
    let carries = carries(u16::try_from(n).unwrap_or(0), random);
    let carries = suited(carries, plan.network.spaces.get(from));
    let tcp = matches!(carries, Carries::Tcp(..));
    // What is larger than its sender's own link is for later.
    let len = random.one(&[84, 84, 84, 84, 40 + 8, 500, 576, 900, 1200, 1300, 1400, 1500]);
    let mut packet = Spec {
        from: plan.network.spaces[from].name.clone(),
        to: to.into(),
        src: random.pick(&own).copied().filter(|_| random.percent(15)).map(Into::into),
        carries,
        len: if tcp { 44 } else { len },
        df: tcp || len > 576 || random.percent(50),
        ttl: random.one(&[64, 64, 64, 64, 64, 255, 1, 2, 3]),
        tos: random.one(&[0, 0, 0, 0, 0, 0, 0x10, 0x08, 0xb8]),
        mark: random.one(&[0, 0, 0, 0, 0, 1, 2, 3]),
        flags: if tcp { flags(random) } else { SYN },
        dev: None,
    };
    many::to_many(plan, &mut packet, random);
    packet
}

fn destination(
    plan: &Plan,
    from: usize,
    owned: &[(usize, Ipv4Addr)],
    random: &mut Random,
) -> Ipv4Addr {
    let others: Vec<Ipv4Addr> =
        owned.iter().filter(|(s, _)| *s != from).map(|(_, ip)| *ip).collect();
    let own: Vec<Ipv4Addr> = owned.iter().filter(|(s, _)| *s == from).map(|(_, ip)| *ip).collect();
    let subnet = u8::try_from(random.between(1, plan.segments.len())).unwrap_or(1);
    let near: Vec<Ipv4Addr> = if plan.bridging {
        let here = |s: &&super::Segment| s.ends.len() > 2 && s.ends.iter().any(|e| e.space == from);
        let ends = plan.segments.iter().filter(here).flat_map(|s| &s.ends);
        ends.filter_map(|e| e.ip).collect()
    } else {
        Vec::new()
    };
    let all: Vec<Ipv4Addr> = match random.below(100) {
        0..45 if !near.is_empty() => near,
        0..75 => others,
        75..82 => own,
        82..88 => vec![Ipv4Addr::new(10, 0, subnet, 77)],
        88..92 => vec![Ipv4Addr::new(10, 9, u8::try_from(random.below(5)).unwrap_or(0), 1)],
        92..94 => vec![Ipv4Addr::LOCALHOST],
        94..97 => vec![Ipv4Addr::new(10, 0, subnet, 100)],
        _ => vec![Ipv4Addr::new(192, 0, 2, 1)],
    };
    random.pick(&all).copied().unwrap_or(Ipv4Addr::new(10, 0, subnet, 1))
}

/// A probe's TCP segment comes by a raw socket, of which the kernel knows no ports when it looks for a
/// route, and its source is found as that of a datagram.
pub(super) fn suited(carries: Carries, sender: Option<&Space>) -> Carries {
    let mut rules = sender.into_iter().flat_map(|s| &s.lists).filter(|(of, _)| *of == "rules");
    match carries {
        Carries::Tcp(sport, dport) if rules.any(|(_, line)| line.contains("ipproto")) => {
            Carries::Udp(sport, dport)
        }
        other => other,
    }
}

/// Mostly a first segment; at times one that belongs to a connection of which nobody knows: an
/// answer to a first one, an acknowledgement with data, the end, a reset.
pub(super) fn flags(random: &mut Random) -> u8 {
    const ACK: u8 = 16;
    const PSH: u8 = 8;
    const RST: u8 = 4;
    const FIN: u8 = 1;
    random.one(&[
        SYN,
        SYN,
        SYN,
        SYN,
        SYN,
        SYN,
        SYN,
        SYN,
        SYN,
        SYN,
        ACK,
        ACK | PSH,
        SYN | ACK,
        ACK | FIN,
        RST,
        RST | ACK,
    ])
}

/// Some packets belong to the flow of an earlier one: they are its next, or go against it.
pub(super) fn flows(network: &Network, packets: &mut [Spec], random: &mut Random) {
    for n in 1..packets.len() {
        if !random.percent(12) {
            continue;
        }
        let first = packets[random.below(n)].clone();
        let back = if random.percent(40) { reply(network, &first) } else { None };
        packets[n] = match (first.carries, back) {
            // Another first segment begins a connection anew, or not, by how the last one ended.
            (Carries::Tcp(..), _) => continue,
            (_, Some(back)) => back,
            _ => first,
        };
    }
}

/// What goes against a packet, if its destination is somebody's and no service has the port.
fn reply(network: &Network, first: &Spec) -> Option<Spec> {
    if first.dev.is_some() {
        return None;
    }
    let has = |space: &Space, ip: IpAddr| {
        let all = space.links.iter().flat_map(|l| &l.addresses);
        all.filter_map(|a| a.parse::<ipnet::IpNet>().ok()).any(|net| net.addr() == ip)
    };
    let from = network.spaces.iter().find(|s| has(s, first.to))?;
    let to = first.src.or_else(|| {
        let sender = network.space(&first.from)?;
        let own = sender.links.iter().filter(|l| l.name != "lo").flat_map(|l| &l.addresses);
        let all = own.filter_map(|a| Some(a.parse::<ipnet::IpNet>().ok()?.addr()));
        // What has that of a link alone as its source cannot be bound to it without that link.
        let near = |ip: &IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        let mut all = all.into_iter().filter(|ip| !near(ip));
        all.find(|ip| ip.is_ipv4() == first.to.is_ipv4())
    })?;
    let carries = match first.carries {
        Carries::Udp(sport, dport) if !from.udp.contains(&dport) => Carries::Udp(dport, sport),
        _ => return None,
    };
    Some(Spec { from: from.name.clone(), to, src: Some(first.to), carries, ..first.clone() })
}

pub(super) fn carries(n: u16, random: &mut Random) -> Carries {
    let sport = 20_000 + n;
    match random.below(10) {
        0..4 => Carries::Icmp(100 + n),
        4..7 => Carries::Udp(sport, random.one(&[7, 7, 9, 53])),
        _ => Carries::Tcp(sport, random.one(&[80, 80, 81, 443])),
    }
}
