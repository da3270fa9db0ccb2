use crate::clean::{clean, clean_ascii, width};
use crate::style::{END, Style, Tone};

/// Fewer columns are not drawn for.
const MIN_WIDTH: usize = 40;
/// No column gets narrower than this.
const LEAST: usize = 4;

/// Lines of text in the making. All that is printed passes through here and is cleaned on its way.
pub(crate) struct Page {
    style: Style,
    text: String,
    /// Columns of the line so far.
    column: usize,
}

impl Page {
    /// An empty page.
    pub(crate) const fn new(style: &Style) -> Self {
        let style = Style {
            width: if style.width < MIN_WIDTH { MIN_WIDTH } else { style.width },
            ..*style
        };
        Self { style, text: String::new(), column: 0 }
    }

    /// Text at the end of the present line.
    pub(crate) fn put(&mut self, tone: Tone, text: &str) -> &mut Self {
        let text = self.safe(text);
        self.column += width(&text);
        if self.style.colour && tone != Tone::Plain && !text.is_empty() {
            self.text.push_str(tone.start());
            self.text.push_str(&text);
            self.text.push_str(END);
        } else {
            self.text.push_str(&text);
        }
        self
    }

    /// Blanks up to that column (one at least, where text is there already).
    pub(crate) fn to(&mut self, column: usize) -> &mut Self {
        let blanks = column.saturating_sub(self.column).max(usize::from(self.column > 0));
        self.text.extend(std::iter::repeat_n(' ', blanks));
        self.column += blanks;
        self
    }

    /// Words from the present column on; what does not fit goes on under the first of them. A word
    /// that is longer than a line is cut, not shortened.
    pub(crate) fn wrapped(&mut self, tone: Tone, text: &str) -> &mut Self {
        self.hanging(tone, text, self.column)
    }

    /// The same, but going on from that column.
    pub(crate) fn hanging(&mut self, tone: Tone, text: &str, column: usize) -> &mut Self {
        let width = self.style.width;
        let word = text.trim_start_matches(' ').split(' ').next().unwrap_or_default();
        let blanks = text.len() - text.trim_start_matches(' ').len();
        if self.column > column && self.column + blanks + self.width_of(word) > width {
            self.end().pad(column);
        }
        let first = width.saturating_sub(self.column).max(LEAST);
        let other = width.saturating_sub(column).max(LEAST);
        for (n, line) in self.lines(text, first, other).iter().enumerate() {
            if n > 0 {
                self.end().pad(column);
            }
            self.put(tone, line);
        }
        self
    }

    /// A line of ordinary text from that column on, going on two columns further in.
    pub(crate) fn item(&mut self, indent: usize, text: &str) -> &mut Self {
        self.pad(indent).hanging(Tone::Plain, text, indent + 2).end()
    }

    /// A text in lines of so many columns: the first, and the others. Blanks that it begins with
    /// begin every line.
    fn lines(&self, text: &str, first: usize, other: usize) -> Vec<String> {
        let plain = text.trim_start_matches(' ');
        let blanks = (text.len() - plain.len()).min(first.min(other) / 2);
        let rooms = [first - blanks, other - blanks];
        let mut lines = vec![String::new()];
        let mut used = 0;
        for word in plain.split(' ') {
            let room = |lines: &[String]| rooms[usize::from(lines.len() > 1)];
            let blank = usize::from(used > 0);
            if used > 0 && used + blank + self.width_of(word) > room(&lines) {
                lines.push(String::new());
                used = 0;
            } else if blank > 0 {
                push(&mut lines, ' ');
                used += 1;
            }
            for c in word.chars() {
                let wide = self.width_of(c.encode_utf8(&mut [0; 4]));
                if used > 0 && used + wide > room(&lines) {
                    lines.push(String::new());
                    used = 0;
                }
                push(&mut lines, c);
                used += wide;
            }
        }
        lines.iter().map(|line| format!("{}{line}", " ".repeat(blanks))).collect()
    }

