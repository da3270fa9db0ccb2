use super::error::{ErrorKind, ParseError};

/// A word of a rule and where it begins (from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) column: usize,
}

/// The words of a rule, one after the other.
#[derive(Debug)]
pub(super) struct Words {
    words: std::vec::IntoIter<Word>,
}

impl Words {
    /// Splits as a shell does: at blanks, with `"…"`, `'…'` and `\`. (iptables-save quotes so too.)
    pub(super) fn split(text: &str) -> Result<Self, ParseError> {
        let mut words = Vec::new();
        let mut splitter = Splitter { rest: text.chars().enumerate().peekable() };
        while let Some(word) = splitter.word()? {
            words.push(word);
        }
        Ok(Self { words: words.into_iter() })
    }

    pub(super) fn next(&mut self) -> Option<Word> {
        self.words.next()
    }

    /// The value of an option.
    pub(super) fn value(&mut self, option: &Word) -> Result<Word, ParseError> {
        self.words.next().ok_or_else(|| ErrorKind::MissingValue.at(option))
    }

    /// Puts a word in front of the rest: the value in `--option=value`.
    pub(super) fn push_front(&mut self, word: Word) {
        let rest = std::mem::take(&mut self.words);
        self.words = std::iter::once(word).chain(rest).collect::<Vec<_>>().into_iter();
    }
}

struct Splitter<'a> {
    rest: std::iter::Peekable<std::iter::Enumerate<std::str::Chars<'a>>>,
}

impl Splitter<'_> {
    fn word(&mut self) -> Result<Option<Word>, ParseError> {
        while self.rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        let Some((start, _)) = self.rest.peek().copied() else { return Ok(None) };
        let mut word = Word { text: String::new(), column: start + 1 };
        while let Some((_, c)) = self.rest.next_if(|(_, c)| !c.is_whitespace()) {
            match c {
                '"' | '\'' => self.quoted(c, &mut word)?,
                '\\' => word.text.extend(self.rest.next().map(|(_, c)| c)),
                c => word.text.push(c),
            }
        }
        if word.text.contains('\0') {
            return Err(ErrorKind::ZeroByte.at(&word));
        }
        Ok(Some(word))
    }

    fn quoted(&mut self, quote: char, word: &mut Word) -> Result<(), ParseError> {
        loop {
            match self.rest.next() {
                None => return Err(ErrorKind::Quote.at(word)),
                Some((_, c)) if c == quote => return Ok(()),
                Some((_, '\\')) if quote == '"' => {
                    word.text.extend(self.rest.next().map(|(_, c)| c));
                }
                Some((_, c)) => word.text.push(c),
            }
        }
    }
}
