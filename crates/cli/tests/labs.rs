//! Five other labs: their figures are right, and what is foretold is what a real packet does.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

#[path = "support/figure.rs"]
mod figure;
mod support;

use figure::Figure;
use serde_json::Value;
use support::Bench;
use trial::test;

fn main() -> std::process::ExitCode {
    trial::main(vec![
        test("two_guests", &[], two_guests),
        test("two_networks", &[], two_networks),
        test("docker_in_docker", &[], docker_in_docker),
        test("skip_level", &[], skip_level),
        test("forty", &[], forty),
    ])
}

const NO_ANSWER: &str = "it left, and no answer came in by pve:eno1";

/// Draws the surroundings of a namespace in several widths, and reads the figures.
#[track_caller]
fn check_map(bench: &Bench, ns: &str) {
    let map: Value = serde_json::from_str(&bench.ok(&["map", ns, "--json"])).unwrap();
    for width in [100, 80, 60] {
        let columns = width.to_string();
        let text = bench.ok(&["map", ns, "--expand", "--width", &columns]);
        let figure = Figure::read(&text);
        figure.no_wider_than(width);
        figure.draws_every_link_once(&map);
        figure.joins_every_wire(&map);

        let text = bench.ok(&["map", ns, "--expand", "--width", &columns, "--ascii"]);
        assert!(text.is_ascii(), "{text}");
        let figure = Figure::read(&text);
        figure.no_wider_than(width);
        figure.draws_every_link_once(&map);
    }
}

/// Traces with a real packet (`FROM TO OPTIONS…`); it must do as was foretold, and arrive.
#[track_caller]
fn arrives(bench: &Bench, question: &str) {
    let (view, text) = live(bench, question);
    assert_eq!(view["live"]["arrived"], true, "{question}\n{text}");
}

/// The same; it must be lost at that place.
#[track_caller]
fn is_lost(bench: &Bench, question: &str, place: &str, because: &str) {
    let (view, text) = live(bench, question);
    assert_eq!(view["live"]["arrived"], false, "{question}\n{text}");
    let end = match &view["there"]["end"] {
        end if end["disposition"] == "lost" => end,
        _ => &view["back"]["end"],
    };
    assert_eq!(end["place"], place, "{question}\n{text}");
    let why = end["because"].as_str().unwrap_or_default();
    assert!(why.contains(because), "{question}\n{text}");
}

#[track_caller]
fn live(bench: &Bench, question: &str) -> (Value, String) {
    let mut args = vec!["trace"];
    args.extend(question.split(' '));
    args.extend(["--live", "--json"]);
    let ran = bench.run(&args);
    assert!(ran.status <= 1, "{question}: {}\n{}{}", ran.status, ran.out, ran.err);
    let view: Value = serde_json::from_str(&ran.out).unwrap();
    args.retain(|a| *a != "--json");
    let again = || bench.run(&args).out;
    let dispositions = [&view["there"], &view["back"]].map(|w| w["end"]["disposition"].clone());
    assert!(!dispositions.contains(&"unknown".into()), "{question}\n{}", again());
    assert_eq!(view["live"]["agrees"], true, "{question}\n{}", again());
    assert_eq!(ran.status == 0, view["live"]["arrived"] == true, "{question}\n{}", again());
    (view, ran.out)
}

/// An ordinary user has no cards: a veth pair stands for two of them, so that what is beyond is
/// known too.
fn cards() -> bool {
    kernel::rootless::has_all_ids()
}

/// Leaves by a card, beyond which nobody answers: what is there was only assumed.
#[track_caller]
fn stays_unanswered(bench: &Bench, question: &str, how: &str) {
    let mut args = vec!["trace", "--live"];
    args.extend(question.split(' '));
    let text = bench.expect(1, &args).out;
    let end = format!("live: the packet did not arrive: {how}\n");
    assert!(text.ends_with(&end), "{text}");
}

/// Foretells only: from outside no packet can be sent.
#[track_caller]
fn would_arrive(bench: &Bench, from: &str, to: &str) {
    bench.ok(&["trace", from, to]);
}

