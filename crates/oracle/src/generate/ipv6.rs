//! IPv6 beside IPv4: whatever a network says of IPv4 is said of IPv6 as well, with addresses that
//! answer each other (10.0.1.2 and 2001:db8:1::2), and then altered here and there; many of
//! its packets go by IPv6.

mod like;
mod settings;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

use super::Case;
use crate::network::{Chain, IP6, IpSet, Network, Space};
use crate::packet::{Carries, Spec};
use crate::random::Random;

/// A namespace that says so is given no IPv6 (where nothing says so, it is switched on again).
pub(super) const WITHOUT_IPV6: (&str, u32) = ("net/ipv6/conf/lo/disable_ipv6", 1);

/// The smallest MTU with which a link has IPv6 at all.
const MIN_MTU: u32 = 1280;

/// `shares`: how often each packet goes by IPv6 instead, of 100.
pub(super) fn add(case: &mut Case, shares: &[usize], random: &mut Random) {
    let (key, off) = WITHOUT_IPV6;
    let is_off = |s: &Space| s.sysctls.iter().any(|(k, v)| k == key && *v == off.to_string());
    for space in case.network.spaces.iter_mut().filter(|space| !is_off(space)) {
        mtus(space);
        let gateways = addresses(space, random);
        routes(space, &gateways, random);
        rules(space, random);
        neighbours(space, random);
        ipsets(space);
        chains(space, random);
        settings::settings(space, random);
    }
    let near = link_locals(&case.network);
    for space in &mut case.network.spaces {
        by_link_locals(space, &near, random);
    }
    for (packet, share) in case.packets.iter_mut().zip(shares) {
        if random.percent(*share) {
            alike(packet, &case.network, random);
            near_by(packet, &case.network, &near, random);
        }
    }
}

/// Now and then what is near is meant by the address that is good on its link alone.
fn near_by(
    packet: &mut Spec,
    network: &Network,
    near: &[(Ipv6Addr, Ipv6Addr)],
    random: &mut Random,
) {
    let (IpAddr::V6(to), None) = (packet.to, packet.src) else { return };
    let local = near.iter().find(|(ip, _)| *ip == to).map(|(_, local)| *local);
    let links = network.space(&packet.from).into_iter().flat_map(|s| &s.links);
    let nets = links.flat_map(|l| l.addresses.iter().map(move |a| (a.parse(), &l.name)));
    let nets = nets.filter_map(|(net, link)| Some((net.ok()?, link)));
    let around: Vec<(ipnet::Ipv6Net, &String)> =
        nets.filter(|(net, _): &(ipnet::Ipv6Net, _)| net.contains(&to)).collect();
    if let (Some(local), false) = (local, around.is_empty())
        && random.percent(12)
    {
        (packet.to, packet.dev) = (local.into(), Some(random.one(&around).1.clone()));
    }
}

fn mtus(space: &mut Space) {
    for (key, value) in space.links.iter_mut().flat_map(|l| &mut l.options) {
        if key == "mtu" && value.parse().is_ok_and(|mtu: u32| mtu < MIN_MTU) {
            *value = MIN_MTU.to_string();
        }
    }
}

/// Subnets that a namespace has a link in, and that link.
type Gateways = Vec<(ipnet::Ipv6Net, String)>;

fn addresses(space: &mut Space, random: &mut Random) -> Gateways {
    let mut nets = Vec::new();
    for (n, link) in space.links.iter_mut().enumerate() {
        let six: Vec<String> = link.addresses.iter().filter_map(|a| like::network(a)).collect();
        if random.percent(5) {
            continue;
        }
        let down = link.options.iter().any(|(key, _)| key == "up");
        let reached = six.iter().filter(|_| !down);
        nets.extend(reached.filter_map(|a| Some((a.parse().ok()?, link.name.clone()))));
        link.addresses.extend(six);
        // What joins a bond loses its addresses.
        let of_bond = link.options.iter().any(|(key, _)| key == "bond");
        if link.name != "lo" && random.percent(40) && !of_bond {
            // Beside the one that the kernel makes: a name that others can say.
            link.addresses.push(format!("fe80::{}:{n}/64", letter(&space.name)));
        }
    }
    nets
}

