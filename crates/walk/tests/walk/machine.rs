//! nftables' own expressions, as `nft` writes them.

use model::*;

use crate::{ask, net, tell};

const NET: &str = "
ns a
ns r forward
ns b
veth a:eth0 r:eth0
veth b:eth0 r:eth1
addr a:eth0 10.0.0.2/24
addr r:eth0 10.0.0.1/24
addr r:eth1 10.1.0.1/24
addr b:eth0 10.1.0.2/24
route a default via 10.0.0.1 dev eth0
route b default via 10.1.0.1 dev eth0
";

/// A chain of table `inet t` in r, and who it lets connect from a to b, port 80.
fn check(tables: Vec<Table>) -> String {
    let mut snapshot = net::net(NET);
    let id = net::id(&snapshot, "r");
    snapshot.namespaces.get_mut(&id).unwrap().ruleset.tables = tables;
    tell::ends(&snapshot, &ask(&snapshot, "a", "10.1.0.2:80"))
}

fn table(chains: Vec<Chain>, sets: Vec<Set>) -> Table {
    Table { chains, sets, ..Table::new(Family::Inet, "t") }
}

fn base(hook: Hook, priority: i32, policy: Policy, rules: Vec<Vec<Expr>>) -> Chain {
    let kind = "filter".into();
    let base = BaseChain { hook, priority, kind, policy, devices: Vec::new() };
    Chain { base: Some(base), ..chain("base", rules) }
}

fn chain(name: &str, rules: Vec<Vec<Expr>>) -> Chain {
    let rule = |(i, exprs)| NftRule { handle: i as u64 + 1, exprs, ..NftRule::default() };
    let rules = rules.into_iter().enumerate().map(rule).collect();
    Chain { name: name.into(), base: None, rules }
}

fn verdict(verdict: Verdict) -> Expr {
    Expr::Immediate { dreg: Reg(0), data: Data::Verdict(verdict) }
}

fn meta(key: MetaKey) -> Expr {
    Expr::Meta { key, dreg: Reg(1) }
}

fn cmp(op: CmpOp, data: &[u8]) -> Expr {
    Expr::Cmp { sreg: Reg(1), op, data: data.to_vec() }
}

fn dport() -> Vec<Expr> {
    let base = PayloadBase::Transport;
    vec![
        meta(MetaKey::L4proto),
        cmp(CmpOp::Eq, &[6]),
        Expr::Payload { base, offset: 2, len: 2, dreg: Reg(1) },
    ]
}

fn look_up(set: &str, dreg: Option<Reg>) -> Expr {
    Expr::Lookup { set: set.into(), sreg: Reg(1), dreg, invert: false }
}

fn established() -> Vec<Expr> {
    vec![
        Expr::Ct { key: CtKey::State, dir: None, dreg: Reg(1) },
        Expr::Bitwise {
            sreg: Reg(1),
            dreg: Reg(1),
            len: 4,
            mask: 6_u32.to_ne_bytes().to_vec(),
            xor: vec![0; 4],
        },
        cmp(CmpOp::Neq, &[0; 4]),
        verdict(Verdict::Accept),
    ]
}

fn with(mut exprs: Vec<Expr>, more: Vec<Expr>) -> Vec<Expr> {
    exprs.extend(more);
    exprs
}

fn set(name: &str, flags: u32, len: u32, elements: Vec<SetElement>) -> Set {
    Set { name: name.into(), flags, key_len: len, elements, ..Set::default() }
}

fn element(key: &[u8], flags: u32, data: Option<Verdict>) -> SetElement {
    let data = data.map(Data::Verdict);
    SetElement { key: Some(key.to_vec()), flags, data, ..SetElement::default() }
}

fn name(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(16, 0);
    bytes
}

const FORWARD: Hook = Hook::Forward;

