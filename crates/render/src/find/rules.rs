//! Which rules and sets name an address or a port. Rules are searched as they are printed, so that
//! what has no expression of its own here is searched too.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{Data, IpSet, IpSetEntry, Set, Table};

use crate::rule_text;

/// A rule or set that names it.
pub(super) struct Named {
    /// `ip nat DOCKER: … -j DNAT --to-destination 172.17.0.2:80`.
    pub(super) text: String,
    /// It changes addresses.
    pub(super) translates: bool,
}

/// The rules of a table for which `names` holds, given their text.
pub(super) fn rules(table: &Table, names: impl Fn(&str) -> bool) -> Vec<Named> {
    let mut found = Vec::new();
    for chain in &table.chains {
        for rule in &chain.rules {
            let text = rule_text::rule_in(table, rule);
            if names(&text) {
                let place = format!("{} {} {}", table.family.as_str(), table.name, chain.name);
                let translates = translates(&text);
                found.push(Named { text: format!("{place}: {text}"), translates });
            }
        }
    }
    found
}

/// The named sets and maps of a table with such an element.
pub(super) fn sets(table: &Table, has: impl Fn(&[u8]) -> bool) -> Vec<Named> {
    /// NFT_SET_ANONYMOUS: it stands in its rule's text.
    const ANONYMOUS: u32 = 1;
    let holds = |set: &&Set| {
        set.elements.iter().any(|e| {
            let value = match &e.data {
                Some(Data::Value(bytes)) => Some(bytes.as_slice()),
                _ => None,
            };
            [e.key.as_deref(), value].into_iter().flatten().any(&has)
        })
    };
    let name = |set: &Set| {
        let what = if set.data_type.is_some() { "map" } else { "set" };
        format!("{} {}: {what} {} has it", table.family.as_str(), table.name, set.name)
    };
    let named = table.sets.iter().filter(|s| s.flags & ANONYMOUS == 0).filter(holds);
    named.map(|s| Named { text: name(s), translates: s.data_type.is_some() }).collect()
}

/// The entries of a set of ipset that have to do with a net; of many the first ones, and how many more
/// there are.
pub(super) fn ipset(set: &IpSet, wanted: IpNet) -> Vec<Named> {
    const MOST: usize = 3;
    let related = |net: IpNet| net.contains(&wanted) || wanted.contains(&net);
    let names = |(ip, prefix): (Option<IpAddr>, Option<u8>)| {
        let net = ip.and_then(|ip| match prefix {
            Some(length) => IpNet::new(ip, length).ok(),
            None => {
                IpNet::new(ip, set.options.netmask.unwrap_or(IpNet::from(ip).prefix_len())).ok()
            }
        });
        net.is_some_and(related)
    };
    let has = |e: &&IpSetEntry| names((e.ip, e.prefix)) || names((e.ip2, e.prefix2));
    let found: Vec<&IpSetEntry> = set.entries.iter().filter(has).collect();
    let named = |text| Named { text, translates: false };
    let mut all: Vec<Named> = found.iter().take(MOST).map(|e| named(entry(set, e))).collect();
    if let Some(more) = found.len().checked_sub(MOST).filter(|more| *more > 0) {
        all.push(named(format!("ipset {}: {more} more", set.name)));
    }
    all
}

/// `ipset guests (hash:net): 10.0.0.0/8 nomatch`.
pub(super) fn entry(set: &IpSet, entry: &IpSetEntry) -> String {
    format!("ipset {} ({}): {}", set.name, set.kind, wire::ipset_text::entry(set, entry))
}

fn translates(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "DNAT",
        "SNAT",
        "MASQUERADE",
        "REDIRECT",
        "NETMAP",
        "dnat",
        "snat",
        "masquerade",
        "redirect",
        "TPROXY",
    ];
    words(text).any(|w| WORDS.contains(&w))
}

/// Whether a rule's text names a net that has to do with `wanted`: that is in it, or that it is in.
pub(super) fn names_net(text: &str, wanted: IpNet) -> bool {
    let related = |net: IpNet| net.contains(&wanted) || wanted.contains(&net);
    words(text).flat_map(nets).any(related)
}

/// Whether a rule's text gives that port to something: as a destination port, or as a new one.
pub(super) fn names_port(text: &str, port: u16) -> bool {
    let list: Vec<&str> = words(text).collect();
    list.iter().enumerate().any(|(n, word)| {
        let before = n.checked_sub(1).map_or("", |b| list[b]);
        let after_dport =
            matches!(before, "--dport" | "--dports" | "dport" | "--to-ports" | "--ports");
        (after_dport && word.split(',').any(|w| in_range(w, port)))
            || word.rsplit_once(':').is_some_and(|(ip, p)| {
                (ip.is_empty() || address(ip).is_some()) && in_range(p, port)
            })
            || (is_in_set_of_ports(&list, n) && in_range(word, port))
    })
}

