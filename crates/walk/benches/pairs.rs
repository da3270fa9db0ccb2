//! All pairs of 1,000 containers on 10 bridges of one host: `cargo bench -p walk --bench pairs`.
//!
//! Each of a million flows is a question of its own, answered by what was read alone: nothing that one
//! packet taught is known to the next. Once as of a host where everybody has spoken (neighbours and
//! FDB entries are there), once as of one where nobody has.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program that prints figures")]
#![allow(unreachable_pub, reason = "a program that prints figures")]

#[path = "../tests/walk/iptables.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod iptables;
#[path = "../tests/walk/net.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod net;

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter, Write};
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::thread;
use std::time::{Duration, Instant};

use model::{NsId, Snapshot};
use walk::{Disposition, Indexed, Overlay, Place, Protocol, Question, Quiet};

const BRIDGES: u32 = 10;
const EACH: u32 = 100;
const THREADS: usize = 2;

fn main() {
    let count = u64::from(BRIDGES * EACH);
    let floor = timed(|part| looked_up(part as u32)).1;
    println!("floor: {count} x {count} look-ups in a HashMap: {floor}");
    let wanted = std::env::args().nth(1).filter(|word| !word.starts_with('-'));
    for (what, spoken) in [("everybody has spoken", true), ("nobody has spoken", false)] {
        if wanted.as_ref().is_some_and(|word| !what.contains(word.as_str())) {
            continue;
        }
        let snapshot = net::net(&text(spoken));
        let started = Instant::now();
        let net = Indexed::new(&snapshot);
        let indexing = started.elapsed();
        let spaces = containers(&snapshot);
        let share = spaces.len().div_ceil(THREADS);
        let (arrived, took) = timed(|part| {
            let from = spaces.chunks(share).nth(part).unwrap_or_default();
            arrive(&net, from, &spaces)
        });
        assert_eq!(arrived, count * count);
        println!(
            "{what}: {took} for {} flows, {:.0} ns of a processor each, {:.1} times the floor (index: {indexing:.2?})",
            count * count,
            took.processor.as_nanos() as f64 / (count * count) as f64,
            took.processor.as_secs_f64() / floor.processor.as_secs_f64(),
        );
    }
}

/// How long threads took, and how long they had a processor: the machine may have other work.
struct Took {
    wall: Duration,
    processor: Duration,
}

impl Display for Took {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (wall, each) = (self.wall, self.processor / THREADS as u32);
        write!(
            f,
            "{wall:.2?} by the clock, {each:.2?} of a processor for each of {THREADS} threads"
        )
    }
}

/// Each thread does its part: the sum of what they find.
fn timed(part: impl Fn(usize) -> u64 + Sync) -> (u64, Took) {
    let started = Instant::now();
    let (sum, processor) = thread::scope(|scope| {
        let threads = (0..THREADS).map(|n| {
            let part = &part;
            scope.spawn(move || (part(n), on_processor()))
        });
        let threads: Vec<_> = threads.collect();
        let found = threads.into_iter().map(|thread| thread.join().unwrap());
        found.fold((0, Duration::ZERO), |(sum, all), (n, took)| (sum + n, all + took))
    });
    (sum, Took { wall: started.elapsed(), processor })
}

/// How long this thread has had a processor.
fn on_processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|n| n.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn arrive(net: &Indexed<'_>, from: &[(NsId, Ipv4Addr)], to: &[(NsId, Ipv4Addr)]) -> u64 {
    let mut overlay = Overlay::new();
    let mut arrived = 0;
    for (ns, _) in from {
        for (target, ip) in to {
            overlay.clear();
            let place = Place::Namespace(*ns);
            let packet = Question::new(place, *ip, Protocol::Tcp(80)).packet;
            let end = walk::walk(net, &mut overlay, place, packet, &mut Quiet);
            arrived += u64::from(end == Disposition::Delivered(*target));
        }
    }
    arrived
}

/// A thread's part of as many look-ups of two numbers as there are flows.
fn looked_up(part: u32) -> u64 {
    let count = BRIDGES * EACH;
    let map: HashMap<(u32, u32), u64> = (0..count).map(|n| ((n, n), 1)).collect();
    let mine = (0..count).filter(|n| n % THREADS as u32 == part);
    let pairs = mine.flat_map(|a| (0..count).map(move |b| (a, b)));
    pairs.filter_map(|pair| map.get(black_box(&pair))).sum()
}

fn containers(snapshot: &Snapshot) -> Vec<(NsId, Ipv4Addr)> {
    let pairs = (0..BRIDGES).flat_map(|b| (0..EACH).map(move |n| (b, n)));
    let by_name: HashMap<&str, NsId> =
        snapshot.namespaces.values().map(|ns| (ns.names[0].text.as_str(), ns.id)).collect();
    pairs.map(|(b, n)| (by_name[format!("c{b}-{n}").as_str()], address(b, n))).collect()
}

fn address(bridge: u32, n: u32) -> Ipv4Addr {
    Ipv4Addr::new(172, 20 + bridge as u8, 0, 2 + n as u8)
}

fn mac(bridge: u32, n: u32, end: u32) -> String {
    format!("02:00:{end:02x}:00:{bridge:02x}:{n:02x}")
}

/// The host with its bridges, Docker's usual rules, and the containers.
fn text(spoken: bool) -> String {
    let mut t = String::from("ns host forward\n");
    for b in 0..BRIDGES {
        let _ = writeln!(t, "link host:br{b} bridge mac {}", mac(b, 0, 9));
        let _ = writeln!(t, "addr host:br{b} 172.{}.0.1/24", 20 + b);
        let _ = writeln!(t, "iptables host -A FORWARD -i br{b} -j ACCEPT");
    }
    for (b, n) in (0..BRIDGES).flat_map(|b| (0..EACH).map(move |n| (b, n))) {
        let (ns, ip) = (format!("c{b}-{n}"), address(b, n));
        let (inner, outer) = (mac(b, n, 1), mac(b, n, 2));
        let _ = writeln!(t, "ns {ns}\nveth {ns}:eth0 host:v{b}-{n} {inner} {outer}");
        let _ = writeln!(t, "port host:v{b}-{n} br{b}\naddr {ns}:eth0 {ip}/24");
        let _ = writeln!(t, "route {ns} default via 172.{}.0.1 dev eth0", 20 + b);
        if spoken {
            let _ = writeln!(t, "fdb host:v{b}-{n} {inner}\nneigh host:br{b} {ip} {inner}");
            let _ = writeln!(t, "neigh {ns}:eth0 172.{}.0.1 {}", 20 + b, mac(b, 0, 9));
            for other in (0..EACH).filter(|other| *other != n) {
                let ip = address(b, other);
                let _ = writeln!(t, "neigh {ns}:eth0 {ip} {}", mac(b, other, 1));
            }
        }
    }
    t
}
