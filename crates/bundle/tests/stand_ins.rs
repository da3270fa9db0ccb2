//! With stand-ins, a bundle says nothing of whose it is, and all else as before.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the message")]

use std::hash::{BuildHasherDefault, DefaultHasher};

use bundle::{Bundle, Origin, stand_ins};
use model::{Chain, Data, Expr, Family, NsId, Ruleset, Set, SetElement, Table};
use wire::gathered::{Answer, Answers, Gathered, Question};
use wire::nft::{decode_ruleset, encode_replies};
use wire::wireguard::{devices, without_secrets};

const KEPT: &[u8] = include_bytes!("../../../fixtures/bundles/two-namespaces.tar.gz");

/// Keys that are the same in every run.
fn keys() -> BuildHasherDefault<DefaultHasher> {
    BuildHasherDefault::default()
}

#[test]
fn a_kept_bundle_keeps_its_shape_and_nothing_else() {
    let before = Bundle::unpack(KEPT).unwrap();
    let after = stand_ins(&before, keys);
    let (old, new) = (before.gathered.snapshot(), after.gathered.snapshot());
    assert!(after.origin.stand_ins);
    for (a, b) in old.namespaces.values().zip(new.namespaces.values()) {
        assert_eq!((a.id, a.parent, &a.found, &a.nsids), (b.id, b.parent, &b.found, &b.nsids));
        assert_eq!((&a.sysctls, &a.gaps, &a.opaque), (&b.sysctls, &b.gaps, &b.opaque));
        let links = |n: &model::Namespace| -> Vec<_> {
            n.links.values().map(|l| (l.kind.clone(), l.flags, l.master, l.relation)).collect()
        };
        assert_eq!(links(a), links(b));
        let sizes = |n: &model::Namespace| {
            (n.addresses.len(), n.routes.len(), n.rules.len(), n.neighbours.len(), n.fdb.len())
        };
        assert_eq!(sizes(a), sizes(b));
        assert_eq!(a.ruleset.tables.len(), b.ruleset.tables.len());
    }
    let files = after.files().unwrap();
    let all: Vec<u8> = files.values().flatten().copied().collect();
    let texts = ["fixture", "\"inner\"", "/inner", "192.0.2.", "2001:db8:", "02:00:00:00:00:0"];
    let bytes: [&[u8]; 6] = [
        &[192, 0, 2, 1],
        &[192, 0, 2, 2],
        &[192, 0, 2],
        &[0x20, 0x01, 0x0d, 0xb8],
        &[2, 0, 0, 0, 0, 2],
        b"out\0",
    ];
    for secret in texts.iter().map(|t| t.as_bytes()).chain(bytes) {
        assert!(!all.windows(secret.len()).any(|w| w == secret), "{secret:?} is in it");
    }
}

#[test]
fn a_ruleset_written_anew_is_the_same() {
    let bundle = Bundle::unpack(KEPT).unwrap();
    let mut rulesets = 0;
    for namespace in bundle.gathered.snapshot().namespaces.values() {
        rulesets += usize::from(!namespace.ruleset.tables.is_empty());
        let again = decode_ruleset(&encode_replies(&namespace.ruleset));
        assert_eq!(again, (namespace.ruleset.clone(), vec![]));
    }
    assert_eq!(rulesets, 1);
}

/// A ruleset with stand-ins.
fn replaced(table: Table) -> Table {
    let id = NsId::inode(1);
    let mut answers = Answers::default();
    answers.put_ruleset(encode_replies(&Ruleset { tables: vec![table], generation: 1 }));
    let mut gathered = Gathered::default();
    gathered.found.namespaces.insert(id, model::Namespace::new(id));
    gathered.answers.insert(id, answers);
    let made = stand_ins(&Bundle { origin: Origin::default(), gathered }, keys);
    let mut snapshot = made.gathered.snapshot();
    let namespace = snapshot.namespaces.get_mut(&id).unwrap();
    assert_eq!(namespace.gaps, []);
    namespace.ruleset.tables.remove(0)
}

/// A rule with stand-ins, in iptables' words.
fn rule(table: &str, text: &str) -> String {
    let parsed = wire::iptables::parse_rule(table, "c", text).unwrap();
    let mut whole = Table::new(Family::Ip, table);
    whole.chains.push(Chain { name: "c".into(), base: None, rules: vec![parsed] });
    let whole = replaced(whole);
    render::rule_text::rule_in(&whole, &whole.chains[0].rules[0])
}

