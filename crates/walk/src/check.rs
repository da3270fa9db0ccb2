//! Holds a trace against what was seen of a real packet.

use model::LinkId;

use crate::packet::tcp;
use crate::{
    Cause, Checked, Disposition, Leg, Mark, Packet, Payload, Place, Reason, Sighting, Trace,
    Verdict, Way,
};

/// Compares every foretold place with what was seen there. `watched` are the links at which there
/// was a socket; sightings may come in any order. `received`: whether the sender itself got the
/// answer, behind the last link that can be watched; None if that is not known.
#[must_use]
pub fn check(
    trace: &Trace,
    watched: &[LinkId],
    sightings: &[Sighting],
    received: Option<bool>,
) -> Checked {
    let mut seen: Vec<&Sighting> = sightings.iter().collect();
    seen.sort_by_key(|s| s.after);
    let back = trace.back.as_ref();
    // A closed port answers with an ICMP error, on the way of the answer.
    let answered = seen.iter().any(|s| s.leg == Leg::Back);
    let leg = if answered { Leg::Back } else { Leg::Error };
    let (there, mut used) = marks(&trace.there, Leg::There, watched, &seen);
    let (back_marks, of_back) =
        back.map_or_else(Default::default, |way| marks(way, leg, watched, &seen));
    used.extend(of_back);
    let astray = astray(trace, &seen, &used);
    let right = |m: &Mark| matches!(m, Mark::Seen(_) | Mark::NotWatched);
    let open = matches!(trace.there.disposition, Disposition::Unknown(_))
        || back.is_some_and(|way| matches!(way.disposition, Disposition::Unknown(_)));
    let unanswered = is_unanswered(trace, &there, &back_marks, &seen);
    let came_back = arrived(trace, &there, &back_marks, &seen) && received.unwrap_or(true);
    let arrived = came_back || unanswered;
    let end = match trace.verdict() {
        Verdict::Yes => arrived,
        Verdict::No(_) => !arrived,
        Verdict::Unknown(_) | Verdict::Assumed => true,
    };
    let answer = if unanswered { &[][..] } else { &back_marks };
    let agrees = end && there.iter().chain(answer).all(right) && (open || astray.is_empty());
    let back = back_marks;
    Checked { there, back, astray, drops: Vec::new(), rules: None, agrees, arrived, unanswered }
}

/// It came to where a process has its port, and nothing at all came of it. What a process of UDP does
/// with a packet is its own affair.
fn is_unanswered(trace: &Trace, there: &[Mark], back: &[Mark], seen: &[&Sighting]) -> bool {
    let answers = trace.back.as_ref().is_some_and(|way| way.cause == Cause::Answer);
    let udp = matches!(trace.there.packet.payload, Payload::Udp { .. });
    let here = matches!(trace.verdict(), Verdict::Yes | Verdict::Assumed)
        && matches!(trace.there.disposition, Disposition::Delivered(_));
    let came = there.iter().all(|m| matches!(m, Mark::Seen(_) | Mark::NotWatched));
    let nothing = !back.is_empty() && seen.iter().all(|s| s.leg == Leg::There);
    udp && here && answers && came && nothing
}

/// A mark for every place of a way, and which sightings they took.
fn marks(way: &Way, leg: Leg, watched: &[LinkId], seen: &[&Sighting]) -> (Vec<Mark>, Vec<usize>) {
    let mut used = Vec::new();
    let mut marks = Vec::new();
    for place in way.places() {
        if place.encrypted {
            marks.push(Mark::NotWatched);
            continue;
        }
        let here =
            |s: &Sighting| s.leg == leg && s.link == place.link && s.outgoing == place.outgoing;
        let found = seen.iter().enumerate().find(|(i, s)| here(s) && !used.contains(i));
        marks.push(match found {
            Some((i, sighting)) => {
                used.push(i);
                let same = same(&way.hops[place.hop].steps[place.step].packet, sighting);
                let sighting = (*sighting).clone();
                if same { Mark::Seen(sighting) } else { Mark::Otherwise(sighting) }
            }
            None if watched.contains(&place.link) => Mark::Missing,
            None => Mark::NotWatched,
        });
    }
    (marks, used)
}

