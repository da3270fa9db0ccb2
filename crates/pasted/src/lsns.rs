//! `lsns`, and what else tells which namespace is which.

use crate::report::Report;

/// A network namespace as `lsns` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) inode: u64,
    pub(crate) count: Option<usize>,
    /// Lowest PID in it.
    pub(crate) pid: Option<u32>,
    pub(crate) user: Option<String>,
    /// The number that the asking namespace has for it.
    pub(crate) nsid: Option<u32>,
    pub(crate) file: Option<String>,
    pub(crate) command: Option<String>,
}

/// The rows of network namespaces.
pub(crate) fn parse(text: &str, report: &mut Report<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut columns: Option<Vec<(usize, String)>> = None;
    for (number, line) in report.lines(text) {
        if line.trim_start().starts_with("NS ") {
            columns = Some(heading(line));
            continue;
        }
        let Some(columns) = &columns else {
            if !line.starts_with(['$', '#']) {
                report.line(number, "before the headings of `lsns`");
            }
            continue;
        };
        // Further files of a namespace stand in lines of their own.
        if !line.trim_start().starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        match row(line, columns) {
            Some((kind, row)) if kind == "net" => rows.push(row),
            Some(_) => {}
            None => report.line(number, "no row of `lsns`"),
        }
    }
    rows
}

/// The names of the columns, and where each begins.
fn heading(line: &str) -> Vec<(usize, String)> {
    let mut columns = Vec::new();
    let mut at = 0;
    for word in line.split_whitespace() {
        let start = at + line[at..].find(word).unwrap_or(0);
        columns.push((start, word.to_owned()));
        at = start + word.len();
    }
    columns
}

fn row(line: &str, columns: &[(usize, String)]) -> Option<(String, Row)> {
    let mut row = Row::default();
    let mut kind = "net".to_owned();
    let mut words = line.split_whitespace();
    for (n, (start, name)) in columns.iter().enumerate() {
        match name.as_str() {
            // The one that may be empty, and the last, which holds blanks: both begin under
            // their names.
            "NSFS" => {
                let end = columns.get(n + 1).map(|(next, _)| *next);
                row.file = cell(line, *start, end);
                if row.file.is_some() {
                    words.next();
                }
            }
            "COMMAND" => {
                let words: Vec<&str> = words.by_ref().collect();
                // Of a tree, the branches.
                let command = words.join(" ").replace(['└', '├', '│', '─'], "");
                row.command = Some(command.trim().trim_start_matches("`-").to_owned());
            }
            "NS" => row.inode = words.next()?.parse().ok()?,
            "TYPE" => kind = words.next()?.to_owned(),
            "NPROCS" => row.count = words.next()?.parse().ok(),
            "PID" => row.pid = words.next()?.parse().ok(),
            "USER" | "UID" => row.user = words.next().map(str::to_owned),
            "NETNSID" => row.nsid = words.next()?.parse().ok(),
            _ => _ = words.next(),
        }
    }
    Some((kind, row))
}

/// What stands in a column, by the place of its heading.
fn cell(line: &str, start: usize, end: Option<usize>) -> Option<String> {
    let end = end.unwrap_or(line.len()).min(line.len());
    let text = line.get(start..end)?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// `nsid 0`, of `ip netns list-id`; with the name, where it has one.
pub(crate) fn ids(text: &str, report: &mut Report<'_>) -> Vec<(u32, Option<String>)> {
    let mut ids = Vec::new();
    for (number, line) in report.lines(text) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let id = words.iter().position(|w| *w == "nsid").and_then(|at| words.get(at + 1));
        let name = words.iter().position(|w| *w == "name:").and_then(|at| words.get(at + 1));
        match id.and_then(|id| id.parse().ok()) {
            Some(id) => {
                ids.push((id, name.map(|n| n.trim_end_matches(')').to_owned())));
            }
            None => report.line(number, "not `nsid N`"),
        }
    }
    ids
}

/// `web (id: 3)`, of `ip netns`.
pub(crate) fn names(text: &str, report: &mut Report<'_>) -> Vec<(String, Option<u32>)> {
    let lines = report.lines(text);
    let one = |(_, line): (usize, &str)| {
        let (name, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let id = rest.strip_prefix("(id: ").and_then(|r| r.strip_suffix(')'));
        (name.to_owned(), id.and_then(|id| id.parse().ok()))
    };
    lines.into_iter().map(one).collect()
}

/// What the collecting script found out about a namespace: `KEY VALUE` a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) inode: Option<u64>,
    pub(crate) parent: Option<u64>,
    pub(crate) pid: Option<u32>,
    pub(crate) inner_pid: Option<u32>,
    pub(crate) count: Option<usize>,
    pub(crate) uid: Option<u32>,
    pub(crate) comm: Option<String>,
    pub(crate) name: Option<String>,
    /// The kernel has neither, so there is none to be shown.
    pub(crate) without_ipsec: bool,
    pub(crate) without_ipvs: bool,
    /// The script ran here.
    pub(crate) own: bool,
}

/// The lines of the script's own file.
pub(crate) fn about(text: &str, report: &mut Report<'_>) -> About {
    let mut about = About::default();
    for (number, line) in report.lines(text) {
        let (key, value) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let inode = || value.trim_start_matches("net:[").trim_end_matches(']').parse().ok();
        match key {
            "namespace" => about.inode = inode(),
            "parent" => about.parent = inode(),
            "pid" => about.pid = value.parse().ok(),
            "inner-pid" => about.inner_pid = value.parse().ok(),
            "processes" => about.count = value.parse().ok(),
            "uid" => about.uid = value.parse().ok(),
            "comm" => about.comm = Some(value.to_owned()),
            "name" => about.name = Some(value.to_owned()),
            "without" => match value {
                "ipsec" => about.without_ipsec = true,
                "ipvs" => about.without_ipvs = true,
                _ => report.line(number, "not what the script writes"),
            },
            "own" => about.own = true,
            _ => report.line(number, "not what the script writes"),
        }
    }
    about
}
