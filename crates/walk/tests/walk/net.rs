//! Networks as text, a line for a thing: words as `ip` and `iptables` have them.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use model::*;

use crate::iptables;

/// Builds a Snapshot. Links and addresses bring the kernel's own routes and local FDB entries.
pub(crate) fn net(text: &str) -> Snapshot {
    let mut net = Net::default();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        net.line(&words).unwrap_or_else(|| panic!("cannot read {line:?}"));
    }
    net.snapshot
}

#[derive(Default)]
struct Net {
    snapshot: Snapshot,
    macs: u8,
}

impl Net {
    fn line(&mut self, words: &[&str]) -> Option<()> {
        match words {
            ["ns", name, flags @ ..] => self.ns(name, flags),
            ["link", link, kind, rest @ ..] => self.link(link, kind, rest),
            ["veth", a, b, rest @ ..] => self.veth(a, b, rest),
            ["port", port, bridge, flags @ ..] => self.port(port, bridge, flags),
            ["remote", link, mac, ip] => {
                let id = link_id(&self.snapshot, link);
                let remote = Some(Remote::new(ip.parse().ok()?));
                self.fdb(link, mac)?;
                let entry = self.snapshot.namespaces.get_mut(&id.ns)?.fdb.last_mut()?;
                (entry.own, entry.is_static, entry.age) = (true, true, None);
                entry.remote = remote;
                Some(())
            }
            ["wireguard", link, key, port] => self.wireguard(link, key, port),
            ["peer", link, key, endpoint, nets @ ..] => self.peer(link, key, endpoint, nets),
            ["preshared", link, key] => {
                let key = wireguard_key(key)?;
                let peers = &mut self.own_of(link)?.peers;
                peers.iter_mut().find(|p| p.public_key == key)?.preshared = true;
                Some(())
            }
            ["handshake", link, key, seconds] => {
                let (key, taken) = (wireguard_key(key)?, self.snapshot.taken);
                let peers = &mut self.own_of(link)?.peers;
                let peer = peers.iter_mut().find(|p| p.public_key == key)?;
                peer.handshake = Some(taken - seconds.parse::<u64>().ok()?);
                Some(())
            }
            // The namespace that its socket is in; -: not found.
            ["socket", link, ns] => {
                let found = (*ns != "-").then(|| id(&self.snapshot, ns));
                self.own_of(link)?.socket = found;
                Some(())
            }
            ["on", upper, lower] => {
                let lower = link_id(&self.snapshot, lower);
                self.link_mut(upper).relation = Relation::Lower(lower);
                Some(())
            }
            ["vlan", link, id, flags @ ..] => {
                let of = link_id(&self.snapshot, link);
                let (pvid, untagged) = (flags.contains(&"pvid"), flags.contains(&"untagged"));
                let vlan = BridgeVlan { link: of.index, id: id.parse().ok()?, pvid, untagged };
                self.snapshot.namespaces.get_mut(&of.ns)?.vlans.push(vlan);
                Some(())
            }
            ["tc", link, side, filter @ ..] => self.filter(link, side, &filter.join(" ")),
            ["group", link, group] => {
                let of = link_id(&self.snapshot, link);
                let groups = &mut self.snapshot.namespaces.get_mut(&of.ns)?.groups;
                groups.push((of.index, group.parse().ok()?));
                Some(())
            }
            ["mdb", port, group] => {
                let of = link_id(&self.snapshot, port);
                let ns = self.snapshot.namespaces.get_mut(&of.ns)?;
                let bridge = ns.links[&of.index].master.unwrap_or(of.index);
                let group = Group::Ip(group.parse().ok()?);
                let (source, vlan, permanent) = (None, 0, true);
                ns.mdb.push(MdbEntry { bridge, port: of.index, group, source, vlan, permanent });
                Some(())
            }
            ["router", port] => {
                let of = link_id(&self.snapshot, port);
                let ns = self.snapshot.namespaces.get_mut(&of.ns)?;
                let bridge = ns.links[&of.index].master?;
                let port = RouterPort { bridge, port: of.index, ipv4: true, ipv6: true };
                ns.router_ports.push(port);
                Some(())
            }
            ["addr", link, net] => self.address(link, net),
            ["route", ns, rest @ ..] => self.route(ns, rest),
            ["rule", ns, priority, rest @ ..] => self.rule(ns, priority, rest),
            ["member", link, vrf] => self.member(link, vrf),
            ["neigh", link, ip, rest @ ..] => self.neighbour(link, ip, rest),
            ["fdb", port, mac] => self.fdb(port, mac),
            ["set", what, key, value] => self.set(what, key, value),
            ["iptables", ns, rest @ ..] => {
                let id = id(&self.snapshot, ns);
                iptables::rule(&mut self.snapshot.namespaces.get_mut(&id)?.ruleset, rest);
                Some(())
            }
            ["opaque", ns, name] => {
                let what = match *name {
                    "xfrm" => Opaque::Xfrm,
                    "ipvs" => Opaque::Ipvs,
                    "cgroup" => Opaque::CgroupBpf("egress 7".to_owned()),
                    "ebtables" => Opaque::LegacyEbtables,
                    "legacy" => Opaque::LegacyTables(vec!["nat".into()]),
                    other => Opaque::Other(other.into()),
                };
                self.get(ns).opaque.push(what);
                Some(())
            }
            ["gap", ns, part] => {
                self.get(ns).gaps.push(Gap::new(part, "EPERM"));
                Some(())
            }
            ["assume", ns, part] => {
                self.get(ns).gaps.push(Gap::assumed(part, "not shown", "the usual"));
                Some(())
            }
            _ => None,
        }
    }

