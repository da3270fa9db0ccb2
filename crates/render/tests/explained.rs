//! `trace --explain`, on the network of `examples/proxmox-docker.yaml` as it was read after one ping.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

use std::net::Ipv4Addr;

use bundle::Bundle;
use model::{Family, Snapshot, Tc};
use render::Style;
use walk::{Indexed, Place, Protocol, Question, Trace};
use wire::nft_text::{ChainSpec, SetSpec, TableSpec};

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

/// The seed with sets that docker01's rules ask, and filters of tc at its links.
fn with_sets_and_filters() -> Snapshot {
    let mut snapshot = Bundle::unpack(READ).unwrap().gathered.snapshot();
    let id = snapshot.resolve_ns("docker01").unwrap();
    let ns = snapshot.namespaces.get_mut(&id).unwrap();
    let set = |name: &str, key: &str, value: Option<&str>, elements: &[&str]| SetSpec {
        name: name.into(),
        key: key.into(),
        value: value.map(Into::into),
        elements: elements.iter().map(|e| (*e).into()).collect(),
    };
    let rules = [
        "ip saddr { 10.9.0.1, 10.9.0.2 } drop",
        "ip daddr @nets ip saddr . tcp dport @pairs drop",
        "tcp dport vmap @ports",
    ];
    let spec = TableSpec {
        family: Family::Ip,
        name: "t".into(),
        sets: vec![
            set("nets", "ipv4_addr", None, &["203.0.113.0/24"]),
            set("pairs", "ipv4_addr . inet_service", None, &["172.17.0.0/16 . 81-90"]),
            set("ports", "inet_service", Some("verdict"), &["80 : accept"]),
        ],
        chains: vec![ChainSpec {
            name: "c".into(),
            hook: Some("type filter hook forward priority 5".into()),
            drop: false,
            rules: rules.map(Into::into).to_vec(),
        }],
    };
    ns.ruleset.tables.push(wire::nft_text::table(&spec).unwrap());
    let link = ns.links.values_mut().find(|l| l.name == "eth0").unwrap();
    let filter = |text: &str| wire::tc_text::parse(text).unwrap();
    let named = Tc {
        ingress: Vec::new(),
        egress: vec![
            filter("pref 1 protocol ip u32 match ip dst 10.9.0.2/32 action drop"),
            filter("pref 2 protocol ip matchall action skbedit mark 7"),
        ],
    };
    link.tc = named.renamed(|_| Some(0)).map(Box::new);
    snapshot
}

#[test]
fn what_sets_have_and_which_filters_were_tried() {
    let snapshot = with_sets_and_filters();
    let to = Ipv4Addr::new(203, 0, 113, 10);
    let trace = trace(&snapshot, "alpine01", to, Protocol::Tcp(80));
    let text = render::trace(&snapshot, &trace, None, true, &Style::default());
    let of = |words: &str| {
        let lines = text.lines().skip_while(|line| !line.contains(words));
        let wanted = lines.take_while(|line| line.contains(words) || !line.contains("· "));
        wanted.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(of("ip t c"), @r"
    · filter   ip t c: tcp dport vmap @ports
               t c: 3 rules tried, 1 matched
                 c 1: ip saddr { 10.9.0.1, 10.9.0.2 } drop does not match: ip
                 saddr { 10.9.0.1, 10.9.0.2 }; 172.17.0.2 is not in it
                 c 2: ip daddr @nets ip saddr . tcp dport @pairs drop does not
                 match: ip daddr @nets ip saddr . tcp dport @pairs; set nets:
                 203.0.113.10 is in it, by 203.0.113.0/24; set pairs: 172.17.0.2 .
                 80 is not in it
                 c 3: tcp dport vmap @ports matches; map ports: 80 is in it, by 80
                 : accept
    ");
    insta::assert_snapshot!(of("tc egress of eth0"), @r"
    · tc       tc egress of eth0: pref 2 protocol ip matchall action skbedit mark
               0x7
               tc egress of eth0: 2 filters tried, 1 for it
                 pref 1 protocol ip u32 match ip dst 10.9.0.2/32 action drop is
                 for other packets
                 pref 2 protocol ip matchall action skbedit mark 0x7 is for it
    ");
    let view = render::json::trace(&snapshot, &trace, None);
    let steps = view.there.hops.iter().flat_map(|hop| &hop.steps);
    let considered: Vec<_> = steps.flat_map(|step| &step.considered).collect();
    let sets = considered.iter().flat_map(|c| &c.rules).flat_map(|rule| &rule.sets);
    insta::assert_snapshot!(render::json::text(&sets.collect::<Vec<_>>()), @r#"
    [
      {
        "kind": "set",
        "key": "172.17.0.2",
        "outcome": "not in"
      },
      {
        "kind": "set",
        "name": "nets",
        "key": "203.0.113.10",
        "outcome": "in",
        "element": "203.0.113.0/24"
      },
      {
        "kind": "set",
        "name": "pairs",
        "key": "172.17.0.2 . 80",
        "outcome": "not in"
      },
      {
        "kind": "map",
        "name": "ports",
        "key": "80",
        "outcome": "in",
        "element": "80 : accept"
      }
    ]
    "#);
    let filters = considered.iter().flat_map(|c| &c.filters);
    insta::assert_snapshot!(render::json::text(&filters.collect::<Vec<_>>()), @r#"
    [
      {
        "filter": "pref 1 protocol ip u32 match ip dst 10.9.0.2/32 action drop",
        "outcome": "selector"
      },
      {
        "filter": "pref 2 protocol ip matchall action skbedit mark 0x7",
        "outcome": "fits"
      }
    ]
    "#);
}
