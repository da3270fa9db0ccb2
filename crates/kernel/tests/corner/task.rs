//! Processes that are about to go, threads, and namespaces that end while they are read.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;

use model::{Found, Namespace};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use trial::{Needs, Test, test};

use crate::space::Space;
use crate::tool::{Stays, found_by, id_of, meanwhile, snapshot, snapshot_when, state, until};

pub(crate) fn tests() -> Vec<Test> {
    let python = &[Needs::Tool("python3")];
    vec![
        test("a_zombie", &[], a_zombie),
        test("a_thread_outlives_its_process", python, a_thread_outlives_its_process),
        test("a_thread_elsewhere", &[], a_thread_elsewhere),
        test("many_processes_of_one_namespace", &[], many_processes),
        test("namespaces_die_while_read", &[], namespaces_die_while_read),
    ]
}

fn a_zombie() {
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", "echo ready; exec cat"]);
    let mut child = Stays::start(command);
    let id = id_of(File::open(format!("/proc/{}/ns/net", child.pid())).unwrap());
    child.kill();
    until(|| state(child.pid()) == Some('Z'));
    let snapshot = snapshot_when(|s| !s.namespaces.contains_key(&id));
    assert!(!snapshot.namespaces.contains_key(&id));
    let named = |n: &Namespace| n.processes.iter().any(|p| p.pid == child.pid());
    assert!(!snapshot.namespaces.values().any(named));
    // Nothing of it is denied; there is nothing.
    let denied = |w: &model::Warning| w.text.contains(&child.pid().to_string());
    assert!(!snapshot.warnings.iter().any(denied));
}

/// The first thread has ended and is a zombie; /proc/PID/ns and /proc/PID/fd of it are empty.
fn a_thread_outlives_its_process() {
    const SCRIPT: &str = "
import ctypes, os, platform, sys, threading
def stay():
    print('ready', flush=True)
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=stay).start()
ctypes.CDLL(None).syscall(60 if platform.machine() == 'x86_64' else 93, 0)
";
    let (space, kept) = (Space::new(&["--net"]), Space::new(&["--net"]));
    let mut command = Command::new("nsenter");
    command.args(["-t", &space.pid.to_string(), "-n", "/usr/bin/python3", "-c", SCRIPT]);
    command.stderr(Stdio::from(OwnedFd::from(kept.file())));
    let child = Stays::start(command);
    let (pid, id, held) = (child.pid(), space.id(), kept.id());
    drop((space, kept));
    until(|| state(pid) == Some('Z'));
    let snapshot = found_by(id, &[Found::Process]);
    assert_eq!(snapshot.namespaces[&id].processes[0].pid, pid);
    found_by(held, &[Found::Descriptor(pid)]);
}

fn a_thread_elsewhere() {
    let ((told, hear), (go, wait)) = (channel(), channel::<()>());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // SAFETY: UnshareFlags::FILES is not among the flags.
            unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.unwrap();
            told.send(id_of(File::open("/proc/thread-self/ns/net").unwrap())).unwrap();
            let _ = wait.recv();
        });
        let id = hear.recv().unwrap();
        let snapshot = found_by(id, &[Found::Thread]);
        let ns = &snapshot.namespaces[&id];
        assert_eq!(ns.parent, snapshot.viewer);
        assert_eq!(id_of(kernel::open(ns).unwrap()), id);
        drop(go);
    });
}

/// Many processes are one namespace, of which each is told once.
fn many_processes() {
    let space = Space::new(&["--net"]);
    let more: Vec<Space> = (0..30).map(|_| space.inside_net()).collect();
    let snapshot = snapshot();
    let ns = space.of(&snapshot);
    let mut pids: Vec<u32> = ns.processes.iter().map(|p| p.pid).collect();
    let mut wanted: Vec<u32> = more.iter().map(|s| s.pid).chain([space.pid]).collect();
    pids.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(pids, wanted);
    assert_eq!(ns.found.iter().filter(|f| **f == Found::Process).count(), 1);
}

fn namespaces_die_while_read() {
    let stays = Space::new(&["--net"]);
    meanwhile(
        || drop(Space::new(&["--net"])),
        || {
            let snapshot = snapshot();
            assert_eq!(stays.of(&snapshot).gaps, []);
            for namespace in snapshot.namespaces.values() {
                let gap = namespace.gap("links");
                // In a user namespace, what is around it may not be read.
                assert!(gap.is_none_or(|g| g.cause.contains("ermi")), "{gap:?}");
            }
        },
    );
}