/// The packet has the addresses and ports that were foretold. An ICMP error has only addresses in
/// common with the answer in whose place it comes.
fn same(foretold: &Packet, sighting: &Sighting) -> bool {
    let came = &sighting.packet;
    let mac = foretold.dst_mac.zip(came.dst_mac).is_none_or(|(foretold, came)| foretold == came);
    mac && match sighting.leg {
        Leg::Error => (foretold.src, foretold.dst) == (came.src, came.dst),
        Leg::There | Leg::Back => {
            let (foretold, mut came) = (foretold.tuple(), came.tuple());
            if foretold.protocol == 17 && foretold.sport == 0 {
                came.sport = 0; // a tunnel's, which is not foretold
            }
            foretold == came
        }
    }
}

/// Sightings where nothing of the packet was foretold, its copies included.
fn astray(trace: &Trace, seen: &[&Sighting], used: &[usize]) -> Vec<Sighting> {
    let of = |way: &Way| {
        let mut places = Vec::new();
        foretold_places(way, &mut places);
        places
    };
    let there = of(&trace.there);
    let back: Vec<_> = trace.back.iter().chain(&trace.others).flat_map(of).collect();
    let foretold = |s: &Sighting| {
        let places = match s.leg {
            Leg::Back if refuses(trace, s) => return true,
            Leg::There => &there,
            Leg::Back => &back,
            Leg::Error => return true,
        };
        places.contains(&(s.link, s.outgoing))
    };
    seen.iter()
        .enumerate()
        .filter(|(i, s)| !used.contains(i) && !foretold(s))
        .map(|(_, s)| (*s).clone())
        .collect()
}

/// Where a way may be seen and in which direction, and all copies that were flooded aside.
fn foretold_places(way: &Way, places: &mut Vec<(LinkId, bool)>) {
    let plain = way.places().into_iter().filter(|p| !p.encrypted);
    places.extend(plain.map(|p| (p.link, p.outgoing)));
    places.extend(way.perhaps().map(|link| (link, true)));
    for child in way.hops.iter().flat_map(|h| &h.steps).flat_map(|s| &s.children) {
        if matches!(child.cause, Cause::Copy(_)) {
            foretold_places(child, places);
        }
    }
}

/// It came where it was to come, and back.
fn arrived(trace: &Trace, there: &[Mark], back: &[Mark], seen: &[&Sighting]) -> bool {
    let last = |marks: &[Mark]| matches!(marks.last(), Some(Mark::Seen(_) | Mark::Otherwise(_)));
    let came_back = match trace.question.from {
        Place::Namespace(ns) => seen.iter().any(|s| {
            matches!(s.leg, Leg::Back)
                && !refuses(trace, s)
                && !s.outgoing
                && s.link.ns == ns
                && s.packet.dst == trace.there.packet.src
        }),
        Place::Outside(_) => last(back),
    };
    let error_is_answer = trace.back.is_some() && last(back);
    came_back
        || error_is_answer
        || (trace.back.is_none() && last(there) && ended_well(&trace.there))
}

/// A TCP reset where a rule was to refuse the packet: that rule's, and no answer.
fn refuses(trace: &Trace, sighting: &Sighting) -> bool {
    let Disposition::Lost(loss) = &trace.there.disposition else { return false };
    let reset =
        matches!(sighting.packet.payload, Payload::Tcp { flags, .. } if flags & tcp::RST != 0);
    reset && matches!(loss.reason, Reason::RuleReject(..))
}

fn ended_well(way: &Way) -> bool {
    matches!(way.disposition, Disposition::Delivered(_) | Disposition::Left(_))
}
