//! What is done to a packet, step by step, and why.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use model::{
    Conntrack, FdbEntry, Gap, Hook, LearnedRoute, LinkId, Mac, Neighbour, NsId, Route, Rule, Tuple,
    WireguardKey,
};

use super::{ChainRef, FilterRef, RuleRef, Way};
use crate::{Considered, Loss, Packet, Unknown};

/// One decision or movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which part of the kernel.
    pub stage: Stage,
    /// What it did, with the evidence.
    pub action: Action,
    /// The packet after it.
    pub packet: Packet,
    /// What else was tried before it, where that was asked for ([`crate::Indexed::explained`]).
    pub considered: Vec<Considered>,
    /// Packets that came of it.
    pub children: Vec<Way>,
}

/// Parts of the kernel, in the order of a packet's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "documented where not evident")]
pub enum Stage {
    /// A process sends.
    Socket,
    Route,
    /// A netfilter hook.
    Hook(Hook),
    Neighbour,
    /// Frame handed to a link.
    Transmit,
    /// Frame taken from a link.
    Receive,
    Bridge,
    Forward,
    /// For a process of this namespace.
    Local,
}

/// What was done, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A process here sends the packet.
    Originate,
    /// A route was found.
    Routed {
        /// The rule that named the table; None where only the three default rules exist.
        rule: Option<Rule>,
        /// The route.
        route: Box<Route>,
        /// Its next hop; None: the destination itself is on the link.
        gateway: Option<IpAddr>,
        /// The link out (for a local route, the link whose address it is).
        out: LinkId,
        /// The packet is for this namespace itself.
        local: bool,
        /// Source address chosen, where the packet had none.
        source: Option<IpAddr>,
        /// What was learned of this destination: the next hop is of it.
        learned: Option<Box<LearnedRoute>>,
    },
    /// The source address passes reverse-path validation (or none is asked: rp_filter 0).
    SourceValid {
        /// rp_filter in force.
        rp_filter: u8,
        /// The route back to the source, where one was looked up.
        route: Option<Box<Route>>,
    },
    /// A chain was gone through and lets the packet pass.
    Chain {
        /// Which.
        chain: ChainRef,
        /// The rule that decided; None: its policy.
        rule: Option<RuleRef>,
        /// Rules that matched on the way, verdict or not.
        matched: Vec<RuleRef>,
        /// How large segments may be by what the packet says, before and after, if rules made it less.
        segment: Option<(u16, u16)>,
    },
    /// Addresses or ports were rewritten.
    Translated(NatStep),
    /// The connection is known, or begins here.
    Tracked {
        /// NEW, ESTABLISHED, RELATED, INVALID or UNTRACKED: bits as in `ct state`.
        state: u32,
        /// The entry.
        entry: Option<Box<Conntrack>>,
    },
    /// The next hop's Ethernet address is known.
    Neighbour {
        /// Whose address.
        ip: IpAddr,
        /// Link out.
        link: LinkId,
        /// The entry.
        entry: Neighbour,
    },
    /// The next hop's Ethernet address is asked for; the request is a child.
    ArpAsked {
        /// Whose address.
        ip: IpAddr,
        /// Link out.
        link: LinkId,
        /// Who answers.
        answer: ArpAnswer,
    },
    /// Forwarding is on here; time to live is counted down.
    Forwarded {
        /// The link in.
        from: LinkId,
        /// The link out.
        to: LinkId,
        /// TTL before.
        ttl: u8,
    },
    /// The frame is handed to a link: an AF_PACKET socket there sees it going out.
    Out {
        /// The link.
        link: LinkId,
    },
    /// The frame may be handed to a link or pass it by, as the kernel has the header of its next
    /// hop ready or not, which it tells nobody. It goes on in the same way.
    PerhapsOut {
        /// The link.
        link: LinkId,
    },
    /// From here on the packet is that of a VRF, one of whose members it came in by or leaves by:
    /// routed by its table, and told to hooks by its name.
    Vrf {
        /// The VRF.
        link: LinkId,
    },
    /// The frame comes in by a link: an AF_PACKET socket there sees it coming in.
    In {
        /// The link.
        link: LinkId,
        /// The bridge that it is a port of.
        bridge: Option<LinkId>,
    },
    /// A bridge learned a source address.
    Learned {
        /// Where.
        bridge: LinkId,
        /// Behind this port.
        port: LinkId,
        /// Whose.
        mac: Mac,
    },
    /// A bridge found the destination in its table, behind one port.
    BridgeForward {
        /// Where.
        bridge: LinkId,
        /// Out by this port.
        port: LinkId,
        /// The entry.
        entry: FdbEntry,
        /// It was learned on this very way, not read.
        learned_now: bool,
    },
    /// A bridge did not find it and floods. The copies that are not the way that is told are
    /// children.
    BridgeFlood {
        /// Where.
        bridge: LinkId,
        /// Out by these ports.
        ports: Vec<LinkId>,
        /// The one whose copy is told as this way's next step.
        followed: Option<LinkId>,
    },
    /// A bridge knows who wants this group.
    Snooped {
        /// Which bridge.
        bridge: LinkId,
        /// Ports behind which it is wanted, or a multicast router is.
        ports: Vec<LinkId>,
        /// This host gets it, too.
        host: bool,
    },
    /// The bridge's own address: the frame goes up to the bridge as a link of this namespace.
    BridgeUp {
        /// Which bridge.
        bridge: LinkId,
    },
    /// A frame's VLAN, or its tag.
    Vlan {
        /// The port that it comes in by, or leaves by (a bridge itself: from or to its host); the
        /// link below that it leaves by with a tag; the VLAN link that it goes to without.
        link: LinkId,
        /// Which.
        id: u16,
        /// What of it.
        step: VlanStep,
    },
    /// Links that stand on this one (macvlans, vlans, …) take the frame in. Where there are
    /// several, the copies that are not the way that is told are children.
    Stacked {
        /// The link below.
        lower: LinkId,
        /// Those that take it.
        uppers: Vec<LinkId>,
        /// The one whose copy is told as this way's next step (the link below: it keeps one).
        followed: Option<LinkId>,
    },
    /// A tunnel puts the packet into an outer one, which goes its own way from here on: it is the
    /// packet of this step and the next ones, until it is taken out again.
    Encapsulated {
        /// The tunnel.
        link: LinkId,
        /// What tells its packets from those of other tunnels (a network identifier, a key).
        id: u32,
    },
    /// A tunnel's end takes the packet out of the outer one: it comes in by this link.
    Decapsulated {
        /// The tunnel.
        link: LinkId,
    },
    /// WireGuard puts the packet, encrypted, into an outer one, which goes its own way from here on:
    /// it is the packet of this step and the next ones, until it is decrypted again. Nobody on the
    /// way can tell what is in it.
    Encrypted {
        /// The link.
        link: LinkId,
        /// For whom.
        peer: WireguardKey,
        /// The longest of the allowed networks that the destination is in.
        net: IpNet,
        /// Where that peer is.
        endpoint: SocketAddr,
    },
    /// A WireGuard link takes the packet out of the outer one: it comes in by this link.
    Decrypted {
        /// The link.
        link: LinkId,
        /// From whom.
        peer: WireguardKey,
        /// The longest of the allowed networks that the source is in; None: none of that peer's.
        net: Option<IpNet>,
    },
    /// A WireGuard link heard a peer from elsewhere than it knew: it is sent to there from now on.
    LearnedEndpoint {
        /// The link.
        link: LinkId,
        /// Who.
        peer: WireguardKey,
        /// Where.
        endpoint: SocketAddr,
    },
    /// The other end of a tunnel is here: the frame is given to it as it is.
    Bypassed {
        /// The other end.
        to: LinkId,
    },
    /// A vxlan learned behind which remote an address is.
    LearnedRemote {
        /// Which.
        link: LinkId,
        /// Whose.
        mac: Mac,
        /// Behind this remote.
        remote: IpAddr,
    },
    /// A bond hands the frame to a port, or a copy to each.
    Bonded {
        /// The bond.
        bond: LinkId,
        /// Those that it chooses from.
        ports: Vec<LinkId>,
        /// The one by which the way goes on.
        followed: Option<LinkId>,
        /// How it chooses.
        by: BondChoice,
    },
    /// A macvlan or ipvlan sends to another on the same link below: the frame stays there.
    Sibling {
        /// The link below.
        lower: LinkId,
        /// Whose address it is.
        sibling: LinkId,
    },
    /// Taken by a namespace: the destination is an address of its own.
    Delivered {
        /// The link whose address it is, where known.
        link: Option<LinkId>,
    },
    /// A filter of tc takes the packet: what it does with it follows.
    Filter(FilterRef),
    /// It hands the packet to a link. (A copy is a child.)
    Handed {
        /// Which.
        to: LinkId,
        /// As if it came in there; else it is sent there.
        ingress: bool,
        /// A copy; else the packet itself.
        copy: bool,
    },
    /// An ifb gives the packet back to where it was taken from, past the hooks there.
    GivenBack {
        /// The link.
        to: LinkId,
        /// As it came in there; else as it was sent.
        ingress: bool,
    },
    /// Leaves what this host knows.
    Left {
        /// By this link.
        link: LinkId,
    },
    /// An answer from outside comes in: assumed, not known.
    Entered {
        /// By this link.
        link: LinkId,
    },
    /// The packet ends here. Says the same as the way's disposition, in its place.
    Dropped(Loss),
    /// What would happen here is not known.
    Unknown(Unknown),
    /// The packet goes on by what is taken for parts that were not read ([`Gap::assumed`]).
    Assumed(Vec<Gap>),
}

