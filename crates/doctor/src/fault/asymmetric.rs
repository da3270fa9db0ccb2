//! A rule that drops what is INVALID hits answers to packets that it never saw: where one way leads past
//! a firewall and the other through it, the answer to a SYN comes out of nowhere
//! (`nf_conntrack_tcp_packet`).

use model::{CtKey, Expr, LinkId, LinkKind, NftRule, Verdict, XtInfo};
use walk::{Change, Disposition, Place, Protocol, Reason, RuleRef};

use crate::patient::{Patient, ends_with, rules};
use crate::{Fault, Finding};

/// A state as bit, as nft and xtables have it.
const INVALID: u32 = 1;
const NEW: u32 = 8;

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut all = patient.snapshot.namespaces.values().flat_map(rules);
    if !all.any(|(_, _, rule)| drops_invalid(rule)) {
        return findings;
    }
    for ipv6 in [false, true] {
        let askers = askers(patient, ipv6);
        for asked in asked(patient, ipv6) {
            for asker in askers.iter().filter(|l| l.ns != asked.ns) {
                ask(patient, *asker, (asked, ipv6), &mut findings);
            }
        }
    }
    findings
}

/// One of each segment.
fn askers(patient: &Patient<'_>, ipv6: bool) -> Vec<LinkId> {
    let has = |link: &&LinkId| patient.address_of(**link, ipv6).is_some();
    patient.wiring.segments(ipv6).filter_map(|ends| ends.iter().find(has).copied()).collect()
}

/// Whose answers may go another way: who has a gateway, one for each, and who is in two networks.
fn asked(patient: &Patient<'_>, ipv6: bool) -> Vec<LinkId> {
    let mut all: Vec<LinkId> = Vec::new();
    let mut routers = Vec::new();
    for user in patient.wiring.users.iter().filter(|u| u.ipv6 == ipv6) {
        if !routers.contains(&user.router) {
            routers.push(user.router);
            all.push(user.link);
        }
    }
    for ns in patient.snapshot.namespaces.values() {
        let ends = ns.links.values().filter(|l| {
            !matches!(l.kind, LinkKind::Loopback | LinkKind::Bridge(_))
                && patient.address_of(LinkId { ns: ns.id, index: l.index }, ipv6).is_some()
        });
        let ends: Vec<LinkId> = ends.map(|l| LinkId { ns: ns.id, index: l.index }).collect();
        if ends.len() > 1 {
            all.extend(ends);
        }
    }
    all
}

fn ask(
    patient: &Patient<'_>,
    asker: LinkId,
    (asked, ipv6): (LinkId, bool),
    findings: &mut Vec<Finding>,
) {
    let Some(to) = patient.address_of(asked, ipv6) else { return };
    let listens = patient.ns(asked.ns).listeners.iter().filter(|l| l.protocol == 6);
    let ports = listens.map(|l| l.port).take(1).chain([crate::patient::ANY_PORT]);
    for port in ports {
        let place = Place::Namespace(asker.ns);
        let question = patient.question(place, to, Protocol::Tcp(port));
        let Some(Disposition::Lost(loss)) = patient.net.outcome(&question).back else { continue };
        let Reason::RuleDrop(rule) = &loss.root().reason else { continue };
        if !names_invalid(patient, rule)
            || !patient.arrives_with(&[Change::Delete(rule.clone())], &question)
        {
            continue;
        }
        let trace = patient.net.trace(question.clone());
        let Some(back) = &trace.back else { continue };
        let (from, to) = (back.packet.src, back.packet.dst);
        let fault = Fault::Asymmetric { rule: rule.clone(), from, to };
        let ns = rule.chain.ns;
        patient.note(findings, (fault, ns), [asker.ns, asked.ns], Some(&question));
        return;
    }
}

fn names_invalid(patient: &Patient<'_>, name: &RuleRef) -> bool {
    rules(patient.ns(name.chain.ns)).any(|(n, _, rule)| n == *name && drops_invalid(rule))
}

/// It drops packets that belong to no connection, and not those that begin one.
fn drops_invalid(rule: &NftRule) -> bool {
    let asks = |mask: u32| mask & INVALID != 0 && mask & NEW == 0;
    let asks = |pair: &[Expr]| match pair {
        [Expr::Ct { key: CtKey::State, .. }, Expr::Bitwise { mask, .. }] => {
            let mask = mask.as_slice().try_into().map(u32::from_ne_bytes);
            mask.is_ok_and(asks)
        }
        [Expr::Match(xt), _] => match &xt.info {
            XtInfo::State { mask } => asks(*mask),
            XtInfo::Conntrack(ct) => {
                ct.match_flags & 1 != 0 && ct.invert_flags & 1 == 0 && asks(ct.state_mask.into())
            }
            _ => false,
        },
        _ => false,
    };
    ends_with(rule, &Verdict::Drop) && rule.exprs.windows(2).any(asks)
}