#[test]
fn a_verdict_map_by_link() {
    let map = set(
        "by",
        8,
        16,
        vec![
            element(&name("eth0"), 0, Some(Verdict::Jump("in".into()))),
            element(&name("eth1"), 0, Some(Verdict::Goto("back".into()))),
        ],
    );
    let chains = |back: Verdict| {
        vec![
            base(
                FORWARD,
                0,
                Policy::Drop,
                vec![
                    vec![meta(MetaKey::IifName), look_up("by", Some(Reg(0)))],
                    vec![verdict(Verdict::Accept)],
                ],
            ),
            chain("in", vec![vec![verdict(Verdict::Return)], vec![verdict(Verdict::Drop)]]),
            chain("back", vec![vec![verdict(back)]]),
        ]
    };
    let run = |back| check(vec![table(chains(back), vec![map.clone()])]);
    insta::assert_snapshot!(run(Verdict::Accept), @r"
    there: delivered to b
    back: delivered to a
    ");
    // Where a goto's chain returns, it returns past the rule's own chain: the policy.
    insta::assert_snapshot!(run(Verdict::Return), @r"
    there: delivered to b
    back: LOST at r: policy of inett base
    ");
}

#[test]
fn an_interval_of_ports() {
    let ports = |from: u16, to: u16| {
        let ends = vec![
            element(&[0, 0], 1, None),
            element(&from.to_be_bytes(), 0, None),
            element(&to.to_be_bytes(), 1, None),
        ];
        let rule = with(dport(), vec![look_up("ports", None), verdict(Verdict::Accept)]);
        let chains = vec![base(FORWARD, 0, Policy::Drop, vec![established(), rule])];
        check(vec![table(chains, vec![set("ports", 4, 2, ends)])])
    };
    insta::assert_snapshot!(ports(80, 81), @r"
    there: delivered to b
    back: delivered to a
    ");
    insta::assert_snapshot!(ports(79, 80), @r"
    there: LOST at r: policy of inett base
    back: -
    ");
    insta::assert_snapshot!(ports(1, 1024), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn accept_ends_one_base_chain_and_drop_all() {
    let accept = |p| base(FORWARD, p, Policy::Accept, vec![vec![verdict(Verdict::Accept)]]);
    let drop = |p| base(FORWARD, p, Policy::Accept, vec![vec![verdict(Verdict::Drop)]]);
    insta::assert_snapshot!(check(vec![table(vec![accept(-10), drop(0)], vec![])]), @r"
    there: LOST at r: dropped by inett base#1
    back: -
    ");
    insta::assert_snapshot!(check(vec![table(vec![drop(-10), accept(0)], vec![])]), @r"
    there: LOST at r: dropped by inett base#1
    back: -
    ");
    let mut dormant = table(vec![drop(0)], vec![]);
    dormant.flags = 1;
    insta::assert_snapshot!(check(vec![dormant]), @r"
    there: delivered to b
    back: delivered to a
    ");
}

#[test]
fn native_translation() {
    let nat = |hook, rules| {
        let mut chain = base(hook, 0, Policy::Accept, rules);
        chain.base.as_mut().unwrap().kind = "nat".into();
        chain
    };
    let value =
        |reg, bytes: &[u8]| Expr::Immediate { dreg: Reg(reg), data: Data::Value(bytes.to_vec()) };
    let dnat = with(
        dport(),
        vec![
            cmp(CmpOp::Eq, &80_u16.to_be_bytes()),
            value(1, &[10, 1, 0, 2]),
            value(2, &99_u16.to_be_bytes()),
            Expr::Nat {
                kind: NatKind::Dnat,
                family: Family::Ip,
                addr: Some((Reg(1), None)),
                port: Some((Reg(2), None)),
                flags: 0,
            },
        ],
    );
    let masq =
        vec![meta(MetaKey::OifName), cmp(CmpOp::Eq, b"eth1"), Expr::Masq { flags: 0, port: None }];
    let chains = vec![nat(Hook::Prerouting, vec![dnat]), nat(Hook::Postrouting, vec![masq])];
    let mut snapshot = net::net(NET);
    let id = net::id(&snapshot, "r");
    snapshot.namespaces.get_mut(&id).unwrap().ruleset.tables = vec![table(chains, vec![])];
    let told = tell::trace(&snapshot, &ask(&snapshot, "a", "10.0.0.1:80"));
    let nat: Vec<&str> = told.lines().filter(|l| l.contains('↦')).map(str::trim).collect();
    insta::assert_snapshot!(nat.join("\n"), @r"
    dnat 10.0.0.2:32768 > 10.0.0.1:80 ↦ 10.0.0.2:32768 > 10.1.0.2:99 by inett base#1
    snat 10.0.0.2:32768 > 10.1.0.2:99 ↦ 10.1.0.1:32768 > 10.1.0.2:99 by inett base#1
    dnat 10.1.0.2:99 > 10.1.0.1:32768 ↦ 10.1.0.2:99 > 10.0.0.2:32768 by entry
    snat 10.1.0.2:99 > 10.0.0.2:32768 ↦ 10.0.0.1:80 > 10.0.0.2:32768 by entry
    ");
}

#[test]
fn a_mark_set_in_one_chain_is_read_in_the_next() {
    let mark = 7_u32.to_ne_bytes();
    let set = vec![
        Expr::Immediate { dreg: Reg(1), data: Data::Value(mark.to_vec()) },
        Expr::MetaSet { key: MetaKey::Mark, sreg: Reg(1) },
    ];
    let read = vec![meta(MetaKey::Mark), cmp(CmpOp::Eq, &mark), verdict(Verdict::Drop)];
    let chains = vec![
        base(Hook::Prerouting, -150, Policy::Accept, vec![set]),
        base(FORWARD, 0, Policy::Accept, vec![read]),
    ];
    insta::assert_snapshot!(check(vec![table(chains, vec![])]), @r"
    there: LOST at r: dropped by inett base#1
    back: -
    ");
}

#[test]
fn what_is_not_understood_matters_only_where_it_decides() {
    let limit = || Expr::Opaque { name: "limit".into(), data: Vec::new() };
    let rule = |v| vec![limit(), verdict(v)];
    let run = |rules| check(vec![table(vec![base(FORWARD, 0, Policy::Accept, rules)], vec![])]);
    insta::assert_snapshot!(run(vec![rule(Verdict::Accept)]), @r"
    there: delivered to b
    back: delivered to a
    ");
    insta::assert_snapshot!(run(vec![rule(Verdict::Drop)]), @r"
    there: UNKNOWN in inett base#1: expression limit
    back: -
    ");
    insta::assert_snapshot!(run(vec![rule(Verdict::Drop), vec![verdict(Verdict::Drop)]]), @r"
    there: LOST at r: dropped by inett base#2
    back: -
    ");
    // What writes (here: the ct mark, by NFTA_CT_SREG) is not passed over, with no verdict either.
    let written = Expr::Opaque { name: "ct".into(), data: vec![8, 0, 4, 0, 0, 0, 0, 1] };
    insta::assert_snapshot!(run(vec![vec![written]]), @r"
    there: UNKNOWN in inett base#1: expression ct
    back: -
    ");
    // A known comparison that fails settles the rule.
    let other =
        vec![limit(), meta(MetaKey::L4proto), cmp(CmpOp::Eq, &[17]), verdict(Verdict::Drop)];
    insta::assert_snapshot!(run(vec![other]), @r"
    there: delivered to b
    back: delivered to a
    ");
    // What an unknown expression loaded is unknown to those behind it.
    let loaded = vec![
        Expr::Opaque { name: "numgen".into(), data: Vec::new() },
        cmp(CmpOp::Eq, &[1, 0, 0, 0]),
        verdict(Verdict::Drop),
    ];
    insta::assert_snapshot!(run(vec![loaded]), @r"
    there: UNKNOWN in inett base#1: expression numgen
    back: -
    ");
}
