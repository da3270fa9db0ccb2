//! Rules as text against what Debian's iptables and nft print of the same rules.

use model::{Family, Ruleset};
use render::rule_text::{chain_header, rule, rule_in};
use wire::iptables::{base_chains, parse_rule};
use wire::nft::{NftReplies, decode_exprs, decode_ruleset};

const IPTABLES: &str = include_str!("../../wire/fixtures/iptables-1.8.9.txt");
const NFT: &str = include_str!("../../wire/fixtures/nft-1.0.6.txt");

/// Hex digits, in which `_N_` is N zero bytes.
fn bytes(hex: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, piece) in hex.split('_').enumerate() {
        if index % 2 == 1 {
            out.resize(out.len() + piece.parse::<usize>().expect("a count"), 0);
            continue;
        }
        for at in (0..piece.len()).step_by(2) {
            out.push(u8::from_str_radix(&piece[at..at + 2], 16).expect("hex"));
        }
    }
    out
}

fn field<'t>(block: &'t str, name: &str) -> &'t str {
    let line = block.lines().find(|l| l.split(' ').next() == Some(name));
    line.unwrap_or_else(|| panic!("no {name} in {block}"))[name.len()..].trim_start()
}

#[test]
fn iptables_rules_read_as_iptables_prints_them() {
    let mut compared = 0;
    for block in IPTABLES.split("\n\n").filter(|b| b.starts_with("rule ")) {
        let (table, print) = (field(block, "rule").split(' ').next(), field(block, "print"));
        let exprs = decode_exprs(&bytes(field(block, "read")));
        let read = model::NftRule { exprs, ..model::NftRule::default() };
        let text = rule(Family::Ip, table.expect("a table"), &read);
        if text.contains("<unknown: ") {
            let known = ["limit", "iprange", "pkttype", "owner", "TCPMSS", "CT"];
            assert!(known.iter().any(|k| text.contains(k)), "{print}\n{text}");
            continue;
        }
        assert_eq!(text, print);
        compared += 1;
    }
    assert!(compared > 180, "only {compared} compared");
}

#[test]
fn what_is_printed_is_parsed_again() {
    for block in IPTABLES.split("\n\n").filter(|b| b.starts_with("rule ")) {
        let mut place = field(block, "rule").splitn(3, ' ');
        let (table, chain) = (place.next().expect("table"), place.next().expect("chain"));
        let Ok(parsed) = parse_rule(table, chain, field(block, "print")) else { continue };
        let text = rule(Family::Ip, table, &parsed);
        assert_eq!(parse_rule(table, chain, &text), Ok(parsed), "{text}");
    }
}

fn native() -> Ruleset {
    let part = |name| bytes(field(NFT, name));
    let (ruleset, warnings) = decode_ruleset(&NftReplies {
        generation: part("generation"),
        tables: part("tables"),
        chains: part("chains"),
        rules: part("rules"),
        sets: part("sets"),
        elements: part("elements"),
        flowtables: Vec::new(),
    });
    assert_eq!(warnings, Vec::<String>::new());
    ruleset
}

#[test]
fn native_rules_read_as_nft_lists_them() {
    let (_, listing) = NFT.split_once("listing\n").expect("a listing");
    let listed: Vec<String> = listing
        .split("\tchain ")
        .skip(1)
        .flat_map(|chain| chain.lines().filter_map(|l| l.strip_prefix("\t\t")))
        .filter(|l| !l.starts_with("type "))
        // The number of a link has no name here.
        .map(|l| l.replace("iif \"lo\"", "iif 1"))
        .collect();
    let ruleset = native();
    let ours: Vec<String> = ruleset
        .tables
        .iter()
        .flat_map(|t| t.chains.iter().flat_map(|c| &c.rules).map(|r| rule_in(t, r)))
        .collect();
    assert_eq!(ours.join("\n"), listed.join("\n"));
}

proptest::proptest! {
    /// A bundle may hold any bytes.
    #[test]
    fn no_bytes_break_it(
        block in proptest::sample::select(
            IPTABLES.split("\n\n").filter(|b| b.starts_with("rule ")).collect::<Vec<_>>(),
        ),
        changes in proptest::collection::vec((0..400_usize, proptest::num::u8::ANY), 0..6),
    ) {
        let mut exprs = bytes(field(block, "read"));
        for (at, byte) in changes {
            let at = at % exprs.len();
            exprs[at] = byte;
        }
        let read = model::NftRule { exprs: decode_exprs(&exprs), ..model::NftRule::default() };
        let _ = rule(Family::Ip, "filter", &read);
        let mut table = model::Table::new(Family::Inet, "mine");
        table.sets = native().tables.remove(0).sets;
        let _ = rule_in(&table, &read);
    }
}

#[test]
fn headers_say_hook_and_policy() {
    let mut out = String::new();
    for chain in base_chains("filter").expect("a table of iptables") {
        out += &format!("{}\n", chain_header(Family::Ip, "filter", &chain));
    }
    for table in &native().tables {
        for chain in &table.chains {
            out += &format!("{}\n", chain_header(table.family, &table.name, chain));
        }
    }
    insta::assert_snapshot!(out, @r#"
    Chain INPUT (policy ACCEPT)
    Chain FORWARD (policy ACCEPT)
    Chain OUTPUT (policy ACCEPT)
    chain other
    chain last
    chain in { type filter hook input priority 0; policy drop; }
    chain pre { type nat hook prerouting priority -100; policy accept; }
    chain post { type nat hook postrouting priority 100; policy accept; }
    chain ing { type filter hook ingress device "lo" priority 0; policy accept; }
    chain fw { type filter hook forward priority 0; policy accept; }
    "#);
}

#[test]
fn what_has_no_syntax_is_named() {
    let exprs = vec![
        model::Expr::Meta { key: model::MetaKey::Other(24), dreg: model::Reg(1) },
        model::Expr::Cmp { sreg: model::Reg(1), op: model::CmpOp::Eq, data: vec![1, 2] },
        model::Expr::Opaque { name: "quota".to_owned(), data: vec![1] },
        model::Expr::Cmp { sreg: model::Reg(9), op: model::CmpOp::Lt, data: vec![] },
    ];
    let odd = model::NftRule { exprs, ..model::NftRule::default() };
    let both = [rule(Family::Ip, "filter", &odd), rule(Family::Inet, "mine", &odd)];
    insta::assert_snapshot!(both.join("\n"), @r#"
    <unknown: meta> <unknown: quota> <unknown: cmp>
    <unknown: meta 24> 0x0102 <unknown: quota> <unknown: cmp>
    "#);
}
