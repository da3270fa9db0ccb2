//! Expressions that do something beside deciding: `log`, `last`, `dup`, `fwd`, `objref`, `dynset`.

use model::{Expr, ObjectKind, Reg, SetOp};

use super::{decode_list, encode_all};
use crate::nft::attr::{Attrs, Writer};
use crate::nft::set::SetIds;

/// NFTA_LOG_*: 1 group, 2 prefix, 3 length, 4 threshold, 5 level, 6 flags.
pub(super) fn decode_log(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3, 4, 5, 6])?;
    Some(Expr::Log {
        group: attrs.u16(1),
        prefix: attrs.text(2),
        snaplen: attrs.maybe_u32(3)?,
        threshold: attrs.u16(4),
        level: attrs.maybe_u32(5)?,
        flags: attrs.maybe_u32(6)?,
    })
}

pub(super) fn decode_notrack(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[])?;
    Some(Expr::Notrack)
}

/// NFTA_DUP_*: 1 address, 2 link.
pub(super) fn decode_dup(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2])?;
    Some(Expr::Dup { addr: attrs.maybe_u32(1)?.map(Reg), dev: attrs.maybe_u32(2)?.map(Reg) })
}

/// NFTA_FWD_*: 1 link, 2 address, 3 its family.
pub(super) fn decode_fwd(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3])?;
    let addr = match (attrs.maybe_u32(2)?, attrs.maybe_u32(3)?) {
        (Some(reg), Some(family)) => Some((Reg(reg), family)),
        (None, _) => None,
        (Some(_), None) => return None,
    };
    Some(Expr::Fwd { dev: Reg(attrs.u32(1)?), addr })
}

/// NFTA_OBJREF_*: 1 type and 2 name of one; 3 register, 4 name and 5 id of a map.
pub(super) fn decode_objref(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3, 4, 5])?;
    match attrs.maybe_u32(3)? {
        Some(sreg) => Some(Expr::ObjectMap { sreg: Reg(sreg), set: attrs.text(4)? }),
        None => Some(Expr::Object { kind: object_kind(attrs.u32(1)?), name: attrs.text(2)? }),
    }
}

/// NFTA_DYNSET_*: 1 name, 2 id, 3 operation, 4 key, 5 value, 6 timeout, 7 one expression, 8 padding,
/// 9 flags, 10 several expressions.
pub(super) fn decode_dynset(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10])?;
    Some(Expr::Dynset {
        set: attrs.text(1)?,
        op: match attrs.u32(3)? {
            0 => SetOp::Add,
            1 => SetOp::Update,
            2 => SetOp::Delete,
            _ => return None,
        },
        key: Reg(attrs.u32(4)?),
        data: attrs.maybe_u32(5)?.map(Reg),
        timeout: attrs.u64(6),
        // That it has a list of expressions (2) follows from there being more than one.
        flags: attrs.maybe_u32(9)?.unwrap_or(0) & !DYNSET_LIST,
        exprs: decode_list(attrs, 7, 10)?,
    })
}

/// NFT_DYNSET_F_EXPR.
const DYNSET_LIST: u32 = 2;

pub(super) fn encode(expr: &Expr, sets: &SetIds, w: &mut Writer) {
    match expr {
        Expr::Log { prefix, group, snaplen, threshold, level, flags } => {
            group.iter().for_each(|n| w.u16(1, *n));
            prefix.iter().for_each(|text| w.text(2, text));
            snaplen.iter().for_each(|n| w.u32(3, *n));
            threshold.iter().for_each(|n| w.u16(4, *n));
            level.iter().for_each(|n| w.u32(5, *n));
            flags.iter().for_each(|n| w.u32(6, *n));
        }
        Expr::Dup { addr, dev } => {
            addr.iter().for_each(|reg| w.u32(1, reg.0));
            dev.iter().for_each(|reg| w.u32(2, reg.0));
        }
        Expr::Fwd { dev, addr } => {
            w.u32(1, dev.0);
            if let Some((reg, family)) = addr {
                w.u32(2, reg.0);
                w.u32(3, *family);
            }
        }
        Expr::Object { kind, name } => {
            w.u32(1, object_number(*kind));
            w.text(2, name);
        }
        Expr::ObjectMap { sreg, set } => {
            w.u32(3, sreg.0);
            written_set(set, sets, (4, 5), w);
        }
        Expr::Dynset { set, op, key, data, timeout, flags, exprs } => {
            written_set(set, sets, (1, 2), w);
            w.u32(3, *op as u32);
            w.u32(4, key.0);
            data.iter().for_each(|reg| w.u32(5, reg.0));
            // The kernel tells 0 of every rule, and takes it for no set but one with timeouts.
            timeout.iter().filter(|ms| **ms != 0).for_each(|ms| w.u64(6, *ms));
            let several = exprs.len() > 1;
            w.u32(9, flags | if several { DYNSET_LIST } else { 0 });
            encode_all(exprs, 7, 10, sets, w);
        }
        _ => {}
    }
}

/// A set of the same batch is named by its number there, too.
fn written_set(set: &str, sets: &SetIds, (name, id): (u16, u16), w: &mut Writer) {
    let made_here = sets.get(set);
    w.text(name, made_here.map_or(set, |(_, name)| name));
    if let Some((number, _)) = made_here {
        w.u32(id, number);
    }
}

const KINDS: [(u32, ObjectKind); 10] = [
    (1, ObjectKind::Counter),
    (2, ObjectKind::Quota),
    (3, ObjectKind::CtHelper),
    (4, ObjectKind::Limit),
    (5, ObjectKind::Connlimit),
    (6, ObjectKind::Tunnel),
    (7, ObjectKind::CtTimeout),
    (8, ObjectKind::Secmark),
    (9, ObjectKind::CtExpectation),
    (10, ObjectKind::Synproxy),
];

fn object_kind(number: u32) -> ObjectKind {
    KINDS.iter().find(|(n, _)| *n == number).map_or(ObjectKind::Other(number), |(_, kind)| *kind)
}

fn object_number(kind: ObjectKind) -> u32 {
    match kind {
        ObjectKind::Other(n) => n,
        kind => KINDS.iter().find(|(_, k)| *k == kind).map_or(0, |(n, _)| *n),
    }
}