/// Checks that a rule keeps its words but for these.
#[track_caller]
fn check(table: &str, text: &str, secrets: &[&str]) {
    let image = rule(table, text);
    let (old, new): (Vec<_>, Vec<_>) = (text.split(' ').collect(), image.split(' ').collect());
    assert_eq!(old.len(), new.len(), "{image}");
    for (old, new) in old.iter().zip(&new) {
        match secrets.contains(old) {
            true => {
                assert_ne!(old, new, "{image}");
                // What follows an address: the length of its prefix, a port.
                let behind = |word: &str| word.rsplit_once(['/', '+']).map(|(_, b)| b.to_owned());
                assert_eq!(behind(old), behind(new), "{image}");
            }
            false => assert_eq!(old, new, "{image}"),
        }
    }
}

#[test]
fn rules_keep_their_words() {
    check(
        "filter",
        "-s 10.1.2.0/24 -d 198.51.100.7/32 -j ACCEPT",
        &["10.1.2.0/24", "198.51.100.7/32"],
    );
    check(
        "filter",
        "! -s 10.64.0.0/13 -i eth0 -o veth77ab+ -j DROP",
        &["10.64.0.0/13", "veth77ab+"],
    );
    check("filter", "-m mac --mac-source 02:00:00:00:00:09 -j web", &["02:00:00:00:00:09", "web"]);
    check("filter", "-m physdev --physdev-in tailscale0 -j DOCKER", &["tailscale0"]);
    check(
        "nat",
        "-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.1.2.3:8080",
        &["10.1.2.3:8080"],
    );
    check(
        "nat",
        "-s 10.1.0.0/16 -j SNAT --to-source 198.51.100.7",
        &["10.1.0.0/16", "198.51.100.7"],
    );
    check("filter", "-m comment --comment mine -m conntrack --ctstate NEW -j DROP", &["mine"]);
}

fn interval(from: [u8; 4], behind: [u8; 4]) -> [SetElement; 2] {
    let element = |key: [u8; 4], flags| SetElement {
        key: Some(key.to_vec()),
        flags,
        ..SetElement::default()
    };
    [element(from, 0), element(behind, 1)]
}

#[test]
fn networks_in_sets_stay_networks() {
    let mut table = Table::new(Family::Ip, "t");
    table.sets.push(Set {
        name: "inside".into(),
        flags: 4,
        key_type: 7,
        key_len: 4,
        elements: [
            interval([10, 1, 2, 0], [10, 1, 3, 0]),
            interval([192, 168, 7, 3], [192, 168, 7, 9]),
        ]
        .concat(),
        ..Set::default()
    });
    let set = replaced(table).sets.remove(0);
    let number =
        |i: usize| u32::from_be_bytes(set.elements[i].key.clone().unwrap().try_into().unwrap());
    assert_eq!(number(1) - number(0), 256);
    assert_eq!(number(0) & 0xff, 0);
    assert_eq!((number(0) >> 24, number(2) >> 16), (10, 0xc0a8));
    assert_eq!(number(3) - number(2), 6);
    assert_ne!((number(0), number(2)), (0x0a01_0200, 0xc0a8_0703));
}

#[test]
fn what_has_no_type_is_emptied() {
    let mut table = Table::new(Family::Ip, "t");
    let secret = Expr::Opaque { name: "osf".into(), data: b"secret".to_vec() };
    let value = Expr::Immediate { dreg: model::Reg(1), data: Data::Value(vec![1, 2]) };
    let rules = vec![model::NftRule { exprs: vec![value.clone(), secret], ..Default::default() }];
    table.chains.push(Chain { name: "c".into(), base: None, rules });
    let exprs = replaced(table).chains.remove(0).rules.remove(0).exprs;
    assert_eq!(exprs, [value, Expr::Opaque { name: "osf".into(), data: vec![] }]);
}

