use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::words::{Word, Words};

const TCP_RESET: u32 = 7;
/// IPT_*: also the short names that iptables takes.
const WITH: [(&str, u32); 16] = [
    ("icmp-net-unreachable", 0),
    ("icmp-host-unreachable", 1),
    ("icmp-proto-unreachable", 2),
    ("icmp-port-unreachable", 3),
    ("icmp-net-prohibited", 5),
    ("icmp-host-prohibited", 6),
    ("tcp-reset", TCP_RESET),
    ("icmp-admin-prohibited", 8),
    ("net-unreach", 0),
    ("host-unreach", 1),
    ("proto-unreach", 2),
    ("port-unreach", 3),
    ("net-prohib", 5),
    ("host-prohib", 6),
    ("tcp-rst", TCP_RESET),
    ("admin-prohib", 8),
];

/// iptables takes the beginning of a name for the first that has it.
fn begins(name: &str, word: &str) -> bool {
    !word.is_empty() && name.starts_with(&word.to_lowercase())
}

#[derive(Default)]
pub(super) struct Reject(Option<u32>);

impl Extension for Reject {
    fn options(&self) -> &'static [&'static str] {
        &["--reject-with"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        let word = words.value(&option.word)?;
        let Some((_, with)) = WITH.iter().find(|(name, _)| begins(name, &word.text)) else {
            let known = WITH.iter().map(|(name, _)| *name);
            return Err(ErrorKind::BadValue("a way to reject").at(&word).near(known));
        };
        self.0 = Some(*with);
        Ok(())
    }

    fn exprs(&self, asked: &Word, protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let with = self.0.unwrap_or(3);
        if with == TCP_RESET && protocol != Some(6) {
            return Err(ErrorKind::NeedsProtocol("tcp, for a TCP reset").at(asked));
        }
        Ok(xt("REJECT", 0, XtInfo::Reject(with)))
    }
}
