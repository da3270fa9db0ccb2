use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{Expr, XtInfo, XtNatRange};

use super::bytes::{Reader, Writer};

/// NF_NAT_RANGE_MAP_IPS.
const ADDRESSES: u32 = 1;
/// NF_NAT_RANGE_PROTO_SPECIFIED.
const PORTS: u32 = 2;

/// Revision 0: of IPv4 `nf_nat_ipv4_multi_range_compat`, a count, always 1, and one range; of IPv6
/// `nf_nat_range`. Addresses and ports are in network byte order.
pub(super) fn decode_first(bytes: &[u8]) -> Option<XtInfo> {
    const OF_IPV6: usize = 40;
    if bytes.len() == OF_IPV6 {
        return decode_range(bytes, false, true);
    }
    let mut r = Reader(bytes);
    if r.u32()? != 1 {
        return None;
    }
    let flags = r.u32()?;
    let addr = (r.array::<4>()?.into(), r.array::<4>()?.into());
    let port = (r.be16()?, r.be16()?);
    Some(XtInfo::Nat(range(flags, false, addr, port, 0)))
}

/// `nf_nat_range`, and with one port more `nf_nat_range2`: addresses in 16 bytes each, of which
/// IPv4 takes the first four. Whose they are, the struct does not say ([`of_ipv6`]).
pub(super) fn decode_range(bytes: &[u8], base: bool, ipv6: bool) -> Option<XtInfo> {
    let mut r = Reader(bytes);
    let flags = r.u32()?;
    let (first, last) = (r.array::<16>()?, r.array::<16>()?);
    let port = (r.be16()?, r.be16()?);
    let base = if base { r.be16()? } else { 0 };
    let ipv6 = ipv6 || first[4..].iter().chain(&last[4..]).any(|byte| *byte != 0);
    let address = |bytes: [u8; 16]| match ipv6 {
        true => IpAddr::from(bytes),
        false => IpAddr::from([bytes[0], bytes[1], bytes[2], bytes[3]]),
    };
    Some(XtInfo::Nat(range(flags, ipv6, (address(first), address(last)), port, base)))
}

/// Reads what a rule of IPv6 says as such, where the struct alone did not tell: addresses that are
/// all zeros behind their first four bytes, or none at all.
pub(crate) fn of_ipv6(expr: &mut Expr) {
    let Expr::Target(xt) = expr else { return };
    let XtInfo::Nat(range) = &mut xt.info else { return };
    if range.ipv6 || xt.revision == 0 {
        return;
    }
    range.ipv6 = true;
    let longer = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&ip.octets());
            IpAddr::from(bytes)
        }
        six @ IpAddr::V6(_) => six,
    };
    range.addr = range.addr.map(|(first, last)| (longer(first), longer(last)));
}

pub(super) fn encode(range: &XtNatRange, revision: u32, w: &mut Writer) {
    let none = match range.ipv6 {
        true => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        false => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    let (first, last) = range.addr.unwrap_or((none, none));
    let (low, high) = range.port.unwrap_or_default();
    let compat = revision == 0 && !range.ipv6;
    if compat {
        w.u32(1);
    }
    w.u32(range.flags);
    for address in [first, last] {
        match address {
            IpAddr::V4(ip) => w.bytes(&ip.octets()),
            IpAddr::V6(ip) => w.bytes(&ip.octets()),
        }
        if address.is_ipv4() && !compat {
            w.bytes(&[0; 12]);
        }
    }
    w.be16(low);
    w.be16(high);
    if revision == 2 {
        w.be16(range.base_port);
    }
}

fn range(
    flags: u32,
    ipv6: bool,
    addr: (IpAddr, IpAddr),
    port: (u16, u16),
    base_port: u16,
) -> XtNatRange {
    XtNatRange {
        flags,
        ipv6,
        addr: (flags & ADDRESSES != 0).then_some(addr),
        port: (flags & PORTS != 0).then_some(port),
        base_port,
    }
}
