//! Whatever anything is called: what is printed stays within the width, harms no terminal, and
//! JSON gives the names back as they are.

use std::collections::BTreeSet;

use model::{LinkId, NameSource, NsId, Snapshot, Target};
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use crate::clean::is_harmless;
use crate::fixtures::{SEED, network};
use crate::{Query, Style, find, json, ls, map, near, show};

/// With one of everything that has a name.
const MORE: &str = "
    dnat docker01 8080 172.17.0.2:80
    neigh docker01:docker0 172.17.0.2 02:00:00:00:00:42
    fdb docker01:vethc52438e 02:00:00:00:00:42
    listen docker01 8080 4711 docker-proxy
    network docker01 Docker bridge docker0 172.17.0.0/16
    container alpine01 Docker web image nginx publish 8080:80 on bridge
    macvlan docker01:mac0 pve1:vmbr0
    kind docker01:odd0 strange
    engine alpine01 Docker web
";

/// The network with those names, in turn, for all that has one.
fn renamed(names: &[String]) -> Snapshot {
    let mut s = network(&format!("{SEED}{MORE}"));
    let mut next = names.iter().cycle().cloned();
    let mut name = || next.next().unwrap();
    let ids: Vec<NsId> = s.namespaces.keys().copied().collect();
    for id in ids {
        let ns = s.namespaces.get_mut(&id).unwrap();
        for n in &mut ns.names {
            n.text = name();
            if let NameSource::Lab(lab) = &mut n.source {
                *lab = name();
            }
        }
        for l in ns.links.values_mut() {
            (l.name, l.qdisc) = (name(), name());
            (l.alias, l.altnames) = (Some(name()), vec![name()]);
        }
        ns.processes.iter_mut().for_each(|p| p.comm = name());
        ns.listeners.iter_mut().flat_map(|l| &mut l.processes).for_each(|p| p.comm = name());
        ns.files.push(model::NsFile { path: name(), seen_in: None });
        for c in &mut ns.containers {
            c.id = name();
            c.names[0].0 = name();
            (c.image, c.networks) = (Some(name()), vec![name()]);
            c.pod = Some(model::Pod { name: name(), namespace: Some(name()) });
        }
        for n in &mut ns.networks {
            (n.name, n.id, n.driver, n.link) = (name(), name(), name(), Some(name()));
        }
        for table in &mut ns.ruleset.tables {
            table.name = name();
            table.chains.iter_mut().for_each(|c| c.name = name());
        }
        ns.gaps.push(model::Gap::new(&name(), name()));
        ns.opaque.push(model::Opaque::Other(name()));
        s.warnings.push(model::Warning { ns: Some(id), text: name() });
    }
    s
}

/// All that is printed of it.
fn pages(s: &Snapshot, style: &Style) -> Vec<String> {
    let mut pages = vec![map(s, None, style), ls(s, None, style)];
    for (id, ns) in &s.namespaces {
        pages.push(ls(s, Some(*id), style));
        pages.push(map(s, Some(*id), style));
        pages.push(show(s, Target::Namespace(*id), style));
        for index in ns.links.keys() {
            let link = LinkId { ns: *id, index: *index };
            pages.push(show(s, Target::Link(link), style));
        }
        let name = ns.name();
        for word in [name.as_str(), "*", "172.17.0.0/16", "02:00:00:00:00:42", ":8080", "zzz"] {
            pages.push(find(s, &Query::parse(word)).text(s, style));
        }
    }
    pages
}

fn check(s: &Snapshot, style: &Style) {
    for page in pages(s, style) {
        for line in page.lines() {
            assert!(line.width() <= style.width, "{} > {}: {line}", line.width(), style.width);
        }
        let good = |c: char| c == '\n' || (is_harmless(c) && (!style.ascii || c.is_ascii()));
        assert!(page.chars().all(good), "{page}");
    }
    let view = json::text(&json::ls(s, None));
    assert!(view.chars().all(|c| c == '\n' || is_harmless(c)));
    let view: serde_json::Value = serde_json::from_str(&view).unwrap();
    let told: BTreeSet<&str> = view["namespaces"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|n| n["processes"].as_array().unwrap())
        .map(|p| p["comm"].as_str().unwrap())
        .collect();
    let raw = s.namespaces.values().flat_map(|n| &n.processes).map(|p| p.comm.as_str());
    assert_eq!(told, raw.collect());
    for id in s.namespaces.keys() {
        let typed = near::typed(s, *id);
        assert!(typed.chars().all(is_harmless), "{typed}");
        let word = typed
            .strip_prefix('\'')
            .map_or(typed.clone(), |t| t.trim_end_matches('\'').replace(r"'\''", "'"));
        if !word.contains('\'') {
            assert_eq!(s.resolve_ns(&word), Ok(*id), "{typed}");
        }
    }
}

#[test]
fn names_that_people_and_attackers_give() {
    let names: Vec<String> = [
        "two words",
        "it's \"quoted\"",
        "new\nline\ttab\r",
        "\x1b[2J\x1b]0;title\x07",
        "\u{202e}drowssap",
        "שלום",
        "مرحبا بالعالم",
        "zero\u{200b}width\u{feff}",
        "e\u{301}\u{327}",
        "漢字かな",
        "👩‍👩‍👧 🇩🇪",
        "",
        " ",
        "-rf",
        "a/b",
        "pid:1",
        "net:[4026532000]",
        "a:b",
        "\u{9b}31m",
        "$(reboot)",
        "`x`",
        "\\u{41}",
        "\u{a0}",
        "%s",
        "*",
        "...",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(["x".repeat(255), "漢".repeat(85), "long words ".repeat(23)])
    .collect();
    for start in (0..names.len()).step_by(4) {
        let mut turned = names.clone();
        turned.rotate_left(start);
        let s = renamed(&turned);
        for (width, ascii) in [(40, false), (80, true), (200, false)] {
            check(&s, &Style { width, ascii, colour: false });
        }
    }
    // The same for everybody.
    for name in &names {
        check(&renamed(std::slice::from_ref(name)), &Style::default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn any_name(
        names in proptest::collection::vec(any::<String>(), 1..20),
        width in 40usize..160,
        ascii in any::<bool>(),
    ) {
        check(&renamed(&names), &Style { width, ascii, colour: false });
    }
}
