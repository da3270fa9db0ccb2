//! `iptables -L`, with or without `-n`, `-v`, `--line-numbers`.
//!
//! Without `-v` it hides which links a rule is for: such rules get a condition that says so.

use model::{Expr, NftRule, Table, Verdict};

use crate::iptables::{chain, empty, policy, rule};
use crate::report::Report;

/// What a rule without `-v` does not show.
const LINKS: &str = "links";

/// The columns of a listing, by its own headings.
#[derive(Clone, Copy, Debug, Default)]
struct Columns {
    numbers: bool,
    verbose: bool,
}

/// The table of an output; None: it lists nothing.
pub(crate) fn parse(text: &str, name: &str, report: &mut Report<'_>) -> Option<Table> {
    let mut table = empty(name)?;
    let mut at: Option<String> = None;
    let mut columns = Columns::default();
    let mut hidden = Vec::new();
    for (number, line) in report.lines(text) {
        let line = line.trim();
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["Chain", chain, rest @ ..] => {
                at = Some((*chain).to_owned());
                head(&mut table, chain, rest);
            }
            ["#" | "$", ..] => {}
            _ if words.contains(&"source") && words.contains(&"destination") => {
                columns = Columns { numbers: words[0] == "num", verbose: words.contains(&"pkts") };
            }
            _ => {
                let (Some(chain_name), Some(row)) = (&at, Row::read(&words, columns)) else {
                    report.line(number, "no line of `iptables -L`");
                    continue;
                };
                let (rule, doubt) = rule(name, chain_name, &row.text());
                let chain = chain(&mut table, chain_name);
                if !columns.verbose {
                    hidden.push((chain_name.clone(), chain.rules.len(), row.is_bare()));
                }
                chain.rules.push(rule);
                if let Some(doubt) = doubt {
                    report.line(number, &doubt);
                }
            }
        }
    }
    at?;
    jumps(&mut table);
    for (chain_name, index, bare) in hidden {
        hide(&mut chain(&mut table, &chain_name).rules, index, bare);
    }
    Some(table)
}

/// `Chain FORWARD (policy DROP 3 packets, 4 bytes)`, `Chain DOCKER (2 references)`.
fn head(table: &mut Table, name: &str, rest: &[&str]) {
    match rest {
        ["(policy", word, ..] => policy(table, name, word.trim_end_matches(')')),
        _ => _ = chain(table, name),
    }
}

/// A rule's line.
#[derive(Default)]
struct Row<'t> {
    target: Option<&'t str>,
    words: Vec<String>,
    goto: bool,
    /// It has no condition but those that are hidden.
    bare: bool,
}

