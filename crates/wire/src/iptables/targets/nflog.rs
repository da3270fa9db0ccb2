use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// `-j NFLOG`: the packet is told to whoever listens to a group. Written as a native expression by
/// iptables-nft 1.8.9.
#[derive(Default)]
pub(super) struct NfLog {
    group: u16,
    prefix: String,
    len: Option<u32>,
    threshold: u16,
}

/// Prefix in struct xt_nflog_info, NUL included.
const PREFIX: usize = 64;

impl Extension for NfLog {
    fn options(&self) -> &'static [&'static str] {
        &["--nflog-group", "--nflog-prefix", "--nflog-size", "--nflog-threshold"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        let word = words.value(&option.word)?;
        match option.name {
            "--nflog-group" => self.group = value::one_port(&word, &word.text)?,
            "--nflog-threshold" => self.threshold = value::one_port(&word, &word.text)?,
            "--nflog-size" => self.len = Some(value::u32(&word)?),
            _ if word.text.len() >= PREFIX || word.text.contains('\n') => {
                return Err(ErrorKind::BadValue("a prefix of at most 63 bytes").at(&word));
            }
            _ => self.prefix = word.text,
        }
        Ok(())
    }

    fn exprs(&self, _asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        Ok(vec![Expr::Log {
            prefix: Some(self.prefix.clone()).filter(|prefix| !prefix.is_empty()),
            group: Some(self.group),
            snaplen: self.len,
            threshold: Some(self.threshold).filter(|threshold| *threshold > 0),
            level: None,
            flags: None,
        }])
    }

    fn legacy(&self, _asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        /// XT_NFLOG_F_COPY_LEN.
        const COPY_LEN: u16 = 1;
        let info = XtInfo::NfLog {
            len: self.len.unwrap_or(0),
            group: self.group,
            threshold: self.threshold,
            flags: if self.len.is_some() { COPY_LEN } else { 0 },
            prefix: self.prefix.clone(),
        };
        Ok(xt("NFLOG", 0, info))
    }
}
