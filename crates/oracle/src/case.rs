//! One packet: foretold, sent, compared.

use model::{Expr, NsId, Snapshot, Tuple};
use walk::{
    Action, Cause, Difference, Disposition, Indexed, Loss, Overlay, Payload, Place, Question,
    Reason, Trace, Unknown, Verdict, Way, compare,
};

use crate::packet::Spec;
use crate::rig::{Rig, Seen};

/// What a case comes to.
#[derive(Debug)]
pub enum Outcome {
    /// What was seen is just what was foretold.
    Agreed,
    /// The walk does not know.
    Unknown(Unknown),
    /// It was foretold wrongly: how.
    Wrong(Vec<String>),
    /// Not sent: the kernel may hold back an error that is due, of which so many came before, or
    /// translates to a port by chance.
    Spared,
}

/// A case that was run.
#[derive(Debug)]
pub struct Judged {
    /// What was foretold: the ways of which it must take one, in most cases only one.
    pub ways: Vec<Trace>,
    /// What it comes to.
    pub outcome: Outcome,
}

/// What falsifies a prediction, for a test of the oracle itself; None in earnest.
pub type Lie = fn(&mut Trace);

/// Foretells a packet, sends it, and compares.
///
/// # Errors
/// If the machinery fails.
pub fn run(
    rig: &mut Rig<'_>,
    spec: &Spec,
    number: u8,
    lie: Option<Lie>,
) -> Result<Judged, std::io::Error> {
    ask_what_was_learned(rig, spec);
    run_as_asked(rig, spec, number, lie)
}

/// The same, where the kernel was asked already what earlier packets taught it.
///
/// # Errors
/// If the machinery fails.
pub(crate) fn run_as_asked(
    rig: &mut Rig<'_>,
    spec: &Spec,
    number: u8,
    lie: Option<Lie>,
) -> Result<Judged, std::io::Error> {
    let question = rig.question(spec).ok_or(std::io::ErrorKind::NotFound)?;
    let net = Indexed::new(&rig.snapshot).with_listeners();
    let mut ways = net.possibilities(&question);
    let untold = untold(&net, &question, &ways);
    drop(net);
    if let Some(lie) = lie {
        ways.iter_mut().for_each(|(trace, _)| lie(trace));
    }
    let told =
        ways.iter().all(|(trace, overlay)| !overlay.has_port_by_chance() && rig.may_be_told(trace));
    let awaited = ways.iter().map(|(trace, _)| trace.expected().len()).min().unwrap_or(0);
    let outcome = if !untold.is_empty() {
        Outcome::Wrong(untold)
    } else if let Some(why) = ways.iter().find_map(|(_, overlay)| overlay.unforeseeable()) {
        // A packet that goes round without end would fill the machine.
        Outcome::Unknown(why.clone())
    } else if told {
        let names = rig.snapshot.clone();
        let seen = rig.send(spec, number, awaited)?;
        one_of(&ways, &seen, &names, |name| rig.has_drop_reason(name))
    } else {
        Outcome::Spared
    };
    let ways = ways.into_iter().map(|(trace, _)| trace).collect();
    Ok(Judged { ways, outcome })
}

/// Earlier packets may have taught nearer gateways and path MTUs, by which it then goes another way.
pub(crate) fn ask_what_was_learned(rig: &mut Rig<'_>, spec: &Spec) {
    const WAYS: usize = 3;
    let Some(question) = rig.question(spec) else { return };
    for _ in 0..WAYS {
        let ways = Indexed::new(&rig.snapshot).with_listeners().possibilities(&question);
        let about = ways.iter().flat_map(|(trace, _)| trace.destinations()).collect();
        let now = kernel::read::learned(&rig.snapshot, &about);
        if now.is_empty() {
            return;
        }
        rig.snapshot.learn(now);
    }
}

/// Where the verdict alone is another than that of the trace. It is asked for several times, as what
/// neighbours answered is remembered and used again.
fn untold(net: &Indexed<'_>, question: &Question, ways: &[(Trace, Overlay)]) -> Vec<String> {
    let [(trace, _)] = ways else { return Vec::new() };
    let back = trace.back.as_ref().map(|way| way.disposition.clone());
    let assumed = !trace.assumptions().is_empty();
    let told = walk::Outcome { there: trace.there.disposition.clone(), back, assumed };
    let outcomes = (0..3).map(|_| net.outcome(question));
    let others = outcomes.filter(|outcome| *outcome != told);
    others.map(|outcome| format!("a verdict alone: {outcome:?}, told: {told:?}")).collect()
}

/// The packet has taken one of the ways that it could, or none of them: then what was wrong with
/// the first is told.
fn one_of(
    ways: &[(Trace, Overlay)],
    seen: &Seen,
    snapshot: &Snapshot,
    named: impl Fn(&str) -> bool,
) -> Outcome {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (trace, overlay) in ways {
        let mut outcome = judge(trace, seen, snapshot);
        let mut more = connections(trace, overlay, snapshot, seen);
        more.extend(drops(trace, seen, snapshot, &named));
        match &mut outcome {
            Outcome::Agreed if more.is_empty() => return outcome,
            Outcome::Agreed => outcome = Outcome::Wrong(more),
            Outcome::Wrong(wrong) => wrong.extend(more),
            _ => {}
        }
        outcomes.push(outcome);
    }
    let open = outcomes.iter().position(|o| matches!(o, Outcome::Unknown(_)));
    outcomes.swap_remove(open.unwrap_or(0))
}

