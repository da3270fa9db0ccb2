//! What Docker 26 makes: a bridge per network, and for each container a pair whose end is moved
//! into it. Names, order, addresses as in moby's libnetwork (drivers/bridge, ipams, osl).

use std::collections::{BTreeMap, HashSet};
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use model::{AddressSpec, BridgeSpec, Fact, LinkRef, LinkSpec, LinkSpecKind, Scope, VethEnd};

use super::{Making, proxmox};
use crate::error::{Errors, Problem, nearest};
use crate::file::{DockerGuest, DockerHost, Lab, NetworkEntry, Publish, Space};
use crate::node::{At, Said};
use crate::stable;

/// Docker hosts by namespace.
pub(super) type Hosts = BTreeMap<String, Host>;

/// The networks of a Docker host, worked out.
#[derive(Debug, Default)]
pub(super) struct Host {
    pub(super) nets: Vec<Network>,
}

/// A network.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) at: At,
    pub(super) name: String,
    pub(super) bridge: String,
    pub(super) subnet: Ipv4Net,
    pub(super) gateway: Ipv4Addr,
    mtu: Option<u32>,
    pub(super) endpoints: Vec<Endpoint>,
    /// Addresses that no container gets by itself: the gateway's, those given, those asked for.
    taken: HashSet<Ipv4Addr>,
}

/// A container's place in a network.
#[derive(Debug)]
pub(super) struct Endpoint {
    guest: String,
    /// Its name in the container.
    link: String,
    pub(super) ip: Ipv4Addr,
    /// Name of the host's end.
    veth: String,
    /// Ports published by it.
    pub(super) publish: Vec<Said<Publish>>,
}

/// Works out the networks of every Docker host: names, subnets, addresses.
pub(super) fn resolve(lab: &Lab, spaces: &[&Space], errors: &mut Errors) -> Hosts {
    let mut hosts = Hosts::new();
    for space in spaces {
        // The space is behind its parent, whose networks are known by now.
        if let (Some(guest), Some(parent)) = (&space.docker_guest, &space.inside) {
            attach(lab, space, guest, &parent.what, &mut hosts, errors);
        } else if let Some(guest) = &space.docker_guest {
            let (of, key) = (format!("the container {}", space.name), "inside");
            let why = "it names the Docker host";
            errors.push(guest.at, Problem::MissingKey { of, key, why });
        }
        if let Some(host) = &space.docker_host {
            let seen = on_link(space, &hosts);
            hosts.insert(space.name.clone(), networks(lab, space, host, seen, errors));
        }
    }
    check_ports(spaces, &hosts, errors);
    hosts
}

/// The networks that Docker sees as on-link in its own namespace: those it does not take.
fn on_link(space: &Space, hosts: &Hosts) -> Vec<(String, Ipv4Net)> {
    let mut seen = Vec::new();
    let mut add = |name: &str, net: IpNet| {
        if let IpNet::V4(net) = net {
            seen.push((name.to_owned(), net.trunc()));
        }
    };
    for link in &space.links {
        link.addresses.iter().for_each(|a| add(&link.name, a.what.net));
    }
    for net in space.proxmox.iter().flat_map(|p| &p.nets) {
        net.what.ip.iter().for_each(|ip| add(&net.what.name, IpNet::V4(*ip)));
    }
    for route in space.routes.iter().filter(|r| r.what.via.is_none()) {
        add("a route", route.what.to);
    }
    for net in hosts.values().flat_map(|h| &h.nets) {
        for end in net.endpoints.iter().filter(|e| e.guest == space.name) {
            add(&end.link, IpNet::V4(net.subnet));
        }
    }
    seen
}

fn networks(
    lab: &Lab,
    space: &Space,
    host: &DockerHost,
    seen: Vec<(String, Ipv4Net)>,
    errors: &mut Errors,
) -> Host {
    let default =
        NetworkEntry { at: host.at, name: "bridge".to_owned(), ..NetworkEntry::default() };
    let own = host.networks.iter().find(|n| n.name == "bridge");
    let entries = std::iter::once(own.unwrap_or(&default))
        .chain(host.networks.iter().filter(|n| n.name != "bridge"));
    let entries: Vec<&NetworkEntry> = entries.collect();
    let said: Vec<Ipv4Net> =
        entries.iter().filter_map(|e| e.subnet.as_ref().map(|s| s.what)).collect();
    let mut taken = seen;
    let mut nets = Vec::new();
    for entry in entries {
        if let Some(net) = network(lab, space, entry, &taken, &said, errors) {
            taken.push((format!("the network {:?}", net.name), net.subnet));
            nets.push(net);
        }
    }
    Host { nets }
}

