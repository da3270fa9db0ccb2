//! A layout as lines of characters.

use super::layout::{Layout, Segment};
use crate::clean::width;
use crate::style::{END, Style, Tone};

/// Directions in which a line leaves the middle of a cell.
const N: u8 = 1;
const E: u8 = 2;
const S: u8 = 4;
const W: u8 = 8;

#[derive(Clone, Copy, Default)]
struct Cell {
    /// What stands there; None: a blank, or the second half of a wide character.
    text: Option<char>,
    /// Second half of a wide character.
    covered: bool,
    tone: Tone,
    /// Lines of wires, and of boxes.
    wire: u8,
    frame: u8,
    rule: bool,
    wall: bool,
}

/// Paints it.
pub(crate) fn paint(layout: &Layout, style: &Style) -> String {
    let mut grid = vec![vec![Cell::default(); layout.width + 1]; layout.height];
    lines(layout, &mut grid);
    for t in &layout.texts {
        let mut x = t.x;
        for c in t.text.chars() {
            let wide = width(c.encode_utf8(&mut [0; 4])).max(1);
            if let Some(cell) = cell(&mut grid, x, t.y) {
                (cell.text, cell.tone) = (Some(c), t.tone);
            }
            for covered in x + 1..x + wide {
                if let Some(cell) = cell(&mut grid, covered, t.y) {
                    cell.covered = true;
                }
            }
            x += wide;
        }
    }
    let mut out = String::new();
    for row in &grid {
        line(row, style, &mut out);
    }
    out
}

fn cell(grid: &mut [Vec<Cell>], x: usize, y: usize) -> Option<&mut Cell> {
    grid.get_mut(y)?.get_mut(x)
}

fn lines(layout: &Layout, grid: &mut [Vec<Cell>]) {
    for y in &layout.rules {
        for x in 0..layout.width {
            set(grid, x, *y, |c| c.rule = true);
        }
    }
    for w in &layout.walls {
        for y in w.y..w.y + w.height {
            set(grid, w.x, y, |c| c.wall = true);
        }
    }
    for f in &layout.frames {
        let (right, bottom) = (f.x + f.width - 1, f.y + f.height - 1);
        for s in [
            Segment::across(f.y, f.x, right),
            Segment::across(bottom, f.x, right),
            Segment::down(f.x, f.y, bottom),
            Segment::down(right, f.y, bottom),
        ] {
            segment(s, |x, y, bits| set(grid, x, y, |c| c.frame |= bits));
        }
    }
    for s in layout.wires.iter().flat_map(|w| &w.segments) {
        segment(*s, |x, y, bits| set(grid, x, y, |c| c.wire |= bits));
    }
}

fn set(grid: &mut [Vec<Cell>], x: usize, y: usize, change: impl FnOnce(&mut Cell)) {
    if let Some(cell) = cell(grid, x, y) {
        change(cell);
    }
}

/// Calls back for each cell of a segment with the directions in which it leaves that cell.
pub(crate) fn segment(s: Segment, mut each: impl FnMut(usize, usize, u8)) {
    if s.y[0] == s.y[1] {
        for x in s.x[0]..=s.x[1] {
            let left = if x > s.x[0] { W } else { 0 };
            let right = if x < s.x[1] { E } else { 0 };
            each(x, s.y[0], left | right);
        }
    } else {
        for y in s.y[0]..=s.y[1] {
            let up = if y > s.y[0] { N } else { 0 };
            let down = if y < s.y[1] { S } else { 0 };
            each(s.x[0], y, up | down);
        }
    }
}

fn line(row: &[Cell], style: &Style, out: &mut String) {
    let last = row.iter().rposition(|c| glyph(c, style.ascii) != ' ').map_or(0, |n| n + 1);
    let mut now = Tone::Plain;
    for cell in row[..last].iter().filter(|c| !c.covered) {
        let tone = if style.colour { tone(cell) } else { Tone::Plain };
        if tone != now {
            out.push_str(if now == Tone::Plain { "" } else { END });
            out.push_str(tone.start());
            now = tone;
        }
        out.push(glyph(cell, style.ascii));
    }
    out.push_str(if now == Tone::Plain { "" } else { END });
    out.push('\n');
}

const fn tone(cell: &Cell) -> Tone {
    match (cell.text, cell.rule || cell.wall) {
        (Some(_), _) => cell.tone,
        (None, true) => Tone::Faint,
        (None, false) => Tone::Plain,
    }
}

/// Text over wires over boxes over boundaries.
fn glyph(cell: &Cell, ascii: bool) -> char {
    if let Some(c) = cell.text {
        return if ascii { ascii_of(c) } else { c };
    }
    if ascii && cell.wire == 0 && cell.frame.count_ones() > 2 {
        return '+'; // `├` of a port becomes a bracket
    }
    let c = match (cell.wire, cell.frame, cell.rule, cell.wall) {
        (0, 0, false, false) => ' ',
        (0, 0, true, _) => '═',
        (0, 0, false, true) => '║',
        (w, _, _, true) if w == E | W => '╫',
        (w, _, _, _) if w == N | E | S | W => '┼',
        (0, bits, _, _) | (bits, _, _, _) => joined(bits),
    };
    match (ascii, c) {
        (false, c) => c,
        // A crossing must not look like a corner.
        (true, '┼' | '╫') => '|',
        (true, c) => ascii_of(c),
    }
}

const fn joined(bits: u8) -> char {
    const NS: u8 = N | S;
    const EW: u8 = E | W;
    const SE: u8 = S | E;
    const SW: u8 = S | W;
    const NE: u8 = N | E;
    const NW: u8 = N | W;
    match bits {
        0 => ' ',
        NS | N | S => '│',
        EW | E | W => '─',
        SE => '┌',
        SW => '┐',
        NE => '└',
        NW => '┘',
        // Only boxes have these: wires never fork.
        7 => '├',
        13 => '┤',
        14 => '┬',
        11 => '┴',
        _ => '┼',
    }
}

const fn ascii_of(c: char) -> char {
    match c {
        '│' => '|',
        '─' => '-',
        '═' => '=',
        '║' => ':',
        '┤' => '[',
        '├' => ']',
        '┌' | '┐' | '└' | '┘' => '+',
        '⇄' => '~',
        c if c.is_ascii() => c,
        _ => '?',
    }
}
