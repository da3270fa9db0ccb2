//! The answer to a packet that has arrived: who makes it, and whether it comes to whom it is for.

use std::net::{IpAddr, Ipv6Addr};

use model::{Gap, LinkId, NsId, Tuple};

use crate::packet::{ECN, tcp};
use crate::route::Flow;
use crate::route6::is_scoped;
use crate::skb::{End, Next, Skb};
use crate::walker::Walker;
use crate::{
    Action, Cause, Disposition, IcmpKind, Indexed, Loss, Overlay, Packet, Payload, Place, Question,
    Reason, Sink, Stage, Unknown, Way, indexed, reply,
};

/// An answer, and what came of it.
pub(crate) struct Answer<S> {
    sink: S,
    cause: Cause,
    packet: Packet,
    pub(crate) disposition: Disposition,
}

impl Indexed<'_> {
    /// The way of the answer, checked against what the asking side waits for.
    /// What the way there assumed is not told again.
    pub(crate) fn back(
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
        let answer = self.reply(sent, end)?;
        let refused = is_refusal(&answer);
        let mut walker = Walker::new(self, overlay, sink);
        walker.assumed = assumed;
        let (packet, mut back) = match &end.disposition {
            Disposition::Delivered(ns) => {
                let place = self.place(*ns)?;
                if let Some(loss) = reply::silent(place, &end.skb) {
                    return Some(unanswered(walker, answer, Disposition::Lost(loss), *ns));
                }
                if let Some(why) = place.withholds(&answer) {
                    return Some(unanswered(walker, answer, why, *ns));
                }
                let skb = self.sent_back(place, &end.skb, answer);
                (skb.packet.clone(), walker.run(skb, Next::Socket))
            }
            Disposition::Left(link) => (answer.clone(), walker.answered(*link, &end.skb, answer)),
            _ => return None,
        };
        let cause = if refused { Cause::IcmpError } else { Cause::Answer };
        if !refused {
            self.refuse_stray(&mut walker, question, &back);
            let expected = expected(question, sent, &end.skb, &back);
            self.judge(&mut walker, question, expected, &mut back);
        }
        Some(Answer { sink: walker.sink, cause, packet, disposition: back.disposition })
    }

    /// What is made of a packet at its end, if anything is.
    fn reply(&self, sent: &Packet, end: &End) -> Option<Packet> {
        let skb = &end.skb;
        let here = match end.disposition {
            Disposition::Delivered(ns) => self.place(ns),
            _ => None,
        };
        if skb.to_many && here.is_some_and(|p| reply::silent_to_many(p.ns, sent)) {
            return None;
        }
        let closed = self.listening && here.is_some_and(|p| Self::is_closed(p, skb));
        // What was not for this host alone is not refused (`icmp_send`, `tcp_v4_rcv`).
        if closed && skb.packet.is_to_group() {
            return None;
        }
        let make = if closed { reply::refusal } else { reply::answer };
        let mut answer = make(skb.innermost())?;
        let reflects = here.is_some_and(|p| p.ns.sysctls.tcp_reflect_tos);
        if reflects && is_accepting(&answer) {
            answer.tos = skb.packet.tos & !ECN;
        }
        let by_socket =
            matches!(answer.payload, Payload::Udp { .. } | Payload::Tcp { flags: tcp::ACK, .. });
        if let (Some(place), true) = (here, by_socket) {
            answer.df &= stays_whole(place, &answer);
        }
        Some(answer)
    }

    /// The answer as its sender hands it down.
    fn sent_back(&self, place: &indexed::Place<'_>, asked: &Skb, answer: Packet) -> Skb {
        let refused = is_refusal(&answer);
        let mut skb = Self::answer_of(place, asked, answer);
        // A listener's reset is its own, since Linux 6.13 (`ip_send_unicast_reply`).
        let own = place.kernel.is_none_or(|k| k.is_since(6, 13));
        let listens = !self.listening || Self::listens(place, asked);
        skb.of_process = own && is_reset(&skb.packet) && listens;
        skb.about = refused.then(|| Box::new(asked.packet.clone()));
        skb
    }

    /// Whether an answer that came somewhere is what the asking side waits for.
    fn judge<S: Sink>(
        &self,
        walker: &mut Walker<'_, '_, S>,
        question: &Question,
        expected: Tuple,
        back: &mut End,
    ) {
        if let Some(unknown) = self.passed_by(question, back) {
            walker.tell(&back.skb, Stage::Local, || Action::Unknown(unknown.clone()));
            back.disposition = Disposition::Unknown(unknown);
        } else if let Some(loss) = self.misplaced(question.from, expected, back) {
            walker.tell(&back.skb, Stage::Local, || Action::Dropped(loss.clone()));
            back.disposition = Disposition::Lost(loss);
        }
    }

    /// Nobody waits there for a packet that has been delivered to that namespace.
    fn is_closed(place: &indexed::Place<'_>, skb: &Skb) -> bool {
        match skb.packet.payload {
            // Who listens knows of no segment from the midst of a connection.
            Payload::Tcp { flags, .. } if flags & tcp::ACK != 0 => true,
            Payload::Tcp { .. } | Payload::Udp { .. } => !Self::listens(place, skb),
            Payload::Icmp { .. } | Payload::Other(_) => false,
        }
    }

    /// Somebody waits at the packet's port.
    fn listens(place: &indexed::Place<'_>, skb: &Skb) -> bool {
        let (Payload::Tcp { dport: port, .. } | Payload::Udp { dport: port, .. }) =
            skb.packet.payload
        else {
            return false;
        };
        let protocol = skb.packet.protocol();
        // A socket of IPv6 hears no multicast of IPv4 unless it has joined (IP_MULTICAST_ALL).
        let multicast = skb.packet.dst.is_ipv4() && skb.packet.dst.is_multicast();
        let deaf = |l: &model::Listener| multicast && l.ip.is_ipv6();
        let mut listeners = place.ns.listeners.iter();
        listeners.any(|l| {
            (l.protocol, l.port) == (protocol, port) && l.takes(skb.packet.dst) && !deaf(l)
        })
    }

    /// An answer that comes where nobody waits on its port, to another namespace or to an address
    /// that the asking socket is not bound to, is refused there in turn. (A reset about one of TCP's
    /// carries no tag.)
    fn refuse_stray<S: Sink>(&self, walker: &mut Walker<'_, '_, S>, asked: &Question, back: &End) {
        let Disposition::Delivered(ns) = back.disposition else { return };
        let packet = &back.skb.packet;
        let udp = matches!(packet.payload, Payload::Udp { .. });
        let heard = asked.from == Place::Namespace(ns) && asked.hears(packet);
        let closed = || self.place(ns).is_some_and(|place| Self::is_closed(place, &back.skb));
        let stray = udp && !heard && self.listening && closed();
        let error = stray.then(|| reply::refusal(&back.skb)).flatten();
        let Some((place, error)) = self.place(ns).zip(error) else { return };
        let error = Self::answer_of(place, &back.skb, error);
        walker.send_error(error.about(packet));
    }

    /// Of IPv6, the way back has a say in by which link, from whom and how far it is sent.
    fn answer_of(place: &indexed::Place<'_>, asked: &Skb, mut answer: Packet) -> Skb {
        let oif = place.answers_by(asked);
        let mark = mark_of(place, asked, &answer);
        // `icmp_reply`, `tcp_v4_send_reset`; a process that waits there is bound to the VRF.
        let vrf = asked.iif.and_then(|iif| place.vrf_of(iif));
        if asked.to_many && !answer.is_ipv6() {
            answer.src = place.specific_destination(asked).unwrap_or(answer.src);
        }
        let anycast = asked.iif.is_some_and(|iif| place.anycast(answer.src, iif));
        if anycast && !place.ns.sysctls.ipv6_anycast_src_echo_reply {
            answer.src = Ipv6Addr::UNSPECIFIED.into();
        }
        // `icmp6_send`: a VRF itself has none of its members' own addresses.
        let error = is_refusal(&answer);
        if let (true, Some(_), IpAddr::V6(to)) = (error && is_scoped(answer.src), vrf, answer.dst) {
            let src = place.select6_source(asked.member, to).map(IpAddr::V6);
            answer.src = src.unwrap_or(answer.src);
        }
        let by = Flow { oif: oif.or(vrf), ..Flow::of(&answer, mark, None) };
        answer.ttl = place.hop_limit(&by);
        // `icmpv6_echo_reply`, `tcp_v6_send_response` and `inet6_csk_route_req` say nothing of it; nor
        // `inet_csk_route_req` of one that is reflected.
        let asked_tos = (answer.is_ipv6() || is_accepting(&answer)).then_some(0);
        Skb { oif, asked_tos, vrf, mark, ..Skb::new(place.ns.id, answer).at(asked.moment) }
    }
}