    fn get(&mut self, ns: &str) -> &mut Namespace {
        let id = id(&self.snapshot, ns);
        self.snapshot.namespaces.get_mut(&id).unwrap()
    }

    fn link_mut(&mut self, link: &str) -> &mut Link {
        let id = link_id(&self.snapshot, link);
        self.snapshot.namespaces.get_mut(&id.ns).unwrap().links.get_mut(&id.index).unwrap()
    }

    fn ns(&mut self, name: &str, flags: &[&str]) -> Option<()> {
        let id = NsId::inode(self.snapshot.namespaces.len() as u64 + 1);
        let mut ns = Namespace::new(id);
        ns.names.push(Name { text: name.into(), source: NameSource::File });
        ns.rules = Rule::defaults();
        ns.sysctls.ip_forward = flags.contains(&"forward");
        ns.sysctls.default_ttl = 64;
        ns.sysctls.ipv6_forwarding = flags.contains(&"forward6");
        ns.sysctls.ipv6_proxy_ndp = flags.contains(&"proxyndp");
        ns.sysctls.bridge_nf_call_ip6tables = flags.contains(&"brnf6").then_some(true);
        ns.sysctls.bridge_nf_call_iptables = flags.contains(&"brnf").then_some(true);
        self.snapshot.namespaces.insert(id, ns);
        self.link(&format!("{name}:lo"), "loopback", &[])?;
        self.address(&format!("{name}:lo"), "127.0.0.1/8")
    }

