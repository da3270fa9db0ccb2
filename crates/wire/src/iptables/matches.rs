//! The matches that a rule may ask for with `-m`.

mod addrtype;
mod comment;
mod conntrack;
mod counted;
mod icmp;
mod iprange;
mod mac;
mod mark;
mod multiport;
mod owner;
mod physdev;
mod plain;
mod ports;
mod set;
mod statistic;

use model::{Expr, Xt, XtInfo};

use self::plain::{Kind, Plain};
use super::parser::Extension;

/// All of them.
pub(super) const NAMES: [&str; 26] = [
    "addrtype",
    "comment",
    "connmark",
    "conntrack",
    "dscp",
    "hashlimit",
    "hl",
    "icmp",
    "icmp6",
    "iprange",
    "length",
    "limit",
    "mac",
    "mark",
    "multiport",
    "owner",
    "physdev",
    "pkttype",
    "recent",
    "set",
    "state",
    "statistic",
    "tcp",
    "tos",
    "ttl",
    "udp",
];

/// The match of that name in iptables, or ip6tables.
pub(super) fn find(name: &str, ipv6: bool) -> Option<Box<dyn Extension>> {
    Some(match name {
        "addrtype" => Box::new(addrtype::Addrtype::default()),
        "connmark" => Box::new(Plain::new(Kind::Connmark)),
        "dscp" => Box::new(Plain::new(Kind::Dscp)),
        "hl" if ipv6 => Box::new(Plain::new(Kind::HopLimit)),
        "length" => Box::new(Plain::new(Kind::Length)),
        "pkttype" => Box::new(Plain::new(Kind::PktType)),
        "tos" => Box::new(Plain::new(Kind::Tos)),
        "ttl" if !ipv6 => Box::new(Plain::new(Kind::Ttl)),
        "hashlimit" => Box::new(counted::HashLimit::new(ipv6)),
        "limit" => Box::new(counted::Limit::default()),
        "recent" => Box::new(counted::Recent::default()),
        "iprange" => Box::new(iprange::IpRange::new(ipv6)),
        "owner" => Box::new(owner::Owner::default()),
        "set" => Box::new(set::Set::default()),
        "statistic" => Box::new(statistic::Statistic::default()),
        "comment" => Box::new(comment::Comment::default()),
        "conntrack" => Box::new(conntrack::Conntrack::new(ipv6)),
        "state" => Box::new(conntrack::State::default()),
        "icmp" if !ipv6 => Box::new(icmp::Icmp::new(false)),
        "icmp6" | "icmpv6" | "ipv6-icmp" if ipv6 => Box::new(icmp::Icmp::new(true)),
        "mac" => Box::new(mac::MacSource::default()),
        "mark" => Box::new(mark::Mark::default()),
        "multiport" => Box::new(multiport::Multiport::default()),
        "physdev" => Box::new(physdev::Physdev::default()),
        "tcp" => Box::new(ports::Tcp::default()),
        "udp" => Box::new(ports::Udp::default()),
        _ => return None,
    })
}

/// The match that a protocol's options ask for by themselves.
pub(super) const fn own(protocol: u8) -> Option<&'static str> {
    match protocol {
        1 => Some("icmp"),
        6 => Some("tcp"),
        17 => Some("udp"),
        58 => Some("icmp6"),
        _ => None,
    }
}

/// The protocol that a match cannot do without.
pub(super) fn needs(name: &str) -> Option<(u8, &'static str)> {
    match name {
        "icmp" => Some((1, "icmp")),
        "tcp" => Some((6, "tcp")),
        "udp" => Some((17, "udp")),
        "icmp6" | "icmpv6" | "ipv6-icmp" => Some((58, "ipv6-icmp")),
        _ => None,
    }
}

/// A match that has that option.
pub(super) fn owner(option: &str) -> Option<&'static str> {
    let has = |name: &&str, ipv6| find(name, ipv6).is_some_and(|m| m.options().contains(&option));
    NAMES.into_iter().find(|name| has(name, false) || has(name, true))
}

fn xt(name: &str, revision: u32, info: XtInfo) -> Vec<Expr> {
    vec![Expr::Match(Xt { name: name.to_owned(), revision, info })]
}
