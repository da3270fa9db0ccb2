//! `-m tcp` and `-m udp`: native expressions, but for what these cannot say.

use model::{CmpOp, Expr, PayloadBase, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt, REG, and, cmp, payload};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

const ALL: (u16, u16) = (0, u16::MAX);
/// Offset of the flags in the TCP header.
const FLAGS: u32 = 13;
/// FIN, SYN, RST and ACK: `--syn` asks for SYN alone among them.
const SYN_MASK: u8 = 0x17;
const SYN: u8 = 0x02;
const FLAG_NAMES: [(&str, u16); 8] = [
    ("FIN", 1),
    ("SYN", 2),
    ("RST", 4),
    ("PSH", 8),
    ("ACK", 16),
    ("URG", 32),
    ("ALL", 63),
    ("NONE", 0),
];

#[derive(Clone, Copy)]
struct Range {
    ports: (u16, u16),
    invert: bool,
}

/// Source and destination ports.
#[derive(Default)]
struct Ports([Option<Range>; 2]);

impl Ports {
    /// Whether the option is one of ports, and then takes it.
    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<bool, ParseError> {
        let place = match option.name {
            "--sport" | "--source-port" => 0,
            "--dport" | "--destination-port" => 1,
            _ => return Ok(false),
        };
        let word = words.value(&option.word)?;
        let ports = value::port_range(&word, &word.text, ':')?;
        if ports == ALL && option.invert {
            return Err(ErrorKind::Never.at(&word));
        }
        let range = Range { ports, invert: option.invert };
        match self.0[place].replace(range) {
            None => Ok(true),
            Some(_) => Err(ErrorKind::Twice.at(&option.word)),
        }
    }

    fn exprs(&self) -> Vec<Expr> {
        let [source, destination] = self.0;
        if let Some(both) = source.zip(destination).and_then(|(s, d)| together(s, d)) {
            return both.into();
        }
        [source, destination]
            .into_iter()
            .zip([0, 2])
            .filter_map(|(range, offset)| Some((range.filter(|r| r.ports != ALL)?, offset)))
            .flat_map(|(range, offset)| {
                [payload(PayloadBase::Transport, offset, 2), compare(range)]
            })
            .collect()
    }
}

/// One port each, both inverted or neither: iptables-nft compares all four bytes at once. (That
/// inverts the whole, which is more than `! --sport 1 ! --dport 2` says; what counts is what the
/// kernel gets.)
fn together(source: Range, destination: Range) -> Option<[Expr; 2]> {
    let one = |range: Range| (range.ports.0 == range.ports.1).then_some(range.ports.0);
    let (from, to) = (one(source)?, one(destination)?);
    let bytes = [from.to_be_bytes(), to.to_be_bytes()].concat();
    (source.invert == destination.invert)
        .then(|| [payload(PayloadBase::Transport, 0, 4), cmp(source.invert, bytes)])
}

fn compare(range: Range) -> Expr {
    let (first, last) =
        (range.ports.0.to_be_bytes().to_vec(), range.ports.1.to_be_bytes().to_vec());
    if first == last {
        return cmp(range.invert, first);
    }
    if range.ports.0 == 0 {
        let op = if range.invert { CmpOp::Gt } else { CmpOp::Lte };
        return Expr::Cmp { sreg: REG, op, data: last };
    }
    let op = if range.invert { CmpOp::Neq } else { CmpOp::Eq };
    Expr::Range { sreg: REG, op, from: first, to: last }
}

fn xt_ports(name: &str, tcp: Option<(u8, u8, u8)>, ports: &Ports, flags: u8) -> Vec<Expr> {
    let range = |place: usize| ports.0[place].map_or(ALL, |r| r.ports);
    let inverted = |place: usize| u8::from(ports.0[place].is_some_and(|r| r.invert));
    let invert = inverted(0) | inverted(1) << 1 | flags;
    xt(name, 0, XtInfo::Ports { sport: range(0), dport: range(1), invert, tcp })
}

/// `-m tcp`.
#[derive(Default)]
pub(super) struct Tcp {
    ports: Ports,
    /// Mask, what must be set of it, inverted.
    flags: Option<(u8, u8, bool)>,
    /// `--tcp-option`, which native expressions do not say.
    option: Option<(u8, bool)>,
}

impl Tcp {
    /// All of it in one struct.
    fn whole(&self) -> Vec<Expr> {
        let (mask, compare, not_flags) = self.flags.unwrap_or_default();
        let (option, not_option) = self.option.unwrap_or_default();
        let invert = u8::from(not_flags) << 2 | u8::from(not_option) << 3;
        xt_ports("tcp", Some((option, mask, compare)), &self.ports, invert)
    }
}

impl Extension for Tcp {
    fn options(&self) -> &'static [&'static str] {
        &[
            "--sport",
            "--source-port",
            "--dport",
            "--destination-port",
            "--syn",
            "--tcp-flags",
            "--tcp-option",
        ]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        if self.ports.take(option, words)? {
            return Ok(());
        }
        match option.name {
            "--syn" => self.flags = Some((SYN_MASK, SYN, option.invert)),
            "--tcp-option" => {
                self.option = Some((value::u8(&words.value(&option.word)?)?, option.invert));
            }
            _ => {
                let mut flags = || -> Result<u8, ParseError> {
                    let word = words.value(&option.word)?;
                    let bits = value::bits(&word, &FLAG_NAMES, "a TCP flag")?;
                    Ok(u8::try_from(bits).unwrap_or(0))
                };
                self.flags = Some((flags()?, flags()?, option.invert));
            }
        }
        Ok(())
    }

    fn exprs(&self, _asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let ports = self.ports.exprs();
        if self.option.is_some() || (self.flags.is_none() && ports.is_empty()) {
            return Ok(self.whole());
        }
        let mut exprs = Vec::new();
        if let Some((mask, compare, invert)) = self.flags {
            exprs.push(payload(PayloadBase::Transport, FLAGS, 1));
            exprs.push(and(vec![mask]));
            exprs.push(cmp(invert, vec![compare]));
        }
        exprs.extend(ports);
        Ok(exprs)
    }

    fn legacy(&self, _asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        Ok(self.whole())
    }
}

/// `-m udp`.
#[derive(Default)]
pub(super) struct Udp(Ports);

impl Extension for Udp {
    fn options(&self) -> &'static [&'static str] {
        &["--sport", "--source-port", "--dport", "--destination-port"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        self.0.take(option, words).map(|_| ())
    }

    fn exprs(&self, _asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let native = self.0.exprs();
        Ok(if native.is_empty() { xt_ports("udp", None, &self.0, 0) } else { native })
    }

    fn legacy(&self, _asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        Ok(xt_ports("udp", None, &self.0, 0))
    }
}
