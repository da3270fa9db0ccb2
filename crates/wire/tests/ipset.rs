//! What Debian's 6.1 answers about sets of all types, against what ipset 7.17 prints of the same sets.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

use model::IpSet;
use wire::{ipset, ipset_text};

/// `ipset save`.
const SAVED: &str = include_str!("../fixtures/ipset-7.17.txt");

fn captured() -> Vec<u8> {
    let digits: String =
        include_str!("captures/ipsets.hex").split_whitespace().collect::<Vec<_>>().concat();
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// The sets that lines of `ipset save` tell of.
fn sets(text: &str) -> Vec<IpSet> {
    let mut sets: Vec<IpSet> = Vec::new();
    for line in text.lines() {
        let (command, rest) = line.split_once(' ').unwrap();
        if command == "create" {
            sets.push(ipset_text::create(rest).unwrap());
            continue;
        }
        let (name, rest) = rest.split_once(' ').unwrap();
        let set = sets.iter_mut().find(|set| set.name == name).unwrap();
        let entries = ipset_text::add(set, rest).unwrap();
        set.entries.extend(entries);
    }
    sets
}

#[test]
fn what_the_kernel_says_is_what_ipset_prints() {
    let (read, warnings) = ipset::decode(&captured());
    assert_eq!(warnings, Vec::<String>::new());
    let printed = sets(SAVED);
    assert_eq!(read.len(), model::IpSetType::ALL.len() + 4);
    for (read, printed) in read.iter().zip(&printed) {
        assert_eq!(read.normalised(), printed.normalised(), "{}", read.name);
    }
    let indexes: Vec<_> = read.iter().filter_map(|set| set.index).collect();
    assert_eq!(indexes, (0..20).collect::<Vec<u16>>());
}

#[test]
fn words_are_those_of_ipset() {
    for set in sets(SAVED) {
        for entry in &set.entries {
            let line = format!("add {} {}", set.name, ipset_text::element(&set, entry));
            assert!(
                SAVED.lines().any(|l| l == line || l.starts_with(&format!("{line} "))),
                "{line}"
            );
            let again = ipset_text::add(&set, &ipset_text::entry(&set, entry)).unwrap();
            let without = model::IpSetEntry { counters: None, ..entry.clone() };
            assert_eq!(again, [without]);
        }
        let again = format!("{} {} {}", set.name, set.kind, ipset_text::options(&set));
        let again = IpSet { entries: set.entries.clone(), ..ipset_text::create(&again).unwrap() };
        assert_eq!(again.normalised(), set.normalised());
    }
}

/// What is cut short is told, unless it is cut between two sets; and nothing panics.
#[test]
fn what_is_not_understood_is_told() {
    let bytes = captured();
    let (whole, _) = ipset::decode(&bytes);
    for end in 0..bytes.len() {
        let (sets, warnings) = ipset::decode(&bytes[..end]);
        assert!(!warnings.is_empty() || sets == whole[..sets.len()], "cut at {end}");
        let mut other = bytes.clone();
        other[end] ^= 0xff;
        let _ = ipset::decode(&other);
    }
}

#[test]
fn ranges_come_apart_as_in_the_kernel() {
    let elements = |create: &str, add: &str| -> Vec<String> {
        let set = ipset_text::create(create).unwrap();
        let entries = ipset_text::add(&set, add).unwrap();
        entries.iter().map(|entry| ipset_text::element(&set, entry)).collect()
    };
    assert_eq!(elements("s hash:ip", "10.0.0.6/31"), ["10.0.0.6", "10.0.0.7"]);
    assert_eq!(elements("s hash:ip netmask 24", "10.0.0.200-10.0.1.3"), ["10.0.0.0", "10.0.1.0"]);
    assert_eq!(
        elements("s hash:net", "10.0.0.1-10.0.0.4"),
        ["10.0.0.1", "10.0.0.2/31", "10.0.0.4"]
    );
    assert_eq!(
        elements("s hash:net,port", "10.0.0.9/24,80-81"),
        ["10.0.0.0/24,tcp:80", "10.0.0.0/24,tcp:81"]
    );
    assert_eq!(elements("s hash:ip,port", "10.0.0.1,esp:9"), ["10.0.0.1,esp:0"]);
    assert_eq!(elements("s bitmap:port range 1-9", "3-4"), ["3", "4"]);
    let whole = ipset_text::create("s hash:ip").unwrap();
    let error = ipset_text::add(&whole, "0.0.0.0/0").unwrap_err().to_string();
    assert!(error.contains("at most 65536"), "{error}");
    for (create, add) in [
        ("s hash:ip", "2001:db8::1"),
        ("s hash:ip", "10.0.0.1,tcp:80"),
        ("s hash:ip,port", "10.0.0.1"),
        ("s hash:ip,port", "10.0.0.1,http"),
        ("s hash:net,iface", "10.0.0.0/8,much-too-long-a-name"),
        ("s hash:ip", "10.0.0.1 timeout"),
        ("s hash:ip", "10.0.0.1 nonsense"),
        ("s hash:ip", ""),
    ] {
        assert!(ipset_text::add(&ipset_text::create(create).unwrap(), add).is_err(), "{add}");
    }
    for create in ["s hash:nothing", "s", "s bitmap:ip", "s hash:ip netmask 33", "s hash:ip size"] {
        assert!(ipset_text::create(create).is_err(), "{create}");
    }
}
