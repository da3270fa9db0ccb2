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
mod secret;
mod state;
mod undo;

pub use known::Known;
pub use plan::plan;
pub use secret::keyless;
pub use state::State;
pub use undo::undo;
