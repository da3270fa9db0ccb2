use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// What is always: 2^31.
const CERTAIN: f64 = 2_147_483_648.0;

/// By chance, or one of so many.
#[derive(Default)]
pub(super) struct Statistic {
    nth: Option<bool>,
    probability: Option<u32>,
    every: Option<u32>,
    packet: Option<u32>,
    invert: bool,
}

/// A number from 0 to 1, of 2^31.
fn probability(word: &Word) -> Result<u32, ParseError> {
    let number = word.text.parse().ok().filter(|p: &f64| (0.0..=1.0).contains(p));
    let number = number.ok_or_else(|| ErrorKind::BadValue("a number from 0 to 1").at(word))?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 2^31")]
    Ok((number * CERTAIN).round() as u32)
}

impl Extension for Statistic {
    fn options(&self) -> &'static [&'static str] {
        &["--mode", "--probability", "--every", "--packet"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        let word = words.value(&option.word)?;
        match option.name {
            "--mode" => {
                self.nth = Some(match word.text.as_str() {
                    "random" => false,
                    "nth" => true,
                    _ => return Err(ErrorKind::BadValue("random or nth").at(&word)),
                });
                return option.plain();
            }
            "--packet" => {
                self.packet = Some(value::u32(&word)?);
                return option.plain();
            }
            "--probability" => self.probability = Some(probability(&word)?),
            _ => {
                let every = value::u32(&word)?.checked_sub(1);
                let bad = || ErrorKind::BadValue("a number from 1").at(&word);
                self.every = Some(every.ok_or_else(bad)?);
            }
        }
        self.invert = option.invert;
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let lacks = |what| ErrorKind::Incomplete(what).at(asked);
        let invert = self.invert;
        let nth = self.every.zip(self.packet).filter(|(every, packet)| packet <= every);
        let info = match (self.nth, nth, self.probability) {
            (Some(true), Some(nth), None) => {
                XtInfo::Statistic { nth: Some(nth), probability: 0, invert }
            }
            (Some(true), ..) => return Err(lacks("--every, and a --packet that is less")),
            (Some(false), _, Some(probability)) if self.every.is_none() => {
                XtInfo::Statistic { nth: None, probability, invert }
            }
            (Some(false), ..) => return Err(lacks("--probability")),
            (None, ..) => return Err(lacks("--mode")),
        };
        Ok(xt("statistic", 0, info))
    }
}
