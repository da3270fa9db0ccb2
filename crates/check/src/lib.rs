//! Who must reach whom, and who must not: a check file, and what a Snapshot says to it.
//!
//! [`parse`] reads the file, [`File::plan`] finds who is meant by it in a Snapshot, and
//! [`Plan::judge`] walks rows of pairs: rows do not hang on each other, so that whoever calls may
//! share blocks of them among threads. [`Plan::report`] puts them together. Nothing here does I/O;
//! the format is in docs/check-file.md.

#![forbid(unsafe_code)]

mod error;
mod file;
mod judge;
mod plan;
mod ports;
mod read;
mod report;
mod who;

pub use error::{CheckError, Problem};
pub use file::{File, Service, Want};
pub use judge::{Cause, Doubt, Finding, Row};
pub use plan::Plan;
pub use read::parse;
pub use report::{Case, Report, RuleReport};
pub use who::End;
