use std::net::IpAddr;

use super::HolderView;
use model::{LinkId, NsId, Snapshot};
use schemars::JsonSchema;
use serde::Serialize;
use walk::{
    Branch, Cause, Checked, Disposition, KernelDrop, Leg, Mark, Packet, Place, RuleMark, RuleRef,
    Sighting, Stage, Step, Trace, Way,
};

use super::considered::{ConsideredView, considered};
use crate::trace::Fix;
use crate::{trace as told, words};

/// What `trace` tells.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TraceView {
    /// Where this is from, if not from this host as it is now: a bundle, or pasted outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Where the packet starts.
    pub from: String,
    /// The packet as it starts.
    pub packet: PacketView,
    /// The way there.
    pub there: WayView,
    /// The way of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back: Option<WayView>,
    /// What went to many: the ways of the answers of the others that got it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<WayView>,
    /// Where it hangs on chance, or on a rule that is not understood: what happens by each
    /// possibility.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<BranchView>,
    /// What was seen of a real packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveView>,
}

/// One of the possibilities where a way parts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BranchView {
    /// The rule on which it hangs.
    pub rule: String,
    /// What of it.
    pub what: String,
    /// Which possibility, from 1.
    pub option: u32,
    /// Of how many.
    pub of: u32,
    /// What it comes to, in words.
    pub outcome: String,
}

/// One way of one packet.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WayView {
    /// Why there is this packet: `asked`, `answer`, `copy`, `arp` or `error`.
    pub cause: String,
    /// Namespaces in the order in which it comes to them.
    pub hops: Vec<HopView>,
    /// How it ends.
    pub end: EndView,
    /// Of an ICMP error: its sender tells whom it is for of no more than a few at once, and then of one in
    /// so many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_in_ms: Option<u32>,
}

/// What happens in one namespace.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HopView {
    /// Its id.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Steps in order.
    pub steps: Vec<StepView>,
}

/// A step.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StepView {
    /// Part of the kernel: `route`, `hook postrouting`, `bridge`, …
    pub stage: String,
    /// What was done: `send`, `route`, `filter`, `nat`, `neigh`, `forward`, `out`, `in`, `bridge`, …
    pub action: String,
    /// The evidence, in words.
    pub text: String,
    /// The link that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The netfilter rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleView>,
    /// The packet after it.
    pub packet: PacketView,
    /// What a tap saw at this place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<SeenView>,
    /// What else was tried before it (with `--explain`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub considered: Vec<ConsideredView>,
    /// Packets that came of it.
    pub children: Vec<WayView>,
}

/// A netfilter rule.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RuleView {
    /// Family of its table.
    pub family: String,
    /// Its table.
    pub table: String,
    /// Its chain.
    pub chain: String,
    /// Position in the chain, from 1.
    pub number: usize,
    /// The kernel's handle.
    pub handle: u64,
    /// The rule, in the syntax of the tool that wrote it.
    pub text: String,
}

/// A packet.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PacketView {
    /// Source.
    pub src: IpAddr,
    /// Destination.
    pub dst: IpAddr,
    /// IP protocol number.
    pub protocol: u8,
    /// Source port, or ICMP id.
    pub sport: u16,
    /// Destination port, or ICMP id.
    pub dport: u16,
    /// Time to live.
    pub ttl: u8,
    /// Bytes of the IP packet.
    pub len: u32,
    /// Ethernet source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_mac: Option<String>,
    /// Ethernet destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_mac: Option<String>,
}

/// How a way ends.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EndView {
    /// `delivered`, `left`, `ignored`, `lost` or `unknown`.
    pub disposition: String,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The process that it is given to, where it leaves by a tun or tap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<HolderView>,
    /// Why it is lost or unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// What kernels call such a loss (`enum skb_drop_reason`), by their versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kernel_reasons: Vec<String>,
    /// The smallest change that lets it pass, or get further.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// Further ones, each needed after those before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_fixes: Vec<String>,
    /// It was walked again with them, and gets further; else they are worth a try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix_proved: Option<bool>,
    /// Where and why it is lost with them. Absent where they are proved: it passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
}

/// What a tap says of a place.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SeenView {
    /// `seen`, `otherwise` (seen with other addresses than foretold), `missing` or `not watched`.
    pub mark: String,
    /// Microseconds since the probe was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_us: Option<u64>,
    /// The packet as it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packet: Option<PacketView>,
}

/// What was seen on the whole.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LiveView {
    /// What was seen is what was foretold.
    pub agrees: bool,
    /// The packet came where it was to come, and its answer came back.
    pub arrived: bool,
    /// It came to a process that gave no answer: over UDP none need come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
    /// Seen where it was not foretold.
    pub astray: Vec<AstrayView>,
    /// What the kernel says that it threw away, where that does not fit what was foretold or tells
    /// why the packet did not arrive.
    pub drops: Vec<DropView>,
    /// The rules that it met, as the kernel tells them, where that was asked for (--trace-rules).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<MetView>>,
}

