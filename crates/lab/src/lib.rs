//! Lab files: what they say, what is wrong with them, and the facts that follow from them.
//!
//! ```
//! let lab = lab::parse("name: x\nnamespaces: {a: {}}\n", "x.yaml").expect("a good file");
//! assert_eq!(lab::expand(&lab).name, "x");
//! ```
//!
//! The format is in docs/lab-file.md. Nothing here does I/O.

#![forbid(unsafe_code)]

mod error;
mod expand;
mod file;
mod firewall;
mod node;
mod read;
mod rootless;
mod stable;

pub use error::{LabError, Problem};
pub use file::Lab;
pub use node::At;

use error::Errors;
use model::Wanted;

/// Reads a lab file. `file_name` is how errors call it.
///
/// # Errors
/// All that is wrong with it, in the order of the file.
pub fn parse(text: &str, file_name: &str) -> Result<Lab, Vec<LabError>> {
    let mut errors = Errors::new(file_name);
    let root = node::read(text, &mut errors);
    let lab = root.and_then(|root| read::lab(&root, &mut errors));
    if let Some(lab) = lab.as_ref().filter(|_| errors.is_empty()) {
        // What only the whole network shows.
        expand::facts(lab, &mut errors);
    }
    match lab {
        Some(lab) if errors.is_empty() => Ok(lab),
        _ => Err(errors.into_list()),
    }
}

/// The facts that should be so, in the order in which to make them. The same file gives the same
/// facts, always.
#[must_use]
pub fn expand(lab: &Lab) -> Wanted {
    let mut errors = Errors::new(&lab.name);
    let facts = expand::facts(lab, &mut errors);
    debug_assert!(errors.is_empty(), "a Lab is only ever a good one");
    Wanted { name: lab.name.clone(), facts: facts.into_iter().map(|told| told.what).collect() }
}
