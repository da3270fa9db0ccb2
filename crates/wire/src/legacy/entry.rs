//! struct ipt_entry and ip6t_entry: what each is, without what it asks for.

use std::collections::BTreeMap;

use model::{Family, Verdict};

/// Where the fields of an entry are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) family: Family,
    /// Bytes of an address.
    pub(super) address: usize,
    /// Places of: the link in; protocol; flags; inversions; target offset; matches.
    pub(super) links: usize,
    pub(super) protocol: usize,
    pub(super) flags: usize,
    pub(super) invert: usize,
    pub(super) offsets: usize,
    pub(super) matches: usize,
}

impl Layout {
    pub(super) const fn of(family: Family) -> Option<Self> {
        Some(match family {
            Family::Ip => Self {
                family,
                address: 4,
                links: 16,
                protocol: 80,
                flags: 82,
                invert: 83,
                offsets: 88,
                matches: 112,
            },
            Family::Ip6 => Self {
                family,
                address: 16,
                links: 64,
                protocol: 128,
                flags: 131,
                invert: 132,
                offsets: 140,
                matches: 168,
            },
            _ => return None,
        })
    }
}

/// One entry.
pub(super) struct Entry<'a> {
    pub(super) layout: Layout,
    /// Its head, up to the matches.
    pub(super) head: &'a [u8],
    /// Name, revision and struct of each match.
    pub(super) matches: Vec<Extension<'a>>,
    pub(super) kind: Kind<'a>,
    /// Offset of the entry behind.
    pub(super) next: u32,
}

/// A match or target.
pub(super) struct Extension<'a> {
    pub(super) name: String,
    pub(super) revision: u32,
    pub(super) info: &'a [u8],
}

/// What an entry does.
pub(super) enum Kind<'a> {
    /// A chain of that name begins behind it; or the table ends.
    Begins(String),
    Verdict(Verdict),
    /// To the chain that begins at that offset.
    Jump(u32),
    /// Nothing: on to the next.
    Falls,
    Target(Extension<'a>),
}

/// All entries by their offsets.
pub(super) fn all(layout: Layout, bytes: &[u8]) -> Option<BTreeMap<u32, Entry<'_>>> {
    let mut out = BTreeMap::new();
    let mut at = 0;
    while at < bytes.len() {
        let offset = u32::try_from(at).ok()?;
        let entry = parse(layout, offset, bytes.get(at..)?)?;
        at = usize::try_from(entry.next).ok()?;
        out.insert(offset, entry);
    }
    Some(out)
}

fn parse(layout: Layout, offset: u32, bytes: &[u8]) -> Option<Entry<'_>> {
    let target = usize::from(u16_at(bytes, layout.offsets)?);
    let next = u16_at(bytes, layout.offsets + 2)?;
    let size = usize::from(next);
    if target < layout.matches || size <= target {
        return None;
    }
    let mut matches = Vec::new();
    let mut at = layout.matches;
    while at < target {
        let (extension, len) = extension(bytes.get(at..target)?)?;
        matches.push(extension);
        at += len;
    }
    let (last, _) = extension(bytes.get(target..size)?)?;
    let next = offset.checked_add(u32::from(next))?;
    Some(Entry {
        layout,
        head: bytes.get(..layout.matches)?,
        matches,
        kind: kind(last, next)?,
        next,
    })
}

/// struct xt_entry_match, the same as xt_entry_target: size, name, revision, and what it says.
fn extension(bytes: &[u8]) -> Option<(Extension<'_>, usize)> {
    const HEAD: usize = 32;
    let len = usize::from(u16_at(bytes, 0)?);
    let info = bytes.get(HEAD..len)?;
    let name = text(bytes.get(2..31)?);
    Some((Extension { name, revision: u32::from(*bytes.get(31)?), info }, len))
}

fn kind(target: Extension<'_>, next: u32) -> Option<Kind<'_>> {
    Some(match target.name.as_str() {
        "ERROR" => Kind::Begins(text(target.info)),
        "" => {
            let code = i32::from_ne_bytes(target.info.get(..4)?.try_into().ok()?);
            match code {
                // The negative of a verdict, less one.
                -1 => Kind::Verdict(Verdict::Drop),
                -2 => Kind::Verdict(Verdict::Accept),
                -4 => Kind::Verdict(Verdict::Queue(3)),
                -5 => Kind::Verdict(Verdict::Return),
                code => match u32::try_from(code).ok()? {
                    to if to == next => Kind::Falls,
                    to => Kind::Jump(to),
                },
            }
        }
        _ => Kind::Target(target),
    })
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Up to the first NUL.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
