//! What a namespace has learned of single destinations: the kernel's part is tried by the scenarios of
//! `oracle`.

use model::{LearnedRoute, Snapshot};

use crate::net::{id, net};
use crate::routed::routed;

/// `a` and `b`, a router between them, and another gateway beside `a`'s.
const NET: &str = concat!(routed!(), "neigh a:e0 10.0.1.9 02:00:00:00:00:99\n");

/// What `a` has learned, by its link and the table main.
fn learned(change: impl Fn(&mut LearnedRoute)) -> Snapshot {
    let mut snapshot = net(NET);
    let at = id(&snapshot, "a");
    let space = snapshot.namespaces.get_mut(&at).unwrap();
    let link = space.link_named("e0").unwrap().index;
    let mut entry = LearnedRoute {
        dst: "10.0.2.1".parse().unwrap(),
        table: 254,
        link,
        gateway: Some("10.0.1.2".parse().unwrap()),
        mtu: None,
        mtu_locked: false,
        redirected: false,
    };
    change(&mut entry);
    space.learned.push(entry);
    snapshot
}

/// By whom the packet to 10.0.2.1 goes, and what of it was learned.
fn by(snapshot: &Snapshot) -> String {
    let trace = crate::ask(snapshot, "a", "10.0.2.1");
    let routed = trace.there.hops[0].steps.iter().find_map(|step| match &step.action {
        walk::Action::Routed { gateway, learned, .. } => Some((*gateway, learned.is_some())),
        _ => None,
    });
    let (gateway, learned) = routed.unwrap();
    format!("{}{}", gateway.unwrap(), if learned { ", learned" } else { "" })
}

#[test]
fn a_nearer_gateway() {
    let nearer = |entry: &mut LearnedRoute| {
        (entry.gateway, entry.redirected) = (Some("10.0.1.9".parse().unwrap()), true);
    };
    assert_eq!(by(&net(NET)), "10.0.1.2");
    assert_eq!(by(&learned(nearer)), "10.0.1.9, learned");
    let elsewhere = |change: fn(&mut LearnedRoute)| {
        by(&learned(|entry| {
            nearer(entry);
            change(entry);
        }))
    };
    assert_eq!(elsewhere(|entry| entry.table = 7), "10.0.1.2", "an exception to another route");
    assert_eq!(elsewhere(|entry| entry.link += 1), "10.0.1.2", "another link");
    assert_eq!(elsewhere(|entry| entry.dst = "10.0.2.2".parse().unwrap()), "10.0.1.2");
}

#[test]
fn a_path_mtu() {
    let small = learned(|entry| entry.mtu = Some(600));
    let sizes = |df: bool| -> Vec<u32> {
        let place = walk::Place::Namespace(id(&small, "a"));
        let to: std::net::IpAddr = "10.0.2.1".parse().unwrap();
        let mut question = walk::Question::new(place, to, walk::Protocol::Icmp).dont_fragment(df);
        question.packet.len = 1400;
        let trace = walk::trace(&small, question);
        let out = trace.expected().into_iter().filter(|seen| seen.outgoing);
        out.take(1).map(|seen| seen.packet.len).collect()
    };
    assert_eq!(sizes(false), [596], "in pieces");
    assert_eq!(sizes(true), [1400], "sent whole, to find it out");
}
