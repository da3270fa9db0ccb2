//! What the kernel says of its own types (BTF, `/sys/kernel/btf/vmlinux`): where a field of a
//! structure is, and what the numbers of an enumeration are called. Both differ between kernels.
//!
//! Format: Documentation/bpf/btf.rst; little endian, as of the machines that nestwork runs on.

use std::collections::{HashMap, HashSet};

use thiserror::Error;

/// The types of one kernel.
#[derive(Debug)]
pub struct Btf<'a> {
    types: Vec<Type<'a>>,
    structures: HashMap<&'a str, usize>,
    enumerations: HashMap<&'a str, usize>,
}

/// What was read is not BTF, or of a kind that this program does not know.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not BTF as this program knows it (byte {0})")]
pub struct NotBtf(pub usize);

#[derive(Debug)]
struct Type<'a> {
    kind: u32,
    /// Bit offsets of members share their number with a bit field's size.
    bit_fields: bool,
    members: &'a [u8],
    strings: &'a [u8],
}

const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;

impl<'a> Btf<'a> {
    /// Reads the whole of it.
    ///
    /// # Errors
    /// If it is not BTF.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NotBtf> {
        const MAGIC: u32 = 0xeb9f;
        let head = |at| word(bytes, at).ok_or(NotBtf(at));
        if head(0)? & 0xffff != MAGIC {
            return Err(NotBtf(0));
        }
        let header = head(4)?;
        let part = |offset: u32, len: u32| {
            let start = usize::try_from(header).ok()?.checked_add(usize::try_from(offset).ok()?)?;
            bytes.get(start..start.checked_add(usize::try_from(len).ok()?)?)
        };
        let types = part(head(8)?, head(12)?).ok_or(NotBtf(8))?;
        let strings = part(head(16)?, head(20)?).ok_or(NotBtf(16))?;
        Self::of(types, strings)
    }

    fn of(mut rest: &'a [u8], strings: &'a [u8]) -> Result<Self, NotBtf> {
        let len = rest.len();
        // Type 0 is void.
        let void = Type { kind: 0, bit_fields: false, members: &[], strings };
        let mut btf =
            Self { types: vec![void], structures: HashMap::new(), enumerations: HashMap::new() };
        while !rest.is_empty() {
            let wrong = NotBtf(len - rest.len());
            let (Some(name), Some(info)) = (word(rest, 0), word(rest, 4)) else {
                return Err(wrong);
            };
            let (kind, entries) = ((info >> 24) & 0x1f, (info & 0xffff) as usize);
            let Some(members) = extra(kind, entries).and_then(|n| rest.get(12..12 + n)) else {
                return Err(wrong);
            };
            let place = match kind {
                STRUCT => Some(&mut btf.structures),
                ENUM => Some(&mut btf.enumerations),
                _ => None,
            };
            if let (Some(place), Some(name)) = (place, text(strings, name)) {
                place.entry(name).or_insert(btf.types.len());
            }
            btf.types.push(Type { kind, bit_fields: info >> 31 == 1, members, strings });
            rest = &rest[12 + members.len()..];
        }
        Ok(btf)
    }

    /// Where a field begins, in bytes from the structure's beginning; it may be in an unnamed
    /// structure or union within.
    #[must_use]
    pub fn offset(&self, structure: &str, field: &str) -> Option<u32> {
        let bits = self.find(*self.structures.get(structure)?, field, &mut HashSet::new())?;
        (bits % 8 == 0).then_some(bits / 8)
    }

    /// `seen` are the types that have been looked through: none is entered twice, so that types
    /// which hold each other come to an end.
    fn find(&self, id: usize, field: &str, seen: &mut HashSet<usize>) -> Option<u32> {
        const MOST: usize = 4096;
        let of = self.types.get(id)?;
        let known = matches!(of.kind, STRUCT | UNION) && seen.len() < MOST;
        if !known || !seen.insert(id) {
            return None;
        }
        of.members().find_map(|(name, member, at)| match name {
            "" => at.checked_add(self.find(member, field, seen)?),
            _ => (name == field).then_some(at),
        })
    }

    /// The numbers of an enumeration, and what each is called.
    #[must_use]
    pub fn names(&self, enumeration: &str) -> HashMap<u32, &'a str> {
        let id = self.enumerations.get(enumeration);
        let members = id.map(|id| &self.types[*id]).into_iter().flat_map(|of| {
            let each = of.members.chunks_exact(8);
            each.filter_map(|entry| Some((word(entry, 4)?, text(of.strings, word(entry, 0)?)?)))
        });
        members.collect()
    }
}

