//! The first tests of each rule in a few bytes side by side, so that rules which do not match cost
//! next to nothing, be they ten thousand.

use model::{CmpOp, Expr, MetaKey, NftRule, PayloadBase};

use crate::header::{Headers, Read};

/// Bytes of a link's name.
const NAME: usize = 16;

/// The first tests of a rule, in order: if one fails, the rule does nothing.
pub(crate) type Guards = [Guard; 2];

/// A test without side effects.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guard {
    /// None is known.
    Open,
    /// At most four bytes of a header.
    Bytes { transport: bool, offset: u8, len: u8, mask: u32, value: u32, equal: bool },
    /// The name of the link in or out, or its beginning.
    Link { out: bool, len: u8, name: [u8; NAME], equal: bool },
    /// The transport protocol.
    Protocol { number: u8, equal: bool },
}

/// What guards ask beside headers.
pub(crate) struct Facts<'a> {
    pub(crate) iif: &'a [u8; NAME],
    pub(crate) oif: &'a [u8; NAME],
    /// None: it has none.
    pub(crate) protocol: Option<u8>,
}

/// The guards of a rule.
pub(crate) fn guards(rule: &NftRule) -> Guards {
    let mut exprs = rule.exprs.as_slice();
    let mut next = || {
        let (guard, used) = guard(exprs);
        exprs = exprs.get(used..).unwrap_or(&[]);
        // Behind a test that is none, another would be asked too early.
        if used == 0 {
            exprs = &[];
        }
        guard
    };
    [next(), next()]
}

fn guard(exprs: &[Expr]) -> (Guard, usize) {
    let open = (Guard::Open, 0);
    let loaded = |dreg: &model::Reg, at: usize| match exprs.get(at) {
        Some(Expr::Cmp { sreg, op, data }) if sreg == dreg => {
            let equal = match op {
                CmpOp::Eq => true,
                CmpOp::Neq => false,
                _ => return None,
            };
            Some((data.as_slice(), equal))
        }
        _ => None,
    };
    match exprs {
        [Expr::Meta { key, dreg }, ..] => {
            let Some((data, equal)) = loaded(dreg, 1) else { return open };
            (meta(*key, data, equal), 2)
        }
        [Expr::Payload { base, offset, len, dreg }, rest @ ..] => {
            let (mask, used) = match rest.first() {
                Some(Expr::Bitwise { sreg, dreg: to, mask, xor, .. })
                    if sreg == dreg && to == dreg && xor.iter().all(|b| *b == 0) =>
                {
                    (word(mask), 3)
                }
                _ => (Some(u32::MAX), 2),
            };
            let Some((data, equal)) = loaded(dreg, used - 1) else { return open };
            let (Some(mask), Some(value)) = (mask, word(data)) else { return open };
            let transport = match base {
                PayloadBase::Network => false,
                PayloadBase::Transport => true,
                _ => return open,
            };
            match (u8::try_from(*offset), u8::try_from(*len)) {
                (Ok(offset), Ok(len)) if data.len() == usize::from(len) => {
                    (Guard::Bytes { transport, offset, len, mask, value, equal }, used)
                }
                _ => open,
            }
        }
        _ => open,
    }
}

fn meta(key: MetaKey, data: &[u8], equal: bool) -> Guard {
    match (key, data) {
        (MetaKey::L4proto, [number]) => Guard::Protocol { number: *number, equal },
        (MetaKey::IifName | MetaKey::OifName, data) if data.len() <= NAME => {
            let mut name = [0; NAME];
            name[..data.len()].copy_from_slice(data);
            let len = u8::try_from(data.len()).unwrap_or(0);
            Guard::Link { out: key == MetaKey::OifName, len, name, equal }
        }
        _ => Guard::Open,
    }
}

/// At most four bytes as a number; None: more.
fn word(bytes: &[u8]) -> Option<u32> {
    let mut word = [0; 4];
    word.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u32::from_be_bytes(word))
}

impl Guard {
    /// Whether the test certainly fails.
    fn fails(&self, headers: &Headers, facts: &Facts<'_>) -> bool {
        match self {
            Self::Open => false,
            Self::Bytes { transport, offset, len, mask, value, equal } => {
                let base = if *transport { PayloadBase::Transport } else { PayloadBase::Network };
                match headers.read(base, u32::from(*offset), u32::from(*len)) {
                    Read::Bytes(bytes) => {
                        word(bytes).is_some_and(|w| (w & mask == *value) != *equal)
                    }
                    Read::Beyond => true,
                    Read::NotKnown => false,
                }
            }
            Self::Link { out, len, name, equal } => {
                let is = if *out { facts.oif } else { facts.iif };
                let len = usize::from(*len);
                (is[..len] == name[..len]) != *equal
            }
            Self::Protocol { number, equal } => match facts.protocol {
                Some(is) => (is == *number) != *equal,
                None => true,
            },
        }
    }
}

/// Whether a rule certainly does nothing.
pub(crate) fn excludes(guards: &Guards, headers: &Headers, facts: &Facts<'_>) -> bool {
    guards.iter().any(|guard| guard.fails(headers, facts))
}
