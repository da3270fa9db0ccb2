//! Macvlans. What each mode does is tried on the kernel by the scenarios of `oracle`.

use crate::net::{link_id, net};
use crate::{ask, ends, tell, whole};

const NET: &str = "
ns a
ns b
ns c
veth a:e0 b:e0
addr a:e0 10.0.1.1/24
link b:m0 macvlan
link c:m0 macvlan
on b:m0 b:e0
on c:m0 b:e0
set b:m0 macvlan_mode 2
set c:m0 macvlan_mode 2
addr b:m0 10.0.1.2/24
addr c:m0 10.0.1.3/24
";

#[test]
fn siblings() {
    insta::assert_snapshot!(whole(NET, "c", "10.0.1.2"), @r"
    there 10.0.1.3 > 10.0.1.2 → delivered to b
     c
      send
      route 10.0.1.0/24 dev c:m0 src 10.0.1.3
      arp 10.0.1.2: 02:00:00:00:00:06 by b:m0
        arp 10.0.1.3 > 10.0.1.2 → delivered to b
        back 10.0.1.2 > 10.0.1.3 → delivered to c
      out c:m0 10.0.1.3 > 10.0.1.2
      sibling b:m0
     b
      in b:e0 10.0.1.3 > 10.0.1.2
      upper: b:m0 → b:m0
      in b:m0 10.0.1.3 > 10.0.1.2
      route 10.0.1.2/32 dev b:m0 local
      source valid (0)
      delivered (b:m0)
    back 10.0.1.2 > 10.0.1.3 → delivered to c
     b
      send
      route 10.0.1.0/24 dev b:m0
      neigh 10.0.1.3 is 02:00:00:00:00:07 (STALE)
      out b:m0 10.0.1.2 > 10.0.1.3
      sibling c:m0
      in b:e0 10.0.1.2 > 10.0.1.3
      upper: c:m0 → c:m0
     c
      in c:m0 10.0.1.2 > 10.0.1.3
      route 10.0.1.3/32 dev c:m0 local
      source valid (0)
      delivered (c:m0)
    ");
}

/// Which of two in one place of the hash came up first is not told.
#[test]
fn two_that_answer_in_no_known_order() {
    let with = |mac: &str| {
        let mut snapshot = net(&format!("{NET}\naddr b:m0 10.0.1.9/24\naddr c:m0 10.0.1.9/24"));
        for (link, mac) in [("b:m0", "02:00:00:00:00:01"), ("c:m0", mac)] {
            let id = link_id(&snapshot, link);
            let links = &mut snapshot.namespaces.get_mut(&id.ns).unwrap().links;
            links.get_mut(&id.index).unwrap().mac = mac.parse().ok();
        }
        tell::ends(&snapshot, &ask(&snapshot, "a", "10.0.1.9"))
    };
    insta::assert_snapshot!(with("02:00:00:00:00:02"), @r"
    there: delivered to b
    back: UNKNOWN at b:m0: 10.0.1.1 may have asked by it too late for this packet
    ");
    insta::assert_snapshot!(with("02:00:00:00:01:75"), @r"
    there: UNKNOWN at a:e0: which of the macvlans that answer for 10.0.1.9 is asked first
    back: -
    ");
}

#[test]
fn from_outside_to_one_whose_namespace_hears_it_by_two_links() {
    let text = format!("{NET}\naddr b:e0 10.0.1.4/24");
    insta::assert_snapshot!(ends(&text, "a", "10.0.1.4"), @r"
    there: delivered to b
    back: UNKNOWN at b:m0: 10.0.1.1 may have asked by it too late for this packet
    ");
}