    fn link(&mut self, link: &str, kind: &str, rest: &[&str]) -> Option<()> {
        let (ns, name) = link.split_once(':')?;
        let mut mac = None;
        let mut words = rest.iter();
        let mut flags = LinkFlags::UP | LinkFlags::LOWER_UP | LinkFlags::BROADCAST;
        let mut mtu = if kind == "loopback" { 65536 } else { 1500 };
        while let Some(word) = words.next() {
            match *word {
                "mac" => mac = Some(words.next()?.parse().ok()?),
                "mtu" => mtu = words.next()?.parse().ok()?,
                "down" => flags.remove(LinkFlags::UP | LinkFlags::LOWER_UP),
                "nocarrier" => flags.remove(LinkFlags::LOWER_UP),
                _ => return None,
            }
        }
        self.macs += 1;
        let mac = mac.unwrap_or(Mac([2, 0, 0, 0, 0, self.macs]));
        let ns = self.get(ns);
        let forwarding = ns.sysctls.ip_forward;
        let index = ns.links.len() as u32 + 1;
        let kind = match kind {
            "loopback" => LinkKind::Loopback,
            "nic" => LinkKind::Physical,
            "veth" => LinkKind::Veth,
            "bridge" => LinkKind::Bridge(Bridge::default()),
            "macvlan" => LinkKind::Macvlan(Macvlan::default()),
            "vxlan" => LinkKind::Vxlan(Vxlan::default()),
            "ipvlan" => LinkKind::Ipvlan(Ipvlan::default()),
            "vlan" => LinkKind::Vlan(Vlan { protocol: 0x8100, ..Vlan::default() }),
            "bond" => LinkKind::Bond(Bond::default()),
            "vrf" => LinkKind::Vrf(Vrf { table: 10 }),
            "wireguard" => LinkKind::Wireguard(None),
            "netkit" => LinkKind::Netkit(Netkit::default()),
            "gre" => LinkKind::Tunnel(Tunnel { kind: "gre".into(), ..Default::default() }),
            other => LinkKind::Other(other.into()),
        };
        let mac = if kind == LinkKind::Loopback { Mac([0; 6]) } else { mac };
        ns.links.insert(
            index,
            Link {
                index,
                name: name.into(),
                altnames: Vec::new(),
                alias: None,
                mac: Some(mac),
                mtu,
                flags,
                promiscuous: false,
                state: OperState::Up,
                txqlen: 1000,
                group: Some(0),
                qdisc: "noqueue".into(),
                queues: Vec::new(),
                master: None,
                port: None,
                member: None,
                kind,
                relation: Relation::None,
                inet: Some(InetConf {
                    forwarding,
                    send_redirects: true,
                    shared_media: true,
                    ..InetConf::default()
                }),
                inet6: None,
                xdp: None,
                tc: None,
            },
        );
        Some(())
    }

    fn veth(&mut self, a: &str, b: &str, rest: &[&str]) -> Option<()> {
        let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
        if let [mac_a, mac_b] = rest {
            of_a = vec!["mac", mac_a];
            of_b = vec!["mac", mac_b];
        }
        self.link(a, "veth", &of_a)?;
        self.link(b, "veth", &of_b)?;
        let (a_id, b_id) = (link_id(&self.snapshot, a), link_id(&self.snapshot, b));
        self.link_mut(a).relation = Relation::Peer(b_id);
        self.link_mut(b).relation = Relation::Peer(a_id);
        Some(())
    }

    /// With a key of the same byte again and again, and its socket at home.
    fn wireguard(&mut self, link: &str, key: &str, port: &str) -> Option<()> {
        self.link(link, "wireguard", &["mtu", "1420"])?;
        let id = link_id(&self.snapshot, link);
        let own = Wireguard {
            public_key: Some(wireguard_key(key)?),
            listen_port: port.parse().ok()?,
            socket: Some(id.ns),
            ..Wireguard::default()
        };
        let link = self.link_mut(link);
        link.flags.remove(LinkFlags::BROADCAST);
        link.flags |= LinkFlags::POINTOPOINT | LinkFlags::NOARP;
        (link.mac, link.kind) = (None, LinkKind::Wireguard(Some(Box::new(own))));
        Some(())
    }

    fn own_of(&mut self, link: &str) -> Option<&mut Wireguard> {
        match &mut self.link_mut(link).kind {
            LinkKind::Wireguard(own) => own.as_deref_mut(),
            _ => None,
        }
    }

    fn peer(&mut self, link: &str, key: &str, endpoint: &str, nets: &[&str]) -> Option<()> {
        let mut peer = WireguardPeer::new(wireguard_key(key)?);
        peer.endpoint = endpoint.parse().ok();
        peer.allowed_ips = nets.iter().map(|net| net.parse().ok()).collect::<Option<_>>()?;
        self.own_of(link)?.peers.push(peer);
        Some(())
    }

