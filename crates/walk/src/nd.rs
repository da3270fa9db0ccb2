//! Neighbour Discovery: solicitations and advertisements as packets of their own, which pass the
//! hooks of ip6.

use std::net::{IpAddr, Ipv6Addr};

use model::{AddressFlags, Hook, Link, LinkId, Mac, NeighbourState};

use crate::group::{ALL_NODES, multicast_mac};
use crate::indexed::Place;
use crate::ip6::{HEADER, bound_anew};
use crate::links::Spot;
use crate::route::{Flow, Found, NotFound};
use crate::route6::is_link_local;
use crate::skb::{Next, Skb, Stop};
use crate::walker::{Answer, Sent, Walker};
use crate::{Disposition, IcmpKind, Packet, Payload, Reason, Sink, Stage};

/// A message with one option, the Ethernet address.
const LEN: u32 = HEADER + 24 + 8;
/// One that comes from elsewhere than this link is not believed.
const HOP_LIMIT: u8 = 255;

impl<'a, S: Sink> Walker<'a, '_, S> {
    /// `ndisc_solicit`: the question for a next hop of this packet. None: this link has no address
    /// to ask from.
    pub(crate) fn solicitation(
        &self,
        skb: &Skb,
        out: LinkId,
        link: &Link,
        ip: Ipv6Addr,
    ) -> Option<Skb> {
        let place = self.known_place(out.ns)?;
        let unready = AddressFlags::TENTATIVE | AddressFlags::OPTIMISTIC;
        let ready = || {
            let own = place.ns.addresses_of(out.index);
            // What waits may be a packet of IPv4, whose source is none to ask from.
            own.filter(|a| !a.flags.intersects(unready))
                .map(model::Address::ip)
                .filter(IpAddr::is_ipv6)
        };
        let near = |ip: &IpAddr| matches!(ip, IpAddr::V6(ip) if is_link_local(*ip));
        let keeps = ready().find(|own| *own == skb.packet.src);
        // ipv6_get_lladdr: the oldest, which is told last.
        let src = keeps.or_else(|| ready().filter(near).last())?;
        Some(Skb::new(out.ns, ask(link.mac, src, ip)).at(skb.moment))
    }

    /// `ndisc_send_na`: who was found answers. `for_another`: by this link somebody else speaks,
    /// whose address is asked for.
    pub(crate) fn advertisement(
        &self,
        request: &Packet,
        link: LinkId,
        mac: Mac,
        for_another: bool,
    ) -> Option<Skb> {
        let Payload::Icmp { kind: IcmpKind::Solicitation(target), .. } = request.payload else {
            return None;
        };
        let place = self.known_place(link.ns)?;
        let mut addresses = place.ns.addresses_of(link.index);
        let own = for_another || addresses.any(|a| a.ip() == IpAddr::V6(target));
        let kind = IcmpKind::Advertisement(target);
        let asker = request.src;
        if asker.is_unspecified() {
            let to = Some(multicast_mac(ALL_NODES.into()));
            let packet = message(Some(mac), to, target.into(), ALL_NODES.into(), kind);
            return Some(Skb::new(link.ns, packet));
        }
        let src = match asker {
            _ if own => target,
            IpAddr::V6(asker) => place.select6_source(Some(link.index), asker)?,
            IpAddr::V4(_) => return None,
        };
        let to = self.known(link, asker).and_then(|entry| entry.mac).or(request.src_mac);
        Some(Skb::new(link.ns, message(Some(mac), to, src.into(), asker, kind)))
    }

    /// `ndisc_send_skb`: by that link, whatever the routes say, unless a rule rewrites it.
    pub(crate) fn nd_out(&mut self, skb: &mut Skb, link: Spot<'a>) -> Result<Next<'a>, Stop> {
        let id = link.id;
        self.hook(skb, Hook::Output, None, Some(id.index))?;
        // Such a packet knows its link from the beginning (`ndisc_alloc_skb`).
        skb.sent_by = Some(id.index);
        let found = self.route_anew(skb, |walker, skb| walker.nd_route(skb, id))?;
        if let Some(found) = found.filter(|_| !skb.packet.dst.is_multicast()) {
            return self.output6(skb, &found);
        }
        self.hook(skb, Hook::Postrouting, skb.sent_by, Some(id.index))?;
        skb.routed = true;
        Ok(Next::Transmit(link))
    }

    /// Its way, where a rule has rewritten it.
    fn nd_route(&self, skb: &Skb, id: LinkId) -> Result<Found<'a>, Stop> {
        let place = self.place(skb.ns, Stage::Route)?;
        let flow = Flow { oif: bound_anew(skb, id.index), ..Flow::of(&skb.packet, skb.mark, None) };
        let refused = |e: NotFound<'_>| e.refusal(place, flow.dst).stop(Stage::Route, skb.ns, None);
        let found = place.output6(&flow).map_err(refused)?;
        self.one_way6(skb, found, &flow)
    }

    /// `ndisc_recv_ns` and `ndisc_recv_na`.
    pub(crate) fn nd_in(&mut self, skb: &Skb, id: LinkId) -> Result<Next<'a>, Stop> {
        let link = self.link(id, Stage::Neighbour)?;
        let place = self.place(id.ns, Stage::Neighbour)?;
        if skb.packet.ttl != HOP_LIMIT {
            let reason = Reason::NotFromTheLink { hop_limit: skb.packet.ttl };
            return Err(Stop::lost(Stage::Neighbour, id.ns, Some(id), reason));
        }
        let delivered = Stop::new(Stage::Neighbour, Disposition::Delivered(id.ns));
        let ignored = Stop::ignored(Stage::Neighbour);
        let Payload::Icmp { kind, .. } = skb.packet.payload else { return Err(ignored) };
        let IcmpKind::Solicitation(target) = kind else {
            if !skb.ours && !skb.packet.is_to_group() {
                return Err(ignored);
            }
            self.replied.push((id, skb.moment));
            return Err(delivered);
        };
        let Some(mac) = link.mac.filter(|_| place.advertises(target, id.index)) else {
            return Err(ignored);
        };
        if let Some(asker) = skb.packet.src_mac.filter(|_| !skb.packet.src.is_unspecified()) {
            self.learn_neighbour(id, skb.packet.src, asker, NeighbourState::Stale);
        }
        self.answers.push(Answer { link: id, mac, sent: Sent::ByHost, moment: skb.moment });
        Err(delivered)
    }
}

