//! What one walk of the seed's path costs, told in full and for its verdict alone: `cargo bench -p walk --bench seed`.
//!
//! The network is that of `examples/proxmox-docker.yaml` as it was read after one ping (collected with
//! `nestwork collect`): from a container through docker0 and its translation, two bridges of the
//! machine around it, and out by a card.

#![allow(clippy::unwrap_used, missing_docs, reason = "a program that prints figures")]

use std::collections::HashMap;
use std::hint::black_box;
use std::net::Ipv4Addr;

use bundle::Bundle;
use criterion::{Criterion, criterion_group, criterion_main};
use model::{LinkId, Snapshot};
use walk::{
    Cause, Disposition, Indexed, Overlay, Packet, Place, Protocol, Question, Quiet, Recorder, Way,
};

const READ: &[u8] = include_bytes!("../../../fixtures/bundles/proxmox-docker.tar.gz");
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

fn seed() -> Snapshot {
    Bundle::unpack(READ).unwrap().gathered.snapshot()
}

fn question(snapshot: &Snapshot, protocol: Protocol) -> Question {
    let from = snapshot.resolve_ns("alpine01").unwrap();
    Question::new(Place::Namespace(from), OUTSIDE, protocol)
}

fn told(net: &Indexed<'_>, question: &Question) -> Way {
    let packet: Packet = question.packet.clone();
    let mut recorder = Recorder::default();
    let end = walk::walk(net, &mut Overlay::new(), question.from, packet.clone(), &mut recorder);
    recorder.into_way(Cause::Asked, packet, end)
}

fn walks(c: &mut Criterion) {
    let snapshot = seed();
    let net = Indexed::new(&snapshot);
    let question = question(&snapshot, Protocol::Icmp);
    let way = told(&net, &question);
    assert!(matches!(way.disposition, Disposition::Left(_)), "{:?}", way.disposition);
    let mut group = c.benchmark_group("seed");
    group.bench_function("way, told in full", |b| b.iter(|| told(&net, &question)));
    group.bench_function("floor: a copy of what was told", |b| b.iter(|| way.clone()));
    let mut overlay = Overlay::new();
    group.bench_function("way, verdict alone", |b| {
        b.iter(|| {
            overlay.clear();
            let packet = question.packet.clone();
            walk::walk(&net, &mut overlay, question.from, packet, &mut Quiet)
        });
    });
    let links = links(&snapshot);
    let by_id: HashMap<LinkId, u32> = links.iter().map(|id| (*id, id.index)).collect();
    group.bench_function("floor: each link looked up once in a HashMap", |b| {
        b.iter(|| links.iter().filter_map(|id| by_id.get(black_box(id))).sum::<u32>());
    });
    group.bench_function("there and back, told in full", |b| {
        b.iter(|| net.trace(question.clone()));
    });
    group.finish();
}

fn links(snapshot: &Snapshot) -> Vec<LinkId> {
    let of = |ns: &model::Namespace| {
        let id = ns.id;
        ns.links.keys().map(move |index| LinkId { ns: id, index: *index }).collect::<Vec<_>>()
    };
    snapshot.namespaces.values().flat_map(of).collect()
}

criterion_group!(benches, walks);
criterion_main!(benches);
