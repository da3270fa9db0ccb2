//! A trace: what is foretold, and, if asked for, what becomes of a real packet.

mod place;
mod watch;

pub(crate) use place::{Family, split_zone};

use std::net::IpAddr;
use std::time::Duration;

use kernel::probe::{self, Tag};
use model::{LinkId, NsId, Snapshot, Target};
use walk::{Indexed, Known, Place, Protocol, Question, Trace, Verdict};

use crate::args::{Proto, Source};
use crate::failure::{Exit, Failure, OrFail};
use crate::output;
use crate::session::Session;
use place::{Cards, by_link, cards, destination, one_family, origin, sends_from, split_port};
use watch::watch;

/// What is asked on the command line.
pub(crate) struct Wish {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) proto: Option<Proto>,
    pub(crate) sport: Option<u16>,
    pub(crate) source: Option<Source>,
    pub(crate) family: Family,
    pub(crate) size: Option<u32>,
    /// None: as the usual tool would.
    pub(crate) df: Option<bool>,
    pub(crate) ttl: Option<u8>,
    pub(crate) tos: u8,
    pub(crate) mark: u32,
    /// The link that the packet comes in by (from outside), or that its socket is bound to.
    pub(crate) interface: Option<String>,
    pub(crate) connection: Known,
    pub(crate) live: bool,
    pub(crate) ask: bool,
    pub(crate) explain: bool,
    /// The kernel is to tell which rules the packet meets.
    pub(crate) trace_rules: bool,
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
            family: Family::Either,
            size: None,
            df: None,
            ttl: None,
            tos: 0,
            mark: 0,
            interface: None,
            connection: Known::AsRead,
            live: true,
            ask: false,
            explain: false,
            trace_rules: false,
            patience: Duration::from_secs(1),
        }
    }
}

/// Foretells the way, checks it if that is wished, and prints it. The answer is the exit status.
pub(crate) fn trace(session: &Session, snapshot: &Snapshot, wish: &Wish) -> Result<Exit, Failure> {
    let tag = Tag::random().or_fail("cannot make a tag")?;
    let first = foretell(snapshot, wish, tag)?;
    let newer = newer(session, snapshot, &first);
    let (trace, snapshot) = match &newer {
        Some(newer) => (foretell(newer, wish, tag)?, newer),
        None => (first, snapshot),
    };
    let watched = if wish.live { Some(watch(snapshot, &trace, wish, tag)?) } else { None };
    let live = watched.as_ref().map(|w| &w.checked);
    let trace = watched.as_ref().map_or(&trace, |w| w.taken);
    if session.json {
        output::line(&render::json::text(&render::json::trace(snapshot, trace, live)));
    } else {
        output::print(&render::trace(snapshot, trace, live, wish.explain, &session.style));
        for note in watched.iter().flat_map(|w| &w.notes) {
            output::line(note);
        }
    }
    Ok(match (live, trace.verdict()) {
        (Some(live), Verdict::Unknown(_)) if live.arrived => Exit::Yes,
        (Some(live), _) if live.arrived && live.agrees => Exit::Yes,
        (Some(_), _) | (None, Verdict::No(_)) => Exit::No,
        (None, Verdict::Yes) => Exit::Yes,
        (None, Verdict::Unknown(_) | Verdict::Assumed) => Exit::Unknown,
    })
}

/// The Snapshot with what the namespaces on the way have learned of its destinations: some of it, the
/// kernel tells only of what it is asked about. None: it is as it was read.
fn newer(session: &Session, snapshot: &Snapshot, trace: &Trace) -> Option<Snapshot> {
    if session.looks_elsewhere() {
        return None;
    }
    let now = kernel::read::learned(snapshot, &trace.destinations());
    (!now.is_empty()).then(|| {
        let mut newer = snapshot.clone();
        newer.learn(now);
        newer
    })
}

