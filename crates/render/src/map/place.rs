//! From top to bottom: heads of bands, rows of blocks, and channels of wires between them.

use super::block::{Block, block, wrap};
use super::channel::{self, Net};
use super::head::Head;
use super::layout::{Layout, Segment, Text, Wire};
use super::scene::{Band, Scene, What, shorten};
use crate::clean::width;
use crate::style::Tone;

/// There is not enough room for all wires side by side.
#[derive(Debug)]
pub(crate) struct Overfull;

/// A wire, and the column that it is in.
pub(crate) type Pin = (usize, usize);

/// Gives everything its place on a page of `width` columns.
pub(crate) fn place(scene: &Scene, page: usize) -> Result<Layout, Overfull> {
    let wires = scene.wires.iter().map(|ends| Wire { ends: *ends, segments: Vec::new() }).collect();
    let layout = Layout { width: page, wires, ..Layout::default() };
    let mut placer = Placer { scene, layout, y: 0, open: Vec::new(), fresh: false };
    for (at, band) in scene.bands.iter().enumerate() {
        placer.head(at, band)?;
        placer.items(at, band)?;
    }
    placer.channel(&[], 0)?;
    placer.rest();
    placer.layout.height = placer.y;
    Ok(placer.layout)
}

/// The same without any box or wire: what is left when nothing else fits.
pub(crate) fn list(scene: &Scene, page: usize) -> Layout {
    let mut layout = Layout { width: page, ..Layout::default() };
    let mut y = 0;
    let mut text = |x: usize, text: &str, link| {
        let text = shorten(text, page.saturating_sub(x));
        layout.texts.push(Text { x, y, text, link, tone: Tone::Plain });
        y += 1;
    };
    for band in &scene.bands {
        text(0, &band.name, None);
        for item in &band.items {
            text(2, &item.name, Some(item.link));
            if let What::Bridge { ports, .. } = &item.what {
                for port in ports {
                    text(4, &port.name, Some(port.link));
                }
            }
        }
    }
    layout.height = y;
    layout
}

struct Placer<'a> {
    scene: &'a Scene,
    layout: Layout,
    /// The first line that is free.
    y: usize,
    /// Wires that come out of what is placed, at its lower end. One that is there twice is joined
    /// in the next channel.
    open: Vec<Pin>,
    /// A wire has just begun: it is to be seen before the next line.
    fresh: bool,
}

/// Where the blocks of a row and the wires that pass it stand.
struct Row {
    blocks: Vec<Placed>,
    lanes: Vec<Pin>,
}

/// A block with its place in a row.
struct Placed {
    /// Index of the item in its band.
    item: usize,
    block: Block,
    /// First column.
    x: usize,
    /// The wire that it hangs on, and where that comes in.
    top: Option<Pin>,
}

impl Row {
    /// Where wires come in at its upper end.
    fn pins(&self) -> Vec<Pin> {
        self.blocks.iter().filter_map(|b| b.top).chain(self.lanes.iter().copied()).collect()
    }
}

