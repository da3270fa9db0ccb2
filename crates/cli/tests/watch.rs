//! What happens in a lab is told on standard output, and Ctrl-C is a good end.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use support::Bench;
use trial::{Needs, test};

const LAB: &str = "
name: watched
namespaces:
  east:
    links: {eth0: {kind: veth, peer: 'west:eth0', addresses: [10.0.0.1/24]}}
  west:
    links: {eth0: {addresses: [10.0.0.2/24]}}
";

fn main() -> std::process::ExitCode {
    trial::main(vec![
        test("events_are_lines_and_a_signal_is_a_good_end", &[Needs::Tool("ip")], lines),
        test("so_many_events_or_so_long", &[Needs::Tool("ip")], bounds),
        test("a_reader_that_goes_away_is_an_end", &[Needs::Tool("ip")], reader_gone),
    ])
}

/// A watch that has begun.
fn watch(bench: &Bench, args: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>) {
    let args: Vec<&str> = [&["watch"], args].concat();
    let mut command = bench.command(&args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let errors = BufReader::new(child.stderr.take().unwrap());
    // What it says of the view comes first.
    let begun = errors.lines().map(Result::unwrap).find(|l| l.starts_with("watching "));
    assert!(begun.is_some());
    let out = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, out)
}

fn lines() {
    let bench = Bench::new();
    bench.up(LAB);
    let (mut child, mut out) = watch(&bench, &["west", "--json"]);
    bench.ok(&["exec", "east", "ip", "link", "set", "eth0", "down"]);
    let line = out.next().unwrap().unwrap();
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["text"], "west:eth0 lost its carrier; peer east:eth0 is down");
    assert_eq!((&event["action"], &event["kind"]), (&"changed".into(), &"link".into()));
    assert_eq!((&event["before"], &event["after"]), (&"up".into(), &"no carrier".into()));
    assert!(event["time"].as_str().unwrap().ends_with('Z'));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

fn bounds() {
    let bench = Bench::new();
    bench.up(LAB);
    let (mut child, out) = watch(&bench, &["east", "--count", "2"]);
    bench.ok(&["exec", "east", "ip", "addr", "add", "10.7.0.1/24", "dev", "eth0"]);
    bench.ok(&["exec", "east", "ip", "addr", "add", "10.8.0.1/24", "dev", "eth0"]);
    // Behind the time of day; a route may come between.
    let told: Vec<String> = out.map(|l| l.unwrap().split_off(13)).collect();
    assert_eq!(told[0], "+ east:eth0 got the address 10.7.0.1/24");
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(bench.ok(&["watch", "east", "--for", "0"]), "");
    bench.expect(2, &["watch", "nobody"]);
    bench.expect(2, &["watch", "--for", "soon"]);
}

fn reader_gone() {
    let bench = Bench::new();
    bench.up(LAB);
    let (mut child, out) = watch(&bench, &["east"]);
    drop(out);
    bench.ok(&["exec", "east", "ip", "link", "set", "eth0", "down"]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
