use super::pairs::Pairs;
use crate::{
    BridgePort, Link, LinkFlags, LinkId, LinkKind, Mac, Member, NsId, OperState, PortState, Queue,
    Relation, Tc,
};

/// Something about a link that differs. ifindexes and ids are those of the Snapshot that the value
/// is of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the same throughout: as it was, and as it is")]
pub enum LinkFact {
    /// Whether it can send and receive.
    Running {
        before: Running,
        after: Running,
    },
    /// RFC 2863 state; follows from the former but for odd drivers.
    State {
        before: OperState,
        after: OperState,
    },
    Name {
        before: String,
        after: String,
    },
    /// What it is a port or slave of.
    Master {
        before: Option<u32>,
        after: Option<u32>,
    },
    /// What it is joined to.
    Relation {
        before: Relation,
        after: Relation,
    },
    Mac {
        before: Option<Mac>,
        after: Option<Mac>,
    },
    /// Bytes.
    Mtu {
        before: u32,
        after: u32,
    },
    /// What its kind has of its own.
    Kind {
        before: LinkKind,
        after: LinkKind,
    },
    /// What it has as a port of a bridge.
    Port {
        before: Option<BridgePort>,
        after: Option<BridgePort>,
    },
    /// What it has as a member of something else than a bridge.
    Member {
        before: Option<Member>,
        after: Option<Member>,
    },
    Alias {
        before: Option<String>,
        after: Option<String>,
    },
    Altnames {
        before: Vec<String>,
        after: Vec<String>,
    },
    /// Flags beside those that say whether it runs.
    Flags {
        before: LinkFlags,
        after: LinkFlags,
    },
    Txqlen {
        before: u32,
        after: u32,
    },
    Group {
        before: Option<u32>,
        after: Option<u32>,
    },
    Qdisc {
        before: String,
        after: String,
    },
    /// What its queueing discipline does to packets.
    Queues {
        before: Vec<Queue>,
        after: Vec<Queue>,
    },
    Ipv6Disabled {
        before: Option<bool>,
        after: Option<bool>,
    },
    /// An XDP program.
    Xdp {
        before: Option<u32>,
        after: Option<u32>,
    },
    /// What tc does at it.
    Tc {
        before: Option<Box<Tc>>,
        after: Option<Box<Tc>>,
    },
    /// Something else.
    Other,
}

/// Whether a link can send and receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Running {
    /// Administratively down.
    Down,
    /// Up, without carrier.
    NoCarrier,
    /// Up, with carrier.
    Yes,
}

impl Running {
    const fn of(link: &Link) -> Self {
        match (link.is_up(), link.is_running()) {
            (false, _) => Self::Down,
            (true, false) => Self::NoCarrier,
            (true, true) => Self::Yes,
        }
    }
}

/// What differs between two states of one link, settings of its own aside, and whether that is
/// noise. `moved` has the ids of the later Snapshot where `before` has its own.
#[must_use]
pub fn link_facts(before: &Link, moved: &Link, after: &Link) -> Vec<(LinkFact, bool)> {
    let mut facts = Facts::default();
    let (was, is) = (Running::of(before), Running::of(after));
    facts.tell(was != is, LinkFact::Running { before: was, after: is });
    macro_rules! fact {
        ($kind:ident, $field:ident) => {
            facts.tell(
                moved.$field != after.$field,
                LinkFact::$kind { before: before.$field.clone(), after: after.$field.clone() },
            );
        };
    }
    fact!(Name, name);
    fact!(Master, master);
    relation(before, moved, after, &mut facts);
    fact!(Mac, mac);
    fact!(Mtu, mtu);
    kind(before, moved, after, &mut facts);
    port(moved, after, &mut facts);
    if before.member.is_some() && after.member.is_some() {
        fact!(Member, member);
    }
    fact!(Alias, alias);
    fact!(Altnames, altnames);
    let flags =
        |l: &Link| l.flags.difference(LinkFlags::UP | LinkFlags::RUNNING | LinkFlags::LOWER_UP);
    let (was, is) = (flags(before), flags(after));
    facts.tell(was != is, LinkFact::Flags { before: was, after: is });
    fact!(Txqlen, txqlen);
    if before.group.is_some() && after.group.is_some() {
        fact!(Group, group);
    }
    let (was, is) = (before.ipv6_disabled(), after.ipv6_disabled());
    facts.tell(was != is, LinkFact::Ipv6Disabled { before: was, after: is });
    fact!(Xdp, xdp);
    fact!(Tc, tc);
    fact!(Queues, queues);
    facts.noise = true;
    fact!(State, state);
    fact!(Qdisc, qdisc);
    facts.noise = false;
    facts.tell(other(moved, after), LinkFact::Other);
    facts.all
}

