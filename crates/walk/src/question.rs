use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{Gap, LinkId, NsId, RouteKind, Snapshot, Tuple};

use crate::choice::{Choices, Open};
use crate::route::Flow;
use crate::skb::{End, Next, Skb};
use crate::walker::Walker;
use crate::{
    Action, Branch, Cause, Disposition, IcmpKind, Indexed, Known, Loss, Overlay, Packet, Payload,
    Place, Question, Reason, Recorder, Sink, Stage, Trace, Unknown, Way, indexed, ip,
};

/// Time to live of a Linux host's packets, unless set otherwise.
const TTL: u8 = 64;
/// Bytes of an IP and an ICMP header.
const ICMP_HEADERS: u32 = 28;
/// How much longer the header of IPv6 is.
const IPV6_MORE: u32 = 20;
/// What `ping` carries unless told otherwise.
const PING_SIZE: u32 = 56;
/// An IP packet with a first TCP segment as Linux makes it.
const SYN_LEN: u32 = 60;
/// The lowest of the ports that Linux gives to a socket that asked for none.
const EPHEMERAL: u16 = 32768;
/// How many ways are walked where it hangs on choices.
const MAX_BRANCHES: u32 = 24;
/// Stands for a host outside, where a packet comes from there and nobody said from which
/// (RFC 5737, TEST-NET-2).
const SOMEBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
/// The same of IPv6 (RFC 3849).
const SOMEBODY6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1));

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// An ICMP echo request.
    Icmp,
    /// A first TCP segment, to this port.
    Tcp(u16),
    /// A UDP datagram, to this port.
    Udp(u16),
}

impl Question {
    /// A first packet from there to that address, as the usual tool would send it: 56 bytes of
    /// echo data, or a SYN, with a TTL of 64.
    #[must_use]
    pub fn new(from: Place, to: impl Into<IpAddr>, protocol: Protocol) -> Self {
        let dst: IpAddr = to.into();
        let (payload, len) = match protocol {
            Protocol::Icmp => {
                let kind = IcmpKind::EchoRequest;
                (Payload::Icmp { kind, id: 1 }, ICMP_HEADERS + PING_SIZE)
            }
            Protocol::Tcp(dport) => (Payload::Tcp { sport: EPHEMERAL, dport, flags: 2 }, SYN_LEN),
            Protocol::Udp(dport) => {
                (Payload::Udp { sport: EPHEMERAL, dport }, ICMP_HEADERS + PING_SIZE)
            }
        };
        let (len, src): (u32, IpAddr) = match dst {
            IpAddr::V4(_) => (len, Ipv4Addr::UNSPECIFIED.into()),
            IpAddr::V6(_) => (len + IPV6_MORE, Ipv6Addr::UNSPECIFIED.into()),
        };
        let packet = Packet {
            src_mac: None,
            dst_mac: None,
            src,
            dst,
            ttl: TTL,
            tos: 0,
            df: dst.is_ipv4(),
            len,
            payload,
        };
        Self { from, packet, mark: 0, bound: None, connection: Known::AsRead }
    }

    /// From this source address.
    #[must_use]
    pub fn source(mut self, src: impl Into<IpAddr>) -> Self {
        self.packet.src = src.into();
        self
    }

    /// From this port (for ICMP: with this id).
    #[must_use]
    pub fn sport(mut self, port: u16) -> Self {
        match &mut self.packet.payload {
            Payload::Tcp { sport, .. } | Payload::Udp { sport, .. } => *sport = port,
            Payload::Icmp { id, .. } => *id = port,
            Payload::Other(_) => {}
        }
        self
    }

    /// With this many bytes of data behind the ICMP or UDP header, as `ping -s`.
    #[must_use]
    pub fn size(mut self, bytes: u32) -> Self {
        if !matches!(self.packet.payload, Payload::Tcp { .. }) {
            let more = if self.packet.is_ipv6() { IPV6_MORE } else { 0 };
            self.packet.len = ICMP_HEADERS + more + bytes;
        }
        self
    }

    /// Marked by its sender's socket (SO_MARK).
    #[must_use]
    pub fn mark(mut self, mark: u32) -> Self {
        self.mark = mark;
        self
    }

    /// Of this type of service (IPv6: traffic class).
    #[must_use]
    pub fn tos(mut self, tos: u8) -> Self {
        self.packet.tos = tos;
        self
    }

    /// From a socket that is bound to the link of this ifindex.
    #[must_use]
    pub fn bound(mut self, link: Option<u32>) -> Self {
        self.bound = link;
        self
    }

    /// With this much known of its connection.
    #[must_use]
    pub fn connection(mut self, connection: Known) -> Self {
        self.connection = connection;
        self
    }

