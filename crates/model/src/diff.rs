//! What differs between two Snapshots, as plain data in the order in which a person would tell it.
//!
//! Namespaces are the same where they are the same to the kernel; between runs or machines, where
//! their path of names is, else where their wires lead. Tracked connections are not compared.

mod bridge_table;
mod link;
mod list;
mod namespace;
mod neighbour;
mod netfilter;
mod pairs;
mod route;
mod setting;

pub use link::{LinkFact, Running, link_facts};
pub use neighbour::{fdb_is_noise, neighbour_is_noise};
pub use route::{address_is_noise, is_link_local};
pub use setting::of_link as link_settings;

use std::collections::BTreeSet;

use crate::{
    Address, BaseChain, BridgeVlan, Container, Family, FdbEntry, IpSet, LinkId, MdbEntry,
    Namespace, Neighbour, Network, NsFile, NsId, Opaque, Process, Route, Rule, SetElement,
    Snapshot,
};
use pairs::Pairs;

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The namespace, by its id in the earlier Snapshot; None: it was not there.
    pub before: Option<NsId>,
    /// The namespace, by its id in the later Snapshot; None: it is gone.
    pub after: Option<NsId>,
    /// What about it.
    pub what: What,
    /// It comes and goes by itself, or follows from something else that is told.
    pub noise: bool,
}

/// How something differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn<T> {
    /// It is only in the later Snapshot.
    Appeared(T),
    /// It is only in the earlier one.
    Vanished(T),
    /// It is in both, with other values.
    Changed {
        /// As it was.
        before: T,
        /// As it is.
        after: T,
    },
}

/// What differs. ifindexes and ids are those of the Snapshot that the value is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The namespace itself. Changed: another one is in its place, of the same name.
    Namespace(Turn<NsId>),
    /// What it is called first.
    Name {
        /// As it was.
        before: String,
        /// As it is.
        after: String,
    },
    /// What it is inside of.
    Parent {
        /// As it was.
        before: Option<NsId>,
        /// As it is.
        after: Option<NsId>,
    },
    /// Its first process.
    Process {
        /// As it was.
        before: Option<Process>,
        /// As it is.
        after: Option<Process>,
    },
    /// A file that it is mounted on.
    File(Turn<NsFile>),
    /// A container in it, with its names, networks and published ports.
    Container(Box<Turn<Container>>),
    /// A network of an engine that runs in it.
    Network(Box<Turn<Network>>),
    /// A row of its table of nsids.
    Nsid {
        /// The number.
        number: u32,
        /// Whom it stood for.
        before: Option<NsId>,
        /// Whom it stands for.
        after: Option<NsId>,
    },
    /// A link, by ifindex. Changed: another one has the same name.
    Link(Turn<u32>),
    /// A link came from another namespace.
    Moved {
        /// What it was, in the earlier Snapshot.
        from: LinkId,
        /// ifindex that it has now.
        link: u32,
    },
    /// Something about a link.
    LinkFact {
        /// ifindex, in the later Snapshot.
        link: u32,
        /// What about it.
        fact: Box<LinkFact>,
    },
    /// An address.
    Address(Turn<Address>),
    /// A route.
    Route(Turn<Route>),
    /// A routing rule.
    Rule(Box<Turn<Rule>>),
    /// A neighbour.
    Neighbour(Turn<Neighbour>),
    /// An entry of a forwarding database.
    Fdb(Turn<FdbEntry>),
    /// A VLAN that a port of a bridge, or a bridge itself, is in.
    Vlan(Turn<BridgeVlan>),
    /// An entry of a multicast database.
    Mdb(Turn<MdbEntry>),
    /// A netfilter table, with all that is in it.
    Table(Turn<TableRef>),
    /// A netfilter chain.
    Chain {
        /// Its table.
        table: TableRef,
        /// Its name, and where it hooks in. What vanishes takes its rules with it.
        turn: Box<Turn<(String, Option<BaseChain>)>>,
    },
    /// A rule of a netfilter chain, by its place there, from 0. Never Changed.
    NftRule {
        /// Its table.
        table: TableRef,
        /// Its chain.
        chain: String,
        /// Its place.
        turn: Turn<usize>,
    },
    /// A set or map. Changed: its elements did, or what it is.
    Set {
        /// Its table.
        table: TableRef,
        /// Its name.
        turn: Turn<String>,
        /// Elements that were not there.
        more: Vec<SetElement>,
        /// Elements that are gone.
        less: Vec<SetElement>,
    },
    /// A set of ipset. Changed: its entries did, or what it was made with.
    IpSet(Box<Turn<IpSet>>),
    /// A flowtable, by name.
    Flowtable {
        /// Its table.
        table: TableRef,
        /// Its name.
        turn: Turn<String>,
    },
    /// A sysctl. None: the kernel does not have it.
    Setting {
        /// As `sysctl` writes it: `net.ipv4.ip_forward`.
        name: String,
        /// As it was.
        before: Option<String>,
        /// As it is.
        after: Option<String>,
    },
    /// Something that is not modelled.
    Opaque(Turn<Opaque>),
    /// A part that could not be read in one of the two, so that nothing can be said about it.
    Unread {
        /// The part: `routes`, `netfilter`, ….
        part: String,
        /// Why.
        cause: String,
    },
}

