//! br_netfilter hands what passes a bridge to the FORWARD chain of the bridge's own namespace, where a
//! policy of DROP (Docker's) is the end of it.

use std::net::IpAddr;

use model::LinkId;
use walk::Reason;

use crate::patient::Patient;
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (bridge, _) in patient.bridges().filter(|(bridge, _)| patient.calls_iptables(*bridge)) {
        let beyond: Vec<LinkId> = patient.wiring.beside(bridge).to_vec();
        let guests: Vec<LinkId> = beyond.into_iter().filter(|l| l.ns != bridge.ns).collect();
        for (n, from) in guests.iter().enumerate() {
            // Each to the next one, the last to the first.
            let to = guests[(n + 1) % guests.len()];
            if from.ns != to.ns {
                ask(patient, bridge, *from, to, &mut findings);
            }
        }
    }
    findings
}

fn ask(
    patient: &Patient<'_>,
    bridge: LinkId,
    from: LinkId,
    to: LinkId,
    findings: &mut Vec<Finding>,
) {
    let Some(ip) = patient.address(to) else { return };
    let near = |a: &model::Address| a.net.contains(&IpAddr::V4(ip));
    if !crate::wiring::addresses(patient.snapshot, from).any(near) {
        return;
    }
    let questions = patient.plain_questions(from.ns, ip.into());
    let Some(loss) = patient.lost(&questions) else { return };
    if let (Reason::PolicyDrop(chain), true) = (&loss.root().reason, loss.root().ns == bridge.ns)
        && patient.forwards(chain)
    {
        let fault = Fault::BridgedDrop { bridge, chain: chain.clone() };
        patient.note(findings, (fault, bridge.ns), [from.ns, to.ns], questions.first());
    }
}
