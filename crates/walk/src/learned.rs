//! What a namespace has learned of single destinations: nearer gateways and path MTUs.

use std::net::IpAddr;

use model::{LearnedRoute, Link, Nexthop, RouteKind};

use crate::indexed::Place;
use crate::route::Found;
use crate::skb::Skb;

impl<'a> Place<'a> {
    /// `find_exception`, `rt6_find_cached_rt`: a way that was found, as it was learned to be.
    pub(crate) fn learned(&self, found: Found<'a>, dst: IpAddr) -> Found<'a> {
        let is_it = |entry: &&'a LearnedRoute| {
            entry.dst == dst
                && (entry.table, entry.link) == (found.route.table, found.hop.link)
                && !is_of_another(&found, entry.gateway)
        };
        if found.route.kind != RouteKind::Unicast {
            return found;
        }
        let Some(entry) = self.ns.learned.iter().find(is_it) else { return found };
        let hop = Nexthop { gateway: entry.gateway, ..found.hop };
        Found { hop, learned: Some(entry), ..found }
    }
}

impl Place<'_> {
    /// `ip_skb_dst_mtu`: the largest packet that a way takes. What was learned of it does not count for
    /// what is forwarded, unless it is meant to, nor for a packet that asks not to be broken up: it is
    /// sent to find that out (IP_PMTUDISC_PROBE).
    pub(crate) fn way_mtu(&self, skb: &Skb, found: &Found<'_>, link_mtu: u32) -> u32 {
        let heeded = match skb.iif {
            Some(_) => self.ns.sysctls.ip_forward_use_pmtu || found.is_mtu_locked(),
            None => !(skb.of_process && skb.packet.df),
        };
        if heeded { found.mtu(link_mtu) } else { found.told_mtu(link_mtu) }
    }

    /// `ip6_skb_dst_mtu`: the same of IPv6, where it counts for what is forwarded, and for nothing that a
    /// process sends to find it out (IPV6_PMTUDISC_INTERFACE, IPV6_PMTUDISC_OMIT).
    pub(crate) fn way_mtu6(&self, skb: &Skb, found: &Found<'_>, link: &Link) -> u32 {
        match skb.iif.is_none() && skb.of_process {
            true => self.mtu6(&Found { learned: None, ..*found }, link),
            false => self.mtu6(found, link),
        }
    }
}

/// Whether such an entry is one of another way out of the same route.
fn is_of_another(found: &Found<'_>, gateway: Option<IpAddr>) -> bool {
    let same = |hop: &&Nexthop| (hop.link, hop.gateway) == (found.hop.link, gateway);
    gateway != found.hop.gateway && found.route.nexthops.iter().any(|hop| same(&hop))
}
