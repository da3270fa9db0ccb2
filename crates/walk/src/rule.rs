//! One rule: what each of its expressions does.

use model::{CtKey, Data, Expr, NatKind, ObjectKind, RtKey, Verdict};

use crate::chain::{Chains, Changes};
use crate::header::Read;
use crate::nat::Request;
use crate::register::Registers;
use crate::segment::{is_mss, load_mss, set_option};
use crate::{Fork, RejectWith};

/// What one expression does to the rule that it is in.
pub(crate) enum Effect {
    /// On to the next.
    Goes,
    /// The rule does not match.
    Fails,
    /// It is not understood; if the rule matches hangs on it.
    Doubts(String),
    /// Whether it holds is not shown, and taken to be so: why, and how.
    Assumes(String, bool),
    Verdict(Verdict),
    Reject(RejectWith),
    Nat(Request),
    /// It ends the rule, and nobody knows how.
    NotKnown(String),
}

pub(crate) const fn pass(yes: bool) -> Effect {
    if yes { Effect::Goes } else { Effect::Fails }
}

impl<'a> Chains<'a, '_> {
    pub(crate) fn expression(
        &self,
        expr: &'a Expr,
        r: &mut Registers,
        changes: &mut Changes,
    ) -> Effect {
        let tested = |yes: Option<bool>, r: &Registers| match yes {
            Some(yes) => pass(yes),
            None => Effect::Doubts(r.cause()),
        };
        match expr {
            Expr::Meta { key, dreg } => self.meta(*key, *dreg, r, changes),
            Expr::Payload { base, offset, len, dreg } => {
                match changes.headers.read(self.skb, *base, *offset, *len) {
                    Read::Bytes(bytes) => r.store(*dreg, bytes),
                    Read::Beyond => return Effect::Fails,
                    Read::NotKnown => {
                        let what = format!("payload {base:?} at {offset}").to_lowercase();
                        r.forget(*dreg, *len as usize, what);
                    }
                }
                Effect::Goes
            }
            Expr::Cmp { sreg, op, data } => tested(r.compare(*sreg, *op, data), r),
            Expr::Range { sreg, op, from, to } => tested(r.range(*sreg, *op, from, to), r),
            Expr::Bitwise { sreg, dreg, len, mask, xor } => {
                r.bitwise(*sreg, *dreg, *len, mask, xor);
                Effect::Goes
            }
            Expr::Shift { sreg, dreg, len, right, by } => {
                r.shift(*sreg, *dreg, *len, *right, *by);
                Effect::Goes
            }
            Expr::Byteorder { sreg, dreg, len, size, .. } => {
                r.byteorder(*sreg, *dreg, *len, *size);
                Effect::Goes
            }
            Expr::Immediate { data: Data::Verdict(verdict), .. } => {
                Effect::Verdict(verdict.clone())
            }
            Expr::Immediate { dreg, data: Data::Value(value) } => {
                r.store(*dreg, value);
                Effect::Goes
            }
            Expr::Lookup { set, sreg, dreg, invert } => {
                self.look_up(set, *sreg, *dreg, *invert, r, changes)
            }
            Expr::Ct { key, dir, dreg } => self.ct(*key, *dir, *dreg, r, changes),
            Expr::Counter { .. } | Expr::Log { .. } | Expr::Last { .. } | Expr::Dup { .. } => {
                Effect::Goes
            }
            Expr::Nat { .. } | Expr::Masq { .. } | Expr::Redir { .. } => self.native_nat(expr, r),
            Expr::Reject { kind, code } => reject(*kind, *code, self.skb.packet.is_ipv6()),
            Expr::Match(xt) => self.xt_match(xt, changes),
            Expr::Target(xt) => self.xt_target(xt, changes),
            other => self.rare_expression(other, r, changes),
        }
    }

    fn rare_expression(&self, expr: &'a Expr, r: &mut Registers, changes: &mut Changes) -> Effect {
        match expr {
            Expr::MetaSet { key, sreg } => self.meta_set(*key, *sreg, r, changes),
            Expr::CtSet { key, dir, sreg } => self.ct_set(*key, *dir, *sreg, r, changes),
            Expr::PayloadSet { base, offset, len, sreg, .. } => {
                let Some(bytes) = r.load(*sreg, *len as usize) else {
                    return Effect::NotKnown(r.cause());
                };
                if changes.headers.write(self.skb, *base, *offset, bytes) {
                    return Effect::Goes;
                }
                Effect::NotKnown(format!("payload set {base:?} at {offset}").to_lowercase())
            }
            Expr::Notrack => {
                changes.untracked |= self.skb.ct.is_none();
                Effect::Goes
            }
            Expr::Fib { result, flags, dreg } => self.fib(*result, *flags, *dreg, r, changes),
            Expr::Limit { .. } | Expr::Quota { .. } | Expr::Connlimit { .. } => self.counted(expr),
            Expr::Numgen { dreg, modulus, random, offset } => {
                let what = if *random { "numgen random" } else { "numgen inc" };
                self.one_of(*dreg, *modulus, *offset, what, r)
            }
            Expr::Hash { dreg, modulus, offset, .. } => {
                self.one_of(*dreg, *modulus, *offset, "hash", r)
            }
            Expr::Dynset { .. } => self.dynset(expr, r, changes),
            Expr::Object { kind, name } => object(*kind, name),
            Expr::ObjectMap { set, sreg } => self.object_map(set, *sreg, r, changes),
            Expr::Rt { key: RtKey::TcpMss, dreg } => self.rt_mss(*dreg, r),
            Expr::Rt { dreg, .. } => forgotten(*dreg, "rt", r),
            Expr::Socket { dreg, .. } => forgotten(*dreg, "socket", r),
            Expr::Exthdr { dreg, .. } => self.exthdr(expr, *dreg, r, changes),
            Expr::ExthdrSet { field, sreg } => set_option(*field, *sreg, self.skb, r, changes),
            Expr::Fwd { .. } => Effect::NotKnown("expression fwd".to_owned()),
            Expr::Hidden { what, holds } => Effect::Assumes(format!("{what} hidden"), *holds),
            Expr::Opaque { name, data } => opaque(name, data, r),
            _ => Effect::Goes,
        }
    }

    /// A number that the kernel makes up: any of so many.
    fn one_of(
        &self,
        dreg: model::Reg,
        modulus: u32,
        offset: u32,
        what: &str,
        r: &mut Registers,
    ) -> Effect {
        let chosen = if modulus <= 1 { Some(0) } else { self.choose(modulus, what) };
        match chosen {
            Some(n) => r.store(dreg, &offset.wrapping_add(n).to_ne_bytes()),
            None => r.forget(dreg, 4, format!("{what} mod {modulus}")),
        }
        Effect::Goes
    }

    /// One of so many possibilities, if they are walked one by one.
    pub(crate) fn choose(&self, options: u32, what: &str) -> Option<u32> {
        let at = self.beginning()?;
        self.choices.choose(options, || (Fork::Rule(at.refer(self.place.ns.id)), what.to_owned()))
    }

    /// What hangs on how many packets came before.
    pub(crate) fn counted(&self, expr: &Expr) -> Effect {
        match expr {
            Expr::Limit { over, .. } => Effect::Assumes(
                "a limit whose state is not told, taken as not reached".into(),
                !over,
            ),
            Expr::Connlimit { over, .. } => Effect::Assumes(
                "a number of connections that is not told, taken as not reached".into(),
                !over,
            ),
            Expr::Quota { bytes, consumed, over } => {
                let now = consumed.saturating_add(u64::from(self.skb.packet.len));
                pass((now >= *bytes) == *over)
            }
            _ => Effect::Goes,
        }
    }

    fn exthdr(
        &self,
        expr: &Expr,
        dreg: model::Reg,
        r: &mut Registers,
        changes: &Changes,
    ) -> Effect {
        let Expr::Exthdr { field, .. } = expr else { return Effect::Goes };
        match (field.op, self.skb.packet.payload) {
            (1, _) if is_mss(*field) && changes.headers.mss(self.skb).is_some() => {
                load_mss(*field, dreg, self.skb, r, changes)
            }
            // An extension header of IPv6: fragments alone have one.
            (0, _) if self.skb.packet.is_ipv6() && self.skb.fragment.is_some() => {
                forgotten(dreg, "extension header", r)
            }
            (0, _) if self.skb.packet.is_ipv6() && field.present => {
                r.store(dreg, &[0]);
                Effect::Goes
            }
            (0, _) => Effect::Fails,
            (1, crate::Payload::Tcp { .. }) => forgotten(dreg, "tcp option", r),
            (1 | 3 | 4, _) if field.present => {
                r.store(dreg, &[0]);
                Effect::Goes
            }
            (1 | 3 | 4, _) => Effect::Fails,
            _ => forgotten(dreg, "ip option", r),
        }
    }
}

