use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// Prefix in struct ipt_log_info, NUL included.
const PREFIX: usize = 30;
const WARNING: u8 = 4;
/// IPT_LOG_*, in the order of the bits.
const FLAGS: [(&str, u8); 5] = [
    ("--log-tcp-sequence", 1),
    ("--log-tcp-options", 2),
    ("--log-ip-options", 4),
    ("--log-uid", 8),
    ("--log-macdecode", 32),
];
const LEVELS: [(&str, u8); 9] = [
    ("emerg", 0),
    ("panic", 0),
    ("alert", 1),
    ("crit", 2),
    ("error", 3),
    ("warning", 4),
    ("notice", 5),
    ("info", 6),
    ("debug", 7),
];

#[derive(Default)]
pub(super) struct Log {
    level: Option<u8>,
    flags: u8,
    prefix: String,
}

fn level(word: &Word) -> Result<u8, ParseError> {
    if let Some((_, level)) = LEVELS.iter().find(|(name, _)| *name == word.text) {
        return Ok(*level);
    }
    value::u8(word).ok().filter(|n| *n <= 7).ok_or_else(|| {
        ErrorKind::BadValue("a level of the kernel's log").at(word).near(LEVELS.map(|(n, _)| n))
    })
}

impl Extension for Log {
    fn options(&self) -> &'static [&'static str] {
        &[
            "--log-level",
            "--log-prefix",
            "--log-tcp-sequence",
            "--log-tcp-options",
            "--log-ip-options",
            "--log-uid",
            "--log-macdecode",
        ]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        match option.name {
            "--log-level" => self.level = Some(level(&words.value(&option.word)?)?),
            "--log-prefix" => {
                let word = words.value(&option.word)?;
                if word.text.len() >= PREFIX || word.text.contains('\n') {
                    return Err(ErrorKind::BadValue("a prefix of at most 29 bytes").at(&word));
                }
                self.prefix = word.text;
            }
            name => {
                let flag = FLAGS.iter().find(|(n, _)| *n == name).map_or(0, |(_, flag)| *flag);
                self.flags |= flag;
            }
        }
        Ok(())
    }

    fn exprs(&self, _asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let mut data = vec![self.level.unwrap_or(WARNING), self.flags];
        data.extend_from_slice(self.prefix.as_bytes());
        data.resize(2 + PREFIX, 0);
        Ok(xt("LOG", 0, XtInfo::Log { data }))
    }
}
