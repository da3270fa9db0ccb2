//! A change of a network, small enough to be told as one command, and made in a Snapshot: what walks
//! then foretell is what the change would bring.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{
    BaseChain, BridgePort, Chain, CmpOp, Data, Expr, Family, Hook, Link, LinkFlags, LinkId,
    LinkKind, MetaKey, Namespace, NftRule, NsId, PayloadBase, Policy, PortState, Protocol, Reg,
    Route, RouteKind, RouteMetrics, Rule, Scope, Snapshot, TABLE_LOCAL, TABLE_MAIN, Table, Verdict,
};

use crate::{ChainRef, RuleRef};

/// What is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `net.ipv4.ip_forward` (or IPv6's `all.forwarding`) becomes 1.
    Forward(NsId, Ip),
    /// `rp_filter` of a link becomes 2.
    LoosePath(LinkId),
    /// `route_localnet` of a link becomes 1.
    RouteLocalnet(LinkId),
    /// `icmp_echo_ignore_all` (or IPv6's `icmp.echo_ignore_all`) becomes 0.
    AnswerEcho(NsId, Ip),
    /// A link is brought up.
    Up(LinkId),
    /// A link takes packets of this size.
    Mtu(LinkId, u32),
    /// A link has its usual queueing discipline, which keeps all.
    DropQueue(LinkId),
    /// A link becomes a port of that bridge, of the same namespace.
    Port(LinkId, u32),
    /// A port may send back where a frame came from.
    Hairpin(LinkId),
    /// A port is isolated no more.
    Connect(LinkId),
    /// A port forwards, whatever spanning tree had made of it.
    Unblock(LinkId),
    /// An address is taken from a link.
    DropAddress(LinkId, IpNet),
    /// The default route goes by that gateway and link; what there was of it goes.
    DefaultRoute(NsId, IpAddr, u32),
    /// A route goes.
    DropRoute(NsId, Box<Route>),
    /// A routing rule goes.
    DropRule(NsId, Box<Rule>),
    /// A rule of netfilter goes.
    Delete(RuleRef),
    /// A chain begins with a rule that accepts what goes from one address to another.
    Accept(ChainRef, IpAddr, IpAddr),
    /// What has that source is masqueraded as it leaves by that link.
    Masquerade(IpAddr, LinkId),
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the meaning")]
pub enum Ip {
    V4,
    V6,
}

impl Change {
    /// Makes it so.
    pub fn apply(&self, snapshot: &mut Snapshot) {
        match self {
            Self::Up(link) => up(snapshot, *link),
            Self::Forward(ns, _) | Self::AnswerEcho(ns, _) | Self::DefaultRoute(ns, ..) => {
                self.in_namespace(snapshot, *ns);
            }
            Self::DropRoute(ns, _) | Self::DropRule(ns, _) => self.in_namespace(snapshot, *ns),
            Self::Delete(rule) => self.in_namespace(snapshot, rule.chain.ns),
            Self::Accept(chain, ..) => self.in_namespace(snapshot, chain.ns),
            Self::Masquerade(_, link) | Self::DropAddress(link, _) => {
                self.in_namespace(snapshot, link.ns);
            }
            Self::LoosePath(link)
            | Self::RouteLocalnet(link)
            | Self::Mtu(link, _)
            | Self::DropQueue(link)
            | Self::Port(link, _)
            | Self::Hairpin(link)
            | Self::Connect(link)
            | Self::Unblock(link) => self.of_link(snapshot, *link),
        }
    }

    fn in_namespace(&self, snapshot: &mut Snapshot, id: NsId) {
        let Some(ns) = snapshot.namespaces.get_mut(&id) else { return };
        match self {
            Self::Forward(_, Ip::V4) => {
                (ns.sysctls.ip_forward, ns.sysctls.all.forwarding) = (true, true);
                let confs = ns.links.values_mut().filter_map(|l| l.inet.as_mut());
                confs.for_each(|conf| conf.forwarding = true);
            }
            Self::Forward(_, Ip::V6) => {
                ns.sysctls.ipv6_forwarding = true;
                let confs = ns.links.values_mut().filter_map(|l| l.inet6.as_mut());
                confs.for_each(|conf| conf.forwarding = true);
            }
            Self::AnswerEcho(_, Ip::V4) => ns.sysctls.icmp_echo_ignore_all = false,
            Self::AnswerEcho(_, Ip::V6) => ns.sysctls.ipv6_echo_ignore_all = false,
            Self::DefaultRoute(_, gateway, link) => default_route(ns, *gateway, *link),
            Self::DropRoute(_, route) => ns.routes.retain(|r| r != &**route),
            Self::DropRule(_, rule) => ns.rules.retain(|r| r != &**rule),
            Self::DropAddress(link, net) => drop_address(ns, link.index, *net),
            Self::Delete(rule) => {
                if let Some(chain) = chain_mut(ns, &rule.chain) {
                    chain.rules.retain(|r| r.handle != rule.handle);
                }
            }
            Self::Accept(chain, from, to) => {
                if let Some(chain) = chain_mut(ns, chain) {
                    chain.rules.insert(0, accept(*from, *to));
                }
            }
            Self::Masquerade(source, link) => {
                if let Some(name) = ns.links.get(&link.index).map(|l| l.name.clone()) {
                    let family = if source.is_ipv6() { Family::Ip6 } else { Family::Ip };
                    postrouting(ns, family).rules.push(masquerade(*source, &name));
                }
            }
            _ => {}
        }
    }