fn two_guests() {
    let bench = Bench::new();
    bench.up_example("two-guests.yaml");
    check_map(&bench, "pve");
    for question in [
        "web db",
        "db web",
        "web db:5432",
        "db web:80",
        "db web:81",
        "web 192.168.20.1",
        "db 192.168.20.1:80",
        "lan web:80",
        "lan db",
        "pve web",
        "pve lan:80",
        "web pve",
        "db:eth0 pve:vmbr0",
        "web db:9 --proto udp",
        "web db --size 1500",
        "web db --size 4000",
        "web db:9 --proto udp --size 9000",
        "web web:80",
        "web 127.0.0.1:80",
    ] {
        arrives(&bench, question);
    }
    if cards() {
        check_map(&bench, "lan");
        stays_unanswered(&bench, "web 198.51.100.9", NO_ANSWER);
        let nobody = "nobody beyond pve:eno1 answered for 192.168.20.99";
        stays_unanswered(&bench, "db 192.168.20.99", nobody);
        would_arrive(&bench, "outside:pve:eno1", "192.168.20.101:80");
        would_arrive(&bench, "outside:pve:eno1", "192.168.20.102");
    } else {
        is_lost(&bench, "web 198.51.100.9", "lan, on eth0", "no route");
    }
    is_lost(&bench, "web db --ttl 1 --df --size 1600", "web, on eth0", "1600 bytes");
    is_lost(&bench, "db 192.168.20.99", "db, on eth0", "nobody on eth0 answers");
}

fn two_networks() {
    let bench = Bench::new();
    bench.up_example("two-networks.yaml");
    check_map(&bench, "server");
    for question in [
        "web dns",
        "web app",
        "app db:5432",
        "app 172.30.0.80:443",
        "web 198.51.100.1",
        "web 198.51.100.1:80",
        "web 198.51.100.1:81",
        "db 198.51.100.1:7 --proto udp",
        "db 198.51.100.1:8 --proto udp",
        // A published port from there, from here, and from another network.
        "198.51.100.1 198.51.100.20:8080",
        "198.51.100.1 198.51.100.20:8443",
        "198.51.100.1 198.51.100.20:53 --proto udp",
        "198.51.100.1 198.51.100.20:22",
        "web 198.51.100.20:8080",
        "dns 198.51.100.20:8080",
        "db 198.51.100.20:8080",
        "server 198.51.100.20:8080",
        "server 172.30.0.80:80",
        "db 172.30.0.1",
        "app 172.18.0.1",
    ] {
        arrives(&bench, question);
    }
    let isolated = "DOCKER-ISOLATION-STAGE-2";
    is_lost(&bench, "web db", "server", isolated);
    is_lost(&bench, "db web:80", "server", isolated);
    is_lost(&bench, "web db:5432", "server", isolated);
}

fn docker_in_docker() {
    let bench = Bench::new();
    bench.up_example("docker-in-docker.yaml");
    check_map(&bench, "pve");
    for question in [
        "job lan",
        "job lan:80",
        "job pve",
        "job runner",
        "job dind:2375",
        "dind lan:80",
        "dind job:80",
        "runner dind:8000",
        "lan 10.20.0.200:2375",
        "lan 10.20.0.200:8000",
        "pve 10.20.0.200:2375",
        "job 10.20.0.200:2375",
    ] {
        arrives(&bench, question);
    }
    is_lost(&bench, "lan 172.17.0.2", "lan", "no route");
    if cards() {
        check_map(&bench, "lan");
        stays_unanswered(&bench, "job 198.51.100.9", NO_ANSWER);
        would_arrive(&bench, "outside:pve:eno1", "10.20.0.200:2375");
    } else {
        is_lost(&bench, "job 198.51.100.9", "lan, on eth0", "no route");
    }
}

fn skip_level() {
    let bench = Bench::new();
    bench.up_example("skip-level.yaml");
    check_map(&bench, "host");
    for question in [
        "inner middle",
        "inner host",
        "inner 10.31.0.1",
        "host 10.30.0.3:80",
        "middle 10.30.0.3:80",
        "middle 10.31.0.2:80",
        "middle host",
    ] {
        arrives(&bench, question);
    }
    is_lost(&bench, "host 10.31.0.2", "host", "no route");
    is_lost(&bench, "inner 10.30.0.1 --source 10.31.0.2", "host", "no route");
}

fn forty() {
    let bench = Bench::new();
    bench.up_example("forty.yaml");
    check_map(&bench, "server");
    for question in ["web1 web40", "web40 web1:80", "web7 web8:7 --proto udp", "server web20"] {
        arrives(&bench, question);
    }
    is_lost(&bench, "web1 172.17.0.99", "web1, on eth0", "nobody on eth0 answers");
}
