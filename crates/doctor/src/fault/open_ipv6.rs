//! Docker's rules are there for IPv4 and not for IPv6 (its ip6tables is off, or the module ip6_tables
//! could not be loaded in a container): what containers have of IPv6 is open to everybody.

use std::net::IpAddr;

use model::{Expr, Family, LinkId, MetaKey, Namespace};
use walk::{Disposition, Place, Protocol};

use super::routed_drop::name_of;
use crate::patient::{ANY_PORT, Patient, rules};
use crate::{Fault, Finding, is_public};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (bridge, link) in patient.bridges() {
        let ns = patient.ns(bridge.ns);
        let closed = has_docker(ns, Family::Ip6) || !ns.sysctls.ipv6_forwarding;
        if closed || !has_docker(ns, Family::Ip) || !named(ns, &link.name) {
            continue;
        }
        let Some(asker) = asker(patient, bridge) else { continue };
        for guest in patient.wiring.beside(bridge, true).iter().filter(|l| l.ns != bridge.ns) {
            let Some(to) = public(patient, *guest) else { continue };
            let question = patient.question(asker, to, Protocol::Tcp(ANY_PORT));
            if patient.net.outcome(&question).there == Disposition::Delivered(guest.ns) {
                let fault = Fault::OpenIpv6 { bridge };
                patient.note(&mut findings, (fault, bridge.ns), [guest.ns], Some(&question));
            }
        }
    }
    findings
}

fn has_docker(ns: &Namespace, family: Family) -> bool {
    let filters = |t: &&model::Table| t.name == "filter" || t.name == "legacy filter";
    let mut all = ns.ruleset.tables.iter().filter(|t| t.family == family).filter(filters);
    all.any(|t| t.chain("DOCKER").is_some())
}

/// Some rule of IPv4 asks for the bridge: it is one of Docker's networks.
fn named(ns: &Namespace, bridge: &str) -> bool {
    let of_ip = rules(ns).filter(|(name, ..)| name.chain.family == Family::Ip);
    let mut pairs = of_ip.flat_map(|(_, _, rule)| rule.exprs.windows(2));
    pairs.any(|pair| match pair {
        [Expr::Meta { key: MetaKey::IifName | MetaKey::OifName, .. }, Expr::Cmp { data, .. }] => {
            name_of(data) == bridge.as_bytes()
        }
        _ => false,
    })
}

/// Somebody who is not on that bridge: beside another link, or beyond a card.
fn asker(patient: &Patient<'_>, bridge: LinkId) -> Option<Place> {
    let inside = patient.wiring.beside(bridge, true);
    let links = patient.ns(bridge.ns).links.keys();
    let mut others = links.map(|index| LinkId { ns: bridge.ns, index: *index });
    others.find_map(|link| {
        let beside = patient.wiring.beside(link, true);
        let near = beside.iter().find(|l| l.ns != bridge.ns && !inside.contains(l));
        let card = patient
            .wiring
            .segment(link)
            .find(|l| patient.link(*l).is_some_and(|l| l.is_border() && l.is_running()));
        let card = card.filter(|_| beside.contains(&link)).map(Place::Outside);
        near.map(|l| Place::Namespace(l.ns)).or(card)
    })
}

fn public(patient: &Patient<'_>, link: LinkId) -> Option<IpAddr> {
    let mut all = crate::wiring::addresses(patient.snapshot, link).map(model::Address::ip);
    all.find(|ip| is_public(*ip))
}
