//! How a way ends: delivered, lost and why, or not to be told and why not.

use std::net::IpAddr;

use model::{LinkId, Mac, Neighbour, NsId, Opaque, Route, Rule, Tuple, WireguardKey};

use crate::Place;
use crate::trace::{ChainRef, FilterRef, RuleRef};

/// How a way ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Taken by this namespace.
    Delivered(NsId),
    /// Left this host by this link.
    Left(LinkId),
    /// A copy or request that nobody here wants; nothing is lost by it.
    Ignored,
    /// Lost: where and why.
    Lost(Loss),
    /// Cannot tell: where and because of what.
    Unknown(Unknown),
}

/// Where a packet was lost, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// In which namespace.
    pub ns: NsId,
    /// On which link, where it is one's doing.
    pub link: Option<LinkId>,
    /// Why.
    pub reason: Reason,
}

impl Loss {
    /// What is at the bottom of it: where a next hop did not answer because the question was lost
    /// on its way, the loss of that question.
    #[must_use]
    pub fn root(&self) -> &Self {
        match &self.reason {
            Reason::NoNeighbour { because: Some(inner), .. } => inner.root(),
            Reason::NoTunnelRoute { because, .. }
            | Reason::NoHandshake { because: Some(because), .. } => because.root(),
            _ => self,
        }
    }
}

/// Why a packet is lost. Each carries what is needed to say what would have to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No rule led to a route for it.
    NoRoute(IpAddr),
    /// A route says so (blackhole, unreachable, prohibit).
    RouteRefuses(Box<Route>),
    /// A routing rule says so (blackhole, unreachable, prohibit).
    RoutingRule(Box<Rule>),
    /// The packet is for another host, and this one does not forward from that link.
    ForwardingOff,
    /// rp_filter: the source is not reached by the link that it came from.
    ReversePath {
        /// The value in force.
        rp_filter: u8,
        /// The route to the source, by another link; None: there is none.
        route: Option<Box<Route>>,
    },
    /// The source is one of this namespace's own addresses.
    OwnSource,
    /// 127.0.0.0/8 from or to another host without route_localnet, or a class of address that
    /// never comes in.
    Martian,
    /// A rule dropped it.
    RuleDrop(RuleRef),
    /// A rule refused it with an error to the sender.
    RuleReject(RuleRef, RejectWith),
    /// A chain's policy dropped it.
    PolicyDrop(ChainRef),
    /// A filter of tc dropped it.
    FilterDrop(FilterRef),
    /// A filter of tc took it, and let it go without a word (`stolen`, `queued`, `trap`).
    FilterSteals(FilterRef),
    /// The link is down.
    LinkDown,
    /// The link is up but has no carrier.
    NoCarrier,
    /// The other end of the pair is down.
    PeerDown(LinkId),
    /// Nobody answers for the next hop.
    NoNeighbour {
        /// The next hop.
        ip: IpAddr,
        /// The entry that says so, if there is one.
        entry: Option<Neighbour>,
        /// Where the request or its answer was lost, where it was.
        because: Option<Box<Loss>>,
    },
    /// The question who has this address ends at this link and nowhere else, and nobody there
    /// answers.
    DeadEnd {
        /// The address that was asked for.
        ip: IpAddr,
    },
    /// Two answer for one address.
    DuplicateAddress {
        /// The address.
        ip: IpAddr,
        /// Who.
        owners: Vec<(LinkId, Mac)>,
    },
    /// Larger than the next link takes.
    TooBig {
        /// The MTU that it does not fit.
        mtu: u32,
        /// The sender is told (ICMP fragmentation needed); else it is lost silently.
        told: bool,
    },
    /// Time to live ran out.
    TtlExpired,
    /// The port does not forward (spanning tree, or disabled).
    PortBlocked(LinkId),
    /// The port is locked, and the sender is not known to be behind it.
    PortLocked(LinkId),
    /// The frame would have to go back out of the port that it came in by, and hairpin is off.
    NoHairpin(LinkId),
    /// Both ports are isolated.
    Isolated(LinkId),
    /// A port, or the bridge itself for its host, is not in the frame's VLAN.
    NotInVlan {
        /// Which port, or the bridge.
        port: LinkId,
        /// Which VLAN; None: the frame has no tag, and the port no VLAN for such.
        id: Option<u16>,
    },
    /// It has a VLAN tag, and no VLAN link here takes that.
    NoVlanLink {
        /// Which VLAN.
        id: u16,
    },
    /// The frame asks its link to pause (01:80:c2:00:00:01): no bridge takes it.
    Pause,
    /// No port of the bridge is left to send it to.
    NoPort,
    /// A bridge hands that group to none of its ports: nobody behind them has asked for it.
    NotWanted(IpAddr),
    /// Nobody here is in that group.
    NotMember(IpAddr),
    /// For one host, in a frame to many, which is not taken there (`drop_unicast_in_l2_multicast`).
    OneHostToMany,
    /// The frame is for another Ethernet address than this link's.
    NotOurMac(Mac),
    /// An address of this namespace, but the answer was meant for another: it ended in the wrong
    /// place.
    WrongPlace {
        /// Where it should have come.
        expected: Place,
    },
    /// The answer belongs to no connection that the sender knows: its addresses were not
    /// translated back, or otherwise than expected.
    AnswerMismatch {
        /// What the sender waits for.
        expected: Tuple,
        /// What came.
        got: Tuple,
    },
    /// It left with a source address that nobody on the segment beyond the link could answer to:
    /// nothing there answers ARP for it, and no route back to it is known.
    NoWayBack {
        /// The source address that it left with.
        src: IpAddr,
    },
    /// The source address cannot be chosen: the link out has none.
    NoSource,
    /// Translation failed: the link out has no address to masquerade with.
    NoMasqueradeAddress,
    /// Its connection is masqueraded by another link out, and ends when it goes out by this one.
    MasqueradeMoved {
        /// The link that it is bound to.
        from: LinkId,
    },
    /// Its connection is new, and answers to it would look like those to another one that is tracked
    /// there: the kernel cannot keep both.
    AnswersTaken {
        /// The first packet of the other one, as its sender sent it.
        by: Tuple,
    },
    /// A redirect about a connection that is translated here.
    RedirectPastNat,
    /// A message of neighbour discovery whose hop limit is not 255: it might come from beyond the
    /// link, and is not believed.
    NotFromTheLink {
        /// Its hop limit.
        hop_limit: u8,
    },
    /// The link takes what it is given and throws it away (`dummy`).
    Swallowed,
    /// The link's queueing discipline throws it away, all packets or those that are too large.
    Queue {
        /// Its kind.
        kind: String,
        /// The largest frame that it takes, in bytes; None: it takes none.
        most: Option<u32>,
    },
    /// It came in by a port of a bond that is not in use.
    StandsBy,
    /// A vxlan does not know where that Ethernet address is, and has no remote for such.
    NoRemote,
    /// A tunnel's outer packet finds no way to the other end.
    NoTunnelRoute {
        /// The other end.
        remote: IpAddr,
        /// Why not.
        because: Box<Loss>,
    },
    /// A tunnel's packet goes round: it would be sent by the tunnel itself, or has come back.
    TunnelLoop,
    /// A tunnel's outer packet has come to a namespace where no tunnel that is up takes it.
    NoTunnelEnd {
        /// Its network identifier or key.
        id: u32,
        /// The UDP port that it came to.
        port: u16,
        /// Another tunnel listens there; else its sender is told that nobody does.
        open: bool,
    },
    /// By an entry that does not age, a vxlan expects this address behind another remote.
    RemoteFixed {
        /// The address.
        mac: Mac,
    },
    /// No peer of a WireGuard link has this address among its allowed networks (ENOKEY).
    NoPeer(IpAddr),
    /// A WireGuard link does not know where a peer is: no endpoint was given, and it has not been
    /// heard from (EDESTADDRREQ).
    NoEndpoint {
        /// Who.
        peer: WireguardKey,
    },
    /// A WireGuard link has no private key.
    NoPrivateKey,
    /// A handshake with a WireGuard peer comes to nothing: the packet waits for it in vain.
    NoHandshake {
        /// With whom.
        peer: WireguardKey,
        /// Where one of its messages was lost, where it was.
        because: Option<Box<Loss>>,
    },
    /// A WireGuard message has come to a port where no WireGuard link that is up waits.
    NoWireguard {
        /// The UDP port.
        port: u16,
    },
    /// A WireGuard message was meant for another key than that of the link that it came to.
    OtherKey {
        /// For whom it was.
        expected: WireguardKey,
        /// The link's own public key; None: it has none.
        key: Option<WireguardKey>,
    },
    /// A WireGuard message is from somebody who is no peer of the link that it came to.
    StrangePeer {
        /// Who.
        peer: WireguardKey,
    },
    /// Only one of two WireGuard peers has a preshared key for the other.
    PresharedKey {
        /// With whom, as the link sees it at which that comes out.
        peer: WireguardKey,
    },
    /// A WireGuard peer sent a packet whose source is not among its own allowed networks.
    SourceNotAllowed {
        /// From whom it came.
        peer: WireguardKey,
        /// The source.
        src: IpAddr,
        /// Whose that source is, if anybody's.
        owner: Option<WireguardKey>,
    },
    /// The link carries no IPv6: its MTU is too small, or `disable_ipv6` says so.
    Ipv6Disabled,
    /// A link-local source leads beyond its link.
    BeyondScope,
    /// What is for such a group stays with its sender (RFC 4291, 2.7).
    HostGroup(IpAddr),
    /// What its own namespace is to get of a packet of IPv6 for that group has gone by a route that is not
    /// for groups, and would be forwarded.
    NoRouteForGroups(IpAddr),
    /// Nobody can be asked for the next hop: the link out has no link-local address that is ready.
    NoLinkLocal,
    /// `icmp_echo_ignore_all`: delivered, and never answered.
    EchoIgnored,
    /// `icmp_msgs_per_sec` 0: errors of that kind are due, and never sent.
    ErrorWithheld,
}