    fn port(&mut self, port: &str, bridge: &str, flags: &[&str]) -> Option<()> {
        let ns = port.split_once(':')?.0;
        let master = link_id(&self.snapshot, &format!("{ns}:{bridge}")).index;
        let mut p = BridgePort::default();
        for flag in flags {
            match *flag {
                "hairpin" => p.hairpin = true,
                "isolated" => p.isolated = true,
                "noflood" => p.flood = false,
                "nobcast" => p.bcast_flood = false,
                "nolearning" => p.learning = false,
                "locked" => p.locked = true,
                "suppress" => p.neigh_suppress = true,
                "blocking" => p.state = PortState::Blocking,
                "learning" => p.state = PortState::Learning,
                "disabled" => p.state = PortState::Disabled,
                _ => return None,
            }
        }
        let link = self.link_mut(port);
        (link.master, link.port) = (Some(master), Some(p));
        Some(())
    }

    fn address(&mut self, link: &str, net: &str) -> Option<()> {
        let net: Ipv4Net = match net.parse().ok()? {
            IpNet::V4(net) => net,
            IpNet::V6(net) => return self.address6(link, net.into()),
        };
        let id = link_id(&self.snapshot, link);
        let ns = self.snapshot.namespaces.get_mut(&id.ns)?;
        let loopback = ns.links[&id.index].kind == LinkKind::Loopback;
        let up = ns.links[&id.index].is_up();
        let scope = if loopback { Scope::Host } else { Scope::Global };
        ns.addresses.push(Address {
            link: id.index,
            net: net.into(),
            peer: None,
            broadcast: None,
            scope,
            secondary: false,
            flags: AddressFlags::empty(),
            label: None,
        });
        if !up {
            return Some(());
        }
        let ip = IpAddr::V4(net.addr());
        let route = |table, dst: IpNet, kind, scope| Route {
            table,
            dst,
            kind,
            protocol: Protocol::Kernel,
            scope,
            prefsrc: Some(ip),
            metric: 0,
            tos: 0,
            nexthops: vec![hop(None, id.index)],
            metrics: RouteMetrics::default(),
            nexthop_id: None,
            preference: Preference::Medium,
        };
        let all = IpNet::from(net).trunc();
        ns.routes.push(route(TABLE_LOCAL, ip.into(), RouteKind::Local, Scope::Host));
        if loopback {
            ns.routes.push(route(TABLE_LOCAL, all, RouteKind::Local, Scope::Host));
        } else if net.prefix_len() < 32 {
            ns.routes.push(route(TABLE_MAIN, all, RouteKind::Unicast, Scope::Link));
        }
        if net.prefix_len() < 31 {
            let last = IpNet::from(IpAddr::V4(net.broadcast()));
            ns.routes.push(route(TABLE_LOCAL, last, RouteKind::Broadcast, Scope::Link));
        }
        Some(())
    }

    /// With the routes that the kernel makes of it.
    fn address6(&mut self, link: &str, net: IpNet) -> Option<()> {
        let id = link_id(&self.snapshot, link);
        let ns = self.snapshot.namespaces.get_mut(&id.ns)?;
        let near = net.addr().to_string().starts_with("fe80:");
        ns.addresses.push(Address {
            link: id.index,
            net,
            peer: None,
            broadcast: None,
            scope: if near { Scope::Link } else { Scope::Global },
            secondary: false,
            flags: AddressFlags::empty(),
            label: None,
        });
        let route = |table, dst: IpNet, kind, metric| Route {
            table,
            dst,
            kind,
            protocol: Protocol::Kernel,
            scope: Scope::Global,
            prefsrc: None,
            metric,
            tos: 0,
            nexthops: vec![hop(None, id.index)],
            metrics: RouteMetrics::default(),
            nexthop_id: None,
            preference: Preference::Medium,
        };
        ns.routes.push(route(TABLE_LOCAL, net.addr().into(), RouteKind::Local, 0));
        if ns.sysctls.ipv6_forwarding && net.prefix_len() < 127 {
            let anycast = IpNet::from(net.network());
            ns.routes.push(route(TABLE_LOCAL, anycast, RouteKind::Anycast, 0));
        }
        if net.prefix_len() < 128 {
            ns.routes.push(route(TABLE_MAIN, net.trunc(), RouteKind::Unicast, 256));
        }
        Some(())
    }

