//! What a frame says, as far as a way depends on it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Mac;
use walk::{IcmpKind, Leg, Packet, Payload};

use super::{Kind, Probe};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// IEEE 802.1Q and 802.1ad: four bytes more before the type.
const TAGGED: [u16; 2] = [0x8100, 0x88a8];

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
/// IPv6's header of a fragment.
const FRAGMENT: u8 = 44;
const ICMPV6: u8 = 58;
const IPIP: u8 = 4;
const SIT: u8 = 41;
const GRE: u8 = 47;
/// EtherType of Ethernet within GRE.
const ETHERNET: u16 = 0x6558;

const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

/// The packet in an Ethernet frame and which of the probe's it is; None if it is none of them.
/// The frame may be cut: lengths are taken from its headers.
#[must_use]
pub fn sighting(frame: &[u8], probe: &Probe) -> Option<(Packet, Leg)> {
    let mut at = 12;
    while TAGGED.contains(&number(frame, at)?) {
        at += 4;
    }
    let kind = number(frame, at)?;
    let ip = Ip::of(frame.get(at + 2..)?).filter(|ip| kind == ip.kind())?;
    let (payload, leg) = ip.transport(probe).or_else(|| ip.carried(probe))?;
    let packet = Packet {
        src_mac: frame.get(6..12).and_then(Mac::from_slice),
        dst_mac: frame.get(..6).and_then(Mac::from_slice),
        ..ip.packet(payload)
    };
    Some((packet, leg))
}

/// The same of what a packet socket received. `bare`: by a link whose frames have no header.
pub(super) fn received(bytes: &[u8], bare: bool, probe: &Probe) -> Option<(Packet, Leg)> {
    if !bare {
        return sighting(bytes, probe);
    }
    let ip = Ip::of(bytes)?;
    let (payload, leg) = ip.transport(probe).or_else(|| ip.carried(probe))?;
    Some((ip.packet(payload), leg))
}

/// Which of the probe's an IP packet is, without its frame.
pub(super) fn answer(packet: &[u8], probe: &Probe) -> Option<(Payload, Leg)> {
    Ip::of(packet)?.transport(probe)
}

/// Which of the probe's a packet is that a socket of IPv6 gives without its header.
pub(super) fn answer_behind(protocol: u8, behind: &[u8], probe: &Probe) -> Option<(Payload, Leg)> {
    transport(protocol, behind, probe)
}

/// An IP packet, or its first fragment.
struct Ip<'a> {
    src: IpAddr,
    dst: IpAddr,
    ttl: u8,
    tos: u8,
    df: bool,
    len: u32,
    protocol: u8,
    /// Behind all headers of IP.
    behind: &'a [u8],
}

impl<'a> Ip<'a> {
    /// As a packet that carries that, without its frame.
    fn packet(&self, payload: Payload) -> Packet {
        let Self { src, dst, ttl, tos, df, len, .. } = *self;
        let mss = if let Payload::Tcp { .. } = payload { mss(self.behind) } else { None };
        Packet { src_mac: None, dst_mac: None, src, dst, ttl, tos, df, len, payload, mss }
    }

