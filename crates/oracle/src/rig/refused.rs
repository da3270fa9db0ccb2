//! How often senders have been told of errors, where no setting says how often they are.

use std::net::IpAddr;

use model::NsId;
use walk::{Action, Disposition, Loss, Reason, Trace, Way};

use super::Rig;

impl Rig<'_> {
    /// Whether the kernel sends all errors that are foretold. `ip_error` tells each sender five
    /// times (ip_rt_error_burst), then once a second; no setting of a namespace changes that. Nor
    /// that a router of IPv6 redirects a sender, and about a destination, some six times.
    pub(crate) fn may_be_told(&mut self, trace: &Trace) -> bool {
        const BURST: usize = 5;
        let mut told = Vec::new();
        trace.ways().for_each(|way| refusals(way, &mut told));
        let before = |key| self.refusals.get(key).copied().unwrap_or(0);
        let now = |key| told.iter().filter(|one| *one == key).count();
        let allowed = told.iter().all(|key| before(key) + now(key) <= BURST);
        if allowed {
            // Behind a TCP probe comes a reset, which is refused too.
            let each = 1 + usize::from(trace.question.packet.payload.protocol() == 6);
            told.into_iter().for_each(|key| *self.refusals.entry(key).or_default() += each);
        }
        allowed
    }
}

/// Whose packets that came in are refused, and by whom, because no route leads on. Each costs, also
/// where no error is due about it.
fn refusals(way: &Way, told: &mut Vec<(NsId, IpAddr)>) {
    if let Disposition::Lost(Loss { ns, link: Some(_), reason }) = &way.disposition
        && matches!(reason, Reason::NoRoute(_) | Reason::RouteRefuses(_) | Reason::RoutingRule(_))
    {
        let last = way.hops.iter().flat_map(|hop| &hop.steps).next_back();
        let packet = last.map_or(&way.packet, |step| &step.packet);
        // Of IPv6 there is no such limit.
        told.extend(packet.src.is_ipv4().then_some((*ns, packet.src)));
    }
    for hop in &way.hops {
        let back = hop
            .steps
            .iter()
            .filter(|step| matches!(step.action, Action::Forwarded { from, to, .. } if from == to));
        let six = back.filter(|step| step.packet.dst.is_ipv6());
        told.extend(six.flat_map(|s| [(hop.ns, s.packet.src), (hop.ns, s.packet.dst)]));
    }
    let steps = way.hops.iter().flat_map(|hop| &hop.steps);
    steps.flat_map(|step| &step.children).for_each(|child| refusals(child, told));
}
