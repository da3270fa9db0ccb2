//! Links of a namespace by their index, with what is asked of them at every step.

use model::{InetConf, Link, Namespace};

use crate::hash::Map;

/// Bytes of a link's name, as rules compare it: filled up with zeroes.
pub(crate) type LinkName = [u8; 16];

/// A link, with what is asked of it again and again.
#[derive(Debug)]
pub(crate) struct LinkIndex<'a> {
    pub(crate) link: &'a Link,
    pub(crate) name: LinkName,
    /// Its settings, joined with those of all.
    pub(crate) conf: InetConf,
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
    pub(crate) fn new(ns: &'a Namespace) -> Self {
        let (mut near, mut far) = (Vec::new(), Map::default());
        // Most are numbered from 1 on.
        let most = 64 + 8 * ns.links.len();
        for (index, link) in &ns.links {
            let found = LinkIndex { link, name: name(&link.name), conf: conf(ns, link.inet) };
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
