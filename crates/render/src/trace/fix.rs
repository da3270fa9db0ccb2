use std::net::IpAddr;

use ipnet::IpNet;
use model::{Expr, Link, LinkId, NsId, Route, Snapshot, WireguardKey};
use walk::{ChainRef, Change, Ip, Loss, Packet, Reason, RuleRef, Then, Trace};

use super::{because, place, unknown};
use crate::words as w;

/// What to do about a lost packet, and how sure that is.
#[derive(Clone, Debug)]
pub(crate) struct Fix {
    /// Commands where there are some, else what a person has to do; each is needed after the one
    /// before it.
    pub(crate) steps: Vec<String>,
    /// It was walked again with that: it gets further.
    pub(crate) proved: bool,
    /// Where and why it would be lost then, or that this cannot be told. None: it passes, if proved.
    pub(crate) then: Option<String>,
}

impl Fix {
    /// As the last lines of a trace.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        let first = if self.proved { "to fix" } else { "to try" };
        let words = std::iter::once(first).chain(std::iter::repeat("and then"));
        let mut lines: Vec<_> = words.zip(self.steps.iter().cloned()).collect();
        lines.extend(self.then.clone().map(|then| ("with that", then)));
        lines
    }
}

/// What to do: the changes with which a walk comes through or further; where nothing is known to be
/// changed, words.
pub(crate) fn fix(snapshot: &Snapshot, trace: &Trace) -> Fix {
    let words = |change: &Change| command(snapshot, change);
    let unproved = |steps: Vec<String>| Fix { steps, proved: false, then: None };
    let Some((loss, way)) = trace.loss() else { return unproved(Vec::new()) };
    let candidates = trace.candidates(snapshot);
    let advice = || advice(snapshot, loss.root(), way.last_packet());
    match trace.mend(snapshot) {
        Some(mend) if !mend.changes.is_empty() => {
            let then = match &mend.then {
                Then::Passes => None,
                Then::Lost(loss, packet) => {
                    let why = because(snapshot, loss, packet);
                    Some(format!("lost at {}: {why}", place(snapshot, loss)))
                }
                Then::Unknown(what) => {
                    let (place, why) = unknown(snapshot, what);
                    Some(format!("unknown at {place}: {why}"))
                }
            };
            let steps = mend.changes.iter().map(words).collect();
            Fix { steps, proved: true, then }
        }
        // What was tried and does not help is not offered.
        Some(_) if !candidates.is_empty() => unproved(Vec::new()),
        Some(_) => unproved(advice().into_iter().collect()),
        None => unproved(candidates.first().map(words).or_else(advice).into_iter().collect()),
    }
}

