//! What the kernel tells of packets with `meta nftrace` (NFTA_TRACE_*).

use model::{
    BaseChain, Chain, CmpOp, Data, Expr, Family, Hook, MetaKey, NftRule, PayloadBase, Policy, Reg,
    Table,
};

use super::SUBSYSTEM;
use super::attr::Attrs;
use super::family;
use super::message::{Item, messages};

/// NFNLGRP_NFTRACE.
pub const TRACE_GROUP: u32 = 9;
/// NFT_TABLE_F_OWNER: the table belongs to the socket that makes it, and goes when that is closed,
/// however its process ends.
const OWNER: u32 = 2;
/// NFT_MSG_TRACE.
const TRACE: u16 = SUBSYSTEM << 8 | 17;

const TABLE: u16 = 1;
const CHAIN: u16 = 2;
const RULE_HANDLE: u16 = 3;
const KIND: u16 = 4;
const VERDICT: u16 = 5;
const POLICY: u16 = 16;
const VERDICT_CODE: u16 = 1;

/// One thing that happened to a traced packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// Family of the table.
    pub family: Family,
    /// The table.
    pub table: String,
    /// The chain.
    pub chain: String,
    /// What happened.
    pub what: What,
}

/// What happened to a traced packet in a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A rule matched: its handle, and NF_* or NFT_* that it gave.
    Rule(u64, i32),
    /// The chain's end was reached, and its policy applied: NF_*.
    Policy(i32),
}

/// What the messages tell; a chain that is merely left again is not told of.
#[must_use]
pub fn traced(raw: &[u8]) -> Vec<Traced> {
    let found = |item| match item {
        Item::Message(m) if m.kind == TRACE => one(m.family, m.body),
        _ => None,
    };
    messages(raw).filter_map(found).collect()
}

fn one(number: u8, body: &[u8]) -> Option<Traced> {
    /// NFT_TRACETYPE_*.
    const OF_POLICY: u32 = 1;
    const OF_RULE: u32 = 3;
    let attrs = Attrs::parse(body)?;
    let what = match attrs.u32(KIND)? {
        OF_POLICY => What::Policy(attrs.u32(POLICY)?.cast_signed()),
        OF_RULE => {
            let code = attrs.nest(VERDICT)?.u32(VERDICT_CODE)?;
            What::Rule(attrs.u64(RULE_HANDLE)?, code.cast_signed())
        }
        _ => return None,
    };
    Some(Traced {
        family: family(number)?,
        table: attrs.text(TABLE)?,
        chain: attrs.text(CHAIN)?,
        what,
    })
}

/// A table that has the kernel trace packets of which four bytes of the transport header or behind
/// it are one of these: before all other hooks of its family.
#[must_use]
pub fn tracing_table(of: Family, name: &str, places: &[(u32, u32)]) -> Table {
    let chain = |name: &str, hook| Chain {
        name: name.to_owned(),
        base: Some(BaseChain {
            hook,
            priority: i32::MIN,
            kind: "filter".to_owned(),
            policy: Policy::Accept,
            devices: Vec::new(),
        }),
        rules: places.iter().map(|(offset, number)| rule(*offset, *number)).collect(),
    };
    let mut table = Table::new(of, name);
    table.flags = OWNER;
    table.chains = vec![chain("prerouting", Hook::Prerouting), chain("output", Hook::Output)];
    table
}

fn rule(offset: u32, number: u32) -> NftRule {
    let (base, len, dreg) = (PayloadBase::Transport, 4, Reg(1));
    let exprs = vec![
        Expr::Payload { base, offset, len, dreg },
        Expr::Cmp { sreg: Reg(1), op: CmpOp::Eq, data: number.to_be_bytes().to_vec() },
        Expr::Immediate { dreg: Reg(1), data: Data::Value(vec![1]) },
        Expr::MetaSet { key: MetaKey::NfTrace, sreg: Reg(1) },
    ];
    NftRule { exprs, ..NftRule::default() }
}
