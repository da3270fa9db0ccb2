//! `nft list ruleset`.
//!
//! A rule whose words iptables has too is read by them: what it does to a packet is the same. Any
//! other is kept as what is not understood.

use model::{BaseChain, Chain, Family, Hook, NftRule, Policy, Table};

use crate::iptables;
use crate::report::Report;

/// All tables of an output.
pub(crate) fn parse(text: &str, report: &mut Report<'_>) -> Vec<Table> {
    let mut reader = Reader { tables: Vec::new(), chain: None, depth: 0, aside: 0 };
    for (number, line) in report.lines(text) {
        let line = line.split(" # handle").next().unwrap_or_default().trim();
        if line.starts_with(['#', '$']) {
            continue;
        }
        if let Err(what) = reader.line(line) {
            report.line(number, &what);
        }
    }
    reader.tables
}

struct Reader {
    tables: Vec<Table>,
    /// Index of the chain in the last table.
    chain: Option<usize>,
    /// Open braces.
    depth: usize,
    /// Braces of something that is not read (a set), when it began; 0: none.
    aside: usize,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let opens = line.matches('{').count();
        let closes = line.matches('}').count();
        let depth = self.depth;
        self.depth = (depth + opens).saturating_sub(closes);
        if self.aside > 0 {
            if self.depth < self.aside {
                self.aside = 0;
            }
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match (depth, words.as_slice()) {
            (_, ["}" | "};"]) => {
                self.chain = None;
                Ok(())
            }
            (0, ["table", family, name, ..]) => self.table(family, name),
            (1, ["chain", name, ..]) => self.begin(name),
            (1, ["flags", flags @ ..]) => {
                let dormant = flags.iter().any(|f| f.starts_with("dormant"));
                self.last()?.flags |= u32::from(dormant);
                Ok(())
            }
            (1, ["flowtable", name, ..]) => {
                self.last()?.flowtables.push((*name).to_owned());
                self.aside = depth + 1;
                Ok(())
            }
            (1, ["set" | "map" | "ct" | "counter" | "quota" | "limit" | "secmark", ..]) => {
                if self.depth > depth {
                    self.aside = depth + 1;
                }
                Ok(())
            }
            (1, ["comment", ..]) => Ok(()),
            (_, _) if self.chain.is_some() => self.inside(line),
            _ => Err("not of a ruleset".to_owned()),
        }
    }

    fn last(&mut self) -> Result<&mut Table, String> {
        self.tables.last_mut().ok_or_else(|| "before the first table".to_owned())
    }

    fn table(&mut self, family: &str, name: &str) -> Result<(), String> {
        let family = family_of(family).ok_or("a family that nft does not have")?;
        self.tables.push(Table::new(family, name));
        Ok(())
    }

    fn begin(&mut self, name: &str) -> Result<(), String> {
        let table = self.last()?;
        table.chains.push(Chain { name: name.to_owned(), base: None, rules: Vec::new() });
        self.chain = Some(table.chains.len() - 1);
        Ok(())
    }

    /// A rule, or what makes a chain a base chain.
    fn inside(&mut self, line: &str) -> Result<(), String> {
        let at = self.chain.unwrap_or_default();
        let table = self.last()?;
        let (family, Some(chain)) = (table.family, table.chains.get_mut(at)) else {
            return Err("in no chain".to_owned());
        };
        if line.starts_with("type ") {
            chain.base = Some(base(line).ok_or("not a base chain's line")?);
            return Ok(());
        }
        if line.starts_with("comment ") {
            return Ok(());
        }
        let nat = chain.base.as_ref().is_none_or(|b| b.kind == "nat");
        let (rule, doubt) = rule(line, family, nat);
        chain.rules.push(rule);
        doubt.map_or(Ok(()), Err)
    }
}

pub(crate) fn family_of(word: &str) -> Option<Family> {
    let all = [Family::Inet, Family::Ip, Family::Arp, Family::Netdev, Family::Bridge, Family::Ip6];
    all.into_iter().find(|f| f.as_str() == word)
}

