//! What can be wrong with a check file. Each error is one sentence with its cause and its remedy.

use std::fmt;

use yaml::At;

/// One thing that is wrong with a check file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckError {
    /// The file, as the caller named it.
    pub file: String,
    /// The place; line 0: no place in particular.
    pub at: At,
    /// What.
    pub problem: Problem,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.line {
            0 => write!(f, "{}: {}", self.file, self.problem),
            line => write!(f, "{}:{line}:{}: {}", self.file, self.at.column, self.problem),
        }
    }
}

impl std::error::Error for CheckError {}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each says what it is and what its fields are")]
pub enum Problem {
    #[error("not valid YAML: {0}")]
    Yaml(String),
    #[error("no rule is in it: write at least one, as in `web -> db: 5432`")]
    NoRules,
    #[error(
        "{key:?} is given twice in this map (first on line {first}): put both into one list, as in [80, 443]"
    )]
    KeyTwice { key: String, first: u32 },
    #[error(
        "{key:?} is no rule and no part of a check file: a rule has an arrow, as in `web -> db: 5432`; the parts are `groups:` and `rules:`"
    )]
    NoArrow { key: String },
    #[error("{side:?} names nobody before or behind the arrow: write it as in `web -> db: 5432`")]
    NoSide { side: String },
    #[error("{of} must be {wanted}, but this is {found}")]
    WrongType { of: &'static str, wanted: &'static str, found: &'static str },
    #[error(
        "{found:?} is nothing that a packet can be sent to: write a TCP port (5432), `53/udp`, `icmp`, or `deny` alone or before one of these"
    )]
    NoService { found: String },
    #[error("{found:?} is no port: ports are 1 to 65535")]
    NoPort { found: String },
    #[error("the rule says nothing: write a port that must be reached, or `deny`")]
    NoWants,
    #[error("unknown key {key:?} in a group{}: there are {known}", near(.nearest))]
    UnknownKey { key: String, nearest: Option<String>, known: String },
    #[error(
        "the group {group:?} has nobody in it: write names, addresses, or `network:` and the like"
    )]
    EmptyGroup { group: String },
    #[error(
        "{word:?} cannot name a group: it stands for something else in a rule; choose another name"
    )]
    ReservedName { word: String },
    #[error("nothing here fits {word:?}{}: a rule about nobody would always hold; correct it or remove it", near(.nearest))]
    NothingFits { word: String, nearest: Option<String> },
    #[error(
        "nothing comes in from outside: no card or tap is up here; remove `outside` before the arrow"
    )]
    NothingOutside,
    #[error(
        "no namespace has an address in {net}: name one address out there, as in {first}, to ask about it"
    )]
    NobodyInPrefix { net: String, first: String },
}

fn near(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|n| format!(" (did you mean {n:?}?)")).unwrap_or_default()
}

/// The name that is most like `word`, if one is like it at all.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let like = |name: &str| strsim::jaro_winkler(word, name);
    let near = known.into_iter().map(|name| (like(name), name)).filter(|(l, _)| *l >= 0.75);
    near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name.to_owned())
}

/// The errors found so far.
#[derive(Debug)]
pub(crate) struct Errors {
    file: String,
    list: Vec<CheckError>,
}

impl Errors {
    pub(crate) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), list: Vec::new() }
    }

    pub(crate) fn push(&mut self, at: At, problem: Problem) {
        self.list.push(CheckError { file: self.file.clone(), at, problem });
    }

    pub(crate) const fn count(&self) -> usize {
        self.list.len()
    }

    /// What was found good, unless anything was not.
    pub(crate) fn or<T>(mut self, good: T) -> Result<T, Vec<CheckError>> {
        if self.list.is_empty() {
            return Ok(good);
        }
        self.list.sort_by_key(|e| e.at);
        self.list.dedup();
        Err(self.list)
    }
}
