//! Links on one bridge that take packets of different sizes: a bridge does not fragment and tells
//! nobody (`is_skb_forwardable`), so that large ones to the smaller link vanish.

use model::LinkId;
use walk::{Place, Protocol, Reason};

use crate::patient::Patient;
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let both = patient.bridges().flat_map(|(bridge, _)| [(bridge, false), (bridge, true)]);
    for (bridge, ipv6) in both {
        let ends = patient.wiring.beside(bridge, ipv6);
        let mtu = |l: &LinkId| patient.link(*l).map_or(0, |l| l.mtu);
        let Some(large) = ends.iter().max_by_key(|l| mtu(l)) else { continue };
        for small in ends.iter().filter(|l| mtu(l) < mtu(large) && l.ns != large.ns) {
            ask(patient, (bridge, ipv6), *large, *small, &mut findings);
        }
    }
    findings
}

fn ask(
    patient: &Patient<'_>,
    (bridge, ipv6): (LinkId, bool),
    large: LinkId,
    small: LinkId,
    findings: &mut Vec<Finding>,
) {
    let Some(to) = patient.address_of(small, ipv6) else { return };
    let near = |a: &model::Address| a.net.contains(&to);
    if !crate::wiring::addresses(patient.snapshot, large).any(near) {
        return;
    }
    let size = patient.link(large).map_or(0, |l| l.mtu).saturating_sub(if ipv6 { 48 } else { 28 });
    let question = patient.question(Place::Namespace(large.ns), to, Protocol::Icmp);
    let question = question.size(size).dont_fragment(true);
    let Some(loss) = patient.loss(&question) else { return };
    if matches!(loss.root().reason, Reason::TooBig { told: false, .. }) {
        let fault = Fault::UnequalPorts { bridge, large, small };
        patient.note(findings, (fault, bridge.ns), [small.ns], Some(&question));
    }
}
