//! Chains: which rule comes next, verdicts, and what to do about a rule that is not understood.

use std::cell::RefCell;

use model::{Conntrack, Gap, Hook, NftRule, NsId, Policy, Table, Verdict};

use crate::choice::Choices;
use crate::guard::{Facts, Then, own_verdict};
use crate::header::Headers;
use crate::indexed::Place;
use crate::nat::Request;
use crate::register::Registers;
use crate::rule::Effect;
use crate::skb::Skb;
use crate::tables::{BaseRef, ChainIndex};
use crate::{ChainRef, Fork, Looked, RejectWith, RuleRef};

/// How deep chains may jump; the kernel's own limit.
const MAX_JUMPS: usize = 16;
/// How many rules that are not understood are tried both ways before giving up.
const MAX_FORKS: u32 = 6;

/// A base chain about to be run for a packet.
pub(crate) struct Chains<'a, 's> {
    pub(crate) place: &'a Place<'a>,
    pub(crate) skb: &'s Skb,
    pub(crate) base: BaseRef<'a>,
    pub(crate) hook: Hook,
    pub(crate) iif: Option<u32>,
    pub(crate) oif: Option<u32>,
    pub(crate) connection: Option<&'s Conntrack>,
    /// Elements that rules on the way added to sets.
    pub(crate) added: &'s [Added],
    pub(crate) choices: &'s Choices,
    /// Rules that match are noted.
    pub(crate) keeps: bool,
    /// Every rule that is tried is noted, also where it does nothing.
    pub(crate) explains: bool,
    /// What the rule that is being tried has found in sets, where rules are noted.
    pub(crate) looked: RefCell<Vec<Looked>>,
}

/// A rule that was tried.
#[derive(Clone, Debug)]
pub(crate) struct Noted<'a> {
    pub(crate) at: At<'a>,
    /// Which of its expressions failed; None: none did.
    pub(crate) failed: Option<usize>,
    pub(crate) looked: Vec<Looked>,
}

/// A rule and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'a> {
    pub(crate) table: &'a Table,
    chain: &'a ChainIndex<'a>,
    /// Position, from 0.
    pub(crate) index: usize,
}

/// An element that a rule added to a set, or (without) removed from it; or one of ipset's sets that a
/// rule has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) ns: NsId,
    /// Position of the table in the ruleset.
    pub(crate) table: usize,
    pub(crate) set: String,
    pub(crate) key: Vec<u8>,
    /// It is there now; with a map's value.
    pub(crate) present: Option<Option<Vec<u8>>>,
}

/// What running chains has changed so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct State<'a> {
    stack: Stack<'a>,
    pub(crate) registers: Registers,
    pub(crate) changes: Changes,
    pub(crate) matched: Vec<At<'a>>,
    /// Every rule that was tried, if that is wanted.
    pub(crate) tried: Vec<Noted<'a>>,
    /// What was taken for conditions that are not shown.
    pub(crate) assumed: Vec<Gap>,
    /// The rule that decided how the base chain ended; None: its policy did.
    pub(crate) decided_by: Option<At<'a>>,
    /// What the nat core is to do, where it ended with that.
    pub(crate) request: Option<Request>,
    forks: u32,
}

/// Chains that are being gone through, the innermost last.
#[derive(Clone, Debug, Default)]
struct Stack<'a> {
    depth: usize,
    chains: [Option<At<'a>>; MAX_JUMPS + 1],
}

impl<'a> Stack<'a> {
    /// Of the base chain alone.
    fn begin(&mut self, base: Option<At<'a>>) {
        self.depth = usize::from(base.is_some());
        self.chains[0] = base;
    }

    fn last_mut(&mut self) -> Option<&mut At<'a>> {
        self.chains.get_mut(self.depth.checked_sub(1)?)?.as_mut()
    }

    const fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// False: so deep no chain may jump.
    fn push(&mut self, at: At<'a>) -> bool {
        let Some(room) = self.chains.get_mut(self.depth) else { return false };
        *room = Some(at);
        self.depth += 1;
        true
    }
}

/// What of the packet, its connection and the sets has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) headers: Headers,
    pub(crate) mark: u32,
    pub(crate) untracked: bool,
    /// The connection's mark.
    pub(crate) ct_mark: Option<u32>,
    /// The zone that it is to be tracked in: (of the original direction, of the reply).
    pub(crate) zone: Option<(u16, u16)>,
    pub(crate) added: Vec<Added>,
}

/// How a base chain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Accept,
    Drop,
    Reject(RejectWith),
    /// Accepted, and the nat core is to translate.
    Nat,
}

/// A base chain that has been run in a room of its own, to see what would come of it.
#[derive(Clone, Debug)]
struct Ended<'a> {
    end: End,
    state: State<'a>,
}

