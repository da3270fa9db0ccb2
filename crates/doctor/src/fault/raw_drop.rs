//! Docker 28 and later drops in raw's PREROUTING what comes for a container by another link than its
//! bridge, before DOCKER-USER is asked: an ACCEPT there does not help.

use std::net::IpAddr;

use model::{Hook, LinkId, Namespace, NftRule, NsId, Verdict};
use walk::{Change, Place, Protocol, Question, Reason, RuleRef};

use crate::patient::{Patient, ends_with, rules};
use crate::published::{destination, protocol};
use crate::{Fault, Finding};

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ns in patient.snapshot.namespaces.values() {
        let accepts: Vec<_> = accepts(ns).collect();
        if accepts.is_empty() {
            continue;
        }
        for (rule, to) in raw_drops(patient, ns) {
            for link in beside(patient, ns.id, to) {
                ask(patient, &rule, to, link, &accepts, &mut findings);
            }
        }
    }
    findings
}

/// What people accept, each with the packets that it is about.
fn accepts(ns: &Namespace) -> impl Iterator<Item = (RuleRef, Protocol)> {
    let users = rules(ns).filter(|(_, chain, _)| chain.name == "DOCKER-USER");
    let accepts = users.filter(|(_, _, rule)| ends_with(rule, &Verdict::Accept));
    accepts.map(|(name, _, rule)| (name, protocol(rule).unwrap_or(Protocol::Icmp)))
}

/// Rules before connection tracking that drop what is for one address.
fn raw_drops<'a>(
    patient: &Patient<'a>,
    ns: &'a Namespace,
) -> impl Iterator<Item = (RuleRef, IpAddr)> {
    let early = |name: &RuleRef| {
        let base = patient.base(&name.chain);
        base.is_some_and(|(_, base)| base.hook == Hook::Prerouting && base.priority < -200)
    };
    let drops: Vec<_> = rules(ns)
        .filter(|(name, _, rule): &(_, _, &NftRule)| early(name) && ends_with(rule, &Verdict::Drop))
        .filter_map(|(name, _, rule)| Some((name, destination(rule)?)))
        .collect();
    drops.into_iter()
}

/// Links of others that are beside one of this namespace's, but for those of that address's segment.
fn beside(patient: &Patient<'_>, ns: NsId, to: IpAddr) -> Vec<(LinkId, LinkId)> {
    let own = patient.ns(ns).links.keys().map(|index| LinkId { ns, index: *index });
    let mut all: Vec<(LinkId, LinkId)> = Vec::new();
    for link in own {
        let near = patient.wiring.beside(link, to.is_ipv6());
        let holds = |l: &LinkId| patient.ns(l.ns).addresses_of(l.index).any(|a| a.ip() == to);
        if near.iter().any(holds) {
            continue;
        }
        for other in near.iter().filter(|l| l.ns != ns) {
            if !all.iter().any(|(_, known)| known.ns == other.ns) {
                all.push((link, *other));
            }
        }
    }
    all
}

fn ask(
    patient: &Patient<'_>,
    rule: &RuleRef,
    to: IpAddr,
    (link, asker): (LinkId, LinkId),
    accepts: &[(RuleRef, Protocol)],
    findings: &mut Vec<Finding>,
) {
    for (accept, protocol) in accepts {
        let question = patient.question(Place::Namespace(asker.ns), to, *protocol);
        let Some(loss) = patient.loss(&question) else { continue };
        if loss.root().reason != Reason::RuleDrop(rule.clone()) {
            continue;
        }
        // That very ACCEPT would let it pass.
        let passes = |changes: &[&RuleRef]| passes(patient, changes, &question);
        if passes(&[rule]) && !passes(&[rule, accept]) {
            let (rule, accept) = (rule.clone(), accept.clone());
            let ns = rule.chain.ns;
            let fault = Fault::RawDrop { rule, accept, link, to };
            patient.note(findings, (fault, ns), [asker.ns], Some(&question));
            return;
        }
    }
}

/// Whether it gets there without these rules.
fn passes(patient: &Patient<'_>, without: &[&RuleRef], question: &Question) -> bool {
    let changes: Vec<Change> = without.iter().map(|rule| Change::Delete((*rule).clone())).collect();
    patient.arrives_with(&changes, question)
}
