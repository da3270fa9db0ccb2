//! Packets to many: broadcasts of IPv4, multicasts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use model::{
    Hook, LinkId, LinkKind, Mac, Neighbour, NeighbourState, Nexthop, Protocol, Route, RouteKind,
    Scope, TABLE_LOCAL,
};

use crate::indexed::Place;
use crate::links::Spot;
use crate::route::{Flow, Found, NotFound};
use crate::skb::{Next, Skb, Stop};
use crate::walker::Walker;
use crate::{Action, Cause, Reason, Sink, Stage};

/// Whom a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cast {
    /// 255.255.255.255
    Limited,
    /// 224.0.0.0/4
    Multicast,
}

/// All hosts on a link.
const ALL_HOSTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
/// The same of IPv6.
pub(crate) const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// What an address says by itself; None: one host, or all of a subnet, which only a table tells.
pub(crate) fn cast(ip: IpAddr) -> Option<Cast> {
    match ip {
        IpAddr::V4(Ipv4Addr::BROADCAST) => Some(Cast::Limited),
        IpAddr::V4(ip) if ip.is_multicast() => Some(Cast::Multicast),
        _ => None,
    }
}

/// The link-local groups, which are never forwarded and never kept off a port.
pub(crate) fn is_link_local_group(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.octets()[..3] == [224, 0, 0])
}

/// `ip_eth_mc_map`: 32 groups share an address; of IPv6 (`ipv6_eth_mc_map`) those that end alike.
pub(crate) fn multicast_mac(group: IpAddr) -> Mac {
    match group {
        IpAddr::V4(group) => {
            let [_, b, c, d] = group.octets();
            Mac([0x01, 0x00, 0x5e, b & 0x7f, c, d])
        }
        IpAddr::V6(group) => {
            let [.., a, b, c, d] = group.octets();
            Mac([0x33, 0x33, a, b, c, d])
        }
    }
}

/// The route that the kernel makes up for such a packet by that link (`__mkroute_output`,
/// `ip_route_input_mc`).
pub(crate) fn made_up(link: u32, cast: Cast) -> Route {
    let (dst, kind) = match cast {
        Cast::Limited => (Ipv4Addr::BROADCAST, RouteKind::Broadcast),
        Cast::Multicast => (Ipv4Addr::new(224, 0, 0, 0), RouteKind::Multicast),
    };
    let length = if cast == Cast::Limited { 32 } else { 4 };
    let hop = Nexthop::new(link, None);
    Route {
        table: TABLE_LOCAL,
        kind,
        dst: IpNet::new_assert(dst.into(), length),
        tos: 0,
        protocol: Protocol::Kernel,
        scope: Scope::Link,
        metric: 0,
        prefsrc: None,
        nexthops: vec![hop],
        metrics: Default::default(),
        preference: Default::default(),
        nexthop_id: None,
    }
}

impl<'a> Place<'a> {
    /// `ip_route_output_key` of a packet to many whose address says so: by the link that has its
    /// source, else by whatever route leads there, but never to a gateway.
    pub(crate) fn output_to_many(
        &'a self,
        flow: &Flow,
        cast: Cast,
        by_route: Option<Found<'a>>,
    ) -> Result<(Found<'a>, Option<IpAddr>), NotFound<'a>> {
        let by = |link| self.made_up(link, cast).ok_or(NotFound::Nothing);
        let Some(found) = by_route else {
            let link = flow.oif.or_else(|| self.owner(flow.src)).ok_or(NotFound::Nothing)?;
            let none = flow.src.is_unspecified();
            let source = none.then(|| self.select_address(link, None, Scope::Link)).flatten();
            return Ok((by(link)?, source));
        };
        let source = self.source_for(&found, flow.dst);
        Ok((Found { rule: found.rule, ..by(found.hop.link)? }, source))
    }

    /// As if there were such a route.
    pub(crate) fn made_up(&'a self, link: u32, cast: Cast) -> Option<Found<'a>> {
        let route = self.casts.get(&(link, cast == Cast::Multicast))?;
        Some(Found {
            rule: None,
            route,
            hop: *route.nexthops.first()?,
            several: false,
            learned: None,
        })
    }

    /// `ip_check_mc`, `ipv6_chk_mcast_addr`: whether a link of this namespace is in a group. All that
    /// are up are in that of all hosts.
    pub(crate) fn is_member(&self, link: u32, group: IpAddr) -> bool {
        let up = self.ns.links.get(&link).is_some_and(model::Link::is_up);
        let of_all = [IpAddr::V4(ALL_HOSTS), IpAddr::V6(ALL_NODES)];
        of_all.contains(&group) && up || self.ns.groups.contains(&(link, group))
    }

    /// `fib_compute_spec_dst`: as whom what was for many is answered, by the way back; None: whom
    /// the answer's own route suggests.
    pub(crate) fn specific_destination(&self, skb: &Skb) -> Option<IpAddr> {
        let (asker, iif) = (skb.packet.src, skb.iif?);
        let mark = if self.conf(iif).src_valid_mark { skb.mark } else { 0 };
        let (src, iif_back) = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), Some(self.loopback()));
        let of_asker = Flow::of(&skb.packet, mark, None);
        let asked = Flow { src, dst: asker, iif: iif_back, ..of_asker };
        let flow = Flow { protocol: 0, ports: None, vrf: self.vrf_of(iif), ..asked };
        match self.lookup(&flow) {
            Ok(found) => self.source_for(&found, asker),
            Err(NotFound::Unknown(_)) => None,
            Err(_) => self.select_address(iif, Some(asker), Scope::Global),
        }
    }

