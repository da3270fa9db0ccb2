//! A network of containers whose addresses are in use further out: Docker looks only at the routes of
//! its own namespace that are on a link, not at what lies behind its gateway.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{Address, LinkId, LinkKind, NsId, Route, RouteKind, Scope, TABLE_MAIN};

use crate::patient::Patient;
use crate::wiring::{addresses, default_hop};
use crate::{Fault, Finding, Overlapped};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (bridge, link) in patient.bridges().filter(|(_, l)| l.is_up()) {
        for address in addresses(patient.snapshot, bridge).filter(|a| is_wide(a)) {
            let net = address.net.trunc();
            if !is_network(net) || matches!(link.kind, LinkKind::Loopback) {
                continue;
            }
            let beside = patient.wiring.beside(bridge, address.ip().is_ipv6()).iter();
            let guests = beside.filter(|l| l.ns != bridge.ns);
            let hit: Vec<NsId> = guests.map(|l| l.ns).collect();
            if let Some(other) = overlapped(patient, bridge, net) {
                let fault = Fault::Overlap { link: bridge, net, other };
                let all = std::iter::once(bridge.ns).chain(hit.iter().copied());
                patient.note(&mut findings, (fault, bridge.ns), all, None);
            }
        }
    }
    findings
}

/// Not the addresses that every link of IPv6 has.
fn is_wide(address: &Address) -> bool {
    address.scope != Scope::Link
}

/// More than two addresses.
fn is_network(net: IpNet) -> bool {
    net.max_prefix_len() - net.prefix_len() > 1
}

fn meet(a: IpNet, b: IpNet) -> bool {
    a.contains(&b) || b.contains(&a)
}

/// What of it lies beside it in its own namespace, or on the way out.
fn overlapped(patient: &Patient<'_>, bridge: LinkId, net: IpNet) -> Option<Overlapped> {
    let own = patient.ns(bridge.ns);
    let ipv6 = net.addr().is_ipv6();
    let beside = own.addresses.iter().filter(|a| a.link != bridge.index && is_wide(a));
    let beside = beside.filter(|a| own.links.get(&a.link).is_some_and(model::Link::is_up));
    for address in beside.filter(|a| is_network(a.net)) {
        let there = LinkId { ns: own.id, index: address.link };
        // Two links into one and the same network are not two networks.
        if meet(address.net.trunc(), net) && !patient.wiring.beside(bridge, ipv6).contains(&there) {
            return Some(Overlapped::Link(there, address.net.trunc()));
        }
    }
    let out = further_out(patient, bridge.ns, ipv6);
    (0..out.len()).find_map(|n| needed(patient, out[n], net, &[&[own.id], &out[..n]].concat()))
}

/// The gateways that its packets pass, from within.
pub(super) fn further_out(patient: &Patient<'_>, ns: NsId, ipv6: bool) -> Vec<NsId> {
    let gateway = |of: &NsId| {
        let mut users = patient.wiring.users.iter().filter(|user| user.ipv6 == ipv6);
        let user = users.find(|user| user.link.ns == *of)?;
        Some(user.router.ns)
    };
    let all = std::iter::successors(gateway(&ns), gateway);
    all.take(patient.snapshot.namespaces.len()).take_while(|id| *id != ns).collect()
}

/// What that namespace itself needs to get further: the network that its own gateway is in, and
/// networks that it has routes to, other than back to those who ask.
fn needed(patient: &Patient<'_>, ns: NsId, net: IpNet, askers: &[NsId]) -> Option<Overlapped> {
    let space = patient.ns(ns);
    let gateway = default_hop(space, net.addr().is_ipv6());
    if let Some((link, ip)) = gateway {
        let there = LinkId { ns, index: link };
        let mut wide = addresses(patient.snapshot, there).filter(|a| is_wide(a));
        let around = wide.find(|a| a.net.contains(&ip));
        if let Some(address) = around.filter(|a| meet(a.net.trunc(), net)) {
            return Some(Overlapped::Link(there, address.net.trunc()));
        }
    }
    let back =
        |ip: IpAddr| askers.iter().any(|id| patient.ns(*id).addresses.iter().any(|a| a.ip() == ip));
    let leads = |r: &&Route| {
        let by_gateway = r.nexthops.iter().any(|hop| hop.gateway.is_some_and(|ip| !back(ip)));
        r.table == TABLE_MAIN
            && r.kind == RouteKind::Unicast
            && r.dst.prefix_len() > 0
            && by_gateway
    };
    let route = space.routes.iter().filter(leads).find(|r| meet(r.dst, net))?;
    Some(Overlapped::Route(ns, Box::new(route.clone())))
}
