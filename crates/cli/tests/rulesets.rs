//! Rule sets that real programs write, each on a machine of its own: read without one unknown
//! expression, walked, and tried with packets.
//!
//! `NESTWORK_KEEP=FOLDER cargo test -p nestwork --test rulesets` also writes what was read there, a
//! bundle each: so the files of `fixtures/rulesets` were made, which `crates/bundle/tests` read.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use bundle::Bundle;
use support::stack::Stack;
use trial::{Needs, Test, test};

fn main() -> std::process::ExitCode {
    trial::main(vec![
        written("docker", DOCKER_NEEDS, &[DOCKER, DOCKER_PROXY]),
        written("docker-legacy", DOCKER_NEEDS, &[DOCKER, DOCKER_PROXY]),
        written("podman", PODMAN_NEEDS, &[PODMAN]),
        written("lxc-net", LXC_NEEDS, &[LXC]),
        written("lxc-net-iptables", LXC_NEEDS, &[LXC]),
        written("ufw", UFW_NEEDS, &[UFW]),
        written("firewalld", FIREWALLD_NEEDS, &[FIREWALLD]),
        written("kube-proxy", KUBE_NEEDS, &[KUBE]),
        written("kube-proxy-legacy", KUBE_NEEDS, &[KUBE]),
    ])
}

const DOCKER_NEEDS: &[Needs] =
    &[Needs::Ids, Needs::Tool("dockerd"), Needs::Tool("docker"), Needs::Tool("busybox")];
const PODMAN_NEEDS: &[Needs] = &[Needs::Ids, Needs::Tool("podman"), Needs::Tool("busybox")];
const LXC_NEEDS: &[Needs] =
    &[Needs::Ids, Needs::Tool("lxc-start"), Needs::Tool("dnsmasq"), Needs::Tool("busybox")];
const UFW_NEEDS: &[Needs] = &[Needs::Ids, Needs::Tool("ufw"), Needs::Tool("busybox")];
const FIREWALLD_NEEDS: &[Needs] =
    &[Needs::Ids, Needs::Tool("firewalld"), Needs::Tool("dbus-daemon"), Needs::Tool("busybox")];
const KUBE_NEEDS: &[Needs] =
    &[Needs::Ids, Needs::Tool("iptables"), Needs::Tool("iptables-legacy"), Needs::Tool("busybox")];

/// Packets: `+ FROM TO`, which arrives and whose answer does, or `- FROM TO`.
const DOCKER: &str = "
    + far 198.51.100.1:8080
    + far 198.51.100.1:8443
    + far 198.51.100.1:9001
    + far 198.51.100.1:5353 --proto udp
    - web shop2:80
    - shop2 db:80
    - db far
    + shop1 db:80
    + shop2 far:80
    + machine 198.51.100.1:8080
    + machine shop2:80";
/// By docker-proxy: to oneself, and by the loopback.
const DOCKER_PROXY: &str = "
    + machine 127.0.0.1:8080
    + shop2 198.51.100.1:8443
    + web 198.51.100.1:8443";
const PODMAN: &str = "
    + far 198.51.100.1:8080
    + far 198.51.100.1:8443
    + far 198.51.100.1:9001
    + far 198.51.100.1:5353 --proto udp
    + web shop1:80
    + web far:80
    + web 198.51.100.1:8443
    - shop1 198.51.100.1:8443
    - db far
    + machine 127.0.0.1:8080
    + machine 198.51.100.1:8080";
const LXC: &str = "
    + guest far:80
    + guest far
    + far guest:80
    + guest 10.0.3.1:53
    + far 198.51.100.1";
const UFW: &str = "
    + far 198.51.100.1:80
    + far 198.51.100.1:22
    - far 198.51.100.1:23
    - far 198.51.100.1:25
    + far 198.51.100.1:2222
    + far 198.51.100.1:8005
    - far 198.51.100.1:8011
    + far 198.51.100.1
    - near 10.9.0.1:80
    + near far:80
    - far near:80
    - far 198.51.100.1:137 --proto udp
    + machine far:80";
const FIREWALLD: &str = "
    + far 198.51.100.1:80
    + far 198.51.100.1:22
    - far 198.51.100.1:23
    + far 198.51.100.1:8080
    + far 198.51.100.1
    - near 10.9.0.1:81
    + near 10.9.0.1:22
    - near 10.9.0.1:80
    - near far:80
    - far near:80
    + near 10.9.0.1:137 --proto udp
    - far 198.51.100.1:137 --proto udp
    + machine far:80";
const KUBE: &str = "
    + pod1 10.96.0.10:80
    + pod2 10.96.0.10:80
    - pod1 10.96.0.11:80
    + pod1 10.96.0.12:80
    + far 198.51.100.1:30080
    + machine 10.96.0.10:80
    + pod1 far:80
    + pod1 pod2:80";

/// The program writes its rules (`rulesets/NAME.sh`); they are read, and packets are sent.
fn written(name: &'static str, needs: &'static [Needs], packets: &'static [&str]) -> Test {
    test(name, needs, move || {
        let machine = Stack::with("rulesets/machine.sh", name);
        let bytes = machine.bundle();
        let snapshot = Bundle::unpack(&bytes).unwrap().gathered.snapshot();
        let unknown = snapshot.namespaces.values().flat_map(|ns| ns.ruleset.unknown());
        assert_eq!(unknown.collect::<Vec<_>>(), Vec::<String>::new());
        for line in packets.iter().flat_map(|p| p.lines()).filter(|l| !l.trim().is_empty()) {
            try_it(&machine, line.trim());
        }
        if let Some(folder) = std::env::var_os("NESTWORK_KEEP") {
            let path = std::path::Path::new(&folder).join(format!("{name}.tar.gz"));
            std::fs::write(path, bytes).unwrap();
        }
    })
}

#[track_caller]
fn try_it(machine: &Stack, packet: &str) {
    let words: Vec<&str> = packet.split_whitespace().collect();
    let mut args = vec!["trace", "--live", "--width", "120"];
    args.extend(&words[1..]);
    let (status, told) = machine.run(&args);
    assert_eq!(status == 0, words[0] == "+", "{packet}: {status}\n{told}");
    assert!(told.contains("as foretold") && !told.contains("disagree"), "{packet}\n{told}");
}