impl<'t> Row<'t> {
    fn read(words: &[&'t str], columns: Columns) -> Option<Self> {
        // `opt` stands behind target and protocol; a rule need not have a target.
        let opt = words.iter().position(|w| matches!(*w, "--" | "-f" | "!f" | "-"))?;
        let before = usize::from(columns.numbers) + if columns.verbose { 2 } else { 0 };
        let (target, protocol) = match opt.checked_sub(before)? {
            2 => (Some(words[before]), words[before + 1]),
            1 => (None, words[before]),
            _ => return None,
        };
        let mut row = Self { target, bare: true, ..Self::default() };
        row.option("-p", protocol, &["0", "all"]);
        match words[opt] {
            "-f" => row.words.push("-f".to_owned()),
            "!f" => row.words.extend(["!", "-f"].map(str::to_owned)),
            _ => {}
        }
        let mut rest = &words[opt + 1..];
        if let (true, [iif, oif, more @ ..]) = (columns.verbose, rest) {
            row.option("-i", iif, &["*", "any"]);
            row.option("-o", oif, &["*", "any"]);
            rest = more;
        }
        let [source, destination, more @ ..] = rest else { return None };
        row.option("-s", source, &["0.0.0.0/0", "anywhere"]);
        row.option("-d", destination, &["0.0.0.0/0", "anywhere"]);
        row.extras(more);
        Some(row)
    }

    /// `!172.17.0.0/16` as `! -s 172.17.0.0/16`; nothing for any.
    fn option(&mut self, name: &str, value: &str, any: &[&str]) {
        if any.contains(&value) {
            return;
        }
        let (invert, value) = value.strip_prefix('!').map_or((false, value), |v| (true, v));
        if invert {
            self.words.push("!".to_owned());
        }
        self.words.extend([name, value].map(str::to_owned));
        self.bare = false;
    }

    /// A match's option, whose value may begin with `!`.
    fn matches(&mut self, name: &str, option: &str, value: &str) {
        self.words.extend(["-m", name].map(str::to_owned));
        self.option(option, value, &[]);
    }

    /// What the extensions print behind the addresses.
    fn extras(&mut self, mut rest: &[&str]) {
        let mut target: Vec<String> = Vec::new();
        while let [word, more @ ..] = rest {
            rest = more;
            let next = more.first().copied().unwrap_or_default();
            let mut take = |n: usize| rest = more.get(n..).unwrap_or_default();
            match *word {
                "tcp" | "udp" | "ADDRTYPE" | "match" | "random"
                    if word.len() > 3 || !more.is_empty() =>
                {
                    if *word == "random" {
                        target.push("--random".to_owned());
                    }
                }
                "dst-type" | "src-type" => {
                    self.matches("addrtype", &format!("--{word}"), next);
                    take(1);
                }
                "limit-in" => self.words.push("--limit-iface-in".to_owned()),
                "limit-out" => self.words.push("--limit-iface-out".to_owned()),
                "ctstate" => {
                    self.matches("conntrack", "--ctstate", next);
                    take(1);
                }
                "state" => {
                    self.matches("state", "--state", next);
                    take(1);
                }
                "icmptype" => {
                    let code = match more {
                        [_, "code", code, ..] => Some(*code),
                        _ => None,
                    };
                    let value = code.map_or(next.to_owned(), |code| format!("{next}/{code}"));
                    self.matches("icmp", "--icmp-type", &value);
                    take(if code.is_some() { 3 } else { 1 });
                }
                "mark" if next == "match" => {
                    let invert = more.get(1) == Some(&"!");
                    let value = more.get(1 + usize::from(invert)).copied().unwrap_or_default();
                    let value = format!("{}{value}", if invert { "!" } else { "" });
                    self.matches("mark", "--mark", &value);
                    take(2 + usize::from(invert));
                }
                "match-set" | "!" if *word == "match-set" || next == "match-set" => {
                    let invert = usize::from(*word == "!");
                    let words = more.get(invert..).unwrap_or_default();
                    let [name, sides, ..] = words else { return };
                    let not = if invert == 1 { "! " } else { "" };
                    self.words.push(format!("-m set {not}--match-set {name} {sides}"));
                    self.bare = false;
                    take(2 + invert);
                }
                "multiport" => {
                    let value = more.get(1).copied().unwrap_or_default();
                    self.matches("multiport", &format!("--{next}"), value);
                    take(2);
                }
                "MAC" => {
                    self.matches("mac", "--mac-source", next);
                    take(1);
                }
                "/*" => {
                    let end = more.iter().position(|w| *w == "*/").unwrap_or(more.len());
                    let text = more[..end].join(" ").replace(['"', '\\'], "");
                    self.words.push(format!("-m comment --comment \"{text}\""));
                    take(end + 1);
                }
                "[goto]" => self.goto = true,
                "reject-with" => {
                    target.extend(["--reject-with", next].map(str::to_owned));
                    take(1);
                }
                "MARK" => {
                    let option = if next == "set" { "--set-mark" } else { "--set-xmark" };
                    let value = more.get(1).copied().unwrap_or_default();
                    target.extend([option, value].map(str::to_owned));
                    take(2);
                }
                // What is logged changes nothing.
                "LOG" => take(more.len()),
                "redir" | "masq" if next == "ports" || next == "ports:" => {
                    let value = more.get(1).copied().unwrap_or_default();
                    target.extend(["--to-ports", value].map(str::to_owned));
                    take(2);
                }
                word => match self.ports(word) {
                    true => {}
                    false => target.extend(self.to(word)),
                },
            }
        }
        self.words.extend(self.target.map(|t| {
            let jump = if self.goto { "-g" } else { "-j" };
            format!("{jump} {t}")
        }));
        self.words.extend(target);
    }

    /// `dpt:80`, `spts:1024:65535`, `flags:0x17/0x02`.
    fn ports(&mut self, word: &str) -> bool {
        let Some((key, value)) = word.split_once(':') else { return false };
        let option = match key {
            "dpt" | "dpts" => "--dport",
            "spt" | "spts" => "--sport",
            "flags" => {
                let (invert, value) = value.strip_prefix('!').map_or(("", value), |v| ("! ", v));
                let bits = value.split('/').map(tcp_flags).collect::<Vec<_>>().join(" ");
                self.words.push(format!("{invert}--tcp-flags {bits}"));
                self.bare = false;
                return true;
            }
            _ => return false,
        };
        self.option(option, value, &[]);
        true
    }

    /// `to:192.0.2.1:80`; anything else as a word that no rule has.
    fn to(&self, word: &str) -> Vec<String> {
        match (word.strip_prefix("to:"), self.target) {
            (Some(to), Some("SNAT")) => vec!["--to-source".to_owned(), to.to_owned()],
            (Some(to), Some("DNAT")) => vec!["--to-destination".to_owned(), to.to_owned()],
            (Some(to), _) => vec!["--to-ports".to_owned(), to.to_owned()],
            _ => vec![word.to_owned()],
        }
    }

    fn text(&self) -> String {
        self.words.join(" ")
    }

    fn is_bare(&self) -> bool {
        self.bare
    }
}

/// `0x17` as `FIN,SYN,RST,ACK`.
fn tcp_flags(word: &str) -> String {
    let Some(bits) = crate::route::number::<u8>(word) else { return word.to_owned() };
    let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];
    let set: Vec<&str> =
        names.iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0).map(|(_, n)| *n).collect();
    if set.is_empty() { "NONE".to_owned() } else { set.join(",") }
}