    /// Ends the line.
    pub(crate) fn end(&mut self) -> &mut Self {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
        self.column = 0;
        self
    }

    /// A whole line of ordinary text.
    pub(crate) fn line(&mut self, text: &str) -> &mut Self {
        self.put(Tone::Plain, text).end()
    }

    /// Columns that the present line has.
    pub(crate) const fn column(&self) -> usize {
        self.column
    }

    /// Columns of the terminal.
    pub(crate) const fn width(&self) -> usize {
        self.style.width
    }

    /// Columns that this text will take.
    pub(crate) fn width_of(&self, text: &str) -> usize {
        width(&self.safe(text))
    }

    /// Rows with their columns aligned, two blanks between, `indent` before; the first row is
    /// the heading. Where that is too wide, the widest columns are wrapped. Beneath each row
    /// stands its line of `notes`, if there is one.
    pub(crate) fn table(&mut self, indent: usize, rows: &[Vec<String>], notes: &[String]) {
        let widths = self.fitting(indent, rows);
        for (n, row) in rows.iter().enumerate() {
            let tone = if n == 0 { Tone::Faint } else { Tone::Plain };
            let cells: Vec<Vec<String>> =
                row.iter().zip(&widths).map(|(cell, w)| self.lines(cell, *w, *w)).collect();
            for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
                let mut at = indent;
                for (cell, w) in cells.iter().zip(&widths).filter(|(_, w)| **w > 0) {
                    if let Some(text) = cell.get(line).filter(|t| !t.is_empty()) {
                        self.pad(at).put(tone, text);
                    }
                    at += w + 2;
                }
                self.end();
            }
            if let Some(note) = notes.get(n).filter(|n| !n.is_empty()) {
                let blanks = note.len() - note.trim_start_matches(' ').len();
                let column = (indent + blanks).min(self.style.width / 2);
                self.pad(column).hanging(Tone::Faint, note.trim_start_matches(' '), column).end();
            }
        }
    }

    /// Widths of columns, so that all of them fit on the page.
    fn fitting(&self, indent: usize, rows: &[Vec<String>]) -> Vec<usize> {
        let mut widths = self.natural(rows);
        let shown = widths.iter().filter(|w| **w > 0).count();
        let room = self.style.width.saturating_sub(indent + 2 * shown.saturating_sub(1));
        while widths.iter().sum::<usize>() > room {
            let Some(widest) = widths.iter_mut().max().filter(|w| **w > LEAST) else { break };
            *widest -= 1;
        }
        widths
    }

    /// Widths of columns, as wide as their texts.
    pub(crate) fn natural(&self, rows: &[Vec<String>]) -> Vec<usize> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        (0..columns)
            .map(|c| rows.iter().filter_map(|r| r.get(c)).map(|s| self.width_of(s)).max())
            .map(Option::unwrap_or_default)
            .collect()
    }

    /// Two columns: the first as wide as its texts or a half of the page, the second wrapped.
    pub(crate) fn pairs(&mut self, indent: usize, rows: &[[String; 2]]) {
        let widest = rows.iter().map(|r| self.width_of(&r[0])).max().unwrap_or(0);
        let first = widest.min(self.style.width / 2);
        for [key, value] in rows {
            self.pad(indent).wrapped(Tone::Plain, key);
            if self.column > indent + first {
                self.end();
            }
            self.pad(indent + first + 2).wrapped(Tone::Plain, value).end();
        }
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    /// Blanks up to that column.
    pub(crate) fn pad(&mut self, column: usize) -> &mut Self {
        let blanks = column.saturating_sub(self.column);
        self.text.extend(std::iter::repeat_n(' ', blanks));
        self.column += blanks;
        self
    }

    fn safe(&self, text: &str) -> String {
        if self.style.ascii { clean_ascii(text) } else { clean(text) }
    }
}

fn push(lines: &mut [String], c: char) {
    if let Some(line) = lines.last_mut() {
        line.push(c);
    }
}
