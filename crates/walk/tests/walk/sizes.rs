//! What a SYN alone cannot try: sizes, time to live, copies.

use walk::{Cause, Protocol, Question, trace};

use crate::scenarios::ROUTER;
use crate::{net, question, tell, whole};

fn ends(text: &str, change: impl FnOnce(Question) -> Question) -> String {
    let snapshot = net::net(&format!("{ROUTER}{text}"));
    let question = change(question(&snapshot, "a", "10.1.0.2"));
    tell::ends(&snapshot, &trace(&snapshot, question))
}

#[test]
fn fragments() {
    let big = |q: Question| q.size(1472).dont_fragment(false);
    insta::assert_snapshot!(ends("set r:eth1 mtu 1400\nset b:eth0 mtu 1400", big), @r"
    there: delivered to b
    back: delivered to a
    ");
    // Fragments as large as r's link lets through do not fit the other end.
    insta::assert_snapshot!(ends("set b:eth0 mtu 1200", big), @r"
    there: LOST at b:eth0: TooBig { mtu: 1200, told: false }
    back: -
    ");
    let told = |q: Question| q.size(1472).dont_fragment(true);
    insta::assert_snapshot!(ends("set r:eth1 mtu 1400\nset b:eth0 mtu 1400", told), @r"
    there: LOST at r:eth1: TooBig { mtu: 1400, told: true }
    back: -
    ");
    insta::assert_snapshot!(ends("route r 10.1.0.2/32 dev eth1 mtu 1300", told), @r"
    there: LOST at r:eth1: TooBig { mtu: 1300, told: true }
    back: -
    ");
}

#[test]
fn four_bytes_more_than_the_mtu_pass_a_pair() {
    let sized = |n| move |q: Question| q.size(n).dont_fragment(true);
    insta::assert_snapshot!(ends("set r:eth0 mtu 1400", sized(1376)), @r"
    there: delivered to b
    back: delivered to a
    ");
    insta::assert_snapshot!(ends("set r:eth0 mtu 1400", sized(1377)), @r"
    there: LOST at r:eth0: TooBig { mtu: 1400, told: false }
    back: -
    ");
}

#[test]
fn time_to_live() {
    let ttl = |n| {
        move |mut q: Question| {
            q.packet.ttl = n;
            q
        }
    };
    insta::assert_snapshot!(ends("", ttl(1)), @r"
    there: LOST at r:eth0: TtlExpired
    back: -
    ");
    insta::assert_snapshot!(ends("", ttl(2)), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn echo_ignored() {
    insta::assert_snapshot!(ends("set b echo_ignore 1", |q| q), @r"
    there: delivered to b
    back: LOST at b: EchoIgnored
    ");
    let tcp = |q: Question| Question::new(q.from, q.packet.dst, Protocol::Tcp(1));
    insta::assert_snapshot!(ends("set b echo_ignore 1", tcp), @r"
    there: delivered to b
    back: delivered to a
    ");
}

/// Whether a refused packet's sender is told, and how that ends.
#[test]
fn errors_that_are_few() {
    let told = |set: &str| {
        let snapshot = net::net(&format!("{ROUTER}set r icmp_ratelimit 1000\n{set}"));
        let mut question = question(&snapshot, "a", "10.1.0.2");
        question.packet.ttl = 1;
        let trace = trace(&snapshot, question);
        let steps = trace.there.hops.iter().flat_map(|hop| &hop.steps);
        let mut children = steps.flat_map(|s| &s.children);
        let error = children.find(|c| c.cause == Cause::IcmpError).unwrap();
        format!("{:?}", error.disposition).split('(').next().unwrap().to_owned()
    };
    assert_eq!(told(""), "Delivered");
    assert_eq!(told("set r icmp_ratelimit 60000"), "Delivered");
    assert_eq!(told("set r icmp_ratelimit 60001"), "Unknown");
    assert_eq!(told("set r icmp_messages 1"), "Delivered");
    assert_eq!(told("set r icmp_messages 0"), "Lost");
}

#[test]
fn copies_that_nobody_wants() {
    let text = "
        ns h
        link h:br0 bridge
        link h:nic nic
        ns a
        ns b
        ns c
        veth h:pa a:eth0
        veth h:pb b:eth0
        veth h:pc c:eth0
        port h:nic br0
        port h:pa br0
        port h:pb br0
        port h:pc br0
        addr a:eth0 10.0.0.2/24
        addr b:eth0 10.0.0.3/24
        addr c:eth0 10.0.0.4/24
        neigh a:eth0 10.0.0.3 02:00:00:00:00:0a
        neigh a:eth0 10.0.0.4 02:00:00:00:00:66";
    insta::assert_snapshot!(whole(text, "a", "10.0.0.3"), @r"
    there 10.0.0.2 > 10.0.0.3 → delivered to b
     a
      send
      route 10.0.0.0/24 dev a:eth0 src 10.0.0.2
      neigh 10.0.0.3 is 02:00:00:00:00:0a (REACHABLE)
      out a:eth0 10.0.0.2 > 10.0.0.3
     h
      in h:pa 10.0.0.2 > 10.0.0.3
      learn 02:00:00:00:00:08 behind h:pa
      bridge h:br0: flood h:nic h:pb h:pc → h:pb
        copy by h:nic 10.0.0.2 > 10.0.0.3 → left by h:nic
        copy by h:pc 10.0.0.2 > 10.0.0.3 → ignored
      out h:pb 10.0.0.2 > 10.0.0.3
     b
      in b:eth0 10.0.0.2 > 10.0.0.3
      route 10.0.0.3/32 dev b:eth0 local
      source valid (0)
      delivered (b:eth0)
    back 10.0.0.3 > 10.0.0.2 → delivered to a
     b
      send
      route 10.0.0.0/24 dev b:eth0
      arp 10.0.0.2: 02:00:00:00:00:08 by a:eth0
        arp 10.0.0.3 > 10.0.0.2 → delivered to a
        back 10.0.0.2 > 10.0.0.3 → delivered to b
      out b:eth0 10.0.0.3 > 10.0.0.2
     h
      in h:pb 10.0.0.3 > 10.0.0.2
      bridge h:br0: 02:00:00:00:00:08 behind h:pa (learned now)
      out h:pa 10.0.0.3 > 10.0.0.2
     a
      in a:eth0 10.0.0.3 > 10.0.0.2
      route 10.0.0.2/32 dev a:eth0 local
      source valid (0)
      delivered (a:eth0)
    ");
    // Nobody has that address: it leaves by the card, and whoever is there does not answer for it.
    insta::assert_snapshot!(crate::ends(text, "a", "10.0.0.4"), @r"
    there: left by h:nic
    back: delivered to a
    ");
    let inside = text.replace("link h:nic nic", "").replace("port h:nic br0", "");
    insta::assert_snapshot!(crate::ends(&inside, "a", "10.0.0.4"), @r"
    there: LOST at h:br0: NoPort
    back: -
    ");
}

#[test]
fn a_copy_that_a_host_took_is_the_packet() {
    // r takes the flooded copy, and b's address is known there by a wrong entry.
    let text = "
        ns h
        link h:br0 bridge
        ns a
        ns r forward
        ns b
        veth h:pa a:eth0
        veth h:pr r:eth0
        veth h:pb b:eth0
        port h:pa br0
        port h:pr br0
        port h:pb br0
        addr a:eth0 10.0.0.2/24
        addr r:eth0 10.0.0.1/24
        veth r:eth1 r:eth2
        addr r:eth1 10.1.0.1/24
        route a default via 10.0.0.1 dev eth0
        neigh a:eth0 10.0.0.1 02:00:00:00:00:09
        neigh r:eth1 10.1.0.2 02:00:00:00:00:66";
    insta::assert_snapshot!(crate::ends(text, "a", "10.1.0.2"), @r"
    there: LOST at r:eth2: frame for 02:00:00:00:00:66
    back: -
    ");
}
