//! VXLAN. What the kernel does with each option is tried by the scenarios of `oracle`.

use crate::routed::routed;
use crate::{ends, whole};

/// `a` and `b` with a vxlan each, and a router between them.
const NET: &str = concat!(
    routed!(),
    "\
link a:vx vxlan
link b:vx vxlan
addr a:vx 10.9.0.1/24
addr b:vx 10.9.0.2/24
remote a:vx 00:00:00:00:00:00 10.0.2.1
"
);

#[test]
fn there_and_back() {
    insta::assert_snapshot!(whole(NET, "a", "10.9.0.2"), @r"
    there 10.9.0.1 > 10.9.0.2 → delivered to b
     a
      send
      route 10.9.0.0/24 dev a:vx src 10.9.0.1
      arp 10.9.0.2: 02:00:00:00:00:09 by b:vx
        arp 10.9.0.1 > 10.9.0.2 → delivered to b
        back 10.9.0.2 > 10.9.0.1 → delivered to a
      out a:vx 10.9.0.1 > 10.9.0.2
      wrap a:vx 0, 10.0.1.1 > 10.0.2.1, 134 bytes
      route 0.0.0.0/0 via 10.0.1.2 dev a:e0
      neigh 10.0.1.2 is 02:00:00:00:00:05 (REACHABLE)
      out a:e0 10.0.1.1:0 > 10.0.2.1:4789
     r
      in r:ea 10.0.1.1:0 > 10.0.2.1:4789
      route 10.0.2.0/24 dev r:eb
      source valid (0)
      forward ttl 64
      neigh 10.0.2.1 is 02:00:00:00:00:07 (REACHABLE)
      out r:eb 10.0.1.1:0 > 10.0.2.1:4789
     b
      in b:e0 10.0.1.1:0 > 10.0.2.1:4789
      route 10.0.2.1/32 dev b:e0 local
      source valid (0)
      unwrap b:vx
      in b:vx 10.9.0.1 > 10.9.0.2
      route 10.9.0.2/32 dev b:vx local
      source valid (0)
      delivered (b:vx)
    back 10.9.0.2 > 10.9.0.1 → delivered to a
     b
      send
      route 10.9.0.0/24 dev b:vx
      neigh 10.9.0.1 is 02:00:00:00:00:08 (STALE)
      out b:vx 10.9.0.2 > 10.9.0.1
      wrap b:vx 0, 10.0.2.1 > 10.0.1.1, 134 bytes
      route 0.0.0.0/0 via 10.0.2.2 dev b:e0
      neigh 10.0.2.2 is 02:00:00:00:00:06 (STALE)
      out b:e0 10.0.2.1:0 > 10.0.1.1:4789
     r
      in r:eb 10.0.2.1:0 > 10.0.1.1:4789
      route 10.0.1.0/24 dev r:ea
      source valid (0)
      forward ttl 64
      neigh 10.0.1.1 is 02:00:00:00:00:04 (REACHABLE)
      out r:ea 10.0.2.1:0 > 10.0.1.1:4789
     a
      in a:e0 10.0.2.1:0 > 10.0.1.1:4789
      route 10.0.1.1/32 dev a:e0 local
      source valid (0)
      unwrap a:vx
      in a:vx 10.9.0.2 > 10.9.0.1
      route 10.9.0.1/32 dev a:vx local
      source valid (0)
      delivered (a:vx)
    ");
}

#[test]
fn nobody_takes_it() {
    insta::assert_snapshot!(ends(&format!("{NET}\nset b:vx up 0"), "a", "10.9.0.2"), @r"
    there: LOST at a:vx: no neighbour 10.9.0.2 because LOST at b:e0: NoTunnelEnd { id: 0, port: 4789, open: false }
    back: -
    ");
    insta::assert_snapshot!(ends(&format!("{NET}\nset b:vx vni 7"), "a", "10.9.0.2"), @r"
    there: LOST at a:vx: no neighbour 10.9.0.2 because LOST at b:e0: NoTunnelEnd { id: 0, port: 4789, open: true }
    back: -
    ");
}

#[test]
fn nobody_to_send_to() {
    let text = NET.replace("remote a:vx", "#");
    let text = format!("{text}\nneigh a:vx 10.9.0.2 02:00:00:00:00:99");
    insta::assert_snapshot!(ends(&text, "a", "10.9.0.2"), @r"
    there: LOST at a:vx: NoRemote
    back: -
    ");
    let text = NET.replace("route a default", "#");
    insta::assert_snapshot!(ends(&text, "a", "10.9.0.2"), @r"
    there: LOST at a:vx: no neighbour 10.9.0.2 because LOST at a:vx: NoTunnelRoute { remote: 10.0.2.1, because: Loss { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 1 } }, link: None, reason: NoRoute(10.0.2.1) } }
    back: -
    ");
}

#[test]
fn out_of_this_host_and_back() {
    let text = "
ns a
link a:eth0 nic
addr a:eth0 192.0.2.1/24
neigh a:eth0 192.0.2.2 02:00:00:00:00:77
link a:vx vxlan
addr a:vx 10.9.0.1/24
neigh a:vx 10.9.0.2 02:00:00:00:00:99
remote a:vx 02:00:00:00:00:99 192.0.2.2
";
    insta::assert_snapshot!(whole(text, "a", "10.9.0.2"), @r"
    there 10.9.0.1 > 10.9.0.2 → left by a:eth0
     a
      send
      route 10.9.0.0/24 dev a:vx src 10.9.0.1
      neigh 10.9.0.2 is 02:00:00:00:00:99 (REACHABLE)
      out a:vx 10.9.0.1 > 10.9.0.2
      wrap a:vx 0, 192.0.2.1 > 192.0.2.2, 134 bytes
      route 192.0.2.0/24 dev a:eth0
      neigh 192.0.2.2 is 02:00:00:00:00:77 (REACHABLE)
      out a:eth0 192.0.2.1:0 > 192.0.2.2:4789
      left by a:eth0
    back 10.9.0.2 > 10.9.0.1 → delivered to a
     a
      entered by a:eth0
      in a:eth0 192.0.2.2:0 > 192.0.2.1:4789
      route 192.0.2.1/32 dev a:eth0 local
      source valid (0)
      unwrap a:vx
      in a:vx 10.9.0.2 > 10.9.0.1
      route 10.9.0.1/32 dev a:vx local
      source valid (0)
      delivered (a:vx)
    ");
}

/// A tunnel whose other end is reached by the tunnel itself.
#[test]
fn round_and_round() {
    let text = NET.replace("10.0.2.1\n", "10.9.0.2\n");
    insta::assert_snapshot!(ends(&text, "a", "10.9.0.2"), @r"
    there: LOST at a:vx: no neighbour 10.9.0.2 because LOST at a:vx: NoTunnelRoute { remote: 10.9.0.2, because: Loss { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 1 } }, link: Some(LinkId { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 1 } }, index: 3 }), reason: TunnelLoop } }
    back: -
    ");
    let two = "
ns a
link a:va vxlan
link a:vb vxlan
addr a:va 10.8.0.1/24
addr a:vb 10.9.0.1/24
remote a:va 00:00:00:00:00:00 10.9.0.2
remote a:vb 00:00:00:00:00:00 10.8.0.2
";
    insta::assert_snapshot!(ends(two, "a", "10.9.0.2"), @r"
    there: UNKNOWN at a:vb: the question who has 10.9.0.2 waits for its own answer
    back: -
    ");
}
