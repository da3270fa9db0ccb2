//! What would let a lost packet pass, checked by walking again.

use walk::{Change, Ip, Place, Protocol, Question, Reason, Then};

use crate::net::{id, ip, link_id, net};

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
";

/// The changes that let an echo from a to b pass, with these lines more or in place of others.
#[track_caller]
fn mended(text: &str) -> (Vec<Change>, Then) {
    let s = net(text);
    let question = Question::new(Place::Namespace(id(&s, "a")), ip("10.1.0.2"), Protocol::Icmp);
    let mend = walk::trace(&s, question).mend(&s).expect("it is lost");
    (mend.changes, mend.then)
}

#[test]
fn one_change() {
    let s = net(NET);
    let r = id(&s, "r");
    let (changes, then) = mended(&NET.replace("ns r forward", "ns r"));
    assert_eq!((changes, then), (vec![Change::Forward(r, Ip::V4)], Then::Passes));
    let (changes, then) = mended(&NET.replace("route a default via 10.0.0.1 dev eth0\n", ""));
    let route = Change::DefaultRoute(id(&s, "a"), ip("10.0.0.1"), link_id(&s, "a:eth0").index);
    assert_eq!((changes, then), (vec![route], Then::Passes));
}

#[test]
fn several_changes_each_needed_after_the_other() {
    let text = format!("{}iptables r -P FORWARD DROP\n", NET.replace("ns r forward", "ns r"));
    let (changes, then) = mended(&text);
    let [Change::Forward(..), Change::Accept(_, there, _), Change::Accept(_, back, _)] =
        &changes[..]
    else {
        panic!("{changes:?}")
    };
    assert_eq!((*there, *back), (ip("10.0.0.2"), ip("10.1.0.2")));
    assert_eq!(then, Then::Passes);
}

#[test]
fn what_does_not_help_is_not_offered_and_what_comes_next_is_told() {
    // Nobody has the address.
    let (changes, then) = mended(&NET.replace("10.1.0.2/24", "10.1.0.3/24"));
    assert!(changes.is_empty(), "{changes:?}");
    assert!(
        matches!(then, Then::Lost(loss, _) if matches!(loss.reason, Reason::NoNeighbour { .. }))
    );
    // It forwards then, and still nobody has it.
    let text = NET.replace("ns r forward", "ns r").replace("10.1.0.2/24", "10.1.0.3/24");
    let (changes, then) = mended(&text);
    assert!(matches!(changes[..], [Change::Forward(..)]), "{changes:?}");
    assert!(
        matches!(then, Then::Lost(loss, _) if matches!(loss.reason, Reason::NoNeighbour { .. }))
    );
}
