//! WireGuard. What the kernel does is tried by the scenarios of `oracle`.

use crate::routed::routed;
use crate::{ends, whole};

/// `a` and `b` with a WireGuard link each, and a router between them. `b` does not know where `a`
/// is.
const NET: &str = concat!(
    routed!(),
    "\
neigh r:eb 10.0.2.1 02:00:00:00:00:07
neigh b:e0 10.0.2.2 02:00:00:00:00:06
neigh r:ea 10.0.1.1 02:00:00:00:00:04
wireguard a:wg 1 100
wireguard b:wg 2 200
addr a:wg 10.9.0.1/24
addr b:wg 10.9.0.2/24
peer a:wg 2 10.0.2.1:200 10.9.0.2/32
peer b:wg 1 - 10.9.0.1/32
"
);

#[test]
fn there_and_back() {
    insta::assert_snapshot!(whole(NET, "a", "10.9.0.2"), @r"
    there 10.9.0.1 > 10.9.0.2 → delivered to b
     a
      send
      route 10.9.0.0/24 dev a:wg src 10.9.0.1
      out a:wg 10.9.0.1 > 10.9.0.2
        handshake 0.0.0.0 > 10.0.2.1 → delivered to b
      encrypt a:wg (10.9.0.2/32 at 10.0.2.1:200), 10.0.1.1 > 10.0.2.1, 156 bytes
      route 0.0.0.0/0 via 10.0.1.2 dev a:e0
      neigh 10.0.1.2 is 02:00:00:00:00:05 (REACHABLE)
      out a:e0 10.0.1.1:100 > 10.0.2.1:200
     r
      in r:ea 10.0.1.1:100 > 10.0.2.1:200
      route 10.0.2.0/24 dev r:eb
      source valid (0)
      forward ttl 64
      neigh 10.0.2.1 is 02:00:00:00:00:07 (REACHABLE)
      out r:eb 10.0.1.1:100 > 10.0.2.1:200
     b
      in b:e0 10.0.1.1:100 > 10.0.2.1:200
      route 10.0.2.1/32 dev b:e0 local
      source valid (0)
      decrypt b:wg (Some(10.9.0.1/32))
      in b:wg 10.9.0.1 > 10.9.0.2
      route 10.9.0.2/32 dev b:wg local
      source valid (0)
      delivered (b:wg)
    back 10.9.0.2 > 10.9.0.1 → delivered to a
     b
      send
      route 10.9.0.0/24 dev b:wg
      out b:wg 10.9.0.2 > 10.9.0.1
      encrypt b:wg (10.9.0.1/32 at 10.0.1.1:100), 10.0.2.1 > 10.0.1.1, 156 bytes
      route 0.0.0.0/0 via 10.0.2.2 dev b:e0
      neigh 10.0.2.2 is 02:00:00:00:00:06 (REACHABLE)
      out b:e0 10.0.2.1:200 > 10.0.1.1:100
     r
      in r:eb 10.0.2.1:200 > 10.0.1.1:100
      route 10.0.1.0/24 dev r:ea
      source valid (0)
      forward ttl 64
      neigh 10.0.1.1 is 02:00:00:00:00:04 (REACHABLE)
      out r:ea 10.0.2.1:200 > 10.0.1.1:100
     a
      in a:e0 10.0.2.1:200 > 10.0.1.1:100
      route 10.0.1.1/32 dev a:e0 local
      source valid (0)
      decrypt a:wg (Some(10.9.0.2/32))
      in a:wg 10.9.0.2 > 10.9.0.1
      route 10.9.0.1/32 dev a:wg local
      source valid (0)
      delivered (a:wg)
    ");
}

#[test]
fn whose_peer_is_where() {
    // Nobody has that address; nobody knows where the peer is.
    insta::assert_snapshot!(ends(&format!("{NET}\nroute a 10.8.0.0/16 dev wg"), "a", "10.8.0.1"), @r"
    there: LOST at a:wg: NoPeer(10.8.0.1)
    back: -
    ");
    insta::assert_snapshot!(ends(NET, "b", "10.9.0.1"), @r"
    there: LOST at b:wg: NoEndpoint { peer: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE= }
    back: -
    ");
    // The key is another; the sender is no peer; nobody waits at that port.
    insta::assert_snapshot!(ends(&NET.replace("b:wg 2 200", "b:wg 3 200"), "a", "10.9.0.2"), @r"
    there: LOST at a:wg: NoHandshake { peer: AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=, because: Some(Loss { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 3 } }, link: Some(LinkId { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 3 } }, index: 3 }), reason: OtherKey { expected: AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=, key: Some(AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=) } }) }
    back: -
    ");
    insta::assert_snapshot!(ends(&NET.replace("peer b:wg 1", "peer b:wg 3"), "a", "10.9.0.2"), @r"
    there: LOST at a:wg: NoHandshake { peer: AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=, because: Some(Loss { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 3 } }, link: Some(LinkId { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 3 } }, index: 3 }), reason: StrangePeer { peer: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE= } }) }
    back: -
    ");
    insta::assert_snapshot!(ends(&NET.replace("b:wg 2 200", "b:wg 2 201"), "a", "10.9.0.2"), @r"
    there: LOST at a:wg: NoHandshake { peer: AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=, because: Some(Loss { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 3 } }, link: Some(LinkId { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 3 } }, index: 2 }), reason: NoWireguard { port: 200 } }) }
    back: -
    ");
    insta::assert_snapshot!(ends(&format!("{NET}\nset b:wg up 0"), "a", "10.9.0.2"), @r"
    there: LOST at a:wg: NoHandshake { peer: AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=, because: Some(Loss { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 3 } }, link: Some(LinkId { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 3 } }, index: 2 }), reason: NoWireguard { port: 200 } }) }
    back: -
    ");
}

