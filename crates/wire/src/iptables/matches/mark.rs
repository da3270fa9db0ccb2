use model::{Expr, MetaKey, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt, REG, and, cmp};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// Written as native expressions by iptables-nft 1.8.9.
#[derive(Default)]
pub(super) struct Mark(Option<(u32, u32, bool)>);

impl Extension for Mark {
    fn options(&self) -> &'static [&'static str] {
        &["--mark"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        let (mark, mask) = value::masked(&words.value(&option.word)?)?;
        self.0 = Some((mark, mask, option.invert));
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let Some((mark, mask, invert)) = self.0 else {
            return Err(ErrorKind::Incomplete("--mark").at(asked));
        };
        let mut exprs = vec![Expr::Meta { key: MetaKey::Mark, dreg: REG }];
        if mask != u32::MAX {
            exprs.push(and(mask.to_ne_bytes().to_vec()));
        }
        exprs.push(cmp(invert, mark.to_ne_bytes().to_vec()));
        Ok(exprs)
    }

    fn legacy(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let (mark, mask, invert) =
            self.0.ok_or_else(|| ErrorKind::Incomplete("--mark").at(asked))?;
        Ok(xt("mark", 1, XtInfo::Mark { mark, mask, invert }))
    }
}
