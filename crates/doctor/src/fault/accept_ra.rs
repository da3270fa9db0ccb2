//! A host that forwards heeds no router's advertisements (`ipv6_accept_ra`), unless accept_ra is 2: an
//! engine that switches forwarding on takes the default route away from it.

use model::{Link, LinkId, Namespace};

use crate::patient::Patient;
use crate::{Fault, Finding, is_public};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ns in patient.snapshot.namespaces.values().filter(|ns| !has_default(ns)) {
        for link in ns.links.values().filter(|l| l.is_up() && is_deaf(l)) {
            let id = LinkId { ns: ns.id, index: link.index };
            let public = ns.addresses_of(link.index).any(|a| is_public(a.ip()));
            if public && has_routers(patient, id) {
                let fault = Fault::AcceptRa { link: id };
                patient.note(&mut findings, (fault, ns.id), [ns.id], None);
            }
        }
    }
    findings
}

fn is_deaf(link: &Link) -> bool {
    link.inet6.is_some_and(|conf| conf.forwarding && conf.accept_ra == 1 && !conf.disable_ipv6)
}

/// In whatever table.
fn has_default(ns: &Namespace) -> bool {
    ns.routes.iter().any(|r| r.dst.prefix_len() == 0 && r.dst.addr().is_ipv6())
}

/// Somebody else may be a router there: another namespace that forwards, or somebody out of sight.
fn has_routers(patient: &Patient<'_>, link: LinkId) -> bool {
    let router = |l: &LinkId| l.ns != link.ns && patient.ns(l.ns).sysctls.ipv6_forwarding;
    let out = |l: LinkId| patient.link(l).is_some_and(|l| l.is_border() && l.is_running());
    patient.wiring.beside(link, true).iter().any(router) || patient.wiring.segment(link).any(out)
}
