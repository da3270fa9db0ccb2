//! Sets that have no name of their own: their elements stand in the rule.

use model::{Data, Set, SetElement};

use super::value::Kind;
use super::verdict_text;

/// NFT_SET_ANONYMOUS.
pub(super) const ANONYMOUS: u32 = 1;
/// NFT_SET_INTERVAL.
pub(super) const INTERVAL: u32 = 4;
/// NFT_SET_ELEM_INTERVAL_END.
pub(super) const END: u32 = 1;

/// `{ 22, 80, 8000-8100 }`; None if the set holds something that is not known how to say.
pub(super) fn elements(set: &Set, kind: Kind) -> Option<String> {
    let mut sorted: Vec<&SetElement> = set.elements.iter().collect();
    sorted.sort_by_key(|e| (order(kind, e), e.flags & END == 0));
    let mut texts = Vec::new();
    for (index, element) in sorted.iter().enumerate() {
        if element.key_end.is_some() {
            return None;
        }
        if element.flags & END != 0 {
            continue;
        }
        let key = match &element.key {
            None => "*".to_owned(),
            Some(key) if set.flags & INTERVAL != 0 => {
                let end = sorted.get(index + 1).filter(|e| e.flags & END != 0);
                interval(kind, key, end.and_then(|e| e.key.as_deref()))
            }
            Some(key) => kind.text(key, None),
        };
        texts.push(match &element.data {
            None => key,
            Some(Data::Verdict(verdict)) => format!("{key} : {}", verdict_text(verdict)),
            Some(Data::Value(_)) => return None,
        });
    }
    Some(format!("{{ {} }}", texts.join(", ")))
}

/// The same of a set that says itself what its keys are. Not of intervals, whose ends may be
/// missing from a part of them.
pub(in crate::rule_text) fn by_type(set: &Set) -> Option<String> {
    let kind = Kind::of_type(set.key_type)?;
    if set.flags & INTERVAL != 0 { None } else { elements(set, kind) }
}

/// By value: what the kernel keeps in its own byte order is turned round.
pub(super) fn order(kind: Kind, element: &SetElement) -> Vec<u8> {
    let mut key = element.key.clone().unwrap_or_else(|| vec![0xff; 65]);
    if kind.is_host_order() && cfg!(target_endian = "little") {
        key.reverse();
    }
    key
}

/// From `first` up to, not with, `end`; without one, to the last value there is.
pub(super) fn interval(kind: Kind, first: &[u8], end: Option<&[u8]>) -> String {
    let last = match end {
        Some(end) => before(end),
        None => vec![0xff; first.len()],
    };
    between(kind, first, &last)
}

/// From `first` to `last`.
pub(super) fn between(kind: Kind, first: &[u8], last: &[u8]) -> String {
    if first == last {
        return kind.text(first, None);
    }
    // A block of addresses has a first address of zeros where its last has ones.
    let mask: Vec<u8> = first.iter().zip(last).map(|(a, b)| !(a ^ b)).collect();
    let ones: u32 = mask.iter().map(|b| b.count_ones()).sum();
    let fits = first.iter().zip(&mask).all(|(a, m)| a & !m == 0)
        && last.iter().zip(&mask).all(|(a, m)| a | m == 0xff);
    let text = kind.text(first, Some(&mask));
    if kind.is_address() && fits && text.ends_with(&format!("/{ones}")) {
        return text;
    }
    format!("{}-{}", kind.text(first, None), kind.text(last, None))
}

/// The number below, in network byte order.
fn before(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for byte in out.iter_mut().rev() {
        let (less, borrow) = byte.overflowing_sub(1);
        *byte = less;
        if !borrow {
            break;
        }
    }
    out
}
