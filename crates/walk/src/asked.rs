//! A question is walked: there and back, by every choice that it hangs on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Snapshot;

use crate::choice::{Choices, Open};
use crate::packet::tcp;
use crate::question::TTL;
use crate::route::Flow;
use crate::skb::{End, Next, Skb};
use crate::walker::Walker;
use crate::{
    Action, Branch, Cause, Disposition, Indexed, Known, Overlay, Packet, Payload, Place, Question,
    Recorder, Sink, Trace, Verdict,
};

/// How many ways are walked where it hangs on choices.
const MAX_BRANCHES: u32 = 24;
/// Stands for a host outside, where a packet comes from there and nobody said from which
/// (RFC 5737, TEST-NET-2).
const SOMEBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
/// The same of IPv6 (RFC 3849).
const SOMEBODY6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1));

/// The way of one packet from where it starts to its end, told to `sink`. What it teaches on its
/// way is in `overlay` afterwards.
pub fn walk<S: Sink>(
    net: &Indexed<'_>,
    overlay: &mut Overlay,
    from: Place,
    packet: Packet,
    sink: &mut S,
) -> Disposition {
    let branch = sink.branch();
    let mut walker = Walker::new(net, overlay, branch);
    let end = start(&mut walker, from, packet, Sender::default());
    sink.go_on(walker.sink);
    overlay.settle();
    end.disposition
}

/// The way there, and if an answer is due, the way back.
#[must_use]
pub fn trace(snapshot: &Snapshot, question: Question) -> Trace {
    Indexed::new(snapshot).trace(question)
}

impl Indexed<'_> {
    /// The TTL, or hop limit, that a process's packet has unless it asks for another: that of its route,
    /// or the namespace's.
    #[must_use]
    pub fn usual_ttl(&self, question: &Question) -> u8 {
        let Place::Namespace(ns) = question.from else { return TTL };
        let flow = Flow { oif: question.bound, ..Flow::of(&question.packet, question.mark, None) };
        self.place(ns).map_or(TTL, |place| place.hop_limit(&flow))
    }

    /// The way there, and if an answer is due, the way back.
    #[must_use]
    pub fn trace(&self, question: Question) -> Trace {
        let mut left = MAX_BRANCHES;
        self.each_choice(&question, &mut Vec::new(), &mut left)
    }

    /// One way there and back, on top of what earlier packets taught; what this one teaches is added
    /// to it.
    #[must_use]
    pub fn trace_on(&self, overlay: &mut Overlay, question: Question) -> Trace {
        let mut walker = Walker::new(self, overlay, self.recorder());
        let end = start(&mut walker, question.from, question.packet.clone(), Sender::of(&question));
        let (recorder, assumed, arrivals) = (walker.sink, walker.assumed, walker.arrivals);
        let sent = first_packet(&recorder).unwrap_or_else(|| question.packet.clone());
        let there = recorder.into_way(Cause::Asked, sent.clone(), end.disposition.clone());
        let back = self.back(overlay, &question, &sent, &end, assumed.clone());
        let mut others = Vec::new();
        let own = arrivals.iter().position(|skb| is_same(skb, &end));
        let arrivals = arrivals.into_iter().enumerate().filter(|(i, _)| Some(*i) != own);
        for (_, skb) in arrivals {
            // Each copy came when the one before it had been answered, by a reset perhaps.
            if let Some(member) = skb.ct.filter(|member| !member.reply) {
                overlay.connections[member.connection].revive();
            }
            let end = End { disposition: Disposition::Delivered(skb.ns), skb };
            others.extend(self.back(overlay, &question, &sent, &end, assumed.clone()));
        }
        overlay.settle();
        Trace { question, there, back, others, branches: Vec::new() }
    }

    /// Every way that it may take where it hangs on choices, each with what it teaches; else the one
    /// way. A packet takes just one of them.
    #[must_use]
    pub fn possibilities(&self, question: &Question) -> Vec<(Trace, Overlay)> {
        let mut left = MAX_BRANCHES;
        let mut found = Vec::new();
        self.each_possibility(question, &mut Vec::new(), &mut left, &mut found);
        found
    }

    fn each_possibility(
        &self,
        question: &Question,
        made: &mut Vec<u32>,
        left: &mut u32,
        found: &mut Vec<(Trace, Overlay)>,
    ) {
        let (trace, overlay) = self.trace_with(question.clone(), made);
        let unsettled = matches!(trace.verdict(), Verdict::Unknown(_));
        match overlay.choices.open().filter(|o| unsettled && o.options <= *left) {
            None => found.push((trace, overlay)),
            Some(open) => {
                *left -= open.options;
                for option in 0..open.options {
                    made.push(option);
                    self.each_possibility(question, made, left, found);
                    made.pop();
                }
            }
        }
    }

    /// The way with these choices; where it hangs on one more, the ways by each of its
    /// possibilities, as branches.
    fn each_choice(&self, question: &Question, made: &mut Vec<u32>, left: &mut u32) -> Trace {
        let (mut trace, open) = self.trace_by(question.clone(), made);
        let unsettled = matches!(trace.verdict(), Verdict::Unknown(_));
        let Some(open) = open.filter(|o| unsettled && o.options <= *left) else { return trace };
        *left -= open.options;
        for option in 0..open.options {
            made.push(option);
            let (fork, what) = open.cause.clone();
            let walked = self.each_choice(question, made, left);
            let of = open.options;
            trace.branches.push(Branch { fork, what, option, of, trace: walked });
            made.pop();
        }
        trace.settle();
        trace
    }

    fn trace_by(&self, question: Question, made: &[u32]) -> (Trace, Option<Open>) {
        let (trace, overlay) = self.trace_with(question, made);
        let open = overlay.choices.open();
        (trace, open)
    }

    fn trace_with(&self, mut question: Question, made: &[u32]) -> (Trace, Overlay) {
        let mut overlay = Overlay::new();
        overlay.choices = Choices::new(made.to_vec());
        overlay.forgets = question.connection != Known::AsRead;
        if question.connection == Known::Established {
            self.establish(&mut overlay, &mut question);
        }
        let trace = self.trace_on(&mut overlay, question);
        (trace, overlay)
    }

    /// A first packet goes there and its answer back; the one that is asked about comes after them.
    fn establish(&self, overlay: &mut Overlay, question: &mut Question) {
        let _ = self.trace_on(overlay, question.clone());
        if let Payload::Tcp { flags, .. } = &mut question.packet.payload {
            *flags = tcp::ACK;
            question.packet.mss = None;
        }
    }
}