fn judge(trace: &Trace, seen: &Seen, snapshot: &Snapshot) -> Outcome {
    if let Verdict::Unknown(unknown) = trace.verdict() {
        return Outcome::Unknown(unknown.clone());
    }
    if let Some(unknown) = copies_unknown(trace) {
        return Outcome::Unknown(unknown.clone());
    }
    let differences = compare(trace, &seen.sightings);
    let mut wrong: Vec<String> = differences.iter().map(|d| words(d, snapshot)).collect();
    let due = received(trace) || seen.refused.is_none() && is_reset(trace);
    if due != seen.received {
        let was = if seen.received { "did" } else { "did not" };
        wrong.push(format!("the sender's socket {was} get the answer"));
    }
    if let (false, Some(error)) = (wrong.is_empty(), &seen.refused) {
        wrong.push(format!("the kernel refused to send it: {error}"));
    }
    if wrong.is_empty() { Outcome::Agreed } else { Outcome::Wrong(wrong) }
}

/// Where one of its copies or errors, or the answer to a copy, cannot be told, not all that is to be
/// seen is foretold.
fn copies_unknown(trace: &Trace) -> Option<&Unknown> {
    fn own(way: &Way) -> Option<&Unknown> {
        match &way.disposition {
            Disposition::Unknown(unknown) => Some(unknown),
            _ => any(way),
        }
    }
    fn any(way: &Way) -> Option<&Unknown> {
        children(way).find_map(own)
    }
    trace.ways().find_map(any).or_else(|| trace.others.iter().find_map(own))
}

/// The connections that the kernel tracks anew, held against those that were foretold.
/// A TCP connection that is answered by a reset alone is forgotten at once.
fn connections(trace: &Trace, overlay: &Overlay, before: &Snapshot, seen: &Seen) -> Vec<String> {
    let reset =
        |way: &Way| matches!(way.packet.payload, Payload::Tcp { flags, .. } if flags & 4 != 0);
    let forgotten = trace.back.as_ref().is_some_and(reset)
        || matches!(
            &trace.there.disposition,
            Disposition::Lost(Loss { reason: Reason::RuleReject(..), .. })
        );
    let ports = tunnels(before);
    let mut wrong = Vec::new();
    for (id, tracked) in &seen.tracked {
        let known = before.namespaces.get(id).map_or(&[][..], |ns| &ns.conntrack);
        let old = |t: &Tuple| known.iter().any(|e| plain(e.original, &ports) == plain(*t, &ports));
        // What a kernel reports of its groups is nobody's packet.
        const IGMP: u8 = 2;
        let own = |t: &Tuple| t.protocol == IGMP;
        let new = tracked.iter().filter(|e| !old(&e.original) && !own(&e.original));
        let both = |e: &model::Conntrack| (plain(e.original, &ports), plain(e.reply, &ports));
        // Those of one tunnel differ by source ports alone, which are not foretold.
        let mut new = new.map(both).fold(Vec::new(), |mut all: Vec<(Tuple, Tuple)>, one| {
            if !is_tunnelled(&one.0, &ports) || !all.contains(&one) {
                all.push(one);
            }
            all
        });
        let foretold = overlay.connections().filter(|(ns, e)| ns == id && !old(&e.original));
        let name = before.name_of(*id);
        for (_, entry) in foretold {
            match new.iter().position(|n| *n == both(entry)) {
                Some(i) => _ = new.remove(i),
                None if entry.original.protocol == 6
                    && (forgotten || unanswered(trace, *id) || moved(trace, before, *id)) => {}
                None => wrong.push(format!(
                    "foretold and not tracked in {name}: {:?} answered by {:?}",
                    entry.original, entry.reply
                )),
            }
        }
        wrong.extend(new.iter().map(|(original, reply)| {
            format!("tracked and not foretold in {name}: {original:?} answered by {reply:?}")
        }));
    }
    wrong
}

/// The asking kernel's reset may go out by another link than its SYN, and so end a connection that is
/// masqueraded there (`nf_nat_oif_changed`). That reset is not foretold.
fn moved(trace: &Trace, before: &Snapshot, ns: NsId) -> bool {
    let place = before.namespaces.get(&ns).filter(|_| trace.question.from == Place::Namespace(ns));
    let tables = place.into_iter().flat_map(|place| &place.ruleset.tables);
    let mut rules = tables.flat_map(|table| &table.chains).flat_map(|chain| &chain.rules);
    rules.any(|rule| rule.exprs.iter().any(Expr::masquerades))
}

