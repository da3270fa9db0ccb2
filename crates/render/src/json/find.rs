use model::Snapshot;
use schemars::JsonSchema;
use serde::Serialize;

use super::namespace::{WarningView, warning};
use crate::find::{Finding, Findings};

/// What `find` tells.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FindView {
    /// Where this is from, if not from this host as it is now: a bundle, or pasted outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// What was looked for.
    pub query: QueryView,
    /// Where it is, by kind; within a kind, outer namespaces first.
    pub found: Vec<FindingView>,
    /// Near names, as a command line takes them, where nothing was found.
    pub near: Vec<String>,
    /// Parts that could not be read: it may be there all the same.
    pub gaps: Vec<FindGapView>,
    /// What went wrong while reading.
    pub warnings: Vec<WarningView>,
}

/// What was looked for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct QueryView {
    /// As what it was understood: `address`, `prefix`, `mac`, `port`, `index` or `name`.
    pub kind: String,
    /// In its usual form.
    pub text: String,
}

/// One place.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FindingView {
    /// What it is there: `namespace`, `container`, `network`, `link`, `address`, `listener`,
    /// `published`, `rule`, `fdb`, `neighbour` or `route`.
    pub kind: String,
    /// Id of the namespace.
    pub namespace: String,
    /// Name of the namespace.
    pub name: String,
    /// The link, as `NAMESPACE:LINK`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The link's ifindex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// What matched: an address, a name, a port.
    pub value: String,
    /// More about it, in words.
    pub text: String,
}

/// A part of a namespace that could not be read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FindGapView {
    /// Id of the namespace.
    pub namespace: String,
    /// Which part.
    pub part: String,
    /// Why.
    pub cause: String,
}

/// Where something is.
#[must_use]
pub fn find(snapshot: &Snapshot, findings: &Findings) -> FindView {
    let gap = |(id, gap): &(model::NsId, model::Gap)| FindGapView {
        namespace: id.to_string(),
        part: gap.part.clone(),
        cause: gap.cause.clone(),
    };
    FindView {
        origin: snapshot.origin.clone(),
        query: QueryView {
            kind: findings.query.kind().to_owned(),
            text: findings.query.to_string(),
        },
        found: findings.found.iter().map(|f| finding(snapshot, f)).collect(),
        near: findings.near.clone(),
        gaps: findings.gaps.iter().map(gap).collect(),
        warnings: snapshot.warnings.iter().map(warning).collect(),
    }
}

fn finding(snapshot: &Snapshot, f: &Finding) -> FindingView {
    FindingView {
        kind: f.kind.as_str().to_owned(),
        namespace: f.ns.to_string(),
        name: snapshot.name_of(f.ns),
        link: f.link.map(|l| snapshot.link_name(l)),
        index: f.link.map(|l| l.index),
        value: f.value.clone(),
        text: f.text.clone(),
    }
}
