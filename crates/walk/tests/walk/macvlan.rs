//! Macvlans. What each mode does is tried on the kernel by the scenarios of `oracle`.

use crate::{ends, whole};

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

#[test]
fn from_outside_to_one_whose_namespace_hears_it_by_two_links() {
    let text = format!("{NET}\naddr b:e0 10.0.1.4/24");
    insta::assert_snapshot!(ends(&text, "a", "10.0.1.4"), @r"
    there: delivered to b
    back: UNKNOWN at b:m0: 10.0.1.1 may have asked by it too late for this packet
    ");
}
