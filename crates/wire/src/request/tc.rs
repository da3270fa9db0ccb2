//! Places for filters of tc, and filters.

use std::net::IpAddr;

use model::{Queue, TcAction, TcDoing, TcFilter, TcFlowerKey, TcSelector, TcU32};

use super::bridge_vlan::attribute;

/// Makes a qdisc.
pub const RTM_NEWQDISC: u16 = 36;
/// Takes it away, with all of its filters.
pub const RTM_DELQDISC: u16 = 37;
/// Makes a filter.
pub const RTM_NEWTFILTER: u16 = 44;

const TC_H_ROOT: u32 = u32::MAX;
const TC_H_CLSACT: u32 = 0xffff_fff1;
const CLSACT_HANDLE: u32 = 0xffff_0000;
const INGRESS: u32 = 0xffff_fff2;
const EGRESS: u32 = 0xffff_fff3;
const ETH_P_ALL: u16 = 3;

const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_CHAIN: u16 = 11;
const TCA_U32_SEL: u16 = 5;
const TCA_U32_ACT: u16 = 7;
const TCA_U32_INDEV: u16 = 8;
const TCA_U32_MARK: u16 = 10;
/// TC_U32_TERMINAL.
const TERMINAL: u8 = 1;
const TCA_MATCHALL_ACT: u16 = 2;
const TCA_FLOWER_ACT: u16 = 3;
const TCA_ACT_KIND: u16 = 1;
const TCA_ACT_OPTIONS: u16 = 2;
const PARMS: u16 = 2;
const TCA_SKBEDIT_MARK: u16 = 5;
const TCA_SKBEDIT_MASK: u16 = 8;

/// The body of an RTM_NEWQDISC or RTM_DELQDISC: a `clsact` at that link.
#[must_use]
pub fn clsact(link: u32) -> Vec<u8> {
    let mut body = head(link, CLSACT_HANDLE, TC_H_CLSACT, 0);
    body.extend(attribute(TCA_KIND, b"clsact\0"));
    body
}

/// The body of an RTM_NEWQDISC: that stands behind the link (`blackhole`, and `pfifo` and `bfifo` by
/// `struct tc_fifo_qopt`); None: it is of a kind that nobody here can write.
#[must_use]
pub fn queue(link: u32, queue: &Queue) -> Option<Vec<u8>> {
    let (kind, limit) = match queue {
        Queue::Swallows { kind } if kind == "blackhole" => (kind, None),
        Queue::Swallows { kind } if kind == "pfifo" => (kind, Some(0)),
        Queue::UpTo { kind, most } if kind == "bfifo" => (kind, Some(*most)),
        _ => return None,
    };
    let mut body = no_queue(link);
    body.extend(attribute(TCA_KIND, format!("{kind}\0").as_bytes()));
    if let Some(most) = limit {
        body.extend(attribute(TCA_OPTIONS, &u32::to_ne_bytes(most)));
    }
    Some(body)
}

/// The body of an RTM_DELQDISC: whatever stands behind the link.
#[must_use]
pub fn no_queue(link: u32) -> Vec<u8> {
    head(link, 0, TC_H_ROOT, 0)
}

/// The body of an RTM_NEWTFILTER; None: it is of a kind, or does something, that nobody here can write.
#[must_use]
pub fn filter(link: u32, ingress: bool, filter: &TcFilter) -> Option<Vec<u8>> {
    let protocol = filter.protocol.unwrap_or(ETH_P_ALL).to_be();
    let side = if ingress { INGRESS } else { EGRESS };
    let mut body = head(link, 0, side, filter.priority << 16 | u32::from(protocol));
    let actions = actions(&filter.actions)?;
    let (kind, options): (&[u8], _) = match &filter.selector {
        TcSelector::All => (b"matchall\0", attribute(TCA_MATCHALL_ACT, &actions)),
        TcSelector::U32(u32) => {
            (b"u32\0", [selector(u32)?, attribute(TCA_U32_ACT, &actions)].concat())
        }
        TcSelector::Flower(keys) => {
            (b"flower\0", [flower(keys)?, attribute(TCA_FLOWER_ACT, &actions)].concat())
        }
        TcSelector::Opaque { .. } => return None,
    };
    body.extend(attribute(TCA_KIND, kind));
    if filter.chain != 0 {
        body.extend(attribute(TCA_CHAIN, &filter.chain.to_ne_bytes()));
    }
    body.extend(attribute(TCA_OPTIONS, &options));
    Some(body)
}

/// `struct tcmsg`.
fn head(link: u32, handle: u32, parent: u32, info: u32) -> Vec<u8> {
    [0, link, handle, parent, info].into_iter().flat_map(u32::to_ne_bytes).collect()
}

