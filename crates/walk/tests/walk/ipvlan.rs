//! Ipvlans. This kernel has none; what is told here follows `drivers/net/ipvlan`.

use crate::{ends, whole};

/// Two on one link, whose namespace routes between that and another.
const NET: &str = "
ns a
ns h forward
ns b
ns c
ns d
veth a:e0 h:e0
veth d:e0 h:e1
addr a:e0 10.0.1.1/24
addr h:e0 10.0.1.4/24
addr h:e1 10.0.2.4/24
addr d:e0 10.0.2.1/24
link b:i0 ipvlan mac 02:00:00:00:00:07
link c:i0 ipvlan mac 02:00:00:00:00:07
on b:i0 h:e0
on c:i0 h:e0
addr b:i0 10.0.1.2/24
addr c:i0 10.0.1.3/24
route d default via 10.0.2.4 dev e0
";

fn of_mode(mode: u32) -> String {
    format!("{NET}set b:i0 ipvlan_mode {mode}\nset c:i0 ipvlan_mode {mode}\n")
}

#[test]
fn siblings_of_mode_l2() {
    insta::assert_snapshot!(whole(&of_mode(0), "b", "10.0.1.3"), @r"
    there 10.0.1.2 > 10.0.1.3 → delivered to c
     b
      send
      route 10.0.1.0/24 dev b:i0 src 10.0.1.2
      arp 10.0.1.3: 02:00:00:00:00:07 by c:i0
        arp 10.0.1.2 > 10.0.1.3 → delivered to c
        back 10.0.1.3 > 10.0.1.2 → delivered to b
      out b:i0 10.0.1.2 > 10.0.1.3
      sibling c:i0
     c
      in c:i0 10.0.1.2 > 10.0.1.3
      route 10.0.1.3/32 dev c:i0 local
      source valid (0)
      delivered (c:i0)
    back 10.0.1.3 > 10.0.1.2 → delivered to b
     c
      send
      route 10.0.1.0/24 dev c:i0
      neigh 10.0.1.2 is 02:00:00:00:00:07 (STALE)
      out c:i0 10.0.1.3 > 10.0.1.2
      sibling b:i0
     b
      in b:i0 10.0.1.3 > 10.0.1.2
      route 10.0.1.2/32 dev b:i0 local
      source valid (0)
      delivered (b:i0)
    ");
}

#[test]
fn mode_l2_and_the_world() {
    insta::assert_snapshot!(ends(&of_mode(0), "b", "10.0.1.1"), @r"
    there: delivered to a
    back: delivered to b
    ");
    insta::assert_snapshot!(ends(&of_mode(0), "a", "10.0.1.3"), @r"
    there: delivered to c
    back: delivered to a
    ");
}

#[test]
fn those_that_are_down_are_not_found() {
    let text = format!("{}neigh a:e0 10.0.1.3 02:00:00:00:00:07\nset c:i0 up 0\n", of_mode(0));
    insta::assert_snapshot!(ends(&text, "a", "10.0.1.3"), @r"
    there: LOST at h:e0: no neighbour 10.0.1.3
    back: -
    ");
}

#[test]
fn private_ones_do_not_speak_and_vepa_asks_the_world() {
    let known = "neigh b:i0 10.0.1.3 02:00:00:00:00:07\n";
    let with = |flag: u32| format!("{}{known}set b:i0 ipvlan_flag {flag}\n", of_mode(0));
    insta::assert_snapshot!(ends(&with(1), "b", "10.0.1.3"), @r"
    there: LOST at b:i0: Swallowed
    back: -
    ");
    insta::assert_snapshot!(ends(&with(2), "b", "10.0.1.3"), @r"
    there: LOST at a:e0: frame for 02:00:00:00:00:07
    back: -
    ");
}

#[test]
fn mode_l3_is_routed_below() {
    let text = of_mode(1);
    let text = format!("{text}neigh h:e0 10.0.1.1 02:00:00:00:00:06\n");
    insta::assert_snapshot!(whole(&text, "b", "10.0.1.1"), @r"
    there 10.0.1.2 > 10.0.1.1 → delivered to a
     b
      send
      route 10.0.1.0/24 dev b:i0 src 10.0.1.2
      out b:i0 10.0.1.2 > 10.0.1.1
     h
      route 10.0.1.0/24 dev h:e0
      neigh 10.0.1.1 is 02:00:00:00:00:06 (REACHABLE)
      out h:e0 10.0.1.2 > 10.0.1.1
     a
      in a:e0 10.0.1.2 > 10.0.1.1
      route 10.0.1.1/32 dev a:e0 local
      source valid (0)
      delivered (a:e0)
    back 10.0.1.1 > 10.0.1.2 → LOST at a:e0: no neighbour 10.0.1.2
     a
      send
      route 10.0.1.0/24 dev a:e0
      arp 10.0.1.2: nobody
        arp 10.0.1.1 > 10.0.1.2 → ignored
      LOST at a:e0: no neighbour 10.0.1.2
        error 0.0.0.0 > 10.0.1.1 → delivered to a
         a
          send
          route 10.0.1.1/32 dev a:e0 local src 10.0.1.1
          out a:lo 10.0.1.1 > 10.0.1.1
          in a:lo 10.0.1.1 > 10.0.1.1
          delivered (a:e0)
    ");
    insta::assert_snapshot!(ends(&of_mode(2), "b", "10.0.1.3"), @r"
    there: UNKNOWN at b:i0: ipvlan of mode l3s
    back: -
    ");
}
