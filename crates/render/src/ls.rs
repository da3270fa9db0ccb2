use std::collections::{BTreeMap, BTreeSet};

use model::{LinkKind, Namespace, NsFile, NsId, NsKey, Snapshot};

use crate::page::Page;
use crate::style::{Style, Tone};
use crate::words;

/// The namespaces as a table: of the whole Snapshot, or as `seen_from` one of them, which sees
/// itself and those inside of it.
#[must_use]
pub fn ls(snapshot: &Snapshot, seen_from: Option<NsId>, style: &Style) -> String {
    let mut page = Page::new(style);
    let rows = rows(snapshot, seen_from);
    let mut cells = vec![heading(seen_from.is_some())];
    cells.extend(rows.iter().map(|(depth, ns)| cells_of(snapshot, *depth, ns, seen_from)));
    let beside = beside(&page, &cells);
    let notes: Vec<String> = cells.iter().map(|row| note(&cells[0], row, beside)).collect();
    cells.iter_mut().for_each(|row| row.truncate(beside));
    page.table(0, &cells, &notes);
    for (nsid, id) in hidden(snapshot, seen_from, &rows) {
        page.item(0, &format!("nsid {nsid}: {}, no process visible", snapshot.name_of(id)));
    }
    for warning in &snapshot.warnings {
        let whom = warning.ns.map(|id| format!("{}: ", snapshot.name_of(id))).unwrap_or_default();
        page.hanging(Tone::Doubt, &format!("warning: {whom}{}", warning.text), 2).end();
    }
    page.finish()
}

/// The visible namespaces, each after the one that it is inside of, with its depth.
pub(crate) fn rows(snapshot: &Snapshot, seen_from: Option<NsId>) -> Vec<(usize, &Namespace)> {
    let mut inside: BTreeMap<NsId, Vec<&Namespace>> = BTreeMap::new();
    let mut roots = Vec::new();
    for ns in snapshot.namespaces.values() {
        match ns.parent.filter(|p| snapshot.namespaces.contains_key(p)) {
            Some(parent) => inside.entry(parent).or_default().push(ns),
            None => roots.push(ns),
        }
    }
    if let Some(id) = seen_from {
        roots = snapshot.namespaces.get(&id).into_iter().collect();
    }
    // What is still to be told, the next last.
    let mut left: Vec<(usize, &Namespace)> = roots.into_iter().rev().map(|ns| (0, ns)).collect();
    let mut rows = Vec::new();
    while let Some((depth, ns)) = left.pop() {
        rows.push((depth, ns));
        // Taken away, so that a cycle in what was read ends.
        let mut children = inside.remove(&ns.id).unwrap_or_default();
        children.retain(|c| Some(c.id) != seen_from);
        children.sort_by_key(|c| std::cmp::Reverse(order(c)));
        left.extend(children.into_iter().map(|c| (depth + 1, c)));
    }
    rows
}

/// Siblings in the order in which they came to be, as far as that can be known: by lowest PID.
fn order(ns: &Namespace) -> (u32, NsId) {
    (ns.processes.first().map_or(u32::MAX, |p| p.pid), ns.id)
}

/// What `seen_from`'s own table of nsids names though it is not visible from there.
pub(crate) fn hidden(
    snapshot: &Snapshot,
    seen_from: Option<NsId>,
    rows: &[(usize, &Namespace)],
) -> Vec<(u32, NsId)> {
    let Some(viewer) = seen_from.and_then(|id| snapshot.namespaces.get(&id)) else {
        return Vec::new();
    };
    let visible: BTreeSet<NsId> = rows.iter().map(|(_, row)| row.id).collect();
    viewer.nsids.iter().filter(|(_, id)| !visible.contains(id)).map(|(n, id)| (*n, *id)).collect()
}

/// `4026531840`; `unseen` or `denied` for what has no inode that we know.
pub(crate) fn inode(id: NsId) -> String {
    match id.key {
        NsKey::Inode { ino, .. } => ino.to_string(),
        NsKey::Unseen(_) => "unseen".to_owned(),
        NsKey::Net(_) => "denied".to_owned(),
    }
}

/// `root` or the uid; who owns it counts more than who runs in it.
pub(crate) fn owner(ns: &Namespace) -> String {
    match ns.owner.uid.or_else(|| ns.processes.first().map(|p| p.uid)) {
        Some(0) => "root".to_owned(),
        Some(uid) => uid.to_string(),
        None => String::new(),
    }
}

/// How many columns stand beside each other; what the others say goes beneath each row.
fn beside(page: &Page, cells: &[Vec<String>]) -> usize {
    /// What a name must have at least.
    const NAME: usize = 16;
    let widths = page.natural(cells);
    let room = |n: usize| widths[1..n].iter().map(|w| w + 2).sum::<usize>() + widths[0].min(NAME);
    (1..=widths.len()).rev().find(|n| room(*n) <= page.width()).unwrap_or(1)
}

