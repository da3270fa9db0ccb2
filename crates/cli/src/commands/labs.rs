use kernel::state::LabState;
use schemars::JsonSchema;
use serde::Serialize;

use crate::building;
use crate::failure::{Exit, Failure, OrFail};
use crate::output;
use crate::session::Session;

/// A lab, as JSON tells it.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LabView {
    /// Its name.
    name: String,
    /// The file that made it.
    file: String,
    /// Its namespaces that live, in the order in which they were made.
    namespaces: Vec<String>,
    /// Whether it is wholly as its file said when it was last made so.
    state: LabViewState,
}

/// How a lab is.
#[derive(Serialize, JsonSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LabViewState {
    /// All of its processes live.
    Up,
    /// An `up` of it was ended half-way.
    Unfinished,
    /// Some of its processes have ended.
    Broken,
}

impl LabViewState {
    const fn words(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Unfinished => "unfinished: `up` again, or `down`",
            Self::Broken => "broken: `up` mends it",
        }
    }
}

pub(crate) fn run(session: &Session) -> Result<Exit, Failure> {
    let labs = building::living_labs(&session.state)?;
    let views: Vec<LabView> = labs.iter().map(view).collect();
    if session.json {
        output::line(&serde_json::to_string_pretty(&views).or_fail("cannot write JSON")?);
    } else if views.is_empty() {
        output::line("no lab is up; `nestwork up FILE` makes one, `nestwork demo` shows one");
    } else {
        output::print(&table(&views));
    }
    Ok(Exit::Yes)
}

fn view(lab: &LabState) -> LabView {
    let alive = |e: &kernel::state::Entry| matches!(e.process(), Ok(Some(_)));
    let state = if lab.pending.is_some() {
        LabViewState::Unfinished
    } else if lab.entries.iter().all(alive) {
        LabViewState::Up
    } else {
        LabViewState::Broken
    };
    LabView {
        name: lab.name.clone(),
        file: lab.source.display().to_string(),
        namespaces: lab
            .containers()
            .filter(|(_, e)| alive(e))
            .map(|(name, _)| name.to_owned())
            .collect(),
        state,
    }
}

fn table(views: &[LabView]) -> String {
    let wide = views.iter().map(|v| v.name.len()).max().unwrap_or(0).max(4);
    let mut text = format!("{:wide$}  NAMESPACES  STATE       FILE\n", "NAME");
    for v in views {
        let state = v.state.words();
        text += &format!(
            "{:wide$}  {:<10}  {state:<10}  {}\n",
            render::clean(&v.name),
            v.namespaces.len(),
            render::clean(&v.file)
        );
    }
    text
}
