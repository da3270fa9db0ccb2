//! RTM_NEWTFILTER: tc's filters and their actions (linux/pkt_cls.h, linux/tc_act/).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{
    Mac, Tc, TcAction, TcControl, TcDoing, TcFilter, TcFlowerKey, TcSelector, TcU32, TcU32Key,
};

use super::Qdisc;
use super::attr::{Attr, attrs, attrs_behind, find, u32_at};
use super::message::Message;

const RTM_NEWTFILTER: u16 = 44;
/// Length of `struct tcmsg`.
const TCMSG: usize = 20;
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_CHAIN: u16 = 11;

/// TCM_IFINDEX_MAGIC_BLOCK: the message is about a block that links share.
pub(super) const BLOCK: u32 = u32::MAX;
/// TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS) and TC_H_MIN_EGRESS.
pub(super) const INGRESS: u32 = 0xffff_fff2;
pub(super) const EGRESS: u32 = 0xffff_fff3;

const ETH_P_ALL: u16 = 3;
const NLM_F_MULTI: u16 = 2;
/// TC_U32_HTID: the part of a handle that says which hash table.
const TABLE: u32 = 0xfff0_0000;

/// A filter, and what it hangs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterRow {
    /// ifindex of its link; None: of the block that `parent` is the number of.
    pub link: Option<u32>,
    /// On which side of the link, or which block.
    pub parent: u32,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// There are filters of this kind, chain and priority.
    Head(TcFilter),
    Filter(TcFilter),
    /// A hash table of `u32`, or a rule that leads to one.
    Table {
        filter: TcFilter,
        leads: bool,
    },
    /// The hash table of `u32` that its filters begin in, asked for by [`super::get_roots`].
    Root(TcFilter),
}

/// The filter that a message tells of; None: it is no RTM_NEWTFILTER, or cut short.
#[must_use]
pub fn filter(message: &Message<'_>) -> Option<FilterRow> {
    if message.kind != RTM_NEWTFILTER {
        return None;
    }
    let link = u32_at(message.body, 4).filter(|index| *index != BLOCK);
    let (handle, parent) = (u32_at(message.body, 8)?, u32_at(message.body, 12)?);
    let info = u32_at(message.body, 16)?;
    let protocol = u16::from_be((info & 0xffff) as u16);
    let own = |kind| attrs_behind(message.body, TCMSG).find(move |a| a.kind == kind);
    let filter = TcFilter {
        chain: own(TCA_CHAIN).and_then(Attr::u32).unwrap_or(0),
        priority: info >> 16,
        protocol: (protocol != ETH_P_ALL).then_some(protocol),
        handle,
        selector: TcSelector::All,
        actions: Vec::new(),
    };
    let options = own(TCA_OPTIONS).map(|a| a.value);
    let what = match what(own(TCA_KIND)?.text(), filter, options) {
        // It comes alone, not among others.
        What::Table { filter, leads: false } if message.flags & NLM_F_MULTI == 0 => {
            What::Root(filter)
        }
        what => what,
    };
    Some(FilterRow { link, parent, what })
}

fn what(kind: String, mut filter: TcFilter, options: Option<&[u8]>) -> What {
    let Some(options) = options.filter(|o| !o.is_empty()) else {
        let what = "not shown".to_owned();
        filter.selector = TcSelector::Opaque { kind, what };
        // Each chain and priority is told of once without a handle, whatever is in it.
        return if filter.handle == 0 { What::Head(filter) } else { What::Filter(filter) };
    };
    match kind.as_str() {
        "u32" => return u32_row(filter, options),
        "matchall" => (filter.selector, filter.actions) = matchall(options),
        "flower" => (filter.selector, filter.actions) = flower(options),
        _ => {
            let name = if kind == "bpf" { find(options, TCA_BPF_NAME) } else { None };
            let what = name.map(Attr::text).unwrap_or_default();
            filter.selector = TcSelector::Opaque { kind, what };
        }
    }
    What::Filter(filter)
}

const TCA_BPF_NAME: u16 = 7;
/// TCA_CLS_FLAGS_SKIP_SW: the kernel itself does not look at it.
const SKIP_SW: u32 = 2;

const TCA_U32_LINK: u16 = 3;
const TCA_U32_DIVISOR: u16 = 4;
const TCA_U32_SEL: u16 = 5;
const TCA_U32_POLICE: u16 = 6;
const TCA_U32_ACT: u16 = 7;
const TCA_U32_INDEV: u16 = 8;
const TCA_U32_MARK: u16 = 10;
const TCA_U32_FLAGS: u16 = 11;
/// TC_U32_TERMINAL.
const TERMINAL: u8 = 1;
/// Lengths of `struct tc_u32_sel` and `struct tc_u32_key`.
const SEL: usize = 16;
const KEY: usize = 16;

