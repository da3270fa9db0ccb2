use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// `-j MARK`: the mark becomes `(mark & !mask) ^ value`.
#[derive(Default)]
pub(super) struct Mark(Option<(u32, u32)>);

impl Extension for Mark {
    fn options(&self) -> &'static [&'static str] {
        &["--set-xmark", "--set-mark", "--and-mark", "--or-mark", "--xor-mark"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        if self.0.is_some() {
            return Err(ErrorKind::Twice.at(&option.word));
        }
        let word = words.value(&option.word)?;
        self.0 = Some(match option.name {
            "--set-xmark" => value::masked(&word)?,
            "--set-mark" => {
                let (value, mask) = value::masked(&word)?;
                (value, value | mask)
            }
            "--and-mark" => (0, !value::u32(&word)?),
            "--or-mark" => value::u32(&word).map(|v| (v, v))?,
            _ => (value::u32(&word)?, 0),
        });
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let Some((mark, mask)) = self.0 else {
            return Err(ErrorKind::Incomplete("--set-mark or another of its options").at(asked));
        };
        Ok(xt("MARK", 2, XtInfo::SetMark { mark, mask }))
    }
}
