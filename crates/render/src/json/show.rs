use std::net::IpAddr;

use model::{
    FdbEntry, IpSet, Link, LinkId, LinkKind, Namespace, Neighbour, Policy, Relation, Route,
    Snapshot, Target,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::bridge_table::{MdbView, VlanView};
use super::container::{ListenerView, listener};
use super::info::{InfoView, MemberView};
use super::namespace::{NamespaceView, WarningView, namespace, warning};
use super::refs::Refs;
use crate::{rule_text, words};

/// What `show` tells: of a namespace, or of one of its links (then `links` has only that one, and
/// the rest what concerns it).
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ShowView {
    /// Where this is from, if not from this host as it is now: a bundle, or pasted outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The namespace.
    pub namespace: NamespaceView,
    /// Its links.
    pub links: Vec<LinkView>,
    /// Routes of all tables.
    pub routes: Vec<RouteView>,
    /// Routing rules as `ip rule` prints them.
    pub rules: Vec<String>,
    /// Those of IPv6, where they are not the two of every namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules_ipv6: Vec<String>,
    /// Neighbour entries.
    pub neighbours: Vec<NeighbourView>,
    /// Forwarding database of its bridges.
    pub fdb: Vec<FdbView>,
    /// VLANs of its bridges and their ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vlans: Vec<VlanView>,
    /// Multicast databases of its bridges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mdb: Vec<MdbView>,
    /// Chains of the ruleset.
    pub chains: Vec<ChainView>,
    /// Sets of ipset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ipsets: Vec<IpSetView>,
    /// Sockets that wait.
    pub listeners: Vec<ListenerView>,
    /// Settings that decide where packets go.
    pub sysctls: Vec<String>,
    /// What changes packets' ways and is not modelled.
    pub opaque: Vec<String>,
    /// What could not be read.
    pub gaps: Vec<GapView>,
    /// What went wrong while reading it.
    pub warnings: Vec<WarningView>,
}

/// A link.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LinkView {
    /// `NAMESPACE:LINK`, as every command takes it.
    pub id: String,
    /// Id of its namespace.
    pub namespace: String,
    /// ifindex.
    pub index: u32,
    /// Name.
    pub name: String,
    /// Further names.
    pub altnames: Vec<String>,
    /// Kind, as `ip -d link` calls it.
    pub kind: String,
    /// What only links of its kind have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<InfoView>,
    /// Administratively up.
    pub up: bool,
    /// Has carrier.
    pub carrier: bool,
    /// `down`, `no carrier` and the like; absent if it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Ethernet address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// MTU in bytes.
    pub mtu: u32,
    /// Name of the bridge or other master.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master: Option<String>,
    /// The same as `NAMESPACE:LINK`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_id: Option<String>,
    /// Its ports or members, as `NAMESPACE:LINK`.
    pub ports: Vec<String>,
    /// What stands on it, as `NAMESPACE:LINK`.
    pub uppers: Vec<String>,
    /// What a bond or VRF made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberView>,
    /// The other end of a pair, as `NAMESPACE:LINK`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The link that it stands on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower: Option<String>,
    /// The namespace that its outer packets are routed in, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub underlay: Option<String>,
    /// Leads out of what this kernel knows.
    pub border: bool,
    /// The process that holds a tun or tap open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<HolderView>,
    /// What a bridge is for, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What its queueing discipline does to packets beside keeping them; none where it does nothing else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<String>,
    /// What tc does at it, in tc's words, a filter each behind the side of the link; absent without a place
    /// for filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tc: Option<Vec<String>>,
    /// Addresses with prefix length.
    pub addresses: Vec<String>,
}

/// A process that holds a tun or tap.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HolderView {
    /// PID as the reader sees it.
    pub pid: u32,
    /// Its name, which it chooses itself.
    pub comm: String,
}

impl HolderView {
    pub(crate) fn of(link: &Link) -> Option<Self> {
        link.holder().map(|h| Self { pid: h.pid, comm: h.comm.clone() })
    }
}

