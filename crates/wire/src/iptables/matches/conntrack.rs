use model::{Expr, XtConntrack, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

const STATES: [(&str, u16); 7] = [
    ("INVALID", 1),
    ("ESTABLISHED", 2),
    ("RELATED", 4),
    ("NEW", 8),
    ("SNAT", 64),
    ("DNAT", 128),
    ("UNTRACKED", 256),
];
/// `-m state` knows only these.
const PLAIN_STATES: [(&str, u16); 5] =
    [("INVALID", 1), ("ESTABLISHED", 2), ("RELATED", 4), ("NEW", 8), ("UNTRACKED", 256)];
const STATUSES: [(&str, u16); 5] =
    [("NONE", 0), ("EXPECTED", 1), ("SEEN_REPLY", 2), ("ASSURED", 4), ("CONFIRMED", 8)];

/// XT_CONNTRACK_*.
const STATE: u16 = 1;
const PROTOCOL: u16 = 2;
const ADDRESS: u16 = 4;
const STATUS: u16 = 0x40;
const EXPIRES: u16 = 0x80;
const PORT: u16 = 0x100;
const DIRECTION: u16 = 0x1000;
const STATE_ALIAS: u16 = 0x2000;

const OPTIONS: [&str; 13] = [
    "--ctstate",
    "--ctproto",
    "--ctstatus",
    "--ctexpire",
    "--ctdir",
    "--ctorigsrc",
    "--ctorigdst",
    "--ctreplsrc",
    "--ctrepldst",
    "--ctorigsrcport",
    "--ctorigdstport",
    "--ctreplsrcport",
    "--ctrepldstport",
];
const FIRST_ADDRESS: usize = 5;
const FIRST_PORT: usize = 9;

#[derive(Default)]
pub(super) struct Conntrack(XtConntrack, bool);

impl Conntrack {
    /// Of IPv6, or not: which addresses it takes.
    pub(super) fn new(ipv6: bool) -> Self {
        Self(XtConntrack::default(), ipv6)
    }

    fn asked(&mut self, flag: u16, invert: bool) {
        self.0.match_flags |= flag;
        if invert {
            self.0.invert_flags |= flag;
        }
    }

    /// One of origsrc, origdst, replsrc, repldst.
    fn address(&mut self, place: usize, word: &Word, invert: bool) -> Result<(), ParseError> {
        let value::Masked { address, mask } = value::address(word, self.1)?;
        let (to, to_mask) = &mut self.0.addresses[place];
        to[..address.len()].copy_from_slice(&address);
        to_mask[..mask.len()].copy_from_slice(&mask);
        if !word.text.contains('/') {
            // iptables masks all 16 bytes where no length is given.
            *to_mask = [0xff; 16];
        }
        self.asked(ADDRESS << place, invert);
        Ok(())
    }

    fn port(&mut self, place: usize, word: &Word, invert: bool) -> Result<(), ParseError> {
        let (first, last) = value::port_range(word, &word.text, ':')?;
        (self.0.ports[place], self.0.ports_high[place]) = (first, last);
        self.asked(PORT << place, invert);
        Ok(())
    }

    fn direction(&mut self, word: &Word) -> Result<(), ParseError> {
        let reply = match word.text.to_uppercase().as_str() {
            "ORIGINAL" => false,
            "REPLY" => true,
            _ => return Err(ErrorKind::BadValue("ORIGINAL or REPLY").at(word)),
        };
        self.asked(DIRECTION, reply);
        Ok(())
    }

    fn expires(&mut self, word: &Word, invert: bool) -> Result<(), ParseError> {
        let part = |text: &str| value::u32(&Word { text: text.to_owned(), column: word.column });
        let (first, last) = word.text.split_once(':').unwrap_or((&word.text, &word.text));
        self.0.expires = (part(first)?, part(last)?);
        self.asked(EXPIRES, invert);
        Ok(())
    }
}

impl Extension for Conntrack {
    fn options(&self) -> &'static [&'static str] {
        &OPTIONS
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        let word = words.value(&option.word)?;
        match option.name {
            "--ctstate" => {
                self.0.state_mask = value::bits(&word, &STATES, "a state of a connection")?;
                self.asked(STATE, option.invert);
            }
            "--ctproto" => {
                self.0.l4proto = u16::from(value::protocol(&word)?);
                self.asked(PROTOCOL, option.invert);
            }
            "--ctstatus" => {
                self.0.status_mask = value::bits(&word, &STATUSES, "a status of a connection")?;
                self.asked(STATUS, option.invert);
            }
            "--ctexpire" => self.expires(&word, option.invert)?,
            "--ctdir" => {
                option.plain()?;
                self.direction(&word)?;
            }
            name => {
                let place = OPTIONS.iter().position(|o| *o == name).unwrap_or(FIRST_ADDRESS);
                if place < FIRST_PORT {
                    self.address(place - FIRST_ADDRESS, &word, option.invert)?;
                } else {
                    self.port(place - FIRST_PORT, &word, option.invert)?;
                }
            }
        }
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        if self.0.match_flags == 0 {
            return Err(ErrorKind::Incomplete("an option of its own, such as --ctstate").at(asked));
        }
        Ok(xt("conntrack", 3, XtInfo::Conntrack(Box::new(self.0))))
    }
}

/// `-m state`, which is `-m conntrack` with a mark that it was written so.
#[derive(Default)]
pub(super) struct State(XtConntrack);

impl Extension for State {
    fn options(&self) -> &'static [&'static str] {
        &["--state"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        let word = words.value(&option.word)?;
        self.0.state_mask = value::bits(&word, &PLAIN_STATES, "a state of a connection")?;
        self.0.match_flags = STATE | STATE_ALIAS;
        self.0.invert_flags = if option.invert { STATE } else { 0 };
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        if self.0.match_flags == 0 {
            return Err(ErrorKind::Incomplete("--state").at(asked));
        }
        Ok(xt("conntrack", 3, XtInfo::Conntrack(Box::new(self.0))))
    }
}
