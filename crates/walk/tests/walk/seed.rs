//! The seed's network, as the person saw it.

use crate::whole;

pub(crate) const SEED: &str = "
ns pve1
link pve1:enp1s0 nic mac b0:41:6f:0b:a4:47
link pve1:wlo1 nic mac f4:6d:3f:c2:1e:6f down
link pve1:vmbr0 bridge mac b0:41:6f:0b:a4:47
ns docker01 forward brnf
veth pve1:veth111i0 docker01:eth0 fe:1c:df:49:ab:21 bc:24:11:bf:ee:9b
link pve1:fwbr111i0 bridge mac 76:d1:50:8f:33:88
veth pve1:fwpr111p0 pve1:fwln111i0 c6:b7:08:c2:2c:91 76:d1:50:8f:33:88
port pve1:enp1s0 vmbr0
port pve1:fwpr111p0 vmbr0
port pve1:fwln111i0 fwbr111i0
port pve1:veth111i0 fwbr111i0
addr pve1:vmbr0 192.168.10.41/24
route pve1 default via 192.168.10.1 dev vmbr0
neigh pve1:vmbr0 192.168.10.1 94:83:c4:3a:8f:1a
fdb pve1:veth111i0 bc:24:11:bf:ee:9b
fdb pve1:fwln111i0 94:83:c4:3a:8f:1a
link docker01:docker0 bridge mac 02:42:35:df:6b:af
addr docker01:eth0 192.168.10.103/24
addr docker01:docker0 172.17.0.1/16
route docker01 default via 192.168.10.1 dev eth0
ns alpine01
veth docker01:vethc52438e alpine01:eth0 96:84:3a:6b:4b:df 02:42:ac:11:00:02
port docker01:vethc52438e docker0
addr alpine01:eth0 172.17.0.2/16
route alpine01 default via 172.17.0.1 dev eth0
iptables docker01 -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables docker01 -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
iptables docker01 -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
iptables docker01 -t nat -A DOCKER -i docker0 -j RETURN
iptables docker01 -P FORWARD DROP
iptables docker01 -A FORWARD -j DOCKER-USER
iptables docker01 -A FORWARD -j DOCKER-ISOLATION-STAGE-1
iptables docker01 -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables docker01 -A FORWARD -o docker0 -j DOCKER
iptables docker01 -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
iptables docker01 -A FORWARD -i docker0 -o docker0 -j ACCEPT
iptables docker01 -A DOCKER-USER -j RETURN
iptables docker01 -N DOCKER
iptables docker01 -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
iptables docker01 -A DOCKER-ISOLATION-STAGE-1 -j RETURN
iptables docker01 -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
iptables docker01 -A DOCKER-ISOLATION-STAGE-2 -j RETURN
";

/// A published port, as Docker writes it.
pub(crate) const PUBLISHED: &str = "
iptables docker01 -t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
iptables docker01 -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
iptables docker01 -t nat -A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
";

