//! The rule as a whole: options are handed to the rule itself, its matches and its target; then
//! each says its expressions, in the order of iptables-nft.

use model::{CmpOp, Compat, Data, Expr, MetaKey, NftRule, PayloadBase, Reg, Verdict};

use super::error::{ErrorKind, ParseError};
use super::words::{Word, Words};
use super::{matches, targets, value};

/// The register that iptables-nft loads into.
pub(super) const REG: Reg = Reg(1);
/// Longest name of a link.
const LINK_NAME: usize = 15;

/// An option as it was met.
pub(super) struct Opt {
    /// As the extension lists it.
    pub(super) name: &'static str,
    /// As it was written.
    pub(super) word: Word,
    /// `!` stood before it.
    pub(super) invert: bool,
}

impl Opt {
    /// Refuses `!`.
    pub(super) fn plain(&self) -> Result<(), ParseError> {
        if self.invert { Err(ErrorKind::NotInvertible.at(&self.word)) } else { Ok(()) }
    }
}

/// A match or target with options of its own.
pub(super) trait Extension {
    /// Its options, `--` included.
    fn options(&self) -> &'static [&'static str];
    /// Takes one of its options.
    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError>;
    /// What it writes. `asked` is the word that asked for it.
    fn exprs(&self, asked: &Word, protocol: Option<u8>) -> Result<Vec<Expr>, ParseError>;
    /// What iptables-legacy writes, which knows nothing but the structs of xtables.
    fn legacy(&self, asked: &Word, protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        self.exprs(asked, protocol)
    }
}

/// Whose rules they are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tool {
    /// ip6tables.
    pub(super) ipv6: bool,
    /// Of iptables-legacy.
    pub(super) legacy: bool,
}

/// Parses what follows `iptables -t TABLE -A CHAIN`.
///
/// Table and chain matter for what is allowed where (`-o` not in PREROUTING, MASQUERADE only in
/// nat). A `-j` to anything that is no target of iptables is a jump to a chain of that name, which
/// is not looked for here.
///
/// # Errors
/// The first word that cannot be understood.
pub fn parse_rule(table: &str, chain: &str, text: &str) -> Result<NftRule, ParseError> {
    parse(table, chain, text, Tool::default())
}

/// The same of ip6tables.
///
/// # Errors
/// The first word that cannot be understood.
pub fn parse_rule6(table: &str, chain: &str, text: &str) -> Result<NftRule, ParseError> {
    parse(table, chain, text, Tool { ipv6: true, legacy: false })
}

pub(super) fn parse(
    table: &str,
    chain: &str,
    text: &str,
    Tool { ipv6, legacy }: Tool,
) -> Result<NftRule, ParseError> {
    let mut words = Words::split(text)?;
    let mut draft = Draft { table, chain, ipv6, legacy, ..Draft::default() };
    while let Some(word) = words.next() {
        draft.word(word, &mut words)?;
    }
    draft.finish()
}

const WITH_IN: &str = "PREROUTING, INPUT, FORWARD and chains of one's own";
const WITH_OUT: &str = "FORWARD, OUTPUT, POSTROUTING and chains of one's own";

/// The rule's own options, and what each is short for.
const BASE: [(&str, &str); 16] = [
    ("-s", "-s"),
    ("--source", "-s"),
    ("--src", "-s"),
    ("-d", "-d"),
    ("--destination", "-d"),
    ("--dst", "-d"),
    ("-i", "-i"),
    ("--in-interface", "-i"),
    ("-o", "-o"),
    ("--out-interface", "-o"),
    ("-p", "-p"),
    ("--protocol", "-p"),
    ("--proto", "-p"),
    ("-m", "-m"),
    ("-j", "-j"),
    ("-g", "-g"),
];
const MORE_BASE: [(&str, &str); 6] = [
    ("--match", "-m"),
    ("--jump", "-j"),
    ("--goto", "-g"),
    ("-f", "-f"),
    ("--fragment", "-f"),
    ("--fragments", "-f"),
];

