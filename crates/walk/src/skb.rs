use std::net::IpAddr;
use std::ops::Deref;

use model::{LinkId, NsId, Remote};

use crate::links::Spot;
use crate::overlay::Membership;
use crate::tunnel::Carried;
use crate::{Disposition, IcmpKind, Loss, Packet, Payload, Reason, Stage, Unknown};

/// A packet within the kernel: with what the kernel notes about it beside its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Skb {
    pub(crate) packet: Packet,
    /// The frame carries ARP: `packet.src` is the sender's address, `packet.dst` the target.
    pub(crate) arp: Option<Arp>,
    /// An ARP question that the bridge has answered, or knows an answer to.
    pub(crate) arp_replied: bool,
    /// Namespace where it is now.
    pub(crate) ns: NsId,
    /// ifindex of the link by which it came in, at the level that looks at it now.
    pub(crate) iif: Option<u32>,
    /// The link that whoever sends it is bound to.
    pub(crate) oif: Option<u32>,
    /// Its VLAN tags, the outermost last.
    pub(crate) tags: Vec<Tag>,
    /// The VLAN that it belongs to, while a bridge that filters by them handles it.
    pub(crate) vlan: Option<u16>,
    /// Bridge port by which it came, while the bridge handles it.
    pub(crate) came_by: Option<u32>,
    /// The same, with br_netfilter on.
    pub(crate) physin: Option<u32>,
    /// The VRF in which its way is looked for.
    pub(crate) vrf: Option<u32>,
    /// What the last hook takes for the link by which it came, though it is sent from here: its VRF, or
    /// the link that a message of ND is for.
    pub(crate) sent_by: Option<u32>,
    /// The member of a VRF that it came in by.
    pub(crate) member: Option<u32>,
    /// Bridge port by which it is to leave.
    pub(crate) physout: Option<u32>,
    /// br_netfilter has taken it through PREROUTING already.
    pub(crate) prerouted: bool,
    /// It carries the route by which it goes out here.
    pub(crate) routed: bool,
    /// The largest packet that its route takes, where it has one (`dst_mtu`).
    pub(crate) way_mtu: Option<u32>,
    /// A bridge has looked for its way already, as it goes up after a translation: IPv6 then takes the
    /// link by which it is to leave for the one that it came by (`ip6_rcv_core`, IP6CB's iif).
    pub(crate) led_by_bridge: bool,
    /// The packet is for this host's Ethernet address (PACKET_HOST).
    pub(crate) ours: bool,
    /// Whether the link that takes it in next is to take it for its own, whatever its address.
    pub(crate) kept: Option<bool>,
    /// A filter of tc has taken it from a link to hand it to another.
    pub(crate) handed: Option<Handed>,
    /// How often that was done at once, without a queue in between.
    pub(crate) handed_on: u32,
    /// It goes past nft's chains behind the link that sends it next.
    pub(crate) past_nft: bool,
    /// The same of actions of tc's filters, and of whoever listens where it comes in next.
    pub(crate) past_tc: bool,
    /// It has come as a broadcast or multicast: no error tells of it, and each who gets it answers.
    pub(crate) to_many: bool,
    /// On the loopback: its route is known already.
    pub(crate) looped: bool,
    /// A copy made by flooding that no host has taken yet: it may be for nobody.
    pub(crate) spare: bool,
    /// A process sends it, whatever it looks like.
    pub(crate) of_process: bool,
    /// The traffic class by which its way is looked for, where that is not its own.
    pub(crate) asked_tos: Option<u8>,
    pub(crate) mark: u32,
    /// What it is sent by is to be looked up again, with this mark.
    pub(crate) anew: Option<u32>,
    pub(crate) ct: Option<Membership>,
    pub(crate) untracked: bool,
    /// Its connection has been looked for, in vain.
    pub(crate) sought: bool,
    /// Conntrack zones that it is to be tracked in, of the original direction and of the reply.
    pub(crate) zone: (u16, u16),
    /// Length of the largest fragment, where it was fragmented.
    pub(crate) fragment: Option<u32>,
    /// A worker of the kernel made this copy, which comes behind all that is done at once.
    pub(crate) late: bool,
    /// When it is, by how often it, and what it comes of, have waited in a queue to be taken in by a
    /// link ([`Skb::queued`]). The kernel takes from its queue in order, so that what has waited less
    /// is done earlier.
    pub(crate) moment: u32,
    /// Where a vxlan is to send it.
    pub(crate) remote: Option<Remote>,
    /// What it carries, where it is a tunnel's outer packet.
    pub(crate) carried: Option<Box<Carried>>,
    /// For an ICMP error: the packet that it is about, as its sender saw it. Of a redirect, only if
    /// connection tracking reads what it quotes.
    pub(crate) about: Option<Box<Packet>>,
}

