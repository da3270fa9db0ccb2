//! The seed's own commands, in the lab, print the seed's own files.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use support::{Bench, fixture};
use trial::Needs;

/// What a comparison leaves out, and why.
#[derive(Clone, Copy, PartialEq, Eq)]
enum But {
    /// Nothing but trailing blanks.
    Nothing,
    /// Rows with `vlan 1`: this kernel may be built without bridge VLAN filtering.
    VlanRows,
    /// `state …`: Debian's busybox is built without it.
    BusyboxState,
}

/// Compares a command's output with a file of the seed.
#[track_caller]
fn check(bench: &Bench, ns: &str, command: &str, file: &str, but: But) {
    let got = bench.exec(ns, command);
    let wanted = fixture(&format!("seed/{ns}/{file}.txt"));
    assert_eq!(lines(&got, but), lines(&wanted, but), "{ns}: {command}");
}

fn lines(text: &str, but: But) -> String {
    text.lines()
        .filter(|line| but != But::VlanRows || !line.contains(" vlan 1 "))
        .map(|line| if but == But::BusyboxState { without_state(line) } else { line.to_owned() })
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

fn without_state(line: &str) -> String {
    match line.split_once(" state ") {
        Some((before, after)) => {
            let rest = after.split_once(' ').map_or("", |(_, rest)| rest);
            format!("{before} {rest}")
        }
        None => line.to_owned(),
    }
}

/// The columns of `lsns` that do not differ from run to run. Nor does which rows there are, but
/// their order does: it is that of inode numbers, which the kernel gives again when they are free.
fn lsns(text: &str) -> Vec<[String; 4]> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
    let place = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let mut rows: Vec<_> = lines
        .map(|line| {
            let mut words: Vec<&str> = line.split_whitespace().collect();
            // NSFS is the one column that may be empty.
            if !words[place("NSFS")].starts_with("/run/") {
                words.insert(place("NSFS"), "");
            }
            ["TYPE", "USER", "NETNSID", "NSFS"].map(|name| words[place(name)].to_owned())
        })
        .collect();
    rows.sort();
    rows
}

#[track_caller]
fn check_lsns(bench: &Bench, ns: &str) {
    let got = bench.exec(ns, "lsns -t net");
    assert_eq!(lsns(&got), lsns(&fixture(&format!("seed/{ns}/lsns-t-net.txt"))), "{ns}\n{got}");
}

fn main() -> std::process::ExitCode {
    trial::main(vec![trial::test(
        "the_seed_commands_print_the_seed",
        &[
            Needs::Tap,
            Needs::Ids,
            Needs::Tool("ip"),
            Needs::Tool("iptables"),
            Needs::Tool("lsns"),
            Needs::Tool("busybox"),
            Needs::Tool("ps"),
        ],
        the_seed_commands_print_the_seed,
    )])
}

fn the_seed_commands_print_the_seed() {
    let bench = Bench::new();
    bench.up_example("proxmox-docker.yaml");
    bench.ok(&["trace", "alpine01", "203.0.113.10", "--live"]);

    check(&bench, "pve1", "ip link", "ip-link", But::Nothing);
    check(&bench, "pve1", "ip -br -4 addr", "ip-br-4-addr", But::Nothing);
    check(&bench, "pve1", "ip route", "ip-route", But::Nothing);
    check(&bench, "pve1", "ip netns list-id", "ip-netns-list-id", But::Nothing);
    let neighbour = "ip neighbor show 192.168.10.1";
    check(&bench, "pve1", neighbour, "ip-neighbor-show-192.168.10.1", But::Nothing);
    let show = "bridge fdb show br fwbr111i0";
    check(&bench, "pve1", show, "bridge-fdb-show-br-fwbr111i0", But::VlanRows);
    let get = "bridge fdb get to 94:83:c4:3a:8f:1a br fwbr111i0";
    let file = "bridge-fdb-get-to-94.83.c4.3a.8f.1a-br-fwbr111i0";
    check(&bench, "pve1", get, file, But::Nothing);

    check(&bench, "docker01", "ip link", "ip-link", But::Nothing);
    check(&bench, "docker01", "ip -br -4 addr", "ip-br-4-addr", But::Nothing);
    check(&bench, "docker01", "ip route", "ip-route", But::Nothing);
    check(&bench, "docker01", "ip netns list-id", "ip-netns-list-id", But::Nothing);
    let forward = "cat /proc/sys/net/ipv4/ip_forward";
    check(&bench, "docker01", forward, "cat-proc-sys-net-ipv4-ip_forward", But::Nothing);
    check(&bench, "docker01", "iptables -t nat -L -n", "iptables-t-nat-L-n", But::Nothing);

    check(&bench, "alpine01", "ip link", "ip-link.iproute2", But::Nothing);
    check(&bench, "alpine01", "ip netns list-id", "ip-netns-list-id", But::Nothing);
    check(&bench, "alpine01", "busybox ip link", "busybox-ip-link", But::BusyboxState);
    check(&bench, "alpine01", "busybox ip link", "ip-link.default-busybox", But::BusyboxState);
    let addr = "busybox ip -4 addr";
    check(&bench, "alpine01", addr, "ip-4-addr.default-busybox", But::BusyboxState);
    check(&bench, "alpine01", "busybox ip route", "ip-route", But::Nothing);

    for ns in ["pve1", "docker01", "alpine01"] {
        check_lsns(&bench, ns);
    }
    check_entering_by_pid(&bench);
}

/// pve1 enters alpine01 by its PID there, as the seed does.
fn check_entering_by_pid(bench: &Bench) {
    let processes = bench.exec("pve1", "ps -eo pid,args");
    let pid = processes
        .lines()
        .find(|line| line.contains("nestwork-init alpine01"))
        .and_then(|line| line.split_whitespace().next())
        .expect("pve1 sees alpine01's first process");
    let got = bench.exec("pve1", &format!("nsenter -t {pid} -n ip -4 addr"));
    let wanted = fixture("seed/pve1/nsenter-t-1461368-n-ip-4-addr.txt");
    assert_eq!(lines(&got, But::Nothing), lines(&wanted, But::Nothing));
}
