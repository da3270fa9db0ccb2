mod place;
mod tracked;

use model::{Link, LinkId, LinkKind, NsId, Relation, Snapshot};

pub(crate) use place::Place;

use crate::hash::Map;
use crate::links::{LinkIndex, Settled};
use crate::memory::Memory;
use crate::silent::Silent;
use crate::{Reason, Recorder};

/// A [`Snapshot`] with the tables that a walk looks things up in.
#[derive(Debug)]
pub struct Indexed<'a> {
    /// What was read.
    pub snapshot: &'a Snapshot,
    places: Vec<Place<'a>>,
    /// Positions of namespaces among these.
    positions: Map<NsId, usize>,
    /// Links that stand on a link (macvlan and kin), by that link.
    uppers: Map<LinkId, Vec<LinkId>>,
    /// Vxlans by the namespace of their outer packets.
    vxlans: Map<NsId, Vec<VxlanEnd>>,
    /// WireGuard links that are up, by the namespace and port of their sockets.
    wireguards: Map<(NsId, u16), LinkId>,
    /// Those of which it is not known where their sockets are; the port, where it is known.
    strays: Vec<(LinkId, Option<u16>)>,
    /// Who listens was read: a port without a listener refuses.
    pub(crate) listening: bool,
    /// Traces tell what else was tried before each step.
    explains: bool,
    /// How many links there are.
    pub(crate) links: usize,
    /// Some part of some namespace was not read.
    pub(crate) gaps: bool,
    /// Some namespace has learned something of single destinations.
    pub(crate) has_learned: bool,
    /// Bridges with ports behind which most questions are heard in vain.
    silent: Map<LinkId, Silent>,
    /// What asking came to.
    pub(crate) memory: Memory,
}

