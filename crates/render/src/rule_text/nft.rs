//! A rule as `nft -s list` prints it.
//!
//! The expressions run on registers: what a comparison, a set or a target speaks of is what was
//! loaded there last. What only prepares a test (`meta l4proto tcp` before a port) is left out, as
//! nft does.

mod act;
mod element;
mod field;
mod set;
mod value;

pub(super) use element::{element, key};
pub(super) use set::by_type as elements;

use std::collections::BTreeMap;

use model::{CmpOp, Data, Expr, Family, MetaKey, NatKind, Reg, Set, Verdict};

use super::number::host32;
use super::xt;
use field::{Field, Layers, Needs};
use value::Kind;

/// The text. `sets` are those of the table, for the ones without a name of their own.
pub(super) fn rule(family: Family, sets: &[Set], exprs: &[Expr]) -> String {
    let mut reader = Reader {
        family,
        sets,
        layers: Layers::of(family),
        registers: BTreeMap::new(),
        words: Vec::new(),
        low: None,
        prepared: Vec::new(),
    };
    for expr in exprs {
        reader.expr(expr);
    }
    reader.flush();
    reader.words.retain(|w| !w.is_empty());
    reader.words.join(" ")
}

/// The kernel's name of an expression.
pub(super) fn name(expr: &Expr) -> &str {
    match expr {
        Expr::Meta { .. } | Expr::MetaSet { .. } => "meta",
        Expr::Payload { .. } | Expr::PayloadSet { .. } => "payload",
        Expr::Cmp { .. } => "cmp",
        Expr::Range { .. } => "range",
        Expr::Bitwise { .. } | Expr::Shift { .. } => "bitwise",
        Expr::Byteorder { .. } => "byteorder",
        Expr::Immediate { .. } => "immediate",
        Expr::Lookup { .. } => "lookup",
        Expr::Ct { .. } | Expr::CtSet { .. } => "ct",
        Expr::Counter { .. } => "counter",
        Expr::Nat { .. } => "nat",
        Expr::Masq { .. } => "masq",
        Expr::Redir { .. } => "redir",
        Expr::Reject { .. } => "reject",
        Expr::Match(_) => "match",
        Expr::Target(_) => "target",
        Expr::Fib { .. } => "fib",
        Expr::Limit { .. } => "limit",
        Expr::Quota { .. } => "quota",
        Expr::Connlimit { .. } => "connlimit",
        Expr::Numgen { .. } => "numgen",
        Expr::Hash { .. } => "hash",
        Expr::Exthdr { .. } | Expr::ExthdrSet { .. } => "exthdr",
        Expr::Rt { .. } => "rt",
        Expr::Socket { .. } => "socket",
        Expr::Log { .. } => "log",
        Expr::Notrack => "notrack",
        Expr::Last { .. } => "last",
        Expr::Dup { .. } => "dup",
        Expr::Fwd { .. } => "fwd",
        Expr::Object { .. } | Expr::ObjectMap { .. } => "objref",
        Expr::Dynset { .. } => "dynset",
        Expr::Hidden { what, .. } => what,
        Expr::Opaque { name, .. } => name,
    }
}

/// What a register holds.
#[derive(Clone)]
enum Held {
    Field(Field),
    Value(Vec<u8>),
    /// Something that has its text already.
    Text(String),
}

struct Reader<'a> {
    family: Family,
    sets: &'a [Set],
    layers: Layers,
    /// By the number of the first 4-byte piece.
    registers: BTreeMap<u32, Held>,
    words: Vec<String>,
    /// The first half of `a-b`: where, and the word that says `>= a`.
    low: Option<(u32, String, String)>,
    /// Words that may turn out to only prepare a test, and for what.
    prepared: Vec<(usize, Needs)>,
}

/// The piece that a register begins at; None for the verdict.
const fn piece(reg: Reg) -> Option<u32> {
    match reg.0 {
        n @ 1..=4 => Some((n - 1) * 4),
        n @ 8.. => Some(n - 8),
        _ => None,
    }
}

