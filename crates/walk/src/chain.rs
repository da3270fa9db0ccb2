//! Chains and rules: jumps, verdicts, and what to do about a rule that is not understood.

use model::{Chain, Conntrack, Data, Expr, Gap, NftRule, NsId, Policy, Table, Verdict};

use crate::indexed::{BaseRef, Place};
use crate::nat::Request;
use crate::register::Registers;
use crate::skb::Skb;
use crate::{ChainRef, RuleRef};

/// How deep chains may jump; the kernel's own limit.
const MAX_JUMPS: usize = 16;
/// How many rules that are not understood are tried both ways before giving up.
const MAX_FORKS: u32 = 6;

/// A base chain about to be run for a packet.
pub(crate) struct Chains<'a, 's> {
    pub(crate) place: &'a Place<'a>,
    pub(crate) skb: &'s Skb,
    pub(crate) base: BaseRef<'a>,
    pub(crate) iif: Option<u32>,
    pub(crate) oif: Option<u32>,
    pub(crate) connection: Option<&'s Conntrack>,
}

/// A rule and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'a> {
    pub(crate) table: &'a Table,
    pub(crate) chain: &'a Chain,
    /// Position, from 0.
    pub(crate) index: usize,
}

/// What running chains has changed so far.
#[derive(Clone, Debug)]
pub(crate) struct State<'a> {
    stack: Vec<At<'a>>,
    pub(crate) mark: u32,
    pub(crate) untracked: bool,
    pub(crate) matched: Vec<At<'a>>,
    /// What was taken for conditions that are not shown.
    pub(crate) assumed: Vec<Gap>,
    forks: u32,
}

/// How a base chain ended.
#[derive(Clone, Debug)]
pub(crate) enum End<'a> {
    /// By that rule, or by policy.
    Accept(Option<At<'a>>),
    Drop(Option<At<'a>>),
    Reject(At<'a>),
    /// Accepted, and the nat core is to translate.
    Nat(At<'a>, Request),
}

/// A base chain that has been run.
#[derive(Clone, Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) end: End<'a>,
    pub(crate) state: State<'a>,
}

/// The outcome hangs on a rule that is not understood.
#[derive(Clone, Debug)]
pub(crate) struct Doubt {
    pub(crate) rule: Box<RuleRef>,
    pub(crate) what: String,
}

/// What one rule does, once it was gone through.
#[derive(Clone)]
enum Did {
    /// It did not match.
    Nothing,
    /// It matched, with this verdict.
    Matched(Verdict),
    Reject,
    Nat(Request),
    /// It matched, and nobody knows what it does then.
    NotKnown(String),
}

/// A rule gone through: what it does if it matches, and what stands against being sure that it
/// does.
#[derive(Clone)]
struct Outcome {
    did: Did,
    mark: Option<u32>,
    untrack: bool,
    doubt: Option<String>,
    /// A condition that is not shown, and whether it is taken to hold.
    hidden: Option<(String, bool)>,
}

impl<'a> At<'a> {
    pub(crate) fn refer(&self, ns: NsId) -> RuleRef {
        let chain = ChainRef {
            ns,
            family: self.table.family,
            table: self.table.name.clone(),
            chain: self.chain.name.clone(),
        };
        let handle = self.chain.rules.get(self.index).map_or(0, |r| r.handle);
        RuleRef { chain, number: self.index + 1, handle }
    }

    fn rule(&self) -> Option<&'a NftRule> {
        self.chain.rules.get(self.index)
    }
}

impl State<'_> {
    pub(crate) const fn new(mark: u32) -> Self {
        Self {
            stack: Vec::new(),
            mark,
            untracked: false,
            matched: Vec::new(),
            assumed: Vec::new(),
            forks: 0,
        }
    }
}

