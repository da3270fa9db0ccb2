mod choice;
mod kinds;
mod random;

use super::check::check;
use crate::Style;
use crate::fixtures::{SEED, network};

const TWO_GUESTS: &str = "
    ns host viewer pid 1
    ns pve1 in host
    ns web in pve1 unprivileged
    ns db in pve1 unprivileged
    bridge pve1:vmbr0 10.0.0.1/24
    nic pve1:enp1s0 @vmbr0
    bridge pve1:fwbr101i0
    veth pve1:fwpr101p0@vmbr0 pve1:fwln101i0@fwbr101i0
    veth web:eth0 pve1:veth101i0@fwbr101i0
    veth db:eth0 pve1:veth102i0@vmbr0
    addr web:eth0 10.0.0.11/24
    addr db:eth0 10.0.0.12/24
    nsid pve1 0 web
    nsid pve1 1 db
    nsid web 0 pve1
    nsid db 0 pve1
";

const TWO_DOCKER: &str = "
    ns docker01 pid 1 forward
    ns web in docker01
    ns db in docker01
    ns proxy in docker01
    nic docker01:eth0 192.168.10.103/24
    bridge docker01:docker0 172.17.0.1/16
    bridge docker01:br-1a2b3c4d5e6f 172.18.0.1/16
    veth web:eth0 docker01:vetha@docker0
    veth db:eth0 docker01:vethb@br-1a2b3c4d5e6f
    veth proxy:eth0 docker01:vethc@docker0
    veth proxy:eth1 docker01:vethd@br-1a2b3c4d5e6f
    addr web:eth0 172.17.0.2/16
    addr db:eth0 172.18.0.2/16
    addr proxy:eth0 172.17.0.3/16
    addr proxy:eth1 172.18.0.3/16
    route docker01 default via 192.168.10.1 dev eth0
    masquerade docker01 172.17.0.0/16 ! docker0
    nsid docker01 0 web
    nsid docker01 1 db
    nsid docker01 2 proxy
";

const NESTED: &str = "
    ns pve1 pid 1
    ns docker01 in pve1 unprivileged forward
    ns dind in docker01 forward
    ns inner in dind
    bridge pve1:vmbr0 192.168.10.41/24
    nic pve1:enp1s0 @vmbr0
    veth docker01:eth0 pve1:veth111i0@vmbr0
    bridge docker01:docker0 172.17.0.1/16
    veth dind:eth0 docker01:veth1@docker0
    bridge dind:docker0 172.18.0.1/16
    veth inner:eth0 dind:veth2@docker0
    addr docker01:eth0 192.168.10.103/24
    addr dind:eth0 172.17.0.2/16
    addr inner:eth0 172.18.0.2/16
    route docker01 default via 192.168.10.1 dev eth0
    route dind default via 172.17.0.1 dev eth0
";

const SKIP: &str = "
    ns top pid 1
    ns middle in top
    ns leaf in middle
    bridge top:br0 10.0.0.1/24
    bridge middle:br1 10.1.0.1/24
    veth middle:eth0 top:port1@br0
    veth leaf:eth0 top:skip@br0
    veth leaf:eth1 middle:port2@br1
    veth middle:up0@br1 top:plain
    addr top:plain 10.9.0.1/24
    addr leaf:eth0 10.0.0.3/24
    addr leaf:eth1 10.1.0.3/24
";

fn many(n: usize) -> String {
    let mut text = String::from(
        "ns host viewer forward\nbridge host:docker0 172.17.0.1/16\nnic host:eth0 10.0.0.5/24\nroute host default via 10.0.0.1 dev eth0\nmasquerade host 172.17.0.0/16 ! docker0\n",
    );
    for i in 1..=n {
        text += &format!(
            "ns c{i:02} in host\nveth c{i:02}:eth0 host:veth{i:06x}@docker0\naddr c{i:02}:eth0 172.17.0.{}/16\nnsid host {i} c{i:02}\n",
            i + 1
        );
    }
    text
}

fn guests(n: usize) -> String {
    let mut text =
        String::from("ns pve1 pid 1\nbridge pve1:vmbr0 10.0.0.1/24\nnic pve1:enp1s0 @vmbr0\n");
    for i in 101..101 + n {
        text += &format!(
            "ns ct{i} in pve1 unprivileged\nbridge pve1:fwbr{i}i0\n\
             veth pve1:fwpr{i}p0@vmbr0 pve1:fwln{i}i0@fwbr{i}i0\n\
             veth ct{i}:eth0 pve1:veth{i}i0@fwbr{i}i0\naddr ct{i}:eth0 10.0.0.{i}/24\n\
             nsid pve1 {} ct{i}\n",
            i - 101
        );
    }
    text
}

