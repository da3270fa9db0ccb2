//! Everything that turns a network, a plan or a trace into something to look at or to parse.
//!
//! Pure: nothing here asks the kernel or chooses what is true. Names may have been chosen inside a
//! container, so all text passes [`clean`] before it is printed.

#![forbid(unsafe_code)]

mod check;
mod clean;
mod diff;
mod doctor;
mod event;
mod find;
pub mod json;
mod ls;
mod map;
mod near;
mod page;
mod plan;
pub mod rule_text;
mod show;
mod style;
mod trace;
mod words;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub use self::check::{check, reach};
pub use self::doctor::doctor;
pub use clean::clean;
pub use diff::diff;
pub use event::event;
pub use find::{Finding, Findings, Kind, Query, Read, find};
pub use ls::ls;
pub use map::{Choice, Frame, Layout, Segment, Text, Wall, Wire, layout, map};
pub use near::{hint, typed, typed_link};
pub use plan::{change, plan};
pub use show::show;
pub use style::Style;
pub use trace::trace;
