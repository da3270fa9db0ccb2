//! RTM_NEWRULE → [`Rule`].

use std::net::IpAddr;

use ipnet::IpNet;
use model::{Rule, RuleAction};

use super::attr::{Attr, attrs_behind, u16_at, u32_at};
use super::message::Message;

const RTM_NEWRULE: u16 = 32;
/// Length of `struct fib_rule_hdr`.
const HEADER: usize = 12;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_IIFNAME: u16 = 3;
const FRA_GOTO: u16 = 4;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_TUN_ID: u16 = 12;
const FRA_SUPPRESS_IFGROUP: u16 = 13;
const FRA_SUPPRESS_PREFIXLEN: u16 = 14;
const FRA_TABLE: u16 = 15;
const FRA_FWMASK: u16 = 16;
const FRA_OIFNAME: u16 = 17;
const FRA_L3MDEV: u16 = 19;
const FRA_UID_RANGE: u16 = 20;
const FRA_IP_PROTO: u16 = 22;
const FRA_SPORT_RANGE: u16 = 23;
const FRA_DPORT_RANGE: u16 = 24;
const FRA_DSCP: u16 = 25;
const FRA_FLOWLABEL: u16 = 26;
const FRA_SPORT_MASK: u16 = 28;
const FRA_DPORT_MASK: u16 = 29;
const FIB_RULE_INVERT: u32 = 2;

/// The rule that a message tells of; None: it is no RTM_NEWRULE of IP, or cut short.
#[must_use]
pub fn rule(message: &Message<'_>) -> Option<Rule> {
    let header = *message.body.first_chunk::<HEADER>()?;
    let [family, dst_len, src_len, tos, table, _, _, action, ..] = header;
    if message.kind != RTM_NEWRULE || !matches!(family, AF_INET | AF_INET6) {
        return None;
    }
    let find = |kind| attrs_behind(message.body, HEADER).find(|a| a.kind == kind);
    let number = |kind| find(kind).and_then(Attr::u32);
    let net = |kind, length| prefix(find(kind)?.ip()?, length);
    let mask_of = |kind| find(kind).and_then(Attr::u16).filter(|mask| *mask != u16::MAX);
    let mask = number(FRA_FWMASK).unwrap_or(u32::MAX);
    Some(Rule {
        ipv6: family == AF_INET6,
        priority: number(FRA_PRIORITY).unwrap_or_default(),
        src: net(FRA_SRC, src_len),
        dst: net(FRA_DST, dst_len),
        iif: find(FRA_IIFNAME).map(Attr::text),
        oif: find(FRA_OIFNAME).map(Attr::text),
        mark: number(FRA_FWMARK).filter(|_| mask != 0).map(|mark| (mark, mask)),
        tos,
        protocol: find(FRA_IP_PROTO).and_then(Attr::u8),
        sport: find(FRA_SPORT_RANGE).and_then(ports),
        dport: find(FRA_DPORT_RANGE).and_then(ports),
        port_masks: (mask_of(FRA_SPORT_MASK), mask_of(FRA_DPORT_MASK)),
        dscp: find(FRA_DSCP).and_then(Attr::u8),
        uids: find(FRA_UID_RANGE).and_then(uids),
        tunnel: find(FRA_TUN_ID).and_then(tunnel),
        invert: u32_at(&header, 8)? & FIB_RULE_INVERT != 0,
        suppress_prefixlength: number(FRA_SUPPRESS_PREFIXLEN).and_then(|l| l.checked_add(1)),
        suppress_ifgroup: number(FRA_SUPPRESS_IFGROUP).filter(|group| *group != u32::MAX),
        unknown: attrs_behind(message.body, HEADER).filter_map(unmodelled).collect(),
        action: match action {
            1 if find(FRA_L3MDEV).is_some_and(Attr::flag) => RuleAction::Vrf,
            1 => RuleAction::Table(number(FRA_TABLE).unwrap_or_else(|| table.into())),
            2 => RuleAction::Goto(number(FRA_GOTO).unwrap_or_default()),
            6 => RuleAction::Blackhole,
            7 => RuleAction::Unreachable,
            8 => RuleAction::Prohibit,
            _ => RuleAction::Nop,
        },
    })
}

fn prefix(ip: IpAddr, length: u8) -> Option<IpNet> {
    IpNet::new(ip, length).ok()
}

/// `struct fib_rule_port_range`.
fn ports(attr: Attr<'_>) -> Option<(u16, u16)> {
    Some((u16_at(attr.value, 0)?, u16_at(attr.value, 2)?))
}

/// `struct fib_rule_uid_range`; None: all users.
fn uids(attr: Attr<'_>) -> Option<(u32, u32)> {
    Some((u32_at(attr.value, 0)?, u32_at(attr.value, 4)?)).filter(|range| *range != (0, u32::MAX))
}

/// In the byte order of the network.
fn tunnel(attr: Attr<'_>) -> Option<u64> {
    let bytes: [u8; 8] = attr.value.try_into().ok()?;
    Some(u64::from_be_bytes(bytes)).filter(|id| *id != 0)
}

/// The name of a selector that the model does not have.
fn unmodelled(attr: Attr<'_>) -> Option<String> {
    let name = match attr.kind {
        FRA_FLOWLABEL => "flowlabel",
        n if n > FRA_DPORT_MASK + 1 => return Some(format!("selector {n}")),
        _ => return None,
    };
    Some(name.to_owned())
}
