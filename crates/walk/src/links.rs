//! Links of a namespace by their index, with what is asked of them at every step.

use std::net::IpAddr;
use std::ops::Deref;

use model::{FdbEntry, InetConf, Link, LinkId, LinkKind, Mac, Namespace, Opaque};

use crate::Indexed;
use crate::hash::Map;
use crate::indexed::Place;

/// Bytes of a link's name, as rules compare it: filled up with zeroes.
pub(crate) type LinkName = [u8; 16];

/// The name of no link.
pub(crate) const NOBODY: LinkName = [0; 16];

/// A link, with what is asked of it again and again.
#[derive(Debug)]
pub(crate) struct LinkIndex<'a> {
    pub(crate) link: &'a Link,
    pub(crate) id: LinkId,
    /// Position of its namespace among all.
    pub(crate) place: usize,
    pub(crate) name: LinkName,
    /// Its settings, joined with those of all.
    pub(crate) conf: InetConf,
    pub(crate) settled: Settled,
    /// Addresses of broadcasts that lead there.
    pub(crate) broadcasts: Vec<IpAddr>,
    /// What a bridge knows of addresses, by [`LinkIndex::seat`].
    stations: Map<u64, Station<'a>>,
}

impl<'a> LinkIndex<'a> {
    /// A VLAN (0: none) and an address as one number.
    #[inline]
    fn seat(vlan: u16, Mac([a, b, c, d, e, f]): Mac) -> u64 {
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0]) | u64::from(vlan) << 48
    }

    /// What a bridge knew of an address in a VLAN when it was read.
    #[inline]
    pub(crate) fn station(&self, vlan: u16, mac: Mac) -> Station<'a> {
        self.stations.get(&Self::seat(vlan, mac)).copied().unwrap_or_default()
    }

    /// The same, to be filled in.
    pub(crate) fn station_mut(&mut self, vlan: u16, mac: Mac) -> &mut Station<'a> {
        self.stations.entry(Self::seat(vlan, mac)).or_default()
    }
}

/// What a bridge knows of an Ethernet address.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Station<'a> {
    /// The bridge or one of its ports has it.
    pub(crate) own: bool,
    /// What the bridge's table said when it was read.
    pub(crate) entry: Option<&'a FdbEntry>,
}

impl Station<'_> {
    /// The bridge's own address, or that of one of its ports.
    pub(crate) fn is_own(&self) -> bool {
        self.own || self.entry.is_some_and(|entry| entry.local)
    }
}

/// A link as walks hand it on: eight bytes, by which all that is known of it is at hand.
pub(crate) type Spot<'a> = &'a LinkIndex<'a>;

impl Deref for LinkIndex<'_> {
    type Target = Link;

    fn deref(&self) -> &Link {
        self.link
    }
}

/// What is so of a link for every packet, whatever it is: found out once. What is not so of most
/// links is false.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "answers to questions of their own")]
pub(crate) struct Settled {
    /// It takes frames to send.
    pub(crate) sends: bool,
    /// The other end of its cable: position of the namespace, and the index there.
    pub(crate) peer: Option<(usize, u32)>,
    /// No filter and no chain is before or behind it.
    pub(crate) bare: bool,
    /// No link stands on it.
    pub(crate) alone: bool,
    /// A bridge without VLANs, of which nothing is unknown or not modelled.
    pub(crate) plain_bridge: bool,
    /// A bridge whose packets see the hooks of IPv4, and of IPv6.
    pub(crate) calls: (bool, bool),
}

impl Settled {
    /// What of a link is settled when all of the network is there.
    pub(crate) fn of(net: &Indexed<'_>, place: &Place<'_>, link: &Link) -> Self {
        let id = LinkId { ns: place.id, index: link.index };
        let known = place.ns.gaps.is_empty();
        Self {
            sends: net.cannot_send(link).is_none(),
            peer: link.peer().and_then(|peer| Some((net.position(peer.ns)?, peer.index))),
            bare: known && link.tc.is_none() && link.queues.is_empty() && !place.tables.has_links(),
            alone: net.uppers(id).is_empty(),
            plain_bridge: known && is_plain_bridge(place, link),
            calls: calls(place, link),
        }
    }
}

fn is_plain_bridge(place: &Place<'_>, link: &Link) -> bool {
    let LinkKind::Bridge(bridge) = &link.kind else { return false };
    !bridge.vlan_filtering && !place.ns.opaque.contains(&Opaque::LegacyEbtables)
}

