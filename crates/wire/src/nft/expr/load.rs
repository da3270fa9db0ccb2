//! Expressions that load into a register: `meta`, `payload`, `ct`.

use model::{CtKey, Expr, MetaKey, PayloadBase, Reg};

use crate::nft::attr::{Attrs, Writer};

const META_DREG: u16 = 1;
const META_KEY: u16 = 2;
const META_SREG: u16 = 3;

const PAYLOAD_DREG: u16 = 1;
const PAYLOAD_BASE: u16 = 2;
const PAYLOAD_OFFSET: u16 = 3;
const PAYLOAD_LEN: u16 = 4;

const CT_DREG: u16 = 1;
const CT_KEY: u16 = 2;
const CT_DIRECTION: u16 = 3;

pub(super) fn decode_meta(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[META_DREG, META_KEY, META_SREG])?;
    let key = meta_key(attrs.u32(META_KEY)?);
    match (attrs.maybe_u32(META_DREG)?, attrs.maybe_u32(META_SREG)?) {
        (Some(dreg), None) => Some(Expr::Meta { key, dreg: Reg(dreg) }),
        (None, Some(sreg)) => Some(Expr::MetaSet { key, sreg: Reg(sreg) }),
        _ => None,
    }
}

pub(super) fn decode_payload(attrs: &Attrs<'_>) -> Option<Expr> {
    // Writing to the packet (with a source register) has no type.
    attrs.only(&[PAYLOAD_DREG, PAYLOAD_BASE, PAYLOAD_OFFSET, PAYLOAD_LEN])?;
    Some(Expr::Payload {
        base: match attrs.u32(PAYLOAD_BASE)? {
            0 => PayloadBase::LinkLayer,
            1 => PayloadBase::Network,
            2 => PayloadBase::Transport,
            n => PayloadBase::Other(n),
        },
        offset: attrs.u32(PAYLOAD_OFFSET)?,
        len: attrs.u32(PAYLOAD_LEN)?,
        dreg: Reg(attrs.u32(PAYLOAD_DREG)?),
    })
}

pub(super) fn decode_ct(attrs: &Attrs<'_>) -> Option<Expr> {
    // Writing to the connection (with a source register) has no type.
    attrs.only(&[CT_DREG, CT_KEY, CT_DIRECTION])?;
    let dir = match attrs.get(CT_DIRECTION) {
        None => None,
        Some(_) => Some(attrs.u8(CT_DIRECTION)?),
    };
    Some(Expr::Ct { key: ct_key(attrs.u32(CT_KEY)?), dir, dreg: Reg(attrs.u32(CT_DREG)?) })
}

pub(super) fn encode(expr: &Expr, w: &mut Writer) {
    match expr {
        Expr::Meta { key, dreg } => {
            // KEY first, as libnftnl does.
            w.u32(META_KEY, meta_number(*key));
            w.u32(META_DREG, dreg.0);
        }
        Expr::MetaSet { key, sreg } => {
            w.u32(META_KEY, meta_number(*key));
            w.u32(META_SREG, sreg.0);
        }
        Expr::Payload { base, offset, len, dreg } => {
            w.u32(PAYLOAD_DREG, dreg.0);
            w.u32(PAYLOAD_BASE, base_number(*base));
            w.u32(PAYLOAD_OFFSET, *offset);
            w.u32(PAYLOAD_LEN, *len);
        }
        Expr::Ct { key, dir, dreg } => {
            w.u32(CT_KEY, ct_number(*key));
            w.u32(CT_DREG, dreg.0);
            if let Some(dir) = dir {
                w.u8(CT_DIRECTION, *dir);
            }
        }
        _ => {}
    }
}

const fn base_number(base: PayloadBase) -> u32 {
    match base {
        PayloadBase::LinkLayer => 0,
        PayloadBase::Network => 1,
        PayloadBase::Transport => 2,
        PayloadBase::Other(n) => n,
    }
}

const META_KEYS: [(u32, MetaKey); 14] = [
    (0, MetaKey::Len),
    (1, MetaKey::Protocol),
    (3, MetaKey::Mark),
    (4, MetaKey::Iif),
    (5, MetaKey::Oif),
    (6, MetaKey::IifName),
    (7, MetaKey::OifName),
    (8, MetaKey::IifType),
    (9, MetaKey::OifType),
    (15, MetaKey::Nfproto),
    (16, MetaKey::L4proto),
    (17, MetaKey::BridgeIifName),
    (18, MetaKey::BridgeOifName),
    (19, MetaKey::PktType),
];

fn meta_key(number: u32) -> MetaKey {
    META_KEYS.iter().find(|(n, _)| *n == number).map_or(MetaKey::Other(number), |(_, key)| *key)
}

fn meta_number(key: MetaKey) -> u32 {
    match key {
        MetaKey::Other(n) => n,
        key => META_KEYS.iter().find(|(_, k)| *k == key).map_or(0, |(n, _)| *n),
    }
}

const CT_KEYS: [(u32, CtKey); 11] = [
    (0, CtKey::State),
    (1, CtKey::Direction),
    (2, CtKey::Status),
    (3, CtKey::Mark),
    (7, CtKey::L3protocol),
    (8, CtKey::Src),
    (9, CtKey::Dst),
    (10, CtKey::Protocol),
    (11, CtKey::ProtoSrc),
    (12, CtKey::ProtoDst),
    (17, CtKey::Zone),
];

fn ct_key(number: u32) -> CtKey {
    CT_KEYS.iter().find(|(n, _)| *n == number).map_or(CtKey::Other(number), |(_, key)| *key)
}

fn ct_number(key: CtKey) -> u32 {
    match key {
        CtKey::Other(n) => n,
        key => CT_KEYS.iter().find(|(_, k)| *k == key).map_or(0, |(n, _)| *n),
    }
}
