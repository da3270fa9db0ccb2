/// Complaints about one file beyond this many are only counted.
const MOST: usize = 8;
/// A line longer than this is no output of these commands (a whole JSON document is one line).
pub(crate) const LONGEST: usize = 16 * 1024;

/// What could not be understood of one file.
pub(crate) struct Report<'a> {
    file: &'a str,
    complaints: Vec<String>,
    more: usize,
}

impl<'a> Report<'a> {
    pub(crate) const fn new(file: &'a str) -> Self {
        Self { file, complaints: Vec::new(), more: 0 }
    }

    /// About a line, from 1.
    pub(crate) fn line(&mut self, number: usize, what: &str) {
        let text = format!("{}, line {number}: {what}", self.file);
        self.push(text);
    }

    /// About the file as a whole.
    pub(crate) fn file(&mut self, what: &str) {
        let text = format!("{}: {what}", self.file);
        self.push(text);
    }

    fn push(&mut self, text: String) {
        if self.complaints.len() < MOST {
            self.complaints.push(text);
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.complaints.push(format!("{}: and {} more lines", self.file, self.more));
        }
        self.complaints
    }

    /// The lines of a text with their numbers, from 1; without those that nothing prints.
    pub(crate) fn lines<'t>(&mut self, text: &'t str) -> Vec<(usize, &'t str)> {
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.len() > LONGEST {
                self.line(number, "too long: left out");
            } else if !line.trim().is_empty() {
                lines.push((number, line));
            }
        }
        lines
    }
}