#[test]
fn a_source_that_is_not_allowed() {
    let text = format!("{NET}\naddr a:lo 10.7.0.1/32");
    let text = text.replace("addr a:wg 10.9.0.1/24", "route a 10.9.0.0/24 dev wg src 10.7.0.1");
    insta::assert_snapshot!(ends(&text, "a", "10.9.0.2"), @r"
    there: LOST at b:wg: SourceNotAllowed { peer: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=, src: 10.7.0.1, owner: None }
    back: -
    ");
    let other = format!("{text}\npeer b:wg 3 - 10.7.0.0/16");
    insta::assert_snapshot!(ends(&other, "a", "10.9.0.2"), @r"
    there: LOST at b:wg: SourceNotAllowed { peer: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=, src: 10.7.0.1, owner: Some(AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=) }
    back: -
    ");
}

#[test]
fn a_handshake_that_does_not_come_back() {
    let dropped = "iptables r -A FORWARD -p udp --sport 200 -j DROP";
    let text = format!("{NET}\n{dropped}");
    insta::assert_snapshot!(ends(&text, "a", "10.9.0.2"), @r#"
    there: LOST at a:wg: NoHandshake { peer: AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=, because: Some(Loss { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 2 } }, link: None, reason: RuleDrop(RuleRef { chain: ChainRef { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 2 } }, family: Ip, table: "filter", chain: "FORWARD" }, number: 1, handle: 1 }) }) }
    back: -
    "#);
    insta::assert_snapshot!(ends(&format!("{text}\nhandshake a:wg 2 0"), "a", "10.9.0.2"), @r"
    there: UNKNOWN at a:wg: a new handshake would be lost, and whether the session of 0 s ago is still in use is not told
    back: -
    ");
}

