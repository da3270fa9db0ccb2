//! What did Docker change, and what its container? Asked of the seed's lab in three states.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use support::{Bench, example};
use trial::{Needs, test};

fn main() -> std::process::ExitCode {
    trial::main(vec![
        test(
            "what_docker_changed_and_its_container",
            &[Needs::Tap, Needs::Ids, Needs::Tool("ip")],
            three_states,
        ),
        test("no_bundle", &[], no_bundle),
    ])
}

/// The example's file before its container started, without lines that hold these words.
fn earlier(words: &[&str]) -> String {
    let text = std::fs::read_to_string(example("proxmox-docker.yaml")).unwrap();
    let (before, _container) = text.split_once("  # A Docker container").unwrap();
    let kept = before.lines().filter(|l| !words.iter().any(|w| l.contains(w)));
    kept.map(|l| l.replace(", 1: alpine01", "") + "\n").collect()
}

/// What is told of the lab's namespaces, whatever else happened on this machine, by their own names:
/// where others have the same, paths are printed.
fn told(text: &str) -> String {
    let mut ours = false;
    let mut out = String::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        for path in ["proxmox-docker/pve1/docker01/alpine01", "proxmox-docker/pve1/docker01"] {
            line = line.replace(path, path.rsplit('/').next().unwrap());
        }
        if !line.starts_with(' ') {
            ours = ["docker01", "alpine01"].contains(&line.as_str());
        }
        if ours {
            let end = line.find(", pid ").unwrap_or(line.len());
            out.push_str(&line[..end]);
            out.push('\n');
        }
    }
    out
}

/// What did Docker change?
const DOCKER: &str = "\
docker01
  + docker0 appeared (bridge, 172.17.0.1/16, no carrier)
  + route appeared: 172.17.0.0/16 dev docker0 linkdown proto kernel scope link src 172.17.0.1
  + table appeared: ip nat
  + chain appeared in ip nat: PREROUTING (policy ACCEPT)
  + rule appeared in ip nat PREROUTING: -m addrtype --dst-type LOCAL -j DOCKER
  + chain appeared in ip nat: INPUT (policy ACCEPT)
  + chain appeared in ip nat: OUTPUT (policy ACCEPT)
  + rule appeared in ip nat OUTPUT: ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
  + chain appeared in ip nat: POSTROUTING (policy ACCEPT)
  + rule appeared in ip nat POSTROUTING: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
  + chain appeared in ip nat: DOCKER
  + rule appeared in ip nat DOCKER: -i docker0 -j RETURN
  + table appeared: ip filter
  + chain appeared in ip filter: INPUT (policy ACCEPT)
  + chain appeared in ip filter: FORWARD (policy DROP)
  + rule appeared in ip filter FORWARD: -j DOCKER-USER
  + rule appeared in ip filter FORWARD: -j DOCKER-ISOLATION-STAGE-1
  + rule appeared in ip filter FORWARD: -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  + rule appeared in ip filter FORWARD: -o docker0 -j DOCKER
  + rule appeared in ip filter FORWARD: -i docker0 ! -o docker0 -j ACCEPT
  + rule appeared in ip filter FORWARD: -i docker0 -o docker0 -j ACCEPT
  + chain appeared in ip filter: OUTPUT (policy ACCEPT)
  + chain appeared in ip filter: DOCKER
  + chain appeared in ip filter: DOCKER-ISOLATION-STAGE-1
  + rule appeared in ip filter DOCKER-ISOLATION-STAGE-1: -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
  + rule appeared in ip filter DOCKER-ISOLATION-STAGE-1: -j RETURN
  + chain appeared in ip filter: DOCKER-ISOLATION-STAGE-2
  + rule appeared in ip filter DOCKER-ISOLATION-STAGE-2: -o docker0 -j DROP
  + rule appeared in ip filter DOCKER-ISOLATION-STAGE-2: -j RETURN
  + chain appeared in ip filter: DOCKER-USER
  + rule appeared in ip filter DOCKER-USER: -j RETURN
  ~ net.ipv4.ip_forward is 1, was 0
";

/// And what its container?
const CONTAINER: &str = "\
docker01
  + vethc52438e appeared (veth, port of docker0); peer alpine01:eth0
  ~ docker0 got its carrier
  + nsid appeared: 1 = alpine01
alpine01
  + appeared (unprivileged, inside docker01
  + eth0 appeared (veth, 172.17.0.2/16); peer docker01:vethc52438e
  + route appeared: default via 172.17.0.1 dev eth0
  + route appeared: 172.17.0.0/16 dev eth0 proto kernel scope link src 172.17.0.2
  + nsid appeared: 0 = docker01
";

fn three_states() {
    let bench = Bench::new();
    let docker = ["vethc52438e:"];
    let nothing = ["vethc52438e:", "docker: {networks", "docker0:"];
    let whole = std::fs::read_to_string(example("proxmox-docker.yaml")).unwrap();
    let states = [earlier(&nothing), earlier(&docker), whole];
    let file = |n| bench.state().with_file_name(format!("{n}.tar.gz")).display().to_string();
    let files = [1, 2, 3].map(file);
    for (n, (state, file)) in states.iter().zip(&files).enumerate() {
        bench.up(state);
        // A bridge takes a moment to notice that its port has carrier.
        let carrier = || bench.exec("pve1/docker01", "ip link show docker0").contains("LOWER_UP");
        while n == 2 && !carrier() {}
        bench.ok(&["collect", "--no-api", file]);
    }
    let diff = |files: &[&String], status: &[i32]| {
        let mut args = vec!["diff", "--no-api", "--width", "130"];
        args.extend(files.iter().map(|f| f.as_str()));
        let ran = bench.run(&args);
        assert!(status.contains(&ran.status), "{}{}", ran.out, ran.err);
        ran.out
    };
    assert_eq!(told(&diff(&[&files[0], &files[1]], &[1])), DOCKER);
    assert_eq!(told(&diff(&[&files[1], &files[2]], &[1])), CONTAINER);
    assert!(diff(&[&files[1], &files[1]], &[0]).starts_with("no difference"));
    // Now is as the last one was, but for what others do on this machine.
    assert_eq!(told(&diff(&[&files[2]], &[0, 1])), "");
}

fn no_bundle() {
    let bench = Bench::new();
    let err = bench.expect(2, &["diff", "/nowhere/a.tar.gz"]).err;
    assert!(err.starts_with("error: cannot read the bundle /nowhere/a.tar.gz\ncause: "), "{err}");
}
