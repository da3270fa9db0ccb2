//! The only part of nestwork that touches the system.
//!
//! It reads the live kernel, applies changes, holds processes, and sends and watches packets. What
//! it is told to do and what it found are plain data of `model`.

pub mod apply;
mod ask;
pub mod clock;
pub mod drops;
mod exec;
mod interrupt;
mod kinds;
mod listen;
mod neighbour;
pub mod netlink;
mod netns;
mod open;
pub mod probe;
mod process;
pub mod read;
pub mod role;
pub mod rootless;
pub mod rules;
mod spawn;
pub mod state;
mod sys;
pub mod watch;
mod xtables;

pub use exec::{ExecError, Join, exec};
pub use interrupt::on_interrupt;
pub use kinds::{
    bridges_filter_vlans, bridges_limit_learning, has_filters, has_legacy_tables, has_link_kind,
    knows_rule, ports_know_mab,
};
pub use netns::read_sysctl;
pub use open::open;
pub use process::{Inode, Process, kill_self};
pub use spawn::{Birth, Newborn, Program, SpawnError, container, helper};
