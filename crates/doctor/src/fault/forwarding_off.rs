//! A gateway that does not forward: what its users send ends there (`ip_forward` per device,
//! `ip_route_input_slow`). Docker and LXC set it; where /proc/sys is read-only they cannot.

use model::{LinkKind, Namespace};

use crate::patient::Patient;
use crate::wiring::User;
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for User { link, router } in &patient.wiring.users {
        let ns = patient.ns(router.ns);
        let conf = patient.link(*router).and_then(|l| l.inet.as_ref());
        let forwards = conf.map_or(ns.sysctls.ip_forward, |conf| conf.forwarding);
        if !forwards && leads_on(ns, router.index) && ns.gap("sysctls").is_none() {
            let fault = Fault::ForwardingOff { link: *router };
            let question = patient.plain_questions(link.ns, patient.beyond)[0].clone();
            patient.note(&mut findings, (fault, router.ns), [link.ns], Some(&question));
        }
    }
    findings
}

/// There is somewhere to forward to.
fn leads_on(ns: &Namespace, from: u32) -> bool {
    let other = |index: u32| {
        let link = ns.links.get(&index);
        index != from && link.is_some_and(|l| l.is_up() && l.kind != LinkKind::Loopback)
    };
    crate::wiring::default_hop(ns).is_some_and(|(link, _)| other(link))
}
