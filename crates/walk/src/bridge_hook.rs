//! The hooks of the bridge family, among which br_netfilter stands at priority 0.

use model::{BaseChain, Family, Hook};

use crate::Sink;
use crate::hook::Between;
use crate::indexed::Place;
use crate::skb::{Skb, Stop};
use crate::tables::Item;
use crate::walker::Walker;

/// NF_BR_PRI_BRNF. br_netfilter registers when the first bridge is made, and so runs behind the
/// chains of its own priority, which come later.
const PRIORITY_BRNF: i32 = 0;

/// Which chains of a hook: those before br_netfilter, or those behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Early,
    Late,
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `nf_hook_slow` of the bridge family, and `br_nf_hook_thresh`.
    #[inline]
    pub(crate) fn bridge_hook(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        hook: Hook,
        between: Between,
        part: Part,
    ) -> Result<(), Stop> {
        if !place.tables.runs(Family::Bridge, hook) {
            return Ok(());
        }
        self.bridge_chains(skb, place, hook, between, part)
    }

    #[cold]
    fn bridge_chains(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        hook: Hook,
        between: Between,
        part: Part,
    ) -> Result<(), Stop> {
        let early =
            |base: &Option<BaseChain>| base.as_ref().is_some_and(|b| b.priority <= PRIORITY_BRNF);
        for item in place.tables.hook(Family::Bridge, hook) {
            let Item::Chain(base) = item else { continue };
            if early(&base.chain.base) == (part == Part::Early) {
                self.chain(skb, place, hook, *base, between)?;
            }
        }
        Ok(())
    }
}
