//! What all pairs of many containers cost: `cargo bench -p check --bench pairs [CONTAINERS]`, by the
//! clock, and of a processor (the machine may have other work).

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a program that prints figures"
)]

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use walk::Indexed;

#[path = "../../walk/tests/walk/iptables.rs"]
#[allow(dead_code, reason = "the walk's own tests use all of it")]
mod iptables;
#[path = "../../walk/tests/walk/net.rs"]
#[allow(dead_code, reason = "the walk's own tests use all of it")]
mod net;

const BRIDGES: usize = 10;
const THREADS: usize = 2;

fn main() {
    let count = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(1_000);
    for known in [true, false] {
        let snapshot = net::net(&containers(count, known));
        let file = check::parse("c* -> c*: 80", "all pairs").unwrap();
        let started = Instant::now();
        let net = Indexed::new(&snapshot);
        let plan = file.plan(&snapshot).unwrap();
        let blocks = plan.blocks(THREADS);
        let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let processor = Mutex::new(Duration::ZERO);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    while let Some(block) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let judged = plan.judge(&net, block.clone());
                        rows.lock().unwrap().extend(judged);
                    }
                    *processor.lock().unwrap() += on_processor();
                });
            }
        });
        let report = plan.report(&net, rows.into_inner().unwrap());
        let taken = started.elapsed();
        let pairs = report.rules[0].pairs;
        assert!(report.holds(), "{:?}", report.rules[0].cases[0].finding);
        let neighbours = if known { "known" } else { "asked for" };
        let processor = processor.into_inner().unwrap();
        let each = processor.as_nanos() / pairs as u128;
        println!(
            "{pairs} pairs there and back, neighbours {neighbours}: {taken:.2?} by the clock with \
             {THREADS} threads, {processor:.2?} of a processor, {each} ns for each"
        );
    }
}

/// How long this thread has had a processor.
fn on_processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|n| n.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// Containers on bridges of one host, which routes between them.
fn containers(count: usize, known: bool) -> String {
    let mut text = "ns host forward\niptables host -P FORWARD DROP\n".to_owned();
    for b in 0..BRIDGES {
        writeln!(text, "link host:br{b} bridge mac 02:00:00:00:{b:02x}:01").unwrap();
        writeln!(text, "addr host:br{b} 10.{b}.0.1/16").unwrap();
        writeln!(text, "iptables host -A FORWARD -i br{b} -j ACCEPT").unwrap();
    }
    for n in 0..count {
        let (b, c) = (n % BRIDGES, n / BRIDGES + 2);
        let (high, low) = (c / 256, c % 256);
        let (ip, mac) =
            (format!("10.{b}.{high}.{low}"), format!("02:00:{b:02x}:00:{high:02x}:{low:02x}"));
        writeln!(text, "ns c{n}").unwrap();
        writeln!(text, "veth c{n}:eth0 host:v{n} {mac} fe:00:{b:02x}:00:{high:02x}:{low:02x}")
            .unwrap();
        writeln!(text, "port host:v{n} br{b}\naddr c{n}:eth0 {ip}/16").unwrap();
        writeln!(text, "route c{n} default via 10.{b}.0.1 dev eth0").unwrap();
        if known {
            writeln!(text, "neigh c{n}:eth0 10.{b}.0.1 02:00:00:00:{b:02x}:01").unwrap();
            writeln!(text, "neigh host:br{b} {ip} {mac}\nfdb host:v{n} {mac}").unwrap();
        }
    }
    text
}
