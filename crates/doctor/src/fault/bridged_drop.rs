//! br_netfilter hands what passes a bridge to the FORWARD chain of the bridge's own namespace, where a
//! policy of DROP (Docker's) is the end of it.

use model::LinkId;
use walk::Reason;

use crate::patient::Patient;
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let both = patient.bridges().flat_map(|(bridge, _)| [(bridge, false), (bridge, true)]);
    for (bridge, ipv6) in both.filter(|(bridge, ipv6)| patient.calls_iptables(*bridge, *ipv6)) {
        let beyond: Vec<LinkId> = patient.wiring.beside(bridge, ipv6).to_vec();
        let guests: Vec<LinkId> = beyond.into_iter().filter(|l| l.ns != bridge.ns).collect();
        for (n, from) in guests.iter().enumerate() {
            // Each to the next one, the last to the first.
            let to = guests[(n + 1) % guests.len()];
            if from.ns != to.ns {
                ask(patient, (bridge, ipv6), *from, to, &mut findings);
            }
        }
    }
    findings
}

fn ask(
    patient: &Patient<'_>,
    (bridge, ipv6): (LinkId, bool),
    from: LinkId,
    to: LinkId,
    findings: &mut Vec<Finding>,
) {
    let Some(ip) = patient.address_of(to, ipv6) else { return };
    let near = |a: &model::Address| a.net.contains(&ip);
    if !crate::wiring::addresses(patient.snapshot, from).any(near) {
        return;
    }
    let questions = patient.plain_questions(from.ns, ip);
    let Some(loss) = patient.lost(&questions) else { return };
    if let (Reason::PolicyDrop(chain), true) = (&loss.root().reason, loss.root().ns == bridge.ns)
        && patient.forwards(chain)
    {
        let fault = Fault::BridgedDrop { bridge, chain: chain.clone() };
        patient.note(findings, (fault, bridge.ns), [from.ns, to.ns], questions.first());
    }
}
