//! VLANs: links of them, and bridges that filter by them. This kernel has neither; what is told here
//! follows `br_vlan.c` and `net/8021q`.

use crate::{ends, whole};

/// A router with a VLAN link on its one port of a bridge, and two hosts of two VLANs behind others.
const STICK: &str = "
ns a
ns b
ns s
ns r forward
link s:br0 bridge
set s:br0 vlan_filtering 1
veth a:e0 s:pa
veth b:e0 s:pb
veth r:e0 s:pr
port s:pa br0
port s:pb br0
port s:pr br0
vlan s:pa 10 pvid untagged
vlan s:pb 20 pvid untagged
vlan s:pr 10
vlan s:pr 20
vlan s:br0 1 pvid untagged
link r:v10 vlan
on r:v10 r:e0
set r:v10 vlan_id 10
link r:v20 vlan
on r:v20 r:e0
set r:v20 vlan_id 20
addr a:e0 10.0.10.1/24
addr b:e0 10.0.20.1/24
addr r:v10 10.0.10.254/24
addr r:v20 10.0.20.254/24
route a default via 10.0.10.254 dev e0
route b default via 10.0.20.254 dev e0
";

#[test]
fn a_router_on_a_stick() {
    insta::assert_snapshot!(whole(STICK, "a", "10.0.20.1"), @r"
    there 10.0.10.1 > 10.0.20.1 → delivered to b
     a
      send
      route 0.0.0.0/0 via 10.0.10.254 dev a:e0 src 10.0.10.1
      arp 10.0.10.254: 02:00:00:00:00:0c by r:v10
        arp 10.0.10.1 > 10.0.10.254 → delivered to r
        back 10.0.10.254 > 10.0.10.1 → delivered to a
      out a:e0 10.0.10.1 > 10.0.20.1
     s
      in s:pa 10.0.10.1 > 10.0.20.1
      vlan 10 Joined { by_tag: false } s:pa
      bridge s:br0: 02:00:00:00:00:0c behind s:pr (learned now)
      vlan 10 Tagged s:pr
      out s:pr 10.0.10.1 > 10.0.20.1
     r
      in r:e0 10.0.10.1 > 10.0.20.1
      vlan 10 Untagged r:v10
      in r:v10 10.0.10.1 > 10.0.20.1
      route 10.0.20.0/24 dev r:v20
      source valid (0)
      forward ttl 64
      arp 10.0.20.1: 02:00:00:00:00:08 by b:e0
        arp 10.0.20.254 > 10.0.20.1 → delivered to b
        back 10.0.20.1 > 10.0.20.254 → delivered to r
      out r:v20 10.0.10.1 > 10.0.20.1
      vlan 20 Tagged r:e0
      out r:e0 10.0.10.1 > 10.0.20.1
     s
      in s:pr 10.0.10.1 > 10.0.20.1
      vlan 20 Joined { by_tag: true } s:pr
      bridge s:br0: 02:00:00:00:00:08 behind s:pb (learned now)
      out s:pb 10.0.10.1 > 10.0.20.1
     b
      in b:e0 10.0.10.1 > 10.0.20.1
      route 10.0.20.1/32 dev b:e0 local
      source valid (0)
      delivered (b:e0)
    back 10.0.20.1 > 10.0.10.1 → delivered to a
     b
      send
      route 0.0.0.0/0 via 10.0.20.254 dev b:e0
      neigh 10.0.20.254 is 02:00:00:00:00:0d (STALE)
      out b:e0 10.0.20.1 > 10.0.10.1
     s
      in s:pb 10.0.20.1 > 10.0.10.1
      vlan 20 Joined { by_tag: false } s:pb
      bridge s:br0: 02:00:00:00:00:0d behind s:pr (learned now)
      vlan 20 Tagged s:pr
      out s:pr 10.0.20.1 > 10.0.10.1
     r
      in r:e0 10.0.20.1 > 10.0.10.1
      vlan 20 Untagged r:v20
      in r:v20 10.0.20.1 > 10.0.10.1
      route 10.0.10.0/24 dev r:v10
      source valid (0)
      forward ttl 64
      neigh 10.0.10.1 is 02:00:00:00:00:06 (STALE)
      out r:v10 10.0.20.1 > 10.0.10.1
      vlan 10 Tagged r:e0
      out r:e0 10.0.20.1 > 10.0.10.1
     s
      in s:pr 10.0.20.1 > 10.0.10.1
      vlan 10 Joined { by_tag: true } s:pr
      bridge s:br0: 02:00:00:00:00:06 behind s:pa (learned now)
      out s:pa 10.0.20.1 > 10.0.10.1
     a
      in a:e0 10.0.20.1 > 10.0.10.1
      route 10.0.10.1/32 dev a:e0 local
      source valid (0)
      delivered (a:e0)
    ");
}

#[test]
fn hosts_of_two_vlans_do_not_hear_each_other() {
    let text = STICK.replace("10.0.20.1/24", "10.0.10.2/24");
    insta::assert_snapshot!(ends(&text, "a", "10.0.10.2"), @r"
    there: LOST at a:e0: no neighbour 10.0.10.2
    back: -
    ");
}

#[test]
fn in_one_vlan_they_do() {
    let text = STICK.replace("10.0.20.1/24", "10.0.10.2/24").replace("s:pb 20", "s:pb 10");
    insta::assert_snapshot!(ends(&text, "a", "10.0.10.2"), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn a_frame_without_a_tag_where_there_is_no_vlan_for_it() {
    let text = STICK.replace("vlan s:pa 10 pvid untagged", "vlan s:pa 10 untagged");
    insta::assert_snapshot!(ends(&text, "a", "10.0.10.254"), @r"
    there: LOST at a:e0: no neighbour 10.0.10.254 because LOST at s:pa: NotInVlan { port: LinkId { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 3 } }, index: 3 }, id: None }
    back: -
    ");
}

#[test]
fn a_tag_that_no_link_takes() {
    let text = format!("{STICK}neigh a:e0 10.0.10.254 02:00:00:00:00:0c\n");
    let text = text.replace("set r:v10 vlan_id 10", "set r:v10 vlan_id 30");
    insta::assert_snapshot!(ends(&text, "a", "10.0.10.254"), @r"
    there: LOST at r:e0: NoVlanLink { id: 10 }
    back: -
    ");
}

#[test]
fn a_vlan_link_that_is_down() {
    let text = format!("{STICK}neigh a:e0 10.0.10.254 02:00:00:00:00:0c\nset r:v10 up 0\n");
    insta::assert_snapshot!(ends(&text, "a", "10.0.10.254"), @r"
    there: LOST at r:v10: LinkDown
    back: -
    ");
}

#[test]
fn the_bridge_s_own_host_is_in_vlans_too() {
    let with = |vlans: &str| format!("{STICK}addr s:br0 10.0.10.9/24\n{vlans}");
    insta::assert_snapshot!(ends(&with(""), "a", "10.0.10.9"), @r"
    there: LOST at a:e0: no neighbour 10.0.10.9
    back: -
    ");
    let own = with("vlan s:br0 10").replace("s:br0 1 pvid untagged", "s:br0 1");
    insta::assert_snapshot!(ends(&own, "a", "10.0.10.9"), @r"
    there: LOST at a:e0: no neighbour 10.0.10.9
    back: -
    ");
    let own = with("vlan s:br0 10 pvid untagged").replace("s:br0 1 pvid untagged", "s:br0 1");
    insta::assert_snapshot!(ends(&own, "a", "10.0.10.9"), @r"
    there: delivered to s
    back: delivered to a
    ");
    let above = "link s:v10 vlan mac 02:00:00:00:00:05\non s:v10 s:br0\nset s:v10 vlan_id 10\naddr s:v10 10.0.10.9/24\n";
    let own = format!("{STICK}vlan s:br0 10\n{above}");
    insta::assert_snapshot!(ends(&own, "a", "10.0.10.9"), @r"
    there: delivered to s
    back: delivered to a
    ");
}

#[test]
fn the_table_is_of_each_vlan() {
    let known = "fdb s:pr 02:00:00:00:00:08\n";
    let text = STICK.replace("10.0.20.1/24", "10.0.10.2/24").replace("s:pb 20", "s:pb 10");
    // What is known without a VLAN counts for none.
    let wrong = format!("{text}{known}neigh a:e0 10.0.10.2 02:00:00:00:00:08\n");
    insta::assert_snapshot!(ends(&wrong, "a", "10.0.10.2"), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn a_bridge_that_does_not_filter_passes_tags_on() {
    let text = STICK
        .replace("set s:br0 vlan_filtering 1", "")
        .replace("link r:v20", "link a:v10 vlan\non a:v10 a:e0\nset a:v10 vlan_id 10\nlink r:v20")
        .replace("addr a:e0", "addr a:v10")
        .replace("route a default via 10.0.10.254 dev e0", "");
    insta::assert_snapshot!(ends(&text, "a", "10.0.10.254"), @r"
    there: delivered to r
    back: delivered to a
    ");
}

#[test]
fn from_and_to_beyond_the_host_with_a_tag() {
    let text = "
ns h
link h:eth0 nic
link h:v5 vlan
on h:v5 h:eth0
set h:v5 vlan_id 5
addr h:v5 10.0.5.1/24
route h default via 10.0.5.254 dev v5
";
    insta::assert_snapshot!(whole(text, "h", "192.0.2.1"), @r"
    there 10.0.5.1 > 192.0.2.1 → left by h:eth0
     h
      send
      route 0.0.0.0/0 via 10.0.5.254 dev h:v5 src 10.0.5.1
      arp 10.0.5.254: outside h:eth0, unknown
        arp 10.0.5.1 > 10.0.5.254 → left by h:eth0
      out h:v5 10.0.5.1 > 192.0.2.1
      vlan 5 Tagged h:eth0
      out h:eth0 10.0.5.1 > 192.0.2.1
      left by h:eth0
    back 192.0.2.1 > 10.0.5.1 → delivered to h
     h
      entered by h:eth0
      in h:eth0 192.0.2.1 > 10.0.5.1
      vlan 5 Untagged h:v5
      in h:v5 192.0.2.1 > 10.0.5.1
      route 10.0.5.1/32 dev h:v5 local
      source valid (0)
      delivered (h:v5)
    ");
}

#[test]
fn br_netfilter_leaves_tagged_frames_alone() {
    let text = STICK.replace("ns s\n", "ns s brnf\n");
    let text = format!("{text}iptables s -P FORWARD DROP\n");
    // Where the frame leaves, its tag is on before FORWARD.
    insta::assert_snapshot!(ends(&text, "a", "10.0.20.1"), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn a_port_of_no_vlan_is_the_reason_where_nobody_else_hears_it() {
    let text = STICK.replace("vlan s:pr 10\n", "").replace("vlan s:br0 1 pvid untagged\n", "");
    insta::assert_snapshot!(ends(&text, "a", "10.0.10.254"), @r"
    there: LOST at a:e0: no neighbour 10.0.10.254 because LOST at s:pb: NotInVlan { port: LinkId { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 3 } }, index: 4 }, id: Some(10) }
    back: -
    ");
}