/// A route.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RouteView {
    /// Table.
    pub table: u32,
    /// Destination.
    pub dst: String,
    /// Gateways, of one or several ways.
    pub gateways: Vec<IpAddr>,
    /// Links out, in the same order (where a way has no gateway, only here).
    pub devs: Vec<String>,
    /// As `ip route` prints it.
    pub text: String,
}

/// A set of ipset.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct IpSetView {
    /// Its name.
    pub name: String,
    /// Its type: `hash:net,port`.
    pub kind: String,
    /// Its number, by which rules name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u16>,
    /// What it was made with beside, in the words of `ipset create`.
    pub options: String,
    /// What is in it, in the words of `ipset add`.
    pub entries: Vec<String>,
}

/// A neighbour entry.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NeighbourView {
    /// Whom it is about.
    pub ip: IpAddr,
    /// On which link.
    pub dev: String,
    /// Its Ethernet address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// As `ip neighbour` prints it.
    pub state: String,
}

/// An entry of a forwarding database.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FdbView {
    /// Bridge; absent for a device's own entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bridge: Option<String>,
    /// Behind which port.
    pub dev: String,
    /// Whose.
    pub mac: String,
    /// VLAN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// `learned`, `static`, `its own address`.
    pub origin: String,
}

/// A chain.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ChainView {
    /// Family of its table.
    pub family: String,
    /// Its table.
    pub table: String,
    /// Its name.
    pub chain: String,
    /// Hook, for base chains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    /// Priority, for base chains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// `accept` or `drop`, for base chains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Its rules, in the syntax of the tool that wrote them.
    pub rules: Vec<String>,
}

/// A part that could not be read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GapView {
    /// Which.
    pub part: String,
    /// Why.
    pub cause: String,
    /// What is taken for it, by whatever says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumed: Option<String>,
}

/// All facts of a namespace or a link; None if it is not in the Snapshot.
#[must_use]
pub fn show(snapshot: &Snapshot, target: Target) -> Option<ShowView> {
    let (id, only) = match target {
        Target::Namespace(id) => (id, None),
        Target::Link(l) => (l.ns, Some(snapshot.link(l)?.index)),
    };
    let ns = snapshot.namespaces.get(&id)?;
    let refs = Refs::of(snapshot);
    let on = |index: u32| only.is_none_or(|o| o == index);
    Some(ShowView {
        origin: snapshot.origin.clone(),
        namespace: namespace(snapshot, &refs, ns, None),
        links: ns
            .links
            .values()
            .filter(|l| on(l.index))
            .map(|l| link(snapshot, &refs, ns, l))
            .collect(),
        routes: ns
            .routes
            .iter()
            .filter(|r| only.is_none() || r.nexthops.iter().any(|h| on(h.link)))
            .map(|r| route(ns, r))
            .collect(),
        rules: if only.is_none() { crate::show::rules(ns, false) } else { Vec::new() },
        rules_ipv6: if only.is_none() { crate::show::rules(ns, true) } else { Vec::new() },
        neighbours: ns.neighbours.iter().filter(|n| on(n.link)).map(|n| neighbour(ns, n)).collect(),
        fdb: ns
            .fdb
            .iter()
            .filter(|e| !e.own && (on(e.link) || e.master.is_some_and(on)))
            .map(|e| fdb(ns, e))
            .collect(),
        vlans: super::bridge_table::vlans(ns, on),
        mdb: super::bridge_table::mdb(ns, on),
        chains: if only.is_none() { chains(ns) } else { Vec::new() },
        ipsets: if only.is_none() { ipsets(ns) } else { Vec::new() },
        listeners: ns.listeners.iter().filter(|_| only.is_none()).map(listener).collect(),
        sysctls: crate::show::sysctls(ns, only),
        opaque: ns.opaque.iter().map(ToString::to_string).collect(),
        gaps: ns
            .gaps
            .iter()
            .map(|g| GapView {
                part: g.part.clone(),
                cause: g.cause.clone(),
                assumed: g.assumed.clone(),
            })
            .collect(),
        warnings: snapshot.warnings.iter().filter(|w| w.ns == Some(id)).map(warning).collect(),
    })
}

