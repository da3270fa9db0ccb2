//! One item of a band as a block of text with pins, before it has a place.

use model::LinkId;

use super::layout::{Frame, Segment, Text, Wall};
use super::scene::{End, Item, OUTSIDE, Pass, Port, What, shorten};
use crate::clean::width;
use crate::style::Tone;

/// A block; all coordinates count from its upper left.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) texts: Vec<Text>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) walls: Vec<Wall>,
    /// Parts of wires within the block.
    pub(crate) segments: Vec<(usize, Segment)>,
    /// Wires that leave at the bottom: which, column, and the line that they start on.
    pub(crate) bottoms: Vec<(usize, usize, usize)>,
    /// The wire that comes in from above, to the first text.
    pub(crate) top: Option<usize>,
}

impl Block {
    fn text(
        &mut self,
        x: usize,
        y: usize,
        text: impl Into<String>,
        link: Option<LinkId>,
        tone: Tone,
    ) {
        let text = text.into();
        self.width = self.width.max(x + width(&text));
        self.height = self.height.max(y + 1);
        self.texts.push(Text { x, y, text, link, own: false, tone });
    }

    fn port(&mut self, x: usize, y: usize, label: String, port: &Port) {
        self.text(x, y, label, Some(port.link), tone(port.trouble));
        if let Some(text) = self.texts.last_mut() {
            text.own = port.own;
        }
    }
}

const fn tone(trouble: bool) -> Tone {
    if trouble { Tone::Bad } else { Tone::Plain }
}

/// The block of an item, at most `room` columns wide. `from_above`: whether a wire comes from an
/// upper band; `tall`: addresses go under the name.
pub(crate) fn block(
    item: &Item,
    room: usize,
    tall: bool,
    from_above: impl Fn(usize) -> bool,
) -> Block {
    match &item.what {
        What::Plain(end) => plain(item, end, room, tall, from_above),
        What::Bridge { role, ports } => {
            let flat = flat_bridge(item, role, ports, room);
            let many = ports.iter().any(|p| p.pass.is_some() || matches!(p.end, End::Leaf { .. }));
            if many || flat.width > room { tall_bridge(item, role, ports, room) } else { flat }
        }
    }
}

fn plain(
    item: &Item,
    end: &End,
    room: usize,
    tall: bool,
    from_above: impl Fn(usize) -> bool,
) -> Block {
    // A name that hangs on a wire moves on its line, and must have it for itself.
    let tall = tall || !item.uppers.is_empty();
    let mut b = Block::default();
    b.text(0, 0, &item.name, Some(item.link), tone(item.trouble));
    match end {
        End::Wire(w) if from_above(*w) => b.top = Some(*w),
        End::Wire(_) | End::None | End::Leaf { .. } => {}
        End::Words(words) if words == OUTSIDE => {
            b.text(b.width, 0, " ── outside", None, Tone::Plain);
        }
        End::Words(words) => {
            let text = format!(" {words}");
            b.text(b.width, 0, shorten(&text, room.saturating_sub(b.width)), None, Tone::Plain);
        }
    }
    let line = item.addresses.join("  ");
    if !tall && b.width + 2 + width(&line) <= room && !line.is_empty() {
        b.text(b.width + 2, 0, line, None, Tone::Plain);
    } else {
        for (n, a) in item.addresses.iter().enumerate() {
            b.text(0, n + 1, shorten(a, room), None, Tone::Plain);
        }
    }
    draw_uppers(&mut b, item, room);
    if let End::Wire(w) = end
        && b.top.is_none()
    {
        // From beneath the block: its wire must not run through its own addresses.
        let name = width(&item.name);
        if b.height > 1 {
            indent_below(&mut b, name);
        }
        b.bottoms.push((*w, name / 2, 0));
    }
    b
}

/// What stands on it, line by line.
fn draw_uppers(b: &mut Block, item: &Item, room: usize) {
    for upper in &item.uppers {
        let (x, y) = (2 * upper.depth, b.height);
        b.text(x, y, if upper.last { "└" } else { "├" }, None, Tone::Plain);
        let text = shorten(&upper.text, room.saturating_sub(x + 2));
        b.text(x + 2, y, text, Some(upper.link), tone(upper.trouble));
    }
}

/// Moves the lines under the first to the right of the name, onto its line where there is room.
fn indent_below(b: &mut Block, name: usize) {
    for t in &mut b.texts {
        if t.y > 0 {
            t.x += name + 2;
            t.y -= 1;
        }
    }
    b.width = b.texts.iter().map(|t| t.x + width(&t.text)).max().unwrap_or(0);
    b.height = b.texts.iter().map(|t| t.y + 1).max().unwrap_or(1);
}