/// The mark of an answer: a process's own has none (`inet_request_mark`).
fn mark_of(place: &indexed::Place<'_>, asked: &Skb, answer: &Packet) -> u32 {
    match answer.payload {
        Payload::Icmp { .. } => place.reply_mark(asked),
        Payload::Tcp { .. } if is_reset(answer) => place.reply_mark(asked),
        Payload::Tcp { .. } if place.ns.sysctls.tcp_fwmark_accept => asked.mark,
        _ => 0,
    }
}

/// Whether what a process's socket sends asks not to be broken up (IP_PMTUDISC_WANT,
/// `ip_dont_fragment`): not where what fits is known once and for all, nor where it does not fit its
/// way: then it is broken up at once. (What accepts a connection is so small that it always asks, `ip_build_and_send_pkt`.)
fn stays_whole(place: &indexed::Place<'_>, packet: &Packet) -> bool {
    if place.ns.sysctls.no_pmtu_discovery {
        return false;
    }
    let found = (!packet.is_ipv6()).then(|| place.lookup(&Flow::of(packet, 0, None)));
    let Some(Ok(found)) = found else { return true };
    let found = place.learned(found, packet.dst);
    let link = place.ns.links.get(&place.way_out(&found));
    !found.is_mtu_locked() && link.is_none_or(|link| packet.len <= found.mtu(link.mtu))
}