#[test]
fn there_and_back() {
    insta::assert_snapshot!(whole(SEED, "alpine01", "203.0.113.10"), @r"
    there 172.17.0.2 > 203.0.113.10 → left by pve1:enp1s0
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
      route 0.0.0.0/0 via 192.168.10.1 dev docker01:eth0
      source valid (0)
      forward ttl 64
      chain filter FORWARD: filter FORWARD#5 [filter FORWARD#1 filter DOCKER-USER#1 filter FORWARD#2 filter DOCKER-ISOLATION-STAGE-1#1 filter DOCKER-ISOLATION-STAGE-2#2 filter DOCKER-ISOLATION-STAGE-1#2 filter FORWARD#5]
      chain nat POSTROUTING: nat POSTROUTING#1 [nat POSTROUTING#1]
      snat 172.17.0.2 > 203.0.113.10 ↦ 192.168.10.103 > 203.0.113.10 by nat POSTROUTING#1
      arp 192.168.10.1: outside pve1:enp1s0, 94:83:c4:3a:8f:1a known by pve1
        arp 192.168.10.103 > 192.168.10.1 → left by pve1:enp1s0
        back 192.168.10.1 > 192.168.10.103 → delivered to docker01
      out docker01:eth0 192.168.10.103 > 203.0.113.10
     pve1
      in pve1:veth111i0 192.168.10.103 > 203.0.113.10
      bridge pve1:fwbr111i0: 94:83:c4:3a:8f:1a behind pve1:fwln111i0 (fdb)
      out pve1:fwln111i0 192.168.10.103 > 203.0.113.10
      in pve1:fwpr111p0 192.168.10.103 > 203.0.113.10
      bridge pve1:vmbr0: 94:83:c4:3a:8f:1a behind pve1:enp1s0 (learned now)
      out pve1:enp1s0 192.168.10.103 > 203.0.113.10
      left by pve1:enp1s0
    back 203.0.113.10 > 192.168.10.103 → delivered to alpine01
     pve1
      entered by pve1:enp1s0
      in pve1:enp1s0 203.0.113.10 > 192.168.10.103
      bridge pve1:vmbr0: bc:24:11:bf:ee:9b behind pve1:fwpr111p0 (learned now)
      out pve1:fwpr111p0 203.0.113.10 > 192.168.10.103
      in pve1:fwln111i0 203.0.113.10 > 192.168.10.103
      bridge pve1:fwbr111i0: bc:24:11:bf:ee:9b behind pve1:veth111i0 (fdb)
      out pve1:veth111i0 203.0.113.10 > 192.168.10.103
     docker01
      in docker01:eth0 203.0.113.10 > 192.168.10.103
      track established
      dnat 203.0.113.10 > 192.168.10.103 ↦ 203.0.113.10 > 172.17.0.2 by entry
      route 172.17.0.0/16 dev docker01:docker0
      source valid (0)
      forward ttl 64
      chain filter FORWARD: filter FORWARD#3 [filter FORWARD#1 filter DOCKER-USER#1 filter FORWARD#2 filter DOCKER-ISOLATION-STAGE-1#2 filter FORWARD#3]
      neigh 172.17.0.2 is 02:42:ac:11:00:02 (STALE)
      out docker01:docker0 203.0.113.10 > 172.17.0.2
      bridge docker01:docker0: 02:42:ac:11:00:02 behind docker01:vethc52438e (learned now)
      out docker01:vethc52438e 203.0.113.10 > 172.17.0.2
     alpine01
      in alpine01:eth0 203.0.113.10 > 172.17.0.2
      route 172.17.0.2/32 dev alpine01:eth0 local
      source valid (0)
      delivered (alpine01:eth0)
    ");
}

#[test]
fn published_port_from_outside() {
    let text = format!("{SEED}{PUBLISHED}");
    insta::assert_snapshot!(whole(&text, "pve1:enp1s0", "192.168.10.103:8080"), @r"
    there 198.51.100.1 > 192.168.10.103 → delivered to alpine01
     pve1
      entered by pve1:enp1s0
      arp 192.168.10.103: bc:24:11:bf:ee:9b by docker01:eth0
        arp 0.0.0.0 > 192.168.10.103 → delivered to docker01
        back 192.168.10.103 > 0.0.0.0 → left by pve1:enp1s0
      in pve1:enp1s0 198.51.100.1:32768 > 192.168.10.103:8080
      bridge pve1:vmbr0: bc:24:11:bf:ee:9b behind pve1:fwpr111p0 (learned now)
      out pve1:fwpr111p0 198.51.100.1:32768 > 192.168.10.103:8080
      in pve1:fwln111i0 198.51.100.1:32768 > 192.168.10.103:8080
      bridge pve1:fwbr111i0: bc:24:11:bf:ee:9b behind pve1:veth111i0 (fdb)
      out pve1:veth111i0 198.51.100.1:32768 > 192.168.10.103:8080
     docker01
      in docker01:eth0 198.51.100.1:32768 > 192.168.10.103:8080
      track new
      chain nat PREROUTING: nat DOCKER#2 [nat PREROUTING#1 nat DOCKER#2]
      dnat 198.51.100.1:32768 > 192.168.10.103:8080 ↦ 198.51.100.1:32768 > 172.17.0.2:80 by nat DOCKER#2
      route 172.17.0.0/16 dev docker01:docker0
      source valid (0)
      forward ttl 64
      chain filter FORWARD: filter DOCKER#1 [filter FORWARD#1 filter DOCKER-USER#1 filter FORWARD#2 filter DOCKER-ISOLATION-STAGE-1#2 filter FORWARD#4 filter DOCKER#1]
      chain nat POSTROUTING: policy []
      arp 172.17.0.2: 02:42:ac:11:00:02 by alpine01:eth0
        arp 172.17.0.1 > 172.17.0.2 → delivered to alpine01
        back 172.17.0.2 > 172.17.0.1 → delivered to docker01
      out docker01:docker0 198.51.100.1:32768 > 172.17.0.2:80
      bridge docker01:docker0: 02:42:ac:11:00:02 behind docker01:vethc52438e (learned now)
      out docker01:vethc52438e 198.51.100.1:32768 > 172.17.0.2:80
     alpine01
      in alpine01:eth0 198.51.100.1:32768 > 172.17.0.2:80
      route 172.17.0.2/32 dev alpine01:eth0 local
      source valid (0)
      delivered (alpine01:eth0)
    back 172.17.0.2 > 198.51.100.1 → left by pve1:enp1s0
     alpine01
      send
      route 0.0.0.0/0 via 172.17.0.1 dev alpine01:eth0
      neigh 172.17.0.1 is 02:42:35:df:6b:af (STALE)
      out alpine01:eth0 172.17.0.2:80 > 198.51.100.1:32768
     docker01
      in docker01:vethc52438e 172.17.0.2:80 > 198.51.100.1:32768
      track established
      bridge docker01:docker0: up
      in docker01:docker0 172.17.0.2:80 > 198.51.100.1:32768
      route 0.0.0.0/0 via 192.168.10.1 dev docker01:eth0
      source valid (0)
      forward ttl 64
      chain filter FORWARD: filter FORWARD#5 [filter FORWARD#1 filter DOCKER-USER#1 filter FORWARD#2 filter DOCKER-ISOLATION-STAGE-1#1 filter DOCKER-ISOLATION-STAGE-2#2 filter DOCKER-ISOLATION-STAGE-1#2 filter FORWARD#5]
      snat 172.17.0.2:80 > 198.51.100.1:32768 ↦ 192.168.10.103:8080 > 198.51.100.1:32768 by entry
      arp 192.168.10.1: outside pve1:enp1s0, 94:83:c4:3a:8f:1a known by pve1
        arp 192.168.10.103 > 192.168.10.1 → left by pve1:enp1s0
        back 192.168.10.1 > 192.168.10.103 → delivered to docker01
      out docker01:eth0 192.168.10.103:8080 > 198.51.100.1:32768
     pve1
      in pve1:veth111i0 192.168.10.103:8080 > 198.51.100.1:32768
      bridge pve1:fwbr111i0: 94:83:c4:3a:8f:1a behind pve1:fwln111i0 (fdb)
      out pve1:fwln111i0 192.168.10.103:8080 > 198.51.100.1:32768
      in pve1:fwpr111p0 192.168.10.103:8080 > 198.51.100.1:32768
      bridge pve1:vmbr0: 94:83:c4:3a:8f:1a behind pve1:enp1s0 (learned now)
      out pve1:enp1s0 192.168.10.103:8080 > 198.51.100.1:32768
      left by pve1:enp1s0
    ");
}
