//! Networks for tests, as text: a line per thing.
//!
//! ```text
//! ns NAME [in PARENT] [pid N] [unprivileged] [forward] [viewer]
//! bridge NS:NAME [ADDRESS…] [down]
//! nic NS:NAME [@MASTER] [ADDRESS…] [down]
//! veth NS:NAME[@MASTER] NS:NAME[@MASTER] [down]
//! macvlan NS:NAME[@MASTER] NS:LOWER
//! vlan NS:NAME[@MASTER] NS:LOWER ID
//! vxlan NS:NAME NS:LOWER VNI
//! bond NS:NAME[@MASTER]
//! vrf NS:NAME TABLE
//! wireguard NS:NAME
//! kind NS:NAME KIND
//! addr NS:NAME ADDRESS…
//! index NS:NAME N        (for the links that follow: N, N+1, …)
//! route NS DESTINATION [via GATEWAY] dev LINK
//! nsid NS N TARGET
//! masquerade NS SUBNET ! BRIDGE
//! dnat NS PORT ADDRESS:PORT
//! neigh NS:LINK ADDRESS MAC
//! fdb NS:PORT MAC
//! listen NS PORT PID COMM
//! container NS ENGINE NAME [id ID] [image IMAGE] [publish PORT:PORT] [on NETWORK]
//! network NS ENGINE NAME LINK SUBNET
//! engine NS ENGINE NAME     (its best name)
//! ```

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use model::{
    Address, AddressFlags, BaseChain, Bond, BondMode, BondOption, BondPort, Bridge, BridgePort,
    BridgeVlan, Chain, CmpOp, Compat, Container, Engine, Expr, Family, FdbEntry, Group, Hook,
    InetConf, Link, LinkFlags, LinkId, LinkKind, Listener, Mac, Macvlan, MdbEntry, Member, MetaKey,
    Name, NameSource, Namespace, Neighbour, NeighbourState, Network, Nexthop, NftRule, NsId,
    OperState, PayloadBase, Policy, Preference, Process, Protocol, Publish, Reg, Relation, Route,
    RouteKind, RouteMetrics, Rule, Scope, Snapshot, Table, Teller, Vlan, Vrf, Vxlan, Xt, XtInfo,
    XtNatRange,
};

/// The network that the text describes. Panics where it does not understand: it is for tests.
pub(crate) fn network(text: &str) -> Snapshot {
    let mut net = Net { snapshot: Snapshot::default(), next: 2 };
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "ns" => net.ns(&words[1..]),
            "bridge" => net.bridge(&words[1..]),
            "nic" => net.nic(&words[1..]),
            "veth" => net.veth(&words[1..]),
            "macvlan" => net.stacked(words[1], words[2], LinkKind::Macvlan(Macvlan::default())),
            "vxlan" => {
                let vni = words[3].parse().unwrap();
                let kind = LinkKind::Vxlan(Vxlan { vni, port: 4789, ..Vxlan::default() });
                net.stacked(words[1], words[2], kind);
            }
            "vlan" => {
                let vlan = Vlan { id: words[3].parse().unwrap(), protocol: 0x8100 };
                net.stacked(words[1], words[2], LinkKind::Vlan(vlan));
            }
            "bond" => {
                let mut bond = Bond::of_mode(BondMode::ActiveBackup);
                bond.options.set(BondOption::Miimon, 100);
                net.add(words[1], LinkKind::Bond(bond));
            }
            "vrf" => {
                let table = words[2].parse().unwrap();
                net.add(words[1], LinkKind::Vrf(Vrf { table }));
            }
            "wireguard" => _ = net.add(words[1], LinkKind::Wireguard(None)),
            "kind" => _ = net.add(words[1], LinkKind::Other(words[2].to_owned())),
            "addr" => net.addresses(words[1], &words[2..]),
            "index" => net.next = words[1].parse().unwrap(),
            "route" => net.route(&words[1..]),
            "nsid" => net.nsid(&words[1..]),
            "masquerade" => net.masquerade(&words[1..]),
            "dnat" => net.dnat(&words[1..]),
            "neigh" => net.neighbour(&words[1..]),
            "fdb" => net.fdb(&words[1..]),
            "filter" => net.filter(words[1]),
            "in-vlan" => net.in_vlan(&words[1..]),
            "wants" => net.wants(&words[1..]),
            "listen" => net.listen(&words[1..]),
            "container" => net.container(&words[1..]),
            "network" => net.network(&words[1..]),
            "engine" => net.engine(&words[1..]),
            other => panic!("{other}: not a word of this language"),
        }
    }
    for ns in net.snapshot.namespaces.values_mut() {
        for conf in ns.links.values_mut().filter_map(|l| l.inet.as_mut()) {
            conf.forwarding = ns.sysctls.ip_forward;
        }
    }
    net.snapshot
}

