//! The registers of the nftables machine, and what loads them.

use std::cmp::Ordering;

use model::{CmpOp, Conntrack, CtKey, Data, MetaKey, PayloadBase, Reg, Set, SetElement};

use crate::chain::{Chains, Effect};
use crate::header;

/// Bytes of all registers: four of 16 bytes, and the verdict before them.
const SIZE: usize = 80;
/// NFT_SET_MAP and kin.
const SET_INTERVAL: u32 = 4;
/// NFT_SET_ELEM_INTERVAL_END.
const INTERVAL_END: u32 = 1;

/// Registers, and which of their words nobody knows.
pub(crate) struct Registers {
    bytes: [u8; SIZE],
    /// One bit per 4-byte word whose content is not known.
    unknown: u32,
    cause: Option<String>,
}

impl Registers {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; SIZE], unknown: 0, cause: None }
    }

    /// Where a register starts: 1 to 4 are 16 bytes wide, from 8 on they are 4 wide.
    const fn offset(reg: Reg) -> usize {
        match reg.0 {
            n @ 0..=4 => n as usize * 16,
            n => (n as usize).saturating_sub(4) * 4,
        }
    }

    fn words(reg: Reg, len: usize) -> u32 {
        let first = Self::offset(reg) / 4;
        (first..first + len.div_ceil(4).max(1)).filter(|w| *w < 32).fold(0, |m, w| m | 1 << w)
    }

    /// Writes a value; the rest of its last word is cleared.
    pub(crate) fn store(&mut self, reg: Reg, value: &[u8]) {
        let start = Self::offset(reg);
        for (i, slot) in
            self.bytes.iter_mut().skip(start).take(value.len().div_ceil(4) * 4).enumerate()
        {
            *slot = value.get(i).copied().unwrap_or(0);
        }
        self.unknown &= !Self::words(reg, value.len());
    }

    /// The content from a register on; None: not known.
    pub(crate) fn load(&self, reg: Reg, len: usize) -> Option<&[u8]> {
        if self.unknown & Self::words(reg, len) != 0 {
            return None;
        }
        self.bytes.get(Self::offset(reg)..Self::offset(reg) + len)
    }

    /// An expression that is not understood may have written anything.
    pub(crate) fn taint(&mut self, name: &str) {
        self.unknown = u32::MAX;
        self.cause.get_or_insert_with(|| format!("expression {name}"));
    }

    /// A register holds something that is not known.
    pub(crate) fn forget(&mut self, reg: Reg, len: usize, cause: String) {
        self.unknown |= Self::words(reg, len);
        self.cause.get_or_insert(cause);
    }

    /// Why something in them is not known.
    pub(crate) fn cause(&self) -> String {
        self.cause.clone().unwrap_or_else(|| "a register that nothing wrote".to_owned())
    }

    pub(crate) fn compare(&self, reg: Reg, op: CmpOp, data: &[u8]) -> Option<bool> {
        let order = self.load(reg, data.len())?.cmp(data);
        Some(match op {
            CmpOp::Eq => order == Ordering::Equal,
            CmpOp::Neq => order != Ordering::Equal,
            CmpOp::Lt => order == Ordering::Less,
            CmpOp::Lte => order != Ordering::Greater,
            CmpOp::Gt => order == Ordering::Greater,
            CmpOp::Gte => order != Ordering::Less,
        })
    }

    pub(crate) fn range(&self, reg: Reg, op: CmpOp, from: &[u8], to: &[u8]) -> Option<bool> {
        let value = self.load(reg, from.len())?;
        let within = from <= value && value <= to;
        Some(within == (op == CmpOp::Eq))
    }

    pub(crate) fn bitwise(&mut self, sreg: Reg, dreg: Reg, len: u32, mask: &[u8], xor: &[u8]) {
        let Some(value) = self.load(sreg, len as usize) else {
            let cause = self.cause();
            return self.forget(dreg, len as usize, cause);
        };
        let at = |bytes: &[u8], i: usize| bytes.get(i).copied().unwrap_or(0);
        let value: Vec<u8> =
            value.iter().enumerate().map(|(i, v)| (v & at(mask, i)) ^ at(xor, i)).collect();
        self.store(dreg, &value);
    }
}