/// The command that makes a change.
pub(crate) fn command(s: &Snapshot, change: &Change) -> String {
    let of = |ns: NsId, command: String| format!("nestwork exec {} {command}", ns_name(s, ns));
    let at = |link: &LinkId, command: String| of(link.ns, command);
    let name = |link: &LinkId| link_name(s, *link);
    match change {
        Change::Forward(ns, Ip::V4) => of(*ns, "sysctl -w net.ipv4.ip_forward=1".into()),
        Change::Forward(ns, Ip::V6) => of(*ns, "sysctl -w net.ipv6.conf.all.forwarding=1".into()),
        Change::LoosePath(l) => at(l, format!("sysctl -w net.ipv4.conf.{}.rp_filter=2", name(l))),
        Change::RouteLocalnet(l) => {
            at(l, format!("sysctl -w net.ipv4.conf.{}.route_localnet=1", name(l)))
        }
        Change::AnswerEcho(ns, Ip::V4) => {
            of(*ns, "sysctl -w net.ipv4.icmp_echo_ignore_all=0".into())
        }
        Change::AnswerEcho(ns, Ip::V6) => {
            of(*ns, "sysctl -w net.ipv6.icmp.echo_ignore_all=0".into())
        }
        Change::Up(l) => at(l, format!("ip link set {} up", name(l))),
        Change::Mtu(l, mtu) => at(l, format!("ip link set {} mtu {mtu}", name(l))),
        Change::Port(l, bridge) => {
            let bridge = link_name(s, LinkId { ns: l.ns, index: *bridge });
            at(l, format!("ip link set {} master {bridge}", name(l)))
        }
        Change::Hairpin(l) => at(l, format!("bridge link set dev {} hairpin on", name(l))),
        Change::Connect(l) => at(l, format!("bridge link set dev {} isolated off", name(l))),
        Change::Unblock(l) => at(l, format!("bridge link set dev {} state 3", name(l))),
        Change::DropAddress(l, net) => at(l, format!("ip addr del {net} dev {}", name(l))),
        Change::DefaultRoute(ns, gateway, link) => {
            let dev = link_name(s, LinkId { ns: *ns, index: *link });
            let six = if gateway.is_ipv6() { "-6 " } else { "" };
            of(*ns, format!("ip {six}route replace default via {gateway} dev {dev}"))
        }
        Change::DropRoute(ns, route) => of(*ns, drop_route(route)),
        Change::DropRule(ns, rule) => of(*ns, format!("ip rule del pref {}", rule.priority)),
        Change::Delete(rule) => of(rule.chain.ns, delete_rule(s, rule)),
        Change::Accept(chain, from, to) => of(chain.ns, accept(s, chain, *from, *to)),
        Change::Masquerade(source, l) => {
            let dev = name(l);
            let iptables = iptables(source.is_ipv6());
            at(l, format!("{iptables} -t nat -A POSTROUTING -s {source} -o {dev} -j MASQUERADE"))
        }
    }
}

/// `ip route del`, with what tells it from others to the same place.
fn drop_route(route: &Route) -> String {
    let table = match route.table {
        model::TABLE_MAIN => String::new(),
        other => format!(" table {}", w::table(other)),
    };
    let six = if route.dst.addr().is_ipv6() { "-6 " } else { "" };
    format!("ip {six}route del {}{table}", w::prefix(&route.dst))
}