/// From where a packet was handed on (`skb_set_redirected`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handed {
    /// The link that it was taken from.
    pub(crate) from: LinkId,
    /// As it came in there; else as it was sent.
    pub(crate) ingress: bool,
}

/// A VLAN tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    /// Its EtherType.
    pub(crate) protocol: u16,
    pub(crate) id: u16,
}

impl Tag {
    const LEN: u32 = 4;
}

/// Length of the largest fragment by that MTU: each but the last holds a multiple of eight bytes.
pub(crate) const fn fragment(mtu: u32) -> u32 {
    20 + mtu.saturating_sub(20) / 8 * 8
}

/// Which ARP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arp {
    Request,
    Reply,
}

/// That moment, if all began so much later.
pub(crate) fn shifted(moment: u32, later: i64) -> u32 {
    u32::try_from(i64::from(moment) + later).unwrap_or(u32::MAX)
}

/// How much later all is done that waits once more. Between, there is room for what waited as often,
/// and is done in its turn.
const LATER: u32 = 1 << 6;
/// How much longer than anything that is done at once a copy waits that a worker of the kernel makes.
const BY_WORKER: u32 = LATER << 10;
/// The same of what a tasklet does: sooner than a worker, behind all that waits in a queue.
const BY_TASKLET: u32 = LATER << 5;

impl Skb {
    pub(crate) const fn new(ns: NsId, packet: Packet) -> Self {
        Self {
            packet,
            arp: None,
            arp_replied: false,
            ns,
            iif: None,
            oif: None,
            tags: Vec::new(),
            vlan: None,
            came_by: None,
            physin: None,
            physout: None,
            vrf: None,
            sent_by: None,
            member: None,
            prerouted: false,
            routed: false,
            way_mtu: None,
            led_by_bridge: false,
            ours: false,
            kept: None,
            handed: None,
            handed_on: 0,
            past_nft: false,
            past_tc: false,
            to_many: false,
            looped: false,
            spare: false,
            of_process: false,
            asked_tos: None,
            mark: 0,
            anew: None,
            ct: None,
            untracked: false,
            sought: false,
            zone: (0, 0),
            fragment: None,
            late: false,
            moment: 0,
            remote: None,
            carried: None,
            about: None,
        }
    }

    /// It begins at that moment.
    pub(crate) fn at(self, moment: u32) -> Self {
        Self { moment, ..self }
    }

    /// As an error about that packet.
    pub(crate) fn about(self, packet: &Packet) -> Self {
        Self { about: Some(Box::new(packet.clone())), ..self }
    }

    /// It waits until a link takes it in (`netif_rx`).
    pub(crate) const fn queued(&mut self) {
        self.moment += LATER;
        self.handed_on = 0;
    }

    /// It waits until a tasklet hands it on.
    pub(crate) const fn by_tasklet(&mut self) {
        self.moment += BY_TASKLET;
        self.handed_on = 0;
    }

    /// As a copy that a worker of the kernel hands on.
    pub(crate) fn by_worker(self) -> Self {
        // Of a bridge's frame, the bridge itself has had its copy by then: what kept that from
        // PREROUTING is used up (`ip_sabotage_in`, nf_bridge's sabotage_in_done).
        Self { moment: self.moment + BY_WORKER, late: true, prerouted: false, ..self }
    }

    /// It is for more than one, by its frame or by its address: not PACKET_HOST.
    pub(crate) fn is_to_many(&self) -> bool {
        self.to_many || self.packet.is_to_group()
    }

    /// A question who has an address, or its answer (ARP, ND).
    pub(crate) const fn is_discovery(&self) -> bool {
        self.arp.is_some()
            || matches!(self.packet.payload, Payload::Icmp { kind, .. } if kind.is_discovery())
    }

    /// The address that it asks for; None: it is no such question.
    pub(crate) fn asks_for(&self) -> Option<IpAddr> {
        match self.packet.payload {
            _ if self.arp == Some(Arp::Request) => Some(self.packet.dst),
            Payload::Icmp { kind: IcmpKind::Solicitation(target), .. } => Some(target.into()),
            _ => None,
        }
    }

    /// Length of what goes over a link, in bytes without Ethernet header. The outermost tag stands
    /// beside a frame, not in it.
    #[inline]
    pub(crate) fn wire_len(&self) -> u32 {
        let len = self.fragment.unwrap_or(self.packet.len);
        if self.tags.is_empty() { len } else { len + self.tags_len() - Tag::LEN }
    }