    fn of(packet: &'a [u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => Self::four(packet),
            6 => Self::six(packet),
            _ => None,
        }
    }

    fn four(packet: &'a [u8]) -> Option<Self> {
        const DONT_FRAGMENT: u16 = 0x4000;
        let header = packet.first_chunk::<20>()?;
        let fragment = number(packet, 6)?;
        let address = |at: usize| packet.get(at..at + 4)?.try_into().ok().map(<[u8; 4]>::into);
        let whole = Self {
            src: IpAddr::V4(address(12)?),
            dst: IpAddr::V4(address(16)?),
            ttl: header[8],
            tos: header[1],
            df: fragment & DONT_FRAGMENT != 0,
            len: number(packet, 2)?.into(),
            protocol: header[9],
            behind: packet.get(usize::from(header[0] & 0xf) * 4..)?,
        };
        (fragment & 0x1fff == 0).then_some(whole)
    }

    fn six(packet: &'a [u8]) -> Option<Self> {
        const HEADER: usize = 40;
        let header = packet.first_chunk::<HEADER>()?;
        let address = |at: usize| packet.get(at..at + 16)?.try_into().ok().map(<[u8; 16]>::into);
        let behind = packet.get(HEADER..)?;
        let (protocol, behind) = match header[6] {
            FRAGMENT if number(behind, 2)? >> 3 == 0 => (*behind.first()?, behind.get(8..)?),
            protocol => (protocol, behind),
        };
        Some(Self {
            src: IpAddr::V6(address(8)?),
            dst: IpAddr::V6(address(24)?),
            ttl: header[7],
            tos: header[0] << 4 | header[1] >> 4,
            df: false,
            len: u32::from(number(packet, 4)?) + 40,
            protocol,
            behind,
        })
    }

    const fn kind(&self) -> u16 {
        match self.src {
            IpAddr::V4(_) => IPV4,
            IpAddr::V6(_) => IPV6,
        }
    }

    /// The outer packet of a tunnel, by what is within.
    fn carried(&self, probe: &Probe) -> Option<(Payload, Leg)> {
        let inner = |packet: &[u8]| Some(Ip::of(packet)?.transport(probe)?.1);
        let leg = match self.protocol {
            UDP => {
                let frame = tunnelled(self.behind.get(8..)?)?;
                sighting(frame, probe)?.1
            }
            IPIP | SIT => inner(self.behind)?,
            GRE => match gre(self.behind)? {
                (ETHERNET, frame) => sighting(frame, probe)?.1,
                (_, packet) => inner(packet)?,
            },
            _ => return None,
        };
        let payload = match self.protocol {
            UDP => Payload::Udp { sport: number(self.behind, 0)?, dport: number(self.behind, 2)? },
            other => Payload::Other(other),
        };
        Some((payload, leg))
    }

    fn transport(&self, probe: &Probe) -> Option<(Payload, Leg)> {
        let six = matches!(self.src, IpAddr::V6(_));
        let same = six == probe.dst.is_ipv6();
        let own = self.protocol != if six { ICMP } else { ICMPV6 };
        // An error may be about a tunnel that carries the other family.
        let fits = |leg: Leg| own && (same || leg == Leg::Error);
        transport(self.protocol, self.behind, probe).filter(|(_, leg)| fits(*leg))
    }
}

/// The Ethernet frame behind a VXLAN header, or behind one of GENEVE.
fn tunnelled(payload: &[u8]) -> Option<&[u8]> {
    let header = payload.first_chunk::<8>()?;
    match header {
        [8, 0, 0, 0, .., 0] => payload.get(8..),
        [options, _, 0x65, 0x58, .., 0] => payload.get(8 + 4 * usize::from(options & 0x3f)..),
        _ => None,
    }
}

/// What GRE carries, by its EtherType.
fn gre(bytes: &[u8]) -> Option<(u16, &[u8])> {
    // Checksum, key and sequence number are four bytes each.
    let optional = (bytes.first()? & 0xb0).count_ones() as usize;
    Some((number(bytes, 2)?, bytes.get(4 + 4 * optional..)?))
}

/// How large segments may be, as the options of one with SYN say.
fn mss(tcp: &[u8]) -> Option<u16> {
    const END: u8 = 0;
    const PADDING: u8 = 1;
    const MSS: u8 = 2;
    let (flags, words) = (tcp.get(13)?, usize::from(tcp.get(12)? >> 4));
    let mut options = tcp.get(20..words * 4).filter(|_| flags & SYN != 0)?;
    loop {
        options = match *options {
            [] | [END, ..] => return None,
            [PADDING, ..] => &options[1..],
            [MSS, 4, a, b, ..] => return Some(u16::from_be_bytes([a, b])),
            [_, length, ..] if length > 1 => options.get(usize::from(length)..)?,
            _ => return None,
        };
    }
}

