//! A trace: what is foretold, and, if asked for, what becomes of a real packet.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use kernel::probe::{self, Kind, Probe, Tag, Taps};
use model::{LinkId, LinkKind, NsId, Snapshot, TABLE_MAIN, Target};
use walk::{Checked, Indexed, Payload, Place, Protocol, Question, Trace, Verdict};

use crate::args::Proto;
use crate::failure::{Exit, Failure, OrFail};
use crate::output;
use crate::session::{Session, find};

/// An address beyond every host, for a packet to `outside` (RFC 5737, TEST-NET-3's sister net 1).
const BEYOND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// So many links beside the foretold way are watched at most.
const MOST_BESIDE: usize = 256;

/// What is asked on the command line.
pub(crate) struct Wish {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) proto: Option<Proto>,
    pub(crate) sport: Option<u16>,
    pub(crate) source: Option<Ipv4Addr>,
    pub(crate) size: Option<u32>,
    pub(crate) df: bool,
    pub(crate) ttl: Option<u8>,
    pub(crate) live: bool,
    pub(crate) ask: bool,
    pub(crate) explain: bool,
    pub(crate) patience: Duration,
}

impl Wish {
    /// One real ICMP echo.
    pub(crate) fn ping(from: String, to: String) -> Self {
        Self {
            from,
            to,
            proto: None,
            sport: None,
            source: None,
            size: None,
            df: false,
            ttl: None,
            live: true,
            ask: false,
            explain: false,
            patience: Duration::from_secs(1),
        }
    }
}

/// Foretells the way, checks it if that is wished, and prints it. The answer is the exit status.
pub(crate) fn trace(session: &Session, snapshot: &Snapshot, wish: &Wish) -> Result<Exit, Failure> {
    let tag = Tag::random().or_fail("cannot make a tag")?;
    let net = Indexed::new(snapshot);
    let trace = foretell(&net, snapshot, wish, tag)?;
    let watched = if wish.live { Some(watch(snapshot, &trace, wish, tag)?) } else { None };
    let live = watched.as_ref().map(|w| &w.checked);
    if session.json {
        output::line(&render::json::text(&render::json::trace(snapshot, &trace, live)));
    } else {
        output::print(&render::trace(snapshot, &trace, live, wish.explain, &session.style));
        for note in watched.iter().flat_map(|w| &w.notes) {
            output::line(note);
        }
    }
    Ok(match (live, trace.verdict()) {
        (Some(live), Verdict::Unknown(_)) if live.arrived => Exit::Yes,
        (Some(live), _) if live.arrived && live.agrees => Exit::Yes,
        (Some(_), _) | (None, Verdict::No(_)) => Exit::No,
        (None, Verdict::Yes) => Exit::Yes,
        (None, Verdict::Unknown(_)) => Exit::Unknown,
    })
}

/// The way, by the walk.
fn foretell(
    net: &Indexed<'_>,
    snapshot: &Snapshot,
    wish: &Wish,
    tag: Tag,
) -> Result<Trace, Failure> {
    let (host, port) = split_port(&wish.to)?;
    let to = destination(snapshot, host)?;
    let protocol = match (wish.proto, port) {
        (Some(Proto::Icmp), None) | (None, None) => Protocol::Icmp,
        (Some(Proto::Tcp) | None, Some(port)) => Protocol::Tcp(port),
        (Some(Proto::Udp), Some(port)) => Protocol::Udp(port),
        (Some(Proto::Icmp), Some(_)) => {
            return Err(Failure::usage("ICMP has no ports").hint("leave the port out"));
        }
        (Some(_), None) => {
            return Err(Failure::usage("TCP and UDP need a port")
                .hint(format!("say to which, as in {host}:80")));
        }
    };
    if wish.size.is_some() && matches!(protocol, Protocol::Tcp(_)) {
        return Err(Failure::usage("a first TCP segment carries nothing, so it has no --size")
            .hint("ask with ICMP or UDP"));
    }
    let ask = |from, source: Option<Ipv4Addr>| {
        let sport = wish.sport.unwrap_or_else(|| tag.port());
        let mut question = Question::new(from, to, protocol).sport(sport).dont_fragment(wish.df);
        if let Some(source) = wish.source.or(source) {
            question = question.source(source);
        }
        if let Some(size) = wish.size {
            question.packet.len = size;
        }
        if let Some(ttl) = wish.ttl {
            question.packet.ttl = ttl;
        }
        question
    };
    if let Some(card) = wish.from.strip_prefix("outside") {
        let cards = cards(snapshot, to, card.strip_prefix(':'))?;
        return Ok(from_outside(net, &cards, |link| ask(Place::Outside(link), None)));
    }
    let (ns, source) = origin(snapshot, &wish.from)?;
    if let Some(ip) =
        wish.source.filter(|ip| !ip.is_loopback() && !owners(snapshot, *ip).any(|o| o == ns))
    {
        let name = render::clean(&snapshot.name_of(ns));
        return Err(Failure::usage(format!("{ip} is not an address of {name}"))
            .because("the kernel lets no process send from it"));
    }
    let mut question = ask(Place::Namespace(ns), source);
    let default_ttl = snapshot.namespaces.get(&ns).map_or(0, |ns| ns.sysctls.default_ttl);
    if wish.ttl.is_none() && default_ttl > 0 {
        question.packet.ttl = default_ttl;
    }
    Ok(net.trace(question))
}

