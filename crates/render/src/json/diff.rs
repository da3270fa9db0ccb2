use model::{Difference, Snapshot};
use schemars::JsonSchema;
use serde::Serialize;

use super::WarningView;
use super::namespace::warning;
use crate::diff::{Said, Subject, name, say};

/// What `diff` tells.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DiffView {
    /// Where the earlier one is from; absent: from this host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin_before: Option<String>,
    /// Where the later one is from; absent: from this host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin_after: Option<String>,
    /// When the earlier one was read, in seconds since 1970; 0: not known.
    pub before: u64,
    /// When the later one was read.
    pub after: u64,
    /// By namespace, outermost first.
    pub differences: Vec<DifferenceView>,
    /// What went wrong while the earlier one was read.
    pub warnings_before: Vec<WarningView>,
    /// What went wrong while the later one was read.
    pub warnings_after: Vec<WarningView>,
}

/// One thing that differs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DifferenceView {
    /// `appeared`, `vanished` or `changed`.
    pub action: String,
    /// Which kind of thing: `namespace`, `link`, `address`, `route`, `rule`, `setting`, ….
    pub kind: String,
    /// Name of the namespace.
    pub name: String,
    /// Id of the namespace before; absent: it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_before: Option<String>,
    /// Id of the namespace after; absent: it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_after: Option<String>,
    /// Name of the link, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The thing as it was, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The thing as it is, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// It comes and goes by itself, or follows from something else that is told.
    pub noise: bool,
    /// The whole in words.
    pub text: String,
}

/// A line of `watch`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EventView {
    /// When it was told: RFC 3339, UTC.
    pub time: String,
    /// What happened; absent in a note.
    #[serde(flatten)]
    pub difference: Option<DifferenceView>,
    /// What there is to say about the watching itself: events that were lost, what cannot be
    /// watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What differs; what is noise only with `all`.
#[must_use]
pub fn diff(
    before: &Snapshot,
    after: &Snapshot,
    differences: &[Difference],
    all: bool,
) -> DiffView {
    let told = differences.iter().filter(|d| all || !d.noise);
    DiffView {
        origin_before: before.origin.clone(),
        origin_after: after.origin.clone(),
        before: before.taken,
        after: after.taken,
        differences: told.map(|d| difference(before, after, d)).collect(),
        warnings_before: before.warnings.iter().map(warning).collect(),
        warnings_after: after.warnings.iter().map(warning).collect(),
    }
}

/// A difference as an event.
#[must_use]
pub fn event(
    time: &str,
    before: &Snapshot,
    after: &Snapshot,
    difference: &Difference,
) -> EventView {
    let difference = Some(self::difference(before, after, difference));
    EventView { time: time.to_owned(), difference, note: None }
}

/// Something about the watching itself.
#[must_use]
pub fn note(time: &str, text: &str) -> EventView {
    EventView { time: time.to_owned(), difference: None, note: Some(text.to_owned()) }
}

fn difference(before: &Snapshot, after: &Snapshot, difference: &Difference) -> DifferenceView {
    let said: Said = say(before, after, difference);
    let text = said.whole();
    DifferenceView {
        action: said.action.as_str().to_owned(),
        kind: said.kind.to_owned(),
        name: name(before, after, difference),
        namespace_before: difference.before.map(|id| id.to_string()),
        namespace_after: difference.after.map(|id| id.to_string()),
        link: match said.subject {
            Subject::Link(name) => Some(name),
            Subject::Namespace | Subject::Within => None,
        },
        before: said.before,
        after: said.after,
        noise: difference.noise,
        text,
    }
}
