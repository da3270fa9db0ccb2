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
pub(super) const NAMES: [&str; 11] = [
    "addrtype",
    "comment",
    "conntrack",
    "icmp",
    "mac",
    "mark",
    "multiport",
    "physdev",
    "state",
    "tcp",
    "udp",
];

/// The match of that name.
pub(super) fn find(name: &str) -> Option<Box<dyn Extension>> {
    Some(match name {
        "addrtype" => Box::new(addrtype::Addrtype::default()),
        "comment" => Box::new(comment::Comment::default()),
        "conntrack" => Box::new(conntrack::Conntrack::default()),
        "state" => Box::new(conntrack::State::default()),
        "icmp" => Box::new(icmp::Icmp::default()),
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
        _ => None,
    }
}

/// The protocol that a match cannot do without.
pub(super) fn needs(name: &str) -> Option<(u8, &'static str)> {
    match name {
        "icmp" => Some((1, "icmp")),
        "tcp" => Some((6, "tcp")),
        "udp" => Some((17, "udp")),
        _ => None,
    }
}

/// A match that has that option.
pub(super) fn owner(option: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|name| find(name).is_some_and(|m| m.options().contains(&option)))
}

fn xt(name: &str, revision: u32, info: XtInfo) -> Vec<Expr> {
    vec![Expr::Match(Xt { name: name.to_owned(), revision, info })]
}