#[test]
fn where_the_socket_is() {
    // The link was made in `r`, and moved to `a`, whose own way out is not asked.
    let moved = format!("{}\nsocket a:wg r", NET.replace("route a default", "#"));
    insta::assert_snapshot!(ends(&moved, "a", "10.9.0.2"), @r"
    there: delivered to b
    back: delivered to a
    ");
    insta::assert_snapshot!(ends(&format!("{NET}\nsocket a:wg -"), "a", "10.9.0.2"), @r"
    there: UNKNOWN in a: where the UDP socket of a WireGuard link is
    back: -
    ");
    insta::assert_snapshot!(ends(&format!("{NET}\nsocket b:wg -"), "a", "10.9.0.2"), @r"
    there: UNKNOWN in b: whether the UDP socket of a WireGuard link is at that port
    back: -
    ");
}

#[test]
fn preshared_keys() {
    let one = format!("{NET}\npreshared a:wg 2");
    insta::assert_snapshot!(ends(&one, "a", "10.9.0.2"), @r"
    there: LOST at a:wg: NoHandshake { peer: AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=, because: Some(Loss { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 3 } }, link: Some(LinkId { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 3 } }, index: 3 }), reason: PresharedKey { peer: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE= } }) }
    back: -
    ");
    let both = format!("{one}\npreshared b:wg 1");
    insta::assert_snapshot!(ends(&both, "a", "10.9.0.2"), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn over_ipv6() {
    let text = "
ns a
ns b
veth a:e0 b:e0
addr a:e0 2001:db8::1/64
addr b:e0 2001:db8::2/64
neigh a:e0 2001:db8::2 02:00:00:00:00:04
neigh b:e0 2001:db8::1 02:00:00:00:00:03
wireguard a:wg 1 100
wireguard b:wg 2 200
addr a:wg 10.9.0.1/24
addr b:wg 10.9.0.2/24
peer a:wg 2 [2001:db8::2]:200 10.9.0.2/32
peer b:wg 1 - 10.9.0.1/32
";
    insta::assert_snapshot!(whole(text, "a", "10.9.0.2"), @r"
    there 10.9.0.1 > 10.9.0.2 → delivered to b
     a
      send
      route 10.9.0.0/24 dev a:wg src 10.9.0.1
      out a:wg 10.9.0.1 > 10.9.0.2
        handshake :: > 2001:db8::2 → delivered to b
      encrypt a:wg (10.9.0.2/32 at [2001:db8::2]:200), 2001:db8::1 > 2001:db8::2, 176 bytes
      send
      route 2001:db8::/64 dev a:e0
      neigh 2001:db8::2 is 02:00:00:00:00:04 (REACHABLE)
      out a:e0 2001:db8::1:100 > 2001:db8::2:200
     b
      in b:e0 2001:db8::1:100 > 2001:db8::2:200
      route 2001:db8::2/128 dev b:e0 local
      decrypt b:wg (Some(10.9.0.1/32))
      in b:wg 10.9.0.1 > 10.9.0.2
      route 10.9.0.2/32 dev b:wg local
      source valid (0)
      delivered (b:wg)
    back 10.9.0.2 > 10.9.0.1 → delivered to a
     b
      send
      route 10.9.0.0/24 dev b:wg
      out b:wg 10.9.0.2 > 10.9.0.1
      encrypt b:wg (10.9.0.1/32 at [2001:db8::1]:100), 2001:db8::2 > 2001:db8::1, 176 bytes
      send
      route 2001:db8::/64 dev b:e0
      neigh 2001:db8::1 is 02:00:00:00:00:03 (REACHABLE)
      out b:e0 2001:db8::2:200 > 2001:db8::1:100
     a
      in a:e0 2001:db8::2:200 > 2001:db8::1:100
      route 2001:db8::1/128 dev a:e0 local
      decrypt a:wg (Some(10.9.0.2/32))
      in a:wg 10.9.0.2 > 10.9.0.1
      route 10.9.0.1/32 dev a:wg local
      source valid (0)
      delivered (a:wg)
    ");
    let scoped = text.replace("[2001:db8::2]", "[fe80::2%2]");
    insta::assert_snapshot!(ends(&scoped, "a", "10.9.0.2"), @r"
    there: UNKNOWN at a:wg: a peer at an address that is good on one link only
    back: -
    ");
}

#[test]
fn to_a_peer_beyond_this_host() {
    let text = "
ns a
link a:e0 nic
addr a:e0 192.0.2.1/24
wireguard a:wg 1 100
addr a:wg 10.9.0.1/24
peer a:wg 2 192.0.2.2:200 10.9.0.2/32
";
    insta::assert_snapshot!(whole(text, "a", "10.9.0.2"), @r"
    there 10.9.0.1 > 10.9.0.2 → left by a:e0
     a
      send
      route 10.9.0.0/24 dev a:wg src 10.9.0.1
      out a:wg 10.9.0.1 > 10.9.0.2
        handshake 0.0.0.0 > 192.0.2.2 → left by a:e0
        handshake 192.0.2.2 > 192.0.2.1 → delivered to a
      encrypt a:wg (10.9.0.2/32 at 192.0.2.2:200), 192.0.2.1 > 192.0.2.2, 156 bytes
      route 192.0.2.0/24 dev a:e0
      arp 192.0.2.2: outside a:e0, unknown
        arp 192.0.2.1 > 192.0.2.2 → left by a:e0
      out a:e0 192.0.2.1:100 > 192.0.2.2:200
      left by a:e0
    back 10.9.0.2 > 10.9.0.1 → delivered to a
     a
      entered by a:e0
      in a:e0 192.0.2.2:200 > 192.0.2.1:100
      route 192.0.2.1/32 dev a:e0 local
      source valid (0)
      decrypt a:wg (Some(10.9.0.2/32))
      in a:wg 10.9.0.2 > 10.9.0.1
      route 10.9.0.1/32 dev a:wg local
      source valid (0)
      delivered (a:wg)
    ");
    let deaf = format!("{text}\niptables a -A INPUT -p udp --dport 100 -j DROP");
    insta::assert_snapshot!(ends(&deaf, "a", "10.9.0.2"), @r#"
    there: LOST at a:wg: NoHandshake { peer: AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=, because: Some(Loss { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 1 } }, link: None, reason: RuleDrop(RuleRef { chain: ChainRef { ns: NsId { host: HostId(0), key: Inode { dev: 0, ino: 1 } }, family: Ip, table: "filter", chain: "INPUT" }, number: 1, handle: 1 }) }) }
    back: -
    "#);
}
