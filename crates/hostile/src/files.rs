//! What people write or paste.

use engine::{Known, plan};
use model::Snapshot;
use pasted::File;

use crate::section::sections;
use crate::views;

/// A folder of pasted outputs, a piece each.
pub(crate) fn pasted(data: &[u8]) {
    let file = |section: crate::section::Section<'_>| File {
        path: section.head.to_owned(),
        text: String::from_utf8_lossy(section.body).into_owned(),
    };
    let files: Vec<File> = sections(data).into_iter().map(file).collect();
    views::all(&pasted::read(&files));
}

/// A lab file: what is good is planned and shown.
pub(crate) fn lab(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match lab::parse(&text, "lab.yaml") {
        Ok(lab) => {
            let wanted = lab::expand(&lab);
            let changes = plan(&wanted, None, &Known::default(), &Snapshot::default());
            let _ = render::plan(&changes, &render::Style::default());
        }
        Err(errors) => errors.iter().for_each(|error| _ = error.to_string()),
    }
}
