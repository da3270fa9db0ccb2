//! Sets and maps, so that looking one up costs the same however many elements it has.

use std::collections::HashMap;

use model::{Set, SetElement};

/// NFT_SET_INTERVAL.
const INTERVAL: u32 = 4;
/// NFT_SET_ELEM_INTERVAL_END.
const INTERVAL_END: u32 = 1;
/// Bytes of the longest key: all registers (NFT_DATA_VALUE_MAXLEN).
const MAX_KEY: usize = 64;
/// Into how many prefixes the ranges of one element may come apart; those of more are few, and
/// looked through one by one.
const MAX_PREFIXES: usize = 256;

/// Lengths of the prefixes of all parts of a key, in bits.
type Lengths = Vec<u32>;
/// Elements by keys that are cut down to prefixes.
type ByKey<'a> = HashMap<Vec<u8>, &'a SetElement>;

/// A set, indexed.
#[derive(Debug)]
pub(crate) struct SetIndex<'a> {
    pub(crate) set: &'a Set,
    /// Keys that are one value.
    exact: HashMap<&'a [u8], &'a SetElement>,
    /// Intervals of whole keys by their first value; None ends one.
    starts: Vec<(&'a [u8], Option<&'a SetElement>)>,
    /// Ranges in each part of a key: by the lengths of their prefixes, keys cut down to these.
    prefixes: Vec<(Lengths, ByKey<'a>)>,
    /// Elements whose ranges are no few prefixes.
    ranges: Vec<&'a SetElement>,
    /// The element for every other key.
    any: Option<&'a SetElement>,
}

impl<'a> SetIndex<'a> {
    pub(crate) fn new(set: &'a Set) -> Self {
        let mut index = Self {
            set,
            exact: HashMap::new(),
            starts: Vec::new(),
            prefixes: Vec::new(),
            ranges: Vec::new(),
            any: None,
        };
        for element in &set.elements {
            index.add(element);
        }
        // Where one interval ends and the next begins, the beginning counts.
        index.starts.sort_by_key(|(key, element)| (*key, element.is_none()));
        index.starts.dedup_by_key(|(key, _)| *key);
        index
    }

    fn add(&mut self, element: &'a SetElement) {
        let Some(key) = element.key.as_deref() else {
            self.any = Some(element);
            return;
        };
        match &element.key_end {
            Some(end) if end != key => self.add_range(element, key, end),
            Some(_) => _ = self.exact.insert(key, element),
            None if self.set.flags & INTERVAL == 0 || !self.set.fields.is_empty() => {
                _ = self.exact.insert(key, element);
            }
            None => {
                let starts = element.flags & INTERVAL_END == 0;
                self.starts.push((key, starts.then_some(element)));
            }
        }
    }

    fn add_range(&mut self, element: &'a SetElement, from: &[u8], to: &[u8]) {
        // No kernel has such a key, and no packet's falls on it.
        if from.len() > MAX_KEY || from.len() != to.len() {
            return;
        }
        let mut all: Vec<(Vec<u32>, Vec<u8>)> = vec![Default::default()];
        for part in self.parts() {
            let (Some(from), Some(to)) = (from.get(part.clone()), to.get(part)) else { return };
            let split = prefixes(from, to);
            if split.len() * all.len() > MAX_PREFIXES {
                self.ranges.push(element);
                return;
            }
            let joined = |(lengths, key): &(Vec<u32>, Vec<u8>)| {
                let longer = |(length, bytes): &(u32, Vec<u8>)| {
                    ([&lengths[..], &[*length]].concat(), [&key[..], bytes].concat())
                };
                split.iter().map(longer).collect::<Vec<_>>()
            };
            all = all.iter().flat_map(joined).collect();
        }
        for (lengths, key) in all {
            let same = self.prefixes.iter().position(|(l, _)| *l == lengths);
            let at = same.unwrap_or_else(|| {
                self.prefixes.push((lengths, HashMap::new()));
                self.prefixes.len() - 1
            });
            self.prefixes[at].1.insert(key, element);
        }
    }

    /// The parts of a key as they lie in it: each begins at a multiple of four bytes.
    fn parts(&self) -> Vec<std::ops::Range<usize>> {
        let whole = (self.set.key_len as usize).min(MAX_KEY);
        let one = [self.set.key_len];
        let fields = if self.set.fields.is_empty() { &one[..] } else { &self.set.fields };
        let mut at = 0;
        let part = |len: &u32| {
            let (start, len) = (at, (*len as usize).min(MAX_KEY));
            at = (at + len.next_multiple_of(4)).min(whole);
            start..(start + len).min(whole)
        };
        fields.iter().map(part).collect()
    }

    /// The element that a key falls on.
    pub(crate) fn find(&self, key: &[u8]) -> Option<&'a SetElement> {
        if let Some(found) = self.exact.get(key) {
            return Some(found);
        }
        let below = self.starts.partition_point(|(start, _)| *start <= key);
        if let Some((_, Some(found))) = below.checked_sub(1).and_then(|at| self.starts.get(at)) {
            return Some(found);
        }
        self.by_parts(key).or(self.any)
    }

    fn by_parts(&self, key: &[u8]) -> Option<&'a SetElement> {
        if self.prefixes.is_empty() && self.ranges.is_empty() {
            return None;
        }
        let parts = self.parts();
        for (lengths, elements) in &self.prefixes {
            let cut = parts.iter().zip(lengths);
            let cut: Vec<u8> =
                cut.flat_map(|(p, len)| masked(key.get(p.clone()).unwrap_or(&[]), *len)).collect();
            if let Some(found) = elements.get(&cut) {
                return Some(found);
            }
        }
        self.ranges.iter().copied().find(|element| {
            let (Some(from), Some(to)) = (&element.key, &element.key_end) else { return false };
            parts.iter().all(|part| {
                let three = [from.as_slice(), key, to].map(|bytes| bytes.get(part.clone()));
                let [Some(from), Some(key), Some(to)] = three else { return false };
                from <= key && key <= to
            })
        })
    }
}

