//! Whatever the network, its figure is right.

use proptest::prelude::*;

use crate::Style;
use crate::fixtures::network;
use crate::map::check::check;
use crate::map::{place, scene};

/// A random network in the fixtures' language: each op adds a thing.
fn random(ops: &[(u8, u8, u8, u8, u8)]) -> String {
    let mut text = String::from("ns n0\n");
    let (mut spaces, mut serial) = (1usize, 0);
    let mut bridges: Vec<Vec<String>> = vec![Vec::new()];
    let mut links: Vec<String> = Vec::new();
    for (op, a, b, c, d) in ops {
        let pick = |n: &u8, len: usize| usize::from(*n) % len.max(1);
        let (x, y) = (pick(a, spaces), pick(b, spaces));
        serial += 1;
        let pad = "o".repeat(usize::from(*d) % 9);
        let odd = ["", "", "\u{1b}", "漢", "é┤", "\u{202e}"][usize::from(*b) % 6];
        let at = |ns: usize, flip: u8| {
            let list: &Vec<String> = &bridges[ns];
            if list.is_empty() || flip.is_multiple_of(3) {
                String::new()
            } else {
                format!("@{}", list[usize::from(flip) % list.len()])
            }
        };
        if op % 10 == 8 && !bridges[x].is_empty() {
            // Leaves, some behind a bridge of their own.
            let bridge = &bridges[x][usize::from(*b) % bridges[x].len()];
            for leaf in 0..c % 7 {
                let (ns, port) = (format!("n{x}"), format!("l{serial}{leaf}"));
                text.push_str(&format!("ns {port} in n{x}\n"));
                if d.is_multiple_of(2) {
                    text.push_str(&format!(
                        "bridge {ns}:f{port}\nveth {ns}:p{port}@{bridge} {ns}:q{port}@f{port}\n\
                         veth {port}:eth0 {ns}:{port}@f{port}\n"
                    ));
                } else {
                    text.push_str(&format!("veth {port}:eth0 {ns}:{port}@{bridge}\n"));
                }
                text.push_str(&format!("addr {port}:eth0 10.99.{leaf}.100/24\n"));
            }
            continue;
        }
        if op % 10 == 9 {
            let name = format!("n{x}:s{serial}{pad}");
            let lower = links.get(usize::from(*c) % links.len().max(1));
            text.push_str(&match (lower, d % 6) {
                (Some(lower), 0..=1) => format!("macvlan {name} {lower}\n"),
                (Some(lower), 2..=3) => format!("vlan {name}{} {lower} {c}\n", at(x, *d)),
                (_, 4) => format!("vrf {name} {c}\n"),
                _ => format!("bond {name}{}\n", at(x, *b)),
            });
            if d % 6 > 3 || lower.is_none() {
                bridges[x].push(format!("s{serial}{pad}"));
            }
            links.push(name);
            continue;
        }
        let line = match op % 10 {
            0 | 1 => {
                spaces += 1;
                bridges.push(Vec::new());
                format!("ns n{}{pad} in n{x}", spaces - 1)
            }
            2 => {
                bridges[x].push(format!("br{serial}{odd}{pad}"));
                format!("bridge n{x}:br{serial}{odd}{pad} 10.{serial}.0.1/24")
            }
            3 => {
                links.push(format!("n{x}:e{serial}{pad}"));
                format!(
                    "nic n{x}:e{serial}{pad} {}{}",
                    at(x, *c),
                    if c.is_multiple_of(2) { " down" } else { "" }
                )
            }
            _ => {
                links.push(format!("n{y}:b{serial}{odd}{pad}"));
                format!(
                    "veth n{x}:a{serial}{pad}{odd}{} n{y}:b{serial}{odd}{pad}{} {}",
                    at(x, *c),
                    at(y, *d),
                    if *c < 20 { "down" } else { "" }
                )
            }
        };
        text.push_str(&line);
        text.push('\n');
        if op % 10 > 4 && c.is_multiple_of(4) {
            text.push_str(&format!("addr n{x}:a{serial}{pad}{odd} 192.168.{serial}.100/24\n"));
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
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_network_is_drawn_right(
        ops in proptest::collection::vec(any::<(u8, u8, u8, u8, u8)>(), 0..40),
        width in 40usize..140,
        ascii in any::<bool>(),
    ) {
        let s = network(&random(&ops));
        let style = Style { width, ascii, colour: false };
        check(&s, &style);
        // Whatever has to be left out, the figure without any wire always fits.
        let all = scene::Cuts { fold: 0, unfolded: Vec::new(), wires: Vec::new() };
        let wires = scene::scene(&s, &None.into(), &all, &style).wires;
        let cuts = scene::Cuts { wires, ..all };
        prop_assert!(place::place(&scene::scene(&s, &None.into(), &cuts, &style), width).is_ok());
    }
}
