//! The one place that prints.

use std::io::{self, Write};

use crate::failure::Exit;

/// Prints to standard output. A reader that has gone away (`| head`) ends the program quietly.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    if let Err(e) = out.write_all(text.as_bytes()).and_then(|()| out.flush())
        && e.kind() == io::ErrorKind::BrokenPipe
    {
        std::process::exit(Exit::Yes.code().into());
    }
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