/// Whether bridged packets see the IP hooks: the namespace's switch or the bridge's own.
fn calls(place: &Place<'_>, link: &Link) -> (bool, bool) {
    let LinkKind::Bridge(bridge) = &link.kind else { return (false, false) };
    let sysctls = &place.ns.sysctls;
    let on = |switch: Option<bool>, own| switch.is_some_and(|namespace| namespace || own);
    (
        on(sysctls.bridge_nf_call_iptables, bridge.nf_call_iptables),
        on(sysctls.bridge_nf_call_ip6tables, bridge.nf_call_ip6tables),
    )
}

/// All links of a namespace.
#[derive(Debug)]
pub(crate) struct Links<'a> {
    /// By their index; the first stands for the index 0.
    near: Vec<Option<LinkIndex<'a>>>,
    /// Those of indexes that are too large for that.
    far: Map<u32, LinkIndex<'a>>,
}

impl<'a> Links<'a> {
    /// Of the namespace at that position.
    pub(crate) fn new(ns: &'a Namespace, place: usize) -> Self {
        let (mut near, mut far) = (Vec::new(), Map::default());
        // Most are numbered from 1 on.
        let most = 64 + 8 * ns.links.len();
        for (index, link) in &ns.links {
            let (name, conf, settled) = (name(&link.name), conf(ns, link.inet), Settled::default());
            let id = LinkId { ns: ns.id, index: *index };
            let found = LinkIndex {
                link,
                id,
                place,
                name,
                conf,
                settled,
                stations: Map::default(),
                broadcasts: Vec::new(),
            };
            match usize::try_from(*index) {
                Ok(index) if index < most => {
                    near.resize_with(near.len().max(index + 1), || None);
                    near[index] = Some(found);
                }
                _ => _ = far.insert(*index, found),
            }
        }
        Self { near, far }
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&LinkIndex<'a>> {
        match self.near.get(usize::try_from(index).unwrap_or(usize::MAX)) {
            Some(Some(near)) => Some(near),
            _ => self.far_off(index),
        }
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut LinkIndex<'a>> {
        match self.near.get_mut(usize::try_from(index).unwrap_or(usize::MAX)) {
            Some(Some(near)) => Some(near),
            _ => self.far.get_mut(&index),
        }
    }

    /// Settles what is so of each.
    pub(crate) fn settle(&mut self, settled: &Map<u32, Settled>) {
        let near = self.near.iter_mut().flatten();
        for link in near.chain(self.far.values_mut()) {
            link.settled = settled.get(&link.link.index).copied().unwrap_or_default();
        }
    }

    #[cold]
    fn far_off(&self, index: u32) -> Option<&LinkIndex<'a>> {
        self.far.get(&index)
    }
}

/// A name as a register holds it.
pub(crate) fn name(text: &str) -> LinkName {
    let mut bytes = [0; 16];
    let text = text.as_bytes();
    let len = text.len().min(15);
    bytes[..len].copy_from_slice(&text[..len]);
    bytes
}

/// The settings of a link (None: it has none of its own), joined with those of all.
pub(crate) fn conf(ns: &Namespace, own: Option<InetConf>) -> InetConf {
    let all = &ns.sysctls.all;
    let forwarding = ns.sysctls.ip_forward;
    let own = own.unwrap_or(InetConf { forwarding, ..ns.sysctls.default });
    InetConf {
        forwarding: own.forwarding,
        rp_filter: own.rp_filter.max(all.rp_filter),
        accept_local: own.accept_local || all.accept_local,
        route_localnet: own.route_localnet || all.route_localnet,
        arp_ignore: own.arp_ignore.max(all.arp_ignore),
        arp_announce: own.arp_announce.max(all.arp_announce),
        arp_filter: own.arp_filter || all.arp_filter,
        proxy_arp: own.proxy_arp || all.proxy_arp,
        proxy_arp_pvlan: own.proxy_arp_pvlan || all.proxy_arp_pvlan,
        src_valid_mark: own.src_valid_mark || all.src_valid_mark,
        ignore_routes_with_linkdown: own.ignore_routes_with_linkdown
            || all.ignore_routes_with_linkdown,
        send_redirects: own.send_redirects || all.send_redirects,
        shared_media: own.shared_media || all.shared_media,
        drop_unicast_in_l2_multicast: own.drop_unicast_in_l2_multicast
            || all.drop_unicast_in_l2_multicast,
        bc_forwarding: own.bc_forwarding && all.bc_forwarding,
    }
}
