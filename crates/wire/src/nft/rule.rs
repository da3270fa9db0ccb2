//! NFTA_RULE_* and NFTA_RULE_COMPAT_*.

use model::{Compat, Expr, NftRule};

use super::attr::{Attrs, Writer};
use super::expr;
use super::set::SetIds;

const TABLE: u16 = 1;
const CHAIN: u16 = 2;
const HANDLE: u16 = 3;
const EXPRESSIONS: u16 = 4;
const COMPAT: u16 = 5;
const USERDATA: u16 = 7;

const COMPAT_PROTOCOL: u16 = 1;
const COMPAT_FLAGS: u16 = 2;

/// A rule and where it is.
pub(super) struct Placed {
    pub(super) table: String,
    pub(super) chain: String,
    pub(super) rule: NftRule,
}

pub(super) fn decode(body: &[u8]) -> Option<Placed> {
    let attrs = Attrs::parse(body)?;
    let rule = NftRule {
        handle: attrs.u64(HANDLE).unwrap_or(0),
        exprs: decode_exprs(attrs.get(EXPRESSIONS).unwrap_or_default()),
        compat: attrs.nest(COMPAT).map(|nest| Compat {
            protocol: nest.u32(COMPAT_PROTOCOL).unwrap_or(0),
            flags: nest.u32(COMPAT_FLAGS).unwrap_or(0),
        }),
        userdata: attrs.get(USERDATA).unwrap_or_default().to_vec(),
    };
    Some(Placed { table: attrs.text(TABLE)?, chain: attrs.text(CHAIN)?, rule })
}

/// The expressions in the inside of an NFTA_RULE_EXPRESSIONS. Bytes that are no list of
/// attributes become one opaque expression with an empty name.
#[must_use]
pub fn decode_exprs(bytes: &[u8]) -> Vec<Expr> {
    match Attrs::parse(bytes) {
        Some(list) => list.iter().map(|(_, one)| expr::decode(one)).collect(),
        None => vec![Expr::Opaque { name: String::new(), data: bytes.to_vec() }],
    }
}

/// The inside of the NFTA_RULE_EXPRESSIONS that says this, byte for byte as iptables-nft 1.8.9
/// does for what it can say.
#[must_use]
pub fn encode_exprs(exprs: &[Expr]) -> Vec<u8> {
    let mut w = Writer::default();
    for one in exprs {
        expr::encode(one, &SetIds::default(), &mut w);
    }
    w.finish()
}

/// As the kernel tells of it: with its handle.
pub(super) fn answer(table: &str, chain: &str, rule: &NftRule) -> Writer {
    let mut w = encode(table, chain, rule, &SetIds::default());
    w.u64(HANDLE, rule.handle);
    w
}

pub(super) fn encode(table: &str, chain: &str, rule: &NftRule, sets: &SetIds) -> Writer {
    let mut w = Writer::default();
    w.text(TABLE, table);
    w.text(CHAIN, chain);
    w.nest(EXPRESSIONS, |w| rule.exprs.iter().for_each(|e| expr::encode(e, sets, w)));
    if let Some(compat) = rule.compat {
        w.nest(COMPAT, |w| {
            w.u32(COMPAT_PROTOCOL, compat.protocol);
            w.u32(COMPAT_FLAGS, compat.flags);
        });
    }
    if !rule.userdata.is_empty() {
        w.bytes(USERDATA, &rule.userdata);
    }
    w
}