/// Peers are still those of each other, and their networks those of the links, under other names.
#[test]
fn peers_of_wireguard() {
    let capture = include_str!("../../wire/tests/captures/wireguard.hex");
    let digits = capture.lines().filter(|l| !l.starts_with('#')).flat_map(str::chars);
    let digits: Vec<u32> = digits.filter_map(|c| c.to_digit(16)).collect();
    let replies: Vec<u8> =
        digits.chunks(2).map(|d| u8::try_from(d[0] << 4 | d[1]).unwrap()).collect();
    let mut gathered = Gathered::default();
    let mut answers = Answers::default();
    answers.put(Question::Wireguard, Answer::whole(without_secrets(&replies)));
    gathered.answers.insert(NsId::inode(1), answers);
    let made = stand_ins(&Bundle { origin: Origin::default(), gathered }, keys);
    let image = made.gathered.answers[&NsId::inode(1)].bytes(Question::Wireguard);
    let (old, new) = (&devices(&replies)[0], &devices(image)[0]);
    assert_eq!((new.0, new.1.listen_port, new.1.fwmark), (3, 51820, 42));
    for (was, is) in old.1.peers.iter().zip(&new.1.peers) {
        assert_ne!(was.public_key, is.public_key);
        let ports = [was, is].map(|p| p.endpoint.map(|e| e.port()));
        assert_eq!(ports[0], ports[1]);
        assert_ne!(was.endpoint, is.endpoint);
        let lengths = [was, is].map(|p| p.allowed_ips.iter().map(ipnet::IpNet::prefix_len));
        let [a, b] = lengths.map(Iterator::collect::<Vec<_>>);
        assert_eq!(a, b);
        assert!(is.allowed_ips.iter().all(|net| net.addr() == net.network()));
        assert!(was.allowed_ips.iter().zip(&is.allowed_ips).all(|(a, b)| a != b));
        assert_eq!((was.preshared, was.handshake), (is.preshared, is.handshake));
    }
    assert_eq!(old.1.peers.len(), new.1.peers.len());
    let of = |device: &model::Wireguard| device.peers[0].public_key.0;
    assert!(!image.windows(8).any(|w| of(&old.1).starts_with(w)));
}

/// What the kernel told of sets of all types.
fn ipsets() -> Vec<u8> {
    let digits: Vec<u8> = include_bytes!("../../wire/tests/captures/ipsets.hex")
        .iter()
        .filter_map(|digit| u8::try_from(char::from(*digit).to_digit(16)?).ok())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn ipsets_keep_what_is_in_them_but_for_whose_it_is() {
    let id = NsId::inode(1);
    let mut answers = Answers::default();
    answers.put(Question::Ipsets, Answer::whole(ipsets()));
    let mut gathered = Gathered::default();
    gathered.found.namespaces.insert(id, model::Namespace::new(id));
    gathered.answers.insert(id, answers);
    let old = gathered.snapshot();
    let made = stand_ins(&Bundle { origin: Origin::default(), gathered }, keys);
    let new = made.gathered.snapshot();
    let (old, new) = (&old.namespaces[&id], &new.namespaces[&id]);
    assert_eq!((old.gaps.len(), new.gaps.len()), (0, 0));
    assert!(old.ipsets.len() > 10);
    assert_eq!(old.ipsets.len(), new.ipsets.len());
    for (a, b) in old.ipsets.iter().zip(&new.ipsets) {
        assert_ne!(a.name, b.name);
        assert_eq!((a.index, &a.kind, a.family), (b.index, &b.kind, b.family));
        assert_eq!(a.entries.len(), b.entries.len());
        for (a, b) in a.entries.iter().zip(&b.entries) {
            // Of short prefixes, there may be nothing but what everybody has.
            assert!(a.ip.is_none() || a.prefix.is_some() || a.ip != b.ip, "{a:?}");
            assert_eq!((a.prefix, a.port, a.flags), (b.prefix, b.port, b.flags));
            assert_eq!((a.mac.is_some(), a.mark), (b.mac.is_some(), b.mark));
            let named = a.set.as_ref().zip(b.set.as_ref());
            assert!(named.is_none_or(|(a, b)| a != b));
            assert_eq!(b.comment, None);
        }
    }
    let list = new.ipsets.last().unwrap();
    let names: Vec<_> = new.ipsets.iter().map(|set| Some(set.name.clone())).collect();
    assert!(list.kind == "list:set" && list.entries.iter().all(|e| names.contains(&e.set)));
}
