//! How often senders have been told of errors, where no setting says how often they are.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use model::NsId;
use walk::{Action, Disposition, IcmpKind, Loss, Payload, Reason, Step, Trace, Way};

use super::Rig;

/// Who was told, by whom.
type Told = (NsId, IpAddr);

/// How often a router of IPv4 has sent a sender another way, and when it did last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Redirected {
    times: u32,
    last: Instant,
}

impl Redirected {
    /// `ip_rt_send_redirect`: each time, it is to be twice as long ago as before (ip_rt_redirect_load;
    /// more, as clocks are coarse, and as a probe's last packet comes later), and after some times it
    /// is enough.
    fn may_be_told(self, now: Instant) -> bool {
        const LOAD: Duration = Duration::from_millis(20);
        const MORE: Duration = Duration::from_millis(150);
        const TIMES: u32 = 9;
        self.times < TIMES && now > self.last + LOAD * (1 << self.times) + MORE
    }
}

impl Rig<'_> {
    /// Whether the kernel sends all errors that are foretold. `ip_error` tells each sender five
    /// times (ip_rt_error_burst), then once a second; no setting of a namespace changes that. Nor
    /// that a router of IPv6 redirects a sender, and about a destination, some six times; nor how often
    /// one of IPv4 does.
    pub(crate) fn may_be_told(&mut self, trace: &Trace) -> bool {
        const BURST: usize = 5;
        let (mut told, mut redirected) = (Vec::new(), Vec::new());
        trace.ways().for_each(|way| {
            refusals(way, &mut told);
            redirects(way, &mut redirected);
        });
        let before = |key: &Told| self.refusals.get(key).copied().unwrap_or(0);
        let now = |key: &Told| told.iter().filter(|one| *one == key).count();
        let at = Instant::now();
        let once = |key: &Told| redirected.iter().filter(|one| *one == key).count() == 1;
        // Who was refused has been told something of late.
        let due = |key: &Told| {
            let long_ago = self.redirected.get(key).is_none_or(|r| r.may_be_told(at));
            once(key) && long_ago && before(key) == 0 && now(key) == 0
        };
        // Who was sent another way has no credit left (rate_tokens).
        let fresh = |key: &Told| !self.redirected.contains_key(key);
        let told_of = |key: &Told| fresh(key) && before(key) + now(key) <= BURST;
        let allowed = redirected.iter().all(due) && told.iter().all(told_of);
        if allowed {
            // Behind a TCP probe comes a reset, which is refused too; and behind its answer another.
            let tcp = trace.question.packet.payload.protocol() == 6;
            let (refused, redirects) = if tcp { (2, 3) } else { (1, 1) };
            told.into_iter().for_each(|key| *self.refusals.entry(key).or_default() += refused);
            for key in redirected {
                let told = self.redirected.entry(key).or_insert(Redirected { times: 0, last: at });
                (told.times, told.last) = (told.times + redirects, at);
            }
        }
        allowed
    }
}

/// Whose packets that came in are refused, and by whom, because no route leads on. Each costs, also
/// where no error is due about it.
fn refusals(way: &Way, told: &mut Vec<Told>) {
    if let Disposition::Lost(Loss { ns, link: Some(_), reason }) = &way.disposition
        && matches!(reason, Reason::NoRoute(_) | Reason::RouteRefuses(_) | Reason::RoutingRule(_))
    {
        let last = way.hops.iter().flat_map(|hop| &hop.steps).next_back();
        let packet = last.map_or(&way.packet, |step| &step.packet);
        // Of IPv6 there is no such limit.
        told.extend(packet.src.is_ipv4().then_some((*ns, packet.src)));
    }
    let six = turned_back(way).filter(|(_, step)| step.packet.dst.is_ipv6());
    told.extend(six.flat_map(|(ns, step)| [(ns, step.packet.src), (ns, step.packet.dst)]));
    children(way).for_each(|child| refusals(child, told));
}

/// Whom a router of IPv4 tells a nearer way, or has told it often enough.
fn redirects(way: &Way, told: &mut Vec<Told>) {
    let redirect = |child: &Way| {
        matches!(child.packet.payload, Payload::Icmp { kind: IcmpKind::Redirect, .. })
    };
    let four = turned_back(way)
        .filter(|(_, step)| step.packet.dst.is_ipv4() && step.children.iter().any(redirect));
    told.extend(four.map(|(ns, step)| (ns, step.packet.src)));
    children(way).for_each(|child| redirects(child, told));
}

/// Where a packet went out where it came in.
fn turned_back(way: &Way) -> impl Iterator<Item = (NsId, &Step)> {
    let steps = way.hops.iter().flat_map(|hop| hop.steps.iter().map(move |step| (hop.ns, step)));
    steps
        .filter(|(_, step)| matches!(step.action, Action::Forwarded { from, to, .. } if from == to))
}

fn children(way: &Way) -> impl Iterator<Item = &Way> {
    way.hops.iter().flat_map(|hop| &hop.steps).flat_map(|step| &step.children)
}
