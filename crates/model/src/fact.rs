//! What should be there: an ordered list of facts, each of which is so or not.
//!
//! Order is meaning: real systems make things in an order, and ifindexes, nsids, learned addresses
//! and the kernel's own routes follow from it. A plan makes the facts that are not yet so, in this
//! order.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv6Net};

use crate::{
    BondSpec, BridgeSpec, IpSet, Ipvlan, Mac, MacvlanMode, PortSpec, PortState, Protocol, Queue,
    RouteKind, RouteMetrics, Rule, Scope, Table, Tc, Vlan, Vrf, VxlanSpec, WireguardSpec,
};

/// A whole network that should be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Name of the lab.
    pub name: String,
    /// What should be so, in the order in which it is to be made.
    pub facts: Vec<Fact>,
}

/// One thing that is so or is not. Namespaces are named as the lab names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A container: its own network, PID, mount and UTS namespaces.
    Namespace(NamespaceSpec),
    /// `ns` knows `target` by this nsid.
    Nsid {
        /// Whose table.
        ns: String,
        /// The number.
        nsid: u32,
        /// Whom it stands for.
        target: String,
    },
    /// The network namespace of `target` is mounted on a file in `ns`' mount namespace.
    NsFile {
        /// Whose mount namespace.
        ns: String,
        /// Absolute path.
        path: String,
        /// Whose network namespace.
        target: String,
    },
    /// A link exists. A veth is one fact for both ends.
    Link(LinkSpec),
    /// One or two network cards, and the cable between them.
    Cable(CableSpec),
    /// A link is a port of a bridge or a bond, or a member of a VRF (or of nothing).
    Master {
        /// The port.
        link: LinkRef,
        /// The bridge; None: no port.
        bridge: Option<String>,
        /// What is set on the port, where it is said.
        port: PortSpec,
    },
    /// Another port of the same bridge stands in for a port that has no carrier.
    Backup {
        /// The port.
        link: LinkRef,
        /// The one that stands in.
        port: String,
    },
    /// A port has that state of the spanning tree, which goes with its carrier.
    PortState {
        /// The port.
        link: LinkRef,
        /// Its state.
        state: PortState,
    },
    /// A bond prefers one of its ports, or has it in use.
    BondPort {
        /// The bond.
        bond: LinkRef,
        /// Which of the two.
        role: BondRole,
        /// The port.
        port: String,
    },
    /// A link is administratively up or down.
    Up {
        /// Which.
        link: LinkRef,
        /// Up.
        up: bool,
    },
    /// A link has an MTU (where it is set apart from its making).
    Mtu {
        /// Which.
        link: LinkRef,
        /// Bytes.
        mtu: u32,
    },
    /// A link has an address.
    Address(AddressSpec),
    /// A route exists.
    Route(RouteSpec),
    /// A routing rule for IPv4 exists; what it is known by is its priority.
    Rule {
        /// In which namespace.
        ns: String,
        /// The rule.
        rule: Rule,
    },
    /// A neighbour is known: permanent with `mac`, else resolved by asking it.
    Neighbour {
        /// Where, by which link.
        link: LinkRef,
        /// Whom.
        ip: IpAddr,
        /// Its address; None: it is to be asked for.
        mac: Option<Mac>,
    },
    /// A namespace answers for somebody else on a link.
    Proxy {
        /// On which link.
        link: LinkRef,
        /// For whom.
        ip: IpAddr,
    },
    /// An address is behind a port, for good: an entry of its bridge's table.
    Fdb {
        /// The port.
        link: LinkRef,
        /// The address.
        mac: Mac,
    },
    /// A port of a bridge, or the bridge itself, is in a VLAN.
    Vlan {
        /// The port, or the bridge.
        link: LinkRef,
        /// Which VLAN.
        id: u16,
        /// Frames that come in there without a tag belong to it.
        pvid: bool,
        /// Its frames go out there without a tag.
        untagged: bool,
    },
    /// Addresses of IPv6 have a label, by which a source is chosen.
    AddressLabel {
        /// In which namespace.
        ns: String,
        /// Which addresses.
        net: Ipv6Net,
        /// On which link alone.
        dev: Option<String>,
        /// Their label.
        label: u32,
    },
    /// A group is wanted behind a port, for good, or by the bridge's own host: an entry of its
    /// bridge's MDB.
    Mdb {
        /// The port, or the bridge.
        link: LinkRef,
        /// The group.
        group: IpAddr,
    },
    /// tc has a place for filters at a link, and these filters there.
    Tc {
        /// The link.
        link: LinkRef,
        /// The filters; other links of the namespace by name.
        tc: Box<Tc<String>>,
    },
    /// What stands behind a link does this to packets.
    Queue {
        /// The link.
        link: LinkRef,
        /// It throws all away, or what is too large for it.
        queue: Queue,
    },
    /// A sysctl has a value.
    Sysctl {
        /// In which namespace.
        ns: String,
        /// Path below /proc/sys with slashes (`net/ipv4/ip_forward`): link names may hold dots.
        key: String,
        /// Its value.
        value: String,
    },
    /// A set of ipset is exactly this one.
    IpSet {
        /// In which namespace.
        ns: String,
        /// Which, whole.
        set: Box<IpSet>,
    },
    /// An nftables table is exactly this one.
    Table {
        /// In which namespace.
        ns: String,
        /// Which, whole.
        table: Table,
    },
    /// A process answers in a namespace.
    Service {
        /// In which namespace.
        ns: String,
        /// What it answers.
        spec: ServiceSpec,
    },
}

