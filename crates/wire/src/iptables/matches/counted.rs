//! Matches that count, or remember what they saw: limit, hashlimit, recent.

use model::{Expr, XtInfo, XtRecent};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// How many at once, where nothing is said.
const BURST: u32 = 5;

/// `5/minute`: how many, and per how many seconds.
fn rate(word: &Word) -> Result<(u32, u32), ParseError> {
    let (number, unit) = word.text.split_once('/').unwrap_or((&word.text, "second"));
    let units = [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400)];
    let unit = units.iter().find(|(name, _)| !unit.is_empty() && name.starts_with(unit));
    let number = number.parse().ok().filter(|n: &u32| *n > 0);
    let bad = || ErrorKind::BadValue("a rate, such as 5/minute").at(word);
    Ok((number.ok_or_else(bad)?, unit.ok_or_else(bad)?.1))
}

/// Written as a native expression by iptables-nft 1.8.9.
pub(super) struct Limit {
    rate: (u32, u32),
    burst: u32,
}

impl Default for Limit {
    fn default() -> Self {
        const THREE_AN_HOUR: (u32, u32) = (3, 3600);
        Self { rate: THREE_AN_HOUR, burst: BURST }
    }
}

impl Extension for Limit {
    fn options(&self) -> &'static [&'static str] {
        &["--limit", "--limit-burst"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        let word = words.value(&option.word)?;
        match option.name {
            "--limit" => self.rate = rate(&word)?,
            _ => self.burst = value::u32(&word)?,
        }
        Ok(())
    }

    fn exprs(&self, _asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let (rate, unit) = (self.rate.0.into(), self.rate.1.into());
        Ok(vec![Expr::Limit { rate, unit, burst: self.burst, bytes: false, over: false }])
    }

    fn legacy(&self, _asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        /// XT_LIMIT_SCALE: a token is worth so much of a second.
        const SCALE: u32 = 10_000;
        let avg = SCALE * self.rate.1 / self.rate.0;
        Ok(xt("limit", 0, XtInfo::Limit { avg, burst: self.burst }))
    }
}

/// `-m hashlimit`, revision 3: packets only, not bytes.
pub(super) struct HashLimit {
    rate: Option<(u32, u32)>,
    above: bool,
    burst: u32,
    of: u32,
    masks: [u8; 2],
    name: String,
    /// Of the table: size, most entries, how often old ones are thrown away, how old they may become.
    table: [Option<u32>; 4],
}

/// XT_HASHLIMIT_HASH_*.
const OF: [(&str, u16); 4] = [("DSTIP", 1), ("DSTPORT", 2), ("SRCIP", 4), ("SRCPORT", 8)];
/// XT_HASHLIMIT_INVERT.
const ABOVE: u32 = 16;
/// Of [`HashLimit::table`], in this order.
const TABLE: [&str; 4] = [
    "--hashlimit-htable-size",
    "--hashlimit-htable-max",
    "--hashlimit-htable-gcinterval",
    "--hashlimit-htable-expire",
];

impl HashLimit {
    pub(super) const fn new(ipv6: bool) -> Self {
        let bits = if ipv6 { 128 } else { 32 };
        Self {
            rate: None,
            above: false,
            burst: BURST,
            of: 0,
            masks: [bits; 2],
            name: String::new(),
            table: [None; 4],
        }
    }

    /// xt_hashlimit_mtinfo3.
    fn bytes(&self, (rate, unit): (u32, u32), mode: u32) -> Vec<u8> {
        /// Where the numbers stand behind the name, and the kernel's own pointer behind those.
        const NUMBERS: usize = 256;
        /// A token is worth so much of a second.
        const SCALE: u64 = 1_000_000;
        const EVERY_SECOND: u32 = 1000;
        let mut bytes = self.name.clone().into_bytes();
        bytes.resize(NUMBERS, 0);
        let average = SCALE * u64::from(unit) / u64::from(rate);
        [average, self.burst.into()].iter().for_each(|n| bytes.extend(n.to_ne_bytes()));
        let [size, most, interval, expire] = self.table;
        let numbers = [
            mode,
            size.unwrap_or(0),
            most.unwrap_or(0),
            interval.unwrap_or(EVERY_SECOND),
            expire.unwrap_or(unit * 1000),
            0,
        ];
        numbers.iter().for_each(|n| bytes.extend(n.to_ne_bytes()));
        bytes.extend(self.masks);
        bytes.resize(bytes.len().next_multiple_of(8) + 8, 0);
        bytes
    }
}

