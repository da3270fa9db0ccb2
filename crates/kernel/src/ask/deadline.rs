//! The moment at which waiting ends.

use std::io;
use std::time::{Duration, Instant};

/// A moment on the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn after(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }

    /// A later one.
    pub(super) fn later(self, by: Duration) -> Self {
        Self(self.0 + by)
    }

    /// How long there is left, never nothing.
    ///
    /// # Errors
    /// `TimedOut` if the moment has passed.
    pub(super) fn left(self) -> io::Result<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        // Sockets take a timeout of less than a microsecond for none.
        if left < Duration::from_micros(10) {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Ok(left)
        }
    }
}
