//! A container's link that is down while the host's end of the pair is up and a port of its bridge: what
//! is sent there is thrown away at the bridge, which has no carrier to send to.

use model::{LinkId, LinkKind};

use crate::patient::Patient;
use crate::wiring::addresses;
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ns in patient.snapshot.namespaces.values() {
        for end in ns.links.values().filter(|l| l.kind == LinkKind::Veth && !l.is_up()) {
            let link = LinkId { ns: ns.id, index: end.index };
            let Some(port) = end.peer().filter(|peer| peer.ns != ns.id) else { continue };
            let up = patient.link(port).is_some_and(|l| l.is_up() && l.port.is_some());
            if up && addresses(patient.snapshot, link).any(|a| a.scope != model::Scope::Link) {
                let fault = Fault::CutOff { link, port };
                patient.note(&mut findings, (fault, ns.id), [ns.id], None);
            }
        }
    }
    findings
}
