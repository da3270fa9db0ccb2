use std::net::{IpAddr, Ipv4Addr};

use model::{Expr, XtInfo, XtNatRange};

use super::xt;
use crate::iptables::error::{ErrorKind, ParseError};
use crate::iptables::parser::{Extension, Opt};
use crate::iptables::value;
use crate::iptables::words::{Word, Words};

/// NF_NAT_RANGE_*.
const ADDRESSES: u32 = 1;
const PORTS: u32 = 2;
const RANDOM: u32 = 4;
const PERSISTENT: u32 = 8;
const RANDOM_FULLY: u32 = 16;
const OFFSET: u32 = 32;

/// Protocols with ports: tcp, udp, udplite, sctp, dccp.
const WITH_PORTS: [u8; 5] = [6, 17, 136, 132, 33];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Masquerade,
    Snat,
    Dnat,
    Redirect,
}

/// A NAT target; all four say where to as a range of addresses and ports.
pub(super) struct Nat {
    kind: Kind,
    range: XtNatRange,
    to: bool,
}

impl Nat {
    pub(super) fn new(kind: Kind, ipv6: bool) -> Self {
        Self { kind, range: XtNatRange { ipv6, ..XtNatRange::default() }, to: false }
    }

    /// `[ADDRESS[-ADDRESS]][:PORT[-PORT[/BASE]]]`; with brackets of IPv6 around the addresses, if
    /// ports follow.
    fn address(&mut self, word: &Word) -> Result<(), ParseError> {
        let bracketed = word.text.strip_prefix('[').and_then(|text| text.split_once(']'));
        let (address, ports) = match (bracketed, word.text.split_once(':')) {
            (Some((address, "")), _) => (address, None),
            (Some((address, rest)), _) => (address, Some(rest.trim_start_matches(':'))),
            // Of IPv6, `:80` says a port alone.
            (None, parts) if self.range.ipv6 => match parts {
                Some(("", ports)) if !ports.starts_with(':') => ("", Some(ports)),
                _ => (word.text.as_str(), None),
            },
            (None, parts) => match parts {
                Some((address, ports)) => (address, Some(ports)),
                None => (word.text.as_str(), None),
            },
        };
        if !address.is_empty() {
            self.range.addr = Some(value::address_range(word, address, self.range.ipv6)?);
            self.range.flags |= ADDRESSES;
        }
        match ports {
            Some(ports) => self.ports(word, ports),
            None if address.is_empty() => Err(ErrorKind::BadValue("an address").at(word)),
            None => Ok(()),
        }
    }

    fn ports(&mut self, word: &Word, text: &str) -> Result<(), ParseError> {
        let (ports, base) = match text.split_once('/') {
            Some((ports, base)) if self.kind == Kind::Dnat => (ports, Some(base)),
            _ => (text, None),
        };
        self.range.port = Some(value::port_range(word, ports, '-')?);
        self.range.flags |= PORTS;
        if let Some(base) = base {
            self.range.base_port = value::one_port(word, base)?;
            self.range.flags |= OFFSET;
        }
        Ok(())
    }
}

impl Extension for Nat {
    fn options(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Masquerade => &["--to-ports", "--random", "--random-fully"],
            Kind::Snat => &["--to-source", "--random", "--random-fully", "--persistent"],
            Kind::Dnat => &["--to-destination", "--random", "--persistent"],
            Kind::Redirect => &["--to-ports", "--random"],
        }
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        match option.name {
            "--random" => self.range.flags |= RANDOM,
            "--random-fully" => self.range.flags |= RANDOM_FULLY,
            "--persistent" => self.range.flags |= PERSISTENT,
            name => {
                if std::mem::replace(&mut self.to, true) {
                    return Err(ErrorKind::Twice.at(&option.word));
                }
                let word = words.value(&option.word)?;
                if name == "--to-ports" {
                    self.ports(&word, &word.text)?;
                } else {
                    self.address(&word)?;
                }
            }
        }
        Ok(())
    }

    fn exprs(&self, asked: &Word, protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        if self.range.port.is_some() && protocol.is_none_or(|p| !WITH_PORTS.contains(&p)) {
            let needs = "tcp, udp, udplite, sctp or dccp, for it gives a port";
            return Err(ErrorKind::NeedsProtocol(needs).at(asked));
        }
        let (name, revision) = match self.kind {
            Kind::Masquerade => ("MASQUERADE", 0),
            Kind::Redirect => ("REDIRECT", 0),
            Kind::Snat if !self.to => return Err(ErrorKind::Incomplete("--to-source").at(asked)),
            Kind::Snat => ("SNAT", u32::from(self.range.ipv6)),
            Kind::Dnat if !self.to => {
                return Err(ErrorKind::Incomplete("--to-destination").at(asked));
            }
            Kind::Dnat => ("DNAT", 2),
        };
        Ok(xt(name, revision, XtInfo::Nat(self.range)))
    }
}

/// `-j NETMAP`: a whole network is put in the place of another.
#[derive(Default)]
pub(super) struct NetMap(Option<XtNatRange>);

impl Extension for NetMap {
    fn options(&self) -> &'static [&'static str] {
        &["--to"]
    }

    fn take(&mut self, option: &Opt, words: &mut Words) -> Result<(), ParseError> {
        option.plain()?;
        let word = words.value(&option.word)?;
        let value::Masked { address, mask } = value::address(&word, false)?;
        let bits = |bytes: &[u8]| bytes.iter().fold(0, |n: u32, byte| n << 8 | u32::from(*byte));
        let (first, rest) = (bits(&address), !bits(&mask));
        let address = |bits: u32| IpAddr::V4(Ipv4Addr::from_bits(bits));
        let addr = Some((address(first), address(first | rest)));
        self.0 = Some(XtNatRange { flags: ADDRESSES, addr, ..XtNatRange::default() });
        Ok(())
    }

    fn exprs(&self, asked: &Word, _protocol: Option<u8>) -> Result<Vec<Expr>, ParseError> {
        let range = self.0.ok_or_else(|| ErrorKind::Incomplete("--to").at(asked))?;
        Ok(xt("NETMAP", 0, XtInfo::Nat(range)))
    }
}
