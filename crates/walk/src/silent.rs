//! Ends of bridges' ports that hear every question who has an address, and have nothing to say to
//! it: where nobody is told of each copy, a flood need not walk to them.

use std::net::IpAddr;

use model::{
    Family, Hook, Link, LinkFlags, LinkId, LinkKind, Mac, PortState, RouteKind, TABLE_DEFAULT,
};

use crate::group::cast;
use crate::hash::Map;
use crate::indexed::{Indexed, Place};
use crate::skb::{Arp, Skb};

/// How many moves a copy makes to such an end: out by the port and in by the other end, up.
pub(crate) const MOVES: usize = 2;

/// Such ends of one bridge.
#[derive(Debug, Default)]
pub(crate) struct Silent {
    /// By the position of the port.
    ends: Vec<Option<LinkId>>,
    /// Behind which ports somebody has an address after all.
    owners: Map<IpAddr, Vec<usize>>,
}

/// Such ends for one question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hearers<'a> {
    ends: &'a [Option<LinkId>],
    owners: &'a [usize],
}

impl Hearers<'_> {
    /// The end behind the port at that position, if it has nothing to say.
    pub(crate) fn behind(&self, port: usize) -> Option<LinkId> {
        let end = self.ends.get(port).copied().flatten();
        end.filter(|_| !self.owners.contains(&port))
    }
}

impl Silent {
    /// Those of a bridge; None: there are none.
    pub(crate) fn of(net: &Indexed<'_>, place: &Place<'_>, bridge: u32) -> Option<Self> {
        let hooks = [Hook::Forward, Hook::Output, Hook::Postrouting];
        let kind = place.link(bridge).map(|link| &link.kind);
        let filters = matches!(kind, Some(LinkKind::Bridge(b)) if b.vlan_filtering);
        let plain = place.ns.gaps.is_empty()
            && !filters
            && hooks.iter().all(|hook| place.tables.hook(Family::Bridge, *hook).is_empty());
        let mut found = Self::default();
        for (at, port) in place.ports(bridge).iter().enumerate().filter(|_| plain) {
            let end = passes_on(place, port).then(|| port.peer()).flatten();
            let end = end.and_then(|end| Some((end, net.place(end.ns)?)));
            let end = end.filter(|(end, there)| says_nothing(net, there, *end));
            found.ends.push(end.map(|(end, _)| end));
            for address in end.iter().flat_map(|(_, there)| &there.ns.addresses) {
                found.owners.entry(address.ip()).or_default().push(at);
            }
        }
        found.ends.iter().any(Option::is_some).then_some(found)
    }

    /// Those that have nothing to say to this frame.
    pub(crate) fn hearers(&self, skb: &Skb) -> Option<Hearers<'_>> {
        let ip = skb.packet.dst;
        let one = matches!(ip, IpAddr::V4(ip) if ip.octets()[0] != 0 && !ip.is_loopback());
        let to_all = skb.packet.dst_mac == Some(Mac::BROADCAST);
        let asks = skb.arp == Some(Arp::Request) && to_all && one && cast(ip).is_none();
        let owners = self.owners.get(&ip).map_or(&[][..], Vec::as_slice);
        asks.then_some(Hearers { ends: &self.ends, owners })
    }
}

/// Any broadcast that its bridge floods goes out by this port, unless it came in by it.
fn passes_on(place: &Place<'_>, port: &Link) -> bool {
    let flags = port.port.as_ref().is_some_and(|flags| {
        flags.state == PortState::Forwarding
            && flags.bcast_flood
            && !(flags.hairpin || flags.isolated || flags.neigh_suppress)
            && !(flags.proxy_arp || flags.proxy_arp_wifi)
    });
    let link = port.is_up() && port.is_running() && port.kind == LinkKind::Veth;
    let tc = port.tc.is_some() || !port.queues.is_empty();
    flags && link && !tc && carries(port) && place.tables.link(&port.name, Hook::Egress).is_empty()
}

/// An ARP message is not too large for it.
fn carries(link: &Link) -> bool {
    link.mtu >= crate::arp::ARP_LEN
}

/// `arp_rcv` of what comes in there: nothing but an own address is answered for, and nothing that
/// is not modelled is in the way.
fn says_nothing(net: &Indexed<'_>, there: &Place<'_>, end: LinkId) -> bool {
    let Some(link) = there.link(end.index) else { return false };
    let own = link.is_up()
        && carries(link)
        && link.xdp.is_none()
        && link.tc.is_none()
        && link.master.is_none();
    let conf = there.conf(end.index);
    let proxy = conf.proxy_arp || conf.proxy_arp_pvlan || there.proxied(end.index).next().is_some();
    let hooks = there.tables.hook(Family::Arp, Hook::Input).is_empty()
        && there.tables.link(&link.name, Hook::Ingress).is_empty();
    own && hooks
        && !proxy
        && !link.flags.contains(LinkFlags::NOARP)
        && there.ns.gaps.is_empty()
        && net.uppers(end).is_empty()
        && routes_plainly(there)
}

/// Of an address that is not its own, its tables never say that it is, nor that they do not know.
fn routes_plainly(there: &Place<'_>) -> bool {
    let plain = |route: &&model::Route| match route.kind {
        RouteKind::Local => {
            let ip = route.dst.addr();
            ip.is_loopback() || route.dst.prefix_len() == 32 && there.owner(ip).is_some()
        }
        RouteKind::Other(_) | RouteKind::Anycast => false,
        _ => route.nexthop_id.is_none() || !route.nexthops.is_empty(),
    };
    let all = there.merged().all().iter().chain(there.routes(TABLE_DEFAULT));
    there.default_rules && all.into_iter().all(plain)
}
