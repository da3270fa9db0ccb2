//! A published port that its own container, its neighbours on the bridge, or the host itself at
//! its loopback address cannot reach: the packet has to leave the bridge where it came in, or its answer comes
//! back past the host, untranslated.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::LinkId;
use walk::{Loss, Place, Reason};

use crate::patient::Patient;
use crate::published::Published;
use crate::{Fault, Finding, From};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for port in &patient.published {
        let Some(container) = container(patient, port) else { continue };
        let ipv6 = port.to.is_ipv6();
        let inside = patient.wiring.beside(container, ipv6).iter();
        let mut neighbours = inside.filter(|l| l.ns != port.ns() && l.ns != container.ns);
        let itself = (Place::Namespace(container.ns), From::Itself);
        let neighbour = neighbours.next().map(|l| (Place::Namespace(l.ns), From::Neighbour));
        if let Some(at) = address(patient, port, container) {
            for (place, from) in std::iter::once(itself).chain(neighbour) {
                ask(patient, port, place, from, at, &mut findings);
            }
        }
        if port.at.is_none_or(|ip| ip.is_loopback()) {
            let host = Place::Namespace(port.ns());
            ask(patient, port, host, From::Loopback, loopback(ipv6), &mut findings);
        }
    }
    findings
}

const fn loopback(ipv6: bool) -> IpAddr {
    match ipv6 {
        true => IpAddr::V6(Ipv6Addr::LOCALHOST),
        false => IpAddr::V4(Ipv4Addr::LOCALHOST),
    }
}

fn ask(
    patient: &Patient<'_>,
    port: &Published,
    place: Place,
    from: From,
    at: IpAddr,
    findings: &mut Vec<Finding>,
) {
    let question = patient.question(place, at, port.protocol);
    let Some(loss) = patient.loss(&question) else { return };
    if !is_hairpin(loss.root()) {
        return;
    }
    let Place::Namespace(asker) = place else { return };
    let loss = Box::new(loss.root().clone());
    let fault = Fault::Hairpin { port: port.clone(), from, loss };
    patient.note(findings, (fault, port.ns()), [asker], Some(&question));
}

const fn is_hairpin(loss: &Loss) -> bool {
    matches!(
        loss.reason,
        Reason::NoHairpin(_) | Reason::OwnSource | Reason::AnswerMismatch { .. } | Reason::Martian
    )
}

/// The link that the port leads to.
pub(super) fn container(patient: &Patient<'_>, port: &Published) -> Option<LinkId> {
    let host = patient.ns(port.ns());
    let near = |a: &&model::Address| a.net.contains(&port.to) && !a.ip().is_loopback();
    let bridge = host.addresses.iter().find(near)?.link;
    let ipv6 = port.to.is_ipv6();
    let inside = patient.wiring.beside(LinkId { ns: host.id, index: bridge }, ipv6).iter();
    let has = |l: &&LinkId| patient.address_of(**l, ipv6) == Some(port.to);
    inside.copied().find(|l| has(&l) && l.ns != host.id)
}

/// An address of the host that the port can be asked for at, other than the bridge's own.
fn address(patient: &Patient<'_>, port: &Published, container: LinkId) -> Option<IpAddr> {
    let host = patient.ns(port.ns());
    let ipv6 = port.to.is_ipv6();
    let inside = |ip: &IpAddr| {
        let beside = patient.wiring.beside(container, ipv6).iter();
        beside.filter_map(|l| patient.address_of(*l, ipv6)).any(|own| own == *ip)
    };
    let good = |ip: &IpAddr| ip.is_ipv6() == ipv6 && !ip.is_loopback() && !inside(ip);
    let wide = host.addresses.iter().filter(|a| a.scope != model::Scope::Link);
    match port.at {
        Some(ip) => Some(ip).filter(|ip| !ip.is_loopback()),
        None => wide.map(model::Address::ip).find(good),
    }
}
