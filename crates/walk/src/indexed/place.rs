//! A namespace with the tables that a walk looks things up in.

use std::cmp::Reverse;
use std::net::IpAddr;

use ipnet::IpNet;
use model::{
    BridgeVlan, FdbEntry, Link, LinkKind, Mac, Namespace, Neighbour, NsId, Opaque, Protocol,
    Release, Route, RouteKind, Rule, TABLE_LOCAL, TABLE_MAIN,
};

use super::tracked::Tracked;
use crate::fib::Fib;
use crate::group::{Cast, made_up};
use crate::hash::{Ip, Map, Set};
use crate::ipset::IpSets;
use crate::links::{LinkIndex, Links, Settled, Spot, Station};
use crate::tables::Tables;

/// One namespace, with its look-up tables.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) ns: &'a Namespace,
    pub(crate) id: NsId,
    /// Which Linux it is, if that is known.
    pub(crate) kernel: Option<Release>,
    /// What of it is not modelled, for any packet that it handles.
    pub(crate) opaque: Option<&'a Opaque>,
    links: Links<'a>,
    /// Its policy rules; the default ones where none were read.
    pub(crate) rules: Vec<Rule>,
    /// Only the three default rules, and never others: local and main are then one trie.
    pub(crate) default_rules: bool,
    /// The same of IPv6.
    pub(crate) rules6: Vec<Rule>,
    /// Only the two default rules of IPv6.
    pub(crate) default_rules6: bool,
    /// Its rules of IPv4, and of IPv6, make the kernel look into what comes in.
    dissects: (bool, bool),
    routes: Map<u32, Fib<'a>>,
    routes6: Map<u32, Vec<&'a Route>>,
    loopback: u32,
    /// It has local routes that the kernel did not make.
    local_by_hand: bool,
    /// It has routes of IPv4 that say how far packets go.
    limits_hops: bool,
    /// There is a bridge in it.
    bridges: bool,
    /// There is a VRF in it.
    vrfs: bool,
    /// Local and main together.
    merged: Fib<'a>,
    /// Own IPv4 addresses → ifindex.
    own: Map<Ip, u32>,
    ports: Map<u32, Vec<&'a Link>>,
    vlans: Map<(u32, u16), BridgeVlan>,
    /// Where vxlans send to.
    remotes: Map<(u32, Mac), Vec<&'a FdbEntry>>,
    /// Bridges a port of which has `neigh_suppress`.
    suppressing: Set<u32>,
    neighbours: Map<(u32, Ip), &'a Neighbour>,
    /// Routes that the kernel makes up for packets to many: by link, those of multicasts with true.
    pub(crate) casts: Map<(u32, bool), Route>,
    proxies: Vec<(u32, IpAddr)>,
    /// Its ruleset.
    pub(crate) tables: Tables<'a>,
    /// Its sets of ipset.
    pub(crate) ipsets: IpSets<'a>,
    /// Its connections.
    pub(crate) tracked: Tracked<'a>,
}

