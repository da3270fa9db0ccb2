use schemars::schema_for;

use super::collect::CollectView;
use super::labs::LabView;
use crate::args::Schema;
use crate::failure::{Exit, Failure, OrFail};
use crate::output;

pub(crate) fn run(args: &Schema) -> Result<Exit, Failure> {
    let own = match args.command.as_str() {
        "labs" => Some(schema_for!(Vec<LabView>)),
        "collect" => Some(schema_for!(CollectView)),
        _ => None,
    };
    let schema = if let Some(schema) = own {
        serde_json::to_string_pretty(&schema).or_fail("cannot write JSON")?
    } else {
        render::json::schema(&args.command).ok_or_else(|| {
            Failure::usage(format!("{} prints no JSON", render::clean(&args.command))).hint(
                "these do: map, ls, show, find, trace, trace-to, check, doctor, diff, watch, plan, labs, collect",
            )
        })?
    };
    output::line(&schema);
    Ok(Exit::Yes)
}
