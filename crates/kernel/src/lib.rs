//! The only part of nestwork that touches the system.
//!
//! It reads the live kernel, applies changes, holds processes, and sends and watches packets. What
//! it is told to do and what it found are plain data of `model`.

pub mod apply;
mod exec;
mod neighbour;
pub mod netlink;
mod netns;
mod process;
pub mod read;
pub mod role;
mod spawn;
pub mod state;
mod sys;

pub use exec::{ExecError, Join, exec};
pub use process::{Inode, Process};
pub use spawn::{Birth, Newborn, Program, SpawnError, container, helper};
