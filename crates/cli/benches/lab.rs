//! How long `up`, `down` and `trace` take, beside a peer in the same run.
//!
//! `cargo bench -p nestwork --bench lab` as root. Medians of several rounds; the machine's own noise
//! is the same for both sides of a ratio.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 9;

fn main() {
    if std::env::args().any(|a| a == "--test") {
        return; // `cargo test --benches` only wants to know that it builds
    }
    let seed = example("proxmox-docker.yaml");
    let wide = example("two-hundred.yaml");
    let (up, down) = lab(&seed, "proxmox-docker");
    let floor = median(|| timed(|| run(Command::new("unshare").args(["-n", "true"]))));
    println!("seed: up {} ms, down {} ms", ms(up), ms(down));
    println!(
        "  floor: five `unshare -n true` {} ms; up is {:.1} times that",
        ms(floor * 5),
        ratio(up, floor * 5)
    );

    let (up, down) = lab(&wide, "two-hundred");
    let peer = median(by_ip_batch);
    println!("200 containers on one bridge: up {} ms, down {} ms", ms(up), ms(down));
    println!(
        "  peer: `ip -batch` with 200 namespaces, veths and ports (no PID, mount or UTS namespaces, no addresses in them) {} ms; up is {:.2} times that",
        ms(peer),
        ratio(up, peer)
    );

    nestwork(&["up", &seed]);
    let trace = median(|| timed(|| nestwork(&["trace", "alpine01", "203.0.113.10"])));
    let live = median(|| timed(|| nestwork(&["trace", "alpine01", "203.0.113.10", "--live"])));
    let ls = median(|| timed(|| nestwork(&["ls"])));
    nestwork(&["down", "proxmox-docker"]);
    println!("seed: trace {} ms, with --live {} ms", ms(trace), ms(live));
    println!(
        "  peer: `nestwork ls`, which reads less and walks nothing, {} ms; trace is {:.1} times that",
        ms(ls),
        ratio(trace, ls)
    );
}

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    path.display().to_string()
}

/// Medians of making and removing a lab.
fn lab(file: &str, name: &str) -> (Duration, Duration) {
    let mut downs = Vec::new();
    let up = median(|| {
        // The kernel clears the last round's namespaces away in its own time, holding the lock that
        // every change of a network takes.
        std::thread::sleep(Duration::from_millis(500));
        let up = timed(|| nestwork(&["up", file]));
        downs.push(timed(|| nestwork(&["down", name])));
        up
    });
    downs.sort();
    (up, downs[downs.len() / 2])
}

/// What a person would write: namespaces, a bridge, and a veth into each, in one batch.
fn by_ip_batch() -> Duration {
    let mut make = String::from("link add nwbench type bridge\nlink set nwbench up\n");
    let mut remove = String::new();
    for n in 0..200 {
        make += &format!(
            "netns add nwbench{n}\nlink add nwb{n} type veth peer name eth0 netns nwbench{n}\nlink set nwb{n} master nwbench up\n"
        );
        remove += &format!("netns del nwbench{n}\n");
    }
    // In a network and mount namespace of its own, so that nothing of it touches the machine's.
    let folder = std::env::temp_dir().join(format!("nestwork-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the batch files");
    std::fs::write(folder.join("make"), make).expect("the batch file");
    std::fs::write(folder.join("remove"), remove).expect("the batch file");
    let script = format!(
        "mount -t tmpfs run /run && ip netns add x && ip netns del x && s=$(date +%s%N) && ip -batch {0}/make && e=$(date +%s%N) && ip -batch {0}/remove && echo $((e-s))",
        folder.display()
    );
    let out = Command::new("unshare")
        .args(["-n", "-m", "sh", "-c", &script])
        .stderr(Stdio::inherit())
        .output()
        .expect("unshare is there");
    let _ = std::fs::remove_dir_all(&folder);
    let nanos =
        String::from_utf8_lossy(&out.stdout).trim().parse().expect("a number of nanoseconds");
    Duration::from_nanos(nanos)
}

fn nestwork(args: &[&str]) {
    let state = std::env::temp_dir().join("nestwork-bench-state");
    run(Command::new(env!("CARGO_BIN_EXE_nestwork")).env("NESTWORK_STATE", state).args(args));
}

fn run(command: &mut Command) {
    let out = command.output().expect("the program is there");
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

fn timed(act: impl FnOnce()) -> Duration {
    let start = Instant::now();
    act();
    start.elapsed()
}

fn median(mut measure: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| measure()).collect();
    times.sort();
    times[ROUNDS / 2]
}

fn ms(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}
