//! `iptables-save` and `iptables -S`.

use model::{Chain, Data, Expr, Family, NftRule, Policy, Reg, Table, Verdict, Xt, XtInfo};
use wire::iptables::{base_chains, parse_rule};

use crate::report::Report;

/// The tables of an output. `only`: the one that was asked for, which `-S` does not name.
pub(crate) fn parse(text: &str, only: Option<&str>, report: &mut Report<'_>) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let lists = !text.lines().any(|line| line.starts_with('*'));
    if lists && text.lines().any(|l| l.starts_with('-')) {
        tables.extend(empty(only.unwrap_or("filter")));
    }
    for (number, line) in report.lines(text) {
        let line = line.trim();
        if line.starts_with(['#', '$']) || line == "COMMIT" {
            continue;
        }
        if let Some(name) = line.strip_prefix('*') {
            match empty(name) {
                Some(table) => tables.push(table),
                None => report.line(number, "a table that iptables does not have"),
            }
            continue;
        }
        let Some(table) = tables.last_mut() else {
            report.line(number, "before the first table");
            continue;
        };
        if let Err(what) = line_of(line, table) {
            report.line(number, &what);
        }
    }
    tables
}

/// A table with its base chains, as iptables has it.
pub(crate) fn empty(name: &str) -> Option<Table> {
    let mut table = Table::new(Family::Ip, name);
    table.chains = base_chains(name)?;
    Some(table)
}

fn line_of(line: &str, table: &mut Table) -> Result<(), String> {
    if let Some(rest) = line.strip_prefix(':') {
        let mut words = rest.split_whitespace();
        policy(table, words.next().unwrap_or_default(), words.next().unwrap_or("-"));
        return Ok(());
    }
    // iptables-save -c: counters first.
    let line = match line.strip_prefix('[').and_then(|l| l.split_once(']')) {
        Some((_, rest)) => rest.trim_start(),
        None => line,
    };
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
    match word {
        "-P" => policy(table, name, text),
        "-N" => _ = chain(table, name),
        "-A" => {
            let (rule, doubt) = rule(&table.name, name, text);
            chain(table, name).rules.push(rule);
            return doubt.map_or(Ok(()), Err);
        }
        _ => return Err("not -P, -N or -A".to_owned()),
    }
    Ok(())
}

/// The policy of a base chain; `-` for another.
pub(crate) fn policy(table: &mut Table, name: &str, policy: &str) {
    if let Some(base) = &mut chain(table, name).base {
        base.policy = if policy == "DROP" { Policy::Drop } else { Policy::Accept };
    }
}

/// The chain of that name; a new one if there is none.
pub(crate) fn chain<'t>(table: &'t mut Table, name: &str) -> &'t mut Chain {
    let at = table.chains.iter().position(|c| c.name == name).unwrap_or_else(|| {
        table.chains.push(Chain { name: name.to_owned(), base: None, rules: Vec::new() });
        table.chains.len() - 1
    });
    &mut table.chains[at]
}

/// A rule, and what of it is not understood: that stands in it as an expression that is not known,
/// so that nobody takes the rule for less than it is.
pub(crate) fn rule(table: &str, chain: &str, text: &str) -> (NftRule, Option<String>) {
    match parse_rule(table, chain, text) {
        Ok(rule) => (rule, None),
        Err(error) => {
            let word = error.word.escape_debug();
            let what = format!("rule not understood at {word}: {}", error.kind);
            let words: Vec<&str> = text.split_whitespace().collect();
            let target = words.iter().position(|w| ["-j", "-g", "--jump", "--goto"].contains(w));
            let target = target.and_then(|at| Some((words[at], *words.get(at + 1)?)));
            (opaque(text, target), Some(what))
        }
    }
}

/// A rule of which only the target is known.
pub(crate) fn opaque(text: &str, target: Option<(&str, &str)>) -> NftRule {
    let mut exprs = vec![Expr::Opaque { name: short(text), data: Vec::new() }];
    let verdict = |verdict| Expr::Immediate { dreg: Reg(0), data: Data::Verdict(verdict) };
    exprs.extend(target.map(|(how, to)| match (how, to) {
        (_, "ACCEPT") => verdict(Verdict::Accept),
        (_, "DROP") => verdict(Verdict::Drop),
        (_, "RETURN") => verdict(Verdict::Return),
        ("-g" | "--goto", to) => verdict(Verdict::Goto(to.to_owned())),
        // What is not in capitals is a chain; of the others, no one knows what they do.
        (_, to) if to.chars().any(|c| c.is_ascii_lowercase()) => {
            verdict(Verdict::Jump(to.to_owned()))
        }
        (_, to) => {
            Expr::Target(Xt { name: to.to_owned(), revision: 0, info: XtInfo::Opaque(Vec::new()) })
        }
    }));
    NftRule { exprs, ..NftRule::default() }
}

/// So much of a rule as helps to find it.
fn short(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
