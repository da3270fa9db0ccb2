//! The seed's network, broken in ten ways: each names the place and the reason.

use crate::seed::SEED;
use crate::{ask, ends, net, question, tell, whole};

const OUT: &str = "203.0.113.10";

/// The seed with neighbours known, as after some traffic.
fn warm() -> String {
    format!(
        "{SEED}
        neigh alpine01:eth0 172.17.0.1 02:42:35:df:6b:af
        neigh docker01:eth0 192.168.10.1 94:83:c4:3a:8f:1a
        neigh docker01:docker0 172.17.0.2 02:42:ac:11:00:02
        fdb docker01:vethc52438e 02:42:ac:11:00:02
        fdb pve1:enp1s0 94:83:c4:3a:8f:1a
        fdb pve1:fwpr111p0 bc:24:11:bf:ee:9b"
    )
}

#[test]
fn ip_forward_off() {
    let broken = SEED.replace("ns docker01 forward brnf", "ns docker01 brnf");
    insta::assert_snapshot!(ends(&broken, "alpine01", OUT), @r"
    there: LOST at docker01:docker0: ForwardingOff
    back: -
    ");
}

#[test]
fn forward_policy_drops() {
    let broken: Vec<&str> = SEED.lines().filter(|l| !l.contains("-A FORWARD -i docker0")).collect();
    insta::assert_snapshot!(ends(&broken.join("\n"), "alpine01", OUT), @r"
    there: LOST at docker01: policy of filter FORWARD
    back: -
    ");
}

#[test]
fn no_masquerade() {
    let broken: Vec<&str> = SEED.lines().filter(|l| !l.contains("MASQUERADE")).collect();
    insta::assert_snapshot!(ends(&broken.join("\n"), "alpine01", OUT), @r"
    there: left by pve1:enp1s0
    back: LOST at pve1:enp1s0: NoWayBack { src: 172.17.0.2 }
    ");
}

#[test]
fn port_down() {
    let broken = "
        set pve1:fwpr111p0 up 0
        set pve1:fwln111i0 carrier 0";
    let broken = format!("{}{broken}", warm().replace("fdb pve1:fwln111i0 94:83:c4:3a:8f:1a", ""));
    insta::assert_snapshot!(ends(&broken, "alpine01", OUT), @r"
    there: LOST at pve1:fwln111i0: peer pve1:fwpr111p0 is down
    back: -
    ");
}

#[test]
fn guest_port_down() {
    let broken = "
        set pve1:veth111i0 up 0
        set docker01:eth0 carrier 0";
    insta::assert_snapshot!(ends(&format!("{}{broken}", warm()), "alpine01", OUT), @r"
    there: LOST at docker01:eth0: peer pve1:veth111i0 is down
    back: -
    ");
    insta::assert_snapshot!(ends(&format!("{SEED}{broken}"), "alpine01", OUT), @r"
    there: LOST at docker01:eth0: peer pve1:veth111i0 is down
    back: -
    ");
}

#[test]
fn port_not_in_its_bridge() {
    let out = |text: &str| {
        text.replace("port pve1:veth111i0 fwbr111i0", "")
            .replace("fdb pve1:veth111i0 bc:24:11:bf:ee:9b", "")
    };
    insta::assert_snapshot!(ends(&out(&warm()), "alpine01", OUT), @r"
    there: LOST at pve1:veth111i0: frame for 94:83:c4:3a:8f:1a
    back: -
    ");
    insta::assert_snapshot!(ends(&out(SEED), "alpine01", OUT), @r"
    there: LOST at docker01:eth0: no neighbour 192.168.10.1 because LOST at pve1:veth111i0: DeadEnd { ip: 192.168.10.1 }
    back: -
    ");
}

#[test]
fn wrong_gateway() {
    let broken = SEED.replace("default via 172.17.0.1", "default via 172.17.0.9");
    insta::assert_snapshot!(ends(&broken, "alpine01", OUT), @r"
    there: LOST at alpine01:eth0: no neighbour 172.17.0.9
    back: -
    ");
    let broken = SEED.replace(
        "route docker01 default via 192.168.10.1 dev eth0",
        "route docker01 default via 192.168.10.254 dev eth0
        neigh docker01:eth0 192.168.10.254",
    );
    insta::assert_snapshot!(ends(&broken, "alpine01", OUT), @r"
    there: LOST at docker01:eth0: no neighbour 192.168.10.254
    back: -
    ");
}

#[test]
fn another_namespace_knows_that_the_gateway_is_not_there() {
    let broken = SEED.replace(
        "route docker01 default via 192.168.10.1 dev eth0",
        "route docker01 default via 192.168.10.254 dev eth0",
    );
    insta::assert_snapshot!(ends(&broken, "alpine01", OUT), @r"
    there: left by pve1:enp1s0
    back: delivered to alpine01
    ");
    let known = format!("{broken}\nneigh pve1:vmbr0 192.168.10.254");
    insta::assert_snapshot!(ends(&known, "alpine01", OUT), @r"
    there: LOST at docker01:eth0: no neighbour 192.168.10.254
    back: -
    ");
}

#[test]
fn small_mtu_on_one_veth() {
    let big = |broken: &str| {
        let snapshot = net::net(&format!("{SEED}{broken}"));
        let question = question(&snapshot, "alpine01", OUT).size(1422).dont_fragment(true);
        tell::ends(&snapshot, &walk::trace(&snapshot, question))
    };
    insta::assert_snapshot!(big("set pve1:veth111i0 mtu 1400"), @r"
    there: LOST at pve1:veth111i0: TooBig { mtu: 1400, told: false }
    back: -
    ");
    insta::assert_snapshot!(big("set docker01:eth0 mtu 1400"), @r"
    there: LOST at docker01:eth0: TooBig { mtu: 1400, told: true }
    back: -
    ");
    insta::assert_snapshot!(big("set alpine01:eth0 mtu 1400"), @r"
    there: LOST at alpine01:eth0: TooBig { mtu: 1400, told: true }
    back: -
    ");
    insta::assert_snapshot!(big(""), @r"
    there: left by pve1:enp1s0
    back: delivered to alpine01
    ");
}

#[test]
fn strict_rp_filter_with_an_asymmetric_route() {
    let broken = format!(
        "{SEED}
        set docker01 rp_filter 1
        route docker01 203.0.113.0/24 dev docker0"
    );
    insta::assert_snapshot!(ends(&broken, "pve1:enp1s0", "192.168.10.103"), @r"
    there: delivered to docker01
    back: left by pve1:enp1s0
    ");
    let snapshot = net::net(&broken);
    let question = question(&snapshot, "pve1:enp1s0", "192.168.10.103").source(net::ip(OUT));
    insta::assert_snapshot!(tell::ends(&snapshot, &walk::trace(&snapshot, question)), @r"
    there: LOST at docker01:eth0: rp_filter 1, way back 203.0.113.0/24
    back: -
    ");
}

#[test]
fn duplicate_address() {
    let broken = format!(
        "{SEED}
        ns twin
        veth docker01:vethtwin twin:eth0
        port docker01:vethtwin docker0
        addr twin:eth0 172.17.0.2/16"
    );
    insta::assert_snapshot!(ends(&broken, "docker01", "172.17.0.2"), @r"
    there: delivered to alpine01
    back: delivered to docker01
    ");
    let taken = format!(
        "{SEED}
        ns twin
        veth docker01:vethtwin twin:eth0 02:00:00:00:00:99 02:00:00:00:00:98
        port docker01:vethtwin docker0
        addr twin:eth0 172.17.0.2/16
        neigh docker01:docker0 172.17.0.2 02:00:00:00:00:98"
    );
    let known = format!("{taken}\nneigh alpine01:eth0 172.17.0.1 02:42:35:df:6b:af");
    insta::assert_snapshot!(ends(&known, "alpine01", OUT), @r"
    there: left by pve1:enp1s0
    back: LOST at twin: 172.17.0.2 is answered for by twin:eth0 and alpine01:eth0
    ");
    // Its own request for the gateway's address sets docker01's table right.
    insta::assert_snapshot!(ends(&taken, "alpine01", OUT), @r"
    there: left by pve1:enp1s0
    back: delivered to alpine01
    ");
}

#[test]
fn docker0_down() {
    let broken = "set docker01:docker0 up 0";
    insta::assert_snapshot!(ends(&format!("{}\n{broken}", warm()), "alpine01", OUT), @r"
    there: LOST at docker01:docker0: LinkDown
    back: -
    ");
    insta::assert_snapshot!(whole(&format!("{SEED}\n{broken}"), "alpine01", OUT), @r"
    there 172.17.0.2 > 203.0.113.10 → LOST at alpine01:eth0: no neighbour 172.17.0.1 because LOST at docker01:docker0: LinkDown
     alpine01
      send
      route 0.0.0.0/0 via 172.17.0.1 dev alpine01:eth0 src 172.17.0.2
      arp 172.17.0.1: nobody
        arp 172.17.0.2 > 172.17.0.1 → LOST at docker01:docker0: LinkDown
      LOST at alpine01:eth0: no neighbour 172.17.0.1 because LOST at docker01:docker0: LinkDown
        error 0.0.0.0 > 172.17.0.2 → delivered to alpine01
         alpine01
          send
          route 172.17.0.2/32 dev alpine01:eth0 local src 172.17.0.2
          out alpine01:lo 172.17.0.2 > 172.17.0.2
          in alpine01:lo 172.17.0.2 > 172.17.0.2
          delivered (alpine01:eth0)
    ");
}

#[test]
fn the_verdict_is_one_word() {
    let snapshot = net::net(SEED);
    assert_eq!(ask(&snapshot, "alpine01", OUT).verdict(), walk::Verdict::Yes);
    let broken = net::net(&format!("{SEED}\nset docker01:docker0 up 0"));
    assert!(matches!(ask(&broken, "alpine01", OUT).verdict(), walk::Verdict::No(_)));
    let unknown = net::net(&format!("{SEED}\nset docker01:eth0 tc 1"));
    assert!(matches!(ask(&unknown, "alpine01", OUT).verdict(), walk::Verdict::Unknown(_)));
}

#[test]
fn the_sender_is_told_by_an_icmp_error() {
    let text = format!("{SEED}\nroute docker01 prohibit 203.0.113.0/24");
    insta::assert_snapshot!(whole(&text, "alpine01", OUT), @r"
    there 172.17.0.2 > 203.0.113.10 → LOST at docker01:docker0: route 203.0.113.0/24 Prohibit
     alpine01
      send
      route 0.0.0.0/0 via 172.17.0.1 dev alpine01:eth0 src 172.17.0.2
      arp 172.17.0.1: 02:42:35:df:6b:af by docker01:docker0
        arp 172.17.0.2 > 172.17.0.1 → delivered to docker01
        back 172.17.0.1 > 172.17.0.2 → delivered to alpine01
      out alpine01:eth0 172.17.0.2 > 203.0.113.10
     docker01
      in docker01:vethc52438e 172.17.0.2 > 203.0.113.10
      track new
      chain nat PREROUTING: policy []
      bridge docker01:docker0: up
      in docker01:docker0 172.17.0.2 > 203.0.113.10
      LOST at docker01:docker0: route 203.0.113.0/24 Prohibit
        error 0.0.0.0 > 172.17.0.2 → delivered to alpine01
         docker01
          send
          route 172.17.0.0/16 dev docker01:docker0 src 172.17.0.1
          track related
          neigh 172.17.0.2 is 02:42:ac:11:00:02 (STALE)
          out docker01:docker0 172.17.0.1 > 172.17.0.2
          bridge docker01:docker0: 02:42:ac:11:00:02 behind docker01:vethc52438e (learned now)
          out docker01:vethc52438e 172.17.0.1 > 172.17.0.2
         alpine01
          in alpine01:eth0 172.17.0.1 > 172.17.0.2
          route 172.17.0.2/32 dev alpine01:eth0 local
          source valid (0)
          delivered (alpine01:eth0)
    ");
    let text = format!("{SEED}\nroute docker01 blackhole 203.0.113.0/24");
    insta::assert_snapshot!(ends(&text, "alpine01", OUT), @r"
    there: LOST at docker01:docker0: route 203.0.113.0/24 Blackhole
    back: -
    ");
}

#[test]
fn an_error_about_a_translated_packet_finds_its_way_back() {
    // Behind docker01 comes another router, which lets the packet's time run out.
    let text = "
        ns a
        ns r1 forward
        ns r2 forward
        veth a:eth0 r1:in
        veth r1:out r2:in
        addr a:eth0 172.17.0.2/16
        addr r1:in 172.17.0.1/16
        addr r1:out 10.0.0.1/24
        addr r2:in 10.0.0.2/24
        route a default via 172.17.0.1 dev eth0
        route r1 default via 10.0.0.2 dev out
        route r2 unreachable 203.0.113.0/24
        iptables r1 -t nat -A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE";
    insta::assert_snapshot!(whole(text, "a", OUT), @r"
    there 172.17.0.2 > 203.0.113.10 → LOST at r2:in: route 203.0.113.0/24 Unreachable
     a
      send
      route 0.0.0.0/0 via 172.17.0.1 dev a:eth0 src 172.17.0.2
      arp 172.17.0.1: 02:00:00:00:00:05 by r1:in
        arp 172.17.0.2 > 172.17.0.1 → delivered to r1
        back 172.17.0.1 > 172.17.0.2 → delivered to a
      out a:eth0 172.17.0.2 > 203.0.113.10
     r1
      in r1:in 172.17.0.2 > 203.0.113.10
      track new
      route 0.0.0.0/0 via 10.0.0.2 dev r1:out
      source valid (0)
      forward ttl 64
      chain nat POSTROUTING: nat POSTROUTING#1 [nat POSTROUTING#1]
      snat 172.17.0.2 > 203.0.113.10 ↦ 10.0.0.1 > 203.0.113.10 by nat POSTROUTING#1
      arp 10.0.0.2: 02:00:00:00:00:07 by r2:in
        arp 10.0.0.1 > 10.0.0.2 → delivered to r2
        back 10.0.0.2 > 10.0.0.1 → delivered to r1
      out r1:out 10.0.0.1 > 203.0.113.10
     r2
      in r2:in 10.0.0.1 > 203.0.113.10
      LOST at r2:in: route 203.0.113.0/24 Unreachable
        error 0.0.0.0 > 10.0.0.1 → delivered to a
         r2
          send
          route 10.0.0.0/24 dev r2:in src 10.0.0.2
          neigh 10.0.0.1 is 02:00:00:00:00:06 (STALE)
          out r2:in 10.0.0.2 > 10.0.0.1
         r1
          in r1:out 10.0.0.2 > 10.0.0.1
          track related
          dnat 10.0.0.2 > 10.0.0.1 ↦ 10.0.0.2 > 172.17.0.2 by entry
          route 172.17.0.0/16 dev r1:in
          source valid (0)
          forward ttl 64
          neigh 172.17.0.2 is 02:00:00:00:00:04 (STALE)
          out r1:in 10.0.0.2 > 172.17.0.2
         a
          in a:eth0 10.0.0.2 > 172.17.0.2
          route 172.17.0.2/32 dev a:eth0 local
          source valid (0)
          delivered (a:eth0)
    ");
}
