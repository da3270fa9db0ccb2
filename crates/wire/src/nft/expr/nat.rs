//! Native targets: `nat`, `masq`, `redir`, `reject`.

use model::{Expr, NatKind, Reg};

use crate::nft::attr::{Attrs, Writer};
use crate::nft::{family, family_number};

const NAT_TYPE: u16 = 1;
const NAT_FAMILY: u16 = 2;
const NAT_ADDR_MIN: u16 = 3;
const NAT_ADDR_MAX: u16 = 4;
const NAT_PORT_MIN: u16 = 5;
const NAT_PORT_MAX: u16 = 6;
const NAT_FLAGS: u16 = 7;

const MASQ_FLAGS: u16 = 1;
const MASQ_PORT_MIN: u16 = 2;
const MASQ_PORT_MAX: u16 = 3;

const REDIR_PORT_MIN: u16 = 1;
const REDIR_PORT_MAX: u16 = 2;
const REDIR_FLAGS: u16 = 3;

const REJECT_TYPE: u16 = 1;
const REJECT_CODE: u16 = 2;

/// First and last register.
type Registers = Option<(Reg, Option<Reg>)>;

/// The kernel says the first register again where only one was given.
fn registers(attrs: &Attrs<'_>, min: u16, max: u16) -> Option<Registers> {
    let last = attrs.maybe_u32(max)?;
    Some(match attrs.maybe_u32(min)? {
        None if last.is_some() => return None,
        None => None,
        Some(first) => Some((Reg(first), last.filter(|last| *last != first).map(Reg))),
    })
}

fn encode_registers(registers: Registers, min: u16, max: u16, w: &mut Writer) {
    let Some((first, last)) = registers else { return };
    w.u32(min, first.0);
    if let Some(last) = last {
        w.u32(max, last.0);
    }
}

fn encode_flags(kind: u16, flags: u32, w: &mut Writer) {
    if flags != 0 {
        w.u32(kind, flags);
    }
}

pub(super) fn decode_nat(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3, 4, 5, 6, 7])?;
    Some(Expr::Nat {
        kind: match attrs.u32(NAT_TYPE)? {
            0 => NatKind::Snat,
            1 => NatKind::Dnat,
            _ => return None,
        },
        family: family(u8::try_from(attrs.u32(NAT_FAMILY)?).ok()?)?,
        addr: registers(attrs, NAT_ADDR_MIN, NAT_ADDR_MAX)?,
        port: registers(attrs, NAT_PORT_MIN, NAT_PORT_MAX)?,
        flags: attrs.maybe_u32(NAT_FLAGS)?.unwrap_or(0),
    })
}

pub(super) fn decode_masq(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3])?;
    Some(Expr::Masq {
        flags: attrs.maybe_u32(MASQ_FLAGS)?.unwrap_or(0),
        port: registers(attrs, MASQ_PORT_MIN, MASQ_PORT_MAX)?,
    })
}

pub(super) fn decode_redir(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3])?;
    Some(Expr::Redir {
        flags: attrs.maybe_u32(REDIR_FLAGS)?.unwrap_or(0),
        port: registers(attrs, REDIR_PORT_MIN, REDIR_PORT_MAX)?,
    })
}

pub(super) fn decode_reject(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[REJECT_TYPE, REJECT_CODE])?;
    let code = match attrs.get(REJECT_CODE) {
        None => 0,
        Some(_) => attrs.u8(REJECT_CODE)?,
    };
    Some(Expr::Reject { kind: attrs.u32(REJECT_TYPE)?, code })
}

pub(super) fn encode(expr: &Expr, w: &mut Writer) {
    match expr {
        Expr::Nat { kind, family, addr, port, flags } => {
            w.u32(NAT_TYPE, u32::from(*kind == NatKind::Dnat));
            w.u32(NAT_FAMILY, u32::from(family_number(*family)));
            encode_registers(*addr, NAT_ADDR_MIN, NAT_ADDR_MAX, w);
            encode_registers(*port, NAT_PORT_MIN, NAT_PORT_MAX, w);
            encode_flags(NAT_FLAGS, *flags, w);
        }
        Expr::Masq { flags, port } => {
            encode_flags(MASQ_FLAGS, *flags, w);
            encode_registers(*port, MASQ_PORT_MIN, MASQ_PORT_MAX, w);
        }
        Expr::Redir { flags, port } => {
            encode_registers(*port, REDIR_PORT_MIN, REDIR_PORT_MAX, w);
            encode_flags(REDIR_FLAGS, *flags, w);
        }
        Expr::Reject { kind, code } => {
            w.u32(REJECT_TYPE, *kind);
            w.u8(REJECT_CODE, *code);
        }
        _ => {}
    }
}
