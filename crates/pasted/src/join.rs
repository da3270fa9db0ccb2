//! Which namespace is which, which links are pairs, and who is inside of whom.

use std::collections::{BTreeMap, BTreeSet};

use model::Warning;

use crate::command::Entered;
use crate::draft::Draft;
use crate::link::{At, Far};

/// Finds out what the files of several namespaces tell of one another.
pub(crate) fn join(drafts: &mut Vec<Draft>, warnings: &mut Vec<Warning>) {
    identify(drafts, warnings);
    unite(drafts);
    add_shown(drafts);
    drafts.iter_mut().for_each(Draft::settle);
    know(drafts);
    pair(drafts, warnings);
    nest(drafts);
}

/// A namespace's own inode: of the row of PID 1, which `lsns` in a container shows of itself.
fn identify(drafts: &mut [Draft], warnings: &mut Vec<Warning>) {
    for draft in drafts.iter_mut() {
        let own = draft.rows.iter().find(|r| r.pid == Some(1) && r.nsid.is_none());
        let only = draft.rows.first().filter(|_| draft.rows.len() == 1);
        draft.inode = draft.about.inode.or_else(|| Some(own.or(only)?.inode));
    }
    let mut seen: BTreeMap<u64, String> = BTreeMap::new();
    for draft in drafts {
        let Some(inode) = draft.inode else { continue };
        if let Some(other) = seen.get(&inode) {
            let text = format!("{} and {other} both say that they are net:[{inode}]", draft.folder);
            warnings.push(Warning { ns: None, text });
            draft.inode = None;
        } else {
            seen.insert(inode, draft.folder.clone());
        }
    }
}

/// What was entered from elsewhere is told to the namespace that it is.
fn unite(drafts: &mut Vec<Draft>) {
    let mut at = 0;
    while at < drafts.len() {
        let inode = entered_inode(drafts, at);
        if drafts[at].inode.is_none() {
            drafts[at].inode = inode;
        }
        let same = |d: &Draft| d.inode.is_some() && d.inode == inode;
        let named = |d: &Draft| match &drafts[at].entered {
            Entered::Name(name) => d.entered == Entered::Here && d.name().as_ref() == Some(name),
            _ => false,
        };
        let entered = drafts[at].entered != Entered::Here;
        let other =
            (0..drafts.len()).find(|i| *i != at && (same(&drafts[*i]) || named(&drafts[*i])));
        match other.filter(|_| entered) {
            Some(other) => {
                let draft = drafts.remove(at);
                let other = if other > at { other - 1 } else { other };
                drafts[other].merge(draft);
            }
            None => at += 1,
        }
    }
}

/// The inode of a namespace that was entered by a PID which `lsns` shows.
fn entered_inode(drafts: &[Draft], at: usize) -> Option<u64> {
    let Entered::Pid(pid) = drafts[at].entered else { return None };
    let here = drafts.iter().filter(|d| d.folder == drafts[at].folder);
    let row = here.flat_map(|d| &d.rows).find(|r| r.pid == Some(pid))?;
    Some(row.inode)
}

/// Namespaces that only `lsns` shows.
fn add_shown(drafts: &mut Vec<Draft>) {
    let known: BTreeSet<u64> = drafts.iter().filter_map(|d| d.inode).collect();
    let rows = drafts.iter().flat_map(|d| &d.rows).filter(|r| !known.contains(&r.inode));
    let mut missing: BTreeMap<u64, Option<String>> = BTreeMap::new();
    for row in rows {
        missing.entry(row.inode).or_insert_with(|| row.command.clone());
    }
    for (inode, _) in missing {
        let mut draft = Draft::new("", Entered::Name(format!("net:[{inode}]")));
        draft.inode = Some(inode);
        drafts.push(draft);
    }
}

/// The numbers by which `lsns` says that namespaces know one another.
fn know(drafts: &mut [Draft]) {
    let by_inode: BTreeMap<u64, usize> =
        drafts.iter().enumerate().filter_map(|(n, d)| Some((d.inode?, n))).collect();
    for draft in drafts {
        let rows = draft.rows.iter().filter_map(|r| Some((r.nsid?, *by_inode.get(&r.inode)?)));
        draft.knows.extend(rows);
    }
}