/// Two bytes in network order.
fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(number(bytes, at)?) << 16 | u32::from(number(bytes, at + 2)?))
}

fn transport(protocol: u8, bytes: &[u8], probe: &Probe) -> Option<(Payload, Leg)> {
    let (first, second) = (number(bytes, 0)?, number(bytes, 2)?);
    match (protocol, probe.kind) {
        (TCP, Kind::Tcp(..)) => {
            let flags = *bytes.get(13)?;
            let payload = Payload::Tcp { sport: first, dport: second, flags };
            if flags & probe.flags == probe.flags && word(bytes, 4)? == probe.tag.number() {
                return Some((payload, Leg::There));
            }
            // What acknowledged our number is answered by it.
            if flags == RST && probe.flags & ACK != 0 && word(bytes, 4)? == probe.tag.number() {
                return Some((payload, Leg::Back));
            }
            let answers = flags & ACK != 0 && flags & (SYN | RST) != 0;
            let acknowledges = word(bytes, 8)? == probe.tag.number().wrapping_add(1);
            (answers && acknowledges).then_some((payload, Leg::Back))
        }
        (UDP, Kind::Udp(sport, dport)) => {
            let payload = Payload::Udp { sport: first, dport: second };
            // The answer goes to the port that the probe came from, and comes from the one that it
            // went to; either may be translated on the way.
            let back = second == sport || first != sport && first == dport;
            let leg = if back { Leg::Back } else { Leg::There };
            bytes.get(8..)?.starts_with(&probe.tag.0).then_some((payload, leg))
        }
        (ICMP | ICMPV6, kind) => icmp(protocol == ICMPV6, bytes, kind, probe),
        _ => None,
    }
}

fn icmp(six: bool, bytes: &[u8], kind: Kind, probe: &Probe) -> Option<(Payload, Leg)> {
    let ([message, code, ..], id) = (*bytes.first_chunk::<4>()?, number(bytes, 4)?);
    let behind = bytes.get(8..)?;
    let tagged = matches!(kind, Kind::Icmp(_)) && behind.starts_with(&probe.tag.0);
    let kind = if six { message6(message, code)? } else { message4(message, code)? };
    let (id, leg) = match kind {
        IcmpKind::EchoRequest if tagged => (id, Leg::There),
        IcmpKind::EchoReply if tagged => (id, Leg::Back),
        IcmpKind::EchoRequest | IcmpKind::EchoReply => return None,
        IcmpKind::Redirect if six => {
            (redirected(behind).is_some_and(|b| quotes(b, probe))).then_some((0, Leg::Error))?
        }
        _ if quotes(behind, probe) => (0, Leg::Error),
        _ => return None,
    };
    Some((Payload::Icmp { kind, id }, leg))
}

/// The packet that a redirect is about: in an option behind its two addresses.
fn redirected(behind: &[u8]) -> Option<&[u8]> {
    const PACKET: u8 = 4;
    let mut options = behind.get(32..)?;
    loop {
        let [kind, length, ..] = *options else { return None };
        let length = usize::from(length).max(1) * 8;
        if kind == PACKET {
            return options.get(8..);
        }
        options = options.get(length..)?;
    }
}

const fn message4(message: u8, code: u8) -> Option<IcmpKind> {
    Some(match message {
        8 => IcmpKind::EchoRequest,
        0 => IcmpKind::EchoReply,
        3 => IcmpKind::Unreachable(code),
        5 => IcmpKind::Redirect,
        11 => IcmpKind::TimeExceeded,
        _ => return None,
    })
}

