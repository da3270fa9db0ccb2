use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// XT_CT_*.
const NOT_TRACKED: u16 = 1;
const ORIGINAL: u16 = 4;
const REPLY: u16 = 8;
const BY_MARK: u16 = 16;

/// `-j CT`: what is not tracked, or in which zone.
#[derive(Default)]
pub(super) struct Ct {
    flags: u16,
    zone: u16,
}

impl Ct {
    /// `-j NOTRACK`, which is written so.
    pub(super) const fn notrack() -> Self {
        const CALLED_NOTRACK: u16 = 2;
        Self { flags: NOT_TRACKED | CALLED_NOTRACK, zone: 0 }
    }

    fn zone(&mut self, word: &Word, direction: u16) -> Result<(), ParseError> {
        self.flags |= direction;
        if word.text == "mark" {
            self.flags |= BY_MARK;
            return Ok(());
        }
        let zone = value::u32(word)?;
        let bad = |_| ErrorKind::BadValue("a zone (0 to 65535, or `mark`)").at(word);
        self.zone = u16::try_from(zone).map_err(bad)?;
        Ok(())
    }
}

impl Extension for Ct {
    fn options(&self) -> &'static [&'static str] {
        // NOTRACK says all by its name.
        if self.flags == Self::notrack().flags { &[] } else { &OPTIONS }
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        match option.name {
            "--notrack" => self.flags |= NOT_TRACKED,
            "--zone" => self.zone(&words.value(&option.word)?, 0)?,
            "--zone-orig" => self.zone(&words.value(&option.word)?, ORIGINAL)?,
            _ => self.zone(&words.value(&option.word)?, REPLY)?,
        }
        Ok(())
    }

    fn exprs(&self, _asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let (helper, timeout) = (String::new(), Some(String::new()));
        let info =
            XtInfo::Ct { flags: self.flags, zone: self.zone, events: (0, 0), helper, timeout };
        Ok(xt("CT", 2, info))
    }
}

const OPTIONS: [&str; 4] = ["--notrack", "--zone", "--zone-orig", "--zone-reply"];
