//! Whether a figure is right: looks at the painted characters, beside what was to be drawn.

use std::collections::{BTreeMap, BTreeSet};

use model::{LinkId, LinkKind, Snapshot};

use super::paint::{paint, segment};
use super::{Layout, Text, Wire, layout};
use crate::Style;
use crate::clean::width;

/// Panics with the figure if anything about it is wrong. Every link must be drawn once; every
/// wire must join its two ends; no wire may cross text.
pub(crate) fn check(snapshot: &Snapshot, style: &Style) -> String {
    let layout = layout(snapshot, expanded(), style);
    let text = paint(&layout, style);
    let page = Page(&text);
    let grid: Vec<Vec<char>> = text.lines().map(cells).collect();
    let owner = texts(&layout, &grid, style, &page);
    links(snapshot, &layout, &page);
    let mut runs: BTreeMap<(usize, usize), Vec<(usize, u8)>> = BTreeMap::new();
    for (n, wire) in layout.wires.iter().enumerate() {
        for (cell, bits) in bits_of(wire) {
            runs.entry(cell).or_default().push((n, bits));
        }
    }
    for (cell, wires) in &runs {
        let crossing =
            wires.len() == 2 && wires[0].1 | wires[1].1 == 15 && [5, 10].contains(&wires[0].1);
        if wires.len() > 1 && !crossing {
            page.fault(&format!("two wires in one place: {cell:?}"));
        }
    }
    for (n, wire) in layout.wires.iter().enumerate() {
        joins(n, wire, &layout, &owner, &grid, style, &page);
    }
    if style.ascii && !text.is_ascii() {
        page.fault("not only ASCII");
    }
    if let Some(line) = text.lines().find(|l| width(l) > style.width) {
        page.fault(&format!("too wide: {line}"));
    }
    text.clone()
}

/// With every leaf.
fn expanded() -> super::Choice {
    super::Choice { expand: true, ..super::Choice::default() }
}

/// What was painted.
struct Page<'a>(&'a str);

impl Page<'_> {
    fn fault(&self, what: &str) -> ! {
        panic!("{what}\n{}", self.0)
    }
}

/// Characters by column; the second half of a wide one is a blank.
fn cells(line: &str) -> Vec<char> {
    let mut out = Vec::new();
    for c in line.chars() {
        out.push(c);
        out.extend(std::iter::repeat_n(' ', width(&c.to_string()).saturating_sub(1)));
    }
    out
}

fn at(grid: &[Vec<char>], x: usize, y: usize) -> char {
    grid.get(y).and_then(|row| row.get(x)).copied().unwrap_or(' ')
}

/// Every text stands where it should, over no other. Which text each cell belongs to.
fn texts(
    layout: &Layout,
    grid: &[Vec<char>],
    style: &Style,
    page: &Page<'_>,
) -> BTreeMap<(usize, usize), usize> {
    let mut owner = BTreeMap::new();
    for (n, t) in layout.texts.iter().enumerate() {
        for (dx, c) in cells(&t.text).into_iter().enumerate() {
            let cell = (t.x + dx, t.y);
            if owner.insert(cell, n).is_some() {
                page.fault(&format!("{:?} stands on another text", t.text));
            }
            let painted = at(grid, cell.0, cell.1);
            if painted != c && !style.ascii {
                page.fault(&format!("{:?} is not to be seen: {painted:?}", t.text));
            }
        }
    }
    owner
}

/// Every link but `lo` is drawn just once, by a text that begins with its name.
fn links(snapshot: &Snapshot, layout: &Layout, page: &Page<'_>) {
    let drawn: Vec<(LinkId, &Text)> =
        layout.texts.iter().filter(|t| !t.own).filter_map(|t| Some((t.link?, t))).collect();
    let mut seen = BTreeSet::new();
    for (id, t) in &drawn {
        let name = &snapshot.link(*id).unwrap().name;
        if !seen.insert(*id) {
            page.fault(&format!("{} is drawn twice", snapshot.link_name(*id)));
        }
        let shown = t.text.trim_start_matches([' ', '┤']);
        let as_it_is = name.chars().all(|c| c.is_ascii_graphic());
        if as_it_is && !shown.starts_with(name.as_str()) {
            page.fault(&format!("{:?} is to be {name}", t.text));
        }
    }
    for ns in snapshot.namespaces.values() {
        for l in ns.links.values().filter(|l| l.kind != LinkKind::Loopback) {
            let id = LinkId { ns: ns.id, index: l.index };
            if !seen.contains(&id) {
                page.fault(&format!("{} is not drawn", snapshot.link_name(id)));
            }
        }
    }
}

/// Cells of a wire, with the directions in which it leaves each.
fn bits_of(wire: &Wire) -> BTreeMap<(usize, usize), u8> {
    let mut cells = BTreeMap::new();
    for s in &wire.segments {
        segment(*s, |x, y, bits| *cells.entry((x, y)).or_insert(0) |= bits);
    }
    cells
}

/// Follows the painted line from one end of a wire; it must come to the other.
fn joins(
    n: usize,
    wire: &Wire,
    layout: &Layout,
    owner: &BTreeMap<(usize, usize), usize>,
    grid: &[Vec<char>],
    style: &Style,
    page: &Page<'_>,
) {
    let cells = bits_of(wire);
    let ends: Vec<((usize, usize), u8)> = cells
        .iter()
        .filter(|(_, bits)| bits.count_ones() == 1)
        .map(|(cell, bits)| (*cell, *bits))
        .collect();
    let [(start, bits), (goal, _)] = ends.as_slice() else {
        page.fault(&format!("wire {n} has {} ends", ends.len()));
    };
    let whose = |cell: &(usize, usize)| owner.get(cell).and_then(|t| layout.texts[*t].link);
    let mut ids = [whose(start), whose(goal)];
    ids.sort_unstable();
    if ids != wire.ends.map(Some) {
        page.fault(&format!("wire {n} ends at {ids:?} instead of {:?}", wire.ends));
    }
    if style.ascii {
        return; // corners and crossings are checked where they can be told apart
    }
    let (mut cell, mut towards) = (*start, *bits);
    for _ in 0..layout.width * layout.height {
        cell = match towards {
            1 => (cell.0, cell.1 - 1),
            2 => (cell.0 + 1, cell.1),
            4 => (cell.0, cell.1 + 1),
            _ => (cell.0 - 1, cell.1),
        };
        if cell == *goal {
            return;
        }
        if owner.contains_key(&cell) {
            page.fault(&format!("wire {n} runs into text at {cell:?}"));
        }
        towards = match (at(grid, cell.0, cell.1), towards) {
            ('│' | '┼', 1 | 4) | ('─' | '┼' | '╫', 2 | 8) => towards,
            ('┌', 1) | ('└', 4) => 2,
            ('┐', 2) | ('┌', 8) => 4,
            ('┘', 4) | ('┐', 1) => 8,
            ('└', 8) | ('┘', 2) => 1,
            (c, _) => page.fault(&format!("wire {n} is broken at {cell:?}: {c:?}")),
        };
    }
    page.fault(&format!("wire {n} goes in a circle"));
}