impl Place<'_> {
    /// Whether a solicitation is answered by this link: for an address of its own that is ready, for
    /// an anycast address, or as proxy.
    fn advertises(&self, target: Ipv6Addr, link: u32) -> bool {
        let ip = IpAddr::V6(target);
        if let Some(own) = self.ns.addresses_of(link).find(|a| a.ip() == ip) {
            return own.is_ready();
        }
        let conf = self.conf6(link);
        let proxy = conf.forwarding && (conf.proxy_ndp || self.ns.sysctls.ipv6_proxy_ndp);
        self.anycast(ip, link) || proxy && self.proxies_for(link, ip)
    }
}

/// A question who has this address, sent to the group of those that might.
pub(crate) fn ask(src_mac: Option<Mac>, src: IpAddr, target: Ipv6Addr) -> Packet {
    let group = solicited_node(target);
    let to = Some(multicast_mac(group.into()));
    message(src_mac, to, src, group.into(), IcmpKind::Solicitation(target))
}

fn message(
    src_mac: Option<Mac>,
    dst_mac: Option<Mac>,
    src: IpAddr,
    dst: IpAddr,
    kind: IcmpKind,
) -> Packet {
    Packet {
        src_mac,
        dst_mac,
        src,
        dst,
        ttl: HOP_LIMIT,
        tos: 0,
        df: false,
        len: LEN,
        payload: Payload::Icmp { kind, id: 0 },
        mss: None,
    }
}

/// ff02::1:ffXX:XXXX, with the last three bytes of an address.
pub(crate) fn solicited_node(ip: Ipv6Addr) -> Ipv6Addr {
    let prefix = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0).to_bits();
    Ipv6Addr::from_bits(prefix | ip.to_bits() & 0xff_ffff)
}