    fn of_link(&self, snapshot: &mut Snapshot, id: LinkId) {
        let Some(ns) = snapshot.namespaces.get_mut(&id.ns) else { return };
        if let (Self::LoosePath(_), Some(link)) = (self, ns.links.get_mut(&id.index)) {
            if let Some(conf) = &mut link.inet {
                conf.rp_filter = 2;
            }
            return;
        }
        let number = ns.links.values().filter_map(|l| l.port.as_ref()).map(|p| p.number).max();
        let Some(link) = ns.links.get_mut(&id.index) else { return };
        match (self, &mut link.port) {
            (Self::RouteLocalnet(_), _) => {
                link.inet.iter_mut().for_each(|conf| conf.route_localnet = true);
            }
            (Self::Mtu(_, mtu), _) => link.mtu = *mtu,
            (Self::DropQueue(_), _) => link.queues.clear(),
            (Self::Port(_, bridge), port) => {
                let number = number.map_or(0, |n| n + 1);
                *port = Some(BridgePort { number, ..BridgePort::default() });
                link.master = Some(*bridge);
            }
            (Self::Hairpin(_), Some(port)) => port.hairpin = true,
            (Self::Connect(_), Some(port)) => port.isolated = false,
            (Self::Unblock(_), Some(port)) => port.state = PortState::Forwarding,
            _ => {}
        }
    }
}

/// A link that comes up has a carrier if its other end is up, and gives it one; the kernel makes the
/// routes of its addresses anew (`fib_inetaddr_event`), and forgets what it knew of neighbours.
fn up(snapshot: &mut Snapshot, id: LinkId) {
    let peer = snapshot.link(id).and_then(Link::peer);
    let carrier = peer.is_none_or(|p| snapshot.link(p).is_some_and(Link::is_up));
    for (n, end) in std::iter::once(id).chain(peer.filter(|_| carrier)).enumerate() {
        let Some(ns) = snapshot.namespaces.get_mut(&end.ns) else { continue };
        let Some(link) = ns.links.get_mut(&end.index) else { continue };
        if n == 0 {
            link.flags.insert(LinkFlags::UP);
        }
        if carrier {
            link.flags.insert(LinkFlags::LOWER_UP);
        }
        if let Some(port) = link.port.as_mut().filter(|p| p.state == PortState::Disabled) {
            port.state = PortState::Forwarding;
        }
        let hops = ns.routes.iter_mut().flat_map(|r| &mut r.nexthops);
        for hop in hops.filter(|hop| hop.link == end.index) {
            (hop.dead, hop.linkdown) = (false, false);
        }
        connected(ns, end.index);
    }
}

/// The routes that the kernel makes of a link's IPv4 addresses, where they are not there.
fn connected(ns: &mut Namespace, link: u32) {
    let Some(template) = ns.routes.iter().find(|r| r.nexthops.len() == 1).cloned() else { return };
    let all: Vec<IpNet> = ns.addresses_of(link).map(|a| a.net).collect();
    for net in all.into_iter().filter(|net| net.addr().is_ipv4()) {
        let host = IpNet::from(net.addr());
        let wanted = [
            (TABLE_MAIN, net.trunc(), RouteKind::Unicast, Scope::Link),
            (TABLE_LOCAL, host, RouteKind::Local, Scope::Host),
        ];
        for (table, dst, kind, scope) in wanted {
            let there = |r: &Route| (r.table, r.dst) == (table, dst);
            if !ns.routes.iter().any(there) {
                let protocol = Protocol::Kernel;
                let prefsrc = Some(net.addr());
                let route =
                    Route { table, dst, kind, scope, protocol, prefsrc, ..template.clone() };
                ns.routes.push(by(route, None, link));
            }
        }
    }
}

