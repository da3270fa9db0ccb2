//! Sets and maps: their keys by what is looked up in them, else by nft's own type numbers.

use std::hash::BuildHasher;

use model::{Data, Set, SetElement};

use super::super::StandIns;
use super::register::{Field, Kind, number, put};

/// NFT_SET_INTERVAL.
const INTERVAL: u32 = 4;
/// NFT_SET_ELEM_INTERVAL_END.
const END: u32 = 1;

pub(super) fn replace<K: BuildHasher>(keys: &StandIns<K>, set: &mut Set, looked_up: &[Field]) {
    let typed = typed(set.key_type, set.key_len);
    let mut fields = if typed.is_empty() { looked_up.to_vec() } else { typed };
    let length = usize::try_from(set.key_len).unwrap_or_default();
    fields.retain(|f| f.at < length);
    set.name = keys.name(&set.name);
    set.userdata = order(&set.userdata);
    if set.flags & INTERVAL != 0 && set.fields.is_empty() {
        intervals(keys, set, &fields);
    } else {
        set.elements.iter_mut().for_each(|element| self::element(keys, element, &fields));
    }
    let value = set.data_type.map(|kind| self::typed(kind, set.data_len.unwrap_or_default()));
    for element in &mut set.elements {
        // A comment, for nft.
        element.userdata.clear();
        if let Some(name) = &mut element.object {
            *name = keys.name(name);
        }
        match &mut element.data {
            Some(Data::Value(bytes)) => {
                value.iter().flatten().for_each(|field| field.replace(keys, bytes));
            }
            Some(Data::Verdict(verdict)) => super::verdict(keys, verdict),
            None => {}
        }
    }
}

fn element<K: BuildHasher>(keys: &StandIns<K>, element: &mut SetElement, fields: &[Field]) {
    for field in fields {
        match (&mut element.key, &mut element.key_end) {
            (Some(from), Some(to)) => field.range(keys, from, to),
            (Some(key), None) => field.replace(keys, key),
            _ => {}
        }
    }
}

/// Elements that begin intervals, and the ones behind their ends. Each interval is replaced as one.
fn intervals<K: BuildHasher>(keys: &StandIns<K>, set: &mut Set, fields: &[Field]) {
    let [field] = fields else {
        set.elements.iter_mut().for_each(|element| self::element(keys, element, fields));
        return;
    };
    let mut order: Vec<usize> = (0..set.elements.len()).collect();
    let ends = |element: &SetElement| element.flags & END != 0;
    order.sort_by_key(|i| (set.elements[*i].key.clone(), !ends(&set.elements[*i])));
    let mut begun: Option<usize> = None;
    for place in order {
        if !ends(&set.elements[place]) {
            begun = Some(place);
            if set.elements[place].key_end.is_some() {
                element(keys, &mut set.elements[place], fields);
            }
            continue;
        }
        if let Some(first) = begun.take() {
            let (Some(mut from), Some(behind)) =
                (set.elements[first].key.clone(), set.elements[place].key.clone())
            else {
                continue;
            };
            let mut last = behind.clone();
            put(number(&behind).wrapping_sub(1), &mut last);
            field.range(keys, &mut from, &mut last);
            put(number(&last).wrapping_add(1), &mut last);
            set.elements[first].key = Some(from);
            set.elements[place].key = Some(last);
        }
    }
    // One that goes on to the end of all addresses.
    if let Some(key) = begun.and_then(|first| set.elements[first].key.as_mut()) {
        field.replace(keys, key);
    }
}

/// nft's numbers of types; of concatenations, six bits each, the last one lowest.
fn typed(kind: u32, len: u32) -> Vec<Field> {
    let mut kinds: Vec<u32> = (0..5).map(|n| kind >> (6 * n) & 0x3f).collect();
    while kinds.last() == Some(&0) {
        kinds.pop();
    }
    kinds.reverse();
    let lengths = |kind| match kind {
        7 => Some((4, Kind::Ip4)),
        8 => Some((16, Kind::Ip6)),
        9 => Some((6, Kind::Mac)),
        41 => Some((16, Kind::Name)),
        _ => None,
    };
    let mut at = 0;
    let mut fields = Vec::new();
    for kind in &kinds {
        // Every part takes whole words; a part of another type takes one.
        let size = lengths(*kind).map_or(4, |(size, _): (usize, _)| size);
        fields.extend(lengths(*kind).map(|(size, kind)| Field::new(at, size, kind)));
        at += size.next_multiple_of(4);
    }
    let whole = usize::try_from(len).unwrap_or_default().next_multiple_of(4);
    // A verdict's number, or a part that is longer: then lookups have to say.
    if at == whole { fields } else { Vec::new() }
}

/// Of what nft notes down for itself: the order of bytes of keys (0) and of data (1).
fn order(userdata: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut rest = userdata;
    while let [kind, length, tail @ ..] = rest {
        let Some((value, tail)) = tail.split_at_checked(usize::from(*length)) else { break };
        if *kind <= 1 && value.len() == 4 {
            kept.extend([*kind, *length]);
            kept.extend_from_slice(value);
        }
        rest = tail;
    }
    kept
}
