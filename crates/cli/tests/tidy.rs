//! What the architecture forbids, looked for in the source.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::path::{Path, PathBuf};

/// The product's own lines of a crate: no comments, no test modules.
fn lines(name: &str) -> Vec<(PathBuf, usize, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
    let mut found = Vec::new();
    for file in files(&root) {
        let test = file.components().any(|c| {
            let name = c.as_os_str().to_string_lossy();
            matches!(name.as_ref(), "tests.rs" | "tests" | "fixtures.rs" | "fixtures")
        });
        if test {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let product = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for (n, line) in product.lines().enumerate() {
            if !line.trim_start().starts_with("//") {
                found.push((file.clone(), n + 1, line.to_owned()));
            }
        }
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

#[track_caller]
fn forbid(crates: &[&str], words: &[&str]) {
    let mut broken = Vec::new();
    for name in crates {
        for (file, n, line) in lines(name) {
            if words.iter().any(|word| line.contains(word)) {
                broken.push(format!("{}:{n}: {}", file.display(), line.trim()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

const PURE: [&str; 11] = [
    "model", "wire", "walk", "check", "doctor", "render", "yaml", "lab", "engine", "bundle",
    "pasted",
];
const ALL: [&str; 13] = [
    "model", "wire", "walk", "check", "doctor", "render", "yaml", "lab", "engine", "bundle",
    "pasted", "kernel", "cli",
];

#[test]
fn pure_crates_do_no_io_and_read_no_clock_or_environment() {
    let words = [
        "std::fs",
        "std::process",
        "std::thread",
        "std::env",
        "std::io::Write",
        "Instant::now",
        "SystemTime::now",
        "std::net::Tcp",
        "std::net::Udp",
        "std::os::",
        "println!",
        "eprintln!",
    ];
    forbid(&PURE, &words);
}

#[test]
fn only_kernel_holds_unsafe_code() {
    let words = ["unsafe {", "unsafe fn", "unsafe impl"];
    forbid(
        &[
            "model", "wire", "walk", "check", "doctor", "render", "yaml", "lab", "engine",
            "bundle", "pasted", "cli", "trial",
        ],
        &words,
    );
}

#[test]
fn no_tool_is_run_as_a_child_process() {
    let words = ["ip", "bridge", "iptables", "nft", "tc", "sysctl", "nsenter", "unshare"]
        .map(|tool| format!("Command::new(\"{tool}\")"));
    forbid(&ALL, &words.each_ref().map(String::as_str));
}

#[test]
fn nothing_knows_an_example() {
    let mut words = vec!["94:83:c4:3a:8f:1a", "vethc52438e", "cab9181ad6ac"];
    let seed =
        ["pve1", "docker01", "alpine01", "192.168.10.", "203.0.113.10", "fwbr111", "veth111"];
    words.extend(seed);
    forbid(&ALL, &words);
}