/// The same route by that way alone.
fn by(mut route: Route, gateway: Option<IpAddr>, link: u32) -> Route {
    (route.metric, route.tos, route.nexthop_id) = (0, 0, None);
    route.metrics = RouteMetrics::default();
    route.nexthops.truncate(1);
    for hop in &mut route.nexthops {
        (hop.gateway, hop.link, hop.onlink, hop.dead, hop.linkdown) =
            (gateway, link, false, false, false);
    }
    route
}

fn default_route(ns: &mut Namespace, gateway: IpAddr, link: u32) {
    let Some(template) = ns.routes.iter().find(|r| r.nexthops.len() == 1).cloned() else { return };
    let any = |ip: IpAddr| -> IpNet {
        let net = IpNet::from(ip);
        IpNet::new(net.addr(), 0).map_or(net, |net| net.trunc())
    };
    let dst = any(gateway);
    ns.routes.retain(|r| !(r.table == TABLE_MAIN && r.dst == dst && r.metric == 0));
    let route = Route {
        table: TABLE_MAIN,
        dst,
        kind: RouteKind::Unicast,
        protocol: Protocol::Boot,
        scope: Scope::Global,
        prefsrc: None,
        ..template
    };
    ns.routes.push(by(route, Some(gateway), link));
}

/// With its address, a link loses the routes that came of it.
fn drop_address(ns: &mut Namespace, link: u32, net: IpNet) {
    ns.addresses.retain(|a| (a.link, a.net) != (link, net));
    let ip = net.addr();
    ns.routes.retain(|r| {
        let own = r.protocol == Protocol::Kernel && r.prefsrc == Some(ip);
        let local = r.table == TABLE_LOCAL && r.dst.addr() == ip;
        !(local || own && r.nexthops.iter().any(|hop| hop.link == link))
    });
}

fn chain_mut<'n>(ns: &'n mut Namespace, chain: &ChainRef) -> Option<&'n mut Chain> {
    let mut tables = ns.ruleset.tables.iter_mut();
    let table = tables.find(|t| t.family == chain.family && t.name == chain.table)?;
    table.chains.iter_mut().find(|c| c.name == chain.chain)
}

/// The chain that `iptables -t nat -A POSTROUTING` (of that family) adds to: made where it is not there.
fn postrouting(ns: &mut Namespace, family: Family) -> &mut Chain {
    let is_nat = |t: &Table| t.family == family && t.name == "nat";
    let tables = &mut ns.ruleset.tables;
    let at = tables.iter().position(is_nat).unwrap_or_else(|| {
        tables.push(Table::new(family, "nat"));
        tables.len() - 1
    });
    let chains = &mut tables[at].chains;
    let at = chains.iter().position(|c| c.name == "POSTROUTING").unwrap_or_else(|| {
        let base = BaseChain {
            hook: Hook::Postrouting,
            priority: 100,
            kind: "nat".to_owned(),
            policy: Policy::Accept,
            devices: Vec::new(),
        };
        chains.push(Chain { name: "POSTROUTING".to_owned(), base: Some(base), rules: Vec::new() });
        chains.len() - 1
    });
    &mut chains[at]
}

/// The first 16-byte register.
const REG: Reg = Reg(1);

fn accept(from: IpAddr, to: IpAddr) -> NftRule {
    let mut exprs = Vec::new();
    exprs.extend(address(from, true));
    exprs.extend(address(to, false));
    exprs.push(Expr::Immediate { dreg: Reg(0), data: Data::Verdict(Verdict::Accept) });
    NftRule { exprs, ..NftRule::default() }
}

fn masquerade(source: IpAddr, out: &str) -> NftRule {
    let mut name = out.as_bytes().to_vec();
    name.resize(16, 0);
    let mut exprs: Vec<Expr> = address(source, true).into();
    exprs.push(Expr::Meta { key: MetaKey::OifName, dreg: REG });
    exprs.push(Expr::Cmp { sreg: REG, op: CmpOp::Eq, data: name });
    exprs.push(Expr::Masq { flags: 0, port: None });
    NftRule { exprs, ..NftRule::default() }
}

/// Asks for the source or the destination.
fn address(ip: IpAddr, source: bool) -> [Expr; 2] {
    let (offset, data) = match ip {
        IpAddr::V4(ip) => (if source { 12 } else { 16 }, ip.octets().to_vec()),
        IpAddr::V6(ip) => (if source { 8 } else { 24 }, ip.octets().to_vec()),
    };
    let len = if data.len() == 4 { 4 } else { 16 };
    let base = PayloadBase::Network;
    [Expr::Payload { base, offset, len, dreg: REG }, Expr::Cmp { sreg: REG, op: CmpOp::Eq, data }]
}

/// Whether a link is a bridge.
pub(crate) const fn is_bridge(link: &Link) -> bool {
    matches!(link.kind, LinkKind::Bridge(_))
}