    /// Length of its tags.
    pub(crate) fn tags_len(&self) -> u32 {
        self.tags.iter().map(|_| Tag::LEN).sum()
    }

    /// The packet itself, or what it carries.
    pub(crate) fn innermost(&self) -> &Self {
        self.carried.as_ref().map_or(self, |carried| carried.skb.innermost())
    }

    /// How many packets it carries within each other.
    pub(crate) fn nested(&self) -> u32 {
        self.carried.as_ref().map_or(0, |carried| carried.skb.nested() + 1)
    }

    /// It is ARP or ND, or carries that.
    pub(crate) fn asks(&self) -> bool {
        self.innermost().is_discovery()
    }

    /// The link of this namespace with that index.
    pub(crate) const fn link(&self, index: u32) -> LinkId {
        LinkId { ns: self.ns, index }
    }

    /// What the other side of a veth pair is given: all notes are wiped, the mark only between
    /// namespaces.
    pub(crate) fn scrub(&mut self, ns: NsId) {
        if ns != self.ns {
            self.mark = 0;
        }
        self.ns = ns;
        (self.ct, self.untracked, self.sought, self.zone) = (None, false, false, (0, 0));
        (self.physin, self.physout) = (None, None);
        (self.prerouted, self.led_by_bridge, self.routed) = (false, false, false);
        self.came_by = None;
        (self.vrf, self.sent_by, self.member) = (None, None, None);
        (self.looped, self.handed) = (false, None);
    }
}

/// A packet goes no further. One pointer, so that what may end a packet hands on hardly more than what
/// it has found.
#[derive(Clone, Debug)]
pub(crate) struct Stop(Box<Stopped>);

/// How a packet goes no further, and in which part of the kernel.
#[derive(Clone, Debug)]
pub(crate) struct Stopped {
    pub(crate) stage: Stage,
    pub(crate) disposition: Disposition,
    /// Its end has been told, and this is what it was then.
    told: Option<Skb>,
}

impl Deref for Stop {
    type Target = Stopped;

    fn deref(&self) -> &Stopped {
        &self.0
    }
}

impl Stop {
    pub(crate) fn new(stage: Stage, disposition: Disposition) -> Self {
        Self(Box::new(Stopped { stage, disposition, told: None }))
    }

    /// It ended so by another way that is its own, too.
    pub(crate) fn told(stage: Stage, end: End) -> Self {
        let (disposition, told) = (end.disposition, Some(end.skb));
        Self(Box::new(Stopped { stage, disposition, told }))
    }

    /// What it was when its end was told, if that is so.
    pub(crate) const fn take_told(&mut self) -> Option<Skb> {
        self.0.told.take()
    }

    #[cold]
    pub(crate) fn lost(stage: Stage, ns: NsId, link: Option<LinkId>, reason: Reason) -> Self {
        Self::new(stage, Disposition::Lost(Loss { ns, link, reason }))
    }

    #[cold]
    pub(crate) fn unknown(stage: Stage, unknown: Unknown) -> Self {
        Self::new(stage, Disposition::Unknown(unknown))
    }

    pub(crate) fn ignored(stage: Stage) -> Self {
        Self::new(stage, Disposition::Ignored)
    }

    pub(crate) fn into_disposition(self) -> Disposition {
        self.0.disposition
    }

    /// As the end of this packet.
    pub(crate) fn end(self, skb: Skb) -> End {
        End { disposition: self.into_disposition(), skb }
    }
}

/// Where a packet goes next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next<'a> {
    /// A process sends it.
    Socket,
    /// An ARP message of this namespace's own is handed to a link.
    Arp(Spot<'a>),
    /// The same of ND.
    Nd(Spot<'a>),
    /// The frame is handed to a link.
    Transmit(Spot<'a>),
    /// A vxlan sends the frame to the remote that is noted in it.
    Encapsulate(Spot<'a>),
    /// Another link gives it to this one, which takes it in.
    Forward(Spot<'a>),
    /// The frame comes in by a link.
    Receive(Spot<'a>),
    /// The frame comes in by a port, for its bridge.
    Bridge(Spot<'a>),
    /// The frame is for this namespace, by a link that is no port.
    Up(Spot<'a>),
    /// It leaves by a link whose other end is beyond this host: nothing else comes of it.
    Left(Spot<'a>),
    /// It is where it was to go, in its namespace.
    Arrived,
}

/// How and where a packet ended.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) disposition: Disposition,
    pub(crate) skb: Skb,
}
