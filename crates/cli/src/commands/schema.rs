use schemars::schema_for;

use super::labs::LabView;
use crate::args::Schema;
use crate::failure::{Exit, Failure, OrFail};
use crate::output;

pub(crate) fn run(args: &Schema) -> Result<Exit, Failure> {
    let schema = if args.command == "labs" {
        let schema = schema_for!(Vec<LabView>);
        serde_json::to_string_pretty(&schema).or_fail("cannot write JSON")?
    } else {
        render::json::schema(&args.command).ok_or_else(|| {
            Failure::usage(format!("{} prints no JSON", render::clean(&args.command)))
                .hint("these do: map, ls, show, find, trace, plan, labs")
        })?
    };
    output::line(&schema);
    Ok(Exit::Yes)
}
