//! Multicast snooping. What the kernel does is tried by the scenarios of `oracle`.

use crate::net;
use crate::{ends, whole};

/// Three hosts on a bridge that asks who wants which group.
const NET: &str = "
ns a
ns b
ns c
ns s
link s:br0 bridge
veth a:e0 s:pa
veth b:e0 s:pb
veth c:e0 s:pc
port s:pa br0
port s:pb br0
port s:pc br0
addr a:e0 10.0.1.1/24
addr b:e0 10.0.1.2/24
addr c:e0 10.0.1.3/24
addr s:br0 10.0.1.9/24
route a 224.0.0.0/4 dev e0
group b:e0 239.1.1.1
group s:br0 239.1.1.1
set s:br0 querier 1
set s:br0 query_response 0
";

#[test]
fn to_members_and_routers_alone() {
    let text = format!("{NET}mdb s:pb 239.1.1.1\nrouter s:pc\n");
    insta::assert_snapshot!(whole(&text, "a", "239.1.1.1"), @r"
    there 10.0.1.1 > 239.1.1.1 → delivered to b
     a
      send
      route 224.0.0.0/4 dev a:e0 src 10.0.1.1
      neigh 239.1.1.1 is 01:00:5e:01:01:01 (NOARP)
      out a:e0 10.0.1.1 > 239.1.1.1
     s
      in s:pa 10.0.1.1 > 239.1.1.1
      learn 02:00:00:00:00:06 behind s:pa
      group: s:pb s:pc
      bridge s:br0: flood s:pb s:pc → s:pb
        copy by s:pc 10.0.1.1 > 239.1.1.1 → ignored
      out s:pb 10.0.1.1 > 239.1.1.1
     b
      in b:e0 10.0.1.1 > 239.1.1.1
      route 224.0.0.0/4 dev b:e0
      source valid (0)
      delivered (-)
    back 10.0.1.2 > 10.0.1.1 → delivered to a
     b
      send
      route 10.0.1.0/24 dev b:e0
      arp 10.0.1.1: 02:00:00:00:00:06 by a:e0
        arp 10.0.1.2 > 10.0.1.1 → delivered to a
        back 10.0.1.1 > 10.0.1.2 → delivered to b
      out b:e0 10.0.1.2 > 10.0.1.1
     s
      in s:pb 10.0.1.2 > 10.0.1.1
      bridge s:br0: 02:00:00:00:00:06 behind s:pa (learned now)
      out s:pa 10.0.1.2 > 10.0.1.1
     a
      in a:e0 10.0.1.2 > 10.0.1.1
      route 10.0.1.1/32 dev a:e0 local
      source valid (0)
      delivered (a:e0)
    ");
}

#[test]
fn to_nobody() {
    insta::assert_snapshot!(ends(NET, "a", "239.1.1.1"), @r"
    there: LOST at s:br0: NotWanted(239.1.1.1)
    back: -
    ");
    // The bridge's own host is a member.
    let own = format!("{NET}mdb s:br0 239.1.1.1\n");
    insta::assert_snapshot!(ends(&own, "a", "239.1.1.1"), @r"
    there: delivered to s
    back: delivered to a
    ");
}

#[test]
fn groups_of_the_link_and_bridges_without_a_querier_go_to_all() {
    insta::assert_snapshot!(ends(NET, "a", "224.0.0.1"), @r"
    there: delivered to b
    back: delivered to a
    ");
    let flooded = NET.replace("set s:br0 querier 1", "");
    insta::assert_snapshot!(ends(&flooded, "a", "239.1.1.1"), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn what_is_not_known_of_it() {
    let with = |line: &str| ends(&format!("{NET}{line}\n"), "a", "239.1.1.1");
    insta::assert_snapshot!(with("set s:br0 igmp 3"), @r"
    there: UNKNOWN at s:br0: multicast snooping by source (IGMP 3, MLD 2)
    back: -
    ");
    insta::assert_snapshot!(with("set s:br0 querier_seen 1\nset s:br0 querier_new 1"), @r"
    there: UNKNOWN at s:br0: multicast snooping, with a querier that may be new
    back: -
    ");
    insta::assert_snapshot!(with("gap s mdb"), @r"
    there: UNKNOWN in s: mdb: EPERM
    back: -
    ");
    let told = whole(&format!("{NET}set s:br0 query_response 1000\n"), "a", "239.1.1.1");
    assert!(told.contains("mdb: for longer than members may take"), "{told}");
    let mut snapshot = net::net(&format!("{NET}mdb s:pb 239.1.1.1\n"));
    let port = net::link_id(&snapshot, "s:pb");
    let links = &mut snapshot.namespaces.get_mut(&port.ns).unwrap().links;
    links.get_mut(&port.index).unwrap().port.as_mut().unwrap().mcast_to_unicast = true;
    // A member that was told by hand has no address of its own.
    let trace = crate::ask(&snapshot, "a", "239.1.1.1");
    insta::assert_snapshot!(crate::tell::ends(&snapshot, &trace), @r"
    there: delivered to b
    back: delivered to a
    ");
    let mdb = &mut snapshot.namespaces.get_mut(&port.ns).unwrap().mdb;
    mdb.iter_mut().for_each(|entry| entry.permanent = false);
    let trace = crate::ask(&snapshot, "a", "239.1.1.1");
    insta::assert_snapshot!(crate::tell::ends(&snapshot, &trace), @r"
    there: UNKNOWN at s:pb: mcast_to_unicast
    back: -
    ");
}
