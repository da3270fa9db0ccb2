//! The lab broken in eleven ways: `trace` names the very place and reason, and the real packet
//! agrees.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use support::Bench;
use trial::{Needs, Test, test};

const NEEDS: &[Needs] = &[Needs::Tap, Needs::Ids, Needs::Tool("iptables"), Needs::Tool("nft")];
const OUT: &[&str] = &["alpine01", "203.0.113.10"];

fn main() -> std::process::ExitCode {
    trial::main(vec![
        broken(
            "ip_forward_0",
            &["docker01 sysctl -qw net.ipv4.ip_forward=0"],
            OUT,
            [
                "docker01, on docker0",
                "203.0.113.10 is not an address of this namespace, and it does not forward (ip_forward 0)",
                "nestwork exec docker01 sysctl -w net.ipv4.ip_forward=1",
            ],
        ),
        broken(
            "forward_policy_drop_with_no_accept",
            &["docker01 iptables -F FORWARD"],
            OUT,
            [
                "docker01",
                "no rule of ip filter FORWARD accepts it, and the policy is drop",
                "nestwork exec docker01 iptables -I FORWARD -s 172.17.0.2 -d 203.0.113.10 -j ACCEPT",
            ],
        ),
        broken(
            "masquerade_removed",
            &["docker01 iptables -t nat -F POSTROUTING"],
            OUT,
            [
                "pve1, on enp1s0",
                "it leaves with the source 172.17.0.2, which nobody beyond enp1s0 can answer: no translation and no route back",
                "nestwork exec docker01 iptables -t nat -A POSTROUTING -s 172.17.0.2 -o eth0 -j MASQUERADE",
            ],
        ),
        broken(
            "port_down",
            &["pve1 ip link set fwln111i0 down"],
            OUT,
            [
                "pve1, on fwln111i0",
                "fwln111i0 is down",
                "nestwork exec pve1 ip link set fwln111i0 up",
            ],
        ),
        broken(
            "port_not_in_its_bridge",
            &["pve1 ip link set fwpr111p0 nomaster"],
            OUT,
            [
                "pve1, on fwpr111p0",
                "the question who has 192.168.10.1 ends at fwpr111p0, which has no address and is no port of a bridge",
                "nestwork exec pve1 ip link set fwpr111p0 master vmbr0",
            ],
        ),
        broken(
            "wrong_gateway",
            &["alpine01 ip route replace default via 172.17.0.9"],
            OUT,
            [
                "alpine01, on eth0",
                "nobody on eth0 answers for 172.17.0.9",
                "nestwork exec alpine01 ip route replace default via 172.17.0.1 dev eth0",
            ],
        ),
        broken(
            "mtu_1400_on_one_veth",
            &["pve1 ip link set veth111i0 mtu 1400"],
            &["alpine01", "203.0.113.10", "--size", "1450", "--df"],
            [
                "pve1, on veth111i0",
                "1450 bytes are too many for an MTU of 1400 and must not be broken up; the sender is not told",
                "nestwork exec pve1 ip link set veth111i0 mtu 1450",
            ],
        ),
        broken(
            "docker0_down",
            &["docker01 ip link set docker0 down"],
            OUT,
            [
                "docker01, on docker0",
                "docker0 is down",
                "nestwork exec docker01 ip link set docker0 up",
            ],
        ),
        test("rp_filter_strict_with_an_asymmetric_route", &[], asymmetric_route),
        test("duplicate_address", NEEDS, duplicate_address),
        test("a_drop_made_after_the_snapshot", NEEDS, a_drop_made_after_the_snapshot),
        test("the_kernel_says_why", &[Needs::Drops, Needs::Tool("nft")], the_kernel_says_why),
    ])
}