    /// With or without leave to fragment it.
    #[must_use]
    pub fn dont_fragment(mut self, df: bool) -> Self {
        self.packet.df = df;
        self
    }
}

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
    end.disposition
}

/// The way there, and if an answer is due, the way back.
#[must_use]
pub fn trace(snapshot: &Snapshot, question: Question) -> Trace {
    Indexed::new(snapshot).trace(question)
}

impl Indexed<'_> {
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
        for skb in arrivals.into_iter().filter(|skb| !is_same(skb, &end)) {
            let end = End { disposition: Disposition::Delivered(skb.ns), skb };
            others.extend(self.back(overlay, &question, &sent, &end, assumed.clone()));
        }
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
        /// ACK.
        const LATER: u8 = 16;
        let _ = self.trace_on(overlay, question.clone());
        if let Payload::Tcp { flags, .. } = &mut question.packet.payload {
            *flags = LATER;
        }
    }

    /// Whether a packet fits the link that it leaves its sender by. A UDP socket sets DF only then
    /// (IP_PMTUDISC_WANT); what is larger it breaks up at once.
    fn fits(&self, ns: NsId, packet: &Packet) -> bool {
        let Some(place) = self.place(ns).filter(|_| !packet.is_ipv6()) else { return true };
        let Ok(found) = place.lookup(&Flow::of(packet, 0, None)) else { return true };
        let out = if found.is_local() { place.loopback() } else { found.hop.link };
        let link = place.ns.links.get(&out);
        link.is_none_or(|link| packet.len <= found.mtu(link.mtu))
    }

    /// Nobody waits there for a packet that has been delivered to that namespace.
    fn is_closed(&self, ns: NsId, skb: &Skb) -> bool {
        let Some(place) = self.place(ns) else { return false };
        let port = match skb.packet.payload {
            Payload::Tcp { dport, .. } | Payload::Udp { dport, .. } => dport,
            Payload::Icmp { .. } | Payload::Other(_) => return false,
        };
        let protocol = skb.packet.protocol();
        // A socket of IPv6 hears no multicast of IPv4 unless it has joined (IP_MULTICAST_ALL).
        let multicast = skb.packet.dst.is_ipv4() && skb.packet.dst.is_multicast();
        let deaf = |l: &model::Listener| multicast && l.ip.is_ipv6();
        let mut listeners = place.ns.listeners.iter();
        !listeners.any(|l| {
            (l.protocol, l.port) == (protocol, port) && l.takes(skb.packet.dst) && !deaf(l)
        })
    }

    /// An answer that comes to another namespace, where nobody waits on its port, is refused there
    /// in turn. (A reset about one of TCP's carries no tag.)
    fn refuse_stray<S: Sink>(&self, walker: &mut Walker<'_, '_, S>, asked: Place, back: &End) {
        let Disposition::Delivered(ns) = back.disposition else { return };
        let udp = matches!(back.skb.packet.payload, Payload::Udp { .. });
        let stray =
            asked != Place::Namespace(ns) && self.listening && self.is_closed(ns, &back.skb);
        let ttl = walker.default_ttl(ns);
        let Some(error) = (udp && stray).then(|| ip::refusal(&back.skb, ttl)).flatten() else {
            return;
        };
        let mut skb = Skb::new(ns, error.clone());
        skb.about = Some(Box::new(back.skb.packet.clone()));
        let (end, way) = walker.aside(skb, Next::Socket);
        walker.sink.child(Cause::IcmpError, &error, way, &end.disposition);
    }

    /// Of IPv6, the way back has a say in by which link, from whom and how far it is sent.
    fn answer_of(place: &indexed::Place<'_>, asked: &Skb, mut answer: Packet) -> Skb {
        let oif = place.answers_by(asked);
        let anycast = asked.iif.is_some_and(|iif| place.anycast(answer.src, iif));
        if anycast && !place.ns.sysctls.ipv6_anycast_src_echo_reply {
            answer.src = Ipv6Addr::UNSPECIFIED.into();
        }
        if answer.is_ipv6() {
            answer.ttl = place.hop_limit(&Flow { oif, ..Flow::of(&answer, 0, None) });
        }
        Skb { oif, ..Skb::new(place.ns.id, answer) }
    }

    /// The way of the answer, checked against what the asking side waits for.
    /// What the way there assumed is not told again.
    fn back(
        &self,
        overlay: &mut Overlay,
        question: &Question,
        sent: &Packet,
        end: &End,
        assumed: Vec<(NsId, Gap)>,
    ) -> Option<Way> {
        let answer = self.answer(overlay, question, sent, end, assumed, self.recorder())?;
        Some(answer.sink.into_way(answer.cause, answer.packet, answer.disposition))
    }

    /// The same, told to `sink`.
    pub(crate) fn answer<S: Sink>(
        &self,
        overlay: &mut Overlay,
        question: &Question,
        sent: &Packet,
        end: &End,
        assumed: Vec<(NsId, Gap)>,
        sink: S,
    ) -> Option<Answer<S>> {
        if let Disposition::Delivered(ns) = end.disposition
            && end.skb.to_many
            && self.place(ns).is_some_and(|p| ip::silent_to_many(p.ns, sent.payload))
        {
            return None;
        }
        let ttl = match end.disposition {
            Disposition::Delivered(ns) => self.place(ns).map(|p| p.ns.sysctls.default_ttl),
            _ => None,
        };
        let closed = self.listening
            && matches!(end.disposition, Disposition::Delivered(ns) if self.is_closed(ns, &end.skb));
        let make = if closed { ip::refusal } else { ip::answer };
        let mut answer = make(end.skb.innermost(), ttl.filter(|t| *t > 0).unwrap_or(TTL))?;
        let refused =
            matches!(answer.payload, Payload::Icmp { kind: IcmpKind::Unreachable(_), .. });
        if let (Disposition::Delivered(ns), Payload::Udp { .. }) =
            (&end.disposition, answer.payload)
        {
            answer.df &= self.fits(*ns, &answer);
        }
        let mut walker = Walker::new(self, overlay, sink);
        walker.assumed = assumed;
        let (packet, mut back) = match &end.disposition {
            Disposition::Delivered(ns) => {
                let place = self.place(*ns)?;
                if let Some(loss) = ip::silent(place, &end.skb) {
                    return Some(unanswered(walker.sink, answer, loss));
                }
                let mut skb = Self::answer_of(place, &end.skb, answer);
                let answer = skb.packet.clone();
                skb.about = refused.then(|| Box::new(end.skb.packet.clone()));
                (answer, walker.run(skb, Next::Socket))
            }
            Disposition::Left(link) => (answer.clone(), walker.answered(*link, &end.skb, answer)),
            _ => return None,
        };
        let mut cause = Cause::IcmpError;
        if !refused {
            cause = Cause::Answer;
            self.refuse_stray(&mut walker, question.from, &back);
            let expected = sent.tuple().reversed();
            // Who answers to what was for many, answers as itself.
            let expected = match end.skb.to_many {
                true => Tuple { src: back.skb.packet.src, ..expected },
                false => expected,
            };
            if let Some(unknown) = passed_by(question, &back) {
                walker.tell(&back.skb, Stage::Local, || Action::Unknown(unknown.clone()));
                back.disposition = Disposition::Unknown(unknown);
            } else if let Some(loss) = self.misplaced(question.from, expected, &back) {
                walker.tell(&back.skb, Stage::Local, || Action::Dropped(loss.clone()));
                back.disposition = Disposition::Lost(loss);
            }
        }
        Some(Answer { sink: walker.sink, cause, packet, disposition: back.disposition })
    }
}

