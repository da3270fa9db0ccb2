//! With br_netfilter, a packet that passes a bridge of the host and is then routed by the same host is
//! tracked on the bridge: the connection has begun when the nat chains would be asked, and its source
//! stays as it is. Proxmox's firewall bridges (fwbr) do that to a host that masquerades for guests.

use model::{Bridge, Expr, Family, LinkId, LinkKind, NsId, Snapshot};
use walk::{Action, Indexed, Reason, RuleRef, Trace};

use crate::patient::{Patient, rules};
use crate::wiring::User;
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for user @ User { link, router, ipv6 } in &patient.wiring.users {
        let [question, _] = patient.plain_questions(link.ns, patient.beyond(user));
        let Some(loss) = patient.loss(&question) else { continue };
        let Some(rule) = masquerade(patient, router.ns, *ipv6) else { continue };
        if !matches!(loss.root().reason, Reason::NoWayBack { .. }) {
            continue;
        }
        let trace = patient.net.trace(question.clone());
        let Some(bridge) = crossed(patient, &trace, *router) else { continue };
        if without_br_netfilter(patient.snapshot, user, &question) {
            let fault = Fault::SkippedNat { rule, bridge };
            patient.note(&mut findings, (fault, router.ns), [link.ns], Some(&question));
        }
    }
    findings
}

/// A rule that masquerades packets of that family.
pub(super) fn masquerade(patient: &Patient<'_>, ns: NsId, ipv6: bool) -> Option<RuleRef> {
    let translates = |e: &Expr| e.masquerades() || e.is_snat();
    let other = if ipv6 { Family::Ip } else { Family::Ip6 };
    let ours = rules(patient.ns(ns)).filter(|(name, _, _)| name.chain.family != other);
    let mut found = ours.filter(|(_, _, r)| r.exprs.iter().any(translates));
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
        let ipv6 = trace.question.packet.is_ipv6();
        bridge.ns == router.ns && *bridge != router && patient.calls_iptables(*bridge, ipv6)
    })
}

/// Whether it would come through if rules for IP did not see what passes bridges.
fn without_br_netfilter(snapshot: &Snapshot, user: &User, question: &walk::Question) -> bool {
    let mut other = snapshot.clone();
    let Some(place) = other.namespaces.get_mut(&user.router.ns) else { return false };
    let all = &mut place.sysctls;
    let (of_ns, own): (_, fn(&mut Bridge) -> &mut bool) = match user.ipv6 {
        true => (&mut all.bridge_nf_call_ip6tables, |bridge| &mut bridge.nf_call_ip6tables),
        false => (&mut all.bridge_nf_call_iptables, |bridge| &mut bridge.nf_call_iptables),
    };
    *of_ns = Some(false);
    for link in place.links.values_mut() {
        if let LinkKind::Bridge(bridge) = &mut link.kind {
            *own(bridge) = false;
        }
    }
    Indexed::new(&other).trace(question.clone()).verdict() == walk::Verdict::Yes
}
