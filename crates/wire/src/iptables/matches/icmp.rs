use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// Type, first and last code.
type Type = (u8, u8, u8);

const ANY: Type = (255, 0, 255);
const NAMES: [(&str, Type); 40] = [
    ("any", ANY),
    ("echo-reply", (0, 0, 255)),
    ("pong", (0, 0, 255)),
    ("destination-unreachable", (3, 0, 255)),
    ("network-unreachable", (3, 0, 0)),
    ("host-unreachable", (3, 1, 1)),
    ("protocol-unreachable", (3, 2, 2)),
    ("port-unreachable", (3, 3, 3)),
    ("fragmentation-needed", (3, 4, 4)),
    ("source-route-failed", (3, 5, 5)),
    ("network-unknown", (3, 6, 6)),
    ("host-unknown", (3, 7, 7)),
    ("network-prohibited", (3, 9, 9)),
    ("host-prohibited", (3, 10, 10)),
    ("tos-network-unreachable", (3, 11, 11)),
    ("tos-host-unreachable", (3, 12, 12)),
    ("communication-prohibited", (3, 13, 13)),
    ("host-precedence-violation", (3, 14, 14)),
    ("precedence-cutoff", (3, 15, 15)),
    ("source-quench", (4, 0, 255)),
    ("redirect", (5, 0, 255)),
    ("network-redirect", (5, 0, 0)),
    ("host-redirect", (5, 1, 1)),
    ("tos-network-redirect", (5, 2, 2)),
    ("tos-host-redirect", (5, 3, 3)),
    ("echo-request", (8, 0, 255)),
    ("ping", (8, 0, 255)),
    ("router-advertisement", (9, 0, 255)),
    ("router-solicitation", (10, 0, 255)),
    ("time-exceeded", (11, 0, 255)),
    ("ttl-exceeded", (11, 0, 255)),
    ("ttl-zero-during-transit", (11, 0, 0)),
    ("ttl-zero-during-reassembly", (11, 1, 1)),
    ("parameter-problem", (12, 0, 255)),
    ("ip-header-bad", (12, 0, 0)),
    ("required-option-missing", (12, 1, 1)),
    ("timestamp-request", (13, 0, 255)),
    ("timestamp-reply", (14, 0, 255)),
    ("address-mask-request", (17, 0, 255)),
    ("address-mask-reply", (18, 0, 255)),
];

const NAMES6: [(&str, Type); 22] = [
    ("destination-unreachable", (1, 0, 255)),
    ("no-route", (1, 0, 0)),
    ("communication-prohibited", (1, 1, 1)),
    ("beyond-scope", (1, 2, 2)),
    ("address-unreachable", (1, 3, 3)),
    ("port-unreachable", (1, 4, 4)),
    ("failed-policy", (1, 5, 5)),
    ("reject-route", (1, 6, 6)),
    ("packet-too-big", (2, 0, 255)),
    ("time-exceeded", (3, 0, 255)),
    ("ttl-exceeded", (3, 0, 255)),
    ("ttl-zero-during-transit", (3, 0, 0)),
    ("ttl-zero-during-reassembly", (3, 1, 1)),
    ("parameter-problem", (4, 0, 255)),
    ("echo-request", (128, 0, 255)),
    ("ping", (128, 0, 255)),
    ("echo-reply", (129, 0, 255)),
    ("router-solicitation", (133, 0, 255)),
    ("router-advertisement", (134, 0, 255)),
    ("neighbour-solicitation", (135, 0, 255)),
    ("neighbour-advertisement", (136, 0, 255)),
    ("redirect", (137, 0, 255)),
];

pub(super) struct Icmp {
    ipv6: bool,
    asked: Option<(bool, Type)>,
}

impl Icmp {
    pub(super) const fn new(ipv6: bool) -> Self {
        Self { ipv6, asked: None }
    }

    const fn option(&self) -> &'static str {
        if self.ipv6 { "--icmpv6-type" } else { "--icmp-type" }
    }
}

fn parse(word: &Word, names: &'static [(&'static str, Type)]) -> Result<Type, ParseError> {
    if let Some((_, found)) = names.iter().find(|(name, _)| *name == word.text.to_lowercase()) {
        return Ok(*found);
    }
    let part = |text: &str| value::u8(&Word { text: text.to_owned(), column: word.column });
    let found = match word.text.split_once('/') {
        Some((kind, code)) => part(kind).and_then(|k| part(code).map(|c| (k, c, c))),
        None => part(&word.text).map(|kind| (kind, 0, 255)),
    };
    let known = names.iter().map(|(name, _)| *name);
    found.map_err(|_| {
        ErrorKind::BadValue("an ICMP type: a name, TYPE or TYPE/CODE").at(word).near(known)
    })
}

impl Extension for Icmp {
    fn options(&self) -> &'static [&'static str] {
        if self.ipv6 { &["--icmpv6-type"] } else { &["--icmp-type"] }
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        let names: &[_] = if self.ipv6 { &NAMES6 } else { &NAMES };
        self.asked = Some((option.invert, parse(&words.value(&option.word)?, names)?));
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let Some((invert, (kind, first, last))) = self.asked else {
            return Err(ErrorKind::Incomplete(self.option()).at(asked));
        };
        Ok(xt(
            if self.ipv6 { "icmp6" } else { "icmp" },
            0,
            XtInfo::Icmp { kind, codes: (first, last), invert },
        ))
    }
}
