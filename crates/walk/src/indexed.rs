use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use model::{
    Chain, Conntrack, Expr, Family, FdbEntry, Hook, Link, LinkId, LinkKind, Mac, Namespace,
    Neighbour, NsId, Protocol, Relation, Route, RouteKind, Rule, Snapshot, TABLE_LOCAL, TABLE_MAIN,
    Table, Tuple,
};

/// Priority of the kernel's own connection tracking in prerouting and output.
const PRIORITY_CONNTRACK: i32 = -200;
/// Of its translation of destinations.
const PRIORITY_NAT_DST: i32 = -100;
/// Of its translation of sources.
const PRIORITY_NAT_SRC: i32 = 100;
/// NFT_TABLE_F_DORMANT.
const TABLE_DORMANT: u32 = 1;

/// A [`Snapshot`] with the tables that a walk looks things up in.
#[derive(Debug)]
pub struct Indexed<'a> {
    /// What was read.
    pub snapshot: &'a Snapshot,
    namespaces: BTreeMap<NsId, Place<'a>>,
    /// Links that stand on a link (macvlan and kin), by that link.
    uppers: HashMap<LinkId, Vec<LinkId>>,
    /// Who listens was read: a port without a listener refuses.
    pub(crate) listening: bool,
}

impl<'a> Indexed<'a> {
    /// Sorts and joins what the Snapshot holds. Once for many walks.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let namespaces = snapshot.namespaces.iter().map(|(id, ns)| (*id, Place::new(ns)));
        let mut uppers: HashMap<LinkId, Vec<LinkId>> = HashMap::new();
        for (id, ns) in &snapshot.namespaces {
            for link in ns.links.values() {
                if let Relation::Lower(lower) = link.relation {
                    uppers.entry(lower).or_default().push(LinkId { ns: *id, index: link.index });
                }
            }
        }
        Self { snapshot, namespaces: namespaces.collect(), uppers, listening: false }
    }

    /// The Snapshot tells who listens: what comes to a port where nobody does is refused. Else it
    /// is taken for granted that somebody answers.
    #[must_use]
    pub fn with_listeners(mut self) -> Self {
        self.listening = true;
        self
    }

    pub(crate) fn place(&self, ns: NsId) -> Option<&Place<'a>> {
        self.namespaces.get(&ns)
    }

    pub(crate) fn link(&self, id: LinkId) -> Option<&'a Link> {
        self.snapshot.link(id)
    }

    /// Links that stand on `lower`.
    pub(crate) fn uppers(&self, lower: LinkId) -> &[LinkId] {
        self.uppers.get(&lower).map_or(&[], Vec::as_slice)
    }
}

/// One namespace, with its look-up tables.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) ns: &'a Namespace,
    /// Its policy rules; the default ones where none were read.
    pub(crate) rules: Vec<Rule>,
    /// Only the three default rules: local and main are then one trie.
    pub(crate) default_rules: bool,
    routes: HashMap<u32, Vec<&'a Route>>,
    /// Local and main together.
    merged: Vec<&'a Route>,
    /// Own IPv4 addresses → ifindex.
    own: HashMap<Ipv4Addr, u32>,
    ports: HashMap<u32, Vec<&'a Link>>,
    fdb: HashMap<(u32, Mac), &'a FdbEntry>,
    neighbours: HashMap<(u32, Ipv4Addr), &'a Neighbour>,
    proxies: Vec<(u32, Ipv4Addr)>,
    hooks: HashMap<Hook, Vec<Item<'a>>>,
    nat: HashMap<Hook, Vec<BaseRef<'a>>>,
    tracked: HashMap<Tuple, (&'a Conntrack, bool)>,
}

/// A base chain and its table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BaseRef<'a> {
    pub(crate) table: &'a Table,
    pub(crate) chain: &'a Chain,
}

/// What runs in a hook.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'a> {
    /// The kernel's connection tracking.
    Conntrack,
    /// The kernel's address translation, which asks the nat chains of the hook.
    Nat,
    /// A filter or route chain.
    Chain(BaseRef<'a>),
}

