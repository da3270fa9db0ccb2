use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// PACKET_*.
const PACKET_TYPES: [(&str, u32); 4] =
    [("unicast", 0), ("host", 0), ("broadcast", 1), ("multicast", 2)];

/// Matches that ask one thing each.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Connmark,
    Dscp,
    HopLimit,
    Length,
    PktType,
    Tos,
    Ttl,
}

/// One of them, and what it asks.
pub(super) struct Plain(Kind, Option<XtInfo>);

impl Plain {
    pub(super) const fn new(kind: Kind) -> Self {
        Self(kind, None)
    }

    fn info(&self, option: &Opt, word: &Word) -> Result<XtInfo, ParseError> {
        let invert = option.invert;
        Ok(match self.0 {
            Kind::Connmark => {
                let (mark, mask) = value::masked(word)?;
                XtInfo::Connmark { mark, mask, invert }
            }
            Kind::Dscp => XtInfo::Dscp { dscp: value::dscp(option.name, word)?, invert },
            Kind::Length => {
                let (min, max) = value::port_range(word, &word.text, ':')?;
                XtInfo::Length { min, max, invert }
            }
            Kind::PktType => {
                let known = PACKET_TYPES.iter().find(|(name, _)| *name == word.text);
                let names = PACKET_TYPES.map(|(name, _)| name);
                let bad = || ErrorKind::BadValue("a type of packet").at(word).near(names);
                XtInfo::PktType { kind: known.ok_or_else(bad)?.1, invert }
            }
            Kind::Tos => {
                let (value, mask) = value::tos(word)?;
                XtInfo::Tos { mask, value, invert }
            }
            Kind::HopLimit | Kind::Ttl => {
                XtInfo::Ttl { mode: mode(option)?, ttl: value::u8(word)? }
            }
        })
    }
}

/// IPT_TTL_EQ, NE, LT, GT.
fn mode(option: &Opt) -> Result<u8, ParseError> {
    match (option.name.rsplit_once('-').map(|(_, how)| how), option.invert) {
        (Some("lt"), false) => Ok(2),
        (Some("gt"), false) => Ok(3),
        (Some("lt" | "gt"), true) => Err(ErrorKind::NotInvertible.at(&option.word)),
        (_, invert) => Ok(u8::from(invert)),
    }
}

impl Extension for Plain {
    fn options(&self) -> &'static [&'static str] {
        match self.0 {
            Kind::Connmark => &["--mark"],
            Kind::Dscp => &["--dscp", "--dscp-class"],
            Kind::HopLimit => &["--hl-eq", "--hl-lt", "--hl-gt"],
            Kind::Length => &["--length"],
            Kind::PktType => &["--pkt-type"],
            Kind::Tos => &["--tos"],
            Kind::Ttl => &["--ttl-eq", "--ttl-lt", "--ttl-gt", "--ttl"],
        }
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        if self.1.is_some() {
            return Err(ErrorKind::Twice.at(&option.word));
        }
        let word = words.value(&option.word)?;
        self.1 = Some(self.info(option, &word)?);
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let (name, revision) = match self.0 {
            Kind::Connmark => ("connmark", 1),
            Kind::Dscp => ("dscp", 0),
            Kind::HopLimit => ("hl", 0),
            Kind::Length => ("length", 0),
            Kind::PktType => ("pkttype", 0),
            Kind::Tos => ("tos", 1),
            Kind::Ttl => ("ttl", 0),
        };
        let info = self.1.clone();
        let info = info.ok_or_else(|| ErrorKind::Incomplete("an option of its own").at(asked))?;
        Ok(xt(name, revision, info))
    }
}
