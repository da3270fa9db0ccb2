//! NFTA_EXPR_*: one expression. Those with a type of their own are in the files below; whatever has
//! an attribute that is not known there stays opaque, since it may change the meaning of the rest.

mod act;
mod compare;
pub(super) mod data;
mod generate;
mod load;
mod nat;
mod stateful;
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
        "byteorder" => compare::decode_byteorder(&attrs),
        "counter" => stateful::decode_counter(&attrs),
        "limit" => stateful::decode_limit(&attrs),
        "quota" => stateful::decode_quota(&attrs),
        "connlimit" => stateful::decode_connlimit(&attrs),
        "last" => stateful::decode_last(&attrs),
        "fib" => generate::decode_fib(&attrs),
        "rt" => generate::decode_rt(&attrs),
        "socket" => generate::decode_socket(&attrs),
        "exthdr" => generate::decode_exthdr(&attrs),
        "numgen" => generate::decode_numgen(&attrs),
        "hash" => generate::decode_hash(&attrs),
        "log" => act::decode_log(&attrs),
        "notrack" => act::decode_notrack(&attrs),
        "dup" => act::decode_dup(&attrs),
        "fwd" => act::decode_fwd(&attrs),
        "objref" => act::decode_objref(&attrs),
        "dynset" => act::decode_dynset(&attrs),
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
    encode_as(LIST_ELEM, expr, sets, w);
}

fn encode_as(kind: u16, expr: &Expr, sets: &SetIds, w: &mut Writer) {
    w.nest(kind, |w| {
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
        Expr::Payload { .. } | Expr::PayloadSet { .. } => "payload",
        Expr::Ct { .. } | Expr::CtSet { .. } => "ct",
        Expr::Cmp { .. } => "cmp",
        Expr::Range { .. } => "range",
        Expr::Bitwise { .. } | Expr::Shift { .. } => "bitwise",
        Expr::Byteorder { .. } => "byteorder",
        Expr::Limit { .. } => "limit",
        Expr::Quota { .. } => "quota",
        Expr::Connlimit { .. } => "connlimit",
        Expr::Last { .. } => "last",
        Expr::Fib { .. } => "fib",
        Expr::Rt { .. } => "rt",
        Expr::Socket { .. } => "socket",
        Expr::Exthdr { .. } | Expr::ExthdrSet { .. } => "exthdr",
        Expr::Numgen { .. } => "numgen",
        Expr::Hash { .. } => "hash",
        Expr::Log { .. } => "log",
        Expr::Notrack => "notrack",
        Expr::Dup { .. } => "dup",
        Expr::Fwd { .. } => "fwd",
        Expr::Object { .. } | Expr::ObjectMap { .. } => "objref",
        Expr::Dynset { .. } => "dynset",
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
        Expr::Meta { .. }
        | Expr::MetaSet { .. }
        | Expr::Payload { .. }
        | Expr::PayloadSet { .. }
        | Expr::Ct { .. }
        | Expr::CtSet { .. } => load::encode(expr, w),
        Expr::Cmp { .. }
        | Expr::Range { .. }
        | Expr::Bitwise { .. }
        | Expr::Shift { .. }
        | Expr::Byteorder { .. } => compare::encode(expr, w),
        Expr::Counter { .. }
        | Expr::Limit { .. }
        | Expr::Quota { .. }
        | Expr::Connlimit { .. }
        | Expr::Last { .. } => stateful::encode(expr, w),
        Expr::Fib { .. }
        | Expr::Rt { .. }
        | Expr::Socket { .. }
        | Expr::Exthdr { .. }
        | Expr::ExthdrSet { .. }
        | Expr::Numgen { .. }
        | Expr::Hash { .. } => generate::encode(expr, w),
        Expr::Log { .. }
        | Expr::Notrack
        | Expr::Dup { .. }
        | Expr::Fwd { .. }
        | Expr::Object { .. }
        | Expr::ObjectMap { .. }
        | Expr::Dynset { .. } => act::encode(expr, sets, w),
        Expr::Lookup { set, sreg, dreg, invert } => {
            compare::encode_lookup((set, sets), *sreg, *dreg, *invert, w);
        }
        Expr::Immediate { dreg, data } => data::encode_immediate(*dreg, data, w),
        Expr::Nat { .. } | Expr::Masq { .. } | Expr::Redir { .. } | Expr::Reject { .. } => {
            nat::encode(expr, w);
        }
        Expr::Match(ext) | Expr::Target(ext) => xt::encode(ext, w),
        Expr::Hidden { .. } => {}
        Expr::Opaque { data, .. } => w.raw(data),
    }
}

/// One expression, or a list of them: the kernel tells of one and of several in two attributes.
pub(in crate::nft) fn decode_list(attrs: &Attrs<'_>, one: u16, several: u16) -> Option<Vec<Expr>> {
    if let Some(bytes) = attrs.get(one) {
        return Some(vec![decode(bytes)]);
    }
    match attrs.get(several) {
        None => Some(Vec::new()),
        Some(_) => Some(attrs.nest(several)?.iter().map(|(_, one)| decode(one)).collect()),
    }
}

/// The same, written.
pub(in crate::nft) fn encode_all(
    exprs: &[Expr],
    one: u16,
    several: u16,
    sets: &SetIds,
    w: &mut Writer,
) {
    match exprs {
        [] => {}
        [expr] => encode_as(one, expr, sets, w),
        many => w.nest(several, |w| many.iter().for_each(|e| encode(e, sets, w))),
    }
}
