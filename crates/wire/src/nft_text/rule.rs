//! Rules: what they match, one behind the other, and what they do.

use model::{CmpOp, Expr, Family, MetaKey, PayloadBase, Reg, Table};

use super::field::{self, Field, Needs, mask};
use super::set::{Making, Value};
use super::statement;
use super::value::{Kind, Range};
use super::words::{Word, WordError, Words};

/// The register that most goes through, and its number in pieces of four bytes.
pub(super) const REG: Reg = Reg(1);
const PIECES: u32 = 8;

/// An Ethernet type, and how nft asks for it.
const ARP: u16 = 0x0806;
const ETHER_TYPE: Expr =
    Expr::Payload { base: PayloadBase::LinkLayer, offset: 12, len: 2, dreg: REG };

/// A rule that is being made.
pub(super) struct Rule<'t> {
    pub(super) table: &'t mut Table,
    pub(super) exprs: Vec<Expr>,
    /// What is tested already.
    tested: Needs,
}

/// The expressions of a rule; sets without a name go into the table.
pub(super) fn parse(text: &str, table: &mut Table) -> Result<Vec<Expr>, WordError> {
    let mut words = Words::new(text)?;
    let mut rule = Rule { table, exprs: Vec::new(), tested: Needs::default() };
    while !words.is_empty() {
        rule.part(&mut words)?;
    }
    Ok(rule.exprs)
}

