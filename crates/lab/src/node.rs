//! The file as a tree whose every node knows its place.

pub use yaml::At;
use yaml::Fault;
pub(crate) use yaml::{Node, Said, Value};

use crate::error::{Errors, Problem};

/// Reads YAML 1.2 into a tree; a key given twice is an error, the rest goes on.
pub(crate) fn read(text: &str, errors: &mut Errors) -> Option<Node> {
    let mut faults = Vec::new();
    let root = yaml::read(text, &mut faults);
    for (at, fault) in faults {
        errors.push(
            at,
            match fault {
                Fault::Syntax(why) => Problem::Yaml(why),
                Fault::KeyTwice { key, first } => Problem::KeyTwice { key, first },
            },
        );
    }
    root
}