/// NFT_REJECT_*, and the codes of ICMPX.
fn reject(kind: u32, code: u8, ipv6: bool) -> Effect {
    match (kind, code) {
        (2, 0..=3) if ipv6 => Effect::Reject(RejectWith::Icmp([0, 4, 3, 1][usize::from(code)])),
        (1, _) => Effect::Reject(RejectWith::TcpReset),
        (0, code) => Effect::Reject(RejectWith::Icmp(code)),
        (2, 0) => Effect::Reject(RejectWith::Icmp(0)),
        (2, 1) => Effect::Reject(RejectWith::Icmp(3)),
        (2, 2) => Effect::Reject(RejectWith::Icmp(1)),
        (2, 3) => Effect::Reject(RejectWith::Icmp(13)),
        _ => Effect::NotKnown(format!("reject {kind} {code}")),
    }
}

/// Objects that only count or take notes let every packet pass.
fn object(kind: ObjectKind, name: &str) -> Effect {
    match kind {
        ObjectKind::Counter
        | ObjectKind::CtHelper
        | ObjectKind::CtTimeout
        | ObjectKind::Secmark
        | ObjectKind::CtExpectation => Effect::Goes,
        ObjectKind::Quota | ObjectKind::Limit | ObjectKind::Connlimit => {
            Effect::Doubts(format!("object {name}, whose state was not read"))
        }
        ObjectKind::Tunnel | ObjectKind::Synproxy | ObjectKind::Other(_) => {
            Effect::NotKnown(format!("object {name}"))
        }
    }
}