impl<'a> Place<'a> {
    fn new(ns: &'a Namespace) -> Self {
        let rules = if ns.rules.is_empty() { Rule::defaults() } else { ns.rules.clone() };
        let mut place = Self {
            ns,
            default_rules: rules == Rule::defaults(),
            rules,
            routes: HashMap::new(),
            merged: Vec::new(),
            own: HashMap::new(),
            ports: HashMap::new(),
            fdb: HashMap::new(),
            neighbours: HashMap::new(),
            proxies: Vec::new(),
            hooks: HashMap::new(),
            nat: HashMap::new(),
            tracked: HashMap::new(),
        };
        place.index_routes();
        place.index_layer2();
        place.index_hooks();
        for entry in ns.conntrack.iter().filter(|c| c.zone == 0) {
            place.tracked.insert(entry.reply, (entry, true));
            place.tracked.insert(entry.original, (entry, false));
        }
        place
    }

    fn index_routes(&mut self) {
        for address in &self.ns.addresses {
            if let IpAddr::V4(ip) = address.ip() {
                self.own.entry(ip).or_insert(address.link);
            }
        }
        for route in self.ns.routes.iter().filter(|r| matches!(r.dst, IpNet::V4(_))) {
            self.routes.entry(route.table).or_default().push(route);
            if matches!(route.table, TABLE_LOCAL | TABLE_MAIN) {
                self.merged.push(route);
            }
        }
        let order =
            |r: &&Route| (Reverse(r.dst.prefix_len()), Reverse(r.table), Reverse(r.tos), r.metric);
        self.routes.values_mut().for_each(|table| table.sort_by_key(order));
        self.merged.sort_by_key(order);
    }

    fn index_layer2(&mut self) {
        for link in self.ns.links.values() {
            if let (Some(master), Some(_)) = (link.master, &link.port) {
                self.ports.entry(master).or_default().push(link);
            }
        }
        let number = |link: &&Link| link.port.as_ref().map(|port| port.number);
        for ports in self.ports.values_mut().filter(|p| p.iter().any(|l| number(l) != Some(0))) {
            ports.sort_by_key(|link| Reverse(number(link)));
        }
        for entry in self.ns.fdb.iter().filter(|e| !e.own && e.vlan.is_none()) {
            if let Some(bridge) = entry.master {
                self.fdb.insert((bridge, entry.mac), entry);
            }
        }
        for n in &self.ns.neighbours {
            match n.ip {
                IpAddr::V4(ip) if n.proxy => self.proxies.push((n.link, ip)),
                IpAddr::V4(ip) => _ = self.neighbours.insert((n.link, ip), n),
                IpAddr::V6(_) => {}
            }
        }
    }