impl<'a> Chains<'a, '_> {
    pub(crate) fn meta(&self, key: MetaKey, dreg: Reg, r: &mut Registers, mark: u32) -> Effect {
        let link = |index: Option<u32>| index.and_then(|i| self.place.ns.links.get(&i));
        match key {
            MetaKey::Len => r.store(dreg, &self.skb.packet.len.to_ne_bytes()),
            MetaKey::Protocol => r.store(dreg, &0x0800_u16.to_be_bytes()),
            MetaKey::Mark => r.store(dreg, &mark.to_ne_bytes()),
            MetaKey::Nfproto => r.store(dreg, &[2]),
            MetaKey::L4proto => r.store(dreg, &[self.skb.packet.payload.protocol()]),
            MetaKey::Iif => r.store(dreg, &self.iif.unwrap_or(0).to_ne_bytes()),
            MetaKey::Oif => r.store(dreg, &self.oif.unwrap_or(0).to_ne_bytes()),
            MetaKey::IifName => r.store(dreg, &name(link(self.iif).map(|l| l.name.as_str()))),
            MetaKey::OifName => r.store(dreg, &name(link(self.oif).map(|l| l.name.as_str()))),
            MetaKey::IifType | MetaKey::OifType => {
                let index = if key == MetaKey::IifType { self.iif } else { self.oif };
                let Some(link) = link(index) else { return Effect::Fails };
                let arphrd: u16 = match &link.kind {
                    model::LinkKind::Loopback => 772,
                    model::LinkKind::Tap(tap) if tap.layer3 => 65534,
                    _ => 1,
                };
                r.store(dreg, &arphrd.to_ne_bytes());
            }
            MetaKey::PktType => {
                let looped = self.iif == Some(self.place.loopback()) || self.iif.is_none();
                r.store(dreg, &[if looped { 5 } else { 0 }]);
                if looped {
                    r.forget(dreg, 1, "meta pkttype of a packet made here".to_owned());
                }
            }
            MetaKey::BridgeIifName | MetaKey::BridgeOifName | MetaKey::Other(_) => {
                let cause = match key {
                    MetaKey::Other(n) => format!("meta key {n}"),
                    _ => "meta ibrname or obrname".to_owned(),
                };
                r.forget(dreg, 16, cause);
            }
        }
        Effect::Goes
    }

    pub(crate) fn meta_set(&self, key: MetaKey, sreg: Reg, r: &Registers) -> Effect {
        match key {
            MetaKey::Mark => match r.load(sreg, 4).and_then(|b| b.try_into().ok()) {
                Some(bytes) => Effect::Mark(u32::from_ne_bytes(bytes)),
                None => Effect::Doubts(r.cause()),
            },
            MetaKey::PktType => Effect::Doubts("meta pkttype set".to_owned()),
            _ => Effect::Goes,
        }
    }

    pub(crate) fn payload(
        &self,
        base: PayloadBase,
        offset: u32,
        len: u32,
        dreg: Reg,
        r: &mut Registers,
    ) -> Effect {
        match header::bytes(self.skb, base, offset, len) {
            header::Read::Bytes(bytes) => r.store(dreg, &bytes),
            header::Read::Beyond => return Effect::Fails,
            header::Read::NotKnown(what) => r.forget(dreg, len as usize, what),
        }
        Effect::Goes
    }

    pub(crate) fn ct(&self, key: CtKey, dir: Option<u8>, dreg: Reg, r: &mut Registers) -> Effect {
        if key == CtKey::State {
            r.store(dreg, &crate::conntrack::state_of(self.skb, self.connection).to_ne_bytes());
            return Effect::Goes;
        }
        let Some((entry, member)) = self.connection.zip(self.skb.ct) else { return Effect::Fails };
        match value(key, dir, entry, member.reply) {
            Some(bytes) => r.store(dreg, &bytes),
            None => r.forget(dreg, 16, format!("ct key {key:?}").to_lowercase()),
        }
        Effect::Goes
    }

    pub(crate) fn look_up(
        &self,
        set: &str,
        sreg: Reg,
        dreg: Option<Reg>,
        invert: bool,
        r: &mut Registers,
    ) -> Effect {
        let Some(set) = self.base.table.sets.iter().find(|s| s.name == set) else {
            return Effect::Doubts(format!("set {set}, which was not read"));
        };
        let Some(key) = r.load(sreg, set.key_len as usize) else {
            return Effect::Doubts(r.cause());
        };
        let found = find(set, key);
        match (found, dreg) {
            (found, None) if found.is_some() != invert => Effect::Goes,
            (Some(element), Some(dreg)) => match &element.data {
                Some(Data::Verdict(verdict)) => Effect::Verdict(verdict.clone()),
                Some(Data::Value(value)) => {
                    r.store(dreg, value);
                    Effect::Goes
                }
                None => Effect::Doubts(format!("map {} without value", set.name)),
            },
            _ => Effect::Fails,
        }
    }
}