/// An answer, and what came of it.
pub(crate) struct Answer<S> {
    sink: S,
    cause: Cause,
    packet: Packet,
    pub(crate) disposition: Disposition,
}

impl Trace {
    /// What was asked about is a broadcast or multicast.
    #[must_use]
    pub fn is_to_many(&self) -> bool {
        let mut steps = self.there.hops.iter().flat_map(|hop| &hop.steps);
        steps.any(|step| match &step.action {
            Action::Routed { route, .. } => {
                matches!(route.kind, RouteKind::Broadcast | RouteKind::Multicast)
            }
            _ => false,
        })
    }

    /// All of its ways: there, back, and those of others' answers.
    pub fn ways(&self) -> impl Iterator<Item = &Way> {
        std::iter::once(&self.there).chain(&self.back).chain(&self.others)
    }

    /// Where every branch comes to the same, that is what happens, whichever is taken: the first
    /// is told.
    fn settle(&mut self) {
        let Some(first) = self.branches.first() else { return };
        let same = |b: &Branch| match (b.trace.verdict(), first.trace.verdict()) {
            (Verdict::Yes, Verdict::Yes) | (Verdict::No(_), Verdict::No(_)) => true,
            (b, first) => matches!((b, first), (Verdict::Assumed, Verdict::Assumed)),
        };
        if !self.branches.iter().all(same) {
            return;
        }
        let (there, back) = (first.trace.there.clone(), first.trace.back.clone());
        let others = first.trace.others.clone();
        (self.there, self.back, self.others) = (there, back, others);
    }

