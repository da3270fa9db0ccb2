//! With br_netfilter, a packet that passes a bridge of the host and is then routed by the same host is
//! tracked on the bridge: the connection has begun when the nat chains would be asked, and its source
//! stays as it is. Proxmox's firewall bridges (fwbr) do that to a host that masquerades for guests.

use model::{Expr, LinkId, LinkKind, NsId, Snapshot};
use walk::{Action, Indexed, Reason, RuleRef, Trace};

use crate::patient::{Patient, rules};
use crate::wiring::User;
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for User { link, router, .. } in patient.wiring.users.iter().filter(|u| !u.ipv6) {
        let [question, _] = patient.plain_questions(link.ns, patient.beyond);
        let Some(loss) = patient.loss(&question) else { continue };
        let Some(rule) = masquerade(patient, router.ns) else { continue };
        if !matches!(loss.root().reason, Reason::NoWayBack { .. }) {
            continue;
        }
        let trace = patient.net.trace(question.clone());
        let Some(bridge) = crossed(patient, &trace, *router) else { continue };
        if without_br_netfilter(patient.snapshot, router.ns, &question) {
            let fault = Fault::SkippedNat { rule, bridge };
            patient.note(&mut findings, (fault, router.ns), [link.ns], Some(&question));
        }
    }
    findings
}

/// A rule that masquerades.
pub(super) fn masquerade(patient: &Patient<'_>, ns: NsId) -> Option<RuleRef> {
    let translates = |e: &Expr| e.masquerades() || e.is_snat();
    let mut found = rules(patient.ns(ns)).filter(|(_, _, r)| r.exprs.iter().any(translates));
    found.next().map(|(name, _, _)| name)
}

/// A bridge of the router's, other than the one that it routes from, that the packet passed.
fn crossed(patient: &Patient<'_>, trace: &Trace, router: LinkId) -> Option<LinkId> {
    let steps = trace.there.hops.iter().flat_map(|hop| &hop.steps);
    let mut bridges = steps.filter_map(|step| match step.action {
        Action::In { bridge, .. } => bridge,
        _ => None,
    });
    bridges.find(|bridge| {
        bridge.ns == router.ns && *bridge != router && patient.calls_iptables(*bridge, false)
    })
}

/// Whether it would come through if rules for IP did not see what passes bridges.
fn without_br_netfilter(snapshot: &Snapshot, ns: NsId, question: &walk::Question) -> bool {
    let mut other = snapshot.clone();
    let Some(place) = other.namespaces.get_mut(&ns) else { return false };
    place.sysctls.bridge_nf_call_iptables = Some(false);
    for link in place.links.values_mut() {
        if let LinkKind::Bridge(bridge) = &mut link.kind {
            bridge.nf_call_iptables = false;
        }
    }
    Indexed::new(&other).trace(question.clone()).verdict() == walk::Verdict::Yes
}