/// The way, by the walk.
fn foretell(snapshot: &Snapshot, wish: &Wish, tag: Tag) -> Result<Trace, Failure> {
    let net = &Indexed::new(snapshot).explained(wish.explain);
    let (host, port) = split_port(&wish.to)?;
    let (host, zone) = split_zone(host);
    let own = wish.source.as_ref().map(|source| source.ip);
    let family = wish.family.of(snapshot, &wish.from, own);
    let to = destination(snapshot, &wish.from, host, family)?;
    let said = wish.source.as_ref().and_then(|source| source.link.as_deref());
    let interface = match own {
        Some(ip) => by_link(ip, said, by_link(to, zone, wish.interface.as_deref().or(said))?)?,
        None => by_link(to, zone, wish.interface.as_deref())?,
    };
    let protocol = protocol(wish, host, port)?;
    let ask = |from, source: Option<IpAddr>| {
        let sport = wish.sport.unwrap_or_else(|| tag.port(snapshot));
        let mut question = Question::new(from, to, protocol)
            .sport(sport)
            .dont_fragment(wish.df.unwrap_or(false))
            .tos(wish.tos)
            .mark(wish.mark)
            .connection(wish.connection);
        if let Some(source) = own.or(source) {
            question = question.source(source);
        }
        if let Some(size) = wish.size {
            question.packet.len = size;
        }
        if let Some(ttl) = wish.ttl {
            question.packet.ttl = ttl;
        }
        // What a usual tool's segment says follows from its way, that of a probe does not.
        let tcp = question.packet.payload.protocol() == 6;
        question.packet.mss = (wish.live && tcp).then_some(probe::MSS);
        question
    };
    if let Some(card) = wish.from.strip_prefix("outside") {
        if wish.mark != 0 {
            return Err(Failure::usage("a packet from outside has no mark")
                .because("a mark is the kernel's own note, and goes over no wire")
                .hint("name a namespace of this host as FROM, or leave --mark out"));
        }
        let card = card.strip_prefix(':').or(interface);
        let cards = cards(snapshot, to, card)?;
        return Ok(from_outside(net, &cards, |link| ask(Place::Outside(link), None)));
    }
    let (ns, source) = origin(snapshot, &wish.from, Family::like(to))?;
    if let Some(source) = own.or(source) {
        one_family(source, to)?;
    }
    let bound = interface.map(|word| own_link(snapshot, ns, word)).transpose()?;
    if let Some(ip) = own {
        sends_from(snapshot, ns, ip, bound)?;
    }
    let mut question = ask(Place::Namespace(ns), source).bound(bound);
    if wish.ttl.is_none() {
        question.packet.ttl = net.usual_ttl(&question);
    }
    Ok(net.trace(question))
}

/// The link of that namespace that a word names: `eth0`, or `NAMESPACE:eth0`.
fn own_link(snapshot: &Snapshot, ns: NsId, word: &str) -> Result<u32, Failure> {
    let place = snapshot.namespaces.get(&ns);
    if let Some(link) = place.and_then(|place| place.link_named(word)) {
        return Ok(link.index);
    }
    if let Ok(Target::Link(link)) = snapshot.resolve(word)
        && link.ns == ns
    {
        return Ok(link.index);
    }
    let links = place.into_iter().flat_map(|place| place.links.values());
    let names: Vec<String> = links.map(|link| render::clean(&link.name)).collect();
    let (word, name) = (render::clean(word), render::clean(&snapshot.name_of(ns)));
    Err(Failure::usage(format!("{name} has no link {word}"))
        .because("a socket is bound to a link of its own namespace")
        .hint(format!("its links are: {}", names.join(", "))))
}

/// Which packet is sent, by --proto, the port and --size.
fn protocol(wish: &Wish, host: &str, port: Option<u16>) -> Result<Protocol, Failure> {
    let protocol = protocol_of(wish.proto, host, port)?;
    if wish.size.is_some() && matches!(protocol, Protocol::Tcp(_)) {
        return Err(Failure::usage("a first TCP segment carries nothing, so it has no --size")
            .hint("ask with ICMP or UDP"));
    }
    Ok(protocol)
}

fn protocol_of(proto: Option<Proto>, host: &str, port: Option<u16>) -> Result<Protocol, Failure> {
    match (proto, port) {
        (Some(Proto::Icmp), None) | (None, None) => Ok(Protocol::Icmp),
        (Some(Proto::Tcp) | None, Some(port)) => Ok(Protocol::Tcp(port)),
        (Some(Proto::Udp), Some(port)) => Ok(Protocol::Udp(port)),
        (Some(Proto::Icmp), Some(_)) => {
            Err(Failure::usage("ICMP has no ports").hint("leave the port out"))
        }
        (Some(_), None) => Err(Failure::usage("TCP and UDP need a port")
            .hint(format!("say to which, as in {host}:80"))),
    }
}

/// What `TO[:PORT]` names and which packet is sent there, where it need not come from anywhere.
pub(crate) fn target(to: &str, proto: Option<Proto>) -> Result<(&str, Protocol), Failure> {
    let (host, port) = split_port(to)?;
    Ok((host, protocol_of(proto, host, port)?))
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
