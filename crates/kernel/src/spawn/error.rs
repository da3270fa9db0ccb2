use std::fmt;
use std::io;

/// Why a process was not born.
#[derive(Debug)]
pub struct SpawnError {
    /// What it was about to do.
    pub doing: String,
    /// The kernel's answer.
    pub source: io::Error,
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.source)
    }
}

impl std::error::Error for SpawnError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

pub(super) trait Doing<T> {
    fn doing(self, what: &str) -> Result<T, SpawnError>;
}

impl<T, E: Into<io::Error>> Doing<T> for Result<T, E> {
    fn doing(self, what: &str) -> Result<T, SpawnError> {
        self.map_err(|e| SpawnError { doing: what.to_owned(), source: e.into() })
    }
}
