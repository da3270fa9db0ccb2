//! VLAN filtering of a bridge (`br_vlan.c`).
//!
//! A frame belongs to one VLAN from where it comes in to where it leaves: by its tag, or, where it
//! has none, by the port's own choice (PVID). Only ports that are in it get the frame.

use model::{Bridge, LinkId, LinkKind};

use crate::links::Spot;
use crate::skb::{Skb, Stop, Tag};
use crate::trace::VlanStep;
use crate::walker::Walker;
use crate::{Action, Reason, Sink, Stage, Unknown};

impl<S: Sink> Walker<'_, '_, S> {
    /// What of it is not modelled.
    pub(crate) fn vlans_modelled(
        &mut self,
        skb: &Skb,
        id: LinkId,
        bridge: &Bridge,
    ) -> Result<(), Stop> {
        if !bridge.vlan_filtering {
            return Ok(());
        }
        self.lean_on(skb, Stage::Bridge, &["vlans"])?;
        let place = self.place(id.ns, Stage::Bridge)?;
        let ports = place.ports(id.index).iter().filter_map(|l| l.port.as_ref());
        let arp = ports.clone().any(|p| p.proxy_arp || p.proxy_arp_wifi || p.neigh_suppress);
        let what = if place.ns.vlans.is_empty() {
            "VLAN filtering, of which no VLAN is known"
        } else if bridge.mst {
            "a spanning tree for each VLAN"
        } else if ports.clone().any(|p| p.vlan_tunnel) {
            "tags of tunnels"
        } else if arp && skb.is_discovery() {
            "ARP answered for others, by VLAN"
        } else {
            return Ok(());
        };
        let what = what.to_owned();
        Err(Stop::unknown(Stage::Bridge, Unknown::Link { link: id, what }))
    }

    /// `__allowed_ingress`: to which VLAN a frame belongs that comes in by a port, or by the bridge
    /// itself, where the host sends.
    pub(crate) fn enter_vlan(
        &mut self,
        skb: &mut Skb,
        bridge: LinkId,
        by: LinkId,
    ) -> Result<(), Stop> {
        skb.vlan = None;
        let Some(protocol) = self.filters_vlans(bridge) else { return Ok(()) };
        let place = self.place(bridge.ns, Stage::Bridge)?;
        let tag = skb.tags.pop_if(|tag| tag.protocol == protocol);
        let refused = |id| {
            Err(Stop::lost(Stage::Bridge, by.ns, Some(by), Reason::NotInVlan { port: by, id }))
        };
        let tagged = tag.map(|tag| tag.id).filter(|id| *id != 0);
        let Some(id) = tagged.or_else(|| place.pvid(by.index)) else { return refused(None) };
        if !place.is_in_vlan(by.index, id) {
            return refused(Some(id));
        }
        skb.vlan = Some(id);
        let step = VlanStep::Joined { by_tag: tagged.is_some() };
        self.tell(skb, Stage::Bridge, || Action::Vlan { link: by, id, step });
        Ok(())
    }

    /// `br_allowed_egress`: why a port, or the bridge itself, does not get the frame.
    #[inline(always)]
    pub(crate) fn outside_vlan(&self, skb: &Skb, link: Spot<'_>) -> Option<Reason> {
        let id = skb.vlan?;
        let within = self.net.home(link).is_in_vlan(link.index, id);
        (!within).then_some(Reason::NotInVlan { port: link.id, id: Some(id) })
    }

    /// `br_handle_vlan`: with a tag or without, as the port has it, or the bridge itself.
    #[inline(always)]
    pub(crate) fn leave_vlan(&mut self, skb: &mut Skb, bridge: Spot<'_>, by: Spot<'_>) {
        let Some(id) = skb.vlan.take() else { return };
        let untagged = self.net.home(by).is_untagged(by.index, id);
        let Some(protocol) = self.filters_vlans(bridge.id).filter(|_| !untagged) else { return };
        skb.tags.push(Tag { protocol, id });
        let step = VlanStep::Tagged;
        self.tell(skb, Stage::Bridge, || Action::Vlan { link: by.id, id, step });
    }

    /// EtherType of the tags that it filters by.
    fn filters_vlans(&self, bridge: LinkId) -> Option<u16> {
        match &self.known_link(bridge)?.kind {
            LinkKind::Bridge(bridge) => bridge.vlan_filtering.then_some(bridge.vlan_protocol),
            _ => None,
        }
    }
}
