use doctor::{Finding, Report};
use model::Snapshot;
use schemars::JsonSchema;
use serde::Serialize;

use super::namespace::warning;
use super::trace::trace;
use super::{TraceView, WarningView};
use crate::doctor as told;

/// What `doctor` tells.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DoctorView {
    /// Where the network is from, if not from this host as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The faults.
    pub findings: Vec<FaultView>,
    /// What could not be read, so that other faults may hide there.
    pub unread: Vec<String>,
    /// The whole in a line.
    pub text: String,
    /// What went wrong while the network was read.
    pub warnings: Vec<WarningView>,
}

/// A fault.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FaultView {
    /// Which: `forwarding-off`, `bridged-drop`, …; see docs/doctor.md.
    pub fault: String,
    /// The fault in a sentence.
    pub title: String,
    /// Name of the namespace where it is to be mended.
    pub name: String,
    /// Its id.
    pub namespace: String,
    /// What was read that shows it.
    pub evidence: Vec<String>,
    /// Whom it hits.
    pub hits: Vec<HitView>,
    /// What to do.
    pub fix: Vec<String>,
    /// The way of a packet that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceView>,
}

/// A namespace that is hit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HitView {
    /// Its name.
    pub name: String,
    /// Its id.
    pub namespace: String,
}

/// The view of a report.
#[must_use]
pub fn doctor(snapshot: &Snapshot, report: &Report) -> DoctorView {
    DoctorView {
        origin: snapshot.origin.clone(),
        findings: report.findings.iter().map(|f| fault(snapshot, f)).collect(),
        unread: told::unread(snapshot, report),
        text: told::summary(report),
        warnings: snapshot.warnings.iter().map(warning).collect(),
    }
}

fn fault(snapshot: &Snapshot, finding: &Finding) -> FaultView {
    let hit = |ns: &model::NsId| HitView { name: snapshot.name_of(*ns), namespace: ns.to_string() };
    let said = told::words(snapshot, finding);
    FaultView {
        fault: told::kind(&finding.fault).to_owned(),
        title: said.title,
        name: snapshot.name_of(finding.ns),
        namespace: finding.ns.to_string(),
        evidence: said.evidence,
        hits: finding.hit.iter().map(hit).collect(),
        fix: said.fix,
        trace: finding.trace.as_ref().map(|t| trace(snapshot, t, None)),
    }
}
