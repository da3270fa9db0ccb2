//! A published port that a guest's firewall, on the host further out (Proxmox), lets nobody reach.

use model::{LinkId, NsId};
use walk::{Disposition, Place, Reason};

use crate::patient::Patient;
use crate::published::Published;
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for port in &patient.published {
        if let Some((card, address)) = way_in(patient, port) {
            let question = patient.question(Place::Outside(card), address, port.protocol);
            let Disposition::Lost(loss) = patient.net.outcome(&question).there else { continue };
            if loss.root().ns == port.ns() || !by_guest_firewall(&loss.root().reason) {
                continue;
            }
            let hit = std::iter::once(port.ns()).chain(holder(patient, port));
            let (loss, at) = (Box::new(loss.root().clone()), loss.root().ns);
            let fault = Fault::HiddenPort { port: port.clone(), card, loss };
            patient.note(&mut findings, (fault, at), hit, Some(&question));
        }
    }
    findings
}

/// A card of a namespace further out, and the address that the port is asked for at.
fn way_in(patient: &Patient<'_>, port: &Published) -> Option<(LinkId, std::net::IpAddr)> {
    let ns = patient.ns(port.ns());
    let ipv6 = port.to.is_ipv6();
    let (link, _) = crate::wiring::default_hop(ns, ipv6)?;
    let own = patient.address_of(LinkId { ns: ns.id, index: link }, ipv6)?;
    let at = port.at.filter(|ip| !ip.is_loopback()).unwrap_or(own);
    let cards = patient.snapshot.namespaces.values().filter(|n| n.id != ns.id).flat_map(|n| {
        let up = n.links.values().filter(|l| l.is_border() && l.is_running());
        up.map(|l| LinkId { ns: n.id, index: l.index })
    });
    let beside = patient.wiring.beside(LinkId { ns: ns.id, index: link }, ipv6);
    let mut near = cards.filter(|card| beside.iter().any(|l| l.ns == card.ns));
    near.next().map(|card| (card, at))
}

/// Rules of Proxmox's firewall stand in chains that are called so, and in tables.
fn by_guest_firewall(reason: &Reason) -> bool {
    let chain = match reason {
        Reason::RuleDrop(rule) | Reason::RuleReject(rule, _) => &rule.chain,
        Reason::PolicyDrop(chain) => chain,
        _ => return false,
    };
    let name = chain.chain.as_str();
    let guest = ["veth", "tap"].iter().any(|kind| name.starts_with(kind));
    name.starts_with("PVEFW-")
        || guest && name.ends_with("-IN")
        || chain.table.starts_with("proxmox-firewall")
}

/// The namespace that the port leads to.
fn holder(patient: &Patient<'_>, port: &Published) -> Option<NsId> {
    super::hairpin::container(patient, port).map(|link| link.ns)
}