/// The id of the namespace of that name.
pub(crate) fn id(snapshot: &Snapshot, name: &str) -> NsId {
    snapshot.resolve_ns(name).unwrap()
}

/// The id of a link.
pub(crate) fn link(snapshot: &Snapshot, name: &str) -> LinkId {
    match snapshot.resolve(name).unwrap() {
        model::Target::Link(l) => l,
        model::Target::Namespace(_) => panic!("{name} is no link"),
    }
}

struct Net {
    snapshot: Snapshot,
    next: u32,
}

impl Net {
    fn id(&self, name: &str) -> NsId {
        self.snapshot.namespaces.values().find(|n| n.name() == name).expect(name).id
    }

    fn at(&mut self, name: &str) -> &mut Namespace {
        let id = self.id(name);
        self.snapshot.namespaces.get_mut(&id).unwrap()
    }

    fn ns(&mut self, words: &[&str]) {
        let number = self.snapshot.namespaces.len() as u64;
        let mut ns = Namespace::new(NsId::inode(4_026_532_000 + number));
        ns.names.push(Name { text: words[0].into(), source: NameSource::Lab("test".into()) });
        ns.sysctls.default_ttl = 64;
        ns.sysctls.bridge_nf_call_iptables = Some(true);
        ns.rules = Rule::defaults();
        ns.owner.uid = Some(0);
        let mut pid = 1000 + 10 * u32::try_from(number).unwrap();
        let mut rest = words[1..].iter();
        while let Some(word) = rest.next() {
            match *word {
                "in" => ns.parent = Some(self.id(rest.next().unwrap())),
                "pid" => pid = rest.next().unwrap().parse().unwrap(),
                "unprivileged" => (ns.owner.unprivileged, ns.owner.uid) = (true, Some(100_000)),
                "forward" => ns.sysctls.ip_forward = true,
                "viewer" => {
                    self.snapshot.viewer = Some(ns.id);
                    ns.names[0].source = NameSource::Host;
                }
                other => panic!("{other}?"),
            }
        }
        ns.found.push(model::Found::Process);
        ns.processes.push(Process { pid, inner_pid: 1, comm: "sh".into(), uid: 0 });
        let mut lo = link_of(1, "lo", LinkKind::Loopback);
        lo.flags |= LinkFlags::LOOPBACK;
        lo.mtu = 65536;
        ns.links.insert(1, lo);
        self.snapshot.namespaces.insert(ns.id, ns);
    }

    fn add(&mut self, name: &str, kind: LinkKind) -> LinkId {
        let (name, master) = name.split_once('@').map_or((name, None), |(n, m)| (n, Some(m)));
        let (ns, name) = name.split_once(':').unwrap();
        let index = self.next;
        self.next += 1;
        let ns = self.at(ns);
        let mut link = link_of(index, name, kind);
        if let Some(master) = master {
            let master = ns.link_named(master).expect(master);
            link.master = Some(master.index);
            match &master.kind {
                LinkKind::Bridge(_) => link.port = Some(BridgePort::default()),
                LinkKind::Vrf(v) => link.member = Some(Member::Vrf { table: v.table }),
                LinkKind::Bond(_) => {
                    let backup = ns.members(master.index).next().is_some();
                    let port = BondPort { backup, ..BondPort::default() };
                    link.member = Some(Member::Bond(port));
                }
                other => link.member = Some(Member::Other(other.as_str().to_owned())),
            }
        }
        ns.links.insert(index, link);
        LinkId { ns: ns.id, index }
    }

    fn rest(&mut self, name: &str, words: &[&str]) {
        let name = name.split('@').next().unwrap();
        let (down, addresses): (Vec<&str>, Vec<&str>) = words.iter().partition(|w| **w == "down");
        self.addresses(name, &addresses);
        if !down.is_empty() {
            let (ns, name) = name.split_once(':').unwrap();
            let ns = self.at(ns);
            let link = ns.links.values_mut().find(|l| l.name == name).unwrap();
            link.flags.remove(LinkFlags::UP | LinkFlags::LOWER_UP);
            link.state = OperState::Down;
        }
    }