/// `HOST:PORT`, `HOST`, `NS:LINK`, `NS:LINK:PORT`.
fn split_port(text: &str) -> Result<(&str, Option<u16>), Failure> {
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok((text, None));
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.ends_with("pid") => match port.parse() {
            Ok(port) if port > 0 => Ok((host, Some(port))),
            Ok(_) | Err(_) if host.parse::<Ipv4Addr>().is_ok() || port == "0" => {
                Err(Failure::usage(format!("{} is no port", render::clean(port)))
                    .hint("ports are 1 to 65535"))
            }
            _ => Ok((text, None)),
        },
        _ => Ok((text, None)),
    }
}

/// Where a packet starts, and the source address that this implies.
fn origin(snapshot: &Snapshot, word: &str) -> Result<(NsId, Option<Ipv4Addr>), Failure> {
    if let Ok(ip) = word.parse::<IpAddr>() {
        let ip = v4(ip)?;
        return match only_owner(snapshot, ip)? {
            Some(ns) => Ok((ns, Some(ip))),
            None => Err(Failure::usage(format!("no namespace here has the address {ip}"))
                .hint("from elsewhere packets come from `outside`")),
        };
    }
    match find(snapshot, word)? {
        Target::Namespace(ns) => Ok((ns, None)),
        Target::Link(link) => Ok((link.ns, Some(address_of(snapshot, link)?))),
    }
}

fn v4(ip: IpAddr) -> Result<Ipv4Addr, Failure> {
    match ip {
        IpAddr::V4(ip) => Ok(ip),
        IpAddr::V6(_) => Err(Failure::usage("IPv6 is not traced yet").hint("ask for IPv4")),
    }
}

/// The namespaces that have this address.
fn owners(snapshot: &Snapshot, ip: Ipv4Addr) -> impl Iterator<Item = NsId> {
    let has = move |ns: &&model::Namespace| ns.addresses.iter().any(|a| a.ip() == IpAddr::V4(ip));
    snapshot.namespaces.values().filter(has).map(|ns| ns.id)
}

fn destination(snapshot: &Snapshot, word: &str) -> Result<Ipv4Addr, Failure> {
    if word == "outside" {
        return Ok(BEYOND);
    }
    if let Ok(ip) = word.parse::<IpAddr>() {
        return v4(ip);
    }
    match find(snapshot, word) {
        Ok(Target::Link(link)) => address_of(snapshot, link),
        Ok(Target::Namespace(ns)) => first_address(snapshot, ns),
        Err(failure) if word.contains('.') => {
            Err(failure.hint("host names are not looked up here: give the address"))
        }
        Err(failure) => Err(failure),
    }
}

fn address_of(snapshot: &Snapshot, link: LinkId) -> Result<Ipv4Addr, Failure> {
    let addresses = snapshot.namespaces[&link.ns].addresses_of(link.index);
    let v4 = addresses.filter_map(|a| match a.ip() {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    });
    v4.into_iter().next().ok_or_else(|| {
        Failure::usage(format!("{} has no IPv4 address", render::clean(&snapshot.link_name(link))))
    })
}