    fn index_hooks(&mut self) {
        let mut found: Vec<(Hook, i32, Item<'a>)> = Vec::new();
        let mut nat: Vec<(Hook, i32, BaseRef<'a>)> = Vec::new();
        for base in self.base_chains(&[Family::Ip, Family::Inet]) {
            let Some(b) = &base.chain.base else { continue };
            match b.kind.as_str() {
                "nat" => nat.push((b.hook, b.priority, base)),
                _ => found.push((b.hook, b.priority, Item::Chain(base))),
            }
        }
        // Of equal priority, the chain that was registered last runs first.
        found.reverse();
        nat.reverse();
        if !nat.is_empty() {
            found
                .extend([Hook::Prerouting, Hook::Output].map(|h| (h, PRIORITY_NAT_DST, Item::Nat)));
            found
                .extend([Hook::Input, Hook::Postrouting].map(|h| (h, PRIORITY_NAT_SRC, Item::Nat)));
        }
        if !nat.is_empty() || self.tracks() {
            let track = |h| (h, PRIORITY_CONNTRACK, Item::Conntrack);
            found.extend([Hook::Prerouting, Hook::Output].map(track));
        }
        found.sort_by_key(|(_, priority, _)| *priority);
        nat.sort_by_key(|(_, priority, _)| *priority);
        for (hook, _, item) in found {
            self.hooks.entry(hook).or_default().push(item);
        }
        for (hook, _, base) in nat {
            self.nat.entry(hook).or_default().push(base);
        }
    }

    /// Whether the kernel tracks connections here: it does where some rule asks for them.
    fn tracks(&self) -> bool {
        let asks = |e: &Expr| match e {
            Expr::Ct { .. } => true,
            Expr::Match(xt) | Expr::Target(xt) => {
                matches!(xt.name.as_str(), "conntrack" | "state" | "CT" | "NOTRACK")
                    || xt.name.to_ascii_lowercase().starts_with("conn")
            }
            Expr::Opaque { name, .. } => {
                matches!(name.as_str(), "ct" | "connlimit" | "flow_offload")
            }
            _ => false,
        };
        let tables = self.ns.ruleset.tables.iter();
        let mut rules = tables.flat_map(|t| &t.chains).flat_map(|c| &c.rules);
        !self.ns.conntrack.is_empty() || rules.any(|r| r.exprs.iter().any(asks))
    }

    /// Base chains of these families that run, in the order in which they were read.
    pub(crate) fn base_chains(&self, families: &[Family]) -> Vec<BaseRef<'a>> {
        let tables = self.ns.ruleset.tables.iter();
        tables
            .filter(|t| families.contains(&t.family) && t.flags & TABLE_DORMANT == 0)
            .flat_map(|table| table.chains.iter().map(move |chain| BaseRef { table, chain }))
            .filter(|b| b.chain.base.is_some())
            .collect()
    }

    /// The routes of a table, longest prefix first.
    pub(crate) fn routes(&self, table: u32) -> &[&'a Route] {
        self.routes.get(&table).map_or(&[], Vec::as_slice)
    }

    /// Local and main as the one trie that they are until there is a rule of one's own.
    pub(crate) fn merged(&self) -> &[&'a Route] {
        &self.merged
    }

    /// The link that has this address.
    pub(crate) fn owner(&self, ip: Ipv4Addr) -> Option<u32> {
        self.own.get(&ip).copied()
    }

    /// The ports of a bridge, in the order in which it floods: the one that was added last comes
    /// first. (Numbers tell that order, unless one was given to a second port.)
    pub(crate) fn ports(&self, bridge: u32) -> &[&'a Link] {
        self.ports.get(&bridge).map_or(&[], Vec::as_slice)
    }

    /// What the bridge's table said when it was read.
    pub(crate) fn fdb(&self, bridge: u32, mac: Mac) -> Option<&'a FdbEntry> {
        self.fdb.get(&(bridge, mac)).copied()
    }

    /// What the neighbour table said when it was read.
    pub(crate) fn neighbour(&self, link: u32, ip: Ipv4Addr) -> Option<&'a Neighbour> {
        self.neighbours.get(&(link, ip)).copied()
    }

    /// It answers ARP for this address on this link, by a proxy entry.
    pub(crate) fn proxies_for(&self, link: u32, ip: Ipv4Addr) -> bool {
        self.proxies.contains(&(link, ip))
    }

    /// What runs in a hook, in order.
    pub(crate) fn hook(&self, hook: Hook) -> &[Item<'a>] {
        self.hooks.get(&hook).map_or(&[], Vec::as_slice)
    }

    /// The nat chains of a hook, in order.
    pub(crate) fn nat(&self, hook: Hook) -> &[BaseRef<'a>] {
        self.nat.get(&hook).map_or(&[], Vec::as_slice)
    }

    /// The connection that was tracked when it was read; true: the tuple is its answer's.
    pub(crate) fn tracked(&self, tuple: &Tuple) -> Option<(&'a Conntrack, bool)> {
        self.tracked.get(tuple).copied()
    }

    /// The index of its loopback.
    pub(crate) fn loopback(&self) -> u32 {
        let mut links = self.ns.links.values();
        links.find(|l| l.kind == LinkKind::Loopback).map_or(1, |l| l.index)
    }

    /// There are rules of one's own, or local routes that the kernel did not make.
    pub(crate) fn custom_local(&self) -> bool {
        let made = |r: &Route| r.kind == RouteKind::Local && r.protocol != Protocol::Kernel;
        !self.default_rules || self.ns.routes.iter().any(made)
    }
}
