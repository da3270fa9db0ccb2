//! Containers keep an MTU of 1500 behind an uplink that takes less (a VPN, a VXLAN, PPPoE): what is
//! larger is refused or vanishes, while small packets pass.

use model::{Expr, Namespace, XtInfo};
use walk::{Protocol, Reason};

use crate::patient::{Patient, rules};
use crate::wiring::User;
use crate::{Fault, Finding};

/// Bytes of an ICMP header.
const ICMP: u32 = 8;

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for user @ User { link, router, ipv6 } in &patient.wiring.users {
        let mtu = patient.link(*link).map_or(0, |l| l.mtu);
        let place = walk::Place::Namespace(link.ns);
        let question = patient.question(place, patient.beyond(user), Protocol::Icmp);
        let headers = if *ipv6 { 40 } else { 20 } + ICMP;
        let question = question.size(mtu.saturating_sub(headers)).dont_fragment(true);
        let Some(loss) = patient.loss(&question) else { continue };
        let Reason::TooBig { told, .. } = loss.root().reason else { continue };
        let Some(out) = loss.root().link.filter(|out| out != link) else { continue };
        if clamps(patient.ns(out.ns)) {
            continue;
        }
        let same = |f: &&mut Finding| {
            matches!(f.fault, Fault::NarrowUplink { out: o, link: l, .. }
                if o == out && patient.link(l).map(|l| l.mtu) == Some(mtu))
        };
        match findings.iter_mut().find(same) {
            Some(known) if known.hit.contains(&link.ns) => {}
            Some(known) => known.hit.push(link.ns),
            None => {
                let fault = Fault::NarrowUplink { link: *link, router: *router, out, told };
                patient.note(&mut findings, (fault, out.ns), [link.ns], Some(&question));
            }
        }
    }
    findings
}

/// Some rule writes the size that TCP connections agree on.
fn clamps(ns: &Namespace) -> bool {
    let clamp = |e: &Expr| match e {
        Expr::Target(xt) => matches!(xt.info, XtInfo::TcpMss(_)),
        Expr::ExthdrSet { .. } => true,
        _ => false,
    };
    rules(ns).any(|(_, _, rule)| rule.exprs.iter().any(clamp))
}
