//! `rules:`, with the words of `ip rule`.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{Rule, RuleAction};

use super::{Fields, flag, link_name, number, route, text};
use crate::error::{Errors, Problem};
use crate::node::{Node, Said};

const KEYS: &[&str] = &[
    "pref",
    "from",
    "to",
    "iif",
    "oif",
    "fwmark",
    "tos",
    "ipproto",
    "sport",
    "dport",
    "dscp",
    "uidrange",
    "not",
    "suppress_prefixlength",
    "suppress_ifgroup",
    "table",
    "goto",
    "type",
];

/// One entry of `rules:`, or of `rules6:`.
pub(super) fn rule(node: &Node, ipv6: bool, errors: &mut Errors) -> Option<Said<Rule>> {
    let before = errors.len();
    let fields = Fields::open(node, "a rule", KEYS, errors)?;
    let pref = fields.needed("pref", "rules are asked in its order, and known by it", errors)?;
    // 0 and the last (two) are the kernel's own.
    let priority = number(pref, "pref", (1, 32765), errors)?;
    let name = |key: &'static str, errors: &mut Errors| {
        fields.get(key).and_then(|n| link_name(n, key, errors)).map(|said| said.what)
    };
    let small = |key: &'static str, errors: &mut Errors| {
        fields
            .get(key)
            .and_then(|n| number(n, key, (0, 255), errors))
            .and_then(|n| u8::try_from(n).ok())
    };
    let range = |key: &'static str, errors: &mut Errors| {
        fields.get(key).and_then(|n| ports(n, key, errors))
    };
    let (sport, dport) = (range("sport", errors), range("dport", errors));
    let longest = if ipv6 { 128 } else { 32 };
    let rule = Rule {
        ipv6,
        priority,
        src: fields.get("from").and_then(|n| network(n, "from", ipv6, errors)),
        dst: fields.get("to").and_then(|n| network(n, "to", ipv6, errors)),
        iif: name("iif", errors),
        oif: name("oif", errors),
        mark: fields.get("fwmark").and_then(|n| mark(n, errors)),
        tos: small("tos", errors).unwrap_or(0),
        protocol: fields.get("ipproto").and_then(|n| protocol(n, errors)),
        sport: sport.map(|p| p.0),
        dport: dport.map(|p| p.0),
        port_masks: (sport.and_then(|p| p.1), dport.and_then(|p| p.1)),
        dscp: small("dscp", errors),
        uids: fields.get("uidrange").and_then(|n| users(n, errors)),
        tunnel: None,
        invert: fields.get("not").and_then(|n| flag(n, "not", errors)).unwrap_or(false),
        suppress_prefixlength: fields
            .get("suppress_prefixlength")
            .and_then(|n| number(n, "suppress_prefixlength", (0, longest), errors))
            .map(|n| n + 1),
        suppress_ifgroup: fields
            .get("suppress_ifgroup")
            .and_then(|n| number(n, "suppress_ifgroup", (0, i32::MAX as u32), errors)),
        unknown: Vec::new(),
        action: action(&fields, node, errors)?,
    };
    (errors.len() == before).then(|| Said::new(node.at, rule))
}

/// `table:`, `goto:` or `type:`, and only one of them.
fn action(fields: &Fields<'_>, node: &Node, errors: &mut Errors) -> Option<RuleAction> {
    match (fields.get("table"), fields.get("goto"), fields.get("type")) {
        (Some(table), None, None) => route::table(table, errors).map(RuleAction::Table),
        (None, Some(goto), None) => number(goto, "goto", (1, 32767), errors).map(RuleAction::Goto),
        (None, None, Some(kind)) => {
            let said = text(kind, "type", errors)?;
            match said.what.as_str() {
                "nop" => Some(RuleAction::Nop),
                "blackhole" => Some(RuleAction::Blackhole),
                "unreachable" => Some(RuleAction::Unreachable),
                "prohibit" => Some(RuleAction::Prohibit),
                _ => bad(
                    &said,
                    "rule type",
                    "there are blackhole, unreachable, prohibit and nop",
                    errors,
                ),
            }
        }
        _ => {
            let (of, key) = ("a rule".to_owned(), "table");
            let why = "it says what to do: one of `table:`, `goto:` and `type:`";
            errors.push(node.at, Problem::MissingKey { of, key, why });
            None
        }
    }
}