impl Extension for HashLimit {
    fn options(&self) -> &'static [&'static str] {
        &[
            "--hashlimit-upto",
            "--hashlimit-above",
            "--hashlimit-burst",
            "--hashlimit-mode",
            "--hashlimit-name",
            "--hashlimit-srcmask",
            "--hashlimit-dstmask",
            "--hashlimit-htable-size",
            "--hashlimit-htable-max",
            "--hashlimit-htable-gcinterval",
            "--hashlimit-htable-expire",
        ]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        let word = words.value(&option.word)?;
        match option.name {
            "--hashlimit-upto" | "--hashlimit-above" => {
                self.rate = Some(rate(&word)?);
                self.above = option.name == "--hashlimit-above";
            }
            "--hashlimit-burst" => self.burst = value::u32(&word)?,
            "--hashlimit-mode" => {
                self.of = value::bits(&word, &OF, "what a hashlimit tells apart")?.into();
            }
            "--hashlimit-name" => self.name = list_name(&word)?,
            "--hashlimit-srcmask" => self.masks[0] = value::u8(&word)?,
            "--hashlimit-dstmask" => self.masks[1] = value::u8(&word)?,
            name => {
                let place = TABLE.iter().position(|o| *o == name).unwrap_or(0);
                self.table[place] = Some(value::u32(&word)?);
            }
        }
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let lacks = |what| ErrorKind::Incomplete(what).at(asked);
        let rate = self.rate.ok_or_else(|| lacks("--hashlimit-upto or --hashlimit-above"))?;
        if self.name.is_empty() {
            return Err(lacks("--hashlimit-name"));
        }
        let mode = self.of | if self.above { ABOVE } else { 0 };
        let data = self.bytes(rate, mode);
        Ok(xt("hashlimit", 3, XtInfo::HashLimit { mode, data }))
    }
}

/// The name of a list that a match keeps: /proc has a file of that name.
fn list_name(word: &Word) -> Result<String, ParseError> {
    const LONGEST: usize = 200;
    let fits = (1..LONGEST).contains(&word.text.len()) && !word.text.contains(['/', '.']);
    match fits {
        true => Ok(word.text.clone()),
        false => Err(ErrorKind::BadValue("the name of a list").at(word)),
    }
}

/// `-m recent`, revision 1.
pub(super) struct Recent(XtRecent);

/// What iptables calls a list of which nothing is said.
const DEFAULT: &str = "DEFAULT";
/// XT_RECENT_NAME_LEN.
const NAME: usize = 200;
/// XT_RECENT_*: what is done with the list.
const ACTS: [(&str, u8); 4] = [("--set", 2), ("--rcheck", 1), ("--update", 4), ("--remove", 8)];
const WITH_TTL: u8 = 16;
const REAP: u8 = 32;

impl Default for Recent {
    fn default() -> Self {
        let mut name_field = DEFAULT.as_bytes().to_vec();
        name_field.resize(NAME, 0);
        Self(XtRecent {
            seconds: 0,
            hits: 0,
            check_set: 0,
            invert: false,
            name_field,
            side: 0,
            mask: Some([0xff; 16]),
        })
    }
}

impl Extension for Recent {
    fn options(&self) -> &'static [&'static str] {
        &[
            "--set",
            "--rcheck",
            "--update",
            "--remove",
            "--seconds",
            "--reap",
            "--hitcount",
            "--rttl",
            "--name",
            "--rsource",
            "--rdest",
        ]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        if let Some((_, bit)) = ACTS.iter().find(|(name, _)| *name == option.name) {
            if self.0.check_set & 0xf != 0 {
                return Err(ErrorKind::Twice.at(&option.word));
            }
            self.0.check_set |= bit;
            self.0.invert = option.invert;
            return Ok(());
        }
        option.plain()?;
        match option.name {
            "--seconds" => self.0.seconds = value::u32(&words.value(&option.word)?)?,
            "--hitcount" => self.0.hits = value::u32(&words.value(&option.word)?)?,
            "--reap" => self.0.check_set |= REAP,
            "--rttl" => self.0.check_set |= WITH_TTL,
            "--rsource" => self.0.side = 0,
            "--rdest" => self.0.side = 1,
            _ => {
                let name = list_name(&words.value(&option.word)?)?;
                // What stood there stays behind the end of what is written over it.
                let end = name.len();
                self.0.name_field[..end].copy_from_slice(name.as_bytes());
                self.0.name_field[end] = 0;
            }
        }
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        match self.0.check_set & 0xf {
            0 => Err(ErrorKind::Incomplete("--set, --rcheck, --update or --remove").at(asked)),
            _ => Ok(xt("recent", 1, XtInfo::Recent(Box::new(self.0.clone())))),
        }
    }
}