/// A packet that the kernel threw away, as it says itself.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DropView {
    /// `there`, `back` (the answer) or `error` (an ICMP error about it).
    pub leg: String,
    /// In which namespace, where it was on a link of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// On which link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The kernel's name for the reason, as in `enum skb_drop_reason`: `NETFILTER_DROP`.
    pub reason: String,
    /// The kernel's function that did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The packet then.
    pub packet: PacketView,
}

/// A rule that the packet met, or was to meet.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MetView {
    /// In which namespace.
    pub namespace: String,
    /// The rule, or the policy of its chain.
    pub rule: String,
    /// The kernel's handle; 0: the policy.
    pub handle: u64,
    /// `accept`, `drop` or `goes on`: as seen, or as foretold where it was not.
    pub verdict: String,
    /// How that compares with what was foretold, in words.
    pub compared: String,
    /// Prediction and kernel do not agree about it.
    pub disagrees: bool,
}

/// Seen where it was not foretold.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AstrayView {
    /// On which link.
    pub link: String,
    /// Going out of it, else coming in.
    pub outgoing: bool,
    /// `there`, `back` or `error`.
    pub leg: String,
    /// Microseconds since the probe was sent.
    pub after_us: u64,
    /// The packet.
    pub packet: PacketView,
}

/// A trace, and what was seen of it.
#[must_use]
pub fn trace(snapshot: &Snapshot, trace: &Trace, live: Option<&Checked>) -> TraceView {
    let fix = trace.loss().map(|_| told::fix(snapshot, trace));
    let fix = fix.as_ref();
    TraceView {
        origin: snapshot.origin.clone(),
        from: match trace.question.from {
            Place::Namespace(id) => snapshot.name_of(id),
            Place::Outside(link) => format!("outside by {}", snapshot.link_name(link)),
        },
        packet: packet(&trace.question.packet),
        there: way(snapshot, &trace.there, live.map(|l| l.there.as_slice()), fix),
        back: (trace.back.as_ref()).map(|b| way(snapshot, b, live.map(|l| l.back.as_slice()), fix)),
        others: trace.others.iter().map(|other| way(snapshot, other, None, None)).collect(),
        branches: trace.branches.iter().map(|b| branch(snapshot, b)).collect(),
        live: live.map(|l| LiveView {
            agrees: l.agrees,
            arrived: l.arrived,
            unanswered: l.unanswered,
            astray: l.astray.iter().map(|s| astray(snapshot, s)).collect(),
            drops: l.drops.iter().map(|d| dropped(snapshot, d)).collect(),
            rules: l.rules.as_ref().map(|all| all.iter().map(|m| met(snapshot, m)).collect()),
        }),
    }
}

fn met(snapshot: &Snapshot, mark: &RuleMark) -> MetView {
    MetView {
        namespace: snapshot.name_of(mark.met.chain.ns),
        rule: told::rule_met(snapshot, &mark.met),
        handle: mark.met.handle,
        verdict: told::verdict(mark.met.verdict).to_owned(),
        compared: told::comparison(mark.is).to_owned(),
        disagrees: mark.is.disagrees(),
    }
}

fn dropped(snapshot: &Snapshot, d: &KernelDrop) -> DropView {
    let leg = match d.leg {
        Leg::There => "there",
        Leg::Back => "back",
        Leg::Error => "error",
    };
    DropView {
        leg: leg.to_owned(),
        namespace: d.ns.map(|ns| snapshot.name_of(ns)),
        link: d.link.map(|link| snapshot.link_name(link)),
        reason: d.reason.clone(),
        function: d.function.clone(),
        packet: packet(&d.packet),
    }
}

fn branch(snapshot: &Snapshot, b: &Branch) -> BranchView {
    BranchView {
        rule: words::fork(snapshot, &b.fork),
        what: b.what.clone(),
        option: b.option + 1,
        of: b.of,
        outcome: told::outcome(snapshot, &b.trace),
    }
}

fn way(snapshot: &Snapshot, w: &Way, marks: Option<&[Mark]>, fix: Option<&Fix>) -> WayView {
    let mut marks = marks.unwrap_or_default().iter();
    let mut hops = Vec::new();
    for hop in &w.hops {
        let mut steps = Vec::new();
        for s in &hop.steps {
            let mark = if told::is_place(s) { marks.next() } else { None };
            steps.push(step(snapshot, hop.ns, s, mark));
        }
        let name = snapshot.name_of(hop.ns);
        hops.push(HopView { namespace: hop.ns.to_string(), name, steps });
    }
    let cause = match w.cause {
        Cause::Asked => "asked",
        Cause::Answer => "answer",
        Cause::Copy(_) => "copy",
        Cause::ArpRequest => "arp",
        Cause::IcmpError => "error",
        Cause::Handshake => "handshake",
    };
    let one_in_ms = told::error_interval(snapshot, w);
    WayView { cause: cause.to_owned(), hops, end: end(snapshot, w, fix), one_in_ms }
}

