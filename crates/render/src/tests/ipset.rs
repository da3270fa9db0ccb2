//! Sets of ipset, wherever they are told of.

use model::{IpSet, Snapshot, Target};

use crate::Style;
use crate::fixtures::{SEED, id, network};

/// The set that these lines of `ipset save` tell of.
fn set(lines: &[&str]) -> IpSet {
    let mut set = wire::ipset_text::create(lines[0]).unwrap();
    for line in &lines[1..] {
        let entries = wire::ipset_text::add(&set, line).unwrap();
        set.entries.extend(entries);
    }
    set
}

/// A network with sets in docker01.
fn with(sets: &[&[&str]]) -> Snapshot {
    let mut snapshot = network(SEED);
    let docker01 = id(&snapshot, "docker01");
    let namespace = snapshot.namespaces.get_mut(&docker01).unwrap();
    namespace.ipsets = sets.iter().map(|lines| set(lines)).collect();
    snapshot
}

const GUESTS: &[&str] =
    &["guests hash:net counters timeout 60", "172.17.0.0/16", "172.17.0.9 nomatch timeout 0"];
const DOORS: &[&str] = &["doors hash:ip,port", "192.168.10.103,tcp:80-84", "192.168.10.41,22"];
const MACS: &[&str] = &["macs bitmap:ip,mac range 10.0.0.0/24", "10.0.0.5,02:00:00:00:00:77"];

#[test]
fn shown_with_a_namespace() {
    let snapshot = with(&[GUESTS, DOORS, &["all list:set", "guests"]]);
    let target = Target::Namespace(id(&snapshot, "docker01"));
    let text = crate::show(&snapshot, target, &Style::default());
    let (_, after) = text.split_once("ipsets\n").unwrap();
    let lines: Vec<&str> = after.lines().take(3).collect();
    let wanted = [
        "  guests hash:net timeout 60 counters, 2 entries",
        "  doors hash:ip,port, 6 entries",
        "  all list:set, 1 entry",
    ];
    assert_eq!(lines, wanted);
    let view = serde_json::to_value(crate::json::show(&snapshot, target)).unwrap();
    assert_eq!(view["ipsets"][0]["kind"], "hash:net");
    assert_eq!(view["ipsets"][0]["options"], "timeout 60 counters");
    assert_eq!(view["ipsets"][0]["entries"][1], "172.17.0.9 timeout 0 nomatch");
}

#[test]
fn found_by_an_address_and_by_a_mac() {
    let snapshot = with(&[GUESTS, DOORS, MACS]);
    let found = |word: &str| -> Vec<String> {
        let findings = crate::find::find(&snapshot, &crate::find::Query::parse(word));
        let texts = findings.found.into_iter().map(|finding| finding.text);
        texts.filter(|text| text.starts_with("ipset")).collect()
    };
    let all = [
        "ipset guests (hash:net): 172.17.0.9 timeout 0 nomatch",
        "ipset guests (hash:net): 172.17.0.0/16",
    ];
    assert_eq!(found("172.17.0.9"), all);
    let few = [
        "ipset doors (hash:ip,port): 192.168.10.103,tcp:80",
        "ipset doors (hash:ip,port): 192.168.10.103,tcp:81",
        "ipset doors (hash:ip,port): 192.168.10.103,tcp:82",
        "ipset doors: 2 more",
    ];
    assert_eq!(found("192.168.10.103"), few);
    let one = ["ipset macs (bitmap:ip,mac): 10.0.0.5,02:00:00:00:00:77"];
    assert_eq!(found("02:00:00:00:00:77"), one);
    assert_eq!(found("192.0.2.1"), Vec::<String>::new());
}

#[test]
fn told_when_it_differs() {
    let told = |before: &[&[&str]], after: &[&[&str]]| {
        let (before, after) = (with(before), with(after));
        let style = Style { width: 100, ..Style::default() };
        crate::diff(&before, &after, &model::diff(&before, &after), false, &style)
    };
    insta::assert_snapshot!(told(&[GUESTS, DOORS], &[GUESTS, MACS]), @r"
    docker01
      - ipset vanished: doors hash:ip,port, 6 entries
      + ipset appeared: macs bitmap:ip,mac range 10.0.0.0-10.0.0.255, 1 entry
    2 differences
    ");
    let other = ["guests hash:net", "172.17.0.0/16", "10.0.0.0/8"];
    insta::assert_snapshot!(told(&[GUESTS], &[&other]), @r"
    docker01
      ~ ipset changed: guests hash:net timeout 60 counters → hash:net + 10.0.0.0/8 - 172.17.0.9 timeout
        0 nomatch
    1 difference
    ");
    // What counts down, and what was counted, is the same all the time.
    let mut later = with(&[GUESTS]);
    let docker01 = id(&later, "docker01");
    let entry = &mut later.namespaces.get_mut(&docker01).unwrap().ipsets[0].entries[0];
    (entry.timeout, entry.counters) = (Some(17), Some((3, 252)));
    assert_eq!(model::diff(&with(&[GUESTS]), &later), []);
}