#[derive(Default)]
struct Draft<'a> {
    table: &'a str,
    chain: &'a str,
    ipv6: bool,
    legacy: bool,
    source: Option<(bool, value::Masked)>,
    destination: Option<(bool, value::Masked)>,
    iif: Option<(bool, String)>,
    oif: Option<(bool, String)>,
    protocol: Option<(bool, u8)>,
    fragment: Option<bool>,
    matches: Vec<(Word, Box<dyn Extension>)>,
    target: Option<(Word, Box<dyn Extension>)>,
    verdict: Option<Verdict>,
}

impl Draft<'_> {
    fn word(&mut self, word: Word, words: &mut Words) -> Result<(), ParseError> {
        if word.text != "!" {
            return self.option(word, false, words);
        }
        match words.next() {
            Some(option) => self.option(option, true, words),
            None => Err(ErrorKind::NotInvertible.at(&word)),
        }
    }

    fn option(&mut self, word: Word, invert: bool, words: &mut Words) -> Result<(), ParseError> {
        let word = split_value(word, words);
        if !word.text.starts_with('-') {
            return Err(ErrorKind::NoOption.at(&word));
        }
        let base = BASE.iter().chain(&MORE_BASE).find(|(name, _)| *name == word.text);
        if let Some((_, name)) = base {
            return self.base(&Opt { name, word, invert }, words);
        }
        if self.extension_option(&word, invert, words)? {
            return Ok(());
        }
        if self.add_own_match(&word)? && self.extension_option(&word, invert, words)? {
            return Ok(());
        }
        Err(self.unknown_option(&word))
    }

    /// The options of the match of the protocol's own name ask for it by themselves.
    fn add_own_match(&mut self, option: &Word) -> Result<bool, ParseError> {
        let protocol = self.protocol.filter(|(invert, _)| !invert);
        let Some(name) = protocol.and_then(|(_, p)| matches::own(p)) else { return Ok(false) };
        let Some(extension) = matches::find(name, self.ipv6) else { return Ok(false) };
        let asked_for = self.matches.iter().any(|(word, _)| word.text == name);
        if asked_for || pick(option, extension.options())?.is_none() {
            return Ok(false);
        }
        self.matches.push((Word { text: name.to_owned(), ..option.clone() }, extension));
        Ok(true)
    }

    /// Whether one of the extensions took the option: the latest that has it.
    fn extension_option(
        &mut self,
        word: &Word,
        invert: bool,
        words: &mut Words,
    ) -> Result<bool, ParseError> {
        let target = self.target.iter_mut().map(|(_, extension)| extension);
        let matches = self.matches.iter_mut().rev().map(|(_, extension)| extension);
        for extension in target.chain(matches) {
            if let Some(name) = pick(word, extension.options())? {
                extension.take(&Opt { name, word: word.clone(), invert }, words)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn unknown_option(&self, word: &Word) -> ParseError {
        if let Some(owner) = matches::owner(&word.text) {
            return ErrorKind::NeedsMatch(owner).at(word);
        }
        let target = self.target.iter().flat_map(|(_, extension)| extension.options());
        let matches = self.matches.iter().flat_map(|(_, extension)| extension.options());
        let own = self.protocol.and_then(|(_, p)| matches::find(matches::own(p)?, self.ipv6));
        let own = own.iter().flat_map(|extension| extension.options());
        let base = BASE.iter().chain(&MORE_BASE).map(|(name, _)| name);
        let known = target.chain(matches).chain(own).chain(base).copied();
        ErrorKind::UnknownOption.at(word).near(known)
    }

    fn base(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        let (word, invert) = (&option.word, option.invert);
        match option.name {
            "-s" => {
                let address = value::address(&words.value(word)?, self.ipv6)?;
                once(&mut self.source, word, (invert, address))
            }
            "-d" => {
                let address = value::address(&words.value(word)?, self.ipv6)?;
                once(&mut self.destination, word, (invert, address))
            }
            "-i" => {
                self.not_in(word, ["OUTPUT", "POSTROUTING"], WITH_IN)?;
                once(&mut self.iif, word, (invert, link_name(&words.value(word)?)?))
            }
            "-o" => {
                self.not_in(word, ["INPUT", "PREROUTING"], WITH_OUT)?;
                once(&mut self.oif, word, (invert, link_name(&words.value(word)?)?))
            }
            "-p" => {
                let protocol = words.value(word)?;
                let number = value::protocol(&protocol)?;
                if number == 0 && invert {
                    return Err(ErrorKind::Never.at(&protocol));
                }
                once(&mut self.protocol, word, (invert, number))
            }
            "-f" if self.ipv6 => Err(ErrorKind::UnknownOption.at(word)),
            "-f" => once(&mut self.fragment, word, invert),
            "-m" => {
                option.plain()?;
                self.add_match(words.value(word)?)
            }
            jump => {
                option.plain()?;
                self.jump(jump == "-g", word, words.value(word)?)
            }
        }
    }

    /// An option about a link that is not known yet, or no longer, in a base chain.
    fn not_in(
        &self,
        word: &Word,
        chains: [&str; 2],
        place: &'static str,
    ) -> Result<(), ParseError> {
        if chains.contains(&self.chain) {
            Err(ErrorKind::WrongPlace(place).at(word))
        } else {
            Ok(())
        }
    }

    fn add_match(&mut self, name: Word) -> Result<(), ParseError> {
        let Some(extension) = matches::find(&name.text, self.ipv6) else {
            return Err(ErrorKind::UnknownMatch.at(&name).near(matches::NAMES));
        };
        self.matches.push((name, extension));
        Ok(())
    }

    fn jump(&mut self, goto: bool, option: &Word, name: Word) -> Result<(), ParseError> {
        if self.target.is_some() || self.verdict.is_some() {
            return Err(ErrorKind::Twice.at(option));
        }
        if !goto && let Some(extension) = targets::find(&name, self.table, self.chain, self.ipv6)? {
            self.target = Some((name, extension));
            return Ok(());
        }
        self.verdict = Some(targets::verdict(goto, &name)?);
        Ok(())
    }

    fn finish(self) -> Result<NftRule, ParseError> {
        let mut exprs = Vec::new();
        link_exprs(MetaKey::IifName, self.iif.as_ref(), &mut exprs);
        link_exprs(MetaKey::OifName, self.oif.as_ref(), &mut exprs);
        let protocol = self.protocol.filter(|(_, number)| *number != 0);
        if let Some((invert, number)) = protocol {
            exprs.push(Expr::Meta { key: MetaKey::L4proto, dreg: REG });
            exprs.push(cmp(invert, vec![number]));
        }
        let (source, destination) = if self.ipv6 { (8, 24) } else { (12, 16) };
        address_exprs(source, self.source, &mut exprs);
        address_exprs(destination, self.destination, &mut exprs);
        fragment_exprs(self.fragment, &mut exprs);
        let straight = protocol.filter(|(invert, _)| !invert).map(|(_, number)| number);
        let said = |extension: &dyn Extension, asked| match self.legacy {
            true => extension.legacy(asked, straight),
            false => extension.exprs(asked, straight),
        };
        for (asked, extension) in &self.matches {
            if let Some((number, name)) = matches::needs(&asked.text)
                && straight != Some(number)
            {
                return Err(ErrorKind::NeedsProtocol(name).at(asked));
            }
            exprs.extend(said(extension.as_ref(), asked)?);
        }
        exprs.push(Expr::Counter { packets: 0, bytes: 0 });
        if let Some((asked, extension)) = &self.target {
            exprs.extend(said(extension.as_ref(), asked)?);
        }
        if let Some(verdict) = self.verdict {
            exprs.push(Expr::Immediate { dreg: Reg(0), data: Data::Verdict(verdict) });
        }
        let compat = protocol.map_or_else(Compat::default, |(invert, number)| Compat {
            protocol: u32::from(number),
            flags: if invert { 2 } else { 0 },
        });
        Ok(NftRule { compat: Some(compat), exprs, ..NftRule::default() })
    }
}

/// Parts `--option=value`.
fn split_value(word: Word, words: &mut Words) -> Word {
    match word.text.split_once('=') {
        Some((option, value)) if option.starts_with("--") => {
            let column = word.column + option.chars().count() + 1;
            words.push_front(Word { text: value.to_owned(), column });
            Word { text: option.to_owned(), column: word.column }
        }
        _ => word,
    }
}

/// The option that a word means: whole, or a beginning that no other option has.
fn pick(word: &Word, options: &'static [&'static str]) -> Result<Option<&'static str>, ParseError> {
    if let Some(option) = options.iter().find(|o| **o == word.text) {
        return Ok(Some(option));
    }
    if !word.text.starts_with("--") || word.text.len() < 4 {
        return Ok(None);
    }
    let mut begun = options.iter().filter(|o| o.starts_with(&word.text));
    match (begun.next(), begun.next()) {
        (Some(option), None) => Ok(Some(option)),
        (Some(_), Some(_)) => Err(ErrorKind::Ambiguous.at(word)),
        (None, _) => Ok(None),
    }
}

