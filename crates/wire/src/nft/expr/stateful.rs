//! Expressions that count: `counter`, `limit`, `quota`, `connlimit`, `last`.

use model::Expr;

use crate::nft::attr::{Attrs, Writer};

/// NFT_LIMIT_F_INV, NFT_QUOTA_F_INV, NFT_CONNLIMIT_F_INV.
const OVER: u32 = 1;

/// NFTA_COUNTER_*: 1 bytes, 2 packets, 3 padding.
pub(super) fn decode_counter(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3])?;
    Some(Expr::Counter { bytes: attrs.u64(1)?, packets: attrs.u64(2)? })
}

/// NFTA_LIMIT_*: 1 rate, 2 unit, 3 burst, 4 type, 5 flags, 6 padding.
pub(super) fn decode_limit(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3, 4, 5, 6])?;
    let (kind, flags) = (attrs.maybe_u32(4)?.unwrap_or(0), attrs.maybe_u32(5)?.unwrap_or(0));
    Some(Expr::Limit {
        rate: attrs.u64(1)?,
        unit: attrs.u64(2)?,
        burst: attrs.maybe_u32(3)?.unwrap_or(0),
        bytes: (kind <= 1).then_some(kind == 1)?,
        over: (flags & !OVER == 0).then_some(flags & OVER != 0)?,
    })
}

/// NFTA_QUOTA_*: 1 bytes, 2 flags, 3 padding, 4 consumed. That it is depleted (2) follows from
/// what is consumed.
pub(super) fn decode_quota(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3, 4])?;
    let flags = attrs.maybe_u32(2)?.unwrap_or(0);
    Some(Expr::Quota {
        bytes: attrs.u64(1)?,
        consumed: attrs.u64(4).unwrap_or(0),
        over: (flags & !3 == 0).then_some(flags & OVER != 0)?,
    })
}

/// NFTA_CONNLIMIT_*: 1 count, 2 flags.
pub(super) fn decode_connlimit(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2])?;
    let flags = attrs.maybe_u32(2)?.unwrap_or(0);
    let over = (flags & !OVER == 0).then_some(flags & OVER != 0)?;
    Some(Expr::Connlimit { count: attrs.u32(1)?, over })
}

/// NFTA_LAST_*: 1 whether it ever matched, 2 milliseconds since, 3 padding.
pub(super) fn decode_last(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3])?;
    let ever = attrs.maybe_u32(1)?.unwrap_or(0) != 0;
    Some(Expr::Last { ago: attrs.u64(2).filter(|_| ever) })
}

pub(super) fn encode(expr: &Expr, w: &mut Writer) {
    match expr {
        Expr::Counter { packets, bytes } => {
            w.u64(1, *bytes);
            w.u64(2, *packets);
        }
        Expr::Limit { rate, unit, burst, bytes, over } => {
            w.u64(1, *rate);
            w.u64(2, *unit);
            w.u32(3, *burst);
            w.u32(4, u32::from(*bytes));
            w.u32(5, u32::from(*over));
        }
        Expr::Quota { bytes, consumed, over } => {
            w.u64(1, *bytes);
            w.u32(2, u32::from(*over));
            w.u64(4, *consumed);
        }
        Expr::Connlimit { count, over } => {
            w.u32(1, *count);
            w.u32(2, u32::from(*over));
        }
        Expr::Last { ago } => {
            w.u32(1, u32::from(ago.is_some()));
            w.u64(2, ago.unwrap_or(0));
        }
        _ => {}
    }
}
