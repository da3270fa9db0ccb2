//! Addresses: IPv6 out of if_inet6, IPv4 out of fib_trie, which tells neither link nor prefix.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use model::{Address, AddressFlags, Route, RouteKind, Scope};

use super::Texts;
use super::link::LOOPBACK;

/// The addresses, and those of which nothing tells what link they are on.
pub(super) fn addresses(texts: &Texts, routes: &[Route]) -> (Vec<Address>, Vec<Ipv4Addr>) {
    let (mut all, mut homeless) = (Vec::new(), Vec::new());
    for ip in local(&texts.fib_trie) {
        match home(ip, routes) {
            Some((link, net)) => all.push(address(link, net, Scope::Global)),
            None if ip.is_loopback() => {
                let net = IpNet::new_assert(ip.into(), 8);
                all.push(address(LOOPBACK, net, Scope::Host));
            }
            None => homeless.push(ip),
        }
    }
    all.extend(texts.if_inet6.lines().filter_map(ipv6));
    (all, homeless)
}

/// What is missing of them.
pub(super) fn lack(homeless: &[Ipv4Addr]) -> String {
    let mut text =
        "whose link an IPv4 address is on is not told, only the route around it".to_owned();
    if !homeless.is_empty() {
        let all: Vec<String> = homeless.iter().map(ToString::to_string).collect();
        text.push_str(&format!("; local too, and on no link that is told: {}", all.join(", ")));
    }
    text
}

/// What the tables main and local (often one) have as local, one address each.
fn local(fib_trie: &str) -> BTreeSet<Ipv4Addr> {
    let (mut all, mut wanted, mut at) = (BTreeSet::new(), false, None::<Ipv4Addr>);
    for line in fib_trie.lines() {
        if !line.starts_with(' ') {
            wanted = matches!(line, "Main:" | "Local:");
        } else if let Some(leaf) = line.trim_start().strip_prefix("|-- ") {
            at = leaf.parse().ok();
        } else if wanted && line.trim() == "/32 host LOCAL" {
            all.extend(at);
        }
    }
    all
}

/// The link and subnet of an address: those of the connected route around it, if that is one.
fn home(ip: Ipv4Addr, routes: &[Route]) -> Option<(u32, IpNet)> {
    let around = |r: &&Route| r.kind == RouteKind::Unicast && r.dst.contains(&IpAddr::from(ip));
    let mut around: Vec<(u8, u32)> = routes
        .iter()
        .filter(around)
        .flat_map(|r| r.nexthops.iter().map(|h| (r.dst.prefix_len(), h)))
        .filter(|(len, hop)| *len > 0 && hop.gateway.is_none())
        .map(|(len, hop)| (len, hop.link))
        .collect();
    around.sort_unstable();
    let (len, link) = around.pop()?;
    let another = around.iter().any(|(l, other)| *l == len && *other != link);
    (!another).then(|| (link, IpNet::new_assert(ip.into(), len)))
}

/// `fe80…01 04 40 20 80     eth0`: address, ifindex, prefix length, scope and flags in hexadecimal.
fn ipv6(line: &str) -> Option<Address> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [ip, index, len, scope, ..] = words[..] else { return None };
    let ip = Ipv6Addr::from(u128::from_str_radix(ip, 16).ok().filter(|_| ip.len() == 32)?);
    let net = Ipv6Net::new(ip, u8::from_str_radix(len, 16).ok()?).ok()?;
    let scope = match u8::from_str_radix(scope, 16).ok()? & 0xf0 {
        0x10 => Scope::Host,
        0x20 => Scope::Link,
        0x40 => Scope::Site,
        _ => Scope::Global,
    };
    Some(address(u32::from_str_radix(index, 16).ok()?, net.into(), scope))
}

const fn address(link: u32, net: IpNet, scope: Scope) -> Address {
    Address {
        link,
        net,
        peer: None,
        broadcast: None,
        scope,
        secondary: false,
        label: None,
        flags: AddressFlags::empty(),
    }
}
