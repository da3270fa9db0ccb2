//! What would let a lost packet pass: found by trying, each time on a copy of the Snapshot and by
//! walking again.

use std::net::IpAddr;

use model::{Link, LinkId, LinkKind, Namespace, NsId, Snapshot, Tuple};

use crate::change::{Ip, is_bridge};
use crate::{
    Action, Change, Disposition, Indexed, Loss, Packet, Reason, Trace, Unknown, Verdict, Way,
};

/// So many changes, one after the other, are tried.
const MOST: usize = 4;

/// Changes that help a lost packet on, each needed after the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mend {
    /// In this order.
    pub changes: Vec<Change>,
    /// What the packet comes to with all of them.
    pub then: Then,
}

/// What a packet comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// It arrives, and its answer too.
    Passes,
    /// It is lost elsewhere; the packet as it is there.
    Lost(Box<Loss>, Box<Packet>),
    /// It cannot be told.
    Unknown(Unknown),
}

impl Trace {
    /// The smallest changes that would let the packet pass, or at least get further: none, where no
    /// change that is known helps. None: it is not lost, or not by what a walk foretells.
    #[must_use]
    pub fn mend(&self, snapshot: &Snapshot) -> Option<Mend> {
        let mut now = snapshot.clone();
        let mut trace = Indexed::new(&now).trace(self.question.clone());
        let lost = |t: &Self| t.loss().map(|(loss, _)| loss.root().clone());
        if lost(&trace)? != lost(self)? {
            return None; // what is to be mended is not what is foretold
        }
        let mut changes = Vec::new();
        while changes.len() < MOST {
            let Some((change, next, after)) = trace.best_change(&now) else { break };
            changes.push(change);
            (now, trace) = (next, after);
        }
        let then = match (trace.loss(), trace.verdict()) {
            (Some((loss, way)), _) => {
                let packet = way.last_packet().clone();
                Then::Lost(Box::new(loss.root().clone()), Box::new(packet))
            }
            (None, Verdict::Unknown(what)) => Then::Unknown(what.clone()),
            (None, _) => Then::Passes,
        };
        Some(Mend { changes, then })
    }

    /// The first change that lets it pass, else the first that gets it further.
    fn best_change(&self, snapshot: &Snapshot) -> Option<(Change, Snapshot, Self)> {
        let mut further = None;
        for change in self.candidates(snapshot) {
            let mut next = snapshot.clone();
            change.apply(&mut next);
            let after = Indexed::new(&next).trace(self.question.clone());
            if after.verdict() == Verdict::Yes {
                return Some((change, next, after));
            }
            if further.is_none() && self.gets_further(&after) {
                further = Some((change, next, after));
            }
        }
        further
    }

    /// It is lost otherwise than before, and no earlier: the answer's loss comes after that of the
    /// packet itself.
    fn gets_further(&self, after: &Self) -> bool {
        let (Some((old, _)), new) = (self.loss(), after.loss()) else { return false };
        let was_back = !matches!(self.there.disposition, Disposition::Lost(_));
        let is_back = !matches!(after.there.disposition, Disposition::Lost(_));
        let hops = |t: &Self| t.there.hops.iter().map(|h| h.steps.len()).sum::<usize>();
        let on = (is_back, hops(after)) >= (was_back, hops(self));
        let elsewhere = |new: &Loss| is_back != was_back || new.root() != old.root();
        new.is_none_or(|(new, _)| on && elsewhere(new))
    }

    /// Where it is lost, and on which way.
    #[must_use]
    pub fn loss(&self) -> Option<(&Loss, &Way)> {
        std::iter::once(&self.there).chain(&self.back).find_map(|way| match &way.disposition {
            Disposition::Lost(loss) => Some((loss, way)),
            _ => None,
        })
    }

    /// Changes that may help against what it is lost by, the smallest first.
    #[must_use]
    pub fn candidates(&self, snapshot: &Snapshot) -> Vec<Change> {
        let Some((loss, way)) = self.loss() else { return Vec::new() };
        let view = View { snapshot, packet: way.last_packet(), router: self.there.router() };
        view.candidates(loss.root())
    }
}

impl Way {
    /// The packet as it was at the last step.
    #[must_use]
    pub fn last_packet(&self) -> &Packet {
        self.hops.iter().flat_map(|h| &h.steps).last().map_or(&self.packet, |s| &s.packet)
    }

