//! Engines are asked: by processes under their names, in namespaces of their own.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "in a test, a panic is the message; fakes speak by their output"
)]

mod fake;
mod space;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use fake::{Fake, Manner, end_engine, play};
use kernel::read::{Parts, ReadOptions, read};
use model::{Engine, NameSource, Namespace, Snapshot, Teller};
use space::Space;
use trial::test;

fn main() -> ExitCode {
    if play() {
        return ExitCode::SUCCESS;
    }
    if let Some(code) = apart() {
        return code;
    }
    trial::main(vec![
        test("docker_names_its_containers", &[], docker_names_its_containers),
        test("podman_names_its_containers_and_pods", &[], podman_names_its_containers_and_pods),
        test("incus_names_its_containers", &[], incus_names_its_containers),
        test("an_engine_two_containers_deep", &[], an_engine_two_containers_deep),
        test("pids_from_outside_are_left_out", &[], pids_from_outside_are_left_out),
        test("shared_pids_are_left_out", &[], shared_pids_are_left_out),
        test("whoever_does_not_answer_well", &[], whoever_does_not_answer_well),
        test("nobody_else_sees_a_connection", &[], nobody_else_sees_a_connection),
        test("a_stopped_engine_stays_stopped", &[], a_stopped_engine_stays_stopped),
        test("a_socket_put_in_its_place", &[], a_socket_put_in_its_place),
    ])
}

/// Runs this program again in a PID namespace with its own /proc: so it sees no engines but its own
/// fakes. None: this is that second run, or there is no way.
fn apart() -> Option<ExitCode> {
    if std::process::id() == 1 {
        return None;
    }
    let mut flags = vec!["--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--net"];
    if !rustix::process::geteuid().is_root() {
        flags.extend(["--user", "--map-root-user"]);
    }
    let mut probe = Command::new("unshare");
    if !probe.args(&flags).arg("true").status().is_ok_and(|s| s.success()) {
        return None;
    }
    let mut again = Command::new("unshare");
    again.args(&flags).arg(std::env::current_exe().unwrap()).args(std::env::args().skip(1));
    let code = again.status().unwrap().code().and_then(|c| u8::try_from(c).ok()).unwrap_or(1);
    Some(ExitCode::from(code))
}

/// The flags of a container with its own PID, mount and network namespaces.
const CONTAINER: [&str; 6] =
    ["--net", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child"];

fn asked() -> Snapshot {
    read(&ReadOptions { parts: Parts::empty(), api: true, ..ReadOptions::default() }).unwrap()
}

/// The PIDs of a process in each PID namespace, from this program's to its own.
fn pids(pid: u32) -> Vec<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("NSpid:")).unwrap();
    line.split_whitespace().map(|p| p.parse().unwrap()).collect()
}

fn parent(pid: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().find_map(|l| l.strip_prefix("PPid:")).unwrap().trim().parse().unwrap()
}

/// What engines say of a namespace, by the API's word: `ENGINE NAME PID`.
fn containers(ns: &Namespace) -> Vec<String> {
    let told = ns.containers.iter().filter(|c| c.told_by.contains(&Teller::Api));
    told.map(|c| format!("{} {} {:?}", c.engine, c.name(), c.pid)).collect()
}

fn warnings(snapshot: &Snapshot, space: &Space) -> Vec<String> {
    let own = snapshot.warnings.iter().filter(|w| w.ns == Some(space.id()));
    // The PID is another each time.
    own.map(|w| w.text.split(") ").nth(1).unwrap_or(&w.text).to_owned()).collect()
}