/// The other columns of a row, as a line of its own.
fn note(heading: &[String], row: &[String], beside: usize) -> String {
    let others = heading.iter().zip(row).skip(beside).filter(|(_, cell)| !cell.is_empty());
    let parts: Vec<String> = others
        .filter(|(title, cell)| title != cell)
        .map(|(title, cell)| format!("{} {cell}", title.to_lowercase()))
        .collect();
    let depth = row[0].len() - row[0].trim_start_matches(' ').len();
    if parts.is_empty() { String::new() } else { " ".repeat(depth + 4) + &parts.join("; ") }
}

fn heading(as_ns: bool) -> Vec<String> {
    let nsid = if as_ns { "NSID" } else { "NSIDS" };
    let mut row = vec!["NAME", "WHAT", "NS", "PID", "USER", "PROCS", "LINKS", nsid, "FILE"];
    if as_ns {
        row.swap(NSIDS, AS_NSID); // one number is short
    }
    row.into_iter().map(str::to_owned).collect()
}

/// Where the numbers stand.
const NSIDS: usize = 7;
const AS_NSID: usize = 4;

fn cells_of(
    snapshot: &Snapshot,
    depth: usize,
    ns: &Namespace,
    seen_from: Option<NsId>,
) -> Vec<String> {
    let viewer = seen_from.and_then(|id| snapshot.namespaces.get(&id));
    let nsid = match viewer {
        Some(viewer) => viewer
            .nsids
            .iter()
            .find(|(_, id)| **id == ns.id)
            .map_or_else(|| "-".to_owned(), |(n, _)| n.to_string()),
        None => words::known_as(snapshot, ns.id, 2),
    };
    let mut row = vec![
        format!("{}{}", "  ".repeat(depth), snapshot.name_of(ns.id)),
        words::what(snapshot, ns),
        inode(ns.id),
        pid(snapshot, ns, viewer),
        owner(ns),
        ns.processes.len().to_string(),
        links(ns),
        nsid,
        files(snapshot, ns),
    ];
    if viewer.is_some() {
        row.swap(NSIDS, AS_NSID);
    }
    row
}

/// How many links beside `lo`; `?` where they could not be read.
fn links(ns: &Namespace) -> String {
    if ns.links.is_empty() && ns.gaps.iter().any(|g| g.part == "links") {
        return "?".to_owned();
    }
    ns.links.values().filter(|l| l.kind != LinkKind::Loopback).count().to_string()
}

/// The lowest PID, as `viewer`'s own PID namespace has it: known of those that share that one.
fn pid(snapshot: &Snapshot, ns: &Namespace, viewer: Option<&Namespace>) -> String {
    let Some(first) = ns.processes.first() else { return String::new() };
    let same =
        |a: &Namespace, b: &Namespace| a.id == b.id || (a.pid_ns.is_some() && a.pid_ns == b.pid_ns);
    let reader = snapshot.viewer.and_then(|id| snapshot.namespaces.get(&id));
    match viewer {
        None => first.pid.to_string(),
        Some(v) if reader.is_some_and(|r| same(v, r)) => first.pid.to_string(),
        Some(v) if same(v, ns) => first.inner_pid.to_string(),
        Some(_) => "?".to_owned(),
    }
}

fn files(snapshot: &Snapshot, ns: &Namespace) -> String {
    let file = |f: &NsFile| match f.seen_in.filter(|id| Some(*id) != snapshot.viewer) {
        Some(id) => format!("{}:{}", snapshot.name_of(id), f.path),
        None => f.path.clone(),
    };
    words::some(1, ns.files.iter().map(file))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::fixtures::{SEED, id, network};

    #[test]
    fn the_whole_host() {
        assert_snapshot!(ls(&network(SEED), None, &Style::default()), @r"
    NAME          WHAT      NS          PID      USER    PROCS  LINKS
    pve1          lab test  4026532000  1        root    1      7
        nsids 0 in docker01
      docker01    lab test  4026532001  1329130  100000  1      3
          nsids 0 in pve1, 0 in alpine01
        alpine01  lab test  4026532002  1461368  100000  1      1
            nsids 1 in docker01
    ");
    }

    #[test]
    fn links_that_could_not_be_read_are_not_none() {
        let mut s = network("ns host viewer pid 1");
        let host = id(&s, "host");
        let ns = s.namespaces.get_mut(&host).unwrap();
        ns.links.clear();
        ns.gaps.push(model::Gap::new("links", "EMFILE"));
        assert!(ls(&s, None, &Style::default()).lines().nth(1).unwrap().ends_with(" ?"));
    }

    #[test]
    fn as_one_of_them_sees_it() {
        let s = network(SEED);
        let seen_from = |name| ls(&s, Some(id(&s, name)), &Style::default());
        assert_snapshot!(seen_from("alpine01"), @r"
    NAME      WHAT      NS          PID  NSID  PROCS  LINKS  USER    FILE
    alpine01  lab test  4026532002  1    -     1      1      100000
    nsid 0: docker01, no process visible
    ");
        assert_snapshot!(seen_from("docker01"), @r"
    NAME        WHAT      NS          PID  NSID  PROCS  LINKS  USER    FILE
    docker01    lab test  4026532001  1    -     1      3      100000
      alpine01  lab test  4026532002  ?    1     1      1      100000
    nsid 0: pve1, no process visible
    ");
    }
}
