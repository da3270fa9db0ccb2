//! Looking changes nothing: a fingerprint of a host before and after every command that reads.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use std::collections::HashSet;
use std::process::Command;
use std::time::{Duration, Instant};

use support::stack::{self, Stack};
use support::{Bench, Ran};
use trial::{Needs, test};

fn main() -> std::process::ExitCode {
    trial::main(vec![
        test("reading_a_lab_changes_nothing", &[Needs::Tap, Needs::Ids], lab),
        test("reading_real_engines_changes_nothing", stack::NEEDS, engines),
    ])
}

/// Every command that only reads. `AT` and `TO` stand for namespaces.
const COMMANDS: &[&[&str]] = &[
    &[],
    &["ls"],
    &["ls", "--as", "AT"],
    &["map"],
    &["map", "--json"],
    &["show", "AT"],
    &["find", "172.17.0.2"],
    &["find", "AT"],
    &["find", ":8080"],
    &["trace", "AT", "TO"],
];

/// Runs them all between two fingerprints.
fn check(fingerprint: impl Fn() -> String, run: impl Fn(&[&str]), at: &str, to: &str) {
    // The first look is not counted: it makes the kernel fill its own caches.
    fingerprint();
    let before = fingerprint();
    assert!(before.contains("/proc") && before.contains("ip_forward"), "{before}");
    for command in COMMANDS {
        let named = |word: &&'static str| match *word {
            "AT" => at.to_owned(),
            "TO" => to.to_owned(),
            word => word.to_owned(),
        };
        let words: Vec<String> = command.iter().map(named).collect();
        run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        // An engine that was asked closes its end of the connection in its own time.
        let mut after = fingerprint();
        let patience = Instant::now() + Duration::from_secs(20);
        while before != after && Instant::now() < patience {
            after = fingerprint();
        }
        assert!(before == after, "{words:?} changed\n{}", changes(&before, &after));
    }
}

fn changes(before: &str, after: &str) -> String {
    let missing = |from: &str, sign, of: &str| {
        let there: HashSet<&str> = of.lines().collect();
        let lines = from.lines().filter(|l| !there.contains(l)).map(|l| format!("{sign} {l}\n"));
        lines.collect::<String>()
    };
    missing(before, '-', after) + &missing(after, '+', before)
}

fn lab() {
    let bench = Bench::new();
    bench.up_example("proxmox-docker.yaml");
    let pids: Vec<String> = bench.pids().iter().map(u32::to_string).collect();
    let fingerprint = || {
        let mut command = Command::new("sh");
        command.arg(support::script("fingerprint.sh")).args(&pids);
        Ran::from(command.output().unwrap()).out
    };
    // `trace` ends with 4 where something could change its answer: it has read all the same.
    let run = |args: &[&str]| assert!([0, 1, 4].contains(&bench.run(args).status), "{args:?}");
    check(fingerprint, run, "alpine01", "203.0.113.10");
}

fn engines() {
    let stack = Stack::start();
    let script = support::script("fingerprint.sh");
    let pids =
        stack.host("cd /proc; for p in [0-9]*; do readlink $p/exe >/dev/null && echo $p; done");
    // Not the shell that has just told them.
    let alive = |pid: &&str| !stack.host(&format!("readlink /proc/{pid}/exe || true")).is_empty();
    let pids: Vec<&str> = pids.lines().filter(alive).collect();
    let line = format!("sh {} {}", script.display(), pids.join(" "));
    let run = |args: &[&str]| assert!([0, 1, 4].contains(&stack.run(args).0), "{args:?}");
    check(|| stack.host(&line), run, "alpinebox", "10.0.3.1");
}