/// Docker's answers for one container with that PID.
fn docker(id: &str, name: &str, pid: u32) -> Vec<(&'static str, String)> {
    let network = r#"[{"Name":"app","Id":"8e59a206e45a2746c3959224330712010088b37facaf90742b9e7eff2f491fb6",
        "Driver":"bridge","IPAM":{"Config":[{"Subnet":"10.77.0.0/24"}]},"Options":{}}]"#;
    let path: &'static str = format!("/containers/{id}/json").leak();
    vec![
        ("/containers/json", format!(r#"[{{"Id":"{id}","Names":["/{name}"],"Image":"busy:1"}}]"#)),
        ("/networks", network.to_owned()),
        (path, format!(r#"{{"Id":"{id}","State":{{"Pid":{pid}}}}}"#)),
    ]
}

fn docker_names_its_containers() {
    let host = Space::new(&CONTAINER);
    let inner = host.inside(&CONTAINER);
    // The first process in its network namespace: the one that made it.
    let first = parent(inner.pid);
    let pid = pids(first)[1];
    assert_ne!(pid, first);
    host.run("ip link add br-8e59a206e45a type bridge");
    let _engine = Fake::new(&host, "dockerd", Manner::Well, &docker("0a1b", "web", pid));
    let snapshot = asked();
    let name = inner.of(&snapshot).names.first().unwrap();
    let source = NameSource::Engine(Engine::Docker, Teller::Api);
    assert_eq!((name.text.as_str(), &name.source), ("web", &source));
    assert_eq!(containers(inner.of(&snapshot)), [format!("Docker web Some({first})")]);
    let networks = &host.of(&snapshot).networks;
    let told: Vec<_> = networks.iter().map(|n| (n.name.as_str(), n.link.as_deref())).collect();
    assert_eq!(told, [("app", Some("br-8e59a206e45a"))]);
    assert_eq!(warnings(&snapshot, &host), [""; 0]);
}

fn podman_names_its_containers_and_pods() {
    let host = Space::new(&CONTAINER);
    let inner = host.inside(&CONTAINER);
    host.run("ip link add podman0 type bridge");
    let list = format!(
        r#"[{{"Id":"77","Names":["member"],"Pid":{},"PodName":"shop","Networks":["podman"]}}]"#,
        pids(inner.pid)[1]
    );
    let answers = [
        ("/v4.0.0/libpod/containers/json", list),
        (
            "/v4.0.0/libpod/networks/json",
            r#"[{"name":"podman","network_interface":"podman0"}]"#.into(),
        ),
    ];
    let engine = Fake::new(&host, "podman", Manner::Well, &answers);
    let snapshot = asked();
    assert_eq!(containers(inner.of(&snapshot)), [format!("Podman member Some({})", inner.pid)]);
    assert_eq!(inner.of(&snapshot).containers[0].pod.as_ref().unwrap().name, "shop");
    assert_eq!(host.of(&snapshot).networks[0].link.as_deref(), Some("podman0"));
    assert!(engine.seen() >= 2);
}

fn incus_names_its_containers() {
    let host = Space::new(&CONTAINER);
    let inner = host.inside(&CONTAINER);
    let list =
        r#"{"metadata":[{"name":"c1","project":"p","type":"container","status":"Running"}]}"#;
    let state = format!(r#"{{"metadata":{{"pid":{}}}}}"#, pids(inner.pid)[1]);
    let answers = [
        ("/1.0/instances?recursion=1&all-projects=true", list.into()),
        ("/1.0/networks?recursion=1", r#"{"metadata":[]}"#.into()),
        ("/1.0/instances/c1/state?project=p", state),
    ];
    let fake = Fake::new(&host, "incusd", Manner::Well, &answers);
    assert_eq!(fake.seen(), 0);
    let snapshot = asked();
    // It listens by another name than Incus does: that is no socket for questions.
    assert_eq!((fake.seen(), containers(inner.of(&snapshot))), (0, vec![]));
    drop(fake);
    let _fake = Fake::listening("unix.socket", &host, "incusd", Manner::Well, &answers);
    let snapshot = asked();
    assert_eq!(containers(inner.of(&snapshot)), [format!("Incus c1 Some({})", inner.pid)]);
    assert_eq!(inner.of(&snapshot).containers[0].id, "p_c1");
}

fn an_engine_two_containers_deep() {
    let outer = Space::new(&CONTAINER);
    let host = outer.inside(&CONTAINER);
    let inner = host.inside(&CONTAINER);
    let _engine =
        Fake::new(&host, "dockerd", Manner::Well, &docker("d0", "deep", pids(inner.pid)[2]));
    let snapshot = asked();
    assert_eq!(containers(inner.of(&snapshot)), [format!("Docker deep Some({})", inner.pid)]);
    assert_eq!((containers(host.of(&snapshot)), containers(outer.of(&snapshot))), (vec![], vec![]));
}

fn pids_from_outside_are_left_out() {
    let (host, other) = (Space::new(&CONTAINER), Space::new(&CONTAINER));
    // What others call that PID, this engine's namespace does not.
    let engine = Fake::new(&host, "dockerd", Manner::Well, &docker("e1", "evil", other.pid));
    let snapshot = asked();
    assert!(pids(engine.pid).len() == 2 && !pids(host.pid).contains(&other.pid));
    let all = snapshot.namespaces.values().flat_map(|n| &n.containers);
    assert_eq!(all.filter(|c| c.id == "e1").count(), 0);
    let wanted = "names 1 container of which no process is inside its own: left out";
    assert_eq!(warnings(&snapshot, &host), [wanted]);
}

/// A container may have been given the PIDs of what is around it.
fn shared_pids_are_left_out() {
    let host = Space::new(&["--net", "--mount"]);
    let other = Space::new(&CONTAINER);
    let _engine = Fake::new(&host, "dockerd", Manner::Well, &docker("e2", "evil", other.pid));
    let snapshot = asked();
    assert_eq!(containers(other.of(&snapshot)), [""; 0]);
    let wanted = "names 1 container, left out: it is in a container that shares the PIDs of what \
                  is around it";
    assert_eq!(warnings(&snapshot, &host), [wanted]);
}

fn whoever_does_not_answer_well() {
    let late = "did not answer within 2 s: names that only it knows are missing";
    let long = "was not listened to: its answer is longer than 4 MiB: names that only it knows are \
                missing";
    let garbage =
        "gave no good answer: its answer is not HTTP: names that only it knows are missing";
    let manners = [
        (Manner::Silent, late),
        (Manner::Dripping, late),
        (Manner::Endless, long),
        (Manner::Garbage, garbage),
    ];
    let all: Vec<_> = manners
        .iter()
        .map(|(manner, wanted)| {
            let host = Space::new(&CONTAINER);
            let engine = Fake::new(&host, "dockerd", *manner, &docker("x", "x", 1));
            (host, engine, *wanted)
        })
        .collect();
    let start = Instant::now();
    let snapshot = asked();
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    for (host, _, wanted) in &all {
        assert_eq!(warnings(&snapshot, host), [*wanted]);
    }
    // What it said before is kept.
    let host = Space::new(&CONTAINER);
    let answers = docker("y1", "half", pids(host.pid)[1]);
    let half = [answers[0].clone(), answers[2].clone()];
    let _engine = Fake::new(&host, "dockerd", Manner::Well, &half);
    let wanted = "gave no good answer: it answered with status 404: names that only it knows are \
                  missing";
    assert!(warnings(&asked(), &host).contains(&wanted.to_owned()));
}

fn nobody_else_sees_a_connection() {
    let host = Space::new(&CONTAINER);
    let answers = docker("f1", "fake", 1);
    let other = Fake::new(&host, "notadockerd", Manner::Well, &answers);
    let engine = Fake::new(&host, "dockerd", Manner::Well, &answers);
    asked();
    assert_eq!(other.seen(), 0);
    let before = engine.seen();
    assert!(before > 0);
    read(&ReadOptions { parts: Parts::empty(), ..ReadOptions::default() }).unwrap();
    assert_eq!(other.seen(), 0);
}

fn a_stopped_engine_stays_stopped() {
    let host = Space::new(&CONTAINER);
    let inner = host.inside(&CONTAINER);
    let answers = docker("5e", "kept", pids(inner.pid)[1]);
    let mut manager = Fake::new(&host, "systemd", Manner::Manager, &answers);
    // By a socket that was made for it.
    assert_eq!(containers(inner.of(&asked())), [format!("Docker kept Some({})", inner.pid)]);
    end_engine(&mut manager);
    let before = manager.seen();
    let snapshot = asked();
    assert_eq!(manager.seen(), before, "the manager saw a connection");
    assert_eq!(warnings(&snapshot, &host), [""; 0]);
    // Without a manager, a file is left.
    let mut engine = Fake::new(&host, "dockerd", Manner::Well, &answers);
    engine.stop();
    assert!(engine.socket().exists());
    assert_eq!(containers(inner.of(&asked())), [""; 0]);
}

/// Its file is renamed, and another's socket put there: it is still the engine that is asked.
fn a_socket_put_in_its_place() {
    let host = Space::new(&CONTAINER);
    let inner = host.inside(&CONTAINER);
    let engine =
        Fake::new(&host, "dockerd", Manner::Well, &docker("6f", "true", pids(inner.pid)[1]));
    let other =
        Fake::new(&host, "notadockerd", Manner::Well, &docker("6f", "false", pids(inner.pid)[1]));
    std::fs::remove_file(engine.socket()).unwrap();
    std::os::unix::fs::symlink(other.socket(), engine.socket()).unwrap();
    let snapshot = asked();
    assert_eq!(other.seen(), 0);
    assert_eq!(containers(inner.of(&snapshot)), [format!("Docker true Some({})", inner.pid)]);
    assert_eq!(snapshot.namespaces[&inner.id()].containers[0].engine, Engine::Docker);
}
