use insta::assert_snapshot;

use super::*;
use crate::fixtures::network;
use crate::json;

/// Two machines' worth of Docker, each with the same subnet, on one host.
const TWINS: &str = "
    ns host viewer pid 1
    ns one in host forward
    ns two in host forward
    ns web in one
    ns db in two
    bridge one:docker0 172.17.0.1/16
    bridge two:docker0 172.17.0.1/16
    veth web:eth0 one:vetha@docker0
    veth db:eth0 two:vethb@docker0
    addr web:eth0 172.17.0.2/16
    addr db:eth0 172.17.0.2/16
    route one 172.17.0.0/16 dev docker0 src 172.17.0.1
    route two 172.17.0.0/16 dev docker0 src 172.17.0.1
    route web default via 172.17.0.1 dev eth0
    route web 172.17.0.0/16 dev eth0 src 172.17.0.2
    masquerade one 172.17.0.0/16 ! docker0
    dnat one 8080 172.17.0.2:80
    neigh one:docker0 172.17.0.2 02:00:00:00:00:04
    fdb one:vetha 02:00:00:00:00:04
    listen one 8080 4711 docker-proxy
    listen web 80 4800 nginx
    network one Docker bridge docker0 172.17.0.0/16
    container web Docker shop id 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff image docker.io/library/nginx:1.27 publish 8080:80 on bridge
";

#[track_caller]
fn check(word: &str) -> String {
    let s = network(TWINS);
    let findings = find(&s, &Query::parse(word));
    let view = json::find(&s, &findings);
    assert_eq!(view.found.len(), findings.found.len());
    let text = findings.text(&s, &Style::default());
    assert!(text.lines().all(|l| crate::clean::width(l) <= 80), "{text}");
    text + &findings.near.iter().map(|n| format!("near: {n}\n")).collect::<String>()
}

