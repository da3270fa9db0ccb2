//! The only part of nestwork that touches the system.
//!
//! It reads the live kernel, applies changes, holds processes, and sends and watches packets. What
//! it is told to do and what it found are plain data of `model`.

pub mod netlink;