impl<'a> Ended<'a> {
    /// The rule that decided.
    pub(crate) fn decided_by(&self) -> Option<At<'a>> {
        match &self.end {
            End::Accept(rule) | End::Drop(rule) => *rule,
            End::Reject(rule) | End::Nat(rule, _) => Some(*rule),
        }
    }

    /// Whether both leave the packet the same, whichever rule decided.
    fn same_effect(&self, other: &Self) -> bool {
        let end = match (&self.end, &other.end) {
            (End::Accept(_), End::Accept(_)) => true,
            (End::Drop(_) | End::Reject(_), End::Drop(_) | End::Reject(_)) => true,
            (End::Nat(_, a), End::Nat(_, b)) => a == b,
            _ => false,
        };
        end && (self.state.mark, self.state.untracked) == (other.state.mark, other.state.untracked)
    }
}

impl<'a> Chains<'a, '_> {
    /// Runs the base chain.
    pub(crate) fn run(&self, mut state: State<'a>) -> Result<Ended<'a>, Doubt> {
        state.stack = vec![At { table: self.base.table, chain: self.base.chain, index: 0 }];
        self.go_on(state)
    }

    fn go_on(&self, mut state: State<'a>) -> Result<Ended<'a>, Doubt> {
        while let Some(at) = state.stack.last().copied() {
            let Some(rule) = at.rule() else {
                state.stack.pop();
                continue;
            };
            if let Some(top) = state.stack.last_mut() {
                top.index += 1;
            }
            let outcome = self.rule(rule, &state);
            if let Some(hidden) = outcome.hidden.clone().filter(|_| outcome.doubt.is_none()) {
                if outcome.matters() {
                    return self.by_assumption(state, at, outcome, hidden);
                }
                continue;
            }
            let Some(what) = outcome.doubt.clone() else {
                if let Some(end) = self.apply(&mut state, at, outcome)? {
                    return Ok(Ended { end, state });
                }
                continue;
            };
            if !outcome.matters() {
                continue;
            }
            return self.both_ways(state, at, outcome, what);
        }
        Ok(Ended { end: self.policy(), state })
    }

    /// A rule that may match or not: if both lead to the same, it does not matter.
    fn both_ways(
        &self,
        mut state: State<'a>,
        at: At<'a>,
        outcome: Outcome,
        what: String,
    ) -> Result<Ended<'a>, Doubt> {
        let doubt = || Doubt { rule: Box::new(at.refer(self.place.ns.id)), what };
        state.forks += 1;
        if state.forks > MAX_FORKS {
            return Err(doubt());
        }
        let with = self.if_it_matches(state.clone(), at, outcome)?;
        let without = self.go_on(state)?;
        if with.same_effect(&without) { Ok(without) } else { Err(doubt()) }
    }

    /// A rule with a condition that is not shown: if that makes a difference, it is taken as the
    /// condition says, and said.
    fn by_assumption(
        &self,
        mut state: State<'a>,
        at: At<'a>,
        outcome: Outcome,
        (what, holds): (String, bool),
    ) -> Result<Ended<'a>, Doubt> {
        state.forks += 1;
        if state.forks <= MAX_FORKS {
            let with = self.if_it_matches(state.clone(), at, outcome.clone());
            let without = self.go_on(state.clone());
            let ended = if holds { with.as_ref() } else { without.as_ref() };
            if let (Ok(with), Ok(without), Ok(ended)) = (&with, &without, ended)
                && with.same_effect(without)
            {
                return Ok(ended.clone());
            }
        }
        let place = at.refer(self.place.ns.id);
        let part = format!("rule {} of {} {}", place.number, place.chain.table, place.chain.chain);
        let taken = if holds { "it matches" } else { "it does not match" };
        state.assumed.push(Gap::assumed(&part, format_args!("{what} hidden"), taken));
        if holds { self.if_it_matches(state, at, outcome) } else { self.go_on(state) }
    }

    fn if_it_matches(
        &self,
        mut state: State<'a>,
        at: At<'a>,
        outcome: Outcome,
    ) -> Result<Ended<'a>, Doubt> {
        match self.apply(&mut state, at, outcome)? {
            Some(end) => Ok(Ended { end, state }),
            None => self.go_on(state),
        }
    }

    fn policy(&self) -> End<'a> {
        match self.base.chain.base.as_ref().map(|b| b.policy) {
            Some(Policy::Drop) => End::Drop(None),
            _ => End::Accept(None),
        }
    }

    /// Does what a rule that matched says; Some: the base chain ends with it.
    fn apply(
        &self,
        state: &mut State<'a>,
        at: At<'a>,
        outcome: Outcome,
    ) -> Result<Option<End<'a>>, Doubt> {
        let verdict = match outcome.did {
            Did::Nothing => return Ok(None),
            Did::Reject => return Ok(Some(End::Reject(at))),
            Did::Nat(request) => {
                state.matched.push(at);
                return Ok(Some(End::Nat(at, request)));
            }
            Did::NotKnown(what) => {
                return Err(Doubt { rule: Box::new(at.refer(self.place.ns.id)), what });
            }
            Did::Matched(verdict) => verdict,
        };
        state.matched.push(at);
        state.mark = outcome.mark.unwrap_or(state.mark);
        state.untracked |= outcome.untrack;
        let doubt = |what: String| Err(Doubt { rule: Box::new(at.refer(self.place.ns.id)), what });
        match verdict {
            Verdict::Accept => return Ok(Some(End::Accept(Some(at)))),
            Verdict::Drop => return Ok(Some(End::Drop(Some(at)))),
            Verdict::Queue(n) => return doubt(format!("queue {}", n >> 16)),
            Verdict::Continue | Verdict::Break => {}
            Verdict::Return => _ = state.stack.pop(),
            Verdict::Jump(name) | Verdict::Goto(name) if at.table.chain(&name).is_none() => {
                return doubt(format!("jump to chain {name}, which was not read"));
            }
            Verdict::Jump(name) => self.enter(state, at, &name, false)?,
            Verdict::Goto(name) => self.enter(state, at, &name, true)?,
        }
        Ok(None)
    }

    fn enter(
        &self,
        state: &mut State<'a>,
        at: At<'a>,
        name: &str,
        leaves: bool,
    ) -> Result<(), Doubt> {
        if leaves {
            state.stack.pop();
        }
        if state.stack.len() > MAX_JUMPS {
            let what = "jumps too deep".to_owned();
            return Err(Doubt { rule: Box::new(at.refer(self.place.ns.id)), what });
        }
        if let Some(chain) = at.table.chain(name) {
            state.stack.push(At { table: at.table, chain, index: 0 });
        }
        Ok(())
    }

    /// Goes through the expressions of one rule.
    fn rule(&self, rule: &'a NftRule, state: &State<'a>) -> Outcome {
        let mut registers = Registers::new();
        let mut outcome = Outcome {
            did: Did::Matched(Verdict::Continue),
            mark: None,
            untrack: false,
            doubt: None,
            hidden: None,
        };
        for expr in &rule.exprs {
            let step = self.expression(expr, &mut registers, outcome.mark.unwrap_or(state.mark));
            match step {
                Effect::Goes => {}
                Effect::Fails => return Outcome { did: Did::Nothing, doubt: None, ..outcome },
                Effect::Doubts(what) => _ = outcome.doubt.get_or_insert(what),
                Effect::Hidden(what, holds) => {
                    // Of several, one that does not hold is enough.
                    let before = outcome.hidden.take().is_none_or(|(_, holds)| holds);
                    outcome.hidden = Some((what, holds && before));
                }
                Effect::Mark(mark) => outcome.mark = Some(mark),
                Effect::Untrack => outcome.untrack = true,
                Effect::Verdict(Verdict::Continue) => {}
                Effect::Verdict(verdict) => {
                    outcome.did = Did::Matched(verdict);
                    return outcome;
                }
                Effect::NotKnown(what) => {
                    outcome.did = Did::NotKnown(what);
                    return outcome;
                }
                Effect::Reject => {
                    outcome.did = Did::Reject;
                    return outcome;
                }
                Effect::Nat(request) => {
                    outcome.did = Did::Nat(request);
                    return outcome;
                }
            }
        }
        outcome
    }
}