/// Draws it, after checking that the drawing is right.
fn draw(text: &str) -> String {
    let s = network(text);
    let all = super::Choice { expand: true, ..super::Choice::default() };
    let wires = super::layout(&s, all, &Style::default()).wires.len();
    let spaces = s.namespaces.values();
    let stands_elsewhere = spaces.flat_map(|ns| ns.links.values().map(|l| (ns.id, l.relation)));
    let stands_elsewhere = stands_elsewhere
        .filter(|(ns, r)| matches!(r, model::Relation::Lower(lower) if lower.ns != *ns))
        .count();
    let cables = crate::json::map(&s, None).wires.len();
    assert_eq!(wires, cables + stands_elsewhere, "every wire is drawn");
    check(&s, &Style::default())
}

#[test]
fn the_seed() {
    insta::assert_snapshot!(draw(SEED), @r"
    pve1  lab test, pid 1                                          nsid 0 = docker01
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
}

#[test]
fn the_seed_in_ascii() {
    let style = Style { ascii: true, ..Style::default() };
    insta::assert_snapshot!(check(&network(SEED), &style), @r"
    pve1  lab test, pid 1                                          nsid 0 = docker01
      + vmbr0  192.168.10.41/24 --------------+  + fwbr111i0 --------------+
      | L2 switch with the host's own address |  | L2 only                 |
      +-------[enp1s0]-------[fwpr111p0]------+  +-[fwln111i0]-[veth111i0]-+
                  |               |                     |           |
              outside             |                     |           |
                                  +---------------------+           |
      wlo1 (down)                                                   |
    ================================================================|===============
    docker01  unprivileged              nsid 0 = pve1, 1 = alpine01 |
      + docker0  172.17.0.1/16 -----------------+                 eth0
      | L3: routes and translates 172.17.0.0/16 |                 192.168.10.103/24
      +--------------[vethc52438e]--------------+
                           |
    =======================|========================================================
    alpine01  unprivileged |                                       nsid 0 = docker01
                         eth0  172.17.0.2/16
    ");
}

#[test]
fn the_seed_on_a_narrow_screen() {
    let style = Style { width: 60, ..Style::default() };
    insta::assert_snapshot!(check(&network(SEED), &style), @r"
    pve1  lab test, pid 1                      nsid 0 = docker01
      ┌ vmbr0  192.168.10.41/24 ──────────────┐  wlo1 (down)
      │ L2 switch with the host's own address │
      └───────┤enp1s0├───────┤fwpr111p0├──────┘
                  │               │
              outside             │
      ┌ fwbr111i0 ──────────────┐ │
      │ L2 only                 │ │
      └─┤fwln111i0├─┤veth111i0├─┘ │
             └───────────┼────────┘
    ═════════════════════│══════════════════════════════════════
    docker01             │           nsid 0 = pve1, 1 = alpine01
                       eth0
                       192.168.10.103/24
      ┌ docker0  172.17.0.1/16 ─────────────────┐
      │ L3: routes and translates 172.17.0.0/16 │
      └──────────────┤vethc52438e├──────────────┘
                           │
    ═══════════════════════│════════════════════════════════════
    alpine01  unprivileged │                   nsid 0 = docker01
                         eth0  172.17.0.2/16
    ");
}

#[test]
fn two_guests_one_without_a_firewall() {
    insta::assert_snapshot!(draw(TWO_GUESTS), @r"
    pve1  lab test, pid 1010                                    nsid 0 = web, 1 = db
      ┌ vmbr0  10.0.0.1/24 ───────────────────┐  ┌ fwbr101i0 ──────────────┐
      │ L2 switch with the host's own address │  │ L2 only                 │
      └───┤enp1s0├──┤veth102i0├──┤fwpr101p0├──┘  └─┤fwln101i0├─┤veth101i0├─┘
              │          │            │                 │           │
          outside        │            │                 │           │
                         │            └─────────────────┘           │
    ═════════════════════│══════════════════════════════════════════│═══════════════
    web  unprivileged    │                                          │  nsid 0 = pve1
                         │                                        eth0
                         │                                        10.0.0.11/24
    ═════════════════════│══════════════════════════════════════════════════════════
    db  unprivileged     │                                             nsid 0 = pve1
                       eth0  10.0.0.12/24

    not drawn, with no link but lo: host
    ");
}

#[test]
fn two_docker_networks() {
    insta::assert_snapshot!(draw(TWO_DOCKER), @r"
    docker01  lab test, pid 1                        nsid 0 = web, 1 = db, 2 = proxy
      ┌ docker0  172.17.0.1/16 ─────────────────┐  eth0 ── outside
      │ L3: routes and translates 172.17.0.0/16 │  192.168.10.103/24
      └─────────┤vetha├─────────┤vethc├─────────┘
                   │               │ ┌ br-1a2b3c4d5e6f  172.18.0.1/16 ┐
                   │               │ │ L3: routes 172.18.0.0/16       │
                   │               │ └──────┤vethb├──────┤vethd├──────┘
                   │               │           │            │
    ═══════════════│═══════════════│═══════════│════════════│═══════════════════════
    web            │               │           │            │
                 eth0              │           │            │
                 172.17.0.2/16     │           │            │
    ═══════════════════════════════│═══════════│════════════│═══════════════════════
    db  inside docker01, pid 1020  │           │            │
                                   │         eth0           │
                                   │         172.18.0.2/16  │
    ═══════════════════════════════│════════════════════════│═══════════════════════
    proxy  inside docker01         │                        │
                                 eth0  172.17.0.3/16      eth1  172.18.0.3/16
    ");
}

#[test]
fn docker_in_docker_in_lxc() {
    insta::assert_snapshot!(draw(NESTED), @r"
    pve1  lab test, pid 1
      ┌ vmbr0  192.168.10.41/24 ──────────────┐
      │ L2 switch with the host's own address │
      └───────┤enp1s0├───────┤veth111i0├──────┘
                  │               │
              outside             │
                                  │
    ══════════════════════════════│═════════════════════════════════════════════════
    docker01  unprivileged        │
                                eth0               ┌ docker0  172.17.0.1/16 ──┐
                                192.168.10.103/24  │ L3: routes 172.17.0.0/16 │
                                                   └──────────┤veth1├─────────┘
                                                                 │
    ═════════════════════════════════════════════════════════════│══════════════════
    dind  inside docker01, pid 1020                              │
      ┌ docker0  172.18.0.1/16 ──┐                             eth0
      │ L3: routes 172.18.0.0/16 │                             172.17.0.2/16
      └──────────┤veth2├─────────┘
                    │
    ════════════════│═══════════════════════════════════════════════════════════════
    inner           │
                  eth0  172.18.0.2/16
    ");
}

#[test]
fn a_wire_that_skips_a_level() {
    insta::assert_snapshot!(draw(SKIP), @r"
    top  lab test, pid 1
      ┌ br0  10.0.0.1/24 ─────────────────────┐  plain  10.9.0.1/24
      │ L2 switch with the host's own address │    │
      └─────────┤port1├─────────┤skip├────────┘    │
                   │               │               │
    ═══════════════│═══════════════│═══════════════│════════════════════════════════
    middle         │               │               │
               ┌───┼───────────────┘               └─────────────┐
               │ eth0  ┌ br1  10.1.0.1/24 ─────────────────────┐ │
               │       │ L2 switch with the host's own address │ │
               │       └─────────┤port2├─────────┤up0├─────────┘ │
               │                    │              └─────────────┘
    ═══════════│════════════════════│═══════════════════════════════════════════════
    leaf       │                    │
             eth0  10.0.0.3/24    eth1  10.1.0.3/24
    ");
}

#[test]
fn forty_containers() {
    let text = draw(&many(40));
    let lines: Vec<&str> = text.lines().collect();
    insta::assert_snapshot!([&lines[..8], &["…"], &lines[lines.len() - 5..]].concat().join("\n"), @r"
    host  this host                         nsid 1 = c01, 2 = c02, 3 = c03, 4 = c04,
                                              5 = c05, 6 = c06, 7 = c07, and 33 more
      ┌ docker0  172.17.0.1/16 ─────────────────┐
      │ L3: routes and translates 172.17.0.0/16 │
      │                               veth000001├──╫── eth0  172.17.0.2/16  c01
      │                               veth000002├──╫── eth0  172.17.0.3/16  c02
      │                               veth000003├──╫── eth0  172.17.0.4/16  c03
      │                               veth000004├──╫── eth0  172.17.0.5/16  c04
    …
      │                               veth000027├──╫── eth0  172.17.0.40/16  c39
      │                               veth000028├──╫── eth0  172.17.0.41/16  c40
      └─────────────────────────────────────────┘
      eth0 ── outside
      10.0.0.5/24
    ");
}

#[test]
fn guests_with_a_firewall_each() {
    insta::assert_snapshot!(draw(&guests(4)), @r"
    pve1  lab test, pid 1                      nsid 0 = ct101, 1 = ct102, 2 = ct103,
                                                                           3 = ct104
      ┌ vmbr0  10.0.0.1/24 ───────────────────┐
      │ L2 switch with the host's own address │
      ├───────────┬───────────────────────────┘
      │     enp1s0├── outside
      │  fwpr101p0├──┤fwln101i0 fwbr101i0 veth101i0├──╫── eth0  10.0.0.101/24  ct101
      │  fwpr102p0├──┤fwln102i0 fwbr102i0 veth102i0├──╫── eth0  10.0.0.102/24  ct102
      │  fwpr103p0├──┤fwln103i0 fwbr103i0 veth103i0├──╫── eth0  10.0.0.103/24  ct103
      │  fwpr104p0├──┤fwln104i0 fwbr104i0 veth104i0├──╫── eth0  10.0.0.104/24  ct104
      └───────────┘
    ");
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let mut s =
        network("ns host pid 1\nns a in host\nns b in host\nnic host:eth0\nveth host:x a:y");
    let [a, b] = ["a", "b"].map(|n| crate::fixtures::id(&s, n));
    let gap = model::Gap::new("links", "EPERM");
    s.namespaces.get_mut(&b).unwrap().gaps.push(gap);
    s.namespaces.get_mut(&a).unwrap().links.clear();
    insta::assert_snapshot!(super::map(&s, None, &Style::default()), @r"
    host  lab test, pid 1
      eth0 ── outside  x ⇄ not visible

    not drawn, their links could not be read: b (EPERM)
    not drawn, known only from others: a
    ");
}

#[test]
fn only_the_surroundings_of_one() {
    let s = network(SEED);
    let focus = Some(crate::fixtures::id(&s, "alpine01"));
    insta::assert_snapshot!(super::map(&s, focus, &Style::default()), @r"
    docker01  unprivileged, inside pve1, pid 1329130     nsid 0 = pve1, 1 = alpine01
      ┌ docker0  172.17.0.1/16 ─────────────────┐  eth0 ⇄ pve1:veth111i0
      │ L3: routes and translates 172.17.0.0/16 │  192.168.10.103/24
      └──────────────┤vethc52438e├──────────────┘
                           │
    ═══════════════════════│════════════════════════════════════════════════════════
    alpine01  unprivileged │                                       nsid 0 = docker01
                         eth0  172.17.0.2/16
    ");
}

#[test]
fn names_cannot_harm_the_terminal() {
    let mut s = network(SEED);
    let id = crate::fixtures::id(&s, "alpine01");
    s.namespaces.get_mut(&id).unwrap().names[0].text = "\x1b[2J\u{202e}evil".to_owned();
    let text = super::map(&s, None, &Style::default());
    assert!(text.chars().all(|c| c == '\n' || crate::clean::is_harmless(c)), "{text}");
    assert!(text.contains("\\u{1b}[2J\\u{202e}evil"), "{text}");
}

#[test]
fn colours_only_where_they_are_wanted() {
    let s = network(SEED);
    let colour = super::map(&s, None, &Style { colour: true, ..Style::default() });
    assert!(colour.contains("\x1b[31mwlo1 (down)\x1b[0m"), "{colour:?}");
    assert!(!super::map(&s, None, &Style::default()).contains('\x1b'));
}

#[test]
fn many_that_are_down_are_counted_apart() {
    let mut text = many(15);
    for i in 21..=34 {
        text += &format!("ns c{i} in host\nveth c{i}:eth0 host:veth{i}@docker0 down\n");
    }
    let s = network(&text);
    let drawn = super::map(&s, None, &Style::default());
    let more: Vec<&str> =
        drawn.lines().filter(|l| l.contains(" more") && l.contains('├')).map(str::trim).collect();
    insta::assert_snapshot!(more.join("\n"), @r"
    │         12 more├── c04 … c15  172.17.0.5 … 172.17.0.16
    │  11 more (down)├── c24 … c34
    ");
}
