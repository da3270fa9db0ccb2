use model::{AddrTypes, Mac, XtAddrtype, XtInfo};

use super::bytes::{Reader, Writer};

/// IFNAMSIZ.
const NAME: usize = 16;
/// XT_MAX_COMMENT_LEN.
const COMMENT: usize = 256;
/// XT_MULTI_PORTS.
const PORTS: usize = 15;

/// xt_addrtype_info_v1.
pub(super) fn decode_addrtype(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let (src, dst) = (AddrTypes(r.u16()?), AddrTypes(r.u16()?));
    Some(XtInfo::Addrtype(XtAddrtype { src, dst, flags: r.u32()? }))
}

pub(super) fn encode_addrtype(addrtype: XtAddrtype, w: &mut Writer) {
    w.u16(addrtype.src.0);
    w.u16(addrtype.dst.0);
    w.u32(addrtype.flags);
}

/// xt_comment_info.
pub(super) fn decode_comment(bytes: &[u8]) -> Option<XtInfo> {
    Reader(bytes).text::<COMMENT>().map(XtInfo::Comment)
}

pub(super) fn encode_comment(text: &str, w: &mut Writer) {
    w.field(text.as_bytes(), COMMENT);
}

/// xt_tcp: ports in the host's byte order, option, mask, compare, inversions.
pub(super) fn decode_tcp(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let (sport, dport) = ((r.u16()?, r.u16()?), (r.u16()?, r.u16()?));
    let tcp = Some((r.u8()?, r.u8()?, r.u8()?));
    Some(XtInfo::Ports { sport, dport, invert: r.u8()?, tcp })
}

/// xt_udp.
pub(super) fn decode_udp(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let (sport, dport) = ((r.u16()?, r.u16()?), (r.u16()?, r.u16()?));
    Some(XtInfo::Ports { sport, dport, invert: r.u8()?, tcp: None })
}

pub(super) fn encode_ports(
    sport: (u16, u16),
    dport: (u16, u16),
    invert: u8,
    tcp: Option<(u8, u8, u8)>,
    w: &mut Writer,
) {
    for port in [sport.0, sport.1, dport.0, dport.1] {
        w.u16(port);
    }
    if let Some((option, mask, compare)) = tcp {
        w.bytes(&[option, mask, compare]);
    }
    w.bytes(&[invert]);
}

/// ipt_icmp.
pub(super) fn decode_icmp(bytes: &[u8]) -> Option<XtInfo> {
    let [kind, first, last, invert] = Reader(bytes).array()?;
    Some(XtInfo::Icmp { kind, codes: (first, last), invert: invert == 1 })
}

/// xt_multiport_v1: which, count, 15 ports, for each whether a range begins there, inverted.
pub(super) fn decode_multiport(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let (which, count) = (r.u8()?, usize::from(r.u8()?));
    let mut numbers = [0; PORTS];
    for port in &mut numbers {
        *port = r.u16()?;
    }
    let begins = r.array::<PORTS>()?;
    let invert = r.u8()? == 1;
    let mut ports = Vec::new();
    let mut at = 0;
    while at < count {
        let last = if *begins.get(at)? == 1 { Some(*numbers.get(at + 1)?) } else { None };
        ports.push((*numbers.get(at)?, last));
        at += 1 + usize::from(last.is_some());
    }
    Some(XtInfo::Multiport { which, ports, invert })
}

pub(super) fn encode_multiport(
    which: u8,
    ports: &[(u16, Option<u16>)],
    invert: bool,
    w: &mut Writer,
) {
    let mut numbers = Vec::new();
    let mut begins = Vec::new();
    for (first, last) in ports {
        numbers.push(*first);
        begins.push(u8::from(last.is_some()));
        if let Some(last) = last {
            numbers.push(*last);
            begins.push(0);
        }
    }
    w.bytes(&[which, u8::try_from(numbers.len()).unwrap_or(u8::MAX)]);
    numbers.resize(PORTS, 0);
    begins.resize(PORTS, 0);
    numbers.into_iter().for_each(|n| w.u16(n));
    w.bytes(&begins);
    w.bytes(&[u8::from(invert)]);
}

/// xt_physdev_info: name and mask, in and out; inversions, and what is asked.
pub(super) fn decode_physdev(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let (physin, wild_in) = decode_device(&mut r)?;
    let (physout, wild_out) = decode_device(&mut r)?;
    let (invert, bitmask) = (r.u8()?, r.u8()?);
    Some(XtInfo::Physdev { physin, physout, wildcard: (wild_in, wild_out), invert, bitmask })
}

/// A name and its mask: the mask does not cover the `+` of a wildcard, nor the NUL that follows.
fn decode_device(r: &mut Reader<'_>) -> Option<(Option<String>, bool)> {
    let name = r.text::<NAME>()?;
    let _mask = r.array::<NAME>()?;
    Some(match name.strip_suffix('+') {
        _ if name.is_empty() => (None, false),
        Some(stem) => (Some(stem.to_owned()), true),
        None => (Some(name), false),
    })
}

pub(super) fn encode_device(name: Option<&str>, wildcard: bool, w: &mut Writer) {
    let name = name.unwrap_or_default().as_bytes();
    let mut written = name.to_vec();
    if wildcard {
        written.push(b'+');
    }
    w.field(&written, NAME);
    let covered = match (name.len(), wildcard) {
        (len, true) => len,
        (0, false) => 0,
        (len, false) => len + 1,
    };
    let mask: Vec<u8> = (0..NAME).map(|n| if n < covered { 0xff } else { 0 }).collect();
    w.bytes(&mask);
}

/// xt_mac_info.
pub(super) fn decode_mac(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let mac = Mac(r.array()?);
    let _gap = r.array::<2>()?;
    Some(XtInfo::MacSource { mac, invert: r.u32()? == 1 })
}

/// xt_mark_mtinfo1.
pub(super) fn decode_mark(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    Some(XtInfo::Mark { mark: r.u32()?, mask: r.u32()?, invert: r.u8()? == 1 })
}
