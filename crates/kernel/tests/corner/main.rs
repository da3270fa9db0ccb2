//! Corner cases of finding namespaces and of telling what their links are joined to, each on the
//! running kernel. Those of names and of engines in containers are in `container.rs`, those of
//! settings and rule sets in `read.rs`.
//!
//! | file | subject |
//! | --- | --- |
//! | `held` | namespaces that no process is in |
//! | `task` | processes that are about to go, and threads |
//! | `link` | wires between namespaces |
//! | `number` | nsids |
//! | `user` | user namespaces |
//! | `view` | what a reader that may not see all of it is told |

#![allow(clippy::unwrap_used, unreachable_pub, reason = "in a test, a panic is the message")]
#![allow(clippy::print_stdout, reason = "what it tells another test")]

mod held;
mod link;
mod number;
#[path = "../space/mod.rs"]
mod space;
mod task;
mod tool;
mod user;
mod view;

use std::process::ExitCode;

fn main() -> ExitCode {
    if view::is_asked() {
        view::tell();
        return ExitCode::SUCCESS;
    }
    let all = [
        held::tests(),
        task::tests(),
        link::tests(),
        number::tests(),
        user::tests(),
        view::tests(),
    ];
    trial::main(all.into_iter().flatten().collect())
}