    /// The link by which the last router sent it.
    #[must_use]
    pub fn router(&self) -> Option<LinkId> {
        let mut steps = self.hops.iter().rev().flat_map(|h| h.steps.iter().rev());
        steps.find_map(|s| match s.action {
            Action::Forwarded { to, .. } => Some(to),
            _ => None,
        })
    }
}

/// What a loss is looked at with.
struct View<'a> {
    snapshot: &'a Snapshot,
    /// As it was lost.
    packet: &'a Packet,
    /// The link by which the last router on the way there sent it.
    router: Option<LinkId>,
}

impl View<'_> {
    fn candidates(&self, loss: &Loss) -> Vec<Change> {
        let (ns, packet) = (loss.ns, self.packet);
        let on = |make: fn(LinkId) -> Change| loss.link.map(make).into_iter().collect();
        match &loss.reason {
            Reason::NoRoute(ip) => self.gateways(ns, None, *ip),
            Reason::RoutingRule(rule) => vec![Change::DropRule(ns, rule.clone())],
            Reason::RouteRefuses(route) => vec![Change::DropRoute(ns, route.clone())],
            Reason::ForwardingOff => vec![Change::Forward(ns, family(packet.dst))],
            Reason::ReversePath { .. } => on(Change::LoosePath),
            Reason::OwnSource => {
                let own = self.holder(ns, packet.src);
                self.masquerade(packet.src).into_iter().chain(own).collect()
            }
            Reason::Martian if packet.dst.is_ipv4() => on(Change::RouteLocalnet),
            Reason::RuleDrop(rule) | Reason::RuleReject(rule, _) => {
                vec![Change::Delete(rule.clone())]
            }
            Reason::PolicyDrop(chain) => {
                vec![Change::Accept(chain.clone(), packet.src, packet.dst)]
            }
            Reason::DeadEnd { ip } => self.to_bridge(loss, *ip),
            Reason::NoWayBack { src } => {
                self.masquerade_by(*src, self.router.or(loss.link)).into_iter().collect()
            }
            Reason::LinkDown => on(Change::Up),
            Reason::NoCarrier => {
                let peer = loss.link.and_then(|l| self.snapshot.link(l)).and_then(Link::peer);
                peer.map(Change::Up).into_iter().collect()
            }
            Reason::PeerDown(peer) => vec![Change::Up(*peer)],
            Reason::NoNeighbour { ip, .. } => {
                let link = loss.link.map(|l| l.index);
                let mut all = self.gateways(ns, link, *ip);
                all.retain(|c| !matches!(c, Change::DefaultRoute(_, gateway, _) if gateway == ip));
                if self.is_gateway(ns, *ip) { all } else { Vec::new() }
            }
            Reason::DuplicateAddress { ip, owners } => {
                let last = owners.last();
                last.and_then(|(l, _)| self.holder(l.ns, *ip)).into_iter().collect()
            }
            Reason::TooBig { .. } => {
                loss.link.map(|l| Change::Mtu(l, packet.len)).into_iter().collect()
            }
            Reason::Queue { .. } => on(Change::DropQueue),
            Reason::PortBlocked(port) => vec![Change::Unblock(*port)],
            Reason::NoHairpin(port) => vec![Change::Hairpin(*port)],
            Reason::Isolated(port) => vec![Change::Connect(*port)],
            Reason::NoPort => self.loose(loss),
            Reason::NotOurMac(_) => self.bridges(loss),
            Reason::AnswerMismatch { expected, .. } => self.translate(expected),
            Reason::EchoIgnored => vec![Change::AnswerEcho(ns, family(packet.dst))],
            _ => Vec::new(),
        }
    }

    fn ns(&self, ns: NsId) -> Option<&Namespace> {
        self.snapshot.namespaces.get(&ns)
    }

    /// A default route by each router that a link of this namespace could reach: forwarding namespaces
    /// with an address in the subnet of one of its own.
    fn gateways(&self, ns: NsId, link: Option<u32>, of: IpAddr) -> Vec<Change> {
        let Some(here) = self.ns(ns) else { return Vec::new() };
        let own = here.addresses.iter().filter(|a| link.is_none_or(|l| a.link == l));
        let own = own.filter(|a| !a.ip().is_loopback() && a.ip().is_ipv4() == of.is_ipv4());
        let mut found = Vec::new();
        for a in own {
            let routers = self.snapshot.namespaces.values();
            for other in routers.filter(|o| o.id != ns && forwards(o, of)) {
                let near = other.addresses.iter().filter(|b| a.net.contains(&b.ip()));
                let others = near.filter(|b| b.ip() != a.ip());
                found.extend(others.map(|b| Change::DefaultRoute(ns, b.ip(), a.link)));
            }
        }
        found
    }

    fn is_gateway(&self, ns: NsId, ip: IpAddr) -> bool {
        let hops = self.ns(ns).into_iter().flat_map(|n| &n.routes).flat_map(|r| &r.nexthops);
        hops.into_iter().any(|hop| hop.gateway == Some(ip))
    }

    /// The address is taken from the link that has it there.
    fn holder(&self, ns: NsId, ip: IpAddr) -> Option<Change> {
        let address = self.ns(ns)?.addresses.iter().find(|a| a.ip() == ip)?;
        Some(Change::DropAddress(LinkId { ns, index: address.link }, address.net))
    }

    fn masquerade(&self, source: IpAddr) -> Option<Change> {
        self.masquerade_by(source, self.router)
    }

    fn masquerade_by(&self, source: IpAddr, out: Option<LinkId>) -> Option<Change> {
        out.filter(|_| source.is_ipv4()).map(|link| Change::Masquerade(source, link))
    }

    /// The answer has to come back by whoever translated the packet.
    fn translate(&self, expected: &Tuple) -> Vec<Change> {
        self.masquerade(expected.dst).into_iter().collect()
    }

    /// A link that leads nowhere becomes a port of the bridge that the address is most likely behind.
    fn to_bridge(&self, loss: &Loss, ip: IpAddr) -> Vec<Change> {
        let Some((ns, link)) = self.ns(loss.ns).zip(loss.link) else { return Vec::new() };
        if ns.addresses_of(link.index).next().is_some() {
            return Vec::new();
        }
        let bridge = bridge_towards(ns, ip);
        bridge.map(|bridge| Change::Port(link, bridge)).into_iter().collect()
    }

    /// A bridge with nobody else on it: each of the loose links here may be its port.
    fn loose(&self, loss: &Loss) -> Vec<Change> {
        let Some((ns, bridge)) = self.ns(loss.ns).zip(loss.link) else { return Vec::new() };
        let all = ns.links.values().filter(|l| {
            l.master.is_none() && l.is_up() && ns.addresses_of(l.index).next().is_none()
        });
        let cables = all
            .filter(|l| matches!(l.kind, LinkKind::Veth | LinkKind::Physical | LinkKind::Tap(_)));
        let port = |l: &Link| Change::Port(LinkId { ns: loss.ns, index: l.index }, bridge.index);
        cables.map(port).collect()
    }

    /// A frame for somebody else came to a plain link: it should be a port of a bridge.
    fn bridges(&self, loss: &Loss) -> Vec<Change> {
        let Some((ns, link)) = self.ns(loss.ns).zip(loss.link) else { return Vec::new() };
        let all = ns.links.values().filter(|l| is_bridge(l) && l.index != link.index);
        all.map(|bridge| Change::Port(link, bridge.index)).collect()
    }
}

