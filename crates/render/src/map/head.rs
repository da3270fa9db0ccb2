//! The first lines of a band: its title, and its table of nsids on the right.

use super::row::{Pin, settle};
use super::scene::{Band, shorten};
use crate::clean::width;

/// A title with its place, and the columns of the wires that pass it.
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) about: String,
    /// Column, line and text of each line of the table of nsids.
    pub(crate) tables: Vec<(usize, usize, String)>,
    pub(crate) lanes: Vec<Pin>,
    /// Lines.
    pub(crate) height: usize,
}

impl Head {
    /// As much of what is known as lets the wires go straight and the table stand beside it; all
    /// of it where nothing does. None: there is no room for all wires.
    pub(crate) fn best(band: &Band, lanes: &[Pin], page: usize) -> Option<Self> {
        let all = Self::with(band, band.about.len(), lanes, page);
        let unmoved = |h: &Self| h.lanes == lanes;
        (0..=band.about.len())
            .rev()
            .filter_map(|n| Self::with(band, n, lanes, page))
            .find(|h| unmoved(h) && h.height == 1)
            .or_else(|| {
                let some = (0..=band.about.len()).rev();
                some.filter_map(|n| Self::with(band, n, lanes, page)).find(unmoved)
            })
            .or(all)
    }

    /// With so many words about it.
    fn with(band: &Band, words: usize, lanes: &[Pin], page: usize) -> Option<Self> {
        let room = page.checked_sub(lanes.len() * 2 + 2).filter(|r| *r >= 12)?;
        let name = shorten(&band.name, room);
        let about = band.about[..words].join(", ");
        let left = room.saturating_sub(width(&name) + 2);
        let about = if left < 8 { String::new() } else { shorten(&about, left) };
        let used = width(&name) + if about.is_empty() { 0 } else { width(&about) + 2 };
        let mut lanes = settle(lanes, &[(0, used + 1)], page).ok()?;
        let mut tables: Vec<(usize, usize, String)> = Vec::new();
        let mut line = 0;
        for text in nsid_lines(&band.nsids, page, lanes.len()) {
            let w = width(&text);
            let beside = if line == 0 { gap(&lanes, used + 2, w, page) } else { None };
            let x = match beside {
                Some(x) => x,
                None => {
                    line = line.max(1);
                    gap(&lanes, 2, w, page).unwrap_or(page.saturating_sub(w))
                }
            };
            tables.push((x, line, text));
            line += 1;
        }
        let mut blocked = vec![(0, used + 1)];
        blocked.extend(tables.iter().map(|(x, _, t)| (x.saturating_sub(1), x + width(t) + 1)));
        if lanes.iter().any(|(_, x)| blocked.iter().any(|(a, b)| (*a..*b).contains(x))) {
            lanes = settle(&lanes, &blocked, page).ok()?;
        }
        let height = tables.last().map_or(1, |(_, l, _)| l + 1);
        Some(Self { name, about, tables, lanes, height })
    }
}

/// The rightmost place for a text of that width which is not before `from` and touches no wire.
fn gap(lanes: &[Pin], from: usize, width: usize, page: usize) -> Option<usize> {
    let last = page.checked_sub(width)?;
    (from..=last).rev().find(|x| {
        let (a, b) = (x.saturating_sub(1), x + width);
        !lanes.iter().any(|(_, l)| (a..=b).contains(l))
    })
}

/// The table of nsids in lines; what does not fit in a few is only counted.
fn nsid_lines(entries: &[String], page: usize, lanes: usize) -> Vec<String> {
    const MOST: usize = 2;
    let room = (page / 2).min(page.saturating_sub(lanes * 2 + 4)).max(12);
    let mut lines: Vec<String> = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        let last = n + 1 == entries.len();
        let more = format!(" and {} more", entries.len() - n);
        let entry = format!("{}{}", shorten(entry, room - 6), if last { "" } else { "," });
        let full = lines.len() == MOST;
        match lines.last_mut() {
            None => lines.push(format!("nsid {entry}")),
            Some(line)
                if width(line)
                    + 1
                    + width(&entry)
                    + if last || !full { 0 } else { width(&more) }
                    <= room =>
            {
                line.push(' ');
                line.push_str(&entry);
            }
            Some(line) if full => {
                line.push_str(&more);
                break;
            }
            Some(_) => lines.push(entry),
        }
    }
    lines
}
