use model::Change;
use schemars::JsonSchema;
use serde::Serialize;

use crate::plan as text;

/// What `plan` tells.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlanView {
    /// In the order in which they would be made.
    pub changes: Vec<ChangeView>,
    /// How many make something.
    pub make: usize,
    /// How many alter something.
    pub alter: usize,
    /// How many remove something.
    pub remove: usize,
}

/// A change.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ChangeView {
    /// `make`, `alter` or `remove`.
    pub action: String,
    /// The namespace or link that it is about.
    pub subject: String,
    /// What about it.
    pub what: String,
}

/// The changes of a plan.
#[must_use]
pub fn plan(changes: &[Change]) -> PlanView {
    let count = |action: &str| changes.iter().filter(|c| text::action(c) == action).count();
    PlanView {
        changes: changes
            .iter()
            .map(|c| {
                let (subject, what) = text::words_of(c);
                ChangeView { action: text::action(c).to_owned(), subject, what }
            })
            .collect(),
        make: count("make"),
        alter: count("alter"),
        remove: count("remove"),
    }
}
