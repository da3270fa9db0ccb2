//! The rules of netfilter: what is foretold of a packet, and what becomes of a real one.
//!
//! Each test builds a small network in namespaces of its own, has `nft` or `iptables` write rules
//! there, reads all of it back, foretells, and sends tagged packets that are watched on every link.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "in a test, a panic is the message")]

mod bench;
mod families;
mod legacy;
mod nft;
mod program;
mod set;
#[path = "../space/mod.rs"]
mod space;
mod tracked;
mod written;
mod written_legacy;
mod xt;

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    if let Some(code) = apart() {
        return code;
    }
    let tests = [
        nft::tests(),
        families::tests(),
        xt::tests(),
        tracked::tests(),
        legacy::tests(),
        written::tests(),
        written_legacy::tests(),
        set::tests(),
        program::tests(),
    ];
    trial::main(tests.into_iter().flatten().collect())
}

/// Runs this program again in a PID namespace with its own /proc, so that it reads no namespaces
/// but its own. None: this is that second run, or there is no way.
fn apart() -> Option<ExitCode> {
    if std::process::id() == 1 {
        return None;
    }
    let mut flags = vec!["--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--net"];
    if !rustix::process::geteuid().is_root() {
        flags.extend(["--user", "--map-root-user"]);
    }
    let mut probe = Command::new("unshare");
    if !probe.args(&flags).arg("true").status().is_ok_and(|s| s.success()) {
        return None;
    }
    let mut again = Command::new("unshare");
    again.args(&flags).arg(std::env::current_exe().unwrap()).args(std::env::args().skip(1));
    let code = again.status().unwrap().code().and_then(|c| u8::try_from(c).ok()).unwrap_or(1);
    Some(ExitCode::from(code))
}