/// One end of what may be a pair.
#[derive(Clone, Copy, Debug)]
struct End {
    draft: usize,
    index: u32,
    /// The index that it says the other end has.
    other: u32,
    nsid: Option<u32>,
}

/// Joins ends that name each other and no other.
fn pair(drafts: &mut [Draft], warnings: &mut Vec<Warning>) {
    let ends = ends(drafts);
    let mut by_place: BTreeMap<(u32, u32), Vec<End>> = BTreeMap::new();
    for end in &ends {
        by_place.entry((end.index, end.other)).or_default().push(*end);
    }
    let candidates = |end: &End, drafts: &[Draft]| -> Vec<End> {
        let there = by_place.get(&(end.other, end.index)).map_or(&[][..], Vec::as_slice);
        let mut fits: Vec<End> =
            there.iter().filter(|o| fit(drafts, end, o) && fit(drafts, o, end)).copied().collect();
        if fits.len() > 1 {
            // A bridge that learned an end's address behind this one tells them apart.
            let known: Vec<End> = fits.iter().filter(|o| heard(drafts, end, o)).copied().collect();
            if known.len() == 1 {
                fits = known;
            }
        }
        fits
    };
    loop {
        let mut joined = false;
        for end in &ends {
            if drafts[end.draft].peers.contains_key(&end.index) {
                continue;
            }
            if let [other] = candidates(end, drafts)[..]
                && matches!(candidates(&other, drafts)[..], [only] if same(&only, end))
            {
                tie(drafts, end, &other);
                joined = true;
            }
        }
        if !joined {
            break;
        }
    }
    for end in &ends {
        let open = !drafts[end.draft].peers.contains_key(&end.index);
        let could: Vec<String> = if open {
            candidates(end, drafts).iter().map(|o| name(drafts, o)).collect()
        } else {
            Vec::new()
        };
        if could.len() > 1 {
            let text =
                format!("{} could be joined to {}: left open", name(drafts, end), could.join(", "));
            warnings.push(Warning { ns: None, text });
        }
    }
}

fn same(a: &End, b: &End) -> bool {
    (a.draft, a.index) == (b.draft, b.index)
}

fn name(drafts: &[Draft], end: &End) -> String {
    let draft = &drafts[end.draft];
    let link = draft.links.get(&end.index).map_or("?", |l| l.name.as_str());
    format!("{}:{link}", draft.name().unwrap_or_default())
}

/// All ends whose other end is elsewhere.
fn ends(drafts: &[Draft]) -> Vec<End> {
    let mut ends = Vec::new();
    for (n, draft) in drafts.iter().enumerate() {
        for link in draft.links.values() {
            let kind = link.kind.as_ref().is_none_or(|(k, _)| k == "veth" || k == "netkit");
            let kind = kind && draft.peer_here(link).is_none();
            let (Some(index), Some(At::Index(other)), true) = (link.index, &link.at, kind) else {
                continue;
            };
            let nsid = match &link.far {
                Some(Far::NsId(id)) => u32::try_from(*id).ok(),
                Some(Far::Name(name)) => {
                    draft.netns.iter().find(|(known, _)| known == name).and_then(|(_, id)| *id)
                }
                None => None,
            };
            ends.push(End { draft: n, index, other: *other, nsid });
        }
    }
    ends
}

/// Nothing that `end` knows speaks against `other`.
fn fit(drafts: &[Draft], end: &End, other: &End) -> bool {
    let free = drafts[other.draft]
        .peers
        .get(&other.index)
        .is_none_or(|(d, i)| (*d, *i) == (end.draft, end.index));
    let known = end.nsid.and_then(|id| drafts[end.draft].knows.get(&id));
    let by_name = match &drafts[end.draft].links[&end.index].far {
        Some(Far::Name(name)) => drafts[other.draft].name().as_ref() == Some(name),
        _ => true,
    };
    let nsid_taken = end.nsid.is_some_and(|id| {
        let knows = &drafts[end.draft].knows;
        knows.iter().any(|(n, d)| *d == other.draft && *n != id)
    });
    other.draft != end.draft
        && free
        && known.is_none_or(|d| *d == other.draft)
        && (by_name || end.nsid.is_some())
        && !nsid_taken
}

