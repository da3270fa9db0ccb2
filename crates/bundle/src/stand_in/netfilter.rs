//! The ruleset: understood, replaced, and written anew. What is compared with what is known from
//! what was loaded: as in the kernel, registers hold bytes, and only their source says whether these
//! are addresses.

mod register;
mod set;
mod xt;

use std::collections::HashMap;
use std::hash::BuildHasher;

use model::{Chain, Data, Expr, Family, NftRule, Reg, Ruleset, Table, Verdict};
use wire::gathered::{Answer, Answers, Question};
use wire::nft;

use super::StandIns;
use register::{Field, Kind, Registers};

/// What the keys of the sets of a table are, by the lookups in them.
type Keys = HashMap<String, Vec<Field>>;

/// Replaces the ruleset. What of it could not be read becomes a gap, as it was one.
pub(super) fn replace<K: BuildHasher>(keys: &StandIns<K>, answers: &mut Answers) {
    let tables = answers.by_question.get(&Question::NftTables);
    let Some(Answer::Reply { .. }) = tables else { return };
    let (mut ruleset, warnings) = nft::decode_ruleset(&answers.ruleset());
    self::ruleset(keys, &mut ruleset);
    answers.put_ruleset(nft::encode_replies(&ruleset));
    for text in warnings {
        answers.gap("netfilter", text);
    }
}

fn ruleset<K: BuildHasher>(keys: &StandIns<K>, ruleset: &mut Ruleset) {
    for of in &mut ruleset.tables {
        table(keys, of);
    }
}

fn table<K: BuildHasher>(keys: &StandIns<K>, table: &mut Table) {
    let mut sets = Keys::new();
    for one in &mut table.chains {
        chain(keys, table.family, one, &mut sets);
    }
    for one in &mut table.sets {
        let looked_up = sets.get(&one.name);
        set::replace(keys, one, looked_up.map_or(&[], Vec::as_slice));
    }
    table.name = keys.name(&table.name);
    table.flowtables.iter_mut().for_each(|name| *name = keys.name(name));
}

fn chain<K: BuildHasher>(keys: &StandIns<K>, family: Family, chain: &mut Chain, sets: &mut Keys) {
    chain.name = keys.name(&chain.name);
    if let Some(base) = &mut chain.base {
        base.devices.iter_mut().for_each(|device| *device = keys.link(device));
    }
    for one in &mut chain.rules {
        rule(keys, family, one, sets);
    }
}

fn rule<K: BuildHasher>(keys: &StandIns<K>, family: Family, rule: &mut NftRule, sets: &mut Keys) {
    // A comment, for nft.
    rule.userdata.clear();
    let targets = targets(&rule.exprs);
    let mut registers = Registers::default();
    for one in &mut rule.exprs {
        expr(keys, family, one, &mut registers, &targets, sets);
    }
}

/// The registers in which `nat` looks for addresses.
fn targets(exprs: &[Expr]) -> Vec<Reg> {
    let of = |expr: &Expr| match expr {
        Expr::Nat { addr: Some((first, last)), .. } => vec![Some(*first), *last],
        _ => Vec::new(),
    };
    exprs.iter().flat_map(of).flatten().collect()
}

fn expr<K: BuildHasher>(
    keys: &StandIns<K>,
    family: Family,
    expr: &mut Expr,
    registers: &mut Registers,
    targets: &[Reg],
    sets: &mut Keys,
) {
    match expr {
        Expr::Payload { base, offset, len, dreg } => {
            registers.load(*dreg, *len, register::payload(family, *base, *offset, *len));
        }
        Expr::Meta { key, dreg } => registers.load(*dreg, 16, register::meta(*key)),
        Expr::Ct { key, dreg, .. } => registers.load(*dreg, 16, register::ct(*key)),
        Expr::Bitwise { sreg, dreg, mask, .. } => registers.mask(*sreg, *dreg, mask),
        Expr::Cmp { sreg, data, .. } => registers.replace(keys, *sreg, data),
        Expr::Range { sreg, from, to, .. } => registers.range(keys, *sreg, from, to),
        Expr::Lookup { set, sreg, dreg, .. } => {
            let fields = registers.fields(*sreg);
            if !fields.is_empty() {
                sets.insert(set.clone(), fields);
            }
            *set = keys.name(set);
            if let Some(dreg) = dreg {
                registers.load(*dreg, 16, Vec::new());
            }
        }
        Expr::Immediate { dreg, data } => match data {
            Data::Verdict(verdict) => self::verdict(keys, verdict),
            Data::Value(value) if targets.contains(dreg) => Kind::Ip.replace(keys, value, None),
            Data::Value(_) => {}
        },
        Expr::Match(ext) | Expr::Target(ext) => xt::replace(keys, &mut ext.info),
        Expr::Fib { dreg, .. }
        | Expr::Numgen { dreg, .. }
        | Expr::Hash { dreg, .. }
        | Expr::Exthdr { dreg, .. }
        | Expr::Rt { dreg, .. }
        | Expr::Socket { dreg, .. } => registers.load(*dreg, 16, Vec::new()),
        Expr::Shift { dreg, len, .. } => registers.load(*dreg, *len, Vec::new()),
        Expr::Byteorder { sreg, dreg, len, .. } => {
            let fields = registers.fields(*sreg);
            registers.load(*dreg, *len, fields);
        }
        Expr::Log { prefix, .. } => *prefix = None,
        Expr::Object { name, .. } => *name = keys.name(name),
        Expr::ObjectMap { set, sreg } => {
            sets.insert(set.clone(), registers.fields(*sreg));
            *set = keys.name(set);
        }
        Expr::Dynset { set, key, exprs, .. } => {
            let fields = registers.fields(*key);
            if !fields.is_empty() {
                sets.insert(set.clone(), fields);
            }
            *set = keys.name(set);
            for one in exprs {
                self::expr(keys, family, one, registers, targets, sets);
            }
        }
        // It has no type here: whatever it says, it makes the answer "unknown".
        Expr::Opaque { data, .. } => data.clear(),
        _ => {}
    }
}

fn verdict<K: BuildHasher>(keys: &StandIns<K>, verdict: &mut Verdict) {
    if let Verdict::Jump(chain) | Verdict::Goto(chain) = verdict {
        *chain = keys.name(chain);
    }
}
