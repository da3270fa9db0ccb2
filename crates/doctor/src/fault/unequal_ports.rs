//! Links on one bridge that take packets of different sizes: a bridge does not fragment and tells
//! nobody (`is_skb_forwardable`), so that large ones to the smaller link vanish.

use std::net::IpAddr;

use model::LinkId;
use walk::{Place, Protocol, Reason};

use crate::patient::Patient;
use crate::{Fault, Finding};

/// Bytes of an IPv4 and an ICMP header.
const HEADERS: u32 = 28;

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (bridge, _) in patient.bridges() {
        let ends = patient.wiring.beside(bridge);
        let mtu = |l: &LinkId| patient.link(*l).map_or(0, |l| l.mtu);
        let Some(large) = ends.iter().max_by_key(|l| mtu(l)) else { continue };
        for small in ends.iter().filter(|l| mtu(l) < mtu(large) && l.ns != large.ns) {
            ask(patient, bridge, *large, *small, &mut findings);
        }
    }
    findings
}

fn ask(
    patient: &Patient<'_>,
    bridge: LinkId,
    large: LinkId,
    small: LinkId,
    findings: &mut Vec<Finding>,
) {
    let Some(to) = patient.address(small) else { return };
    let near = |a: &model::Address| a.net.contains(&IpAddr::V4(to));
    if !crate::wiring::addresses(patient.snapshot, large).any(near) {
        return;
    }
    let size = patient.link(large).map_or(0, |l| l.mtu).saturating_sub(HEADERS);
    let question = patient.question(Place::Namespace(large.ns), to.into(), Protocol::Icmp);
    let question = question.size(size).dont_fragment(true);
    let Some(loss) = patient.loss(&question) else { return };
    if matches!(loss.root().reason, Reason::TooBig { told: false, .. }) {
        let fault = Fault::UnequalPorts { bridge, large, small };
        patient.note(findings, (fault, bridge.ns), [small.ns], Some(&question));
    }
}
