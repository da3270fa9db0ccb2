use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// XT_OWNER_*.
const USER: u8 = 1;
const GROUP: u8 = 2;
const SOCKET: u8 = 4;
const FURTHER_GROUPS: u8 = 8;

/// Whose socket sends: numbers only, names of users are not looked up.
#[derive(Default)]
pub(super) struct Owner {
    uid: (u32, u32),
    gid: (u32, u32),
    asked: u8,
    invert: u8,
}

fn range(word: &Word) -> Result<(u32, u32), ParseError> {
    let part = |text: &str| value::u32(&Word { text: text.to_owned(), column: word.column });
    match word.text.split_once('-') {
        Some((first, last)) => Ok((part(first)?, part(last)?)),
        None => part(&word.text).map(|id| (id, id)),
    }
}

impl Extension for Owner {
    fn options(&self) -> &'static [&'static str] {
        &["--uid-owner", "--gid-owner", "--socket-exists", "--suppl-groups"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        let bit = match option.name {
            "--uid-owner" => {
                self.uid = range(&words.value(&option.word)?)?;
                USER
            }
            "--gid-owner" => {
                self.gid = range(&words.value(&option.word)?)?;
                GROUP
            }
            "--socket-exists" => SOCKET,
            _ => {
                option.plain()?;
                FURTHER_GROUPS
            }
        };
        if self.asked & bit != 0 {
            return Err(ErrorKind::Twice.at(&option.word));
        }
        self.asked |= bit;
        self.invert |= if option.invert { bit } else { 0 };
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        if self.asked == 0 {
            return Err(ErrorKind::Incomplete("--uid-owner or another of its options").at(asked));
        }
        let Self { uid, gid, asked, invert } = *self;
        Ok(xt("owner", 1, XtInfo::Owner { uid, gid, asked, invert }))
    }
}
