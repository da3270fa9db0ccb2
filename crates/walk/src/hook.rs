//! A netfilter hook: all chains of all families in it, in order of priority.

use std::cell::RefCell;
use std::net::IpAddr;

use model::{Family, Hook, LinkId, NsId};

use crate::chain::{Chains, Changes, End as ChainEnd};
use crate::indexed::Place;
use crate::skb::{Skb, Stop};
use crate::tables::{BaseRef, Item};
use crate::walker::{Walker, tell};
use crate::{Action, ChainRef, Overlay, Reason, Sink, Stage, Unknown};

/// Between which links a hook sees a packet, as it is told: for a bridged packet in the IP hooks,
/// the bridge both times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Between {
    pub(crate) iif: Option<u32>,
    pub(crate) oif: Option<u32>,
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `nf_hook`: runs what is registered for IPv4 or IPv6 in this hook. `iif` and `oif` are as the hook
    /// is told them: for a bridged packet, the bridge.
    pub(crate) fn hook(
        &mut self,
        skb: &mut Skb,
        hook: Hook,
        iif: Option<u32>,
        oif: Option<u32>,
    ) -> Result<(), Stop> {
        let place = self.place(skb.ns, Stage::Hook(hook))?;
        self.hook_in(skb, place, hook, iif, oif)
    }

    /// The same where the packet's namespace is at hand.
    #[inline]
    pub(crate) fn hook_in(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        hook: Hook,
        iif: Option<u32>,
        oif: Option<u32>,
    ) -> Result<(), Stop> {
        // Every packet that a namespace handles passes just one of these.
        if matches!(hook, Hook::Input | Hook::Forward | Hook::Output) {
            self.lean_on(skb, Stage::Hook(hook), &["netfilter", "ipsec", "ipvs"])?;
        }
        let family = skb.packet.family();
        if place.tables.runs(family, hook) {
            self.family_hook_in(skb, place, family, hook, Between { iif, oif })?;
        }
        // It comes last of all. (A macvlan may bring a packet from where it was tracked to where nothing
        // is.)
        let last = matches!(hook, Hook::Input | Hook::Postrouting);
        if last && skb.ct.is_some() && place.tables.tracks(family) {
            self.confirm(skb, place, hook)?;
        }
        Ok(())
    }

    /// Runs what is registered for a family in this hook.
    pub(crate) fn family_hook(
        &mut self,
        skb: &mut Skb,
        family: Family,
        hook: Hook,
        between: Between,
    ) -> Result<(), Stop> {
        let place = self.place(skb.ns, Stage::Hook(hook))?;
        self.family_hook_in(skb, place, family, hook, between)
    }

    fn family_hook_in(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        family: Family,
        hook: Hook,
        between: Between,
    ) -> Result<(), Stop> {
        for item in place.tables.hook(family, hook) {
            match item {
                Item::Conntrack => self.track(skb, place, hook),
                Item::Nat => {
                    let before = skb.packet.dst;
                    self.nat(skb, place, hook, between)?;
                    // `nf_nat_ipv4_local_fn`.
                    if hook == Hook::Output && skb.packet.dst != before {
                        skb.anew = Some(skb.mark);
                    }
                }
                Item::Chain(base) => _ = self.chain(skb, place, hook, *base, between)?,
            }
        }
        Ok(())
    }

    /// `nf_ingress` and `nf_hook_egress`: the chains before or behind a link.
    #[inline]
    pub(crate) fn link_hook(&mut self, skb: &mut Skb, id: LinkId, hook: Hook) -> Result<(), Stop> {
        let stage = if hook == Hook::Ingress { Stage::Receive } else { Stage::Transmit };
        let place = self.place(id.ns, stage)?;
        if place.tables.has_links() { self.link_chains(skb, id, hook, stage) } else { Ok(()) }
    }

    fn link_chains(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        hook: Hook,
        stage: Stage,
    ) -> Result<(), Stop> {
        let place = self.place(id.ns, stage)?;
        let link = self.link(id, stage)?;
        let own = Some(id.index);
        let between = match hook {
            Hook::Egress => Between { iif: None, oif: own },
            _ => Between { iif: own, oif: None },
        };
        for base in place.tables.link(&link.name, hook) {
            self.chain(skb, place, hook, *base, between)?;
        }
        Ok(())
    }

    /// Runs one base chain; how it ended is returned, for what it asks of the nat core.
    pub(crate) fn chain(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        hook: Hook,
        base: BaseRef<'a>,
        between: Between,
    ) -> Result<Option<ChainEnd>, Stop> {
        if !base.acts() {
            return Ok(None);
        }
        let stage = Stage::Hook(hook);
        if !skb.tags.is_empty() {
            let what = "rules that see a frame with a VLAN tag".to_owned();
            return Err(Stop::unknown(stage, Unknown::Netfilter { ns: skb.ns, what }));
        }
        let connection = skb.ct.map(|ct| &self.overlay.connections[ct.connection].entry);
        let Between { iif, oif } = between;
        let chains = Chains {
            place,
            skb,
            base,
            hook,
            iif,
            oif,
            connection,
            added: &self.overlay.added,
            choices: &self.overlay.choices,
            keeps: S::KEEPS,
            explains: self.sink.explains(),
            looked: RefCell::default(),
        };
        let end = match chains.run(&mut self.room) {
            Ok(end) => end,
            Err(doubt) => {
                let unknown = Unknown::Rule { rule: doubt.rule, what: doubt.what };
                return Err(Stop::unknown(stage, unknown));
            }
        };
        if !self.room.assumed.is_empty() {
            self.assume(skb, stage, self.room.assumed.clone());
        }
        self.consider_rules(skb.ns, base);
        if let ChainEnd::Drop | ChainEnd::Reject(_) = end {
            return Err(Stop::lost(stage, skb.ns, None, self.refused_by(skb.ns, base, end)));
        }
        let mss = skb.packet.mss;
        // `nf_route_table_hook4` and 6: of no other type of chain.
        let routes = hook == Hook::Output && base.is_of_routes();
        let before = routes.then(|| routed_by(skb));
        take_over(self.overlay, skb, &self.room.changes);
        if before.is_some_and(|before| before != routed_by(skb)) {
            skb.anew = Some(skb.mark);
        }
        let (ns, now) = (skb.ns, skb.packet.mss);
        tell(&mut self.sink, skb, stage, || Action::Chain {
            chain: base.refer(ns),
            rule: self.room.decided_by.map(|rule| rule.refer(ns)),
            matched: self.room.matched.iter().map(|rule| rule.refer(ns)).collect(),
            segment: mss.zip(now).filter(|(before, now)| before != now),
        });
        Ok(Some(end))
    }

    /// Why the chain that was run last lets a packet go no further.
    #[cold]
    fn refused_by(&self, ns: NsId, base: BaseRef<'a>, end: ChainEnd) -> Reason {
        match (self.room.decided_by, end) {
            (Some(rule), ChainEnd::Reject(with)) => Reason::RuleReject(rule.refer(ns), with),
            (Some(rule), _) => Reason::RuleDrop(rule.refer(ns)),
            (None, _) => Reason::PolicyDrop(base.refer(ns)),
        }
    }
}

