//! br_netfilter: bridged IP packets go through the IP hooks of the bridge's namespace.

use std::net::Ipv4Addr;

use model::{Hook, LinkId, LinkKind};

use crate::route::Flow;
use crate::skb::{Skb, Stop};
use crate::validate::Refusal;
use crate::walker::Walker;
use crate::{Sink, Stage, Unknown};

impl<S: Sink> Walker<'_, '_, S> {
    /// Whether bridged packets see the IP hooks: the namespace's switch or the bridge's own.
    fn calls_iptables(&self, bridge: LinkId) -> bool {
        let Some(place) = self.net.place(bridge.ns) else { return false };
        let Some(link) = self.net.link(bridge) else { return false };
        let own = matches!(&link.kind, LinkKind::Bridge(b) if b.nf_call_iptables);
        match place.ns.sysctls.bridge_nf_call_iptables {
            None => false,
            Some(namespace) => namespace || own,
        }
    }

    /// `br_nf_pre_routing`.
    pub(crate) fn filter_bridged_in(
        &mut self,
        skb: &mut Skb,
        bridge: LinkId,
        port: LinkId,
    ) -> Result<(), Stop> {
        if skb.arp.is_some() || !self.calls_iptables(bridge) {
            return Ok(());
        }
        self.modelled(skb, Stage::Bridge)?;
        skb.physin = Some(port.index);
        let dst = skb.packet.dst;
        self.hook(skb, Hook::Prerouting, Some(bridge.index), None)?;
        skb.prerouted = true;
        if skb.packet.dst != dst {
            self.bridged_dnat(skb, bridge)?;
        }
        Ok(())
    }

    /// The destination was rewritten on the bridge: it stays on it with another Ethernet
    /// address, or goes up.
    fn bridged_dnat(&mut self, skb: &mut Skb, bridge: LinkId) -> Result<(), Stop> {
        let place = self.place(bridge.ns, Stage::Bridge)?;
        let flow = Flow::of(&skb.packet, skb.mark, Some(bridge.index));
        let link = self.link(bridge, Stage::Bridge)?;
        let hop = match place.route_input(&flow, bridge.index) {
            Ok(input) => Some(input.found),
            Err(refusal @ Refusal::Unknown(_)) => {
                return Err(refusal.stop(Stage::Route, bridge.ns, Some(bridge)));
            }
            Err(refusal @ Refusal::Lost(_)) => {
                let out = Flow { iif: None, src: Ipv4Addr::UNSPECIFIED, ..flow };
                let same = place.lookup(&out).ok().filter(|f| f.hop.link == bridge.index);
                if place.conf(bridge.index).forwarding || same.is_none() {
                    return Err(refusal.stop(Stage::Route, bridge.ns, Some(bridge)));
                }
                same
            }
        };
        match hop.filter(|f| f.hop.link == bridge.index && !f.is_local()) {
            Some(found) => {
                let src_mac = skb.packet.src_mac;
                let ip = found.gateway().unwrap_or(skb.packet.dst);
                self.resolve(skb, bridge, ip)?;
                skb.packet.src_mac = src_mac;
            }
            None => {
                skb.packet.dst_mac = link.mac;
                skb.ours = true;
            }
        }
        Ok(())
    }

    /// `br_nf_forward`, for a packet that came in by a port.
    pub(crate) fn filter_bridged(
        &mut self,
        skb: &mut Skb,
        bridge: LinkId,
        to: LinkId,
    ) -> Result<(), Stop> {
        if skb.arp.is_some() || !skb.prerouted {
            return Ok(());
        }
        skb.physout = Some(to.index);
        let device = Some(bridge.index);
        self.hook(skb, Hook::Forward, device, device)
    }

    /// `br_nf_post_routing`, for a packet that came in by a port.
    pub(crate) fn filter_bridged_out(&mut self, skb: &mut Skb, bridge: LinkId) -> Result<(), Stop> {
        if skb.arp.is_some() || !skb.prerouted {
            return Ok(());
        }
        let dst = skb.packet.dst;
        let device = Some(bridge.index);
        self.masquerade_hop = Some(skb.packet.dst);
        self.hook(skb, Hook::Postrouting, None, device)?;
        if skb.packet.dst == dst {
            return Ok(());
        }
        let what = "destination rewritten behind the bridge".to_owned();
        Err(Stop::unknown(Stage::Bridge, Unknown::Netfilter { ns: bridge.ns, what }))
    }
}
