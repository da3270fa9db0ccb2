//! What of IPv6 answers what of IPv4.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// 10.0.1.2 is 2001:db8:1::2. None: there is nothing like it (broadcast and multicast).
pub(super) fn address(ip: IpAddr) -> Option<Ipv6Addr> {
    let IpAddr::V4(ip) = ip else { return None };
    let [a, b, subnet, host] = ip.octets().map(u16::from);
    match (a, b) {
        _ if ip.is_broadcast() || ip.is_multicast() || host == 255 => None,
        (127, _) => Some(Ipv6Addr::LOCALHOST),
        (10, 0) => Some(Ipv6Addr::new(0x2001, 0xdb8, subnet, 0, 0, 0, 0, host)),
        (10, _) => Some(Ipv6Addr::new(0x2001, 0xdb8, 0x100 * b + subnet, 0, 0, 0, 0, host)),
        _ => Some(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, a, b, subnet, 0, host)),
    }
}

/// What is for all, or for a group.
pub(super) fn group(ip: IpAddr) -> Option<Ipv6Addr> {
    let IpAddr::V4(ip) = ip else { return None };
    match ip.octets() {
        [224, 0, 0, 1] | [.., 255] => Some(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1)),
        [224, 0, 0, last] => Some(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, last.into())),
        [239, .., last] => Some(Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0x1, last.into())),
        _ => None,
    }
}

/// Networks contain of each other what their likes of IPv4 do.
fn length(length: u8) -> u8 {
    match length {
        0 => 0,
        1..=16 => 32,
        17..=24 => 64,
        longer => 96 + longer,
    }
}

/// `10.0.1.2/24`: `2001:db8:1::2/64`.
pub(super) fn network(word: &str) -> Option<String> {
    let net: Ipv4Net = word.parse().ok()?;
    let length = length(net.prefix_len());
    Some(format!("{}/{length}", address(net.addr().into())?))
}

/// A network without an address in it, or an address alone.
fn place(word: &str) -> Option<String> {
    if let Ok(ip) = word.parse::<Ipv4Addr>() {
        return address(ip.into()).map(|ip| ip.to_string());
    }
    let net: Ipv6Net = network(word)?.parse().ok()?;
    Some(net.trunc().to_string())
}

/// A line of `routes` or `rules`. None: it says what IPv6 does not have.
pub(super) fn line(line: &str) -> Option<String> {
    // Routes of IPv6 are for any type of service.
    let for_one_service = line.contains("tos: ") && !line.contains("pref: ");
    if line.contains(['[', '{', '"']) || for_one_service {
        return None;
    }
    let parts: Option<Vec<String>> = line.split(", ").map(part).collect();
    let parts: Vec<String> = parts?.into_iter().filter(|part| !part.is_empty()).collect();
    // Who has no gateway says of which family `default` is by nothing.
    let default = parts.iter().any(|p| p == "to: default");
    let gateway = parts.iter().any(|p| p.starts_with("via: "));
    let to = |part: String| match part.as_str() {
        "to: default" if default && !gateway => "to: \"::/0\"".to_owned(),
        _ => part,
    };
    Some(parts.into_iter().map(to).collect::<Vec<_>>().join(", "))
}

/// A neighbour, with its Ethernet address, or for whom one answers.
pub(super) fn neighbour(line: &str) -> Option<String> {
    let (ip, rest) = line.strip_prefix("ip: ")?.split_once(", ")?;
    let plain = rest.contains("mac: ") || rest.contains("proxy");
    plain.then(|| Some(format!("ip: \"{}\", {rest}", place(ip)?))).flatten()
}

fn part(part: &str) -> Option<String> {
    let (key, value) = part.split_once(": ")?;
    match key {
        "to" | "from" | "via" | "src" if value != "default" => {
            Some(format!("{key}: \"{}\"", place(value)?))
        }
        "ipproto" if value == "icmp" => Some("ipproto: ipv6-icmp".to_owned()),
        "scope" => Some(String::new()),
        "to"
        | "metric"
        | "dev"
        | "table"
        | "type"
        | "onlink"
        | "proto"
        | "pref"
        | "fwmark"
        | "dscp"
        | "uidrange"
        | "iif"
        | "oif"
        | "tos"
        | "ipproto"
        | "sport"
        | "dport"
        | "not"
        | "goto"
        | "suppress_prefixlength"
        | "suppress_ifgroup" => Some(part.to_owned()),
        _ => None,
    }
}

