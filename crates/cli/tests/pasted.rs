//! What the printed script collects with the host's own tools tells the same as the live kernel.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test program of its own")]

mod support;

use serde_json::Value;
use support::Bench;
use trial::Needs;

const NEEDS: &[Needs] = &[
    Needs::Tap,
    Needs::Ids,
    Needs::Tool("ip"),
    Needs::Tool("bridge"),
    Needs::Tool("nft"),
    Needs::Tool("iptables-nft-save"),
    Needs::Tool("nsenter"),
    Needs::Tool("lsns"),
    Needs::Tool("tc"),
    Needs::Tool("busybox"),
];

fn main() -> std::process::ExitCode {
    trial::main(vec![
        trial::test("collected_by_dash", NEEDS, || collected("sh", true)),
        trial::test("collected_by_busybox", NEEDS, || collected("busybox sh", false)),
        trial::test("the_author_s_own_outputs", &[], the_author_s_own_outputs),
    ])
}

/// `whole`: with iproute2. busybox's own `ip`, which its shell prefers, tells less.
fn collected(shell: &str, whole: bool) {
    let bench = Bench::new();
    bench.up_example("proxmox-docker.yaml");
    bench.ok(&["trace", path("alpine01"), "203.0.113.10", "--live"]);
    let script = bench.file("collect.sh", &bench.ok(&["collect", "--script"]));
    let folder = script.with_file_name("out");
    let before = tables(&bench);
    bench.exec(path("docker01"), "sysctl -qw net.ipv4.icmp_ratelimit=2500");
    bench.exec(path("pve1"), &format!("{shell} {} {}", script.display(), folder.display()));
    assert_eq!(tables(&bench), before, "collecting changes nothing");
    all_settings(&bench, &folder);

    let folder = folder.to_str().unwrap();
    let names = ["pve1", "docker01", "alpine01"];
    for ns in names.into_iter().filter(|_| whole) {
        let live = json(&bench.ok(&["show", path(ns), "--json"]));
        let pasted = json(&bench.ok(&["show", ns, "--json", "--bundle", folder]));
        assert_eq!(facts(&pasted), facts(&live), "{ns}");
        // Of its processes, lsns tells how many there are.
        let gaps = pasted["gaps"].as_array().unwrap().iter().map(|gap| &gap["part"]);
        assert_eq!(gaps.filter(|part| *part != "processes").count(), 0, "{ns}");
    }
    let wires = |map: Value| {
        let ends = |w: &Value| (w["ends"][0].to_string(), w["ends"][1].to_string());
        let mut wires: Vec<_> = map["wires"].as_array().unwrap().iter().map(ends).collect();
        wires.sort();
        wires
    };
    let live = wires(json(&bench.ok(&["map", path("pve1"), "--json"])));
    let pasted = wires(json(&bench.ok(&["map", "pve1", "--json", "--bundle", folder])));
    assert!(live.len() == 3 && live == pasted, "{live:?} {pasted:?}");
    for (from, to) in [("alpine01", "203.0.113.10"), ("pve1", "docker01"), ("docker01", "alpine01")]
    {
        let live = bench.ok(&["trace", path(from), path(to), "--json"]);
        let pasted = bench.run(&["trace", from, to, "--json", "--bundle", folder]);
        // Which links are cards, busybox does not show.
        assert!(pasted.status == 0 || (pasted.status == 4 && !whole), "{pasted:?}");
        assert_eq!(steps(&json(&pasted.out)), steps(&json(&live)), "{from} to {to}");
    }
    let dying = |from: &str, bundle: &[&str]| {
        let args = [&["trace", from, "203.0.113.10", "--ttl", "1", "--json"], bundle].concat();
        bench.run(&args).out
    };
    for told in [dying(path("alpine01"), &[]), dying("alpine01", &["--bundle", folder])] {
        assert!(told.contains("\"one_in_ms\": 2500"), "{told}");
    }
}

/// Whatever the live reader reads, and this kernel has, the script collects of each namespace.
fn all_settings(bench: &Bench, folder: &std::path::Path) {
    let files = bench.exec(path("pve1"), "find /proc/sys/net -type f");
    let mut collected = 0;
    for namespace in std::fs::read_dir(folder).unwrap() {
        let Ok(text) = std::fs::read_to_string(namespace.unwrap().path().join("sysctl.txt")) else {
            continue;
        };
        collected += 1;
        for setting in wire::gathered::SETTINGS {
            let file = format!("/proc/sys/net/{setting}");
            let there = files.lines().any(|line| line == file);
            assert_eq!(text.contains(&format!("{file}:")), there, "{file}");
        }
    }
    assert!(collected >= 3, "{collected} namespaces");
}