fn u32_row(mut filter: TcFilter, options: &[u8]) -> What {
    let opaque = |what: &str| TcSelector::Opaque { kind: "u32".to_owned(), what: what.to_owned() };
    let leads = find(options, TCA_U32_LINK).is_some();
    if leads || find(options, TCA_U32_DIVISOR).is_some() {
        filter.selector = opaque("hash tables");
        return What::Table { filter, leads };
    }
    filter.selector = u32_selector(options).map_or_else(|| opaque("cut short"), TcSelector::U32);
    filter.actions = actions(options, TCA_U32_ACT, TCA_U32_POLICE);
    What::Filter(filter)
}

fn u32_selector(options: &[u8]) -> Option<TcU32> {
    let sel = find(options, TCA_U32_SEL)?.value;
    let keys = sel.get(SEL..)?.chunks_exact(KEY).take(usize::from(*sel.get(2)?));
    let key = |key: &[u8]| {
        Some(TcU32Key {
            mask: *key.first_chunk()?,
            value: *key.get(4..)?.first_chunk()?,
            offset: i32::from_ne_bytes(*key.get(8..)?.first_chunk()?),
        })
    };
    let flags = find(options, TCA_U32_FLAGS).and_then(Attr::u32).unwrap_or(0);
    let mark = find(options, TCA_U32_MARK)
        .and_then(|mark| Some((u32_at(mark.value, 0)?, u32_at(mark.value, 4)?)));
    Some(TcU32 {
        keys: keys.map(key).collect::<Option<_>>()?,
        // Without a mask it fits any.
        mark: mark.filter(|mark| *mark != (0, 0)),
        indev: find(options, TCA_U32_INDEV).map(Attr::text),
        idle: flags & SKIP_SW != 0 || sel.first()? & TERMINAL == 0,
    })
}

const TCA_MATCHALL_ACT: u16 = 2;
const TCA_MATCHALL_FLAGS: u16 = 3;
const TCA_FLOWER_ACT: u16 = 3;
const TCA_FLOWER_FLAGS: u16 = 22;
/// No such attribute.
const NONE: u16 = u16::MAX;

/// What a filter that only a card looks at comes to.
fn skipped() -> TcSelector {
    TcSelector::U32(TcU32 { idle: true, ..TcU32::default() })
}

fn skips(options: &[u8], kind: u16) -> bool {
    find(options, kind).and_then(Attr::u32).is_some_and(|flags| flags & SKIP_SW != 0)
}

fn matchall(options: &[u8]) -> (TcSelector, Vec<TcAction>) {
    let skips = skips(options, TCA_MATCHALL_FLAGS);
    let selector = if skips { skipped() } else { TcSelector::All };
    (selector, actions(options, TCA_MATCHALL_ACT, NONE))
}

fn flower(options: &[u8]) -> (TcSelector, Vec<TcAction>) {
    let skips = skips(options, TCA_FLOWER_FLAGS);
    let keys = || TcSelector::Flower(attrs(options).filter_map(|a| key(options, a)).collect());
    let selector = if skips { skipped() } else { keys() };
    (selector, actions(options, TCA_FLOWER_ACT, NONE))
}

/// A key of `flower` (TCA_FLOWER_KEY_*), with the mask that stands beside it.
fn key(options: &[u8], attr: Attr<'_>) -> Option<TcFlowerKey> {
    let beside = |kind| find(options, kind);
    let address = |source, mask| {
        let ip = attr.ip()?;
        let all: IpAddr = match ip {
            IpAddr::V4(_) => Ipv4Addr::BROADCAST.into(),
            IpAddr::V6(_) => Ipv6Addr::from([0xff; 16]).into(),
        };
        let mask = beside(mask).and_then(Attr::ip).unwrap_or(all);
        Some(TcFlowerKey::Address { source, ip, mask })
    };
    let port = |source, mask| {
        let mask = beside(mask).and_then(Attr::be16).unwrap_or(u16::MAX);
        Some(TcFlowerKey::Port { source, port: attr.be16()?, mask })
    };
    let mac = |source, mask| {
        let mask = beside(mask).and_then(Attr::mac).unwrap_or(Mac::BROADCAST);
        Some(TcFlowerKey::Mac { source, mac: attr.mac()?, mask })
    };
    let byte = |mask| Some((attr.u8()?, beside(mask).and_then(Attr::u8).unwrap_or(u8::MAX)));
    let known = match attr.kind {
        // Class, actions, flags of the filter, and what a card has of it.
        1 | 3 | 22 | 67 | 86 => return None,
        // Masks, read with what they are of.
        5 | 7 | 11 | 13 | 15 | 17 | 35..=38 | 74 | 76 => return None,
        4 => mac(false, 5),
        6 => mac(true, 7),
        8 => attr.be16().map(TcFlowerKey::EtherType),
        9 => attr.u8().map(TcFlowerKey::Protocol),
        10 => address(true, 11),
        12 => address(false, 13),
        14 => address(true, 15),
        16 => address(false, 17),
        18 | 20 => port(true, attr.kind + 17),
        19 | 21 => port(false, attr.kind + 17),
        73 => byte(74).map(|(tos, mask)| TcFlowerKey::Tos(tos, mask)),
        75 => byte(76).map(|(ttl, mask)| TcFlowerKey::Ttl(ttl, mask)),
        _ => None,
    };
    Some(known.unwrap_or(TcFlowerKey::Other(attr.kind)))
}