/// A name as a register holds it: 16 bytes, filled up with zeroes.
fn name(text: Option<&str>) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (slot, byte) in bytes.iter_mut().zip(text.unwrap_or_default().bytes().take(15)) {
        *slot = byte;
    }
    bytes
}

fn value(key: CtKey, dir: Option<u8>, entry: &Conntrack, reply: bool) -> Option<Vec<u8>> {
    let tuple = match dir {
        Some(1) => entry.reply,
        Some(_) => entry.original,
        None if reply => entry.reply,
        None => entry.original,
    };
    let address = |ip: std::net::IpAddr| match ip {
        std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
        std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    Some(match key {
        CtKey::Direction => vec![u8::from(reply)],
        CtKey::Status => entry.status.bits().to_ne_bytes().to_vec(),
        CtKey::Mark => entry.mark.to_ne_bytes().to_vec(),
        CtKey::L3protocol => vec![2],
        CtKey::Protocol => vec![tuple.protocol],
        CtKey::Src => address(tuple.src),
        CtKey::Dst => address(tuple.dst),
        CtKey::ProtoSrc => tuple.sport.to_be_bytes().to_vec(),
        CtKey::ProtoDst => tuple.dport.to_be_bytes().to_vec(),
        CtKey::Zone => entry.zone.to_ne_bytes().to_vec(),
        CtKey::State | CtKey::Other(_) => return None,
    })
}

/// The element of a set that a key falls on.
fn find<'s>(set: &'s Set, key: &[u8]) -> Option<&'s SetElement> {
    let any = || set.elements.iter().find(|e| e.key.is_none());
    let concatenated = |e: &&SetElement| {
        let (Some(from), Some(to)) = (&e.key, &e.key_end) else { return false };
        let words = from.chunks(4).zip(to.chunks(4)).zip(key.chunks(4));
        words.into_iter().all(|((from, to), k)| from <= k && k <= to)
    };
    if set.flags & SET_INTERVAL == 0 {
        let exact = |e: &&SetElement| e.key.as_deref() == Some(key);
        return set.elements.iter().find(exact).or_else(any);
    }
    if let Some(element) = set.elements.iter().find(concatenated) {
        return Some(element);
    }
    let starts = set.elements.iter().filter(|e| e.key_end.is_none());
    let below = starts.filter(|e| e.key.as_deref().is_some_and(|k| k <= key));
    let order = |e: &&SetElement| (e.key.clone(), e.flags & INTERVAL_END == 0);
    below.max_by_key(order).filter(|e| e.flags & INTERVAL_END == 0).or_else(any)
}