/// What a container of the lab is called where others run labs with such names, too.
fn path(name: &str) -> &str {
    match name {
        "pve1" => "proxmox-docker/pve1",
        "docker01" => "proxmox-docker/pve1/docker01",
        "alpine01" => "proxmox-docker/pve1/docker01/alpine01",
        other => other,
    }
}

/// What could change by being looked at.
fn tables(bench: &Bench) -> Vec<String> {
    let of = |ns| {
        ["nft list ruleset", "ip netns list-id", "ip -d link"].map(|c| bench.exec(path(ns), c))
    };
    ["pve1", "docker01", "alpine01"].into_iter().flat_map(of).map(without_times).collect()
}

/// Timers of bridges run on.
fn without_times(text: String) -> String {
    let moving = |w: &&str| !w.contains('.') || w.contains('/');
    text.lines()
        .map(|l| l.split_whitespace().filter(moving).collect::<Vec<_>>().join(" ") + "\n")
        .collect()
}

/// Names are paths only where they have to be.
fn json(text: &str) -> Value {
    let text =
        text.replace("proxmox-docker/pve1/docker01/", "").replace("proxmox-docker/pve1/", "");
    serde_json::from_str(&text.replace("proxmox-docker/", "")).unwrap()
}

/// The parts of `show` that tools show too, in an order of our own, and without what moves on.
fn facts(show: &Value) -> Vec<(String, Vec<String>)> {
    let parts = ["links", "addresses", "routes", "rules", "neighbours", "fdb", "tables"];
    let one = |part: &str| {
        let mut all: Vec<String> = show[part]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|v| !v["ip"].as_str().is_some_and(is_group))
            // Links' own addresses of IPv6 become valid by and by.
            .filter(|v| !v["dst"].as_str().is_some_and(|dst| dst.starts_with("fe80")))
            .map(stable)
            .collect();
        all.sort();
        (part.to_owned(), all)
    };
    parts.into_iter().map(one).collect()
}

/// Neighbours that every link has for groups, which `ip neigh` does not list.
fn is_group(ip: &str) -> bool {
    ip.starts_with("224.")
        || ip.starts_with("ff0")
        || ip.parse() == Ok(std::net::Ipv4Addr::BROADCAST)
}

/// An item without what changes by itself or is known to the live reader alone.
fn stable(item: &Value) -> String {
    let mut item = item.clone();
    if let Some(object) = item.as_object_mut() {
        object.remove("holder");
        // A neighbour's state moves on by itself.
        object.remove("state");
        if let Some(origin) = object.get("origin").and_then(Value::as_str) {
            let origin = origin.split(',').next().unwrap_or_default().to_owned();
            object.insert("origin".to_owned(), Value::String(origin));
        }
    }
    item.to_string()
}

/// Namespaces, actions and links of a trace, there and back.
fn steps(trace: &Value) -> Vec<String> {
    let ways = ["there", "back"].map(|way| &trace[way]["hops"]);
    let hops = ways.into_iter().flat_map(|hops| hops.as_array().into_iter().flatten());
    let step = |hop: &Value, s: &Value| format!("{} {} {}", hop["name"], s["action"], s["link"]);
    let told = |s: &&Value| s["action"] != "assumed";
    hops.flat_map(|hop| {
        hop["steps"].as_array().unwrap().iter().filter(told).map(move |s| step(hop, s))
    })
    .collect()
}

/// The seed's files by the command line: drawn, and traced with a doubt.
fn the_author_s_own_outputs() {
    let bench = Bench::new();
    let seed = support::example("../fixtures/seed");
    let seed = seed.to_str().unwrap();
    let map = bench.ok(&["map", "--bundle", seed]);
    assert!(map.contains("L3: routes and translates 172.17.0.0/16"), "{map}");
    let trace = bench.expect(4, &["trace", "alpine01", "outside", "--bundle", seed]);
    assert!(
        trace.out.contains("? assumed  netfilter: no tables but nat, which is shown"),
        "{trace:?}"
    );
    bench.expect(2, &["trace", "alpine01", "outside", "--live", "--bundle", seed]);
    bench.expect(2, &["up", "--bundle", seed]);
    let nothing = bench.file("not-a-command", "x");
    let nothing =
        bench.expect(2, &["map", "--bundle", nothing.parent().unwrap().to_str().unwrap()]);
    assert!(nothing.err.contains("collect --script"), "{nothing:?}");
}
