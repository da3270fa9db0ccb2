//! The first tests of each rule in a few bytes side by side, so that rules which do not match cost
//! next to nothing, be they ten thousand.

use model::{CmpOp, Data, Expr, MetaKey, NftRule, PayloadBase, Verdict};

use crate::hash::Map;
use crate::header::{Headers, Read};
use crate::indexed::Place;
use crate::links::{LinkName, NOBODY};
use crate::skb::Skb;

/// Bytes of a link's name.
const NAME: usize = 16;

/// How a rule begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening<'a> {
    /// Its first tests, in order: if one fails, the rule does nothing.
    tests: [Guard; 2],
    /// Where they hold.
    then: Then<'a>,
}

/// What is left of a rule whose first tests have been asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then<'a> {
    /// It is to be gone through from that expression on.
    From(usize),
    /// It says this, and nothing else.
    Says(&'a Verdict),
    /// It only leads to the chain at that position of its table, and (`back`) on from there.
    Enters { to: usize, back: bool },
}

/// A test without side effects.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guard {
    /// There is none.
    Always,
    /// One that is not asked here.
    Other,
    /// At most four bytes of a header.
    Bytes { transport: bool, offset: u8, len: u8, mask: u32, value: u32, equal: bool },
    /// The link in or out, by its whole name. None: no link is called so.
    Link { out: bool, link: Option<u32>, equal: bool },
    /// The name of the link in or out, or its beginning.
    Name { out: bool, len: u8, name: LinkName, equal: bool },
    /// The transport protocol.
    Protocol { number: u8, equal: bool },
}

/// The links of a namespace by their names.
pub(crate) type LinkNames = Map<LinkName, u32>;

/// What guards ask beside headers.
pub(crate) struct Facts<'a> {
    pub(crate) place: &'a Place<'a>,
    pub(crate) iif: Option<u32>,
    pub(crate) oif: Option<u32>,
    /// None: it has none.
    pub(crate) protocol: Option<u8>,
}

impl<'a> Facts<'a> {
    fn name(&self, link: Option<u32>) -> &'a LinkName {
        link.and_then(|link| self.place.link_index(link)).map_or(&NOBODY, |found| &found.name)
    }
}

impl<'a> Opening<'a> {
    /// Of a rule; with the position of the chain that its one verdict leads to.
    pub(crate) fn of(rule: &'a NftRule, to: Option<usize>, links: &LinkNames) -> Self {
        let exprs = rule.exprs.as_slice();
        let (first, used) = guard(exprs, links);
        // Behind a test that is none, another would be asked too early.
        let rest = if used == 0 { &[] } else { exprs.get(used..).unwrap_or(&[]) };
        let (second, more) = guard(rest, links);
        let then = match (Then::behind(exprs, used + more), to) {
            (Then::Says(Verdict::Jump(_)), Some(to)) => Then::Enters { to, back: true },
            (Then::Says(Verdict::Goto(_)), Some(to)) => Then::Enters { to, back: false },
            (then, _) => then,
        };
        Self { tests: [first, second], then }
    }

    /// Asks its tests. None: the rule does nothing.
    #[inline]
    pub(crate) fn ask(&self, skb: &Skb, headers: &Headers, facts: &Facts) -> Option<Then<'a>> {
        if let Guard::Always = self.tests[0] {
            return Some(self.then);
        }
        let mut sure = true;
        for test in &self.tests {
            match test.holds(skb, headers, facts) {
                Some(true) => {}
                Some(false) => return None,
                None => sure = false,
            }
        }
        Some(if sure { self.then } else { Then::From(0) })
    }
}

impl<'a> Then<'a> {
    /// Where tests take up so many expressions, and hold. If one behind them looks at what they have
    /// loaded, they are gone through all the same.
    fn behind(exprs: &'a [Expr], tests: usize) -> Self {
        let rest = exprs.get(tests..).unwrap_or(&[]);
        if !rest.iter().all(reads_nothing) {
            return Self::From(0);
        }
        let idle = rest.iter().take_while(|expr| only_counts(expr)).count();
        match rest.get(idle).and_then(own_verdict) {
            Some(verdict) => Self::Says(verdict),
            None => Self::From(tests + idle),
        }
    }
}

/// A verdict that stands in the rule itself, and leads elsewhere than to its next expression.
pub(crate) const fn own_verdict(expr: &Expr) -> Option<&Verdict> {
    match expr {
        Expr::Immediate { data: Data::Verdict(Verdict::Continue | Verdict::Break), .. } => None,
        Expr::Immediate { data: Data::Verdict(verdict), .. } => Some(verdict),
        _ => None,
    }
}

/// It lets every packet pass, and leaves no trace that is walked.
const fn only_counts(expr: &Expr) -> bool {
    matches!(expr, Expr::Counter { .. } | Expr::Log { .. } | Expr::Last { .. })
}

