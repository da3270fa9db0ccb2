//! Rule sets as real programs wrote them, captured (`crates/cli/tests/rulesets.rs` says how): read
//! without one unknown expression, told in words, and walked.
//!
//! The words are in a file beside each bundle. `NESTWORK_KEEP=yes cargo test -p bundle --test
//! rulesets` writes them anew.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use bundle::Bundle;
use model::{NsId, Snapshot};
use walk::{Disposition, Indexed, Place, Protocol, Question};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/rulesets")
}

fn kept(name: &str) -> Snapshot {
    let bytes = std::fs::read(folder().join(format!("{name}.tar.gz"))).unwrap();
    Bundle::unpack(&bytes).unwrap().gathered.snapshot()
}

fn find(snapshot: &Snapshot, name: &str) -> NsId {
    let mut all = snapshot.namespaces.keys().copied();
    all.find(|id| snapshot.name_of(*id) == name).unwrap_or_else(|| panic!("{name}"))
}

/// All rules of the machine, a line each.
fn words(snapshot: &Snapshot) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for table in &snapshot.namespaces[&find(snapshot, "machine")].ruleset.tables {
        for chain in &table.chains {
            let header = render::rule_text::chain_header(table.family, &table.name, chain);
            writeln!(text, "{} {}: {header}", table.family.as_str(), table.name).unwrap();
            for rule in &chain.rules {
                writeln!(text, "  {}", render::rule_text::rule_in(table, rule)).unwrap();
            }
        }
    }
    text
}

/// What the program wrote, in words; and packets: `+ FROM TO AT`, who gets it, or `- FROM TO`.
#[track_caller]
fn check(name: &str, packets: &[&str]) {
    let snapshot = kept(name);
    let unknown = snapshot.namespaces.values().flat_map(|ns| ns.ruleset.unknown());
    assert_eq!(unknown.collect::<Vec<_>>(), Vec::<String>::new());
    let (told, path) = (words(&snapshot), folder().join(format!("{name}.txt")));
    if std::env::var_os("NESTWORK_KEEP").is_some() {
        std::fs::write(&path, &told).unwrap();
    }
    assert_eq!(told, std::fs::read_to_string(&path).unwrap(), "{name}");
    for packet in packets {
        let words: Vec<&str> = packet.split(' ').collect();
        let at = foretold(&snapshot, words[1], words[2]);
        assert_eq!(at.as_deref(), words.get(3).copied(), "{name}: {packet}");
    }
}

/// Who gets a packet.
fn foretold(snapshot: &Snapshot, from: &str, to: &str) -> Option<String> {
    let (ip, protocol) = match to.split_once(':') {
        Some((ip, port)) => (ip, Protocol::Tcp(port.parse().unwrap())),
        None => (to, Protocol::Icmp),
    };
    let ip: IpAddr = ip.parse().unwrap();
    let question = Question::new(Place::Namespace(find(snapshot, from)), ip, protocol);
    let trace = Indexed::new(snapshot).trace(question.sport(40000));
    match &trace.there.disposition {
        Disposition::Delivered(ns) => Some(snapshot.name_of(*ns)),
        Disposition::Lost(_) => None,
        other => panic!("{from} to {to}: {other:?}"),
    }
}

const DOCKER: [&str; 8] = [
    "+ far 198.51.100.1:8080 web",
    "+ far 198.51.100.1:8443 shop1",
    "+ far 198.51.100.1:9001 shop1",
    "+ shop1 172.30.6.2:80 db",
    "+ shop2 198.51.100.2:80 far",
    "+ machine 127.0.0.1:8080 machine",
    "- web 172.30.5.3:80",
    "- db 198.51.100.2",
];

#[test]
fn docker() {
    check("docker", &DOCKER);
}

#[test]
fn docker_by_iptables_legacy() {
    check("docker-legacy", &DOCKER);
}

#[test]
fn podman() {
    check(
        "podman",
        &[
            "+ far 198.51.100.1:8080 web",
            "+ far 198.51.100.1:8443 shop1",
            "+ web 10.89.5.2:80 shop1",
            "+ machine 127.0.0.1:8080 web",
            "- shop1 198.51.100.1:8443",
            "- db 198.51.100.2",
        ],
    );
}

const LXC: [&str; 3] =
    ["+ guest 198.51.100.2:80 far", "+ far 10.0.3.10:80 guest", "+ guest 10.0.3.1:53 machine"];

#[test]
fn lxc_net() {
    check("lxc-net", &LXC);
}

#[test]
fn lxc_net_by_iptables() {
    check("lxc-net-iptables", &LXC);
}

#[test]
fn ufw() {
    check(
        "ufw",
        &[
            "+ far 198.51.100.1:22 machine",
            "+ far 198.51.100.1:8005 machine",
            "+ far 198.51.100.1:2222 machine",
            "+ near 198.51.100.2:80 far",
            "- far 198.51.100.1:23",
            "- far 198.51.100.1:25",
            "- near 10.9.0.1:80",
            "- far 10.9.0.2:80",
        ],
    );
}

#[test]
fn firewalld() {
    check(
        "firewalld",
        &[
            "+ far 198.51.100.1:80 machine",
            "+ far 198.51.100.1:8080 near",
            "+ near 10.9.0.1:22 machine",
            "- far 198.51.100.1:23",
            "- near 10.9.0.1:81",
            "- near 198.51.100.2:80",
        ],
    );
}

/// Whichever of two endpoints it is: those that are asked for are told elsewhere.
const KUBE: [&str; 3] =
    ["- pod1 10.96.0.11:80", "+ pod1 198.51.100.2:80 far", "+ pod1 10.244.2.2:80 pod2"];

#[test]
fn kube_proxy() {
    check("kube-proxy", &KUBE);
}

#[test]
fn kube_proxy_by_iptables_legacy() {
    check("kube-proxy-legacy", &KUBE);
}

/// A service's packet takes one of two ways, whether its client is remembered or not.
#[test]
fn kube_proxy_s_endpoints() {
    for name in ["kube-proxy", "kube-proxy-legacy"] {
        let snapshot = kept(name);
        let from = Place::Namespace(find(&snapshot, "far"));
        for service in ["10.96.0.10", "10.96.0.12"] {
            let ip: IpAddr = service.parse().unwrap();
            let question = Question::new(from, ip, Protocol::Tcp(80)).sport(40000);
            let trace = Indexed::new(&snapshot).trace(question);
            let ends = trace.leaves().into_iter().filter_map(|t| match t.there.disposition {
                Disposition::Delivered(ns) => Some(snapshot.name_of(ns)),
                _ => None,
            });
            let ends: std::collections::BTreeSet<String> = ends.collect();
            assert_eq!(ends.into_iter().collect::<Vec<_>>(), ["pod1", "pod2"], "{name} {service}");
        }
    }
}