/// The name of the set of IPv6 that is like one of IPv4.
pub(super) fn ipset(name: &str) -> String {
    format!("{name}6")
}

/// An entry of such a set. None: there is nothing like it.
pub(super) fn entry(entry: &str) -> Option<String> {
    let (element, options) = entry.split_once(' ').unwrap_or((entry, ""));
    let part = |part: &str| match part.strip_prefix("icmp:") {
        Some(message) => Some(format!("icmpv6:{message}")),
        None => word(part),
    };
    let parts: Option<Vec<String>> = element.split(',').map(part).collect();
    Some(format!("{} {options}", parts?.join(",")).trim_end().to_owned())
}

/// A rule of ip6tables. None: it says what ip6tables does not have.
pub(super) fn rule(rule: &str, has: impl Fn(&str) -> bool) -> Option<String> {
    let mut names = false;
    let mut words = Vec::new();
    for one in rule.split(' ') {
        let alike = if names { Some(ipset(one)).filter(|name| has(name)) } else { word(one) };
        words.push(alike?);
        names = one == "--match-set" || one == "--map-set";
    }
    let rule = words.join(" ");
    let lacks = ["reject-with icmp", "BROADCAST", "NETMAP", "pkttype"];
    (!lacks.iter().any(|word| rule.contains(word))).then_some(rule)
}

fn word(word: &str) -> Option<String> {
    if word == "icmp" {
        return Some("ipv6-icmp".to_owned());
    }
    if word == "ttl" || word == "TTL" || word.starts_with("--ttl-") {
        return Some(word.replace("ttl", "hl").replace("TTL", "HL"));
    }
    if word.contains("icmp") {
        return None;
    }
    let digits = word.starts_with(|c: char| c.is_ascii_digit());
    if !digits || !word.contains('.') {
        return Some(word.to_owned());
    }
    if let Some((ip, ports)) = word.split_once(':') {
        return Some(format!("[{}]:{ports}", place(ip)?));
    }
    match word.split_once('-') {
        Some((first, last)) => Some(format!("{}-{}", place(first)?, place(last)?)),
        None => place(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_what() {
        let told = line("to: 10.0.1.0/24, via: 10.0.2.3, metric: 5");
        let wanted = "to: \"2001:db8:1::/64\", via: \"2001:db8:2::3\", metric: 5";
        assert_eq!(told.as_deref(), Some(wanted));
        assert_eq!(line("to: default, type: throw").as_deref(), Some("to: \"::/0\", type: throw"));
        assert_eq!(line("to: 10.0.1.0/24, realm: 5"), None);
        assert_eq!(network("10.0.1.2/25").as_deref(), Some("2001:db8:1::2/121"));
        let alike = |text| rule(text, |name| name == "s6");
        assert_eq!(
            alike("-m set --match-set s src -j DROP").as_deref(),
            Some("-m set --match-set s6 src -j DROP")
        );
        assert_eq!(alike("-m set --match-set t src -j DROP"), None);
        assert_eq!(
            entry("10.0.1.0/24,icmp:ping nomatch").as_deref(),
            Some("2001:db8:1::/64,icmpv6:ping nomatch")
        );
        let dnat = alike("-p tcp -j DNAT --to-destination 10.0.1.2:80");
        assert_eq!(dnat.as_deref(), Some("-p tcp -j DNAT --to-destination [2001:db8:1::2]:80"));
        let hops = alike("-m ttl ! --ttl-eq 5 -j TTL --ttl-set 3");
        assert_eq!(hops.as_deref(), Some("-m hl ! --hl-eq 5 -j HL --hl-set 3"));
        assert_eq!(alike("-p icmp -m icmp --icmp-type 8 -j DROP"), None);
    }
}
