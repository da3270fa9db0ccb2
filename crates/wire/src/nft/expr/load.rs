//! Expressions that load into a register or write from one: `meta`, `payload`, `ct`.

use model::{Csum, CtKey, Expr, MetaKey, PayloadBase, Reg};

use crate::nft::attr::{Attrs, Writer};

const META_DREG: u16 = 1;
const META_KEY: u16 = 2;
const META_SREG: u16 = 3;

const PAYLOAD_DREG: u16 = 1;
const PAYLOAD_BASE: u16 = 2;
const PAYLOAD_OFFSET: u16 = 3;
const PAYLOAD_LEN: u16 = 4;
const PAYLOAD_SREG: u16 = 5;
const PAYLOAD_CSUM_TYPE: u16 = 6;
const PAYLOAD_CSUM_OFFSET: u16 = 7;
const PAYLOAD_CSUM_FLAGS: u16 = 8;

const CT_DREG: u16 = 1;
const CT_KEY: u16 = 2;
const CT_DIRECTION: u16 = 3;
const CT_SREG: u16 = 4;

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
    attrs.only(&[1, 2, 3, 4, 5, 6, 7, 8])?;
    let base = match attrs.u32(PAYLOAD_BASE)? {
        0 => PayloadBase::LinkLayer,
        1 => PayloadBase::Network,
        2 => PayloadBase::Transport,
        3 => PayloadBase::Inner,
        n => PayloadBase::Other(n),
    };
    let (offset, len) = (attrs.u32(PAYLOAD_OFFSET)?, attrs.u32(PAYLOAD_LEN)?);
    if let Some(sreg) = attrs.maybe_u32(PAYLOAD_SREG)? {
        let csum = Csum {
            kind: attrs.maybe_u32(PAYLOAD_CSUM_TYPE)?.unwrap_or(0),
            offset: attrs.maybe_u32(PAYLOAD_CSUM_OFFSET)?.unwrap_or(0),
            flags: attrs.maybe_u32(PAYLOAD_CSUM_FLAGS)?.unwrap_or(0),
        };
        return Some(Expr::PayloadSet { base, offset, len, sreg: Reg(sreg), csum });
    }
    Some(Expr::Payload { base, offset, len, dreg: Reg(attrs.u32(PAYLOAD_DREG)?) })
}

pub(super) fn decode_ct(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[CT_DREG, CT_KEY, CT_DIRECTION, CT_SREG])?;
    let dir = match attrs.get(CT_DIRECTION) {
        None => None,
        Some(_) => Some(attrs.u8(CT_DIRECTION)?),
    };
    let key = ct_key(attrs.u32(CT_KEY)?);
    match attrs.maybe_u32(CT_SREG)? {
        Some(sreg) => Some(Expr::CtSet { key, dir, sreg: Reg(sreg) }),
        None => Some(Expr::Ct { key, dir, dreg: Reg(attrs.u32(CT_DREG)?) }),
    }
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
        Expr::PayloadSet { base, offset, len, sreg, csum } => {
            w.u32(PAYLOAD_SREG, sreg.0);
            w.u32(PAYLOAD_BASE, base_number(*base));
            w.u32(PAYLOAD_OFFSET, *offset);
            w.u32(PAYLOAD_LEN, *len);
            w.u32(PAYLOAD_CSUM_TYPE, csum.kind);
            w.u32(PAYLOAD_CSUM_OFFSET, csum.offset);
            w.u32(PAYLOAD_CSUM_FLAGS, csum.flags);
        }
        Expr::CtSet { key, dir, sreg } => {
            w.u32(CT_KEY, ct_number(*key));
            w.u32(CT_SREG, sreg.0);
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
        PayloadBase::Inner => 3,
        PayloadBase::Other(n) => n,
    }
}

const META_KEYS: [(u32, MetaKey); 36] = [
    (0, MetaKey::Len),
    (1, MetaKey::Protocol),
    (2, MetaKey::Priority),
    (3, MetaKey::Mark),
    (4, MetaKey::Iif),
    (5, MetaKey::Oif),
    (6, MetaKey::IifName),
    (7, MetaKey::OifName),
    (8, MetaKey::IifType),
    (9, MetaKey::OifType),
    (10, MetaKey::Skuid),
    (11, MetaKey::Skgid),
    (12, MetaKey::NfTrace),
    (13, MetaKey::Rtclassid),
    (15, MetaKey::Nfproto),
    (16, MetaKey::L4proto),
    (17, MetaKey::BridgeIifName),
    (18, MetaKey::BridgeOifName),
    (19, MetaKey::PktType),
    (20, MetaKey::Cpu),
    (21, MetaKey::IifGroup),
    (22, MetaKey::OifGroup),
    (23, MetaKey::Cgroup),
    (24, MetaKey::Random),
    (25, MetaKey::Secpath),
    (26, MetaKey::IifKind),
    (27, MetaKey::OifKind),
    (28, MetaKey::BridgeIifPvid),
    (29, MetaKey::BridgeIifVproto),
    (30, MetaKey::TimeNs),
    (31, MetaKey::TimeDay),
    (32, MetaKey::TimeHour),
    (33, MetaKey::Sdif),
    (34, MetaKey::SdifName),
    (35, MetaKey::BridgeBroute),
    (36, MetaKey::BridgeHwaddr),
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

const CT_KEYS: [(u32, CtKey); 23] = [
    (0, CtKey::State),
    (1, CtKey::Direction),
    (2, CtKey::Status),
    (3, CtKey::Mark),
    (5, CtKey::Expiration),
    (6, CtKey::Helper),
    (7, CtKey::L3protocol),
    (8, CtKey::Src),
    (9, CtKey::Dst),
    (10, CtKey::Protocol),
    (11, CtKey::ProtoSrc),
    (12, CtKey::ProtoDst),
    (13, CtKey::Labels),
    (14, CtKey::Pkts),
    (15, CtKey::Bytes),
    (16, CtKey::AvgPkt),
    (17, CtKey::Zone),
    (18, CtKey::EventMask),
    (19, CtKey::SrcIp),
    (20, CtKey::DstIp),
    (21, CtKey::SrcIp6),
    (22, CtKey::DstIp6),
    (23, CtKey::Id),
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
