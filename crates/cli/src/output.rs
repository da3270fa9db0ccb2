//! The one place that prints.

use std::io::{self, Write};

/// Prints to standard output; false if its reader has gone away.
pub(crate) fn try_print(text: &str) -> bool {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// Prints to standard output. A reader that has gone away (`| head`) is no error, and what the
/// program has to do or to undo is still done.
pub(crate) fn print(text: &str) {
    let _ = try_print(text);
}

/// Writes bytes to standard output: here a reader that has gone away is an error.
pub(crate) fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Prints lines to standard output.
pub(crate) fn line(text: &str) {
    print(&format!("{text}\n"));
}

/// Prints an error or a note to standard error.
pub(crate) fn error(text: &str) {
    // Nobody is left to tell if that fails.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
