//! Sets and maps, as rules look them up and add to them.

use model::{Data, Expr, Reg, SetElement, SetOp};

use crate::chain::{Added, Chains, Changes};
use crate::register::Registers;
use crate::rule::Effect;
use crate::{Looked, SetFound};

/// NFT_DYNSET_F_INV.
const INVERTED: u32 = 1;

/// What a key was found to be.
enum Found<'a> {
    /// An element that was read.
    Element(&'a SetElement),
    /// One that a rule on the way added, with a map's value.
    Added(Option<Vec<u8>>),
}

/// What is told of a look-up to those who want it explained.
fn told(set: &str, key: &[u8], found: Option<&Found<'_>>) -> Looked {
    let found = match found {
        None => SetFound::Nothing,
        Some(Found::Element(element)) => SetFound::Element(Box::new((*element).clone())),
        Some(Found::Added(_)) => SetFound::Added,
    };
    Looked::Set { set: set.to_owned(), key: key.to_vec(), found }
}

impl<'a> Chains<'a, '_> {
    pub(crate) fn look_up(
        &self,
        set: &str,
        sreg: Reg,
        dreg: Option<Reg>,
        invert: bool,
        r: &mut Registers,
        changes: &Changes,
    ) -> Effect {
        let Some(index) = self.place.tables.set(self.base.at, set) else {
            return Effect::Doubts(format!("set {set}, which was not read"));
        };
        let Some(key) = r.load(sreg, index.set.key_len as usize) else {
            return match dreg {
                None => Effect::Doubts(r.cause()),
                Some(_) => Effect::NotKnown(r.cause()),
            };
        };
        let found = self.find(set, key, changes);
        self.note_look(|| told(set, key, found.as_ref()));
        let Some(dreg) = dreg else {
            return match found {
                Some(found) if !invert => self.found(&found),
                found if found.is_some() != invert => Effect::Goes,
                _ => Effect::Fails,
            };
        };
        match found {
            Some(Found::Element(element)) => match &element.data {
                Some(Data::Verdict(verdict)) => Effect::Verdict(verdict.clone()),
                Some(Data::Value(value)) => {
                    r.store(dreg, value);
                    self.found(&Found::Element(element))
                }
                None => Effect::Doubts(format!("map {set} without value")),
            },
            Some(Found::Added(Some(value))) => {
                r.store(dreg, &value);
                Effect::Goes
            }
            Some(Found::Added(None)) => Effect::Doubts(format!("map {set} without value")),
            None => Effect::Fails,
        }
    }

    /// What an element does each time that it is found.
    fn found(&self, found: &Found<'_>) -> Effect {
        let Found::Element(element) = found else { return Effect::Goes };
        self.stateful(&element.exprs)
    }

    fn stateful(&self, exprs: &[Expr]) -> Effect {
        for expr in exprs {
            match self.counted(expr) {
                Effect::Goes => {}
                other => return other,
            }
        }
        Effect::Goes
    }

    fn find(&self, set: &str, key: &[u8], changes: &Changes) -> Option<Found<'a>> {
        let same = |a: &&Added| {
            let here = a.ns == self.place.ns.id && a.table == self.base.at;
            here && a.set == set && a.key == key
        };
        if let Some(added) = changes.added.iter().rev().chain(self.added.iter().rev()).find(same) {
            return added.present.clone().map(Found::Added);
        }
        let index = self.place.tables.set(self.base.at, set)?;
        index.find(key).map(Found::Element)
    }

    /// `nft_dynset_eval`.
    pub(crate) fn dynset(&self, expr: &Expr, r: &mut Registers, changes: &mut Changes) -> Effect {
        let Expr::Dynset { set, op, key, data, flags, exprs, .. } = expr else {
            return Effect::Goes;
        };
        let Some(index) = self.place.tables.set(self.base.at, set) else {
            return Effect::NotKnown(format!("set {set}, which was not read"));
        };
        let Some(key) = r.load(*key, index.set.key_len as usize) else {
            return Effect::NotKnown(r.cause());
        };
        let value = match data {
            None => None,
            Some(reg) => match r.load(*reg, index.set.data_len.unwrap_or(4) as usize) {
                None => return Effect::NotKnown(r.cause()),
                value => value.map(<[u8]>::to_vec),
            },
        };
        let before = self.find(set, key, changes);
        let full = index.set.size != 0 && index.set.elements.len() >= index.set.size as usize;
        if *op != SetOp::Delete && before.is_none() && full {
            return crate::rule::pass(flags & INVERTED != 0);
        }
        let present = (*op != SetOp::Delete).then_some(value);
        // An element that is there keeps what it counts.
        let counts = match (&before, op) {
            (_, SetOp::Delete) => Effect::Goes,
            (Some(Found::Element(element)), _) if !element.exprs.is_empty() => {
                self.stateful(&element.exprs)
            }
            _ => self.fresh(exprs),
        };
        let missing = *op == SetOp::Delete && before.is_none();
        let added = Added {
            ns: self.place.ns.id,
            table: self.base.at,
            set: set.clone(),
            key: key.to_vec(),
            present,
        };
        if before.is_none() != (*op == SetOp::Delete) {
            changes.added.push(added);
        }
        match (missing, flags & INVERTED != 0) {
            (true, inverted) => crate::rule::pass(inverted),
            (false, true) => Effect::Fails,
            (false, false) => counts,
        }
    }

    /// What begins with a new element has not reached its limit.
    fn fresh(&self, exprs: &[Expr]) -> Effect {
        for expr in exprs {
            let passes = match expr {
                Expr::Limit { over, .. } => !over,
                Expr::Connlimit { over, count } => (*count >= 1) != *over,
                Expr::Quota { bytes, over, .. } => {
                    (u64::from(self.skb.packet.len) >= *bytes) == *over
                }
                _ => true,
            };
            if !passes {
                return Effect::Fails;
            }
        }
        Effect::Goes
    }

    pub(crate) fn object_map(
        &self,
        set: &str,
        sreg: Reg,
        r: &Registers,
        changes: &Changes,
    ) -> Effect {
        let Some(index) = self.place.tables.set(self.base.at, set) else {
            return Effect::Doubts(format!("map {set}, which was not read"));
        };
        let Some(key) = r.load(sreg, index.set.key_len as usize) else {
            return Effect::Doubts(r.cause());
        };
        let found = self.find(set, key, changes);
        self.note_look(|| told(set, key, found.as_ref()));
        match (found, index.set.object) {
            (None, _) => Effect::Fails,
            // Counters, helpers, timeouts.
            (Some(_), Some(1 | 3 | 7 | 8 | 9)) => Effect::Goes,
            (Some(_), _) => Effect::Doubts(format!("an object of map {set}")),
        }
    }
}
