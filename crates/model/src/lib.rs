//! The network as data: hosts, namespaces, links, addresses, routes, neighbours, forwarding
//! tables and netfilter, as one [`Snapshot`]; and what should be there, as a list of [`Fact`]s.
//!
//! Nothing here does I/O, reads a clock or knows a wire format. Names are those of `ip` and `nft`.

#![forbid(unsafe_code)]

mod address;
mod address_label;
mod bond_option;
mod bridge_option;
mod bridge_table;
mod change;
mod conntrack;
mod container;
pub mod diff;
mod fact;
mod gap;
mod glob;
mod id;
mod ipset;
mod learned_route;
mod link;
mod listener;
mod name;
mod namespaces;
mod neighbour;
mod netfilter;
mod options;
mod owner;
mod port_option;
mod queue;
mod release;
mod route;
mod select;
mod snapshot;
mod sysctl;
mod tc;
mod wireguard_key;
mod xt;

pub use address::{Address, AddressFlags, Scope};
pub use address_label::{AddressLabel, AddressLabels};
pub use bond_option::{BondOption, BondOptions, BondSpec, BondValues};
pub use bridge_option::{BridgeOption, BridgeSpec};
pub use bridge_table::{BridgeVlan, Group, MdbEntry, RouterPort};
pub use change::Change;
pub use conntrack::{Conntrack, ConntrackStatus, Tuple};
pub use container::{Container, Engine, Network, Pod, Publish, Teller};
pub use diff::{Difference, diff};
pub use fact::{
    AddressSpec, BondRole, CableSpec, Fact, HopSpec, IdMap, LinkRef, LinkSpec, LinkSpecKind,
    NamespaceSpec, NicSpec, Pins, RouteSpec, ServiceSpec, VethEnd, Wanted,
};
pub use gap::{Gap, Opaque, Warning, plain};
pub use glob::glob;
pub use id::{HostId, LinkId, Mac, NsId, NsKey, ParseMacError};
pub use ipset::{IpSet, IpSetEntry, IpSetOptions, IpSetPart, IpSetType};
pub use learned_route::LearnedRoute;
pub use link::{
    Bond, BondMode, BondPort, Bridge, BridgePort, HashPolicy, Holder, Inet6Conf, InetConf, Ipvlan,
    IpvlanFlag, IpvlanMode, Link, LinkFlags, LinkKind, Macvlan, MacvlanMode, Member, MiiStatus,
    Netkit, NetkitPolicy, OperState, PortState, Relation, StpState, Tap, Tunnel, TunnelDf, Vlan,
    Vrf, Vxlan, VxlanSpec, Wireguard, WireguardPeer, WireguardPeerSpec, WireguardSecret,
    WireguardSpec,
};
pub use listener::Listener;
pub use name::{NameError, Target};
pub use namespaces::Namespaces;
pub use neighbour::{FdbEntry, Neighbour, NeighbourState, Remote};
pub use netfilter::{
    BaseChain, Chain, CmpOp, Compat, Csum, CtKey, Data, Expr, Exthdr, Family, FibResult, HashOf,
    Hook, LEGACY, MetaKey, NatKind, ObjectKind, PayloadBase, Policy, Reg, RtKey, Rule as NftRule,
    Ruleset, Set, SetElement, SetOp, SocketKey, Table, Verdict,
};
pub use options::Options;
pub use owner::{NsInode, Owner, UserNs};
pub use port_option::{PortOption, PortSpec};
pub use queue::Queue;
pub use release::Release;
pub use route::{
    Nexthop, Preference, Protocol, Route, RouteKind, RouteMetrics, Rule, RuleAction, TABLE_DEFAULT,
    TABLE_LOCAL, TABLE_MAIN,
};
pub use snapshot::{Found, Name, NameSource, Namespace, NsFile, Process, Snapshot};
pub use sysctl::{IcmpLimit, Room, Sysctls};
pub use tc::{
    Tc, TcAction, TcControl, TcDoing, TcFilter, TcFlowerKey, TcSelector, TcU32, TcU32Key,
};
pub use wireguard_key::{ParseKeyError, WireguardKey};
pub use xt::{
    AddrType, AddrTypes, Xt, XtAddrtype, XtConntrack, XtInfo, XtNatRange, XtRecent, XtSet,
    XtSetCounter, XtSetRef, XtSetTarget,
};
