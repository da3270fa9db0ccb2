//! The time of day, for people and for programs.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::sys;

/// `12:34:56.789`, where this process is.
#[must_use]
pub fn local(at: SystemTime) -> String {
    let (seconds, micros) = parts(at);
    let t = sys::broken_down(seconds, true);
    format!("{:02}:{:02}:{:02}.{:03}", t.tm_hour, t.tm_min, t.tm_sec, micros / 1000)
}

/// `2026-11-23T12:34:56.789012Z` (RFC 3339, UTC).
#[must_use]
pub fn utc(at: SystemTime) -> String {
    let (seconds, micros) = parts(at);
    let t = sys::broken_down(seconds, false);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{micros:06}Z",
        t.tm_year + 1900,
        t.tm_mon + 1,
        t.tm_mday,
        t.tm_hour,
        t.tm_min,
        t.tm_sec
    )
}

/// Seconds since 1970, and microseconds.
fn parts(at: SystemTime) -> (i64, u32) {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    (i64::try_from(since.as_secs()).unwrap_or_default(), since.subsec_micros())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_moment() {
        let at = UNIX_EPOCH + Duration::from_micros(1_764_000_000_012_345);
        assert_eq!(utc(at), "2025-11-24T16:00:00.012345Z");
        assert!(local(at).ends_with(":00.012"), "{}", local(at));
    }
}
