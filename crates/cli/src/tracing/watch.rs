//! The real packet: sent, watched on every link, and held against what was foretold.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use kernel::drops::{Drops, NoDrops, Tracepoint};
use kernel::probe::{self, Kind, Probe, Tag, Taps};
use kernel::rules::RuleTraces;
use model::{LinkId, LinkKind, NsId, Snapshot, plain};
use walk::{Checked, Payload, Place, RuleMet, Sighting, Trace};

use super::Wish;
use super::place::is_beyond;
use crate::failure::{Failure, OrFail};
use crate::output;

/// So many links beside the foretold way are watched at most.
const MOST_BESIDE: usize = 256;

/// A trace that was held against a real packet.
pub(super) struct Watched<'t> {
    pub(super) checked: Checked,
    /// Where the trace parts, the one of its ways that the packet took; else the trace.
    pub(super) taken: &'t Trace,
    /// What else is to be said.
    pub(super) notes: Vec<String>,
}

pub(super) fn watch<'t>(
    snapshot: &Snapshot,
    trace: &'t Trace,
    wish: &Wish,
    tag: Tag,
) -> Result<Watched<'t>, Failure> {
    let Place::Namespace(source) = trace.question.from else {
        return Err(Failure::usage("a packet from outside cannot be sent from here")
            .because("--live sends from a namespace of this host")
            .hint("send it from a host out there, and name a namespace of this host as FROM to check the way back"));
    };
    if is_beyond(trace.question.packet.dst) {
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
    let mut rules = wish.trace_rules.then(|| RuleTraces::begin(&nets, tag));
    if wish.ask {
        output::error("press Enter to send the packet");
        io::stdin().read_line(&mut String::new()).or_fail("cannot read standard input")?;
    }
    let tracepoint = Tracepoint::find();
    let drops = watch_drops(tracepoint.as_ref(), tag);
    let mut notes = unopened;
    let blind = taps.refused.iter();
    notes.extend(blind.map(|(link, e)| not_watched(&snapshot.link_name(*link), e)));
    let refused = rules.iter().flat_map(|r| &r.refused);
    notes.extend(refused.map(|(ns, why)| not_traced(&snapshot.name_of(*ns), why)));
    let Observed { sightings, received, met } =
        observe(&taps, net, &probe, wish, source, rules.as_mut(), &mut notes)?;
    let check = |trace: &Trace| walk::check(trace, &taps.watched(), &sightings, received);
    let mut ways = trace.leaves().into_iter().map(|leaf| (leaf, check(leaf)));
    let found = ways.find(|(_, checked)| checked.agrees);
    let (taken, mut checked) = found.unwrap_or_else(|| (trace, check(trace)));
    let thrown = drops.and_then(|d| d.collect(&probe, snapshot).map_err(plain));
    match (thrown, &tracepoint) {
        (Ok(thrown), Ok(kernel)) => checked.heed(taken, thrown, |name| kernel.has_reason(name)),
        (Err(why), _) if !checked.arrived => {
            notes.push(format!("the kernel was not asked why: {why}"));
        }
        _ => {}
    }
    if let Some(rules) = rules {
        checked.heed_rules(taken.check_rules(&met, &rules.watched()));
    }
    Ok(Watched { checked, taken, notes })
}

/// Watches what the kernel throws away; else says why that cannot be.
fn watch_drops<'k>(
    tracepoint: Result<&'k Tracepoint, &NoDrops>,
    tag: Tag,
) -> Result<Drops<'k>, String> {
    tracepoint.map_err(plain)?.watch(tag).map_err(plain)
}

/// What became of the packet.
struct Observed {
    sightings: Vec<Sighting>,
    /// Whether its sender got the answer, where that can be told.
    received: Option<bool>,
    met: Vec<RuleMet>,
}

/// Sends the packet. Tells where it was seen, and whether its sender got the answer.
fn observe(
    taps: &Taps,
    net: &OwnedFd,
    probe: &Probe,
    wish: &Wish,
    source: NsId,
    rules: Option<&mut RuleTraces>,
    notes: &mut Vec<String>,
) -> Result<Observed, Failure> {
    let (sightings, received) = match probe::send(net, probe) {
        Ok(sent) => {
            let own: Vec<LinkId> = taps.watched().into_iter().filter(|l| l.ns == source).collect();
            let enough = |seen: &[_]| probe::answered(seen, &own);
            let seen = taps
                .collect(probe, sent.at, wish.patience, enough)
                .or_fail("cannot wait for the packet")?;
            // An ICMP error comes to no socket of this kind.
            let refused = seen.iter().any(|s| s.leg == walk::Leg::Error);
            (seen, (!refused).then(|| sent.is_answered()))
        }
        Err(e) => {
            notes.push(format!("the kernel refused to send the packet: {}", plain(e)));
            (Vec::new(), Some(false))
        }
    };
    let met = rules.map(RuleTraces::collect).transpose();
    let met = met.or_fail("cannot hear which rules the packet met")?.unwrap_or_default();
    // What the probe may have opened is closed, whatever became of the answer.
    let _ = probe::reset(net, probe);
    Ok(Observed { sightings, received, met })
}

fn not_traced(name: &str, why: &str) -> String {
    let name = render::clean(name);
    format!("the kernel does not tell which rules of {name} the packet met: {why}")
}

fn not_watched(name: &str, e: &io::Error) -> String {
    format!("{} could not be watched: {}", render::clean(name), plain(e))
}

/// Opens every namespace that the foretold ways pass; what could not be opened is told.
fn open_all(snapshot: &Snapshot, trace: &Trace) -> (BTreeMap<NsId, OwnedFd>, Vec<String>) {
    let traces = std::iter::once(trace).chain(trace.leaves());
    let ways = traces.flat_map(|t| t.ways());
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
            Err(e) => notes.push(not_watched(&snapshot.name_of(ns), &e)),
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
    let src = packet.src;
    Ok(Probe {
        src: (!src.is_unspecified()).then_some(src),
        dst: packet.dst,
        kind,
        len: packet.len,
        df: packet.df,
        ttl: wish.ttl,
        tos: packet.tos,
        mark: trace.question.mark,
        bound: trace.question.bound,
        flags: probe::SYN,
        to_many: trace.is_to_many(),
        tag,
    })
}
