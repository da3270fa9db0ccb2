//! Readers that may not see all of it: what there is for them is read, and the rest is said.

use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use model::{Link, Namespace};
use trial::{Needs, Test, test};

use crate::space::Space;
use crate::tool::snapshot;

pub(crate) fn tests() -> Vec<Test> {
    let setpriv = &[Needs::Tool("setpriv")];
    let ids = &[Needs::Ids, Needs::Tool("setpriv")];
    vec![
        test("hidepid", ids, hidepid),
        test("a_foreign_pid_namespace", &[], a_foreign_pid_namespace),
        test("namespaces_of_those_outside", &[], namespaces_of_those_outside),
        test("the_first_process_may_not_be_looked_at", setpriv, first_process_denied),
        test("a_dump_denied_is_not_an_empty_one", &[], a_dump_denied),
        test("a_peer_that_may_not_be_read", &[], a_peer_that_may_not_be_read),
        test("an_ordinary_user_s_own_container", ids, own_container),
    ]
}

/// An own PID namespace, with the mounts to show it.
const PIDS: [&str; 4] = ["--pid", "--fork", "--mount", "--kill-child"];

fn hidepid() {
    for how in [1, 2] {
        let script = format!(
            "mount -t proc -o hidepid={how} proc /proc
             setpriv --reuid 65534 --regid 65534 --clear-groups $0"
        );
        let said = say(&[&PIDS[..], &["--net"]].concat(), &script);
        assert!(said.contains("(hidepid)"), "{said}");
        // What it may see is read.
        assert!(said.contains(": lo; by Process, "), "{said}");
    }
}

fn a_foreign_pid_namespace() {
    let said = say(&PIDS, "mount -t proc proc /proc; exec $0");
    assert!(said.contains("not the host's PID namespace"), "{said}");
    assert!(!said.contains("(hidepid)"), "{said}");
}

/// Root of a user namespace has rights inside, and reads of what is around it what anybody may.
fn namespaces_of_those_outside() {
    let outside = Space::new(&["--net"]);
    outside.run_net("ip link add name left type veth peer name right; ip link set dev left up");
    let said = say(&["--user", "--map-root-user", "--net"], "exec $0");
    let mark = std::fs::metadata(format!("/proc/{}/net/dev", outside.pid)).unwrap();
    let line = format!("proc:[{}]: left lo right; by Process, without links", mark.ino());
    assert!(said.contains(&line), "{said}");
    assert!(said.contains("may not be looked at (CAP_SYS_PTRACE)"), "{said}");
    assert!(!said.contains("nvalid"), "no cause but the true one: {said}");
}

/// PID 1 can have capabilities that even root has not.
fn first_process_denied() {
    let script = "mount -t proc proc /proc; ip link add left type veth peer name right
        setpriv --bounding-set -sys_ptrace --inh-caps -sys_ptrace sh -e -c '
            if readlink /proc/1/ns/net 2>/dev/null; then exit 1; fi; $0' $0";
    let said = say(&[&PIDS[..], &["--net"]].concat(), script);
    assert!(said.contains("the namespaces of 1 process may not be looked at"), "{said}");
    assert!(!said.contains("(hidepid)"), "{said}");
    // The reader is where PID 1 is, and knows that.
    assert!(said.contains(": left lo right; by Process, whole\n"), "{said}");
    assert_eq!(said.matches("by Process").count(), 1, "{said}");
}

/// The namespace can be opened, since a descriptor of it is at hand; the list of its links comes
/// empty, with an error at its end.
fn a_dump_denied() {
    let outside = Space::new(&["--net"]);
    let script = format!(
        "exec 7</proc/{}/ns/net
         exec unshare --user --map-root-user --net sh -c 'sleep 60 & $0; kill $!' $0",
        outside.pid
    );
    let said = say(&[], &script);
    let line = said.lines().find(|l| l.starts_with(&outside.id().to_string())).unwrap();
    assert!(line.contains(": ; by Descriptor"), "{line}");
    assert!(line.contains(", without links, addresses, routes, "), "{line}");
}