/// What a person has to do, where no change is known that could be tried.
fn advice(snapshot: &Snapshot, loss: &Loss, packet: &Packet) -> Option<String> {
    let ns = ns_name(snapshot, loss.ns);
    let link = loss.link.map_or_else(|| "LINK".to_owned(), |l| link_name(snapshot, l));
    let here = |command: String| format!("nestwork exec {ns} {command}");
    Some(match &loss.reason {
        Reason::NoRoute(ip) => here(format!("ip route add {ip} via GATEWAY dev LINK")),
        Reason::DeadEnd { ip } => here(format!("ip addr add {ip}/PREFIX dev {link}")),
        Reason::NoCarrier => format!("plug in what {link} is to be connected to"),
        Reason::NoNeighbour { ip, .. } if is_gateway(snapshot, loss.ns, *ip) => {
            here(format!("ip route replace default via GATEWAY dev {link}"))
        }
        Reason::NoNeighbour { ip, .. } => {
            format!("give {ip} to a link that {ns}:{link} reaches, and bring it up")
        }
        Reason::DuplicateAddress { ip, .. } => format!("give {ip} to one link only"),
        Reason::TtlExpired => "send it with a larger time to live, if its way is no circle".into(),
        Reason::NotWanted(group) => {
            here(format!("bridge mdb add dev {link} port PORT grp {group} permanent"))
        }
        Reason::NotMember(group) => format!("have a process join {group} on {link}"),
        Reason::NotInVlan { port, id: Some(id) } => {
            let own = snapshot.link(*port).is_some_and(|l| l.port.is_none());
            let own = if own { " self" } else { "" };
            here(format!("bridge vlan add dev {} vid {id}{own}", link_name(snapshot, *port)))
        }
        Reason::NotInVlan { port, id: None } => {
            let port = link_name(snapshot, *port);
            here(format!("bridge vlan add dev {port} vid VLAN pvid untagged"))
        }
        Reason::NoVlanLink { id } => {
            here(format!("ip link add link {link} name {link}.{id} type vlan id {id}"))
        }
        Reason::NoPort => here(format!("ip link set LINK master {link}")),
        Reason::NotOurMac(_) => here(format!("ip link set {link} master BRIDGE")),
        Reason::WrongPlace { .. } => {
            format!("give {} to one namespace only, or translate it on its way", packet.dst)
        }
        Reason::AnswerMismatch { .. } => {
            "let the answer pass where its packet was translated, so that it is translated back"
                .into()
        }
        Reason::NoSource => "give the link that it is sent by an address".into(),
        Reason::MasqueradeMoved { from } => {
            let (src, from) = (packet.src, link_name(snapshot, *from));
            here(format!("iptables -t nat -I POSTROUTING -s {src} -o {from} -j ACCEPT"))
        }
        Reason::RedirectPastNat => {
            "nothing: who was to be told must not get past the translation".into()
        }
        Reason::NoMasqueradeAddress => here(format!("ip addr add ADDRESS/LENGTH dev {link}")),
        Reason::NoWayBack { src } => {
            let iptables = iptables(src.is_ipv6());
            here(format!("{iptables} -t nat -A POSTROUTING -s {src} -o {link} -j MASQUERADE"))
        }
        Reason::Martian if packet.is_ipv6() => {
            format!("send it with another address than {} → {}", packet.src, packet.dst)
        }
        Reason::PortLocked(p) => {
            let (mac, port) = (packet.src_mac.unwrap_or_default(), link_name(snapshot, *p));
            here(format!("bridge fdb replace {mac} dev {port} master static"))
        }
        Reason::Swallowed => format!("send it by another link than {link}"),
        Reason::NotFromTheLink { .. } => "leave the hop limit of neighbour discovery at 255".into(),
        Reason::StandsBy => here(format!("ip link set BOND type bond active_slave {link}")),
        Reason::NoRemote => {
            here(format!("bridge fdb append 00:00:00:00:00:00 dev {link} dst REMOTE"))
        }
        Reason::NoTunnelRoute { because, .. } => return advice(snapshot, because, packet),
        Reason::TunnelLoop => format!("give {link} a remote that is reached by another link"),
        Reason::NoTunnelEnd { id, port, .. } => {
            let kind = format!("type vxlan id {id} dstport {port}");
            here(format!("ip link add NAME up {kind} remote {}", packet.src))
        }
        Reason::NoPeer(ip) => {
            format!("add {ip} to the allowed ips of the peer of {link} that has it")
        }
        Reason::NoEndpoint { peer } => {
            here(format!("wg set {link} peer {peer} endpoint ADDRESS:PORT"))
        }
        Reason::NoPrivateKey => here(format!("wg set {link} private-key FILE")),
        Reason::NoHandshake { because: Some(because), .. } => {
            return advice(snapshot, because, packet);
        }
        Reason::NoWireguard { port } => {
            here(format!("wg set LINK listen-port {port}; ip link set LINK up"))
        }
        Reason::OtherKey { key: Some(key), .. } => {
            format!("let its sender know {link} by the key {key}")
        }
        Reason::StrangePeer { peer } => {
            here(format!("wg set {link} peer {peer} allowed-ips {}", IpNet::from(packet.src)))
        }
        Reason::PresharedKey { peer } => {
            here(format!("wg set {link} peer {peer} preshared-key FILE"))
        }
        Reason::SourceNotAllowed { peer, src, .. } => here(format!(
            "wg set {link} peer {peer} allowed-ips {}",
            allowed(snapshot, loss, *peer, *src)
        )),
        Reason::RemoteFixed { mac } => here(format!("bridge fdb del {mac} dev {link}")),
        Reason::Ipv6Disabled => match loss.link.and_then(|l| snapshot.link(l)) {
            Some(l) if l.mtu < 1280 => here(format!("ip link set {link} mtu 1280")),
            _ => here(format!("sysctl -w net.ipv6.conf.{link}.disable_ipv6=0")),
        },
        Reason::BeyondScope => format!("send it from a global address, not from {}", packet.src),
        Reason::NoLinkLocal => here(format!("ip addr add fe80::1/64 dev {link} nodad")),
        _ => return None,
    })
}

