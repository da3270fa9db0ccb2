//! A gateway that does not forward: what its users send ends there (`ip_forward` per device,
//! `ip_route_input_slow`). Docker and LXC set it; where /proc/sys is read-only they cannot.

use model::{LinkKind, Namespace};

use crate::patient::Patient;
use crate::wiring::User;
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for user @ User { link, router, ipv6 } in &patient.wiring.users {
        let ns = patient.ns(router.ns);
        let forwards = forwards(patient, user);
        if !forwards && leads_on(ns, router.index, *ipv6) && ns.gap("sysctls").is_none() {
            let fault = Fault::ForwardingOff { link: *router, ipv6: *ipv6 };
            let question = patient.plain_questions(link.ns, patient.beyond(user))[0].clone();
            patient.note(&mut findings, (fault, router.ns), [link.ns], Some(&question));
        }
    }
    findings
}

fn forwards(patient: &Patient<'_>, user: &User) -> bool {
    let (link, all) = (patient.link(user.router), &patient.ns(user.router.ns).sysctls);
    match user.ipv6 {
        true => {
            all.ipv6_forwarding
                || link.and_then(|l| l.inet6.as_ref()).is_some_and(|c| c.force_forwarding)
        }
        false => link.and_then(|l| l.inet.as_ref()).map_or(all.ip_forward, |c| c.forwarding),
    }
}

/// There is somewhere to forward to.
fn leads_on(ns: &Namespace, from: u32, ipv6: bool) -> bool {
    let other = |index: u32| {
        let link = ns.links.get(&index);
        index != from && link.is_some_and(|l| l.is_up() && l.kind != LinkKind::Loopback)
    };
    crate::wiring::default_hop(ns, ipv6).is_some_and(|(link, _)| other(link))
}