/// A number for a namespace.
fn letter(name: &str) -> u32 {
    name.bytes().fold(0, |n, byte| (n * 31 + u32::from(byte)) % 0xfff)
}

fn routes(space: &mut Space, gateways: &Gateways, random: &mut Random) {
    let own = |ip: Ipv6Addr| gateways.iter().any(|(net, _)| net.addr() == ip);
    let near = |ip: Ipv6Addr| gateways.iter().any(|(net, _)| net.contains(&ip) && !own(ip));
    let lines: Vec<String> = space
        .lists
        .iter()
        .filter(|(of, _)| *of == "routes")
        .filter_map(|(_, l)| like::line(l))
        .collect();
    for line in lines {
        let part = |key: &str| {
            let of = line.split(", ").find_map(|part| part.strip_prefix(key));
            of.map(|word| word.trim_matches('"').parse::<Ipv6Addr>())
        };
        let via = part("via: ").is_none_or(|ip| ip.is_ok_and(near));
        let src = part("src: ").is_none_or(|ip| ip.is_ok_and(own));
        if via && src && random.percent(95) {
            space.list("routes", line);
        }
    }
}

fn rules(space: &mut Space, random: &mut Random) {
    let lines: Vec<String> = space
        .lists
        .iter()
        .filter(|(of, _)| *of == "rules")
        .filter_map(|(_, line)| like::line(line))
        .map(|line| line.replace("suppress_prefixlength: 24", "suppress_prefixlength: 64"))
        .map(|line| line.replace("suppress_prefixlength: 16", "suppress_prefixlength: 32"))
        .collect();
    for line in lines {
        if random.percent(90) {
            space.list("rules6", line);
        }
    }
}

fn neighbours(space: &mut Space, random: &mut Random) {
    let all = space.lists.iter().filter(|(of, _)| *of == "neighbours");
    let lines: Vec<String> = all.filter_map(|(_, line)| like::neighbour(line)).collect();
    for line in lines {
        // Who answers for others has to be told so for the link, too.
        let link = line.split(", ").find_map(|part| part.strip_prefix("dev: "));
        if let Some(link) = link.filter(|_| line.contains("proxy") && random.percent(85)) {
            space.sysctl(format!("net/ipv6/conf/{link}/proxy_ndp"), 1);
        }
        space.list("neighbours", line);
    }
}

/// Sets of IPv6 like those of IPv4, where there are such.
fn ipsets(space: &mut Space) {
    let mut likes: Vec<IpSet> = Vec::new();
    for set in &space.ipsets {
        let list = set.what.contains("list:set");
        let alike = |entry: &String| match list {
            true => Some(like::ipset(entry)).filter(|name| likes.iter().any(|l| l.name == *name)),
            false => like::entry(entry),
        };
        let entries: Option<Vec<String>> = set.entries.iter().map(alike).collect();
        let Some(mut entries) = entries else { continue };
        // Prefixes of different lengths may have one like.
        let mut given = BTreeSet::new();
        entries.retain(|e| given.insert(e.split(' ').next().unwrap_or_default().to_owned()));
        let ports = set.what.contains("bitmap:port");
        if set.what.contains("bitmap:ip") {
            continue;
        }
        let family = if list || ports { "" } else { ", family: inet6" };
        let what = set.what.replace("netmask: 24", "netmask: 64") + family;
        likes.push(IpSet { name: like::ipset(&set.name), what, entries });
    }
    space.ipsets.extend(likes);
}

fn chains(space: &mut Space, random: &mut Random) {
    let mut more: Vec<Chain> = Vec::new();
    for chain in &space.chains {
        let has = |name: &str| space.ipsets.iter().any(|set| set.name == name);
        let rules = chain.rules.iter().filter_map(|rule| like::rule(rule, has));
        let rules: Vec<String> = rules.filter(|_| random.percent(92)).collect();
        let table = match chain.table {
            "nat" => "ip6 nat",
            "filter" => "ip6 filter",
            "mangle" => "ip6 mangle",
            "raw" => "ip6 raw",
            "legacy nat" => "ip6 legacy nat",
            "legacy filter" => "ip6 legacy filter",
            "legacy mangle" => "ip6 legacy mangle",
            "legacy raw" => "ip6 legacy raw",
            _ => continue,
        };
        debug_assert!(table.starts_with(IP6));
        // Rules lead to those that are no hook's, whatever is left in them.
        let own = chain.name.contains(char::is_lowercase);
        if chain.drop || own || !rules.is_empty() {
            more.push(Chain { table, name: chain.name, drop: chain.drop, rules });
        }
    }
    space.chains.extend(more);
}

