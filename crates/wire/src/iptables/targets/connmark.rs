use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// XT_CONNMARK_*.
const SET: u8 = 0;
const SAVE: u8 = 1;
const RESTORE: u8 = 2;

/// `-j CONNMARK`: the mark of a connection, from a number or a packet, or a packet's from it.
pub(super) struct Connmark {
    mode: Option<u8>,
    ctmark: u32,
    ctmask: u32,
    nfmask: u32,
}

impl Default for Connmark {
    fn default() -> Self {
        Self { mode: None, ctmark: 0, ctmask: u32::MAX, nfmask: u32::MAX }
    }
}

impl Extension for Connmark {
    fn options(&self) -> &'static [&'static str] {
        &[
            "--set-xmark",
            "--set-mark",
            "--and-mark",
            "--or-mark",
            "--xor-mark",
            "--save-mark",
            "--restore-mark",
            "--ctmask",
            "--nfmask",
            "--mask",
        ]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        let mut number = || words.value(&option.word).and_then(|word| value::u32(&word));
        match option.name {
            "--ctmask" => self.ctmask = number()?,
            "--nfmask" => self.nfmask = number()?,
            "--mask" => (self.ctmask, self.nfmask) = number().map(|mask| (mask, mask))?,
            _ if self.mode.is_some() => return Err(ErrorKind::Twice.at(&option.word)),
            "--save-mark" => self.mode = Some(SAVE),
            "--restore-mark" => self.mode = Some(RESTORE),
            name => {
                self.mode = Some(SET);
                (self.ctmark, self.ctmask) = match name {
                    "--and-mark" => (0, !number()?),
                    "--or-mark" => number().map(|bits| (bits, bits))?,
                    "--xor-mark" => (number()?, 0),
                    _ => value::masked(&words.value(&option.word)?)?,
                };
                if name == "--set-mark" {
                    self.ctmask |= self.ctmark;
                }
            }
        }
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let Self { mode: Some(mode), ctmark, ctmask, nfmask } = *self else {
            return Err(
                ErrorKind::Incomplete("--set-mark, --save-mark or --restore-mark").at(asked)
            );
        };
        let shift = Some((0, 0));
        Ok(xt("CONNMARK", 2, XtInfo::SetConnmark { mode, ctmark, ctmask, nfmask, shift }))
    }
}
