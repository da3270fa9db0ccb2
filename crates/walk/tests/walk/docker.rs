//! Docker's published ports, tried on the kernel too.

use model::NeighbourState;

use crate::kernel::agree;
use crate::net::{id, net};
use crate::{ask, tell};

/// A Docker host with two containers, reached from beside.
const DOCKER: &str = "
ns h forward brnf
link h:docker0 bridge
ns c
ns d
ns out
veth h:vethc c:eth0
veth h:vethd d:eth0
port h:vethc docker0
port h:vethd docker0
veth h:eth0 out:eth0
addr h:docker0 172.17.0.1/16
addr c:eth0 172.17.0.2/16
addr d:eth0 172.17.0.3/16
route c default via 172.17.0.1 dev eth0
route d default via 172.17.0.1 dev eth0
addr h:eth0 192.168.1.2/24
addr out:eth0 192.168.1.1/24
iptables h -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables h -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
iptables h -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
iptables h -P FORWARD DROP
iptables h -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables h -A FORWARD -o docker0 -j DOCKER
iptables h -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
iptables h -A FORWARD -i docker0 -o docker0 -j ACCEPT
iptables h -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
iptables h -t nat -A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
iptables h -t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
";

/// Without the userland proxy, a container may use the published port too.
fn no_proxy() -> String {
    DOCKER.replace(
        "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080",
        "-A DOCKER -p tcp -m tcp --dport 8080",
    )
}

