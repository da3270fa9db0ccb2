//! What makes two facts speak of the same thing.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};
use model::{BondRole, Fact, Family, LinkRef, LinkSpecKind, Mac};

/// The thing that a fact is about, whatever its values.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    Namespace(String),
    Nsid(String, u32),
    NsFile(String, String),
    /// A link with one end, or either end of a pair, the smaller name first.
    Link(LinkRef, Option<LinkRef>),
    Cable(LinkRef, Option<LinkRef>),
    Master(LinkRef),
    Backup(LinkRef),
    PortState(LinkRef),
    BondPort(LinkRef, BondRole),
    Up(LinkRef),
    Mtu(LinkRef),
    Address(LinkRef, IpNet),
    Route(String, u32, IpNet, u32, u8),
    /// Of IPv6, and its priority.
    Rule(String, bool, u32),
    AddressLabel(String, Ipv6Net, Option<String>),
    Neighbour(LinkRef, IpAddr),
    Proxy(LinkRef, IpAddr),
    Fdb(LinkRef, Mac),
    Mdb(LinkRef, IpAddr),
    Vlan(LinkRef, u16),
    Tc(LinkRef),
    Queue(LinkRef),
    Sysctl(String, String),
    IpSet(String, String),
    Table(String, Family, String),
    Service(String),
}

impl Key {
    pub(crate) fn of(fact: &Fact) -> Self {
        match fact {
            Fact::Namespace(n) => Self::Namespace(n.name.clone()),
            Fact::Nsid { ns, nsid, .. } => Self::Nsid(ns.clone(), *nsid),
            Fact::NsFile { ns, path, .. } => Self::NsFile(ns.clone(), path.clone()),
            Fact::Link(spec) => match &spec.kind {
                LinkSpecKind::Veth(end) => {
                    let (a, b) = sorted(&spec.link, &end.link);
                    Self::Link(a, Some(b))
                }
                _ => Self::Link(spec.link.clone(), None),
            },
            Fact::Cable(cable) => {
                let (a, b) = crate::known::ends(cable);
                Self::Cable(a, b)
            }
            Fact::Master { link, .. } => Self::Master(link.clone()),
            Fact::Backup { link, .. } => Self::Backup(link.clone()),
            Fact::PortState { link, .. } => Self::PortState(link.clone()),
            Fact::BondPort { bond, role, .. } => Self::BondPort(bond.clone(), *role),
            Fact::Up { link, .. } => Self::Up(link.clone()),
            Fact::Mtu { link, .. } => Self::Mtu(link.clone()),
            Fact::Address(a) => Self::Address(a.link.clone(), a.net),
            Fact::Route(r) => {
                Self::Route(r.ns.clone(), r.table, r.dst, metric(r.dst, r.metric), r.tos)
            }
            Fact::Rule { ns, rule } => Self::Rule(ns.clone(), rule.ipv6, rule.priority),
            Fact::AddressLabel { ns, net, dev, .. } => {
                Self::AddressLabel(ns.clone(), *net, dev.clone())
            }
            Fact::Neighbour { link, ip, .. } => Self::Neighbour(link.clone(), *ip),
            Fact::Proxy { link, ip } => Self::Proxy(link.clone(), *ip),
            Fact::Fdb { link, mac } => Self::Fdb(link.clone(), *mac),
            Fact::Vlan { link, id, .. } => Self::Vlan(link.clone(), *id),
            Fact::Mdb { link, group } => Self::Mdb(link.clone(), *group),
            Fact::Tc { link, .. } => Self::Tc(link.clone()),
            Fact::Queue { link, .. } => Self::Queue(link.clone()),
            Fact::Sysctl { ns, key, .. } => Self::Sysctl(ns.clone(), key.clone()),
            Fact::IpSet { ns, set } => Self::IpSet(ns.clone(), set.name.clone()),
            Fact::Table { ns, table } => Self::Table(ns.clone(), table.family, table.name.clone()),
            Fact::Service { ns, .. } => Self::Service(ns.clone()),
        }
    }

    /// Things that die with a namespace or a link name it here.
    pub(crate) fn lives_on(&self) -> Vec<&LinkRef> {
        match self {
            Self::Link(a, b) | Self::Cable(a, b) => std::iter::once(a).chain(b).collect(),
            Self::Master(l) | Self::PortState(l) | Self::Up(l) | Self::Mtu(l) => vec![l],
            Self::BondPort(l, _)
            | Self::Backup(l)
            | Self::Address(l, _)
            | Self::Neighbour(l, _)
            | Self::Proxy(l, _)
            | Self::Fdb(l, _)
            | Self::Vlan(l, _)
            | Self::Tc(l)
            | Self::Queue(l)
            | Self::Mdb(l, _) => vec![l],
            _ => Vec::new(),
        }
    }

    /// The namespaces that it dies with.
    pub(crate) fn namespaces(&self) -> Vec<&str> {
        match self {
            Self::Namespace(ns)
            | Self::Nsid(ns, _)
            | Self::NsFile(ns, _)
            | Self::Route(ns, ..)
            | Self::Rule(ns, ..)
            | Self::AddressLabel(ns, ..)
            | Self::Sysctl(ns, _)
            | Self::IpSet(ns, _)
            | Self::Table(ns, ..)
            | Self::Service(ns) => vec![ns],
            _ => self.lives_on().into_iter().map(|l| l.ns.as_str()).collect(),
        }
    }
}

/// The kernel reads no metric as 1024 in IPv6.
pub(crate) const fn metric(dst: IpNet, metric: u32) -> u32 {
    match (dst, metric) {
        (IpNet::V6(_), 0) => 1024,
        (_, metric) => metric,
    }
}

fn sorted(a: &LinkRef, b: &LinkRef) -> (LinkRef, LinkRef) {
    if a <= b { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) }
}

/// The link that a sysctl is about: `net/ipv4/conf/LINK/…`, `net/ipv6/neigh/LINK/…`.
pub(crate) fn sysctl_link(key: &str) -> Option<&str> {
    let mut parts = key.split('/').skip(1);
    let (family, group, link) = (parts.next()?, parts.next()?, parts.next()?);
    let per_link = matches!(family, "ipv4" | "ipv6" | "mpls") && matches!(group, "conf" | "neigh");
    (per_link && !matches!(link, "all" | "default")).then_some(link)
}
