//! What container engines answer when they are asked, as JSON; a file per engine.
//!
//! An engine can be a container's own, so an answer can be anything: of what an engine lists, no
//! more than [`MOST`] are taken.

pub mod docker;
pub mod incus;
pub mod podman;

mod list;
mod ports;

use model::Container;
use serde::de::DeserializeOwned;

/// The most containers, networks and published ports that are taken from one answer.
pub const MOST: usize = 20_000;

/// A running container, as its engine tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// All but its PID.
    pub container: Container,
    /// PID of its first process *in the engine's own PID namespace*; None: it did not say.
    pub pid: Option<u32>,
    /// Path under which the engine tells the PID.
    pub details: Option<String>,
}

/// Why an answer is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Not JSON, or not of the shape that this engine gives.
    #[error("its answer is not understood (line {line}, column {column})")]
    Shape {
        /// From 1.
        line: usize,
        /// From 0.
        column: usize,
    },
    /// More than is taken.
    #[error("it lists more than {MOST} containers, networks or ports")]
    TooMany,
}

/// What the JSON says is never repeated in an error: it may come from inside a container.
fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, AnswerError> {
    serde_json::from_slice(json)
        .map_err(|e| AnswerError::Shape { line: e.line(), column: e.column() })
}

/// Whether it can be part of a path as it is.
fn is_plain(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && !word.starts_with('.')
}

/// PIDs are positive.
fn pid(told: i64) -> Option<u32> {
    u32::try_from(told).ok().filter(|pid| *pid > 0)
}

/// The network that an address with a prefix length is in.
fn subnet(text: &str) -> Option<ipnet::IpNet> {
    text.parse().map(|net: ipnet::IpNet| net.trunc()).ok()
}
