//! Packets within packets: put into an outer one, which goes a way of its own, and taken out of it
//! where that arrives.

use std::net::IpAddr;

use model::{Link, LinkId, NsId, Relation};

use crate::route::{Flow, Found};
use crate::skb::{Next, Skb, Stop};
use crate::walker::Walker;
use crate::wireguard::Seal;
use crate::{Action, Loss, Packet, Reason, Sink, Stage, Unknown};

/// What an outer packet carries.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    /// The packet within, as it was when it was put in.
    pub(crate) skb: Skb,
    pub(crate) label: Label,
}

/// What tells the packets of one tunnel from those of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// A network identifier.
    Vni(u32),
    /// Who can read them, and from whom they must be.
    Sealed(Seal),
}

/// The outer packet of one that a tunnel sends.
pub(crate) struct Outer {
    /// Where it is routed.
    pub(crate) ns: NsId,
    pub(crate) packet: Packet,
    pub(crate) label: Label,
    /// ifindex of the link that it must leave by.
    pub(crate) out: Option<u32>,
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// The namespace in which a tunnel's outer packets are routed.
    pub(crate) fn underlay(&self, id: LinkId, link: &Link) -> Result<NsId, Stop> {
        match link.relation {
            Relation::Lower(lower) => Ok(lower.ns),
            Relation::Underlay(ns) => Ok(ns),
            Relation::None | Relation::Peer(_) => Ok(id.ns),
            Relation::Unresolved(nsid) => {
                let what = format!("its outer packets are routed in unknown nsid {nsid}");
                Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }))
            }
        }
    }

    /// The route of an outer packet, its source filled in. What is not found there is told as the
    /// tunnel's own loss, of which nobody is told.
    pub(crate) fn outer_route(
        &mut self,
        id: LinkId,
        outer: &mut Outer,
        mark: u32,
    ) -> Result<Found<'a>, Stop> {
        let place = self.place(outer.ns, Stage::Route)?;
        let flow = Flow { oif: outer.out, ..Flow::of(&outer.packet, mark, None) };
        let remote = outer.packet.dst;
        let unknown = |what: &str| {
            let what = what.to_owned();
            Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }))
        };
        let found = match place.way(&flow) {
            // The kernel takes it for one on that very link.
            Err(_) if outer.out.is_some() => {
                return unknown(
                    "is bound to a link that the route to its remote does not leave by",
                );
            }
            found => found.map_err(|e| {
                let stop = e.refusal(place, flow.dst).stop(Stage::Transmit, outer.ns, None);
                underlay_loss(stop, id, remote)
            })?,
        };
        let found = place.learned(found, remote);
        if remote.is_ipv6() && found.several {
            return unknown("has several ways to its remote");
        }
        if !matches!(found.route.kind, model::RouteKind::Unicast | model::RouteKind::Local) {
            return unknown("sends to a broadcast or multicast address");
        }
        if (found.hop.link, outer.ns) == (id.index, id.ns) {
            let because = Box::new(Loss { ns: id.ns, link: Some(id), reason: Reason::TunnelLoop });
            let reason = Reason::NoTunnelRoute { remote, because };
            return Err(Stop::lost(Stage::Transmit, id.ns, Some(id), reason));
        }
        if outer.packet.src.is_unspecified() {
            let source = match remote {
                IpAddr::V4(_) => place.source_for(&found, remote),
                IpAddr::V6(ip) => place.source6(Some(&found), ip).map(IpAddr::V6),
            };
            outer.packet.src = source.unwrap_or(outer.packet.src);
        }
        Ok(found)
    }

    /// `iptunnel_xmit`: the outer packet goes its way with that mark, with the other inside it.
    pub(crate) fn send_outer(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        outer: Outer,
        found: &Found<'a>,
        mark: u32,
        told: Action,
    ) -> Result<Next<'a>, Stop> {
        not_too_deep(skb, id)?;
        let inner = skb.clone();
        let (moment, late) = (skb.moment, skb.late);
        *skb = Skb { mark, moment, late, ..Skb::new(outer.ns, outer.packet) };
        skb.carried = Some(Box::new(Carried { skb: inner, label: outer.label }));
        self.tell(skb, Stage::Transmit, || told);
        if skb.packet.is_ipv6() {
            self.tell_route(skb, found, None);
            return self.local_out6(skb, *found);
        }
        self.modelled(skb, Stage::Route)?;
        self.tell_route(skb, found, None);
        let place = self.place(skb.ns, Stage::Route)?;
        self.local_out(skb, place, found)
    }

    /// The same, where the way is looked for as that of any packet is that this namespace sends.
    pub(crate) fn send_outer_by_socket(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        outer: Outer,
        mark: u32,
        told: Action,
    ) -> Result<Next<'a>, Stop> {
        not_too_deep(skb, id)?;
        let (moment, late) = (skb.moment, skb.late);
        let carried = Some(Box::new(Carried { skb: skb.clone(), label: outer.label }));
        let oif = outer.out;
        *skb = Skb { mark, moment, late, carried, oif, ..Skb::new(outer.ns, outer.packet) };
        self.tell(skb, Stage::Transmit, || told);
        Ok(Next::Socket)
    }

    /// A tunnel's end takes the packet out that an outer one carries; it comes in by the tunnel.
    pub(crate) fn take_out(&mut self, skb: &mut Skb, id: LinkId, told: Action) {
        let Some(carried) = skb.carried.take() else { return };
        let (ns, mark) = (skb.ns, skb.mark);
        let (moment, late) = (skb.moment, skb.late);
        *skb = Skb { moment, late, mark, ns, ..carried.skb };
        skb.scrub(id.ns);
        (skb.iif, skb.ours, skb.kept) = (None, false, None);
        self.tell(skb, Stage::Receive, || told);
    }
}

/// Why an outer packet finds no way.
fn underlay_loss(stop: Stop, id: LinkId, remote: IpAddr) -> Stop {
    match stop.into_disposition() {
        crate::Disposition::Lost(loss) => {
            let reason = Reason::NoTunnelRoute { remote, because: Box::new(loss) };
            Stop::lost(Stage::Transmit, id.ns, Some(id), reason)
        }
        other => Stop::new(Stage::Transmit, other),
    }
}

/// Tunnels within tunnels are followed two deep.
pub(crate) fn not_too_deep(skb: &Skb, id: LinkId) -> Result<(), Stop> {
    if skb.nested() > 1 {
        let what = "tunnels within tunnels, more than two deep".to_owned();
        return Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }));
    }
    Ok(())
}