impl<'a> Indexed<'a> {
    /// Sorts and joins what the Snapshot holds. Once for many walks.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let namespaces = snapshot.namespaces.values().enumerate();
        let places = namespaces.map(|(at, ns)| Place::new(ns, at, snapshot.kernel));
        let mut vxlans: Map<NsId, Vec<VxlanEnd>> = Map::default();
        let mut uppers: Map<LinkId, Vec<LinkId>> = Map::default();
        let (mut wireguards, mut strays) = (Map::default(), Vec::new());
        for (id, ns) in &snapshot.namespaces {
            for link in ns.links.values() {
                if let LinkKind::Vxlan(vxlan) = &link.kind {
                    let underlay = match link.relation {
                        Relation::Lower(lower) => lower.ns,
                        Relation::Underlay(ns) => ns,
                        _ => *id,
                    };
                    vxlans.entry(underlay).or_default().push(VxlanEnd {
                        link: LinkId { ns: *id, index: link.index },
                        vni: vxlan.vni,
                        port: vxlan.port,
                        ipv6: vxlan.is_ipv6(),
                        up: link.is_up(),
                    });
                }
                if let LinkKind::Wireguard(own) = &link.kind
                    && link.is_up()
                {
                    let index = LinkId { ns: *id, index: link.index };
                    let own = own.as_deref();
                    match own.and_then(|own| Some((own.socket?, own.listen_port))) {
                        Some(at) => _ = wireguards.insert(at, index),
                        None => strays.push((index, own.map(|own| own.listen_port))),
                    }
                }
                if let Relation::Lower(lower) = link.relation {
                    uppers.entry(lower).or_default().push(LinkId { ns: *id, index: link.index });
                }
            }
        }
        let mut net = Self {
            snapshot,
            places: places.collect(),
            positions: snapshot.namespaces.keys().copied().zip(0..).collect(),
            uppers,
            vxlans,
            wireguards,
            strays,
            listening: false,
            explains: false,
            links: snapshot.namespaces.values().map(|ns| ns.links.len()).sum(),
            has_learned: snapshot.namespaces.values().any(|ns| !ns.learned.is_empty()),
            gaps: snapshot.namespaces.values().any(|ns| !ns.gaps.is_empty()),
            silent: Map::default(),
            memory: Memory::default(),
        };
        net.silent = net.silent_ends();
        net.settle();
        net
    }

    /// Finds out what is so of each link for every packet.
    fn settle(&mut self) {
        let of = |place: &Place<'a>| {
            let links = place.ns.links.iter();
            links.map(|(index, link)| (*index, Settled::of(self, place, link))).collect()
        };
        let all: Vec<Map<u32, Settled>> = self.places.iter().map(of).collect();
        for (place, settled) in self.places.iter_mut().zip(&all) {
            place.settle(settled);
        }
    }

    /// Why a link takes no frame to send.
    pub(crate) fn cannot_send(&self, link: &Link) -> Option<Reason> {
        if !link.is_up() {
            return Some(Reason::LinkDown);
        }
        if link.is_running() || link.kind == LinkKind::Loopback {
            return None;
        }
        let peer = link.peer().filter(|p| self.link(*p).is_some_and(|l| !l.is_up()));
        Some(peer.map_or(Reason::NoCarrier, Reason::PeerDown))
    }

    fn silent_ends(&self) -> Map<LinkId, Silent> {
        let of = |place: &Place<'a>, index: u32| {
            Some((LinkId { ns: place.id, index }, Silent::of(self, place, index)?))
        };
        let places = self.places.iter();
        places.flat_map(|p| p.bridges_with_ports().filter_map(|bridge| of(p, bridge))).collect()
    }

    /// The Snapshot tells who listens: what comes to a port where nobody does is refused. Else it
    /// is taken for granted that somebody answers.
    #[must_use]
    pub fn with_listeners(mut self) -> Self {
        self.listening = true;
        self
    }

    /// Traces tell what else was tried before each step: routing rules and routes that were passed
    /// over, rules of chains that did not match, how a source was chosen.
    #[must_use]
    pub fn explained(mut self, wanted: bool) -> Self {
        self.explains = wanted;
        self
    }

    pub(crate) fn recorder(&self) -> Recorder {
        if self.explains { Recorder::explaining() } else { Recorder::default() }
    }

    /// The position of a namespace that was read.
    pub(crate) fn position(&self, ns: NsId) -> Option<usize> {
        self.positions.get(&ns).copied()
    }

    pub(crate) fn place(&self, ns: NsId) -> Option<&Place<'a>> {
        self.places.get(self.position(ns)?)
    }

    /// The namespace of a link.
    #[inline]
    pub(crate) fn home(&self, link: &LinkIndex<'_>) -> &Place<'a> {
        &self.places[link.place]
    }

    /// The other end of a link's cable, if that was read.
    #[inline]
    pub(crate) fn other_end(&self, link: &LinkIndex<'_>) -> Option<&LinkIndex<'a>> {
        let (place, index) = link.settled.peer?;
        self.places.get(place)?.link_index(index)
    }

    pub(crate) fn link(&self, id: LinkId) -> Option<&'a Link> {
        self.spot(id).map(|found| found.link)
    }

    /// The same, with all that is at hand of it.
    pub(crate) fn spot(&self, id: LinkId) -> Option<&LinkIndex<'a>> {
        self.place(id.ns)?.link_index(id.index)
    }

    /// Vxlans whose outer packets come to that namespace.
    pub(crate) fn vxlans(&self, underlay: NsId) -> &[VxlanEnd] {
        self.vxlans.get(&underlay).map_or(&[], Vec::as_slice)
    }

    /// There are tunnels whose packets are walked.
    pub(crate) fn has_tunnels(&self) -> bool {
        !(self.vxlans.is_empty() && self.wireguards.is_empty() && self.strays.is_empty())
    }

    /// The WireGuard link whose socket waits there.
    pub(crate) fn wireguard_at(&self, ns: NsId, port: u16) -> Option<LinkId> {
        self.wireguards.get(&(ns, port)).copied()
    }

    /// One whose socket may be anywhere, and at that port.
    pub(crate) fn stray_wireguard(&self, port: u16) -> Option<LinkId> {
        let stray = self.strays.iter().find(|(_, own)| own.is_none_or(|own| own == port));
        stray.map(|(link, _)| *link)
    }

    /// Ends of a bridge's ports at which most questions are heard in vain.
    pub(crate) fn silent(&self, bridge: LinkId) -> Option<&Silent> {
        self.silent.get(&bridge)
    }

    /// Links that stand on `lower`.
    pub(crate) fn uppers(&self, lower: LinkId) -> &[LinkId] {
        self.uppers.get(&lower).map_or(&[], Vec::as_slice)
    }
}

/// Where a vxlan's outer packets are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VxlanEnd {
    pub(crate) link: LinkId,
    pub(crate) vni: u32,
    pub(crate) port: u16,
    /// Its socket is of IPv6, and takes nothing else.
    pub(crate) ipv6: bool,
    pub(crate) up: bool,
}
