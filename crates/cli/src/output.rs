//! The one place that prints.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

/// Something could not be printed.
static LOST: AtomicBool = AtomicBool::new(false);

/// Whether something was not printed though somebody would have read it: what is read of it is not
/// the whole.
pub(crate) fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Prints to standard output; false if it could not, or if its reader has gone away.
pub(crate) fn try_print(text: &str) -> bool {
    let Err(e) = bytes(text.as_bytes()) else { return true };
    if e.kind() != io::ErrorKind::BrokenPipe && !LOST.swap(true, Ordering::Relaxed) {
        error(&Failure::failed("cannot write to standard output").because(e).to_string());
    }
    false
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
