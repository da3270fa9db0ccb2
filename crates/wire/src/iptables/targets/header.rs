use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// What of a header is written.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Dscp,
    HopLimit,
    Mss,
    Tos,
    Ttl,
}

/// TCP.
const TCP: u8 = 6;
/// `TCPMSS`: what the path takes.
const OF_THE_PATH: u16 = u16::MAX;

/// `-j DSCP`, `HL`, `TCPMSS`, `TOS` and `TTL`.
pub(super) struct Header(Kind, Option<XtInfo>);

impl Header {
    pub(super) const fn new(kind: Kind) -> Self {
        Self(kind, None)
    }

    fn info(&self, option: &Opt, words: &mut Words) -> Result<XtInfo, ParseError> {
        if option.name == "--clamp-mss-to-pmtu" {
            return Ok(XtInfo::TcpMss(OF_THE_PATH));
        }
        let word = words.value(&option.word)?;
        let byte = || value::u8(&word);
        Ok(match (self.0, option.name) {
            (Kind::Dscp, name) => XtInfo::SetDscp(value::dscp(name, &word)?),
            (Kind::Mss, _) => XtInfo::TcpMss(value::one_port(&word, &word.text)?),
            (Kind::Tos, "--and-tos") => XtInfo::SetTos { value: 0, mask: !byte()? },
            (Kind::Tos, "--or-tos") => XtInfo::SetTos { value: byte()?, mask: byte()? },
            (Kind::Tos, "--xor-tos") => XtInfo::SetTos { value: byte()?, mask: 0 },
            (Kind::Tos, _) => {
                let (value, mask) = value::tos(&word)?;
                XtInfo::SetTos { value, mask }
            }
            (Kind::HopLimit | Kind::Ttl, name) => {
                let mode = match name.rsplit_once('-').map(|(_, how)| how) {
                    Some("inc") => 1,
                    Some("dec") => 2,
                    _ => 0,
                };
                XtInfo::SetTtl { mode, ttl: byte()? }
            }
        })
    }
}

impl Extension for Header {
    fn options(&self) -> &'static [&'static str] {
        match self.0 {
            Kind::Dscp => &["--set-dscp", "--set-dscp-class"],
            Kind::HopLimit => &["--hl-set", "--hl-dec", "--hl-inc"],
            Kind::Mss => &["--set-mss", "--clamp-mss-to-pmtu"],
            Kind::Tos => &["--set-tos", "--and-tos", "--or-tos", "--xor-tos"],
            Kind::Ttl => &["--ttl-set", "--ttl-dec", "--ttl-inc"],
        }
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        if self.1.is_some() {
            return Err(ErrorKind::Twice.at(&option.word));
        }
        self.1 = Some(self.info(option, words)?);
        Ok(())
    }

    fn exprs(&self, asked: &Word, protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let (name, revision) = match self.0 {
            Kind::Dscp => ("DSCP", 0),
            Kind::HopLimit => ("HL", 0),
            Kind::Mss if protocol != Some(TCP) => {
                return Err(ErrorKind::NeedsProtocol("tcp").at(asked));
            }
            Kind::Mss => ("TCPMSS", 0),
            Kind::Tos => ("TOS", 1),
            Kind::Ttl => ("TTL", 0),
        };
        let info = self.1.clone();
        let info = info.ok_or_else(|| ErrorKind::Incomplete("an option of its own").at(asked))?;
        Ok(xt(name, revision, info))
    }
}
