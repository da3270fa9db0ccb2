use std::net::IpAddr;

use ipnet::IpNet;

use crate::Scope;

/// Table `local`.
pub const TABLE_LOCAL: u32 = 255;
/// Table `main`.
pub const TABLE_MAIN: u32 = 254;
/// Table `default`.
pub const TABLE_DEFAULT: u32 = 253;

/// A route (RTM_GETROUTE).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Table number; 254 is main, 255 local.
    pub table: u32,
    /// Destination; `0.0.0.0/0` is default.
    pub dst: IpNet,
    /// What it does.
    pub kind: RouteKind,
    /// Who made it.
    pub protocol: Protocol,
    /// How far the destination is.
    pub scope: Scope,
    /// `src`: preferred source address.
    pub prefsrc: Option<IpAddr>,
    /// Metric; the lowest wins among equal prefixes.
    pub metric: u32,
    /// Type of service it is for; 0: any.
    pub tos: u8,
    /// One for an ordinary route, several for multipath, none for blackhole and the like.
    pub nexthops: Vec<Nexthop>,
    /// What it says of the packets that go by it.
    pub metrics: RouteMetrics,
    /// Uses a nexthop object (RTA_NH_ID).
    pub nexthop_id: Option<u32>,
    /// RTA_PREF of an IPv6 route: which of several with the same metric.
    pub preference: Preference,
}

/// RTAX_*: what a route says of the packets that go by it; None: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteMetrics {
    /// `mtu`, in bytes.
    pub mtu: Option<u32>,
    /// `mtu lock`: neither is a smaller one learned, nor are packets sent to find it out
    /// (`ip_dont_fragment`).
    pub mtu_locked: bool,
    /// `hoplimit`: what the namespace's own packets begin with (`ip4_dst_hoplimit`).
    pub hop_limit: Option<u8>,
    /// `advmss`: the largest segment that the namespace's own connections ask for, in bytes
    /// (`dst_metric_advmss`).
    pub advmss: Option<u32>,
}

/// ICMPV6_ROUTER_PREF_*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are `ip route`'s `pref`")]
pub enum Preference {
    Low,
    #[default]
    Medium,
    High,
}

/// One way out of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "the kernel's own RTNH_F_* flags")]
pub struct Nexthop {
    /// Gateway; None: the destination is on the link.
    pub gateway: Option<IpAddr>,
    /// ifindex of the link out.
    pub link: u32,
    /// Weight among several (1 = the least).
    pub weight: u16,
    /// `onlink`: the gateway is taken to be on the link whatever the addresses say.
    pub onlink: bool,
    /// RTNH_F_DEAD: its link is down.
    pub dead: bool,
    /// RTNH_F_LINKDOWN: its link has no carrier.
    pub linkdown: bool,
}

impl Nexthop {
    /// The only way out, by a link that is up, of what is on the link itself or behind a gateway.
    #[must_use]
    pub const fn new(link: u32, gateway: Option<IpAddr>) -> Self {
        Self { gateway, link, weight: 1, onlink: false, dead: false, linkdown: false }
    }
}

/// RTN_*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are `ip route`'s")]
pub enum RouteKind {
    #[default]
    Unicast,
    Local,
    Broadcast,
    Multicast,
    Anycast,
    Blackhole,
    Unreachable,
    Prohibit,
    Throw,
    Other(u8),
}

/// RTPROT_*: who made a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are `ip route`'s")]
pub enum Protocol {
    #[default]
    Unspec,
    Redirect,
    Kernel,
    Boot,
    Static,
    Dhcp,
    Ra,
    Other(u8),
}

impl From<u8> for Protocol {
    fn from(n: u8) -> Self {
        match n {
            0 => Self::Unspec,
            1 => Self::Redirect,
            2 => Self::Kernel,
            3 => Self::Boot,
            4 => Self::Static,
            9 => Self::Ra,
            16 => Self::Dhcp,
            n => Self::Other(n),
        }
    }
}

impl From<Protocol> for u8 {
    fn from(p: Protocol) -> Self {
        match p {
            Protocol::Unspec => 0,
            Protocol::Redirect => 1,
            Protocol::Kernel => 2,
            Protocol::Boot => 3,
            Protocol::Static => 4,
            Protocol::Ra => 9,
            Protocol::Dhcp => 16,
            Protocol::Other(n) => n,
        }
    }
}

/// A routing policy rule (RTM_GETRULE), in order of priority.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// For IPv6 packets; else for IPv4 packets.
    pub ipv6: bool,
    /// Lower is asked first.
    pub priority: u32,
    /// `from`; None: all.
    pub src: Option<IpNet>,
    /// `to`; None: all.
    pub dst: Option<IpNet>,
    /// Name of the link that the packet came in by (`lo`: made here).
    pub iif: Option<String>,
    /// Name of the link that the socket is bound to.
    pub oif: Option<String>,
    /// fwmark and its mask.
    pub mark: Option<(u32, u32)>,
    /// Type of service; 0: any.
    pub tos: u8,
    /// IP protocol.
    pub protocol: Option<u8>,
    /// Source ports, first and last.
    pub sport: Option<(u16, u16)>,
    /// Destination ports, first and last.
    pub dport: Option<(u16, u16)>,
    /// Bits of the ports that are compared; None: all.
    pub port_masks: (Option<u16>, Option<u16>),
    /// Differentiated services code point, all six bits; None: any.
    pub dscp: Option<u8>,
    /// Users whose sockets it is about, first and last, as this program's own namespace counts them.
    pub uids: Option<(u32, u32)>,
    /// Number of the tunnel that the packet was taken out of; None: any.
    pub tunnel: Option<u64>,
    /// `not`: matches where the rest does not.
    pub invert: bool,
    /// A match by less than this prefix length counts as none (`suppress_prefixlength` + 1).
    pub suppress_prefixlength: Option<u32>,
    /// A match by a link of this group counts as none.
    pub suppress_ifgroup: Option<u32>,
    /// Selectors that nothing here models (flow label), by name.
    pub unknown: Vec<String>,
    /// What it does.
    pub action: RuleAction,
}

/// FR_ACT_*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleAction {
    /// `lookup TABLE`.
    Table(u32),
    /// `lookup [l3mdev-table]`: the table of the VRF that the packet is in; of no other packet.
    Vrf,
    /// `goto PRIORITY`.
    Goto(u32),
    /// Does nothing.
    Nop,
    /// Dropped silently.
    Blackhole,
    /// ICMP net unreachable.
    Unreachable,
    /// ICMP packet filtered.
    Prohibit,
}

impl Default for RuleAction {
    fn default() -> Self {
        Self::Table(TABLE_MAIN)
    }
}

impl Rule {
    /// The three for IPv4 that every namespace starts with: local at 0, main at 32766, default at
    /// 32767.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        let asks = |(priority, table)| Self {
            priority,
            action: RuleAction::Table(table),
            ..Self::default()
        };
        [(0, TABLE_LOCAL), (32766, TABLE_MAIN), (32767, TABLE_DEFAULT)].map(asks).to_vec()
    }

    /// The two for IPv6: there is no table `default`.
    #[must_use]
    pub fn defaults_ipv6() -> Vec<Self> {
        let four = Self::defaults().into_iter().take(2);
        four.map(|rule| Self { ipv6: true, ..rule }).collect()
    }
}
