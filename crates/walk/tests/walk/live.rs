//! A trace held against what was seen.

use std::time::Duration;

use model::{Neighbour, NeighbourState, Snapshot};
use walk::{Action, Leg, Mark, Sighting, Trace, Way, check};

use crate::net::{link_id, net};
use crate::seed::SEED;
use crate::{ask, tell};

const OUT: &str = "203.0.113.10";

/// What sockets would see if all went as foretold.
fn as_foretold(trace: &Trace) -> Vec<Sighting> {
    let ways = [(Some(&trace.there), Leg::There), (trace.back.as_ref(), Leg::Back)];
    let mut seen = Vec::new();
    for (way, leg) in ways.into_iter().filter_map(|(way, leg)| Some((way?, leg))) {
        for place in way.places() {
            let packet = way.hops[place.hop].steps[place.step].packet.clone();
            let after = Duration::from_micros(10 * seen.len() as u64);
            seen.push(Sighting { link: place.link, outgoing: place.outgoing, after, packet, leg });
        }
    }
    seen
}

/// Marks as one letter each: seen, otherwise, missing, not watched.
fn summary(net: &Snapshot, trace: &Trace, seen: &[Sighting]) -> String {
    let checked = check(trace, &trace.links(), seen, None);
    let letters = |marks: &[Mark]| -> String {
        let letter = |m: &Mark| match m {
            Mark::Seen(_) => 's',
            Mark::Otherwise(_) => 'o',
            Mark::Missing => 'm',
            Mark::NotWatched => '-',
        };
        marks.iter().map(letter).collect()
    };
    let astray: Vec<String> = checked.astray.iter().map(|s| tell::link_name(net, s.link)).collect();
    format!(
        "{} {} astray [{}] agrees {} arrived {}",
        letters(&checked.there),
        letters(&checked.back),
        astray.join(" "),
        checked.agrees,
        checked.arrived
    )
}

fn first(way: &Way, link: model::LinkId) -> usize {
    way.places().iter().position(|p| p.link == link).unwrap()
}

#[test]
fn all_as_foretold() {
    let snapshot = net(SEED);
    let trace = ask(&snapshot, "alpine01", OUT);
    let mut seen = as_foretold(&trace);
    seen.reverse();
    insta::assert_snapshot!(summary(&snapshot, &trace, &seen), @"ssssssss ssssssss astray [] agrees true arrived true");
}

#[test]
fn lost_where_nothing_was_foretold() {
    let snapshot = net(SEED);
    let trace = ask(&snapshot, "alpine01", OUT);
    let mut seen = as_foretold(&trace);
    let at = first(&trace.there, link_id(&snapshot, "pve1:fwln111i0"));
    seen.truncate(at);
    insta::assert_snapshot!(summary(&snapshot, &trace, &seen), @"sssssmmm mmmmmmmm astray [] agrees false arrived false");
}

#[test]
fn a_loss_as_foretold() {
    let snapshot = net(&format!("{SEED}\niptables docker01 -A DOCKER-USER -i docker0 -j DROP")
        .replace("iptables docker01 -A DOCKER-USER -j RETURN", ""));
    let trace = ask(&snapshot, "alpine01", OUT);
    insta::assert_snapshot!(summary(&snapshot, &trace, &as_foretold(&trace)), @"sss  astray [] agrees true arrived false");
}

#[test]
fn another_source_than_foretold_and_a_place_beside() {
    let snapshot = net(SEED);
    let trace = ask(&snapshot, "alpine01", OUT);
    let mut seen = as_foretold(&trace);
    let at = first(&trace.there, link_id(&snapshot, "docker01:eth0"));
    seen[at].packet.src = crate::net::ip("172.17.0.2");
    let mut beside = seen[at].clone();
    beside.link = link_id(&snapshot, "pve1:wlo1");
    seen.push(beside);
    insta::assert_snapshot!(summary(&snapshot, &trace, &seen), @"sssossss ssssssss astray [pve1:wlo1] agrees false arrived true");
}

