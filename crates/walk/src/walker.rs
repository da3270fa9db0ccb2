//! The loop that hands a packet from one part of the kernel to the next.

use std::cell::Cell;
use std::net::IpAddr;

use model::{Gap, Link, LinkId, Mac, NsId};

use crate::chain::State;
use crate::indexed::Place;
use crate::links::Spot;
use crate::skb::{End, Next, Skb, Stop};
use crate::{Action, Disposition, Indexed, Overlay, Sink, Stage, Unknown};

/// How many packets deep one may come of another. What goes round through copies that each make
/// others never comes to an end.
const DEEPEST: u32 = 40;

/// A walk through one Snapshot, with what its packets have taught so far.
pub(crate) struct Walker<'a, 'o, S> {
    pub(crate) net: &'a Indexed<'a>,
    /// The namespace that was looked up last: most often the next one, too.
    here: Cell<Option<&'a Place<'a>>>,
    pub(crate) overlay: &'o mut Overlay,
    pub(crate) sink: S,
    /// How many packets deep: 0 for the one that was asked about (or its answer).
    pub(crate) depth: u32,
    /// Moves left before it is taken for a loop.
    pub(crate) budget: usize,
    /// Who answered the ARP request that is on its way.
    pub(crate) answers: Vec<Answer>,
    /// Links that the reply to it came to, as theirs, and when.
    pub(crate) replied: Vec<(LinkId, u32)>,
    /// What is being asked for now: of questions on whose way others are asked, the outer first.
    pub(crate) asking: Vec<(LinkId, IpAddr)>,
    /// Links at which the ARP request that is on its way was heard.
    pub(crate) heard: Vec<LinkId>,
    /// Why it cannot be told whether somebody answers it.
    pub(crate) doubts: Option<Unknown>,
    /// Packets to many, and copies of others, as they came to whoever got one.
    pub(crate) arrivals: Vec<Skb>,
    /// Whom MASQUERADE is to find an address for: the next hop of the packet being sent.
    pub(crate) masquerade_hop: Option<IpAddr>,
    /// Where chains are run.
    pub(crate) room: State<'a>,
    /// What came of the answer to the handshake that is on its way.
    pub(crate) answered_by: Option<Disposition>,
    /// What has been assumed on this way so far, and told.
    pub(crate) assumed: Vec<(NsId, Gap)>,
}

/// An answer to a question who has an address.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Who answers: the link that the question came in by.
    pub(crate) link: LinkId,
    /// With that link's own address, or, for another, with that one's.
    pub(crate) mac: Mac,
    /// Which way it is sent.
    pub(crate) sent: Sent,
    /// When: of two answers, the earlier counts.
    pub(crate) moment: u32,
}

/// Which way an answer to a question who has an address is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// As any that a host sends.
    ByHost,
    /// Out by a bridge's port, for somebody else.
    ByPort,
    /// Up by the bridge, to its own host or to what stands on it, for somebody else.
    Up,
}

impl<'a, 'o, S: Sink> Walker<'a, 'o, S> {
    pub(crate) fn new(net: &'a Indexed<'a>, overlay: &'o mut Overlay, sink: S) -> Self {
        Self {
            net,
            here: Cell::new(None),
            overlay,
            sink,
            depth: 0,
            budget: 4096 + 64 * net.links,
            answers: Vec::new(),
            replied: Vec::new(),
            asking: Vec::new(),
            heard: Vec::new(),
            doubts: None,
            arrivals: Vec::new(),
            masquerade_hop: None,
            room: State::default(),
            answered_by: None,
            assumed: Vec::new(),
        }
    }

    /// Follows a packet to its end.
    #[inline(always)]
    pub(crate) fn run(&mut self, mut skb: Skb, next: Next<'a>) -> End {
        let disposition = self.follow(&mut skb, next);
        End { disposition, skb }
    }

    /// The same; what the packet is at its end, `skb` is.
    pub(crate) fn follow(&mut self, skb: &mut Skb, mut next: Next<'a>) -> Disposition {
        loop {
            next = match next {
                Next::Left(link) => {
                    return self.ends(skb, Stage::Transmit, Disposition::Left(link.id));
                }
                Next::Arrived => {
                    return self.ends(skb, Stage::Local, Disposition::Delivered(skb.ns));
                }
                next => match self.advance(skb, next) {
                    Ok(further) => further,
                    Err(stop) => return self.stopped(skb, stop),
                },
            };
        }
    }