/// The networks that a peer is allowed, and one address more: `wg set` puts them in place of those
/// that it had.
fn allowed(snapshot: &Snapshot, loss: &Loss, peer: WireguardKey, more: IpAddr) -> String {
    let own = loss.link.and_then(|id| snapshot.link(id)).and_then(Link::wireguard);
    let has = own.and_then(|own| own.peer(peer)).map_or(&[][..], |peer| &peer.allowed_ips);
    let all = has.iter().copied().chain([IpNet::from(more)]);
    all.map(|net| net.to_string()).collect::<Vec<_>>().join(",")
}

fn is_gateway(snapshot: &Snapshot, ns: NsId, ip: IpAddr) -> bool {
    let ns = snapshot.namespaces.get(&ns);
    let mut hops = ns.into_iter().flat_map(|n| &n.routes).flat_map(|r| &r.nexthops);
    hops.any(|hop| hop.gateway == Some(ip))
}

/// How a rule is deleted with the tool that wrote it.
fn delete_rule(snapshot: &Snapshot, r: &RuleRef) -> String {
    let c = &r.chain;
    match (is_iptables(snapshot, c), c.family) {
        (true, family @ (model::Family::Ip | model::Family::Ip6)) => {
            let iptables = iptables(family == model::Family::Ip6);
            format!("{iptables}{} -D {} {}", table_option(&c.table), sh(&c.chain), r.number)
        }
        _ => {
            let (family, table, chain) = (c.family.as_str(), sh(&c.table), sh(&c.chain));
            format!("nft delete rule {family} {table} {chain} handle {}", r.handle)
        }
    }
}

/// A rule that accepts just what goes between these addresses.
fn accept(snapshot: &Snapshot, c: &ChainRef, src: IpAddr, dst: IpAddr) -> String {
    if is_iptables(snapshot, c) && matches!(c.family, model::Family::Ip | model::Family::Ip6) {
        let (table, chain) = (table_option(&c.table), sh(&c.chain));
        let iptables = iptables(src.is_ipv6());
        return format!("{iptables}{table} -I {chain} -s {src} -d {dst} -j ACCEPT");
    }
    let ip = if src.is_ipv6() { "ip6" } else { "ip" };
    let (family, table, chain) = (c.family.as_str(), sh(&c.table), sh(&c.chain));
    format!("nft insert rule {family} {table} {chain} {ip} saddr {src} {ip} daddr {dst} accept")
}

const fn iptables(ipv6: bool) -> &'static str {
    if ipv6 { "ip6tables" } else { "iptables" }
}

/// ` -t nat`; nothing for the table that iptables takes by itself.
fn table_option(table: &str) -> String {
    if table == "filter" { String::new() } else { format!(" -t {table}") }
}

/// Whether iptables-nft wrote this table: its built-in names, and rules with xtables parts.
fn is_iptables(snapshot: &Snapshot, c: &ChainRef) -> bool {
    let known = ["filter", "nat", "mangle", "raw", "security"].contains(&c.table.as_str());
    let table = snapshot.namespaces.get(&c.ns).and_then(|n| n.ruleset.table(c.family, &c.table));
    known
        && table.is_some_and(|t| {
            let xt = |e: &Expr| matches!(e, Expr::Match(_) | Expr::Target(_));
            t.chains.iter().any(|c| {
                ["INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING"]
                    .contains(&c.name.as_str())
                    || c.rules.iter().any(|r| r.compat.is_some() || r.exprs.iter().any(xt))
            })
        })
}

/// A name as a word of a shell's command line. Links and namespaces are named by whoever is inside
/// a container, and the command is made to be pasted.
fn sh(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:/@+".contains(c);
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', "'\\''"))
}

fn ns_name(snapshot: &Snapshot, id: NsId) -> String {
    sh(&snapshot.name_of(id))
}

fn link_name(snapshot: &Snapshot, id: LinkId) -> String {
    sh(&w::link(snapshot, id))
}
