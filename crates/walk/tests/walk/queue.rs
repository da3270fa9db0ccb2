//! What queueing disciplines throw away, or may.

use model::{Queue, Snapshot};
use walk::{Change, Then};

use crate::net::{id, link_id, net};
use crate::scenarios::ROUTER;
use crate::{ask, tell};

/// A router whose link out has such a queue.
fn router(queues: &[Queue]) -> Snapshot {
    let mut snapshot = net(ROUTER);
    let r = id(&snapshot, "r");
    let links = &mut snapshot.namespaces.get_mut(&r).unwrap().links;
    links.values_mut().find(|l| l.name == "eth1").unwrap().queues = queues.to_vec();
    snapshot
}

/// How both ways end.
fn ends(queues: &[Queue]) -> String {
    let snapshot = router(queues);
    let trace = ask(&snapshot, "a", "10.1.0.2");
    let assumed =
        trace.assumptions().into_iter().map(|(_, gap)| format!("\n{}: {}", gap.part, gap.cause));
    format!("{}{}", tell::ends(&snapshot, &trace), assumed.collect::<String>())
}

fn kind() -> String {
    "tbf".to_owned()
}

#[test]
fn thrown_away() {
    insta::assert_snapshot!(ends(&[Queue::Swallows { kind: kind() }]), @r#"
    there: LOST at r:eth1: no neighbour 10.1.0.2 because LOST at r:eth1: Queue { kind: "tbf", most: None }
    back: -
    "#);
    insta::assert_snapshot!(ends(&[Queue::UpTo { kind: kind(), most: 97 }]), @r#"
    there: LOST at r:eth1: Queue { kind: "tbf", most: Some(97) }
    back: -
    "#);
    insta::assert_snapshot!(ends(&[Queue::UpTo { kind: kind(), most: 98 }]), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn mended() {
    let snapshot = router(&[Queue::Swallows { kind: kind() }]);
    let mend = ask(&snapshot, "a", "10.1.0.2").mend(&snapshot).expect("it is lost");
    let link = link_id(&snapshot, "r:eth1");
    assert_eq!((mend.changes, mend.then), (vec![Change::DropQueue(link)], Then::Passes));
}

#[test]
fn not_known() {
    insta::assert_snapshot!(ends(&[Queue::Chance { loss: u32::MAX / 4, duplicate: 0, corrupt: 0 }]), @r"
    there: delivered to b
    back: delivered to a
    queue of eth1: netem loss 25%
    ");
    insta::assert_snapshot!(ends(&[Queue::NotShown { kind: kind() }, Queue::Swallows { kind: kind() }]), @r#"
    there: LOST at r:eth1: no neighbour 10.1.0.2 because LOST at r:eth1: Queue { kind: "tbf", most: None }
    back: -
    queue of eth1: tbf, whose settings are not shown
    "#);
    insta::assert_snapshot!(ends(&[Queue::Unknown { kind: kind() }]), @r"
    there: UNKNOWN at r:eth1: tbf, whose classes and filters are not read
    back: -
    ");
}
