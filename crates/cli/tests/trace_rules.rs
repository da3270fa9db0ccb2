//! `trace --live --trace-rules`: the kernel itself tells which rules the packet meets, and nothing of
//! what that takes stays, however it ends.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;
use support::Bench;
use trial::{Needs, test};

const NEEDS: &[Needs] = &[Needs::Ids, Needs::Tool("nft")];

fn main() -> std::process::ExitCode {
    trial::main(vec![
        test("each_rule_is_met_as_foretold", NEEDS, met),
        test("rules_that_throw_away", NEEDS, thrown_away),
        test("bridges_and_iptables", NEEDS, bridged),
        test("nothing_stays_when_it_is_killed", NEEDS, killed),
        test("nothing_changes_without_being_asked", NEEDS, unasked),
    ])
}

/// `a` – `r` – `b`, with rules in `r`; `c` beside `a` on a bridge of `r`.
const LAB: &str = r#"
name: rules
namespaces:
  r:
    sysctls: {net.ipv4.ip_forward: 1, net.bridge.bridge-nf-call-iptables: 0}
    links:
      br: {kind: bridge, addresses: [10.0.1.1/24]}
      e2: {kind: veth, peer: "b:e0", addresses: [10.0.2.1/24]}
    iptables:
      nat:
        POSTROUTING: ["-s 10.0.1.0/24 -o e2 -j MASQUERADE"]
    nft:
      inet t:
        chains:
          one: ["meta mark set 3", "udp dport 9 drop"]
          forward:
            hook: "type filter hook forward priority 0"
            policy: drop
            rules:
              - "ct state established accept"
              - "counter jump one"
              - "tcp dport 80 accept"
              - "udp dport 7-9 accept"
              - "tcp dport 81 log reject"
      bridge u:
        chains:
          forward:
            hook: "type filter hook forward priority 0"
            rules: ["ip daddr 10.0.1.3 udp dport 9 drop", "ip saddr 10.0.1.2 counter"]
  a:
    links:
      e0: {kind: veth, peer: "r:pa", peer_bridge: br, addresses: [10.0.1.2/24]}
    routes: [{to: default, via: 10.0.1.1}]
  c:
    links:
      e0: {kind: veth, peer: "r:pc", peer_bridge: br, addresses: [10.0.1.3/24]}
    services: {udp_echo: [7]}
  b:
    links:
      e0: {addresses: [10.0.2.2/24]}
    routes: [{to: default, via: 10.0.2.1}]
    services: {tcp: [80], udp_echo: [7]}
"#;

fn lab() -> Bench {
    let bench = Bench::new();
    bench.up(LAB);
    bench
}

/// What it prints of a packet, which goes as foretold.
#[track_caller]
fn trace(bench: &Bench, status: i32, words: &[&str]) -> String {
    let args = [&["trace", "--live", "--trace-rules", "--width", "160"], words].concat();
    let ran = bench.expect(status, &args);
    assert!(ran.out.contains("as foretold"), "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains('✗'), "{}{}", ran.out, ran.err);
    assert_eq!(tables(bench), BEFORE, "left in r");
    ran.out
}

const BEFORE: &str = "table ip nat\ntable inet t\ntable bridge u\n";

fn tables(bench: &Bench) -> String {
    bench.exec("r", "nft list tables")
}

fn met() {
    let bench = lab();
    let out = trace(&bench, 0, &["a", "10.0.2.2:80"]);
    for rule in [
        "✓ r  inet t one: meta mark set 0x00000003: goes on",
        "✓ r  inet t forward: tcp dport 80 accept: accept",
        "✓ r  inet t forward: ct state established accept: accept",
        "✓ r  ip nat POSTROUTING: -s 10.0.1.0/24 -o e2 -j MASQUERADE: accept",
    ] {
        assert!(out.contains(rule), "{rule}\n{out}");
    }
    let json =
        bench.ok(&["trace", "a", "b:7", "--proto", "udp", "--live", "--trace-rules", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let rules = json["live"]["rules"].as_array().unwrap();
    assert!(rules.iter().all(|r| r["disagrees"] == false), "{json}");
    let accepted = |r: &&Value| r["verdict"] == "accept" && r["namespace"] == "r";
    assert_eq!(rules.iter().filter(accepted).count(), 3, "{json}");
    assert!(rules.iter().all(|r| r["handle"].as_u64() > Some(0)), "{json}");
}

fn thrown_away() {
    let bench = lab();
    let out = trace(&bench, 1, &["a", "10.0.2.2:9", "--proto", "udp"]);
    assert!(out.contains("✓ r  inet t one: udp dport 9 drop: drop"), "{out}");
    assert!(out.contains("- r  inet t one: meta mark set 0x00000003: goes on"), "{out}");
    let out = trace(&bench, 1, &["a", "10.0.2.2:81"]);
    assert!(out.contains("tcp dport 81 log reject: drop"), "{out}");
    let out = trace(&bench, 1, &["a", "10.0.2.2"]);
    assert!(out.contains("✓ r  inet t forward: its policy: drop"), "{out}");
}

fn bridged() {
    let bench = lab();
    let out = trace(&bench, 1, &["a", "10.0.1.3:9", "--proto", "udp"]);
    assert!(out.contains("✓ r  bridge u forward: "), "{out}");
    let out = trace(&bench, 0, &["a", "10.0.1.3:7", "--proto", "udp"]);
    assert!(out.contains("✓ r  bridge u forward: ip saddr 10.0.1.2 counter: goes on"), "{out}");
}

/// One that has made its tables, and waits.
fn waiting(bench: &Bench) -> Child {
    let args = ["trace", "a", "10.0.2.2:80", "--live", "--trace-rules", "--ask"];
    let mut command = bench.command(&args);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("press Enter") {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0, "it ended");
    }
    child
}

/// By any signal: the tables are the socket's, and go with it.
fn killed() {
    let bench = lab();
    for signal in ["KILL", "INT", "TERM"] {
        let mut child = waiting(&bench);
        let there = tables(&bench);
        assert!(there.contains("table inet nestwork-trace"), "{there}");
        let kill = format!("kill -{signal} {}", child.id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        child.wait().unwrap();
        // The kernel takes them away in the background, soon after the process has ended.
        let gone = (0..100).any(|_| {
            let gone = tables(&bench) == BEFORE;
            gone || {
                std::thread::yield_now();
                false
            }
        });
        assert!(gone, "{signal}: {}", tables(&bench));
    }
    trace(&bench, 0, &["a", "10.0.2.2:80"]);
}

fn unasked() {
    let bench = lab();
    let rules = || bench.exec("r", "nft -a list ruleset").replace(|c: char| c.is_ascii_digit(), "");
    let before = rules();
    bench.ok(&["trace", "a", "10.0.2.2:80", "--live"]);
    assert_eq!(rules(), before);
    bench.expect(2, &["trace", "a", "10.0.2.2:80", "--trace-rules"]);
}