/// What a packet's socket adds to it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sender {
    mark: u32,
    bound: Option<u32>,
}

impl Sender {
    pub(crate) const fn of(question: &Question) -> Self {
        Self { mark: question.mark, bound: question.bound }
    }
}

#[inline(always)]
pub(crate) fn start<S: Sink>(
    walker: &mut Walker<'_, '_, S>,
    from: Place,
    mut packet: Packet,
    sender: Sender,
) -> End {
    match from {
        Place::Namespace(ns) => {
            let mut skb = Skb::new(ns, packet);
            skb.moment = walker.overlay.begins;
            (skb.mark, skb.oif, skb.of_process) = (sender.mark, sender.bound, true);
            walker.run(skb, Next::Socket)
        }
        Place::Outside(link) => {
            if packet.src.is_unspecified() {
                packet.src = if packet.is_ipv6() { SOMEBODY6 } else { SOMEBODY };
            }
            walker.enter(link, packet)
        }
    }
}

/// The packet as it was when its source had been chosen and nothing was rewritten yet.
fn first_packet(recorder: &Recorder) -> Option<Packet> {
    let steps = || recorder.hops().iter().flat_map(|hop| &hop.steps);
    let routed =
        steps().find(|s| matches!(s.action, Action::Routed { .. } | Action::Entered { .. }));
    routed.or_else(|| steps().next()).map(|step| step.packet.clone())
}

/// It is the copy that is told as the packet's own way.
fn is_same(skb: &Skb, end: &End) -> bool {
    let delivered = matches!(end.disposition, Disposition::Delivered(_));
    delivered
        && (skb.ns, skb.iif, skb.moment) == (end.skb.ns, end.skb.iif, end.skb.moment)
        && skb.packet == end.skb.packet
}
