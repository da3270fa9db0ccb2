//! NFTA_EXPR_*: one expression. Those with a type of their own are in the files below; whatever has
//! an attribute that is not known there stays opaque, since it may change the meaning of the rest.

mod compare;
pub(super) mod data;
mod load;
mod nat;
mod xt;

use model::Expr;

use super::attr::{Attrs, Writer, text};
use super::set::SetIds;

const LIST_ELEM: u16 = 1;
const NAME: u16 = 1;
const DATA: u16 = 2;

/// The expression in the inside of an NFTA_LIST_ELEM.
pub(super) fn decode(bytes: &[u8]) -> Expr {
    let Some(attrs) = Attrs::parse(bytes) else {
        return Expr::Opaque { name: String::new(), data: bytes.to_vec() };
    };
    let name = attrs.get(NAME).map(text).unwrap_or_default();
    let data = attrs.get(DATA).unwrap_or_default();
    typed(&name, data).unwrap_or_else(|| Expr::Opaque { name, data: data.to_vec() })
}

fn typed(name: &str, data: &[u8]) -> Option<Expr> {
    let attrs = Attrs::parse(data)?;
    match name {
        "meta" => load::decode_meta(&attrs),
        "payload" => load::decode_payload(&attrs),
        "ct" => load::decode_ct(&attrs),
        "cmp" => compare::decode_cmp(&attrs),
        "range" => compare::decode_range(&attrs),
        "bitwise" => compare::decode_bitwise(&attrs),
        "lookup" => compare::decode_lookup(&attrs),
        "immediate" => data::decode_immediate(&attrs),
        "counter" => decode_counter(&attrs),
        "nat" => nat::decode_nat(&attrs),
        "masq" => nat::decode_masq(&attrs),
        "redir" => nat::decode_redir(&attrs),
        "reject" => nat::decode_reject(&attrs),
        "match" => xt::decode(&attrs).map(Expr::Match),
        "target" => xt::decode(&attrs).map(Expr::Target),
        _ => None,
    }
}

/// Appends an NFTA_LIST_ELEM.
pub(super) fn encode(expr: &Expr, sets: &SetIds, w: &mut Writer) {
    w.nest(LIST_ELEM, |w| {
        w.text(NAME, name(expr));
        let mut inside = Writer::default();
        fill(expr, sets, &mut inside);
        let inside = inside.finish();
        // An expression without attributes may have no place for them.
        if !inside.is_empty() {
            w.nested_bytes(DATA, &inside);
        }
    });
}

fn name(expr: &Expr) -> &str {
    match expr {
        Expr::Meta { .. } | Expr::MetaSet { .. } => "meta",
        Expr::Payload { .. } => "payload",
        Expr::Ct { .. } => "ct",
        Expr::Cmp { .. } => "cmp",
        Expr::Range { .. } => "range",
        Expr::Bitwise { .. } => "bitwise",
        Expr::Lookup { .. } => "lookup",
        Expr::Immediate { .. } => "immediate",
        Expr::Counter { .. } => "counter",
        Expr::Nat { .. } => "nat",
        Expr::Masq { .. } => "masq",
        Expr::Redir { .. } => "redir",
        Expr::Reject { .. } => "reject",
        Expr::Match(_) => "match",
        Expr::Target(_) => "target",
        // The kernel knows no such name, and so refuses what cannot be written.
        Expr::Hidden { what, .. } => what,
        Expr::Opaque { name, .. } => name,
    }
}

fn fill(expr: &Expr, sets: &SetIds, w: &mut Writer) {
    match expr {
        Expr::Meta { .. } | Expr::MetaSet { .. } | Expr::Payload { .. } | Expr::Ct { .. } => {
            load::encode(expr, w);
        }
        Expr::Cmp { .. } | Expr::Range { .. } | Expr::Bitwise { .. } => compare::encode(expr, w),
        Expr::Lookup { set, sreg, dreg, invert } => {
            compare::encode_lookup((set, sets), *sreg, *dreg, *invert, w);
        }
        Expr::Immediate { dreg, data } => data::encode_immediate(*dreg, data, w),
        Expr::Counter { packets, bytes } => {
            w.u64(1, *bytes);
            w.u64(2, *packets);
        }
        Expr::Nat { .. } | Expr::Masq { .. } | Expr::Redir { .. } | Expr::Reject { .. } => {
            nat::encode(expr, w);
        }
        Expr::Match(ext) | Expr::Target(ext) => xt::encode(ext, w),
        Expr::Hidden { .. } => {}
        Expr::Opaque { data, .. } => w.raw(data),
    }
}

/// NFTA_COUNTER_*: 1 bytes, 2 packets, 3 padding.
fn decode_counter(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[1, 2, 3])?;
    Some(Expr::Counter { bytes: attrs.u64(1)?, packets: attrs.u64(2)? })
}
