//! br_netfilter: bridged IP packets go through the IP hooks of the bridge's namespace.

use std::net::IpAddr;

use model::{Hook, LinkFlags, LinkId, NeighbourState};

use crate::indexed::Place;
use crate::links::Spot;
use crate::route::{Flow, NotFound};
use crate::skb::{Skb, Stop, fragment};
use crate::validate::Refusal;
use crate::walker::Walker;
use crate::{Action, Reason, Sink, Stage, Unknown};

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `br_nf_pre_routing`. Where the destination was rewritten to another on the same bridge: the
    /// next hop, for [`Self::redirect`].
    pub(crate) fn filter_bridged_in(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        bridge: Spot<'a>,
        port: Spot<'a>,
    ) -> Result<Option<IpAddr>, Stop> {
        let (four, six) = bridge.settled.calls;
        if skb.arp.is_some() || !(if skb.packet.is_ipv6() { six } else { four }) {
            return Ok(None);
        }
        if !skb.tags.is_empty() {
            self.filters_no_tagged(bridge.id)?;
            return Ok(None);
        }
        self.modelled_in(skb, place, Stage::Bridge)?;
        skb.physin = Some(port.id.index);
        let dst = skb.packet.dst;
        self.hook_in(skb, place, Hook::Prerouting, Some(bridge.id.index), None)?;
        skb.prerouted = true;
        if skb.packet.dst == dst { Ok(None) } else { self.bridged_dnat(skb, bridge.id) }
    }

    /// Frames with a tag are not looked at, unless a setting says so.
    fn filters_no_tagged(&self, bridge: LinkId) -> Result<(), Stop> {
        let place = self.place(bridge.ns, Stage::Bridge)?;
        if !place.ns.sysctls.bridge_nf_filter_vlan_tagged {
            return Ok(());
        }
        let what = "bridge-nf-filter-vlan-tagged".to_owned();
        Err(Stop::unknown(Stage::Bridge, Unknown::Netfilter { ns: bridge.ns, what }))
    }

    /// The destination was rewritten on the bridge: it stays on it with another Ethernet
    /// address, or goes up.
    fn bridged_dnat(&self, skb: &mut Skb, bridge: LinkId) -> Result<Option<IpAddr>, Stop> {
        let place = self.place(bridge.ns, Stage::Bridge)?;
        let flow = Flow::of(&skb.packet, skb.mark, Some(bridge.index));
        let link = self.link(bridge, Stage::Bridge)?;
        if skb.packet.is_ipv6() {
            return self.bridged_dnat6(skb, bridge, &flow);
        }
        let hop = match place.route_input(&flow, bridge.index) {
            Ok(input) => Some(input.found),
            Err(refusal @ Refusal::Unknown(_)) => {
                return Err(refusal.stop(Stage::Route, bridge.ns, Some(bridge)));
            }
            Err(Refusal::Lost(reason)) if is_of_source(&reason) => {
                let refusal = Refusal::Lost(reason);
                return Err(refusal.stop(Stage::Route, bridge.ns, Some(bridge)));
            }
            // What has no route, or may not be forwarded, goes up and is refused there (`ip_error`).
            Err(Refusal::Lost(_)) => None,
        };
        match hop.filter(|f| f.hop.link == bridge.index && !f.is_local()) {
            Some(found) => Ok(Some(found.gateway().unwrap_or(skb.packet.dst))),
            None => {
                skb.packet.dst_mac = link.mac;
                skb.ours = true;
                Ok(None)
            }
        }
    }

    /// `br_nf_pre_routing_finish_ipv6`.
    fn bridged_dnat6(
        &self,
        skb: &mut Skb,
        bridge: LinkId,
        flow: &Flow,
    ) -> Result<Option<IpAddr>, Stop> {
        let place = self.place(bridge.ns, Stage::Bridge)?;
        let refused = |e: NotFound<'_>| {
            e.refusal(place, flow.dst).stop(Stage::Bridge, bridge.ns, Some(bridge))
        };
        let found = place.input6(flow, bridge.index).map_err(refused)?;
        let found = self.one_way6(skb, found, flow)?;
        if found.hop.link == bridge.index && !found.is_local() {
            return Ok(Some(found.gateway().unwrap_or(skb.packet.dst)));
        }
        skb.packet.dst_mac = self.link(bridge, Stage::Bridge)?.mac;
        (skb.ours, skb.led_by_bridge) = (true, true);
        Ok(None)
    }

    /// `br_nf_pre_routing_finish_bridge`: the frame's new destination. Unless the kernel has the
    /// header for it ready, the frame is handed to the bridge as if this host sent it, and only
    /// there taken back as one that came in by its port.
    pub(crate) fn redirect(
        &mut self,
        skb: &mut Skb,
        bridge: LinkId,
        ip: IpAddr,
    ) -> Result<(), Stop> {
        let src_mac = skb.packet.src_mac;
        let ready = self.known(bridge, ip).is_some_and(|entry| may_be_ready(entry.state));
        let link = self.spot(bridge, Stage::Neighbour)?;
        self.resolve(skb, self.home(link), link, ip)?;
        // The bridge puts the source back before anybody looks at what a socket has heard.
        skb.packet.src_mac = src_mac;
        if ready || link.flags.contains(LinkFlags::NOARP) {
            self.perhaps_out(skb, bridge)?;
        } else {
            if link.tc.is_some() {
                let what = "filters of tc that a rewritten frame meets".to_owned();
                return Err(Stop::unknown(Stage::Bridge, Unknown::Link { link: bridge, what }));
            }
            self.traffic_control(skb, link, Hook::Egress)?;
            self.tell(skb, Stage::Transmit, || Action::Out { link: bridge });
        }
        Ok(())
    }

    /// No message of the kernel says whether a neighbour's header is ready.
    fn perhaps_out(&mut self, skb: &Skb, bridge: LinkId) -> Result<(), Stop> {
        let link = self.link(bridge, Stage::Bridge)?;
        let place = self.place(bridge.ns, Stage::Bridge)?;
        if link.tc.is_some() || !place.tables.link(&link.name, Hook::Egress).is_empty() {
            let what = "filters going out, which a rewritten frame may pass by".to_owned();
            return Err(Stop::unknown(Stage::Bridge, Unknown::Link { link: bridge, what }));
        }
        self.tell(skb, Stage::Bridge, || Action::PerhapsOut { link: bridge });
        Ok(())
    }

    /// `br_nf_local_in`: what is for many is tracked for good before it comes up; what comes up
    /// because the bridge listens to all is tracked no more.
    pub(crate) fn confirm_up(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        bridge: Spot<'a>,
    ) -> Result<(), Stop> {
        if bridge.promiscuous {
            skb.ct = None;
        }
        if let Some(member) = skb.ct.filter(|member| !member.reply) {
            let wanted = self.overlay.connections[member.connection].entry.reply.reversed();
            if self.is_taken(skb, place, member, &wanted) {
                let what = "a connection whose answers would look like those of another".to_owned();
                let unknown = Unknown::Netfilter { ns: skb.ns, what };
                return Err(Stop::unknown(Stage::Bridge, unknown));
            }
        }
        self.confirm(skb, place, Hook::Input)
    }

    /// `br_nf_forward`, for a packet that came in by a port.
    pub(crate) fn filter_bridged(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        bridge: Spot<'a>,
        to: Spot<'a>,
    ) -> Result<(), Stop> {
        if skb.arp.is_some() || !skb.prerouted || !skb.tags.is_empty() {
            return Ok(());
        }
        skb.physout = Some(to.id.index);
        let device = Some(bridge.id.index);
        self.hook_in(skb, place, Hook::Forward, device, device)
    }

    /// `br_nf_dev_queue_xmit`: with br_netfilter, no port takes more than its MTU at once; what may
    /// be is broken up, by the MTU of the bridge.
    pub(crate) fn refragment(
        &self,
        skb: &mut Skb,
        bridge: Spot<'a>,
        to: Spot<'a>,
    ) -> Result<(), Stop> {
        if skb.arp.is_some() || !skb.prerouted || !skb.tags.is_empty() || skb.wire_len() <= to.mtu {
            return Ok(());
        }
        let lost = |link: Spot<'a>, mtu, told| {
            let reason = Reason::TooBig { mtu, told };
            Err(Stop::lost(Stage::Bridge, link.id.ns, Some(link.id), reason))
        };
        if skb.packet.df {
            return lost(to, to.mtu, false);
        }
        let mtu = bridge.mtu;
        match skb.wire_len() > mtu {
            // `ip6_fragment`: only what came in pieces is broken up again, and its sender is told.
            true if skb.packet.is_ipv6() => lost(bridge, mtu, true),
            true => {
                skb.fragment = Some(fragment(mtu));
                Ok(())
            }
            false => Ok(()),
        }
    }

    /// `br_nf_post_routing`, for a packet that came in by a port.
    pub(crate) fn filter_bridged_out(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        bridge: Spot<'a>,
    ) -> Result<(), Stop> {
        if skb.arp.is_some() || !skb.prerouted || !skb.tags.is_empty() {
            return Ok(());
        }
        let dst = skb.packet.dst;
        let device = Some(bridge.id.index);
        self.masquerade_hop = Some(skb.packet.dst);
        self.hook_in(skb, place, Hook::Postrouting, None, device)?;
        if skb.packet.dst == dst {
            return Ok(());
        }
        let what = "destination rewritten behind the bridge".to_owned();
        Err(Stop::unknown(Stage::Bridge, Unknown::Netfilter { ns: bridge.id.ns, what }))
    }
}

/// `ip_sabotage_in`: the packet has been through PREROUTING, and does not go through it again.
/// A namespace without a bridge has nothing that would keep it from that: by a macvlan, it comes
/// there from a bridge of another.
pub(crate) fn prerouted(skb: &mut Skb, place: &Place<'_>) -> bool {
    std::mem::take(&mut skb.prerouted) && place.has_bridges()
}

/// Connection tracking has put the fragments together that came in by a port.
#[inline]
pub(crate) fn put_together(skb: &mut Skb, place: &Place<'_>) {
    if skb.prerouted && place.tables.tracks(skb.packet.family()) {
        skb.fragment = None;
    }
}

/// The source is refused, or the destination for its own sake: `ip_route_input` fails.
const fn is_of_source(reason: &Reason) -> bool {
    matches!(reason, Reason::ReversePath { .. } | Reason::OwnSource | Reason::Martian)
}

/// NUD_CONNECTED, confirmed, so that its header is used without asking; or on its way there by
/// the kernel's own timer, so that it may be so when the packet comes.
const fn may_be_ready(state: NeighbourState) -> bool {
    use NeighbourState::{Delay, Noarp, Permanent, Probe, Reachable};
    matches!(state, Reachable | Permanent | Noarp | Delay | Probe)
}
