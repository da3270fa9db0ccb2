//! Drafts as the namespaces of a Snapshot, with a gap for every part that no file shows.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use model::{
    Address, Bridge, FdbEntry, Found, HostId, InetConf, Link, LinkFlags, LinkId, LinkKind, Name,
    NameSource, Namespace, Neighbour, Nexthop, NsFile, NsId, NsKey, Opaque, OperState, Process,
    Protocol, Queue, Relation, Route, RouteKind, Rule, Scope, Snapshot, TABLE_LOCAL, TABLE_MAIN,
    Table, Tc, Warning,
};

use crate::address::PartAddress;
use crate::draft::Draft;
use crate::gaps::gaps;
use crate::kind::{self, member};
use crate::link::{At, Far, PartLink};
use crate::port::of_words;
use crate::route::{PartHop, PartRoute, blank};
use crate::sysctl;
use crate::words::after;

/// The Snapshot of all drafts.
pub(crate) fn finish(drafts: Vec<Draft>, warnings: Vec<Warning>) -> Snapshot {
    let ids: Vec<NsId> = (0..).zip(&drafts).map(|(n, d)| id(n, d)).collect();
    let mut snapshot = Snapshot { warnings, ..Snapshot::default() };
    let viewer = viewer(&drafts);
    snapshot.viewer = viewer.map(|n| ids[n]);
    for (n, draft) in drafts.iter().enumerate() {
        let maker = Maker { draft, ids: &ids, drafts: &drafts };
        let mut namespace = maker.namespace(n, viewer == Some(n));
        snapshot.warnings.extend(maker.warnings(ids[n]));
        namespace.parent = draft.parent.map(|p| ids[p]);
        snapshot.namespaces.insert(ids[n], namespace);
    }
    snapshot
}

fn id(n: u32, draft: &Draft) -> NsId {
    let key = match draft.inode {
        Some(ino) => NsKey::Inode { dev: 0, ino },
        None => NsKey::Unseen(n),
    };
    NsId { host: HostId(0), key }
}

/// The host: where the script ran, else the only namespace that others are inside of and that is
/// inside of none.
fn viewer(drafts: &[Draft]) -> Option<usize> {
    let own = drafts.iter().position(|d| d.about.own);
    let holds = |n: usize| drafts.iter().any(|d| d.parent == Some(n));
    let mut outermost = (0..drafts.len()).filter(|n| drafts[*n].parent.is_none() && holds(*n));
    let only = outermost.next().filter(|_| outermost.next().is_none());
    own.or(only).or((drafts.len() == 1).then_some(0))
}

struct Maker<'a> {
    draft: &'a Draft,
    ids: &'a [NsId],
    drafts: &'a [Draft],
}

