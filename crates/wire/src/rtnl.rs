//! rtnetlink ↔ model: what `ip` and `bridge` ask of the kernel, as bytes.

mod message;

pub use message::{Message, messages};