fn network(
    lab: &Lab,
    space: &Space,
    entry: &NetworkEntry,
    taken: &[(String, Ipv4Net)],
    said: &[Ipv4Net],
    errors: &mut Errors,
) -> Option<Network> {
    let subnet = match &entry.subnet {
        Some(subnet) => {
            let other = taken.iter().find(|(_, net)| overlap(*net, subnet.what));
            if let Some((b, _)) = other {
                let (ns, a, b) = (space.name.clone(), entry.name.clone(), b.clone());
                let subnet_text = subnet.what.to_string();
                errors.push(subnet.at, Problem::SubnetOverlap { ns, a, b, subnet: subnet_text });
                return None;
            }
            subnet.what
        }
        None => {
            let free = |net: &Ipv4Net| {
                !taken.iter().map(|(_, n)| n).chain(said).any(|other| overlap(*other, *net))
            };
            let Some(subnet) = pools().into_iter().find(free) else {
                let (ns, network) = (space.name.clone(), entry.name.clone());
                errors.push(entry.at, Problem::NoPool { ns, network });
                return None;
            };
            subnet
        }
    };
    let first = Ipv4Addr::from(u32::from(subnet.network()).wrapping_add(1));
    let gateway = entry.gateway.as_ref().map_or(first, |g| g.what);
    if let Some(said) = entry.gateway.as_ref().filter(|g| !is_host(subnet, g.what)) {
        let (address, network) = (said.what.to_string(), entry.name.clone());
        let subnet = subnet.to_string();
        errors.push(said.at, Problem::NotInSubnet { address, network, subnet });
    }
    let usual = match entry.name.as_str() {
        "bridge" => "docker0".to_owned(),
        name => format!("br-{}", stable::hex(&[&lab.name, &space.name, "network", name], 12)),
    };
    Some(Network {
        at: entry.at,
        name: entry.name.clone(),
        bridge: entry.bridge.as_ref().map_or(usual, |b| b.what.clone()),
        subnet,
        gateway,
        mtu: entry.mtu,
        endpoints: Vec::new(),
        taken: asked_for(lab, &space.name, &entry.name).chain([gateway]).collect(),
    })
}

/// Docker's own pools: 172.17/16 to 172.31/16, then 192.168/16 in pieces of /20.
fn pools() -> Vec<Ipv4Net> {
    let large = (17..=31).map(|n| Ipv4Net::new_assert(Ipv4Addr::new(172, n, 0, 0), 16));
    let small = (0..=240).step_by(16);
    let small = small.map(|n| Ipv4Net::new_assert(Ipv4Addr::new(192, 168, n, 0), 20));
    large.chain(small).collect()
}

fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    // A default route is on-link nowhere.
    a.prefix_len() > 0
        && b.prefix_len() > 0
        && (a.contains(&b.network()) || b.contains(&a.network()))
}

fn is_host(subnet: Ipv4Net, ip: Ipv4Addr) -> bool {
    subnet.contains(&ip) && ip != subnet.network() && ip != subnet.broadcast()
}

fn attach(
    lab: &Lab,
    space: &Space,
    guest: &DockerGuest,
    parent: &str,
    hosts: &mut Hosts,
    errors: &mut Errors,
) {
    let Some(host) = hosts.get_mut(parent) else {
        let (ns, parent) = (space.name.clone(), parent.to_owned());
        return errors.push(guest.at, Problem::NoDockerHost { ns, parent });
    };
    for (k, name) in guest.networks.iter().enumerate() {
        let Some(at) = host.nets.iter().position(|n| n.name == name.what) else {
            let nearest = nearest(&name.what, host.nets.iter().map(|n| n.name.as_str()));
            let (parent, name_text) = (parent.to_owned(), name.what.clone());
            errors.push(name.at, Problem::NoDockerNetwork { parent, name: name_text, nearest });
            continue;
        };
        let net = &mut host.nets[at];
        let said = guest.ip.as_ref().filter(|_| k == 0);
        let Some(ip) = address(net, said, name.at, errors) else { continue };
        net.taken.insert(ip);
        let draw = || format!("veth{}", stable::hex(&[&lab.name, &space.name, &name.what], 7));
        let veth = guest.veth.as_ref().filter(|_| k == 0).map_or_else(draw, |v| v.what.clone());
        net.endpoints.push(Endpoint {
            guest: space.name.clone(),
            link: format!("eth{k}"),
            ip,
            veth,
            publish: if k == 0 { guest.publish.clone() } else { Vec::new() },
        });
    }
}

