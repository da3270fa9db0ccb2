//! The matches that a rule may ask for with `-m`.

mod addrtype;
mod comment;
mod conntrack;
mod icmp;
mod mac;
mod mark;
mod multiport;
mod physdev;
mod ports;

use model::{Expr, Xt, XtInfo};

use super::parser::Extension;

/// All of them.
pub(super) const NAMES: [&str; 12] = [
    "addrtype",
    "comment",
    "conntrack",
    "icmp",
    "icmp6",
    "mac",
    "mark",
    "multiport",
    "physdev",
    "state",
    "tcp",
    "udp",
];

/// The match of that name in iptables, or ip6tables.
pub(super) fn find(name: &str, ipv6: bool) -> Option<Box<dyn Extension>> {
    Some(match name {
        "addrtype" => Box::new(addrtype::Addrtype::default()),
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
