//! RTM_NEWLINK → [`Link`].

mod kind;
mod master;
mod member;
pub(super) mod port;
mod stacked;
mod tunnel;

pub(crate) use master::{
    BR_BOOLOPT_NO_LL_LEARN, IFLA_BR_FDB_MAX_LEARNED, IFLA_BR_MULTI_BOOLOPT, bond_option,
};

use model::{Inet6Conf, InetConf, Link, LinkFlags, LinkId, LinkKind, NsId, OperState, Relation};

use super::attr::{Attr, attrs_behind, find, u16_at, u32_at};
use super::message::Message;

pub(crate) const RTM_NEWLINK: u16 = 16;

/// Length of `struct ifinfomsg`.
pub(super) const IFINFOMSG: usize = 16;
const ARPHRD_ETHER: u16 = 1;
const ARPHRD_LOOPBACK: u16 = 772;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_QDISC: u16 = 6;
const IFLA_MASTER: u16 = 10;
const IFLA_TXQLEN: u16 = 13;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_GROUP: u16 = 27;
const IFLA_PROMISCUITY: u16 = 30;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_XDP: u16 = 43;
const IFLA_XDP_ATTACHED: u16 = 2;
const IFLA_XDP_PROG_ID: u16 = 4;
const IFLA_PROP_LIST: u16 = 52;
const IFLA_ALT_IFNAME: u16 = 53;

const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;

const IFLA_INET_CONF: u16 = 1;
const IFLA_INET6_CONF: u16 = 2;

/// A link as the kernel told of it, before what it is joined to is known: that takes the numbering
/// of the namespace that asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLink {
    /// All else. Its `relation` is [`Relation::None`] until [`RawLink::resolve`].
    pub link: Link,
    /// What IFLA_LINK and IFLA_LINK_NETNSID say.
    pub joined: Joined,
    /// IFLA_INFO_SLAVE_KIND: what its master made of it (`bridge`, `bond`, `vrf`).
    pub slave_kind: Option<String>,
}

/// What a link says of the link that it is joined to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// IFLA_LINK; for a vxlan IFLA_VXLAN_LINK, the only one of the two that can be trusted there.
    pub index: Option<u32>,
    /// IFLA_LINK_NETNSID, in the numbering of whoever asked; None: the same namespace.
    pub nsid: Option<i32>,
}

impl RawLink {
    /// The link, joined. `here` is its own namespace; `namespace` knows the asker's numbers.
    #[must_use]
    pub fn resolve(mut self, here: NsId, namespace: impl Fn(i32) -> Option<NsId>) -> Link {
        self.link.relation = self.relation(here, namespace);
        self.link
    }

    /// The other end of the cable that it is an end of.
    #[must_use]
    pub fn peer(&self, here: NsId, namespace: impl Fn(i32) -> Option<NsId>) -> Option<LinkId> {
        match self.relation(here, namespace) {
            Relation::Peer(peer) => Some(peer),
            _ => None,
        }
    }

    fn relation(&self, here: NsId, namespace: impl Fn(i32) -> Option<NsId>) -> Relation {
        let own = self.link.index;
        let ns = match self.joined.nsid {
            None => here,
            Some(nsid) => match namespace(nsid) {
                Some(ns) => ns,
                None => return Relation::Unresolved(nsid),
            },
        };
        let far = self.joined.nsid.is_some();
        match (self.joined.index.filter(|i| *i != 0), kind::join(&self.link.kind)) {
            // Some kernels leave IFLA_LINK out where both ends have the same ifindex.
            (None, kind::Join::Pair) if far => Relation::Peer(LinkId { ns, index: own }),
            (Some(index), kind::Join::Pair) if far || index != own => {
                Relation::Peer(LinkId { ns, index })
            }
            (None, kind::Join::Stack) if far => Relation::Lower(LinkId { ns, index: own }),
            (Some(index), kind::Join::Stack) if far || index != own => {
                Relation::Lower(LinkId { ns, index })
            }
            // A tunnel's own index there means: no device, only the namespace it came from.
            (Some(index), kind::Join::Tunnel) if index != own => {
                Relation::Lower(LinkId { ns, index })
            }
            (_, kind::Join::Tunnel) if far => Relation::Underlay(ns),
            _ => Relation::None,
        }
    }
}

/// The ifindex of the link that a message tells of; None: it is no RTM_NEWLINK, or cut short.
#[must_use]
pub fn link_index(message: &Message<'_>) -> Option<u32> {
    (message.kind == RTM_NEWLINK).then(|| u32_at(message.body, 4)).flatten()
}

/// The link that a message tells of; None: it is no RTM_NEWLINK, or cut short.
#[must_use]
pub fn link(message: &Message<'_>) -> Option<RawLink> {
    let body = message.body;
    if message.kind != RTM_NEWLINK || body.len() < IFINFOMSG {
        return None;
    }
    let device = u16_at(body, 2)?;
    let mut raw = RawLink {
        link: blank(u32_at(body, 4)?, u32_at(body, 8)?),
        joined: Joined::default(),
        slave_kind: None,
    };
    for attr in attrs_behind(body, IFINFOMSG) {
        take(&mut raw, attr, device);
    }
    let info = attrs_behind(body, IFINFOMSG).find(|a| a.kind == IFLA_LINKINFO);
    let info = info.map_or(&[][..], |a| a.value);
    let named = find(info, IFLA_INFO_KIND).map(Attr::text);
    let data = find(info, IFLA_INFO_DATA).map_or(&[][..], |a| a.value);
    raw.link.kind = match named {
        Some(name) => kind::decode(&name, data),
        None => kind::unnamed(device, raw.link.flags),
    };
    if let LinkKind::Vxlan(_) = raw.link.kind {
        raw.joined.index = tunnel::vxlan_link(data);
    }
    raw.slave_kind = find(info, IFLA_INFO_SLAVE_KIND).map(Attr::text);
    let data = find(info, IFLA_INFO_SLAVE_DATA);
    match raw.slave_kind.as_deref() {
        Some("bridge") => raw.link.port = data.map(|a| port::decode(a.value)),
        Some(other) => {
            raw.link.member = Some(member::decode(other, data.map_or(&[][..], |a| a.value)));
        }
        None => {}
    }
    Some(raw)
}