/// `type nat hook postrouting priority srcnat + 5; policy accept;`.
fn base(line: &str) -> Option<BaseChain> {
    let words: Vec<&str> = line.split([' ', ';']).filter(|w| !w.is_empty()).collect();
    let after = |key: &str| {
        let at = words.iter().position(|w| *w == key)?;
        words.get(at + 1..)
    };
    let priority = after("priority")?;
    let device = |word: &str| word.trim_matches(['"', ',', '{', '}']).to_owned();
    let devices = after("devices").map(|d| d.iter().skip(1).take_while(|w| **w != "}"));
    let mut devices: Vec<String> = devices.into_iter().flatten().map(|w| device(w)).collect();
    devices.extend(after("device").and_then(|d| d.first()).map(|w| device(w)));
    devices.retain(|d| !d.is_empty() && d != "=");
    Some(BaseChain {
        hook: hook_of(after("hook")?.first()?)?,
        priority: priority_of(priority)?,
        kind: (*after("type")?.first()?).to_owned(),
        policy: policy_of(after("policy").and_then(|p| p.first().copied()).unwrap_or("accept")),
        devices,
    })
}

pub(crate) fn policy_of(word: &str) -> Policy {
    if word == "drop" { Policy::Drop } else { Policy::Accept }
}

pub(crate) fn hook_of(word: &str) -> Option<Hook> {
    let all = [
        Hook::Prerouting,
        Hook::Input,
        Hook::Forward,
        Hook::Output,
        Hook::Postrouting,
        Hook::Ingress,
        Hook::Egress,
    ];
    all.into_iter().find(|h| h.as_str() == word)
}

/// `-150`, `mangle`, `mangle + 5`.
fn priority_of(words: &[&str]) -> Option<i32> {
    let first = words.first()?;
    let named = match *first {
        "raw" => Some(-300),
        "mangle" => Some(-150),
        "dstnat" => Some(-100),
        "filter" => Some(0),
        "security" => Some(50),
        "srcnat" => Some(100),
        _ => None,
    };
    let Some(named) = named else { return first.parse().ok() };
    let by = |n: &&str| n.parse::<i32>().ok();
    Some(match words.get(1) {
        Some(&"+") => named + words.get(2).and_then(by)?,
        Some(&"-") => named - words.get(2).and_then(by)?,
        _ => named,
    })
}

/// A rule in nft's words, and what of it is not understood.
pub(crate) fn rule(line: &str, family: Family, nat: bool) -> (NftRule, Option<String>) {
    let translated = match family {
        Family::Ip | Family::Inet => translate(line),
        _ => None,
    };
    let table = if nat { "nat" } else { "filter" };
    if let Some(text) = &translated {
        // A chain of one's own: what may stand there may stand anywhere.
        if let (rule, None) = iptables::rule(table, "OWN", text) {
            return (rule, None);
        }
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let target = match words.as_slice() {
        [.., "accept"] => Some(("-j", "ACCEPT")),
        [.., "drop"] => Some(("-j", "DROP")),
        [.., "return"] => Some(("-j", "RETURN")),
        [.., "goto", chain] => Some(("-g", *chain)),
        [.., "jump", chain] => Some(("-j", *chain)),
        [.., "log"] | [.., "counter"] => None,
        _ => Some(("-j", "NFT")),
    };
    let mut rule = iptables::opaque(line, target);
    // A jump leads to a chain whatever its name's letters are.
    if let [.., how @ ("jump" | "goto"), chain] = words.as_slice() {
        let to = (*chain).to_owned();
        let verdict =
            if *how == "goto" { model::Verdict::Goto(to) } else { model::Verdict::Jump(to) };
        rule.exprs.truncate(1);
        rule.exprs.push(model::Expr::Immediate {
            dreg: model::Reg(0),
            data: model::Data::Verdict(verdict),
        });
    }
    let six = matches!(family, Family::Ip6);
    (rule, (!six).then(|| "rule not understood".to_owned()))
}

/// The words of a rule, with what stands in braces or quotes as one.
fn words_of(line: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let (mut open, mut quoted) = (false, false);
    let mut word = String::new();
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.push(c);
            }
            _ if quoted => word.push(c),
            '{' => open = true,
            '}' => open = false,
            c if c.is_whitespace() && open => {}
            c if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    (!open && !quoted).then_some(words)
}