/// Addresses that containers ask for, wherever they stand in the file.
fn asked_for<'l>(
    lab: &'l Lab,
    parent: &'l str,
    network: &'l str,
) -> impl Iterator<Item = Ipv4Addr> + use<'l> {
    let inside = move |s: &&Space| s.inside.as_ref().is_some_and(|i| i.what == parent);
    let asks = lab.spaces.iter().filter(inside).filter_map(|s| s.docker_guest.as_ref());
    asks.filter(move |g| g.networks.first().is_some_and(|n| n.what == network))
        .filter_map(|g| g.ip.as_ref().map(|ip| ip.what))
}

/// The address asked for, or the lowest free one.
fn address(
    net: &Network,
    said: Option<&Said<Ipv4Addr>>,
    at: At,
    errors: &mut Errors,
) -> Option<Ipv4Addr> {
    let (network, subnet) = (net.name.clone(), net.subnet.to_string());
    let Some(said) = said else {
        let found = net.subnet.hosts().find(|ip| !net.taken.contains(ip));
        if found.is_none() {
            errors.push(at, Problem::SubnetFull { network, subnet });
        }
        return found;
    };
    let address = said.what.to_string();
    if !is_host(net.subnet, said.what) {
        errors.push(said.at, Problem::NotInSubnet { address, network, subnet });
        return None;
    }
    let holder = (said.what == net.gateway).then(|| "gateway".to_owned()).or_else(|| {
        let other = net.endpoints.iter().find(|e| e.ip == said.what)?;
        Some(format!("address of {}", other.guest))
    });
    if let Some(what) = holder {
        errors.push(said.at, Problem::AddressTaken { address, what, network });
        return None;
    }
    Some(said.what)
}

/// One port of a Docker host can be published once per address and protocol.
fn check_ports(spaces: &[&Space], hosts: &Hosts, errors: &mut Errors) {
    for (parent, host) in hosts {
        let mut seen: Vec<&Said<Publish>> = Vec::new();
        for end in host.nets.iter().flat_map(|n| &n.endpoints) {
            for said in &end.publish {
                let p = said.what;
                let clash = |q: &&&Said<Publish>| {
                    let q = q.what;
                    (q.host, q.udp) == (p.host, p.udp)
                        && (q.ip.is_none() || p.ip.is_none() || q.ip == p.ip)
                };
                if let Some(first) = seen.iter().find(clash) {
                    let port = format!("{}/{}", p.host, if p.udp { "udp" } else { "tcp" });
                    let (ns, parent) = (end.guest.clone(), parent.clone());
                    let first = first.at.line;
                    errors.push(said.at, Problem::PortTwice { ns, port, parent, first });
                }
                seen.push(said);
            }
        }
    }
    debug_assert!(spaces.len() >= hosts.len(), "each host is a namespace");
}

impl<'l> Making<'l> {
    /// The bridges of a Docker host.
    pub(super) fn docker_networks(&mut self, space: &'l Space, host: &Host) {
        for net in &host.nets {
            let link = LinkRef::new(&space.name, &net.bridge);
            let mut pins = self.pins(&link);
            let drawn = || stable::mac_with(&[0x02, 0x42], &[&self.lab.name, &link.ns, &link.name]);
            pins.mac = Some(pins.mac.unwrap_or_else(drawn));
            pins.txqlen = pins.txqlen.or(Some(0));
            pins.mtu = pins.mtu.or(net.mtu);
            let kind = LinkSpecKind::Bridge(BridgeSpec::default());
            self.tell(net.at, Fact::Link(LinkSpec { link: link.clone(), kind, pins }));
            self.link_settings(&link);
            let key = format!("net/ipv6/conf/{}/accept_ra", link.name);
            self.setting(net.at, &link.ns, &key, "0");
            let ip = Ipv4Net::new_assert(net.gateway, net.subnet.prefix_len());
            self.tell(net.at, Fact::Address(with_broadcast(&link, ip)));
            if let Some(entry) = self.entry(&link) {
                self.addresses(entry, &link);
            }
            self.up(net.at, &link);
        }
    }

