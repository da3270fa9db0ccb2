//! The figure: namespaces as bands, parents above children, wires between their links.
//!
//! What is drawn is decided once ([`scene`]), where it stands is computed once ([`Layout`]), and
//! painters turn that into text.

mod block;
mod channel;
mod fold;
mod head;
mod joints;
mod layout;
mod paint;
mod place;
mod role;
mod row;
mod scene;

use model::{NsId, Snapshot};

use crate::style::Style;
pub(crate) use role::role;
pub(crate) use scene::chosen;

use row::Overfull;

pub use layout::{Frame, Layout, Segment, Text, Wall, Wire};

/// The figure of the whole Snapshot, or of the surroundings of `focus`: itself, what is inside of
/// it, and what it has a wire to.
#[must_use]
pub fn map(snapshot: &Snapshot, focus: Option<NsId>, style: &Style) -> String {
    paint::paint(&layout(snapshot, focus, style), style)
}

/// The same as boxes, texts and wires with their coordinates.
#[must_use]
pub fn layout(snapshot: &Snapshot, focus: Option<NsId>, style: &Style) -> Layout {
    let width = style.width.max(MIN_WIDTH);
    let mut cuts = scene::Cuts { fold: FOLD, unfolded: Vec::new(), wires: Vec::new() };
    loop {
        let scene = scene::scene(snapshot, focus, &cuts, style);
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