/// The other end is known of, and nothing more.
fn a_peer_that_may_not_be_read() {
    let outside = Space::new(&["--net"]);
    let flags = [&["--user", "--map-root-user", "--net", "--mount-proc"], &PIDS[..]].concat();
    let inside = Space::new(&flags);
    outside.run_net(&format!("ip link add far type veth peer name near netns {}", inside.pid));
    let mut command = Command::new("nsenter");
    command.args(["-t", &inside.pid.to_string(), "-U", "-n", "-m", "-p"]);
    command.arg("--preserve-credentials");
    let said = run(command, "exec $0");
    let number = said.split("near@unseen:").nth(1).unwrap();
    let number: String = number.chars().take_while(char::is_ascii_digit).collect();
    let stub = format!("unseen:{number}: ; by Peer, without links, addresses, routes (");
    assert!(said.contains(&stub), "{said}");
}

/// Somebody who is not root sees of their own containers what anybody sees, and that they are
/// theirs.
fn own_container() {
    let script = "setpriv --reuid 65534 --regid 65534 --clear-groups sh -e -c '
        mkfifo /tmp/$$; exec 3<>/tmp/$$; rm /tmp/$$
        unshare --user --map-root-user --net sh -c \
            \"ip link add left type veth peer name right; echo >&3; exec sleep 60\" & read go <&3
        $0; kill $!' $0";
    let said = say(&PIDS[..2], script);
    assert!(said.contains(": left lo right; by Process, without links"), "{said}");
}

/// Runs a script in namespaces of its own; what it knows as $0 tells what a reader there reads.
fn say(flags: &[&str], script: &str) -> String {
    let mut inside = Command::new("unshare");
    inside.args(flags);
    run(inside, script)
}

/// The same where a command leads.
fn run(mut command: Command, script: &str) -> String {
    static COPIES: AtomicU32 = AtomicU32::new(0);
    let copy = COPIES.fetch_add(1, Ordering::Relaxed);
    let exe = format!("/tmp/corner-{}-{copy}", std::process::id());
    // Not copied by this process: a child of another test would hold it open for writing.
    let mut copy = Command::new("cp");
    assert!(copy.arg(std::env::current_exe().unwrap()).arg(&exe).status().unwrap().success());
    command.args(["sh", "-e", "-c", script, &exe]).env(SAY, "1").current_dir("/");
    let output = command.output().unwrap();
    std::fs::remove_file(&exe).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Set where this program is to tell what it reads, and not to test.
const SAY: &str = "NESTWORK_TEST_SAY";

/// Whether this program is to [`tell`].
pub(crate) fn is_asked() -> bool {
    std::env::var_os(SAY).is_some()
}

/// What is read here, a namespace a line: its links, what shows it, and what of it is missing.
pub(crate) fn tell() {
    let snapshot = snapshot();
    for ns in snapshot.namespaces.values() {
        let mut links: Vec<String> = ns.links.values().map(|l| link(ns, l)).collect();
        links.sort_unstable();
        let found: Vec<String> = ns.found.iter().map(|f| format!("{f:?}")).collect();
        println!("{}: {}; by {}, {}", ns.id, links.join(" "), found.join(" "), gaps(ns));
    }
    for warning in snapshot.warnings {
        println!("{}", warning.text);
    }
}

/// A link by its name, and the namespace of its peer if that is another.
fn link(ns: &Namespace, link: &Link) -> String {
    match link.peer().filter(|p| p.ns != ns.id) {
        Some(peer) => format!("{}@{}", link.name, peer.ns),
        None => link.name.clone(),
    }
}

/// Parts that are missing, with the cause unless that is that somebody may not.
fn gaps(ns: &Namespace) -> String {
    let mut parts: Vec<String> = Vec::new();
    for gap in &ns.gaps {
        let denied = gap.cause.contains("ermission denied") || gap.cause.contains("not permitted");
        parts.push(if denied { gap.part.clone() } else { format!("{} ({})", gap.part, gap.cause) });
    }
    parts.dedup();
    if parts.is_empty() { "whole".to_owned() } else { format!("without {}", parts.join(", ")) }
}