impl Outcome {
    /// Whether it makes a difference if the rule matches.
    fn matters(&self) -> bool {
        let idle =
            matches!(self.did, Did::Nothing | Did::Matched(Verdict::Continue | Verdict::Break));
        !idle || self.mark.is_some() || self.untrack
    }
}

/// What one expression does to the rule that it is in.
pub(crate) enum Effect {
    /// On to the next.
    Goes,
    /// The rule does not match.
    Fails,
    /// It is not understood; if the rule matches hangs on it.
    Doubts(String),
    /// It is not shown, and taken to hold or not.
    Hidden(String, bool),
    /// The packet's mark is this from now on.
    Mark(u32),
    /// The packet is not tracked.
    Untrack,
    Verdict(Verdict),
    Reject,
    Nat(Request),
    /// It ends the rule, and nobody knows how.
    NotKnown(String),
}

impl<'a> Chains<'a, '_> {
    fn expression(&self, expr: &'a Expr, r: &mut Registers, mark: u32) -> Effect {
        let pass = |yes: bool| if yes { Effect::Goes } else { Effect::Fails };
        match expr {
            Expr::Meta { key, dreg } => self.meta(*key, *dreg, r, mark),
            Expr::MetaSet { key, sreg } => self.meta_set(*key, *sreg, r),
            Expr::Payload { base, offset, len, dreg } => {
                self.payload(*base, *offset, *len, *dreg, r)
            }
            Expr::Cmp { sreg, op, data } => match r.compare(*sreg, *op, data) {
                Some(yes) => pass(yes),
                None => Effect::Doubts(r.cause()),
            },
            Expr::Range { sreg, op, from, to } => match r.range(*sreg, *op, from, to) {
                Some(yes) => pass(yes),
                None => Effect::Doubts(r.cause()),
            },
            Expr::Bitwise { sreg, dreg, len, mask, xor } => {
                r.bitwise(*sreg, *dreg, *len, mask, xor);
                Effect::Goes
            }
            Expr::Immediate { data: Data::Verdict(verdict), .. } => {
                Effect::Verdict(verdict.clone())
            }
            Expr::Immediate { dreg, data: Data::Value(value) } => {
                r.store(*dreg, value);
                Effect::Goes
            }
            Expr::Lookup { set, sreg, dreg, invert } => self.look_up(set, *sreg, *dreg, *invert, r),
            Expr::Ct { key, dir, dreg } => self.ct(*key, *dir, *dreg, r),
            Expr::Counter { .. } => Effect::Goes,
            Expr::Nat { .. } | Expr::Masq { .. } | Expr::Redir { .. } => self.native_nat(expr, r),
            Expr::Reject { .. } => Effect::Reject,
            Expr::Match(xt) => self.xt_match(xt, mark),
            Expr::Target(xt) => self.xt_target(xt, mark),
            Expr::Hidden { what, holds } => Effect::Hidden(what.clone(), *holds),
            Expr::Opaque { name, data } => match name.as_str() {
                "log" | "last" | "dup" => Effect::Goes,
                "notrack" => Effect::Untrack,
                name if acts(name, data) => Effect::NotKnown(format!("expression {name}")),
                _ => {
                    r.taint(name);
                    Effect::Doubts(format!("expression {name}"))
                }
            },
        }
    }
}

/// Whether an expression that is not modelled does something of its own, so that the rule matters
/// even with no verdict behind it: it takes the packet away, or writes what a later rule may read.
fn acts(name: &str, data: &[u8]) -> bool {
    /// NFTA_CT_SREG.
    const CT_SOURCE: u16 = 4;
    /// NFTA_PAYLOAD_SREG.
    const PAYLOAD_SOURCE: u16 = 5;
    match name {
        "queue" | "tproxy" | "fwd" | "synproxy" | "flow_offload" | "dynset" => true,
        "ct" => has_attribute(data, CT_SOURCE),
        "payload" => has_attribute(data, PAYLOAD_SOURCE),
        _ => false,
    }
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
