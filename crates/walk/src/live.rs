//! What was seen of a real packet, beside what was foretold.

use std::time::Duration;

use model::{LinkId, NsId};

use crate::{Action, Cause, Packet, Trace, Way};

/// A tagged packet, seen by an AF_PACKET socket on one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Where.
    pub link: LinkId,
    /// Going out of the link (PACKET_OUTGOING), else coming in.
    pub outgoing: bool,
    /// Since the probe was sent.
    pub after: Duration,
    /// As it was there.
    pub packet: Packet,
    /// Which of the probe's packets it is.
    pub leg: Leg,
}

/// The probe itself, or what it brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// The probe.
    There,
    /// Its answer (echo reply, SYN-ACK or RST, UDP echo).
    Back,
    /// An ICMP error about it.
    Error,
}

/// A tagged packet that the kernel threw away, as it says itself (tracepoint `skb:kfree_skb`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelDrop {
    /// The namespace that it was in, where it was on a link of one that is known.
    pub ns: Option<NsId>,
    /// The link that it was on.
    pub link: Option<LinkId>,
    /// As this kernel calls it, without what all reasons begin with: `NETFILTER_DROP`.
    pub reason: String,
    /// The function that threw it away, where that is known.
    pub function: Option<String>,
    /// The packet, without its Ethernet addresses.
    pub packet: Packet,
    /// Which of the probe's packets it is.
    pub leg: Leg,
}

/// What became of one foretold place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Seen there as foretold.
    Seen(Sighting),
    /// Seen there, with other addresses than foretold.
    Otherwise(Sighting),
    /// Not seen there.
    Missing,
    /// No socket could be opened there.
    NotWatched,
}

/// A Trace held against what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// One per [`Way::places`] of the way there.
    pub there: Vec<Mark>,
    /// One per place of the way back.
    pub back: Vec<Mark>,
    /// Seen where it was not foretold.
    pub astray: Vec<Sighting>,
    /// What the kernel says that it threw away; empty, too, where it was not asked.
    pub drops: Vec<KernelDrop>,
    /// The rules that it met, where the kernel was asked to tell.
    pub rules: Option<Vec<crate::RuleMark>>,
    /// What was seen is what was foretold, losses included.
    pub agrees: bool,
    /// The packet came where it was to come, and (where one is due) the answer came back.
    pub arrived: bool,
    /// It came to a process that gave no answer: over UDP none need come.
    pub unanswered: bool,
}

/// A step of a way at which an AF_PACKET socket would see the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapPoint {
    /// Index into [`Way::hops`].
    pub hop: usize,
    /// Index into the hop's steps.
    pub step: usize,
    /// The link.
    pub link: LinkId,
    /// Direction.
    pub outgoing: bool,
    /// It is encrypted there: nobody would know it again.
    pub encrypted: bool,
}

impl Way {
    /// What its packets are to the probe; `inherited`: what those are that it is a copy of.
    pub(crate) const fn leg(&self, inherited: Leg) -> Leg {
        match self.cause {
            Cause::Asked => Leg::There,
            Cause::Answer => Leg::Back,
            Cause::IcmpError => Leg::Error,
            Cause::Copy(_) | Cause::ArpRequest | Cause::Handshake => inherited,
        }
    }

    /// The steps at which a socket would see this packet, in order.
    #[must_use]
    pub fn places(&self) -> Vec<TapPoint> {
        let (mut places, mut encrypted) = (Vec::new(), 0_u32);
        for (hop, h) in self.hops.iter().enumerate() {
            for (step, s) in h.steps.iter().enumerate() {
                let (link, outgoing) = match s.action {
                    Action::Out { link } => (link, true),
                    Action::In { link, .. } => (link, false),
                    Action::Encrypted { .. } => {
                        encrypted += 1;
                        continue;
                    }
                    Action::Decrypted { .. } => {
                        encrypted = encrypted.saturating_sub(1);
                        continue;
                    }
                    _ => continue,
                };
                places.push(TapPoint { hop, step, link, outgoing, encrypted: encrypted > 0 });
            }
        }
        places
    }

    /// The links at which a socket may see the packet going out, or not.
    pub(crate) fn perhaps(&self) -> impl Iterator<Item = LinkId> + '_ {
        let steps = self.hops.iter().flat_map(|h| &h.steps);
        steps.filter_map(|s| match s.action {
            Action::PerhapsOut { link } => Some(link),
            _ => None,
        })
    }
}

impl Trace {
    /// The traces of which a packet can take only one: those where it parts no more; else this one.
    #[must_use]
    pub fn leaves(&self) -> Vec<&Self> {
        match self.branches.as_slice() {
            [] => vec![self],
            branches => branches.iter().flat_map(|b| b.trace.leaves()).collect(),
        }
    }

    /// All links that a live check of this trace should watch: those on both ways, and on those of
    /// its branches.
    #[must_use]
    pub fn links(&self) -> Vec<LinkId> {
        let ways = self.ways();
        let seen = |way: &Way| {
            let plain = way.places().into_iter().filter(|p| !p.encrypted).map(|p| p.link);
            plain.chain(way.perhaps()).collect::<Vec<_>>()
        };
        let mut links: Vec<LinkId> = ways.flat_map(seen).collect();
        links.extend(self.branches.iter().flat_map(|b| b.trace.links()));
        links.sort_unstable();
        links.dedup();
        links
    }
}
