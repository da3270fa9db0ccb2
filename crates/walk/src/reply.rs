//! What whoever a packet is for answers. How far it goes is known where it is sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::indexed::Place;
use crate::packet::tcp::{ACK, RST};
use crate::question::TTL;
use crate::skb::Skb;
use crate::{IcmpKind, Loss, Packet, Payload, Reason, icmp, icmp6};

/// The packet that answers this one, as its receiver makes it; None: none is due.
pub(crate) fn answer(skb: &Skb) -> Option<Packet> {
    let p = &skb.packet;
    // `tcp_v4_rcv` and `tcp_v6_rcv`: a frame to a group is not for this host (PACKET_HOST).
    if skb.is_to_many() && p.payload.protocol() == 6 {
        return None;
    }
    // Don't fragment is IPv4's.
    let df = !p.is_ipv6();
    // Only an echo's answer takes on the type of service.
    let (payload, len, df, tos) = match p.payload {
        Payload::Icmp { kind: IcmpKind::EchoRequest, id } => {
            (Payload::Icmp { kind: IcmpKind::EchoReply, id }, p.len, false, p.tos)
        }
        Payload::Tcp { sport, dport, flags } if flags & 0x12 == 2 => {
            (Payload::Tcp { sport: dport, dport: sport, flags: 0x12 }, p.len, df, 0)
        }
        Payload::Udp { sport, dport } => {
            (Payload::Udp { sport: dport, dport: sport }, p.len, df, 0)
        }
        // Within a connection, any segment may be acknowledged.
        Payload::Tcp { sport, dport, flags: ACK } => {
            let len = p.header_len() + 32;
            (Payload::Tcp { sport: dport, dport: sport, flags: ACK }, len, df, 0)
        }
        _ => return None,
    };
    // Of what was for many, the answer's source is chosen for it.
    let src = match p.dst {
        dst if !skb.to_many => dst,
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let dst = p.src;
    let ttl = TTL;
    Some(Packet { src_mac: None, dst_mac: None, src, dst, ttl, tos, df, len, payload, mss: None })
}

/// What the kernel answers for a port where nobody waits: `tcp_v4_send_reset`, or `icmp_send` with
/// port unreachable; and the same of IPv6.
pub(crate) fn refusal(skb: &Skb) -> Option<Packet> {
    if skb.to_many {
        return None;
    }
    let p = &skb.packet;
    let (src, dst) = (p.dst, p.src);
    let (payload, len, df, tos) = match p.payload {
        Payload::Tcp { sport, dport, flags } if flags & RST == 0 => {
            let len = p.header_len() + 20;
            let (df, tos) = if p.is_ipv6() { (false, p.tos & !3) } else { (true, p.tos) };
            // What acknowledges something is answered by that number, anything else is acknowledged.
            let flags = if flags & ACK != 0 { RST } else { RST | ACK };
            (Payload::Tcp { sport: dport, dport: sport, flags }, len, df, tos)
        }
        Payload::Udp { .. } => {
            let error = match p.is_ipv6() {
                true => icmp6::message(p, IcmpKind::Unreachable(icmp6::PORT_UNREACHABLE), TTL),
                false => icmp::message(p, IcmpKind::Unreachable(3), TTL),
            };
            (error.payload, error.len, error.df, error.tos)
        }
        _ => return None,
    };
    let ttl = TTL;
    Some(Packet { src_mac: None, dst_mac: None, src, dst, ttl, tos, df, len, payload, mss: None })
}

/// Whether nobody is to know that a namespace got a question that was for many (`icmp_rcv`,
/// `icmpv6_echo_reply`).
pub(crate) fn silent_to_many(walker_ns: &model::Namespace, packet: &Packet) -> bool {
    let echo = matches!(packet.payload, Payload::Icmp { kind: IcmpKind::EchoRequest, .. });
    let sysctls = &walker_ns.sysctls;
    echo && match packet.is_ipv6() {
        false => sysctls.icmp_echo_ignore_all || sysctls.icmp_echo_ignore_broadcasts,
        true => sysctls.ipv6_echo_ignore_all || sysctls.ipv6_echo_ignore_multicast,
    }
}

/// Where an answer is due and never made.
pub(crate) fn silent(place: &Place<'_>, skb: &Skb) -> Option<Loss> {
    let packet = &skb.packet;
    let echo = matches!(packet.payload, Payload::Icmp { kind: IcmpKind::EchoRequest, .. });
    let sysctls = &place.ns.sysctls;
    let ignores = match packet.is_ipv6() {
        false => sysctls.icmp_echo_ignore_all,
        true => {
            let anycast = skb.iif.is_some_and(|iif| place.anycast(packet.dst, iif));
            sysctls.ipv6_echo_ignore_all || anycast && sysctls.ipv6_echo_ignore_anycast
        }
    };
    (echo && ignores).then_some(Loss { ns: place.ns.id, link: None, reason: Reason::EchoIgnored })
}
