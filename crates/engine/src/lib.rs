//! shim
mod known;
pub use known::Known;
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
