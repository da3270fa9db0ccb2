//! Links: one struct for what every link has, one file per kind for what only that kind has.

mod bond;
mod bridge;
mod ipvlan;
mod macvlan;
mod member;
mod netkit;
mod tap;
mod tunnel;
mod vlan;
mod vrf;
mod vxlan;
mod wireguard;

pub use bond::{Bond, BondMode, BondPort, HashPolicy, MiiStatus};
pub use bridge::{Bridge, BridgePort, PortState, StpState};
pub use ipvlan::{Ipvlan, IpvlanFlag, IpvlanMode};
pub use macvlan::{Macvlan, MacvlanMode};
pub use member::Member;
pub use netkit::{Netkit, NetkitPolicy};
pub use tap::{Holder, Tap};
pub use tunnel::Tunnel;
pub use vlan::Vlan;
pub use vrf::Vrf;
pub use vxlan::{TunnelDf, Vxlan, VxlanSpec};
pub use wireguard::{Wireguard, WireguardPeer, WireguardPeerSpec, WireguardSecret, WireguardSpec};

use crate::{LinkId, Mac, NsId, Queue, Tc};

/// A network device as RTM_GETLINK tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// ifindex, unique in its namespace.
    pub index: u32,
    /// Name (at most 15 bytes; may hold any byte but `/` and white space: never print it raw).
    pub name: String,
    /// Further names (`ip link property add … altname`).
    pub altnames: Vec<String>,
    /// `ip link set … alias`.
    pub alias: Option<String>,
    /// Link-layer address, where it is Ethernet's.
    pub mac: Option<Mac>,
    /// Largest IP packet, in bytes.
    pub mtu: u32,
    /// IFF_*.
    pub flags: LinkFlags,
    /// Takes frames for any address: somebody asked for that (IFLA_PROMISCUITY), a link that stands
    /// on it or a capture, whether or not `flags` say so.
    pub promiscuous: bool,
    /// RFC 2863 state, as `state …` in `ip link`.
    pub state: OperState,
    /// IFLA_TXQLEN; `ip` prints no qlen for 0.
    pub txqlen: u32,
    /// The group that it is in (`ip link set … group`); 0 is the usual one. None: not told.
    pub group: Option<u32>,
    /// Root queueing discipline.
    pub qdisc: String,
    /// What it, and those that all packets pass behind it, do to packets, in order.
    pub queues: Vec<Queue>,
    /// ifindex of the link that this one is a port or slave of, in the same namespace.
    pub master: Option<u32>,
    /// Set where `master` is a bridge.
    pub port: Option<BridgePort>,
    /// Set where `master` is something else: a bond, a VRF, …
    pub member: Option<Member>,
    /// What it is, with what only its kind has.
    pub kind: LinkKind,
    /// What it stands on or is joined to (IFLA_LINK with IFLA_LINK_NETNSID, resolved).
    pub relation: Relation,
    /// Per-device IPv4 settings. None: the link has no IPv4 part (MTU under 68).
    pub inet: Option<InetConf>,
    /// Per-device IPv6 settings. None: not known, or the link has no IPv6 part (MTU under 1280).
    pub inet6: Option<Inet6Conf>,
    /// The number of the XDP program that is attached (IFLA_XDP); 0: it was not told.
    pub xdp: Option<u32>,
    /// What tc does at it, where it has a place for that (a clsact or ingress qdisc).
    pub tc: Option<Box<Tc>>,
}

impl Link {
    /// A link of which nothing is known but what it is called and of which kind it is.
    #[must_use]
    pub fn new(index: u32, name: &str, kind: LinkKind) -> Self {
        Self {
            index,
            name: name.to_owned(),
            altnames: Vec::new(),
            alias: None,
            mac: None,
            mtu: 0,
            flags: LinkFlags::empty(),
            promiscuous: false,
            state: OperState::Unknown,
            txqlen: 0,
            group: None,
            qdisc: String::new(),
            queues: Vec::new(),
            master: None,
            port: None,
            member: None,
            kind,
            relation: Relation::None,
            inet: None,
            inet6: None,
            xdp: None,
            tc: None,
        }
    }

    /// `net.ipv6.conf.DEV.disable_ipv6`, where known.
    #[must_use]
    pub fn ipv6_disabled(&self) -> Option<bool> {
        self.inet6.map(|conf| conf.disable_ipv6)
    }

    /// Administratively up (IFF_UP).
    #[must_use]
    pub const fn is_up(&self) -> bool {
        self.flags.contains(LinkFlags::UP)
    }

