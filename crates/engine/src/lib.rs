//! Planning: from what should be so and what is so to the changes between them.
//!
//! [`plan`] foresees what each change does in the kernel ([`State`]): a veth that is made anew
//! takes its addresses, routes and bridge with it, so those follow in the plan. Nothing here does
//! I/O.

#![forbid(unsafe_code)]

mod key;
mod known;
mod observe;
mod plan;
mod predict;
mod same;
mod state;
mod undo;

pub use known::Known;
<<<<<<< HEAD
use model::*;
/// shim
pub fn plan(w: &Wanted, b: Option<&Wanted>, _k: &Known, _s: &Snapshot) -> Vec<Change> {
    if b.is_some() { vec![] } else { w.facts.iter().cloned().map(Change::Make).collect() }
}
/// shim
pub fn undo(
    _b: Option<&Wanted>,
    _w: &Wanted,
    _s: &Snapshot,
    _k: &Known,
    _n: &Snapshot,
    _m: &Known,
) -> Vec<Change> {
    vec![]
}
=======
pub use plan::plan;
pub use state::State;
pub use undo::undo;
>>>>>>> main
