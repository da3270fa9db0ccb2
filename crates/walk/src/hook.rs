//! A netfilter hook: all chains of all families in it, in order of priority.

use model::{Hook, Policy};

use crate::chain::{Chains, End as ChainEnd, Ended, State};
use crate::indexed::{BaseRef, Item};
use crate::skb::{Skb, Stop};
use crate::walker::Walker;
use crate::{Action, ChainRef, Reason, Sink, Stage, Unknown};

impl BaseRef<'_> {
    /// It can do something to a packet: it has rules, or a policy that drops.
    pub(crate) fn acts(&self) -> bool {
        let drops = self.chain.base.as_ref().is_some_and(|b| b.policy == Policy::Drop);
        drops || !self.chain.rules.is_empty()
    }
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `nf_hook`: runs what is registered for IPv4 in this hook. `iif` and `oif` are as the hook
    /// is told them: for a bridged packet, the bridge.
    pub(crate) fn hook(
        &mut self,
        skb: &mut Skb,
        hook: Hook,
        iif: Option<u32>,
        oif: Option<u32>,
    ) -> Result<(), Stop> {
        // Every packet that a namespace handles passes just one of these.
        if matches!(hook, Hook::Input | Hook::Forward | Hook::Output) {
            self.lean_on(skb, Stage::Hook(hook), &["netfilter", "ipsec", "ipvs"])?;
        }
        let place = self.place(skb.ns, Stage::Hook(hook))?;
        for item in place.hook(hook) {
            match item {
                Item::Conntrack => self.track(skb, hook),
                Item::Nat => self.nat(skb, hook, iif, oif)?,
                Item::Chain(base) => {
                    self.chain(skb, hook, *base, iif, oif)?;
                }
            }
        }
        // `nf_conntrack_confirm` comes last of all.
        let own = skb.ct.filter(|member| !member.related);
        if let (Hook::Input | Hook::Postrouting, Some(member)) = (hook, own) {
            self.overlay.connections[member.connection].confirmed = true;
        }
        Ok(())
    }

    /// Runs one base chain; what it asks of the nat core is returned.
    pub(crate) fn chain(
        &mut self,
        skb: &mut Skb,
        hook: Hook,
        base: BaseRef<'a>,
        iif: Option<u32>,
        oif: Option<u32>,
    ) -> Result<Option<Ended<'a>>, Stop> {
        if !base.acts() {
            return Ok(None);
        }
        let stage = Stage::Hook(hook);
        let place = self.place(skb.ns, stage)?;
        let connection = skb.ct.map(|ct| self.overlay.connections[ct.connection].entry.clone());
        let chains = Chains { place, skb, base, iif, oif, connection: connection.as_ref() };
        let ended = chains.run(State::new(skb.mark)).map_err(|doubt| {
            let unknown = Unknown::Rule { rule: *doubt.rule, what: doubt.what };
            Stop::unknown(stage, unknown)
        })?;
        self.assume(skb, stage, ended.state.assumed.clone());
        let lost = |reason| Err(Stop::lost(stage, skb.ns, None, reason));
        match &ended.end {
            ChainEnd::Drop(Some(rule)) => return lost(Reason::RuleDrop(rule.refer(skb.ns))),
            ChainEnd::Drop(None) => return lost(Reason::PolicyDrop(base.refer(skb.ns))),
            ChainEnd::Reject(rule) => return lost(Reason::RuleReject(rule.refer(skb.ns))),
            ChainEnd::Accept(_) | ChainEnd::Nat(..) => {}
        }
        skb.mark = ended.state.mark;
        skb.untracked |= ended.state.untracked;
        let ns = skb.ns;
        self.tell(skb, stage, || Action::Chain {
            chain: base.refer(ns),
            rule: ended.decided_by().map(|rule| rule.refer(ns)),
            matched: ended.state.matched.iter().map(|rule| rule.refer(ns)).collect(),
        });
        Ok(Some(ended))
    }
}

impl BaseRef<'_> {
    /// As it is told of.
    pub(crate) fn refer(&self, ns: model::NsId) -> ChainRef {
        ChainRef {
            ns,
            family: self.table.family,
            table: self.table.name.clone(),
            chain: self.chain.name.clone(),
        }
    }
}
