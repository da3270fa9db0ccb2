//! `ipset save` and `ipset list`.

use model::IpSet;
use wire::ipset_text;

use crate::report::Report;

/// The sets that it tells of. One of which something is not understood is left out: what is in it is
/// then not known.
pub(crate) fn parse(text: &str, report: &mut Report<'_>) -> Vec<IpSet> {
    let mut reader = Reader::default();
    for (number, line) in report.lines(text) {
        let told = match line.split_once(' ') {
            Some(("create", rest)) => reader.begin(rest),
            Some(("add", rest)) => reader.add(rest),
            _ => reader.listed(line),
        };
        if let Err(why) = told {
            report.line(number, &why);
            reader.spoiled = true;
        }
    }
    reader.end();
    reader.sets
}

#[derive(Default)]
struct Reader {
    sets: Vec<IpSet>,
    /// The set that is being told of.
    set: Option<IpSet>,
    /// Something about it is not understood.
    spoiled: bool,
    /// Of `ipset list`: its name and type, before its header.
    name: String,
    kind: String,
}

impl Reader {
    fn end(&mut self) {
        let whole = !std::mem::take(&mut self.spoiled);
        self.sets.extend(self.set.take().filter(|_| whole));
    }

    fn begin(&mut self, words: &str) -> Result<(), String> {
        self.end();
        self.set = Some(ipset_text::create(words).map_err(|e| e.to_string())?);
        Ok(())
    }

    /// A line of `ipset save`: those of one set stand together.
    fn add(&mut self, words: &str) -> Result<(), String> {
        let (name, entry) = words.split_once(' ').ok_or("an entry of nothing")?;
        if self.set.as_ref().is_none_or(|set| set.name != name) {
            return Err(format!("no ipset {name} is told of before"));
        }
        self.entry(entry)
    }

    fn entry(&mut self, words: &str) -> Result<(), String> {
        let set = self.set.as_mut().ok_or("no line of `ipset`")?;
        let entries = ipset_text::add(set, words).map_err(|e| e.to_string())?;
        set.entries.extend(entries);
        Ok(())
    }

    /// A line of `ipset list`.
    fn listed(&mut self, line: &str) -> Result<(), String> {
        /// What is counted, and is no option.
        const COUNTED: [&str; 6] =
            ["Revision", "Size in memory", "References", "Number of entries", "Members", "Status"];
        match line.split_once(": ").or_else(|| line.strip_suffix(':').map(|key| (key, ""))) {
            Some(("Name", name)) => {
                self.end();
                (self.name, self.kind) = (name.to_owned(), String::new());
            }
            Some(("Type", kind)) => kind.clone_into(&mut self.kind),
            Some(("Header", options)) => {
                let words = format!("{} {} {options}", self.name, self.kind);
                return self.begin(&words);
            }
            Some((key, _)) if COUNTED.contains(&key) => {}
            _ => return self.entry(line),
        }
        Ok(())
    }
}
