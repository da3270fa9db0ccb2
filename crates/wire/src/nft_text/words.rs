//! A rule as a row of words.

use std::collections::VecDeque;

/// Why a rule is not understood: which word, and what about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordError {
    /// The offending word; empty at the end.
    pub word: String,
    /// What is wrong with it.
    pub why: String,
}

impl std::error::Error for WordError {}

impl std::fmt::Display for WordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.word.as_str() {
            "" => write!(f, "{}", self.why),
            word => write!(f, "`{word}` {}", self.why),
        }
    }
}

/// A word; of one in quotes, what is between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) quoted: bool,
}

impl Word {
    pub(super) fn wrong(&self, why: impl Into<String>) -> WordError {
        WordError { word: self.text.clone(), why: why.into() }
    }

    fn is(&self, text: &str) -> bool {
        !self.quoted && self.text == text
    }
}

/// The words that are left.
pub(super) struct Words(VecDeque<Word>);

impl Words {
    /// Braces and commas are words of their own.
    pub(super) fn new(text: &str) -> Result<Self, WordError> {
        let mut all = VecDeque::new();
        let mut word = String::new();
        let end = |word: &mut String, all: &mut VecDeque<Word>| {
            if !word.is_empty() {
                all.push_back(Word { text: std::mem::take(word), quoted: false });
            }
        };
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '"' => {
                    end(&mut word, &mut all);
                    let text: String = letters.by_ref().take_while(|c| *c != '"').collect();
                    all.push_back(Word { text, quoted: true });
                }
                '{' | '}' | ',' => {
                    end(&mut word, &mut all);
                    all.push_back(Word { text: letter.to_string(), quoted: false });
                }
                c if c.is_whitespace() => end(&mut word, &mut all),
                c => word.push(c),
            }
        }
        end(&mut word, &mut all);
        if text.matches('"').count() % 2 == 1 {
            return Err(WordError { word: String::new(), why: "a quote is not closed".to_owned() });
        }
        Ok(Self(all))
    }

    pub(super) fn next(&mut self) -> Result<Word, WordError> {
        let why =
            || WordError { word: String::new(), why: "something is missing at its end".into() };
        self.0.pop_front().ok_or_else(why)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the next word is this one.
    pub(super) fn sees(&self, text: &str) -> bool {
        self.0.front().is_some_and(|word| word.is(text))
    }

    /// The next word, left where it is.
    pub(super) fn peek(&self) -> Option<&str> {
        self.0.front().filter(|word| !word.quoted).map(|word| word.text.as_str())
    }

    /// Takes the next word if it is this one.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let is = self.sees(text);
        if is {
            self.0.pop_front();
        }
        is
    }

    pub(super) fn expect(&mut self, text: &str) -> Result<(), WordError> {
        let word = self.next()?;
        if word.is(text) { Ok(()) } else { Err(word.wrong(format!("should be `{text}`"))) }
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self) -> Result<T, WordError> {
        let word = self.next()?;
        word.text.parse().map_err(|_| word.wrong("is no such number"))
    }

    /// Where the next word but one is `set`: takes both, and is the first.
    pub(super) fn set(&mut self) -> Option<Word> {
        self.0.get(1).filter(|word| word.is("set"))?;
        let what = self.0.pop_front();
        self.0.pop_front();
        what
    }

    pub(super) fn end(&self) -> Result<(), WordError> {
        self.0.front().map_or(Ok(()), |word| Err(word.wrong("is not expected here")))
    }
}