#[test]
fn a_closed_port_answers_by_an_error() {
    let snapshot = net(SEED);
    let mut question = crate::question(&snapshot, "alpine01", OUT);
    question = walk::Question::new(question.from, question.packet.dst, walk::Protocol::Udp(9));
    let trace = walk::trace(&snapshot, question);
    let mut seen = as_foretold(&trace);
    for s in seen.iter_mut().filter(|s| s.leg == Leg::Back) {
        s.leg = Leg::Error;
        s.packet.payload = walk::Payload::Icmp { kind: walk::IcmpKind::Unreachable(3), id: 0 };
    }
    insta::assert_snapshot!(summary(&snapshot, &trace, &seen), @"ssssssss ssssssss astray [] agrees true arrived true");
}

/// A process of UDP need not answer. What is seen of an answer all the same must be as foretold.
#[test]
fn a_process_that_does_not_answer() {
    let snapshot = net(SEED);
    let mut question = crate::question(&snapshot, "alpine01", "172.17.0.1");
    question = walk::Question::new(question.from, question.packet.dst, walk::Protocol::Udp(53));
    let trace = walk::trace(&snapshot, question);
    let mut seen = as_foretold(&trace);
    seen.retain(|s| s.leg == Leg::There);
    let checked = check(&trace, &trace.links(), &seen, Some(false));
    assert!(checked.unanswered && checked.agrees && checked.arrived, "{checked:?}");
    seen.pop();
    let checked = check(&trace, &trace.links(), &seen, Some(false));
    assert!(!checked.unanswered && !checked.agrees && !checked.arrived, "{checked:?}");
    let mut seen = as_foretold(&trace);
    seen.pop();
    let checked = check(&trace, &trace.links(), &seen, Some(false));
    assert!(!checked.unanswered && !checked.agrees && !checked.arrived, "{checked:?}");
}

#[test]
fn places_are_where_a_socket_sees_it() {
    let snapshot = net(SEED);
    let trace = ask(&snapshot, "alpine01", OUT);
    for place in trace.there.places() {
        let action = &trace.there.hops[place.hop].steps[place.step].action;
        assert!(matches!(action, Action::Out { .. } | Action::In { .. }));
    }
    assert_eq!(trace.there.places().len(), 8);
}

/// Whether the bridge itself is seen to send what was rewritten hangs on a cached header: sure only
/// where the kernel has none.
#[test]
fn rewritten_to_another_on_the_same_bridge() {
    let text = "
        ns h forward brnf
        link h:br0 bridge
        ns a
        ns b
        veth h:pa a:eth0
        veth h:pb b:eth0
        port h:pa br0
        port h:pb br0
        addr h:br0 10.0.0.1/24
        addr a:eth0 10.0.0.2/24
        addr b:eth0 10.0.0.3/24
        route a default via 10.0.0.1 dev eth0
        iptables h -t nat -A PREROUTING -d 10.9.9.9 -j DNAT --to-destination 10.0.0.3";
    let seen_by_bridge = |state: Option<NeighbourState>| {
        let mut snapshot = net(text);
        let (bridge, b) = (link_id(&snapshot, "h:br0"), link_id(&snapshot, "b:eth0"));
        let mac = snapshot.link(b).unwrap().mac;
        let ip = crate::net::ip("10.0.0.3");
        let known =
            state.map(|state| Neighbour { link: bridge.index, ip, mac, state, proxy: false });
        snapshot.namespaces.get_mut(&bridge.ns).unwrap().neighbours.extend(known);
        let trace = ask(&snapshot, "a", "10.9.9.9");
        let told = trace.there.places().iter().any(|p| p.link == bridge && p.outgoing);
        let mut seen = as_foretold(&trace);
        let agrees = |seen: &[Sighting]| check(&trace, &trace.links(), seen, None).agrees;
        let as_told = agrees(&seen);
        seen.retain(|s| s.link != bridge);
        let without = agrees(&seen);
        seen.push(Sighting { link: bridge, outgoing: true, ..seen[0].clone() });
        format!("told {told} as told {as_told} without {without} beside {}", agrees(&seen))
    };
    insta::assert_snapshot!(seen_by_bridge(None), @"told true as told true without false beside false");
    insta::assert_snapshot!(seen_by_bridge(Some(NeighbourState::Stale)), @"told true as told true without false beside false");
    insta::assert_snapshot!(seen_by_bridge(Some(NeighbourState::Reachable)), @"told false as told true without true beside true");
    insta::assert_snapshot!(seen_by_bridge(Some(NeighbourState::Permanent)), @"told false as told true without true beside true");
}