impl Placer<'_> {
    const fn page(&self) -> usize {
        self.layout.width
    }

    /// Wires that have to go on below.
    fn lanes(&self) -> Vec<Pin> {
        let once = |p: &&Pin| self.open.iter().filter(|o| o.0 == p.0).count() == 1;
        self.open.iter().filter(once).copied().collect()
    }

    fn text(&mut self, x: usize, y: usize, text: &str, tone: Tone) {
        if text.is_empty() {
            return;
        }
        self.layout.texts.push(Text { x, y, text: text.to_owned(), link: None, tone });
    }

    fn wire(&mut self, wire: usize, segment: Segment) {
        self.layout.wires[wire].segments.push(segment);
    }

    /// Routes the wires from what is placed to the next row, where they are to be at `below`.
    fn channel(&mut self, below: &[Pin], least: usize) -> Result<(), Overfull> {
        let mut nets: Vec<Net> = Vec::new();
        for (wire, x) in std::mem::take(&mut self.open) {
            match nets.iter_mut().find(|n| n.wire == wire) {
                Some(net) => net.above.push(x),
                None => nets.push(Net { wire, above: vec![x], below: Vec::new() }),
            }
        }
        for (wire, x) in below {
            if let Some(net) = nets.iter_mut().find(|n| n.wire == *wire) {
                net.below.push(*x);
            }
        }
        let least = if nets.is_empty() { 0 } else { least };
        let routed = channel::route(nets, self.y, self.page(), least).ok_or(Overfull)?;
        for (wire, segment) in routed.segments {
            self.wire(wire, segment);
        }
        self.y += routed.height;
        Ok(())
    }

    /// The line between bands, and a band's title with its table of nsids.
    fn head(&mut self, at: usize, band: &Band) -> Result<(), Overfull> {
        let lanes = self.lanes();
        let head = Head::best(band, &lanes, self.page()).ok_or(Overfull)?;
        let rule = usize::from(at > 0);
        self.channel(&head.lanes, usize::from(self.fresh))?;
        let top = self.y;
        if at > 0 {
            self.layout.rules.push(top);
        }
        self.text(0, top + rule, &head.name, Tone::Title);
        self.text(width(&head.name) + 2, top + rule, &head.about, Tone::Plain);
        for (x, line, text) in &head.tables {
            self.text(*x, top + rule + line, text, Tone::Faint);
        }
        self.fresh = false;
        self.pass(&head.lanes, top, rule + head.height);
        Ok(())
    }

    /// Wires that go straight through lines `top` and following.
    fn pass(&mut self, lanes: &[Pin], top: usize, height: usize) {
        for (wire, x) in lanes {
            self.wire(*wire, Segment::down(*x, top, top + height - 1));
        }
        self.open.extend_from_slice(lanes);
        self.y = top + height;
    }

    /// All items of a band, in as many rows as they need.
    fn items(&mut self, at: usize, band: &Band) -> Result<(), Overfull> {
        let tall = band.items.iter().any(|i| matches!(i.what, What::Bridge { .. }));
        let mut left: Vec<usize> = (0..band.items.len()).collect();
        while !left.is_empty() {
            let mut row = self.row(at, band, &left, tall)?;
            let moved = |r: &Row| self.lanes().iter().filter(|l| !r.pins().contains(l)).count();
            if !tall && moved(&row) > 0 {
                // Narrower blocks may let more wires go straight.
                let narrow = self.row(at, band, &left, true)?;
                if moved(&narrow) < moved(&row) && narrow.blocks.len() >= row.blocks.len() {
                    row = narrow;
                }
            }
            left.retain(|i| !row.blocks.iter().any(|b| b.item == *i));
            self.draw(row)?;
        }
        Ok(())
    }

    /// As many of the items as stand side by side, first come first served.
    fn row(&self, at: usize, band: &Band, left: &[usize], tall: bool) -> Result<Row, Overfull> {
        let lanes = self.lanes();
        let mut chosen: Vec<usize> = Vec::new();
        let mut best = None;
        let mut misses = 0;
        for item in left {
            let mut with = chosen.clone();
            with.push(*item);
            let blocks = with.iter().map(|i| (*i, self.block(at, band, *i, tall))).collect();
            match self.arrange(blocks, &lanes) {
                Some(row) => {
                    chosen = with;
                    best = Some(row);
                }
                None => misses += 1,
            }
            if misses > 8 {
                break;
            }
        }
        best.ok_or(Overfull)
    }

    fn block(&self, at: usize, band: &Band, item: usize, tall: bool) -> Block {
        let from_above = |wire: usize| {
            let ends = self.scene.wires[wire];
            let other = if ends[0].ns == band.ns { ends[1].ns } else { ends[0].ns };
            self.scene.bands.iter().position(|b| b.ns == other).is_some_and(|o| o < at)
        };
        let room = self.page().saturating_sub(2);
        let flat = block(&band.items[item], room, tall, from_above);
        let lane = flat.top.and_then(|w| self.open.iter().find(|o| o.0 == w)).map_or(0, |o| o.1);
        if flat.top.is_some() && lane + flat.width > self.page() {
            // Too near the edge for one line under its wire.
            return block(&band.items[item], room, true, from_above);
        }
        flat
    }

    /// Places for these blocks side by side, and for the wires that pass them.
    fn arrange(&self, blocks: Vec<(usize, Block)>, lanes: &[Pin]) -> Option<Row> {
        let column = |b: &Block| b.top.and_then(|w| lanes.iter().find(|l| l.0 == w)).map(|l| l.1);
        let passing: Vec<Pin> = lanes
            .iter()
            .filter(|l| !blocks.iter().any(|(_, b)| b.top == Some(l.0)))
            .copied()
            .collect();
        let mut hung: Vec<(usize, usize)> =
            blocks.iter().enumerate().filter_map(|(n, (_, b))| Some((column(b)?, n))).collect();
        hung.sort_unstable();
        let mut starts: Vec<Option<usize>> = vec![None; blocks.len()];
        self.hang(&blocks, &hung, &mut starts)?;
        for n in 0..blocks.len() {
            if starts[n].is_none() {
                starts[n] = Some(self.free(&blocks, &starts, n, &passing)?);
            }
        }
        let ranges: Vec<(usize, usize)> = blocks
            .iter()
            .zip(&starts)
            .filter_map(|((_, b), x)| x.map(|x| (x.saturating_sub(1), x + b.width + 1)))
            .collect();
        let passing = settle(&passing, &ranges, self.page()).ok()?;
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
        &self,
        blocks: &[(usize, Block)],
        hung: &[(usize, usize)],
        starts: &mut [Option<usize>],
    ) -> Option<()> {
        let mut end = 0;
        for (x, n) in hung {
            let b = &blocks[*n].1;
            let name = b.texts.first().map_or(1, |t| width(&t.text));
            let wish = x.saturating_sub(name / 2).min(self.page().checked_sub(b.width)?);
            let start = wish.max(end);
            starts[*n] = Some(start);
            end = start + b.width + 2;
        }
        let mut limit = self.page();
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
        &self,
        blocks: &[(usize, Block)],
        starts: &[Option<usize>],
        n: usize,
        passing: &[Pin],
    ) -> Option<usize> {
        let w = blocks[n].1.width;
        let last = self.page().checked_sub(w)?;
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

    /// Puts a row on the page, after the channel that leads to it.
    fn draw(&mut self, row: Row) -> Result<(), Overfull> {
        self.channel(&row.pins(), 0)?;
        let top = self.y;
        self.fresh = row.blocks.iter().any(|b| !b.block.bottoms.is_empty());
        let height = row.blocks.iter().map(|b| b.block.height).max().unwrap_or(1);
        for placed in row.blocks {
            if let Some((wire, column)) = placed.top {
                self.wire(wire, Segment::down(column, top, top));
            }
            self.put(placed, top, height);
        }
        self.pass(&row.lanes, top, height);
        Ok(())
    }

    /// Puts a block on the page. A name that hangs on a wire stands under it.
    fn put(&mut self, placed: Placed, top: usize, height: usize) {
        let Placed { mut block, x, .. } = placed;
        if let (Some((_, column)), Some(name)) = (placed.top, block.texts.first_mut())
            && block.height > 1
        {
            let w = width(&name.text);
            name.x = (column - x).saturating_sub(w / 2).min(block.width - w);
        }
        for t in block.texts {
            self.layout.texts.push(Text { x: t.x + x, y: t.y + top, ..t });
        }
        for f in block.frames {
            self.layout.frames.push(super::Frame { x: f.x + x, y: f.y + top, ..f });
        }
        for w in block.walls {
            self.layout.walls.push(super::Wall { x: w.x + x, y: w.y + top, ..w });
        }
        for (wire, s) in block.segments {
            self.wire(wire, Segment { x: s.x.map(|c| c + x), y: s.y.map(|l| l + top) });
        }
        for (wire, column, line) in block.bottoms {
            self.wire(wire, Segment::down(column + x, top + line, top + height - 1));
            self.open.push((wire, column + x));
        }
    }

    fn rest(&mut self) {
        let lines: Vec<String> =
            self.scene.rest.iter().flat_map(|l| wrap(l, self.page())).collect();
        if !lines.is_empty() && self.y > 0 {
            self.y += 1;
        }
        for line in lines {
            self.text(0, self.y, &line, Tone::Faint);
            self.y += 1;
        }
    }
}

/// The column at which a wire that is at `lane` comes to a block at `x`: to its name, which moves
/// under the wire where it has a line for itself.
fn hook(block: &Block, x: usize, lane: usize) -> usize {
    let name = block.texts.first().map_or(1, |t| width(&t.text));
    let room = if block.height > 1 { block.width } else { name };
    lane.clamp(x, x + room - 1)
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
            .ok_or(Overfull)?;
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
