//! Our bytes are iptables' bytes: every captured rule, from its text and from what the kernel says.

mod support;

use model::Expr;
use support::{bytes, captured};
use wire::iptables::{self, ChainSpec, parse_rule};
use wire::nft::{decode_exprs, encode_exprs, replace_table};

/// Words in the capture that the parser refuses: the name of a service, and a test for no port at all,
/// which iptables 1.8.9 takes and then writes as none.
const REFUSED: [&str; 2] = ["http", "0:65535"];

#[test]
fn text_becomes_the_bytes_that_iptables_sends() {
    let mut compared = 0;
    for rule in captured() {
        let parsed = match parse_rule(rule.table, rule.chain, rule.args) {
            Ok(parsed) => parsed,
            Err(error) => {
                assert!(REFUSED.contains(&error.word.as_str()), "{}: {error}", rule.args);
                continue;
            }
        };
        assert_eq!(hex(&encode_exprs(&parsed.exprs)), hex(&rule.sent), "{}", rule.args);
        let compat = parsed.compat.expect("iptables always sends it");
        let sent = [
            &[8, 0, 1, 0][..],
            &compat.protocol.to_be_bytes(),
            &[8, 0, 2, 0],
            &compat.flags.to_be_bytes(),
        ];
        assert_eq!(hex(&sent.concat()), hex(&rule.compat), "{}", rule.args);
        assert_eq!(parsed.exprs, decode_exprs(&rule.read), "read back: {}", rule.args);
        compared += 1;
    }
    assert!(compared > 180, "only {compared} rules compared");
}

/// Whole messages, but for their sequence numbers.
#[test]
fn dockers_rules_are_the_messages_of_iptables() {
    let lines: Vec<&str> = include_str!("../fixtures/docker-nat.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
        .collect();
    let chains: Vec<ChainSpec> = lines
        .chunks(2)
        .map(|pair| {
            let (name, rule) = pair[0].split_once(' ').expect("chain and rule");
            ChainSpec { name: name.to_owned(), policy: None, rules: vec![rule.to_owned()] }
        })
        .collect();
    let table = iptables::table("nat", &chains).expect("Docker's own");
    let batch = replace_table(false, &table);
    let ours: Vec<String> = batch
        .messages
        .iter()
        .filter(|part| part.what.starts_with("rule"))
        .map(|part| format!("{:04x} {:04x} {}", part.kind, part.flags, hex(&part.body)))
        .collect();
    for pair in lines.chunks(2) {
        let sent = bytes(pair[1]);
        let word = |at: usize| u16::from_ne_bytes([sent[at], sent[at + 1]]);
        let theirs = format!("{:04x} {:04x} {}", word(4), word(6), hex(&sent[16..]));
        assert!(ours.contains(&theirs), "{}\n{theirs}\n{}", pair[0], ours.join("\n"));
    }
}

#[test]
fn what_iptables_prints_is_the_same_rule() {
    for rule in captured() {
        let Ok(parsed) = parse_rule(rule.table, rule.chain, rule.args) else { continue };
        let Ok(again) = parse_rule(rule.table, rule.chain, rule.print) else {
            panic!("{}", rule.print)
        };
        // iptables 1.8.9 prints these otherwise than it was told; the meaning is the same.
        let differs =
            ["mid -m tcp", "! --dport :", "! --sport 0:", "--ctorigsrc 1.2.3.4/32", "-i + "];
        if rule.args.starts_with('!') || !differs.iter().any(|d| rule.args.contains(d)) {
            assert_eq!(parsed, again, "{}", rule.args);
        }
    }
}

#[test]
fn decoding_and_encoding_gives_the_same_bytes() {
    for rule in captured() {
        let exprs = decode_exprs(&rule.sent);
        assert_eq!(hex(&encode_exprs(&exprs)), hex(&rule.sent), "{}", rule.args);
        let opaque = exprs.iter().any(|e| matches!(e, Expr::Opaque { .. }));
        // What is opaque keeps the flags that the kernel leaves out.
        if !opaque {
            assert_eq!(exprs, decode_exprs(&rule.read), "{}", rule.args);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}
