use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::words::{Word, Words};

/// XT_MAX_COMMENT_LEN without the NUL.
const LONGEST: usize = 255;

#[derive(Default)]
pub(super) struct Comment(Option<String>);

impl Extension for Comment {
    fn options(&self) -> &'static [&'static str] {
        &["--comment"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        let word = words.value(&option.word)?;
        if word.text.len() > LONGEST || word.text.contains('\0') {
            return Err(ErrorKind::BadValue("a comment of at most 255 bytes").at(&word));
        }
        self.0 = Some(word.text);
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let text = self.0.clone().ok_or_else(|| ErrorKind::Incomplete("--comment").at(asked))?;
        Ok(xt("comment", 0, XtInfo::Comment(text)))
    }
}
