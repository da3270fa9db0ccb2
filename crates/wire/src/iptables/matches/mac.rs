use model::{Expr, Mac, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::words::{Word, Words};

#[derive(Default)]
pub(super) struct MacSource(Option<(Mac, bool)>);

impl Extension for MacSource {
    fn options(&self) -> &'static [&'static str] {
        &["--mac-source"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        let word = words.value(&option.word)?;
        let mac = word.text.parse();
        let mac = mac.map_err(|_| ErrorKind::BadValue("an Ethernet address").at(&word))?;
        self.0 = Some((mac, option.invert));
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let (mac, invert) =
            self.0.ok_or_else(|| ErrorKind::Incomplete("--mac-source").at(asked))?;
        Ok(xt("mac", 0, XtInfo::MacSource { mac, invert }))
    }
}