const fn forwards(ns: &Namespace, of: IpAddr) -> bool {
    if of.is_ipv4() { ns.sysctls.ip_forward } else { ns.sysctls.ipv6_forwarding }
}

const fn family(ip: IpAddr) -> Ip {
    if ip.is_ipv4() { Ip::V4 } else { Ip::V6 }
}

/// The bridge of a namespace that an address most likely is behind: the one with an address in
/// its subnet, else the only one.
fn bridge_towards(ns: &Namespace, ip: IpAddr) -> Option<u32> {
    let bridges = || ns.links.values().filter(|l| is_bridge(l));
    let near = bridges()
        .find(|l| ns.addresses_of(l.index).any(|a| a.net.contains(&ip)))
        .or_else(|| bridges().next().filter(|_| bridges().count() == 1))?;
    // A bridge on the way to it that has lost its other port is where the link belongs.
    let leads_there = |l: &&Link| {
        let mut ports = ns.ports(l.index);
        let (Some(port), None) = (ports.next(), ports.next()) else { return false };
        let peer = port.peer().filter(|p| p.ns == ns.id).and_then(|p| ns.links.get(&p.index));
        peer.is_some_and(|p| p.master == Some(near.index))
    };
    let mut open = bridges().filter(leads_there);
    let bridge = match (open.next(), open.next()) {
        (Some(only), None) => only,
        _ => near,
    };
    Some(bridge.index)
}