/// The address that a namespace is best known by: of the link that its default route goes by, else
/// the first that is not a loopback's.
fn first_address(snapshot: &Snapshot, ns: NsId) -> Result<Ipv4Addr, Failure> {
    let namespace = &snapshot.namespaces[&ns];
    let outwards = namespace
        .routes
        .iter()
        .filter(|r| r.table == TABLE_MAIN && r.dst.prefix_len() == 0 && r.dst.addr().is_ipv4())
        .min_by_key(|r| r.metric)
        .and_then(|r| r.nexthops.first())
        .map(|n| n.link);
    let others = namespace.links.values().filter(|l| l.kind != LinkKind::Loopback).map(|l| l.index);
    outwards
        .into_iter()
        .chain(others)
        .find_map(|index| address_of(snapshot, LinkId { ns, index }).ok())
        .ok_or_else(|| {
            let name = render::clean(&snapshot.name_of(ns));
            Failure::usage(format!("{name} has no IPv4 address but its loopback's"))
        })
}

/// A packet from outside, by the first card from which it arrives, else by the first of all.
fn from_outside(net: &Indexed<'_>, cards: &Cards, ask: impl Fn(LinkId) -> Question) -> Trace {
    let first = net.trace(ask(cards.first));
    if first.verdict() == Verdict::Yes {
        return first;
    }
    let others = cards.others.iter().map(|link| net.trace(ask(*link)));
    others.into_iter().find(|trace| trace.verdict() == Verdict::Yes).unwrap_or(first)
}

/// Links by which a packet may come in from outside; at least one.
struct Cards {
    first: LinkId,
    others: Vec<LinkId>,
}

/// The card that was named, or all there are, nearest to the destination first: those of its
/// namespace, then those of what it is inside of.
fn cards(snapshot: &Snapshot, to: Ipv4Addr, named: Option<&str>) -> Result<Cards, Failure> {
    let cards_of = |ns: NsId| {
        let links = snapshot.namespaces.get(&ns).into_iter().flat_map(|n| n.links.values());
        links.filter(|l| l.is_border() && l.is_up()).map(move |l| LinkId { ns, index: l.index })
    };
    let all: Vec<LinkId> = match named.map(|word| find(snapshot, word)).transpose()? {
        Some(Target::Link(link)) => vec![link],
        Some(Target::Namespace(ns)) => cards_of(ns).collect(),
        None => {
            outwards(snapshot, only_owner(snapshot, to)?).into_iter().flat_map(cards_of).collect()
        }
    };
    match all.split_first() {
        Some((first, others)) => Ok(Cards { first: *first, others: others.to_vec() }),
        None => {
            Err(Failure::usage("nothing comes in from outside there")
                .because("no card or tap is up"))
        }
    }
}

/// The one namespace that has this address, if any has.
fn only_owner(snapshot: &Snapshot, ip: Ipv4Addr) -> Result<Option<NsId>, Failure> {
    let owners: Vec<NsId> = owners(snapshot, ip).collect();
    if let [_, _, ..] = owners.as_slice() {
        let names: Vec<String> =
            owners.iter().map(|ns| render::clean(&snapshot.path_of(*ns))).collect();
        return Err(Failure::usage(format!("several namespaces have the address {ip}"))
            .because(names.join(", "))
            .hint("say by which card the packet comes in: outside:NAMESPACE:LINK"));
    }
    Ok(owners.first().copied())
}

/// A namespace and what it is inside of, from within; then all others.
fn outwards(snapshot: &Snapshot, from: Option<NsId>) -> Vec<NsId> {
    let parent = |ns: &NsId| snapshot.namespaces.get(ns).and_then(|n| n.parent);
    let mut order: Vec<NsId> =
        std::iter::successors(from, parent).take(snapshot.namespaces.len()).collect();
    let others: Vec<NsId> =
        snapshot.namespaces.keys().filter(|ns| !order.contains(ns)).copied().collect();
    order.extend(others);
    order
}

/// A trace that was held against a real packet.
struct Watched {
    checked: Checked,
    /// What else is to be said.
    notes: Vec<String>,
}

