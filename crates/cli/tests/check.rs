//! `check` on the real kernel.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use serde_json::Value;
use support::Bench;
use trial::{Needs, test};

fn main() -> std::process::ExitCode {
    trial::main(vec![test("a_failing_pair_for_each_cause", &[Needs::Tool("iptables")], causes)])
}

const CAUSES: &str = include_str!("check/causes.check.yaml");

/// Every rule's finding is the one that stands behind it.
fn causes() {
    let bench = Bench::new();
    bench.up(include_str!("check/causes.yaml"));
    let file = bench.file("causes.check.yaml", CAUSES);
    let file = file.to_str().unwrap();
    let ran = bench.expect(1, &["check", file, "--json"]);
    let view: Value = serde_json::from_str(&ran.out).unwrap();
    let mut wrong = Vec::new();
    for rule in view["rules"].as_array().unwrap() {
        let line = usize::try_from(rule["line"].as_u64().unwrap()).unwrap();
        let said = CAUSES.lines().nth(line - 1).unwrap();
        let wanted = said.split_once("# ").map(|(_, wanted)| wanted.trim());
        let found: Vec<&str> =
            rule["cases"].as_array().unwrap().iter().map(|c| c["text"].as_str().unwrap()).collect();
        let right = match wanted {
            None => found.is_empty(),
            Some(wanted) => found.len() == 1 && found[0].contains(wanted),
        };
        if !right {
            wrong.push(format!("{said}\n    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let text = bench.expect(1, &["check", file]).out;
    assert!(text.contains("✓ czgood -> czneighbours: icmp, 80/tcp, 53/udp  2 pairs"), "{text}");
    assert!(text.contains("    because  no route leads to 10.60.1.2"), "{text}");
}
