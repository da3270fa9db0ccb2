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

/// IP6T_*: the same of ip6tables.
const TCP_RESET6: u32 = 6;
const WITH6: [(&str, u32); 13] = [
    ("icmp6-no-route", 0),
    ("no-route", 0),
    ("icmp6-adm-prohibited", 1),
    ("adm-prohibited", 1),
    ("icmp6-addr-unreachable", 3),
    ("addr-unreach", 3),
    ("icmp6-port-unreachable", 4),
    ("port-unreach", 4),
    ("tcp-reset", TCP_RESET6),
    ("icmp6-policy-fail", 7),
    ("policy-fail", 7),
    ("icmp6-reject-route", 8),
    ("reject-route", 8),
];

/// iptables takes the beginning of a name for the first that has it.
fn begins(name: &str, word: &str) -> bool {
    !word.is_empty() && name.starts_with(&word.to_lowercase())
}

pub(super) struct Reject {
    ipv6: bool,
    with: Option<u32>,
}

impl Reject {
    pub(super) const fn new(ipv6: bool) -> Self {
        Self { ipv6, with: None }
    }

    const fn names(&self) -> &'static [(&'static str, u32)] {
        if self.ipv6 { &WITH6 } else { &WITH }
    }
}

impl Extension for Reject {
    fn options(&self) -> &'static [&'static str] {
        &["--reject-with"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        let word = words.value(&option.word)?;
        let names = self.names();
        let Some((_, with)) = names.iter().find(|(name, _)| begins(name, &word.text)) else {
            let known = names.iter().map(|(name, _)| *name);
            return Err(ErrorKind::BadValue("a way to reject").at(&word).near(known));
        };
        self.with = Some(*with);
        Ok(())
    }

    fn exprs(&self, asked: &Word, protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let (usual, reset) = if self.ipv6 { (4, TCP_RESET6) } else { (3, TCP_RESET) };
        let with = self.with.unwrap_or(usual);
        if with == reset && protocol != Some(6) {
            return Err(ErrorKind::NeedsProtocol("tcp, for a TCP reset").at(asked));
        }
        Ok(xt("REJECT", 0, XtInfo::Reject(with)))
    }
}
