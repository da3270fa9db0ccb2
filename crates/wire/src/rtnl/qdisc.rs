//! RTM_NEWQDISC: what stands before or behind a link, and what becomes there of packets.

use model::Queue;

use super::attr::{Attr, attrs_behind, u16_at, u32_at};
use super::message::Message;

const RTM_NEWQDISC: u16 = 36;
/// Length of `struct tcmsg`.
const TCMSG: usize = 20;
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_INGRESS_BLOCK: u16 = 13;
const TCA_EGRESS_BLOCK: u16 = 14;
/// TC_H_ROOT.
const ROOT: u32 = u32::MAX;
/// TC_H_MAJ_MASK: the part of a handle that names a qdisc, and not one of its classes.
const MAJOR: u32 = 0xffff_0000;

/// A queueing discipline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qdisc {
    /// ifindex of its link.
    pub link: u32,
    /// Its number.
    pub handle: u32,
    /// The class that it stands behind; 0xffffffff: it is the root of its link.
    pub parent: u32,
    /// `noqueue`, `fq_codel`, `clsact`, `ingress`, …
    pub kind: String,
    /// What it does to packets, if it does not keep them all.
    pub does: Option<Queue>,
    /// The block of filters for what comes in, where links share one.
    pub ingress_block: Option<u32>,
    /// The same of what goes out.
    pub egress_block: Option<u32>,
}

impl Qdisc {
    /// It is a place for filters and programs that decide about packets (`ingress`, `clsact`).
    #[must_use]
    pub fn is_hook(&self) -> bool {
        matches!(self.kind.as_str(), "ingress" | "clsact")
    }

    /// It has one class, which all packets are given to.
    fn is_one_way(&self) -> bool {
        matches!(self.kind.as_str(), "cbs" | "netem" | "red" | "sfb" | "tbf")
    }
}

/// The queueing discipline that a message tells of; None: it is no RTM_NEWQDISC, or cut short.
#[must_use]
pub fn qdisc(message: &Message<'_>) -> Option<Qdisc> {
    if message.kind != RTM_NEWQDISC {
        return None;
    }
    let own = |kind| attrs_behind(message.body, TCMSG).find(move |a| a.kind == kind);
    let block = |kind| own(kind).and_then(Attr::u32).filter(|block| *block != 0);
    let kind = own(TCA_KIND).map(Attr::text)?;
    Some(Qdisc {
        link: u32_at(message.body, 4)?,
        handle: u32_at(message.body, 8)?,
        parent: u32_at(message.body, 12)?,
        does: own(TCA_OPTIONS).map_or_else(|| Queue::of_kind(&kind), |all| does(&kind, all)),
        kind,
        ingress_block: block(TCA_INGRESS_BLOCK),
        egress_block: block(TCA_EGRESS_BLOCK),
    })
}

/// What becomes of packets behind each link, by its index: in the root and, where that gives all to one,
/// what stands behind it; links where nothing does are left out.
#[must_use]
pub fn queues(all: &[Qdisc]) -> Vec<(u32, Vec<Queue>)> {
    let roots = all.iter().filter(|qdisc| qdisc.parent == ROOT && !qdisc.is_hook());
    roots
        .map(|root| (root.link, behind(all, root)))
        .filter(|(_, queues)| !queues.is_empty())
        .collect()
}

fn behind(all: &[Qdisc], root: &Qdisc) -> Vec<Queue> {
    let below = |of: &Qdisc| {
        let (link, major) = (of.link, of.handle & MAJOR);
        let in_it = move |q: &&Qdisc| q.link == link && major != 0 && q.parent & MAJOR == major;
        all.iter().filter(in_it).filter(move |q| q.handle & MAJOR != major)
    };
    let (mut queues, mut here) = (Vec::new(), root);
    // Not in a circle, whatever the bytes say.
    for _ in 0..all.len() {
        queues.extend(here.does.clone());
        if !here.is_one_way() {
            let kind = here.kind.clone();
            let several = below(here).any(|q| q.does.is_some());
            queues.extend(several.then_some(Queue::Unknown { kind }));
            break;
        }
        match below(here).next() {
            Some(next) => here = next,
            None => break,
        }
    }
    queues
}

/// What a queueing discipline of that kind does by its options.
fn does(kind: &str, options: Attr<'_>) -> Option<Queue> {
    match kind {
        "pfifo" => {
            let full = u32_at(options.value, 0) == Some(0);
            full.then(|| Queue::Swallows { kind: kind.to_owned() })
        }
        "bfifo" => u32_at(options.value, 0).map(|most| Queue::UpTo { kind: kind.to_owned(), most }),
        "netem" => netem(options.value),
        "tbf" => tbf(options).map(|most| Queue::UpTo { kind: kind.to_owned(), most }),
        // Without a class of its own for what no filter gives to one, it throws that away.
        "hfsc" if u16_at(options.value, 0).is_some_and(|class| class != 0) => None,
        _ => Queue::of_kind(kind),
    }
}