    /// The answer in one word: both ways go through, a packet is lost, or it cannot be told.
    #[must_use]
    pub fn verdict(&self) -> Verdict<'_> {
        for way in self.ways() {
            match &way.disposition {
                Disposition::Lost(_) if !self.assumptions().is_empty() => return Verdict::Assumed,
                Disposition::Lost(loss) => return Verdict::No(loss),
                Disposition::Unknown(unknown) => return Verdict::Unknown(unknown),
                Disposition::Delivered(_) | Disposition::Left(_) | Disposition::Ignored => {}
            }
        }
        if self.assumptions().is_empty() { Verdict::Yes } else { Verdict::Assumed }
    }

    /// What was assumed on its ways, those of requests and copies included: where, and what.
    #[must_use]
    pub fn assumptions(&self) -> Vec<(NsId, Gap)> {
        let mut found = Vec::new();
        for way in self.ways() {
            assumptions(way, &mut found);
        }
        found
    }
}

fn assumptions(way: &Way, found: &mut Vec<(NsId, Gap)>) {
    for hop in &way.hops {
        for step in &hop.steps {
            if let Action::Assumed(gaps) = &step.action {
                let new = gaps.iter().map(|gap| (hop.ns, gap.clone()));
                let new: Vec<_> = new.filter(|gap| !found.contains(gap)).collect();
                found.extend(new);
            }
            step.children.iter().for_each(|child| assumptions(child, found));
        }
    }
}

/// What a trace comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It arrives, and so does its answer where one is due.
    Yes,
    /// Something is lost.
    No(&'a Loss),
    /// It cannot be told.
    Unknown(&'a Unknown),
    /// It can be told only by what was assumed of parts that were not read; the dispositions say
    /// what would then become of it.
    Assumed,
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

/// A socket that is bound to a link takes no answer that comes by another (`raw_v4_match`, `compute_score`); who does is not looked up.
fn passed_by(question: &Question, back: &End) -> Option<Unknown> {
    let Disposition::Delivered(ns) = back.disposition else { return None };
    let here = question.from == Place::Namespace(ns);
    let other = question.bound.is_some_and(|link| back.skb.iif != Some(link));
    let what = "the answer comes by another link than its socket is bound to";
    (here && other).then(|| Unknown::Packet(what.to_owned()))
}

pub(crate) fn start<S: Sink>(
    walker: &mut Walker<'_, '_, S>,
    from: Place,
    mut packet: Packet,
    sender: Sender,
) -> End {
    match from {
        Place::Namespace(ns) => {
            let skb = Skb { mark: sender.mark, oif: sender.bound, ..Skb::new(ns, packet) };
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

/// An answer that is never made.
fn unanswered<S: Sink>(mut sink: S, packet: Packet, loss: Loss) -> Answer<S> {
    sink.step(loss.ns, Stage::Local, &packet, || Action::Dropped(loss.clone()));
    Answer { sink, cause: Cause::Answer, packet, disposition: Disposition::Lost(loss) }
}

impl Indexed<'_> {
    /// Why the answer is of no use to whom it is for, although it arrived somewhere.
    fn misplaced(&self, asked: Place, expected: Tuple, back: &End) -> Option<Loss> {
        let (ns, link) = match back.disposition {
            Disposition::Delivered(ns) => (ns, None),
            Disposition::Left(link) => (link.ns, Some(link)),
            _ => return None,
        };
        let right = match (asked, &back.disposition) {
            (Place::Namespace(asked), Disposition::Delivered(ns)) => asked == *ns,
            (Place::Outside(_), Disposition::Left(_)) => true,
            _ => false,
        };
        let got = back.skb.packet.tuple();
        if !right {
            let reason = self.twins(asked, ns, back.skb.packet.dst);
            let reason = reason.unwrap_or(Reason::WrongPlace { expected: asked });
            return Some(Loss { ns, link, reason });
        }
        (expected != got).then_some(Loss {
            ns,
            link,
            reason: Reason::AnswerMismatch { expected, got },
        })
    }

    /// The asking side has this address, and so has the place where the answer came.
    fn twins(&self, asked: Place, came: NsId, ip: IpAddr) -> Option<Reason> {
        let Place::Namespace(asked) = asked else { return None };
        let owner = |ns: NsId| {
            let id = LinkId { ns, index: self.place(ns)?.owner(ip)? };
            Some((id, self.link(id)?.mac?))
        };
        (asked != came).then_some(())?;
        Some(Reason::DuplicateAddress { ip, owners: vec![owner(came)?, owner(asked)?] })
    }
}

/// It is the copy that is told as the packet's own way.
fn is_same(skb: &Skb, end: &End) -> bool {
    let delivered = matches!(end.disposition, Disposition::Delivered(_));
    delivered && (skb.ns, skb.iif) == (end.skb.ns, end.skb.iif)
}
