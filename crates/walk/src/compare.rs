//! Every place where a packet of a trace must be seen, and nowhere else: the strict comparison.

use std::collections::BTreeMap;

use model::LinkId;

use crate::{Action, Cause, Leg, Packet, Payload, Sighting, Trace, Way};

/// A packet of a trace on a link: a socket there must see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Where.
    pub link: LinkId,
    /// Going out of the link, else coming in.
    pub outgoing: bool,
    /// Which of the packets it is.
    pub leg: Leg,
    /// As it must be there.
    pub packet: Packet,
    /// The number of its way among those that are told: of two ways, no order is foretold.
    pub way: usize,
}

/// Where what was seen is not what was foretold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Foretold, and not seen there.
    Missing(Expected),
    /// Seen where nothing was foretold.
    Unforeseen(Sighting),
    /// Seen there, but not as foretold.
    Otherwise {
        /// What was foretold.
        expected: Expected,
        /// What was seen.
        seen: Sighting,
    },
    /// Seen later than what was to come after it.
    Order {
        /// What was foretold to come first.
        first: Expected,
        /// What was foretold to come after it.
        then: Expected,
    },
}

impl Trace {
    /// All places where this trace's packets must be seen, copies and ICMP errors included; ARP is
    /// not among them. The places of each way are in its order.
    #[must_use]
    pub fn expected(&self) -> Vec<Expected> {
        self.places(|action| match action {
            Action::Out { link } => Some((*link, true)),
            Action::In { link, .. } => Some((*link, false)),
            _ => None,
        })
    }

    /// Places where they may be seen, or not.
    fn possible(&self) -> Vec<Expected> {
        self.places(|action| match action {
            Action::PerhapsOut { link } => Some((*link, true)),
            _ => None,
        })
    }

    fn places(&self, place: PlaceOf) -> Vec<Expected> {
        let mut all = Vec::new();
        let mut ways = 0;
        for way in self.ways() {
            collect(way, way.leg(Leg::There), place, &mut ways, &mut all);
        }
        all
    }
}

/// The link that a packet is at by an action, and whether it goes out.
type PlaceOf = fn(&Action) -> Option<(LinkId, bool)>;

/// Holds a trace against all that was seen of its packets, on all links of all of its namespaces.
/// Empty: what was seen is just what was foretold.
#[must_use]
pub fn compare(trace: &Trace, seen: &[Sighting]) -> Vec<Difference> {
    let expected = trace.expected();
    let mut free: Vec<&Sighting> = seen.iter().collect();
    let copied = copies(trace);
    let mut missing = Vec::new();
    let mut differences = Vec::new();
    let mut last: BTreeMap<usize, (&Expected, &Sighting)> = BTreeMap::new();
    for foretold in &expected {
        let Some(i) = free.iter().position(|s| place(foretold, s) && same(foretold, s)) else {
            missing.push(foretold);
            continue;
        };
        let came = free.remove(i);
        let before = last.insert(foretold.way, (foretold, came));
        if let Some((first, _)) = before.filter(|(_, earlier)| earlier.after > came.after)
            && !copied
        {
            differences.push(Difference::Order { first: first.clone(), then: foretold.clone() });
        }
    }
    for foretold in missing {
        differences.push(match free.iter().position(|s| place(foretold, s)) {
            Some(i) => {
                let seen = free.remove(i).clone();
                Difference::Otherwise { expected: foretold.clone(), seen }
            }
            None => Difference::Missing(foretold.clone()),
        });
    }
    for foretold in trace.possible() {
        if let Some(i) = free.iter().position(|s| place(&foretold, s) && same(&foretold, s)) {
            free.remove(i);
        }
    }
    differences.extend(free.into_iter().map(|s| Difference::Unforeseen(s.clone())));
    differences
}

/// What is encrypted nobody knows again, nor a handshake. `ways`: how many were collected before.
fn collect(way: &Way, leg: Leg, place: PlaceOf, ways: &mut usize, all: &mut Vec<Expected>) {
    let number = *ways;
    *ways += 1;
    let mut encrypted = 0_u32;
    for step in way.hops.iter().flat_map(|hop| &hop.steps) {
        match step.action {
            Action::Encrypted { .. } => encrypted += 1,
            Action::Decrypted { .. } => encrypted = encrypted.saturating_sub(1),
            _ => {}
        }
        if let Some((link, outgoing)) = place(&step.action).filter(|_| encrypted == 0) {
            all.push(Expected { link, outgoing, leg, packet: step.packet.clone(), way: number });
        }
        let arp = matches!(step.action, Action::ArpAsked { .. });
        let shown = |child: &&Way| {
            let copy = matches!(child.cause, Cause::Copy(_));
            child.cause != Cause::Handshake && !(copy && encrypted > 0)
        };
        for child in step.children.iter().filter(|_| !arp).filter(shown) {
            collect(child, child.leg(leg), place, ways, all);
        }
    }
}

/// Copies run beside one another: of them no order is foretold.
fn copies(trace: &Trace) -> bool {
    fn any(way: &Way) -> bool {
        let mut steps = way.hops.iter().flat_map(|hop| &hop.steps);
        steps.any(|s| s.children.iter().any(|c| matches!(c.cause, Cause::Copy(_)) || any(c)))
    }
    !trace.others.is_empty() || trace.ways().any(any)
}

fn place(expected: &Expected, seen: &Sighting) -> bool {
    (expected.link, expected.outgoing, expected.leg) == (seen.link, seen.outgoing, seen.leg)
}

/// All that both tell is the same. How long an answer of TCP's is follows from options that a walk
/// does not foretell. No packet of IPv6 has a bit that says whether it may be parted.
fn same(expected: &Expected, seen: &Sighting) -> bool {
    let (foretold, came) = (&expected.packet, &seen.packet);
    let mac = |a: Option<model::Mac>, b: Option<model::Mac>| a.zip(b).is_none_or(|(a, b)| a == b);
    let tcp_answer = expected.leg == Leg::Back && foretold.payload.protocol() == 6;
    let df = foretold.dst.is_ipv6() || foretold.df == came.df;
    mac(foretold.src_mac, came.src_mac)
        && mac(foretold.dst_mac, came.dst_mac)
        && (foretold.src, foretold.dst) == (came.src, came.dst)
        && (foretold.ttl, foretold.tos) == (came.ttl, came.tos)
        && df
        && carries_same(foretold.payload, came.payload)
        && (foretold.mss.is_none() || foretold.mss == came.mss)
        && (tcp_answer || foretold.len == came.len)
}

/// The source port of a tunnel's outer packet is not foretold.
fn carries_same(foretold: Payload, came: Payload) -> bool {
    match (foretold, came) {
        (Payload::Udp { sport: 0, dport: a }, Payload::Udp { dport: b, .. }) => a == b,
        (foretold, came) => foretold == came,
    }
}