/// What a chain changed stays so.
#[inline(always)]
fn take_over(overlay: &mut Overlay, skb: &mut Skb, changes: &Changes) {
    skb.mark = changes.mark;
    skb.untracked |= changes.untracked;
    skb.zone = changes.zone.unwrap_or(skb.zone);
    changes.headers.apply(&mut skb.packet);
    if let Some((mark, ct)) = changes.ct_mark.zip(skb.ct) {
        overlay.connections[ct.connection].entry.mark = mark;
    }
    if !changes.added.is_empty() {
        overlay.added.extend(changes.added.iter().cloned());
    }
}

/// What a packet that is sent here is routed by. (A TTL is of no account in IPv4.)
fn routed_by(skb: &Skb) -> (IpAddr, IpAddr, u32, u8, Option<u8>) {
    let packet = &skb.packet;
    let hop_limit = packet.is_ipv6().then_some(packet.ttl);
    (packet.src, packet.dst, skb.mark, packet.tos, hop_limit)
}

impl BaseRef<'_> {
    /// Of type `route`: as the mangle table's OUTPUT is.
    fn is_of_routes(&self) -> bool {
        self.chain.base.as_ref().is_some_and(|base| base.kind == "route")
    }

    /// As it is told of.
    pub(crate) fn refer(&self, ns: NsId) -> ChainRef {
        ChainRef {
            ns,
            family: self.table.family,
            table: self.table.name.clone(),
            chain: self.chain.name.clone(),
        }
    }
}