/// `struct tc_u32_sel` with its keys, and what stands beside it.
fn selector(u32: &TcU32) -> Option<Vec<u8>> {
    let mut sel = vec![TERMINAL, 0, u8::try_from(u32.keys.len()).ok()?];
    sel.resize(16, 0);
    for key in &u32.keys {
        sel.extend(key.mask);
        sel.extend(key.value);
        sel.extend(key.offset.to_ne_bytes());
        sel.extend([0; 4]);
    }
    let mut options = attribute(TCA_U32_SEL, &sel);
    if let Some((value, mask)) = u32.mark {
        let mark: Vec<u8> = [value, mask, 0].into_iter().flat_map(u32::to_ne_bytes).collect();
        options.extend(attribute(TCA_U32_MARK, &mark));
    }
    if let Some(name) = &u32.indev {
        options.extend(attribute(TCA_U32_INDEV, &[name.as_bytes(), &[0]].concat()));
    }
    Some(options)
}

/// The keys of `flower` (TCA_FLOWER_KEY_*), each with its mask. Ports are those of the protocol that is
/// asked for beside them.
fn flower(keys: &[TcFlowerKey]) -> Option<Vec<u8>> {
    let udp = keys.contains(&TcFlowerKey::Protocol(17));
    let both = |kind, value: &[u8], masks, mask: &[u8]| {
        [attribute(kind, value), attribute(masks, mask)].concat()
    };
    let one = |key: &TcFlowerKey| {
        Some(match *key {
            TcFlowerKey::Mac { source, mac, mask } => {
                let kind = if source { 6 } else { 4 };
                both(kind, &mac.0, kind + 1, &mask.0)
            }
            TcFlowerKey::EtherType(kind) => attribute(8, &kind.to_be_bytes()),
            TcFlowerKey::Protocol(protocol) => attribute(9, &[protocol]),
            TcFlowerKey::Address { source, ip: IpAddr::V4(ip), mask: IpAddr::V4(mask) } => {
                let kind = if source { 10 } else { 12 };
                both(kind, &ip.octets(), kind + 1, &mask.octets())
            }
            TcFlowerKey::Address { source, ip: IpAddr::V6(ip), mask: IpAddr::V6(mask) } => {
                let kind = if source { 14 } else { 16 };
                both(kind, &ip.octets(), kind + 1, &mask.octets())
            }
            TcFlowerKey::Port { source, port, mask } => {
                let kind = 18 + u16::from(!source) + 2 * u16::from(udp);
                both(kind, &port.to_be_bytes(), kind + 17, &mask.to_be_bytes())
            }
            TcFlowerKey::Tos(tos, mask) => both(73, &[tos], 74, &[mask]),
            TcFlowerKey::Ttl(ttl, mask) => both(75, &[ttl], 76, &[mask]),
            TcFlowerKey::Address { .. } | TcFlowerKey::Other(_) => return None,
        })
    };
    let all: Option<Vec<Vec<u8>>> = keys.iter().map(one).collect();
    Some(all?.concat())
}

/// One behind the other, numbered from 1.
fn actions(all: &[TcAction]) -> Option<Vec<u8>> {
    let one = |(order, action): (u16, &TcAction)| Some(attribute(order, &self::action(action)?));
    let all: Option<Vec<Vec<u8>>> = (1..).zip(all).map(one).collect();
    Some(all?.concat())
}

fn action(action: &TcAction) -> Option<Vec<u8>> {
    // struct tc_gen: index, capabilities, what comes then, counters.
    let numbers = [0, 0, action.then.number(), 0, 0];
    let mut parms: Vec<u8> = numbers.into_iter().flat_map(i32::to_ne_bytes).collect();
    let (mut beside, kind): (_, &[u8]) = (
        Vec::new(),
        match &action.doing {
            TcDoing::Nothing => b"gact\0",
            TcDoing::Hand { .. } => b"mirred\0",
            TcDoing::Mark(..) => b"skbedit\0",
            TcDoing::Opaque(_) => return None,
        },
    );
    match &action.doing {
        TcDoing::Hand { to, ingress, copy } => {
            let how: u32 = 1 + u32::from(*copy) + 2 * u32::from(*ingress);
            parms.extend(how.to_ne_bytes());
            parms.extend(to.to_ne_bytes());
        }
        TcDoing::Mark(mark, mask) => {
            beside.extend(attribute(TCA_SKBEDIT_MARK, &mark.to_ne_bytes()));
            if *mask != u32::MAX {
                beside.extend(attribute(TCA_SKBEDIT_MASK, &mask.to_ne_bytes()));
            }
        }
        TcDoing::Nothing | TcDoing::Opaque(_) => {}
    }
    let options = [attribute(PARMS, &parms), beside].concat();
    Some([attribute(TCA_ACT_KIND, kind), attribute(TCA_ACT_OPTIONS, &options)].concat())
}
