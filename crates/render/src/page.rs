use crate::clean::{clean, clean_ascii, width};
use crate::style::{END, Style, Tone};

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
        Self { style: *style, text: String::new(), column: 0 }
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

    /// Words from the present column on; what does not fit goes on under the first of them.
    pub(crate) fn wrapped(&mut self, tone: Tone, text: &str) -> &mut Self {
        let start = self.column;
        let mut line = String::new();
        for word in text.split(' ') {
            let wide = start + self.width_of(&line) + 1 + self.width_of(word) > self.style.width;
            if !line.is_empty() && wide {
                self.put(tone, &line).end().pad(start);
                line.clear();
            }
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
        self.put(tone, &line)
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
    /// the heading if `heading` is set.
    pub(crate) fn table(&mut self, indent: usize, heading: bool, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|c| rows.iter().filter_map(|r| r.get(c)).map(|s| self.width_of(s)).max())
            .map(Option::unwrap_or_default)
            .collect();
        for (n, row) in rows.iter().enumerate() {
            let tone = if heading && n == 0 { Tone::Faint } else { Tone::Plain };
            let mut at = indent;
            for (cell, w) in row.iter().zip(&widths).filter(|(_, w)| **w > 0) {
                if !cell.is_empty() {
                    self.pad(at).put(tone, cell);
                }
                at += w + 2;
            }
            self.end();
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
