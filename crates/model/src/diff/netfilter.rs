use similar::{Algorithm, DiffOp};

use super::list::plain;
use super::{TableRef, Turn, What};
use crate::{Chain, Expr, IpSet, NftRule, Ruleset, Set, Table};

/// What differs between two rulesets, counted packets and handles aside.
pub(super) fn rulesets(before: &Ruleset, after: &Ruleset) -> Vec<What> {
    let tables = |r: &Ruleset| -> Vec<Table> { r.tables.iter().map(Table::normalised).collect() };
    let (before, after) = (tables(before), tables(after));
    let mut told = Vec::new();
    for turn in plain(&before, &after, reference) {
        match turn {
            Turn::Vanished(t) => told.push(What::Table(Turn::Vanished(reference(&t)))),
            Turn::Appeared(t) => {
                told.push(What::Table(Turn::Appeared(reference(&t))));
                let empty = Table { flags: t.flags, ..Table::new(t.family, &t.name) };
                inside(&empty, &t, &mut told);
            }
            Turn::Changed { before, after } => {
                if before.flags != after.flags {
                    let same = (reference(&before), reference(&after));
                    told.push(What::Table(Turn::Changed { before: same.0, after: same.1 }));
                }
                inside(&before, &after, &mut told);
            }
        }
    }
    told
}

/// What differs between the sets of ipset, numbers and what entries have counted aside.
pub(super) fn ipsets(before: &[IpSet], after: &[IpSet]) -> Vec<Turn<IpSet>> {
    let all = |sets: &[IpSet]| -> Vec<IpSet> { sets.iter().map(IpSet::normalised).collect() };
    plain(&all(before), &all(after), |set| set.name.clone())
}

fn reference(table: &Table) -> TableRef {
    TableRef { family: table.family, name: table.name.clone() }
}

fn inside(before: &Table, after: &Table, told: &mut Vec<What>) {
    sets(before, after, told);
    for turn in plain(&before.chains, &after.chains, |c| c.name.clone()) {
        chain((before, after), turn, told);
    }
    for turn in plain(&before.flowtables, &after.flowtables, Clone::clone) {
        told.push(What::Flowtable { table: reference(after), turn });
    }
}

fn chain(tables: (&Table, &Table), turn: Turn<Chain>, told: &mut Vec<What>) {
    let table = reference(tables.1);
    let mut tell = |turn| {
        told.push(What::Chain { table: table.clone(), turn: Box::new(turn) });
    };
    let head = |c: &Chain| (c.name.clone(), c.base.clone());
    match turn {
        Turn::Vanished(c) => tell(Turn::Vanished(head(&c))),
        Turn::Appeared(c) => {
            tell(Turn::Appeared(head(&c)));
            rules(tables, &Chain { rules: Vec::new(), ..c.clone() }, &c, told);
        }
        Turn::Changed { before, after } => {
            if before.base != after.base {
                tell(Turn::Changed { before: head(&before), after: head(&after) });
            }
            rules(tables, &before, &after, told);
        }
    }
}

/// Rules are a sequence: one that is elsewhere in it has vanished and appeared.
fn rules(tables: (&Table, &Table), before: &Chain, after: &Chain, told: &mut Vec<What>) {
    let keys = |table: &Table, c: &Chain| -> Vec<String> {
        c.rules.iter().map(|r| key(table, r)).collect()
    };
    let (old, new) = (keys(tables.0, before), keys(tables.1, after));
    let ops = similar::capture_diff_slices(Algorithm::Myers, &old, &new);
    let mut tell = |turn| {
        let chain = after.name.clone();
        told.push(What::NftRule { table: reference(tables.1), chain, turn });
    };
    for op in ops.iter().filter(|op| !matches!(op, DiffOp::Equal { .. })) {
        op.old_range().for_each(|n| tell(Turn::Vanished(n)));
        op.new_range().for_each(|n| tell(Turn::Appeared(n)));
    }
}

/// What makes two rules equal. A set without a name of its own is part of its rule; what the kernel
/// calls it differs from time to time.
fn key(table: &Table, rule: &NftRule) -> String {
    let mut text = format!("{rule:?}");
    for expr in &rule.exprs {
        let Expr::Lookup { set: name, .. } = expr else { continue };
        let set = table.sets.iter().find(|s| s.name == *name && is_anonymous(s));
        if let Some(set) = set {
            text = text.replace(&format!("{name:?}"), &format!("{:?}", set.elements));
        }
    }
    text
}

/// NFT_SET_ANONYMOUS.
const fn is_anonymous(set: &Set) -> bool {
    set.flags & 1 == 1
}

fn sets(before: &Table, after: &Table, told: &mut Vec<What>) {
    let named =
        |t: &Table| -> Vec<Set> { t.sets.iter().filter(|s| !is_anonymous(s)).cloned().collect() };
    for turn in plain(&named(before), &named(after), |s| s.name.clone()) {
        let table = reference(after);
        told.push(match turn {
            Turn::Vanished(s) => What::Set {
                table,
                turn: Turn::Vanished(s.name),
                more: Vec::new(),
                less: s.elements,
            },
            Turn::Appeared(s) => What::Set {
                table,
                turn: Turn::Appeared(s.name),
                more: s.elements,
                less: Vec::new(),
            },
            Turn::Changed { before, after } => {
                let missing = |from: &Set, of: &Set| {
                    from.elements.iter().filter(|e| !of.elements.contains(e)).cloned().collect()
                };
                let (more, less) = (missing(&after, &before), missing(&before, &after));
                let turn = Turn::Changed { before: before.name, after: after.name };
                What::Set { table, turn, more, less }
            }
        });
    }
}