    fn route(&mut self, ns: &str, words: &[&str]) -> Option<()> {
        let mut words = words.iter().peekable();
        let mut kind = RouteKind::Unicast;
        let mut dst = *words.next()?;
        for (name, k) in [
            ("blackhole", RouteKind::Blackhole),
            ("unreachable", RouteKind::Unreachable),
            ("prohibit", RouteKind::Prohibit),
            ("throw", RouteKind::Throw),
            ("local", RouteKind::Local),
        ] {
            if dst == name {
                (kind, dst) = (k, *words.next()?);
            }
        }
        let dst = if dst == "default" { "0.0.0.0/0" } else { dst };
        let mut route = Route {
            table: TABLE_MAIN,
            dst: dst.parse().ok().or_else(|| Some(IpNet::from(dst.parse::<IpAddr>().ok()?)))?,
            kind,
            protocol: Protocol::Boot,
            scope: Scope::Link,
            prefsrc: None,
            metric: 0,
            tos: 0,
            nexthops: Vec::new(),
            metrics: RouteMetrics::default(),
            nexthop_id: None,
            preference: Preference::Medium,
        };
        let (mut gateway, mut hops) = (None, Vec::new());
        while let Some(word) = words.next() {
            match *word {
                "via" => {
                    gateway = Some(words.next()?.parse().ok()?);
                    route.scope = Scope::Global;
                }
                "dev" => {
                    let link = link_id(&self.snapshot, &format!("{ns}:{}", words.next()?));
                    hops.push(hop(gateway.take(), link.index));
                }
                "src" => route.prefsrc = Some(words.next()?.parse().ok()?),
                "metric" => route.metric = words.next()?.parse().ok()?,
                "mtu" => route.metrics.mtu = Some(words.next()?.parse().ok()?),
                "lock" => route.metrics.mtu_locked = true,
                "advmss" => route.metrics.advmss = Some(words.next()?.parse().ok()?),
                "hoplimit" => route.metrics.hop_limit = Some(words.next()?.parse().ok()?),
                "table" => route.table = words.next()?.parse().ok()?,
                "tos" => route.tos = words.next()?.parse().ok()?,
                "nhid" => route.nexthop_id = Some(words.next()?.parse().ok()?),
                "dead" => hops.last_mut()?.dead = true,
                _ => return None,
            }
        }
        route.nexthops = hops;
        self.get(ns).routes.push(route);
        Some(())
    }