fn watch(snapshot: &Snapshot, trace: &Trace, wish: &Wish, tag: Tag) -> Result<Watched, Failure> {
    let Place::Namespace(source) = trace.question.from else {
        return Err(Failure::usage("a packet from outside cannot be sent from here")
            .because("--live sends from a namespace of this host")
            .hint("send it from a host out there, and name a namespace of this host as FROM to check the way back"));
    };
    if trace.question.packet.dst == BEYOND {
        return Err(Failure::usage("--live needs an address to send to")
            .hint("name one that may be sent a packet, instead of `outside`"));
    }
    let (nets, unopened) = open_all(snapshot, trace);
    let Some(net) = nets.get(&source) else {
        let name = render::clean(&snapshot.name_of(source));
        return Err(Failure::failed(format!("cannot enter {name}"))
            .because("nothing that is visible here leads to it"));
    };
    let links = links_to_watch(snapshot, trace, &nets);
    let taps = Taps::open(&links, tag);
    let probe = probe_for(trace, wish, tag)?;
    if wish.ask {
        output::error("press Enter to send the packet");
        io::stdin().read_line(&mut String::new()).or_fail("cannot read standard input")?;
    }
    let sent = probe::send(net, &probe);
    let mut notes = unopened;
    let (sightings, received) = match sent {
        Ok(sent) => {
            let own: Vec<LinkId> = taps.watched().into_iter().filter(|l| l.ns == source).collect();
            let enough = |seen: &[_]| probe::answered(seen, &own);
            let seen = taps
                .collect(&probe, sent.at, wish.patience, enough)
                .or_fail("cannot wait for the packet")?;
            // An ICMP error comes to no socket of this kind.
            let refused = seen.iter().any(|s| s.leg == walk::Leg::Error);
            (seen, (!refused).then(|| sent.is_answered()))
        }
        Err(e) => {
            notes.push(refusal(&e));
            (Vec::new(), Some(false))
        }
    };
    // What the probe may have opened is closed, whatever became of the answer.
    let _ = probe::reset(net, &probe);
    let checked = walk::check(trace, &taps.watched(), &sightings, received);
    Ok(Watched { checked, notes })
}

fn refusal(e: &io::Error) -> String {
    let text = e.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    format!("the kernel refused to send the packet: {text}")
}

/// Opens every namespace that the foretold ways pass; what could not be opened is told.
fn open_all(snapshot: &Snapshot, trace: &Trace) -> (BTreeMap<NsId, OwnedFd>, Vec<String>) {
    let ways = std::iter::once(&trace.there).chain(&trace.back);
    let mut passed: Vec<NsId> = ways.flat_map(|w| &w.hops).map(|h| h.ns).collect();
    passed.extend(match trace.question.from {
        Place::Namespace(ns) => Some(ns),
        Place::Outside(_) => None,
    });
    let mut nets = BTreeMap::new();
    let mut notes = Vec::new();
    for ns in passed {
        let Some(namespace) = snapshot.namespaces.get(&ns) else { continue };
        if nets.contains_key(&ns) {
            continue;
        }
        match kernel::open(namespace) {
            Ok(net) => {
                nets.insert(ns, net);
            }
            Err(e) => notes.push(format!(
                "{} could not be watched: {}",
                render::clean(&snapshot.name_of(ns)),
                refusal(&e)
            )),
        }
    }
    (nets, notes)
}

/// The links of the foretold ways, and those beside them.
fn links_to_watch<'a>(
    snapshot: &Snapshot,
    trace: &Trace,
    nets: &'a BTreeMap<NsId, OwnedFd>,
) -> Vec<(LinkId, BorrowedFd<'a>)> {
    let mut links = trace.links();
    let beside = nets.keys().flat_map(|ns| {
        let up = snapshot.namespaces[ns].links.values().filter(|l| l.is_up());
        up.map(move |l| LinkId { ns: *ns, index: l.index })
    });
    let beside: Vec<LinkId> = beside.filter(|l| !links.contains(l)).take(MOST_BESIDE).collect();
    links.extend(beside);
    let ethernet = |l: &LinkId| !matches!(snapshot.link(*l).map(|l| &l.kind), Some(LinkKind::Tap(t)) if t.layer3);
    links
        .into_iter()
        .filter(ethernet)
        .filter_map(|link| Some((link, nets.get(&link.ns)?.as_fd())))
        .collect()
}

/// The packet that was asked about, to be sent.
fn probe_for(trace: &Trace, wish: &Wish, tag: Tag) -> Result<Probe, Failure> {
    let packet = &trace.question.packet;
    let kind = match packet.payload {
        Payload::Icmp { id, .. } => Kind::Icmp(id),
        Payload::Udp { sport, dport } => Kind::Udp(sport, dport),
        Payload::Tcp { sport, dport, .. } => Kind::Tcp(sport, dport),
        Payload::Other(n) => {
            return Err(Failure::usage(format!("no probe of IP protocol {n} can be sent")));
        }
    };
    let src = (!packet.src.is_unspecified()).then_some(packet.src);
    Ok(Probe { src, dst: packet.dst, kind, len: packet.len, df: packet.df, ttl: wish.ttl, tag })
}
