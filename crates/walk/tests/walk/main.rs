//! Networks in, traces out.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod assumed;
mod bond;
mod bound;
mod breaks;
mod bridge;
mod crowd;
mod docker;
mod explain;
mod iptables;
mod ipv6;
mod ipvlan;
mod kernel;
mod learned;
mod live;
mod machine;
mod macvlan;
mod mend;
mod net;
mod queue;
mod random;
mod routed;
mod scenarios;
mod seed;
mod segment;
mod sizes;
mod snoop;
mod taken;
mod tc;
mod tell;
mod unknown;
mod vlan;
mod vrf;
mod vxlan;
mod wireguard;

use model::Snapshot;
use walk::{Indexed, Outcome, Overlay, Place, Protocol, Question, Quiet, Trace};

/// The trace of one question: `FROM` is a namespace, or a border link for a packet from outside;
/// `TO` an address, with a port for TCP.
fn ask(snapshot: &Snapshot, from: &str, to: &str) -> Trace {
    let question = question(snapshot, from, to);
    let trace = walk::trace(snapshot, question.clone());
    let (net, mut overlay) = (Indexed::new(snapshot), Overlay::new());
    // What was asked before may be remembered the next time, and is then used.
    for round in 0..3 {
        overlay.clear();
        let packet = question.packet.clone();
        let end = walk::walk(&net, &mut overlay, question.from, packet, &mut Quiet);
        assert_eq!(end, trace.there.disposition, "a verdict without the trace, {round}");
        let Outcome { there, back, assumed } = net.outcome(&question);
        let told = trace.back.as_ref().map(|way| &way.disposition);
        if trace.branches.is_empty() {
            assert_eq!((&there, back.as_ref()), (&trace.there.disposition, told), "{round}");
            assert_eq!(assumed, !trace.assumptions().is_empty(), "{round}");
        }
    }
    trace
}

fn question(snapshot: &Snapshot, from: &str, to: &str) -> Question {
    let from = match from.contains(':') {
        true => Place::Outside(net::link_id(snapshot, from)),
        false => Place::Namespace(net::id(snapshot, from)),
    };
    let port = match to.strip_prefix('[') {
        Some(to) => to.split_once("]:"),
        None => to.split_once(':').filter(|(_, port)| !port.contains(':')),
    };
    let (to, protocol) = match port {
        Some((to, port)) => match port.strip_suffix("/udp") {
            Some(port) => (to, Protocol::Udp(port.parse().expect("a port"))),
            None => (to, Protocol::Tcp(port.parse().expect("a port"))),
        },
        None => (to, Protocol::Icmp),
    };
    Question::new(from, net::ip(to), protocol)
}

/// How both ways end.
fn ends(text: &str, from: &str, to: &str) -> String {
    let snapshot = net::net(text);
    tell::ends(&snapshot, &ask(&snapshot, from, to))
}

/// The whole trace as text.
fn whole(text: &str, from: &str, to: &str) -> String {
    let snapshot = net::net(text);
    tell::trace(&snapshot, &ask(&snapshot, from, to))
}