pub(super) fn link(snapshot: &Snapshot, refs: &Refs, ns: &Namespace, l: &Link) -> LinkView {
    let id = LinkId { ns: ns.id, index: l.index };
    let (lower, underlay) = match l.relation {
        Relation::Lower(lower) => (Some(snapshot.link_name(lower)), None),
        Relation::Underlay(ns) => (None, Some(snapshot.name_of(ns))),
        Relation::None | Relation::Peer(_) | Relation::Unresolved(_) => (None, None),
    };
    LinkView {
        id: snapshot.link_name(id),
        namespace: ns.id.to_string(),
        index: l.index,
        name: l.name.clone(),
        altnames: l.altnames.clone(),
        kind: l.kind.as_str().to_owned(),
        info: super::info::info(snapshot, ns, l),
        up: l.is_up(),
        carrier: l.is_running(),
        trouble: words::trouble(l).map(str::to_owned),
        mac: l.mac.map(|m| m.to_string()),
        mtu: l.mtu,
        master: words::master_name(snapshot, ns.id, l),
        master_id: l.master.map(|index| snapshot.link_name(LinkId { ns: ns.id, index })),
        ports: refs.members(id).iter().map(|l| snapshot.link_name(*l)).collect(),
        uppers: refs.uppers(id).iter().map(|l| snapshot.link_name(*l)).collect(),
        member: super::info::member(l),
        peer: l.peer().map(|p| snapshot.link_name(p)),
        lower,
        underlay,
        border: l.is_border(),
        holder: HolderView::of(l),
        role: matches!(l.kind, LinkKind::Bridge(_)).then(|| crate::map::role(ns, l)),
        queues: l.queues.iter().map(ToString::to_string).collect(),
        tc: l.tc.as_deref().map(|tc| words::filters(ns, tc)),
        addresses: ns.addresses_of(l.index).map(|a| a.net.to_string()).collect(),
    }
}

fn route(ns: &Namespace, r: &Route) -> RouteView {
    RouteView {
        table: r.table,
        dst: r.dst.to_string(),
        gateways: r.nexthops.iter().filter_map(|h| h.gateway).collect(),
        devs: r.nexthops.iter().map(|h| words::dev(ns, h.link)).collect(),
        text: words::route(ns, r),
    }
}

fn neighbour(ns: &Namespace, n: &Neighbour) -> NeighbourView {
    NeighbourView {
        ip: n.ip,
        dev: words::dev(ns, n.link),
        mac: n.mac.map(|m| m.to_string()),
        state: n.state.as_str().to_owned(),
    }
}

fn fdb(ns: &Namespace, e: &FdbEntry) -> FdbView {
    FdbView {
        bridge: e.master.map(|m| words::dev(ns, m)),
        dev: words::dev(ns, e.link),
        mac: e.mac.to_string(),
        vlan: e.vlan,
        origin: words::fdb_origin(e),
    }
}

fn ipsets(ns: &Namespace) -> Vec<IpSetView> {
    let view = |set: &IpSet| IpSetView {
        name: set.name.clone(),
        kind: set.kind.clone(),
        index: set.index,
        options: wire::ipset_text::options(set),
        entries: set.entries.iter().map(|e| wire::ipset_text::entry(set, e)).collect(),
    };
    ns.ipsets.iter().map(view).collect()
}

fn chains(ns: &Namespace) -> Vec<ChainView> {
    let mut list = Vec::new();
    for table in &ns.ruleset.tables {
        for chain in &table.chains {
            let base = chain.base.as_ref();
            list.push(ChainView {
                family: table.family.as_str().to_owned(),
                table: table.name.clone(),
                chain: chain.name.clone(),
                hook: base.map(|b| b.hook.as_str().to_owned()),
                priority: base.map(|b| b.priority),
                policy: base
                    .map(|b| if b.policy == Policy::Drop { "drop" } else { "accept" }.to_owned()),
                rules: chain.rules.iter().map(|r| rule_text::rule_in(table, r)).collect(),
            });
        }
    }
    list
}
