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
    /// What belongs behind its target.
    of_target: Vec<String>,
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

    /// What the extensions print behind the addresses.
    fn extras(&mut self, mut rest: &[&str]) {
        while let [word, more @ ..] = rest {
            let taken = self.extra(word, more);
            rest = more.get(taken..).unwrap_or_default();
        }
        let jump = if self.goto { "-g" } else { "-j" };
        self.words.extend(self.target.map(|target| format!("{jump} {target}")));
        self.words.append(&mut self.of_target);
    }

    /// One thing that an extension prints, and how many words it takes behind its first.
    fn extra(&mut self, word: &str, more: &[&str]) -> usize {
        let at = |n: usize| more.get(n).copied().unwrap_or_default();
        match word {
            "tcp" | "udp" if !more.is_empty() => 0,
            "ADDRTYPE" | "match" => 0,
            "dst-type" => self.matches("addrtype", "--dst-type", at(0)),
            "src-type" => self.matches("addrtype", "--src-type", at(0)),
            "limit-in" => self.word("--limit-iface-in"),
            "limit-out" => self.word("--limit-iface-out"),
            "ctstate" => self.matches("conntrack", "--ctstate", at(0)),
            "state" => self.matches("state", "--state", at(0)),
            "MAC" => self.matches("mac", "--mac-source", at(0)),
            "multiport" => 1 + self.matches("multiport", &format!("--{}", at(0)), at(1)),
            "icmptype" if at(1) == "code" && more.len() > 2 => {
                2 + self.matches("icmp", "--icmp-type", &format!("{}/{}", at(0), at(2)))
            }
            "icmptype" => self.matches("icmp", "--icmp-type", at(0)),
            "mark" if at(0) == "match" && at(1) == "!" => {
                2 + self.matches("mark", "--mark", &format!("!{}", at(2)))
            }
            "mark" if at(0) == "match" => 1 + self.matches("mark", "--mark", at(1)),
            "match-set" => self.set("", more),
            "!" if at(0) == "match-set" => 1 + self.set("! ", &more[1..]),
            "/*" => self.comment(more),
            "[goto]" => {
                self.goto = true;
                0
            }
            "random" => self.target_option(&["--random"], 0),
            "reject-with" => self.target_option(&["--reject-with", at(0)], 1),
            "MARK" if at(0) == "set" => self.target_option(&["--set-mark", at(1)], 2),
            "MARK" => self.target_option(&["--set-xmark", at(1)], 2),
            "redir" | "masq" if matches!(at(0), "ports" | "ports:") => {
                self.target_option(&["--to-ports", at(1)], 2)
            }
            // What is logged changes nothing.
            "LOG" => more.len(),
            _ => self.joined(word),
        }
    }

    /// A match's option, whose value may begin with `!`: one word behind the first.
    fn matches(&mut self, name: &str, option: &str, value: &str) -> usize {
        self.words.extend(["-m", name].map(str::to_owned));
        self.option(option, value, &[]);
        1
    }

    fn word(&mut self, word: &str) -> usize {
        self.words.push(word.to_owned());
        0
    }

    fn target_option(&mut self, words: &[&str], taken: usize) -> usize {
        self.of_target.extend(words.iter().map(|&word| word.to_owned()));
        taken
    }

    /// `match-set blocked src,dst`.
    fn set(&mut self, not: &str, words: &[&str]) -> usize {
        // Cut off: a word that no rule has.
        let [name, sides, ..] = words else { return self.target_option(&["match-set"], 1) };
        self.words.push(format!("-m set {not}--match-set {name} {sides}"));
        self.bare = false;
        2
    }

    /// `/* words */`.
    fn comment(&mut self, words: &[&str]) -> usize {
        let end = words.iter().position(|w| *w == "*/").unwrap_or(words.len());
        let text = words[..end].join(" ").replace(['"', '\\'], "");
        self.words.push(format!("-m comment --comment \"{text}\""));
        end + 1
    }

    /// A key and its value in one word; anything else is a word that no rule has.
    fn joined(&mut self, word: &str) -> usize {
        if !self.ports(word) {
            let words = self.to(word);
            self.of_target.extend(words);
        }
        0
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
