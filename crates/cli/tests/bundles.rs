//! A bundle answers as the host did.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use support::Bench;
use trial::Needs;

// By their paths: others on this machine may have namespaces of the same names.
const PVE: &str = "proxmox-docker/pve1";
const DOCKER: &str = "proxmox-docker/pve1/docker01";
const ALPINE: &str = "proxmox-docker/pve1/docker01/alpine01";

fn main() -> std::process::ExitCode {
    trial::main(vec![
        trial::test("the_seed_answers_from_its_bundle", &[Needs::Tap, Needs::Ids], seed),
        trial::test("the_seed_with_stand_ins", &[Needs::Tap, Needs::Ids], stand_ins),
        trial::test("bundles_as_files", &[], files),
        trial::test("what_is_no_bundle_is_told", &[], no_bundle),
        trial::test("commands_about_this_host_refuse_bundles", &[], refused),
    ])
}

/// The same question, asked of this host and of the bundle: the same answer.
#[track_caller]
fn same(bench: &Bench, bundle: &str, question: &[&str]) {
    let live = bench.run(question);
    let mut args = question.to_vec();
    args.extend(["--bundle", bundle]);
    let kept = bench.run(&args);
    assert_eq!(kept.status, live.status, "{question:?}\n{}", kept.err);
    assert_eq!(live.err, kept.err, "{question:?}");
    let (mut kept, live) = (still(&kept.out), still(&live.out));
    let origin = kept.as_object_mut().unwrap().remove("origin");
    assert!(origin.unwrap().as_str().unwrap().starts_with("from a bundle of "), "{question:?}");
    // What a trace says in words grows old within seconds: a neighbour's state, an entry's age.
    if question[0] == "trace" {
        assert_eq!(way(&kept), way(&live), "{question:?}");
    } else if question[0] == "map" {
        assert_eq!((&kept["links"], &kept["wires"]), (&live["links"], &live["wires"]));
    } else {
        assert!(kept == live, "{question:?}\n{kept}\n{live}");
    }
}

/// Without what differs from one moment to the next, or by what else runs here: other readers' observers
/// have numbers for these namespaces, too.
fn still(text: &str) -> Value {
    let mut value: Value = serde_json::from_str(text).unwrap();
    forget(&mut value);
    value
}

fn forget(value: &mut Value) {
    match value {
        Value::Array(all) => {
            // IPv6 takes its time to make sure of an address.
            let unsure = |v: &Value| v["dst"].as_str().is_some_and(|dst| dst.starts_with("fe80"));
            // Who is in a group says so when it likes to.
            let heard = |v: &Value| v["group"].is_string() && v["permanent"] == false;
            all.retain(|v| !unsure(v) && !heard(v));
            all.iter_mut().for_each(forget);
        }
        Value::Object(all) => {
            all.retain(|key, _| {
                !matches!(
                    key.as_str(),
                    "connections" | "conntrack" | "neighbours" | "known_as" | "found"
                )
            });
            all.values_mut().for_each(forget);
        }
        Value::String(text) if text.contains(" s ago") => {
            *text = text.chars().filter(|c| !c.is_ascii_digit()).collect();
        }
        _ => {}
    }
}

fn seed() {
    let bench = Bench::new();
    bench.up_example("proxmox-docker.yaml");
    bench.ok(&["trace", ALPINE, "203.0.113.10", "--live", "--patience", "9000"]);
    let file = bench.path("seed.tar.gz");
    bench.ok(&["collect", &file]);
    same(&bench, &file, &["trace", ALPINE, "203.0.113.10", "--sport", "4711", "--json"]);
    same(
        &bench,
        &file,
        &["trace", "outside:proxmox-docker/pve1:enp1s0", PVE, "--sport", "4711", "--json"],
    );
    same(&bench, &file, &["map", ALPINE, "--json"]);
    for ns in [PVE, DOCKER, ALPINE] {
        same(&bench, &file, &["show", ns, "--json"]);
    }
    let text = bench.ok(&["trace", ALPINE, "203.0.113.10", "--bundle", &file]);
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("from a bundle of ") && first.ends_with(" UTC"), "{first}");
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Which way a packet goes: every namespace, with what is done there, and how it ends.
fn way(trace: &Value) -> Vec<String> {
    let mut way = Vec::new();
    for direction in [&trace["there"], &trace["back"]] {
        way.push(direction["end"]["disposition"].to_string());
        for hop in direction["hops"].as_array().unwrap() {
            way.push(hop["namespace"].to_string());
            for step in hop["steps"].as_array().unwrap() {
                way.push(step["action"].to_string());
            }
        }
    }
    way
}