    fn bridge(&mut self, words: &[&str]) {
        self.add(words[0], LinkKind::Bridge(Bridge::default()));
        self.rest(words[0], &words[1..]);
    }

    fn nic(&mut self, words: &[&str]) {
        let (name, rest) = match words.get(1).filter(|w| w.starts_with('@')) {
            Some(master) => (format!("{}{master}", words[0]), &words[2..]),
            None => (words[0].to_owned(), &words[1..]),
        };
        self.add(&name, LinkKind::Physical);
        self.rest(&name, rest);
    }

    fn veth(&mut self, words: &[&str]) {
        let a = self.add(words[0], LinkKind::Veth);
        let b = self.add(words[1], LinkKind::Veth);
        for (from, to) in [(a, b), (b, a)] {
            let ns = self.snapshot.namespaces.get_mut(&from.ns).unwrap();
            ns.links.get_mut(&from.index).unwrap().relation = Relation::Peer(to);
        }
        self.rest(words[0], &words[2..]);
    }

    fn stacked(&mut self, name: &str, lower: &str, kind: LinkKind) {
        let lower = link(&self.snapshot, lower);
        let id = self.add(name, kind);
        let ns = self.snapshot.namespaces.get_mut(&id.ns).unwrap();
        ns.links.get_mut(&id.index).unwrap().relation = Relation::Lower(lower);
    }

    fn addresses(&mut self, name: &str, words: &[&str]) {
        let (ns, name) = name.split_once(':').unwrap();
        let ns = self.at(ns);
        let index = ns.link_named(name).unwrap().index;
        for word in words {
            ns.addresses.push(Address {
                link: index,
                net: word.parse().unwrap(),
                peer: None,
                broadcast: None,
                scope: Scope::Global,
                secondary: false,
                flags: AddressFlags::empty(),
                label: None,
            });
        }
    }

    fn route(&mut self, words: &[&str]) {
        let after = |w: &str| words.iter().position(|x| *x == w).map(|n| words[n + 1]);
        let ns = self.at(words[0]);
        let dst = if words[1] == "default" { "0.0.0.0/0" } else { words[1] };
        let link = ns.link_named(after("dev").unwrap()).unwrap().index;
        let gateway = after("via").map(|g| g.parse().unwrap());
        let scope = if gateway.is_some() { Scope::Global } else { Scope::Link };
        ns.routes.push(Route {
            table: 254,
            dst: dst.parse::<IpNet>().unwrap(),
            kind: RouteKind::Unicast,
            protocol: if gateway.is_some() { Protocol::Boot } else { Protocol::Kernel },
            scope,
            prefsrc: after("src").map(|s| s.parse().unwrap()),
            metric: 0,
            tos: 0,
            nexthops: vec![Nexthop::new(link, gateway)],
            metrics: RouteMetrics::default(),
            nexthop_id: None,
            preference: Preference::Medium,
        });
    }

    fn nsid(&mut self, words: &[&str]) {
        let target = self.id(words[2]);
        self.at(words[0]).nsids.insert(words[1].parse().unwrap(), target);
    }

    /// `iptables -t nat -A POSTROUTING -s SUBNET ! -o BRIDGE -j MASQUERADE`.
    fn masquerade(&mut self, words: &[&str]) {
        let net: ipnet::Ipv4Net = words[1].parse().unwrap();
        let bytes = usize::from(net.prefix_len()) / 8;
        let mut bridge = words[3].as_bytes().to_vec();
        bridge.push(0);
        let reg = Reg(1);
        let rule = NftRule {
            handle: 7,
            exprs: vec![
                Expr::Payload {
                    base: PayloadBase::Network,
                    offset: 12,
                    len: u32::try_from(bytes).unwrap(),
                    dreg: reg,
                },
                Expr::Cmp {
                    sreg: reg,
                    op: CmpOp::Eq,
                    data: net.network().octets()[..bytes].to_vec(),
                },
                Expr::Meta { key: MetaKey::OifName, dreg: reg },
                Expr::Cmp { sreg: reg, op: CmpOp::Neq, data: bridge },
                Expr::Counter { packets: 0, bytes: 0 },
                Expr::Target(Xt {
                    name: "MASQUERADE".into(),
                    revision: 0,
                    info: XtInfo::Nat(XtNatRange::default()),
                }),
            ],
            compat: Some(Compat::default()),
            userdata: Vec::new(),
        };
        self.nat(words[0], "POSTROUTING", Hook::Postrouting, 100, rule);
    }

