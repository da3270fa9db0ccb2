//! Runs a test in a network namespace of its own, and talks to its kernel.

use std::io::Write as _;
use std::process::{Command, Stdio};

use model::Ruleset;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_NETFILTER};
use wire::nft::{self, Batch, NftReplies, Request, request};

const INSIDE: &str = "WIRE_TEST_INSIDE";

/// Runs the calling test, `name`, again in a fresh namespace; true within that. Where there are no
/// namespaces or no iptables to be had, says so past the test harness' capture.
pub(crate) fn inside(name: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    // Its own user namespace too where that is allowed, the same for root and for everybody else.
    let own = ["-Urn", "-n"].into_iter().find(|flags| works("unshare", &[flags, "true"]));
    let tools = [works("iptables", &["-V"]), works("nft", &["-v"])];
    let (Some(own), [true, true]) = (own, tools) else {
        let lacks =
            if own.is_none() { "no network namespace to be had" } else { "no iptables or nft" };
        let _ = writeln!(std::io::stderr(), "skipped: {name}: {lacks}");
        return false;
    };
    let test = std::env::current_exe().expect("the test knows its own file");
    let status = Command::new("unshare")
        .args([own, "--"])
        .arg(test)
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("unshare runs");
    assert!(status.success(), "{name} failed in its namespace");
    false
}

fn works(tool: &str, args: &[&str]) -> bool {
    let quiet = Command::new(tool).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// What a command prints; it must succeed.
pub(crate) fn run(command: &[&str]) -> String {
    let output = Command::new(command[0]).args(&command[1..]).output().expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Gives a command its input; it must succeed.
pub(crate) fn feed(command: &[&str], input: &str) {
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .spawn()
        .expect("it runs");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    assert!(child.wait().expect("it ends").success(), "{command:?} refuses\n{input}");
}

fn socket() -> Socket {
    let socket = Socket::new(NETLINK_NETFILTER).expect("nfnetlink");
    socket.connect(&SocketAddr::new(0, 0)).expect("the kernel");
    socket
}

/// The raw replies up to DONE, an error, or the one answer to what is no dump.
pub(crate) fn ask(request: &Request) -> Vec<u8> {
    let socket = socket();
    socket.send(&request.bytes(1), 0).expect("sent");
    let mut all = Vec::new();
    loop {
        let mut piece = Vec::with_capacity(1 << 16);
        socket.recv(&mut piece, 0).expect("an answer");
        let kind = u16::from_ne_bytes([piece[4], piece[5]]);
        let flags = u16::from_ne_bytes([piece[6], piece[7]]);
        let last = last_kind(&piece);
        all.extend(piece);
        if kind < 16 || last == 3 || flags & 2 == 0 {
            return all;
        }
    }
}

fn last_kind(mut piece: &[u8]) -> u16 {
    let mut kind = 0;
    while piece.len() >= 16 {
        let len = u32::from_ne_bytes([piece[0], piece[1], piece[2], piece[3]]) as usize;
        kind = u16::from_ne_bytes([piece[4], piece[5]]);
        piece = piece.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    kind
}

/// Everything that there is.
pub(crate) fn replies() -> NftReplies {
    let sets = ask(&request::sets());
    NftReplies {
        generation: ask(&request::generation()),
        tables: ask(&request::tables()),
        chains: ask(&request::chains()),
        rules: ask(&request::rules()),
        elements: nft::set_names(&sets)
            .iter()
            .flat_map(|s| ask(&request::set_elements(s)))
            .collect(),
        sets,
        flowtables: ask(&request::flowtables()),
    }
}

/// The ruleset of this namespace, without any warning.
pub(crate) fn ruleset() -> Ruleset {
    let (ruleset, warnings) = nft::decode_ruleset(&replies());
    assert!(warnings.is_empty(), "{warnings:?}");
    ruleset
}

/// Sends a transaction; what was refused, with its errno.
pub(crate) fn send(batch: &Batch) -> Vec<(String, i32)> {
    let socket = socket();
    let first = 7;
    socket.send(&batch.bytes(first), 0).expect("sent");
    socket.set_non_blocking(true).expect("a flag");
    let mut refused = Vec::new();
    loop {
        let mut piece = Vec::with_capacity(1 << 16);
        if socket.recv(&mut piece, 0).is_err() {
            return refused;
        }
        let word = |at: usize| u32::from_ne_bytes(piece[at..at + 4].try_into().expect("four"));
        let part = &batch.messages[(word(8) - first) as usize];
        refused.push((part.what.clone(), word(16).cast_signed()));
    }
}
