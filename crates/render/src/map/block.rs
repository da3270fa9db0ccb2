//! One item of a band as a block of text with pins, before it has a place.

use model::LinkId;

use super::layout::{Frame, Segment, Text, Wall};
use super::scene::{End, Item, Port, What, shorten};
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
        self.texts.push(Text { x, y, text, link, tone });
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
            let many = ports.iter().any(|p| matches!(p.end, End::Leaf { .. }));
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
    let mut b = Block::default();
    b.text(0, 0, &item.name, Some(item.link), tone(item.trouble));
    match end {
        End::Wire(w) if from_above(*w) => b.top = Some(*w),
        End::Wire(_) | End::None | End::Leaf { .. } => {}
        End::Words(words) if words == "outside" => {
            b.text(b.width, 0, " ── outside", None, Tone::Plain)
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

/// Moves the lines under the first to the right of the name, onto its line where there is room.
fn indent_below(b: &mut Block, name: usize) {
    for t in &mut b.texts {
        if t.y > 0 {
            t.x = name + 2;
            t.y -= 1;
        }
    }
    b.width = b.texts.iter().map(|t| t.x + width(&t.text)).max().unwrap_or(0);
    b.height = b.texts.iter().map(|t| t.y + 1).max().unwrap_or(1);
}

/// Upper part of a bridge's box: title, further addresses, role. Its lines, and their width.
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
    let widest = lines.iter().map(|l| width(l)).max().unwrap_or(0);
    (lines, widest)
}

/// Draws the head's lines into a box of that width, without its lower edge.
fn draw_head(b: &mut Block, item: &Item, lines: &[String]) {
    for (n, line) in lines.iter().enumerate() {
        let (link, tone) =
            if n == 0 { (Some(item.link), tone(item.trouble)) } else { (None, Tone::Plain) };
        let text = if n == 0 { format!(" {line} ") } else { line.clone() };
        b.text(if n == 0 { 1 } else { 2 }, n, text, link, tone);
    }
}

/// A box with its ports on the lower edge.
fn flat_bridge(item: &Item, role: &str, ports: &[Port], room: usize) -> Block {
    let (lines, widest) = head(item, role, room);
    let slots: Vec<usize> = ports.iter().map(slot).collect();
    let taken: usize = slots.iter().sum();
    let inner = (widest + 2).max(taken + slots.len() + 1);
    let mut b = Block::default();
    draw_head(&mut b, item, &lines);
    let edge = lines.len();
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
    b.text(start, edge, label, Some(port.link), tone(port.trouble));
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
    let labels = ports.iter().map(|p| width(&p.name)).max().unwrap_or(0);
    let (lines, widest) = head(item, role, room.saturating_sub(8));
    let leaves = ports.iter().any(|p| matches!(p.end, End::Leaf { .. }));
    // Leaves need the room to the right; the role is wrapped for it.
    let (lines, widest) = if leaves && widest + 36 > room {
        head(item, role, (room.saturating_sub(32)).max(labels + 4))
    } else {
        (lines, widest)
    };
    let inner = (widest + 2).max(labels + 2);
    let mut b = Block::default();
    draw_head(&mut b, item, &lines);
    let mut ordered: Vec<&Port> = ports.iter().collect();
    ordered.sort_by_key(|p| matches!(p.end, End::Wire(_)));
    let wired = ports.iter().filter(|p| matches!(p.end, End::Wire(_))).count();
    let right = inner + 1;
    let gap = if right + 3 + 2 * wired <= room { 2 } else { 1 };
    for (n, port) in ordered.iter().enumerate() {
        let y = lines.len() + n;
        b.text(
            right - width(&port.name),
            y,
            format!("{}├", port.name),
            Some(port.link),
            tone(port.trouble),
        );
        match &port.end {
            End::None => {}
            End::Words(words) => {
                b.text(
                    right + 1,
                    y,
                    format!("── {}", shorten(words, room.saturating_sub(right + 4))),
                    None,
                    Tone::Plain,
                );
            }
            End::Leaf { wire, link, name, about } => {
                let at = right + 6;
                b.segments.push((*wire, Segment::across(y, right, at)));
                // The wire ends in the blank before the name.
                b.text(at, y, format!(" {name}"), Some(*link), Tone::Plain);
                let end = at + width(name) + 3;
                b.text(end, y, shorten(about, room.saturating_sub(end)), None, Tone::Plain);
            }
            End::Wire(w) => {
                let lane = right + 2 + gap * (ordered.len() - 1 - n);
                b.segments.push((*w, Segment::across(y, right, lane)));
                b.bottoms.push((*w, lane, y));
                b.width = b.width.max(lane + 1);
            }
        }
    }
    let height = lines.len() + ports.len() + 1;
    b.frames.push(Frame { x: 0, y: 0, width: inner + 2, height });
    if leaves {
        let first = lines.len().saturating_sub(1);
        let count = ordered.iter().filter(|p| !matches!(p.end, End::Wire(_))).count();
        b.walls.push(Wall { x: right + 3, y: first, height: count + 1 });
        b.width = b.width.max(right + 4);
    }
    b.width = b.width.max(inner + 2);
    b.height = height;
    b
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
