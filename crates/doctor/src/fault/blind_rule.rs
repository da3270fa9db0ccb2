//! A rule that drops what goes from a bridge to the same bridge (Docker's `icc=false`) sees it only
//! with br_netfilter: without, containers that are to be kept apart are not.

use model::{Chain, CmpOp, Expr, Family, Hook, MetaKey, NftRule, Verdict};

use super::routed_drop::name_of;
use crate::patient::{Patient, ends_with, rules};
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (bridge, link) in patient.bridges() {
        let ns = patient.ns(bridge.ns);
        for (rule, chain, told) in rules(ns) {
            let ipv6 = rule.chain.family == Family::Ip6;
            let beside = patient.wiring.beside(bridge, ipv6);
            let guests = || beside.iter().filter(|l| l.ns != bridge.ns);
            let sees = patient.calls_iptables(bridge, ipv6) || ns.gap("sysctls").is_some();
            if sees || guests().count() < 2 {
                continue;
            }
            if ends_with(told, &Verdict::Drop)
                && from_and_to(told, &link.name)
                && sees_forwarded(chain)
            {
                let loaded = ns.sysctls.bridge_nf_call_iptables.is_some();
                let fault = Fault::BlindRule { bridge, rule, loaded };
                patient.note(&mut findings, (fault, bridge.ns), guests().map(|l| l.ns), None);
            }
        }
    }
    findings
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
