//! Whatever the bytes and whatever the text: no panic, and what is read is written again.

mod support;

use proptest::prelude::*;
use support::captured;
use wire::iptables::parse_rule;
use wire::nft::{NftReplies, decode_exprs, decode_ruleset, encode_exprs, generation, set_names};
use wire::xt;

/// Names and revisions that have a type.
const EXTENSIONS: [(&str, u32); 17] = [
    ("addrtype", 1),
    ("conntrack", 3),
    ("comment", 0),
    ("tcp", 0),
    ("udp", 0),
    ("icmp", 0),
    ("multiport", 1),
    ("physdev", 0),
    ("mac", 0),
    ("mark", 1),
    ("MASQUERADE", 0),
    ("SNAT", 0),
    ("DNAT", 0),
    ("DNAT", 2),
    ("MARK", 2),
    ("REJECT", 0),
    ("LOG", 0),
];

fn message(kind: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(20 + body.len()).expect("small");
    [&len.to_ne_bytes()[..], &[kind, 10], &[0; 10], &[family, 0, 0, 0], body].concat()
}

/// A captured list of expressions with some bytes of it changed.
fn mangled() -> impl Strategy<Value = Vec<u8>> {
    let all: Vec<Vec<u8>> = captured().into_iter().map(|r| r.read).collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (prop::sample::select(all), changes).prop_map(|(mut bytes, changes)| {
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode_exprs(&bytes);
        let _ = (generation(&bytes), set_names(&bytes));
        let replies = NftReplies {
            generation: bytes.clone(),
            tables: bytes.clone(),
            chains: bytes.clone(),
            rules: bytes.clone(),
            sets: bytes.clone(),
            elements: bytes.clone(),
            flowtables: bytes,
        };
        let _ = decode_ruleset(&replies);
    }

    #[test]
    fn any_message_is_read(
        family in 0..12_u8,
        body in prop::collection::vec(any::<u8>(), 0..60),
        exprs in mangled(),
    ) {
        let rule = [&[8, 0, 1, 0, b't', 0, 0, 0, 8, 0, 2, 0, b'c', 0, 0, 0][..], &exprs].concat();
        let replies = NftReplies {
            generation: message(15, family, &body),
            tables: [message(0, 2, &[6, 0, 1, 0, b't', 0, 0, 0]), message(0, family, &body)].concat(),
            chains: message(3, family, &body),
            rules: [message(6, family, &body), message(6, 2, &rule)].concat(),
            sets: message(9, family, &body),
            elements: message(12, family, &body),
            flowtables: message(22, family, &body),
        };
        let _ = decode_ruleset(&replies);
    }

    #[test]
    fn what_is_read_is_written(bytes in mangled()) {
        let exprs = decode_exprs(&bytes);
        prop_assert_eq!(decode_exprs(&encode_exprs(&exprs)), exprs);
    }

    #[test]
    fn no_struct_loses_a_byte(
        (name, revision) in prop::sample::select(&EXTENSIONS[..]),
        bytes in prop::collection::vec(prop_oneof![Just(0), any::<u8>()], 0..260),
    ) {
        let info = xt::decode(name, revision, &bytes);
        let again = model::Xt { name: name.to_owned(), revision, info };
        prop_assert_eq!(xt::encode(&again), bytes);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,60}") {
        let _ = parse_rule("filter", "FORWARD", &text);
    }

    #[test]
    fn any_words_are_parsed_or_refused(
        words in prop::collection::vec(
            prop::sample::select(&["!", "-s", "-d", "-i", "-p", "tcp", "udp", "icmp", "-m", "-j", "1", "80:90",
                "10.0.0.0/8", "--dport", "conntrack", "--ctstate", "NEW", "multiport", "--dports",
                "comment", "--comment", "DNAT", "--to", "1.2.3.4:80", "MARK", "--set-mark", "ACCEPT",
                "--syn", "-f", "eth+", "+", "\"\"", "--icmp-type", "physdev", "--physdev-in", "="][..]),
            0..12,
        ),
    ) {
        let _ = parse_rule("nat", "PREROUTING", &words.join(" "));
    }
}