    fn rule(&mut self, ns: &str, priority: &str, words: &[&str]) -> Option<()> {
        let mut rule = Rule { priority: priority.parse().ok()?, ..Rule::default() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "from" => rule.src = Some(words.next()?.parse().ok()?),
                "to" => rule.dst = Some(words.next()?.parse().ok()?),
                "iif" => rule.iif = Some((*words.next()?).into()),
                "fwmark" => rule.mark = Some((words.next()?.parse().ok()?, u32::MAX)),
                "dport" => {
                    let port = words.next()?.parse().ok()?;
                    rule.dport = Some((port, port));
                }
                "not" => rule.invert = true,
                "unknown" => rule.unknown.push((*words.next()?).into()),
                "suppress" => rule.suppress_prefixlength = Some(words.next()?.parse().ok()?),
                "lookup" => rule.action = RuleAction::Table(words.next()?.parse().ok()?),
                "goto" => rule.action = RuleAction::Goto(words.next()?.parse().ok()?),
                "prohibit" => rule.action = RuleAction::Prohibit,
                "l3mdev" => rule.action = RuleAction::Vrf,
                _ => return None,
            }
        }
        let ns = self.get(ns);
        ns.rules.push(rule);
        ns.rules.sort_by_key(|r| r.priority);
        Some(())
    }

    /// A link joins a VRF: its routes go to that one's table.
    fn member(&mut self, link: &str, vrf: &str) -> Option<()> {
        let (id, vrf) = (link_id(&self.snapshot, link), link_id(&self.snapshot, vrf));
        let ns = self.snapshot.namespaces.get_mut(&id.ns)?;
        let table = ns.links[&vrf.index].kind.vrf_table()?;
        let link = ns.links.get_mut(&id.index)?;
        (link.master, link.member) = (Some(vrf.index), Some(Member::Vrf { table }));
        let own = |r: &&mut Route| r.nexthops.iter().any(|hop| hop.link == id.index);
        ns.routes.iter_mut().filter(own).for_each(|route| route.table = table);
        Some(())
    }

    /// A filter of tc behind those that are there, in tc's words.
    fn filter(&mut self, link: &str, side: &str, text: &str) -> Option<()> {
        let id = link_id(&self.snapshot, link);
        let ns = self.snapshot.namespaces.get_mut(&id.ns)?;
        let filter = wire::tc_text::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let named = Tc { ingress: vec![filter], egress: Vec::new() };
        let index = |name: &String| ns.link_named(name).map(|l| l.index);
        let mut filter = named.renamed(index)?.ingress.remove(0);
        let empty = || Box::new(Tc { ingress: Vec::new(), egress: Vec::new() });
        let tc = ns.links.get_mut(&id.index)?.tc.get_or_insert_with(empty);
        let all = if side == "ingress" { &mut tc.ingress } else { &mut tc.egress };
        if filter.priority == 0 {
            filter.priority = u32::try_from(all.len()).ok()? + 1;
        }
        filter.handle = 0x8000_0800;
        all.push(filter);
        Some(())
    }

    fn neighbour(&mut self, link: &str, ip: &str, rest: &[&str]) -> Option<()> {
        let id = link_id(&self.snapshot, link);
        let (mac, state) = match rest {
            [mac] => (Some(mac.parse().ok()?), NeighbourState::Reachable),
            [] => (None, NeighbourState::Failed),
            _ => return None,
        };
        let ns = self.snapshot.namespaces.get_mut(&id.ns)?;
        let ip = ip.parse().ok()?;
        ns.neighbours.push(Neighbour { link: id.index, ip, mac, state, proxy: false });
        Some(())
    }

    fn fdb(&mut self, port: &str, mac: &str) -> Option<()> {
        let id = link_id(&self.snapshot, port);
        let ns = self.snapshot.namespaces.get_mut(&id.ns)?;
        ns.fdb.push(FdbEntry {
            link: id.index,
            master: ns.links[&id.index].master,
            mac: mac.parse().ok()?,
            vlan: None,
            local: false,
            is_static: false,
            own: false,
            locked: false,
            age: Some(3),
            remote: None,
        });
        Some(())
    }

    /// `set NS KEY VALUE` and `set NS:LINK KEY VALUE`.
    fn set(&mut self, what: &str, key: &str, value: &str) -> Option<()> {
        let n: u32 = value.parse().ok()?;
        let on = n != 0;
        if !what.contains(':') {
            let ns = self.get(what);
            match key {
                "rp_filter" => ns.sysctls.all.rp_filter = n as u8,
                "echo_ignore" => ns.sysctls.icmp_echo_ignore_all = on,
                "icmp_messages" => ns.sysctls.icmp_messages = Some(n),
                "icmp_ratelimit" => {
                    let types = IcmpLimit::types_of("3-4,11-12");
                    ns.sysctls.icmp_limit = IcmpLimit { interval: n, types };
                }
                _ => return None,
            }
            return Some(());
        }
        let link = self.link_mut(what);
        let inet = link.inet.as_mut()?;
        match key {
            "forwarding" => inet.forwarding = on,
            "rp_filter" => inet.rp_filter = n as u8,
            "accept_local" => inet.accept_local = on,
            "route_localnet" => inet.route_localnet = on,
            "arp_ignore" => inet.arp_ignore = n as u8,
            "proxy_arp" => inet.proxy_arp = on,
            "xdp" => link.xdp = Some(n),
            "tc" => link.tc = on.then(|| Box::new(Tc::not_shown())),
            "up" => link.flags.set(LinkFlags::UP | LinkFlags::LOWER_UP, on),
            "carrier" => link.flags.set(LinkFlags::LOWER_UP, on),
            "mtu" => link.mtu = n,
            "vni" => {
                let LinkKind::Vxlan(vxlan) = &mut link.kind else { return None };
                vxlan.vni = n;
            }
            "macvlan_mode" => {
                let LinkKind::Macvlan(macvlan) = &mut link.kind else { return None };
                macvlan.mode = *MODES.get(n as usize)?;
            }
            "vlan_filtering" => {
                let LinkKind::Bridge(bridge) = &mut link.kind else { return None };
                bridge.vlan_filtering = on;
            }
            "ipvlan_mode" | "ipvlan_flag" => {
                let LinkKind::Ipvlan(ipvlan) = &mut link.kind else { return None };
                let modes = [IpvlanMode::L2, IpvlanMode::L3, IpvlanMode::L3S];
                let flags = [IpvlanFlag::Bridge, IpvlanFlag::Private, IpvlanFlag::Vepa];
                match key {
                    // Mode l2 has ARP.
                    "ipvlan_mode" => {
                        ipvlan.mode = *modes.get(n as usize)?;
                        link.flags.set(LinkFlags::NOARP, on);
                    }
                    _ => ipvlan.flag = *flags.get(n as usize)?,
                }
            }
            "vlan_id" => {
                let LinkKind::Vlan(vlan) = &mut link.kind else { return None };
                vlan.id = n.try_into().ok()?;
            }
            "querier" | "query_response" | "igmp" | "querier_seen" | "querier_new" => {
                let LinkKind::Bridge(bridge) = &mut link.kind else { return None };
                match key {
                    "querier" => bridge.multicast_querier = on,
                    "querier_seen" => bridge.querier_seen = on,
                    "querier_new" => bridge.querier_new = on,
                    "igmp" => bridge.igmp_version = n as u8,
                    _ => bridge.query_response_interval = n,
                }
            }
            "nf_call" => {
                let LinkKind::Bridge(bridge) = &mut link.kind else { return None };
                bridge.nf_call_iptables = on;
            }
            "master" => (link.master, link.port) = (on.then_some(n), None),
            _ => return None,
        }
        Some(())
    }
}

