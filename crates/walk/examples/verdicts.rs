//! Walks the seed's path so many times for its verdict alone, for whoever counts instructions:
//!
//! ```text
//! cargo build --release -p walk --example verdicts
//! valgrind --tool=callgrind target/release/examples/verdicts 2000
//! ```
//!
//! What one walk takes is the difference of two lengths of run, divided by that of their counts.

#![allow(clippy::unwrap_used, reason = "a program for measuring")]

use std::hint::black_box;
use std::net::Ipv4Addr;

use bundle::Bundle;
use walk::{Disposition, Indexed, Overlay, Place, Protocol, Question, Quiet};

const READ: &[u8] = include_bytes!("../../../fixtures/bundles/proxmox-docker.tar.gz");
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

fn main() {
    let count: u32 = std::env::args().nth(1).map_or(1000, |count| count.parse().unwrap());
    let snapshot = Bundle::unpack(READ).unwrap().gathered.snapshot();
    let net = Indexed::new(&snapshot);
    let from = Place::Namespace(snapshot.resolve_ns("alpine01").unwrap());
    let question = Question::new(from, OUTSIDE, Protocol::Icmp);
    let mut overlay = Overlay::new();
    for _ in 0..count {
        overlay.clear();
        let packet = question.packet.clone();
        let end = walk::walk(&net, &mut overlay, question.from, black_box(packet), &mut Quiet);
        assert!(matches!(black_box(end), Disposition::Left(_)));
    }
}