    /// `iptables -t nat -A PREROUTING -p tcp --dport PORT -j DNAT --to-destination ADDRESS:PORT`.
    fn dnat(&mut self, words: &[&str]) {
        let port: u16 = words[1].parse().unwrap();
        let to: std::net::SocketAddrV4 = words[2].parse().unwrap();
        let reg = Reg(1);
        let range = XtNatRange {
            addr: Some(((*to.ip()).into(), (*to.ip()).into())),
            port: Some((to.port(), to.port())),
            flags: 3,
            ..XtNatRange::default()
        };
        let rule = NftRule {
            handle: 8,
            exprs: vec![
                Expr::Meta { key: MetaKey::L4proto, dreg: reg },
                Expr::Cmp { sreg: reg, op: CmpOp::Eq, data: vec![6] },
                Expr::Payload { base: PayloadBase::Transport, offset: 2, len: 2, dreg: reg },
                Expr::Cmp { sreg: reg, op: CmpOp::Eq, data: port.to_be_bytes().to_vec() },
                Expr::Target(Xt { name: "DNAT".into(), revision: 2, info: XtInfo::Nat(range) }),
            ],
            compat: Some(Compat::default()),
            userdata: Vec::new(),
        };
        self.nat(words[0], "PREROUTING", Hook::Prerouting, -100, rule);
    }

    fn nat(&mut self, ns: &str, chain: &str, hook: Hook, priority: i32, rule: NftRule) {
        let ns = self.at(ns);
        if ns.ruleset.tables.is_empty() {
            ns.ruleset.tables.push(Table::new(Family::Ip, "nat"));
        }
        let chains = &mut ns.ruleset.tables[0].chains;
        if !chains.iter().any(|c| c.name == chain) {
            chains.push(Chain {
                name: chain.into(),
                base: Some(BaseChain {
                    hook,
                    priority,
                    kind: "nat".into(),
                    policy: Policy::Accept,
                    devices: Vec::new(),
                }),
                rules: Vec::new(),
            });
        }
        chains.iter_mut().find(|c| c.name == chain).unwrap().rules.push(rule);
    }

    fn neighbour(&mut self, words: &[&str]) {
        let id = link(&self.snapshot, words[0]);
        self.space(id.ns).neighbours.push(Neighbour {
            link: id.index,
            ip: words[1].parse().unwrap(),
            mac: Some(words[2].parse().unwrap()),
            state: NeighbourState::Reachable,
            proxy: false,
        });
    }

    fn fdb(&mut self, words: &[&str]) {
        let id = link(&self.snapshot, words[0]);
        let master = self.snapshot.link(id).unwrap().master;
        self.space(id.ns).fdb.push(FdbEntry {
            link: id.index,
            master,
            mac: words[1].parse().unwrap(),
            vlan: None,
            local: false,
            is_static: false,
            own: false,
            locked: false,
            age: Some(3),
            remote: None,
        });
    }

    fn listen(&mut self, words: &[&str]) {
        let pid = words[2].parse().unwrap();
        let process = Process { pid, inner_pid: pid, comm: words[3].into(), uid: 0 };
        self.at(words[0]).listeners.push(Listener {
            protocol: 6,
            ip: Ipv4Addr::UNSPECIFIED.into(),
            port: words[1].parse().unwrap(),
            uid: 0,
            inode: u64::from(pid),
            processes: vec![process],
        });
    }

    fn container(&mut self, words: &[&str]) {
        let mut container = Container::new(engine(words[1]), words[2], Teller::Files);
        container.names.push((words[2].into(), Teller::Files));
        for pair in words[3..].chunks(2) {
            match pair {
                ["id", id] => container.id = (*id).into(),
                ["image", image] => container.image = Some((*image).into()),
                ["on", network] => container.networks.push((*network).into()),
                ["publish", ports] => {
                    let (host, port) = ports.split_once(':').unwrap();
                    let [host_port, port] = [host, port].map(|p| p.parse().unwrap());
                    let protocol = "tcp".into();
                    container.publishes.push(Publish { protocol, host: None, host_port, port });
                }
                other => panic!("{other:?}"),
            }
        }
        self.at(words[0]).containers.push(container);
    }