fn once<T>(place: &mut Option<T>, word: &Word, new: T) -> Result<(), ParseError> {
    match place.replace(new) {
        None => Ok(()),
        Some(_) => Err(ErrorKind::Twice.at(word)),
    }
}

/// The name of a link, at most 15 bytes.
pub(super) fn link_name(word: &Word) -> Result<String, ParseError> {
    let fits = (1..=LINK_NAME).contains(&word.text.len());
    if !fits || word.text.contains(['/', '!']) || word.text.contains(char::is_whitespace) {
        return Err(ErrorKind::BadValue("the name of a link (1 to 15 bytes)").at(word));
    }
    Ok(word.text.clone())
}

pub(super) fn cmp(invert: bool, data: Vec<u8>) -> Expr {
    let op = if invert { CmpOp::Neq } else { CmpOp::Eq };
    Expr::Cmp { sreg: REG, op, data }
}

/// `mask`, with nothing to xor.
pub(super) fn and(mask: Vec<u8>) -> Expr {
    let len = u32::try_from(mask.len()).unwrap_or(0);
    let xor = vec![0; mask.len()];
    Expr::Bitwise { sreg: REG, dreg: REG, len, mask, xor }
}

/// A whole name is compared with its NUL, the beginning of one without.
fn link_exprs(key: MetaKey, link: Option<&(bool, String)>, exprs: &mut Vec<Expr>) {
    let Some((invert, name)) = link else { return };
    exprs.push(Expr::Meta { key, dreg: REG });
    let data = match name.strip_suffix('+') {
        // Any link at all: iptables-nft compares nothing then, or with a name that no link has.
        Some("") if *invert => {
            exprs.push(cmp(false, b"INVAL/D\0".to_vec()));
            return;
        }
        Some("") => return,
        Some(stem) => stem.as_bytes().to_vec(),
        None => [name.as_bytes(), &[0]].concat(),
    };
    exprs.push(cmp(*invert, data));
}