    /// It goes no further.
    pub(crate) fn stopped(&mut self, skb: &mut Skb, mut stop: Stop) -> Disposition {
        if let Some(told) = stop.take_told() {
            *skb = told;
        } else {
            self.tell_end(skb, stop.stage, &stop.disposition);
            self.refuse(skb, &stop);
        }
        stop.into_disposition()
    }

    /// It has come through.
    fn ends(&mut self, skb: &Skb, stage: Stage, disposition: Disposition) -> Disposition {
        self.tell_end(skb, stage, &disposition);
        disposition
    }

    fn advance(&mut self, skb: &mut Skb, next: Next<'a>) -> Result<Next<'a>, Stop> {
        self.budget = match self.budget.checked_sub(1).filter(|_| self.depth < DEEPEST) {
            Some(left) => left,
            None => return Err(self.endless()),
        };
        match next {
            Next::Socket => self.socket(skb),
            Next::Arp(link) => self.arp_out(skb, link),
            Next::Nd(link) => self.nd_out(skb, link),
            Next::Transmit(link) => self.transmit(skb, link),
            Next::Encapsulate(link) => self.vxlan_to(skb, link),
            Next::Forward(link) => self.forward_into(skb, link),
            Next::Receive(link) => self.receive(skb, link),
            Next::Bridge(port) => self.bridge_in(skb, port),
            Next::Up(link) => self.up(skb, link),
            Next::Left(_) | Next::Arrived => Ok(next),
        }
    }

    #[cold]
    fn endless(&mut self) -> Stop {
        let endless = Unknown::Packet("it goes round without end".to_owned());
        self.overlay.unforeseeable.get_or_insert_with(|| endless.clone());
        Stop::unknown(Stage::Bridge, endless)
    }

    /// Tells how a packet ended.
    pub(crate) fn tell_end(&mut self, skb: &Skb, stage: Stage, disposition: &Disposition) {
        let (net, to) = (self.net, skb.packet.dst);
        let mut step =
            |action: &dyn Fn() -> Action| self.sink.step(skb.ns, stage, &skb.packet, action);
        match disposition {
            Disposition::Delivered(ns) => step(&|| {
                let link = net.place(*ns).and_then(|place| place.owner(to));
                Action::Delivered { link: link.map(|index| LinkId { ns: *ns, index }) }
            }),
            Disposition::Left(link) => step(&|| Action::Left { link: *link }),
            Disposition::Lost(loss) => step(&|| Action::Dropped(loss.clone())),
            Disposition::Unknown(unknown) => {
                step(&|| Action::Unknown(unknown.clone()));
                if skb.asks() {
                    self.doubts.get_or_insert_with(|| unknown.clone());
                }
            }
            Disposition::Ignored => {}
        }
    }

    /// Follows another packet that comes of this one; the way is told apart.
    pub(crate) fn aside(&mut self, skb: Skb, next: Next<'a>) -> (End, S) {
        self.beside(|walker| walker.run(skb, next))
    }

    /// The same of one that is followed otherwise.
    pub(crate) fn beside(&mut self, follow: impl FnOnce(&mut Self) -> End) -> (End, S) {
        let branch = self.sink.branch();
        let own = std::mem::replace(&mut self.sink, branch);
        let assumed = self.assumed.clone();
        self.depth += 1;
        let end = follow(self);
        self.depth -= 1;
        self.assumed = assumed;
        (end, std::mem::replace(&mut self.sink, own))
    }

    /// Tells a step.
    pub(crate) fn tell(&mut self, skb: &Skb, stage: Stage, action: impl FnOnce() -> Action) {
        tell(&mut self.sink, skb, stage, action);
    }

    /// The packet needs these parts of its namespace. One that was not read ends its way, unless
    /// something may be taken for it: that is told, once on each way.
    #[inline]
    pub(crate) fn lean_on(&mut self, skb: &Skb, stage: Stage, parts: &[&str]) -> Result<(), Stop> {
        if self.net.gaps { self.lean_on_read(skb, stage, parts) } else { Ok(()) }
    }

    fn lean_on_read(&mut self, skb: &Skb, stage: Stage, parts: &[&str]) -> Result<(), Stop> {
        let ns = skb.ns;
        let gaps = &self.place(ns, stage)?.ns.gaps;
        if gaps.is_empty() {
            return Ok(());
        }
        let needed: Vec<&Gap> = gaps.iter().filter(|g| parts.contains(&g.part.as_str())).collect();
        if let Some(gap) = needed.iter().find(|g| g.assumed.is_none()) {
            let what = format!("{}: {}", gap.part, gap.cause);
            return Err(Stop::unknown(stage, Unknown::Gap { ns, what }));
        }
        self.assume(skb, stage, needed.into_iter().cloned().collect());
        Ok(())
    }

    /// Tells what is assumed, unless this way has told it.
    pub(crate) fn assume(&mut self, skb: &Skb, stage: Stage, gaps: Vec<Gap>) {
        if gaps.is_empty() {
            return;
        }
        let all = gaps.into_iter().map(|gap| (skb.ns, gap));
        let new: Vec<_> = all.filter(|gap| !self.assumed.contains(gap)).collect();
        if new.is_empty() {
            return;
        }
        self.assumed.extend(new.iter().cloned());
        let once = new.iter().filter(|gap| !self.overlay.assumed.contains(gap)).cloned();
        let once: Vec<_> = once.collect();
        self.overlay.assumed.extend(once);
        self.tell(skb, stage, || Action::Assumed(new.into_iter().map(|(_, gap)| gap).collect()));
    }

    #[inline(always)]
    pub(crate) fn place(&self, ns: NsId, stage: Stage) -> Result<&'a Place<'a>, Stop> {
        match self.known_place(ns) {
            Some(place) => Ok(place),
            None => Err(not_read(ns, stage)),
        }
    }

    /// A namespace that was read.
    #[inline(always)]
    pub(crate) fn known_place(&self, ns: NsId) -> Option<&'a Place<'a>> {
        match self.here.get() {
            Some(here) if here.id == ns => Some(here),
            _ => self.go_to(ns),
        }
    }

    #[inline(never)]
    fn go_to(&self, ns: NsId) -> Option<&'a Place<'a>> {
        let net: &'a Indexed<'a> = self.net;
        let place = net.place(ns);
        self.here.set(place.or(self.here.get()));
        place
    }

    /// The namespace of a link.
    #[inline(always)]
    pub(crate) fn home(&self, link: Spot<'a>) -> &'a Place<'a> {
        let net: &'a Indexed<'a> = self.net;
        let place = net.home(link);
        self.here.set(Some(place));
        place
    }

    /// A link that was read.
    #[inline(always)]
    pub(crate) fn known_link(&self, id: LinkId) -> Option<&'a Link> {
        self.known_place(id.ns)?.link(id.index)
    }

