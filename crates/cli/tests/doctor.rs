//! `doctor` on the real kernel: for each fault a lab that has it, the fix that is told, and a near miss
//! on which it must stay silent; and labs that are well.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use support::{Bench, NESTWORK, Ran};
use trial::{Needs, Test, test};

const NONE: &[Needs] = &[];
const GUEST: &[Needs] = &[Needs::Tap];

fn main() -> std::process::ExitCode {
    trial::main(vec![
        fault!("forwarding-off", NONE),
        fault!("bridged-drop", NONE),
        fault!("routed-drop", NONE),
        fault!("blind-rule", NONE),
        fault!("hidden-port", GUEST),
        fault!("mac-filter", GUEST),
        fault!("skipped-nat", GUEST),
        fault!("narrow-uplink", NONE),
        fault!("overlap", NONE),
        fault!("hairpin", NONE),
        fault!("other-source", NONE),
        fault!("unequal-ports", NONE),
        fault!("cut-off", NONE),
        fault!("raw-drop", NONE),
        fault!("open-ipv6", NONE),
        fault!("asymmetric", &[Needs::Tool("nft")]),
        fault!("source-filter", GUEST),
        fault!("accept-ra", NONE),
        fault!("hairpin" in "loopback-localnet", NONE),
        fault!("hairpin" in "loopback-masquerade", NONE),
        fault!("forwarding-off" in "forwarding-off-ipv6", NONE),
        fault!("bridged-drop" in "bridged-drop-ipv6", NONE),
        fault!("routed-drop" in "routed-drop-ipv6", NONE),
        fault!("hidden-port" in "hidden-port-ipv6", GUEST),
        fault!("skipped-nat" in "skipped-nat-ipv6", GUEST),
        fault!("overlap" in "overlap-ipv6", NONE),
        fault!("hairpin" in "hairpin-ipv6", NONE),
        fault!("other-source" in "other-source-ipv6", NONE),
        fault!("asymmetric" in "asymmetric-ipv6", &[Needs::Tool("nft")]),
        fault!("source-filter" in "source-filter-ipv6", GUEST),
        test("name_servers_that_do_not_answer", NONE, name_servers),
        test("clamped_segments_fit_a_narrow_uplink", &[Needs::Tool("iptables")], clamped),
        test("the_seed_is_well", &[Needs::Tap, Needs::Ids], || well("proxmox-docker.yaml")),
        test("docker_in_docker_is_well", NONE, || well("docker-in-docker.yaml")),
        test("two_guests_are_well", GUEST, || well("two-guests.yaml")),
        test("two_networks_are_well", NONE, || well("two-networks.yaml")),
        test("what_a_user_may_not_read_may_hide_one", &[Needs::Ids], unread),
    ])
}

macro_rules! fault {
    ($name:literal, $needs:expr) => {
        fault!($name in $name, $needs)
    };
    ($name:literal in $file:literal, $needs:expr) => {
        lab(
            $name,
            $file,
            $needs,
            include_str!(concat!("doctor/", $file, ".yaml")),
            include_str!(concat!("doctor/", $file, ".near.yaml")),
        )
    };
}
use fault;

/// Labs of one name and with the same addresses: one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lab(
    name: &'static str,
    file: &'static str,
    needs: &'static [Needs],
    ill: &'static str,
    near: &'static str,
) -> Test {
    test(file, needs, move || {
        let _alone = alone();
        has(name, ill);
        let bench = Bench::new();
        bench.up(near);
        let ran = bench.expect(0, &["doctor", "dr*"]);
        assert_eq!(ran.out, "no known fault was found\n");
    })
}

/// It is found, and nothing else; it hits whom the lab says, and shows what it says is seen; and the fix
/// mends it.
fn has(name: &str, text: &str) {
    let bench = Bench::new();
    bench.up(text);
    let ran = bench.expect(1, &["doctor", "dr*", "--json"]);
    let view: Value = serde_json::from_str(&ran.out).unwrap();
    let findings = view["findings"].as_array().unwrap();
    let shown = bench.run(&["doctor", "dr*"]).out;
    for finding in findings {
        assert_eq!(finding["fault"], name, "{shown}");
        assert!(!finding["evidence"].as_array().unwrap().is_empty(), "{shown}");
    }
    let hit: BTreeSet<&str> = findings
        .iter()
        .flat_map(|f| f["hits"].as_array().unwrap())
        .map(|h| h["name"].as_str().unwrap())
        .collect();
    let wanted = text.lines().next().unwrap().strip_prefix("# hits: ").unwrap();
    assert_eq!(hit.into_iter().collect::<Vec<_>>().join(", "), wanted, "{shown}");
    for words in text.lines().filter_map(|line| line.strip_prefix("# seen: ")) {
        assert!(shown.contains(words), "{words} is not in\n{shown}");
    }
    let fixes = findings.iter().flat_map(|f| f["fix"].as_array().unwrap());
    let commands: Vec<&str> = fixes
        .map(|f| f.as_str().unwrap())
        .map(|f| f.strip_prefix("and ").or(f.strip_prefix("at once: ")).unwrap_or(f))
        .filter(|f| f.starts_with("nestwork "))
        .collect();
    if commands.is_empty() {
        return; // it is to be mended in an engine's own files
    }
    for command in commands {
        let folder = std::path::Path::new(NESTWORK).parent().unwrap().display();
        let mut shell = Command::new("sh");
        shell.env("NESTWORK_STATE", bench.state()).arg("-c");
        shell.arg(format!("PATH={folder}:$PATH; {command}"));
        let ran = Ran::from(shell.output().unwrap());
        assert_eq!(ran.status, 0, "{command}: {}", ran.err);
    }
    bench.expect(0, &["doctor", "dr*"]);
}