    /// What a container starts with. ping_group_range needs gid 2147483647, which no unprivileged
    /// container has.
    pub(super) fn docker_settings(&mut self, space: &'l Space) {
        self.setting(space.at, &space.name, "net/ipv4/ip_unprivileged_port_start", "0");
        let mut at = Some(space);
        let mut privileged = !self.lab.rootless;
        while let Some(s) = at {
            privileged &= !s.unprivileged;
            at = s.inside.as_ref().and_then(|i| self.spaces.get(i.what.as_str()).copied());
        }
        if privileged {
            self.setting(space.at, &space.name, "net/ipv4/ping_group_range", "0 2147483647");
        }
    }

    /// A container's links: made in the host, put onto the bridge, then moved.
    pub(super) fn docker_guest(&mut self, space: &'l Space, guest: &DockerGuest, hosts: &Hosts) {
        let Some(parent) = &space.inside else { return };
        let Some(host) = hosts.get(&parent.what) else { return };
        let draw = || stable::hex(&[&self.lab.name, &space.name, "sandbox"], 12);
        let file = guest.file.as_ref().map_or_else(draw, |f| f.what.clone());
        let path = format!("/run/docker/netns/{file}");
        let (ns, target) = (parent.what.clone(), space.name.clone());
        self.tell(guest.at, Fact::NsFile { ns, path, target });
        let mut ends: Vec<(&Network, &Endpoint)> = host
            .nets
            .iter()
            .flat_map(|n| n.endpoints.iter().map(move |e| (n, e)))
            .filter(|(_, e)| e.guest == space.name)
            .collect();
        ends.sort_by(|a, b| a.1.link.cmp(&b.1.link));
        for (net, end) in ends {
            self.endpoint(guest.at, &parent.what, net, end);
        }
    }

    fn endpoint(&mut self, at: At, host: &str, net: &Network, end: &Endpoint) {
        let outer = LinkRef::new(host, &end.veth);
        let inner = LinkRef::new(&end.guest, &end.link);
        let mut outer_pins = self.drawn(&outer);
        outer_pins.txqlen = outer_pins.txqlen.or(Some(0));
        outer_pins.mtu = outer_pins.mtu.or(net.mtu);
        let mut inner_pins = self.pins(&inner);
        // The kernel heeds the one only with the other; they are born one after the other.
        outer_pins.index = outer_pins.index.or(inner_pins.index.map(|i| i + 1));
        let [a, b, c, d] = end.ip.octets();
        inner_pins.mac = inner_pins.mac.or(Some(model::Mac([0x02, 0x42, a, b, c, d])));
        inner_pins.txqlen = inner_pins.txqlen.or(Some(0));
        inner_pins.mtu = inner_pins.mtu.or(net.mtu);
        let born = stable::hex(&[&self.lab.name, &end.guest, &net.name, "born"], 7);
        let born_as = Some(format!("veth{born}"));
        let far = VethEnd { link: inner.clone(), pins: inner_pins, born_as };
        let kind = LinkSpecKind::Veth(far);
        self.tell(at, Fact::Link(LinkSpec { link: outer.clone(), kind, pins: outer_pins }));
        self.link_settings(&outer);
        self.master(at, &outer, &net.bridge);
        self.up(at, &outer);
        self.link_settings(&inner);
        let key = format!("net/ipv6/conf/{}/disable_ipv6", inner.name);
        self.setting(at, &inner.ns, &key, "1");
        let ip = Ipv4Net::new_assert(end.ip, net.subnet.prefix_len());
        self.tell(at, Fact::Address(with_broadcast(&inner, ip)));
        if let Some(entry) = self.entry(&inner) {
            self.addresses(entry, &inner);
        }
        self.up(at, &inner);
        if end.link == "eth0" {
            let default = Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0);
            self.tell(at, Fact::Route(proxmox::route(&inner, default, Some(net.gateway))));
        }
    }
}

fn with_broadcast(link: &LinkRef, ip: Ipv4Net) -> AddressSpec {
    AddressSpec {
        link: link.clone(),
        net: IpNet::V4(ip),
        broadcast: Some(ip.broadcast()),
        scope: Scope::Global,
        no_prefix_route: false,
    }
}
