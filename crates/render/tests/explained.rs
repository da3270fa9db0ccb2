//! `trace --explain`, on the network of `examples/proxmox-docker.yaml` as it was read after one ping.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

use std::net::Ipv4Addr;

use bundle::Bundle;
use model::Snapshot;
use render::Style;
use walk::{Indexed, Place, Protocol, Question, Trace};

const READ: &[u8] = include_bytes!("../../../fixtures/bundles/proxmox-docker.tar.gz");

fn trace(snapshot: &Snapshot, from: &str, to: Ipv4Addr, protocol: Protocol) -> Trace {
    let from = Place::Namespace(snapshot.resolve_ns(from).unwrap());
    Indexed::new(snapshot).explained(true).trace(Question::new(from, to, protocol))
}

#[test]
fn the_seed_s_way_with_all_that_was_tried() {
    let snapshot = Bundle::unpack(READ).unwrap().gathered.snapshot();
    let trace = trace(&snapshot, "alpine01", Ipv4Addr::new(203, 0, 113, 10), Protocol::Icmp);
    insta::assert_snapshot!(render::trace(&snapshot, &trace, None, true, &Style::default()), @r"
    ICMP echo request from alpine01 to 203.0.113.10
    alpine01
      · send     ICMP echo request, 84 bytes
      · route    203.0.113.10 → default via 172.17.0.1 dev eth0, from 172.17.0.2
                 source: the first address of the link out in whose network the next
                 hop is
      · neigh    172.17.0.1 is 02:42:35:df:6b:af (REACHABLE)
      · out      eth0  172.17.0.2 → 203.0.113.10  ttl 64
    docker01
      · in       vethc52438e, port of docker0
      · track    NEW  172.17.0.2 → 203.0.113.10, answers 203.0.113.10 → 172.17.0.2
      · filter   ip nat PREROUTING: nothing matches, policy accepts
                 nat PREROUTING: 1 rule tried, 0 matched
                   PREROUTING 1: -m addrtype --dst-type LOCAL -j DOCKER does not
                   match: -m addrtype --dst-type LOCAL
      · bridge   docker0: 02:42:35:df:6b:af is its own address: up
      · in       docker0
      · route    203.0.113.10 → default via 192.168.10.1 dev eth0
      · source   172.17.0.2 passes: rp_filter 0, no way back is asked for
      · forward  docker0 → eth0 (ip_forward 1), ttl 64 → 63
      · filter   ip filter FORWARD: -i docker0 ! -o docker0 -j ACCEPT
                 filter FORWARD: 10 rules tried, 7 matched
                   FORWARD 1: -j DOCKER-USER matches
                   DOCKER-USER 1: -j RETURN matches
                   FORWARD 2: -j DOCKER-ISOLATION-STAGE-1 matches
                   DOCKER-ISOLATION-STAGE-1 1: -i docker0 ! -o docker0 -j
                   DOCKER-ISOLATION-STAGE-2 matches
                   DOCKER-ISOLATION-STAGE-2 1: -o docker0 -j DROP does not match: -o
                   docker0
                   DOCKER-ISOLATION-STAGE-2 2: -j RETURN matches
                   DOCKER-ISOLATION-STAGE-1 2: -j RETURN matches
                   FORWARD 3: -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED
                   -j ACCEPT does not match: -o docker0
                   FORWARD 4: -o docker0 -j DOCKER does not match: -o docker0
                   FORWARD 5: -i docker0 ! -o docker0 -j ACCEPT matches
      · filter   ip nat POSTROUTING: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
                 nat POSTROUTING: 1 rule tried, 1 matched
                   POSTROUTING 1: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
                   matches
      · nat      source 172.17.0.2 ↦ 192.168.10.103
                   ip nat POSTROUTING: -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
      · neigh    192.168.10.1 is 94:83:c4:3a:8f:1a (REACHABLE)
      · out      eth0  192.168.10.103 → 203.0.113.10  ttl 63
    pve1
      · in       veth111i0, port of fwbr111i0
      · bridge   fwbr111i0: 94:83:c4:3a:8f:1a is behind fwln111i0 (FDB, 0 s ago)
      · out      fwln111i0  192.168.10.103 → 203.0.113.10  ttl 63
      · in       fwpr111p0, port of vmbr0
      · bridge   vmbr0: 94:83:c4:3a:8f:1a is behind enp1s0 (FDB, 0 s ago)
      · out      enp1s0  192.168.10.103 → 203.0.113.10  ttl 63
      · left     out of this host by enp1s0, which nestwork (PID 26) holds
    leaves this host by pve1:enp1s0

    the way back
    pve1
      · enter    from outside by enp1s0 (assumed)
      · in       enp1s0, port of vmbr0
      · bridge   vmbr0: bc:24:11:bf:ee:9b is behind fwpr111p0 (FDB, 0 s ago)
      · out      fwpr111p0  203.0.113.10 → 192.168.10.103  ttl 64
      · in       fwln111i0, port of fwbr111i0
      · bridge   fwbr111i0: bc:24:11:bf:ee:9b is behind veth111i0 (FDB, 0 s ago)
      · out      veth111i0  203.0.113.10 → 192.168.10.103  ttl 64
    docker01
      · in       eth0
      · track    ESTABLISHED
                   172.17.0.2 → 203.0.113.10, answers 203.0.113.10 → 192.168.10.103
      · nat      destination 192.168.10.103 ↦ 172.17.0.2  as the connection began
      · route    172.17.0.2 → 172.17.0.0/16 dev docker0, on the link itself
                 not default via 192.168.10.1 dev eth0: its prefix is shorter
      · source   203.0.113.10 passes: rp_filter 0, no way back is asked for
      · forward  eth0 → docker0 (ip_forward 1), ttl 64 → 63
      · filter   ip filter FORWARD: -o docker0 -m conntrack --ctstate
                 RELATED,ESTABLISHED -j ACCEPT
                 filter FORWARD: 6 rules tried, 5 matched
                   FORWARD 1: -j DOCKER-USER matches
                   DOCKER-USER 1: -j RETURN matches
                   FORWARD 2: -j DOCKER-ISOLATION-STAGE-1 matches
                   DOCKER-ISOLATION-STAGE-1 1: -i docker0 ! -o docker0 -j
                   DOCKER-ISOLATION-STAGE-2 does not match: -i docker0
                   DOCKER-ISOLATION-STAGE-1 2: -j RETURN matches
                   FORWARD 3: -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED
                   -j ACCEPT matches
      · neigh    172.17.0.2 is 02:42:ac:11:00:02 (DELAY)
      · out      docker0  203.0.113.10 → 172.17.0.2  ttl 63
      · bridge   docker0: 02:42:ac:11:00:02 is behind vethc52438e (FDB, 0 s ago)
      · out      vethc52438e  203.0.113.10 → 172.17.0.2  ttl 63
    alpine01
      · in       eth0
      · route    172.17.0.2 → local 172.17.0.2 dev eth0, for this namespace itself
                 not 172.17.0.0/16 dev eth0: its prefix is shorter
                 not default via 172.17.0.1 dev eth0: its prefix is shorter
      · source   203.0.113.10 passes: rp_filter 0, no way back is asked for
      · deliver  172.17.0.2 is here, the address of eth0
    delivered to alpine01
    ");
}

#[test]
fn the_same_as_data() {
    let snapshot = Bundle::unpack(READ).unwrap().gathered.snapshot();
    let trace = trace(&snapshot, "alpine01", Ipv4Addr::new(203, 0, 113, 10), Protocol::Icmp);
    let view = render::json::trace(&snapshot, &trace, None);
    let hops = view.there.hops.iter().filter(|hop| hop.name == "docker01");
    let steps = hops.flat_map(|hop| &hop.steps).filter(|step| !step.considered.is_empty());
    let considered: Vec<_> = steps.flat_map(|step| &step.considered).collect();
    insta::assert_snapshot!(render::json::text(&considered), @r#"
    [
      {
        "kind": "chain",
        "text": "nat PREROUTING: 1 rule tried, 0 matched",
        "rules": [
          {
            "rule": {
              "family": "ip",
              "table": "nat",
              "chain": "PREROUTING",
              "number": 1,
              "handle": 6,
              "text": "-m addrtype --dst-type LOCAL -j DOCKER"
            },
            "matched": false,
            "failed": "-m addrtype --dst-type LOCAL"
          }
        ]
      },
      {
        "kind": "chain",
        "text": "filter FORWARD: 10 rules tried, 7 matched",
        "rules": [
          {
            "rule": {
              "family": "ip",
              "table": "filter",
              "chain": "FORWARD",
              "number": 1,
              "handle": 8,
              "text": "-j DOCKER-USER"
            },
            "matched": true
          },
          {
            "rule": {
              "family": "ip",
              "table": "filter",
              "chain": "DOCKER-USER",
              "number": 1,
              "handle": 18,
              "text": "-j RETURN"
            },
            "matched": true
          },
          {
            "rule": {
              "family": "ip",
              "table": "filter",
              "chain": "FORWARD",
              "number": 2,
              "handle": 9,
              "text": "-j DOCKER-ISOLATION-STAGE-1"
            },
            "matched": true
          },
          {
            "rule": {
              "family": "ip",
              "table": "filter",
              "chain": "DOCKER-ISOLATION-STAGE-1",
              "number": 1,
              "handle": 14,
              "text": "-i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2"
            },
            "matched": true
          },
          {
            "rule": {
              "family": "ip",
              "table": "filter",
              "chain": "DOCKER-ISOLATION-STAGE-2",
              "number": 1,
              "handle": 16,
              "text": "-o docker0 -j DROP"
            },
            "matched": false,
            "failed": "-o docker0"
          },
          {
            "rule": {
              "family": "ip",
              "table": "filter",
              "chain": "DOCKER-ISOLATION-STAGE-2",
              "number": 2,
              "handle": 17,
              "text": "-j RETURN"
            },
            "matched": true
          },
          {
            "rule": {
              "family": "ip",
              "table": "filter",
              "chain": "DOCKER-ISOLATION-STAGE-1",
              "number": 2,
              "handle": 15,
              "text": "-j RETURN"
            },
            "matched": true
          },
          {
            "rule": {
              "family": "ip",
              "table": "filter",
              "chain": "FORWARD",
              "number": 3,
              "handle": 10,
              "text": "-o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
            },
            "matched": false,
            "failed": "-o docker0"
          },
          {
            "rule": {
              "family": "ip",
              "table": "filter",
              "chain": "FORWARD",
              "number": 4,
              "handle": 11,
              "text": "-o docker0 -j DOCKER"
            },
            "matched": false,
            "failed": "-o docker0"
          },
          {
            "rule": {
              "family": "ip",
              "table": "filter",
              "chain": "FORWARD",
              "number": 5,
              "handle": 12,
              "text": "-i docker0 ! -o docker0 -j ACCEPT"
            },
            "matched": true
          }
        ]
      },
      {
        "kind": "chain",
        "text": "nat POSTROUTING: 1 rule tried, 1 matched",
        "rules": [
          {
            "rule": {
              "family": "ip",
              "table": "nat",
              "chain": "POSTROUTING",
              "number": 1,
              "handle": 8,
              "text": "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"
            },
            "matched": true
          }
        ]
      }
    ]
    "#);
}