const TCA_ACT_KIND: u16 = 1;
const TCA_ACT_OPTIONS: u16 = 2;
/// The first attribute with what all actions have (`tc_gen`): TCA_MIRRED_PARMS and TCA_GACT_PARMS.
const PARMS: u16 = 2;
/// Where in `tc_gen` it says what comes then, and its length.
const CONTROL: usize = 8;
const TC_GEN: usize = 20;
const TCA_GACT_PROB: u16 = 3;
const TCA_MIRRED_BLOCKID: u16 = 4;
const TCA_SKBEDIT_MARK: u16 = 5;
const TCA_SKBEDIT_MASK: u16 = 8;

/// The actions of a filter, in their order; an old way to give a rate stands for itself.
fn actions(options: &[u8], kind: u16, police: u16) -> Vec<TcAction> {
    let list = find(options, kind).into_iter().flat_map(Attr::nested);
    let mut all: Vec<(u16, TcAction)> = list.map(|a| (a.kind, action(a.value))).collect();
    all.sort_by_key(|(order, _)| *order);
    let mut all: Vec<TcAction> = all.into_iter().map(|(_, action)| action).collect();
    if find(options, police).is_some() {
        all.push(opaque("police".to_owned()));
    }
    all
}

fn opaque(name: String) -> TcAction {
    TcAction { doing: TcDoing::Opaque(name), then: TcControl::Pipe }
}

fn action(bytes: &[u8]) -> TcAction {
    let name = find(bytes, TCA_ACT_KIND).map(Attr::text).unwrap_or_default();
    let options = find(bytes, TCA_ACT_OPTIONS).map_or(&[][..], |a| a.value);
    known_action(&name, options).unwrap_or_else(|| opaque(name))
}

fn known_action(name: &str, options: &[u8]) -> Option<TcAction> {
    let parms = find(options, PARMS)?.value;
    let then = TcControl::of(u32_at(parms, CONTROL)?.cast_signed());
    let doing = match name {
        "gact" if find(options, TCA_GACT_PROB).is_none() => TcDoing::Nothing,
        "mirred" if find(options, TCA_MIRRED_BLOCKID).is_none() => mirred(parms)?,
        "skbedit" => skbedit(options)?,
        _ => return None,
    };
    Some(TcAction { doing, then })
}

/// `struct tc_mirred`.
fn mirred(parms: &[u8]) -> Option<TcDoing> {
    let to = u32_at(parms, TC_GEN + 4)?;
    let (ingress, copy) = match u32_at(parms, TC_GEN)? {
        1 => (false, false),
        2 => (false, true),
        3 => (true, false),
        4 => (true, true),
        _ => return None,
    };
    Some(TcDoing::Hand { to, ingress, copy })
}

/// What is set beside a mark leads no packet elsewhere, but for its type (TCA_SKBEDIT_PTYPE).
fn skbedit(options: &[u8]) -> Option<TcDoing> {
    const PTYPE: u16 = 7;
    if find(options, PTYPE).is_some() {
        return None;
    }
    let number = |kind| find(options, kind).and_then(Attr::u32);
    Some(match number(TCA_SKBEDIT_MARK) {
        Some(mark) => TcDoing::Mark(mark, number(TCA_SKBEDIT_MASK).unwrap_or(u32::MAX)),
        None => TcDoing::Nothing,
    })
}