/// The outcome hangs on a rule that is not understood.
#[derive(Clone, Debug)]
pub(crate) struct Doubt {
    pub(crate) rule: RuleRef,
    pub(crate) what: String,
}

/// What one rule does, once it was gone through.
enum Did<'a> {
    /// The next rule follows, whether it matched or not.
    Next,
    /// It matched, with this verdict of its own.
    Says(&'a Verdict),
    /// It matched, and this verdict came of it.
    Matched(Verdict),
    Reject(RejectWith),
    Nat(Request),
    /// It matched, and nobody knows what it does then.
    NotKnown(String),
    /// Whether it matches is not known, from this expression on.
    Doubts(String, usize),
    /// Whether it matches is taken to be so, from this expression on.
    Assumes {
        cause: String,
        holds: bool,
        from: usize,
    },
}

impl<'a> At<'a> {
    pub(crate) fn refer(&self, ns: NsId) -> RuleRef {
        let chain = ChainRef {
            ns,
            family: self.table.family,
            table: self.table.name.clone(),
            chain: self.chain.chain.name.clone(),
        };
        let handle = self.chain.chain.rules.get(self.index).map_or(0, |r| r.handle);
        RuleRef { chain, number: self.index + 1, handle }
    }

    fn rule(&self) -> Option<&'a NftRule> {
        self.chain.chain.rules.get(self.index)
    }
}

impl State<'_> {
    /// As a base chain begins with a packet; what room there is stays.
    #[inline(always)]
    fn begin(&mut self, skb: &Skb) {
        self.changes.begin(skb);
        self.matched.clear();
        self.tried.clear();
        self.assumed.clear();
        (self.decided_by, self.request, self.forks) = (None, None, 0);
    }
}

impl Changes {
    fn begin(&mut self, skb: &Skb) {
        let Self { headers, mark, untracked, ct_mark, zone, added } = self;
        headers.begin();
        (*mark, *untracked, *ct_mark, *zone) = (skb.mark, false, None, None);
        added.clear();
    }
}

impl<'a> Ended<'a> {
    /// Whether both leave the packet the same, whichever rule decided.
    fn same_effect(&self, end: End, state: &State<'a>) -> bool {
        let own = &self.state;
        match (self.end, end) {
            (End::Drop | End::Reject(_), End::Drop | End::Reject(_)) => true,
            (a, b) => a == b && own.request == state.request && own.changes == state.changes,
        }
    }

    /// That is what comes of it: `room` becomes its own.
    fn counts(self, room: &mut State<'a>) -> End {
        *room = self.state;
        self.end
    }
}

