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

/// A check file: what is good is asked of a network with as little in it as there can be.
pub(crate) fn check(data: &[u8]) {
    /// Rows that are judged: as many as a fuzzer has patience for.
    const MOST: usize = 8;
    let text = String::from_utf8_lossy(data);
    let told = |errors: Vec<check::CheckError>| errors.iter().for_each(|e| _ = e.to_string());
    let file = match check::parse(&text, "check.yaml") {
        Ok(file) => file,
        Err(errors) => return told(errors),
    };
    let mut snapshot = Snapshot::default();
    for number in 1..=2 {
        let id = model::NsId::inode(number);
        snapshot.namespaces.insert(id, model::Namespace::new(id));
    }
    let plan = match file.plan(&snapshot) {
        Ok(plan) => plan,
        Err(errors) => return told(errors),
    };
    let net = walk::Indexed::new(&snapshot);
    let rows = plan.judge(&net, 0..plan.rows().min(MOST));
    let report = plan.report(&net, rows);
    let _ = render::check(&snapshot, &report, &render::Style::default());
    let _ = render::json::text(&render::json::check(&snapshot, &report));
}
