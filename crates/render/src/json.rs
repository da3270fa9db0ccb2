//! The same answers for programs: plain data with a published schema.
//!
//! These types are the interface; the model's own may change beneath them. Names are as they are:
//! [`text`] escapes what a terminal could stumble over, as JSON allows.

mod bridge_table;
mod check;
mod considered;
mod container;
mod diff;
mod doctor;
mod find;
mod info;
mod map;
mod namespace;
mod plan;
mod refs;
mod show;
mod trace;

use schemars::{JsonSchema, schema_for};
use serde::Serialize;

pub use bridge_table::{MdbView, VlanView};
pub use check::{CheckCaseView, CheckPairView, CheckRuleView, CheckView, ReachView, check, reach};
pub use considered::{ConsideredView, LookedUpView, TriedFilterView, TriedView};
pub use container::{ContainerNameView, ContainerView, ListenerView, NetworkView, PublishView};
pub use diff::{DiffView, DifferenceView, EventView, diff, event, note};
pub use doctor::{DoctorView, FaultView, HitView, doctor};
pub use find::{FindGapView, FindView, FindingView, QueryView, find};
pub use info::{InfoView, MemberView};
pub use map::{MapView, WireView, map};
pub use namespace::{
    FileView, HiddenView, KnownAsView, LsView, NamespaceView, NsidView, ProcessView, WarningView,
    ls,
};
pub use plan::{ChangeView, PlanView, plan};
pub use show::{
    ChainView, FdbView, GapView, HolderView, IpSetView, LinkView, NeighbourView, RouteView,
    ShowView, show,
};
pub use trace::{
    AstrayView, EndView, HopView, LiveView, PacketView, RuleView, SeenView, StepView, TraceView,
    WayView, trace,
};

/// The same on one line.
#[must_use]
pub fn line<T: Serialize>(view: &T) -> String {
    let raw = serde_json::to_string(view)
        .expect("views have only string keys and cannot fail to serialise");
    escaped(&raw)
}

/// A view as JSON text, two blanks per level, with a newline at the end. Characters that could
/// fool a terminal are escaped, so that reading it back gives the names unchanged.
#[must_use]
pub fn text<T: Serialize>(view: &T) -> String {
    let raw = serde_json::to_string_pretty(view)
        .expect("views have only string keys and cannot fail to serialise");
    escaped(&raw)
}

fn escaped(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len() + 1);
    for c in raw.chars() {
        if c == '\n' || crate::clean::is_harmless(c) {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out.push('\n');
    out
}

/// Commands that have a schema.
pub const COMMANDS: [&str; 10] =
    ["map", "ls", "show", "find", "trace", "check", "doctor", "plan", "diff", "watch"];

/// The JSON Schema of a command's output; None for a command that has none.
#[must_use]
pub fn schema(command: &str) -> Option<String> {
    fn of<T: JsonSchema>() -> String {
        text(&schema_for!(T))
    }
    Some(match command {
        "map" => of::<MapView>(),
        "ls" => of::<LsView>(),
        "show" => of::<ShowView>(),
        "find" => of::<FindView>(),
        "trace" => of::<TraceView>(),
        "check" => of::<CheckView>(),
        "trace-to" => of::<ReachView>(),
        "doctor" => of::<DoctorView>(),
        "plan" => of::<PlanView>(),
        "diff" => of::<DiffView>(),
        "watch" => of::<EventView>(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