/// It does not look at what expressions before it have loaded.
const fn reads_nothing(expr: &Expr) -> bool {
    only_counts(expr)
        || matches!(
            expr,
            Expr::Immediate { data: Data::Verdict(_), .. }
                | Expr::Match(_)
                | Expr::Target(_)
                | Expr::Reject { .. }
                | Expr::Masq { port: None, .. }
        )
}

fn guard(exprs: &[Expr], links: &LinkNames) -> (Guard, usize) {
    let open = (Guard::Always, 0);
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
            (meta(*key, data, equal, links), 2)
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

fn meta(key: MetaKey, data: &[u8], equal: bool, links: &LinkNames) -> Guard {
    match (key, data) {
        (MetaKey::L4proto, [number]) => Guard::Protocol { number: *number, equal },
        (MetaKey::IifName | MetaKey::OifName, data) if (1..=NAME).contains(&data.len()) => {
            let mut name = [0; NAME];
            name[..data.len()].copy_from_slice(data);
            let out = key == MetaKey::OifName;
            if data[0] != 0 && data.contains(&0) {
                return Guard::Link { out, link: links.get(&name).copied(), equal };
            }
            let len = u8::try_from(data.len()).unwrap_or(0);
            Guard::Name { out, len, name, equal }
        }
        _ => Guard::Other,
    }
}

/// At most four bytes as a number; None: more.
fn word(bytes: &[u8]) -> Option<u32> {
    let mut word = [0; 4];
    word.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u32::from_be_bytes(word))
}

impl Guard {
    /// Whether the test holds; None: it has to be gone through.
    #[inline]
    fn holds(&self, skb: &Skb, headers: &Headers, facts: &Facts<'_>) -> Option<bool> {
        match self {
            Self::Always => Some(true),
            Self::Other => None,
            Self::Bytes { transport, offset, len, mask, value, equal } => {
                let base = if *transport { PayloadBase::Transport } else { PayloadBase::Network };
                match headers.read(skb, base, u32::from(*offset), u32::from(*len)) {
                    Read::Bytes(bytes) => Some((word(bytes)? & mask == *value) == *equal),
                    Read::Beyond => Some(false),
                    Read::NotKnown => None,
                }
            }
            Self::Link { out, link, equal } => {
                let is = if *out { facts.oif } else { facts.iif };
                Some((is == *link && is.is_some()) == *equal)
            }
            Self::Name { out, len, name, equal } => {
                let is = facts.name(if *out { facts.oif } else { facts.iif });
                let len = usize::from(*len);
                Some((is[..len] == name[..len]) == *equal)
            }
            // What has none does not match, whatever is asked.
            Self::Protocol { number, equal } => {
                Some(facts.protocol.is_some_and(|is| (is == *number) == *equal))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Reg;

    use super::*;

    const REG: Reg = Reg(1);

    fn opening(exprs: &[Expr], check: impl FnOnce(Opening<'_>)) {
        let rule = NftRule { handle: 1, compat: None, userdata: Vec::new(), exprs: exprs.to_vec() };
        let links = LinkNames::from_iter([(crate::links::name("eth0"), 7)]);
        check(Opening::of(&rule, None, &links));
    }

    fn test(load: Expr, data: &[u8]) -> [Expr; 2] {
        [load, Expr::Cmp { sreg: REG, op: CmpOp::Eq, data: data.to_vec() }]
    }

    fn accept() -> Expr {
        Expr::Immediate { dreg: Reg(0), data: Data::Verdict(Verdict::Accept) }
    }

    #[test]
    fn tests_and_a_verdict_are_all_of_a_rule() {
        let [load, cmp] = test(Expr::Meta { key: MetaKey::IifName, dreg: REG }, b"eth0\0");
        let counter = Expr::Counter { packets: 0, bytes: 0 };
        opening(&[load, cmp, counter, accept()], |opening| {
            let [first, second] = opening.tests;
            assert!(matches!(first, Guard::Link { out: false, link: Some(7), equal: true }));
            assert!(matches!(second, Guard::Always));
            assert!(matches!(opening.then, Then::Says(Verdict::Accept)));
        });
    }

    /// It is gone through from the beginning, though its first test is asked before.
    #[test]
    fn what_tests_have_loaded_may_be_looked_at() {
        let load = Expr::Payload { base: PayloadBase::Network, offset: 12, len: 4, dreg: REG };
        let [load, cmp] = test(load, &[10, 0, 0, 1]);
        let again = Expr::Lookup { set: "s".to_owned(), sreg: REG, dreg: None, invert: false };
        opening(&[load, cmp, again, accept()], |opening| {
            assert!(matches!(opening.tests[0], Guard::Bytes { .. }));
            assert!(matches!(opening.then, Then::From(0)));
        });
    }

    #[test]
    fn a_test_that_is_not_asked_here_is_not_passed_by() {
        let [load, cmp] = test(Expr::Meta { key: MetaKey::Mark, dreg: REG }, &[1, 0, 0, 0]);
        opening(&[load, cmp, accept()], |opening| {
            assert!(matches!(opening.tests[0], Guard::Other));
        });
    }
}