fn network(node: &Node, of: &'static str, ipv6: bool, errors: &mut Errors) -> Option<IpNet> {
    let said = text(node, of, errors)?;
    let net = said.what.parse::<IpAddr>().map(IpNet::from).or_else(|_| said.what.parse());
    match net {
        Ok(net) if net.trunc() == net && matches!(net, IpNet::V6(_)) == ipv6 => Some(net),
        _ if ipv6 => bad(&said, of, "an IPv6 network is wanted, as in 2001:db8::/32", errors),
        _ => bad(
            &said,
            of,
            "an IPv4 network is wanted, as in 10.0.0.0/8 (rules of IPv6 stand in `rules6:`)",
            errors,
        ),
    }
}

/// `1` or `0x1/0xff`.
fn mark(node: &Node, errors: &mut Errors) -> Option<(u32, u32)> {
    let said = text(node, "fwmark", errors)?;
    let one = |word: &str| match word.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    };
    let found = match said.what.split_once('/') {
        Some((mark, mask)) => one(mark).zip(one(mask).filter(|mask| *mask != 0)),
        None => one(&said.what).map(|mark| (mark, u32::MAX)),
    };
    found.or_else(|| bad(&said, "fwmark", "MARK or MARK/MASK is wanted, as in 0x1/0xff", errors))
}

/// `1000-1999`.
fn users(node: &Node, errors: &mut Errors) -> Option<(u32, u32)> {
    let said = text(node, "uidrange", errors)?;
    let range = said.what.split_once('-').unwrap_or((&said.what, &said.what));
    match (range.0.parse(), range.1.parse()) {
        (Ok(first), Ok(last)) if first <= last => Some((first, last)),
        _ => bad(&said, "uidrange", "a range of user ids is wanted, as in 1000-1999", errors),
    }
}

/// `80`, `80-90`, or `80/0xff`: a number, and which of its bits count.
#[allow(clippy::type_complexity, reason = "private, and taken apart at once")]
fn ports(node: &Node, of: &'static str, errors: &mut Errors) -> Option<((u16, u16), Option<u16>)> {
    let said = text(node, of, errors)?;
    if let Some((port, mask)) = said.what.split_once('/') {
        let number = |word: &str| match word.strip_prefix("0x") {
            Some(hex) => u16::from_str_radix(hex, 16).ok(),
            None => word.parse().ok(),
        };
        return match (number(port), number(mask)) {
            (Some(port), Some(mask)) if port != 0 && mask != 0 => {
                Some(((port, port), Some(mask).filter(|mask| *mask != u16::MAX)))
            }
            _ => bad(&said, of, "PORT/MASK is wanted, as in 80/0xff", errors),
        };
    }
    let (first, last) = said.what.split_once('-').unwrap_or((&said.what, &said.what));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if 0 < first && first <= last => Some(((first, last), None)),
        _ => bad(&said, of, "a port or a range is wanted, as in 80-90", errors),
    }
}

fn protocol(node: &Node, errors: &mut Errors) -> Option<u8> {
    let said = text(node, "ipproto", errors)?;
    match said.what.as_str() {
        "icmp" => Some(1),
        "tcp" => Some(6),
        "udp" => Some(17),
        "ipv6-icmp" => Some(58),
        other => other.parse().ok().or_else(|| {
            bad(&said, "ipproto", "icmp, tcp, udp, ipv6-icmp or a number is wanted", errors)
        }),
    }
}

fn bad<T>(said: &Said<String>, what: &'static str, hint: &str, errors: &mut Errors) -> Option<T> {
    let (found, hint) = (said.what.clone(), hint.to_owned());
    errors.push(said.at, Problem::BadValue { what, found, hint });
    None
}
