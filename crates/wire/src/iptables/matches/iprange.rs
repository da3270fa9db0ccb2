use std::net::IpAddr;

use model::{Expr, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// IPRANGE_*: the source is asked, the destination; the same, inverted.
const ASKED: [u8; 2] = [1, 2];
const INVERTED: [u8; 2] = [16, 32];

/// `--src-range` and `--dst-range`.
#[derive(Default)]
pub(super) struct IpRange {
    ranges: [([u8; 16], [u8; 16]); 2],
    flags: u8,
    ipv6: bool,
}

impl IpRange {
    pub(super) fn new(ipv6: bool) -> Self {
        Self { ipv6, ..Self::default() }
    }
}

fn raw(ip: IpAddr) -> [u8; 16] {
    let mut bytes = [0; 16];
    match ip {
        IpAddr::V4(ip) => bytes[..4].copy_from_slice(&ip.octets()),
        IpAddr::V6(ip) => bytes = ip.octets(),
    }
    bytes
}

impl Extension for IpRange {
    fn options(&self) -> &'static [&'static str] {
        &["--src-range", "--dst-range"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        let place = usize::from(option.name == "--dst-range");
        if self.flags & ASKED[place] != 0 {
            return Err(ErrorKind::Twice.at(&option.word));
        }
        let word = words.value(&option.word)?;
        let (first, last) = value::address_range(&word, &word.text, self.ipv6)?;
        self.ranges[place] = (raw(first), raw(last));
        self.flags |= ASKED[place] | if option.invert { INVERTED[place] } else { 0 };
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        if self.flags == 0 {
            return Err(ErrorKind::Incomplete("--src-range or --dst-range").at(asked));
        }
        let [src, dst] = self.ranges;
        Ok(xt("iprange", 1, XtInfo::IpRange { src, dst, flags: self.flags }))
    }
}