#[derive(Default)]
struct Facts {
    all: Vec<(LinkFact, bool)>,
    noise: bool,
}

impl Facts {
    fn tell(&mut self, differs: bool, fact: LinkFact) {
        if differs {
            self.all.push((fact, self.noise));
        }
    }
}

/// A port that comes or goes is told by its master; whether it forwards follows its carrier, unless
/// a spanning tree says so, and its designated bridge follows the bridge's address.
fn port(before: &Link, after: &Link, facts: &mut Facts) {
    let (Some(was), Some(is)) = (&before.port, &after.port) else { return };
    if before.master != after.master {
        return;
    }
    let simple = |p: &BridgePort| matches!(p.state, PortState::Disabled | PortState::Forwarding);
    let like = BridgePort { designated: is.designated, number: is.number, ..was.clone() };
    let follows = if simple(was) && simple(is) {
        BridgePort { state: is.state, ..like } == *is
    } else {
        like == *is
    };
    let fact = LinkFact::Port { before: Some(was.clone()), after: Some(is.clone()) };
    let noise = std::mem::replace(&mut facts.noise, follows);
    facts.tell(was != is, fact);
    facts.noise = noise;
}

/// A WireGuard link sends to where it last heard a peer from, and has a handshake every other
/// minute: the former is noise, the latter is not told.
fn kind(before: &Link, moved: &Link, after: &Link, facts: &mut Facts) {
    let fact = LinkFact::Kind { before: before.kind.clone(), after: after.kind.clone() };
    let (Some(was), Some(is)) = (moved.wireguard(), after.wireguard()) else {
        return facts.tell(moved.kind != after.kind, fact);
    };
    let anew = is.peers.iter().any(|peer| was.is_shared_anew(is, peer.public_key));
    let same = was.settings() == is.settings() && !anew;
    let moved = was.peers.iter().map(|p| p.endpoint).ne(is.peers.iter().map(|p| p.endpoint));
    let noise = std::mem::replace(&mut facts.noise, same);
    facts.tell(moved || !same, fact);
    facts.noise = noise;
}

/// A peer that is another one has come up or moved, which is told of it.
fn relation(before: &Link, moved: &Link, after: &Link, facts: &mut Facts) {
    let peer = |r: Relation| matches!(r, Relation::Peer(_) | Relation::Unresolved(_));
    let noise = std::mem::replace(&mut facts.noise, peer(before.relation) && peer(after.relation));
    let fact = LinkFact::Relation { before: before.relation, after: after.relation };
    facts.tell(moved.relation != after.relation, fact);
    facts.noise = noise;
}

/// Whether something differs that has no name above.
fn other(before: &Link, after: &Link) -> bool {
    let mut like = before.clone();
    let l = after.clone();
    (like.index, like.name, like.altnames, like.alias) = (l.index, l.name, l.altnames, l.alias);
    (like.mac, like.mtu, like.flags, like.state) = (l.mac, l.mtu, l.flags, l.state);
    (like.txqlen, like.qdisc, like.master, like.port) = (l.txqlen, l.qdisc, l.master, l.port);
    (like.member, like.group) = (l.member, l.group);
    (like.kind, like.relation, like.inet) = (l.kind, l.relation, l.inet);
    (like.inet6, like.xdp, like.tc, like.queues) = (l.inet6, l.xdp, l.tc, l.queues);
    like != *after
}

/// The same link with the ids of the later Snapshot.
pub(super) fn moved(before: &Link, ns: NsId, pairs: &Pairs) -> Link {
    let here = |index| pairs.link(LinkId { ns, index }).index;
    let relation = match before.relation {
        Relation::Peer(id) => Relation::Peer(pairs.link(id)),
        Relation::Lower(id) => Relation::Lower(pairs.link(id)),
        Relation::Underlay(ns) => Relation::Underlay(pairs.ns(ns)),
        other @ (Relation::None | Relation::Unresolved(_)) => other,
    };
    let mut kind = before.kind.clone();
    if let LinkKind::Bond(bond) = &mut kind {
        (bond.active, bond.primary) = (bond.active.map(here), bond.primary.map(here));
        bond.ports.iter_mut().for_each(|port| *port = here(*port));
    }
    if let LinkKind::Wireguard(Some(own)) = &mut kind {
        own.socket = own.socket.map(|ns| pairs.ns(ns));
    }
    let (index, master) = (here(before.index), before.master.map(here));
    let named = |tc: &Tc| tc.renamed(|to| Some(here(*to)));
    let tc = before.tc.as_deref().and_then(named).map(Box::new);
    Link { index, master, relation, kind, tc, ..before.clone() }
}
