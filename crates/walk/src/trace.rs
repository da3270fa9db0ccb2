//! The answer: a tree of ways.
//!
//! A packet can be copied (flooded), asked for (ARP), refused (ICMP error) or answered: each of
//! these is a [`Way`] of its own, child of the step that made it.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use model::{
    Conntrack, Family, FdbEntry, Gap, Hook, LinkId, Mac, Neighbour, NsId, Route, Rule, Tuple,
    WireguardKey,
};

use crate::{Considered, Disposition, Loss, Packet, Unknown};

/// What was asked, and the whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// From where to where.
    pub question: Question,
    /// The way there.
    pub there: Way,
    /// The way of the answer; None where the packet does not arrive, or none is due.
    pub back: Option<Way>,
    /// Answers of the others whom a broadcast or multicast came to.
    pub others: Vec<Way>,
    /// Where it hangs on chance, or on a rule that is not understood: the ways by each
    /// possibility. If all come to the same, `there` and `back` are those of the first; else they
    /// end where they part.
    pub branches: Vec<Branch>,
}

/// One of the possibilities where a way parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// On what it hangs.
    pub fork: Fork,
    /// What of it: `statistic`, `numgen random`, `multipath`. Of a rule with two possibilities, the
    /// first is that it matches.
    pub what: String,
    /// Which possibility, from 0.
    pub option: u32,
    /// Of how many.
    pub of: u32,
    /// What then happens.
    pub trace: Trace,
}

/// On what it hangs which way is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fork {
    /// A rule (or the first of its chain).
    Rule(RuleRef),
    /// A route with several ways out, of which the kernel takes one by a hash that nobody can
    /// foretell (its key is drawn at boot).
    Route {
        /// Whose.
        ns: NsId,
        /// Which.
        route: Box<Route>,
    },
    /// A bond whose ports take turns, or whose choice is not known.
    Bond {
        /// Which.
        bond: LinkId,
    },
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

/// From where to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Where the packet starts.
    pub from: Place,
    /// The packet as asked for (source filled in by the first routing step where it is 0.0.0.0).
    pub packet: Packet,
    /// Mark that its sender's socket gives it; 0: none.
    pub mark: u32,
    /// ifindex of the link that its sender's socket is bound to (SO_BINDTODEVICE).
    pub bound: Option<u32>,
    /// What the host is taken to know of its connection.
    pub connection: Known,
}

/// What hosts are taken to know of a packet's connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// What was read: if it is tracked, the packet belongs to it.
    #[default]
    AsRead,
    /// Nothing: the packet begins it.
    Nothing,
    /// That it is established: a first packet and its answer have gone, as far as they come.
    Established,
}

/// Where a packet starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Made by a process in this namespace.
    Namespace(NsId),
    /// Comes in by this link from beyond this host.
    Outside(LinkId),
}

/// One way of one packet from where it appears to where it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Why there is this packet.
    pub cause: Cause,
    /// As it was at the start.
    pub packet: Packet,
    /// One per namespace entered, in order.
    pub hops: Vec<Hop>,
    /// How it ended.
    pub disposition: Disposition,
}

/// Why there is a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It was asked about.
    Asked,
    /// It answers the one that was asked about.
    Answer,
    /// A copy, made by flooding out of this port.
    Copy(LinkId),
    /// An ARP request, to find a next hop.
    ArpRequest,
    /// An ICMP error about it.
    IcmpError,
    /// A message of a handshake that it waits for.
    Handshake,
}

/// What happens to a packet within one namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Where.
    pub ns: NsId,
    /// What, in order.
    pub steps: Vec<Step>,
}

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

/// A chain of the ruleset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainRef {
    /// In which namespace.
    pub ns: NsId,
    /// Family of its table.
    pub family: Family,
    /// Its table.
    pub table: String,
    /// Its name.
    pub chain: String,
}

/// A rule of the ruleset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRef {
    /// Its chain.
    pub chain: ChainRef,
    /// Position in the chain, from 1.
    pub number: usize,
    /// The kernel's handle.
    pub handle: u64,
}

/// A filter of tc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterRef {
    /// Its link.
    pub link: LinkId,
    /// Before the link ([`Hook::Ingress`]) or behind it.
    pub hook: Hook,
    /// Its chain.
    pub chain: u32,
    /// Its priority there.
    pub priority: u32,
    /// The kernel's handle.
    pub handle: u32,
    /// Of which kind it is: `u32`, `flower`, …
    pub kind: String,
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
