//! Blocks side by side, and the wires that pass between them.

use model::LinkId;

use super::block::Block;
use crate::clean::width;

/// There is not enough room for all wires side by side.
#[derive(Debug, Default)]
pub(crate) struct Overfull {
    /// A bridge that is too wide with what is drawn in line with its ports.
    pub(crate) bridge: Option<LinkId>,
}

/// A wire, and the column that it is in.
pub(crate) type Pin = (usize, usize);

/// Where the blocks of a row and the wires that pass it stand.
pub(crate) struct Row {
    pub(crate) blocks: Vec<Placed>,
    pub(crate) lanes: Vec<Pin>,
}

/// A block with its place in a row.
pub(crate) struct Placed {
    /// Index of the item in its band.
    pub(crate) item: usize,
    pub(crate) block: Block,
    /// First column.
    pub(crate) x: usize,
    /// The wire that it hangs on, and where that comes in.
    pub(crate) top: Option<Pin>,
}

impl Row {
    /// Where wires come in at its upper end.
    pub(crate) fn pins(&self) -> Vec<Pin> {
        self.blocks.iter().filter_map(|b| b.top).chain(self.lanes.iter().copied()).collect()
    }
}

/// Places for these blocks side by side, and for the wires that pass them.
pub(crate) fn arrange(blocks: Vec<(usize, Block)>, lanes: &[Pin], page: usize) -> Option<Row> {
    let column = |b: &Block| b.top.and_then(|w| lanes.iter().find(|l| l.0 == w)).map(|l| l.1);
    let passing: Vec<Pin> =
        lanes.iter().filter(|l| !blocks.iter().any(|(_, b)| b.top == Some(l.0))).copied().collect();
    let mut hung: Vec<(usize, usize)> =
        blocks.iter().enumerate().filter_map(|(n, (_, b))| Some((column(b)?, n))).collect();
    hung.sort_unstable();
    let mut starts: Vec<Option<usize>> = vec![None; blocks.len()];
    hang(&blocks, &hung, &mut starts, page)?;
    for n in 0..blocks.len() {
        if starts[n].is_none() {
            starts[n] = Some(free(&blocks, &starts, n, &passing, page)?);
        }
    }
    let ranges: Vec<(usize, usize)> = blocks
        .iter()
        .zip(&starts)
        .filter_map(|((_, b), x)| x.map(|x| (x.saturating_sub(1), x + b.width + 1)))
        .collect();
    let passing = settle(&passing, &ranges, page).ok()?;
    let place = |((item, block), x): ((usize, Block), Option<usize>)| {
        let x = x?;
        let top = block.top.zip(column(&block)).map(|(w, lane)| (w, hook(&block, x, lane)));
        Some(Placed { item, block, x, top })
    };
    let blocks = blocks.into_iter().zip(starts).filter_map(place).collect();
    Some(Row { blocks, lanes: passing })
}

/// Blocks that hang on wires from above: each under its wire, as far as there is room.
fn hang(
    blocks: &[(usize, Block)],
    hung: &[(usize, usize)],
    starts: &mut [Option<usize>],
    page: usize,
) -> Option<()> {
    let mut end = 0;
    for (x, n) in hung {
        let b = &blocks[*n].1;
        let name = b.texts.first().map_or(1, |t| width(&t.text));
        let wish = x.saturating_sub(name / 2).min(page.checked_sub(b.width)?);
        let start = wish.max(end);
        starts[*n] = Some(start);
        end = start + b.width + 2;
    }
    let mut limit = page;
    for (_, n) in hung.iter().rev() {
        let b = &blocks[*n].1;
        let start = starts[*n]?.min(limit.checked_sub(b.width)?);
        starts[*n] = Some(start);
        limit = start.saturating_sub(2);
    }
    Some(())
}

/// The first place for a block that hangs on nothing: clear of wires if there is one.
fn free(
    blocks: &[(usize, Block)],
    starts: &[Option<usize>],
    n: usize,
    passing: &[Pin],
    page: usize,
) -> Option<usize> {
    let w = blocks[n].1.width;
    let last = page.checked_sub(w)?;
    let clear = |x: &usize| {
        starts
            .iter()
            .zip(blocks)
            .all(|(s, (_, b))| s.is_none_or(|s| *x >= s + b.width + 2 || s >= *x + w + 2))
    };
    let untouched =
        |x: &usize| !passing.iter().any(|(_, l)| (x.saturating_sub(1)..=x + w).contains(l));
    let first = 2.min(last);
    (first..=last).find(|x| clear(x) && untouched(x)).or_else(|| (first..=last).find(clear))
}

/// The column at which a wire that is at `lane` comes to a block at `x`: to its name, which moves
/// under the wire where it has a line for itself.
fn hook(block: &Block, x: usize, lane: usize) -> usize {
    let name = block.texts.first().map_or(1, |t| width(&t.text));
    let room = if block.height > 1 { block.width } else { name };
    lane.clamp(x, x + room.max(1) - 1)
}

/// Columns for wires that have to pass beside what is blocked (first column, and the one behind
/// the last): where they are, or as near as can be, with room between them if there is any.
pub(crate) fn settle(
    lanes: &[Pin],
    blocked: &[(usize, usize)],
    page: usize,
) -> Result<Vec<Pin>, Overfull> {
    let is_free = |x: usize| !blocked.iter().any(|(a, b)| (*a..*b).contains(&x));
    let (stay, go): (Vec<Pin>, Vec<Pin>) = lanes.iter().partition(|l| is_free(l.1));
    let mut used: Vec<usize> = stay.iter().map(|l| l.1).collect();
    let mut found = Vec::new();
    for (_, x) in &go {
        let apart = |c: &usize| used.iter().all(|u| u.abs_diff(*c) > 1);
        let near = |c: &usize| (c.abs_diff(*x), *c);
        let column = (0..page)
            .filter(|c| is_free(*c) && apart(c))
            .min_by_key(near)
            .or_else(|| (0..page).filter(|c| is_free(*c) && !used.contains(c)).min_by_key(near))
            .ok_or_else(Overfull::default)?;
        used.push(column);
        found.push(column);
    }
    // Those that move keep their order, so that they do not cross each other.
    let mut go = go;
    go.sort_by_key(|l| l.1);
    found.sort_unstable();
    let moved = go.into_iter().zip(found).map(|((wire, _), x)| (wire, x));
    let mut settled: Vec<Pin> = stay.into_iter().chain(moved).collect();
    let order = |p: &Pin| lanes.iter().position(|l| l.0 == p.0);
    settled.sort_by_key(order);
    Ok(settled)
}
