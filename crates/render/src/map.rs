//! The figure: namespaces as bands, parents above children, wires between their links.
//!
//! What is drawn is decided once ([`scene`]), where it stands is computed once ([`Layout`]), and
//! painters turn that into text.

mod block;
mod channel;
mod choice;
mod collapse;
mod fold;
mod head;
mod joints;
mod layout;
mod paint;
mod place;
mod role;
mod row;
mod scene;

use model::Snapshot;

use crate::style::Style;
pub use choice::Choice;
pub(crate) use choice::chosen;
pub(crate) use role::role;

use row::Overfull;

pub use layout::{Frame, Layout, Segment, Text, Wall, Wire};

/// The figure of the whole Snapshot, or of what was chosen.
#[must_use]
pub fn map(snapshot: &Snapshot, choice: impl Into<Choice>, style: &Style) -> String {
    paint::paint(&layout(snapshot, choice, style), style)
}

/// The same as boxes, texts and wires with their coordinates.
#[must_use]
pub fn layout(snapshot: &Snapshot, choice: impl Into<Choice>, style: &Style) -> Layout {
    let choice = choice.into();
    let width = style.width.max(MIN_WIDTH);
    let mut cuts = scene::Cuts { fold: FOLD, unfolded: Vec::new(), wires: Vec::new() };
    loop {
        let scene = scene::scene(snapshot, &choice, &cuts, style);
        match (place::place(&scene, width), scene.wires.is_empty()) {
            (Ok(layout), _) => return layout,
            // Too many wires side by side: draw more of the leaves beside their bridges, then
            // name the far ends of the longest wires instead of drawing them.
            (Err(Overfull { bridge: Some(b) }), _) if !cuts.unfolded.contains(&b) => {
                cuts.unfolded.push(b);
            }
            (Err(_), _) if cuts.fold > 0 => cuts.fold = 0,
            (Err(_), false) => {
                let many = 1 + cuts.wires.len() / 4;
                cuts.wires.extend(scene.longest_wires(many));
            }
            (Err(_), true) => return place::list(&scene, width),
        }
    }
}

/// Narrower than this nothing is drawn.
const MIN_WIDTH: usize = 40;

/// A bridge with more leaf namespaces than this has them beside it instead of as bands.
const FOLD: usize = 4;

#[cfg(test)]
mod check;
#[cfg(test)]
mod tests;
