//! `check` on the real kernel.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use serde_json::Value;
use support::Bench;
use trial::{Needs, test};

fn main() -> std::process::ExitCode {
    trial::main(vec![
        test("a_failing_pair_for_each_cause", &[], causes),
        test("the_two_networks_hold_live_and_as_a_bundle", &[], two_networks),
        test("a_pair_that_cannot_be_judged", &[Needs::Tool("iptables")], open),
        test("a_file_that_is_wrong", &[], refused),
        test("who_reaches_it", &[], reach),
    ])
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

fn two_networks() {
    let bench = Bench::new();
    bench.up_example("two-networks.yaml");
    let file = support::example("two-networks.check.yaml");
    let file = file.to_str().unwrap();
    let text = bench.ok(&["check", file]);
    assert!(text.ends_with("\n5 rules hold\n"), "{text}");
    let bundle = bench.path("host.tar.gz");
    bench.ok(&["collect", &bundle]);
    let saved = bench.ok(&["check", file, "--bundle", &bundle, "--jobs", "1"]);
    assert!(saved.ends_with(&text), "{saved}");
    // What Docker keeps apart cannot be what must be reached.
    let wish = bench.file("wish.yaml", "web -> db: 5432\n");
    let ran = bench.expect(1, &["check", wish.to_str().unwrap()]);
    assert!(ran.out.contains("✗ web -> db: 5432/tcp  1 pair"), "{}", ran.out);
    assert!(ran.out.contains("DOCKER-ISOLATION-STAGE-2"), "{}", ran.out);
}

fn open() {
    let bench = Bench::new();
    bench.up("name: open
namespaces:
  opa:
    links: {eth0: {kind: veth, peer: \"opb:eth0\", addresses: [10.64.0.1/24]}}
  opb:
    links: {eth0: {addresses: [10.64.0.2/24]}}
");
    let chance = "-m statistic --mode random --probability 0.5 -j DROP";
    bench.exec("opb", &format!("iptables -A INPUT {chance}"));
    let file = bench.file("open.yaml", "opa -> opb: 80\nopb -> opa: 80\n");
    let ran = bench.expect(4, &["check", file.to_str().unwrap()]);
    assert!(ran.out.contains("? opa -> opb: 80/tcp  1 pair"), "{}", ran.out);
    assert!(ran.out.contains("cannot be judged"), "{}", ran.out);
    // Whichever way it goes there, what fails elsewhere decides.
    let file = bench.file("open.yaml", "opa -> opb: 80\nopa -> 10.64.0.9: 80\n");
    bench.expect(1, &["check", file.to_str().unwrap()]);
}

fn refused() {
    let bench = Bench::new();
    bench.up("name: ref\nnamespaces: {refa: {}, refb: {}}\n");
    let file = bench.file("wrong.yaml", "refa -> refb: http\nrefa - refb: 1\n");
    let err = bench.expect(2, &["check", file.to_str().unwrap()]).err;
    let places: Vec<&str> = err.lines().filter_map(|l| l.split(".yaml:").nth(1)).collect();
    assert!(places[0].starts_with("1:15: \"http\" is nothing"), "{err}");
    assert!(places[1].starts_with("2:1: \"refa - refb\" is no rule"), "{err}");
    let file = bench.file("wrong.yaml", "refa -> reffb: 1\n");
    let err = bench.expect(2, &["check", file.to_str().unwrap()]).err;
    assert!(err.contains("did you mean \"refb\"?"), "{err}");
    let err = bench.expect(2, &["check", &bench.path("nothing.yaml")]).err;
    assert!(err.contains("cannot read") && err.contains("hint: "), "{err}");
}

fn reach() {
    let bench = Bench::new();
    bench.up_example("two-networks.yaml");
    let json = bench.ok(&["trace", "--to", "db:5432", "--json"]);
    let view: Value = serde_json::from_str(&json).unwrap();
    let has = |list: &Value, name: &str| list.as_array().unwrap().iter().any(|n| n == name);
    assert!(has(&view["reaching"], "app") && has(&view["reaching"], "server"), "{json}");
    assert!(!has(&view["reaching"], "web") && !has(&view["reaching"], "db"), "{json}");
    let others = view["others"].as_array().unwrap();
    let isolated = others
        .iter()
        .find(|case| case["pairs"].as_array().unwrap().iter().any(|pair| pair["from"] == "web"));
    let text = isolated.unwrap()["text"].as_str().unwrap();
    assert!(text.contains("DOCKER-ISOLATION-STAGE-2"), "{text}");
    let text = bench.ok(&["trace", "--to", "198.51.100.20:53", "--proto", "udp"]);
    assert!(text.starts_with("who reaches 198.51.100.20:53 (53/udp)\n"), "{text}");
    bench.up("name: reach-nobody\nnamespaces: {reachless: {}}\n");
    let text = bench.expect(1, &["trace", "--to", "reachless"]).out;
    assert!(text.contains("there is no address to send it to"), "{text}");
    bench.expect(2, &["trace", "web", "db", "--to", "db"]);
    bench.expect(2, &["trace"]);
}
