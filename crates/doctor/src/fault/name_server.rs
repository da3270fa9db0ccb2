//! A container that asks name servers of which none answers: a file that was copied from its host names
//! a stub that listens on the host's own loopback (systemd-resolved's 127.0.0.53), or an address that
//! is not reached from inside.

use std::net::IpAddr;

use model::{Namespace, NsId, Scope};
use walk::{Disposition, Payload, Place, Protocol, Question, Trace};

use super::overlap::further_out;
use crate::patient::Patient;
use crate::{Deaf, Fault, Finding};

/// Resolvers ask no more of those in their file (MAXNS).
const ASKED: usize = 3;

pub(crate) fn find(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ns in patient.snapshot.namespaces.values().filter(|ns| is_joined(ns)) {
        let servers = &ns.resolvers[..ns.resolvers.len().min(ASKED)];
        let deaf: Option<Vec<_>> = servers.iter().map(|ip| deaf(patient, ns.id, *ip)).collect();
        if let Some((question, why)) = deaf.and_then(|all| all.into_iter().next()) {
            let fault = Fault::NameServer { servers: servers.to_vec(), why };
            patient.note(&mut findings, (fault, ns.id), [ns.id], Some(&question));
        }
    }
    findings
}

/// Whether it is to have a network at all.
fn is_joined(ns: &Namespace) -> bool {
    ns.addresses.iter().any(|a| a.scope != Scope::Link && !a.ip().is_loopback())
}

/// Why a name server does not answer. None: it does, or that cannot be told.
fn deaf(patient: &Patient<'_>, ns: NsId, server: IpAddr) -> Option<(Question, Deaf)> {
    let question = patient.question(Place::Namespace(ns), server, Protocol::Udp(53));
    if let Some(loss) = patient.loss(&question) {
        let lost = Deaf::Lost(Box::new(loss.root().clone()));
        return is_reached_further_out(patient, ns, server).then_some((question, lost));
    }
    let at = unheard(patient, &patient.net.trace(question.clone()))?;
    Some((question, Deaf::Nobody(at)))
}

/// Whether all gateways on its way out reach it themselves: what a host without a network does not
/// reach is not its containers' fault.
fn is_reached_further_out(patient: &Patient<'_>, ns: NsId, server: IpAddr) -> bool {
    let gateways = further_out(patient, ns, server.is_ipv6());
    let reached = |id: &NsId| {
        patient.arrives(&patient.question(Place::Namespace(*id), server, Protocol::Udp(53)))
    };
    !gateways.is_empty() && gateways.iter().all(reached)
}

/// The namespace that it came to, where nobody waits at its port.
fn unheard(patient: &Patient<'_>, trace: &Trace) -> Option<NsId> {
    let Disposition::Delivered(id) = trace.there.disposition else { return None };
    let ns = patient.snapshot.namespaces.get(&id).filter(|ns| ns.gap("listeners").is_none())?;
    let packet = trace.there.last_packet();
    let Payload::Udp { dport, .. } = packet.payload else { return None };
    let hears = |l: &model::Listener| {
        (l.protocol, l.port) == (packet.protocol(), dport) && l.takes(packet.dst)
    };
    (!ns.listeners.iter().any(hears)).then_some(id)
}
