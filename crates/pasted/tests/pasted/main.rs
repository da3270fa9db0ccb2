//! Files in, what a Snapshot tells of them out.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod forms;
mod hostile;
mod joining;
mod seed;

use model::{Namespace, Snapshot};
use pasted::File;
use render::{Style, show};

/// The Snapshot of `path`, `text` pairs.
fn read(files: &[(&str, &str)]) -> Snapshot {
    let file =
        |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: (*text).to_owned() };
    pasted::read(&files.iter().map(file).collect::<Vec<_>>())
}

/// The only namespace of these files.
fn only(snapshot: &Snapshot) -> &Namespace {
    assert_eq!(snapshot.namespaces.len(), 1);
    snapshot.namespaces.values().next().unwrap()
}

/// The sections of that heading in what `show` prints of the only namespace, and the warnings.
fn section(files: &[(&str, &str)], heading: &str) -> String {
    let snapshot = read(files);
    let target = model::Target::Namespace(only(&snapshot).id);
    let style = Style { width: 200, ..Style::default() };
    let text = show(&snapshot, target, &style);
    let mut found = String::new();
    let mut inside = false;
    for line in text.lines() {
        if !line.starts_with(' ') {
            inside = line.starts_with(heading);
        } else if inside {
            found.push_str(line.trim_end());
            found.push('\n');
        }
    }
    for warning in &snapshot.warnings {
        found.push_str(&format!("warning: {}\n", warning.text));
    }
    found
}
