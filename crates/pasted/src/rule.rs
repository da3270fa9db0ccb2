//! `ip rule`.

use model::{Rule, RuleAction};

use crate::address;
use crate::link;
use crate::report::Report;
use crate::route::{number, table};
use crate::words::Words;

/// All rules of an output.
pub(crate) fn parse(text: &str, report: &mut Report<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (at, line) in report.lines(text) {
        match line_of(line) {
            Some(rule) => rules.push(rule),
            None => report.line(at, "no rule of `ip rule`"),
        }
    }
    rules
}

/// `32766: from all lookup main`.
fn line_of(line: &str) -> Option<Rule> {
    let (priority, rest) = line.split_once(':')?;
    let mut rule = Rule { priority: priority.trim().parse().ok()?, ..Rule::default() };
    let mut words = Words::new(rest);
    let mut acts = false;
    while let Some(word) = words.next() {
        let action = match word {
            "lookup" | "table" => Some(match words.next()? {
                "[l3mdev-table]" => RuleAction::Vrf,
                name => RuleAction::Table(table(name)?),
            }),
            "goto" => Some(RuleAction::Goto(words.value()?)),
            "nop" => Some(RuleAction::Nop),
            "blackhole" => Some(RuleAction::Blackhole),
            "unreachable" => Some(RuleAction::Unreachable),
            "prohibit" => Some(RuleAction::Prohibit),
            _ => None,
        };
        match action {
            Some(action) => (rule.action, acts) = (action, true),
            None => selector(word, &mut words, &mut rule)?,
        }
    }
    acts.then_some(rule)
}

fn selector(word: &str, words: &mut Words<'_>, rule: &mut Rule) -> Option<()> {
    let net = |word: &str| match word {
        "all" | "0/0" => Some(None),
        net => address::net(net).map(Some),
    };
    match word {
        "not" => rule.invert = true,
        "from" => rule.src = net(words.next()?)?,
        "to" => rule.dst = net(words.next()?)?,
        "iif" => rule.iif = Some(words.next()?.to_owned()),
        "oif" => rule.oif = Some(words.next()?.to_owned()),
        "tos" | "dsfield" => rule.tos = number(words.next()?)?,
        "fwmark" => {
            let word = words.next()?;
            let (mark, mask) = match word.split_once('/') {
                Some((mark, mask)) => (mark, number(mask)?),
                None => (word, u32::MAX),
            };
            rule.mark = Some((number(mark)?, mask));
        }
        "ipproto" => rule.protocol = protocol(words.next()?),
        "sport" => rule.sport = range(words.next()?),
        "dport" => rule.dport = range(words.next()?),
        "suppress_prefixlength" => {
            rule.suppress_prefixlength = Some(words.value::<u32>()?.checked_add(1)?);
        }
        "proto" | "protocol" => _ = words.next(),
        // busybox leaves a blank where a flag would be.
        "[detached]" => {}
        "suppress_ifgroup" => match words.next().and_then(link::group) {
            None => rule.unknown.push(word.to_owned()),
            group => rule.suppress_ifgroup = group,
        },
        "uidrange" | "tun_id" | "realms" => {
            words.next();
            rule.unknown.push(word.to_owned());
        }
        other => rule.unknown.push(other.trim_matches(['[', ']']).to_owned()),
    }
    Some(())
}

pub(crate) fn protocol(word: &str) -> Option<u8> {
    Some(match word {
        "icmp" => 1,
        "tcp" => 6,
        "udp" => 17,
        "sctp" => 132,
        number => number.parse().ok()?,
    })
}

fn range(word: &str) -> Option<(u16, u16)> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    Some((first.parse().ok()?, last.parse().ok()?))
}