/// Whether an expression that is not modelled does something of its own, so that the rule matters
/// even with no verdict behind it: it takes the packet away, or writes what a later rule may read
/// (by its source register).
fn opaque(name: &str, data: &[u8], r: &mut Registers) -> Effect {
    let writes = match name {
        "queue" | "tproxy" | "synproxy" | "flow_offload" | "dynset" | "fwd" => true,
        "meta" => has_attribute(data, 3),
        "ct" => has_attribute(data, 4),
        "payload" => has_attribute(data, 5),
        _ => false,
    };
    if writes {
        return Effect::NotKnown(format!("expression {name}"));
    }
    r.taint(name);
    Effect::Doubts(format!("expression {name}"))
}

/// Whether netlink attributes hold one of that type.
fn has_attribute(mut data: &[u8], wanted: u16) -> bool {
    /// NLA_TYPE_MASK.
    const TYPE: u16 = 0x3fff;
    while let [a, b, c, d, ..] = *data {
        let (len, kind) = (u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d]) & TYPE);
        if kind == wanted {
            return true;
        }
        let next = usize::from(len).max(4).next_multiple_of(4);
        data = data.get(next..).unwrap_or_default();
    }
    false
}

pub(crate) fn forgotten(dreg: model::Reg, what: &str, r: &mut Registers) -> Effect {
    r.forget(dreg, 16, what.to_owned());
    Effect::Goes
}

/// Keys whose writing changes nothing that is walked.
pub(crate) const fn is_note(key: CtKey) -> bool {
    matches!(key, CtKey::Labels | CtKey::EventMask | CtKey::Helper)
}

/// Whether a target of nat is one of the destination.
pub(crate) const fn is_destination(kind: NatKind) -> bool {
    matches!(kind, NatKind::Dnat)
}
