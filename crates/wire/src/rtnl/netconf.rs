//! RTM_NEWNETCONF: settings of a whole namespace that need no file to be read.

use super::attr::{Attr, attrs_behind};
use super::message::Message;

const RTM_NEWNETCONF: u16 = 80;
/// What asks for it. A get, not a dump.
pub const RTM_GETNETCONF: u16 = 82;
/// Length of `struct netconfmsg`, aligned.
const NETCONFMSG: usize = 4;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

const NETCONFA_IFINDEX: u16 = 1;
const NETCONFA_FORWARDING: u16 = 2;
const NETCONFA_RP_FILTER: u16 = 3;
const NETCONFA_PROXY_NEIGH: u16 = 5;
const NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN: u16 = 6;

/// Which settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfOf {
    /// `net.ipv4.conf.all`.
    All,
    /// `net.ipv4.conf.default`.
    Default,
    /// `net.ipv6.conf.all`.
    AllIpv6,
}

/// Those settings that netlink tells; the rest is in /proc/sys/net only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetConf {
    /// `forwarding`.
    pub forwarding: bool,
    /// `rp_filter`.
    pub rp_filter: u8,
    /// `proxy_arp`; of IPv6 `proxy_ndp`.
    pub proxy_arp: bool,
    /// `ignore_routes_with_linkdown`.
    pub ignore_routes_with_linkdown: bool,
}

/// Body of an [`RTM_GETNETCONF`].
#[must_use]
pub fn get_netconf(of: ConfOf) -> Vec<u8> {
    let (family, index) = match of {
        ConfOf::All => (AF_INET, -1i32),
        ConfOf::Default => (AF_INET, -2),
        ConfOf::AllIpv6 => (AF_INET6, -1),
    };
    let mut body = vec![family, 0, 0, 0, 8, 0];
    body.extend(NETCONFA_IFINDEX.to_ne_bytes());
    body.extend(index.to_ne_bytes());
    body
}

/// The settings that a message tells of; None: it is no RTM_NEWNETCONF.
#[must_use]
pub fn netconf(message: &Message<'_>) -> Option<NetConf> {
    if message.kind != RTM_NEWNETCONF {
        return None;
    }
    let number = |kind| {
        let attr = attrs_behind(message.body, NETCONFMSG).find(|a| a.kind == kind);
        attr.and_then(Attr::u32).unwrap_or_default()
    };
    Some(NetConf {
        forwarding: number(NETCONFA_FORWARDING) != 0,
        rp_filter: u8::try_from(number(NETCONFA_RP_FILTER)).unwrap_or(u8::MAX),
        proxy_arp: number(NETCONFA_PROXY_NEIGH) != 0,
        ignore_routes_with_linkdown: number(NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN) != 0,
    })
}