impl Rule<'_> {
    fn part(&mut self, words: &mut Words) -> Result<(), WordError> {
        let word = words.next()?;
        if statement::parse(self, &word, words)? {
            return Ok(());
        }
        match self.selector(&word, words)? {
            Some(fields) => self.comparison(&fields, words),
            None => Err(word.wrong("is not known here")),
        }
    }

    /// `ip saddr . tcp dport`.
    pub(super) fn selector(
        &mut self,
        word: &Word,
        words: &mut Words,
    ) -> Result<Option<Vec<Field>>, WordError> {
        let family = self.table.family;
        let Some(first) = field::parse(&word.text, words, family)? else { return Ok(None) };
        let mut fields = vec![first];
        while words.take(".") {
            let word = words.next()?;
            let next = field::parse(&word.text, words, family)?;
            fields.push(next.ok_or_else(|| word.wrong("is no selector"))?);
        }
        for field in &fields {
            self.need(field.needs);
        }
        Ok(Some(fields))
    }

    /// Loads them into registers one behind the other; the first one is [`REG`].
    pub(super) fn load(&mut self, fields: &[Field]) {
        let mut piece = 0;
        for field in fields {
            let reg = if piece == 0 { REG } else { Reg(PIECES + piece) };
            self.exprs.extend(field.load(reg));
            piece += u32::try_from(field.kind.len().div_ceil(4)).unwrap_or(0);
        }
    }

    /// Tests for the protocols that a selector is of, unless that is done or evident.
    pub(super) fn need(&mut self, needs: Needs) {
        if needs.ether && !self.tested.ether {
            // ARPHRD_ETHER.
            let ether = 1_u16.to_ne_bytes().to_vec();
            self.test(Expr::Meta { key: MetaKey::IifType, dreg: REG }, ether);
            self.tested.ether = true;
        }
        if let Some(l3) = needs.l3.filter(|l3| self.tested.l3 != Some(*l3)) {
            match (self.table.family, l3) {
                (Family::Ip | Family::Ip6 | Family::Arp, _) => {}
                (Family::Inet, _) => {
                    let family = if l3 == 0x86dd { 10 } else { 2 };
                    self.test(Expr::Meta { key: MetaKey::Nfproto, dreg: REG }, vec![family]);
                }
                (Family::Bridge | Family::Netdev, _) => {
                    let load = match l3 {
                        ARP => ETHER_TYPE,
                        _ => Expr::Meta { key: MetaKey::Protocol, dreg: REG },
                    };
                    self.test(load, l3.to_be_bytes().to_vec());
                }
            }
            self.tested.l3 = Some(l3);
        }
        if let Some(l4) = needs.l4.filter(|l4| self.tested.l4 != Some(*l4)) {
            self.test(Expr::Meta { key: MetaKey::L4proto, dreg: REG }, vec![l4]);
            self.tested.l4 = Some(l4);
        }
    }

    fn test(&mut self, load: Expr, data: Vec<u8>) {
        self.exprs.extend([load, Expr::Cmp { sreg: REG, op: CmpOp::Eq, data }]);
    }

    fn comparison(&mut self, fields: &[Field], words: &mut Words) -> Result<(), WordError> {
        let kinds: Vec<Kind> = fields.iter().map(|f| f.kind).collect();
        if words.take("vmap") {
            self.load(fields);
            let set = self.set(&kinds, Some(Value::Verdict), words)?;
            self.exprs.push(Expr::Lookup { set, sreg: REG, dreg: Some(Reg(0)), invert: false });
            return Ok(());
        }
        let masked = if words.take("&") { Some(words.next()?) } else { None };
        let said = operator(words);
        let op = said.unwrap_or(CmpOp::Eq);
        if fields.len() > 1 || words.sees("{") || words.peek().is_some_and(|w| w.starts_with('@')) {
            self.load(fields);
            let set = self.set(&kinds, None, words)?;
            let invert = op == CmpOp::Neq;
            self.exprs.push(Expr::Lookup { set, sreg: REG, dreg: None, invert });
            return Ok(());
        }
        let field = &fields[0];
        if field.kind.is_bits() && masked.is_none() {
            return self.bits(field, said, words);
        }
        let word = words.next()?;
        if let Some(bits) = masked {
            let (bits, value) = field
                .kind
                .value(&bits.text)
                .zip(field.kind.value(&word.text))
                .ok_or_else(|| word.wrong("is no value for a mask"))?;
            self.load(fields);
            self.exprs.extend([mask(REG, bits), Expr::Cmp { sreg: REG, op, data: value }]);
            return Ok(());
        }
        self.remember(field, op, &word);
        self.compare(field, op, &word)
    }

    /// What a comparison with a protocol tells of those behind it.
    fn remember(&mut self, field: &Field, op: CmpOp, word: &Word) {
        if field.kind == Kind::Protocol && op == CmpOp::Eq {
            self.tested.l4 = field.kind.value(&word.text).and_then(|v| v.first().copied());
        }
    }

    fn compare(&mut self, field: &Field, op: CmpOp, word: &Word) -> Result<(), WordError> {
        if let (Kind::LinkName, Some(stem)) = (field.kind, word.text.strip_suffix('*')) {
            self.load(std::slice::from_ref(field));
            let data = stem.as_bytes().to_vec();
            self.exprs.push(Expr::Cmp { sreg: REG, op, data });
            return Ok(());
        }
        let Range { first, last } = field.kind.range(word)?;
        if let Some((_, length)) = word.text.split_once('/') {
            self.prefix(field, op, first, length.parse().unwrap_or(0));
            return Ok(());
        }
        self.load(std::slice::from_ref(field));
        if field.kind.is_of_the_host() && !matches!(op, CmpOp::Eq | CmpOp::Neq) {
            // Larger and smaller are told from the first byte on.
            let (sreg, dreg, len, size) = (REG, REG, 4, 4);
            self.exprs.push(Expr::Byteorder { sreg, dreg, to_host: false, len, size });
            let number = <[u8; 4]>::try_from(first.as_slice()).map_or(0, u32::from_ne_bytes);
            let data = number.to_be_bytes().to_vec();
            self.exprs.push(Expr::Cmp { sreg: REG, op, data });
            return Ok(());
        }
        self.exprs.extend(match op {
            _ if first == last => vec![Expr::Cmp { sreg: REG, op, data: first }],
            CmpOp::Neq => vec![Expr::Range { sreg: REG, op, from: first, to: last }],
            _ => vec![
                Expr::Cmp { sreg: REG, op: CmpOp::Gte, data: first },
                Expr::Cmp { sreg: REG, op: CmpOp::Lte, data: last },
            ],
        });
        Ok(())
    }

    /// Whole bytes of a prefix are compared by themselves.
    fn prefix(&mut self, field: &Field, op: CmpOp, mut first: Vec<u8>, length: usize) {
        let bytes = length / 8;
        let short = u32::try_from(bytes).ok().and_then(|n| field.load_first(REG, n));
        if let (0, Some(load)) = (length % 8, short.filter(|_| bytes > 0)) {
            first.truncate(bytes);
            self.exprs.extend([load, Expr::Cmp { sreg: REG, op, data: first }]);
            return;
        }
        let mut bits = vec![0; first.len()];
        for bit in 0..length {
            bits[bit / 8] |= 0x80 >> (bit % 8);
        }
        self.load(std::slice::from_ref(field));
        self.exprs.extend([mask(REG, bits), Expr::Cmp { sreg: REG, op, data: first }]);
    }

    /// `ct state new,established`: any of them; with an operator, all and no other.
    fn bits(
        &mut self,
        field: &Field,
        said: Option<CmpOp>,
        words: &mut Words,
    ) -> Result<(), WordError> {
        let mut any = vec![0; field.kind.len()];
        loop {
            let word = words.next()?;
            let one = field.kind.value(&word.text).ok_or_else(|| word.wrong("is no such value"))?;
            any.iter_mut().zip(one).for_each(|(all, bit)| *all |= bit);
            if !words.take(",") {
                break;
            }
        }
        self.load(std::slice::from_ref(field));
        if let Some(op) = said {
            self.exprs.push(Expr::Cmp { sreg: REG, op, data: any });
            return Ok(());
        }
        let (op, none) = (CmpOp::Neq, vec![0; any.len()]);
        self.exprs.extend([mask(REG, any), Expr::Cmp { sreg: REG, op, data: none }]);
        Ok(())
    }

    /// `@name`, or a set without a name; its name.
    pub(super) fn set(
        &mut self,
        kinds: &[Kind],
        value: Option<Value>,
        words: &mut Words,
    ) -> Result<String, WordError> {
        let word = words.next()?;
        if let Some(name) = word.text.strip_prefix('@') {
            let known = self.table.sets.iter().any(|s| s.name == name);
            return if known {
                Ok(name.to_owned())
            } else {
                Err(word.wrong("is no set of this table"))
            };
        }
        if word.text != "{" {
            return Err(word.wrong("should be `@` and a name, or `{`"));
        }
        let stem = if value.is_some() { "__map" } else { "__set" };
        let number = self.table.sets.iter().filter(|s| s.name.starts_with(stem)).count();
        let name = format!("{stem}{number}");
        let keys = kinds.to_vec();
        let making = Making { name: name.clone(), anonymous: true, keys, value };
        let set = making.inline(words)?;
        self.table.sets.push(set);
        Ok(name)
    }
}

fn operator(words: &mut Words) -> Option<CmpOp> {
    for (word, op) in [
        ("!=", CmpOp::Neq),
        ("==", CmpOp::Eq),
        ("<", CmpOp::Lt),
        ("<=", CmpOp::Lte),
        (">", CmpOp::Gt),
        (">=", CmpOp::Gte),
    ] {
        if words.take(word) {
            return Some(op);
        }
    }
    None
}