/// Whose link-local address answers a global one.
fn link_locals(network: &Network) -> Vec<(Ipv6Addr, Ipv6Addr)> {
    let links = network.spaces.iter().flat_map(|s| &s.links);
    let of_link = |link: &crate::network::Link| {
        let ips = || link.addresses.iter().filter_map(|a| a.parse::<ipnet::Ipv6Net>().ok());
        let local = ips().map(|net| net.addr()).find(Ipv6Addr::is_unicast_link_local);
        let all: Vec<_> = ips().filter_map(|net| Some((net.addr(), local?))).collect();
        all
    };
    links.flat_map(of_link).filter(|(ip, _)| !ip.is_unicast_link_local()).collect()
}

/// Some routes go by their gateway's link-local address, as those that routers announce do.
fn by_link_locals(space: &mut Space, near: &[(Ipv6Addr, Ipv6Addr)], random: &mut Random) {
    let nets: Vec<(ipnet::Ipv6Net, String)> = space
        .links
        .iter()
        .flat_map(|l| l.addresses.iter().map(|a| (a.parse(), l.name.clone())))
        .filter_map(|(net, link)| Some((net.ok()?, link)))
        .collect();
    for (_, line) in space.lists.iter_mut().filter(|(of, _)| *of == "routes") {
        let via = line.split(", ").find_map(|part| part.strip_prefix("via: "));
        let Some(via) = via.and_then(|v| v.trim_matches('"').parse::<Ipv6Addr>().ok()) else {
            continue;
        };
        let local = near.iter().find(|(ip, _)| *ip == via).map(|(_, local)| *local);
        let link =
            nets.iter().filter(|(net, _)| net.contains(&via)).max_by_key(|(n, _)| n.prefix_len());
        let (Some(local), Some((_, link))) = (local, link) else { continue };
        if random.percent(35) && !line.contains("dev: ") {
            *line =
                line.replace(&format!("via: \"{via}\""), &format!("via: \"{local}\", dev: {link}"));
        }
    }
}

/// All routers of a site.
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 2);
/// Those who might be ::3.
const SOME_SOLICITED: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 3);

/// A group is spoken to by a link, else by the first.
fn by_link(space: Option<&Space>, random: &mut Random) -> Option<String> {
    let links = space.into_iter().flat_map(|s| &s.links);
    let links: Vec<&String> =
        links.filter(|l| l.name != "lo" && !l.addresses.is_empty()).map(|l| &l.name).collect();
    (!links.is_empty() && random.percent(80)).then(|| random.one(&links).clone())
}

/// The same packet of IPv6.
fn alike(packet: &mut Spec, network: &Network, random: &mut Random) {
    let space = network.spaces.iter().find(|s| s.name == packet.from);
    let to = match like::group(packet.to) {
        Some(group) => {
            packet.dev = by_link(space, random);
            Some(random.one(&[group, group, group, ALL_ROUTERS, SOME_SOLICITED]))
        }
        None => like::address(packet.to),
    };
    let Some(to) = to else { return };
    let addresses = space.into_iter().flat_map(|s| &s.links).flat_map(|l| &l.addresses);
    let own: Vec<Ipv6Addr> =
        addresses.filter_map(|a| Some(a.parse::<ipnet::Ipv6Net>().ok()?.addr())).collect();
    let src = packet.src.and_then(like::address);
    packet.to = to.into();
    packet.src = src.filter(|ip| own.contains(ip)).map(IpAddr::V6);
    packet.len = match packet.carries {
        Carries::Tcp(..) => 64,
        Carries::Icmp(_) | Carries::Udp(..) => match random.below(10) {
            0 => 1452,
            1 => 1280,
            _ => packet.len.max(84) + 20,
        }
        .min(1500),
    };
}
