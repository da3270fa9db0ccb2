//! A YAML file as a tree whose every node knows its place, so that whoever finds something wrong in
//! it can say where.

#![forbid(unsafe_code)]

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{AliasLimits, DuplicateKeyPolicy};
use serde_saphyr::{Location, Spanned};

/// A place in a file: line and column, both from 1. 0: nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// Line.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
}

impl At {
    fn of(location: Location) -> Self {
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Self { line: small(location.line()), column: small(location.column()) }
    }
}

/// Something, and where it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// Where.
    pub at: At,
    /// What.
    pub what: T,
}

impl<T> Said<T> {
    /// That, said there.
    pub const fn new(at: At, what: T) -> Self {
        Self { at, what }
    }
}

/// A value of the file.
pub type Node = Said<Value>;

/// What a value is. Numbers stay as they are written: `1e3` may be a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A word or a number.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<(Said<String>, Node)>),
}

/// What keeps a text from being such a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no YAML: the reader's message.
    Syntax(String),
    /// A key is given twice in one map; the first was on that line.
    KeyTwice {
        /// The key.
        key: String,
        /// The line of the first.
        first: u32,
    },
}

impl Value {
    /// In words, as after "this is".
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Text(_) => "a word",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// Reads YAML 1.2 into a tree; a key given twice is a fault, and the rest goes on.
pub fn read(text: &str, faults: &mut Vec<(At, Fault)>) -> Option<Node> {
    let mut options = serde_saphyr::Options::default();
    options.strict_booleans = true;
    options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
    let mut aliases = AliasLimits::default();
    aliases.max_total_replayed_events = 100_000;
    options.alias_limits = aliases;
    match serde_saphyr::from_str_with_options::<Spanned<Any>>(text, options) {
        Ok(tree) => Some(node(tree, text, faults)),
        Err(error) => {
            let at = error.location().map(At::of).unwrap_or_default();
            faults.push((at, Fault::Syntax(plain(&error))));
            None
        }
    }
}

/// The reader's message without its own mention of the place and without the excerpt.
fn plain(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let first = text.lines().next().unwrap_or_default();
    let cut = first.find(" at line ").unwrap_or(first.len());
    first[..cut].trim_start_matches("error: ").to_owned()
}

type Faults = Vec<(At, Fault)>;

/// What serde sees, before the places are taken over.
enum Any {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
}

fn node(any: Spanned<Any>, text: &str, faults: &mut Faults) -> Node {
    let what = match any.value {
        Any::Null => Value::Null,
        Any::Bool(b) => Value::Bool(b),
        Any::Text(t) => Value::Text(t),
        Any::Number => Value::Text(raw(any.defined, text)),
        Any::List(items) => Value::List(items.into_iter().map(|i| node(i, text, faults)).collect()),
        Any::Map(entries) => Value::Map(map(entries, text, faults)),
    };
    Said::new(At::of(any.referenced), what)
}

fn map(
    entries: Vec<(Spanned<String>, Spanned<Any>)>,
    text: &str,
    faults: &mut Faults,
) -> Vec<(Said<String>, Node)> {
    let mut map: Vec<(Said<String>, Node)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let key = Said::new(At::of(key.referenced), key.value);
        let value = node(value, text, faults);
        if let Some((first, _)) = map.iter().find(|(k, _)| k.what == key.what) {
            faults.push((key.at, Fault::KeyTwice { key: key.what, first: first.at.line }));
        } else {
            map.push((key, value));
        }
    }
    map
}

/// A number as it is written.
fn raw(location: Location, text: &str) -> String {
    let span = location.span();
    let start = usize::try_from(span.offset()).unwrap_or(usize::MAX);
    let len = usize::try_from(span.len()).unwrap_or(0);
    // Counted in characters, which are bytes in all but few files.
    if text.is_ascii() {
        let end = start.saturating_add(len).min(text.len());
        return text.get(start..end).unwrap_or_default().trim().to_owned();
    }
    text.chars().skip(start).take(len).collect::<String>().trim().to_owned()
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Any;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Any, E> {
        Ok(Any::Null)
    }

    fn visit_none<E>(self) -> Result<Any, E> {
        Ok(Any::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Any, E> {
        Ok(Any::Bool(b))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Any, E> {
        Ok(Any::Number)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Any, E> {
        Ok(Any::Number)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Any, E> {
        Ok(Any::Number)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Any, E> {
        Ok(Any::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Any, E> {
        Ok(Any::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Any, E> {
        Ok(Any::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Any, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Any::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Any, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Any::Map(entries))
    }
}
