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
    there: LOST at docker01:eth0: no neighbour 192.168.10.1 because LOST at pve1:veth111i0: no neighbour 192.168.10.1
    back: -
    ");
}

#[test]
fn wrong_gateway() {
    let broken = SEED.replace("default via 172.17.0.1", "default via 172.17.0.9");
    insta::assert_snapshot!(ends(&broken, "alpine01", OUT), @r"
    there: LOST at alpine01:eth0: no neighbour 172.17.0.9 because LOST at docker01:docker0: no neighbour 172.17.0.9
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
    there: LOST at docker01:docker0: 172.17.0.2 is answered for by alpine01:eth0 and twin:eth0
    back: -
    ");
    let taken = format!(
        "{SEED}
        ns twin
        veth docker01:vethtwin twin:eth0 02:00:00:00:00:99 02:00:00:00:00:98
        port docker01:vethtwin docker0
        addr twin:eth0 172.17.0.2/16
        neigh docker01:docker0 172.17.0.2 02:00:00:00:00:98"
    );
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
