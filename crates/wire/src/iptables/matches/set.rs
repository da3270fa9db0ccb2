use model::{Expr, XtInfo, XtSet, XtSetCounter};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// IPSET_FLAG_SKIP_COUNTER_UPDATE and _SUBCOUNTER_UPDATE.
const SKIP: [(&str, u32); 2] = [("--update-counters", 8), ("--update-subcounters", 16)];

/// A set of ipset, by its name: its number is looked up by whoever writes the rule.
#[derive(Default)]
pub(super) struct Set(Option<Box<XtSet>>, XtSet);

impl Extension for Set {
    fn options(&self) -> &'static [&'static str] {
        &[
            "--match-set",
            "--return-nomatch",
            "--update-counters",
            "--update-subcounters",
            "--packets-eq",
            "--packets-lt",
            "--packets-gt",
            "--bytes-eq",
            "--bytes-lt",
            "--bytes-gt",
        ]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        match option.name {
            "--match-set" if self.0.is_some() => return Err(ErrorKind::Twice.at(&option.word)),
            "--match-set" => {
                let mut set = value::ip_set(&option.word, words)?;
                set.flags |= u8::from(option.invert);
                self.0 = Some(Box::new(XtSet { set, ..XtSet::default() }));
            }
            "--return-nomatch" => {
                option.plain()?;
                self.1.flags |= XtSet::RETURN_NOMATCH;
            }
            "--update-counters" | "--update-subcounters" => {
                let skip = SKIP.iter().find(|(name, _)| *name == option.name && option.invert);
                self.1.flags |= skip.map_or(0, |(_, flag)| *flag);
            }
            counted => {
                let counter = counter(counted, option, &words.value(&option.word)?)?;
                match counted.starts_with("--packets") {
                    true => self.1.packets = counter,
                    false => self.1.bytes = counter,
                }
            }
        }
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let set = self.0.as_ref().ok_or_else(|| ErrorKind::Incomplete("--match-set").at(asked))?;
        let info = XtSet { set: set.set.clone(), ..self.1.clone() };
        Ok(xt("set", 4, XtInfo::Set(Box::new(info))))
    }
}

/// IPSET_COUNTER_*.
fn counter(name: &str, option: &Opt, word: &Word) -> Result<XtSetCounter, ParseError> {
    let op = match (name.rsplit('-').next(), option.invert) {
        (Some("eq"), false) => 1,
        (Some("eq"), true) => 2,
        (_, true) => return Err(ErrorKind::NotInvertible.at(&option.word)),
        (Some("lt"), _) => 3,
        _ => 4,
    };
    let value = word.text.parse().map_err(|_| ErrorKind::BadValue("a number").at(word))?;
    Ok(XtSetCounter { op, value })
}
