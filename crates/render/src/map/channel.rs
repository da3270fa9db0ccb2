//! Wires between two rows: which lines their level parts take.
//!
//! A wire comes from above or goes below at given columns (its pins). Its level part gets a line
//! of the channel so that no two wires run on top of each other; they may cross.

use super::layout::Segment;

/// One wire in a channel: two pins in all.
#[derive(Clone, Debug)]
pub(crate) struct Net {
    /// Which wire.
    pub(crate) wire: usize,
    /// Columns at which it comes from the row above.
    pub(crate) above: Vec<usize>,
    /// Columns at which it goes to the row below.
    pub(crate) below: Vec<usize>,
}

/// A routed channel.
pub(crate) struct Routed {
    /// Lines that it takes.
    pub(crate) height: usize,
    /// Parts of wires, in lines of the page.
    pub(crate) segments: Vec<(usize, Segment)>,
}

/// A part of a net with one level line.
struct Piece {
    wire: usize,
    above: Vec<usize>,
    below: Vec<usize>,
    /// Column that joins it to the piece before (which lies above).
    from: Option<(usize, usize)>,
    /// Column that joins it to a piece after.
    to: Option<usize>,
    line: Option<usize>,
}

impl Piece {
    fn span(&self) -> (usize, usize) {
        let columns = || {
            let joints = self.from.map(|f| f.1).into_iter().chain(self.to);
            self.above.iter().chain(&self.below).copied().chain(joints)
        };
        (columns().min().unwrap_or(0), columns().max().unwrap_or(0))
    }

    /// Those that move right begin with the rightmost, those that move left with the leftmost:
    /// so that neighbours that move together do not cross.
    fn turn(&self) -> (bool, isize) {
        let signed = |x: usize| isize::try_from(x).unwrap_or(isize::MAX);
        match (self.above.as_slice(), self.below.as_slice()) {
            ([a], [b]) if b > a => (true, -signed(*a)),
            ([a], [_]) => (true, signed(*a)),
            // A wire that turns back upwards: short ones first.
            _ => (false, signed(self.span().1 - self.span().0)),
        }
    }
}

/// Routes a channel whose first line is `top`, on a page of `width` columns, with at least `least`
/// lines. None: no free column is left for a way around.
pub(crate) fn route(nets: Vec<Net>, top: usize, width: usize, least: usize) -> Option<Routed> {
    let taken: Vec<usize> =
        nets.iter().flat_map(|n| n.above.iter().chain(&n.below)).copied().collect();
    let (straight, bent): (Vec<Net>, Vec<Net>) =
        nets.into_iter().partition(|n| n.above.len() == 1 && n.above == n.below);
    let pieces = lines_for(bent, taken, width)?;
    let lines = pieces.iter().filter_map(|p| p.line).map(|l| l + 1).max().unwrap_or(0);
    let height = lines.max(least);
    let mut segments = Vec::new();
    for net in straight {
        segments.push((net.wire, Segment::down(net.above[0], top - 1, top + height)));
    }
    for p in &pieces {
        draw(p, &pieces, top, height, &mut segments);
    }
    Some(Routed { height, segments })
}

fn draw(p: &Piece, all: &[Piece], top: usize, height: usize, out: &mut Vec<(usize, Segment)>) {
    let y = top + p.line.unwrap_or(0);
    let (first, last) = p.span();
    out.push((p.wire, Segment::across(y, first, last)));
    for x in &p.above {
        out.push((p.wire, Segment::down(*x, top - 1, y)));
    }
    for x in &p.below {
        out.push((p.wire, Segment::down(*x, y, top + height)));
    }
    if let Some((before, x)) = p.from {
        out.push((p.wire, Segment::down(x, top + all[before].line.unwrap_or(0), y)));
    }
}

/// Gives every bent net a line (or two, where it must step aside to break a circle).
fn lines_for(nets: Vec<Net>, mut taken: Vec<usize>, width: usize) -> Option<Vec<Piece>> {
    let mut pieces: Vec<Piece> = nets
        .into_iter()
        .map(|n| Piece {
            wire: n.wire,
            above: n.above,
            below: n.below,
            from: None,
            to: None,
            line: None,
        })
        .collect();
    let mut line = 0;
    let mut idle = 0;
    while pieces.iter().any(|p| p.line.is_none()) {
        let mut ready: Vec<usize> = (0..pieces.len())
            .filter(|i| pieces[*i].line.is_none() && is_ready(&pieces, *i, line))
            .collect();
        if ready.is_empty() && idle > 1 {
            split(&mut pieces, &mut taken, width)?;
            idle = 0;
            continue;
        }
        idle = if ready.is_empty() { idle + 1 } else { 0 };
        ready.sort_by_key(|i| pieces[*i].turn());
        fill(&mut pieces, &ready, line);
        line += 1;
    }
    Some(pieces)
}

/// Whether all that must lie above it does, with an empty line between where they share a column.
fn is_ready(pieces: &[Piece], at: usize, line: usize) -> bool {
    let p = &pieces[at];
    let after_joint = p.from.is_none_or(|(b, _)| pieces[b].line.is_some_and(|l| l < line));
    after_joint
        && pieces.iter().enumerate().all(|(i, q)| {
            i == at
                || !q.above.iter().any(|x| p.below.contains(x))
                || q.line.is_some_and(|l| l + 1 < line)
        })
}

/// Puts as many of the ready pieces on one line as stand apart.
fn fill(pieces: &mut [Piece], ready: &[usize], line: usize) {
    let mut used: Vec<(usize, usize)> = Vec::new();
    for i in ready {
        let (first, last) = pieces[*i].span();
        if used.iter().all(|(a, b)| last + 1 < *a || b + 1 < first) {
            pieces[*i].line = Some(line);
            used.push((first, last));
        }
    }
}

/// Breaks a circle of wires that each want to lie above the next: one goes by a free column.
fn split(pieces: &mut Vec<Piece>, taken: &mut Vec<usize>, width: usize) -> Option<()> {
    let at =
        pieces.iter().position(|p| p.line.is_none() && p.above.len() == 1 && p.below.len() == 1)?;
    let (first, last) = pieces[at].span();
    let middle = usize::midpoint(first, last);
    let free =
        (0..width).filter(|x| !taken.contains(x)).min_by_key(|x| (x.abs_diff(middle), *x))?;
    taken.push(free);
    let below = std::mem::take(&mut pieces[at].below);
    pieces[at].to = Some(free);
    let wire = pieces[at].wire;
    let from = Some((at, free));
    pieces.push(Piece { wire, above: Vec::new(), below, from, to: None, line: None });
    Some(())
}
