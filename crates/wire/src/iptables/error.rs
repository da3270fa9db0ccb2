use super::words::Word;

/// Why a rule cannot be understood: what is wrong, with which word, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The offending word.
    pub word: String,
    /// Its first character's place in the rule, from 1.
    pub column: usize,
    /// What was probably meant.
    pub nearest: Option<String>,
}

impl std::error::Error for ParseError {}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "column {}: `{}`: {}", self.column, self.word, self.kind)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

/// What is wrong with a word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// No option of that name, or not with these matches and this target.
    #[error("no such option here")]
    UnknownOption,
    /// An option of a match that has not been asked for.
    #[error("belongs to `-m {0}`, which is not asked for")]
    NeedsMatch(&'static str),
    /// The beginning of several options.
    #[error("can mean several options")]
    Ambiguous,
    /// A match that is not supported.
    #[error("no such match is supported")]
    UnknownMatch,
    /// A target of iptables that is not supported.
    #[error("this target is not supported")]
    UnknownTarget,
    /// The rule ends where a value must follow.
    #[error("needs a value after it")]
    MissingValue,
    /// `!` before something that cannot be inverted, or before nothing.
    #[error("`!` has no meaning here")]
    NotInvertible,
    /// The value is not what the option takes.
    #[error("is not {0}")]
    BadValue(&'static str),
    /// The option was given before.
    #[error("is given twice")]
    Twice,
    /// A word where an option should be.
    #[error("an option should be here")]
    NoOption,
    /// A quote without its end.
    #[error("this quote has no end")]
    Quote,
    /// A word with a zero byte, at which the kernel's names and strings end.
    #[error("holds a zero byte")]
    ZeroByte,
    /// The match or target needs `-p` with one of these.
    #[error("needs `-p` with {0}")]
    NeedsProtocol(&'static str),
    /// iptables would make several rules of it.
    #[error("several addresses make several rules: write them one by one")]
    SeveralAddresses,
    /// The target works elsewhere only.
    #[error("works only in {0}")]
    WrongPlace(&'static str),
    /// A match or target lacks what it cannot do without.
    #[error("needs {0}")]
    Incomplete(&'static str),
    /// The test can never be true.
    #[error("can never match")]
    Never,
}

impl ErrorKind {
    /// This error about that word.
    pub(super) fn at(self, word: &Word) -> ParseError {
        ParseError { kind: self, word: word.text.clone(), column: word.column, nearest: None }
    }
}

impl ParseError {
    /// Names the nearest of the known words, if one is near.
    pub(super) fn near<'a>(mut self, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.nearest = nearest(&self.word, known);
        self
    }
}

/// The known word that differs least, at most by a third of its length.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&word.to_lowercase(), &k.to_lowercase()), k))
        .filter(|(distance, k)| *distance <= (k.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k.to_owned())
}