impl Maker<'_> {
    fn namespace(&self, n: usize, is_host: bool) -> Namespace {
        let draft = self.draft;
        let mut ns = Namespace::new(self.ids[n]);
        self.identity(&mut ns, is_host);
        let (sysctls, all_settings) = sysctl::of_namespace(&draft.settings);
        ns.sysctls = sysctls;
        for part in draft.links.values() {
            let link = self.link(part, &ns);
            ns.links.insert(link.index, link);
        }
        ns.addresses = self.addresses();
        ns.routes = self.routes(&ns);
        ns.rules = draft.rules.clone().unwrap_or_else(Rule::defaults);
        ns.neighbours = self.neighbours();
        ns.fdb = self.fdb();
        ns.ruleset.tables = self.tables();
        ns.ipsets.clone_from(&self.draft.ipsets);
        let saved = draft.iptables.iter().any(|(rank, _)| *rank == 3);
        ns.opaque.clone_from(&draft.opaque);
        if !draft.legacy.is_empty() && !saved {
            ns.opaque.push(Opaque::LegacyTables(draft.legacy.clone()));
        }
        let shown = |l: &PartLink| sysctl::shows(&draft.settings, &l.name);
        let all_settings = all_settings && draft.links.values().all(shown);
        ns.gaps = gaps(draft, all_settings, |name| self.master_is_bridge(name));
        ns
    }

    /// Names, processes, files and nsids.
    fn identity(&self, ns: &mut Namespace, is_host: bool) {
        let draft = self.draft;
        let source = if is_host { NameSource::Host } else { NameSource::File };
        ns.names.extend(draft.name().map(|text| Name { text, source }));
        ns.nsids = draft.knows.iter().map(|(nsid, n)| (*nsid, self.ids[*n])).collect();
        // Whoever sees most sees it with the numbers of the outermost.
        let mut rows: Vec<_> = self
            .drafts
            .iter()
            .flat_map(|d| d.rows.iter().map(move |row| (d, row)))
            .filter(|(_, row)| Some(row.inode) == draft.inode)
            .collect();
        rows.sort_by_key(|(d, _)| std::cmp::Reverse(d.rows.len()));
        let own = || draft.rows.iter().find(|r| Some(r.inode) == draft.inode).and_then(|r| r.pid);
        let inner = draft.about.inner_pid.filter(|_| !draft.about.own).or_else(own);
        if let Some((_, row)) = rows.first() {
            ns.owner.uid = row.user.as_deref().and_then(uid);
            if let Some(pid) = row.pid {
                ns.processes.push(Process {
                    pid,
                    inner_pid: inner.unwrap_or(pid),
                    comm: row.command.as_deref().map(comm).unwrap_or_default(),
                    uid: ns.owner.uid.unwrap_or(0),
                });
                ns.found.push(Found::Process);
            }
        } else if let Some(pid) = draft.about.pid {
            ns.owner.uid = draft.about.uid;
            ns.processes.push(Process {
                pid,
                inner_pid: draft.about.inner_pid.unwrap_or(pid),
                comm: draft.about.comm.clone().unwrap_or_default(),
                uid: draft.about.uid.unwrap_or(0),
            });
            ns.found.push(Found::Process);
        }
        /// Uids from here on are given to containers in user namespaces of their own.
        const FIRST_SUBORDINATE: u32 = 65536;
        ns.owner.unprivileged = ns.owner.uid.is_some_and(|uid| uid >= FIRST_SUBORDINATE);
        for (seen_by, row) in &rows {
            let file = row
                .file
                .as_ref()
                .map(|path| NsFile { path: path.clone(), seen_in: self.place_of(seen_by) });
            ns.files.extend(file.filter(|f| !ns.files.contains(f)));
        }
    }

    fn place_of(&self, draft: &Draft) -> Option<NsId> {
        let at = self.drafts.iter().position(|d| std::ptr::eq(d, draft))?;
        Some(self.ids[at])
    }

    fn link(&self, part: &PartLink, ns: &Namespace) -> Link {
        let draft = self.draft;
        let index = part.index.unwrap_or(0);
        let kind = self.kind(part);
        let master = part.master.as_deref().and_then(|m| draft.index_of(m));
        let usual = InetConf { ..ns.sysctls.default };
        let state = part.state.unwrap_or_default();
        Link {
            index,
            name: part.name.clone(),
            altnames: part.altnames.clone(),
            alias: part.alias.clone(),
            mac: part.mac.filter(|_| !part.loopback),
            mtu: part.mtu.unwrap_or(if part.loopback { 65536 } else { 1500 }),
            flags: part.flags.unwrap_or_else(|| flags_by(state, part.loopback)),
            promiscuous: part.promiscuous,
            state,
            txqlen: part.txqlen.unwrap_or(0),
            group: part.group,
            queues: part.qdisc.as_deref().and_then(Queue::of_kind).into_iter().collect(),
            qdisc: part.qdisc.clone().unwrap_or_default(),
            master,
            port: self.port(part),
            member: member(part),
            relation: self.relation(part, &kind),
            kind,
            inet: Some(sysctl::conf(&draft.settings, &part.name, usual).0),
            inet6: None,
            xdp: part.xdp,
            tc: draft.filtered.contains(&part.name).then(|| Box::new(Tc::not_shown())),
        }
    }

    /// What it is: as `-d` says, else as follows from what else is shown.
    fn kind(&self, part: &PartLink) -> LinkKind {
        if part.loopback {
            return LinkKind::Loopback;
        }
        if let Some((kind, words)) = &part.kind {
            return kind::told(kind, words, |name| self.draft.index_of(name));
        }
        let draft = self.draft;
        let index = part.index.unwrap_or(0);
        let paired = draft.peers.contains_key(&index) || self.peer_here(part).is_some();
        let qdisc = part.qdisc.as_deref().unwrap_or("noqueue");
        match &part.at {
            _ if paired => LinkKind::Veth,
            _ if self.is_bridge(&part.name) => LinkKind::Bridge(Bridge::default()),
            // With -d, a link without a kind is a driver's own.
            None if part.detailed => LinkKind::Physical,
            // A driver's own device queues; before it was ever up, it shows "noop".
            None if qdisc != "noqueue" => LinkKind::Physical,
            _ => LinkKind::Other("kind not shown".to_owned()),
        }
    }

    /// Something is a port of it, by links, ports or its table.
    fn is_bridge(&self, name: &str) -> bool {
        let draft = self.draft;
        let other = |p: &PartLink| p.slave.as_ref().is_some_and(|(kind, _)| kind != "bridge");
        let ports = draft.links.values().filter(|p| p.master.as_deref() == Some(name));
        let mut ports = ports.peekable();
        let by_links = ports.peek().is_some() && !ports.any(other);
        by_links
            || draft.ports.iter().any(|p| p.bridge.as_deref() == Some(name))
            || draft.fdb.iter().any(|e| e.bridge.as_deref() == Some(name))
    }

    /// The other end of a pair that lies within this namespace.
    fn peer_here(&self, part: &PartLink) -> Option<u32> {
        self.draft.peer_here(part)
    }

    fn port(&self, part: &PartLink) -> Option<model::BridgePort> {
        let master = part.master.as_deref()?;
        match &part.slave {
            Some((kind, words)) if kind == "bridge" => return Some(of_words(words)),
            Some(_) => return None,
            None => {}
        }
        let told = self.draft.ports.iter().filter(|p| p.name == part.name);
        match told.max_by_key(|p| p.detailed) {
            Some(port) => Some(port.port.clone()),
            None => self.master_is_bridge(master).then(model::BridgePort::default),
        }
    }

    fn master_is_bridge(&self, master: &str) -> bool {
        let index = self.draft.index_of(master);
        let link = index.and_then(|i| self.draft.links.get(&i));
        match link.and_then(|l| l.kind.as_ref()) {
            Some((kind, _)) => kind == "bridge",
            None => self.is_bridge(master),
        }
    }

    fn relation(&self, part: &PartLink, kind: &LinkKind) -> Relation {
        let draft = self.draft;
        let index = part.index.unwrap_or(0);
        let at = |n: usize, index| LinkId { ns: self.ids[n], index };
        let own = self.drafts.iter().position(|d| std::ptr::eq(d, draft)).unwrap_or(0);
        if let Some((n, other)) = draft.peers.get(&index) {
            return Relation::Peer(at(*n, *other));
        }
        if let Some(other) = self.peer_here(part) {
            return Relation::Peer(at(own, other));
        }
        let far = match &part.far {
            Some(Far::NsId(id)) => Some(*id),
            Some(Far::Name(_)) => Some(-1),
            None => None,
        };
        let there = far.and_then(|id| draft.knows.get(&u32::try_from(id).ok()?)).copied();
        let stacks = kind.is_stacked();
        match (&part.at, far, there) {
            (Some(At::Index(i)), Some(_), Some(n)) if stacks => Relation::Lower(at(n, *i)),
            (Some(_), Some(id), _) => Relation::Unresolved(id),
            (Some(At::Index(_)), None, _) => Relation::Unresolved(-1),
            (Some(At::Name(name)), None, _) => match draft.index_of(name) {
                Some(lower) => Relation::Lower(at(own, lower)),
                None => Relation::Unresolved(-1),
            },
            (None, ..) => {
                let dev = part
                    .kind
                    .as_ref()
                    .and_then(|(_, words)| after(words, "dev").or_else(|| after(words, "link")));
                let lower = dev.and_then(|d| draft.index_of(d));
                lower.map_or(Relation::None, |i| Relation::Lower(at(own, i)))
            }
        }
    }

    fn addresses(&self) -> Vec<Address> {
        let mut found: Vec<Address> = Vec::new();
        // What tells the scope tells the rest, too.
        let mut parts: Vec<&PartAddress> = self.draft.addresses.iter().collect();
        parts.sort_by_key(|a| a.scope.is_none());
        for part in parts {
            let Some(link) = self.draft.index_of(&part.link) else { continue };
            if found.iter().any(|a| a.link == link && a.net == part.net) {
                continue;
            }
            let loopback = self.draft.links.get(&link).is_some_and(|l| l.loopback);
            let usual = if loopback { Scope::Host } else { Scope::Global };
            let local = matches!(part.net.addr(), IpAddr::V6(ip) if ip.is_unicast_link_local());
            found.push(Address {
                link,
                net: part.net,
                peer: part.peer,
                broadcast: part.broadcast,
                scope: part.scope.unwrap_or(if local { Scope::Link } else { usual }),
                secondary: part.secondary,
                label: part.label.clone(),
                flags: part.flags,
            });
        }
        found.sort_by_key(|a| (a.net.addr().is_ipv6(), a.link));
        found
    }

    /// Of each table, the routes of the output that tells most of it.
    fn routes(&self, ns: &Namespace) -> Vec<Route> {
        let mut outputs: Vec<_> = self.draft.routes.iter().collect();
        outputs.sort_by_key(|o| std::cmp::Reverse(o.rank));
        let mut done: Vec<(u32, bool)> = Vec::new();
        let mut all = false;
        let mut routes = Vec::new();
        for output in outputs {
            let six = output.routes.iter().any(|r| r.route.dst.addr().is_ipv6());
            let table = output.table.unwrap_or(TABLE_MAIN);
            if all || done.contains(&(table, six)) {
                continue;
            }
            all |= output.table.is_none();
            done.push((table, six));
            routes.extend(output.routes.iter().filter_map(|r| self.route(r)));
        }
        let shown = |r: &Route| r.table == TABLE_LOCAL && r.dst.addr().is_ipv4();
        if !routes.iter().any(shown) {
            routes.extend(local_routes(ns));
        }
        routes
    }

    fn route(&self, part: &PartRoute) -> Option<Route> {
        let mut route = part.route.clone();
        for hop in &part.hops {
            route.nexthops.push(self.hop(hop)?);
        }
        Some(route)
    }

    fn hop(&self, hop: &PartHop) -> Option<Nexthop> {
        let link = match &hop.dev {
            Some(name) => self.draft.index_of(name)?,
            None => return None,
        };
        Some(Nexthop {
            gateway: hop.gateway,
            link,
            weight: hop.weight.max(1),
            onlink: hop.onlink,
            dead: hop.dead,
            linkdown: hop.linkdown,
        })
    }

    fn neighbours(&self) -> Vec<Neighbour> {
        let mut found: Vec<Neighbour> = Vec::new();
        for part in &self.draft.neighbours {
            let Some(link) = self.draft.index_of(&part.dev) else { continue };
            if found.iter().any(|n| n.link == link && n.ip == part.ip && n.proxy == part.proxy) {
                continue;
            }
            let (ip, mac, state, proxy) = (part.ip, part.mac, part.state, part.proxy);
            found.push(Neighbour { link, ip, mac, state, proxy });
        }
        found
    }

    fn fdb(&self) -> Vec<FdbEntry> {
        let mut found: Vec<FdbEntry> = Vec::new();
        for part in &self.draft.fdb {
            let Some(link) = self.draft.index_of(&part.dev) else { continue };
            let named = part.bridge.as_deref().and_then(|b| self.draft.index_of(b));
            let entry = FdbEntry {
                link,
                master: named,
                mac: part.mac,
                vlan: part.vlan,
                local: part.permanent && !part.own,
                is_static: part.is_static || (part.permanent && part.own),
                own: part.own,
                locked: false,
                age: part.age,
                remote: part.remote.map(model::Remote::new),
            };
            if !found.contains(&entry) {
                found.push(entry);
            }
        }
        found
    }

    /// iptables' own words over nft's for the same table.
    fn tables(&self) -> Vec<Table> {
        let mut tables: Vec<Table> = Vec::new();
        let mut own: Vec<_> = self.draft.iptables.iter().collect();
        own.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
        for table in own.into_iter().map(|(_, table)| table).chain(&self.draft.nft) {
            if !tables.iter().any(|t| t.family == table.family && t.name == table.name) {
                tables.push(table.clone());
            }
        }
        tables
    }

    /// nsids that lead nowhere here.
    fn warnings(&self, ns: NsId) -> Vec<Warning> {
        let known = |id: &u32| self.draft.knows.contains_key(id);
        let mut open: Vec<u32> = self.draft.nsids.iter().map(|(id, _)| *id).collect();
        open.retain(|id| !known(id));
        open.dedup();
        let text = |id: u32| format!("nothing shows which namespace its nsid {id} is");
        open.into_iter().map(|id| Warning { ns: Some(ns), text: text(id) }).collect()
    }
}

