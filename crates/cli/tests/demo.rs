//! The demo, and what the reading commands say of the seed.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use support::Bench;
use trial::{Needs, test};

const SEED: &[Needs] = &[Needs::Tap, Needs::Ids];

fn main() -> std::process::ExitCode {
    trial::main(vec![
        test("demo_shows_all_and_leaves_nothing", &[], demo),
        test("two_demos_at_once", &[], two_demos_at_once),
        test("a_demo_that_is_killed_is_swept", &[], a_demo_that_is_killed),
        test("the_eleven_steps_in_their_order", SEED, the_eleven_steps),
        test("udp_and_tcp_probes", &[], udp_and_tcp_probes),
        test("asked_in_full", &[], asked_in_full),
        test("ls_as_seen_from_inside", SEED, ls_as_seen_from_inside),
        test("show_names_every_peer", SEED, show_names_every_peer),
        test("json_has_its_schemas", &[], json_has_its_schemas),
        test("what_takes_rights_says_which", &[], what_takes_rights_says_which),
    ])
}

fn demo() {
    let bench = Bench::new();
    let out = bench.ok(&["demo"]);
    assert!(out.contains("L2 switch with the host's own address"), "{out}");
    assert!(out.contains("L2 only"), "{out}");
    assert!(out.contains("L3: routes and translates 172.17.0.0/16"), "{out}");
    assert!(out.contains("the way back") && !out.contains('✗'), "{out}");
    assert!(out.matches('✓').count() >= 15, "{out}");
    assert!(out.contains("live: the packet arrived, as foretold"), "{out}");
    assert!(
        out.lines().all(|l| l.chars().count() <= 80 || l.starts_with("as an ordinary")),
        "{out}"
    );
    assert!(!bench.state().exists(), "nothing is remembered");
}