    /// A link, with what is settled of it.
    #[inline(always)]
    pub(crate) fn spot(&self, id: LinkId, stage: Stage) -> Result<Spot<'a>, Stop> {
        match self.known_spot(id) {
            Some(spot) => Ok(spot),
            None => Err(link_not_read(id, stage)),
        }
    }

    #[inline(always)]
    pub(crate) fn known_spot(&self, id: LinkId) -> Option<Spot<'a>> {
        self.known_place(id.ns)?.link_index(id.index)
    }

    #[inline(always)]
    pub(crate) fn link(&self, id: LinkId, stage: Stage) -> Result<&'a Link, Stop> {
        match self.known_link(id) {
            Some(link) => Ok(link),
            None => Err(link_not_read(id, stage)),
        }
    }
}

impl<'a> Place<'a> {
    /// A link of this namespace.
    #[inline(always)]
    pub(crate) fn spot(&'a self, index: u32, stage: Stage) -> Result<Spot<'a>, Stop> {
        match self.link_index(index) {
            Some(spot) => Ok(spot),
            None => Err(link_not_read(LinkId { ns: self.id, index }, stage)),
        }
    }
}

#[cold]
fn not_read(ns: NsId, stage: Stage) -> Stop {
    Stop::unknown(stage, Unknown::Gap { ns, what: "it was not read".to_owned() })
}

#[cold]
pub(crate) fn link_not_read(id: LinkId, stage: Stage) -> Stop {
    let what = format!("its link {} was not read", id.index);
    Stop::unknown(stage, Unknown::Gap { ns: id.ns, what })
}

/// Tells a step.
pub(crate) fn tell<S: Sink>(
    sink: &mut S,
    skb: &Skb,
    stage: Stage,
    action: impl FnOnce() -> Action,
) {
    if skb.fragment.is_some() {
        // What goes over links is its first fragment; the others have no more to tell.
        let packet = crate::Packet { len: skb.wire_len(), ..skb.packet.clone() };
        return sink.step(skb.ns, stage, &packet, action);
    }
    sink.step(skb.ns, stage, &skb.packet, action);
}