/// What tc does at each link that has a place for it. `shown`: filters were asked for.
#[must_use]
pub fn tc(qdiscs: &[Qdisc], rows: &[FilterRow], shown: bool) -> Vec<(u32, Tc)> {
    let of = |qdisc: &Qdisc, parent, block: Option<u32>| {
        let on = |row: &&FilterRow| match block {
            Some(block) => row.link.is_none() && row.parent == block,
            None => row.link == Some(qdisc.link) && row.parent == parent,
        };
        list(rows.iter().filter(on))
    };
    let at = |qdisc: &Qdisc| {
        let told = || Tc {
            ingress: of(qdisc, INGRESS, qdisc.ingress_block),
            egress: of(qdisc, EGRESS, qdisc.egress_block),
        };
        (qdisc.link, if shown { told() } else { Tc::not_shown() })
    };
    qdiscs.iter().filter(|q| q.is_hook()).map(at).collect()
}

/// Filters in the order of the kernel's list. What has hash tables of its own is one that is not known,
/// and so is what is told of by name alone.
fn list<'r>(rows: impl Iterator<Item = &'r FilterRow>) -> Vec<TcFilter> {
    let rows: Vec<&What> = rows.map(|row| &row.what).collect();
    let mut all: Vec<TcFilter> = Vec::new();
    for row in &rows {
        match row {
            What::Head(head) if !may_be_empty(head) && !rows.iter().any(|r| r.is_beside(head)) => {
                all.push(head.clone());
            }
            What::Table { filter, .. } | What::Filter(filter) => match begins_in(&rows, filter) {
                Begins::Anywhere if matches!(row, What::Filter(_)) => all.push(filter.clone()),
                Begins::In(table) if matches!(row, What::Filter(_)) => {
                    all.extend((filter.handle & TABLE == table).then(|| filter.clone()));
                }
                Begins::NotKnown if !all.iter().any(|f| place(f) == place(filter)) => {
                    let what = "hash tables".to_owned();
                    let selector = TcSelector::Opaque { kind: "u32".to_owned(), what };
                    all.push(TcFilter { selector, actions: Vec::new(), ..filter.clone() });
                }
                _ => {}
            },
            What::Head(_) | What::Root(_) => {}
        }
    }
    all
}

/// Where filters of one chain and priority begin.
enum Begins {
    Anywhere,
    In(u32),
    NotKnown,
}

/// The kernel tells of the tables of both sides of a link, and of all in them, as if they were of each.
fn begins_in(rows: &[&What], filter: &TcFilter) -> Begins {
    let beside = || rows.iter().filter(|row| row.is_beside(filter));
    let root = beside().find_map(|row| match row {
        What::Root(root) => Some(root.handle & TABLE),
        _ => None,
    });
    let (mut tables, mut leads) = (0, false);
    for row in beside() {
        if let What::Table { filter, leads: on } = row {
            tables += u32::from(!on);
            leads |= on & root.is_none_or(|root| filter.handle & TABLE == root);
        }
    }
    match root {
        _ if leads => Begins::NotKnown,
        Some(root) => Begins::In(root),
        None if tables > 1 => Begins::NotKnown,
        None => Begins::Anywhere,
    }
}

const fn place(filter: &TcFilter) -> (u32, u32) {
    (filter.chain, filter.priority)
}

impl What {
    /// It tells of something of the same chain and priority, and more than that there is such.
    fn is_beside(&self, other: &TcFilter) -> bool {
        match self {
            Self::Head(_) => false,
            Self::Filter(own) | Self::Table { filter: own, .. } | Self::Root(own) => {
                place(own) == place(other)
            }
        }
    }
}

/// Of these kinds there may be no filter but the message that they are there.
fn may_be_empty(filter: &TcFilter) -> bool {
    let kinds = ["u32", "matchall", "flower", "bpf"];
    matches!(&filter.selector, TcSelector::Opaque { kind, .. } if kinds.contains(&kind.as_str()))
}

/// Where more than one hash table is told of: its link (or BLOCK), its parent, its chain, and its filters'
/// priority and protocol.
pub(super) fn tangles(rows: &[FilterRow]) -> Vec<(u32, u32, u32, u32)> {
    let mut seen: Vec<(u32, u32, u32, u32)> = Vec::new();
    let mut tangled = Vec::new();
    for row in rows {
        let What::Table { filter, leads: false } = &row.what else { continue };
        let protocol = u32::from(filter.protocol.unwrap_or(ETH_P_ALL).to_be());
        let info = filter.priority << 16 | protocol;
        let own = (row.link.unwrap_or(BLOCK), row.parent, filter.chain, info);
        if seen.contains(&own) && !tangled.contains(&own) {
            tangled.push(own);
        }
        seen.push(own);
    }
    tangled
}