fn two_demos_at_once() {
    let bench = Bench::new();
    let spawn = || bench.command(&["demo"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let (mut a, mut b) = (spawn(), spawn());
    assert!(a.wait().unwrap().success() && b.wait().unwrap().success());
    assert!(!bench.state().exists(), "nothing is remembered");
}

/// Its containers end with it, and the next command forgets it.
fn a_demo_that_is_killed() {
    let bench = Bench::new();
    let mut demo = bench.command(&["demo"]);
    let mut demo = demo.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let words = std::io::BufReader::new(demo.stdout.take().unwrap());
    let mut words = std::io::BufRead::lines(words).map_while(Result::ok);
    assert!(words.any(|line| line.starts_with("built with")), "it was built");
    let pids = bench.pids();
    demo.kill().unwrap();
    demo.wait().unwrap();
    assert_eq!(bench.ok(&["labs"]).lines().count(), 1, "no lab is up");
    assert!(!bench.state().exists(), "nothing is remembered");
    assert_eq!(support::alive(&pids), [0; 0]);
}

/// Each text stands in a line below that of the one before it.
#[track_caller]
fn in_order(out: &str, texts: &[&str]) {
    let mut lines = out.lines();
    for text in texts {
        assert!(lines.any(|l| l.contains(text)), "{text} (in its order)\n{out}");
    }
}

fn the_eleven_steps() {
    let bench = Bench::new();
    bench.up_example("proxmox-docker.yaml");
    let out = bench.ok(&["trace", "--width", "200", "alpine01", "203.0.113.10"]);
    in_order(
        &out,
        &[
            "route    203.0.113.10 → default via 172.17.0.1 dev eth0", // 1
            "out      eth0  172.17.0.2 → 203.0.113.10",                // 2
            "in       vethc52438e, port of docker0",                   // 3
            "docker0: 02:42:35:df:6b:af is its own address",           // 4
            "route    203.0.113.10 → default via 192.168.10.1 dev eth0", // 5
            "forward  docker0 → eth0 (ip_forward 1)",                  // 6
            "nat      source 172.17.0.2 ↦ 192.168.10.103  ip nat POSTROUTING: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", // 7
            "out      eth0  192.168.10.103 → 203.0.113.10",
            "in       veth111i0, port of fwbr111i0", // 8
            "fwbr111i0: 94:83:c4:3a:8f:1a is behind fwln111i0", // 9
            "in       fwpr111p0, port of vmbr0",     // 10
            "vmbr0: 94:83:c4:3a:8f:1a is behind enp1s0", // 11
            "left     out of this host by enp1s0",
            "the way back",
            "enter    from outside by enp1s0",
            "in       fwln111i0, port of fwbr111i0",
            "nat      destination 192.168.10.103 ↦ 172.17.0.2",
            "deliver  172.17.0.2 is here",
            "delivered to alpine01",
        ],
    );
}

/// Two namespaces and a wire.
const PAIR: &str = r#"
name: pair
namespaces:
  lefty:
    links:
      eth0: {kind: veth, peer: "righty:eth0", addresses: [10.0.0.1/24]}
  righty:
    links:
      eth0: {addresses: [10.0.0.2/24]}
    services: {tcp: [80], udp_echo: [7]}
"#;

fn udp_and_tcp_probes() {
    let bench = Bench::new();
    bench.up(PAIR);
    bench.ok(&["trace", "lefty", "10.0.0.2:80", "--live"]);
    bench.ok(&["trace", "lefty", "righty:80", "--live"]);
    bench.ok(&["trace", "lefty", "righty:7", "--proto", "udp", "--live"]);
    // A closed port answers too, with a reset.
    bench.ok(&["trace", "lefty", "righty:81", "--live"]);
    let sockets = bench.exec("righty", "cat /proc/net/tcp /proc/net/tcp6");
    let half_open = sockets.lines().filter(|l| l.split_whitespace().nth(3) == Some("03"));
    assert_eq!(half_open.count(), 0, "{sockets}");
    assert_eq!(bench.expect(2, &["trace", "lefty", "righty", "--proto", "tcp"]).out, "");
}

/// Two wires, the second of which only a mark, a bound socket or a type of service leads to.
const TWO_WIRES: &str = r#"
name: two-wires
namespaces:
  lefty:
    links:
      eth0: {kind: veth, peer: "righty:eth0", addresses: [10.0.0.1/24]}
      eth1: {kind: veth, peer: "righty:eth1", addresses: [10.0.1.1/24]}
    routes:
      - {to: 10.9.0.1/32, via: 10.0.0.2}
      - {to: 10.9.0.1/32, via: 10.0.1.2, table: 7}
      - {to: 10.9.0.1/32, via: 10.0.1.2, metric: 9}
    rules:
      - {pref: 10, fwmark: 3, table: 7}
      - {pref: 11, tos: 16, table: 7}
  righty:
    links:
      eth0: {addresses: [10.0.0.2/24]}
      eth1: {addresses: [10.0.1.2/24]}
      lo: {addresses: [10.9.0.1/32]}
    services: {tcp: [80], udp_echo: [7]}
"#;

/// What is asked of a packet is foretold and done alike.
fn asked_in_full() {
    let bench = Bench::new();
    bench.up(TWO_WIRES);
    let first = |options: &str| {
        let args: Vec<&str> = "trace lefty 10.9.0.1".split(' ').chain(options.split(' ')).collect();
        let args = [&args[..], &["--live", "--json"]].concat();
        let ran = bench.run(&args);
        let view: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(view["live"]["agrees"], true, "{options}\n{}{}", ran.out, ran.err);
        let steps = view["there"]["hops"][0]["steps"].as_array().unwrap().clone();
        let out = steps.iter().find(|step| step["action"] == "out").unwrap().clone();
        let p = &out["seen"];
        assert!(!p.is_null(), "{options}\n{}", ran.out);
        format!("{} {} status {}", out["link"].as_str().unwrap(), p, ran.status)
    };
    let by = |options: &str, link: &str| {
        let said = first(options);
        assert!(said.starts_with(&format!("lefty:{link} ")), "{options}: {said}");
        assert!(said.ends_with("status 0"), "{options}: {said}");
    };
    by("--ttl 64", "eth0");
    by("--mark 0x3", "eth1");
    by("--tos 0x10", "eth1");
    by("--interface eth1", "eth1");
    by("--interface lefty:eth1 --df --size 200 --ttl 9", "eth1");
    by("--no-df --size 3000 --mark 3", "eth1");
    let ask = |options: &str| {
        let args: Vec<&str> = "trace lefty 10.9.0.1".split(' ').chain(options.split(' ')).collect();
        bench.expect(2, &args).err
    };
    let error = ask("--interface eth7");
    assert!(error.contains("lefty has no link eth7") && error.contains("eth0, eth1"), "{error}");
    let error = ask("--tos 1");
    assert!(error.contains("congestion"), "{error}");
    let error = ask("--mark x");
    assert!(error.contains("as 5 or 0x5"), "{error}");
    let error = ask("--df --no-df");
    assert!(error.contains("cannot be used with"), "{error}");
    let from_outside = ["trace", "outside", "10.9.0.1", "--mark", "3"];
    assert!(bench.expect(2, &from_outside).err.contains("goes over no wire"));
}

fn ls_as_seen_from_inside() {
    let bench = Bench::new();
    bench.up_example("proxmox-docker.yaml");
    let rows = |ns: &str| -> Vec<String> {
        let out = bench.ok(&["ls", "--as", ns, "--width", "200"]);
        // A machine may hide some of its processes; that is told, and no row.
        out.lines().skip(1).filter(|l| !l.starts_with("warning: ")).map(str::to_owned).collect()
    };
    let alpine = rows("alpine01");
    assert!(alpine[0].starts_with("alpine01 "), "{alpine:?}");
    assert_eq!(alpine.iter().filter(|l| !l.starts_with("nsid ")).count(), 1, "{alpine:?}");
    let docker = rows("docker01");
    assert_eq!(docker.iter().filter(|l| !l.starts_with("nsid ")).count(), 2, "{docker:?}");
    assert!(docker.contains(&"nsid 0: pve1, no process visible".to_owned()), "{docker:?}");
}

fn show_names_every_peer() {
    let bench = Bench::new();
    bench.up_example("proxmox-docker.yaml");
    let out = bench.ok(&["show", "alpine01", "--width", "120"]);
    assert!(out.contains("eth0 ⇄ docker01:vethc52438e, a port of docker0"), "{out}");
    let out = bench.ok(&["show", "docker01", "--width", "120"]);
    assert!(out.contains("-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"), "{out}");
    let out = bench.ok(&["show", "pve1:fwpr111p0"]);
    assert!(out.contains("fwpr111p0 ⇄ pve1:fwln111i0"), "{out}");
}

fn json_has_its_schemas() {
    let bench = Bench::new();
    let file = bench.up(PAIR);
    let file = file.to_str().unwrap();
    let commands: [&[&str]; 6] = [
        &["map"],
        &["ls"],
        &["show", "lefty"],
        &["trace", "lefty", "righty"],
        &["plan", file],
        &["labs"],
    ];
    for command in commands {
        let out = bench.ok(&[command, &["--json"]].concat());
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        let schema = bench.ok(&["schema", command[0]]);
        let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
        assert!(schema["$schema"].is_string(), "{command:?}");
        if let Some(required) = schema["required"].as_array() {
            for key in required {
                assert!(!value[key.as_str().unwrap()].is_null(), "{command:?} lacks {key}");
            }
        }
    }
    bench.expect(2, &["schema", "exec"]);
}

/// A process without capabilities is told which it lacks, and nothing else happens.
fn what_takes_rights_says_which() {
    let bench = Bench::new();
    let file = bench.up(PAIR);
    let program = env!("CARGO_BIN_EXE_nestwork");
    let bare = |args: &[&str]| {
        let mut command = std::process::Command::new("setpriv");
        command.args([
            "--bounding-set=-all",
            "--inh-caps=-all",
            "--ambient-caps=-all",
            "--no-new-privs",
        ]);
        command.arg(program).args(args).env("NESTWORK_STATE", bench.state());
        support::Ran::from(command.output().unwrap())
    };
    for args in [
        &["trace", "lefty", "righty", "--live"][..],
        &["up", file.to_str().unwrap()],
        &["down", "pair"],
    ] {
        let ran = bare(args);
        assert_eq!(ran.status, 3, "{args:?} {}{}", ran.out, ran.err);
        assert!(
            ran.err.contains("CAP_SYS_ADMIN") && ran.err.contains("CAP_NET_ADMIN"),
            "{}",
            ran.err
        );
    }
}