/// The bytes with all but the first `length` bits cleared.
fn masked(bytes: &[u8], length: u32) -> Vec<u8> {
    let bits = |i: usize| length.saturating_sub(8 * u32::try_from(i).unwrap_or(u32::MAX)).min(8);
    let mask = |n: u32| u8::try_from(0xff00_u32 >> n & 0xff).unwrap_or(0);
    bytes.iter().enumerate().map(|(i, b)| b & mask(bits(i))).collect()
}

/// A range as the fewest prefixes: the length of each, and its first value.
fn prefixes(from: &[u8], to: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let bits = u32::try_from(from.len() * 8).unwrap_or(0);
    let (mut out, mut first) = (Vec::new(), from.to_vec());
    while first.as_slice() <= to {
        let mut length = bits;
        // As large as its place allows, and the end.
        while length > 0
            && masked(&first, length - 1) == first
            && last(&first, length - 1) <= to.to_vec()
        {
            length -= 1;
        }
        let end = last(&first, length);
        out.push((length, std::mem::take(&mut first)));
        if out.len() > MAX_PREFIXES || end.iter().all(|b| *b == 0xff) {
            break;
        }
        first = end;
        for byte in first.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }
    out
}

/// The last value of a prefix.
fn last(first: &[u8], length: u32) -> Vec<u8> {
    let ones = vec![0xff; first.len()];
    let mask = masked(&ones, length);
    first.iter().zip(mask).map(|(b, m)| b | !m).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(key: &[u8], end: &[u8]) -> SetElement {
        SetElement { key: Some(key.to_vec()), key_end: Some(end.to_vec()), ..Default::default() }
    }

    #[test]
    fn a_range_comes_apart_into_prefixes() {
        let lengths = |from: u16, to: u16| -> Vec<u32> {
            prefixes(&from.to_be_bytes(), &to.to_be_bytes()).into_iter().map(|(l, _)| l).collect()
        };
        assert_eq!(lengths(0, u16::MAX), [0]);
        assert_eq!(lengths(80, 80), [16]);
        assert_eq!(lengths(1, 6), [16, 15, 15, 16]);
        assert_eq!(lengths(32768, 65535), [1]);
    }

    /// Each key is in the set just where it is within a range in all its parts.
    #[test]
    fn parts_of_keys_are_found_by_their_ranges() {
        let elements = vec![
            range(&[10, 0, 0, 0, 0, 80, 0, 0], &[10, 0, 3, 255, 0, 90, 0, 0]),
            range(&[10, 1, 0, 7, 0, 22, 0, 0], &[10, 1, 0, 7, 0, 22, 0, 0]),
            range(&[10, 2, 0, 1, 0, 1, 0, 0], &[10, 2, 255, 254, 255, 254, 0, 0]),
        ];
        let fields = vec![4, 2];
        let set = Set { flags: INTERVAL, key_len: 8, fields, elements, ..Set::default() };
        let index = SetIndex::new(&set);
        let found = |ip: [u8; 4], port: u16| {
            let key = [&ip[..], &port.to_be_bytes(), &[0, 0]].concat();
            let found = index.find(&key)?;
            set.elements.iter().position(|e| e == found)
        };
        assert_eq!(found([10, 0, 2, 9], 85), Some(0));
        assert_eq!(found([10, 0, 2, 9], 91), None);
        assert_eq!(found([10, 0, 4, 0], 85), None);
        assert_eq!(found([10, 1, 0, 7], 22), Some(1));
        assert_eq!(found([10, 2, 128, 3], 40000), Some(2));
        assert_eq!(found([10, 2, 255, 255], 40000), None);
    }

    /// Keys that no kernel has: too long, of parts beyond their end, of two lengths.
    #[test]
    fn keys_that_cannot_be_are_never_met() {
        let set = |key_len, fields: &[u32], elements| Set {
            flags: INTERVAL,
            key_len,
            fields: fields.to_vec(),
            elements,
            ..Set::default()
        };
        let wide = [range(&[0; 4], &[0xfe, 1, 1, 1]), range(&[0; 2], &[9; 4]), range(&[0], &[9])];
        for (key_len, fields) in [(4, &[1, 4, 4][..]), (u32::MAX, &[u32::MAX, 4]), (4, &[4, 4, 4])]
        {
            let set = set(key_len, fields, wide.to_vec());
            let index = SetIndex::new(&set);
            let _ = index.find(&[5, 5, 5, 5]);
        }
        let long = set(1 << 16, &[], vec![range(&[1; 1 << 16], &[0xfe; 1 << 16])]);
        assert!(SetIndex::new(&long).find(&[5, 5, 5, 5]).is_none());
    }

    #[test]
    fn where_one_interval_ends_the_next_begins() {
        let at = |n: u8, flags| SetElement { key: Some(vec![n]), flags, ..Default::default() };
        let elements = vec![at(30, 1), at(20, 0), at(20, 1), at(10, 0)];
        let set = Set { flags: INTERVAL, key_len: 1, elements, ..Set::default() };
        let index = SetIndex::new(&set);
        let inside = |n: u8| index.find(&[n]).is_some();
        assert_eq!([9, 10, 19, 20, 29, 30].map(inside), [false, true, true, true, true, false]);
    }
}