#[test]
fn published() {
    insta::assert_snapshot!(agree(DOCKER, "out", "192.168.1.2:8080"), @r"
    there: delivered to c
    back: delivered to out
    ");
    insta::assert_snapshot!(agree(DOCKER, "out", "172.17.0.2:80"), @r"
    there: LOST at out: NoRoute(172.17.0.2)
    back: -
    ");
    insta::assert_snapshot!(agree(DOCKER, "h", "192.168.1.2:8080"), @r"
    there: delivered to c
    back: delivered to h
    ");
    insta::assert_snapshot!(agree(DOCKER, "h", "127.0.0.1:8080"), @r"
    there: delivered to h
    back: delivered to h
    ");
    insta::assert_snapshot!(agree(DOCKER, "c", "192.168.1.1:80"), @r"
    there: delivered to out
    back: delivered to c
    ");
    insta::assert_snapshot!(agree(DOCKER, "c", "172.17.0.3:80"), @r"
    there: delivered to d
    back: delivered to c
    ");
}

#[test]
fn bridged_dnat() {
    insta::assert_snapshot!(agree(DOCKER, "d", "192.168.1.2:8080"), @r"
    there: delivered to h
    back: delivered to d
    ");
    insta::assert_snapshot!(agree(&no_proxy(), "d", "192.168.1.2:8080"), @r"
    there: delivered to c
    back: delivered to d
    ");
    let off = no_proxy().replace("ns h forward brnf", "ns h forward");
    insta::assert_snapshot!(agree(&off, "d", "192.168.1.2:8080"), @r"
    there: delivered to c
    back: LOST at d: waits for 192.168.1.2:8080 > 172.17.0.3:32768, got 172.17.0.2:80 > 172.17.0.3:32768
    ");
}

/// What a neighbour being asked about answers meanwhile decides whether the bridge hands the frame
/// on as if the host sent it.
#[test]
fn bridged_dnat_by_state() {
    let way = |state| {
        let mut snapshot =
            net(&format!("{}\nneigh h:docker0 172.17.0.2 02:42:ac:11:00:02", no_proxy()));
        let h = id(&snapshot, "h");
        snapshot.namespaces.get_mut(&h).unwrap().neighbours[0].state = state;
        let trace = ask(&snapshot, "d", "192.168.1.2:8080");
        let told = tell::trace(&snapshot, &trace);
        told.lines().find(|l| l.contains("out h:docker0")).unwrap_or_default().trim().to_owned()
    };
    insta::assert_snapshot!(way(NeighbourState::Reachable), @"perhaps out h:docker0");
    insta::assert_snapshot!(way(NeighbourState::Delay), @"perhaps out h:docker0");
    insta::assert_snapshot!(way(NeighbourState::Stale), @"out h:docker0 172.17.0.3:32768 > 172.17.0.2:80");
}

#[test]
fn hairpin_to_oneself() {
    insta::assert_snapshot!(agree(&no_proxy(), "c", "192.168.1.2:8080"), @r"
    there: LOST at h:vethc: no hairpin on h:vethc
    back: -
    ");
    let hairpin = no_proxy().replace("port h:vethc docker0", "port h:vethc docker0 hairpin");
    insta::assert_snapshot!(agree(&hairpin, "c", "192.168.1.2:8080"), @r"
    there: delivered to c
    back: delivered to c
    ");
    let no_masquerade: Vec<&str> =
        hairpin.lines().filter(|l| !l.contains("-s 172.17.0.2/32")).collect();
    insta::assert_snapshot!(agree(&no_masquerade.join("\n"), "c", "192.168.1.2:8080"), @r"
    there: LOST at c:eth0: OwnSource
    back: -
    ");
}

#[test]
fn localhost_published_without_proxy() {
    let local = no_proxy().replace("! -d 127.0.0.0/8 -m addrtype", "-m addrtype");
    insta::assert_snapshot!(agree(&local, "h", "127.0.0.1:8080"), @r"
    there: LOST at h:docker0: Martian
    back: -
    ");
    let routed = format!("{local}\nset h:docker0 route_localnet 1");
    insta::assert_snapshot!(agree(&routed, "h", "127.0.0.1:8080"), @r"
    there: LOST at h:docker0: no neighbour 172.17.0.2 because LOST at c:eth0: Martian
    back: -
    ");
    let both = format!(
        "{routed}\niptables h -t nat -A POSTROUTING -s 127.0.0.0/8 -o docker0 -j MASQUERADE"
    );
    insta::assert_snapshot!(agree(&both, "h", "127.0.0.1:8080"), @r"
    there: delivered to c
    back: delivered to h
    ");
}

#[test]
fn isolated_ports() {
    let both = DOCKER
        .replace("port h:vethc docker0", "port h:vethc docker0 isolated")
        .replace("port h:vethd docker0", "port h:vethd docker0 isolated");
    insta::assert_snapshot!(agree(&both, "c", "172.17.0.3:80"), @r"
    there: LOST at c:eth0: no neighbour 172.17.0.3 because LOST at h:vethd: h:vethd is isolated
    back: -
    ");
    insta::assert_snapshot!(agree(&both, "c", "172.17.0.1:80"), @r"
    there: delivered to h
    back: delivered to c
    ");
    insta::assert_snapshot!(agree(&both, "h", "172.17.0.3:80"), @r"
    there: delivered to d
    back: delivered to h
    ");
}

/// A router whose next hop answers beyond a card, two bridges away.
#[test]
fn an_unknown_next_hop_outside() {
    let net = "
ns host
link host:eno1 nic
link host:br bridge
port host:eno1 br
ns guest forward
veth host:vethg guest:eth0
port host:vethg br
ns c
veth guest:vethc c:eth0
addr guest:eth0 192.168.1.2/24
addr guest:vethc 172.17.0.1/16
addr c:eth0 172.17.0.2/16
route c default via 172.17.0.1 dev eth0
route guest default via 192.168.1.1 dev eth0
iptables guest -t nat -A POSTROUTING -s 172.17.0.0/16 -o eth0 -j MASQUERADE
";
    let snapshot = crate::net::net(net);
    let trace = ask(&snapshot, "c", "203.0.113.10");
    let beyond = trace.there.hops.iter().filter(|h| h.ns == id(&snapshot, "host"));
    let macs: Vec<_> = beyond.flat_map(|h| &h.steps).map(|s| s.packet.dst_mac).collect();
    assert!(!macs.is_empty() && macs.iter().all(Option::is_none), "{macs:?}");
    insta::assert_snapshot!(tell::ends(&snapshot, &trace), @r"
    there: left by host:eno1
    back: delivered to c
    ");
}