/// `end`'s side learned the address of `other` behind `end`.
fn heard(drafts: &[Draft], end: &End, other: &End) -> bool {
    let mac_of = |e: &End| drafts[e.draft].links.get(&e.index).and_then(|l| l.mac);
    let learned = |here: &End, there: &End| {
        let draft = &drafts[here.draft];
        let Some(mac) = mac_of(there) else { return false };
        let link = draft.links.get(&here.index).map(|l| l.name.as_str());
        let by_fdb = draft
            .fdb
            .iter()
            .any(|e| e.mac == mac && Some(e.dev.as_str()) == link && !e.permanent && !e.own);
        by_fdb
            || draft.neighbours.iter().any(|n| n.mac == Some(mac) && Some(n.dev.as_str()) == link)
    };
    learned(end, other) || learned(other, end)
}

fn tie(drafts: &mut [Draft], a: &End, b: &End) {
    for (here, there) in [(a, b), (b, a)] {
        let draft = &mut drafts[here.draft];
        draft.peers.insert(here.index, (there.draft, there.index));
        if let Some(nsid) = here.nsid {
            draft.knows.insert(nsid, there.draft);
        }
    }
}

/// Who is inside of whom: as the script says, else as the folders lie, else of those that see it
/// by `lsns` the one that sees least.
fn nest(drafts: &mut [Draft]) {
    let sees: Vec<BTreeSet<u64>> =
        drafts.iter().map(|d| d.rows.iter().map(|r| r.inode).collect()).collect();
    for n in 0..drafts.len() {
        let told = drafts[n].about.parent;
        let told = told.and_then(|inode| drafts.iter().position(|d| d.inode == Some(inode)));
        let parent = told
            .or_else(|| entered_from(drafts, n))
            .or_else(|| folder_above(drafts, n))
            .or_else(|| watcher(drafts, &sees, n));
        drafts[n].parent = parent.filter(|p| *p != n);
    }
    for n in 0..drafts.len() {
        // No one is inside of himself, over however many.
        let (mut at, mut steps) = (drafts[n].parent, 0);
        while let Some(parent) = at {
            steps += 1;
            if parent == n || steps > drafts.len() {
                drafts[n].parent = None;
                break;
            }
            at = drafts[parent].parent;
        }
    }
}

/// What was entered and is told of by nobody else is inside of where it was entered from.
fn entered_from(drafts: &[Draft], n: usize) -> Option<usize> {
    let draft = &drafts[n];
    if draft.entered == Entered::Here || draft.parts.is_empty() {
        return None;
    }
    drafts.iter().position(|d| d.entered == Entered::Here && d.folder == draft.folder)
}

fn folder_above(drafts: &[Draft], n: usize) -> Option<usize> {
    if drafts[n].entered != Entered::Here || drafts[n].folder.is_empty() {
        return None;
    }
    let mut folder = drafts[n].folder.as_str();
    loop {
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
        let above = drafts
            .iter()
            .position(|d| d.entered == Entered::Here && d.folder == folder && !d.parts.is_empty());
        if above.is_some() || folder.is_empty() {
            return above;
        }
    }
}

fn watcher(drafts: &[Draft], sees: &[BTreeSet<u64>], n: usize) -> Option<usize> {
    let inode = drafts[n].inode?;
    let mut above: Vec<usize> = (0..drafts.len())
        .filter(|d| *d != n && sees[*d].contains(&inode))
        // Those that see each other are beside each other.
        .filter(|d| !drafts[*d].inode.is_some_and(|i| sees[n].contains(&i)))
        .collect();
    above.sort_by_key(|d| sees[*d].len());
    match above.as_slice() {
        [one] => Some(*one),
        [one, two, ..] if sees[*one].len() < sees[*two].len() => Some(*one),
        _ => None,
    }
}
