//! Proxmox's MAC filter drops what a guest's port brings from another address than the guest's own: so
//! also what a macvlan child inside of the guest sends.

use model::{Data, Expr, LinkId, LinkKind, Mac, NftRule, Relation, Verdict, XtInfo};

use crate::patient::{Patient, rules};
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ns in patient.snapshot.namespaces.values() {
        for (name, chain, rule) in rules(ns) {
            let Some(allowed) = only_from(rule) else { continue };
            // The rule stands in a chain of the port's own, or names the port itself.
            let of_port = |l: &&model::Link| {
                chain.name.starts_with(&format!("{}-", l.name)) || physin(rule) == Some(&l.name)
            };
            for port in ns.links.values().filter(of_port) {
                let Some(guest) = port.peer() else { continue };
                for child in children(patient, guest, allowed) {
                    let port = LinkId { ns: ns.id, index: port.index };
                    let fault = Fault::MacFilter { port, rule: name.clone(), child };
                    patient.note(&mut findings, (fault, ns.id), [child.ns], None);
                }
            }
        }
    }
    findings
}

/// The address that all else than is dropped.
fn only_from(rule: &NftRule) -> Option<Mac> {
    let drop = |e: &Expr| matches!(e, Expr::Immediate { data: Data::Verdict(Verdict::Drop), .. });
    let mac = rule.exprs.iter().find_map(|e| match e {
        Expr::Match(xt) => match xt.info {
            XtInfo::MacSource { mac, invert: true } => Some(mac),
            _ => None,
        },
        _ => None,
    });
    mac.filter(|_| rule.exprs.iter().any(drop))
}

fn physin(rule: &NftRule) -> Option<&String> {
    rule.exprs.iter().find_map(|e| match e {
        Expr::Match(xt) => match &xt.info {
            XtInfo::Physdev { physin, .. } => physin.as_ref(),
            _ => None,
        },
        _ => None,
    })
}

/// macvlans that stand on the guest's link, and have another address.
fn children(patient: &Patient<'_>, guest: LinkId, allowed: Mac) -> Vec<LinkId> {
    let all =
        patient.snapshot.namespaces.values().flat_map(|ns| {
            ns.links.values().map(move |l| (LinkId { ns: ns.id, index: l.index }, l))
        });
    let stands = |l: &model::Link| {
        matches!(l.kind, LinkKind::Macvlan(_)) && l.relation == Relation::Lower(guest)
    };
    let other = |l: &model::Link| l.mac.is_some_and(|mac| mac != allowed);
    all.filter(|(_, l)| stands(l) && other(l)).map(|(id, _)| id).collect()
}
