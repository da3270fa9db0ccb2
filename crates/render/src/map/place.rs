//! From top to bottom: heads of bands, rows of blocks, and channels of wires between them.

use super::block::{Block, block, wrap};
use super::channel::{self, Net};
use super::head::Head;
use super::layout::{Layout, Segment, Text, Wire};
use super::row::{self, Overfull, Pin, Placed, Row};
use super::scene::{Band, Item, Scene, What, shorten};
use crate::clean::width;
use crate::style::Tone;

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
        layout.texts.push(Text { x, y, text, link, own: false, tone: Tone::Plain });
        y += 1;
    };
    for band in &scene.bands {
        text(0, &band.name, None);
        for item in &band.items {
            text(2, &item.name, Some(item.link));
            for upper in &item.uppers {
                text(4, &upper.text, Some(upper.link));
            }
            if let What::Bridge { ports, .. } = &item.what {
                for port in ports.iter().filter(|p| !p.own) {
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
        self.layout.texts.push(Text { x, y, text: text.to_owned(), link: None, own: false, tone });
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
        let routed =
            channel::route(nets, self.y, self.page(), least).ok_or_else(Overfull::default)?;
        for (wire, segment) in routed.segments {
            self.wire(wire, segment);
        }
        self.y += routed.height;
        Ok(())
    }

    /// The line between bands, and a band's title with its table of nsids.
    fn head(&mut self, at: usize, band: &Band) -> Result<(), Overfull> {
        let lanes = self.lanes();
        let head = Head::best(band, &lanes, self.page()).ok_or_else(Overfull::default)?;
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
            match row::arrange(blocks, &lanes, self.page()) {
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
        best.ok_or_else(|| {
            let room = self.page().saturating_sub(2);
            let wide = |i: &&Item| i.passes() && block(i, room, tall, |_| true).width > room;
            let bridge = left.iter().map(|i| &band.items[*i]).find(wide).map(|i| i.link);
            Overfull { bridge }
        })
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