/// `struct tc_netem_qopt`, and behind it attributes (`netem_dump`).
fn netem(options: &[u8]) -> Option<Queue> {
    /// Length of the struct; where in it stands for how many there is room, and which parts are thrown
    /// away and sent twice.
    const STRUCT: usize = 24;
    const LIMIT: usize = 4;
    const LOSS: usize = 8;
    const DUPLICATE: usize = 16;
    /// TCA_NETEM_CORRUPT: the part that is damaged, and how it hangs on the one before.
    const TCA_CORRUPT: u16 = 4;
    /// TCA_NETEM_LOSS: a model.
    const TCA_LOSS: u16 = 5;
    let own = |kind| attrs_behind(options, STRUCT).find(move |a| a.kind == kind);
    let [loss, duplicate] = [LOSS, DUPLICATE].map(|at| u32_at(options, at).unwrap_or(0));
    let corrupt = own(TCA_CORRUPT).and_then(|a| u32_at(a.value, 0)).unwrap_or(0);
    let by_model = own(TCA_LOSS).is_some();
    let swallows = || Some(Queue::Swallows { kind: "netem".to_owned() });
    if u32_at(options, LIMIT) == Some(0) {
        return swallows();
    }
    match (loss, duplicate, corrupt) {
        (u32::MAX, 0, _) => swallows(),
        (0, 0, 0) if !by_model => None,
        _ if by_model => Some(Queue::Chance { loss: 0, duplicate: 0, corrupt: 0 }),
        _ => Some(Queue::Chance { loss, duplicate, corrupt }),
    }
}

/// The largest frame that a token bucket takes (`tbf_change`): what fits into it at its rate.
fn tbf(options: Attr<'_>) -> Option<u32> {
    const TCA_TBF_PARMS: u16 = 1;
    const TCA_TBF_RATE64: u16 = 4;
    const TCA_TBF_PRATE64: u16 = 5;
    /// Where `struct tc_tbf_qopt` has what: two `struct tc_ratespec`, at the end of each the rate in
    /// bytes a second; how long the bucket and that of the peak rate take to fill, in ticks.
    const RATE: usize = 8;
    const PEAK: usize = 20;
    const BUFFER: usize = 28;
    const PEAK_BUFFER: usize = 32;
    /// PSCHED_SHIFT: nanoseconds a tick, as a power of 2.
    const TICK: u32 = 6;
    let own = |kind| options.nested().find(move |a| a.kind == kind);
    let parms = own(TCA_TBF_PARMS)?.value;
    let wide = |kind| own(kind).and_then(|a| Some(u64::from_ne_bytes(*a.value.first_chunk()?)));
    let fits = |rate: usize, wider, buffer: usize| {
        let rate = u32_at(parms, rate).map(u64::from)?.max(wide(wider).unwrap_or(0));
        // What is less than a tick was cut off.
        let nanoseconds = (u128::from(u32_at(parms, buffer)?) << TICK) + ((1 << TICK) - 1);
        u32::try_from(nanoseconds * u128::from(rate) / 1_000_000_000).ok().filter(|_| rate > 0)
    };
    let usual = fits(RATE, TCA_TBF_RATE64, BUFFER)?;
    let peak = fits(PEAK, TCA_TBF_PRATE64, PEAK_BUFFER);
    Some(peak.map_or(usual, |peak| peak.min(usual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `netem_dump` writes it: latency, limit, loss, gap, duplicate, jitter, then attributes.
    fn said(numbers: [u32; 6], attributes: &[(u16, &[u32])]) -> Option<String> {
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_ne_bytes()).collect();
        for (kind, numbers) in attributes {
            let len = u16::try_from(4 + 4 * numbers.len()).unwrap();
            bytes.extend([len.to_ne_bytes(), kind.to_ne_bytes()].concat());
            bytes.extend(numbers.iter().flat_map(|n| n.to_ne_bytes()));
        }
        netem(&bytes).map(|queue| queue.to_string())
    }

    #[test]
    fn netem_by_its_options() {
        const TENTH: u32 = u32::MAX / 10;
        let all = [
            said([15625, 1000, 0, 0, 0, 0], &[(1, &[0, 0, 0])]),
            said([0, 1000, TENTH, 0, 0, 0], &[]),
            said([0, 1000, TENTH, 0, TENTH / 2, 0], &[(4, &[TENTH / 100, 0])]),
            said([0, 1000, 0, 0, 0, 0], &[(5, &[1, 2])]),
            said([0, 1000, u32::MAX, 0, 0, 0], &[]),
            said([0, 0, 0, 0, 0, 0], &[]),
        ];
        let all: Vec<String> = all.map(|said| said.unwrap_or_default()).to_vec();
        insta::assert_snapshot!(all.join("\n"), @r"

        netem loss 10%
        netem loss 10% duplicate 5% corrupt 0.1%
        netem loss by a model
        netem, which throws all away
        netem, which throws all away
        ");
    }
}