#[test]
fn an_address_in_every_namespace_that_has_it() {
    assert_snapshot!(check("172.17.0.2"), @r"
    addresses
      web:eth0  172.17.0.2/16  ⇄ one:vetha, a port of docker0
      db:eth0   172.17.0.2/16  ⇄ two:vethb, a port of docker0
    networks
      one  Docker network bridge, 172.17.0.0/16, on docker0
    rules
      one  ip nat PREROUTING: -p tcp -m tcp --dport 8080 -j DNAT --to-destination
           172.17.0.2:80
      one  ip nat POSTROUTING: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
    neighbour entries
      one:docker0  172.17.0.2 is 02:00:00:00:00:04 (REACHABLE)
    reached directly
      one  172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1
      web  172.17.0.0/16 dev eth0 proto kernel scope link src 172.17.0.2
      two  172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1
    ");
}

#[test]
fn a_prefix() {
    assert_snapshot!(check("172.17.0.0/24"), @r"
    addresses
      one:docker0  172.17.0.1/16
      web:eth0     172.17.0.2/16  ⇄ one:vetha, a port of docker0
      two:docker0  172.17.0.1/16
      db:eth0      172.17.0.2/16  ⇄ two:vethb, a port of docker0
    networks
      one  Docker network bridge, 172.17.0.0/16, on docker0
    rules
      one  ip nat POSTROUTING: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
      one  ip nat PREROUTING: -p tcp -m tcp --dport 8080 -j DNAT --to-destination
           172.17.0.2:80
    neighbour entries
      one:docker0  172.17.0.2 is 02:00:00:00:00:04 (REACHABLE)
    reached directly
      one  172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1
      web  172.17.0.0/16 dev eth0 proto kernel scope link src 172.17.0.2
      two  172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1
    ");
}

#[test]
fn a_mac_behind_a_port() {
    assert_snapshot!(check("02:00:00:00:00:04"), @r"
    links
      web:eth0  veth, 02:00:00:00:00:04, 172.17.0.2/16  ⇄ one:vetha, a port of
                docker0
    learned by bridges
      one:docker0  behind vetha ⇄ web:eth0 (learned, seen 3 s ago)
    neighbour entries
      one:docker0  172.17.0.2 is 02:00:00:00:00:04 (REACHABLE)
    ");
}

#[test]
fn a_port() {
    assert_snapshot!(check(":8080"), @r"
    listening
      one  tcp 0.0.0.0:8080  4711 docker-proxy
    published ports
      web  Docker shop: 8080 → 80/tcp
    rules
      one  ip nat PREROUTING: -p tcp -m tcp --dport 8080 -j DNAT --to-destination
           172.17.0.2:80
    ");
    assert_snapshot!(check("80/tcp"), @r"
    listening
      web  tcp 0.0.0.0:80  4800 nginx
    published ports
      web  Docker shop: 8080 → 80/tcp
    rules
      one  ip nat PREROUTING: -p tcp -m tcp --dport 8080 -j DNAT --to-destination
           172.17.0.2:80
    ");
    assert_snapshot!(check("80/udp"), @":80/udp was found nowhere");
    assert_snapshot!(check("172.17.0.2:80"), @r"
    listening
      web  tcp 0.0.0.0:80  4800 nginx
    published ports
      web  Docker shop: 8080 → 80/tcp
    rules
      one  ip nat PREROUTING: -p tcp -m tcp --dport 8080 -j DNAT --to-destination
           172.17.0.2:80
    ");
}

#[test]
fn names_of_all_kinds() {
    assert_snapshot!(check("web"), @r"
namespaces
  web  web (lab test), publishes 8080 → 80/tcp, inside one, pid 1030
");
    assert_snapshot!(check("nginx"), @r"
    containers
      web  Docker shop, id 001122334455, image docker.io/library/nginx:1.27, on
           network bridge, publishes 8080 → 80/tcp
    ");
    assert_snapshot!(check("001122334455"), @r"
    containers
      web  Docker shop, id 001122334455, image docker.io/library/nginx:1.27, on
           network bridge, publishes 8080 → 80/tcp
    ");
    assert_snapshot!(check("bridge"), @r"
    networks
      one  Docker network bridge, 172.17.0.0/16, on docker0
    ");
    assert_snapshot!(check("veth*"), @r"
    links
      one:vetha  veth, port of docker0, 02:00:00:00:00:05  ⇄ web:eth0
      two:vethb  veth, port of docker0, 02:00:00:00:00:07  ⇄ db:eth0
    ");
    assert_snapshot!(check("@if4"), @r"
    links
      web:eth0  veth, 02:00:00:00:00:04, 172.17.0.2/16  ⇄ one:vetha, a port of
                docker0
    ");
}

#[test]
fn what_could_not_be_read_is_said() {
    let mut s = network(TWINS);
    for name in ["one", "two"] {
        let id = crate::fixtures::id(&s, name);
        for part in ["netfilter", "listeners", "routes"] {
            let gap = model::Gap::new(part, "EPERM");
            s.namespaces.get_mut(&id).unwrap().gaps.push(gap);
        }
    }
    let findings = find(&s, &Query::parse(":9"));
    assert_snapshot!(findings.text(&s, &Style::default()), @r"
    :9 was found nowhere
    not read: listeners, netfilter of one, two (EPERM)
    ");
}

#[test]
fn nothing() {
    assert_snapshot!(check("shpo"), @r"
    shpo was found nowhere
    near: shop
    ");
    assert_snapshot!(check("10.9.9.9"), @"10.9.9.9 was found nowhere");
    for word in ["10.0.0.0/40", "999.1.1.1", ":99999", "700000/tcp", "02:42", "02-42-ac-11-00-02"] {
        assert!(check(word).contains("it is no address"), "{word}");
    }
    for word in ["10", "web-1", "veth12.7", "fade.bad"] {
        assert!(!check(word).contains("it is no address"), "{word}");
    }
}

#[test]
fn a_peer() {
    let mut s = network("ns host\nwireguard host:wg0\naddr host:wg0 10.9.0.1/24");
    let wg = crate::fixtures::link(&s, "host:wg0");
    let peer = |byte: u8, endpoint: &str, net: &str| model::WireguardPeer {
        endpoint: endpoint.parse().ok(),
        allowed_ips: vec![net.parse().unwrap()],
        ..model::WireguardPeer::new(model::WireguardKey([byte; 32]))
    };
    let peers = vec![peer(1, "192.0.2.1:1", "10.9.0.0/16"), peer(2, "-", "10.9.7.0/24")];
    let own = model::Wireguard { peers, ..model::Wireguard::default() };
    let link = s.namespaces.get_mut(&wg.ns).unwrap().links.get_mut(&wg.index).unwrap();
    link.kind = model::LinkKind::Wireguard(Some(Box::new(own)));
    let keys = |word: &str| {
        let found = find(&s, &Query::parse(word)).found;
        let peers = found.iter().filter(|f| f.kind == Kind::Peer);
        peers.map(|f| f.value[..4].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys("10.9.7.1"), ["AgIC"]);
    assert_eq!(keys("10.9.8.1"), ["AQEB"]);
    assert_eq!(keys("192.0.2.1"), ["AQEB"]);
    assert_eq!(keys("10.0.0.0/8"), ["AQEB", "AgIC"]);
    assert_eq!(keys("10.9.7.0/25"), ["AgIC"]);
    assert_eq!(keys("10.1.0.1"), Vec::<String>::new());
}
