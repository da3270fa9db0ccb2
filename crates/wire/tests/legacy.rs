//! Tables of iptables-legacy without a kernel: their rules have one form, and what it cannot say is
//! not written.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use model::{CmpOp, Data, Expr, Family, NftRule, PayloadBase, Reg, Table, Verdict};
use wire::iptables::{ChainSpec, legacy_table, table};
use wire::legacy::{Replace, as_read, replace};

fn spec(chain: &str, rules: &[&str]) -> ChainSpec {
    let rules = rules.iter().map(|&rule| rule.to_owned()).collect();
    ChainSpec { name: chain.to_owned(), policy: None, rules }
}

fn exprs(table: &Table, chain: &str, rule: usize) -> Vec<Expr> {
    table.chain(chain).unwrap().rules[rule].exprs.clone()
}

#[test]
fn there_is_one_form() {
    let rules = ["-s 10.0.0.0/8 -i br+ -p tcp -m tcp --dport 1 -j here", "! -d 10.0.0.0/9 -g here"];
    let ours = legacy_table(false, "filter", &[spec("FORWARD", &rules), spec("here", &[""])]);
    let ours = ours.unwrap();
    assert_eq!(ours.name, "legacy filter");
    assert_eq!(as_read(&ours).as_ref(), Some(&ours));
    // What iptables-nft says with fewer bytes comes to the same.
    let plain = ["-s 10.0.0.0/8 -j here"];
    let nft = table("filter", &[spec("FORWARD", &plain), spec("here", &[])]).unwrap();
    let renamed = Table { name: "legacy filter".to_owned(), ..nft };
    let ours = legacy_table(false, "filter", &[spec("FORWARD", &plain), spec("here", &[])]);
    assert_eq!(as_read(&renamed), ours.ok());
}

/// IP6T_F_GOTO is another bit than IPT_F_GOTO.
#[test]
fn goto_of_ipv6() {
    let chains = [spec("OUTPUT", &["-g here", "-j here"]), spec("here", &[])];
    let table = legacy_table(true, "raw", &chains).unwrap();
    let last = |rule| exprs(&table, "OUTPUT", rule).pop().unwrap();
    let verdict = |verdict| Expr::Immediate { dreg: Reg(0), data: Data::Verdict(verdict) };
    assert_eq!(last(0), verdict(Verdict::Goto("here".to_owned())));
    assert_eq!(last(1), verdict(Verdict::Jump("here".to_owned())));
}

/// A link that is none but any, and an address that is none of all: no packet has such.
#[test]
fn what_never_holds() {
    let table = legacy_table(false, "filter", &[spec("INPUT", &["! -i + -j DROP"])]).unwrap();
    let compares = |data: &[u8], op| Expr::Cmp { sreg: Reg(1), op, data: data.to_vec() };
    assert_eq!(exprs(&table, "INPUT", 0)[1], compares(b"INVAL/D\0", CmpOp::Eq));

    let mut never = table;
    let payload = Expr::Payload { base: PayloadBase::Network, offset: 12, len: 4, dreg: Reg(1) };
    let (zero, len) = (vec![0; 4], 4);
    let masked =
        Expr::Bitwise { sreg: Reg(1), dreg: Reg(1), len, mask: zero.clone(), xor: zero.clone() };
    let counter = Expr::Counter { packets: 0, bytes: 0 };
    let asks = vec![payload, masked, compares(&zero, CmpOp::Neq), counter];
    let rule = NftRule { handle: 1, exprs: asks.clone(), ..NftRule::default() };
    never.chains[0].rules = vec![rule];
    assert_eq!(as_read(&never).map(|read| exprs(&read, "INPUT", 0)), Some(asks));
}

#[test]
fn what_it_cannot_say_is_not_written() {
    let table = legacy_table(false, "filter", &[spec("INPUT", &["-j DROP"])]).unwrap();
    let with = |expr: Expr| {
        let mut table = table.clone();
        table.chains[0].rules[0].exprs.insert(0, expr);
        replace(&table)
    };
    assert!(with(Expr::Counter { packets: 0, bytes: 0 }).is_some());
    assert_eq!(with(Expr::Notrack), None);
    let verdict = Data::Verdict(Verdict::Jump("nowhere".to_owned()));
    let mut lost = table.clone();
    lost.chains[0].rules[0].exprs = vec![Expr::Immediate { dreg: Reg(0), data: verdict }];
    assert_eq!(replace(&lost), None);
    assert_eq!(replace(&Table::new(Family::Ip, "filter")), None, "one of nftables' own");
    assert_eq!(replace(&Table { family: Family::Inet, ..table }), None);
}

/// struct ipt_replace begins with the name, and has 96 bytes before the entries; an entry without
/// matches has 112, and its verdict 40, the last entry's name 64.
#[test]
fn sizes() {
    let table = legacy_table(false, "raw", &[spec("OUTPUT", &["-j DROP"])]).unwrap();
    let written = replace(&table).unwrap();
    assert_eq!(written.name(), "raw");
    let bytes = written.bytes(3, 0x1234);
    assert_eq!(bytes.len(), 96 + 3 * 152 + 176);
    let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap());
    // Hooks, entries, size; of OUTPUT: its first, its policy; the old table's entries.
    assert_eq!([32, 36, 40, 56, 76, 84].map(word), [9, 4, 632, 152, 304, 3]);
    assert_eq!(bytes[88..96], 0x1234_u64.to_ne_bytes());
    assert_eq!(Replace::counters(3), 48);
}
