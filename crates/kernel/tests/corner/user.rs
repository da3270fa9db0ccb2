//! Namespaces that user namespaces own.

use trial::{Test, test};

use crate::space::Space;
use crate::tool::snapshot;

pub(crate) fn tests() -> Vec<Test> {
    vec![test("a_child_in_a_user_namespace", &[], a_child_in_a_user_namespace)]
}

fn a_child_in_a_user_namespace() {
    let own = Space::new(&["--net"]);
    let child = Space::new(&["--user", "--map-root-user", "--net"]);
    let grandchild = child.inside_user(&["--user", "--map-root-user", "--net"]);
    let snapshot = snapshot();
    let owner = |s: &Space| s.of(&snapshot).owner.clone();
    assert_eq!((owner(&own).unprivileged, owner(&own).depth()), (false, Some(0)));
    for (space, depth) in [(&child, 1), (&grandchild, 2)] {
        let owner = owner(space);
        assert_eq!((owner.unprivileged, owner.uid, owner.depth()), (true, Some(0), Some(depth)));
        assert_eq!(space.of(&snapshot).gaps, []);
    }
    assert_eq!(owner(&grandchild).users[1..], owner(&child).users[..]);
    assert_eq!(owner(&child).users[1..], owner(&own).users[..]);
}