/// A netfilter table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableRef {
    /// What packets it sees.
    pub family: Family,
    /// Its name.
    pub name: String,
}

/// What differs, outermost namespaces first. Empty: nothing.
#[must_use]
pub fn diff(before: &Snapshot, after: &Snapshot) -> Vec<Difference> {
    by_pairs(before, after, &Pairs::find(before, after, None))
}

/// What differs between two Snapshots of one run of one kernel, in which ids mean the same.
#[must_use]
pub fn diff_of_one_run(before: &Snapshot, after: &Snapshot) -> Vec<Difference> {
    by_pairs(before, after, &Pairs::find(before, after, Some(true)))
}

/// What differs between two states of one namespace, its links' peers taken as known.
#[must_use]
pub fn diff_of_namespace(before: &Namespace, after: &Namespace) -> Vec<Difference> {
    let pairs = Pairs::of_one(before, after);
    let mut told = Vec::new();
    namespace::states(&pairs, before, after, &mut told);
    told
}

fn by_pairs(before: &Snapshot, after: &Snapshot, pairs: &Pairs) -> Vec<Difference> {
    let mut told = Vec::new();
    for id in in_order(after) {
        match pairs.before(id) {
            Some(old) => namespace::both(before, after, pairs, (old, id), &mut told),
            None => namespace::appeared(after, pairs, id, &mut told),
        }
    }
    for id in in_order(before).into_iter().filter(|id| pairs.after(*id).is_none()) {
        let what = What::Namespace(Turn::Vanished(id));
        told.push(Difference { before: Some(id), after: None, what, noise: false });
    }
    told
}

/// The namespaces, each before those that are inside of it; the viewer's own first.
fn in_order(snapshot: &Snapshot) -> Vec<NsId> {
    let inside = |parent| snapshot.namespaces.values().filter(move |n| n.parent == parent);
    let mut order: Vec<NsId> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut to_do: Vec<NsId> = inside(None).map(|n| n.id).collect();
    to_do.sort_by_cached_key(|id| (snapshot.viewer != Some(*id), snapshot.name_of(*id)));
    to_do.reverse();
    while let Some(id) = to_do.pop() {
        if !seen.insert(id) {
            continue;
        }
        order.push(id);
        let mut children: Vec<NsId> = inside(Some(id)).map(|n| n.id).collect();
        children.sort_by_cached_key(|id| snapshot.name_of(*id));
        to_do.extend(children.into_iter().rev());
    }
    // What a cycle or a missing parent kept apart is told all the same.
    let rest = snapshot.namespaces.keys().copied().filter(|id| !seen.contains(id));
    let rest: Vec<NsId> = rest.collect();
    order.extend(rest);
    order
}