fn step(snapshot: &Snapshot, ns: NsId, s: &Step, mark: Option<&Mark>) -> StepView {
    let (place, rest) = told::step_words(snapshot, s);
    let text = [place, rest].iter().filter(|t| !t.is_empty()).cloned().collect::<Vec<_>>();
    StepView {
        stage: stage(s.stage),
        action: told::label(s).to_owned(),
        text: text.join("  "),
        link: told::link_of(&s.action).map(|l: LinkId| snapshot.link_name(l)),
        rule: told::rule_of(&s.action).map(|r| rule(snapshot, r)),
        packet: packet(&s.packet),
        seen: mark.map(seen),
        considered: s.considered.iter().map(|c| considered(snapshot, ns, c)).collect(),
        children: s.children.iter().map(|c| way(snapshot, c, None, None)).collect(),
    }
}

fn stage(s: Stage) -> String {
    match s {
        Stage::Socket => "socket".into(),
        Stage::Route => "route".into(),
        Stage::Hook(h) => format!("hook {}", h.as_str()),
        Stage::Neighbour => "neighbour".into(),
        Stage::Transmit => "transmit".into(),
        Stage::Receive => "receive".into(),
        Stage::Bridge => "bridge".into(),
        Stage::Forward => "forward".into(),
        Stage::Local => "local".into(),
    }
}

pub(super) fn rule(snapshot: &Snapshot, r: &RuleRef) -> RuleView {
    let c = &r.chain;
    RuleView {
        family: c.family.as_str().to_owned(),
        table: c.table.clone(),
        chain: c.chain.clone(),
        number: r.number,
        handle: r.handle,
        text: words::find_rule(snapshot, r).unwrap_or_default(),
    }
}

fn packet(p: &Packet) -> PacketView {
    let t = p.tuple();
    PacketView {
        src: p.src,
        dst: p.dst,
        protocol: t.protocol,
        sport: t.sport,
        dport: t.dport,
        ttl: p.ttl,
        len: p.len,
        src_mac: p.src_mac.map(|m| m.to_string()),
        dst_mac: p.dst_mac.map(|m| m.to_string()),
    }
}

fn end(snapshot: &Snapshot, w: &Way, fix: Option<&Fix>) -> EndView {
    let view = |disposition: &str, place: Option<String>| EndView {
        disposition: disposition.to_owned(),
        place,
        process: None,
        because: None,
        kernel_reasons: Vec::new(),
        fix: None,
        further_fixes: Vec::new(),
        fix_proved: None,
        then: None,
    };
    match &w.disposition {
        Disposition::Delivered(ns) => view("delivered", Some(snapshot.name_of(*ns))),
        Disposition::Left(link) => EndView {
            process: snapshot.link(*link).and_then(HolderView::of),
            ..view("left", Some(snapshot.link_name(*link)))
        },
        Disposition::Ignored => view("ignored", None),
        Disposition::Lost(loss) => {
            let (loss, last) = (loss.root(), w.last_packet());
            let kernel_reasons = told::kernel_names(loss).into_iter().map(str::to_owned).collect();
            let because = Some(told::because(snapshot, loss, last));
            let view = EndView {
                because,
                kernel_reasons,
                ..view("lost", Some(told::place(snapshot, loss)))
            };
            let Some(fix) = fix else { return view };
            let mut steps = fix.steps.iter().cloned();
            EndView {
                fix: steps.next(),
                further_fixes: steps.collect(),
                fix_proved: (!fix.steps.is_empty()).then_some(fix.proved),
                then: fix.then.clone(),
                ..view
            }
        }
        Disposition::Unknown(u) => {
            let (place, because) = told::unknown(snapshot, u);
            EndView { because: Some(because), ..view("unknown", Some(place)) }
        }
    }
}

fn seen(mark: &Mark) -> SeenView {
    let (mark, sighting) = match mark {
        Mark::Seen(s) => ("seen", Some(s)),
        Mark::Otherwise(s) => ("otherwise", Some(s)),
        Mark::Missing => ("missing", None),
        Mark::NotWatched => ("not watched", None),
    };
    SeenView {
        mark: mark.to_owned(),
        after_us: sighting.map(micros),
        packet: sighting.map(|s| packet(&s.packet)),
    }
}

fn micros(s: &Sighting) -> u64 {
    u64::try_from(s.after.as_micros()).unwrap_or(u64::MAX)
}

fn astray(snapshot: &Snapshot, s: &Sighting) -> AstrayView {
    let leg = match s.leg {
        Leg::There => "there",
        Leg::Back => "back",
        Leg::Error => "error",
    };
    AstrayView {
        link: snapshot.link_name(s.link),
        outgoing: s.outgoing,
        leg: leg.to_owned(),
        after_us: micros(s),
        packet: packet(&s.packet),
    }
}
