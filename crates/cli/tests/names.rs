//! Names that people and attackers give: every view says them, and harms no terminal.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};

use support::{Bench, Ran};
use trial::{Needs, test};

fn main() -> std::process::ExitCode {
    let needs = &[Needs::Tool("ip"), Needs::Tool("unshare"), Needs::Tool("busybox")];
    trial::main(vec![
        test("namespaces_and_links_with_names_of_all_kinds", needs, all_kinds),
        test("words_on_the_command_line", &[], words),
    ])
}

/// What a terminal would obey, turn or not show.
const ODD: [&str; 7] =
    ["\x1b[31mred", "\u{202e}evil", "שלום", "zero\u{200b}w", "q\"uo'te", "$(reboot)", "-rf"];

/// A namespace that nobody named but the process in it, whose name may be anything.
struct Named(Child);

impl Named {
    fn new(bench: &Bench, name: &[u8]) -> Self {
        let program = std::path::Path::new(&bench.path("")).join(std::ffi::OsStr::from_bytes(name));
        std::os::unix::fs::symlink("/bin/busybox", &program).unwrap();
        let mut command = Command::new("unshare");
        // busybox goes by its first word; the name that the kernel tells is the file's.
        let line = "exec -a sleep \"$0\" 600";
        command.args(["--net", "--kill-child", "--fork", "bash", "-c", line]).arg(&program);
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let named = Self(child);
        let mut wanted = name.to_vec();
        wanted.truncate(15);
        while !named.inner().is_some_and(|pid| {
            std::fs::read(format!("/proc/{pid}/comm")).is_ok_and(|c| c.trim_ascii_end() == wanted)
        }) {
            std::thread::yield_now();
        }
        named
    }

    /// The process in the namespace.
    fn inner(&self) -> Option<u32> {
        let pid = self.0.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        children.trim().parse().ok()
    }

    fn word(&self) -> String {
        format!("pid:{}", self.inner().unwrap())
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[track_caller]
fn harmless(ran: &Ran, args: &[&str]) {
    let bad = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
    };
    for text in [&ran.out, &ran.err] {
        assert!(!text.contains(bad), "{args:?}\n{text:?}");
        assert!(!args.contains(&"--ascii") || text.is_ascii(), "{args:?}\n{text}");
    }
}

fn all_kinds() {
    let bench = Bench::new();
    bench.up("name: odd\nnamespaces:\n  odd: {links: {br0: {kind: bridge}}}\n");
    let bundle = bench.path("before.tar.gz");
    bench.ok(&["collect", &bundle]);
    let others: Vec<Named> = ODD.iter().map(|name| Named::new(&bench, name.as_bytes())).collect();
    let bytes = Named::new(&bench, b"\xff\xfe\x9b31m");
    for (name, other) in ODD.iter().zip(&others) {
        // A link's name has fifteen bytes at most.
        let end = (0..=15).rev().find(|n| name.is_char_boundary(*n)).unwrap().min(name.len());
        let (name, pid) = (&name[..end], &other.word()[4..]);
        let add = ["exec", "odd", "--", "ip", "link", "add", "name", name, "type", "veth"];
        bench.ok(&[&add[..], &["peer", "name", "eth0", "netns", pid]].concat());
        bench.ok(&["exec", "odd", "ip", "link", "set", "dev", name, "master", "br0"]);
    }
    let mut questions: Vec<Vec<String>> = Vec::new();
    let mut ask = |words: &[&str]| questions.push(words.iter().map(ToString::to_string).collect());
    ask(&["map"]);
    ask(&["map", "--ascii", "--width", "40"]);
    ask(&["ls"]);
    ask(&["ls", "--ascii"]);
    ask(&["ls", "--json"]);
    ask(&["map", "--json"]);
    ask(&["show", "odd"]);
    ask(&["show", "odd", "--json"]);
    ask(&["find", "*"]);
    ask(&["diff", &bundle]);
    ask(&["diff", &bundle, "--json"]);
    ask(&["show", &bytes.word()]);
    for (name, other) in ODD.iter().zip(&others) {
        let word = other.word();
        ask(&["show", &format!("{word}:eth0")]);
        ask(&["trace", &word, "192.0.2.1", "--ascii"]);
        // Of a name that is not there.
        ask(&["find", "--", &format!("{name}x")]);
        ask(&["map", "--bundle", &format!("/{name}")]);
        ask(&["exec", "odd", &format!("/{name}")]);
    }
    for question in questions {
        let args: Vec<&str> = question.iter().map(String::as_str).collect();
        let ran = bench.run(&args);
        assert!((0..=4).contains(&ran.status) || ran.status == 127, "{args:?}: {ran:?}");
        assert!(!ran.out.is_empty() || !ran.err.is_empty(), "{args:?}");
        harmless(&ran, &args);
    }
    // JSON gives them back as they are.
    let ls: serde_json::Value = serde_json::from_str(&bench.ok(&["ls", "--json"])).unwrap();
    let all = ls["namespaces"].as_array().unwrap();
    for name in ODD {
        let is = |p: &serde_json::Value| p["comm"] == name;
        assert!(all.iter().any(|n| n["processes"].as_array().unwrap().iter().any(is)), "{name:?}");
    }
}

fn words() {
    let bench = Bench::new();
    for args in [
        &["show", "no\x1b[31mpe"][..],
        &["show", "--no\x1b[31mpe"],
        &["no\x1b[31mpe"],
        &["map", "--width", "\x1b[31m"],
        &["map", "--bundle", "/\u{202e}"],
        &["schema", "\x1b[2J"],
    ] {
        let ran = bench.expect(2, args);
        assert!(ran.err.starts_with("error: "), "{args:?}: {}", ran.err);
        harmless(&ran, args);
    }
}
