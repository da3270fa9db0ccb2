//! What a walk costs where there are many rules or large sets: `cargo bench -p walk --bench rules`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a program that prints figures"
)]

#[path = "../tests/walk/iptables.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod iptables;
#[path = "../tests/walk/net.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod net;

use std::time::{Duration, Instant};

use model::{
    Chain, Data, Expr, Family, IpSet, IpSetEntry, NftRule, PayloadBase, Reg, Set, SetElement,
    Snapshot, Table, Verdict, Xt, XtInfo, XtSet, XtSetRef,
};
use walk::{Indexed, Overlay, Place, Protocol, Question, Quiet};

const NET: &str = "
ns a
ns r forward
ns b
veth a:eth0 r:eth0
veth b:eth0 r:eth1
addr a:eth0 10.0.0.2/24
addr r:eth0 10.0.0.1/24
addr r:eth1 10.1.0.1/24
addr b:eth0 10.1.0.2/24
route a default via 10.0.0.1 dev eth0
route b default via 10.1.0.1 dev eth0
neigh a:eth0 10.0.0.1 02:00:00:00:00:05
neigh r:eth1 10.1.0.2 02:00:00:00:00:06
iptables r -A FORWARD -i nothing -j DROP
";

fn main() {
    let plain = cost("no rules but one", &net::net(NET));
    for count in [100, 1_000, 10_000] {
        let mut snapshot = net::net(NET);
        rules(&mut snapshot, count);
        let with = cost(&format!("{count} iptables rules, none matching"), &snapshot);
        println!("    that is {:?} for the rules", with.saturating_sub(plain));
    }
    for count in [10, 1_000, 100_000] {
        for (kind, interval) in [("addresses", false), ("intervals", true)] {
            let mut snapshot = net::net(NET);
            set(&mut snapshot, count, interval);
            cost(&format!("a set of {count} {kind}"), &snapshot);
        }
        for kind in ["hash:ip", "hash:net"] {
            let mut snapshot = net::net(NET);
            ipset(&mut snapshot, count, kind);
            cost(&format!("an ipset of {count} entries, {kind}"), &snapshot);
        }
    }
}

/// The least that one walk took, of many.
fn cost(what: &str, snapshot: &Snapshot) -> Duration {
    let started = Instant::now();
    let net = Indexed::new(snapshot);
    let indexing = started.elapsed();
    let from = Place::Namespace(net::id(snapshot, "a"));
    let question = Question::new(from, net::ip("10.1.0.2"), Protocol::Tcp(80));
    let walk = || {
        let started = Instant::now();
        let packet = question.packet.clone();
        let end = walk::walk(&net, &mut Overlay::new(), question.from, packet, &mut Quiet);
        assert!(matches!(end, walk::Disposition::Delivered(_)), "{end:?}");
        started.elapsed()
    };
    let least = (0..200).map(|_| walk()).min().unwrap();
    println!("{what}: {least:?} (index: {indexing:?})");
    least
}

fn router(snapshot: &mut Snapshot) -> &mut Table {
    let id = net::id(snapshot, "r");
    let ruleset = &mut snapshot.namespaces.get_mut(&id).unwrap().ruleset;
    ruleset.tables.iter_mut().find(|t| t.family == Family::Ip).unwrap()
}

fn forward(table: &mut Table) -> &mut Chain {
    table.chains.iter_mut().find(|c| c.name == "FORWARD").unwrap()
}

fn rules(snapshot: &mut Snapshot, count: u32) {
    let chain = forward(router(snapshot));
    for n in 0..count {
        let address = [172, 20, (n >> 8) as u8, n as u8];
        let exprs = vec![
            Expr::Payload { base: PayloadBase::Network, offset: 16, len: 4, dreg: Reg(1) },
            Expr::Cmp { sreg: Reg(1), op: model::CmpOp::Eq, data: address.to_vec() },
            Expr::Counter { packets: 0, bytes: 0 },
            Expr::Immediate { dreg: Reg(0), data: Data::Verdict(Verdict::Drop) },
        ];
        chain.rules.push(NftRule { exprs, ..NftRule::default() });
    }
}

/// A rule about a set in which the packet's destination is not.
fn ipset(snapshot: &mut Snapshot, count: u32, kind: &str) {
    let ip = |n: u32| std::net::IpAddr::from((0x0b00_0000_u32 + n * 16).to_be_bytes());
    let prefix = |n: u32| (kind == "hash:net").then_some(if n.is_multiple_of(2) { 28 } else { 30 });
    let entry = |n| IpSetEntry { ip: Some(ip(n)), prefix: prefix(n), ..IpSetEntry::default() };
    let entries = (0..count).map(entry).collect();
    let (name, family) = ("s".to_owned(), Some(Family::Ip));
    let set = IpSet { name, kind: kind.to_owned(), family, entries, ..IpSet::default() };
    let id = net::id(snapshot, "r");
    snapshot.namespaces.get_mut(&id).unwrap().ipsets.push(set);
    let named = XtSetRef { index: 0, name: Some("s".to_owned()), dim: 1, flags: 0 };
    let info = XtInfo::Set(Box::new(XtSet { set: named, ..XtSet::default() }));
    let exprs = vec![
        Expr::Match(Xt { name: "set".into(), revision: 4, info }),
        Expr::Immediate { dreg: Reg(0), data: Data::Verdict(Verdict::Drop) },
    ];
    forward(router(snapshot)).rules.push(NftRule { exprs, ..NftRule::default() });
}

fn set(snapshot: &mut Snapshot, count: u32, interval: bool) {
    let table = router(snapshot);
    let key = |n: u32| (0x0b00_0000_u32 + n * 16).to_be_bytes().to_vec();
    let element = |key, flags| SetElement { key: Some(key), flags, ..SetElement::default() };
    let one = |n: u32| match interval {
        true => vec![
            element(key(n), 0),
            element((0x0b00_0000_u32 + n * 16 + 8).to_be_bytes().to_vec(), 1),
        ],
        false => vec![element(key(n), 0)],
    };
    let elements = (0..count).flat_map(one).collect();
    let flags = if interval { 4 } else { 0 };
    table.sets.push(Set { name: "s".into(), flags, key_len: 4, elements, ..Set::default() });
    let exprs = vec![
        Expr::Payload { base: PayloadBase::Network, offset: 16, len: 4, dreg: Reg(1) },
        Expr::Lookup { set: "s".into(), sreg: Reg(1), dreg: None, invert: false },
        Expr::Immediate { dreg: Reg(0), data: Data::Verdict(Verdict::Drop) },
    ];
    forward(table).rules.push(NftRule { exprs, ..NftRule::default() });
}