/// A rule as iptables writes it; None if it has what iptables has not, or not just so.
fn translate(line: &str) -> Option<String> {
    let words = words_of(line)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut rule = Translation::default();
    let mut rest = words.as_slice();
    while !rest.is_empty() {
        rest = rule.step(rest)?;
    }
    Some(rule.text())
}

#[derive(Default)]
struct Translation {
    protocol: Option<String>,
    matches: Vec<String>,
    target: Option<String>,
}

impl Translation {
    fn text(self) -> String {
        let protocol = self.protocol.map(|p| format!("-p {p}"));
        let parts = protocol.into_iter().chain(self.matches).chain(self.target);
        parts.collect::<Vec<_>>().join(" ")
    }

    /// Takes one statement off the front.
    fn step<'w>(&mut self, words: &'w [&'w str]) -> Option<&'w [&'w str]> {
        if self.target.is_some() {
            return None;
        }
        match words {
            ["counter", "packets", _, "bytes", _, rest @ ..] | ["counter", rest @ ..] => Some(rest),
            ["meta", "nfproto", "ipv4", rest @ ..] => Some(rest),
            ["log", rest @ ..] => Some(log(rest)),
            ["comment", _, rest @ ..] => Some(rest),
            ["meta", "mark", "set", mark, rest @ ..] => {
                self.target = Some(format!("-j MARK --set-xmark {mark}/0xffffffff"));
                Some(rest)
            }
            _ => match self.verdict(words) {
                Some(rest) => Some(rest),
                None => self.condition(words),
            },
        }
    }

    fn verdict<'w>(&mut self, words: &'w [&'w str]) -> Option<&'w [&'w str]> {
        let (target, rest) = match words {
            ["accept", rest @ ..] => ("-j ACCEPT".to_owned(), rest),
            ["drop", rest @ ..] => ("-j DROP".to_owned(), rest),
            ["return", rest @ ..] => ("-j RETURN".to_owned(), rest),
            ["jump", chain, rest @ ..] => (format!("-j {chain}"), rest),
            ["goto", chain, rest @ ..] => (format!("-g {chain}"), rest),
            ["reject"] | ["reject", "with", ..] => ("-j REJECT".to_owned(), &words[words.len()..]),
            ["masquerade", rest @ ..] => ("-j MASQUERADE".to_owned(), rest),
            ["redirect", "to", to, rest @ ..] => {
                (format!("-j REDIRECT --to-ports {}", to.trim_start_matches(':')), rest)
            }
            ["redirect", rest @ ..] => ("-j REDIRECT".to_owned(), rest),
            ["snat", "ip", "to", to, rest @ ..] | ["snat", "to", to, rest @ ..] => {
                (format!("-j SNAT --to-source {to}"), rest)
            }
            ["dnat", "ip", "to", to, rest @ ..] | ["dnat", "to", to, rest @ ..] => {
                (format!("-j DNAT --to-destination {to}"), rest)
            }
            _ => return None,
        };
        self.target = Some(target);
        Some(rest)
    }

    fn condition<'w>(&mut self, words: &'w [&'w str]) -> Option<&'w [&'w str]> {
        let (left, rest) = match words {
            ["iifname" | "oifname" | "iif" | "oif", rest @ ..] => (words[..1].join(" "), rest),
            ["meta", "iifname" | "oifname" | "iif" | "oif", rest @ ..] => {
                (words[1].to_owned(), rest)
            }
            ["fib", addr @ ("daddr" | "saddr"), "type", rest @ ..] => (format!("fib {addr}"), rest),
            // The mark, masked.
            ["meta", "mark", "&" | "and", mask, rest @ ..] => {
                return self.mark(rest, &format!("/{mask}"));
            }
            ["meta", "mark", rest @ ..] => return self.mark(rest, ""),
            [_, _, rest @ ..] => (words[..2].join(" "), rest),
            _ => return None,
        };
        let (invert, rest) = match rest {
            ["!=", rest @ ..] => (true, rest),
            ["==", rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let (value, rest) = rest.split_first()?;
        self.test(&left, invert, value.trim_matches('"'))?;
        Some(rest)
    }

    fn mark<'w>(&mut self, words: &'w [&'w str], mask: &str) -> Option<&'w [&'w str]> {
        let (invert, rest) = match words {
            ["!=", rest @ ..] => (true, rest),
            ["==", rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let (value, rest) = rest.split_first()?;
        let not = if invert { "! " } else { "" };
        self.matches.push(format!("-m mark {not}--mark {value}{mask}"));
        Some(rest)
    }

    fn test(&mut self, left: &str, invert: bool, value: &str) -> Option<()> {
        let not = if invert { "! " } else { "" };
        let name = || Some(value.replace('*', "+")).filter(|v| !v.contains(','));
        let one = || Some(value).filter(|v| !v.contains([',', '@', '{', '$']));
        match left {
            "iifname" | "iif" => self.matches.push(format!("{not}-i {}", name()?)),
            "oifname" | "oif" => self.matches.push(format!("{not}-o {}", name()?)),
            "ip saddr" => self.matches.push(format!("{not}-s {}", one()?)),
            "ip daddr" => self.matches.push(format!("{not}-d {}", one()?)),
            "ip protocol" | "meta l4proto" => {
                self.set_protocol(&format!("{}{}", if invert { "!" } else { "" }, one()?))?;
            }
            "tcp dport" | "udp dport" | "th dport" | "tcp sport" | "udp sport" => {
                let (protocol, port) = left.split_once(' ')?;
                self.set_protocol(protocol)?;
                if value.starts_with('@') {
                    return None;
                }
                let ports = value.replace('-', ":");
                let (by, one) = if ports.contains(',') {
                    ("multiport", format!("--{port}s"))
                } else {
                    (protocol, format!("--{port}"))
                };
                self.matches.push(format!("-m {by} {not}{one} {ports}"));
            }
            "ct state" => {
                let states = value.to_uppercase();
                self.matches.push(format!("-m conntrack {not}--ctstate {states}"));
            }
            "icmp type" => {
                self.set_protocol("icmp")?;
                self.matches.push(format!("-m icmp {not}--icmp-type {}", one()?));
            }
            "fib daddr" | "fib saddr" => {
                let option = if left.ends_with("daddr") { "--dst-type" } else { "--src-type" };
                let kind = one()?.to_uppercase();
                self.matches.push(format!("-m addrtype {not}{option} {kind}"));
            }
            "ether saddr" => self.matches.push(format!("-m mac {not}--mac-source {}", one()?)),
            _ => return None,
        }
        Some(())
    }

    /// The protocol, which `tcp dport` says again.
    fn set_protocol(&mut self, protocol: &str) -> Option<()> {
        match (protocol.strip_prefix('!'), &self.protocol) {
            (Some(other), _) => self.matches.push(format!("! -p {other}")),
            (None, Some(before)) if before != protocol => return None,
            (None, _) => self.protocol = Some(protocol.to_owned()),
        }
        Some(())
    }
}

/// What `log` takes; it changes nothing.
fn log<'w>(mut words: &'w [&'w str]) -> &'w [&'w str] {
    while let [
        "prefix" | "level" | "group" | "snaplen" | "queue-threshold" | "flags",
        _,
        rest @ ..,
    ] = words
    {
        words = rest;
    }
    words
}