/// The last three lines of a lost packet's trace: where, why, and what to do. An empty one is not
/// compared.
fn broken(
    name: &'static str,
    how: &'static [&'static str],
    trace: &'static [&'static str],
    told: [&'static str; 3],
) -> Test {
    test(name, NEEDS, move || {
        let bench = Bench::new();
        bench.up_example("proxmox-docker.yaml");
        for command in how {
            let (ns, command) = command.split_once(' ').unwrap();
            bench.exec(ns, command);
        }
        let mut args = vec!["trace", "--width", "400"];
        args.extend(trace);
        let out = bench.expect(1, &args).out;
        check(&out, told);
        let fixes: Vec<&str> = out.lines().filter_map(fix_of).collect();
        args.push("--live");
        let out = bench.expect(1, &args).out;
        check(&out, told);
        assert!(out.contains("live: the packet did not arrive, as foretold"), "{out}");
        assert!(!out.contains('✗'), "{out}");
        // What is told to be enough is.
        for command in fixes {
            let words: Vec<&str> = command.strip_prefix("nestwork ").unwrap().split(' ').collect();
            bench.ok(&words);
        }
        bench.ok(&args);
    })
}

/// A command that is told as a fix.
fn fix_of(line: &str) -> Option<&str> {
    line.strip_prefix("to fix   ").or_else(|| line.strip_prefix("and then "))
}

/// Out by eth1, back by eth0: strict reverse-path filtering refuses that.
const TWO_WAYS: &str = r#"
name: two-ways
namespaces:
  far:
    links:
      eth0: {addresses: [10.9.0.9/24]}
    routes: [{to: default, via: 10.9.0.1}]
  router:
    links:
      c0: {kind: veth, peer: "far:eth0", addresses: [10.9.0.1/24]}
      a0: {kind: veth, peer: "web:eth0", addresses: [10.1.0.1/24]}
      b0: {kind: veth, peer: "web:eth1", addresses: [10.2.0.1/24]}
    sysctls: {net.ipv4.ip_forward: 1}
  web:
    links:
      eth0: {addresses: [10.1.0.2/24]}
      eth1: {addresses: [10.2.0.2/24]}
    routes: [{to: 10.9.0.0/24, via: 10.2.0.1, src: 10.1.0.2}]
"#;

fn asymmetric_route() {
    let bench = Bench::new();
    bench.up(TWO_WAYS);
    bench.ok(&["trace", "web", "10.9.0.9", "--live"]);
    bench.exec("web", "sysctl -qw net.ipv4.conf.eth0.rp_filter=1");
    for live in [&[][..], &["--live"]] {
        let args = [&["trace", "--width", "400", "web", "10.9.0.9"], live].concat();
        let out = bench.expect(1, &args).out;
        check(
            &out,
            [
                "web, on eth0",
                "it came in by eth0, but the way back to 10.9.0.9 is by 10.9.0.0/24 via 10.2.0.1 dev eth1 (rp_filter 1)",
                "nestwork exec web sysctl -w net.ipv4.conf.eth0.rp_filter=2",
            ],
        );
        let told = out.contains("live: the packet did not arrive, as foretold");
        assert_eq!(told, !live.is_empty(), "{out}");
    }
}

/// A loss that is foretold, and one that came after the Snapshot: of both the kernel says where and
/// why itself.
fn the_kernel_says_why() {
    let bench = Bench::new();
    bench.up(TWO_WAYS);
    let trace = ["trace", "--width", "400", "far", "10.1.0.2", "--live"];
    assert!(!bench.ok(&trace).contains("kernel:"));
    bench.exec("router", "sysctl -qw net.ipv4.ip_forward=0");
    let out = bench.expect(1, &trace).out;
    let told = "kernel: thrown away on router:c0: IP_INADDRERRORS, in ip_error";
    assert!(out.contains(told), "{out}");
    assert!(out.ends_with("live: the packet did not arrive, as foretold\n"), "{out}");
    let json = bench.expect(1, &[&trace[..], &["--json"]].concat()).out;
    let view: serde_json::Value = serde_json::from_str(&json).unwrap();
    let drop = &view["live"]["drops"][0];
    assert_eq!((&drop["leg"], &drop["link"]), (&"there".into(), &"router:c0".into()), "{json}");
    assert_eq!(drop["reason"], "IP_INADDRERRORS", "{json}");
}