impl<'a> Type<'a> {
    /// Name, type and offset in bits of each.
    fn members(&self) -> impl Iterator<Item = (&'a str, usize, u32)> {
        let (strings, mask) = (self.strings, if self.bit_fields { 0x00ff_ffff } else { u32::MAX });
        self.members.chunks_exact(12).filter_map(move |member| {
            let name = text(strings, word(member, 0)?)?;
            Some((name, word(member, 4)? as usize, word(member, 8)? & mask))
        })
    }
}

/// How many bytes follow a type of that kind.
fn extra(kind: u32, entries: usize) -> Option<usize> {
    Some(match kind {
        1 | 14 | 17 => 4,                         // integer, variable, declaration tag
        3 => 12,                                  // array
        STRUCT | UNION | 15 | 19 => 12 * entries, // (data section, 64-bit enumeration)
        ENUM | 13 => 8 * entries,                 // (prototype of a function)
        2 | 7..=12 | 16 | 18 => 0, // pointer, what stands for another, function, float
        _ => return None,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

fn text(strings: &[u8], at: u32) -> Option<&str> {
    let rest = strings.get(usize::try_from(at).ok()?..)?;
    let end = rest.iter().position(|b| *b == 0)?;
    std::str::from_utf8(&rest[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A structure of a header, an unnamed union with `dev`, and a bit field; an enumeration.
    fn sample() -> Vec<u8> {
        let strings = b"\0buffer\0head\0dev\0flag\0why\0LOST\0FOUND\0";
        let at = |name: &str| {
            let name = format!("\0{name}\0");
            let found = strings.windows(name.len()).position(|w| w == name.as_bytes());
            u32::try_from(found.unwrap()).unwrap() + 1
        };
        let types = [
            // 1: u64
            vec![0, 1 << 24, 8, 64],
            // 2: union { u64 dev; }
            vec![0, (UNION << 24) | 1, 8, at("dev"), 1, 0],
            // 3: struct buffer { u64 head; union 2; u64 flag:1; }
            vec![
                at("buffer"),
                (1 << 31) | (STRUCT << 24) | 3,
                24,
                at("head"),
                1,
                0,
                0,
                2,
                64,
                at("flag"),
                1,
                (1 << 24) | 129,
            ],
            // 4: enum why { LOST = 7, FOUND = 9 }
            vec![at("why"), (ENUM << 24) | 2, 4, at("LOST"), 7, at("FOUND"), 9],
        ];
        let types: Vec<u8> = types.concat().into_iter().flat_map(u32::to_le_bytes).collect();
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
        let header = [0x1_eb9f, 24, 0, len(&types), len(&types), len(strings)];
        let header = header.into_iter().flat_map(u32::to_le_bytes);
        header.chain(types).chain(strings.iter().copied()).collect()
    }

    #[test]
    fn fields_and_names() {
        let bytes = sample();
        let btf = Btf::parse(&bytes).unwrap();
        assert_eq!(btf.offset("buffer", "head"), Some(0));
        assert_eq!(btf.offset("buffer", "dev"), Some(8), "within an unnamed union");
        assert_eq!(btf.offset("buffer", "flag"), None, "a bit field begins within a byte");
        assert_eq!(btf.offset("buffer", "tail"), None);
        assert_eq!(btf.offset("why", "LOST"), None);
        assert_eq!(btf.names("why"), HashMap::from([(7, "LOST"), (9, "FOUND")]));
        assert_eq!(btf.names("buffer"), HashMap::new());
    }

    /// Each of two structures holds both, twice and without a name.
    #[test]
    fn types_that_hold_each_other_come_to_an_end() {
        let strings = b"\0a\0";
        let holds = |name| {
            let head = [name, (STRUCT << 24) | 4, 8];
            [&head[..], &[0, 1, 0, 0, 2, 0, 0, 1, 0, 0, 2, 0]].concat()
        };
        let types: Vec<u8> =
            [holds(1), holds(0)].concat().into_iter().flat_map(u32::to_le_bytes).collect();
        let btf = Btf::of(&types, strings).unwrap();
        assert_eq!(btf.offset("a", "b"), None);
    }

    #[test]
    fn what_is_cut_off_is_refused_or_read_as_far() {
        let bytes = sample();
        for len in 0..bytes.len() {
            if let Ok(btf) = Btf::parse(&bytes[..len]) {
                assert_eq!(btf.offset("buffer", "nothing"), None);
            }
        }
        assert_eq!(Btf::parse(b"#!/bin/sh\n").unwrap_err(), NotBtf(0));
    }
}