/// A target in capitals that is one of the table's chains is a jump, whatever it is called.
fn jumps(table: &mut Table) {
    let names: Vec<String> = table.chains.iter().map(|c| c.name.clone()).collect();
    for rule in table.chains.iter_mut().flat_map(|c| &mut c.rules) {
        for expr in &mut rule.exprs {
            if let Expr::Target(xt) = expr
                && matches!(xt.info, model::XtInfo::Opaque(_))
                && names.contains(&xt.name)
            {
                let data = model::Data::Verdict(Verdict::Jump(xt.name.clone()));
                *expr = Expr::Immediate { dreg: model::Reg(0), data };
            }
        }
    }
}

/// A rule that would end its chain for every packet, and has others behind it, is for some link
/// only: these would never be reached. Any other is taken to match.
fn hide(rules: &mut [NftRule], index: usize, bare: bool) {
    let last = index + 1 == rules.len();
    let Some(rule) = rules.get_mut(index) else { return };
    let ends = rule.exprs.iter().any(|e| match e {
        Expr::Immediate { data: model::Data::Verdict(v), .. } => {
            matches!(v, Verdict::Accept | Verdict::Drop | Verdict::Return)
        }
        Expr::Target(xt) => {
            ["REJECT", "DNAT", "SNAT", "MASQUERADE", "REDIRECT"].contains(&xt.name.as_str())
        }
        _ => false,
    });
    let holds = !(bare && ends && !last);
    rule.exprs.insert(0, Expr::Hidden { what: LINKS.to_owned(), holds });
}