impl<'a> Place<'a> {
    pub(super) fn new(ns: &'a Namespace, at: usize, kernel: Option<Release>) -> Self {
        let own = ns.rules.iter().filter(|r| !r.ipv6);
        let rules: Vec<Rule> =
            if ns.rules.is_empty() { Rule::defaults() } else { own.cloned().collect() };
        let mut rules6: Vec<Rule> = ns.rules.iter().filter(|r| r.ipv6).cloned().collect();
        if rules6.is_empty() {
            rules6 = Rule::defaults_ipv6();
        }
        let loopback = first_loopback(ns);
        let lo = ns.links.get(&loopback).map(|link| link.name.as_str());
        let looks = |rules: &[Rule]| rules.iter().any(|rule| looks_inside(rule, lo));
        let mut place = Self {
            ns,
            id: ns.id,
            kernel,
            opaque: ns.opaque.iter().find(|what| is_in_the_way(what)),
            links: Links::new(ns, at),
            dissects: (looks(&rules), looks(&rules6)),
            default_rules: !ns.tables_split.unwrap_or(false) && rules == Rule::defaults(),
            rules,
            default_rules6: rules6 == Rule::defaults_ipv6(),
            rules6,
            routes: Map::default(),
            routes6: Map::default(),
            loopback,
            limits_hops: ns.routes.iter().any(|route| route.metrics.hop_limit.is_some()),
            local_by_hand: ns.routes.iter().any(is_local_by_hand),
            bridges: ns.links.values().any(|l| matches!(l.kind, LinkKind::Bridge(_))),
            vrfs: ns.links.values().any(|l| matches!(l.kind, LinkKind::Vrf(_))),
            merged: Fib::default(),
            own: Map::default(),
            ports: Map::default(),
            vlans: ns.vlans.iter().map(|vlan| ((vlan.link, vlan.id), *vlan)).collect(),
            remotes: Map::default(),
            suppressing: Set::default(),
            neighbours: Map::default(),
            casts: Map::default(),
            proxies: Vec::new(),
            tables: Tables::new(ns),
            ipsets: IpSets::new(ns),
            tracked: Tracked::new(ns),
        };
        place.index_routes();
        place.index_layer2();
        for link in ns.links.keys() {
            place.casts.insert((*link, false), made_up(*link, Cast::Limited));
            place.casts.insert((*link, true), made_up(*link, Cast::Multicast));
        }
        place
    }

    fn index_routes(&mut self) {
        for address in &self.ns.addresses {
            self.own.entry(Ip(address.ip())).or_insert(address.link);
        }
        let mut tables: Map<u32, Vec<&'a Route>> = Map::default();
        let mut merged = Vec::new();
        for route in &self.ns.routes {
            if matches!(route.dst, IpNet::V6(_)) {
                self.routes6.entry(route.table).or_default().push(route);
                continue;
            }
            tables.entry(route.table).or_default().push(route);
            if matches!(route.table, TABLE_LOCAL | TABLE_MAIN) {
                merged.push(route);
            }
            let local = route.table == TABLE_LOCAL || self.is_vrf_s(route.table);
            if local && is_broadcast_to_one(route) {
                let to = route.dst.addr();
                for hop in &route.nexthops {
                    if let Some(link) = self.links.get_mut(hop.link) {
                        link.broadcasts.push(to);
                    }
                }
            }
        }
        let order =
            |r: &&Route| (Reverse(r.dst.prefix_len()), Reverse(r.table), Reverse(r.tos), r.metric);
        let fib = |mut routes: Vec<&'a Route>| {
            routes.sort_by_key(order);
            Fib::new(routes, |route| self.entry(route))
        };
        let (tables, merged): (Map<u32, Fib<'a>>, _) =
            (tables.into_iter().map(|(n, routes)| (n, fib(routes))).collect(), fib(merged));
        (self.routes, self.merged) = (tables, merged);
        // Of equals, the order is the kernel's.
        let order = |r: &&Route| (Reverse(r.dst.prefix_len()), r.dst, r.metric);
        self.routes6.values_mut().for_each(|table| table.sort_by_key(order));
    }

    fn index_layer2(&mut self) {
        for link in self.ns.links.values() {
            if let (Some(master), Some(port)) = (link.master, &link.port) {
                self.ports.entry(master).or_default().push(link);
                self.is_own(master, link.mac);
                self.suppressing.extend(port.neigh_suppress.then_some(master));
            }
            self.is_own(link.index, link.mac);
        }
        let number = |link: &&Link| link.port.as_ref().map(|port| port.number);
        for ports in self.ports.values_mut().filter(|p| p.iter().any(|l| number(l) != Some(0))) {
            ports.sort_by_key(|link| Reverse(number(link)));
        }
        let vxlan = |e: &&FdbEntry| {
            let link = self.ns.links.get(&e.link);
            e.own && link.is_some_and(|l| matches!(l.kind, LinkKind::Vxlan(_)))
        };
        for entry in
            self.ns.fdb.iter().filter(vxlan).filter(|e| e.remote.is_some() || !e.mac.is_group())
        {
            self.remotes.entry((entry.link, entry.mac)).or_default().push(entry);
        }
        for entry in self.ns.fdb.iter().filter(|e| !e.own) {
            if let Some(bridge) = entry.master.and_then(|bridge| self.links.get_mut(bridge)) {
                bridge.station_mut(entry.vlan.unwrap_or(0), entry.mac).entry = Some(entry);
            }
        }
        for n in &self.ns.neighbours {
            if n.proxy {
                self.proxies.push((n.link, n.ip));
            } else {
                self.neighbours.insert((n.link, Ip(n.ip)), n);
            }
        }
    }

