use model::{AddrTypes, Expr, XtAddrtype, XtInfo};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

const TYPES: [(&str, u16); 9] = [
    ("UNSPEC", 1),
    ("UNICAST", 1 << 1),
    ("LOCAL", 1 << 2),
    ("BROADCAST", 1 << 3),
    ("ANYCAST", 1 << 4),
    ("MULTICAST", 1 << 5),
    ("BLACKHOLE", 1 << 6),
    ("UNREACHABLE", 1 << 7),
    ("PROHIBIT", 1 << 8),
];

#[derive(Default)]
pub(super) struct Addrtype(XtAddrtype);

impl Extension for Addrtype {
    fn options(&self) -> &'static [&'static str] {
        &["--src-type", "--dst-type", "--limit-iface-in", "--limit-iface-out"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        let mut types =
            || value::bits(&words.value(&option.word)?, &TYPES, "a type of address").map(AddrTypes);
        let flag = match option.name {
            "--src-type" => {
                self.0.src = types()?;
                u32::from(option.invert)
            }
            "--dst-type" => {
                self.0.dst = types()?;
                u32::from(option.invert) << 1
            }
            name => {
                option.plain()?;
                if name == "--limit-iface-in" { 4 } else { 8 }
            }
        };
        self.0.flags |= flag;
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        if self.0.src.0 == 0 && self.0.dst.0 == 0 {
            return Err(ErrorKind::Incomplete("--src-type or --dst-type").at(asked));
        }
        if self.0.flags & 12 == 12 {
            let one = "one of --limit-iface-in and --limit-iface-out only";
            return Err(ErrorKind::Incomplete(one).at(asked));
        }
        Ok(xt("addrtype", 1, XtInfo::Addrtype(self.0)))
    }
}