impl Reader<'_> {
    fn expr(&mut self, expr: &Expr) {
        if !matches!(expr, Expr::Cmp { .. }) {
            self.flush();
        }
        match expr {
            Expr::Meta { key, dreg } => self.hold(*dreg, Held::Field(field::meta(*key))),
            Expr::Ct { key, dir, dreg } => self.hold(*dreg, Held::Field(field::ct(*key, *dir))),
            Expr::Payload { base, offset, len, dreg } => {
                let field = field::payload(self.layers, *base, *offset, *len);
                self.hold(*dreg, Held::Field(field));
            }
            Expr::Bitwise { sreg, dreg, mask, xor, .. } => self.bitwise(*sreg, *dreg, mask, xor),
            Expr::Cmp { sreg, op, data } => self.cmp(*sreg, *op, data),
            Expr::Range { sreg, op, from, to } => self.range(*sreg, *op, from, to),
            Expr::Immediate { data: Data::Verdict(verdict), .. } => self.say(verdict_text(verdict)),
            Expr::Immediate { dreg, data: Data::Value(bytes) } => {
                self.hold(*dreg, Held::Value(bytes.clone()));
            }
            Expr::Lookup { set, sreg, dreg, invert } => self.lookup(set, *sreg, *dreg, *invert),
            Expr::MetaSet { key, sreg } => self.meta_set(*key, *sreg),
            Expr::Counter { .. } => self.say("counter".to_owned()),
            Expr::Nat { .. } | Expr::Masq { .. } | Expr::Redir { .. } => self.nat(expr),
            Expr::Reject { kind, code } => {
                self.say(value::reject(self.family, *kind, *code));
            }
            Expr::Match(ext) => match xt::ports(ext) {
                Some(ports) => self.say(ports.text()),
                None => self.say(xt::matching(ext)),
            },
            Expr::Target(ext) => self.say(xt::target(ext, self.family == Family::Ip6)),
            Expr::Hidden { what, .. } => self.say(format!("<hidden: {what}>")),
            Expr::Opaque { name, .. } => self.say(format!("<unknown: {name}>")),
            other => self.rare(other),
        }
    }

    fn say(&mut self, word: String) {
        self.words.push(word);
    }

    fn hold(&mut self, reg: Reg, held: Held) {
        if let Some(piece) = piece(reg) {
            self.registers.insert(piece, held);
        }
    }

    fn held(&self, reg: Reg) -> Option<&Held> {
        self.registers.get(&piece(reg)?)
    }

    fn bitwise(&mut self, sreg: Reg, dreg: Reg, mask: &[u8], xor: &[u8]) {
        let masked = match self.held(sreg) {
            Some(Held::Field(field)) if field.mask.is_none() && xor.iter().all(|b| *b == 0) => {
                Held::Field(Field { mask: Some(mask.to_vec()), ..field.clone() })
            }
            _ => Held::Text("<unknown: bitwise>".to_owned()),
        };
        self.hold(dreg, masked);
    }

    /// The field in a register, of which a test now speaks: what prepared for it is taken back.
    fn field(&mut self, reg: Reg) -> Option<Field> {
        let Some(Held::Field(field)) = self.held(reg).cloned() else { return None };
        self.use_field(&field);
        Some(field)
    }

    fn use_field(&mut self, field: &Field) {
        for (word, needs) in &self.prepared {
            if field.needs.contains(*needs) {
                self.words[*word].clear();
            }
        }
    }

    fn cmp(&mut self, reg: Reg, op: CmpOp, data: &[u8]) {
        let Some(field) = self.field(reg) else {
            self.flush();
            let held = match self.held(reg) {
                Some(Held::Text(text)) => text.clone(),
                _ => "<unknown: cmp>".to_owned(),
            };
            return self.say(held);
        };
        let text = field.kind.text(data, field.mask.as_deref());
        if let (CmpOp::Lte, Some((piece_of, name, low))) = (op, self.low.take()) {
            if Some(piece_of) == piece(reg) {
                return self.say(format!("{name} {low}-{text}"));
            }
            self.low = Some((piece_of, name, low));
        }
        self.flush();
        match (op, piece(reg)) {
            (CmpOp::Gte, Some(piece)) => self.low = Some((piece, field.name, text)),
            _ => {
                let word = field.compared(op, data, &text);
                if op == CmpOp::Eq && field.mask.is_none() {
                    self.prepare(&field, data);
                }
                self.say(word);
            }
        }
    }

    /// Notes which headers the packet now must have, and that the next word may only say so.
    fn prepare(&mut self, field: &Field, data: &[u8]) {
        if let Some(needs) = self.layers.learn(field, data) {
            self.prepared.push((self.words.len(), needs));
        }
    }

    /// Says a `>=` that no `<=` followed.
    fn flush(&mut self) {
        if let Some((_, name, low)) = self.low.take() {
            self.say(format!("{name} >= {low}"));
        }
    }

    fn range(&mut self, reg: Reg, op: CmpOp, from: &[u8], to: &[u8]) {
        let Some(field) = self.field(reg) else {
            return self.say("<unknown: range>".to_owned());
        };
        let not = if op == CmpOp::Neq { "!= " } else { "" };
        let (from, to) = (field.kind.text(from, None), field.kind.text(to, None));
        self.say(format!("{} {not}{from}-{to}", field.name));
    }

    fn lookup(&mut self, name: &str, sreg: Reg, dreg: Option<Reg>, invert: bool) {
        let set = self.sets.iter().find(|s| s.name == name);
        let keys = self.keys(sreg, set.map_or(0, |s| s.key_len));
        let [key] = keys.as_slice() else {
            let names: Vec<&str> = keys.iter().map(|k| k.name.as_str()).collect();
            return self.looked_up(&names.join(" . "), &format!("@{name}"), dreg, invert);
        };
        let anonymous = set.filter(|s| s.flags & set::ANONYMOUS != 0);
        let elements = anonymous.and_then(|s| set::elements(s, key.kind));
        let what = elements.unwrap_or_else(|| format!("@{name}"));
        self.looked_up(&key.name, &what, dreg, invert);
    }

    fn looked_up(&mut self, key: &str, set: &str, dreg: Option<Reg>, invert: bool) {
        match dreg {
            Some(Reg(0)) => self.say(format!("{key} vmap {set}")),
            Some(dreg) => self.hold(dreg, Held::Text(format!("{key} map {set}"))),
            None if invert => self.say(format!("{key} != {set}")),
            None => self.say(format!("{key} {set}")),
        }
    }

    /// The fields that a key of so many bytes is made of; with 0, the one.
    fn keys(&mut self, reg: Reg, len: u32) -> Vec<Field> {
        let mut keys = Vec::new();
        let Some(first) = piece(reg) else { return keys };
        let mut at = first;
        while let Some(Held::Field(field)) = self.registers.get(&at).cloned() {
            at = at.saturating_add(field.len.div_ceil(4).max(1));
            self.use_field(&field);
            keys.push(field);
            if (at - first).saturating_mul(4) >= len {
                break;
            }
        }
        if keys.is_empty() {
            keys.push(Field::unknown("<unknown: lookup>".to_owned(), 0));
        }
        keys
    }

    fn meta_set(&mut self, key: MetaKey, sreg: Reg) {
        let field = field::meta(key);
        let value = match self.held(sreg) {
            Some(Held::Value(bytes)) => field.kind.text(bytes, None),
            Some(Held::Text(text)) => text.clone(),
            Some(Held::Field(from)) => match &from.mask {
                Some(mask) => {
                    format!("{} & {:#010x}", from.name, host32(mask).unwrap_or_default())
                }
                None => from.name.clone(),
            },
            None => "<unknown: register>".to_owned(),
        };
        self.say(format!("{} set {value}", field.name));
    }

    fn nat(&mut self, expr: &Expr) {
        let (word, addr, port, flags) = match expr {
            Expr::Nat { kind, family, addr, port, flags } => {
                let word = if *kind == NatKind::Snat { "snat" } else { "dnat" };
                let of = if self.family == Family::Inet { family.as_str() } else { "" };
                (format!("{word} {of}").trim_end().to_owned(), *addr, *port, *flags)
            }
            Expr::Masq { flags, port } => ("masquerade".to_owned(), None, *port, *flags),
            Expr::Redir { flags, port } => ("redirect".to_owned(), None, *port, *flags),
            _ => return,
        };
        let kind = match expr {
            Expr::Nat { family: Family::Ip6, .. } => Kind::Ip6,
            _ => Kind::Ip4,
        };
        let mut to = addr.map(|range| self.registers_text(range, kind)).unwrap_or_default();
        if let Some(range) = port {
            to = format!("{to}:{}", self.registers_text(range, Kind::Port));
        }
        let to = if to.is_empty() { to } else { format!(" to {to}") };
        let how: Vec<&str> = [(4, "random"), (16, "fully-random"), (8, "persistent")]
            .into_iter()
            .filter(|(bit, _)| flags & bit != 0)
            .map(|(_, name)| name)
            .collect();
        self.say(format!("{word}{to} {}", how.join(",")).trim_end().to_owned());
    }

    fn registers_text(&self, (first, last): (Reg, Option<Reg>), kind: Kind) -> String {
        let text = |reg| match self.held(reg) {
            Some(Held::Value(bytes)) => kind.text(bytes, None),
            Some(Held::Text(text)) => text.clone(),
            Some(Held::Field(field)) => field.name.clone(),
            None => "<unknown: register>".to_owned(),
        };
        match last {
            Some(last) => format!("{}-{}", text(first), text(last)),
            None => text(first),
        }
    }
}

pub(super) fn verdict_text(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accept => "accept".to_owned(),
        Verdict::Drop => "drop".to_owned(),
        Verdict::Return => "return".to_owned(),
        Verdict::Continue => "continue".to_owned(),
        Verdict::Break => "break".to_owned(),
        Verdict::Jump(chain) => format!("jump {chain}"),
        Verdict::Goto(chain) => format!("goto {chain}"),
        Verdict::Queue(code) => format!("queue to {}", code >> 16),
    }
}
