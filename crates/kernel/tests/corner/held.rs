//! Namespaces that no process is in: something else keeps them.

use std::fs::File;
use std::process::Command;

use kernel::read::{Parts, ReadOptions, read};
use model::{Found, LinkKind, Namespace, NsFile, Warning};
use trial::{Needs, Test, test};

use crate::space::Space;
use crate::tool::{Stays, flight_of, found_by, id_of, snapshot, snapshot_when, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("held_only_by_a_socket", &[], only_by_a_socket),
        test("held_only_by_a_descriptor", &[], only_by_a_descriptor),
        test("held_only_by_a_descriptor_in_flight", &[], only_by_a_descriptor_in_flight),
        test("a_descriptor_in_flight_that_no_link_leads_to", &[], in_flight_alone),
        test("descriptors_are_a_choice", &[], descriptors_are_a_choice),
        test("held_by_a_file_in_a_mount_namespace_without_a_process", &[], by_a_hidden_file),
        test("a_stale_file", &[], a_stale_file),
        test("a_tap_and_its_holder", &[Needs::Tap, Needs::Tool("python3")], a_tap_and_its_holder),
    ]
}

fn only_by_a_socket() {
    let (near, far) = (Space::new(&["--net"]), Space::new(&["--net"]));
    near.run_net(&format!("ip link add near type veth peer name far netns {}", far.pid));
    let mut socket = None;
    far.enter(|| socket = Some(std::net::UdpSocket::bind("0.0.0.0:0").unwrap()));
    let holder = Stays::holding(socket.unwrap());
    let id = far.id();
    drop(far);
    let snapshot = found_by(id, &[Found::Socket(holder.pid())]);
    let ns = &snapshot.namespaces[&id];
    assert_eq!(ns.link_named("far").unwrap().peer().map(|p| p.ns), Some(near.id()));
    // The holder runs where the tests do.
    assert!(ns.parent.is_some() && ns.parent == snapshot.viewer);
    // What it was found by leads into it.
    assert_eq!(id_of(kernel::open(ns).unwrap()), id);
    // A socket where its process is anyway tells nothing.
    found_by(near.id(), &[Found::Process]);
}

fn only_by_a_descriptor() {
    let space = Space::new(&["--net"]);
    let holder = Stays::holding(space.file());
    let id = space.id();
    drop(space);
    let snapshot = found_by(id, &[Found::Descriptor(holder.pid())]);
    let ns = &snapshot.namespaces[&id];
    assert_eq!((ns.links.len(), ns.processes.len()), (1, 0));
    assert_eq!(id_of(kernel::open(ns).unwrap()), id);
}

fn only_by_a_descriptor_in_flight() {
    let (near, far) = (Space::new(&["--net"]), Space::new(&["--net"]));
    near.run_net(&format!("ip link add near type veth peer name far netns {}", far.pid));
    let id = far.id();
    let _flight = flight_of(&far.file());
    drop(far);
    let snapshot = snapshot_when(|s| !s.namespaces.contains_key(&id));
    assert!(!snapshot.namespaces.contains_key(&id));
    let peer = near.of(&snapshot).link_named("near").unwrap().peer().unwrap();
    assert_eq!(snapshot.namespaces[&peer.ns].found, [Found::Peer]);
    assert_eq!(snapshot.link(peer).unwrap().name, "far");
}

/// Nothing shows that namespace. What is known is that something is not seen, and of whom.
fn in_flight_alone() {
    let space = Space::new(&["--net"]);
    let id = space.id();
    let [from, to] = flight_of(&space.file());
    drop(space);
    let receiver = Stays::holding(to);
    drop(from);
    let said = |w: &Warning| {
        w.text.contains("not yet received cannot be looked at")
            && w.text.contains(&format!("PID {}", receiver.pid()))
    };
    let snapshot = snapshot_when(|s| !s.namespaces.contains_key(&id));
    assert!(!snapshot.namespaces.contains_key(&id));
    assert!(snapshot.warnings.iter().any(said), "{:?}", snapshot.warnings);
}

fn descriptors_are_a_choice() {
    let space = Space::new(&["--net"]);
    let _holder = Stays::holding(space.file());
    let id = space.id();
    drop(space);
    let read = |parts| read(&ReadOptions { parts, ..ReadOptions::default() }).unwrap();
    assert!(read(Parts::DESCRIPTORS).namespaces.contains_key(&id));
    // Others that read have been in it.
    until(|| !read(Parts::empty()).namespaces.contains_key(&id));
}

fn by_a_hidden_file() {
    let space = Space::new(&["--net", "--mount"]);
    space.run("mount -t tmpfs none /run; ip netns add kept; ip -n kept link set lo up");
    let mounts = File::open(format!("/proc/{}/ns/mnt", space.pid)).unwrap();
    let _holder = Stays::holding(mounts);
    let inside = space.run("stat -Lc %i /run/netns/kept");
    let named = |n: &&Namespace| n.id.to_string().contains(inside.trim());
    let id = snapshot().namespaces.values().find(named).unwrap().id;
    drop(space);
    let snapshot = found_by(id, &[Found::Mount]);
    let ns = &snapshot.namespaces[&id];
    assert_eq!(ns.files[0].path, "/run/netns/kept");
    assert!(ns.links[&1].is_up());
    assert_eq!(id_of(kernel::open(ns).unwrap()), id);
}

/// Beside a name that holds a namespace, one whose namespace is gone, and what is no file at all.
fn a_stale_file() {
    let space = Space::new(&["--net", "--mount"]);
    space.run(
        "mount -t tmpfs none /run; ip netns add live; cd /run/netns
         touch stale; mkfifo pipe; ln -s live link; ln -s /nowhere dangling
         ip netns add torn; umount torn; test -e torn",
    );
    let snapshot = snapshot();
    let mine = |f: &&NsFile| f.seen_in == Some(space.id());
    let files = snapshot.namespaces.values().flat_map(|n| n.files.iter().filter(mine));
    let paths: Vec<&str> = files.map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["/run/netns/live"]);
}

/// A tap that was made in one namespace and lies in another. Its descriptor keeps the first.
fn a_tap_and_its_holder() {
    const SCRIPT: &str = "
import fcntl, struct, sys
tun = open('/dev/net/tun', 'r+b', buffering=0)
fcntl.ioctl(tun, 0x400454ca, struct.pack('16sH22x', b'card', 0x1002))
print('ready', flush=True)
sys.stdin.read()
";
    let (made, lies) = (Space::new(&["--net"]), Space::new(&["--net"]));
    let mut command = Command::new("nsenter");
    command.args(["-t", &made.pid.to_string(), "-n", "/usr/bin/python3", "-c", SCRIPT]);
    let owner = Stays::start(command);
    made.run_net(&format!("ip link set card netns {}", lies.pid));
    let snapshot = found_by(lies.id(), &[Found::Process, Found::Tap(owner.pid())]);
    let LinkKind::Tap(tap) = &lies.of(&snapshot).link_named("card").unwrap().kind else {
        panic!("no tap")
    };
    let holder = tap.holder.as_ref().unwrap();
    assert_eq!((holder.pid, holder.comm.starts_with("python3")), (owner.pid(), true));
}
