//! The executor on the real kernel.

use std::path::Path;

use kernel::apply::Builder;
use kernel::state::State;
use kernel::{Join, Program, exec};
use model::*;

#[test]
fn nested() {
    let root = std::env::temp_dir().join(format!("nw-test-{}", std::process::id()));
    let state = State::at(root.clone());
    let program = Program::open(Path::new(env!("CARGO_BIN_EXE_nestwork"))).unwrap();
    let lock = state.lock().unwrap();
    let lab = lock.begin("t", Path::new("x"), "x").unwrap();
    let mut b = Builder::new(&program, lab, None).unwrap();
    let ns = |name: &str, inside: Option<&str>, user| {
        Change::Make(Fact::Namespace(NamespaceSpec {
            name: name.into(),
            inside: inside.map(Into::into),
            user,
        }))
    };
    let t = std::time::Instant::now();
    for c in [
        ns("lan", None, None),
        ns("pve1", None, None),
        ns("docker01", Some("pve1"), Some(IdMap { first: 100000, count: 65536 })),
        ns("alpine01", Some("docker01"), None),
        Change::Make(Fact::Nsid { ns: "pve1".into(), nsid: 0, target: "docker01".into() }),
        Change::Make(Fact::Cable(CableSpec {
            a: NicSpec {
                link: LinkRef::new("pve1", "enp1s0"),
                pins: Pins {
                    index: Some(2),
                    mac: Some("b0:41:6f:0b:a4:47".parse().unwrap()),
                    ..Pins::default()
                },
            },
            b: Some(NicSpec { link: LinkRef::new("lan", "eth0"), pins: Pins::default() }),
        })),
        Change::Make(Fact::Up { link: LinkRef::new("pve1", "enp1s0"), up: true }),
        Change::Make(Fact::Up { link: LinkRef::new("lan", "eth0"), up: true }),
        Change::Make(Fact::NsFile {
            ns: "docker01".into(),
            path: "/run/docker/netns/cab".into(),
            target: "alpine01".into(),
        }),
        Change::Make(Fact::Sysctl {
            ns: "docker01".into(),
            key: "net/ipv4/ip_forward".into(),
            value: "1".into(),
        }),
        Change::Make(Fact::Service {
            ns: "lan".into(),
            spec: ServiceSpec { tcp: vec![80], udp_echo: vec![7] },
        }),
    ] {
        b.apply(&c).unwrap_or_else(|e| panic!("{c:?}: {e}"));
    }
    b.settle().unwrap();
    println!("{:?}", t.elapsed());
    let lab = b.lab().clone();
    for (n, cmds) in [
        ("pve1", vec!["lsns -t net", "ip link", "ps ax"]),
        ("docker01", vec!["lsns -t net", "cat /proc/sys/net/ipv4/ip_forward", "ip link"]),
        ("alpine01", vec!["lsns -t net", "hostname"]),
        ("lan", vec!["ss -ltun", "ps ax"]),
    ] {
        for c in cmds {
            println!("--- {n}: {c}");
            let out = std::process::Command::new("nsenter")
                .args([
                    "-t",
                    &lab.container(n).unwrap().unwrap().pid.to_string(),
                    "-a",
                    "sh",
                    "-c",
                    c,
                ])
                .output()
                .unwrap();
            println!(
                "{}{}",
                String::from_utf8_lossy(&out.stdout),
                String::from_utf8_lossy(&out.stderr)
            );
        }
    }
    let _ = (exec, Join::Container);
    for (n, _) in lab.containers() {
        if let Some(p) = lab.container(n).unwrap() {
            p.kill().unwrap();
        }
    }
    lock.forget(&lab).unwrap();
}