/// `dport { 80, 443 }`: the word is between braces that follow `dport`.
fn is_in_set_of_ports(list: &[&str], at: usize) -> bool {
    let before = &list[..at];
    let open = before.iter().rposition(|w| *w == "{");
    let closed = before.iter().rposition(|w| *w == "}");
    open.is_some_and(|o| closed < Some(o) && o > 0 && matches!(list[o - 1], "dport" | "!="))
}

/// Whether the protocol fits, where the text names one.
pub(super) fn names_protocol(text: &str, protocol: u8) -> bool {
    let others =
        ["tcp", "udp", "sctp"].into_iter().filter(|p| *p != super::port::protocol(protocol));
    let own = words(text).any(|w| w == super::port::protocol(protocol));
    own || !words(text).any(|w| others.clone().any(|o| o == w))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '"']).map(|w| w.trim_end_matches(',')).filter(|w| !w.is_empty())
}

/// `80`, `8000:8100`, `8000-8100`.
fn in_range(word: &str, port: u16) -> bool {
    let (first, last) = word.split_once([':', '-']).unwrap_or((word, word));
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) => (first..=last).contains(&port),
        _ => false,
    }
}

/// The nets that a word of a rule stands for: `10.0.0.1`, `10.0.0.0/8`, `10.0.0.1:80`,
/// `10.0.0.1-10.0.0.9`.
fn nets(word: &str) -> Vec<IpNet> {
    if let Some(net) = net(word) {
        return vec![net];
    }
    let ends: Vec<IpAddr> = word.split('-').filter_map(address).collect();
    match ends.as_slice() {
        [IpAddr::V4(a), IpAddr::V4(b)] => {
            ipnet::Ipv4Subnets::new(*a, *b, 0).map(IpNet::V4).collect()
        }
        [IpAddr::V6(a), IpAddr::V6(b)] => {
            ipnet::Ipv6Subnets::new(*a, *b, 0).map(IpNet::V6).collect()
        }
        one => one.iter().map(|ip| IpNet::from(*ip)).collect(),
    }
}

fn net(word: &str) -> Option<IpNet> {
    word.parse().ok().or_else(|| address(word).map(IpNet::from))
}

/// An address, with or without brackets and a port.
fn address(word: &str) -> Option<IpAddr> {
    if let Ok(ip) = word.parse() {
        return Some(ip);
    }
    if let Some((ip, _)) = word.strip_prefix('[').and_then(|w| w.split_once(']')) {
        return ip.parse().ok();
    }
    // Of IPv6, an address before a port stands in brackets.
    word.split_once(':').and_then(|(ip, _)| ip.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_rules() {
        let net = |t: &str| t.parse::<IpNet>().unwrap();
        let names = |text: &str, ip: &str| names_net(text, net(ip));
        let dnat = "! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80";
        assert!(names(dnat, "172.17.0.2/32"));
        assert!(!names(dnat, "172.17.0.22/32"));
        assert!(names("-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", "172.17.0.2/32"));
        assert!(names("ip daddr 10.0.0.1-10.0.0.9 drop", "10.0.0.4/32"));
        assert!(!names("ip daddr 10.0.0.1-10.0.0.9 drop", "10.0.0.10/32"));
        assert!(names("ip daddr { 10.0.0.1, 10.0.0.7 } dnat to 10.1.0.1:80", "10.0.0.7/32"));
        assert!(names("-d 172.17.0.2/32 -j ACCEPT", "172.17.0.0/16"));
        assert!(names("dnat ip6 to [fd00::2]:80", "fd00::2/128"));
        assert!(!names("iifname \"eth0\" accept", "0.0.0.0/0"));
    }

    #[test]
    fn ports_in_rules() {
        let dnat = "! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80";
        assert!(names_port(dnat, 8080) && names_port(dnat, 80) && !names_port(dnat, 808));
        assert!(names_port("-p tcp --dports 80,443,8000:8010 -j DNAT", 8003));
        assert!(names_port("tcp dport 8000-8010 redirect to :9000", 9000));
        assert!(names_port("tcp dport { 80, 443 } dnat to 10.0.0.1", 443));
        assert!(!names_port("tcp sport { 80, 443 } dnat to 10.0.0.1", 443));
        assert!(!names_port("ip saddr 10.0.0.1 meta mark 80 accept", 80));
        assert!(names_protocol(dnat, 6) && !names_protocol(dnat, 17));
        assert!(names_protocol("dnat to 10.0.0.1:80", 17));
    }
}
