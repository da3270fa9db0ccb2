//! How long it takes to read and show hosts of 50 to 5,000 network namespaces, beside `ip -all netns
//! exec ip -j -d link` and `lsns -t net` on the same host in the same run.
//!
//! `cargo bench -p nestwork --bench read [COUNT…]` as root. Each namespace has a veth into a bridge (a
//! thousand on each: the kernel lets a bridge have 1,024 ports), an address, a default route, a
//! process and a file that shows it.
//! Everything is in network, mount and PID namespaces of its own, and gone when it ends or is ended,
//! by whatever signal. What the others need longer for than [`PATIENCE`] is left out, and that is said.
//!
//! `… --bench read -- 1000 -- COMMAND…` makes such a host and runs a command there, to look closer.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "support/host.rs"]
mod host;

use std::error::Error;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kernel::read::{Parts, ReadOptions, read};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// In the namespaces made for it: the counts follow.
const INSIDE: &str = "--inside";
/// One whole read, and what it took.
const ONCE: &str = "--once";
/// How long is waited for a peer.
const PATIENCE: Duration = Duration::from_secs(150);
const COUNTS: [&str; 4] = ["50", "200", "1000", "5000"];

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match words.first().map(String::as_str) {
        Some("--test") => Ok(()), // `cargo test --benches` only wants to know that it builds
        Some(INSIDE) => inside(&words[1..]),
        Some(ONCE) => once(),
        _ => apart(&words),
    }
}

/// Runs this again in namespaces of its own, which end when this process does: unshare(1) hears
/// neither SIGINT nor SIGTERM.
fn apart(words: &[String]) -> Outcome<()> {
    let counts = if words.is_empty() { COUNTS.map(str::to_owned).to_vec() } else { words.to_vec() };
    let status = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--", "unshare", "--net", "--mount", "--pid", "--fork"])
        .args(["--kill-child", "--mount-proc", "--"])
        .arg(std::env::current_exe()?)
        .arg(INSIDE)
        .args(counts)
        .status()?;
    if status.success() { Ok(()) } else { Err(format!("it ended with {status}").into()) }
}

fn inside(words: &[String]) -> Outcome<()> {
    let mut host = host::Host::new()?;
    let mut halves = words.splitn(2, |w| w == "--");
    let counts = halves.next().unwrap_or_default();
    if let Some([program, arguments @ ..]) = halves.next() {
        host.grow(counts.first().ok_or("how many namespaces?")?.parse()?)?;
        return Err(Command::new(program).args(arguments).exec().into());
    }
    println!("{}\n", machine()?);
    println!(
        "| namespaces | snapshot | its processor time | its memory | `ls` | `find` | `map` | `ip …` | `lsns` |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for count in counts {
        let count = count.parse()?;
        host.grow(count)?;
        host::calm(Duration::from_secs(90))?;
        row(count)?;
    }
    Ok(())
}

fn row(count: usize) -> Outcome<()> {
    let rounds = if count > 1000 { 5 } else { 9 };
    let (whole, cpu, memory) = whole(rounds)?;
    let ours = |args: &[&str]| median(rounds, || nestwork(args));
    let (ls, map) = (ours(&["ls"])?, ours(&["map"])?);
    let find = ours(&["find", "10.77.0.9"])?;
    let slow = if count > 200 { 1 } else { 3 };
    let others = |words: &[&str]| median(slow, || patiently(words));
    let ip = others(&["ip", "-all", "netns", "exec", "ip", "-j", "-d", "link"]);
    let lsns = others(&["lsns", "-t", "net"]);
    let per = |peer: &Outcome<Duration>, own: Duration| match peer {
        Ok(peer) => {
            format!("{} ms, {:.1} times", ms(*peer), peer.as_secs_f64() / own.as_secs_f64())
        }
        Err(error) => error.to_string(),
    };
    println!(
        "| {count} | {} ms | {} ms | {memory} MB | {} ms | {} ms | {} ms | {} | {} |",
        ms(whole),
        ms(cpu),
        ms(ls),
        ms(find),
        ms(map),
        per(&ip, whole),
        per(&lsns, ls)
    );
    Ok(())
}

/// The machine, in its own words.
fn machine() -> Outcome<String> {
    let uname = rustix::system::uname();
    let cores = std::thread::available_parallelism()?;
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches([' ', '\t', ':']);
    Ok(format!("Linux {}, {cores} cores of {model}", uname.release().to_string_lossy()))
}

/// A whole read in a process of its own: the median time, that of all processors together, and
/// the most memory that any took, in MB.
fn whole(rounds: usize) -> Outcome<(Duration, Duration, u64)> {
    let (mut cpus, mut memory) = (Vec::new(), 0);
    let time = median(rounds, || {
        let output = Command::new(std::env::current_exe()?).arg(ONCE).output()?;
        let text = String::from_utf8(output.stdout)?;
        let figures = text.split_whitespace().map(str::parse).collect::<Result<Vec<u64>, _>>()?;
        let [time, cpu, kib] = figures.as_slice() else { return Err("no figures".into()) };
        cpus.push(Duration::from_micros(*cpu));
        memory = memory.max(*kib);
        Ok(Duration::from_micros(*time))
    })?;
    cpus.sort_unstable();
    Ok((time, cpus[cpus.len() / 2], memory / 1024))
}

fn once() -> Outcome<()> {
    let start = Instant::now();
    // Links, addresses, routes, rules, neighbours, forwarding databases, nftables, settings, nsids,
    // tracked connections: what `trace` reads.
    let parts = Parts::all() - Parts::LISTENERS - Parts::DEFAULTS;
    let snapshot = read(&ReadOptions { parts, ..ReadOptions::default() })?;
    let time = start.elapsed();
    let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let cpu = Duration::try_from(cpu)?;
    // What nestwork itself runs for is in no namespace that was made for the benchmark.
    let ours = snapshot.namespaces.values().filter(|n| !n.files.is_empty());
    // A kernel whose list of connections is not loaded is not made to load it.
    let mut gaps = ours.flat_map(|n| &n.gaps).filter(|gap| gap.part != "conntrack");
    assert!(gaps.next().is_none(), "a gap in the view");
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    let peak = peak.trim().trim_end_matches(" kB");
    println!("{} {} {peak}", time.as_micros(), cpu.as_micros());
    Ok(())
}

fn nestwork(args: &[&str]) -> Outcome<Duration> {
    timed(Command::new(env!("CARGO_BIN_EXE_nestwork")).args(args))
}

fn timed(command: &mut Command) -> Outcome<Duration> {
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if !status.success() {
        return Err(format!("{command:?} failed").into());
    }
    Ok(start.elapsed())
}

/// A peer's command, unless it takes too long.
fn patiently(words: &[&str]) -> Outcome<Duration> {
    const TOO_LONG: i32 = 124; // timeout(1)
    let start = Instant::now();
    let mut command = Command::new("timeout");
    command.args(["--kill-after=1", &PATIENCE.as_secs().to_string()]).args(words);
    match command.stdout(Stdio::null()).stderr(Stdio::null()).status()?.code() {
        Some(0) => Ok(start.elapsed()),
        Some(TOO_LONG) => Err(format!("over {} s: left out", PATIENCE.as_secs()).into()),
        _ => Err(format!("{} failed", words.join(" ")).into()),
    }
}

fn median(rounds: usize, mut run: impl FnMut() -> Outcome<Duration>) -> Outcome<Duration> {
    let mut times = (0..rounds).map(|_| run()).collect::<Outcome<Vec<_>>>()?;
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

fn ms(time: Duration) -> String {
    format!("{:.0}", time.as_secs_f64() * 1000.0)
}