    /// Up and with carrier (IFF_LOWER_UP): what a driver needs to send and receive.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.flags.contains(LinkFlags::UP) && self.flags.contains(LinkFlags::LOWER_UP)
    }

    /// The other end of a veth (or netkit) pair, if it is known.
    #[must_use]
    pub const fn peer(&self) -> Option<LinkId> {
        match self.relation {
            Relation::Peer(id) => Some(id),
            _ => None,
        }
    }

    /// Whether frames that leave here leave what this kernel knows: a card, or a tap whose other
    /// side is a process.
    #[must_use]
    pub const fn is_border(&self) -> bool {
        matches!(self.kind, LinkKind::Physical | LinkKind::Tap(_))
    }

    /// What only a WireGuard link has, where it was read.
    #[must_use]
    pub fn wireguard(&self) -> Option<&Wireguard> {
        match &self.kind {
            LinkKind::Wireguard(wireguard) => wireguard.as_deref(),
            _ => None,
        }
    }

    /// The process that holds a tun or tap open, where it was found.
    #[must_use]
    pub const fn holder(&self) -> Option<&Holder> {
        match &self.kind {
            LinkKind::Tap(tap) => tap.holder.as_ref(),
            _ => None,
        }
    }
}

bitflags::bitflags! {
    /// IFF_* of netdevice(7).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct LinkFlags: u32 {
        /// Administratively up.
        const UP = 1;
        /// Valid broadcast address.
        const BROADCAST = 1 << 1;
        /// Loopback.
        const LOOPBACK = 1 << 3;
        /// Point to point.
        const POINTOPOINT = 1 << 4;
        /// Operational (IF_OPER_UP or unknown).
        const RUNNING = 1 << 6;
        /// No ARP.
        const NOARP = 1 << 7;
        /// Promiscuous by IFF_PROMISC (a count of users is not told).
        const PROMISC = 1 << 8;
        /// All multicast.
        const ALLMULTI = 1 << 9;
        /// Multicast.
        const MULTICAST = 1 << 12;
        /// Carrier.
        const LOWER_UP = 1 << 16;
        /// Dormant.
        const DORMANT = 1 << 17;
        /// Bits without a name here are kept.
        const _ = !0;
    }
}

/// RFC 2863 operational state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the meaning")]
pub enum OperState {
    #[default]
    Unknown,
    NotPresent,
    Down,
    LowerLayerDown,
    Testing,
    Dormant,
    Up,
}

impl OperState {
    /// As `ip link` prints it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::NotPresent => "NOTPRESENT",
            Self::Down => "DOWN",
            Self::LowerLayerDown => "LOWERLAYERDOWN",
            Self::Testing => "TESTING",
            Self::Dormant => "DORMANT",
            Self::Up => "UP",
        }
    }
}

/// What a link is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// `lo`.
    Loopback,
    /// Ethernet with no IFLA_INFO_KIND: a driver's own device.
    Physical,
    /// One end of a virtual cable; the other is in [`Link::relation`].
    Veth,
    /// A bridge.
    Bridge(Bridge),
    /// tun or tap.
    Tap(Tap),
    /// Macvlan or macvtap; its lower link is in [`Link::relation`].
    Macvlan(Macvlan),
    /// Ipvlan or ipvtap; its lower link is in [`Link::relation`].
    Ipvlan(Ipvlan),
    /// VLAN; its lower link is in [`Link::relation`].
    Vlan(Vlan),
    /// VXLAN.
    Vxlan(Vxlan),
    /// gre and its kin, ipip, sit, vti, geneve.
    Tunnel(Tunnel),
    /// Bond.
    Bond(Bond),
    /// VRF.
    Vrf(Vrf),
    /// One end of a netkit pair; the other is in [`Link::relation`].
    Netkit(Netkit),
    /// WireGuard; None: what it has of its own was not read.
    Wireguard(Option<Box<Wireguard>>),
    /// A kind of which nothing is known but the kernel's name for it (`dummy`, `xfrm`, …).
    Other(String),
}

/// Kinds without a type here that stand on a link.
const STACKED: [&str; 6] = ["macsec", "hsr", "rmnet", "virt_wifi", "ipoib", "dsa"];

impl LinkKind {
    /// Of a VRF: its table.
    #[must_use]
    pub const fn vrf_table(&self) -> Option<u32> {
        match self {
            Self::Vrf(vrf) => Some(vrf.table),
            _ => None,
        }
    }