    fn network(&mut self, words: &[&str]) {
        let network = Network {
            engine: engine(words[1]),
            name: words[2].into(),
            id: "c0ffee".repeat(10),
            driver: "bridge".into(),
            link: Some(words[3].into()),
            subnets: vec![words[4].parse().unwrap()],
            told_by: Teller::Files,
        };
        self.at(words[0]).networks.push(network);
    }

    fn engine(&mut self, words: &[&str]) {
        let source = NameSource::Engine(engine(words[1]), Teller::Files);
        self.at(words[0]).names.insert(0, Name { text: words[2].into(), source });
    }

    fn filter(&mut self, name: &str) {
        let LinkId { ns, index } = link(&self.snapshot, name);
        let link = self.space(ns).links.get_mut(&index).unwrap();
        let LinkKind::Bridge(bridge) = &mut link.kind else { panic!("{name}: no bridge") };
        bridge.vlan_filtering = true;
    }

    fn in_vlan(&mut self, words: &[&str]) {
        let LinkId { ns, index } = link(&self.snapshot, words[0]);
        let (pvid, untagged) = (words.contains(&"pvid"), words.contains(&"untagged"));
        let vlan = BridgeVlan { link: index, id: words[1].parse().unwrap(), pvid, untagged };
        self.space(ns).vlans.push(vlan);
    }

    fn wants(&mut self, words: &[&str]) {
        let LinkId { ns, index: port } = link(&self.snapshot, words[0]);
        let bridge = self.space(ns).links[&port].master.unwrap_or(port);
        let group = Group::Ip(words[1].parse().unwrap());
        let permanent = words.contains(&"permanent");
        let entry = MdbEntry { bridge, port, group, source: None, vlan: 0, permanent };
        self.space(ns).mdb.push(entry);
    }

    fn space(&mut self, id: NsId) -> &mut Namespace {
        self.snapshot.namespaces.get_mut(&id).unwrap()
    }
}

fn engine(name: &str) -> Engine {
    let all = [Engine::Docker, Engine::Podman, Engine::Containerd, Engine::Lxc, Engine::Proxmox];
    all.into_iter().find(|e| e.as_str() == name).expect(name)
}

fn link_of(index: u32, name: &str, kind: LinkKind) -> Link {
    Link {
        mac: Some(Mac([2, 0, 0, 0, u8::try_from(index >> 8).unwrap(), (index & 255) as u8])),
        mtu: 1500,
        flags: LinkFlags::UP | LinkFlags::LOWER_UP | LinkFlags::RUNNING,
        state: OperState::Up,
        txqlen: 1000,
        group: Some(0),
        qdisc: "noqueue".into(),
        queues: Vec::new(),
        inet: Some(InetConf::default()),
        ..Link::new(index, name, kind)
    }
}

/// The network that one person found, with the values of their outputs.
pub(crate) const SEED: &str = "
    ns pve1 pid 1
    ns docker01 in pve1 pid 1329130 unprivileged forward
    ns alpine01 in docker01 pid 1461368 unprivileged
    index 2
    bridge pve1:vmbr0 192.168.10.41/24
    nic pve1:enp1s0 @vmbr0
    nic pve1:wlo1 down
    index 54
    bridge pve1:fwbr111i0
    veth pve1:fwpr111p0@vmbr0 pve1:fwln111i0@fwbr111i0
    veth docker01:eth0 pve1:veth111i0@fwbr111i0
    index 65
    bridge docker01:docker0 172.17.0.1/16
    veth alpine01:eth0 docker01:vethc52438e@docker0
    addr docker01:eth0 192.168.10.103/24
    addr alpine01:eth0 172.17.0.2/16
    route pve1 default via 192.168.10.1 dev vmbr0
    route pve1 192.168.10.0/24 dev vmbr0 src 192.168.10.41
    route docker01 default via 192.168.10.1 dev eth0
    route docker01 172.17.0.0/16 dev docker0 src 172.17.0.1
    route docker01 192.168.10.0/24 dev eth0 src 192.168.10.103
    route alpine01 default via 172.17.0.1 dev eth0
    route alpine01 172.17.0.0/16 dev eth0 src 172.17.0.2
    masquerade docker01 172.17.0.0/16 ! docker0
    nsid pve1 0 docker01
    nsid docker01 0 pve1
    nsid docker01 1 alpine01
    nsid alpine01 0 docker01
";

#[allow(dead_code, reason = "traces need it")]
pub(crate) const fn ip(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}
