use unicode_width::UnicodeWidthChar;

/// Text that may come from inside a container, made safe for a terminal: what moves the cursor,
/// changes colours, turns the writing direction or cannot be seen is shown escaped.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmless(c) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}

/// The same with ASCII only: known signs become words of ASCII, the rest is escaped.
pub(crate) fn clean_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match ascii_for(c) {
            Some(s) => out.push_str(s),
            None if c.is_ascii() && is_harmless(c) => out.push(c),
            None => out.extend(c.escape_unicode()),
        }
    }
    out
}

/// Columns that a cleaned text takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// A character that stands for itself and takes room. Zero-width characters, bidi marks among
/// them, are not harmless.
pub(crate) fn is_harmless(c: char) -> bool {
    !c.is_control() && c.width().is_some_and(|w| w > 0) && !is_bidi(c) && !is_blank(c)
}

/// Takes room and shows nothing, and is not the blank of the keyboard: two names that differ in
/// such a character look alike.
const fn is_blank(c: char) -> bool {
    c.is_whitespace() && c != ' '
        || matches!(c, '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}')
}

/// Marks that turn the writing direction; some have a width in some tables.
const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

const fn ascii_for(c: char) -> Option<&'static str> {
    Some(match c {
        '⇄' => "<->",
        '→' => "->",
        '↦' => "=>",
        '✓' => "+",
        '✗' => "X",
        '≠' => "!",
        '·' => ".",
        '…' => "...",
        'µ' => "u",
        '─' => "-",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_fool_a_terminal_is_shown_escaped() {
        assert_eq!(clean("web\x1b[2J\r\n"), "web\\u{1b}[2J\\u{d}\\u{a}");
        assert_eq!(clean("a\u{202e}b\u{200b}c\u{9b}d"), "a\\u{202e}b\\u{200b}c\\u{9b}d");
        assert_eq!(clean("a\u{a0}b\u{3164}c d"), "a\\u{a0}b\\u{3164}c d");
        assert_eq!(clean("grün 漢 e\u{301}"), "grün 漢 e\\u{301}");
    }

    #[test]
    fn ascii_has_no_other_characters() {
        assert_eq!(clean_ascii("✓ a → b ü"), "+ a -> b \\u{fc}");
    }
}