/// Flags where only `ip -br addr` tells of a link.
fn flags_by(state: OperState, loopback: bool) -> LinkFlags {
    let kind = if loopback { LinkFlags::LOOPBACK } else { LinkFlags::BROADCAST };
    match state {
        OperState::Up | OperState::Unknown => {
            kind | LinkFlags::UP | LinkFlags::LOWER_UP | LinkFlags::RUNNING
        }
        _ => kind,
    }
}

/// Table `local` as the kernel makes it of addresses.
fn local_routes(ns: &Namespace) -> Vec<Route> {
    let mut routes = Vec::new();
    for address in &ns.addresses {
        let IpNet::V4(net) = address.net else { continue };
        let Some(link) = ns.links.get(&address.link).filter(|l| l.is_up()) else { continue };
        let own = IpNet::from(IpAddr::V4(net.addr()));
        let made = |dst: IpNet, kind, scope| Route {
            table: TABLE_LOCAL,
            protocol: Protocol::Kernel,
            scope,
            prefsrc: Some(IpAddr::V4(net.addr())),
            nexthops: vec![Nexthop::new(address.link, None)],
            ..blank(dst, kind)
        };
        if matches!(link.kind, LinkKind::Loopback) && net.prefix_len() < 32 {
            routes.push(made(IpNet::V4(net.trunc()), RouteKind::Local, Scope::Host));
        }
        routes.push(made(own, RouteKind::Local, Scope::Host));
        if net.prefix_len() < 31 {
            let last = address.broadcast.unwrap_or_else(|| Ipv4Net::broadcast(&net));
            let last = IpNet::from(IpAddr::V4(last));
            routes.push(made(last, RouteKind::Broadcast, Scope::Link));
        }
    }
    routes
}

fn uid(user: &str) -> Option<u32> {
    if user == "root" { Some(0) } else { user.parse().ok() }
}

/// A command line's program, as `comm` has it.
fn comm(command: &str) -> String {
    let program = command.split_whitespace().next().unwrap_or_default();
    program.rsplit('/').next().unwrap_or(program).chars().take(15).collect()
}
