use std::net::Ipv4Addr;

use model::{XtInfo, XtNatRange};

use super::bytes::{Reader, Writer};

/// NF_NAT_RANGE_MAP_IPS.
const ADDRESSES: u32 = 1;
/// NF_NAT_RANGE_PROTO_SPECIFIED.
const PORTS: u32 = 2;

/// nf_nat_ipv4_multi_range_compat: a count, always 1, and one range. Addresses and ports are in
/// network byte order.
pub(super) fn decode_compat(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    if r.u32()? != 1 {
        return None;
    }
    let flags = r.u32()?;
    let addr = (Ipv4Addr::from(r.array::<4>()?), Ipv4Addr::from(r.array::<4>()?));
    let port = (r.be16()?, r.be16()?);
    Some(XtInfo::Nat(range(flags, addr, port, 0)))
}

pub(super) fn encode_compat(range: &XtNatRange, w: &mut Writer) {
    let (first, last) = range.addr.unwrap_or((Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED));
    let (low, high) = range.port.unwrap_or_default();
    w.u32(1);
    w.u32(range.flags);
    w.bytes(&first.octets());
    w.bytes(&last.octets());
    w.be16(low);
    w.be16(high);
}

/// nf_nat_range2: addresses in 16 bytes each, of which IPv4 takes the first four. (One of IPv6 does
/// not come out the same again, and so stays opaque.)
pub(super) fn decode_range2(bytes: &[u8]) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let flags = r.u32()?;
    let first = Ipv4Addr::from(r.array::<4>()?);
    let _rest = r.array::<12>()?;
    let last = Ipv4Addr::from(r.array::<4>()?);
    let _rest = r.array::<12>()?;
    let port = (r.be16()?, r.be16()?);
    Some(XtInfo::Nat(range(flags, (first, last), port, r.be16()?)))
}

pub(super) fn encode_range2(range: &XtNatRange, w: &mut Writer) {
    let (first, last) = range.addr.unwrap_or((Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED));
    let (low, high) = range.port.unwrap_or_default();
    w.u32(range.flags);
    for address in [first, last] {
        w.bytes(&address.octets());
        w.bytes(&[0; 12]);
    }
    w.be16(low);
    w.be16(high);
    w.be16(range.base_port);
}

fn range(flags: u32, addr: (Ipv4Addr, Ipv4Addr), port: (u16, u16), base_port: u16) -> XtNatRange {
    XtNatRange {
        flags,
        addr: (flags & ADDRESSES != 0).then_some(addr),
        port: (flags & PORTS != 0).then_some(port),
        base_port,
    }
}