/// With a rule that clamps TCP's segments, a narrow uplink does no harm.
fn clamped() {
    let _alone = alone();
    let bench = Bench::new();
    bench.up(include_str!("doctor/narrow-uplink.yaml"));
    let clamp = "-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu";
    bench.exec("drhost", &format!("iptables -t mangle -A FORWARD {clamp}"));
    bench.expect(0, &["doctor", "dr*"]);
}

/// A container with a file of its own for its name servers.
fn name_servers() {
    let _alone = alone();
    let bench = Bench::new();
    bench.up(r#"
name: dr-name-server
namespaces:
  drworld:
    links: {eth0: {kind: veth, peer: "drhost:eth0", addresses: [10.70.0.1/24]}}
    routes: [{to: 10.71.0.0/16, via: 10.70.0.2}]
    services: {udp_echo: [53]}
  drhost:
    links:
      eth0: {addresses: [10.70.0.2/24]}
      br0: {kind: bridge, addresses: [10.71.0.1/24]}
    routes: [{to: default, via: 10.70.0.1}]
    sysctls: {net.bridge.bridge-nf-call-iptables: 0, net.ipv4.ip_forward: 1}
    services: {udp_echo: [53]}
    iptables: {filter: {FORWARD: ["-s 10.71.0.2 -p udp --dport 53 -j DROP"]}}
  drguest:
    links: {eth0: {kind: veth, peer: "drhost:vg", peer_bridge: br0, addresses: [10.71.0.2/24]}}
    routes: [{to: default, via: 10.71.0.1}]
  drother:
    links: {eth0: {kind: veth, peer: "drhost:vo", peer_bridge: br0, addresses: [10.71.0.3/24]}}
    routes: [{to: default, via: 10.71.0.1}]
"#);
    // The host's own file says nothing of its containers.
    bench.expect(0, &["doctor", "dr*"]);
    let asks = |text: &str| {
        let file = bench.file("resolv.conf", text);
        bench.exec("drguest", &format!("cp {} /etc/resolv.conf", file.display()));
    };
    let file = bench.file("own.conf", "nameserver 127.0.0.53\n");
    bench.exec("drguest", &format!("mount --bind {} /etc/resolv.conf", file.display()));
    for (text, cause) in [
        ("nameserver 127.0.0.53\n", "nobody in drguest waits at 127.0.0.53 port 53"),
        ("nameserver 10.71.0.3\n", "nobody in drother waits at 10.71.0.3 port 53"),
        ("nameserver 10.70.0.1\nnameserver 127.0.0.53\n", "a rule drops it: ip filter FORWARD"),
    ] {
        asks(text);
        let told = bench.expect(1, &["doctor", "dr*"]).out;
        assert!(told.contains("drguest has no name server that answers"), "{told}");
        assert!(told.contains(cause), "{told}");
        assert_eq!(told.matches("no name server").count(), 1, "{told}");
        // A bundle has the file, too; whichever addresses stand for those in it.
        for (hidden, name) in [(None, "plain"), (Some("--stand-ins"), "hidden")] {
            let saved = bench.file(&format!("{name}.tar.gz"), "").display().to_string();
            let args: Vec<&str> =
                ["collect", "--force", &saved].into_iter().chain(hidden).collect();
            bench.ok(&args);
            let known = if hidden.is_some() { &[][..] } else { &["dr*"] };
            let args = [&["doctor"], known, &["--bundle", &saved]].concat();
            let told = bench.expect(1, &args).out;
            assert!(told.contains("has no name server that answers"), "{told}");
        }
    }
    // One that answers is enough; what its host does not reach is its host's matter.
    for text in ["nameserver 127.0.0.53\nnameserver 10.71.0.1\n", "nameserver 10.70.0.9\n"] {
        asks(text);
        bench.expect(0, &["doctor", "dr*"]);
    }
}

fn well(example: &str) {
    let _alone = alone();
    let bench = Bench::new();
    bench.up_example(example);
    let names: Value = serde_json::from_str(&bench.ok(&["labs", "--json"])).unwrap();
    let lab = names[0]["name"].as_str().unwrap();
    let all: Value = serde_json::from_str(&bench.ok(&["ls", "--json"])).unwrap();
    let inside = |n: &&Value| n["path"].as_str().is_some_and(|p| p.split('/').next() == Some(lab));
    let mut args = vec!["doctor".to_owned()];
    let namespaces = all["namespaces"].as_array().unwrap();
    args.extend(namespaces.iter().filter(inside).map(|n| n["path"].as_str().unwrap().to_owned()));
    assert!(args.len() > 2, "{all}");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    assert_eq!(bench.expect(0, &args).out, "no known fault was found\n");
}

/// Somebody who may not look into the namespaces of others.
fn unread() {
    let _alone = alone();
    let bench = Bench::new();
    bench.up("name: dr-unread\nnamespaces: {drhidden: {}}\n");
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", NESTWORK]);
    command.args(["doctor", "--json"]).env("NESTWORK_STATE", "/nonexistent/state");
    let ran = Ran::from(command.output().unwrap());
    let view: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    assert!(!view["unread"].as_array().unwrap().is_empty(), "{}", ran.out);
    assert!(matches!(ran.status, 1 | 4), "{}", ran.status);
}
