//! The targets that a rule may name with `-j`, and verdicts.

mod connmark;
mod ct;
mod header;
mod log;
mod mark;
mod nat;
mod nflog;
mod reject;
mod set;

use model::{Expr, Verdict, Xt, XtInfo};

use self::header::{Header, Kind};
use super::error::{ErrorKind, ParseError};
use super::parser::Extension;
use super::words::Word;

/// Verdicts and targets that a rule may name.
pub(super) const NAMES: [&str; 21] = [
    "ACCEPT",
    "CONNMARK",
    "CT",
    "DNAT",
    "DROP",
    "DSCP",
    "HL",
    "LOG",
    "MARK",
    "MASQUERADE",
    "NETMAP",
    "NFLOG",
    "NOTRACK",
    "REDIRECT",
    "REJECT",
    "RETURN",
    "SET",
    "SNAT",
    "TCPMSS",
    "TOS",
    "TTL",
];
/// Targets of iptables that are not supported: a chain could have such a name, but hardly does.
const UNSUPPORTED: [&str; 18] = [
    "AUDIT",
    "CHECKSUM",
    "CLASSIFY",
    "CONNSECMARK",
    "ECN",
    "HL",
    "HMARK",
    "IDLETIMER",
    "NETMAP",
    "NFQUEUE",
    "QUEUE",
    "RATEEST",
    "SECMARK",
    "SYNPROXY",
    "TEE",
    "TPROXY",
    "TRACE",
    "TTL",
];
/// XT_EXTENSION_MAXNAMELEN without the NUL.
const LONGEST_CHAIN: usize = 28;

/// The target of that name; None if it is a verdict or a chain.
pub(super) fn find(
    name: &Word,
    table: &str,
    chain: &str,
    ipv6: bool,
) -> Result<Option<Box<dyn Extension>>, ParseError> {
    let (target, place): (Box<dyn Extension>, Place) = match name.text.as_str() {
        "MASQUERADE" => (Box::new(nat::Nat::new(nat::Kind::Masquerade, ipv6)), SOURCE_NAT),
        "SNAT" => (Box::new(nat::Nat::new(nat::Kind::Snat, ipv6)), SNAT),
        "DNAT" => (Box::new(nat::Nat::new(nat::Kind::Dnat, ipv6)), DESTINATION_NAT),
        "REDIRECT" => (Box::new(nat::Nat::new(nat::Kind::Redirect, ipv6)), DESTINATION_NAT),
        "REJECT" => (Box::new(reject::Reject::new(ipv6)), FILTER),
        "MARK" => (Box::new(mark::Mark::default()), ANYWHERE),
        "LOG" => (Box::new(log::Log::default()), ANYWHERE),
        "NFLOG" => (Box::new(nflog::NfLog::default()), ANYWHERE),
        "CONNMARK" => (Box::new(connmark::Connmark::default()), ANYWHERE),
        "CT" => (Box::new(ct::Ct::default()), RAW),
        "NOTRACK" => (Box::new(ct::Ct::notrack()), RAW),
        "NETMAP" if !ipv6 => (Box::new(nat::NetMap::default()), NAT),
        "DSCP" => (Box::new(Header::new(Kind::Dscp)), MANGLE),
        "HL" if ipv6 => (Box::new(Header::new(Kind::HopLimit)), MANGLE),
        "SET" => (Box::new(set::Set::default()), ANYWHERE),
        "TCPMSS" => (Box::new(Header::new(Kind::Mss)), ANYWHERE),
        "TOS" => (Box::new(Header::new(Kind::Tos)), MANGLE),
        "TTL" if !ipv6 => (Box::new(Header::new(Kind::Ttl)), MANGLE),
        other if UNSUPPORTED.contains(&other) => return Err(ErrorKind::UnknownTarget.at(name)),
        _ => return Ok(None),
    };
    place.check(name, table, chain)?;
    Ok(Some(target))
}

/// A verdict, or a jump to a chain.
pub(super) fn verdict(goto: bool, name: &Word) -> Result<Verdict, ParseError> {
    if name.text.is_empty() || name.text.len() > LONGEST_CHAIN || name.text.starts_with('-') {
        return Err(ErrorKind::BadValue("the name of a chain (1 to 28 bytes)").at(name));
    }
    Ok(match name.text.as_str() {
        chain if goto => Verdict::Goto(chain.to_owned()),
        "ACCEPT" => Verdict::Accept,
        "DROP" => Verdict::Drop,
        "RETURN" => Verdict::Return,
        chain => Verdict::Jump(chain.to_owned()),
    })
}

/// Where the kernel lets a target be. It follows jumps too; here only base chains are looked at.
struct Place {
    table: Option<&'static str>,
    not_in: &'static [&'static str],
    words: &'static str,
}

const ANYWHERE: Place = Place { table: None, not_in: &[], words: "" };
const FILTER: Place = Place { table: Some("filter"), not_in: &[], words: "table filter" };
const MANGLE: Place = Place { table: Some("mangle"), not_in: &[], words: "table mangle" };
const NAT: Place = Place { table: Some("nat"), not_in: &[], words: "table nat" };
const RAW: Place = Place { table: Some("raw"), not_in: &[], words: "table raw" };
const SOURCE_NAT: Place = Place {
    table: Some("nat"),
    not_in: &["PREROUTING", "INPUT", "OUTPUT"],
    words: "table nat, chain POSTROUTING (and chains jumped to from there)",
};
const SNAT: Place = Place {
    table: Some("nat"),
    not_in: &["PREROUTING", "OUTPUT"],
    words: "table nat, chains POSTROUTING and INPUT (and chains jumped to from there)",
};
const DESTINATION_NAT: Place = Place {
    table: Some("nat"),
    not_in: &["INPUT", "POSTROUTING"],
    words: "table nat, chains PREROUTING and OUTPUT (and chains jumped to from there)",
};

impl Place {
    fn check(&self, name: &Word, table: &str, chain: &str) -> Result<(), ParseError> {
        if self.table.is_some_and(|t| t != table) || self.not_in.contains(&chain) {
            return Err(ErrorKind::WrongPlace(self.words).at(name));
        }
        Ok(())
    }
}

fn xt(name: &str, revision: u32, info: XtInfo) -> Vec<Expr> {
    vec![Expr::Target(Xt { name: name.to_owned(), revision, info })]
}