/// The connection that the asking side waits for. Who answers to what was for many, answers as
/// itself; and who asks many, by a socket that is bound to no address, hears what comes to any of
/// its own.
fn expected(question: &Question, sent: &Packet, asked: &Skb, back: &End) -> Tuple {
    let (expected, came) = (sent.tuple().reversed(), &back.skb.packet);
    match asked.to_many {
        true if question.packet.src.is_unspecified() => {
            Tuple { src: came.src, dst: came.dst, ..expected }
        }
        true => Tuple { src: came.src, ..expected },
        false => expected,
    }
}

/// Nobody waits at the port, says its sender.
const fn is_refusal(packet: &Packet) -> bool {
    matches!(packet.payload, Payload::Icmp { kind: IcmpKind::Unreachable(_), .. })
}

/// A connection is taken (SYN and ACK).
const fn is_accepting(packet: &Packet) -> bool {
    matches!(packet.payload, Payload::Tcp { flags, .. } if flags & (tcp::SYN | tcp::ACK) == tcp::SYN | tcp::ACK)
}

const fn is_reset(packet: &Packet) -> bool {
    matches!(packet.payload, Payload::Tcp { flags, .. } if flags & tcp::RST != 0)
}

/// An answer that is never made.
fn unanswered<S: Sink>(
    mut walker: Walker<'_, '_, S>,
    packet: Packet,
    why: Disposition,
    ns: NsId,
) -> Answer<S> {
    let end = walker.end_at_once(Skb::new(ns, packet.clone()), why);
    Answer { sink: walker.sink, cause: Cause::Answer, packet, disposition: end.disposition }
}

impl Indexed<'_> {
    /// A socket that is bound to a link takes no answer that comes by another (`raw_v4_match`,
    /// `compute_score`); who does is not looked up.
    fn passed_by(&self, question: &Question, back: &End) -> Option<Unknown> {
        let Disposition::Delivered(ns) = back.disposition else { return None };
        let bound = question.bound.filter(|_| question.from == Place::Namespace(ns))?;
        let skb = &back.skb;
        let own = self.place(ns).filter(|p| skb.packet.is_ipv6() && skb.iif == Some(p.loopback()));
        // Of IPv6, what is from here counts as come by the link that has its address (IP6CB's iif).
        let iif = own.map_or(skb.iif, |place| place.owner(skb.packet.dst));
        let what = "the answer comes by another link than its socket is bound to";
        let hears = [iif, skb.member].contains(&Some(bound));
        (!hears).then(|| Unknown::Packet(what.to_owned()))
    }

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
