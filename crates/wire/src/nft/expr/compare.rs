//! Expressions that test a register: `cmp`, `range`, `lookup`; and those that change it:
//! `bitwise`, `byteorder`.

use model::{CmpOp, Expr, Reg};

use crate::nft::attr::{Attrs, Writer};
use crate::nft::set::SetIds;

const DATA_VALUE: u16 = 1;

const CMP_SREG: u16 = 1;
const CMP_OP: u16 = 2;
const CMP_DATA: u16 = 3;

const RANGE_SREG: u16 = 1;
const RANGE_OP: u16 = 2;
const RANGE_FROM: u16 = 3;
const RANGE_TO: u16 = 4;

const BITWISE_SREG: u16 = 1;
const BITWISE_DREG: u16 = 2;
const BITWISE_LEN: u16 = 3;
const BITWISE_MASK: u16 = 4;
const BITWISE_XOR: u16 = 5;
const BITWISE_OP: u16 = 6;
const BITWISE_DATA: u16 = 7;

const LOOKUP_SET: u16 = 1;
const LOOKUP_SREG: u16 = 2;
const LOOKUP_DREG: u16 = 3;
const LOOKUP_SET_ID: u16 = 4;
const LOOKUP_FLAGS: u16 = 5;
const LOOKUP_INVERT: u32 = 1;

fn value(attrs: &Attrs<'_>, kind: u16) -> Option<Vec<u8>> {
    let nest = attrs.nest(kind)?;
    nest.only(&[DATA_VALUE])?;
    nest.get(DATA_VALUE).map(<[u8]>::to_vec)
}

fn encode_value(kind: u16, bytes: &[u8], w: &mut Writer) {
    w.nest(kind, |w| w.bytes(DATA_VALUE, bytes));
}

pub(super) fn decode_cmp(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[CMP_SREG, CMP_OP, CMP_DATA])?;
    Some(Expr::Cmp {
        sreg: Reg(attrs.u32(CMP_SREG)?),
        op: op(attrs.u32(CMP_OP)?)?,
        data: value(attrs, CMP_DATA)?,
    })
}

pub(super) fn decode_range(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[RANGE_SREG, RANGE_OP, RANGE_FROM, RANGE_TO])?;
    let op = op(attrs.u32(RANGE_OP)?)?;
    Some(Expr::Range {
        sreg: Reg(attrs.u32(RANGE_SREG)?),
        op: matches!(op, CmpOp::Eq | CmpOp::Neq).then_some(op)?,
        from: value(attrs, RANGE_FROM)?,
        to: value(attrs, RANGE_TO)?,
    })
}

pub(super) fn decode_bitwise(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3, 4, 5, 6, 7])?;
    let (sreg, dreg) = (Reg(attrs.u32(BITWISE_SREG)?), Reg(attrs.u32(BITWISE_DREG)?));
    let len = attrs.u32(BITWISE_LEN)?;
    // Mask-and-xor is 0, which iptables leaves out. Those between two registers have no type.
    match attrs.maybe_u32(BITWISE_OP)?.unwrap_or(0) {
        0 => {
            let (mask, xor) = (value(attrs, BITWISE_MASK)?, value(attrs, BITWISE_XOR)?);
            Some(Expr::Bitwise { sreg, dreg, len, mask, xor })
        }
        op @ 1..=2 => {
            let by = u32::from_ne_bytes(value(attrs, BITWISE_DATA)?.try_into().ok()?);
            Some(Expr::Shift { sreg, dreg, len, right: op == 2, by })
        }
        _ => None,
    }
}

pub(super) fn decode_byteorder(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3, 4, 5])?;
    Some(Expr::Byteorder {
        sreg: Reg(attrs.u32(1)?),
        dreg: Reg(attrs.u32(2)?),
        to_host: match attrs.u32(3)? {
            0 => true,
            1 => false,
            _ => return None,
        },
        len: attrs.u32(4)?,
        size: attrs.u32(5)?,
    })
}

pub(super) fn decode_lookup(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[LOOKUP_SET, LOOKUP_SREG, LOOKUP_DREG, LOOKUP_SET_ID, LOOKUP_FLAGS])?;
    let flags = attrs.maybe_u32(LOOKUP_FLAGS)?.unwrap_or(0);
    Some(Expr::Lookup {
        set: attrs.text(LOOKUP_SET)?,
        sreg: Reg(attrs.u32(LOOKUP_SREG)?),
        dreg: attrs.maybe_u32(LOOKUP_DREG)?.map(Reg),
        invert: (flags & !LOOKUP_INVERT == 0).then_some(flags == LOOKUP_INVERT)?,
    })
}

pub(super) fn encode(expr: &Expr, w: &mut Writer) {
    match expr {
        Expr::Cmp { sreg, op, data } => {
            w.u32(CMP_SREG, sreg.0);
            w.u32(CMP_OP, op_number(*op));
            encode_value(CMP_DATA, data, w);
        }
        Expr::Range { sreg, op, from, to } => {
            w.u32(RANGE_SREG, sreg.0);
            w.u32(RANGE_OP, op_number(*op));
            encode_value(RANGE_FROM, from, w);
            encode_value(RANGE_TO, to, w);
        }
        Expr::Bitwise { sreg, dreg, len, mask, xor } => {
            w.u32(BITWISE_SREG, sreg.0);
            w.u32(BITWISE_DREG, dreg.0);
            w.u32(BITWISE_LEN, *len);
            encode_value(BITWISE_MASK, mask, w);
            encode_value(BITWISE_XOR, xor, w);
        }
        Expr::Shift { sreg, dreg, len, right, by } => {
            w.u32(BITWISE_SREG, sreg.0);
            w.u32(BITWISE_DREG, dreg.0);
            w.u32(BITWISE_LEN, *len);
            w.u32(BITWISE_OP, if *right { 2 } else { 1 });
            encode_value(BITWISE_DATA, &by.to_ne_bytes(), w);
        }
        Expr::Byteorder { sreg, dreg, to_host, len, size } => {
            w.u32(1, sreg.0);
            w.u32(2, dreg.0);
            w.u32(3, u32::from(!to_host));
            w.u32(4, *len);
            w.u32(5, *size);
        }
        _ => {}
    }
}

pub(super) fn encode_lookup(
    (set, ids): (&str, &SetIds),
    sreg: Reg,
    dreg: Option<Reg>,
    invert: bool,
    w: &mut Writer,
) {
    let made_here = ids.get(set);
    w.u32(LOOKUP_SREG, sreg.0);
    if let Some(dreg) = dreg {
        w.u32(LOOKUP_DREG, dreg.0);
    }
    w.text(LOOKUP_SET, made_here.map_or(set, |(_, name)| name));
    if let Some((id, _)) = made_here {
        w.u32(LOOKUP_SET_ID, id);
    }
    if invert {
        w.u32(LOOKUP_FLAGS, LOOKUP_INVERT);
    }
}

const fn op(number: u32) -> Option<CmpOp> {
    Some(match number {
        0 => CmpOp::Eq,
        1 => CmpOp::Neq,
        2 => CmpOp::Lt,
        3 => CmpOp::Lte,
        4 => CmpOp::Gt,
        5 => CmpOp::Gte,
        _ => return None,
    })
}

const fn op_number(op: CmpOp) -> u32 {
    match op {
        CmpOp::Eq => 0,
        CmpOp::Neq => 1,
        CmpOp::Lt => 2,
        CmpOp::Lte => 3,
        CmpOp::Gt => 4,
        CmpOp::Gte => 5,
    }
}
