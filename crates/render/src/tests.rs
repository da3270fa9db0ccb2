//! What holds for all that is printed.

mod hostile;
mod ipset;
