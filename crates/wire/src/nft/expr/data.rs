//! NFTA_DATA_*, NFTA_VERDICT_* and the expression `immediate`.

use model::{Data, Expr, Reg, Verdict};

use crate::nft::attr::{Attrs, Writer};

const DREG: u16 = 1;
const DATA: u16 = 2;

const VALUE: u16 = 1;
const VERDICT: u16 = 2;

const CODE: u16 = 1;
const CHAIN: u16 = 2;

/// NF_QUEUE, the low half of its verdicts; the queue's number is in the high half.
const NF_QUEUE: u32 = 3;

pub(super) fn decode_immediate(attrs: &Attrs<'_>) -> Option<Expr> {
    attrs.only(&[DREG, DATA])?;
    Some(Expr::Immediate { dreg: Reg(attrs.u32(DREG)?), data: decode(attrs.get(DATA)?)? })
}

pub(super) fn encode_immediate(dreg: Reg, data: &Data, w: &mut Writer) {
    w.u32(DREG, dreg.0);
    encode(DATA, data, w);
}

/// The inside of a data attribute.
pub(in crate::nft) fn decode(bytes: &[u8]) -> Option<Data> {
    let attrs = Attrs::parse(bytes)?;
    if let Some(value) = attrs.get(VALUE) {
        return Some(Data::Value(value.to_vec()));
    }
    let verdict = attrs.nest(VERDICT)?;
    verdict.only(&[CODE, CHAIN])?;
    decode_verdict(verdict.u32(CODE)?, verdict.text(CHAIN)).map(Data::Verdict)
}

fn decode_verdict(code: u32, chain: Option<String>) -> Option<Verdict> {
    Some(match (code.cast_signed(), chain) {
        (0, None) => Verdict::Drop,
        (1, None) => Verdict::Accept,
        (-1, None) => Verdict::Continue,
        (-2, None) => Verdict::Break,
        (-3, Some(chain)) => Verdict::Jump(chain),
        (-4, Some(chain)) => Verdict::Goto(chain),
        (-5, None) => Verdict::Return,
        (_, None) if code & 0xff == NF_QUEUE => Verdict::Queue(code),
        _ => return None,
    })
}

/// A whole data attribute.
pub(in crate::nft) fn encode(kind: u16, data: &Data, w: &mut Writer) {
    w.nest(kind, |w| match data {
        Data::Value(bytes) => w.bytes(VALUE, bytes),
        Data::Verdict(verdict) => w.nest(VERDICT, |w| encode_verdict(verdict, w)),
    });
}

fn encode_verdict(verdict: &Verdict, w: &mut Writer) {
    let (code, chain) = match verdict {
        Verdict::Drop => (0, None),
        Verdict::Accept => (1, None),
        Verdict::Continue => (-1, None),
        Verdict::Break => (-2, None),
        Verdict::Jump(chain) => (-3, Some(chain)),
        Verdict::Goto(chain) => (-4, Some(chain)),
        Verdict::Return => (-5, None),
        Verdict::Queue(code) => (code.cast_signed(), None),
    };
    w.u32(CODE, code.cast_unsigned());
    if let Some(chain) = chain {
        w.text(CHAIN, chain);
    }
}
