//! What is drawn of a host with much on it.

use insta::assert_snapshot;

use super::super::{Choice, chosen, map};
use super::many;
use crate::Style;
use crate::fixtures::{id, network};

fn shop() -> model::Snapshot {
    let mut text = many(40);
    text += "
        container c02 Docker shop publish 8080:80
        network host Docker bridge docker0 172.17.0.0/16
        ns far in host
        ns farther in far
        bridge host:br7 10.7.0.1/24
        veth far:eth0 host:vfar@br7
        addr far:eth0 10.7.0.2/24
        veth farther:eth0 far:down
    ";
    network(&text)
}

#[test]
fn beyond_a_dozen_of_a_kind_only_the_first_are_drawn() {
    let s = shop();
    let choice = Choice { networks: vec!["bridge".into()], ..Choice::default() };
    assert_snapshot!(map(&s, choice.clone(), &Style::default()), @r"
    host  this host                         nsid 1 = c01, 2 = c02, 3 = c03, 4 = c04,
                                              5 = c05, 6 = c06, 7 = c07, and 33 more
      ┌ docker0  172.17.0.1/16 ───────────────┐
      │ Docker network bridge; L3: routes and │
      │ translates 172.17.0.0/16              │
      ├────────────┬──────────────────────────┘
      │  veth000001├──╫── eth0  172.17.0.2/16  c01
      │  veth000002├──╫── eth0  172.17.0.3/16  c02, publishes 8080 → 8..
      │  veth000003├──╫── eth0  172.17.0.4/16  c03
      │  veth000004├──╫── eth0  172.17.0.5/16  c04
      │     36 more├── c05 … c40  172.17.0.6 … 172.17.0.41
      └────────────┘
      ┌ br7  10.7.0.1/24 ──────┐  eth0 ── outside
      │ L3: routes 10.7.0.0/24 │  10.0.0.5/24
      └─────────┤vfar├─────────┘
                   │
              ⇄ far:eth0

    36 like those beside them are only counted (--expand draws all)
    ");
    let all = map(&s, Choice { expand: true, ..choice }, &Style::default());
    assert!((1..=40).all(|n| all.contains(&format!("  c{n:02}"))), "{all}");
}

#[test]
fn around_one_of_many_the_others_are_counted() {
    let s = network(&many(40));
    let choice = Choice { around: Some((id(&s, "c07"), 1)), ..Choice::default() };
    assert_snapshot!(map(&s, choice.clone(), &Style::default()), @"
    host  this host                         nsid 1 = c01, 2 = c02, 3 = c03, 4 = c04,
                                              5 = c05, 6 = c06, 7 = c07, and 33 more
      ┌ docker0  172.17.0.1/16 ─────────────────┐           eth0 ── outside
      │ L3: routes and translates 172.17.0.0/16 │           10.0.0.5/24
      ├────────────┬────────────────────────────┘
      │  veth000001├── ⇄ c01:eth0
      │  veth000002├── ⇄ c02:eth0
      │  veth000003├── ⇄ c03:eth0
      │     36 more├── c04 … c40  172.17.0.5 … 172.17.0.41
      │  veth000007├─┐
      └────────────┘ │
                     │
    ═════════════════│══════════════════════════════════════════════════════════════
    c07  lab test    │
                   eth0  172.17.0.8/16

    36 like those beside them are only counted (--expand draws all)
    ");
    let all = map(&s, Choice { expand: true, ..choice }, &Style::default());
    assert_eq!(all.matches("⇄ c").count(), 39, "{all}");
}

#[test]
fn a_dozen_are_drawn() {
    let text = map(&network(&many(12)), None, &Style::default());
    assert_eq!(text.matches("eth0  172.17.0.").count(), 12, "{text}");
}

#[track_caller]
fn check(choice: Choice) -> String {
    let s = shop();
    let names: Vec<String> = chosen(&s, &choice).iter().map(|id| s.name_of(*id)).collect();
    names.join(" ")
}

#[test]
fn filters() {
    let s = shop();
    let word = |w: &str| vec![w.to_owned()];
    assert_snapshot!(check(Choice { names: word("c3*"), ..Choice::default() }), @"c30 c31 c32 c33 c34 c35 c36 c37 c38 c39");
    assert_snapshot!(check(Choice { names: word("shop"), ..Choice::default() }), @"c02");
    assert_snapshot!(check(Choice { networks: word("br7"), ..Choice::default() }), @"host far");
    assert_snapshot!(check(Choice { networks: word("host:br7"), ..Choice::default() }), @"host far");
    let addresses = vec!["10.0.0.0/8".parse().unwrap()];
    assert_snapshot!(check(Choice { addresses, ..Choice::default() }), @"host far");
    let around =
        |ns: &str, steps| Choice { around: Some((id(&s, ns), steps)), ..Choice::default() };
    assert_snapshot!(check(around("farther", 1)), @"far farther");
    assert_snapshot!(check(around("farther", 2)), @"host far farther");
    let both = Choice { names: word("f*"), ..around("farther", 2) };
    assert_snapshot!(check(both), @"far farther");
    assert_snapshot!(check(Choice { names: word("nobody"), ..Choice::default() }), @"");
}