/// Whole bytes of prefix are compared as such; any other mask needs a bitwise.
fn address_exprs(offset: u32, address: Option<(bool, value::Masked)>, exprs: &mut Vec<Expr>) {
    let Some((invert, value::Masked { address, mask })) = address else { return };
    let whole = mask.iter().take_while(|byte| **byte == 0xff).count();
    let clean = mask[whole..].iter().all(|byte| *byte == 0);
    let len = if clean { whole } else { mask.len() };
    if len == 0 {
        return;
    }
    exprs.push(payload(PayloadBase::Network, offset, len));
    if !clean {
        exprs.push(and(mask));
    }
    exprs.push(cmp(invert, address[..len].to_vec()));
}

/// `-f`: the offset in the IP header is not 0.
fn fragment_exprs(fragment: Option<bool>, exprs: &mut Vec<Expr>) {
    let Some(invert) = fragment else { return };
    exprs.push(payload(PayloadBase::Network, 6, 2));
    exprs.push(and(vec![0x1f, 0xff]));
    exprs.push(cmp(!invert, vec![0, 0]));
}

pub(super) fn payload(base: PayloadBase, offset: u32, len: usize) -> Expr {
    Expr::Payload { base, offset, len: u32::try_from(len).unwrap_or(0), dreg: REG }
}