fn blank(index: u32, flags: u32) -> Link {
    let flags = LinkFlags::from_bits_retain(flags);
    Link { flags, ..Link::new(index, "", LinkKind::Physical) }
}

fn take(raw: &mut RawLink, attr: Attr<'_>, device: u16) {
    let link = &mut raw.link;
    match attr.kind {
        IFLA_ADDRESS if device == ARPHRD_ETHER => link.mac = attr.mac(),
        IFLA_IFNAME => link.name = attr.text(),
        IFLA_MTU => link.mtu = attr.u32().unwrap_or_default(),
        IFLA_PROMISCUITY => link.promiscuous = attr.u32().is_some_and(|n| n > 0),
        IFLA_LINK => raw.joined.index = attr.u32(),
        IFLA_LINK_NETNSID => raw.joined.nsid = attr.i32(),
        IFLA_QDISC => link.qdisc = attr.text(),
        IFLA_MASTER => link.master = attr.u32().filter(|m| *m != 0),
        IFLA_TXQLEN => link.txqlen = attr.u32().unwrap_or_default(),
        IFLA_GROUP => link.group = attr.u32(),
        IFLA_OPERSTATE => link.state = state(attr.u8().unwrap_or_default()),
        IFLA_IFALIAS => link.alias = Some(attr.text()),
        IFLA_PROP_LIST => {
            let names = attr.nested().filter(|a| a.kind == IFLA_ALT_IFNAME);
            link.altnames = names.map(Attr::text).collect();
        }
        IFLA_XDP => {
            let there = find(attr.value, IFLA_XDP_ATTACHED).is_some_and(Attr::flag);
            let number = find(attr.value, IFLA_XDP_PROG_ID).and_then(Attr::u32);
            link.xdp = there.then(|| number.unwrap_or_default());
        }
        IFLA_AF_SPEC => settings(link, attr),
        _ => {}
    }
}

/// IFLA_AF_SPEC: one attribute per address family, numbered AF_*.
fn settings(link: &mut Link, spec: Attr<'_>) {
    for family in spec.nested() {
        match family.kind {
            AF_INET => link.inet = find(family.value, IFLA_INET_CONF).map(|a| inet_conf(a.value)),
            AF_INET6 => {
                link.inet6 = find(family.value, IFLA_INET6_CONF).map(|a| inet6_conf(a.value));
            }
            _ => {}
        }
    }
}

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// IFLA_INET_CONF: IPV4_DEVCONF_n is the n-th number, counted from 1.
fn inet_conf(values: &[u8]) -> InetConf {
    let value = |n: usize| u32_at(values, (n - 1) * 4).unwrap_or_default();
    let small = |n| u8::try_from(value(n)).unwrap_or(u8::MAX);
    let flag = |n| value(n) != 0;
    InetConf {
        forwarding: flag(1),
        proxy_arp: flag(3),
        send_redirects: flag(6),
        shared_media: flag(7),
        drop_unicast_in_l2_multicast: flag(30),
        bc_forwarding: flag(32),
        rp_filter: small(8),
        arp_filter: flag(13),
        arp_announce: small(18),
        arp_ignore: small(19),
        accept_local: flag(23),
        src_valid_mark: flag(24),
        proxy_arp_pvlan: flag(25),
        route_localnet: flag(26),
        ignore_routes_with_linkdown: flag(29),
    }
}

/// IFLA_INET6_CONF: DEVCONF_n is the n-th number, counted from 0.
fn inet6_conf(values: &[u8]) -> Inet6Conf {
    let value = |n: usize| u32_at(values, n * 4).unwrap_or_default();
    let flag = |n| value(n) != 0;
    let small = |n| u8::try_from(value(n)).unwrap_or(u8::MAX);
    Inet6Conf {
        forwarding: flag(0),
        hop_limit: small(1),
        mtu: value(2),
        accept_ra: small(3),
        use_tempaddr: value(10).cast_signed(),
        proxy_ndp: flag(22),
        disable_ipv6: flag(26),
        use_optimistic: flag(34),
        use_oif_addrs_only: flag(37),
        ignore_routes_with_linkdown: flag(39),
        drop_unicast_in_l2_multicast: flag(40),
        ndisc_tclass: small(50),
        force_forwarding: flag(59),
    }
}

/// IF_OPER_*.
fn state(number: u8) -> OperState {
    match number {
        1 => OperState::NotPresent,
        2 => OperState::Down,
        3 => OperState::LowerLayerDown,
        4 => OperState::Testing,
        5 => OperState::Dormant,
        6 => OperState::Up,
        _ => OperState::Unknown,
    }
}
