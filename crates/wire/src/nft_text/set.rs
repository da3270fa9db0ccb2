//! Sets and maps.

use model::{Data, Set, SetElement};

use super::SetSpec;
use super::statement::verdict;
use super::value::{Kind, Range};
use super::words::{WordError, Words};

/// NFT_SET_*.
const ANONYMOUS: u32 = 1;
const CONSTANT: u32 = 2;
const INTERVAL: u32 = 4;
const MAP: u32 = 8;
const CONCAT: u32 = 128;
/// NFT_SET_ELEM_INTERVAL_END.
const END: u32 = 1;
/// NFT_DATA_VERDICT, and the bytes of one in the kernel.
const VERDICT: u32 = 0xffff_ff00;
const VERDICT_LEN: u32 = 16;
/// TYPE_BITS of nft: the types of a concatenation stand one behind the other.
const TYPE_BITS: u32 = 6;

/// What a map gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Verdict,
    Of(Kind),
}

/// A set or map that is being made.
pub(super) struct Making {
    pub(super) name: String,
    pub(super) anonymous: bool,
    pub(super) keys: Vec<Kind>,
    pub(super) value: Option<Value>,
}

/// A key, part by part, and what a map gives for it.
type Element = (Vec<Range>, Option<Data>);

/// The set of that description.
pub(super) fn named(spec: &SetSpec) -> Result<Set, WordError> {
    let kind = |name: &str| {
        let wrong =
            || WordError { word: name.to_owned(), why: "is no type that is known here".into() };
        Kind::named(name.trim()).ok_or_else(wrong)
    };
    let keys = spec.key.split(" . ").map(kind).collect::<Result<_, _>>()?;
    let value = match spec.value.as_deref() {
        Some("verdict") => Some(Value::Verdict),
        Some(other) => Some(Value::Of(kind(other)?)),
        None => None,
    };
    let making = Making { name: spec.name.clone(), anonymous: false, keys, value };
    let mut elements = Vec::new();
    for text in &spec.elements {
        let mut words = Words::new(text)?;
        elements.push(making.element(&mut words)?);
        words.end()?;
    }
    Ok(making.set(elements))
}

impl Making {
    /// `{ 22, 80-90 : accept }`, the first brace of which has been read.
    pub(super) fn inline(&self, words: &mut Words) -> Result<Set, WordError> {
        let mut elements = Vec::new();
        while !words.take("}") {
            elements.push(self.element(words)?);
            if !words.take(",") && !words.sees("}") {
                return Err(words.next()?.wrong("should be `,` or `}`"));
            }
        }
        Ok(self.set(elements))
    }

    fn element(&self, words: &mut Words) -> Result<Element, WordError> {
        let mut key = Vec::new();
        for (nth, kind) in self.keys.iter().enumerate() {
            if nth > 0 {
                words.expect(".")?;
            }
            key.push(kind.range(&words.next()?)?);
        }
        let Some(value) = self.value else { return Ok((key, None)) };
        words.expect(":")?;
        let word = words.next()?;
        let data = match value {
            Value::Verdict => {
                let verdict = verdict(&word.text, words)?;
                Data::Verdict(verdict.ok_or_else(|| word.wrong("is no verdict"))?)
            }
            Value::Of(kind) => {
                Data::Value(kind.value(&word.text).ok_or_else(|| word.wrong("is no such value"))?)
            }
        };
        Ok((key, Some(data)))
    }

    fn set(&self, elements: Vec<Element>) -> Set {
        let several = self.keys.len() > 1;
        let ranges = elements.iter().flat_map(|(key, _)| key).any(|r| r.first != r.last);
        let mut flags = if self.anonymous { ANONYMOUS | CONSTANT } else { 0 };
        flags |= if ranges { INTERVAL } else { 0 };
        flags |= if ranges && several { CONCAT } else { 0 };
        flags |= if self.value.is_some() { MAP } else { 0 };
        let padded = |kind: &Kind| u32::try_from(kind.len().next_multiple_of(4)).unwrap_or(0);
        let lens: Vec<u32> = self.keys.iter().map(padded).collect();
        let only = self.keys.first().map_or(0, |kind| u32::try_from(kind.len()).unwrap_or(0));
        let fields = if ranges && several {
            self.keys.iter().map(|k| u32::try_from(k.len()).unwrap_or(0)).collect()
        } else {
            Vec::new()
        };
        Set {
            name: self.name.clone(),
            flags,
            key_type: self.keys.iter().fold(0, |all, kind| all << TYPE_BITS | kind.number()),
            key_len: if several { lens.iter().sum() } else { only },
            data_type: self.value.map(|value| match value {
                Value::Verdict => VERDICT,
                Value::Of(kind) => kind.number(),
            }),
            data_len: self.value.map(|value| match value {
                Value::Verdict => VERDICT_LEN,
                Value::Of(kind) => u32::try_from(kind.len()).unwrap_or(0),
            }),
            fields,
            elements: elements.into_iter().flat_map(|e| element(e, ranges)).collect(),
            ..Set::default()
        }
    }
}

/// A part of a concatenated key takes whole registers of four bytes.
fn joined(parts: Vec<Vec<u8>>) -> Vec<u8> {
    let padded = parts.into_iter().map(|mut part| {
        part.resize(part.len().next_multiple_of(4), 0);
        part
    });
    padded.flatten().collect()
}

fn element((key, data): Element, ranges: bool) -> Vec<SetElement> {
    let element = SetElement { data, ..SetElement::default() };
    match <[Range; 1]>::try_from(key) {
        Ok([Range { first, .. }]) if !ranges => vec![SetElement { key: Some(first), ..element }],
        // An interval is its first value, and behind its last one an end, which is in none.
        Ok([Range { first, last }]) => {
            let end = after(last).map(|key| SetElement {
                key: Some(key),
                flags: END,
                ..SetElement::default()
            });
            [SetElement { key: Some(first), ..element }].into_iter().chain(end).collect()
        }
        Err(parts) => {
            let (first, last): (Vec<_>, Vec<_>) =
                parts.into_iter().map(|r| (r.first, r.last)).unzip();
            let key_end = ranges.then(|| joined(last));
            vec![SetElement { key: Some(joined(first)), key_end, ..element }]
        }
    }
}

/// The next number; None: it is the largest.
fn after(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    for byte in bytes.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            return Some(bytes);
        }
    }
    None
}
