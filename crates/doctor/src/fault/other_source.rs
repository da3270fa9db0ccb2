//! MASQUERADE takes the first address of the link out (`inet_select_addr`; of IPv6, the one that
//! `ipv6_dev_get_saddr` chooses), whatever `src` the route has: translated packets leave with another source than the host's own.

use model::{LinkId, TABLE_MAIN};
use walk::{Action, Trace};

use super::skipped_nat::masquerade;
use crate::patient::Patient;
use crate::wiring::User;
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for user @ User { link, router, ipv6 } in &patient.wiring.users {
        let ns = patient.ns(router.ns);
        let is_default = |r: &&model::Route| {
            r.table == TABLE_MAIN && r.dst.prefix_len() == 0 && r.dst.addr().is_ipv6() == *ipv6
        };
        let best = ns.routes.iter().filter(is_default).min_by_key(|r| r.metric);
        let Some(route) = best.filter(|r| r.prefsrc.is_some()) else { continue };
        if masquerade(patient, router.ns, *ipv6).is_none() {
            continue;
        }
        let [question, _] = patient.plain_questions(link.ns, patient.beyond(user));
        let trace = patient.net.trace(question.clone());
        let Some((rule, source)) = translated(&trace, router.ns) else { continue };
        if Some(source) != route.prefsrc {
            let hop = route.nexthops.first().map_or(0, |hop| hop.link);
            let out = LinkId { ns: router.ns, index: hop };
            let fault =
                Fault::OtherSource { rule, route: Box::new(route.clone()), link: out, source };
            patient.note(&mut findings, (fault, router.ns), [link.ns], Some(&question));
        }
    }
    findings
}

/// The rule that masqueraded it there, and its source behind that. A rule that names an address means
/// it.
fn translated(trace: &Trace, ns: model::NsId) -> Option<(walk::RuleRef, std::net::IpAddr)> {
    let hops = trace.there.hops.iter().filter(|hop| hop.ns == ns);
    hops.flat_map(|hop| &hop.steps).find_map(|step| match &step.action {
        Action::Translated(nat) if nat.source => Some((nat.rule.clone()?, nat.after.src)),
        _ => None,
    })
}