/// By number: private, vepa, bridge, passthru, source.
const MODES: [MacvlanMode; 5] = [
    MacvlanMode::Private,
    MacvlanMode::Vepa,
    MacvlanMode::Bridge,
    MacvlanMode::Passthru,
    MacvlanMode::Source,
];

fn hop(gateway: Option<IpAddr>, link: u32) -> Nexthop {
    Nexthop { gateway, link, weight: 1, onlink: false, dead: false, linkdown: false }
}

/// The namespace of that name.
pub(crate) fn id(snapshot: &Snapshot, name: &str) -> NsId {
    let mut all = snapshot.namespaces.values();
    all.find(|n| n.names[0].text == name).unwrap_or_else(|| panic!("no namespace {name}")).id
}

/// The link `NS:LINK`.
pub(crate) fn link_id(snapshot: &Snapshot, link: &str) -> LinkId {
    let (ns, name) = link.split_once(':').expect("NS:LINK");
    let ns = id(snapshot, ns);
    let found = snapshot.namespaces[&ns].link_named(name);
    LinkId { ns, index: found.unwrap_or_else(|| panic!("no link {link}")).index }
}

/// An IPv4 address.
pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an IPv4 address")
}

/// A key that is the same byte again and again.
fn wireguard_key(byte: &str) -> Option<WireguardKey> {
    Some(WireguardKey([byte.parse().ok()?; 32]))
}