    fn is_own(&mut self, bridge: u32, mac: Option<Mac>) {
        let bridge = self.links.get_mut(bridge);
        let bridge = bridge.filter(|link| matches!(link.link.kind, LinkKind::Bridge(_)));
        if let Some((bridge, mac)) = bridge.zip(mac) {
            bridge.station_mut(0, mac).own = true;
        }
    }

    /// What of its links is settled now that all of the network is there.
    pub(super) fn settle(&mut self, settled: &Map<u32, Settled>) {
        self.links.settle(settled);
    }

    /// Bridges that have ports.
    pub(super) fn bridges_with_ports(&self) -> impl Iterator<Item = u32> + '_ {
        self.ports.keys().copied()
    }

    /// The link of that index.
    #[inline]
    pub(crate) fn link(&self, index: u32) -> Option<&'a Link> {
        self.links.get(index).map(|found| found.link)
    }

    /// The same, with what is asked of it again and again.
    #[inline]
    pub(crate) fn link_index(&self, index: u32) -> Option<&LinkIndex<'a>> {
        self.links.get(index)
    }

    /// The routes of a table, longest prefix first; None: there are none.
    pub(crate) fn table(&self, table: u32) -> Option<&Fib<'a>> {
        self.routes.get(&table)
    }

    /// The same as a list.
    pub(crate) fn routes(&self, table: u32) -> &[&'a Route] {
        self.table(table).map_or(&[], Fib::all)
    }

    /// The IPv6 routes of a table, longest prefix first, those to the same prefix side by side.
    pub(crate) fn routes6(&self, table: u32) -> &[&'a Route] {
        self.routes6.get(&table).map_or(&[], Vec::as_slice)
    }

    /// Local and main as the one trie that they are until there is a rule of one's own.
    pub(crate) const fn merged(&self) -> &Fib<'a> {
        &self.merged
    }

    /// There is a route for broadcasts to this very address by that link.
    #[inline]
    pub(crate) fn broadcasts_to(&self, link: u32, ip: IpAddr) -> bool {
        self.link_index(link).is_some_and(|link| link.broadcasts.contains(&ip))
    }

    /// The link that has this address.
    pub(crate) fn owner(&self, ip: IpAddr) -> Option<u32> {
        self.own.get(&Ip(ip)).copied()
    }

    /// The ports of a bridge, in the order in which it floods: the one that was added last comes
    /// first. (Numbers tell that order, unless one was given to a second port.)
    pub(crate) fn ports(&self, bridge: u32) -> &[&'a Link] {
        self.ports.get(&bridge).map_or(&[], Vec::as_slice)
    }

    /// What a bridge knew of an address in a VLAN (0: none) when it was read. In a VLAN, the own
    /// addresses are those of what is in it (`br_fdb_add_local`).
    #[inline]
    pub(crate) fn station<'x>(&self, bridge: Spot<'x>, vlan: u16, mac: Mac) -> Station<'x> {
        let mut station = bridge.station(vlan, mac);
        if vlan != 0 {
            station.own |= self.is_own_mac_in(bridge.index, vlan, mac);
        }
        station
    }

    /// Where a vxlan sends frames for an address to, when it was read.
    pub(crate) fn remotes(&self, vxlan: u32, mac: Mac) -> &[&'a FdbEntry] {
        self.remotes.get(&(vxlan, mac)).map_or(&[], Vec::as_slice)
    }

    /// What the neighbour table said when it was read.
    #[inline]
    pub(crate) fn neighbour(&self, link: u32, ip: IpAddr) -> Option<&'a Neighbour> {
        self.neighbours.get(&(link, Ip(ip))).copied()
    }

    /// It answers ARP for this address on this link, by a proxy entry.
    pub(crate) fn proxies_for(&self, link: u32, ip: IpAddr) -> bool {
        self.proxies.contains(&(link, ip))
    }

    /// The addresses that it answers for on this link, by proxy entries.
    pub(crate) fn proxied(&self, link: u32) -> impl Iterator<Item = IpAddr> + '_ {
        self.proxies.iter().filter(move |(on, _)| *on == link).map(|(_, ip)| *ip)
    }

    /// Whether a bridge or one of its ports has this address, and is in that VLAN.
    fn is_own_mac_in(&self, bridge: u32, vlan: u16, mac: Mac) -> bool {
        let has = |link: &Link| link.mac == Some(mac) && self.is_in_vlan(link.index, vlan);
        self.link(bridge).is_some_and(has) || self.ports(bridge).iter().any(|port| has(port))
    }

    /// Whether a port, or a bridge itself, is in a VLAN.
    pub(crate) fn is_in_vlan(&self, link: u32, id: u16) -> bool {
        self.vlans.contains_key(&(link, id))
    }

    /// Whether frames of a VLAN leave by a port, or a bridge itself, without a tag.
    pub(crate) fn is_untagged(&self, link: u32, id: u16) -> bool {
        self.vlans.get(&(link, id)).is_some_and(|vlan| vlan.untagged)
    }

    /// The VLAN of frames that come in there without a tag.
    pub(crate) fn pvid(&self, link: u32) -> Option<u16> {
        self.ns.vlans.iter().find(|vlan| vlan.link == link && vlan.pvid).map(|vlan| vlan.id)
    }

    /// There is a bridge in it.
    pub(crate) const fn has_bridges(&self) -> bool {
        self.bridges
    }

    /// There is a VRF in it.
    pub(crate) const fn has_vrfs(&self) -> bool {
        self.vrfs
    }

    /// The table of a VRF.
    fn is_vrf_s(&self, table: u32) -> bool {
        let of = |l: &Link| l.kind.vrf_table() == Some(table);
        self.vrfs && self.ns.links.values().any(of)
    }

    /// BROPT_NEIGH_SUPPRESS_ENABLED: a port of that bridge has `neigh_suppress`.
    pub(crate) fn suppresses(&self, bridge: u32) -> bool {
        self.suppressing.contains(&bridge)
    }

    /// The index of its loopback.
    pub(crate) const fn loopback(&self) -> u32 {
        self.loopback
    }

    /// `fib4_rules_early_flow_dissect`: some rule makes the kernel look at the protocol and the ports of
    /// what comes in.
    pub(crate) const fn dissects(&self, ipv6: bool) -> bool {
        if ipv6 { self.dissects.1 } else { self.dissects.0 }
    }

    /// Some route of IPv4 says how far packets go by it.
    pub(crate) const fn limits_hops(&self) -> bool {
        self.limits_hops
    }

    /// There are rules of one's own, or local routes that the kernel did not make.
    pub(crate) const fn custom_local(&self) -> bool {
        !self.default_rules || self.local_by_hand
    }
}

/// `fib_rule_requires_fldissect`: what a host itself sends (`iif lo`) needs no looking into.
fn looks_inside(rule: &Rule, loopback: Option<&str>) -> bool {
    let own = rule.iif.is_some() && rule.iif.as_deref() == loopback;
    !own && (rule.protocol.is_some() || rule.sport.is_some() || rule.dport.is_some())
}

fn first_loopback(ns: &Namespace) -> u32 {
    let mut links = ns.links.values();
    links.find(|l| l.kind == LinkKind::Loopback).map_or(1, |l| l.index)
}

/// Some stand in the way of certain packets alone.
const fn is_in_the_way(what: &Opaque) -> bool {
    !matches!(what, Opaque::CgroupBpf(_) | Opaque::LegacyEbtables | Opaque::Vrf(_))
}

fn is_broadcast_to_one(route: &Route) -> bool {
    route.kind == RouteKind::Broadcast && route.dst.prefix_len() == 32
}

fn is_local_by_hand(route: &Route) -> bool {
    route.kind == RouteKind::Local && route.protocol != Protocol::Kernel
}