    /// The kernel's name for it, as in `ip -d link`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Loopback => "loopback",
            Self::Physical => "physical",
            Self::Veth => "veth",
            Self::Bridge(_) => "bridge",
            Self::Tap(t) if t.layer3 => "tun",
            Self::Tap(_) => "tap",
            Self::Macvlan(m) if m.tap => "macvtap",
            Self::Macvlan(_) => "macvlan",
            Self::Ipvlan(i) if i.tap => "ipvtap",
            Self::Ipvlan(_) => "ipvlan",
            Self::Vlan(_) => "vlan",
            Self::Vxlan(_) => "vxlan",
            Self::Tunnel(tunnel) => &tunnel.kind,
            Self::Bond(_) => "bond",
            Self::Vrf(_) => "vrf",
            Self::Netkit(_) => "netkit",
            Self::Wireguard(_) => "wireguard",
            Self::Other(name) => name,
        }
    }

    /// Stands on one link, does not exist without it, and sends through it: what IFLA_LINK of
    /// such a kind names. A tunnel does not: its outer packets are routed.
    #[must_use]
    pub fn is_stacked(&self) -> bool {
        match self {
            Self::Macvlan(_) | Self::Ipvlan(_) | Self::Vlan(_) => true,
            Self::Other(name) => STACKED.contains(&name.as_str()),
            _ => false,
        }
    }

    /// One end of a cable within the kernel.
    #[must_use]
    pub fn is_paired(&self) -> bool {
        match self {
            Self::Veth | Self::Netkit(_) => true,
            Self::Other(name) => name == "vxcan",
            _ => false,
        }
    }
}

/// What a link is joined to, in whichever namespace that is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relation {
    /// Nothing.
    #[default]
    None,
    /// The other end of a pair.
    Peer(LinkId),
    /// The link that this one stands on (macvlan, ipvlan, vlan, a tunnel's underlay device).
    Lower(LinkId),
    /// A vxlan without a device: the namespace that its outer packets are routed in.
    Underlay(NsId),
    /// There is one, in a namespace that could not be resolved (its nsid, in the reader's numbering).
    Unresolved(i32),
}

/// Per-device `net.ipv4.conf.DEV.*` (IFLA_INET_CONF). Values as in the kernel's ip-sysctl.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the sysctl of that name")]
#[allow(clippy::struct_excessive_bools, reason = "the kernel's own switches")]
pub struct InetConf {
    pub forwarding: bool,
    pub rp_filter: u8,
    pub accept_local: bool,
    pub route_localnet: bool,
    pub arp_ignore: u8,
    pub arp_announce: u8,
    pub arp_filter: bool,
    pub proxy_arp: bool,
    pub proxy_arp_pvlan: bool,
    pub src_valid_mark: bool,
    pub ignore_routes_with_linkdown: bool,
    pub send_redirects: bool,
    pub shared_media: bool,
    pub drop_unicast_in_l2_multicast: bool,
    pub bc_forwarding: bool,
}

/// Per-device `net.ipv6.conf.DEV.*` (IFLA_INET6_CONF). Values as in the kernel's ip-sysctl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the sysctl of that name")]
#[allow(clippy::struct_excessive_bools, reason = "the kernel's own switches")]
pub struct Inet6Conf {
    pub disable_ipv6: bool,
    pub forwarding: bool,
    /// Newer kernels only: forwards what comes by this link whatever `all.forwarding` says.
    pub force_forwarding: bool,
    pub hop_limit: u8,
    /// `mtu`: the smaller of this and the link's own counts.
    pub mtu: u32,
    /// 2: heeds routers although it forwards.
    pub accept_ra: u8,
    pub proxy_ndp: bool,
    pub use_tempaddr: i32,
    pub use_optimistic: bool,
    pub use_oif_addrs_only: bool,
    pub ignore_routes_with_linkdown: bool,
    pub drop_unicast_in_l2_multicast: bool,
    pub ndisc_tclass: u8,
}

impl Default for Inet6Conf {
    fn default() -> Self {
        Self {
            disable_ipv6: false,
            forwarding: false,
            force_forwarding: false,
            hop_limit: 64,
            mtu: u32::MAX,
            accept_ra: 1,
            proxy_ndp: false,
            use_tempaddr: 0,
            use_optimistic: false,
            use_oif_addrs_only: false,
            ignore_routes_with_linkdown: false,
            drop_unicast_in_l2_multicast: false,
            ndisc_tclass: 0,
        }
    }
}
