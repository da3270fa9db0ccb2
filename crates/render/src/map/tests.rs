use proptest::prelude::*;

use super::check::check;
use crate::Style;
use crate::fixtures::{SEED, network};

fn print(text: &str, width: usize) {
    let s = network(text);
    println!("{}", check(&s, &Style { width, ..Style::default() }));
}

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

#[test]
fn eyes() {
    print(SEED, 80);
    for t in [TWO_GUESTS, TWO_DOCKER, NESTED, SKIP] {
        print(t, 80);
        println!("------------------------------");
    }
    print(&many(8), 80);
}

/// A random network in the fixtures' language: each op adds a thing.
fn random(ops: &[(u8, u8, u8, u8, u8)]) -> String {
    let mut text = String::from("ns n0\n");
    let (mut spaces, mut serial) = (1usize, 0);
    let mut bridges: Vec<Vec<String>> = vec![Vec::new()];
    for (op, a, b, c, d) in ops {
        let pick = |n: &u8, len: usize| usize::from(*n) % len.max(1);
        let (x, y) = (pick(a, spaces), pick(b, spaces));
        serial += 1;
        let pad = "o".repeat(usize::from(*d) % 9);
        let at = |ns: usize, flip: u8| {
            let list: &Vec<String> = &bridges[ns];
            if list.is_empty() || flip % 3 == 0 {
                String::new()
            } else {
                format!("@{}", list[usize::from(flip) % list.len()])
            }
        };
        let line = match op % 8 {
            0 | 1 => {
                spaces += 1;
                bridges.push(Vec::new());
                format!("ns n{}{pad} in n{x}", spaces - 1)
            }
            2 => {
                bridges[x].push(format!("br{serial}{pad}"));
                format!("bridge n{x}:br{serial}{pad} 10.{serial}.0.1/24")
            }
            3 => format!(
                "nic n{x}:e{serial}{pad} {}{}",
                at(x, *c),
                if c % 2 == 0 { " down" } else { "" }
            ),
            _ => format!(
                "veth n{x}:a{serial}{pad}{} n{y}:b{serial}{pad}{} {}",
                at(x, *c),
                at(y, *d),
                if *c < 20 { "down" } else { "" }
            ),
        };
        text.push_str(&line);
        text.push('\n');
        if op % 8 > 4 && c % 4 == 0 {
            text.push_str(&format!("addr n{x}:a{serial}{pad} 192.168.{serial}.100/24\n"));
        }
    }
    // Names of namespaces carry their padding only in their own line.
    let names: Vec<(String, String)> = text
        .lines()
        .filter_map(|l| l.strip_prefix("ns "))
        .filter_map(|l| l.split_whitespace().next())
        .map(|full| (full.trim_end_matches('o').to_owned(), full.to_owned()))
        .collect();
    let mut out = text.clone();
    for (short, full) in names.iter().rev() {
        out = out.replace(&format!("{short}:"), &format!("{full}:"));
        out = out.replace(&format!("in {short}\n"), &format!("in {full}\n"));
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_network_is_drawn_right(
        ops in proptest::collection::vec(any::<(u8, u8, u8, u8, u8)>(), 0..40),
        width in 40usize..140,
        ascii in any::<bool>(),
    ) {
        check(&network(&random(&ops)), &Style { width, ascii, colour: false });
    }
}

#[test]
fn eyes2() {
    let mut seed = 12345u64;
    for n in 0..6 {
        let ops: Vec<(u8, u8, u8, u8, u8)> = (0..14 + 4 * n)
            .map(|_| {
                let mut r = || {
                    seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (seed >> 33) as u8
                };
                (r(), r(), r(), r(), r())
            })
            .collect();
        println!("{}", check(&network(&random(&ops)), &Style { width: 100, ..Style::default() }));
        println!("#####################");
    }
}