impl<'a> Chains<'a, '_> {
    /// Runs the base chain, in the room of an earlier one: what it changed is there.
    #[inline(always)]
    pub(crate) fn run(&self, room: &mut State<'a>) -> Result<End, Box<Doubt>> {
        room.begin(self.skb);
        room.stack.begin(self.beginning());
        self.go_on(room)
    }

    /// Where the base chain begins.
    pub(crate) fn beginning(&self) -> Option<At<'a>> {
        let chain = self.place.tables.base(self.base)?;
        Some(At { table: self.base.table, chain, index: 0 })
    }

    fn go_on(&self, state: &mut State<'a>) -> Result<End, Box<Doubt>> {
        let facts = self.facts();
        while let Some(top) = state.stack.last_mut() {
            let then = self.pass_by(top, &state.changes.headers, &facts);
            let at = *top;
            top.index += 1;
            let end = match then {
                None => {
                    state.stack.pop();
                    None
                }
                Some(Then::Enters { to, back }) => {
                    self.note_match(state, at);
                    let chain = self.place.tables.nth(self.base.at, to);
                    self.begin_chain(state, at, chain, !back)?;
                    None
                }
                Some(Then::Says(verdict)) => self.obey(state, at, verdict)?,
                Some(Then::From(first)) => self.go_through(state, at, first)?,
            };
            if let Some(end) = end {
                return Ok(end);
            }
        }
        state.decided_by = None;
        Ok(self.policy())
    }

    /// Goes through the expressions of a rule from one on; Some: the base chain ends with it.
    fn go_through(
        &self,
        state: &mut State<'a>,
        at: At<'a>,
        first: usize,
    ) -> Result<Option<End>, Box<Doubt>> {
        let Some(rule) = at.rule() else {
            state.stack.pop();
            return Ok(None);
        };
        state.registers.begin();
        match self.rule(rule, first, state, at) {
            Did::Next => Ok(None),
            Did::Doubts(what, from) => self.both_ways(state, at, from, what).map(Some),
            Did::Assumes { cause, holds, from } => {
                self.by_assumption(state, at, from, (cause, holds)).map(Some)
            }
            did => self.apply(state, at, did),
        }
    }

    /// Passes by the rules whose first tests fail, unless somebody wants to know of each; what is left
    /// of the next one. None: there is none.
    #[inline]
    fn pass_by(&self, top: &mut At<'a>, headers: &Headers, facts: &Facts) -> Option<Then<'a>> {
        if self.explains {
            return Some(Then::From(0));
        }
        for opening in top.chain.openings.get(top.index..).unwrap_or(&[]) {
            match opening.ask(self.skb, headers, facts) {
                Some(then) => return Some(then),
                None => top.index += 1,
            }
        }
        None
    }

    /// A rule that may match or not: if both lead to the same, it does not matter.
    #[cold]
    fn both_ways(
        &self,
        state: &mut State<'a>,
        at: At<'a>,
        from: usize,
        what: String,
    ) -> Result<End, Box<Doubt>> {
        let rule = at.refer(self.place.ns.id);
        state.forks += 1;
        if state.forks > MAX_FORKS {
            return Err(Box::new(Doubt { rule, what }));
        }
        let Some(tried) = self.tried(state, at, from)? else {
            return self.go_on(state);
        };
        let without = self.go_on(state)?;
        if tried.same_effect(without, state) {
            return Ok(without);
        }
        let question = || (Fork::Rule(rule.clone()), what.clone());
        match self.choices.choose(2, question) {
            Some(0) => Ok(tried.counts(state)),
            Some(_) => Ok(without),
            None => Err(Box::new(Doubt { rule, what })),
        }
    }

    /// A rule with a condition that is not shown: if that makes a difference, it is taken as the
    /// condition says, and said.
    #[cold]
    fn by_assumption(
        &self,
        state: &mut State<'a>,
        at: At<'a>,
        from: usize,
        (cause, holds): (String, bool),
    ) -> Result<End, Box<Doubt>> {
        state.forks += 1;
        if state.forks <= MAX_FORKS {
            let with = self.tried(state, at, from);
            if let Ok(None) = with {
                return self.go_on(state);
            }
            let mut passed = state.clone();
            if let (Ok(Some(with)), Ok(without)) = (with, self.go_on(&mut passed))
                && with.same_effect(without, &passed)
            {
                let without = Ended { end: without, state: passed };
                return Ok(if holds { with } else { without }.counts(state));
            }
        }
        let place = at.refer(self.place.ns.id);
        let part = format!("rule {} of {} {}", place.number, place.chain.table, place.chain.chain);
        let taken = if holds { "it matches" } else { "it does not match" };
        state.assumed.push(Gap::assumed(&part, cause, taken));
        if !holds {
            return self.go_on(state);
        }
        match self.tried(state, at, from)? {
            Some(ended) => Ok(ended.counts(state)),
            None => self.go_on(state),
        }
    }

    /// What would come of a rule that matches, in a room of its own. None: the rule then does nothing.
    fn tried(
        &self,
        state: &State<'a>,
        at: At<'a>,
        from: usize,
    ) -> Result<Option<Ended<'a>>, Box<Doubt>> {
        let mut state = state.clone();
        let end = self.if_it_matches(&mut state, at, from)?;
        Ok(end.map(|end| Ended { end, state }))
    }

    /// Goes on behind an expression that is taken to hold. None: the rule then does nothing.
    fn if_it_matches(
        &self,
        state: &mut State<'a>,
        at: At<'a>,
        from: usize,
    ) -> Result<Option<End>, Box<Doubt>> {
        let Some(rule) = at.rule() else { return Ok(None) };
        let before = state.changes.clone();
        let mut from = from;
        loop {
            match self.rule(rule, from, state, at) {
                Did::Next if state.changes == before => return Ok(None),
                Did::Next => return self.go_on(state).map(Some),
                // One doubt is enough for a rule that has done nothing yet.
                Did::Doubts(_, next) if state.changes == before => from = next,
                Did::Assumes { from: next, .. } if state.changes == before => from = next,
                Did::Doubts(what, _) | Did::Assumes { cause: what, .. } => {
                    return Err(self.doubt(at, what));
                }
                did => {
                    return match self.apply(state, at, did)? {
                        Some(end) => Ok(Some(end)),
                        None => self.go_on(state).map(Some),
                    };
                }
            }
        }
    }

    fn policy(&self) -> End {
        match self.base.chain.base.as_ref().map(|b| b.policy) {
            Some(Policy::Drop) => End::Drop,
            _ => End::Accept,
        }
    }

    /// Does what a rule that matched says; Some: the base chain ends with it.
    fn apply(
        &self,
        state: &mut State<'a>,
        at: At<'a>,
        did: Did<'a>,
    ) -> Result<Option<End>, Box<Doubt>> {
        let doubt = |what: String| Err(self.doubt(at, what));
        self.note(state, at, None);
        match did {
            Did::Reject(refusal) => {
                state.decided_by = Some(at);
                Ok(Some(End::Reject(refusal)))
            }
            Did::Nat(request) => {
                self.note_match(state, at);
                (state.decided_by, state.request) = (Some(at), Some(request));
                Ok(Some(End::Nat))
            }
            Did::NotKnown(what) => doubt(what),
            Did::Says(verdict) => self.obey(state, at, verdict),
            Did::Matched(verdict) => self.obey(state, at, &verdict),
            Did::Next | Did::Doubts(..) | Did::Assumes { .. } => Ok(None),
        }
    }

    /// Does what a verdict says.
    #[inline(always)]
    fn obey(
        &self,
        state: &mut State<'a>,
        at: At<'a>,
        verdict: &Verdict,
    ) -> Result<Option<End>, Box<Doubt>> {
        self.note_match(state, at);
        state.decided_by = Some(at);
        match verdict {
            Verdict::Accept => return Ok(Some(End::Accept)),
            Verdict::Drop => return Ok(Some(End::Drop)),
            Verdict::Queue(n) => return Err(self.doubt(at, format!("queue {}", n >> 16))),
            Verdict::Continue | Verdict::Break => {}
            Verdict::Return => state.stack.pop(),
            Verdict::Jump(name) => self.enter(state, at, name, false)?,
            Verdict::Goto(name) => self.enter(state, at, name, true)?,
        }
        Ok(None)
    }

    /// Goes on in another chain.
    #[inline]
    fn begin_chain(
        &self,
        state: &mut State<'a>,
        at: At<'a>,
        chain: Option<&'a ChainIndex<'a>>,
        leaves: bool,
    ) -> Result<(), Box<Doubt>> {
        if leaves {
            state.stack.pop();
        }
        let entered = chain.is_some_and(|chain| state.stack.push(At { chain, index: 0, ..at }));
        if entered { Ok(()) } else { Err(self.doubt(at, "jumps too deep".to_owned())) }
    }

    #[cold]
    fn doubt(&self, at: At<'a>, what: String) -> Box<Doubt> {
        Box::new(Doubt { rule: at.refer(self.place.ns.id), what })
    }

    fn enter(
        &self,
        state: &mut State<'a>,
        at: At<'a>,
        name: &str,
        leaves: bool,
    ) -> Result<(), Box<Doubt>> {
        let tables = &self.place.tables;
        let own = tables.led_to(self.base.at, at.chain, at.index);
        let Some(chain) = own.or_else(|| tables.chain(self.base.at, name)) else {
            return Err(self.doubt(at, format!("jump to chain {name}, which was not read")));
        };
        self.begin_chain(state, at, Some(chain), leaves)
    }

    /// Goes through the expressions of one rule from the one at `from` on.
    fn rule(&self, rule: &'a NftRule, from: usize, state: &mut State<'a>, at: At<'a>) -> Did<'a> {
        if from == 0 && self.explains {
            self.looked.take();
        }
        for (index, expr) in rule.exprs.iter().enumerate().skip(from) {
            if let Some(verdict) = own_verdict(expr) {
                return Did::Says(verdict);
            }
            let effect = self.expression(expr, &mut state.registers, &mut state.changes);
            match effect {
                Effect::Goes | Effect::Verdict(Verdict::Continue) => {}
                Effect::Fails | Effect::Verdict(Verdict::Break) => {
                    self.note(state, at, Some(index));
                    return Did::Next;
                }
                Effect::Doubts(what) => return Did::Doubts(what, index + 1),
                Effect::Assumes(cause, holds) => {
                    return Did::Assumes { cause, holds, from: index + 1 };
                }
                Effect::Verdict(verdict) => return Did::Matched(verdict),
                Effect::NotKnown(what) => return Did::NotKnown(what),
                Effect::Reject(refusal) => return Did::Reject(refusal),
                Effect::Nat(request) => return Did::Nat(request),
            }
        }
        self.note(state, at, None);
        self.note_match(state, at);
        Did::Next
    }

    /// The rule that is being tried has looked something up.
    pub(crate) fn note_look(&self, looked: impl FnOnce() -> Looked) {
        if self.explains {
            self.looked.borrow_mut().push(looked());
        }
    }

    fn note_match(&self, state: &mut State<'a>, at: At<'a>) {
        if self.keeps {
            state.matched.push(at);
        }
    }

    /// A rule was tried, and this of its expressions failed; None: it matched.
    fn note(&self, state: &mut State<'a>, at: At<'a>, failed: Option<usize>) {
        if self.explains {
            state.tried.push(Noted { at, failed, looked: self.looked.take() });
        }
    }
}
