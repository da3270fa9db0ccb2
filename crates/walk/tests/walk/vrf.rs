//! VRFs. This kernel has none; what is told here was seen on Debian's 6.1, and follows
//! `drivers/net/vrf.c`.

use crate::{ask, net, tell, whole};

/// A router that has two of its three links in a VRF.
const NET: &str = "
ns a
ns r forward
ns b
ns c
veth a:e0 r:ea
veth b:e0 r:eb
veth c:e0 r:ec
addr a:e0 10.0.1.2/24
addr r:ea 10.0.1.1/24
addr b:e0 10.0.2.2/24
addr r:eb 10.0.2.1/24
addr c:e0 10.0.3.2/24
addr r:ec 10.0.3.1/24
route a default via 10.0.1.1 dev e0
route b default via 10.0.2.1 dev e0
route c default via 10.0.3.1 dev e0
link r:blue vrf
member r:ea r:blue
member r:eb r:blue
rule r 0 lookup 255
rule r 1000 l3mdev
rule r 32766 lookup 254
iptables r -A FORWARD -i blue -j ACCEPT
iptables r -P FORWARD DROP
";

#[test]
fn between_two_members() {
    insta::assert_snapshot!(whole(NET, "a", "10.0.2.2"), @r"
    there 10.0.1.2 > 10.0.2.2 → delivered to b
     a
      send
      route 0.0.0.0/0 via 10.0.1.1 dev a:e0 src 10.0.1.2
      arp 10.0.1.1: 02:00:00:00:00:06 by r:ea
        arp 10.0.1.2 > 10.0.1.1 → delivered to r
        back 10.0.1.1 > 10.0.1.2 → delivered to a
      out a:e0 10.0.1.2 > 10.0.2.2
     r
      in r:ea 10.0.1.2 > 10.0.2.2
      vrf r:blue
      route 10.0.2.0/24 dev r:eb rule 1000
      source valid (0)
      forward ttl 64
      chain filter FORWARD: filter FORWARD#1 [filter FORWARD#1]
      arp 10.0.2.2: 02:00:00:00:00:07 by b:e0
        arp 10.0.2.1 > 10.0.2.2 → delivered to b
        back 10.0.2.2 > 10.0.2.1 → delivered to r
      out r:eb 10.0.1.2 > 10.0.2.2
     b
      in b:e0 10.0.1.2 > 10.0.2.2
      route 10.0.2.2/32 dev b:e0 local
      source valid (0)
      delivered (b:e0)
    back 10.0.2.2 > 10.0.1.2 → delivered to a
     b
      send
      route 0.0.0.0/0 via 10.0.2.1 dev b:e0
      neigh 10.0.2.1 is 02:00:00:00:00:08 (STALE)
      out b:e0 10.0.2.2 > 10.0.1.2
     r
      in r:eb 10.0.2.2 > 10.0.1.2
      vrf r:blue
      route 10.0.1.0/24 dev r:ea rule 1000
      source valid (0)
      forward ttl 64
      chain filter FORWARD: filter FORWARD#1 [filter FORWARD#1]
      neigh 10.0.1.2 is 02:00:00:00:00:05 (STALE)
      out r:ea 10.0.2.2 > 10.0.1.2
     a
      in a:e0 10.0.2.2 > 10.0.1.2
      route 10.0.1.2/32 dev a:e0 local
      source valid (0)
      delivered (a:e0)
    ");
}

#[test]
fn from_outside_of_it() {
    insta::assert_snapshot!(whole(NET, "c", "10.0.2.2"), @r"
    there 10.0.3.2 > 10.0.2.2 → LOST at r:ec: NoRoute(10.0.2.2)
     c
      send
      route 0.0.0.0/0 via 10.0.3.1 dev c:e0 src 10.0.3.2
      arp 10.0.3.1: 02:00:00:00:00:0a by r:ec
        arp 10.0.3.2 > 10.0.3.1 → delivered to r
        back 10.0.3.1 > 10.0.3.2 → delivered to c
      out c:e0 10.0.3.2 > 10.0.2.2
     r
      in r:ec 10.0.3.2 > 10.0.2.2
      LOST at r:ec: NoRoute(10.0.2.2)
        error 0.0.0.0 > 10.0.3.2 → delivered to c
         r
          send
          route 10.0.3.0/24 dev r:ec src 10.0.3.1 rule 32766
          neigh 10.0.3.2 is 02:00:00:00:00:09 (STALE)
          out r:ec 10.0.3.1 > 10.0.3.2
         c
          in c:e0 10.0.3.1 > 10.0.3.2
          route 10.0.3.2/32 dev c:e0 local
          source valid (0)
          delivered (c:e0)
    ");
}

#[test]
fn to_the_router_by_a_member() {
    insta::assert_snapshot!(whole(NET, "a", "10.0.1.1"), @r"
    there 10.0.1.2 > 10.0.1.1 → delivered to r
     a
      send
      route 10.0.1.0/24 dev a:e0 src 10.0.1.2
      arp 10.0.1.1: 02:00:00:00:00:06 by r:ea
        arp 10.0.1.2 > 10.0.1.1 → delivered to r
        back 10.0.1.1 > 10.0.1.2 → delivered to a
      out a:e0 10.0.1.2 > 10.0.1.1
     r
      in r:ea 10.0.1.2 > 10.0.1.1
      vrf r:blue
      route 10.0.1.1/32 dev r:ea local rule 1000
      source valid (0)
      delivered (r:ea)
    back 10.0.1.1 > 10.0.1.2 → delivered to a
     r
      send
      route 10.0.1.0/24 dev r:ea rule 1000
      vrf r:blue
      neigh 10.0.1.2 is 02:00:00:00:00:05 (STALE)
      out r:ea 10.0.1.1 > 10.0.1.2
     a
      in a:e0 10.0.1.1 > 10.0.1.2
      route 10.0.1.2/32 dev a:e0 local
      source valid (0)
      delivered (a:e0)
    ");
}

/// What is sent from here then goes by way of the VRF's own sending, which is not modelled.
#[test]
fn one_with_a_qdisc_of_its_own() {
    let mut snapshot = net::net(NET);
    let id = net::id(&snapshot, "r");
    let links = &mut snapshot.namespaces.get_mut(&id).unwrap().links;
    links.values_mut().find(|l| l.name == "blue").unwrap().qdisc = "fq_codel".into();
    let trace = ask(&snapshot, "a", "10.0.1.1");
    insta::assert_snapshot!(tell::ends(&snapshot, &trace), @"
    there: delivered to r
    back: UNKNOWN in r: VRF blue
    ");
}