/// What a port is to its bond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BondRole {
    /// The one that it prefers.
    Primary,
    /// The one in use.
    Active,
}

/// A link, by namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkRef {
    /// Namespace, by the lab's name for it.
    pub ns: String,
    /// Link name.
    pub name: String,
}

impl LinkRef {
    /// `ns:name`.
    #[must_use]
    pub fn new(ns: impl Into<String>, name: impl Into<String>) -> Self {
        Self { ns: ns.into(), name: name.into() }
    }
}

impl std::fmt::Display for LinkRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.ns, self.name)
    }
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceSpec {
    /// Its name, and its host name.
    pub name: String,
    /// The one it is inside of; None: directly on this host.
    pub inside: Option<String>,
    /// Its own user namespace; None: its parent's.
    pub user: Option<IdMap>,
}

/// Which ids of the parent a user namespace maps its own 0… onto.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdMap {
    /// First id outside (Proxmox: 100000).
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// What about a link can be fixed for an exact reproduction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    /// ifindex.
    pub index: Option<u32>,
    /// Ethernet address. None only where the kernel or the real system would choose, and it is
    /// not to be compared.
    pub mac: Option<Mac>,
    /// MTU at birth.
    pub mtu: Option<u32>,
    /// Transmit queue length.
    pub txqlen: Option<u32>,
    /// Group of links that it is in.
    pub group: Option<u32>,
    /// Alternative names.
    pub altnames: Vec<String>,
}

/// A link to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSpec {
    /// Where, and its name.
    pub link: LinkRef,
    /// What.
    pub kind: LinkSpecKind,
    /// What is fixed.
    pub pins: Pins,
}

/// What kind of link to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkSpecKind {
    /// A pair; this is the other end.
    Veth(VethEnd),
    /// A bridge.
    Bridge(BridgeSpec),
    /// A tap that stays without a process.
    Tap,
    /// A macvlan on a link that may be in another namespace.
    Macvlan {
        /// The link below.
        lower: LinkRef,
        /// Mode.
        mode: MacvlanMode,
        /// Mode source: whose frames it takes.
        sources: Vec<Mac>,
    },
    /// A VXLAN.
    Vxlan(VxlanSpec),
    /// A WireGuard link.
    Wireguard(WireguardSpec),
    /// A VLAN link on a link that may be in another namespace.
    Vlan {
        /// The link below.
        lower: LinkRef,
        /// Its tag.
        vlan: Vlan,
    },
    /// An ipvlan on a link that may be in another namespace.
    Ipvlan {
        /// The link below.
        lower: LinkRef,
        /// Mode and flag.
        ipvlan: Ipvlan,
    },
    /// A bond.
    Bond(BondSpec),
    /// A VRF.
    Vrf(Vrf),
    /// A link that throws away all that it is given.
    Dummy,
    /// A link that gives back what filters of tc hand to it.
    Ifb,
}

/// The far end of a veth pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VethEnd {
    /// Where it ends up, and its name there.
    pub link: LinkRef,
    /// What is fixed.
    pub pins: Pins,
    /// Made under this name beside the first end, then moved and renamed, as Docker before 28
    /// does: it then keeps the ifindex that it got there, if that is free.
    pub born_as: Option<String>,
}

/// One card, or two with a cable between them. The kernel shows each as a plain interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CableSpec {
    /// The card; its namespace also runs the process that is the cable.
    pub a: NicSpec,
    /// The card at the other end; None: nothing is plugged in.
    pub b: Option<NicSpec>,
}

/// A card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NicSpec {
    /// Where, and its name.
    pub link: LinkRef,
    /// What is fixed.
    pub pins: Pins,
}

/// An address to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressSpec {
    /// To which link.
    pub link: LinkRef,
    /// Address and prefix length, host bits kept.
    pub net: IpNet,
    /// Broadcast address, if it is to be set.
    pub broadcast: Option<Ipv4Addr>,
    /// Scope.
    pub scope: Scope,
    /// IFA_F_NOPREFIXROUTE: the kernel makes no route for its subnet.
    pub no_prefix_route: bool,
}

/// A route to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    /// In which namespace.
    pub ns: String,
    /// Destination.
    pub dst: IpNet,
    /// Gateway.
    pub via: Option<IpAddr>,
    /// Link out; None only for blackhole and kin.
    pub dev: Option<String>,
    /// `src`.
    pub src: Option<IpAddr>,
    /// Metric; 0: none.
    pub metric: u32,
    /// Table.
    pub table: u32,
    /// Who is to be said to have made it.
    pub protocol: Protocol,
    /// Scope.
    pub scope: Scope,
    /// `onlink`.
    pub onlink: bool,
    /// Type.
    pub kind: RouteKind,
    /// Type of service that it is for; 0: any.
    pub tos: u8,
    /// `mtu` and the like.
    pub metrics: RouteMetrics,
    /// Weight of `via` and `dev` among several ways out.
    pub weight: u16,
    /// The other ways out of a multipath route.
    pub more: Vec<HopSpec>,
}

/// A further way out of a multipath route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HopSpec {
    /// Gateway.
    pub via: Option<IpAddr>,
    /// Link out; None only until it is found by the gateway.
    pub dev: Option<String>,
    /// Weight among the others (1 = the least).
    pub weight: u16,
}

/// What a lab's answering process answers, on every address of its namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceSpec {
    /// TCP ports that accept, answer one line, and close.
    pub tcp: Vec<u16>,
    /// UDP ports that send back what comes.
    pub udp_echo: Vec<u16>,
}