const fn message6(message: u8, code: u8) -> Option<IcmpKind> {
    Some(match message {
        128 => IcmpKind::EchoRequest,
        129 => IcmpKind::EchoReply,
        1 => IcmpKind::Unreachable(code),
        2 => IcmpKind::TooBig,
        3 => IcmpKind::TimeExceeded,
        137 => IcmpKind::Redirect,
        _ => return None,
    })
}

/// The packet that an ICMP error quotes has the tag where its protocol puts it; a redirect may be
/// about an error, which quotes it.
fn quotes(quoted: &[u8], probe: &Probe) -> bool {
    let tag = probe.tag.number();
    let Some(ip) = Ip::of(quoted) else { return false };
    let behind = ip.behind;
    [(4, tag), (8, tag), (8, tag.wrapping_add(1))]
        .into_iter()
        .any(|(at, number)| word(behind, at) == Some(number))
        || ip.carried(probe).is_some()
        || ip.protocol == ICMPV6
            && matches!(behind, [1..=4, ..])
            && behind.get(8..).is_some_and(|quoted| quotes(quoted, probe))
}

/// The address of that family that an unset source is shown as.
pub(super) const fn any(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

#[cfg(test)]
mod tests {
    use etherparse::{PacketBuilder, PacketBuilderStep};

    use super::super::Tag;
    use super::*;

    fn probe(kind: Kind, dst: &str) -> Probe {
        Probe {
            to_many: false,
            flags: SYN,
            tag: Tag([1, 2, 3, 4, 5, 6, 7, 8]),
            kind,
            src: None,
            dst: dst.parse().unwrap(),
            ttl: None,
            tos: 0,
            mark: 0,
            bound: None,
            df: false,
            len: 84,
        }
    }

    fn payload(len: usize) -> Vec<u8> {
        let mut payload = vec![0; len];
        payload[..8].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
        payload
    }

    fn ethernet() -> PacketBuilderStep<etherparse::Ethernet2Header> {
        PacketBuilder::ethernet2([2; 6], [4; 6])
    }

    fn frame(kind: Kind, len: usize) -> Vec<u8> {
        let ip = ethernet().ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
        let mut bytes = Vec::new();
        match kind {
            Kind::Udp(sport, dport) => ip.udp(sport, dport).write(&mut bytes, &payload(len)),
            _ => ip.icmpv4_echo_request(7, 1).write(&mut bytes, &payload(len)),
        }
        .unwrap();
        bytes
    }

    fn frame6(kind: Kind, len: usize) -> Vec<u8> {
        let ip = ethernet().ipv6([1; 16], [2; 16], 63);
        let mut bytes = Vec::new();
        match kind {
            Kind::Udp(sport, dport) => ip.udp(sport, dport).write(&mut bytes, &payload(len)),
            Kind::Tcp(sport, dport) => {
                ip.tcp(sport, dport, 0x0102_0304, 1).syn().write(&mut bytes, &[])
            }
            Kind::Icmp(id) => ip.icmpv6_echo_request(id, 1).write(&mut bytes, &payload(len)),
        }
        .unwrap();
        bytes
    }

    /// The same as a first fragment.
    fn fragment6(frame: &[u8]) -> Vec<u8> {
        let mut bytes = frame[..54].to_vec();
        let protocol = std::mem::replace(&mut bytes[20], FRAGMENT);
        bytes.extend([protocol, 0, 0, 1, 0, 0, 0, 9]);
        bytes.extend(&frame[54..]);
        bytes
    }

    #[test]
    fn a_first_fragment_and_a_cut_frame_are_the_probe_too() {
        for kind in [Kind::Icmp(7), Kind::Udp(1000, 53)] {
            let probe = probe(kind, "10.0.0.2");
            let mut bytes = frame(kind, 4000);
            bytes.truncate(14 + 1500);
            assert!(sighting(&bytes, &probe).is_some(), "cut");
            bytes[16..18].copy_from_slice(&1500u16.to_be_bytes());
            bytes[20] |= 0x20;
            let (packet, leg) = sighting(&bytes, &probe).unwrap();
            assert_eq!((packet.len, packet.df, leg), (1500, true, Leg::There), "fragment");
            bytes[21] = 1;
            assert_eq!(sighting(&bytes, &probe), None, "a later fragment");
            assert!(answer(&frame(kind, 4000)[14..1000], &probe).is_some(), "by a socket");
        }
    }

    #[test]
    fn an_answer_is_known_by_either_port() {
        let probe = probe(Kind::Udp(1000, 53), "10.0.0.2");
        for (sport, dport, leg) in [
            (1000, 53, Leg::There),
            (53, 1000, Leg::Back),
            // Its source port is translated.
            (7000, 53, Leg::There),
            (53, 7000, Leg::Back),
            // Its destination's is.
            (1000, 8053, Leg::There),
            (8053, 1000, Leg::Back),
        ] {
            let bytes = frame(Kind::Udp(sport, dport), 84);
            assert_eq!(sighting(&bytes, &probe).unwrap().1, leg, "{sport} to {dport}");
        }
    }

    #[test]
    fn packets_of_ipv6_are_known_whole_and_in_parts() {
        for kind in [Kind::Icmp(7), Kind::Udp(1000, 53), Kind::Tcp(1000, 80)] {
            let probe = probe(kind, "2001:db8::2");
            let whole = frame6(kind, 100);
            let (packet, leg) = sighting(&whole, &probe).unwrap();
            assert_eq!((packet.ttl, leg), (63, Leg::There));
            assert_eq!(packet.len as usize, whole.len() - 14);
            assert!(packet.src.is_ipv6() && packet.dst.is_ipv6());
            let mut part = fragment6(&whole);
            assert_eq!(sighting(&part, &probe).unwrap().1, Leg::There, "a first fragment");
            part[56] = 1;
            assert_eq!(sighting(&part, &probe), None, "a later fragment");
            assert_eq!(sighting(&whole, &self::probe(kind, "10.0.0.2")), None, "another family");
        }
    }

    /// An ICMPv6 message of that type and code, with `body` behind its first eight bytes.
    fn message6_of(type_u8: u8, code_u8: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let message = etherparse::Icmpv6Type::Unknown { type_u8, code_u8, bytes5to8: [0; 4] };
        let ip = ethernet().ipv6([3; 16], [1; 16], 64);
        ip.icmpv6(message).write(&mut bytes, body).unwrap();
        bytes
    }

    #[test]
    fn a_redirect_quotes_an_error_that_quotes_the_probe() {
        let kind = Kind::Udp(1000, 53);
        let error = message6_of(1, 4, &frame6(kind, 60)[14..]);
        for address in [&[][..], &[2, 1, 2, 0, 0, 0, 0, 3]] {
            let option = [4, 0, 0, 0, 0, 0, 0, 0];
            let body = [&[0; 32], address, &option, &error[14..]].concat();
            let (packet, leg) =
                sighting(&message6_of(137, 0, &body), &probe(kind, "2001:db8::2")).unwrap();
            assert_eq!(leg, Leg::Error);
            assert_eq!(packet.payload, Payload::Icmp { kind: IcmpKind::Redirect, id: 0 });
        }
    }

    #[test]
    fn an_error_of_ipv6_quotes_the_probe() {
        for kind in [Kind::Icmp(7), Kind::Udp(1000, 53), Kind::Tcp(1000, 80)] {
            let probe = probe(kind, "2001:db8::2");
            for quoted in [frame6(kind, 60), fragment6(&frame6(kind, 60))] {
                let bytes = message6_of(1, 4, &quoted[14..]);
                let (packet, leg) = sighting(&bytes, &probe).unwrap();
                assert_eq!(leg, Leg::Error);
                let kind = IcmpKind::Unreachable(4);
                assert_eq!(packet.payload, Payload::Icmp { kind, id: 0 });
            }
        }
    }
}