#[track_caller]
fn check(out: &str, told: [&str; 3]) {
    for (label, told) in ["lost at", "because", "to fix"].into_iter().zip(told) {
        let line = out.lines().find_map(|l| l.strip_prefix(label)).map(str::trim);
        assert!(line.is_some_and(|l| told.is_empty() || l == told), "{label} {told}\n{out}");
    }
}

/// A second container with the first one's address: what the Docker host last heard leads to the
/// wrong one.
fn duplicate_address() {
    let bench = Bench::new();
    let text = std::fs::read_to_string(support::example("proxmox-docker.yaml")).unwrap();
    let text = text + "\n  alpine02:\n    inside: docker01\n    docker: {network: bridge}\n";
    bench.up(&text.replace(", 1: alpine01}", ", 1: alpine01, 2: alpine02}"));
    bench.exec("alpine02", "ip addr add 172.17.0.2/16 dev eth0");
    bench.exec("docker01", "ip neigh flush dev docker0");
    let out = bench.expect(0, &["trace", "--width", "400", "docker01", "172.17.0.2"]).out;
    assert!(out.contains("who has 172.17.0.2? 2 answer: "), "{out}");
    assert!(out.contains("alpine01:eth0") && out.contains("alpine02:eth0"), "{out}");
    // Who answers first is chance; that the packet meets the wrong one is then a matter of one
    // entry.
    let mac = bench.exec("alpine02", "cat /sys/class/net/eth0/address");
    let entry =
        format!("ip neigh replace 172.17.0.2 lladdr {} nud permanent dev docker0", mac.trim());
    bench.exec("docker01", &entry);
    let out =
        bench.expect(1, &["trace", "--width", "400", "alpine01", "203.0.113.10", "--live"]).out;
    assert!(out.contains("live: the packet did not arrive, as foretold"), "{out}");
    assert!(out.contains("lost at  alpine02"), "{out}");
}

/// What came after the Snapshot cannot be foretold: only the packet tells.
fn a_drop_made_after_the_snapshot() {
    let bench = Bench::new();
    bench.up_example("proxmox-docker.yaml");
    // Neighbours are known: what is dropped is the packet itself, not the question for the way.
    bench.ok(&["trace", "alpine01", "203.0.113.10", "--live"]);
    // The program has taken its Snapshot when it asks whether to send.
    let mut command =
        bench.command(&["trace", "--width", "400", "alpine01", "203.0.113.10", "--live", "--ask"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut asked = BufReader::new(child.stderr.take().unwrap()).lines();
    asked.find(|l| l.as_ref().unwrap().contains("press Enter")).expect("it asks").unwrap();
    for part in [
        "add table netdev late",
        "add chain netdev late c0 { type filter hook ingress device veth111i0 priority 0 ; policy drop ; }",
    ] {
        bench.exec("pve1", &format!("nft {part}"));
    }
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let ran = support::Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    let lost = lines.iter().position(|l| l.contains('✗')).expect("a place where it did not come");
    // A tap on veth111i0 still sees it: the drop comes behind the tap.
    assert!(lines[lost].contains("fwln111i0"), "{}", ran.out);
    assert!(
        lines[..lost].iter().any(|l| l.contains("✓ in") && l.contains("veth111i0")),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("disagree"), "{}", ran.out);
    // Where the kernel may be asked, it says so itself.
    let told = "kernel: thrown away on pve1:veth111i0: NETFILTER_DROP, in nft_do_chain";
    assert!(ran.out.contains(told) || ran.out.contains("kernel was not asked"), "{}", ran.out);
}