    /// A link of this namespace is in a group that has this Ethernet address.
    pub(crate) fn hears_group(&self, link: u32, mac: Option<Mac>) -> bool {
        let groups = self.ns.groups.iter().filter(|(at, _)| *at == link).map(|(_, group)| *group);
        let of_all = [ALL_HOSTS.into(), ALL_NODES.into()];
        groups.chain(of_all).any(|group| Some(multicast_mac(group)) == mac)
    }

    /// `arp_constructor`: the Ethernet address of what is for many on a link; None: it is one's,
    /// which has to be asked for.
    #[inline]
    pub(crate) fn group_mac(&self, link: u32, ip: IpAddr) -> Option<Mac> {
        if ip.is_multicast() {
            return Some(multicast_mac(ip));
        }
        let many = cast(ip).is_some() || self.broadcasts_to(link, ip);
        many.then_some(Mac::BROADCAST)
    }
}

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `ip_mc_output`, `ip6_finish_output2`: what is for many comes to those of this namespace, too,
    /// before it leaves.
    #[inline]
    pub(crate) fn loop_back(
        &mut self,
        skb: &Skb,
        place: &'a Place<'a>,
        found: &Found<'a>,
    ) -> Result<(), Stop> {
        // Of what a tunnel's socket sends, no copy stays here (`setup_udp_tunnel_sock`).
        if skb.carried.is_some() {
            return Ok(());
        }
        let out = found.hop.link;
        let here = match found.route.kind {
            RouteKind::Broadcast => true,
            _ if skb.packet.is_ipv6() => place.listens6(out, skb.packet.dst),
            RouteKind::Multicast => place.is_member(out, skb.packet.dst),
            _ => false,
        };
        // By any other route of IPv6 it would be forwarded, which nothing of one's own is
        // (`ip6_rt_init_dst`, `ip6_forward`).
        let taken = !skb.packet.is_ipv6() || found.route.dst.addr().is_multicast();
        if here { self.looped_back(skb, skb.link(out), taken) } else { Ok(()) }
    }

    fn looped_back(&mut self, skb: &Skb, out: LinkId, taken: bool) -> Result<(), Stop> {
        if self.link(out, Stage::Route)?.kind == LinkKind::Loopback {
            return Ok(());
        }
        let (end, way) = self.copy(skb, |walker, copy| {
            let came = copy.iif.filter(|_| !copy.packet.is_ipv6());
            walker.hook(copy, Hook::Postrouting, came, Some(out.index))?;
            // `enqueue_to_backlog` takes nothing for a link that is down.
            if !walker.link(out, Stage::Receive)?.is_up() {
                return Err(Stop::lost(Stage::Receive, out.ns, Some(out), Reason::LinkDown));
            }
            walker.hook(copy, Hook::Prerouting, Some(out.index), None)?;
            if !taken {
                let reason = Reason::NoRouteForGroups(copy.packet.dst);
                return Err(Stop::lost(Stage::Forward, out.ns, Some(out), reason));
            }
            copy.spare = false;
            copy.iif = Some(out.index);
            copy.to_many = true;
            copy.fragment = None;
            if copy.packet.is_ipv6() { walker.group6(copy, out) } else { walker.local(copy, out) }
        });
        self.sink.child(Cause::Copy(out), &skb.packet, way, &end.disposition);
        Ok(())
    }

    /// Writes the frame's addresses: those of what is for many, else the next hop's.
    pub(crate) fn address(
        &mut self,
        skb: &mut Skb,
        place: &'a Place<'a>,
        out: Spot<'a>,
        hop: IpAddr,
    ) -> Result<(), Stop> {
        let Some(mac) = place.group_mac(out.index, hop) else {
            return self.resolve(skb, place, out, hop);
        };
        (skb.packet.src_mac, skb.packet.dst_mac) = (out.mac, Some(mac));
        self.tell_group(skb, out.id, hop, mac);
        Ok(())
    }

    /// Tells the address of a frame for many.
    fn tell_group(&mut self, skb: &Skb, link: LinkId, ip: IpAddr, mac: Mac) {
        let entry = Neighbour {
            link: link.index,
            ip,
            mac: Some(mac),
            state: NeighbourState::Noarp,
            proxy: false,
        };
        self.tell(skb, Stage::Neighbour, || Action::Neighbour { ip, link, entry });
    }

    /// A packet has come to this namespace.
    pub(crate) fn arrive(&mut self, skb: &Skb) -> Next<'a> {
        let group6 = skb.packet.is_ipv6() && skb.packet.dst.is_multicast();
        let copied = self.depth > 0 && skb.about.is_none() && !group6;
        if skb.to_many || copied {
            self.arrivals.push(skb.clone());
        }
        Next::Arrived
    }
}
