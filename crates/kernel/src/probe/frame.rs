//! What a frame says, as far as a way depends on it.

use std::net::Ipv4Addr;

use etherparse::{Icmpv4Type, NetSlice, SlicedPacket, TransportSlice};
use model::Mac;
use walk::{IcmpKind, Leg, Packet, Payload};

use super::{Kind, Probe};

/// The packet in an Ethernet frame and which of the probe's it is; None if it is none of them.
#[must_use]
pub fn sighting(frame: &[u8], probe: &Probe) -> Option<(Packet, Leg)> {
    // A frame longer than what was received of it is cut: lengths are taken from its headers.
    let sliced = SlicedPacket::from_ethernet(frame)
        .or_else(|_| SlicedPacket::from_ethernet(&frame[..frame.len().min(1514)]))
        .ok()?;
    let Some(NetSlice::Ipv4(ip)) = &sliced.net else { return None };
    let header = ip.header();
    let (payload, leg) = transport(sliced.transport.as_ref()?, probe)?;
    let packet = Packet {
        src_mac: frame.get(6..12).and_then(Mac::from_slice),
        dst_mac: frame.get(..6).and_then(Mac::from_slice),
        src: header.source_addr(),
        dst: header.destination_addr(),
        ttl: header.ttl(),
        tos: header.dcp().value() << 2 | header.ecn().value(),
        df: header.dont_fragment(),
        len: u32::from(header.total_len()),
        payload,
    };
    Some((packet, leg))
}

/// Which of the probe's an IP packet is, without its frame.
pub(super) fn answer(packet: &[u8], probe: &Probe) -> Option<(Payload, Leg)> {
    transport(SlicedPacket::from_ip(packet).ok()?.transport.as_ref()?, probe)
}

fn transport(slice: &TransportSlice<'_>, probe: &Probe) -> Option<(Payload, Leg)> {
    let tag = probe.tag;
    match (slice, probe.kind) {
        (TransportSlice::Tcp(tcp), Kind::Tcp(..)) => {
            let flags = tcp.slice().get(13).copied().unwrap_or(0);
            let payload =
                Payload::Tcp { sport: tcp.source_port(), dport: tcp.destination_port(), flags };
            if tcp.syn() && tcp.sequence_number() == tag.number() {
                return Some((payload, Leg::There));
            }
            let answers = tcp.ack() && (tcp.syn() || tcp.rst());
            let acknowledges = tcp.acknowledgment_number() == tag.number().wrapping_add(1);
            (answers && acknowledges).then_some((payload, Leg::Back))
        }
        (TransportSlice::Udp(udp), Kind::Udp(sport, _)) => {
            let payload = Payload::Udp { sport: udp.source_port(), dport: udp.destination_port() };
            // The answer goes to the port that the probe came from, whatever became of the other.
            let back = udp.destination_port() == sport;
            udp.payload()
                .starts_with(&tag.0)
                .then_some((payload, if back { Leg::Back } else { Leg::There }))
        }
        (TransportSlice::Icmpv4(icmp), kind) => icmp_leg(icmp, kind, probe),
        _ => None,
    }
}

fn icmp_leg(
    icmp: &etherparse::Icmpv4Slice<'_>,
    kind: Kind,
    probe: &Probe,
) -> Option<(Payload, Leg)> {
    let tagged = icmp.payload().starts_with(&probe.tag.0);
    let (icmp_kind, id, leg) = match icmp.icmp_type() {
        Icmpv4Type::EchoRequest(echo) if tagged && matches!(kind, Kind::Icmp(_)) => {
            (IcmpKind::EchoRequest, echo.id, Leg::There)
        }
        Icmpv4Type::EchoReply(echo) if tagged && matches!(kind, Kind::Icmp(_)) => {
            (IcmpKind::EchoReply, echo.id, Leg::Back)
        }
        Icmpv4Type::DestinationUnreachable(why) => {
            (IcmpKind::Unreachable(why.code_u8()), 0, Leg::Error)
        }
        Icmpv4Type::TimeExceeded(_) => (IcmpKind::TimeExceeded, 0, Leg::Error),
        _ => return None,
    };
    Some((Payload::Icmp { kind: icmp_kind, id }, leg))
}

/// The address that an unset source is shown as.
pub(super) const ANY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;
