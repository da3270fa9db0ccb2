//! What a frame says, as far as a way depends on it.

use std::net::Ipv4Addr;

use etherparse::{Icmpv4Type, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use model::Mac;
use walk::{IcmpKind, Leg, Packet, Payload};

use super::{Kind, Probe};

/// So much of a frame is looked at; all headers and the tag are within.
const MOST: usize = 256;
/// Flags and fragment offset of an IPv4 header behind an Ethernet header.
const FRAGMENT: std::ops::Range<usize> = 20..22;
/// The flag among them that stays.
const DONT_FRAGMENT: u8 = 0x40;

/// The packet in an Ethernet frame and which of the probe's it is; None if it is none of them.
#[must_use]
pub fn sighting(frame: &[u8], probe: &Probe) -> Option<(Packet, Leg)> {
    // What was received of it may be cut: lengths are taken from its headers.
    let mut bytes = frame[..frame.len().min(MOST)].to_vec();
    // A first fragment begins as the whole does; the decoder looks into unfragmented ones only.
    if let Some(fragment) = bytes.get_mut(FRAGMENT) {
        fragment[0] &= DONT_FRAGMENT;
        fragment[1] = 0;
    }
    let sliced = LaxSlicedPacket::from_ethernet(&bytes).ok()?;
    let Some(LaxNetSlice::Ipv4(ip)) = &sliced.net else { return None };
    let header = ip.header();
    let (payload, leg) = transport(sliced.transport.as_ref()?, probe)?;
    let packet = Packet {
        src_mac: frame.get(6..12).and_then(Mac::from_slice),
        dst_mac: frame.get(..6).and_then(Mac::from_slice),
        src: header.source_addr().into(),
        dst: header.destination_addr().into(),
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
    transport(LaxSlicedPacket::from_ip(packet).ok()?.transport.as_ref()?, probe)
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
        Icmpv4Type::DestinationUnreachable(why) if quotes(icmp.payload(), probe) => {
            (IcmpKind::Unreachable(why.code_u8()), 0, Leg::Error)
        }
        Icmpv4Type::TimeExceeded(_) if quotes(icmp.payload(), probe) => {
            (IcmpKind::TimeExceeded, 0, Leg::Error)
        }
        _ => return None,
    };
    Some((Payload::Icmp { kind: icmp_kind, id }, leg))
}

/// The packet that an ICMP error quotes has the tag where its protocol puts it.
fn quotes(payload: &[u8], probe: &Probe) -> bool {
    let header = payload.first().map_or(0, |first| usize::from(first & 0xf) * 4);
    let number = probe.tag.number();
    [(4, number), (8, number), (8, number.wrapping_add(1))].into_iter().any(|(offset, number)| {
        let behind = payload.get(header + offset..);
        behind.is_some_and(|behind| behind.starts_with(&number.to_be_bytes()))
    })
}

/// The address that an unset source is shown as.
pub(super) const ANY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::super::Tag;
    use super::*;

    fn probe(kind: Kind) -> Probe {
        let (src, dst) = (None, Ipv4Addr::new(10, 0, 0, 2));
        Probe {
            tag: Tag([1, 2, 3, 4, 5, 6, 7, 8]),
            kind,
            src,
            dst,
            ttl: None,
            tos: 0,
            mark: 0,
            df: false,
            len: 84,
        }
    }

    fn frame(kind: Kind, len: usize) -> Vec<u8> {
        let mut payload = vec![0; len];
        payload[..8].copy_from_slice(&probe(kind).tag.0);
        let ip = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
        let mut bytes = Vec::new();
        match kind {
            Kind::Udp(sport, dport) => ip.udp(sport, dport).write(&mut bytes, &payload),
            _ => ip.icmpv4_echo_request(7, 1).write(&mut bytes, &payload),
        }
        .unwrap();
        bytes
    }

    #[test]
    fn a_first_fragment_and_a_cut_frame_are_the_probe_too() {
        for kind in [Kind::Icmp(7), Kind::Udp(1000, 53)] {
            let mut bytes = frame(kind, 4000);
            bytes.truncate(14 + 1500);
            assert!(sighting(&bytes, &probe(kind)).is_some(), "cut");
            bytes[16..18].copy_from_slice(&1500u16.to_be_bytes());
            bytes[20] |= 0x20;
            let (packet, leg) = sighting(&bytes, &probe(kind)).unwrap();
            assert_eq!((packet.len, packet.df, leg), (1500, true, Leg::There), "fragment");
            assert!(answer(&frame(kind, 4000)[14..1000], &probe(kind)).is_some(), "by a socket");
        }
    }
}
