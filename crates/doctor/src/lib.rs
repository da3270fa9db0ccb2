//! Known faults of hosts with containers, found in a Snapshot.
//!
//! A file per fault. Each looks for settings that are known to go wrong together, and where the walk
//! can tell, asks it whether packets are really lost by them: what does no harm is no finding. Data
//! comes out; `render` has the words. Nothing here does I/O.

#![forbid(unsafe_code)]

mod fault;
mod patient;
mod published;
mod wiring;

use model::{Gap, LinkId, NsId, Route, Snapshot};
use std::net::IpAddr;

use ipnet::IpNet;
use walk::{ChainRef, Indexed, Loss, RuleRef, Trace};

pub use published::Published;

/// All that is found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The faults.
    pub findings: Vec<Finding>,
    /// Parts that could not be read, in which another might hide.
    pub unread: Vec<(NsId, Gap)>,
}

/// A fault, and whom it hits.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What it is.
    pub fault: Fault,
    /// Where it is to be mended.
    pub ns: NsId,
    /// The namespaces that it hits, each once.
    pub hit: Vec<NsId>,
    /// A packet that shows it.
    pub trace: Option<Box<Trace>>,
}

/// What is wrong, with what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Others have it as their gateway, and it does not forward.
    ForwardingOff {
        /// The link that they send to.
        link: LinkId,
        /// IPv6.
        ipv6: bool,
    },
    /// What only passes a bridge is dropped by the policy of its host's own FORWARD chain.
    BridgedDrop {
        /// The bridge.
        bridge: LinkId,
        /// The chain whose policy drops it.
        chain: ChainRef,
    },
    /// What a host routes for others is dropped by a policy that Docker set.
    RoutedDrop {
        /// The link that it comes in by.
        link: LinkId,
        /// The chain whose policy drops it.
        chain: ChainRef,
    },
    /// What people accept in DOCKER-USER is dropped before, by a rule for one container's address.
    RawDrop {
        /// The rule that drops it.
        rule: RuleRef,
        /// The rule that would accept it.
        accept: RuleRef,
        /// The link that it comes in by.
        link: LinkId,
        /// The container's address.
        to: IpAddr,
    },
    /// Docker's rules are there for IPv4 and not for IPv6, and its containers have addresses of it.
    OpenIpv6 {
        /// The bridge.
        bridge: LinkId,
    },
    /// A rule drops answers as INVALID, whose questions went another way.
    Asymmetric {
        /// The rule.
        rule: RuleRef,
        /// Who answers.
        from: IpAddr,
        /// Who is answered.
        to: IpAddr,
    },
    /// A rule is to keep ports of a bridge apart, and never sees what passes it.
    BlindRule {
        /// The bridge.
        bridge: LinkId,
        /// The rule.
        rule: RuleRef,
        /// br_netfilter is loaded, and switched off.
        loaded: bool,
    },
    /// A published port is hidden by the firewall of a host further out.
    HiddenPort {
        /// The port.
        port: Published,
        /// The card that it was asked for by.
        card: LinkId,
        /// What drops it.
        loss: Box<Loss>,
    },
    /// A guest's firewall drops what comes from another Ethernet address than the guest's own, and a
    /// link that stands on the guest's has another.
    MacFilter {
        /// The host's port of the guest.
        port: LinkId,
        /// The rule.
        rule: RuleRef,
        /// The link with another address.
        child: LinkId,
    },
    /// A firewall takes a guest's own addresses only, and the guest sends out what its containers
    /// send as it is.
    SourceFilter {
        /// The rule.
        rule: RuleRef,
        /// The containers' network.
        net: IpNet,
        /// The guest's link out.
        out: LinkId,
    },
    /// A rule is to translate the source, and never sees it: the connection was begun when its first
    /// packet passed a bridge.
    SkippedNat {
        /// The rule.
        rule: RuleRef,
        /// The bridge.
        bridge: LinkId,
    },
    /// Large packets do not fit the way out.
    NarrowUplink {
        /// The link of one that sends them.
        link: LinkId,
        /// Its gateway's link.
        router: LinkId,
        /// The link that they do not fit.
        out: LinkId,
        /// The sender is told; else they vanish in silence.
        told: bool,
    },
    /// A network of containers has addresses that are in use further out.
    Overlap {
        /// The link that takes them.
        link: LinkId,
        /// Its network.
        net: IpNet,
        /// Whose they are.
        other: Overlapped,
    },
    /// It forwards IPv6, and so heeds no router's advertisements: it has no default route.
    AcceptRa {
        /// The link that the router is on.
        link: LinkId,
    },
    /// A published port cannot be reached from where its container is.
    Hairpin {
        /// The port.
        port: Published,
        /// From where.
        from: From,
        /// Where and why it is lost.
        loss: Box<Loss>,
    },
    /// Translated packets leave with another source than the route says.
    OtherSource {
        /// The rule that translates.
        rule: RuleRef,
        /// The route.
        route: Box<Route>,
        /// The link out.
        link: LinkId,
        /// The source that they leave with.
        source: IpAddr,
    },
    /// Ports of a bridge take packets of different sizes, and what is too large for one vanishes.
    UnequalPorts {
        /// The bridge.
        bridge: LinkId,
        /// A link on it that sends larger ones.
        large: LinkId,
        /// One that does not take them.
        small: LinkId,
    },
    /// None of its name servers answers.
    NameServer {
        /// Those that it asks, in their order.
        servers: Vec<IpAddr>,
        /// Why the first does not.
        why: Deaf,
    },
    /// A container's own link is down, and its end at the bridge is not.
    CutOff {
        /// The link that is down.
        link: LinkId,
        /// The port.
        port: LinkId,
    },
}

/// Why a name server does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deaf {
    /// Nobody waits there for questions, in that namespace.
    Nobody(NsId),
    /// The question or its answer is lost.
    Lost(Box<Loss>),
}

/// Whose addresses they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlapped {
    /// A link's network.
    Link(LinkId, IpNet),
    /// A network that a route of that namespace leads to.
    Route(NsId, Box<Route>),
}

/// From where a published port is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// By its own container.
    Itself,
    /// By another on the same bridge.
    Neighbour,
    /// By the host, at 127.0.0.1.
    Loopback,
}

/// Whether that address of IPv6 is good for the internet (2000::/3).
#[must_use]
pub const fn is_public(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.segments()[0] >> 13 == 1)
}

/// Parts without which faults may hide.
const NEEDED: [&str; 6] = ["links", "addresses", "routes", "rules", "netfilter", "sysctls"];

/// Looks for all faults.
#[must_use]
pub fn examine(snapshot: &Snapshot) -> Report {
    let net = Indexed::new(snapshot);
    let patient = patient::Patient::new(&net);
    let findings = fault::ALL.iter().flat_map(|find| find(&patient)).collect();
    let gaps = snapshot.namespaces.iter().flat_map(|(id, ns)| ns.gaps.iter().map(|g| (*id, g)));
    let unread = gaps.filter(|(_, g)| NEEDED.contains(&g.part.as_str()));
    Report { findings, unread: unread.map(|(id, g)| (id, g.clone())).collect() }
}
