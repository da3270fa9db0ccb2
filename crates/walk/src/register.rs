//! The registers of the nftables machine.

use std::cmp::Ordering;

use model::{CmpOp, Reg};

/// Bytes of all registers: four of 16 bytes, and the verdict before them.
const SIZE: usize = 80;

/// Registers, and which of their words nobody knows.
#[derive(Clone, Debug)]
pub(crate) struct Registers {
    bytes: [u8; SIZE],
    /// One bit per 4-byte word whose content is not known.
    unknown: u32,
    cause: Option<String>,
}

impl Default for Registers {
    fn default() -> Self {
        Self::new()
    }
}

impl Registers {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; SIZE], unknown: 0, cause: None }
    }

    /// The next rule begins: it reads nothing that it did not write.
    pub(crate) fn begin(&mut self) {
        if self.unknown != 0 {
            (self.unknown, self.cause) = (0, None);
        }
    }

    /// Where a register starts: 1 to 4 are 16 bytes wide, from 8 on they are 4 wide.
    const fn offset(reg: Reg) -> usize {
        match reg.0 {
            n @ 0..=4 => n as usize * 16,
            n => (n as usize).saturating_sub(4).saturating_mul(4),
        }
    }

    fn words(reg: Reg, len: usize) -> u32 {
        let first = Self::offset(reg) / 4;
        let last = first + len.div_ceil(4).max(1);
        (first.min(32)..last.min(32)).fold(0, |m, w| m | 1 << w)
    }

    /// Writes a value; the rest of its last word is cleared.
    pub(crate) fn store(&mut self, reg: Reg, value: &[u8]) {
        let start = Self::offset(reg);
        let whole = start.saturating_add(value.len().next_multiple_of(4));
        if let Some(slot) = self.bytes.get_mut(start..whole) {
            let (head, rest) = slot.split_at_mut(value.len());
            head.copy_from_slice(value);
            rest.fill(0);
        }
        if self.unknown != 0 {
            self.unknown &= !Self::words(reg, value.len());
        }
    }

    /// The content from a register on; None: not known.
    pub(crate) fn load(&self, reg: Reg, len: usize) -> Option<&[u8]> {
        if self.unknown != 0 && self.unknown & Self::words(reg, len) != 0 {
            return None;
        }
        let start = Self::offset(reg);
        self.bytes.get(start..start.checked_add(len)?)
    }

    /// A number in the host's order.
    pub(crate) fn number(&self, reg: Reg) -> Option<u32> {
        self.load(reg, 4)?.try_into().ok().map(u32::from_ne_bytes)
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
        let at = |bytes: &[u8], i: usize| bytes.get(i).copied().unwrap_or(0);
        self.map(sreg, dreg, len, |value| {
            value.iter().enumerate().map(|(i, v)| (v & at(mask, i)) ^ at(xor, i)).collect()
        });
    }

    /// `nft_bitwise_eval_lshift` and `rshift`: over words in the host's order, the first the
    /// highest.
    pub(crate) fn shift(&mut self, sreg: Reg, dreg: Reg, len: u32, right: bool, by: u32) {
        self.map(sreg, dreg, len, |value| {
            let word = |c: &[u8]| {
                let mut word = [0; 4];
                word[..c.len()].copy_from_slice(c);
                u32::from_ne_bytes(word)
            };
            let mut words: Vec<u32> = value.chunks(4).map(word).collect();
            let mut carry = 0;
            let mut step = |word: &mut u32| {
                let old = *word;
                let (new, next) = match right {
                    true => (old.checked_shr(by), old.checked_shl(32 - by)),
                    false => (old.checked_shl(by), old.checked_shr(32 - by)),
                };
                *word = new.unwrap_or(0) | carry;
                carry = next.unwrap_or(0);
            };
            match right {
                true => words.iter_mut().for_each(&mut step),
                false => words.iter_mut().rev().for_each(&mut step),
            }
            words.into_iter().flat_map(u32::to_ne_bytes).take(value.len()).collect()
        });
    }

    /// `nft_byteorder_eval`: both directions turn the bytes of each piece round.
    pub(crate) fn byteorder(&mut self, sreg: Reg, dreg: Reg, len: u32, size: u32) {
        let turns = cfg!(target_endian = "little");
        self.map(sreg, dreg, len, |value| {
            let piece = |c: &[u8]| -> Vec<u8> {
                if turns { c.iter().rev().copied().collect() } else { c.to_vec() }
            };
            value.chunks(size.max(1) as usize).flat_map(piece).collect()
        });
    }

    fn map(&mut self, sreg: Reg, dreg: Reg, len: u32, change: impl Fn(&[u8]) -> Vec<u8>) {
        match self.load(sreg, len as usize).map(change) {
            Some(value) => self.store(dreg, &value),
            None => {
                let cause = self.cause();
                self.forget(dreg, len as usize, cause);
            }
        }
    }
}
