//! Netfilter rules as text: in iptables' syntax where iptables-nft wrote them, in nft's otherwise.
//!
//! What has no syntax here is shown by name: `<unknown: limit>`. Names and comments come from
//! whoever wrote the rules: the text is to be cleaned before it meets a terminal.

mod iptables;
mod nft;
mod number;
mod xt;
mod xt_plain;
mod xt_set;

use model::{BaseChain, Chain, Expr, Family, NftRule, Policy, Set, SetElement, Table};

/// The tables that iptables-nft writes.
const IPTABLES: [&str; 5] = ["filter", "nat", "mangle", "raw", "security"];

/// A rule on one line, without its counters: `-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE`, as
/// `iptables -S` prints it after `-A CHAIN`, or `oifname "eth0" masquerade`, as `nft -s list` does.
#[must_use]
pub fn rule(family: Family, table: &str, rule: &NftRule) -> String {
    if is_iptables(family, table, rule) {
        iptables::rule(&rule.exprs)
    } else {
        nft::rule(family, &[], &rule.exprs)
    }
}

/// The same with the elements of the sets that have no name of their own, which stand in `table`.
#[must_use]
pub fn rule_in(table: &Table, rule: &NftRule) -> String {
    if is_iptables(table.family, &table.name, rule) {
        iptables::rule(&rule.exprs)
    } else {
        nft::rule(table.family, &table.sets, &rule.exprs)
    }
}

/// The condition of a rule that ends with the expression at `last`: `-i docker0`.
#[must_use]
pub fn condition(table: &Table, rule: &NftRule, last: usize) -> String {
    let head = |exprs: &[Expr]| rule_in(table, &NftRule { exprs: exprs.to_vec(), ..rule.clone() });
    let until = rule.exprs.get(..=last).unwrap_or(&rule.exprs);
    let before = until.iter().rposition(|e| !loads(e) && !is(e, until.last()));
    let (text, earlier) = (head(until), before.map(|at| head(&until[..=at])).unwrap_or_default());
    // What stands before may be said shorter together with it: then it is told as well.
    text.strip_prefix(&earlier).map_or_else(|| text.clone(), |rest| rest.trim().to_owned())
}

/// That very expression.
fn is(expr: &Expr, other: Option<&Expr>) -> bool {
    other.is_some_and(|other| std::ptr::eq(expr, other))
}

/// It brings into a register what a later expression tests.
const fn loads(expr: &Expr) -> bool {
    match expr {
        Expr::Meta { .. }
        | Expr::Payload { .. }
        | Expr::Ct { .. }
        | Expr::Fib { .. }
        | Expr::Exthdr { .. }
        | Expr::Rt { .. }
        | Expr::Socket { .. }
        | Expr::Hash { .. }
        | Expr::Numgen { .. }
        | Expr::Bitwise { .. }
        | Expr::Shift { .. }
        | Expr::Byteorder { .. } => true,
        Expr::Lookup { dreg, .. } => dreg.is_some(),
        _ => false,
    }
}

/// The elements of a set as nft writes them: `{ 192.0.2.1, 192.0.2.7 }`; None if it holds something
/// that is not known how to say.
#[must_use]
pub fn elements(set: &Set) -> Option<String> {
    nft::elements(set)
}

/// An element of a set as nft writes it: `10.0.0.0/24`, of a map of verdicts `80 : jump web`; bytes where
/// it is not known what they mean.
pub(crate) fn element(set: &Set, element: &SetElement) -> String {
    nft::element(set, element)
}

/// A key of a set.
pub(crate) fn key(set: &Set, key: &[u8]) -> String {
    nft::key(set, key)
}

/// A chain's name and, of a base chain, where it hooks in and its policy: `Chain FORWARD (policy
/// DROP)`, or `chain in { type filter hook input priority 0; policy drop; }`.
#[must_use]
pub fn chain_header(family: Family, table: &str, chain: &Chain) -> String {
    let name = &chain.name;
    let iptables = family == Family::Ip && is_iptables_table(table);
    match &chain.base {
        Some(base) if iptables && base.hook.as_str().eq_ignore_ascii_case(name) => {
            let policy = if base.policy == Policy::Drop { "DROP" } else { "ACCEPT" };
            format!("Chain {name} (policy {policy})")
        }
        Some(base) => format!("chain {name} {{ {} }}", hook(base)),
        None if iptables => format!("Chain {name}"),
        None => format!("chain {name}"),
    }
}

fn hook(base: &BaseChain) -> String {
    let devices: Vec<String> = base.devices.iter().map(|d| format!("\"{d}\"")).collect();
    let devices = match devices.as_slice() {
        [] => String::new(),
        [one] => format!(" device {one}"),
        many => format!(" devices = {{ {} }}", many.join(", ")),
    };
    let policy = if base.policy == Policy::Drop { "drop" } else { "accept" };
    let (kind, hook, priority) = (&base.kind, base.hook.as_str(), base.priority);
    format!("type {kind} hook {hook}{devices} priority {priority}; policy {policy};")
}

/// Whether iptables-nft may have written it: its table, and nothing that iptables never writes.
fn is_iptables(family: Family, table: &str, rule: &NftRule) -> bool {
    let native = |e: &Expr| {
        matches!(
            e,
            Expr::Lookup { .. }
                | Expr::Ct { .. }
                | Expr::MetaSet { .. }
                | Expr::Nat { .. }
                | Expr::Masq { .. }
                | Expr::Redir { .. }
                | Expr::Reject { .. }
        )
    };
    family == Family::Ip && is_iptables_table(table) && !rule.exprs.iter().any(native)
}

/// Those of iptables-legacy have a word before their names.
fn is_iptables_table(name: &str) -> bool {
    IPTABLES.contains(&name.strip_prefix(model::LEGACY).unwrap_or(name))
}
