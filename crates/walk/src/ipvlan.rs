//! Ipvlans: links that share the Ethernet address of one link below, and are told apart by their IP
//! addresses (`drivers/net/ipvlan`).
//!
//! In mode l2 what is not for a sibling goes out of the link below as a frame; in mode l3 it is
//! routed anew in the namespace of the link below.

use std::net::IpAddr;

use model::{Ipvlan, IpvlanFlag, IpvlanMode, Link, LinkId, LinkKind, RouteKind};

use crate::route::{Flow, NotFound};
use crate::skb::{Next, Skb, Stop};
use crate::walker::Walker;
use crate::{Action, IcmpKind, Payload, Reason, Sink, Stage, Unknown};

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `ipvlan_queue_xmit`.
    pub(crate) fn ipvlan_out(
        &mut self,
        skb: &mut Skb,
        id: LinkId,
        link: &Link,
        ipvlan: &Ipvlan,
    ) -> Result<Next<'a>, Stop> {
        ipvlan_modelled(id, ipvlan)?;
        let lower = self.lower(id, link)?;
        let inward = ipvlan.mode != IpvlanMode::L2 || skb.packet.src_mac == skb.packet.dst_mac;
        if inward && ipvlan.flag != IpvlanFlag::Vepa {
            if let Some(sibling) = self.ipvlan_with(lower, wanted(skb))? {
                if ipvlan.flag == IpvlanFlag::Private {
                    return swallowed(id);
                }
                self.tell(skb, Stage::Transmit, || Action::Sibling { lower, sibling });
                skb.kept = Some(true);
                return self.given_to(sibling);
            }
            if ipvlan.mode == IpvlanMode::L2 {
                return self.given_to(lower);
            }
        }
        match ipvlan.mode {
            IpvlanMode::L2 if skb.packet.is_to_group() => {
                let mut copies = self.to_ipvlans(skb, lower, Some(id));
                copies.push((lower, skb.clone(), self.out_by(lower)?));
                self.split(skb, Stage::Transmit, lower, copies)
            }
            IpvlanMode::L2 => self.out_by(lower),
            _ => self.ipvlan_route(skb, id, lower),
        }
    }

    /// `ipvlan_process_outbound`: routed in the namespace of the link below, as if it were sent
    /// there by a socket that is bound to that.
    fn ipvlan_route(&mut self, skb: &mut Skb, id: LinkId, lower: LinkId) -> Result<Next<'a>, Stop> {
        if skb.packet.is_to_group() || skb.arp.is_some() {
            return swallowed(id);
        }
        let place = self.place(lower.ns, Stage::Route)?;
        skb.scrub(lower.ns);
        (skb.iif, skb.oif) = (None, None);
        (skb.packet.src_mac, skb.packet.dst_mac) = (None, None);
        let flow = Flow { oif: Some(lower.index), ..Flow::of(&skb.packet, skb.mark, None) };
        if skb.packet.is_ipv6() {
            // `ipvlan_route_v6_outbound`: where there is no route nobody is told.
            let found = match place.output6(&flow) {
                Ok(found) => self.one_way6(skb, found, &flow)?,
                Err(NotFound::Unknown(what)) => {
                    let unknown = Unknown::Routing { ns: lower.ns, what };
                    return Err(Stop::unknown(Stage::Route, unknown));
                }
                Err(_) => return swallowed(id),
            };
            self.modelled(skb, Stage::Route)?;
            self.tell_route(skb, &found, None);
            return self.local_out6(skb, found);
        }
        let found = place.lookup(&flow).map_err(|_| {
            let what = format!("no route to {} by the link below", flow.dst);
            Stop::unknown(Stage::Route, Unknown::Routing { ns: lower.ns, what })
        })?;
        if !matches!(found.route.kind, RouteKind::Unicast | RouteKind::Local) {
            return swallowed(id);
        }
        self.modelled(skb, Stage::Route)?;
        self.tell_route(skb, &found, None);
        self.local_out(skb, place, &found)
    }

    /// `ipvlan_handle_frame`: which ipvlan takes a frame that comes in by the link below; None: the
    /// link below keeps it.
    pub(crate) fn ipvlan_in(
        &mut self,
        skb: &mut Skb,
        lower: LinkId,
    ) -> Result<Option<Next<'a>>, Stop> {
        let Some((id, ipvlan)) = self.an_ipvlan_on(lower) else { return Ok(None) };
        ipvlan_modelled(id, &ipvlan)?;
        if ipvlan.mode == IpvlanMode::L2 && skb.packet.is_to_group() {
            let own = self.known_link(lower).and_then(|l| l.mac);
            let from_within =
                skb.packet.src_mac == own && self.ipvlan_with(lower, skb.packet.src)?.is_some();
            if from_within {
                return Ok(None);
            }
            let mut copies = self.to_ipvlans(skb, lower, None);
            let below = self.spot(lower, Stage::Receive)?;
            copies.push((lower, skb.clone(), Next::Up(below)));
            return self.split(skb, Stage::Receive, lower, copies).map(Some);
        }
        let Some(taker) = self.ipvlan_with(lower, wanted(skb))? else { return Ok(None) };
        skb.kept = skb.ours.then_some(true);
        self.tell(skb, Stage::Receive, || Action::Stacked {
            lower,
            uppers: vec![taker],
            followed: Some(taker),
        });
        self.in_by(taker).map(Some)
    }

    /// Any of the ipvlans on a link: all are of one mode.
    fn an_ipvlan_on(&self, lower: LinkId) -> Option<(LinkId, Ipvlan)> {
        self.net.uppers(lower).iter().find_map(|id| match &self.net.link(*id)?.kind {
            LinkKind::Ipvlan(ipvlan) => Some((*id, *ipvlan)),
            _ => None,
        })
    }

    /// `ipvlan_addr_lookup`: the one of them that has an address. Those that are down have none.
    fn ipvlan_with(&self, lower: LinkId, ip: IpAddr) -> Result<Option<LinkId>, Stop> {
        for id in self.ipvlans(lower) {
            let place = self.place(id.ns, Stage::Receive)?;
            if let Some(gap) = place.ns.gap("addresses") {
                let what = format!("{}: {}", gap.part, gap.cause);
                return Err(Stop::unknown(Stage::Receive, Unknown::Gap { ns: id.ns, what }));
            }
            if place.ns.addresses_of(id.index).any(|a| a.ip() == ip) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Those that are up.
    fn ipvlans(&self, lower: LinkId) -> Vec<LinkId> {
        let up = |id: &&LinkId| {
            let link = self.net.link(**id);
            link.is_some_and(|l| matches!(l.kind, LinkKind::Ipvlan(_)) && l.is_up())
        };
        self.net.uppers(lower).iter().filter(up).copied().collect()
    }

    /// `ipvlan_process_multicast`: a worker of the kernel hands a copy to each, but to its sender.
    fn to_ipvlans(
        &self,
        skb: &Skb,
        lower: LinkId,
        sender: Option<LinkId>,
    ) -> Vec<(LinkId, Skb, Next<'a>)> {
        let copy = |id| {
            let link = self.known_spot(id)?;
            let next = if sender.is_some() { Next::Forward(link) } else { Next::Receive(link) };
            Some((id, skb.clone().by_worker(), next))
        };
        let others = self.ipvlans(lower).into_iter().filter(|id| Some(*id) != sender);
        others.filter_map(copy).collect()
    }
}

/// By which address it is looked for (`ipvlan_get_L3_hdr`): a question whether somebody has an address
/// already, by the address that it asks for.
fn wanted(skb: &Skb) -> IpAddr {
    match skb.packet.payload {
        Payload::Icmp { kind: IcmpKind::Solicitation(target), .. }
            if skb.packet.src.is_unspecified() =>
        {
            target.into()
        }
        _ => skb.packet.dst,
    }
}

fn swallowed<'a>(id: LinkId) -> Result<Next<'a>, Stop> {
    Err(Stop::lost(Stage::Transmit, id.ns, Some(id), Reason::Swallowed))
}

fn ipvlan_modelled(id: LinkId, ipvlan: &Ipvlan) -> Result<(), Stop> {
    if ipvlan.mode != IpvlanMode::L3S && !ipvlan.tap {
        return Ok(());
    }
    let what = format!(
        "{} of mode {}",
        if ipvlan.tap { "ipvtap" } else { "ipvlan" },
        ipvlan.mode.as_str()
    );
    Err(Stop::unknown(Stage::Transmit, Unknown::Link { link: id, what }))
}
