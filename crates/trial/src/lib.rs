//! Runs tests on the real kernel.
//!
//! As root they run in namespaces that they make; as an ordinary user the whole test program first
//! moves into a user namespace of its own, where it is root. What a test needs and this machine
//! does not give is told, and the test is counted as ignored: none is skipped silently.
//!
//! A test file is a program of its own (`harness = false`) whose `main` calls [`main`].

#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a test program tells why it ignores a test")]

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// What a test cannot do without.
#[derive(Clone, Copy, Debug)]
pub enum Needs {
    /// /dev/net/tun may be opened: network cards with a cable.
    Tap,
    /// Ids for containers of their own: uid 100000.
    Ids,
    /// The kernel tells which packets it throws away, and this process may hear it.
    Drops,
    /// A program of Debian's.
    Tool(&'static str),
    /// What only a try can tell: given this word, it says why it is not there.
    Trying(&'static str, fn(&str) -> Option<String>),
}

impl Needs {
    /// Why it is not there; None if it is.
    fn missing(self) -> Option<String> {
        let file = |path: &str, access| {
            std::fs::OpenOptions::new().read(true).write(access).open(path).is_ok()
        };
        match self {
            Self::Tap if file("/dev/net/tun", true) => None,
            Self::Tap => Some("/dev/net/tun may not be opened".into()),
            Self::Ids if kernel::rootless::has_all_ids() => None,
            Self::Ids => Some("this user namespace has one id only".into()),
            Self::Drops => {
                let watch = |kernel: kernel::drops::Tracepoint| {
                    kernel.watch(kernel::probe::Tag([0; 8])).map(drop)
                };
                kernel::drops::Tracepoint::find().and_then(watch).err().map(|e| e.to_string())
            }
            Self::Tool(name) => {
                let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
                let there = folders.iter().any(|f| file(&format!("{f}/{name}"), false));
                (!there).then(|| format!("{name} is not installed"))
            }
            Self::Trying(word, missing) => missing(word),
        }
    }
}

/// A test.
pub struct Test {
    name: &'static str,
    needs: &'static [Needs],
    run: Box<dyn FnOnce() + Send>,
}

/// A test of that name, with what it cannot do without.
pub fn test(
    name: &'static str,
    needs: &'static [Needs],
    run: impl FnOnce() + Send + 'static,
) -> Test {
    Test { name, needs, run: Box::new(run) }
}

/// Runs the tests, in parallel, as the command line says (the same as of `cargo test`).
#[must_use]
pub fn main(tests: Vec<Test>) -> ExitCode {
    let args = Arguments::from_args();
    let rights = enter();
    if let (Err(why), false) = (&rights, args.list) {
        eprintln!("every test here is ignored: {why}");
    }
    let trials = tests.into_iter().map(|t| trial(t, rights.is_ok(), args.list)).collect();
    libtest_mimic::run(&args, trials).exit_code()
}

/// Gets the rights that it takes to make namespaces.
fn enter() -> Result<(), String> {
    let missing = kernel::rootless::missing_capabilities().map_err(|e| e.to_string())?;
    if missing.is_empty() {
        return Ok(());
    }
    kernel::rootless::enter_own_user_namespace().map_err(|e| {
        format!("{} missing, and no user namespace can be made: {e}", missing.join(", "))
    })
}

fn trial(test: Test, rights: bool, listing: bool) -> Trial {
    let missing: Vec<String> = test.needs.iter().filter_map(|n| n.missing()).collect();
    if !missing.is_empty() && !listing {
        eprintln!("{} is ignored: {}", test.name, missing.join(", "));
    }
    let run = test.run;
    let body = || {
        run();
        Ok(())
    };
    Trial::test(test.name, body).with_ignored_flag(!missing.is_empty() || !rights)
}
