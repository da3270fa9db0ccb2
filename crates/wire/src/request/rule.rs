//! Routing rules.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{Rule, RuleAction};
use netlink_packet_core::DefaultNla;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::rule::{
    RuleAction as Act, RuleAttribute, RuleFlags, RuleMessage, RulePortRange, RuleUidRange,
};

/// RTM_NEWRULE or RTM_DELRULE. What a rule asks for and this model does not know is left
/// out.
#[must_use]
pub fn rule(rule: &Rule) -> RuleMessage {
    let mut message = RuleMessage::default();
    let header = &mut message.header;
    header.family = if rule.ipv6 { AddressFamily::Inet6 } else { AddressFamily::Inet };
    header.dst_len = rule.dst.map_or(0, |net| net.prefix_len());
    header.src_len = rule.src.map_or(0, |net| net.prefix_len());
    header.tos = rule.tos;
    header.action = match rule.action {
        RuleAction::Table(_) | RuleAction::Vrf => Act::ToTable,
        RuleAction::Goto(_) => Act::Goto,
        RuleAction::Nop => Act::Nop,
        RuleAction::Blackhole => Act::Blackhole,
        RuleAction::Unreachable => Act::Unreachable,
        RuleAction::Prohibit => Act::Prohibit,
    };
    if rule.invert {
        header.flags |= RuleFlags::Invert;
    }
    message.attributes = attributes(rule);
    message
}

/// What the library has no name for.
const FRA_DSCP: u16 = 25;
const FRA_SPORT_MASK: u16 = 28;
const FRA_DPORT_MASK: u16 = 29;

fn attributes(rule: &Rule) -> Vec<RuleAttribute> {
    let mut all = vec![RuleAttribute::Priority(rule.priority)];
    let address = |net: IpNet| -> IpAddr { net.addr() };
    all.extend(rule.src.map(|net| RuleAttribute::Source(address(net))));
    all.extend(rule.dst.map(|net| RuleAttribute::Destination(address(net))));
    all.extend(rule.iif.clone().map(RuleAttribute::Iifname));
    all.extend(rule.oif.clone().map(RuleAttribute::Oifname));
    if let Some((mark, mask)) = rule.mark {
        all.extend([RuleAttribute::FwMark(mark), RuleAttribute::FwMask(mask)]);
    }
    all.extend(rule.protocol.map(|p| RuleAttribute::IpProtocol(p.into())));
    let range = |(start, end)| RulePortRange { start, end };
    all.extend(rule.sport.map(|ports| RuleAttribute::SourcePortRange(range(ports))));
    all.extend(rule.dport.map(|ports| RuleAttribute::DestinationPortRange(range(ports))));
    all.extend(rule.uids.map(|(start, end)| RuleAttribute::UidRange(RuleUidRange { start, end })));
    let other = |kind, value: &[u8]| RuleAttribute::Other(DefaultNla::new(kind, value.to_vec()));
    all.extend(rule.dscp.map(|dscp| other(FRA_DSCP, &[dscp])));
    all.extend(rule.port_masks.0.map(|mask| other(FRA_SPORT_MASK, &mask.to_ne_bytes())));
    all.extend(rule.port_masks.1.map(|mask| other(FRA_DPORT_MASK, &mask.to_ne_bytes())));
    all.extend(rule.tunnel.map(RuleAttribute::TunId));
    // The model counts one more, so that none is 0.
    let length = rule.suppress_prefixlength.and_then(|n| n.checked_sub(1));
    all.extend(length.map(RuleAttribute::SuppressPrefixLen));
    all.extend(rule.suppress_ifgroup.map(RuleAttribute::SuppressIfGroup));
    match rule.action {
        RuleAction::Table(table) => all.push(RuleAttribute::Table(table)),
        RuleAction::Vrf => all.push(RuleAttribute::L3MDev(true)),
        RuleAction::Goto(priority) => all.push(RuleAttribute::Goto(priority)),
        _ => {}
    }
    all
}
