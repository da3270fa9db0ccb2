//! A bundle answers as the host did.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use support::Bench;
use trial::Needs;

fn main() -> std::process::ExitCode {
    trial::main(vec![
        trial::test("the_seed_answers_from_its_bundle", &[Needs::Tap, Needs::Ids], seed),
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
    let (kept, live) = (still(&kept.out), still(&live.out));
    assert!(kept == live, "{question:?}\n{kept}\n{live}");
}

/// Without what differs from one moment to the next.
fn still(text: &str) -> Value {
    let mut value: Value = serde_json::from_str(text).unwrap();
    forget(&mut value);
    value
}

fn forget(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(forget),
        Value::Object(all) => {
            all.retain(|key, _| {
                !matches!(key.as_str(), "connections" | "conntrack" | "neighbours")
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
    bench.ok(&["trace", "alpine01", "203.0.113.10", "--live"]);
    let file = bench.path("seed.tar.gz");
    bench.ok(&["collect", &file]);
    same(&bench, &file, &["trace", "alpine01", "203.0.113.10", "--sport", "4711", "--json"]);
    same(&bench, &file, &["trace", "outside", "192.168.10.41", "--sport", "4711", "--json"]);
    same(&bench, &file, &["map", "alpine01", "--json"]);
    for ns in ["pve1", "docker01", "alpine01"] {
        same(&bench, &file, &["show", ns, "--json"]);
    }
    let text = bench.ok(&["trace", "alpine01", "203.0.113.10", "--bundle", &file]);
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("from a bundle of ") && first.ends_with(" UTC"), "{first}");
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
        (&bench.path(""), "no manifest.json"),
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
