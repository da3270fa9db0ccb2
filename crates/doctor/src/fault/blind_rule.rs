//! A rule that drops what goes from a bridge to the same bridge (Docker's `icc=false`) sees it only
//! with br_netfilter: without, containers that are to be kept apart are not.

use model::{Chain, CmpOp, Data, Expr, Hook, MetaKey, NftRule, Verdict};

use super::routed_drop::name_of;
use crate::patient::{Patient, rules};
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (bridge, link) in patient.bridges() {
        let guests = || patient.wiring.beside(bridge).iter().filter(|l| l.ns != bridge.ns);
        let ns = patient.ns(bridge.ns);
        if patient.calls_iptables(bridge) || guests().count() < 2 || ns.gap("sysctls").is_some() {
            continue;
        }
        for (rule, chain, told) in rules(ns) {
            if drops(told) && from_and_to(told, &link.name) && sees_forwarded(chain) {
                let loaded = ns.sysctls.bridge_nf_call_iptables.is_some();
                let fault = Fault::BlindRule { bridge, rule, loaded };
                patient.note(&mut findings, (fault, bridge.ns), guests().map(|l| l.ns), None);
            }
        }
    }
    findings
}

fn drops(rule: &NftRule) -> bool {
    let drop = |e: &Expr| matches!(e, Expr::Immediate { data: Data::Verdict(Verdict::Drop), .. });
    rule.exprs.iter().any(drop)
}

/// It asks for just that link in and out.
fn from_and_to(rule: &NftRule, name: &str) -> bool {
    let asks = |wanted: MetaKey| {
        rule.exprs.windows(2).any(|pair| match pair {
            [Expr::Meta { key, .. }, Expr::Cmp { op: CmpOp::Eq, data, .. }] => {
                *key == wanted && name_of(data) == name.as_bytes()
            }
            _ => false,
        })
    };
    asks(MetaKey::IifName) && asks(MetaKey::OifName)
}

/// At FORWARD, or in a chain that others call.
fn sees_forwarded(chain: &Chain) -> bool {
    chain.base.as_ref().is_none_or(|base| base.hook == Hook::Forward)
}