/// What becomes of a frame's VLAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VlanStep {
    /// It belongs to it from here on, within a bridge.
    Joined {
        /// By its tag, which is taken off; else by the port's PVID.
        by_tag: bool,
    },
    /// It is given a tag.
    Tagged,
    /// Its tag is taken off.
    Untagged,
}

/// Who answers an ARP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArpAnswer {
    /// A link of a namespace that was read.
    Link {
        /// Which.
        link: LinkId,
        /// With this address.
        mac: Mac,
    },
    /// The request leaves by a border link; that something answers there is assumed. The address
    /// is taken from another entry on the same segment, if there is one.
    Outside {
        /// By this link.
        link: LinkId,
        /// Known from this namespace's neighbour entry.
        known_from: Option<(NsId, Neighbour)>,
    },
    /// Nobody.
    Nobody,
    /// More than one: a duplicate address. The first of them is the first to answer, and counts.
    Several(Vec<(LinkId, Mac)>),
}

/// How a bond chooses a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BondChoice {
    /// One is in use at a time.
    InUse,
    /// One alone can send.
    Only,
    /// By a hash of the packet.
    Hash,
    /// By turns, or by load.
    Turn,
    /// All get a copy.
    All,
}

/// A translation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatStep {
    /// The rule that asked for it; None: an entry made earlier did.
    pub rule: Option<RuleRef>,
    /// Source (SNAT, MASQUERADE) or destination (DNAT, REDIRECT) is rewritten.
    pub source: bool,
    /// Before.
    pub before: Tuple,
    /// After.
    pub after: Tuple,
}
