//! Lines of `KEY VALUE KEY VALUE …`.

/// The words of a line, taken one after the other.
pub(crate) struct Words<'a> {
    rest: std::iter::Peekable<std::str::SplitWhitespace<'a>>,
}

impl<'a> Words<'a> {
    pub(crate) fn new(line: &'a str) -> Self {
        Self { rest: line.split_whitespace().peekable() }
    }

    pub(crate) fn peek(&mut self) -> Option<&'a str> {
        self.rest.peek().copied()
    }

    /// The next word as a value of that kind; None if it is none.
    pub(crate) fn value<T: std::str::FromStr>(&mut self) -> Option<T> {
        self.next()?.parse().ok()
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.rest.next()
    }
}

/// What stands behind a key in a list of words.
pub(crate) fn after<'a>(words: &'a [String], key: &str) -> Option<&'a str> {
    let at = words.iter().position(|w| w == key)?;
    words.get(at + 1).map(String::as_str)
}

/// A number behind a key.
pub(crate) fn number<T: std::str::FromStr>(words: &[String], key: &str) -> Option<T> {
    after(words, key)?.parse().ok()
}

/// `on`, `1` or `true` behind a key.
pub(crate) fn flag(words: &[String], key: &str) -> Option<bool> {
    match after(words, key)? {
        "on" | "1" | "true" => Some(true),
        "off" | "0" | "false" => Some(false),
        _ => None,
    }
}