/// UDP ports that tunnels listen on.
fn tunnels(snapshot: &Snapshot) -> Vec<u16> {
    let links = snapshot.namespaces.values().flat_map(|ns| ns.links.values());
    let ports = links.filter_map(|link| match &link.kind {
        model::LinkKind::Vxlan(vxlan) => Some(vxlan.port),
        model::LinkKind::Wireguard(Some(own)) => Some(own.listen_port),
        _ => None,
    });
    ports.collect()
}

fn is_tunnelled(t: &Tuple, ports: &[u16]) -> bool {
    t.protocol == 17 && (ports.contains(&t.dport) || ports.contains(&t.sport))
}

/// Without the source port of a tunnel's outer packets.
fn plain(t: Tuple, ports: &[u16]) -> Tuple {
    match t {
        t if !is_tunnelled(&t, ports) => t,
        t if ports.contains(&t.dport) => Tuple { sport: 0, ..t },
        t => Tuple { dport: 0, ..t },
    }
}

/// The answer, or a copy of it, comes past the tracking of that namespace, so that the reset of the
/// asking kernel, which has no socket for it, ends the connection there (`nf_conntrack_tcp_packet`).
fn unanswered(trace: &Trace, ns: NsId) -> bool {
    let tracked = |way: &Way| {
        let hops = way.hops.iter().filter(|hop| hop.ns == ns);
        let mut steps = hops.flat_map(|hop| &hop.steps);
        steps.any(|step| matches!(step.action, Action::Tracked { entry: Some(_), .. }))
    };
    let copies = trace.back.iter().flat_map(children);
    let mut copies = copies.filter(|way| way.disposition == Disposition::Delivered(ns));
    !trace.back.as_ref().is_some_and(tracked) || copies.any(|way| !tracked(way))
}

/// What the kernel says that it threw away, held against where and why that was foretold.
fn drops(
    trace: &Trace,
    seen: &Seen,
    snapshot: &Snapshot,
    named: impl Fn(&str) -> bool,
) -> Vec<String> {
    let all = seen.dropped.iter().flatten();
    let unforeseen = all.filter(|drop| !trace.accounts_for(drop, &named));
    unforeseen
        .map(|drop| {
            let place = drop.ns.map_or_else(|| "no link".to_owned(), |ns| snapshot.name_of(ns));
            let function = drop.function.as_deref().unwrap_or("?");
            format!("{:?} thrown away in {place}: {} ({function})", drop.leg, drop.reason)
        })
        .collect()
}

/// Whether an answer is to come to the sender's socket.
fn received(trace: &Trace) -> bool {
    let Place::Namespace(asked) = trace.question.from else { return false };
    let mut answers = trace.back.iter().chain(&trace.others).filter(|w| w.cause == Cause::Answer);
    answers.any(|way| way.disposition == Disposition::Delivered(asked))
}

/// Packets that came of this one and show themselves: those of ARP do not.
fn children(way: &Way) -> impl Iterator<Item = &Way> {
    let steps = way.hops.iter().flat_map(|hop| &hop.steps);
    let apart = steps.filter(|s| !matches!(s.action, Action::ArpAsked { .. }));
    apart.flat_map(|s| &s.children)
}

/// A rule's reset comes to the sender.
fn is_reset(trace: &Trace) -> bool {
    let Place::Namespace(asked) = trace.question.from else { return false };
    let mut resets = children(&trace.there).filter(|c| c.cause == Cause::Answer);
    resets.any(|way| way.disposition == Disposition::Delivered(asked))
}

fn words(difference: &Difference, snapshot: &Snapshot) -> String {
    let name = |link| snapshot.link_name(link);
    let way = |outgoing: bool| if outgoing { "out of" } else { "in by" };
    match difference {
        Difference::Missing(e) => {
            let (way, link) = (way(e.outgoing), name(e.link));
            format!("foretold and not seen: {:?} {way} {link}: {}", e.leg, packet(&e.packet))
        }
        Difference::Unforeseen(s) => {
            let (way, link) = (way(s.outgoing), name(s.link));
            format!("seen and not foretold: {:?} {way} {link}: {}", s.leg, packet(&s.packet))
        }
        Difference::Otherwise { expected, seen } => {
            let (way, link) = (way(seen.outgoing), name(seen.link));
            let (foretold, came) = (packet(&expected.packet), packet(&seen.packet));
            format!("{:?} {way} {link}: foretold {foretold}, came {came}", seen.leg)
        }
        Difference::Order { first, then } => {
            format!("{} was to be passed before {}", name(first.link), name(then.link))
        }
    }
}

fn packet(p: &walk::Packet) -> String {
    let mac = |mac: Option<model::Mac>| mac.map_or("?".to_owned(), |mac| mac.to_string());
    let (src_mac, dst_mac) = (mac(p.src_mac), mac(p.dst_mac));
    let df = if p.df { " df" } else { "" };
    let mss = p.mss.map_or(String::new(), |mss| format!(" mss {mss}"));
    format!(
        "{src_mac}>{dst_mac} {}>{} ttl {} tos {:#x} len {}{df}{mss} {:?}",
        p.src, p.dst, p.ttl, p.tos, p.len, p.payload
    )
}
