//! `find` and the views around it on the real kernel.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use serde_json::Value;
use support::{Bench, Ran};
use trial::test;

fn main() -> std::process::ExitCode {
    trial::main(vec![
        test("one_address_in_five_namespaces", &[], five_namespaces),
        test("a_mac_behind_a_port_and_a_listener", &[], mac_and_listener),
        test("what_is_nowhere", &[], nowhere),
        test("what_may_be_where_nobody_can_look", &[], unread),
        test("a_map_of_a_part", &[], part_of_a_map),
    ])
}

/// What was found of that kind: `NAME` or `NAME:LINK` each.
fn places(json: &str, kind: &str) -> Vec<String> {
    let view: Value = serde_json::from_str(json).unwrap();
    let found = view["found"].as_array().unwrap().iter().filter(|f| f["kind"] == kind);
    found.map(|f| f["link"].as_str().or(f["name"].as_str()).unwrap().to_owned()).collect()
}

fn five_namespaces() {
    let bench = Bench::new();
    let own = "links: {d0: {kind: bridge, addresses: [10.99.7.1/24]}}";
    let spaces: String = (1..=5).map(|n| format!("  five{n}: {{{own}}}\n")).collect();
    bench.up(&format!("name: five\nnamespaces:\n{spaces}"));
    let json = bench.ok(&["find", "10.99.7.1", "--json"]);
    let wanted: Vec<String> = (1..=5).map(|n| format!("five{n}:d0")).collect();
    assert_eq!(places(&json, "address"), wanted);
    let text = bench.ok(&["find", "10.99.7.0/24"]);
    assert_eq!(text.lines().filter(|l| l.contains("10.99.7.1/24")).count(), 5, "{text}");
    assert_eq!(places(&bench.ok(&["find", "five", "--json"]), "namespace").len(), 5);
    assert_eq!(places(&bench.ok(&["find", "five?", "--json"]), "namespace").len(), 5);
}

fn mac_and_listener() {
    let bench = Bench::new();
    bench.up("name: two
namespaces:
  findhost:
    links:
      br0: {kind: bridge, addresses: [10.99.8.1/24]}
  findweb:
    links:
      eth0: {kind: veth, peer: \"findhost:vethweb\", peer_bridge: br0,
        mac: \"02:00:00:99:08:02\", addresses: [10.99.8.2/24]}
    services: {tcp: [7080]}
");
    bench.exec("findweb", "busybox ping -c 1 10.99.8.1");
    let json = bench.ok(&["find", "02:00:00:99:08:02", "--json"]);
    assert_eq!(places(&json, "link"), ["findweb:eth0"]);
    assert_eq!(places(&json, "fdb"), ["findhost:br0"]);
    assert_eq!(places(&json, "neighbour"), ["findhost:br0"]);
    let text = bench.ok(&["find", "02:00:00:99:08:02"]);
    assert!(text.contains("behind vethweb ⇄ findweb:eth0"), "{text}");
    let json = bench.ok(&["find", ":7080", "--json"]);
    assert_eq!(places(&json, "listener"), ["findweb"]);
    let text = bench.ok(&["find", "7080/tcp"]);
    let line = text.lines().find(|l| l.contains("findweb")).unwrap();
    let pid = bench.pids().into_iter().find(|p| line.contains(&p.to_string()));
    assert!(pid.is_some(), "the process that listens is named: {text}");
    let udp = found_nowhere(&bench, &["find", "7080/udp"]).out;
    assert!(udp.starts_with(":7080/udp was found nowhere\n"), "{udp}");
    assert!(bench.ok(&["show", "findweb"]).contains(":7080"));
}

fn nowhere() {
    let bench = Bench::new();
    bench.up("name: near\nnamespaces: {nearbyone: {}}\n");
    let ran = found_nowhere(&bench, &["find", "nearbyoen"]);
    assert!(ran.out.starts_with("nearbyoen was found nowhere"), "{}", ran.out);
    assert!(ran.err.contains("nearbyone"), "{}", ran.err);
    assert_eq!(found_nowhere(&bench, &["find", "10.255.254.253", "--json"]).err, "");
    assert!(bench.expect(2, &["show", "nearbyoen"]).err.contains("did you mean nearbyone?"));
    bench.expect(2, &["find", ""]);
}

/// That is an answer only where all could be read: an ordinary user cannot read the host.
fn found_nowhere(bench: &Bench, args: &[&str]) -> Ran {
    let ran = bench.run(args);
    let partial = match serde_json::from_str::<Value>(&ran.out) {
        Ok(view) => view["gaps"] != serde_json::json!([]),
        Err(_) => ran.out.contains("\nnot read: "),
    };
    assert_eq!(ran.status, if partial { 4 } else { 1 }, "{}", ran.out);
    ran
}

fn unread() {
    let bench = Bench::new();
    // A host of which only the links' names were kept: no address was read.
    let folder = bench.path("pasted");
    std::fs::create_dir(&folder).unwrap();
    let text = "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT \
                group default qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n";
    std::fs::write(format!("{folder}/ip link"), text).unwrap();
    let ran = bench.expect(4, &["find", "10.9.9.9", "--bundle", &folder]);
    assert!(ran.out.contains("was found nowhere\nnot read: addresses"), "{}", ran.out);
}

fn part_of_a_map() {
    let bench = Bench::new();
    bench.up("name: part
namespaces:
  partlan:
    links:
      partbr: {kind: bridge, addresses: [10.99.9.1/24]}
  partweb:
    links:
      eth0: {kind: veth, peer: \"partlan:partport\", peer_bridge: partbr, addresses: [10.99.9.2/24]}
  partaway:
    links:
      d0: {kind: bridge, addresses: [10.98.9.2/24]}
");
    let drawn = |args: &[&str]| -> Vec<String> {
        let view: Value = serde_json::from_str(&bench.ok(&[args, &["--json"]].concat())).unwrap();
        let names = view["namespaces"].as_array().unwrap().iter().map(|n| n["name"].as_str());
        names.map(|n| n.unwrap().to_owned()).collect()
    };
    assert_eq!(drawn(&["map", "--network", "partbr"]), ["partlan", "partweb"]);
    assert_eq!(drawn(&["map", "--name", "parta*"]), ["partaway"]);
    assert_eq!(drawn(&["map", "--address", "10.99.9.0/24"]), ["partlan", "partweb"]);
    let near = drawn(&["map", "--around", "partweb", "--depth", "1"]);
    assert!(near.contains(&"partlan".to_owned()) && !near.contains(&"partaway".to_owned()));
    let text = bench.ok(&["map", "--network", "partbr"]);
    assert!(text.contains("partweb") && !text.contains("partaway"), "{text}");
    bench.expect(1, &["map", "--name", "nobodyatall"]);
    bench.expect(2, &["map", "--address", "web"]);
    bench.expect(2, &["map", "--depth", "2"]);
}