fn stand_ins() {
    let bench = Bench::new();
    bench.up_example("proxmox-docker.yaml");
    bench.ok(&["trace", ALPINE, "203.0.113.10", "--live", "--patience", "9000"]);
    let (file, hidden) = (bench.path("true.tar.gz"), bench.path("hidden.tar.gz"));
    bench.ok(&["collect", &file]);
    let told = bench.ok(&["collect", "--stand-ins", &hidden]);
    assert!(told.contains("stand-ins"), "{told}");

    // Inodes are what they were.
    let id = |ns: &str| {
        let shown = json(&bench.ok(&["show", ns, "--json", "--bundle", &file]));
        shown["namespace"]["id"].as_str().unwrap().to_owned()
    };
    let (from, to) = (id(ALPINE), id("proxmox-docker/lan/internet"));
    let shown = json(&bench.ok(&["show", &to, "--json", "--bundle", &hidden]));
    let links = shown["links"].as_array().unwrap();
    let eth0 = links.iter().find(|l| l["name"] == "eth0").unwrap();
    let net = eth0["addresses"][0].as_str().unwrap();
    let ip = net.split('/').next().unwrap();
    assert_ne!(ip, "203.0.113.10");
    let before = json(&bench.ok(&[
        "trace",
        &from,
        "203.0.113.10",
        "--json",
        "--bundle",
        &file,
        "--sport",
        "4711",
    ]));
    let after =
        json(&bench.ok(&["trace", &from, ip, "--json", "--bundle", &hidden, "--sport", "4711"]));
    assert_eq!(way(&before), way(&after));
    assert!(way(&before).len() > 40);
    let map = |file: &str| {
        let map = json(&bench.ok(&["map", &from, "--json", "--bundle", file]));
        ["namespaces", "links", "wires"].map(|part| map[part].as_array().unwrap().len())
    };
    assert_eq!(map(&file), map(&hidden));
    tells_nothing(&bench, &hidden);
}

/// No address or name of the seed is anywhere in the bundle, as bytes or as text.
fn tells_nothing(bench: &Bench, file: &str) {
    let folder = bench.path("hidden");
    std::fs::create_dir(&folder).unwrap();
    let mut tar = std::process::Command::new("tar");
    assert!(tar.args(["xzf", file, "-C", &folder]).status().unwrap().success());
    let cat = std::process::Command::new("sh")
        .args(["-c", &format!("cat {folder}/*.json {folder}/*/*")])
        .output()
        .unwrap();
    let names = [
        "pve1",
        "docker01",
        "alpine01",
        "internet",
        "proxmox-docker",
        "vethc52438e",
        "cab9181ad6ac",
        "veth111i0",
        "fwbr111",
        "enp1s0",
        "wlo1",
        "203.0.113.",
        "192.168.10.",
        "172.17.0.",
        "94:83:c4",
        "02:42:",
    ];
    let mut secrets: Vec<Vec<u8>> = names.iter().map(|n| n.as_bytes().to_vec()).collect();
    for ip in ["203.0.113.10", "203.0.113.1", "192.168.10.1", "192.168.10.41", "192.168.10.103"] {
        secrets.push(ip.parse::<std::net::Ipv4Addr>().unwrap().octets().to_vec());
    }
    secrets.push(vec![0x94, 0x83, 0xc4, 0x3a, 0x8f, 0x1a]);
    secrets.push(vec![0x02, 0x42, 0xac, 0x11, 0x00, 0x02]);
    secrets.push(vec![0xbc, 0x24, 0x11, 0xbf, 0xee, 0x9b]);
    for secret in secrets {
        let there = cat.stdout.windows(secret.len()).any(|w| w == secret);
        assert!(!there, "{} is in it", String::from_utf8_lossy(&secret));
    }
}

fn files() {
    let bench = Bench::new();
    let file = bench.path("a.tar.gz");
    let told = bench.ok(&["collect", &file]);
    assert!(told.contains("It holds this host's addresses"), "{told}");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = bench.expect(2, &["collect", &file]);
    assert!(again.err.contains("is there already"), "{}", again.err);
    bench.ok(&["collect", "--force", &file]);
    assert_eq!(std::fs::read_dir(bench.path("")).unwrap().count(), 1);
    // Only a file is replaced, no folder and no device.
    let pipe = bench.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for there in [pipe.as_str(), &bench.path("")] {
        let told = bench.expect(2, &["collect", "--force", there]).err;
        assert!(told.contains("is no file that could be replaced"), "{told}");
    }
    std::fs::remove_file(pipe).unwrap();
    // Any machine's tar opens it, and the folder is as good as the file.
    let folder = bench.path("unpacked");
    std::fs::create_dir(&folder).unwrap();
    let mut tar = std::process::Command::new("tar");
    assert!(tar.args(["xzf", &file, "-C", &folder]).status().unwrap().success());
    let by_file = bench.ok(&["ls", "--bundle", &file]);
    assert_eq!(bench.ok(&["ls", "--bundle", &folder]), by_file);
    // A link in it is not followed.
    std::os::unix::fs::symlink("/dev/zero", format!("{folder}/endless")).unwrap();
    assert_eq!(bench.ok(&["--bundle", &folder]).lines().next(), by_file.lines().next());
}

fn no_bundle() {
    let bench = Bench::new();
    let text = bench.file("text", "no bundle");
    for (path, cause) in [
        (text.to_str().unwrap(), "does not begin as a .tar.gz"),
        ("/nonexistent", "No such file"),
        (&bench.path(""), "no file in it is the output"),
    ] {
        let ran = bench.expect(2, &["map", "--bundle", path]);
        assert!(ran.err.contains(cause), "{path}: {}", ran.err);
        assert_eq!(ran.out, "");
    }
}

fn refused() {
    let bench = Bench::new();
    for args in [
        &["--bundle", "x", "up", "lab.yaml"][..],
        &["--bundle", "x", "exec", "web", "true"],
        &["--bundle", "x", "collect"],
        &["--bundle", "x", "demo"],
    ] {
        let ran = bench.expect(2, args);
        assert!(ran.err.contains("not about a bundle"), "{}", ran.err);
    }
    let ran = bench.expect(2, &["trace", "a", "b", "--live", "--bundle", "x"]);
    assert!(ran.err.contains("no packet can be sent through a bundle"), "{}", ran.err);
}
