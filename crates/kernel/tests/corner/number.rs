//! Nsids: each namespace's own, given only when somebody asks, and no more than hints.

use trial::{Test, test};

use crate::space::Space;
use crate::tool::snapshot;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("three_hundred_nsids", &[], three_hundred_nsids),
        test("reading_gives_nobody_a_number", &[], reading_gives_nobody_a_number),
        test("a_grandchild_without_a_number_on_the_host", &[], a_grandchild),
    ]
}

/// A list of nsids is cut at some 130 without a word.
fn three_hundred_nsids() {
    let space = Space::new(&["--net", "--mount"]);
    let line = |n: u32| format!("netns add n{n}\nlink add v{n} type veth peer name e netns n{n}\n");
    let lines: String = (0..300).map(line).collect();
    space.run(&format!("mount -t tmpfs none /run; ip -batch - <<'END'\n{lines}END"));
    let snapshot = snapshot();
    let table = &space.of(&snapshot).nsids;
    assert_eq!(table.len(), 300);
    for (nth, (_, id)) in table.iter().enumerate() {
        let file = &snapshot.namespaces[id].files[0];
        assert_eq!(file.path, format!("/run/netns/n{nth}"));
    }
}

/// A list of links gives its namespace a number for every peer that has none there yet: the far
/// end of a pair that was made from here has not been told of.
fn reading_gives_nobody_a_number() {
    let (near, far) = (Space::new(&["--net"]), Space::new(&["--net"]));
    near.run_net(&format!("ip link add near type veth peer name far netns {}", far.pid));
    let list = |ns: &Space| ns.run_net("ip netns list-id");
    assert_eq!((list(&near).lines().count(), list(&far).lines().count()), (1, 0));
    let snapshot = snapshot();
    assert_eq!((list(&near).lines().count(), list(&far).lines().count()), (1, 0));
    let (n, f) = (near.of(&snapshot), far.of(&snapshot));
    assert_eq!(n.nsids.values().copied().collect::<Vec<_>>(), [f.id]);
    assert!(f.nsids.is_empty());
    // The wire is known all the same, at both ends.
    assert_eq!(f.link_named("far").unwrap().peer().map(|p| p.ns), Some(n.id));
    assert_eq!(n.link_named("near").unwrap().peer().map(|p| p.ns), Some(f.id));
    // This is what would have been done to it.
    far.run_net("ip link show");
    assert_eq!(list(&far).lines().count(), 1);
}

/// The reader has a number for the child, and none for what is behind it.
fn a_grandchild() {
    let (own, child) = (Space::new(&["--net"]), Space::new(&["--net"]));
    let grandchild = Space::new(&["--net"]);
    own.run_net(&format!("ip link add c type veth peer name o netns {}", child.pid));
    child.run_net(&format!("ip link add g type veth peer name c netns {}", grandchild.pid));
    let snapshot = snapshot();
    let here = own.of(&snapshot);
    assert_eq!(here.nsids.values().copied().collect::<Vec<_>>(), [child.id()]);
    let to = |ns: &Space, name| ns.of(&snapshot).link_named(name).unwrap().peer().unwrap().ns;
    assert_eq!((to(&own, "c"), to(&child, "o")), (child.id(), own.id()));
    assert_eq!((to(&child, "g"), to(&grandchild, "c")), (grandchild.id(), child.id()));
}