/// Upper part of a box: title, further addresses, role. Its lines, and their width with that of
/// what stands on it.
fn head(item: &Item, role: &str, room: usize) -> (Vec<String>, usize) {
    let room = room.saturating_sub(4).max(8);
    let title = std::iter::once(item.name.as_str())
        .chain(item.addresses.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join("  ");
    let mut lines = if width(&title) <= room.min(48) {
        vec![title]
    } else {
        std::iter::once(&item.name).chain(&item.addresses).map(|t| shorten(t, room)).collect()
    };
    let titles = lines.iter().map(|l| width(l)).max().unwrap_or(0);
    lines.extend(wrap(role, room.min(titles.max(40))));
    let uppers = item.uppers.iter().map(|u| 2 * u.depth + 2 + width(&u.text).min(room));
    let widest = lines.iter().map(|l| width(l)).chain(uppers).max().unwrap_or(0);
    (lines, widest.min(room))
}

/// Draws the head's lines into a box, without its lower edge. Returns how many there are.
fn draw_head(b: &mut Block, item: &Item, lines: &[String], widest: usize) -> usize {
    for (n, line) in lines.iter().enumerate() {
        let (link, tone) =
            if n == 0 { (Some(item.link), tone(item.trouble)) } else { (None, Tone::Plain) };
        let text = if n == 0 { format!(" {line} ") } else { line.clone() };
        b.text(if n == 0 { 1 } else { 2 }, n, text, link, tone);
    }
    let mut inside = Block { height: lines.len(), ..Block::default() };
    draw_uppers(&mut inside, item, widest);
    b.texts.extend(inside.texts.into_iter().map(|t| Text { x: t.x + 2, ..t }));
    inside.height
}

/// A box with its ports on the lower edge.
fn flat_bridge(item: &Item, role: &str, ports: &[Port], room: usize) -> Block {
    let (lines, widest) = head(item, role, room);
    let slots: Vec<usize> = ports.iter().map(slot).collect();
    let taken: usize = slots.iter().sum();
    let inner = (widest + 2).max(taken + slots.len() + 1);
    let mut b = Block::default();
    let edge = draw_head(&mut b, item, &lines, widest);
    b.frames.push(Frame { x: 0, y: 0, width: inner + 2, height: edge + 1 });
    b.width = inner + 2;
    b.height = edge + 1;
    let spare = inner - taken;
    let mut x = 1;
    for (n, (port, slot)) in ports.iter().zip(&slots).enumerate() {
        // Spread evenly: what is left over goes to the first gaps.
        x += spare / (slots.len() + 1) + usize::from(n < spare % (slots.len() + 1));
        flat_port(&mut b, port, x, *slot, edge);
        x += slot;
    }
    b
}

/// Columns that a port needs on the lower edge.
fn slot(port: &Port) -> usize {
    let label = width(&port.name) + 2;
    match &port.end {
        End::Words(words) => label.max(width(words)),
        End::None | End::Wire(_) | End::Leaf { .. } => label,
    }
}

fn flat_port(b: &mut Block, port: &Port, x: usize, slot: usize, edge: usize) {
    let label = format!("┤{}├", port.name);
    let middle = x + slot / 2;
    let start = x + (slot - width(&label)) / 2;
    b.port(start, edge, label, port);
    match &port.end {
        End::Wire(w) => b.bottoms.push((*w, middle, edge)),
        End::Words(words) => {
            b.text(middle, edge + 1, "│", None, Tone::Plain);
            b.text(x + (slot - width(words)) / 2, edge + 2, words, None, Tone::Plain);
        }
        End::None | End::Leaf { .. } => {}
    }
}

/// A box with its ports on the right edge, a line each, for those with many.
fn tall_bridge(item: &Item, role: &str, ports: &[Port], room: usize) -> Block {
    // Wires go down from the lowest ports, so that those above have the room to the right.
    let mut ordered: Vec<&Port> = ports.iter().collect();
    ordered.sort_by_key(|p| matches!(p.end, End::Wire(_)));
    let widest = |f: &dyn Fn(&Port) -> usize| ports.iter().map(f).max().unwrap_or(0);
    let labels = widest(&|p| width(&p.name)) + 2;
    let passes = widest(&|p| p.pass.as_ref().map_or(0, pass_width));
    let beside = if passes > 0 { passes + 2 } else { 0 } + widest(&|p| end_width(&p.end));
    let wired = ports.iter().filter(|p| matches!(p.end, End::Wire(_))).count();
    let (lines, text) = head(item, role, room);
    let upper = text + 2;
    // Where the ports' ends need the room, the lower part of the box is narrower.
    let inner = if upper + 2 + beside.max(2 * wired) > room { labels } else { upper.max(labels) };
    let mut b = Block::default();
    let mut first = draw_head(&mut b, item, &lines, text);
    if inner < upper {
        b.frames.push(Frame { x: 0, y: 0, width: upper + 2, height: first + 1 });
        b.width = b.width.max(upper + 2);
        first += 1;
    }
    let right = inner + 1;
    // What the ends have in common: where they begin.
    let edge = if passes > 0 { right + 2 + passes } else { right };
    let gap = if edge + 3 + 2 * wired <= room { 2 } else { 1 };
    let mut y = first;
    let mut leaves = Vec::new();
    for (n, port) in ordered.iter().enumerate() {
        let label = format!("{}├", port.name);
        b.port(right - width(&port.name), y, label, port);
        let from = match &port.pass {
            Some(pass) => draw_pass(&mut b, pass, right, edge, y),
            None => right,
        };
        let lane = edge + 2 + gap * (ordered.len() - 1 - n);
        let taken = draw_end(&mut b, &port.end, [from, edge, lane], y, room);
        if matches!(port.end, End::Leaf { .. }) {
            leaves.extend(y..y + taken);
        }
        y += taken;
    }
    if let (Some(from), Some(to)) = (leaves.first(), leaves.last()) {
        b.walls.push(Wall { x: edge + 3, y: *from, height: to - from + 1 });
        b.width = b.width.max(edge + 4);
    }
    let top = if inner < upper { first - 1 } else { 0 };
    b.frames.push(Frame { x: 0, y: top, width: inner + 2, height: y + 1 - top });
    b.width = b.width.max(inner + 2);
    if passes > 0 && edge + 7 + widest(&|p| leaf_width(&p.end)) > room {
        b.width = 2 * room; // it does not fit: the leaves' names would have to be cut
    }
    b.height = y + 1;
    b
}

/// Columns that a leaf needs at least.
fn leaf_width(end: &End) -> usize {
    match end {
        End::Leaf { name, about, .. } => width(name).max(width(about).min(18)),
        End::None | End::Wire(_) | End::Words(_) => 0,
    }
}

/// Columns of `┤near bridge far├`.
fn pass_width(pass: &Pass) -> usize {
    pass.parts.iter().map(|p| width(&p.1) + 1).sum::<usize>() + 1
}

/// Columns that an end should have beside the box.
fn end_width(end: &End) -> usize {
    match end {
        End::None => 1,
        End::Wire(_) => 3,
        End::Words(words) => width(words) + 4,
        End::Leaf { name, about, .. } => width(name) + width(about).min(18) + 10,
    }
}

/// A bridge in one line, as a box whose edges are `┤` and `├`; returns the column of the latter.
fn draw_pass(b: &mut Block, pass: &Pass, right: usize, edge: usize, y: usize) -> usize {
    let [near, bridge, far] = &pass.parts;
    let start = right + 3;
    b.segments.push((pass.wire, Segment::across(y, right, start)));
    b.text(start, y, format!("┤{}", near.1), Some(near.0), tone(near.2));
    let far_at = edge - width(&far.1);
    let at = start + width(&near.1) + 2;
    let spare = far_at - 1 - at - width(&bridge.1);
    b.text(at + spare / 2, y, &bridge.1, Some(bridge.0), tone(bridge.2));
    b.text(far_at, y, format!("{}├", far.1), Some(far.0), tone(far.2));
    edge
}

/// What a port leads to: from which column, where the longest begin, where its wire goes down.
/// Returns the lines taken.
fn draw_end(
    b: &mut Block,
    end: &End,
    [from, edge, lane]: [usize; 3],
    y: usize,
    room: usize,
) -> usize {
    match end {
        End::None => {}
        End::Words(words) => {
            let text = format!("── {}", shorten(words, room.saturating_sub(from + 4)));
            b.text(from + 1, y, text, None, Tone::Plain);
        }
        End::Leaf { wire, link, name, trouble, about } => {
            let at = edge + 6;
            let name = shorten(name, room.saturating_sub(at + 1));
            b.segments.push((*wire, Segment::across(y, from, at)));
            // The wire ends in the blank before the name.
            b.text(at, y, format!(" {name}"), Some(*link), tone(*trouble));
            let end = at + width(&name) + 3;
            if end + width(about) <= room {
                b.text(end, y, about, None, Tone::Plain);
            } else {
                let text = shorten(about, room.saturating_sub(at + 1));
                b.text(at + 1, y + 1, text, None, Tone::Plain);
                return 2;
            }
        }
        End::Wire(w) => {
            b.segments.push((*w, Segment::across(y, from, lane)));
            b.bottoms.push((*w, lane, y));
            b.width = b.width.max(lane + 1);
        }
    }
    1
}

/// Words in lines of at most `room` columns; a word longer than that is cut.
pub(crate) fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').map(|w| shorten(w, room)) {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(&word) <= room => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}
