//! Single elements and keys of sets that say themselves what their keys are.

use model::{Data, Set, SetElement};

use super::set::{END, INTERVAL, between, interval, order};
use super::value::Kind;
use super::verdict_text;

/// Bits of a part's type within the type of a concatenated key.
const TYPE_BITS: u32 = 6;

/// What an element is for, and of a map of verdicts where it leads: `10.0.0.0/24`, `80 : jump web`,
/// `10.0.0.1 . 80-90`.
pub(in crate::rule_text) fn element(set: &Set, element: &SetElement) -> String {
    let text = match (&element.key, &element.key_end) {
        (None, _) => "*".to_owned(),
        (Some(first), Some(last)) => parts(set, first, last),
        (Some(first), None) if set.flags & INTERVAL != 0 && set.fields.is_empty() => {
            let kind = kinds(set).first().copied().unwrap_or(Kind::Bytes);
            interval(kind, first, end(set, kind, element))
        }
        (Some(one), None) => key(set, one),
    };
    match &element.data {
        Some(Data::Verdict(verdict)) => format!("{text} : {}", verdict_text(verdict)),
        Some(Data::Value(_)) | None => text,
    }
}

/// A key that is looked for: `10.0.0.1 . 80`.
pub(in crate::rule_text) fn key(set: &Set, key: &[u8]) -> String {
    parts(set, key, key)
}

/// Where an interval that begins with this element ends; None: with the last value there is.
fn end<'s>(set: &'s Set, kind: Kind, first: &SetElement) -> Option<&'s [u8]> {
    let from = order(kind, first);
    let ends = set.elements.iter().filter(|e| e.flags & END != 0 && order(kind, e) > from);
    ends.min_by_key(|e| order(kind, e))?.key.as_deref()
}

/// The parts of a key, each from its first value to its last.
fn parts(set: &Set, first: &[u8], last: &[u8]) -> String {
    let kinds = kinds(set);
    if kinds.len() < 2 {
        return between(kinds.first().copied().unwrap_or(Kind::Bytes), first, last);
    }
    let mut at = 0;
    let mut texts = Vec::new();
    for kind in kinds {
        let own = at..at + width(kind);
        let (Some(from), Some(to)) = (first.get(own.clone()), last.get(own.clone())) else {
            return between(Kind::Bytes, first, last);
        };
        texts.push(between(kind, from, to));
        // Each begins in a register of its own.
        at = own.end.next_multiple_of(4);
    }
    texts.join(" . ")
}

/// What the parts of a set's keys are; none where that is not known.
fn kinds(set: &Set) -> Vec<Kind> {
    let parts = (0..u32::BITS / TYPE_BITS).rev().map(|nth| set.key_type >> (nth * TYPE_BITS));
    let types = parts.skip_while(|rest| *rest == 0).map(|rest| rest & ((1 << TYPE_BITS) - 1));
    types.map(Kind::of_type).collect::<Option<_>>().unwrap_or_default()
}

/// Bytes of a value in a key.
const fn width(kind: Kind) -> usize {
    match kind {
        Kind::Protocol => 1,
        Kind::Port => 2,
        Kind::Mac => 6,
        Kind::Ip6 | Kind::LinkName => 16,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key_type: u32, flags: u32, elements: &[(&[u8], u32)]) -> Set {
        let element = |(key, flags): &(&[u8], u32)| SetElement {
            key: Some(key.to_vec()),
            flags: *flags,
            ..SetElement::default()
        };
        let elements = elements.iter().map(element).collect();
        Set { key_type, flags, elements, ..Set::default() }
    }

    #[test]
    fn intervals_end_where_the_next_end_is() {
        let ends = [(&[10, 0, 1, 0][..], 1), (&[10, 0, 0, 0][..], 0), (&[10, 9, 0, 0][..], 0)];
        let set = set(7, INTERVAL, &ends);
        assert_eq!(element(&set, &set.elements[1]), "10.0.0.0/24");
        assert_eq!(element(&set, &set.elements[2]), "10.9.0.0-255.255.255.255");
        assert_eq!(key(&set, &[10, 0, 0, 7]), "10.0.0.7");
    }

    #[test]
    fn parts_of_a_key_are_told_one_by_one() {
        let set = set(7 << 12 | 12 << 6 | 13, 0, &[(&[10, 0, 0, 1, 6, 0, 0, 0, 0, 80], 0)]);
        assert_eq!(element(&set, &set.elements[0]), "10.0.0.1 . tcp . 80");
        let last = Some(vec![10, 0, 0, 1, 6, 0, 0, 0, 0, 90]);
        let range = SetElement { key_end: last, ..set.elements[0].clone() };
        assert_eq!(element(&set, &range), "10.0.0.1 . tcp . 80-90");
        let strange = Set { key_type: 63 << 6 | 13, ..set.clone() };
        assert_eq!(element(&strange, &set.elements[0]), "0x0a000001060000000050");
    }
}