/// What a refused packet's sender is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectWith {
    /// ICMP destination unreachable, with this code.
    Icmp(u8),
    /// A TCP reset.
    TcpReset,
}

/// Why it cannot be told what happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Something in this namespace that is not modelled.
    Opaque {
        /// Where.
        ns: NsId,
        /// What.
        what: Opaque,
    },
    /// A link of a kind, or with a feature, that is not modelled.
    Link {
        /// Which.
        link: LinkId,
        /// What about it (`kind bond`, `XDP program`).
        what: String,
    },
    /// A rule with an expression or extension that is not modelled.
    Rule {
        /// Which.
        rule: RuleRef,
        /// The expression's or extension's name.
        what: String,
    },
    /// A filter of tc that is not modelled, or does what is not.
    Filter {
        /// Which.
        filter: FilterRef,
        /// What about it.
        what: String,
    },
    /// Something of the ruleset beside rules.
    Netfilter {
        /// Where.
        ns: NsId,
        /// What.
        what: String,
    },
    /// A routing rule or route that is not modelled.
    Routing {
        /// Where.
        ns: NsId,
        /// What about it.
        what: String,
    },
    /// A part of the view is missing that could change the answer.
    Gap {
        /// Where.
        ns: NsId,
        /// Which part, and why it is missing.
        what: String,
    },
    /// A packet that the walk does not model (broadcast, multicast).
    Packet(String),
}
