//! The outputs that the author of the seed pasted: the figure, and the eleven steps.

use std::net::Ipv4Addr;
use std::path::Path;

use insta::assert_snapshot;
use model::Snapshot;
use render::Style;
use walk::{Place, Protocol, Question, Verdict};

fn seed() -> Snapshot {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/seed");
    let mut files = Vec::new();
    for ns in ["pve1", "docker01", "alpine01"] {
        for entry in std::fs::read_dir(root.join(ns)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            files.push(pasted::File { path: format!("{ns}/{name}"), text });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    pasted::read(&files)
}

#[test]
fn the_figure() {
    let s = seed();
    assert_eq!(s.warnings, []);
    assert_snapshot!(render::map(&s, None, &Style::default()), @r"
    pve1  this host                                                nsid 0 = docker01
      ┌ vmbr0  192.168.10.41/24 ──────────────┐  ┌ fwbr111i0 ──────────────┐
      │ L2 switch with the host's own address │  │ L2 only                 │
      └───────┤enp1s0├───────┤fwpr111p0├──────┘  └─┤fwln111i0├─┤veth111i0├─┘
                  │               │                     │           │
              outside             │                     │           │
                                  └─────────────────────┘           │
      wlo1 (down)                                                   │
    ════════════════════════════════════════════════════════════════│═══════════════
    docker01  unprivileged              nsid 0 = pve1, 1 = alpine01 │
      ┌ docker0  172.17.0.1/16 ─────────────────┐                 eth0
      │ L3: routes and translates 172.17.0.0/16 │                 192.168.10.103/24
      └──────────────┤vethc52438e├──────────────┘
                           │
    ═══════════════════════│════════════════════════════════════════════════════════
    alpine01  unprivileged │                                       nsid 0 = docker01
                         eth0  172.17.0.2/16
    ");
    assert_snapshot!(render::ls(&s, None, &Style { width: 120, ..Style::default() }), @r"
    NAME          WHAT  NS          PID      USER    PROCS  LINKS  NSIDS
    pve1          host  4026531840  1        root    1      7      0 in docker01
      docker01    file  4026532790  1329130  100000  1      3      0 in pve1, 0 in alpine01
        alpine01  file  4026532869  1461368  100000  1      1      1 in docker01
            file docker01:/run/docker/netns/cab9181ad6ac
    ");
}

#[test]
fn the_eleven_steps() {
    let s = seed();
    let from = Place::Namespace(s.resolve_ns("alpine01").unwrap());
    let to = Ipv4Addr::new(203, 0, 113, 10);
    let trace = walk::trace(&s, Question::new(from, to, Protocol::Icmp));
    assert_eq!(trace.verdict(), Verdict::Assumed);
    assert_snapshot!(render::trace(&s, &trace, None, false, &Style::default()), @r"
    ICMP echo request from alpine01 to 203.0.113.10
    alpine01
      · send     ICMP echo request, 84 bytes
      ? assumed  rules: the default ones; sysctls: as a kernel starts (ip_forward 0)
                 (no file shows it)
      · route    203.0.113.10 → default via 172.17.0.1 dev eth0, from 172.17.0.2
      ? assumed  netfilter: no tables; ipsec: no policies; ipvs: no services (no
                 file shows it)
      ? assumed  neighbours: who is not known is asked (no file shows it)
      · neigh    who has 172.17.0.1? docker01:docker0 answers: 02:42:35:df:6b:af
      ? assumed  qdiscs: no filters (no file shows it)
      · out      eth0  172.17.0.2 → 203.0.113.10  ttl 64
    docker01
      · in       vethc52438e, port of docker0
      ? assumed  qdiscs: no filters (no file shows it)
      ? assumed  sysctls: ip_forward 1 as shown, else as a kernel starts; fdb:
                 bridges know only what is shown and what they learn now; ports:
                 bridges and their ports as the kernel makes them (no file shows it)
      · bridge   docker0: 02:42:35:df:6b:af is its own address: up
      · in       docker0
      ? assumed  rules: the default ones (no file shows it)
      · route    203.0.113.10 → default via 192.168.10.1 dev eth0
      · forward  docker0 → eth0 (ip_forward 1), ttl 64 → 63
      ? assumed  netfilter: no tables but nat, which is shown; ipsec: no policies;
                 ipvs: no services (no file shows it)
      ? assumed  rule 1 of nat POSTROUTING: it matches (links hidden)
      · nat      source 172.17.0.2 ↦ 192.168.10.103
                   ip nat POSTROUTING: -s 172.17.0.0/16 <hidden: links> -j
                   MASQUERADE
      ? assumed  neighbours: who is not known is asked (no file shows it)
      · neigh    who has 192.168.10.1? the answer is outside, by pve1:enp1s0; pve1
                 knows: 192.168.10.1 is 94:83:c4:3a:8f:1a (REACHABLE)
      · out      eth0  192.168.10.103 → 203.0.113.10  ttl 63
    pve1
      · in       veth111i0, port of fwbr111i0
      ? assumed  qdiscs: no filters (no file shows it)
      ? assumed  sysctls: as a kernel starts (ip_forward 0); fdb: bridges know only
                 what is shown and what they learn now; ports: bridges and their
                 ports as the kernel makes them (no file shows it)
      · bridge   fwbr111i0: 94:83:c4:3a:8f:1a is behind fwln111i0 (FDB, learned)
      · out      fwln111i0  192.168.10.103 → 203.0.113.10  ttl 63
      · in       fwpr111p0, port of vmbr0
      · bridge   vmbr0: 94:83:c4:3a:8f:1a is behind enp1s0 (FDB, learned on this
                 very way)
      · out      enp1s0  192.168.10.103 → 203.0.113.10  ttl 63
      ? assumed  kinds: what queues and has no other end is a card (no file shows
                 it)
      · left     out of this host by enp1s0
    leaves this host by pve1:enp1s0

    the way back
    pve1
      · enter    from outside by enp1s0 (assumed)
      · in       enp1s0, port of vmbr0
      · bridge   vmbr0: bc:24:11:bf:ee:9b is behind fwpr111p0 (FDB, learned on this
                 very way)
      · out      fwpr111p0  203.0.113.10 → 192.168.10.103  ttl 64
      · in       fwln111i0, port of fwbr111i0
      · bridge   fwbr111i0: bc:24:11:bf:ee:9b is behind veth111i0 (FDB, learned)
      · out      veth111i0  203.0.113.10 → 192.168.10.103  ttl 64
    docker01
      · in       eth0
      · nat      destination 192.168.10.103 ↦ 172.17.0.2  as the connection began
      · route    172.17.0.2 → 172.17.0.0/16 dev docker0, on the link itself
      · forward  eth0 → docker0 (ip_forward 1), ttl 64 → 63
      · neigh    172.17.0.2 is 02:42:ac:11:00:02 (STALE)
      · out      docker0  203.0.113.10 → 172.17.0.2  ttl 63
      · bridge   docker0: 02:42:ac:11:00:02 is behind vethc52438e (FDB, learned on
                 this very way)
      · out      vethc52438e  203.0.113.10 → 172.17.0.2  ttl 63
    alpine01
      · in       eth0
      · route    172.17.0.2 → local 172.17.0.2 dev eth0, for this namespace itself
      · deliver  172.17.0.2 is here, the address of eth0
    delivered to alpine01

    unsure   it rests on what is assumed (?): alpine01 (rules, sysctls, netfilter,
             ipsec, ipvs, neighbours, qdiscs), docker01 (qdiscs, fdb, ports, rules,
             sysctls, netfilter, ipsec, ipvs, rule 1 of nat POSTROUTING,
             neighbours), pve1 (qdiscs, fdb, ports, kinds, sysctls)
    ");
}
