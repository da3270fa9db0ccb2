//! Expressions that ask elsewhere or make something up: `fib`, `rt`, `socket`, `exthdr`, `numgen`,
//! `hash`.

use model::{Expr, Exthdr, FibResult, HashOf, Reg, RtKey, SocketKey};

use crate::nft::attr::{Attrs, Writer};

/// NFTA_FIB_*: 1 register, 2 result, 3 flags.
pub(super) fn decode_fib(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3])?;
    let result = match attrs.u32(2)? {
        1 => FibResult::Oif,
        2 => FibResult::OifName,
        3 => FibResult::AddrType,
        _ => return None,
    };
    Some(Expr::Fib { result, flags: attrs.maybe_u32(3)?.unwrap_or(0), dreg: Reg(attrs.u32(1)?) })
}

/// NFTA_RT_*: 1 register, 2 key.
pub(super) fn decode_rt(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2])?;
    let key = match attrs.u32(2)? {
        0 => RtKey::Classid,
        1 => RtKey::Nexthop4,
        2 => RtKey::Nexthop6,
        3 => RtKey::TcpMss,
        4 => RtKey::Xfrm,
        n => RtKey::Other(n),
    };
    Some(Expr::Rt { key, dreg: Reg(attrs.u32(1)?) })
}

/// NFTA_SOCKET_*: 1 key, 2 register, 3 level.
pub(super) fn decode_socket(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3])?;
    let key = match attrs.u32(1)? {
        0 => SocketKey::Transparent,
        1 => SocketKey::Mark,
        2 => SocketKey::Wildcard,
        3 => SocketKey::CgroupV2,
        n => SocketKey::Other(n),
    };
    Some(Expr::Socket { key, level: attrs.maybe_u32(3)?, dreg: Reg(attrs.u32(2)?) })
}

/// NFTA_EXTHDR_*: 1 register, 2 type, 3 offset, 4 length, 5 flags, 6 operation, 7 source register.
/// With neither register, the option is removed.
pub(super) fn decode_exthdr(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3, 4, 5, 6, 7])?;
    let flags = attrs.maybe_u32(5)?.unwrap_or(0);
    let field = Exthdr {
        kind: attrs.u8(2)?,
        offset: attrs.maybe_u32(3)?.unwrap_or(0),
        len: attrs.maybe_u32(4)?.unwrap_or(0),
        op: attrs.maybe_u32(6)?.unwrap_or(0),
        present: (flags & !1 == 0).then_some(flags == 1)?,
    };
    match attrs.maybe_u32(1)? {
        Some(dreg) => Some(Expr::Exthdr { field, dreg: Reg(dreg) }),
        None => Some(Expr::ExthdrSet { field, sreg: attrs.maybe_u32(7)?.map(Reg) }),
    }
}

/// NFTA_NG_*: 1 register, 2 modulus, 3 type, 4 offset.
pub(super) fn decode_numgen(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3, 4])?;
    Some(Expr::Numgen {
        dreg: Reg(attrs.u32(1)?),
        modulus: attrs.u32(2)?,
        random: match attrs.u32(3)? {
            0 => false,
            1 => true,
            _ => return None,
        },
        offset: attrs.maybe_u32(4)?.unwrap_or(0),
    })
}

/// NFTA_HASH_*: 1 source, 2 destination, 3 length, 4 modulus, 5 seed, 6 offset, 7 type.
pub(super) fn decode_hash(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3, 4, 5, 6, 7])?;
    let of = match attrs.maybe_u32(7)?.unwrap_or(0) {
        0 => {
            let (sreg, len) = (Reg(attrs.u32(1)?), attrs.u32(3)?);
            HashOf::Register { sreg, len, seed: attrs.maybe_u32(5)? }
        }
        1 => HashOf::Flow,
        _ => return None,
    };
    let offset = attrs.maybe_u32(6)?.unwrap_or(0);
    Some(Expr::Hash { of, dreg: Reg(attrs.u32(2)?), modulus: attrs.u32(4)?, offset })
}

pub(super) fn encode(expr: &Expr, w: &mut Writer) {
    match expr {
        Expr::Fib { result, flags, dreg } => {
            w.u32(1, dreg.0);
            let result = match result {
                FibResult::Oif => 1,
                FibResult::OifName => 2,
                FibResult::AddrType => 3,
            };
            w.u32(2, result);
            w.u32(3, *flags);
        }
        Expr::Rt { key, dreg } => {
            w.u32(1, dreg.0);
            w.u32(2, rt_number(*key));
        }
        Expr::Socket { key, level, dreg } => {
            w.u32(1, socket_number(*key));
            w.u32(2, dreg.0);
            if let Some(level) = level {
                w.u32(3, *level);
            }
        }
        Expr::Exthdr { field, dreg } => {
            w.u32(1, dreg.0);
            encode_field(*field, w);
            w.u32(5, u32::from(field.present));
        }
        // The flags, which the kernel tells here too, are refused where a header is written.
        Expr::ExthdrSet { field, sreg } => {
            sreg.iter().for_each(|reg| w.u32(7, reg.0));
            encode_field(*field, w);
        }
        Expr::Numgen { dreg, modulus, random, offset } => {
            w.u32(1, dreg.0);
            w.u32(2, *modulus);
            w.u32(3, u32::from(*random));
            w.u32(4, *offset);
        }
        Expr::Hash { of, dreg, modulus, offset } => encode_hash(*of, *dreg, *modulus, *offset, w),
        _ => {}
    }
}

fn encode_field(field: Exthdr, w: &mut Writer) {
    w.u8(2, field.kind);
    w.u32(3, field.offset);
    w.u32(4, field.len);
    w.u32(6, field.op);
}

fn encode_hash(of: HashOf, dreg: Reg, modulus: u32, offset: u32, w: &mut Writer) {
    if let HashOf::Register { sreg, len, .. } = of {
        w.u32(1, sreg.0);
        w.u32(3, len);
    }
    w.u32(2, dreg.0);
    w.u32(4, modulus);
    if let HashOf::Register { seed: Some(seed), .. } = of {
        w.u32(5, seed);
    }
    w.u32(6, offset);
    w.u32(7, u32::from(of == HashOf::Flow));
}

const fn rt_number(key: RtKey) -> u32 {
    match key {
        RtKey::Classid => 0,
        RtKey::Nexthop4 => 1,
        RtKey::Nexthop6 => 2,
        RtKey::TcpMss => 3,
        RtKey::Xfrm => 4,
        RtKey::Other(n) => n,
    }
}

const fn socket_number(key: SocketKey) -> u32 {
    match key {
        SocketKey::Transparent => 0,
        SocketKey::Mark => 1,
        SocketKey::Wildcard => 2,
        SocketKey::CgroupV2 => 3,
        SocketKey::Other(n) => n,
    }
}
