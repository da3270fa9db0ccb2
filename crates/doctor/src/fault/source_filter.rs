//! A firewall of a guest's host lets only the guest's own addresses out (Proxmox's ipfilter), and the
//! guest sends what its containers send as it is, with theirs.

use walk::{Change, Reason, RuleRef};

use crate::patient::Patient;
use crate::wiring::{User, addresses, default_hop};
use crate::{Fault, Finding};
use model::LinkId;

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for user @ User { link, router, ipv6 } in &patient.wiring.users {
        let Some((out, _)) = default_hop(patient.ns(router.ns), *ipv6) else { continue };
        let beyond = patient.beyond(user);
        let questions = patient.plain_questions(link.ns, beyond);
        let Some(loss) = patient.lost(&questions) else { continue };
        let Some(rule) = dropped_by(&loss.root().reason) else { continue };
        if [link.ns, router.ns].contains(&rule.chain.ns) {
            continue;
        }
        let [own, _] = patient.plain_questions(router.ns, beyond);
        let Some(source) = patient.address_of(*link, *ipv6) else { continue };
        let out = LinkId { ns: router.ns, index: out };
        let translated = [Change::Masquerade(source, out)];
        if patient.arrives(&own) && patient.arrives_with(&translated, &questions[0]) {
            let inside = |a: &&model::Address| a.net.contains(&source);
            let Some(address) = addresses(patient.snapshot, *router).find(inside) else { continue };
            let fault = Fault::SourceFilter { rule, net: address.net.trunc(), out };
            patient.note(&mut findings, (fault, router.ns), [link.ns], questions.first());
        }
    }
    findings
}

fn dropped_by(reason: &Reason) -> Option<RuleRef> {
    match reason {
        Reason::RuleDrop(rule) | Reason::RuleReject(rule, _) => Some(rule.clone()),
        _ => None,
    }
}
